"""The service on a catalog in PostgreSQL: answers as on one in SQLite, and a server that goes and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import Server, wait_until
from small_district import NOW as PUBLISHED
from starlette.testclient import TestClient

from golden_records.catalog.place import DatabaseUrl
from golden_records.catalog.publish import publish
from golden_records.catalog.store import open_catalog
from linkage.entities import release_tables
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import Linkage
from linkage.service.app import Service

Bearer = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def place(postgresql_server: Server, linked: dict[str, Linkage], published: Any) -> Iterator[DatabaseUrl]:
    """What `published` holds, in PostgreSQL."""
    with postgresql_server.database("service") as url, open_catalog(url) as catalog:
        runs = tuple(linked.values())
        parts = [lookup_part(run) for run in runs]
        publish(catalog, runs[0].con, release_tables(runs), now=PUBLISHED, manifest={}, models={}, lookup=parts)
        with open_catalog(published.path, read_only=True) as source:
            for table in ("api_token", "redirect"):
                columns = source.connection.columns(table)
                rows = source.execute(f"select {', '.join(columns)} from {table}").fetchall()
                catalog.execute(f"delete from {table}") if table == "api_token" else None
                catalog.insert(table, columns, rows)
        catalog.close()
        yield url


@pytest.fixture
def served(place: DatabaseUrl, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(Service(place, tmp_path), raise_server_exceptions=False) as client:
        yield client


def test_both_stores_give_the_same_answers(
    served: TestClient, client: TestClient, bearer: Bearer, published: Any
) -> None:
    firm, person = published.firm, published.person
    questions: list[dict[str, Any]] = [
        {"entity_type": "legal_person", "identifiers": [{"scheme": "uscc", "value": firm.values["uscc"]}]},
        {"entity_type": "legal_person", "name": firm.values["name"], "address": firm.values["address"]},
        {"entity_type": "natural_person", "name": person.values["name"], "birth_date": person.values["birth_date"]},
        {"entity_type": "natural_person", "name": person.values["name"], "phone": person.values["phone"]},
        {"entity_type": "natural_person", "identifiers": [{"scheme": "resident_id", "value": "440306199001011233"}]},
    ]
    for purpose in (None, "test"):
        headers = bearer("auditor", purpose)
        for question in questions:
            answers = [one.post("/v1/resolve", json=question, headers=headers) for one in (served, client)]
            assert answers[0].status_code == answers[1].status_code == 200
            assert answers[0].json() == answers[1].json()
        for entity in (firm.entity_id, person.entity_id):
            for part in ("", "/records", "/history", "/relations"):
                found = [one.get(f"/v1/entities/{entity}{part}", headers=headers) for one in (served, client)]
                assert found[0].json() == found[1].json()


def test_a_look_at_a_person_comes_into_the_access_log(
    served: TestClient, place: DatabaseUrl, bearer: Bearer, published: Any
) -> None:
    headers = bearer("auditor", "test")
    assert served.get(f"/v1/entities/{published.person.entity_id}", headers=headers).status_code == 200

    def logged() -> bool:
        with open_catalog(place, read_only=True) as catalog:
            return (
                catalog.row("select 1 from access_log where entity_id = ? limit 1", (published.person.entity_id,))
                is not None
            )

    wait_until(logged)


def test_while_the_server_is_away_answers_are_503_and_it_may_come_back(
    served: TestClient, postgresql_server: Server, bearer: Bearer, published: Any
) -> None:
    path = f"/v1/entities/{published.firm.entity_id}"
    assert served.get(path, headers=bearer("platform")).status_code == 200
    postgresql_server.control("stop")
    try:
        for _ in range(2):
            answer = served.get(path, headers=bearer("platform"))
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "unavailable"
            assert "postgresql" not in answer.text
        assert served.get("/readyz").status_code == 503
        assert served.get("/healthz").status_code == 200
    finally:
        postgresql_server.control("start")
    assert served.get(path, headers=bearer("platform")).status_code == 200
