"""Rows whose text is no text: written out as JSON, and in typed formats set aside one by one, the others kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa

from linkage.ingest.encoding import escape_undecodable, has_undecodable
from linkage.ingest.readers import Chunk, Rejected, text_chunk


def separate_undecodable(names: Sequence[str], columns: Sequence[Sequence[str | None]], rows: Sequence[int]) -> Chunk:
    """Return a chunk of the rows that are text, and reject those with bytes (or surrogates) that are none.

    Args:
        names: column names.
        columns: one list of values per column, equally long.
        rows: the number of each row.
    """
    kept: list[tuple[str | None, ...]] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for number, values in zip(rows, zip(*columns, strict=True), strict=True):
        bad = [name for name, value in zip(names, values, strict=True) if value and has_undecodable(value)]
        if bad:
            raw = raw_json(dict(zip(names, values, strict=True)))
            detail = f"column '{bad[0]}' holds bytes that are not text"
            rejected.append(Rejected(number, "undecodable_bytes", detail, raw))
        else:
            kept.append(values)
            numbers.append(number)
    arrays = [pa.array(column, pa.string()) for column in zip(*kept, strict=True)]
    arrays = arrays or [pa.array([], pa.string()) for _ in names]
    return text_chunk(names, arrays, pa.array(numbers, pa.int32()), rejected)


def raw_json(row: Mapping[str, object]) -> str:
    """Return a row (column name to text, or `text` or `fields` to what was read) as JSON text of valid Unicode."""
    return json.dumps({name: _written_out(value) for name, value in row.items()}, ensure_ascii=False)


def _written_out(value: object) -> object:
    if isinstance(value, list):
        return [_written_out(element) for element in value]
    return escape_undecodable(value) if isinstance(value, str) else value
