"""The service over the simulated records: a catalog with lookup tables, a token per role, a client."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from service_store import NOW, OLD_FIRM, OLD_PERSON, RETIRED, Store, subject
from small_district import NOW as PUBLISHED
from starlette.testclient import TestClient

from golden_records.catalog.publish import publish
from golden_records.catalog.store import open_catalog
from linkage.access.roles import ROLES
from linkage.access.settings import ServiceSettings
from linkage.access.tokens import create_token
from linkage.entities import release_tables
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import Linkage
from linkage.service.app import Service


@pytest.fixture(scope="session")
def published(linked: dict[str, Linkage], tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Never changed: work on a copy."""
    path = tmp_path_factory.mktemp("service") / "catalog.sqlite"
    with open_catalog(path) as catalog:
        runs = tuple(linked.values())
        parts = [lookup_part(run) for run in runs]
        publish(catalog, runs[0].con, release_tables(runs), now=PUBLISHED, manifest={}, models={}, lookup=parts)
        tokens = {}
        for role in ROLES:
            tokens[role], _ = create_token(
                catalog,
                role=role,
                owner=f"owner of {role}",
                organization="信用办",
                last_day=date(2999, 12, 31),
                now=NOW,
            )
    person = subject(path, "natural_person", "name", "id_number", "phone", "address", "birth_date")
    firm = subject(path, "legal_person", "name", "uscc", "address", "legal_rep_name", "legal_rep_id_number", "phone")
    with open_catalog(path) as catalog:
        redirects = [(OLD_PERSON, person.entity_id), (OLD_FIRM, firm.entity_id), (RETIRED, None)]
        for old, new in redirects:
            catalog.execute("insert into redirect (old_id, release, entity_id) values (?, 1, ?)", (old, new))
    return Store(path, tokens, person, firm)


@pytest.fixture
def store(published: Store, tmp_path: Path) -> Store:
    """A store of one test's own."""
    path = tmp_path / "catalog.sqlite"
    # Not a copy of the file: what was written last may still be in the write-ahead log.
    with closing(sqlite3.connect(published.path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        target.execute("pragma journal_mode = wal")
    return Store(path, published.tokens, published.person, published.firm)


@pytest.fixture
def serve(store: Store) -> Iterator[Callable[..., TestClient]]:
    """Open the service with settings, time and clock of the test's own."""
    opened: list[TestClient] = []

    def start(settings: ServiceSettings | None = None, **options: Any) -> TestClient:
        service = Service(store.path, store.path.parent, settings, **{"now": lambda: NOW, **options})
        client = TestClient(service, raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve()


@pytest.fixture
def bearer(store: Store) -> Callable[..., dict[str, str]]:
    """Headers of a role, with a purpose if one is given (percent-encoded)."""

    def headers(role: str, purpose: str | None = None) -> dict[str, str]:
        stated = {} if purpose is None else {"x-guiyi-purpose": purpose}
        return {"authorization": f"Bearer {store.tokens[role]}", **stated}

    return headers
