"""How an entity came to be: its chapters add up to what every release held, through merges, splits and rollbacks."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog.publish import ReleaseTables, publish
from golden_records.catalog.read import PreviousTables, as_of, previous_membership
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.history import Link, Stay, entity_history, record_history, stays_of
from golden_records.ledger import LedgerTables, assign

NOW = datetime(2026, 2, 1, tzinfo=UTC)
# Record → its cluster; an int instead of a dictionary goes back to that release.
Clusters = dict[str, str]


def release(catalog: Catalog, con: DuckDBPyConnection, clusters: Clusters, basis: str = "identifier") -> int:
    """Do what a monthly run does with its clusters."""
    state = previous_membership(catalog, con, kind="LP", out=PreviousTables("previous", "entities"))
    con.execute("create or replace table clusters (record_id varchar, cluster_id varchar, anchor varchar)")
    for record, cluster in clusters.items():
        con.execute("insert into clusters values (?, ?, null)", [f"s:{record}", cluster])
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
        f"'{basis}' as link_basis, 0.5 as probability from membership"
    )
    tables = ReleaseTables(
        ("golden",), record_link=("link",), entities=("after",), event=("event",), redirect=("redirect",)
    )
    return publish(catalog, con, tables, now=NOW, manifest={})


def home(catalog: Catalog, record: str, number: int | None = None) -> str:
    return {row["source_record_id"]: str(row["entity_id"]) for row in as_of(catalog, "record_link", number)}[record]


def test_a_merge_names_the_id_absorbed_and_where_each_record_came_from(
    catalog: Catalog, con: DuckDBPyConnection
) -> None:
    release(catalog, con, {"a": "x", "b": "y"})
    release(catalog, con, {"a": "x", "b": "x"})
    first, second = home(catalog, "a", 1), home(catalog, "b", 1)
    history = entity_history(catalog, first)
    assert history is not None
    assert (history.minted, [f.entity_id for f in history.former]) == (1, [second])
    assert (history.former[0].since, history.former[0].minted) == (2, 1)
    created, merged = history.chapters
    assert [(m.record_id, m.other, m.known) for m in created.came] == [("s:a", None, False)]
    assert [(m.record_id, m.other, m.known) for m in merged.came] == [("s:b", second, True)]
    assert {h.event for h in merged.happenings} >= {"merged"}
    assert (created.records, merged.records) == (1, 2)
    absorbed = entity_history(catalog, second)
    assert absorbed is not None
    assert (absorbed.resolution.state, absorbed.resolution.entity_id) == ("redirected", first)
    assert [(m.record_id, m.other) for m in absorbed.chapters[-1].went] == [("s:b", first)]
    assert (absorbed.records, absorbed.chapters[-1].records) == ((), 0)


def test_a_split_tells_where_the_records_went_and_the_new_id_where_they_came_from(
    catalog: Catalog, con: DuckDBPyConnection
) -> None:
    release(catalog, con, {"a": "x", "b": "x", "c": "x"})
    release(catalog, con, {"a": "x", "b": "x", "c": "y"})
    old, new = home(catalog, "a"), home(catalog, "c")
    history, made = entity_history(catalog, old), entity_history(catalog, new)
    assert history is not None
    assert made is not None
    assert [(m.record_id, m.other) for m in history.chapters[-1].went] == [("s:c", new)]
    assert [(m.record_id, m.other) for m in made.chapters[0].came] == [("s:c", old)]
    assert made.minted == 2


def test_a_retired_id_says_when_its_last_record_was_gone(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x", "b": "y"})
    release(catalog, con, {"a": "x"})
    history = entity_history(catalog, home(catalog, "b", 1))
    assert history is not None
    assert history.resolution.state == "retired"
    assert [(m.record_id, m.other) for m in history.chapters[-1].went] == [("s:b", None)]
    assert [h.event for h in history.chapters[-1].happenings] == ["retired"]


def test_a_record_that_comes_back_is_not_called_new(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x", "b": "x"})
    release(catalog, con, {"a": "x"})
    release(catalog, con, {"a": "x", "b": "x"})
    history = entity_history(catalog, home(catalog, "a"))
    assert history is not None
    assert [(m.record_id, m.known, m.other) for m in history.chapters[-1].came] == [("s:b", True, None)]
    record = record_history(catalog, "s:b")
    assert record is not None
    assert [(stay.since, stay.until) for stay in record.stays] == [(1, 2), (3, None)]


def test_another_basis_is_told_and_does_not_end_the_stay(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x"}, basis="attribute")
    release(catalog, con, {"a": "x"}, basis="identifier")
    history = entity_history(catalog, home(catalog, "a"))
    assert history is not None
    assert [link.basis for link in history.records[0].links] == ["attribute", "identifier"]
    assert [(m.record_id, m.basis) for m in history.chapters[-1].rebased] == [("s:a", "identifier")]
    assert (history.chapters[-1].came, history.chapters[-1].records) == ((), 1)


def test_a_merge_that_was_rolled_back_leaves_no_former_id(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x", "b": "y"})
    release(catalog, con, {"a": "x", "b": "x"})
    rollback(catalog, 1, now=NOW)
    history = entity_history(catalog, home(catalog, "a"))
    other = entity_history(catalog, home(catalog, "b"))
    assert history is not None
    assert other is not None
    assert (history.former, other.resolution.state) == ((), "living")
    assert [c.cause for c in history.chapters] == ["load", "load", "rollback"]
    assert [(m.record_id, m.other) for m in history.chapters[-1].went] == [("s:b", home(catalog, "b"))]


@pytest.mark.parametrize("unknown", ["", ":", "s", "s:nobody", "nobody:a", "\udc80:x", "s:" + "x" * 10_000])
def test_a_record_that_no_release_has_gives_nothing(unknown: str, catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x"})
    assert record_history(catalog, unknown) is None


def test_an_id_that_was_never_published_gives_nothing(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a": "x"})
    assert entity_history(catalog, "LP000ZZZZZZ0") is None
    assert entity_history(catalog, "rubbish") is None


def test_a_record_key_may_hold_colons(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release(catalog, con, {"a:b:c": "x"})
    found = record_history(catalog, "s:a:b:c")
    assert found is not None
    assert found.now is not None
    assert found.now.entity_id == home(catalog, "a:b:c")


def test_rows_that_touch_and_name_one_entity_are_one_stay() -> None:
    rows = [("s", "a", "E", "attribute", 0.5, 1, 2), ("s", "a", "E", "identifier", 0.5, 2, None)]
    links = (Link(1, "attribute", 0.5), Link(2, "identifier", 0.5))
    assert stays_of(rows) == stays_of(rows[::-1]) == (Stay("s:a", "E", 1, None, links),)


MONTHS = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from("xyz"), min_size=1),
        st.integers(min_value=1, max_value=3),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(MONTHS)
def test_chapters_add_up_to_the_records_of_every_release(months: list[Clusters | int]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_catalog(Path(folder) / "catalog.db") as catalog,
        duckdb.connect(config={"python_enable_replacements": False}) as con,
    ):
        made = 0
        for month in months:
            if isinstance(month, dict):
                made = release(catalog, con, month)
            elif month < made:
                made = rollback(catalog, month, now=NOW)
        held = {
            r: {f"s:{x['source_record_id']}": x["entity_id"] for x in as_of(catalog, "record_link", r)}
            for r in range(1, made + 1)
        }
        for entity_id in sorted({e for homes in held.values() for e in homes.values()}):
            history = entity_history(catalog, entity_id)
            assert history is not None
            chapters = {chapter.release: chapter for chapter in history.chapters}
            now: set[str] = set()
            for r in range(1, made + 1):
                if r in chapters:
                    now |= {m.record_id for m in chapters[r].came}
                    now -= {m.record_id for m in chapters[r].went}
                    assert chapters[r].records == len(now)
                    assert all(m.other == held[r].get(m.record_id) for m in chapters[r].went)
                    assert all(m.other == held.get(r - 1, {}).get(m.record_id) for m in chapters[r].came)
                assert now == {record for record, home_id in held[r].items() if home_id == entity_id}
            assert {stay.record_id for stay in history.records} == now
        for record in sorted({record for homes in held.values() for record in homes}):
            found = record_history(catalog, record)
            assert found is not None
            told = {r: s.entity_id for s in found.stays for r in range(s.since, s.until or made + 1)}
            assert told == {r: held[r][record] for r in held if record in held[r]}
