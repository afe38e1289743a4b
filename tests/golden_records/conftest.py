"""A small catalog and the means to publish a state given as plain Python rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from golden_records.catalog.place import Place
from golden_records.catalog.publish import ReleaseTables, publish
from golden_records.catalog.schema import TABLES
from golden_records.catalog.store import Catalog, open_catalog

# Catalog table → rows, each a mapping from column to value. `entities` and `redirect` are the ledger's tables.
State = Mapping[str, Sequence[Mapping[str, Any]]]
Publish = Callable[..., int]

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)

_COLUMNS = {table.name: {column.name: column.type for column in table.columns} for table in TABLES}
_COLUMNS["entities"] = {"entity_id": "text", "anchor": "text"}
_COLUMNS["redirect"] = {"old_id": "text", "entity_id": "text"}
_COLUMNS["legal_person"] = {k: t for k, t in _COLUMNS["legal_person"].items() if k != "anchor"}
_COLUMNS["natural_person"] = {
    k: t for k, t in _COLUMNS["natural_person"].items() if k != "anchor" and not k.endswith("_code")
}


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        yield connection


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog of either kind of store."""
    place: Place = tmp_path / "catalog.db"
    if request.param == "postgresql":
        place = request.getfixturevalue("database")
    with open_catalog(place) as opened:
        yield opened


@pytest.fixture
def release_of(con: DuckDBPyConnection) -> Callable[[State], ReleaseTables]:
    """Put a state into DuckDB and name its tables."""

    def make(state: State) -> ReleaseTables:
        for table, rows in state.items():
            columns = _COLUMNS[table]
            declared = ", ".join(f'"{name}" {type.replace("text", "varchar")}' for name, type in columns.items())
            con.execute(f'create or replace table "in_{table}" ({declared})')
            if rows:
                one = f"({', '.join('?' * len(columns))})"
                values = [row.get(name) for row in rows for name in columns]
                con.execute(f'insert into "in_{table}" values {", ".join([one] * len(rows))}', values)
        return ReleaseTables(**{table: (f"in_{table}",) for table in state})

    return make


@pytest.fixture
def publish_state(
    catalog: Catalog, con: DuckDBPyConnection, release_of: Callable[[State], ReleaseTables]
) -> Callable[..., int]:
    """Publish a state into the catalog and return the release's number."""

    def run(state: State, **options: Any) -> int:
        return publish(catalog, con, release_of(state), **{"now": NOW, "manifest": {}, **options})

    return run
