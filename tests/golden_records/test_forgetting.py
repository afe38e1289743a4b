"""The ledger of tombstones, and what an erasure leaves of the past."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from postgresql_server import dump, tamper

from golden_records.catalog import dialect
from golden_records.catalog.erasure import Forgotten, erase
from golden_records.catalog.integrity import check_catalog
from golden_records.catalog.publish import ReleaseTables, publish
from golden_records.catalog.read import PreviousTables, as_of, previous_membership
from golden_records.catalog.rollback import rollback
from golden_records.catalog.schema import TABLES, UNALTERABLE
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.decisions import Person
from golden_records.entity_id import mint
from golden_records.errors import CatalogError
from golden_records.forgetting import (
    FORGOTTEN,
    LIFTED,
    ForgettingEvent,
    broken_events,
    forgetting_events,
    next_forgetting,
    record_event,
    refused_tokens,
    token,
)
from golden_records.ledger import LedgerTables, assign

NOW = datetime(2026, 2, 1, tzinfo=UTC)
KEY = b"k" * 32


def event(number: int, kind: str, *records: str) -> ForgettingEvent:
    tokens = tuple(token(KEY, record) for record in records)
    return ForgettingEvent(number, kind, NOW.isoformat(), Person("a", "r"), "other", len(records), 1, tokens, {})


def write(catalog: Catalog, *events: ForgettingEvent) -> None:
    with catalog.writing():
        for one in events:
            record_event(catalog, one, now=NOW)


def test_a_record_is_refused_until_that_is_lifted_and_again_after_another_forgetting(catalog: Catalog) -> None:
    write(catalog, event(1, FORGOTTEN, "p:1", "p:2"), event(1, LIFTED, "p:1"))
    assert refused_tokens(forgetting_events(catalog)) == {token(KEY, "p:2")}
    assert next_forgetting(catalog) == 2
    write(catalog, event(2, FORGOTTEN, "p:1"))
    assert refused_tokens(forgetting_events(catalog)) == {token(KEY, "p:1"), token(KEY, "p:2")}


def test_tokens_need_the_key_and_hold_no_record_id(catalog: Catalog) -> None:
    assert token(KEY, "p:1") != token(b"x" * 32, "p:1")
    write(catalog, event(1, FORGOTTEN, "police:RK000101249"))
    assert "RK000101249" not in dump(catalog)


def test_an_altered_or_missing_tombstone_breaks_the_chain(catalog: Catalog) -> None:
    write(catalog, event(1, FORGOTTEN, "p:1"), event(2, FORGOTTEN, "p:2"), event(3, FORGOTTEN, "p:3"))
    assert broken_events(catalog) == ()
    for statement in ("update forgetting set reason = 'x' where event_id = 2", "delete from forgetting"):
        with pytest.raises(dialect.ERRORS, match="never rewritten"):
            catalog.execute(statement)
    tamper(catalog, "update forgetting set records = 9 where event_id = 2")
    assert broken_events(catalog) == (2,)


def test_guards_are_back_after_a_block_without_them_and_after_one_that_failed(catalog: Catalog) -> None:
    def require_guards() -> None:
        for table in UNALTERABLE:
            with pytest.raises(dialect.ERRORS, match=f"{table} is never rewritten"), catalog.writing():
                catalog.execute(f'delete from "{table}"')

    with catalog.writing():
        for table in UNALTERABLE:
            _fill(catalog, table)
    require_guards()
    with catalog.writing(), catalog.connection.unguarded():
        for table in UNALTERABLE:
            catalog.execute(f'update "{table}" set {_first_column(table)} = {_first_column(table)}')
    require_guards()
    with pytest.raises(ZeroDivisionError), catalog.writing(), catalog.connection.unguarded():
        _ = 1 / 0
    require_guards()


def _first_column(table: str) -> str:
    return next(one.key[0] for one in TABLES if one.name == table)


def _fill(catalog: Catalog, table: str) -> None:
    columns = [c for one in TABLES if one.name == table for c in one.columns if c.required]
    values = [1 if column.type == "bigint" else "x" for column in columns]
    names, marks = ", ".join(column.name for column in columns), ", ".join("?" for _ in columns)
    catalog.execute(f'insert into "{table}" ({names}) values ({marks})', values)


# --- what an erasure leaves -------------------------------------------------------------------------------------------

# A month is record → (cluster, name, phone); values may be shared between records.
Month = dict[str, tuple[str, str, str]]


def release_month(catalog: Catalog, con: DuckDBPyConnection, month: Month) -> int:
    """Publish clusters with a golden name and phone of the smallest record, all phones, provenance and runners-up."""
    state = previous_membership(catalog, con, kind="NP", out=PreviousTables("previous", "entities"))
    con.execute("create or replace table said (record_id varchar, cluster_id varchar, name varchar, phone varchar)")
    for record, (cluster, name, phone) in month.items():
        con.execute("insert into said values (?, ?, ?, ?)", [f"s:{record}", cluster, name, phone])
    con.execute("create or replace table clusters as select record_id, cluster_id, null::varchar as anchor from said")
    assign(
        con,
        clusters="clusters",
        previous="previous",
        entities="entities",
        out=LedgerTables("membership", "event", "redirect", "after"),
        kind="NP",
        next_sequence=state.next_sequence,
        cause="load",
        release=state.release + 1,
        as_of="2026-01-31",
    )
    con.execute("create or replace table linked as select * from said join membership using (record_id)")
    con.execute("""
        create or replace table golden as
        select entity_id, arg_min(name, record_id) as name, arg_min(phone, record_id) as phone,
            count(*) as records, 1 as sources
        from linked group by entity_id""")
    con.execute("create or replace table phones as select distinct entity_id, phone from linked")
    con.execute("""
        create or replace table provenance as
        select entity_id, attribute, arg_min(value, record_id) as value, min(record_id) as record_id, 'only' as rule,
            case when count(*) > 1 then
                to_json(list({'value': value, 'record_id': record_id} order by record_id)[2:])::varchar
            end as runners_up
        from (unpivot (select entity_id, record_id, name, phone from linked) on name, phone
              into name attribute value value)
        group by entity_id, attribute""")
    con.execute("""
        create or replace table link as
        select 's' as source, record_id[3:] as source_record_id, entity_id, 'identifier' as link_basis from linked""")
    tables = ReleaseTables(
        natural_person=("golden",),
        phone=("phones",),
        provenance=("provenance",),
        record_link=("link",),
        entities=("after",),
        event=("event",),
        redirect=("redirect",),
    )
    return publish(catalog, con, tables, now=NOW, manifest={})


def past(catalog: Catalog, release: int) -> dict[str, Any]:
    return {name: as_of(catalog, name, release) for name in ("natural_person", "phone", "provenance", "record_link")}


MONTH = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.sampled_from("12"), st.sampled_from(["张一", "张二", "李三"]), st.sampled_from(["71", "72", "73"])),
    min_size=2,
)


# One record comes and another goes, and the golden row stays as it was.
@example(
    months=[
        {"a": ("2", "李三", "71"), "d": ("1", "张一", "71"), "e": ("1", "张一", "73")},
        {"f": ("2", "张一", "73"), "b": ("1", "张一", "71"), "d": ("1", "李三", "73")},
        {"d": ("1", "张一", "72"), "b": ("1", "张二", "73")},
    ],
    gone={"e"},
)
@settings(max_examples=8, deadline=None)
@given(months=st.lists(MONTH, min_size=1, max_size=3), gone=st.sets(st.sampled_from("abcdef"), min_size=1, max_size=2))
def test_what_is_left_of_the_past_is_a_past_without_the_forgotten(months: list[Month], gone: set[str]) -> None:
    last = {record: said for record, said in months[-1].items() if record not in gone} or {"z": ("9", "王五", "79")}
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect() as con,
        open_catalog(Path(folder, "c.db")) as catalog,
    ):
        for month in months:
            release_month(catalog, con, month)
        release_month(catalog, con, last)
        before = {n: past(catalog, n) for n in range(1, len(months) + 1)}
        said = {v for month in months for r, (_, *values) in month.items() if r in gone for v in values}
        kept = {v for month in [*months, last] for r, (_, *values) in month.items() if r not in gone for v in values}
        held = said - kept
        with catalog.writing(), catalog.connection.unguarded():
            erase(catalog, Forgotten([f"s:{record}" for record in gone], held))
            record_event(catalog, event(1, FORGOTTEN, *(f"s:{record}" for record in gone)), now=NOW)
        for number, old in before.items():
            new = past(catalog, number)
            links = [row for row in old["record_link"] if row["source_record_id"] not in gone]
            assert new["record_link"] == links
            sizes = {row["entity_id"]: row["records"] for row in new["natural_person"]}
            assert sizes == {e: sum(r["entity_id"] == e for r in links) for e in {r["entity_id"] for r in links}}
            assert not held & {row[c] for row in new["natural_person"] for c in ("name", "phone")}
            assert {row["entity_id"] for row in new["phone"]} <= sizes.keys()
            assert not {f"s:{record}" for record in gone} & {row["record_id"] for row in new["provenance"]}
        dumped = dump(catalog)
        assert not any(f"'{value}'" in dumped or f'"{value}"' in dumped for value in held)
        assert not any(f"s:{record}" in dumped for record in gone)
        rollback(catalog, 1, now=NOW)
        assert [c.name for c in check_catalog(catalog, con) if not c.holds] == []


def test_a_value_takes_its_code_with_it(catalog: Catalog, con: DuckDBPyConnection) -> None:
    person = mint("NP", 1)
    con.execute("create table person (entity_id varchar, ethnicity varchar, sex varchar, records bigint)")
    con.execute("create table link (entity_id varchar, source varchar, source_record_id varchar, link_basis varchar)")
    tables = ReleaseTables(natural_person=("person",), record_link=("link",))
    for ethnicity, record in (("畲族", "a"), ("汉族", "b")):
        con.execute("delete from person; delete from link")
        con.execute("insert into person values (?, ?, 'F', ?)", [person, ethnicity, 2 if record == "a" else 1])
        con.execute(
            f"insert into link select '{person}', 's', r, 'x' from unnest(['a', 'b']) t(r) where r >= '{record}'"
        )
        publish(catalog, con, tables, now=NOW, manifest={})
    with catalog.writing(), catalog.connection.unguarded():
        erase(catalog, Forgotten(["s:a"], ["畲族"]))
    columns = "ethnicity, ethnicity_code, sex_code, records"
    assert catalog.execute(f"select {columns} from natural_person_history").fetchall() == [(None, None, "2", 1)]
    assert catalog.execute(f"select {columns} from natural_person").fetchall() == [("汉族", "01", "2", 1)]


def test_a_past_proposal_to_split_goes_with_any_record_that_would_have_left(
    catalog: Catalog, con: DuckDBPyConnection
) -> None:
    release_month(catalog, con, {"b": ("1", "张二", "72")})
    for case, right in (("RC-1", ["s:b", "s:a"]), ("RC-2", ["s:b", "s:ab"])):
        catalog.execute(
            "insert into review_case_history (case_id, entity_type, kind, left_record_id, right_record_id, "
            "left_entity_id, right_entity_id, detail, since_release, until_release) "
            "values (?, 'natural_person', 'split_proposed', 's:c', 's:b', 'NP1', 'NP1', ?, 1, 2)",
            (case, json.dumps({"right": right})),
        )
    with catalog.writing(), catalog.connection.unguarded():
        done = erase(catalog, Forgotten(["s:a"], []))
    assert done["review_case_history"] == 1
    assert catalog.execute("select case_id from review_case_history").fetchall() == [("RC-2",)]


def test_what_is_still_released_is_not_erased(catalog: Catalog, con: DuckDBPyConnection) -> None:
    release_month(catalog, con, {"a": ("1", "张一", "71")})
    with pytest.raises(CatalogError, match="in the current release"), catalog.writing():
        erase(catalog, Forgotten(["s:a"], []))
    assert len(as_of(catalog, "record_link")) == 1


def test_a_deleted_text_is_in_the_file_until_it_is_compacted(tmp_path: Path, con: DuckDBPyConnection) -> None:
    path = tmp_path / "c.db"
    with open_catalog(path) as catalog:
        release_month(catalog, con, {"a": ("1", "独一无二的名字", "71"), "b": ("2", "张二", "72")})
        release_month(catalog, con, {"b": ("2", "张二", "72")})
        with catalog.writing(), catalog.connection.unguarded():
            erase(catalog, Forgotten(["s:a"], ["独一无二的名字", "71"]))
        assert catalog.connection.compact()
        names = [path, *path.parent.glob("c.db-wal")]
        assert not any("独一无二的名字".encode() in name.read_bytes() for name in names)
