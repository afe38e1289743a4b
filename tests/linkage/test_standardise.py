"""Standardising a table: the same for any batches and processes, the same as row by row, each value once."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocking.sql import quote
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.fields import CANONICAL_FIELDS, ENTITIES, Entity
from linkage.pipeline import Linkage
from linkage.standardise import standardise, standardise_row
from matchers.field_types import FIELD_TYPES
from matchers.identifiers import resident_id

CONFIGS = {entity: load_entity_config(entity) for entity in ENTITIES}
JUNK = (
    None,
    "",
    "   ",
    "\u3000",
    "\x1f",
    "\x1e",
    "a\x1fb",
    "440306\x1e199001011234",
    "🙂🙂",
    "王" * 10_000,
    "\x00",
    "\u202eمرحبا",
    "NULL",
    "9.1440300708461E+17",
    "''; drop table",
)
TEXT = st.one_of(
    st.none(),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(alphabet=" \t\x1c\x1d\x1e\x1f\x85\u3000王小明0123456789Xx*-", max_size=20),
)

FUZZED = ("name", "id_type", "id_number", "birth_date", "address")


def table_of(rows: list[dict[str, str | None]], config: EntityConfig) -> pa.Table:
    fields = CANONICAL_FIELDS[config.entity]
    columns: dict[str, pa.Array] = {
        "record_id": pa.array([f"s:{i}" for i in range(len(rows))], pa.string()),
        "source": pa.array(["s"] * len(rows), pa.string()),
        "source_record_id": pa.array([str(i) for i in range(len(rows))], pa.string()),
        "as_of": pa.array(["2025-01-31"] * len(rows), pa.string()),
    }
    return pa.table(columns | {f: pa.array([row.get(f) for row in rows], pa.string()) for f in fields})


def standardised(rows: list[dict[str, str | None]], config: EntityConfig, **options: Any) -> list[dict[str, Any]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.register("given", table_of(rows, config))
        con.execute("create table raw as from given")
        done = standardise(con, config, raw="raw", out="made", **({"processes": 1} | options))
        assert done == len(rows)
        made = con.sql("from made order by source_record_id::int").to_arrow_table().to_pylist()
    return [{column: row[column] for column in config.columns} for row in made]


def online(row: dict[str, str | None], config: EntityConfig) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in standardise_row(row, config).items()}


def test_one_record_standardised_alone_has_the_columns_of_the_table_row_for_row(run: Linkage) -> None:
    records = run.con.sql(f"from {quote(run.table('records'))}").to_arrow_table().to_pylist()
    assert len(records) > 1_000
    for record in records:
        raw = {field: record[field] for field in CANONICAL_FIELDS[run.config.entity]}
        assert online(raw, run.config) == {column: record[column] for column in run.config.columns}


@pytest.mark.parametrize("entity", CONFIGS)
def test_junk_in_any_field_is_a_value_or_nothing_and_the_same_alone_as_in_a_table(entity: Entity) -> None:
    config = CONFIGS[entity]
    rows: list[dict[str, str | None]] = [{}]
    for field in CANONICAL_FIELDS[entity]:
        rows += [{field: junk} for junk in JUNK]
    rows += [dict.fromkeys(CANONICAL_FIELDS[entity], junk) for junk in JUNK]
    for row, made in zip(rows, standardised(rows, config), strict=True):
        assert made == online(row, config)
        assert not any(value in ("", []) for value in made.values())


@pytest.mark.parametrize("entity", CONFIGS)
def test_a_lone_surrogate_given_online_raises_nothing(entity: Entity) -> None:
    for text in ("\ud800", "王\udfff明", "4403\udc00"):
        made = standardise_row(dict.fromkeys(CANONICAL_FIELDS[entity], text), CONFIGS[entity])
        assert made.keys() == CONFIGS[entity].columns.keys()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(FUZZED, TEXT)), max_size=8))
def test_any_text_is_standardised_alone_as_in_a_table(rows: list[dict[str, str | None]]) -> None:
    config = CONFIGS["natural_person"]
    assert standardised(rows, config) == [online(row, config) for row in rows]


def sample(run: Linkage, rows: int) -> list[dict[str, str | None]]:
    fields = ", ".join(CANONICAL_FIELDS[run.config.entity])
    query = f"select {fields} from {quote(run.table('raw'))} order by record_id limit {rows}"
    return list(run.con.sql(query).to_arrow_table().to_pylist())


def test_batches_of_any_size_give_the_same_table(linked: dict[str, Linkage]) -> None:
    run = linked["natural_person"]
    rows = sample(run, 60)
    whole = standardised(rows, run.config)
    for size in (7, 59, 60):
        progress: list[int] = []
        assert standardised(rows, run.config, batch_rows=size, progress=progress.append) == whole
        assert progress[-1] == 60
        assert progress == sorted(progress)


def test_several_processes_give_the_same_table(linked: dict[str, Linkage], monkeypatch: pytest.MonkeyPatch) -> None:
    run = linked["legal_person"]
    rows = sample(run, 200)
    whole = standardised(rows, run.config)
    monkeypatch.setattr("linkage.standardise._INLINE_LIMIT", 50)
    assert standardised(rows, run.config, processes=2) == whole


def test_a_table_without_rows_gives_a_table_with_every_column(linked: dict[str, Linkage]) -> None:
    for config in CONFIGS.values():
        assert standardised([], config) == []


def test_a_column_the_table_lacks_counts_as_missing() -> None:
    config = CONFIGS["natural_person"]
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(
            "create table raw as select 's:1' as record_id, 's' as source, '1' as source_record_id, "
            "'2025-01-31' as as_of, '欧阳小明' as name"
        )
        standardise(con, config, raw="raw", out="made", processes=1)
        ((surname, number, phone),) = con.execute("select name_surname, id_value, phone_numbers from made").fetchall()
    assert (surname, number, phone) == ("欧阳", None, None)


def test_a_value_is_standardised_once_however_many_records_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = CONFIGS["natural_person"]
    original = FIELD_TYPES["person_name"]
    calls: Counter[str | None] = Counter()

    def counted(value: str | None) -> Any:
        calls[value] += 1
        return original.standardise(value)

    monkeypatch.setitem(FIELD_TYPES, "person_name", replace(original, standardise=counted))
    names = ["王小明", "李小红", None, "王小明"] * 250
    made = standardised([{"name": name} for name in names], config)
    assert calls == {"王小明": 1, "李小红": 1, None: 1}
    assert [row["name_surname"] for row in made] == ["王", "李", None, "王"] * 250


NUMBER = "44030619900307123" + resident_id.check_digit("44030619900307123")


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ({"id_number": NUMBER, "birth_date": None}, "birth_iso", "1990-03-07"),
        ({"id_number": NUMBER, "birth_date": "1991-01-02"}, "birth_iso", "1991-01-02"),
        ({"id_number": NUMBER, "sex": None}, "sex_code", "M"),
    ],
)
def test_a_field_reads_the_first_column_that_says_something(
    row: dict[str, str | None], column: str, value: str
) -> None:
    config = CONFIGS["natural_person"]
    (made,) = standardised([row], config)
    assert made == online(row, config)
    assert made[column] == value


def test_the_collector_is_on_again_after_standardising_even_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError

    config = CONFIGS["natural_person"]
    monkeypatch.setitem(FIELD_TYPES, "sex", replace(FIELD_TYPES["sex"], standardise=broken))
    with pytest.raises(RuntimeError):
        standardised([{"sex": "男"}], config)
    assert gc.isenabled()
