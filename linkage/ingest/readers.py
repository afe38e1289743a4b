"""Any file to batches of text: what every reader yields, and which reader a file needs.

A reader yields `Chunk`s: rows that could be told apart into columns, as Arrow text, and rows that could not, each with
its reason. Every data row of the file is in exactly one of the two, under its number (1 for the first row after the
header). Values are the text of the file, nothing trimmed or repaired; an empty value is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.ingest.encoding import escape_undecodable
from linkage.ingest.errors import IngestError, nearest
from linkage.ingest.source_config import Format
from matchers.column_titles import are_values, seen_columns

Progress = Callable[[int], None]

ROW = "row"
MAX_COLUMNS = 2000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_EXTENSIONS: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".dat": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
# What a file's first bytes say it is: the format, or for files that are not read, a name and a way out.
_SIGNATURES: tuple[tuple[bytes, Format | None, str], ...] = (
    (b"PAR1", "parquet", "Parquet"),
    (b"PK\x03\x04", "xlsx", "XLSX (a zip archive)"),
    (b"\xd0\xcf\x11\xe0", "xlsx", "XLS"),
    (b"%PDF", None, "PDF"),
    (b"\x1f\x8b", None, "gzip"),
    (b"Rar!", None, "RAR"),
    (b"7z\xbc\xaf", None, "7-Zip"),
    (b"\x89PNG", None, "PNG image"),
    (b"\xff\xd8\xff", None, "JPEG image"),
    (b"SQLite format 3", None, "SQLite"),
)


@dataclass(frozen=True)
class Rejected:
    """A row that could not be told apart into columns.

    Attributes:
        row: its number.
        reason: a code of `linkage.ingest.quarantine.REASONS`.
        detail: what was found, in words, without any value.
        raw: the row as JSON text.
    """

    row: int
    reason: str
    detail: str
    raw: str


@dataclass(frozen=True)
class Chunk:
    """A run of rows: an Arrow table of `row` (int32) and text columns, and the rows that did not fit into it."""

    table: pa.Table
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class Header:
    """The columns of a file.

    Attributes:
        names: unique names, safe as column names, in file order.
        by_title: the title in the file to its name (the first of several).
        repeated: titles that occur more than once.
    """

    names: tuple[str, ...]
    by_title: dict[str, str]
    repeated: frozenset[str]


@dataclass(frozen=True)
class TextTable:
    """A file opened for reading.

    Attributes:
        format: csv, xlsx, jsonl or parquet.
        header: its columns; None where only reading the whole file tells (JSON Lines).
        chunks: the rows, once.
        encoding: how its text is encoded, for text formats.
        delimiter: for CSV.
        late_titles: where there is no header, the titles seen; complete when the chunks have been read.
    """

    format: Format
    header: Header | None
    chunks: Iterator[Chunk]
    encoding: str | None = None
    delimiter: str | None = None
    late_titles: list[str] | None = None


def choose_format(path: Path, head: bytes, given: Format | None) -> Format:
    """Return the format of a file, from configuration or extension, checked against its first bytes.

    Raises:
        IngestError: the extension is unknown, or the content is something else.
    """
    declared = given or _EXTENSIONS.get(path.suffix.lower())
    if declared is None:
        raise IngestError(
            path.name,
            f"unknown extension '{path.suffix}'",
            expectation="csv, tsv, txt, xlsx, xls, jsonl or parquet",
            remedy="rename the file, or set format under [file]",
        )
    for signature, format_, title in _SIGNATURES:
        if head.startswith(signature) and format_ != declared:
            remedy = f'set format = "{format_}" under [file]' if format_ else "unpack it or export it as CSV"
            raise IngestError(path.name, f"the content is {title}", expectation=declared, remedy=remedy)
    if declared in ("parquet", "xlsx") and not any(head.startswith(s) for s, f, _ in _SIGNATURES if f == declared):
        raise IngestError(
            path.name,
            f"the content is not {declared.upper()}: its signature is missing",
            expectation=declared,
            remedy="ask for the file again, or set the format it really has under [file]",
        )
    return declared


def header_of(titles: Sequence[Any], place: str) -> Header:
    """Return unique, safe column names for the titles of a file.

    A blank title becomes `column_<position>`, a repeated one gets its number; DuckDB does not tell case apart, so
    neither does this. The name `row` is ours.

    Raises:
        IngestError: there are no titles, or more than a table can have.
    """
    texts = [str(title).strip().strip("\ufeff\u200b").strip() if title is not None else "" for title in titles]
    if not any(texts):
        raise IngestError(place, "the header row is blank", remedy="set header_row under [file]")
    if len(texts) > MAX_COLUMNS:
        raise IngestError(place, f"{len(texts)} columns", expectation=f"at most {MAX_COLUMNS}, as of a table")
    names: list[str] = []
    by_title: dict[str, str] = {}
    taken = {ROW}
    for position, title in enumerate(texts, start=1):
        base = name = _UNPRINTABLE.sub("·", escape_undecodable(title))[:200] or f"column_{position}"
        number = 2
        while name.casefold() in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name.casefold())
        names.append(name)
        if title:
            by_title.setdefault(title, name)
    repeated = frozenset(title for title in by_title if texts.count(title) > 1)
    return Header(tuple(names), by_title, repeated)


def text_chunk(
    names: Sequence[str], columns: Sequence[pa.Array], rows: pa.Array, rejected: Iterable[Rejected] = ()
) -> Chunk:
    """Return a chunk of text columns, empty texts made null."""
    blanked = [pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) for column in columns]
    return Chunk(pa.table([rows, *blanked], names=[ROW, *names]), tuple(rejected))


def row_numbers(first: int, count: int) -> pa.Array:
    """Return the numbers of consecutive rows."""
    return pa.array(np.arange(first, first + count, dtype=np.int32))


def missing_column(place: str, wanted: str, header: Header) -> IngestError:
    """Return the error of a column that the configuration names and the file lacks.

    A row of which at most half of the columns have a title is taken for a heading above the column names.
    """
    seen = list(header.by_title)
    near = nearest(wanted, seen)
    hint = f"did you mean '{near}'? " if near else ""
    if are_values(seen):
        hint = ""
    elif len(seen) * 2 <= len(header.names) or (len(seen) == 1 and wanted not in seen[0]):
        hint = "if that row is a heading and the column names stand below it, set header_row under [file]; else "
    return IngestError(
        place,
        f"column '{wanted}' is missing ({seen_columns(seen)})",
        expectation="every column the source configuration names; without one, the canonical columns",
        remedy=f"{hint}correct the file, or map its columns with a source configuration (docs/configuration.md)",
    )
