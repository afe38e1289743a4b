"""A hash of values in DuckDB, good enough to tell values apart by it: 64 bits.

DuckDB's own hash takes a text eight bytes at a time, and the last byte of one part can undo that of the part before: of
the texts that differ in these bytes alone, such as 宝安30区3栋102 and 宝安37区3栋402, one pair in 256 shares it (fifty
pairs of a quarter of a million rooms did). So a text is hashed twice, the second time four bytes further on, where the
bytes that were last stand in the middle.
"""

from __future__ import annotations

from typing import Final

NULL_HASH: Final = 0
"""What `hash_sql` gives for null, whatever the type."""

_SHIFT: Final = "::::"
_NO_TEXTS: Final = frozenset({"boolean", "tinyint", "smallint", "integer", "bigint", "float", "double", "date"})


def hash_sql(value: str, type_: str) -> str:
    """Return a DuckDB expression for the hash of a value, a UBIGINT; equal values of one type have the same.

    Args:
        value: the value as SQL.
        type_: its DuckDB type, no list; whatever is no number is hashed as a text.

    >>> hash_sql("age", "integer")
    'xor(hash(age), hash(null))'
    """
    again = "null" if type_.lower() in _NO_TEXTS else f"'{_SHIFT}' || {value}"
    return f"xor(hash({value}), hash({again}))"
