"""XLSX (and XLS) sheets: cells as text, from the header row down to the last row with anything in it.

Cells formatted as text arrive as written. Numeric cells hold floats: an 18-digit number in one has lost its last
digits before it comes here. The calamine reader gives a cell that shows an error (`#N/A`) as an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from linkage.ingest.errors import IngestError, nearest
from linkage.ingest.readers import Chunk, Header, TextTable, header_of, row_numbers, text_chunk
from linkage.ingest.rendering import render
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.undecodable import separate_undecodable

BATCH_ROWS = 50_000


def read_spreadsheet(path: Path, config: SourceConfig) -> TextTable:
    """Open a sheet of a workbook.

    Raises:
        IngestError: the workbook is cut off, locked or not one, or has no such sheet or header row.
    """
    sheet = _sheet(path, config.file.sheet)
    skipped = config.file.header_row - 1
    rows = sheet.iter_rows()
    titles = next(islice(rows, skipped, None), None)
    if titles is None:
        raise IngestError(
            f"{path.name}, sheet '{sheet.name}'", f"the sheet has no row {skipped + 1}", expectation="a header row"
        )
    header = header_of([render(title) for title in titles], f"{path.name}, sheet '{sheet.name}'")
    return TextTable("xlsx", header, _chunks(rows, header))


def _sheet(path: Path, name: str | None) -> CalamineSheet:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
        if name is not None and name not in names:
            near = nearest(name, names)
            raise IngestError(
                path.name,
                f"no sheet '{name}' (sheets: {', '.join(names)})",
                remedy=f"did you mean '{near}'?" if near else "correct sheet under [file]",
            )
        return workbook.get_sheet_by_name(name) if name is not None else workbook.get_sheet_by_index(0)
    except (CalamineError, ValueError, OSError) as error:
        raise IngestError(
            path.name,
            f"the workbook cannot be read: {error}",
            expectation="a complete, unlocked XLSX file",
            remedy="the file may be cut off: open it in a spreadsheet program and save it again, or ask for it again",
        ) from error


def _chunks(rows: Iterator[list[Any]], header: Header) -> Iterator[Chunk]:
    width = len(header.names)
    first = 1
    blank: list[list[str | None]] = []
    while batch := list(islice(rows, BATCH_ROWS)):
        texts = blank + [[render(cell) for cell in row[:width]] + [None] * (width - len(row)) for row in batch]
        blank = []
        # Rows below the last one with content are formatting, not data.
        while texts and not any(texts[-1]):
            blank.append(texts.pop())
        if texts:
            yield _chunk(texts, header, first)
            first += len(texts)


def _chunk(texts: list[list[str | None]], header: Header, first: int) -> Chunk:
    numbers = row_numbers(first, len(texts))
    columns = [list(column) for column in zip(*texts, strict=True)]
    try:
        return text_chunk(header.names, [pa.array(column, pa.string()) for column in columns], numbers)
    except UnicodeEncodeError:
        return separate_undecodable(header.names, columns, range(first, first + len(texts)))
