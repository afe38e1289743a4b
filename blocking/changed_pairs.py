"""Candidate pairs that come and go when profiles appear and vanish, without looking at the other blocks.

A profile that appears or vanishes changes the blocks that its keys name and no others: it pairs with their members, and
may push a block over its cap or bring it back under. What a pair is found by is read from all blocks that its two sides
share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.pairs import make_pairs
from blocking.rules import BlockingRule
from blocking.sql import quote

_SAME_BLOCK = "k.rule = b.rule and k.key = b.key"


@dataclass(frozen=True)
class KeyChange:
    """Blocking keys before and after profiles appeared and vanished, each as SQL to select from.

    Attributes:
        before: keys of `blocking.keys.make_keys`, as they were.
        coming: those of the profiles that appeared.
        going: those of the profiles that vanished.
    """

    before: str
    coming: str
    going: str


def find_touched_blocks(con: DuckDBPyConnection, keys: KeyChange) -> tuple[int, int]:
    """Make the temporary tables `keys_before` and `keys_after`, of the blocks that change; return their numbers."""
    con.execute(f"""
create or replace temp table touched_block as
select rule, key from {keys.coming}
union
select rule, key from {keys.going}""")
    con.execute(f"""
create or replace temp table keys_before as
select k.*
from {keys.before} k
semi join touched_block b on {_SAME_BLOCK}""")
    con.execute(f"""
create or replace temp table keys_after as
select * from keys_before anti join (select profile_id from {keys.going}) using (profile_id)
union all
select * from {keys.coming}""")
    con.execute("drop table touched_block")
    (sizes,) = con.execute("select (select count(*) from keys_before), (select count(*) from keys_after)").fetchall()
    return int(sizes[0]), int(sizes[1])


def drop_touched_blocks(con: DuckDBPyConnection) -> None:
    """Drop the tables of `find_touched_blocks`."""
    for table in ("keys_before", "keys_after"):
        con.execute(f"drop table {table}")


def make_changed_pairs(
    con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, after: str, changed: str, out: str
) -> None:
    """Find the pairs that the changed blocks find otherwise than before.

    Args:
        con: DuckDB connection with the tables of `find_touched_blocks`, which are dropped.
        rules: the rules the keys were made with.
        after: all keys, as they are now, as SQL to select from.
        changed: temporary table to make: left_id, right_id of the pairs that come, go or are found by other rules.
        out: temporary table to make: of these the ones that are still found, as `blocking.pairs.make_pairs` has them.
    """
    for state in ("before", "after"):
        make_pairs(con, rules, keys=f"keys_{state}", out=f"pairs_{state}")
    con.execute(f"""
create or replace temp table {quote(changed)} as
select left_id, right_id
from pairs_before b
full join pairs_after a using (left_id, right_id)
where a.rules is distinct from b.rules""")
    con.execute(f"""
create or replace temp table keys_of_ends as
with ends as (
    select left_id as profile_id from {quote(changed)}
    union
    select right_id from {quote(changed)}
)
select * from {after} semi join ends using (profile_id)""")
    con.execute(f"""
create or replace temp table shared_block as
select distinct l.rule, l.key
from {quote(changed)} c
join keys_of_ends l on c.left_id = l.profile_id
join keys_of_ends r on c.right_id = r.profile_id and l.rule = r.rule and l.key = r.key""")
    con.execute(f"""
create or replace temp table keys_shared as
select k.*
from {after} k
semi join shared_block b on {_SAME_BLOCK}""")
    make_pairs(con, rules, keys="keys_shared", out="pairs_shared")
    con.execute(f"""
create or replace temp table {quote(out)} as
select p.*
from pairs_shared p
semi join {quote(changed)} c on p.left_id = c.left_id and p.right_id = c.right_id""")
    drop_touched_blocks(con)
    for table in ("keys_of_ends", "shared_block", "keys_shared", "pairs_before", "pairs_after", "pairs_shared"):
        con.execute(f"drop table {table}")
