"""Candidate pairs that come and go when profiles appear and vanish, without looking at the other blocks.

A profile that appears or vanishes changes the blocks that its keys name and no others. It brings or takes its own
pairs, which are found by joining its keys alone to these blocks. Pairs of others change only where a block is over its
cap, before or after: these are few, and paired whole. What such a pair is found by is read from all blocks that its two
sides share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.pairs import caps, find_pairs
from blocking.rules import BlockingRule
from blocking.sql import quote

# A key is a hash of the rule as well; by it alone the rows of a few blocks are found without reading the others.
_SAME_BLOCK = "k.key = b.key"


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


def make_changed_pairs(
    con: DuckDBPyConnection,
    rules: Sequence[BlockingRule],
    keys: KeyChange,
    *,
    after: str,
    changed: str,
    out: str,
) -> None:
    """Find the pairs that the changed blocks find otherwise than before.

    Args:
        con: DuckDB connection.
        rules: the rules the keys were made with.
        keys: which keys come and go.
        after: all keys, as they are now, as SQL to select from.
        changed: temporary table to make: left_id, right_id of the pairs that come, go or are found by other rules.
        out: temporary table to make: of these the ones that are still found, as `blocking.pairs.make_pairs` has them.
    """
    _find_touched_blocks(con, keys)
    find_pairs(con, rules, keys="keys_before", one_of="profile_going", out="pairs_going")
    find_pairs(con, rules, keys="keys_after", one_of="profile_coming", out="pairs_coming")
    _find_others(con, rules, after=after)
    con.execute(f"""
create or replace temp table {quote(changed)} as
select left_id, right_id from pairs_going
union
select left_id, right_id from pairs_coming
union all
select left_id, right_id from pairs_otherwise""")
    con.execute(f"""
create or replace temp table {quote(out)} as
select left_id, right_id, rule, rules from pairs_coming
union all
select left_id, right_id, rule, rules from pairs_shared semi join pairs_otherwise using (left_id, right_id)""")
    for table in (
        *("keys_before", "keys_after", "profile_coming", "profile_going"),
        *("pairs_going", "pairs_coming", "pairs_otherwise", "pairs_shared"),
    ):
        con.execute(f"drop table {table}")


def _find_touched_blocks(con: DuckDBPyConnection, keys: KeyChange) -> None:
    """Make the blocks that change: `keys_before`, `keys_after`, `profile_coming` and `profile_going` (profile_id)."""
    con.execute(f"create or replace temp table keys_going as select * from {keys.going}")
    con.execute(f"create or replace temp table profile_coming as select distinct profile_id from {keys.coming}")
    con.execute("create or replace temp table profile_going as select distinct profile_id from keys_going")
    con.execute(f"""
create or replace temp table touched_block as
select rule, key from {keys.coming}
union
select rule, key from keys_going""")
    con.execute(f"""
create or replace temp table keys_before as
select k.*
from {keys.before} k
semi join touched_block b on {_SAME_BLOCK}""")
    con.execute(f"""
create or replace temp table keys_after as
select * from keys_before anti join profile_going using (profile_id)
union all
select * from {keys.coming}""")
    for table in ("touched_block", "keys_going"):
        con.execute(f"drop table {table}")


def _find_others(con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, after: str) -> None:
    """Make `pairs_otherwise` (left_id, right_id), the changed pairs of which no side came or went, and `pairs_shared`.

    In `pairs_shared` are all pairs of the blocks that two sides of these share, as they are now.
    """
    con.execute(f"""
create or replace temp table block_over_cap as
select distinct rule, key
from (
    select rule, key, count(*) as size from keys_before group by rule, key
    union all
    select rule, key, count(*) from keys_after group by rule, key
)
where size > {caps(rules)}""")
    for state in ("before", "after"):
        con.execute(f"""
create or replace temp table keys_over_{state} as
select k.*
from keys_{state} k
semi join block_over_cap b on {_SAME_BLOCK}""")
        find_pairs(con, rules, keys=f"keys_over_{state}", out=f"pairs_over_{state}")
    con.execute("""
create or replace temp table pairs_otherwise as
select left_id, right_id
from pairs_over_before b
full join pairs_over_after a using (left_id, right_id)
where a.rules is distinct from b.rules""")
    for gone in ("pairs_going", "pairs_coming"):
        con.execute(
            f"delete from pairs_otherwise where (left_id, right_id) in (select (left_id, right_id) from {gone})"
        )
    con.execute(f"""
create or replace temp table keys_of_ends as
with ends as (
    select left_id as profile_id from pairs_otherwise
    union
    select right_id from pairs_otherwise
)
select * from {after} semi join ends using (profile_id)""")
    con.execute("""
create or replace temp table shared_block as
select distinct l.rule, l.key
from pairs_otherwise c
join keys_of_ends l on c.left_id = l.profile_id
join keys_of_ends r on c.right_id = r.profile_id and l.rule = r.rule and l.key = r.key""")
    con.execute(f"""
create or replace temp table keys_shared as
select k.*
from {after} k
semi join shared_block b on {_SAME_BLOCK}""")
    find_pairs(con, rules, keys="keys_shared", out="pairs_shared")
    for table in (
        *("block_over_cap", "keys_over_before", "keys_over_after", "pairs_over_before", "pairs_over_after"),
        *("keys_of_ends", "shared_block", "keys_shared"),
    ):
        con.execute(f"drop table {table}")
