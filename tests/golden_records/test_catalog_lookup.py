"""The lookup tables follow their release by what differs, and end up as if they were written anew."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden_records.catalog import publish as publishing
from golden_records.catalog import sqlite_staging
from golden_records.catalog.lookup import LookupPart
from golden_records.catalog.lookup_profiles import entity_of, read_profile_ids
from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import mint
from golden_records.errors import CatalogError

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
FIRM = mint("LP", 1)
E1, E2 = mint("LP", 1), mint("LP", 2)
# profile id → (entity ids, content); the keys of a profile are the characters of its content.
Profiles = dict[int, tuple[str, str]]


@pytest.fixture(params=[20_000, 0], ids=["few", "staged"], autouse=True)
def _few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_staging, "_FEW_ROWS", request.param)


def make_keys(con: DuckDBPyConnection, contents: str, out: str) -> None:
    con.execute(
        f"create or replace temp table {out} as "
        "select distinct ascii(c)::bigint as key, 0::bigint as refine, profile_id "
        f"from (select profile_id, unnest(string_split(content, '')) as c from {contents}) where c <> ''"
    )


def part(
    con: DuckDBPyConnection, profiles: Profiles, *, made_by: str = "rules", values: Sequence[str] = ("a",)
) -> LookupPart:
    columns = "profile_id bigint, entities bigint, entity_ids varchar, content varchar"
    con.execute(f"create or replace table lookup ({columns})")
    rows = [(i, len(ids.split()), ids, content) for i, (ids, content) in profiles.items()]
    if rows:
        con.executemany("insert into lookup values (?, ?, ?, ?)", rows)
    con.execute("create or replace table counted (field varchar, value varchar, frequency double)")
    con.executemany("insert into counted values ('name', ?, 0.5)", [[value] for value in values])
    return LookupPart("legal_person", "lookup", "counted", "{}", "{}", made_by, "-".join(values), make_keys)


def tables(con: DuckDBPyConnection) -> ReleaseTables:
    con.execute(f"create or replace table firm as select '{FIRM}' as entity_id, '甲' as name, 1 as records")
    return ReleaseTables(legal_person=("firm",))


def held(catalog: Catalog) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: catalog.execute(f"select * from lookup_{table} order by 1, 2").fetchall()
        for table in ("entity", "bucket", "frequency", "model")
    }


def profiles(catalog: Catalog) -> dict[str, list[int]]:
    rows = catalog.execute("select number, profile_ids from lookup_entity order by number")
    return {entity_of(number): read_profile_ids(ids) for number, ids in rows}


CONTENT = dict(enumerate(["", "a", "b", "ab", "abc", "c", "cc"]))
STATE = st.dictionaries(st.sampled_from(sorted(CONTENT)), st.sampled_from([E1, E2, f"{E1} {E2}"]), max_size=7)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.tuples(STATE, st.sampled_from("rs"), st.sampled_from("ab")), min_size=2, max_size=4))
def test_following_by_what_differs_is_writing_anew(states: list[tuple[dict[int, str], str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        with open_catalog(Path(folder) / "follows.db") as catalog:
            for state, made_by, value in states:
                profiles = {i: (ids, CONTENT[i]) for i, ids in state.items()}
                lookup = [part(con, profiles, made_by=made_by, values=(value,))]
                publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=lookup)
            followed = held(catalog)
        with open_catalog(Path(folder) / "anew.db") as catalog:
            publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=lookup)
            assert held(catalog) == followed


def test_only_profiles_that_differ_are_written(
    catalog: Catalog, con: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_staging, "_FEW_ROWS", 20_000)
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[part(con, {1: (E1, "a"), 2: (E1, "b")})])
    written: list[tuple[str, int]] = []

    def counted(run: Callable[..., None]) -> Callable[..., None]:
        def write(table: str, rows: pa.RecordBatchReader) -> None:
            whole = rows.read_all()
            written.append((table, whole.num_rows))
            run(table, whole.to_reader())

        return write

    monkeypatch.setattr(catalog.connection, "insert", counted(catalog.connection.insert))
    monkeypatch.setattr(catalog.connection, "delete", counted(catalog.connection.delete))
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[part(con, {1: (E1, "a"), 2: (E2, "b")})])
    assert profiles(catalog) == {E1: [1], E2: [2]}
    assert [(table, rows) for table, rows in written if table.startswith("lookup") and rows] == [
        ("lookup_entity", 1),  # E1 without 2 in place of E1
        ("lookup_bucket", 1),
        ("lookup_entity", 2),
        ("lookup_bucket", 1),
    ]


def test_a_release_without_lookup_and_a_rollback_end_it(catalog: Catalog, con: DuckDBPyConnection) -> None:
    lookup = [part(con, {1: (E1, "a")})]
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=lookup)
    publish(catalog, con, tables(con), now=NOW, manifest={})
    assert held(catalog)["model"] == []
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=lookup)
    whole = held(catalog)
    assert len(whole["model"]) == len(whole["entity"]) == 1
    rollback(catalog, 1, now=NOW)
    assert held(catalog)["model"] == []
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=lookup)
    assert held(catalog) == whole


def test_a_publish_that_fails_leaves_the_lookup_of_the_last_release(catalog: Catalog, con: DuckDBPyConnection) -> None:
    publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[part(con, {1: (E1, "a")})])
    before = held(catalog)
    broken = replace(part(con, {2: (E2, "b")}), frequencies="absent", frequencies_hash="other")
    with pytest.raises(duckdb.Error):
        publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[broken])
    assert held(catalog) == before


def test_a_first_release_whose_lookup_fails_is_none(catalog: Catalog, con: DuckDBPyConnection) -> None:
    good = part(con, {1: (E1, "a")})
    with pytest.raises(duckdb.Error, match="absent"):
        publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[replace(good, profiles="absent")])
    with pytest.raises(duckdb.Error, match="missing"):
        publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[replace(good, frequencies="missing")])
    assert current_release(catalog) == 0
    assert set(map(tuple, held(catalog).values())) == {()}
    assert publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[good]) == 1
    assert profiles(catalog) == {E1: [1]}


def test_a_first_release_that_fails_does_not_wait_for_its_lookup(
    catalog: Catalog, con: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(catalog.place, Path):
        pytest.skip("PostgreSQL is written to after the lookup was staged")
    began, ended = threading.Event(), []

    def make_keys_slowly(con: DuckDBPyConnection, contents: str, out: str) -> None:
        began.set()
        try:
            con.execute("select count(*) from range(10_000_000_000) t(i) where i % 7 = 3").fetchall()
        except duckdb.InterruptException:
            ended.append("interrupted")
            raise

    def refused(*_: object, **__: object) -> None:
        began.wait(60)
        time.sleep(0.5)  # until the query runs
        raise CatalogError("the disk is full")

    lookup = replace(part(con, {1: (E1, "a")}), make_keys=make_keys_slowly)
    monkeypatch.setattr(publishing, "insert_release", refused)
    with pytest.raises(CatalogError, match="the disk is full"):
        publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[lookup])
    monkeypatch.undo()
    assert ended == ["interrupted"]
    assert publish(catalog, con, tables(con), now=NOW, manifest={}, lookup=[part(con, {1: (E1, "a")})]) == 1
