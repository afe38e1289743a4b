"""The service keeps to its own OpenAPI schema, whatever is sent: schemathesis makes the requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from service_store import Store

from linkage.access.settings import ServiceSettings
from linkage.service.app import Service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(Service(Path("unused"), Path("unused")).api.openapi())


@pytest.fixture(scope="module")
def url(published: Store) -> Iterator[str]:
    """The service on a port, in a thread of this process."""
    limits = ServiceSettings(person_look_burst=1e9, request_burst=1e9)
    service = Service(published.path, published.path.parent, limits)
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@SCHEMA.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_to_the_schema(case: schemathesis.Case, url: str, published: Store) -> None:
    response = case.call(base_url=url, headers={"authorization": f"Bearer {published.tokens['auditor']}"})
    if response.text == "Invalid HTTP request received.":
        return  # the server's own answer to a request line that is none: no operation was reached
    case.validate_response(response, checks=CHECKS)


def test_the_contract_is_in_the_schema() -> None:
    paths = Service(Path("unused"), Path("unused")).api.openapi()["paths"]
    assert {
        "/v1/resolve",
        "/v1/resolve/batch",
        "/v1/entities/{entity_id}",
        "/v1/entities/{entity_id}/records",
        "/v1/entities/{entity_id}/history",
        "/v1/entities/{entity_id}/relations",
        "/v1/identifiers/{scheme}/{value}",
        "/reconcile",
        "/healthz",
        "/readyz",
        "/metrics",
    } <= set(paths)
