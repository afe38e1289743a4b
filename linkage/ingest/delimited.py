"""Delimited text (CSV): a fast path for clean blocks and a careful one for the others.

A block of text goes to pyarrow's CSV parser only if nothing about it is doubtful: every byte decodes, every quote
opens or closes a field, every row has the header's number of fields. Otherwise Python's `csv` reads it line by line: a
row that cannot be understood is rejected alone, with its text, and reading goes on with the next line, so that one
stray quote does not swallow what follows. On clean text the two give the same rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from linkage.ingest.encoding import has_undecodable, text_blocks
from linkage.ingest.errors import IngestError
from linkage.ingest.readers import Chunk, Header, Rejected, TextTable, header_of, row_numbers, text_chunk
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.undecodable import raw_json

DELIMITERS = (",", "\t", ";", "|")
_DETECTION_ROWS = 50
_QUOTE = ord('"')


def read_delimited(path: Path, config: SourceConfig, encoding: str) -> TextTable:
    """Open a CSV file.

    Args:
        path: the file.
        config: its source; delimiter and header row are taken from it.
        encoding: as chosen by `linkage.ingest.encoding.choose_encoding`.

    Raises:
        IngestError: there is no header row.
    """
    blocks = text_blocks(path, encoding)
    lines = _lines(next(blocks, ""))
    skipped = config.file.header_row - 1
    if len(lines) <= skipped or not "".join(lines).strip():
        raise IngestError(path.name, f"the file has no row {skipped + 1}", expectation="a header row")
    wanted = {name for names in config.mapped_columns().values() for name in names}
    wanted.update(config.key.source_record_id)
    delimiter = config.file.delimiter or detect_delimiter(lines[skipped : skipped + _DETECTION_ROWS], wanted)
    reader = csv.reader(lines[skipped:], delimiter=delimiter)
    try:
        header = header_of(next(reader), path.name)
    except csv.Error as error:
        raise IngestError(path.name, f"the header row cannot be read: {error}", expectation="column names") from error
    rest = "".join(lines[skipped + reader.line_num :])
    return TextTable("csv", header, _chunks(rest, blocks, header, delimiter), encoding, delimiter)


def detect_delimiter(lines: list[str], wanted: Iterable[str] = ()) -> str:
    """Return the delimiter under which the first lines look most like a table with the wanted columns.

    >>> detect_delimiter(["a;b", "1,5;2"])
    ';'
    """
    wanted = set(wanted)

    def score(delimiter: str) -> tuple[int, float, int]:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            return (0, 0.0, 0)
        titles = [title.strip() for title in rows[0]] if rows else []
        alike = sum(len(row) == len(titles) for row in rows) / len(rows) if len(titles) > 1 else 0.0
        return (len(wanted.intersection(titles)), alike, len(titles))

    return max(DELIMITERS, key=score)


def is_well_quoted(data: bytes, delimiter: str) -> bool:
    """Whether every quote opens a field, closes one, or is one of a doubled pair inside a quoted field."""
    array = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(array == _QUOTE)
    if len(quotes) % 2:
        return False
    edge = np.zeros(256, bool)
    edge[[ord(delimiter), ord("\n"), ord("\r"), _QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = array[opening[opening > 0] - 1]
    after = array[closing[closing < len(array) - 1] + 1]
    return bool(edge[before].all() and edge[after].all())


def parse_clean(text: str, header: Header, delimiter: str, first_row: int) -> Chunk | None:
    """Return the rows of a block of text, or None if anything about it is doubtful."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    if '"' in text and not is_well_quoted(data, delimiter):
        return None
    names = list(header.names)
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return Chunk(table.add_column(0, "row", row_numbers(first_row, table.num_rows)))


@dataclass
class _Careful:
    """What the careful path has made of a block so far."""

    row: int
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, reason: str, detail: str, raw: dict[str, object]) -> None:
        self.rejected.append(Rejected(self.row, reason, detail, raw_json(raw)))
        self.row += 1

    def keep(self, fields: list[str]) -> None:
        self.rows.append(fields)
        self.numbers.append(self.row)
        self.row += 1


def parse_careful(
    text: str, header: Header, delimiter: str, first_row: int, *, final: bool = True
) -> tuple[Chunk, int, str]:
    """Return the rows of a block, the number of the next row, and the text of a last row that is not complete.

    Args:
        text: whole lines.
        header: the columns.
        delimiter: of the file.
        first_row: number of the first row in the block.
        final: no text follows, so that a last row with an open quote is broken rather than incomplete.
    """
    state = _Careful(first_row)
    lines = _lines(text)
    undecodable = has_undecodable(text)
    at = 0
    while at < len(lines):
        at, is_open = _read_run(lines, at, header, delimiter, state, undecodable)
        if is_open and not final:
            break
        if at < len(lines):
            state.reject(*_broken(lines[at]))
            at += 1
    columns = [pa.array(column, pa.string()) for column in zip(*state.rows, strict=True)]
    columns = columns or [pa.array([], pa.string()) for _ in header.names]
    chunk = text_chunk(header.names, columns, pa.array(state.numbers, pa.int32()), state.rejected)
    return chunk, state.row, "".join(lines[at:])


def _read_run(
    lines: list[str], start: int, header: Header, delimiter: str, state: _Careful, undecodable: bool
) -> tuple[int, bool]:
    """Read rows until the text ends or a row breaks: the line it starts on, and whether it ran into the end."""
    exhausted = False

    def supply() -> Iterator[str]:
        nonlocal exhausted
        for index in range(start, len(lines)):
            yield lines[index]
        exhausted = True

    reader = csv.reader(supply(), delimiter=delimiter, strict=True)
    width = len(header.names)
    consumed = 0
    try:
        for fields in reader:
            span = reader.line_num - consumed
            fields = fields or [""] * width
            if len(fields) != width and span > 1:
                return start + consumed, False
            if undecodable and has_undecodable("".join(fields)):
                state.reject("undecodable_bytes", "bytes that the encoding does not allow", {"fields": fields})
            elif len(fields) != width:
                state.reject("wrong_field_count", f"{len(fields)} fields instead of {width}", {"fields": fields})
            else:
                state.keep(fields)
            consumed = reader.line_num
    except csv.Error:
        return start + consumed, exhausted
    return len(lines), False


def _broken(line: str) -> tuple[str, str, dict[str, object]]:
    text = line.rstrip("\r\n")
    if has_undecodable(text):
        return "undecodable_bytes", "bytes that the encoding does not allow", {"text": text}
    if len(text) > csv.field_size_limit():
        return "value_too_long", f"a line of {len(text)} characters", {"text": text}
    return "broken_quotes", "a quote that is never closed, or text after a closing quote", {"text": text}


def _chunks(rest: str, blocks: Iterator[str], header: Header, delimiter: str) -> Iterator[Chunk]:
    row, carried = 1, rest
    for block in blocks:
        text = carried + block
        carried = ""
        chunk = parse_clean(text, header, delimiter, row)
        if chunk is not None:
            row += chunk.table.num_rows
        else:
            chunk, row, carried = parse_careful(text, header, delimiter, row, final=False)
        yield chunk
    if carried:
        chunk = parse_clean(carried, header, delimiter, row)
        yield chunk if chunk is not None else parse_careful(carried, header, delimiter, row)[0]


def _lines(text: str) -> list[str]:
    """Split into lines at \\n, \\r and \\r\\n only, ends kept."""
    return list(io.StringIO(text, newline=""))
