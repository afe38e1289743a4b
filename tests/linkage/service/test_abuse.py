"""Bad input and abuse: a clear error each, nothing of it in answers and logs, and the service lives on."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_store import Store
from small_district import ask
from starlette.testclient import TestClient

from linkage.access.settings import ServiceSettings
from linkage.service.edge import DEEPEST_JSON, Edge, json_depth
from linkage.service.logs import JsonLines
from linkage.service.metrics import Metrics

Bearer = Callable[..., dict[str, str]]
JSON = {"content-type": "application/json"}
SECRET = "440306199003071234"


def is_error(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id", "details"}
    assert error["code"] == code
    assert answer.headers["x-request-id"] == error["request_id"]
    assert answer.headers["cache-control"] == "no-store"
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"{", 422, "invalid_request"),
        (b"\xff\xfe\x00", 400, "bad_request"),
        (b'{"name": NaN', 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'"' + SECRET.encode() + b'"', 422, "invalid_request"),
        (b'{"' + SECRET.encode() + b'": 1}', 422, "invalid_request"),
        (b'{"entity_type": "' + SECRET.encode() + b'"}', 422, "invalid_request"),
        (b'{"name": ' + SECRET.encode() + b"}", 422, "invalid_request"),
        (b'{"identifiers": "' + SECRET.encode() + b'"}', 422, "invalid_request"),
        (b'{"identifiers": [{"value": "' + SECRET.encode() * 20 + b'"}]}', 422, "invalid_request"),
        (b'{"identifiers": [{"scheme": "' + SECRET.encode() + b'", "value": "1"}]}', 422, "invalid_question"),
        (b'{"name": "' + SECRET.encode() + b'"}', 422, "invalid_question"),
        (b'{"name": "\\ud800", "entity_type": "natural_person"}', 422, "invalid_request"),
        (b'{"purpose": "\\u0000' + SECRET.encode() + b'"}', 422, "invalid_request"),
        (b"[" * 100_000, 422, "too_deep"),
        (b'{"name": ' * 20 + b"1" + b"}" * 20, 422, "too_deep"),
        (b'{"name": "' + b"x" * 2_000_000 + b'"}', 413, "too_large"),
        (b'{"name": "' + "名".encode() * 600 + b'", "entity_type": "legal_person"}', 422, "invalid_request"),
        (b'{"limit": 51}', 422, "invalid_request"),
        (b'{"limit": 1e400}', 422, "invalid_request"),
    ],
)
def test_a_body_that_is_no_question_is_refused_without_being_repeated(
    body: bytes, status: int, code: str, client: TestClient, bearer: Bearer
) -> None:
    is_error(client.post("/v1/resolve", content=body, headers=bearer("platform") | JSON), status, code)
    batch = b'{"items": [' + body + b"]}"
    answer = client.post("/v1/resolve/batch", content=batch, headers=bearer("platform") | JSON)
    assert answer.status_code in (200, 400, 413, 422)
    assert SECRET not in answer.text
    assert client.get("/healthz").status_code == 200


def test_a_place_names_where_the_request_is_not_as_expected(client: TestClient, bearer: Bearer) -> None:
    answer = client.post("/v1/resolve", json={"identifiers": [{"value": 5}]}, headers=bearer("platform"))
    (detail,) = answer.json()["error"]["details"]
    assert detail == {"place": "body.identifiers[0].value", "expected": "Input should be a valid string"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.parametrize("path", ["/v1/resolve", "/v1/resolve/batch"])
def test_a_body_of_another_content_type_is_told_the_right_one(
    kind: str | None, path: str, client: TestClient, bearer: Bearer
) -> None:
    headers = bearer("platform") | ({"content-type": kind} if kind else {})
    answer = client.post(path, content=b'{"items": [{}]}', headers=headers)
    is_error(answer, 422, "invalid_request")
    (detail,) = answer.json()["error"]["details"]
    assert detail == {"place": "body", "expected": "a JSON object, sent with content-type: application/json"}


NASTY = [
    "'; drop table legal_person; --",
    '" or 1=1 --',
    "%' union select token_hash from api_token --",
    "\x00",
    "a\x00b",
    "\u202e\u200b\ufeff",
    "../../../etc/passwd",
    "{{7*7}}${7*7}<script>alert(1)</script>",
    "🙂" * 100,
    "𠮷" * 50,
    "٣٤٥",
    "\x1e\x1f",
]


@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_value_is_a_value(value: str, client: TestClient, store: Store, bearer: Bearer) -> None:
    before = ask(store.path, "select count(*) from legal_person")
    headers = bearer("platform")
    fields = ("name", "address", "phone", "former_names", "email", "established_date", "legal_rep_name")
    bodies: list[dict[str, Any]] = [{"entity_type": "legal_person", field: value} for field in fields]
    bodies += [{"entity_type": "natural_person", field: value} for field in ("name", "birth_date", "sex", "address")]
    bodies.append({"identifiers": [{"value": value}]})
    bodies.append({"entity_type": "natural_person", "name": value, "identifiers": [{"value": value}]})
    for body in bodies:
        answer = client.post("/v1/resolve", json=body, headers=headers)
        assert answer.status_code in (200, 422), (body, answer.text)
        assert answer.status_code == 422 or answer.json()["status"] in ("none", "possible")
    for path in ("/v1/entities/{}", "/v1/entities/{}/records", "/v1/identifiers/uscc/{}", "/v1/identifiers/{}/1"):
        from urllib.parse import quote

        assert client.get(path.format(quote(value, safe="")), headers=bearer("auditor")).status_code in (200, 404, 422)
    assert ask(store.path, "select count(*) from legal_person") == before


@pytest.mark.parametrize(
    "path",
    [
        "/v1/entities/../../healthz",
        "/v1/entities/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "//v1/entities/x",
        "/v1/resolve/../entities/x",
        "/v1/identifiers/uscc/" + "9" * 5000,
        "/.git/config",
        "/v1/entities/x\\..\\y",
    ],
)
def test_a_tricky_path_leads_nowhere(path: str, client: TestClient, bearer: Bearer) -> None:
    assert client.get(path, headers=bearer("platform")).status_code in (200, 307, 404, 422)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-filler": "a" * 20_000}, 431),
        ({"x-guiyi-purpose": "%ff%fe"}, 422),
        ({"x-guiyi-purpose": "x"}, 422),
        ({"x-guiyi-purpose": "a" * 300}, 422),
        ({"x-guiyi-purpose": "%0d%0aset-cookie: a=b"}, 422),
        ({"x-request-id": SECRET}, 200),
        ({"host": SECRET}, 200),
        ({"x-forwarded-for": SECRET}, 200),
    ],
)
def test_a_tricky_header_is_refused_or_left_aside(
    headers: dict[str, str], status: int, client: TestClient, store: Store, bearer: Bearer
) -> None:
    answer = client.get(f"/v1/entities/{store.firm.entity_id}", headers=bearer("platform") | headers)
    assert answer.status_code == status
    assert SECRET not in answer.text + repr(answer.headers)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/resolve"), ("PUT", "/v1/entities/x"), ("TRACE", "/"), ("POST", "/metrics")]
)
def test_a_wrong_method_is_refused(method: str, path: str, client: TestClient, bearer: Bearer) -> None:
    answer = client.request(method, path, headers=bearer("platform"))
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["request_id"]


def test_while_the_catalog_is_away_answers_are_503_and_it_may_come_back(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    path, away = f"/v1/entities/{store.firm.entity_id}", store.path.with_name("away.sqlite")
    assert client.get(path, headers=bearer("platform")).status_code == 200
    store.path.rename(away)
    is_error(client.get(path, headers=bearer("platform")), 503, "unavailable")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    store.path.write_bytes(b"not a database" * 1000)
    is_error(client.get(path, headers=bearer("platform")), 503, "unavailable")
    store.path.unlink()
    away.rename(store.path)
    assert client.get(path, headers=bearer("platform")).status_code == 200


def test_a_defect_is_a_500_without_details(
    client: TestClient, store: Store, bearer: Bearer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import linkage.service.resolving as resolving

    def broken(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(resolving, "resolve", broken)
    body = {"identifiers": [{"value": store.firm.values["uscc"]}]}
    is_error(client.post("/v1/resolve", json=body, headers=bearer("platform")), 500, "defect")
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any("KeyError" in line for line in lines)
    assert not any(SECRET in line for line in lines)


def test_no_value_of_anybody_is_in_a_log_line(
    client: TestClient, store: Store, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person, headers = store.person, bearer("auditor", "%E6%A0%B8%E5%AF%B9")
    values = [*person.values.values(), store.tokens["auditor"], "核对", SECRET]
    client.get(f"/v1/identifiers/resident_id/{person.values['id_number']}", headers=headers)
    client.get(f"/v1/identifiers/{person.values['id_number']}/x", headers=headers)
    client.get(f"/{person.values['id_number']}?q={person.values['name']}", headers=headers)
    client.get(f"/v1/entities/{person.entity_id}?unmasked=true", headers=headers)
    client.post("/v1/resolve", json={"entity_type": "natural_person", **person.values, "x": 1}, headers=headers)
    body = {k: v for k, v in person.values.items() if k != "id_number"}
    client.post("/v1/resolve", json={"entity_type": "natural_person", **body}, headers=headers)
    client.request(person.values["id_number"], "/v1/resolve", headers=headers)
    client.post("/v1/resolve", content=b'{"' + SECRET.encode() + b'":', headers=headers | JSON)
    lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith(("guiyi", "uvicorn"))]
    assert len(lines) == 8
    for line in lines:
        told = json.loads(line)
        assert {"request_id", "route", "status", "ms"} <= told.keys()
        assert not [value for value in values if value in line]


KEY = st.text(st.sampled_from('[{"\\'), max_size=3)


@given(
    value=st.recursive(
        st.text(st.sampled_from('[]{}"\\,:a'), max_size=6) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.text(st.sampled_from('[{"\\'), max_size=3), inner, max_size=2)
        ),
        max_leaves=8,
    )
)
def test_the_depth_of_json_is_that_of_its_brackets(value: Any) -> None:
    def depth(inner: Any) -> int:
        inside = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if inside is None else 1 + max(map(depth, inside), default=0)

    assert json_depth(json.dumps(value).encode()) == depth(value)
    assert json_depth(b"[" * (DEEPEST_JSON + 1)) > DEEPEST_JSON


def edge_answers(messages: list[dict[str, Any]], *, pause: float, settings: ServiceSettings) -> int:
    """Send a body in parts with pauses between, and return the status answered."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [], "path": "/v1/resolve"}
    asyncio.run(Edge(app, settings, Metrics())(scope, receive, send))  # type: ignore[arg-type]
    return int(sent[0]["status"])


def part(body: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_client_that_sends_slowly_forever_or_half_is_let_go() -> None:
    settings = ServiceSettings(body_bytes=1024, request_seconds=0.2)
    parts = [part(b" " * 100, True)] * 100
    started = time.monotonic()
    assert edge_answers(parts[:], pause=0.05, settings=settings) == 503
    assert time.monotonic() - started < 2
    assert edge_answers(parts[:], pause=0, settings=settings) == 413
    assert edge_answers(parts[:2], pause=0, settings=settings) == 400
    assert edge_answers([part(b"{", True), part(b"}", False)], pause=0, settings=settings) == 200


def test_a_question_that_takes_too_long_is_ended(
    serve: Callable[..., TestClient], bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import linkage.service.resolving as resolving

    client = serve(ServiceSettings(request_seconds=0.3))
    monkeypatch.setattr(resolving, "resolve", lambda *_: time.sleep(1.0))
    body = {"entity_type": "legal_person", "name": "深圳"}
    is_error(client.post("/v1/resolve", json=body, headers=bearer("platform")), 503, "too_slow")


def test_the_journal_folder_is_empty_when_nobody_serves(store: Store, serve: Callable[..., TestClient]) -> None:
    assert not (Path(store.path.parent) / "access-journal").exists()
