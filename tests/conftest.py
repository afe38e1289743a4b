"""What tests of several packages share: a PostgreSQL server, one for each process of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from postgresql_server import NoServerError, Server, running_server

from golden_records.catalog.place import DatabaseUrl


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A running server; tests that need one are skipped where none can be started."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoServerError as error:
            pytest.skip(f"no PostgreSQL server can be started here: {error}")
        yield server


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{number}" for number in count(1))


@pytest.fixture
def make_database(postgresql_server: Server, database_names: Iterator[str]) -> Iterator[Callable[..., DatabaseUrl]]:
    """Make databases, each with a catalog's tables unless another template is named."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(postgresql_server.database(next(database_names), **options))


@pytest.fixture
def database(make_database: Callable[..., DatabaseUrl]) -> DatabaseUrl:
    """A database with the tables of an empty catalog."""
    return make_database()
