"""The outcomes of comparing two addresses, in Python and in DuckDB."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, get_type_hints

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.address import Address, levels, standardise
from matchers.address_names import NAME_SIMILARITY, name_similarities, name_similarity
from matchers.levels import Same, outcome
from matchers.similarity import SIMILARITIES, Similarity

LEVELS = levels("address")


def row(text: str | None) -> dict[str, Any]:
    return {f"address_{name}": value for name, value in asdict(standardise(text)).items()}


CASES = [
    ("宝民二路12号A座301", "深圳市宝安区西乡街道宝民2路12号A栋3楼301室", "same_room"),
    ("宝民二路12号A座301", "宝民二路12号A座302", "same_building_other_room"),
    (
        "石岩街道水田社区祝龙田路50号赛联工业园B栋一楼A",
        "石岩街道水田社区赛联工业园B栋厂房一楼C",
        "same_building_other_room",
    ),
    ("宝民二路12号A座", "宝民二路12号A座302", "same_building"),
    ("江苏省南京市高淳区淳溪镇石塘村", "淳溪街道石塘村", "same_text"),
    ("淳溪镇石塘村", "淳溪镇柳塘村", "same_street"),
    ("青山区207街坊特2号B5门3号", "207街坊特2号B5门3号", "same_text"),
    ("深圳市宝安区月影湾路", "月影湾路", "same_text"),
    ("深圳市宝安区月影湾路", "深圳市南山区月影湾路", "different"),
    ("宝安区西乡街道固戍社区", "宝安区西乡街道固戍社区", "same_estate"),
    ("宝民二路12号2单元301", "宝民二路12号301", "same_building"),
    ("宝民二路12号3楼", "宝民二路12号501", "same_building_other_room"),
    ("南山区桃源街道办事处长源公明大道293号108", "南山区桃源街道长源社区公明大道293号108", "same_estate"),
    ("祝龙田路50号赛联工业园B栋", "石岩街道赛联工业园B栋302", "same_estate"),
    ("西乡街道桃源居", "西乡街道桃源居3栋101", "same_estate"),
    ("宝民二路12号", "宝民二路12号A座302", "same_estate"),
    ("宝民二路12号", "宝民二路14号", "house_number_differs"),
    ("赛联工业园A栋", "赛联工业园B栋", "house_number_differs"),
    ("宝安区西乡街道固戍社区", "西乡固戍村南五巷6号", "same_neighbourhood"),
    ("宝安区西乡街道宝民二路12号", "宝安区沙井街道宝民二路12号", "same_neighbourhood"),
    ("宝安区西乡街道固戍社区", "宝安区西乡街道臣田社区", "same_street"),
    ("宝安区", "宝安区西乡街道", "same_street"),
    ("宝安区西乡街道", "宝安区沙井街道", "different"),
    ("深圳市宝安区人民路12号", "深圳市龙岗区人民路12号", "different"),
    ("广州市人民路12号", "深圳市人民路12号", "different"),
    ("深圳市龙华区人民路12号", "深圳市光明区人民路12号", "different"),
    ("深圳市宝安区人民路12号", "深圳市龙华区人民路12号", "same_building"),
    ("宝安区西乡街道洲石路12号", "宝安区航城街道洲石路12号", "same_building"),
    ("宝安区西乡街道固戍社区洲石路12号", "宝安区航城街道洲石路12号", "same_neighbourhood"),
    ("宝民二路12号", None, "missing"),
]


@pytest.mark.parametrize(("left", "right", "name"), CASES)
def test_two_addresses_meet_at_the_level_they_share(left: str, right: str | None, name: str) -> None:
    assert outcome(LEVELS, row(left), row(right)).name == name
    assert outcome(LEVELS, row(right), row(left)).name == name


def test_every_level_occurs_in_the_cases() -> None:
    assert {name for _, _, name in CASES} == {level.name for level in LEVELS}
    assert 4 <= len(LEVELS) <= 10


def test_a_level_with_a_term_frequency_implies_equality_in_its_column() -> None:
    for left, right, _ in CASES:
        level = outcome(LEVELS, row(left), row(right))
        if level.term_frequency:
            assert Same(level.term_frequency).holds(row(left), row(right))


def test_a_level_that_stands_for_a_better_one_holds_only_where_a_side_lacks_what_that_compares() -> None:
    for left, right, name in CASES:
        level = next(level for level in LEVELS if level.name == name)
        if level.stands_for:
            assert level.stands_for == "same_room"
            rows = row(left), row(right)
            lacking = [c for c in ("unit", "floor", "room") if any(r[f"address_{c}"] is None for r in rows)]
            assert lacking or any(r["address_building_key"] is None for r in rows)


SAMPLES = [row(text) for left, right, _ in CASES for text in (left, right)]
SMALL: dict[str, tuple[Any, ...]] = {
    "city": (None, "深圳市", "深圳市", "广州市"),
    "district_code": (None, "440306", "440309"),
    "districts": ((), ("440306", "440309"), ("440309",)),
    "street": (None, "西乡街道", "航城街道"),
    "streets": ((), ("西乡街道", "航城街道"), ("航城街道",)),
    "text": (None, "宝民二路12号A栋301", "宝民二路12号A栋302", "固戍"),
    "estate": (None, "赛联工业园", "水田赛联工业园", "2工业区", "3工业区"),
}


def arrow(similarity: Similarity) -> Callable[[pa.Array, pa.Array], pa.Array]:
    return lambda left, right: pa.array(similarity.many(left.to_pylist(), right.to_pylist()))


def made_row(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.4:
        return chance.choice(SAMPLES)
    names = [f.name for f in fields(Address) if f.name != "precision"]
    return {f"address_{name}": chance.choice(SMALL.get(name, (None, "甲", "乙"))) for name in names}


@pytest.mark.parametrize("seed", range(4))
def test_the_batch_finds_the_levels_that_python_finds(seed: int) -> None:
    chance = random.Random(seed)
    pairs = [(made_row(chance), made_row(chance)) for _ in range(800)]
    hints = get_type_hints(Address)
    lists = {f.name for f in fields(Address) if getattr(hints[f.name], "__origin__", None) is tuple}
    columns: dict[str, pa.Array] = {"id": pa.array(range(len(pairs)))}
    for side, index in (("l", 0), ("r", 1)):
        for name in [f.name for f in fields(Address) if f.name != "precision"]:
            values = [pair[index][f"address_{name}"] for pair in pairs]
            kind = pa.list_(pa.string()) if name in lists else pa.string()
            columns[f"{side}_address_{name}"] = pa.array(
                [list(v) if v and name in lists else v or None for v in values], kind
            )
    table = pa.table(columns)
    with duckdb.connect() as con:
        for similarity in SIMILARITIES.values():
            con.create_function(similarity.name, arrow(similarity), ["VARCHAR", "VARCHAR"], "DOUBLE", type="arrow")
        con.register("pairs", table)
        conditions = [level.condition for level in LEVELS if level.condition]
        rendered = ", ".join(c.sql(lambda n: f"l_{n}", lambda n: f"r_{n}") for c in conditions)
        found = con.execute(f"select {rendered} from pairs order by id").fetchall()
    assert all(0 < sum(column) < len(pairs) for column in zip(*found, strict=True))
    for (left, right), batch in zip(pairs, found, strict=True):
        online = tuple(c.holds(left, right) for c in conditions)
        assert batch == online
        assert online == tuple(c.holds(right, left) for c in conditions)


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("五矿御江金城", "御江金城", True),
        ("依云小镇", "依云小镇小区", True),
        ("新桥2工业区", "新桥3工业区", False),
        ("工业区", "新桥工业区", False),
        ("翡翠东苑", "翡翠西苑", False),
        ("万科城", "中海城", False),
    ],
)
def test_a_shortened_name_is_alike_and_another_ordinal_is_not(left: str, right: str, alike: bool) -> None:
    assert (name_similarity(left, right) >= 0.9) is alike


NAMES = st.text(alphabet="万科城金御江小区工业园2三东A𠮷", max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=40))
def test_names_compare_alike_one_by_one_and_in_columns_and_either_way_round(pairs: list[tuple[str, str]]) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    assert name_similarities(left, right).tolist() == [name_similarity(a, b) for a, b in pairs]
    assert name_similarities(left, right).tolist() == name_similarities(right, left).tolist()
    assert SIMILARITIES[NAME_SIMILARITY].many is name_similarities
