"""Blocking keys that mean the same in another process, month and library version, to find candidates of one record.

The batch's own keys (`blocking.keys`) are DuckDB's hashes, which may differ between its versions. Here a key is the
lower half of an MD5 over the rule's name and the parts, in SQL for a table of profiles and in Python for one row.

Invariant: two rows share a stable key of a rule if and only if they share a key of it in the batch (hash collisions
aside), and both halves of this module give the same numbers; a test holds them to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.keys import key_parts
from blocking.rules import BlockingRule, parse_part
from blocking.sql import quote

_SEPARATOR = "\x1f"
_POSITIVE = (1 << 63) - 1
_FEW = 200  # profiles whose keys are sooner made one by one than by a query for each rule


def make_stable_keys(
    con: DuckDBPyConnection, rules: Sequence[BlockingRule], *, profiles: str, types: Mapping[str, str], out: str
) -> None:
    """Make the table of stable keys.

    Args:
        con: DuckDB connection.
        rules: the rules.
        profiles: table with `profile_id` and the columns the rules read.
        types: DuckDB type of each column (a type ending in `[]` is exploded).
        out: temporary table to make: key, refine (0 for a rule without refining columns), profile_id; a row is repeated
            where alternatives, or elements of a list, give the same key.
    """
    con.execute(f"create or replace temp table {quote(out)} (key bigint, refine bigint, profile_id bigint)")
    ((count,),) = con.execute(f"select count(*) from {quote(profiles)}").fetchall()
    if count <= _FEW:
        _keys_of_few(con, rules, profiles, out)
        return
    for rule in rules:
        for alternative in rule.keys:
            con.execute(f"insert into {quote(out)} " + _key_query(rule, alternative, profiles, types))


def row_keys(rule: BlockingRule, row: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield the (key, refine) pairs of one standardised row under one rule, each once.

    >>> rule = BlockingRule(name="phone", keys=(("phone_numbers",),))
    >>> [refine for _, refine in row_keys(rule, {"phone_numbers": ("1", "2")})]
    [0, 0]
    """
    refine = _hash([_text(row.get(column)) or "" for column in rule.refine]) if rule.refine else 0
    seen: set[int] = set()
    for alternative in rule.keys:
        values = [_values(row, part) for part in alternative]
        for parts in product(*values):
            key = _hash([rule.name, *parts])
            if key not in seen:
                seen.add(key)
                yield key, refine


def _keys_of_few(con: DuckDBPyConnection, rules: Sequence[BlockingRule], profiles: str, out: str) -> None:
    read = sorted({"profile_id", *(column for rule in rules for column in rule.columns())})
    rows = con.execute(f"select {', '.join(map(quote, read))} from {quote(profiles)}").fetchall()
    found = {
        (key, refine, row["profile_id"])
        for row in (dict(zip(read, values, strict=True)) for values in rows)
        for rule in rules
        for key, refine in row_keys(rule, row)
    }
    columns = [pa.array([one[place] for one in sorted(found)], pa.int64()) for place in range(3)]
    con.register("stable_keys_found", pa.table(columns, names=["key", "refine", "profile_id"]))
    con.execute(f"insert into {quote(out)} select key, refine, profile_id from stable_keys_found")
    con.unregister("stable_keys_found")


def _values(row: Mapping[str, Any], part: str) -> list[str]:
    column, length = parse_part(part)
    value = row.get(column)
    elements = value if isinstance(value, tuple | list) else (value,)
    return [text[:length] for text in map(_text, elements) if text is not None]


def _text(value: Any) -> str | None:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(str(element) for element in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _hash(parts: Sequence[str]) -> int:
    digest = hashlib.md5(_SEPARATOR.join(parts).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") & _POSITIVE


def _key_query(rule: BlockingRule, alternative: Sequence[str], profiles: str, types: Mapping[str, str]) -> str:
    found = key_parts(alternative, rule.refine, profiles, types)
    name = rule.name.replace("'", "''")
    return f"""
select
    {_hash_sql(f"'{name}', {found.values}")} as key,
    {_hash_sql(found.refined) if found.refined else "0"} as refine,
    profile_id
from ({found.source})
where {found.present}"""


def _hash_sql(values: str) -> str:
    # What `md5_number_lower` gives, which takes the way through texts of bits and four times as long.
    return f"cast((md5_number(concat_ws(chr(31), {values})) >> 64) & {_POSITIVE} as bigint)"
