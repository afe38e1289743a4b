"""Values are told apart by their hash, whatever they are made of."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pytest

from matchers.value_hash import NULL_HASH, hash_sql


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


@pytest.mark.parametrize("values", [rooms(), numbers()], ids=["rooms", "numbers"])
def test_values_that_differ_in_a_few_digits_have_hashes_of_their_own(values: list[str]) -> None:
    assert hashes(values, hash_sql("v", "VARCHAR")) == len(set(values))


def test_the_plain_hash_would_not_do() -> None:
    assert hashes(rooms(), "hash(v)") < len(set(rooms()))


@pytest.mark.parametrize("type_", ["VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN"])
def test_null_has_one_hash_and_nothing_else_has_it(type_: str) -> None:
    with duckdb.connect() as con:
        query = f"select {hash_sql(f'null::{type_}', type_)}, {hash_sql(f'1::{type_}', type_)}"
        ((of_null, of_value),) = con.execute(query).fetchall()
    assert of_null == NULL_HASH
    assert of_value != NULL_HASH
