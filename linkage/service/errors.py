"""Errors of the service, and how every error becomes one form of answer; none holds a value of the request.

```json
{"error": {"code": "unknown_entity", "message": "…", "request_id": "…", "details": [{"place": "…", "expected": "…"}]}}
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from golden_records.errors import CatalogError
from linkage.lookup.resolve import QueryError
from linkage.lookup.snapshot import LookupUnavailableError

Detail = dict[str, str]

_NO_OBJECT = ("model_type", "model_attributes_type", "dict_type")
_CODES = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}


class ServiceError(Exception):
    """An answer that is an error.

    Attributes:
        status: HTTP status.
        code: stable name.
        message: what is wrong and what to do.
        headers: further headers.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def unavailable(message: str) -> ServiceError:
    """Return the error of a store that cannot be read or written now."""
    return ServiceError(503, "unavailable", message, headers={"retry-after": "1"})


def error_body(code: str, message: str, request_id: str, details: Sequence[Detail] = ()) -> dict[str, Any]:
    """Return the body of every error."""
    return {"error": {"code": code, "message": message, "request_id": request_id, "details": list(details)}}


def add_error_handlers(app: FastAPI) -> None:
    """Map every error to the one form of answer."""

    @app.exception_handler(ServiceError)
    async def _service(request: Request, error: ServiceError) -> JSONResponse:
        return _answer(request, error.status, error.code, error.message, headers=error.headers)

    @app.exception_handler(QueryError)
    async def _query(request: Request, error: QueryError) -> JSONResponse:
        return _answer(request, 422, "invalid_question", str(error))

    @app.exception_handler(LookupUnavailableError)
    async def _lookup(request: Request, error: LookupUnavailableError) -> JSONResponse:
        return _answer(request, 503, "lookup_unavailable", str(error), headers={"retry-after": "60"})

    @app.exception_handler(CatalogError)
    async def _catalog(request: Request, error: CatalogError) -> JSONResponse:
        del error  # it names paths of the machine
        return _answer(request, 503, "unavailable", "the catalog cannot be read now; try again")

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> JSONResponse:
        del error  # the edge logs where it came from; its words may hold a value
        return _answer(request, 500, "defect", "something is broken here; report the request id")

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        details = [detail_of(one) for one in error.errors()]
        return _answer(request, 422, "invalid_request", "the request is not as expected; see details", details=details)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "error")
        words = {404: "there is nothing here; see /docs", 405: "not with this method; see /docs"}
        headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
        message = words.get(error.status_code, "the request cannot be served")
        return _answer(request, error.status_code, code, message, headers=headers)


def detail_of(error: Mapping[str, Any]) -> Detail:
    """Return the place and the expectation of a validation error, without the value and without unknown names."""
    place = [*error["loc"]]
    if error["type"] == "extra_forbidden":
        return {"place": _place(place[:-1]), "expected": "no other fields than the documented ones"}
    if error["type"] == "json_invalid":
        return {"place": "body", "expected": f"JSON; it breaks at character {place[-1]}"}
    if place == ["body"]:
        return {"place": "body", "expected": "a JSON object, sent with content-type: application/json"}
    if error["type"] in _NO_OBJECT:
        return {"place": _place(place), "expected": "a JSON object"}
    return {"place": _place(place), "expected": str(error["msg"])}


def _place(parts: Sequence[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    details: Sequence[Detail] = (),
) -> JSONResponse:
    request_id = request.scope.get("guiyi", {}).get("request_id", "")
    return JSONResponse(error_body(code, message, request_id, details), status, headers=dict(headers or {}))
