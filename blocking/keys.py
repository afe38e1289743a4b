"""From profiles to blocking keys.

One row per profile, rule and key value. The key is a 64-bit hash of the parts, so the table is narrow whatever the
parts are; two different values that collide only cost one needless comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.rules import BlockingRule, parse_part
from blocking.sql import quote


def make_keys(
    con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, profiles: str, types: Mapping[str, str], out: str
) -> None:
    """Make the table of blocking keys.

    Args:
        con: DuckDB connection.
        rules: the rules, in order; a rule's position is its number in the table.
        profiles: table with `profile_id` and the columns the rules read.
        types: DuckDB type of each profile column (a type ending in `[]` is exploded).
        out: table to make: rule (position), key (hash of this and the values), refine (hash of the refining columns),
            profile_id; in order of key, so that a few blocks are found without reading the others.
    """
    queries = [
        key_query(position, alternative, rule.refine, profiles, types)
        for position, rule in enumerate(rules)
        for alternative in rule.keys
    ]
    con.execute(f"create or replace table {quote(out)} (rule utinyint, key ubigint, refine ubigint, profile_id bigint)")
    con.execute(f"insert into {quote(out)} select * from ({' union all '.join(queries)}) order by key")


def key_query(
    position: int, alternative: Sequence[str], refine: Sequence[str], profiles: str, types: Mapping[str, str]
) -> str:
    """Return the query that yields one alternative's keys (rule, key, refine, profile_id)."""
    found = key_parts(alternative, refine, profiles, types)
    return f"""
select distinct
    {position} as rule,
    hash({position}, {found.values}) as key,
    hash({found.refined or "''"}) as refine,
    profile_id
from ({found.source})
where {found.present}"""


@dataclass(frozen=True)
class KeyParts:
    """SQL for the parts of one alternative's keys, whatever they are hashed with.

    Attributes:
        source: query for the profiles, one row for every combination of the elements of their lists.
        present: condition that every part is there.
        values: the parts, separated by commas.
        refined: the refining columns as text, separated by commas; empty if there are none.
    """

    source: str
    present: str
    values: str
    refined: str


def key_parts(alternative: Sequence[str], refine: Sequence[str], profiles: str, types: Mapping[str, str]) -> KeyParts:
    """Return the parts of one alternative's keys.

    Nested `unnest` calls on separate parts give every combination of their elements.
    """
    parts = [parse_part(part) for part in alternative]
    read = dict.fromkeys(["profile_id", *(column for column, _ in parts), *refine])
    source = f"select {', '.join(map(quote, read))} from {quote(profiles)}"
    for column, _ in parts:
        if types[column].endswith("[]"):
            source = f"select * replace (unnest({quote(column)}) as {quote(column)}) from ({source})"
    return KeyParts(
        source,
        present=" and ".join(f"{quote(column)} is not null" for column, _ in parts),
        values=", ".join(
            f"cast({quote(column)} as varchar)" if length is None else f"left({quote(column)}, {length})"
            for column, length in parts
        ),
        refined=", ".join(f"coalesce(cast({quote(column)} as varchar), '')" for column in refine),
    )
