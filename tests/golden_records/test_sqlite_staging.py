"""Rows staged in a file beside the catalog become the rows that SQLite would have been given one by one."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog import publish as publishing
from golden_records.catalog import sqlite_staging
from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.schema import PHONE, RECORD_LINK, VERSIONED
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import mint
from golden_records.errors import CatalogError

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
WEIGHT = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CASES = st.lists(st.tuples(TEXT, WEIGHT, TEXT), min_size=1, max_size=30)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Catalog]:
    with open_catalog(tmp_path / "catalog.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True, params=["one thread", "largest table apart"])
def _every_row_is_staged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_staging, "_FEW_ROWS", 0)
    if request.param == "largest table apart":
        monkeypatch.setattr(publishing, "_MANY_ROWS", 1)


def links(con: DuckDBPyConnection, records: int, *, entity: int = 1) -> ReleaseTables:
    con.execute(
        f"create or replace table firm as select '{mint('LP', entity)}' as entity_id, '甲' as name, 1 as records"
    )
    con.execute(
        "create or replace table link as select 's' as source, i::varchar as source_record_id, "
        f"'{mint('LP', entity)}' as entity_id, 'identifier' as link_basis, 0.1 + 0.2 as probability "
        f"from range({records}) t(i)"
    )
    return ReleaseTables(legal_person=("firm",), record_link=("link",))


def content(catalog: Catalog) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: catalog.execute(f'select * from "{name}" order by 1, 2').fetchall()
        for table in VERSIONED
        for name in (table.name, table.history)
    }


def left_behind(catalog: Catalog) -> list[str]:
    assert isinstance(catalog.place, Path)
    return sorted(path.name for path in catalog.place.parent.iterdir() if "staged" in path.name)


@settings(max_examples=20, deadline=None)
@given(months=st.lists(CASES, min_size=1, max_size=3))
def test_staged_rows_are_the_rows_that_are_inserted_one_by_one(months: list[Any]) -> None:
    stores = []
    for few in (0, 1_000_000):
        with (
            pytest.MonkeyPatch.context() as patch,
            tempfile.TemporaryDirectory() as folder,
            duckdb.connect() as con,
            open_catalog(Path(folder) / "catalog.sqlite") as catalog,
        ):
            patch.setattr(sqlite_staging, "_FEW_ROWS", few)
            for cases in months:
                con.execute(
                    "create or replace table review (case_id varchar, entity_type varchar, kind varchar, rule varchar, "
                    "match_weight double, detail varchar)"
                )
                rows = [(f"RC-{i}", "legal_person", "review", *case) for i, case in enumerate(cases)]
                con.executemany("insert into review values (?, ?, ?, ?, ?, ?)", rows)
                released = ReleaseTables(**{**vars(links(con, 5)), "review_case": ("review",)})
                publish(catalog, con, released, now=NOW, manifest={})
            hashes = catalog.execute("select content_hash from release order by release_id").fetchall()
            stores.append((content(catalog), hashes))
            assert not left_behind(catalog)
            assert not catalog.connection.is_damaged()
    assert stores[0] == stores[1]


def test_a_table_that_is_empty_gets_its_indexes_with_its_rows(store: Catalog, con: DuckDBPyConnection) -> None:
    publish(store, con, links(con, 50), now=NOW, manifest={})
    (plan,) = store.execute("explain query plan select * from record_link where entity_id = 'LP'").fetchall()
    assert RECORD_LINK.indexes[0].name in plan[-1]
    publish(store, con, links(con, 80, entity=2), now=NOW, manifest={})
    assert store.row("select count(*) from record_link where entity_id = ?", (mint("LP", 2),)) == (80,)
    assert not store.connection.is_damaged()


def test_a_file_takes_no_room_once_all_of_it_is_copied(store: Catalog) -> None:
    schema = pa.schema([("entity_id", pa.string()), ("phone", pa.string()), ("since_release", pa.int64())])
    assert isinstance(store.place, Path)

    @contextmanager
    def rows() -> Iterator[pa.RecordBatchReader]:
        yield pa.RecordBatchReader.from_batches(schema, [pa.record_batch([["LP"], ["1"], [1]], schema=schema)])

    with store.connection.staging() as staging:
        add = staging.put(PHONE, rows)
        with staging.joined(), store.writing():
            (file,) = (store.place.parent / name for name in left_behind(store))
            assert file.stat().st_size > 0
            add()
            assert file.stat().st_size == 0
            store.execute("delete from lookup_model")
    assert store.execute("select entity_id, phone from phone").fetchall() == [("LP", "1")]


def test_two_rows_with_one_key_are_told_and_nothing_is_left(store: Catalog, con: DuckDBPyConnection) -> None:
    tables = links(con, 3)
    con.execute("insert into link select * from link")
    with pytest.raises(CatalogError, match="table record_link: two rows with the same source, source_record_id"):
        publish(store, con, tables, now=NOW, manifest={})
    assert current_release(store) == 0
    assert not any(content(store).values())
    assert not left_behind(store)
    assert publish(store, con, links(con, 3), now=NOW, manifest={}) == 1


def test_an_error_of_the_source_of_rows_is_its_own(store: Catalog) -> None:
    schema = pa.schema([("entity_id", pa.string()), ("phone", pa.string()), ("since_release", pa.int64())])

    @contextmanager
    def rows() -> Iterator[pa.RecordBatchReader]:
        def batches() -> Iterator[pa.RecordBatch]:
            for i in range(100):
                yield pa.record_batch([["LP"], [str(i)], [1]], schema=schema)
            raise KeyError("the source broke")

        yield pa.RecordBatchReader.from_batches(schema, batches())

    with store.connection.staging() as staging, pytest.raises(KeyError, match="the source broke"):
        staging.put(PHONE, rows)
    assert not left_behind(store)


def test_a_full_disk_is_told_in_words_that_the_command_knows(store: Catalog, con: DuckDBPyConnection) -> None:
    settings = (*sqlite_staging._SETTINGS, "max_page_count = 8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_staging, "_SETTINGS", settings)
        with pytest.raises(CatalogError, match="database or disk is full"):
            publish(store, con, links(con, 50_000), now=NOW, manifest={})
    assert current_release(store) == 0
    assert not left_behind(store)


_KILLED = textwrap.dedent(
    """
    import os, signal, sys, time
    from datetime import datetime, UTC
    from pathlib import Path
    import duckdb
    from golden_records.catalog import publish as publishing
    from golden_records.catalog.store import open_catalog

    def die(*arguments):
        while not any(Path(sys.argv[1]).parent.glob(".*.staged-*")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

    publishing.write_lookup = die if sys.argv[2] == "writing" else publishing.write_lookup
    publishing.stage_rows_of_lookup = die if sys.argv[2] == "staging" else publishing.stage_rows_of_lookup
    with duckdb.connect() as con, open_catalog(Path(sys.argv[1])) as catalog:
        con.execute("create table l as select 'LP' || lpad(i::varchar, 10, '0') as entity_id from range(50000) t(i)")
        publishing.publish(catalog, con, publishing.ReleaseTables(legal_person=("l",)),
                           now=datetime(2026, 3, 1, tzinfo=UTC), manifest={})
    """
)


@pytest.mark.parametrize("when", ["staging", "writing"])
@pytest.mark.parametrize("first", [True, False])
def test_a_publish_killed_with_rows_staged_leaves_the_old_release_and_the_next_one_cleans_up(
    store: Catalog, con: DuckDBPyConnection, when: str, first: bool
) -> None:
    if not first:
        publish(store, con, links(con, 3), now=NOW, manifest={})
    before = content(store), current_release(store)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(store.place), when], cwd=Path(__file__).parents[2], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert (content(store), current_release(store)) == before
    assert len(left_behind(store)) == 1
    assert publish(store, con, links(con, 5), now=NOW, manifest={}) == before[1] + 1
    assert not left_behind(store)
    assert not store.connection.is_damaged()


def test_the_file_of_a_running_publish_is_left_alone(store: Catalog, con: DuckDBPyConnection) -> None:
    assert isinstance(store.place, Path)
    running = store.place.with_name(f".{store.place.name}.staged-1-0")  # process 1 is always there
    running.touch()
    publish(store, con, links(con, 3), now=NOW, manifest={})
    assert left_behind(store) == [running.name]


def test_few_rows_need_no_file(store: Catalog, con: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_staging, "_FEW_ROWS", 20_000)
    monkeypatch.setattr(sqlite_staging, "_File", None)
    publish(store, con, links(con, 100), now=NOW, manifest={})
    assert store.row(f"select count(*) from {RECORD_LINK.name}") == (100,)
