"""Values are told apart by their hash, whatever they are made of."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pytest

from linkage.entity_config import load_entity_config
from matchers.field_types import COLUMN_TYPES
from matchers.value_hash import NULL_HASH, hash_sql

TEXTS = ("VARCHAR", "text", COLUMN_TYPES[str])


def rooms() -> list[str]:
    return [
        f"{place}{area}区{house}栋{floor}{flat:02d}"
        for place in ("宝安", "新二")
        for area in range(10, 100)
        for house in range(1, 10)
        for floor in range(1, 10)
        for flat in range(1, 9)
    ]


def numbers() -> list[str]:
    return [f"4403061990{first:04d}{last:04d}" for first in range(0, 1000, 7) for last in range(0, 10000, 13)]


def hashes(values: Iterable[str], expression: str) -> int:
    with duckdb.connect() as con:
        con.execute("create table t as select unnest(?) as v", [list(values)])
        ((distinct,),) = con.execute(f"select count(distinct {expression}) from t").fetchall()
        return int(distinct)


def short() -> list[str]:
    return [f"{a:02d}{middle}{b:03d}" for a in range(100) for b in range(1000) for middle in ("号", "号院", "-0000-")]


@pytest.mark.parametrize("type_", TEXTS)
@pytest.mark.parametrize("values", [rooms(), numbers(), short()], ids=["rooms", "numbers", "short"])
def test_values_that_differ_in_a_few_digits_have_hashes_of_their_own(values: list[str], type_: str) -> None:
    assert hashes(values, hash_sql("v", type_)) == len(set(values))


@pytest.mark.parametrize("entity", ["natural_person", "legal_person"])
def test_columns_that_are_compared_are_hashed_as_what_they_are(entity: str) -> None:
    plain = {type_.removesuffix("[]") for type_ in load_entity_config(entity).columns.values()}
    for type_ in plain:
        values = {"varchar": rooms(), "integer": range(100_000), "boolean": [False, True]}[type_]
        assert hashes(values, hash_sql("v", type_)) == len(set(values))


def test_the_plain_hash_would_not_do() -> None:
    assert hashes(rooms(), "hash(v)") < len(set(rooms()))


@pytest.mark.parametrize("type_", [*TEXTS, *COLUMN_TYPES.values(), "BIGINT", "DOUBLE"])
def test_null_has_one_hash_and_nothing_else_has_it(type_: str) -> None:
    with duckdb.connect() as con:
        query = f"select {hash_sql(f'null::{type_}', type_)}, {hash_sql(f'1::{type_}', type_)}"
        ((of_null, of_value),) = con.execute(query).fetchall()
    assert of_null == NULL_HASH
    assert of_value != NULL_HASH
