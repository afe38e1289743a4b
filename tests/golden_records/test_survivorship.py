"""Survivorship: which value wins, why, and what is kept beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden_records.errors import GoldenRecordsError
from golden_records.survivorship import SurvivorTables, survive
from golden_records.survivorship_config import EntitySurvivorship, load_survivorship

OUT = SurvivorTables("golden", "provenance", "identifier", "name", "address", "phone")
SHIPPED = load_survivorship(Path(__file__).parents[2] / "configs" / "survivorship.toml")
RANKS = {"registry": 1, "tax": 2, "grid": 5}

Rows = Sequence[Mapping[str, Any]]


def run(
    con: DuckDBPyConnection, rows: Rows, config: EntitySurvivorship = SHIPPED.legal_person, past: Rows | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Survive rows; `entity` says where each belongs (default E), `id` is its record id."""
    for name, given_rows in (("records", rows), ("past", past or [])):
        columns = {column: "varchar[]" if column == "phone_numbers" else "varchar" for column in config.columns()}
        columns = {"record_id": "varchar", "source": "varchar", "as_of": "varchar"} | columns
        con.execute(f"create or replace table {name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
        for number, row in enumerate(given_rows):
            values = {"record_id": row.get("id", str(number)), "source": "tax", "as_of": "2025-01-01"} | dict(row)
            con.execute(
                f"insert into {name} values ({', '.join('?' * len(columns))})", [values.get(c) for c in columns]
            )
    con.execute("create or replace table membership (record_id varchar, entity_id varchar)")
    for number, row in enumerate(rows):
        con.execute("insert into membership values (?, ?)", [row.get("id", str(number)), row.get("entity", "E")])
    con.execute(
        "create or replace table sources as select unnest($s) as source, unnest($r) as rank",
        {"s": list(RANKS), "r": list(RANKS.values())},
    )
    survive(
        con,
        records="records",
        membership="membership",
        sources="sources",
        config=config,
        out=OUT,
        past="past" if past is not None else None,
    )
    found = {}
    for table in vars(OUT).values():
        result = con.execute(f"from {table} order by all")
        names = [d[0] for d in result.description]
        found[table] = [dict(zip(names, r, strict=True)) for r in result.fetchall()]
    return found


def reason(found: dict[str, list[dict[str, Any]]], attribute: str) -> dict[str, Any]:
    return next(row for row in found["provenance"] if row["attribute"] == attribute)


NAME_CASES = [
    ("the better source wins", "source_rank", [("甲", "registry", "2020"), ("乙", "grid", "2025")], "甲"),
    ("then the later record", "recency", [("甲", "tax", "2020-01"), ("乙", "tax", "2020-01-02")], "乙"),
    ("then the majority", "support", [("甲", "x", "2020"), ("甲", "y", "2020"), ("乙", "z", "2020")], "甲"),
    ("then the longer writing", "completeness", [("甲", "x", "2020"), ("甲公司", "y", "2020")], "甲公司"),
    ("then the smallest key", "tie_break", [("乙", "x", "2020"), ("甲", "y", "2020")], "乙"),
    ("a single value needs no rule", "only", [("甲", "x", "2020"), (" 甲 ", "y", None)], "甲"),
    ("a record without a date is the oldest", "recency", [("甲", "x", None), ("乙", "y", "1900")], "乙"),
    (
        "empty values do not take part",
        "only",
        [("", "registry", "2026"), (None, "registry", "2026"), ("甲", "x", "1990")],
        "甲",
    ),
]


@pytest.mark.parametrize(("says", "rule", "rows", "winner"), NAME_CASES, ids=[case[0] for case in NAME_CASES])
def test_rules_are_asked_in_order_and_the_deciding_one_is_kept(
    con: DuckDBPyConnection, says: str, rule: str, rows: list[tuple[str | None, str, str | None]], winner: str
) -> None:
    found = run(con, [{"name": name, "source": source, "as_of": date} for name, source, date in rows])
    assert found["golden"][0]["name"] == winner
    assert reason(found, "name")["rule"] == rule
    assert reason(found, "name")["value"] == winner


def test_equal_keys_are_one_value_and_their_sources_add_up(con: DuckDBPyConnection) -> None:
    rows = [
        {"id": "1", "name": "深圳市甲(集团)有限公司", "name_text": "k", "source": "grid"},
        {"id": "2", "name": "深圳市甲（集团）有限公司", "name_text": "k", "source": "registry"},
        {"id": "3", "name": "深圳市乙有限公司", "name_text": "other", "source": "registry"},
    ]
    found = run(con, rows)
    kept = reason(found, "name")
    assert (kept["value"], kept["record_id"], kept["support"], kept["rule"]) == (rows[1]["name"], "2", 2, "support")
    assert json.loads(kept["runners_up"]) == [{"value": "深圳市乙有限公司", "record_id": "3"}]


@pytest.mark.parametrize("sources", [64, 65])
def test_sources_are_counted_however_many_there_are(con: DuckDBPyConnection, sources: int) -> None:
    rows = [{"name": "甲", "phone_numbers": ["1"], "source": f"s{number % sources}"} for number in range(2 * sources)]
    found = run(con, rows)
    counted = found["golden"][0]["sources"], reason(found, "name")["support"]
    assert (*counted, found["name"][0]["sources"], found["phone"][0]["sources"]) == (sources,) * 4


def test_at_most_five_runners_up_are_kept_best_first(con: DuckDBPyConnection) -> None:
    rows = [{"name": f"名{n}", "as_of": f"202{n}-01-01"} for n in range(9)]
    kept = reason(run(con, rows), "name")
    assert kept["value"] == "名8"
    assert [entry["value"] for entry in json.loads(kept["runners_up"])] == ["名7", "名6", "名5", "名4", "名3"]


def test_a_valid_code_beats_an_invalid_one_of_a_better_source(con: DuckDBPyConnection) -> None:
    rows = [
        {"code_uscc": "BAD", "code_uscc_status": "fabricated_inner", "source": "registry"},
        {"code_uscc": "GOOD", "code_uscc_status": "valid", "source": "grid"},
    ]
    found = run(con, rows)
    assert found["golden"][0]["uscc"] == "GOOD"
    assert reason(found, "uscc")["rule"] == "valid"
    assert {row["value"]: row["valid"] for row in found["identifier"]} == {"GOOD": 1, "BAD": 0}


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        (("X", "registry", "valid"), ("Y", "tax", "valid"), ["uscc"]),
        (("X", "registry", "valid"), ("X", "tax", "valid"), None),
        (("X", "registry", "valid"), ("Y", "grid", "valid"), None),
        (("X", "registry", "valid"), ("Y", "tax", "invalid"), None),
    ],
)
def test_two_trusted_sources_that_disagree_on_an_exclusive_value_are_a_conflict(
    con: DuckDBPyConnection, first: tuple[str, str, str], second: tuple[str, str, str], conflict: list[str] | None
) -> None:
    rows = [{"code_uscc": c, "source": s, "code_uscc_status": status} for c, s, status in (first, second)]
    found = run(con, rows)
    conflicts = found["golden"][0]["conflicts"]
    assert (conflicts and json.loads(conflicts)) == conflict
    assert reason(found, "uscc")["conflict"] == int(conflict is not None)


