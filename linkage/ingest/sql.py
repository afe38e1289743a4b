"""Small pieces of DuckDB SQL that ingest's steps share: names, values, blank texts, dates."""

from __future__ import annotations

from pathlib import Path

import duckdb

# What a cell that looks empty may hold: spaces of all widths, tabs, line ends, zero-width marks.
_BLANKS = " \t\r\n\v\f\u00a0\u2002\u2003\u2007\u2009\u200b\u200c\u200d\u202f\u2060\u3000\ufeff"
EARLIEST_YEAR = 1800


def connect(temp: Path) -> duckdb.DuckDBPyConnection:
    """Return an in-memory connection that spills to a folder and sees no Python variables."""
    con = duckdb.connect(config={"python_enable_replacements": False, "preserve_insertion_order": True})
    con.execute(f"set temp_directory = {literal(str(temp))}")
    return con


def quote(name: str) -> str:
    """Return an SQL identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def table_name(name: str) -> str:
    """Return an SQL reference to a table, whose name may be qualified by a schema."""
    return ".".join(quote(part) for part in name.split("."))


def literal(text: str) -> str:
    """Return an SQL string literal, for the places where DuckDB takes no parameter."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def parquet(*paths: Path, path_column: str | None = None) -> str:
    """Return a table expression that reads Parquet files, exactly these (no name is a pattern).

    Args:
        paths: the files.
        path_column: name of a further column with a row's path.
    """
    escaped = (literal(str(path).translate({ord(c): f"[{c}]" for c in "*?["})) for path in paths)
    beside = f", filename = {literal(path_column)}" if path_column else ""
    return f"read_parquet([{', '.join(escaped)}]{beside})"


def trimmed(value: str) -> str:
    """Return the value without blanks at its ends, null if nothing is left."""
    # Trimming a set of characters is slow in DuckDB; most values need none.
    clean = f"{_starts_visibly(value)} and {_starts_visibly(f'right({value}, 1)')}"
    return f"case when {clean} then {value} else nullif(trim({value}, {literal(_BLANKS)}), '') end"


def _starts_visibly(value: str) -> str:
    invisible = ", ".join(str(ord(character)) for character in _BLANKS if character > " ")
    return f"(unicode({value}) > 32 and unicode({value}) not in ({invisible}))"


def iso_date(value: str) -> str:
    """Return the value as an ISO date text, null if it is not a possible date.

    Understands 2025-01-31, 2025/1/31, 2025.1.31, 2025年1月31日 and 20250131, each with or without a time after it. A
    date without a day or month counts from the first.
    """
    text = f"trim({value}, {literal(_BLANKS)})"
    plain = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    clock = r"(?:[ T].*)?"
    split = rf"^(\d{{4}})(?:[-/.年](\d{{1,2}})(?:[-/.月](\d{{1,2}}))?)?[年月日]?{clock}$"
    solid = rf"^(\d{{4}})(\d{{2}})(\d{{2}}){clock}$"
    parts = f"regexp_extract({text}, {literal(split)}, ['y', 'm', 'd'])"
    packed = f"regexp_extract({text}, {literal(solid)}, ['y', 'm', 'd'])"
    return (
        f"case when regexp_matches({value}, {literal(plain)}) then"
        f" case when {value} >= '{EARLIEST_YEAR}' then try_cast({value} as date)::varchar end"
        f" when regexp_matches({text}, {literal(solid)}) then {_checked(packed)}"
        f" when regexp_matches({text}, {literal(split)}) then {_checked(parts)} end"
    )


def _checked(parts: str) -> str:
    pieces = (
        f"coalesce(nullif({parts}['{part}'], ''), '{empty}')" for part, empty in (("y", "0"), ("m", "1"), ("d", "1"))
    )
    year, month, day = (f"{piece}::integer" for piece in pieces)
    joined = f"printf('%04d-%02d-%02d', {year}, {month}, {day})"
    return f"case when {year} >= {EARLIEST_YEAR} then try_cast({joined} as date)::varchar end"
