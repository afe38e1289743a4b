"""The edge of the service, around everything else: request ids, limits, time, security headers, logs and counts.

A request that is too large, too deep or too slow ends here. A log line holds the route's template, never the path: a
path may hold a number of somebody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linkage.access.settings import ServiceSettings
from linkage.service.errors import ServiceError, error_body
from linkage.service.metrics import Metrics

LOGGER = logging.getLogger("guiyi.service")
DEEPEST_JSON = 16
_HEADER_BYTES = 16_384
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Edge:
    """The outermost layer of the application.

    Args:
        app: the application.
        settings: limits.
        metrics: counts and times.
        slow: beginnings of paths that may take longer → seconds.
    """

    def __init__(
        self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics, *, slow: Mapping[str, float] | None = None
    ) -> None:
        self._app = app
        self._slow = dict(slow or {})
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = secrets.token_hex(8)
        seen: dict[str, Any] = {"request_id": request_id, "status": 0}
        scope["guiyi"] = seen
        answering = _Answering(send, seen)
        try:
            async with asyncio.timeout(self._seconds(scope["path"])):
                body = await self._body(scope, receive)
                await self._app(scope, _replay(body, receive), answering.send)
        except ServiceError as error:
            await answering.fail(error)
        except TimeoutError:
            await answering.fail(ServiceError(503, "too_slow", "the request took too long; ask for less, or try again"))
        except Exception:
            LOGGER.exception("request failed", extra={"told": {"request_id": request_id}})
            await answering.fail(ServiceError(500, "defect", "something is broken here; report the request id"))
        self._note(scope, seen, time.perf_counter() - started)

    def _seconds(self, path: str) -> float:
        found = (seconds for start, seconds in self._slow.items() if path == start or path.startswith(f"{start}/"))
        return next(found, self._settings.request_seconds)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > _HEADER_BYTES:
            raise ServiceError(431, "headers_too_large", f"headers take more than {_HEADER_BYTES} bytes")
        limit = self._settings.body_bytes
        told = next((value for name, value in headers if name == b"content-length"), b"0")
        if told.isdigit() and int(told) > limit:
            raise _too_large(limit)
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ServiceError(400, "incomplete", "the body ended before it was complete")
            size += len(message.get("body", b""))
            if size > limit:
                raise _too_large(limit)
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = b"".join(parts)
                if json_depth(body) > DEEPEST_JSON:
                    raise ServiceError(422, "too_deep", f"JSON may be nested {DEEPEST_JSON} deep at most")
                return body

    def _note(self, scope: Scope, seen: Mapping[str, Any], seconds: float) -> None:
        route = scope.get("route")
        template = scope.get("root_path", "") + getattr(route, "path", "unmatched")
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(template, method, str(seen["status"])).inc()
        self._metrics.seconds.labels(template).observe(seconds)
        told = {
            "request_id": seen["request_id"],
            "method": method,
            "route": template,
            "status": seen["status"],
            "ms": round(seconds * 1000, 2),
        }
        if "token_id" in seen:
            told["token_id"] = seen["token_id"]
        LOGGER.info("request", extra={"told": told})


def json_depth(body: bytes) -> int:
    """Return how deep brackets are nested outside of texts.

    >>> json_depth(b'{"a": [1, {"b": "[[["}]}')
    3
    """
    depth = deepest = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _too_large(limit: int) -> ServiceError:
    return ServiceError(413, "too_large", f"the body is larger than {limit} bytes; ask in smaller batches")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the application the body that was read, then what the server says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class _Answering:
    """Sends the answer with the headers that every answer has, and remembers its status."""

    def __init__(self, send: Send, seen: dict[str, Any]) -> None:
        self._send = send
        self._seen = seen

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._seen["status"] = message["status"]
            there = {name for name, _ in message["headers"]}
            headers = [pair for pair in _SECURITY_HEADERS if pair[0] not in there]
            request_id = (b"x-request-id", self._seen["request_id"].encode())
            message = {**message, "headers": [*message["headers"], *headers, request_id]}
        await self._send(message)

    async def fail(self, error: ServiceError) -> None:
        if self._seen["status"]:
            return  # the answer has begun; the server closes the connection
        body = json.dumps(error_body(error.code, error.message, self._seen["request_id"])).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