def test_two_kinds_of_document_do_not_contradict_each_other_and_the_resident_id_is_shown(
    con: DuckDBPyConnection,
) -> None:
    rows = [
        {"id_value": "P1", "id_scheme": "passport", "id_status": "valid", "source": "registry"},
        {"id_value": "R1", "id_scheme": "resident_id", "id_status": "valid", "source": "grid"},
    ]
    found = run(con, rows, SHIPPED.natural_person)
    (golden,) = found["golden"]
    assert (golden["id_type"], golden["id_number"], golden["conflicts"]) == ("resident_id", "R1", None)
    assert reason(found, "id_number")["rule"] == "preferred"
    twice = [*rows, {"id_value": "P2", "id_scheme": "passport", "id_status": "valid", "source": "tax"}]
    assert json.loads(run(con, twice, SHIPPED.natural_person)["golden"][0]["conflicts"]) == ["id_number"]


def test_a_masked_name_survives_only_when_there_is_nothing_better(con: DuckDBPyConnection) -> None:
    masked = {"name": "张*", "name_key": None, "source": "registry"}
    full = {"name": "张三", "name_key": "张三", "source": "grid"}
    assert run(con, [masked, full], SHIPPED.natural_person)["golden"][0]["name"] == "张三"
    assert run(con, [masked], SHIPPED.natural_person)["golden"][0]["name"] == "张*"


