"""Blocking keys and pairs against a plain-Python oracle."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from blocking.changed_pairs import KeyChange, make_changed_pairs
from blocking.keys import make_keys
from blocking.pairs import make_pairs
from blocking.rules import BlockingRule
from linkage.database import connect

TYPES = {"name": "VARCHAR", "born": "VARCHAR", "phones": "VARCHAR[]", "place": "VARCHAR"}
SCHEMA = pa.schema(
    [
        ("profile_id", pa.int64()),
        ("name", pa.string()),
        ("born", pa.string()),
        ("phones", pa.list_(pa.string())),
        ("place", pa.string()),
    ]
)
RULES = [
    BlockingRule(name="name_born", keys=(("name", "born"),), cap=100),
    BlockingRule(name="phone", keys=(("phones",),), cap=100),
    BlockingRule(name="name_start", keys=(("name[:2]",),), cap=4, refine=("place",)),
]
PROFILES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.none() | st.sampled_from(["zhangwei", "zhangwu", "liwei"]),
            "born": st.none() | st.sampled_from(["1980", "1981"]),
            "phones": st.none() | st.lists(st.sampled_from("123"), min_size=1, max_size=2, unique=True),
            "place": st.none() | st.sampled_from(["a", "b"]),
        }
    ),
    max_size=14,
)


def block(profiles, rules):
    rows = [{"profile_id": i * 7, **p} for i, p in enumerate(profiles)]
    with connect(threads=1) as con:
        con.register("profiles", pa.Table.from_pylist(rows, schema=SCHEMA))
        make_keys(con, rules, profiles="profiles", types=TYPES, out="keys")
        counts = make_pairs(con, rules, keys="keys", out="pairs")
        found = con.execute("select left_id, right_id, rule, rules from pairs").fetchall()
    return rows, found, counts


def rule_sets(rows):
    """Yield (rule, left, right) for every pair the three rules find, with the cap and the refinement applied."""
    starts = {}
    for row in rows:
        if row["name"]:
            starts.setdefault(row["name"][:2], []).append(row)
    for a, b in itertools.combinations(rows, 2):
        pair = (a["profile_id"], b["profile_id"])
        if a["name"] and a["born"] and (a["name"], a["born"]) == (b["name"], b["born"]):
            yield 0, *pair
        if a["phones"] and b["phones"] and set(a["phones"]) & set(b["phones"]):
            yield 1, *pair
        if a["name"] and b["name"] and a["name"][:2] == b["name"][:2]:
            whole = starts[a["name"][:2]]
            part = [r for r in whole if r["place"] == a["place"]]
            if len(whole) <= 4 or (a["place"] == b["place"] and len(part) <= 4):
                yield 2, *pair


@settings(max_examples=60, deadline=None)
@given(PROFILES)
def test_pairs_equal_a_plain_search(profiles) -> None:
    rows, found, counts = block(profiles, RULES)
    expected = {}
    for rule, left, right in rule_sets(rows):
        first, mask = expected.get((left, right), (rule, 0))
        expected[left, right] = (min(first, rule), mask | 1 << rule)
    assert {(a, b): (rule, mask) for a, b, rule, mask in found} == expected
    assert len(found) == len(expected)
    assert sum(c.new for c in counts) == len(expected)
    assert [c.found for c in counts] == [sum(mask >> r & 1 for _, mask in expected.values()) for r in range(3)]


def _listed(ids):
    return f"({', '.join(map(str, [-1, *sorted(ids)]))})"


@settings(max_examples=80, deadline=None)
@given(PROFILES, st.data())
def test_changed_pairs_bring_the_pairs_of_before_to_those_of_now(profiles, data) -> None:
    rows = [{"profile_id": i * 7, **p} for i, p in enumerate(profiles)]
    ids = [row["profile_id"] for row in rows]
    going, coming = (set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set() for _ in range(2))
    coming -= going
    with connect(threads=1) as con:
        con.register("profiles", pa.Table.from_pylist(rows, schema=SCHEMA))
        make_keys(con, RULES, profiles="profiles", types=TYPES, out="keys")
        for name, away in (("was", coming), ("now", going)):
            con.execute(f"create table {name} as select * from keys where profile_id not in {_listed(away)}")
            make_pairs(con, RULES, keys=name, out=f"{name}_pairs")
        moving = {
            state: f"(select * from {source} where profile_id in {_listed(of)})"
            for state, source, of in (("coming", "now", coming), ("going", "was", going))
        }
        change = KeyChange("was", **moving)
        make_changed_pairs(con, RULES, change, after="now", changed="changed", out="found")
        made = con.execute(
            "select * from was_pairs anti join changed using (left_id, right_id) "
            "union all by name select * from found order by all"
        ).fetchall()
        assert made == con.execute("select * from now_pairs order by all").fetchall()


@settings(max_examples=20, deadline=None)
@given(PROFILES)
def test_a_few_blocks_and_the_pairs_of_a_few_profiles_lie_together(profiles) -> None:
    with connect(threads=1) as con:
        rows = [{"profile_id": (i * 7919) % 101, **p} for i, p in enumerate(profiles)]
        con.register("profiles", pa.Table.from_pylist(rows, schema=SCHEMA))
        make_keys(con, RULES, profiles="profiles", types=TYPES, out="keys")
        make_pairs(con, RULES, keys="keys", out="pairs")
        for table, column in (("keys", "key"), ("pairs", "left_id")):
            found = [value for (value,) in con.execute(f"select {column} from {table} order by rowid").fetchall()]
            assert found == sorted(found)


def test_values_of_two_columns_meet_under_one_rule() -> None:
    rule = BlockingRule(name="either", keys=(("name",), ("born",)), cap=10)
    profiles = [
        {"name": "x", "born": None, "phones": None, "place": None},
        {"name": None, "born": "x", "phones": None, "place": None},
    ]
    assert len(block(profiles, [rule])[1]) == 1


def test_an_oversized_block_is_counted_not_compared() -> None:
    rule = BlockingRule(name="name", keys=(("name",),), cap=3)
    same = {"name": "zhangwei", "born": None, "phones": None, "place": None}
    _, found, counts = block([same] * 5, [rule])
    assert found == []
    assert counts[0].oversized == 1
    assert counts[0].left_aside == 5


def test_a_key_that_is_no_column_is_refused_with_its_text() -> None:
    with pytest.raises(ValidationError, match="nam e"):
        BlockingRule(name="bad", keys=(("nam e",),))
