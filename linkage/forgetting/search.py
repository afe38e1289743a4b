"""Looking for values in everything a workspace holds: cells of tables, and bytes of files.

A value that begins or ends with a Latin letter or a digit is found only where no other one stands beside it: a
telephone number is not found inside a longer number. Bytes are searched in the encodings that files here can have;
values so short that chance would find them in compressed data are left to the search of cells.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from linkage.ingest.sql import quote

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
_BATCH = 200
_SHORTEST_BYTES, _SHORTEST_DIGITS, _SHORTEST_ASCII = 6, 11, 8
_WORD = "0-9A-Za-z"
_BEFORE, _AFTER = f"(?:^|[^{_WORD}])", f"(?:$|[^{_WORD}])"


def search_cells(con: duckdb.DuckDBPyConnection, table: str, values: Sequence[str]) -> tuple[int, Counter[str]]:
    """Return the number of rows of a table, and how often each value was found in its text cells.

    Args:
        con: connection.
        table: table expression, as it stands in `from`.
        values: what to look for.
    """
    described = con.execute(f"describe select * from {table}").fetchall()
    texts = [
        f"{quote(name)}::varchar" for name, kind, *_ in described if kind.startswith(("VARCHAR", "STRUCT", "JSON"))
    ]
    names = {name for name, *_ in described}
    if {"source", "source_record_id"} <= names:
        texts.append("source || ':' || source_record_id")
    (rows,) = con.execute(f"select count(*) from {table}").fetchall()[0]
    found: Counter[str] = Counter()
    if not texts or not values:
        return rows, found
    cells = f"select concat_ws(chr(10), {', '.join(texts)}) as cells from {table}"
    matches = f"select unnest(regexp_extract_all(cells, ?, 1)) as value from ({cells})"
    for pattern in _patterns(values):
        counted = con.execute(f"select value, count(*) from ({matches}) group by value", [pattern]).fetchall()
        found.update(dict(counted))
    return rows, found


def search_bytes(path: Path, values: Iterable[str]) -> set[str]:
    """Return the values whose bytes stand in a file, in any of the encodings."""
    if not path.stat().st_size:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return {value for value in values if any(_stands(content, value, form) for form in _forms(value))}


def parquet_or_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the members of a zipped file (XLSX among them)."""
    import zipfile

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def stands_in(content: bytes, value: str) -> bool:
    """Say whether a value's bytes stand in some content, in any of the encodings."""
    return any(content.find(form) >= 0 for form in _forms(value))


def _stands(content: mmap.mmap, value: str, form: bytes) -> bool:
    at = content.find(form)
    while at >= 0:
        if len(value) > 2 or not _beside_han(content, at, len(form)):
            return True
        at = content.find(form, at + 1)
    return False


def _beside_han(content: mmap.mmap, at: int, size: int) -> bool:
    """Say whether another Chinese character stands beside a short name in UTF-8: then it is part of a longer word."""
    before, after = content[max(at - 3, 0) : at], content[at + size : at + size + 3]
    return any(b"\xe4\xb8\x80" <= beside <= b"\xe9\xbf\xbf" for beside in (before, after) if len(beside) == 3)


def _forms(value: str) -> list[bytes]:
    if value.isascii() and len(value) < (_SHORTEST_DIGITS if value.isdigit() else _SHORTEST_ASCII):
        return []
    forms = dict.fromkeys(value.encode(encoding, "ignore") for encoding in ENCODINGS)
    return [form for form in forms if len(form) >= _SHORTEST_BYTES]


def _patterns(values: Sequence[str]) -> Iterator[str]:
    """Yield regular expressions that find values, each as group 1; longer values come first."""
    for before in (False, True):
        for after in (False, True):
            ours = sorted(
                (v for v in values if (_is_word(v[0]), _is_word(v[-1])) == (before, after)),
                key=lambda v: (-len(v), v),
            )
            for start in range(0, len(ours), _BATCH):
                listed = "|".join(_escaped(value) for value in ours[start : start + _BATCH])
                yield f"{_BEFORE if before else ''}({listed}){_AFTER if after else ''}"


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _escaped(value: str) -> str:
    return re.sub(r"([\\.^$|()\[\]{}*+?])", r"\\\1", value)