def test_a_representatives_name_and_document_come_from_one_record(con: DuckDBPyConnection) -> None:
    rows = [
        {"id": "1", "legal_rep_name": "王五", "source": "registry"},
        {"id": "2", "legal_rep_name": "赵六", "legal_rep_id_number": "N6", "source": "tax"},
    ]
    (golden,) = run(con, rows)["golden"]
    assert (golden["legal_rep_name"], golden["legal_rep_id_number"]) == ("王五", None)
    rows.append({"id": "3", "legal_rep_name": "王五", "legal_rep_id_number": "N5", "source": "registry"})
    found = run(con, rows)
    assert found["golden"][0]["legal_rep_id_number"] == "N5"
    assert reason(found, "legal_rep_name")["record_id"] == reason(found, "legal_rep_id_number")["record_id"] == "3"
    assert reason(found, "legal_rep_id_number")["rule"] == "with_legal_rep_name"


def test_parts_of_two_documents_are_never_put_together(con: DuckDBPyConnection) -> None:
    rows = [
        {"legal_rep_name": "王五", "legal_rep_id_type": "护照", "source": "registry"},
        {"legal_rep_name": "王五", "legal_rep_id_number": "N5", "source": "tax"},
    ]
    (golden,) = run(con, rows)["golden"]
    assert (golden["legal_rep_id_type"], golden["legal_rep_id_number"]) == ("护照", None)


def test_multi_valued_attributes_keep_every_value_with_its_dates(con: DuckDBPyConnection) -> None:
    rows: Rows = [
        {"name": "甲", "phone_numbers": ["1", "2"], "address": "西乡A", "address_text": "a", "as_of": "2024-05-01"},
        {"name": "甲", "phone_numbers": ["2"], "address": "西乡街道A", "address_text": "a", "source": "grid"},
        {"name": "甲方", "former_names": "旧甲；老甲;", "address": "西乡B", "as_of": "2023-01-01"},
    ]
    found = run(con, rows)
    phones = [(r["phone"], r["first_seen"], r["last_seen"], r["sources"]) for r in found["phone"]]
    assert phones == [("1", "2024-05-01", "2024-05-01", 1), ("2", "2024-05-01", "2025-01-01", 2)]
    assert {(r["address"], r["sources"]) for r in found["address"]} == {("西乡A", 2), ("西乡B", 1)}
    kinds = {r["name"]: r["kind"] for r in found["name"]}
    assert kinds == {"甲": "current", "甲方": "variant", "旧甲": "former", "老甲": "former"}


def test_superseded_records_give_former_names_and_first_sightings_but_no_golden_value(con: DuckDBPyConnection) -> None:
    rows: Rows = [{"id": "1", "name": "新名", "phone_numbers": ["1"], "as_of": "2025-06-01"}]
    past: Rows = [
        {"id": "1", "name": "旧名", "phone_numbers": ["1", "0"], "as_of": "2020-01-01", "source": "registry"},
        {"id": "unknown", "name": "别人", "as_of": "2020-01-01"},
    ]
    found = run(con, rows, past=past)
    assert found["golden"][0]["name"] == "新名"
    assert found["golden"][0]["records"] == 1
    assert {r["name"]: r["kind"] for r in found["name"]} == {"新名": "current", "旧名": "former"}
    assert [(r["phone"], r["first_seen"], r["last_seen"]) for r in found["phone"]] == [
        ("0", "2020-01-01", "2020-01-01"),
        ("1", "2020-01-01", "2025-06-01"),
    ]


def test_an_entity_without_any_value_still_has_a_golden_record(con: DuckDBPyConnection) -> None:
    (golden,) = run(con, [{"source": "grid"}])["golden"]
    assert (golden["entity_id"], golden["name"], golden["records"], golden["sources"]) == ("E", None, 1, 1)


def test_records_outside_every_entity_are_left_out(con: DuckDBPyConnection) -> None:
    run(con, [{"id": "1", "name": "甲"}])
    con.execute("insert into records (record_id, source, as_of, name) values ('2', 'tax', '2026', '乙')")
    survive(
        con,
        records="records",
        membership="membership",
        sources="sources",
        config=SHIPPED.legal_person,
        out=OUT,
    )
    assert con.execute("select name from golden").fetchall() == [("甲",)]


