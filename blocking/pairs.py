"""From blocking keys to candidate pairs.

Each pair appears once, left < right, with the first rule that found it and the set of all rules that did. Blocks over
their cap are split by the refining columns; what is still over the cap is left aside and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.rules import BlockingRule
from blocking.sql import quote


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule contributed.

    Attributes:
        rule: the rule's name.
        keys: distinct key values with at least two profiles.
        found: pairs the rule finds, whether or not an earlier rule did.
        new: pairs no earlier rule found.
        oversized: blocks over the cap before splitting.
        left_aside: profiles in blocks still over the cap after splitting, not compared under this rule.
    """

    rule: str
    keys: int
    found: int
    new: int
    oversized: int
    left_aside: int


def make_pairs(con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, keys: str, out: str) -> list[RuleCount]:
    """Make the table of candidate pairs.

    Args:
        con: DuckDB connection.
        rules: the rules the keys were made with, in the same order.
        keys: table of `blocking.keys.make_keys`.
        out: table to make: left_id, right_id (left_id < right_id), rule (position of the first rule that found the
            pair), rules (bit mask of all that did).

    Returns:
        One count per rule, in order.
    """
    blocks = f"{out}_blocks"
    _size_blocks(con, rules, keys, blocks)
    _find(con, keys, blocks, out, None)
    counts = _counts(con, rules, keys, blocks, out)
    con.execute(f"drop table {quote(blocks)}")
    return counts


def find_pairs(
    con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, keys: str, out: str, one_of: str | None = None
) -> None:
    """Make the table of candidate pairs as `make_pairs` does, without counting.

    If `one_of`, a table of profile_id, is given, only pairs with at least one of these.
    """
    blocks = f"{out}_blocks"
    _size_blocks(con, rules, keys, blocks)
    _find(con, keys, blocks, out, one_of)
    con.execute(f"drop table {quote(blocks)}")


def count_pairs(con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, keys: str, pairs: str) -> list[RuleCount]:
    """Return what each rule contributed to pairs that are there; the arguments are those of `make_pairs`."""
    blocks = f"{pairs}_blocks"
    _size_blocks(con, rules, keys, blocks)
    counts = _counts(con, rules, keys, blocks, pairs)
    con.execute(f"drop table {quote(blocks)}")
    return counts


def _find(con: DuckDBPyConnection, keys: str, blocks: str, out: str, one_of: str | None) -> None:
    first, sides = "l", "l.profile_id as left_id, r.profile_id as right_id"
    met = """
from members l
join members r on l.rule = r.rule and l.key = r.key and l.profile_id < r.profile_id"""
    if one_of is not None:
        first = "n"
        sides = "least(n.profile_id, o.profile_id) as left_id, greatest(n.profile_id, o.profile_id) as right_id"
        met = f"""
from (select * from members semi join {quote(one_of)} using (profile_id)) n
join members o on n.rule = o.rule and n.key = o.key and n.profile_id <> o.profile_id"""
    con.execute(f"""
create or replace table {quote(out)} as
with small as (
    select k.rule, k.key, k.profile_id
    from {quote(keys)} k
    join {quote(blocks)} b on k.rule = b.rule and k.key = b.key
    where b.size <= b.cap
),
{_split(keys, blocks)},
members as (
    select rule, key, profile_id from small
    union all
    select rule, hash(key, refine) as key, profile_id from split where size <= cap
)
select
    {sides},
    min({first}.rule) as rule,
    bit_or(cast(1 as ubigint) << {first}.rule) as rules{met}
group by left_id, right_id
order by left_id""")


def caps(rules: Sequence[BlockingRule]) -> str:
    """Return the cap of a block as SQL, by the number of its rule."""
    return f"case rule {' '.join(f'when {position} then {rule.cap}' for position, rule in enumerate(rules))} end"


def _size_blocks(con: DuckDBPyConnection, rules: Sequence[BlockingRule], keys: str, blocks: str) -> None:
    con.execute(f"""
create or replace temp table {quote(blocks)} as
with sized as (
    select rule, key, count(*) as size
    from {quote(keys)}
    group by rule, key
    having count(*) > 1
)
select rule, key, size, {caps(rules)} as cap
from sized""")


def _split(keys: str, blocks: str) -> str:
    return f"""split as (
    select
        k.rule, k.key, k.refine, k.profile_id, b.cap,
        count(*) over (partition by k.rule, k.key, k.refine) as size
    from {quote(keys)} k
    join {quote(blocks)} b on k.rule = b.rule and k.key = b.key
    where b.size > b.cap
)"""


def _counts(
    con: DuckDBPyConnection, rules: Sequence[BlockingRule], keys: str, blocks: str, pairs: str
) -> list[RuleCount]:
    sizes = dict[int, tuple[int, int]]()
    for rule, count, oversized in con.execute(
        f"select rule, count(*), count(*) filter (size > cap) from {quote(blocks)} group by rule"
    ).fetchall():
        sizes[rule] = (count, oversized)
    aside = dict(
        con.execute(f"""
with {_split(keys, blocks)}
select rule, count(distinct profile_id)
from split
where size > cap
group by rule""").fetchall()
    )
    found = ", ".join(f"count(*) filter (rules & {1 << p} <> 0)" for p in range(len(rules)))
    new = ", ".join(f"count(*) filter (rule = {p})" for p in range(len(rules)))
    (row,) = con.execute(f"select {found}, {new} from {quote(pairs)}").fetchall()
    n = len(rules)
    return [
        RuleCount(rule.name, sizes.get(p, (0, 0))[0], row[p], row[n + p], sizes.get(p, (0, 0))[1], aside.get(p, 0))
        for p, rule in enumerate(rules)
    ]
