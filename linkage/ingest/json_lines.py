"""JSON Lines: one object a line, numbers kept as written, lists joined by `;`, anything nested as JSON text.

Objects need not have the same keys: the columns are known only when the whole file has been read, and each chunk
carries those seen so far.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from linkage.ingest.encoding import has_undecodable, text_blocks
from linkage.ingest.errors import IngestError
from linkage.ingest.readers import Chunk, Rejected, TextTable, header_of, text_chunk
from linkage.ingest.rendering import render
from linkage.ingest.undecodable import raw_json, separate_undecodable

# Numbers stay the digits they were written with.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def read_json_lines(path: Path, encoding: str) -> TextTable:
    """Open a JSON Lines file; its columns are known when its chunks have been read.

    Raises:
        IngestError: the file is one JSON array (now), or no line of it is a JSON object (when its chunks are read).
    """
    blocks = text_blocks(path, encoding)
    start = next(blocks, "")
    if start.lstrip().startswith("["):
        raise IngestError(
            path.name, "a JSON array", expectation="JSON Lines, one object a line", remedy="write one object a line"
        )
    titles: list[str] = []
    return TextTable("jsonl", None, _chunks(path, start, blocks, titles), encoding, late_titles=titles)


def _chunks(path: Path, start: str, blocks: Iterator[str], titles: list[str]) -> Iterator[Chunk]:
    first, objects = 1, 0
    for text in chain([start], blocks):
        batch = _Batch({title: [] for title in titles})
        for number, line in enumerate(io.StringIO(text, newline=""), start=first):
            batch.add(number, line)
            first = number + 1
        titles[:] = batch.columns
        objects += len(batch.numbers)
        yield batch.chunk(path.name)
    if first > 1 and not objects:
        raise IngestError(path.name, "no line is a JSON object", expectation="JSON Lines, one object a line")


@dataclass
class _Batch:
    """The rows of one block, column by column; a key first seen here is empty in the rows above."""

    columns: dict[str, list[str | None]]
    numbers: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, number: int, line: str) -> None:
        values = _values(line)
        if values is None:
            raw = raw_json({"text": line.rstrip("\r\n")})
            self.rejected.append(Rejected(number, *_reason(line), raw))
            return
        for title, value in values.items():
            if title not in self.columns:
                self.columns[title] = [None] * len(self.numbers)
            self.columns[title].append(value)
        self.numbers.append(number)
        for column in self.columns.values():
            if len(column) < len(self.numbers):
                column.append(None)

    def chunk(self, place: str) -> Chunk:
        if not self.columns:
            return Chunk(pa.table({"row": pa.array([], pa.int32())}), tuple(self.rejected))
        names = header_of(list(self.columns), place).names
        try:
            arrays = [pa.array(values, pa.string()) for values in self.columns.values()]
        except UnicodeEncodeError:
            separated = separate_undecodable(names, list(self.columns.values()), self.numbers)
            return Chunk(separated.table, (*self.rejected, *separated.rejected))
        return text_chunk(names, arrays, pa.array(self.numbers, pa.int32()), self.rejected)


def _values(line: str) -> dict[str, str | None] | None:
    """Return the object of a line as text values; None if the line is no JSON object."""
    try:
        parsed = _DECODER.decode(line.strip("\ufeff \t\r\n"))
        if not isinstance(parsed, dict):
            return None
        nested = [title for title, value in parsed.items() if isinstance(value, dict) or _has_nested(value)]
        if nested:
            exact = json.loads(line)
            parsed.update((title, exact[title]) for title in nested)
        return {title: render(value) for title, value in parsed.items()}
    except (ValueError, RecursionError):
        return None


def _has_nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(element, dict | list) for element in value)


def _reason(line: str) -> tuple[str, str]:
    if not line.strip():
        return "empty_row", "a blank line"
    if has_undecodable(line):
        return "undecodable_bytes", "bytes that the encoding does not allow"
    return "invalid_json", "not a JSON object"