@pytest.mark.parametrize("junk", ["🙂", "x" * 10_000, "a\x00b", "אבג", "'; drop table golden", '"', "\x1f"])
def test_junk_values_survive_as_they_are(con: DuckDBPyConnection, junk: str) -> None:
    row = {"name": junk, "address": junk, "former_names": junk, "phone_numbers": [junk, None], "code_uscc": junk}
    found = run(con, [row, {"name": "甲", "as_of": "1999", "phone_numbers": []}])
    assert found["golden"][0]["name"] == junk
    assert json.loads(reason(found, "name")["runners_up"])[0]["value"] == "甲"


def test_the_values_of_an_entity_lie_together(con: DuckDBPyConnection) -> None:
    con.execute("set threads = 1")
    run(
        con,
        [{"entity": f"E{n * 7 % 50:02}", "name": f"甲{n}", "address": f"路{n}", "phone": str(n)} for n in range(80)],
    )
    for table in vars(OUT).values():
        found = [entity for (entity,) in con.execute(f"select entity_id from {table} order by rowid").fetchall()]
        assert found == sorted(found)


def test_a_missing_column_is_named_with_its_table(con: DuckDBPyConnection) -> None:
    run(con, [{"name": "甲"}])
    con.execute("alter table records drop column name_text")
    with pytest.raises(GoldenRecordsError, match=r"records: missing column.*name_text"):
        survive(
            con, records="records", membership="membership", sources="sources", config=SHIPPED.legal_person, out=OUT
        )


values = st.sampled_from([None, "", "甲", "乙", "丙公司"])
rows_strategy = st.lists(
    st.fixed_dictionaries(
        {
            "entity": st.sampled_from(["E", "F"]),
            "name": values,
            "name_text": st.sampled_from([None, "k", "l"]),
            "source": st.sampled_from(["registry", "tax", "grid", "unknown"]),
            "as_of": st.sampled_from([None, "2020", "2024-05", "2025-01-01"]),
            "code_uscc": st.sampled_from([None, "X", "Y"]),
            "code_uscc_status": st.sampled_from([None, "valid", "invalid"]),
            "phone_numbers": st.sampled_from([None, [], ["1"], ["2", "1"]]),
        }
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_strategy, st.randoms(use_true_random=False))
def test_golden_values_come_from_the_entitys_records_whatever_the_order(
    con: DuckDBPyConnection, rows: list[dict[str, Any]], random: Any
) -> None:
    rows = [row | {"id": str(number)} for number, row in enumerate(rows)]
    found = run(con, rows)
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        of[row["entity"]].append(row)
    assert {row["entity_id"] for row in found["golden"]} == set(of)
    for golden in found["golden"]:
        mine = of[golden["entity_id"]]
        present = {row["name"] for row in mine if row["name"]}
        assert golden["name"] in present if present else golden["name"] is None
        assert golden["name"] == _expected_name(mine)
        assert golden["records"] == len(mine)
    for kept in found["provenance"]:
        column = {"name": "name", "uscc": "code_uscc", "phone": "phone_numbers"}[kept["attribute"]]
        origin = next(row for row in of[kept["entity_id"]] if row["id"] == kept["record_id"])
        assert kept["value"] == origin[column] or kept["value"] in (origin[column] or ())
    random.shuffle(rows)
    assert run(con, rows) == found


def _expected_name(rows: list[dict[str, Any]]) -> str | None:
    """The rules for a legal person's name in plain Python."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["name"]:
            groups[row["name_text"] or row["name"]].append(row)

    def day(row: dict[str, Any]) -> str:
        return (row["as_of"] + "-01-01")[:10] if row["as_of"] else ""

    def rank(row: dict[str, Any]) -> int:
        return RANKS.get(row["source"], SHIPPED.legal_person.default_rank)

    def standing(key: str) -> tuple[Any, ...]:
        mine = groups[key]
        newest = max(day(row) for row in mine)
        return (
            min(rank(row) for row in mine),
            tuple(-ord(c) for c in newest.ljust(10)),
            -len({row["source"] for row in mine}),
            -max(len(row["name"]) for row in mine),
            key,
        )

    if not groups:
        return None
    best = groups[min(groups, key=standing)]
    order = lambda row: (rank(row), tuple(-ord(c) for c in day(row).ljust(10)), row["id"])  # noqa: E731
    return str(min(best, key=order)["name"])
