"""A connection for each test of the relations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from duckdb import DuckDBPyConnection

from linkage.database import connect
from linkage.relations import representatives as _representatives  # noqa: F401  (registers similarities)


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with connect(threads=1) as opened:
        yield opened
