"""Going back to an earlier release: a new release with the old state, and ids that still lead somewhere."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.read import (
    PreviousTables,
    as_of,
    entity,
    history_of,
    previous_membership,
    releases,
    resolve_id,
)
from golden_records.catalog.rollback import rollback
from golden_records.catalog.schema import VERSIONED
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import is_valid
from golden_records.errors import CatalogError
from golden_records.ledger import LedgerTables, assign

NOW = datetime(2026, 2, 1, tzinfo=UTC)
Clusters = dict[str, tuple[str, str | None]]


def run(catalog: Catalog, con: DuckDBPyConnection, clusters: Clusters) -> int:
    """Do what a monthly run does with its clusters: continue from the catalog, assign ids, publish."""
    state = previous_membership(catalog, con, kind="LP", out=PreviousTables("previous", "entities"))
    con.execute("create or replace table clusters (record_id varchar, cluster_id varchar, anchor varchar)")
    for record, (cluster, anchor) in clusters.items():
        con.execute("insert into clusters values (?, ?, ?)", [f"s:{record}", cluster, anchor])
    assign(
        con,
        clusters="clusters",
        previous="previous",
        entities="entities",
        out=LedgerTables("membership", "event", "redirect", "after"),
        kind="LP",
        next_sequence=state.next_sequence,
        cause="load",
        release=state.release + 1,
        as_of="2026-01-31",
    )
    con.execute("create or replace table golden as select distinct entity_id from membership")
    con.execute(
        "create or replace table link as select 's' as source, record_id[3:] as source_record_id, entity_id, "
        "'identifier' as link_basis from membership"
    )
    tables = ReleaseTables(
        ("golden",), record_link=("link",), entities=("after",), event=("event",), redirect=("redirect",)
    )
    return publish(catalog, con, tables, now=NOW, manifest={})


def members(catalog: Catalog, release: int | None = None) -> dict[str, str]:
    return {row["source_record_id"]: row["entity_id"] for row in as_of(catalog, "record_link", release)}


def everything(catalog: Catalog, release: int) -> dict[str, list[object]]:
    return {table.name: list(as_of(catalog, table.name, release)) for table in VERSIONED}


SPLIT: Clusters = {"a": ("1", None), "b": ("1", None), "c": ("2", None)}
MERGED: Clusters = {"a": ("1", None), "b": ("1", None), "c": ("1", None), "d": ("9", "X")}


def test_a_rollback_is_a_new_release_with_the_old_state(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, SPLIT)
    run(catalog, con, MERGED)
    first, second = everything(catalog, 1), everything(catalog, 2)
    assert rollback(catalog, 1, now=NOW) == 3
    assert everything(catalog, 3) == first
    assert everything(catalog, 2) == second
    assert everything(catalog, 1) == first
    one, _, three = releases(catalog)
    assert (three["kind"], three["restores"], three["content_hash"]) == ("rollback", 1, one["content_hash"])
    assert three["counts"]["tables"]["record_link"]["rows"] == 3


def test_ids_merged_since_then_live_again_and_newer_ones_end(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, SPLIT)
    old = members(catalog)
    run(catalog, con, MERGED)
    newer = members(catalog)["d"]
    merged = resolve_id(catalog, old["c"])
    assert merged is not None
    assert (merged.entity_id, merged.state) == (old["a"], "redirected")
    rollback(catalog, 1, now=NOW)
    again = resolve_id(catalog, old["c"])
    assert again is not None
    assert again.state == "living"
    ended = resolve_id(catalog, newer)
    assert ended is not None
    assert ended.state == "retired"
    assert [row["event"] for row in history_of(catalog, newer)] == ["created", "retired"]
    then = resolve_id(catalog, old["c"], release=2)
    assert then is not None
    assert then.state == "redirected"


def test_an_id_that_ends_redirects_to_where_its_records_are(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, {"a": ("1", None), "b": ("1", None), "c": ("1", None)})
    run(catalog, con, {"a": ("1", None), "b": ("1", None), "c": ("2", None)})
    parts = members(catalog)
    rollback(catalog, 1, now=NOW)
    found = entity(catalog, parts["c"])
    assert found is not None
    assert found.resolution.entity_id == parts["a"]


def test_an_id_that_had_been_merged_by_then_leads_where_it_led_then(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, {"a": ("1", None), "b": ("2", None), "c": ("3", None)})
    first = members(catalog)
    run(catalog, con, {"a": ("1", None), "b": ("2", None), "c": ("2", None)})
    run(catalog, con, {"a": ("1", None), "b": ("1", None), "c": ("1", None)})
    assert _leads_to(catalog, first["c"]) == first["a"]
    rollback(catalog, 2, now=NOW)
    assert _leads_to(catalog, first["c"]) == first["b"]
    assert _leads_to(catalog, first["b"]) == first["b"]


def test_what_had_vanished_by_then_stays_away(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, SPLIT)
    run(catalog, con, {"a": ("1", None)})
    run(catalog, con, MERGED)
    rollback(catalog, 2, now=NOW)
    assert set(members(catalog)) == {"a"}


def _leads_to(catalog: Catalog, identifier: str) -> str:
    found = resolve_id(catalog, identifier)
    assert found is not None
    return found.entity_id


def test_the_next_run_after_a_rollback_reuses_no_id_and_finds_anchored_ones_again(
    catalog: Catalog, con: DuckDBPyConnection
) -> None:
    run(catalog, con, SPLIT)
    run(catalog, con, MERGED | {"e": ("8", None)})
    second = members(catalog)
    rollback(catalog, 1, now=NOW)
    run(catalog, con, MERGED | {"e": ("8", None)})
    assert members(catalog)["d"] == second["d"]
    assert members(catalog)["e"] not in set(second.values())


@pytest.mark.parametrize("target", [0, -1, 2, 3])
def test_one_can_only_go_back_to_an_earlier_release(catalog: Catalog, con: DuckDBPyConnection, target: int) -> None:
    run(catalog, con, SPLIT)
    run(catalog, con, SPLIT)
    with pytest.raises(CatalogError, match="earlier releases: 1 to 1"):
        rollback(catalog, target, now=NOW)
    assert current_release(catalog) == 2


cells = st.tuples(st.sampled_from("123"), st.sampled_from([None, "X", "Y"]))
clusterings = st.dictionaries(st.sampled_from("abcdef"), cells, max_size=6)
steps = st.lists(st.one_of(clusterings, clusterings, st.integers(1, 4)), min_size=3, max_size=5)


@settings(max_examples=8, deadline=None)
@given(steps)
def test_every_id_ever_published_resolves_whatever_happens(steps: list[Clusters | int]) -> None:
    with (
        duckdb.connect() as con,
        tempfile.TemporaryDirectory() as folder,
        open_catalog(Path(folder) / "c.db") as catalog,
    ):
        published: set[str] = set()
        states: dict[int, dict[str, list[object]]] = {}
        for step in steps:
            if isinstance(step, dict):
                release = run(catalog, con, step)
            elif step < current_release(catalog):
                release = rollback(catalog, step, now=NOW)
                assert everything(catalog, release) == states[step]
            else:
                continue
            states[release] = everything(catalog, release)
            living = set(members(catalog).values())
            published |= living
            for old in published:
                leads_to = resolve_id(catalog, old)
                assert leads_to is not None
                assert is_valid(leads_to.entity_id)
                assert (leads_to.entity_id in living) == (leads_to.state != "retired")
        for release, state in states.items():
            assert everything(catalog, release) == state


def test_resolving_is_forgiving_and_knows_what_was_never_published(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, SPLIT)
    identifier = members(catalog)["a"]
    found = resolve_id(catalog, f" {identifier[:2].lower()}-{identifier[2:]} ")
    assert found is not None
    assert found.entity_id == identifier
    for unknown in (None, "", "🙂", "x" * 10_000, "\ud800", "LP\x00", "LP0000000ZZZ", "NP0000000011"):
        assert resolve_id(catalog, unknown) is None
        assert entity(catalog, unknown) is None


def test_reading_a_release_that_does_not_exist_says_which_do(catalog: Catalog, con: DuckDBPyConnection) -> None:
    run(catalog, con, SPLIT)
    for release in (0, 2, -5):
        with pytest.raises(CatalogError, match="releases 1 to 1"):
            as_of(catalog, "name", release)
    with pytest.raises(CatalogError, match="not a versioned table"):
        as_of(catalog, "access_log")
