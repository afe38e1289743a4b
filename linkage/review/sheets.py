"""Cases as a file that a person can fill in, and the file read back: XLSX with lists to choose from, or JSON Lines.

A row is a case: what the two records say, as far as the reader may see it, then the columns to fill in: `ruling`,
`record` (of not_here: left or right), `reason`, `note`. `version` says on which state of the case the row rests.

Texts are written as texts: no value of a department becomes a formula.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from golden_records.opinions import CHOICES
from linkage.durable import write_whole
from linkage.errors import LinkageError

FILLED_IN = ("ruling", "record", "reason", "note")
CASE = (
    "case_id",
    "version",
    "entity_type",
    "kind",
    "state",
    "opened",
    "weight",
    "probability",
    "rule",
    "left_record",
    "right_record",
    "left_entity",
    "right_entity",
)
# As people write them → the ruling.
_WRITTEN = {
    "同一主体": "same",
    "不是同一主体": "different",
    "记录不属于本主体": "not_here",
    "无法判断": "cannot_tell",
    "not-here": "not_here",
    "cannot-tell": "cannot_tell",
}
_SHEET, _HELP = "cases", "help"
_WIDTHS = {"case_id": 25, "version": 18, "note": 40, "ruling": 14, "reason": 20, "record": 10}


def write_cases(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], reasons: Sequence[str]) -> None:
    """Write cases, to be filled in.

    Args:
        path: `.xlsx`, else JSON Lines.
        rows: one mapping a case.
        columns: the columns before those to fill in.
        reasons: the codes a reason may have.

    Raises:
        LinkageError: the file cannot be written.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            _write_workbook(path, rows, [*columns, *FILLED_IN], reasons)
        else:
            lines = (json.dumps({**row, **dict.fromkeys(FILLED_IN)}, ensure_ascii=False) + "\n" for row in rows)
            write_whole(path, "".join(lines))
    except OSError as error:
        raise LinkageError(
            f"{path}: cannot be written ({error.strerror}); name a file in a folder you may write"
        ) from error


def read_cases(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield row number (as a person counts them in the file) and filled-in row; rows without a ruling are left out.

    Raises:
        LinkageError: the file cannot be read, or lacks a column.
    """
    if not path.exists():
        raise LinkageError(f"{path}: there is no such file")
    rows = _workbook_rows(path) if path.suffix.lower() == ".xlsx" else _line_rows(path)
    for number, row in rows:
        missing = [name for name in ("case_id", "version", "ruling", "reason") if name not in row]
        if missing:
            raise LinkageError(
                f"{path}: row {number}: the column {missing[0]} is missing; fill in a file of `guiyi review export`"
            )
        filled = {name: _text(value) for name, value in row.items()}
        if filled["ruling"]:
            filled["ruling"] = _WRITTEN.get(filled["ruling"], filled["ruling"].lower())
            yield number, filled


def _write_workbook(
    path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], reasons: Sequence[str]
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = _SHEET
    for place, name in enumerate(columns, start=1):
        head = sheet.cell(1, place, name)
        head.font = Font(bold=True)
        if name in FILLED_IN:
            head.fill = PatternFill("solid", fgColor="FFE3A6")
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, 18)
    last = 1
    for last, row in enumerate(rows, start=2):
        for place, name in enumerate(columns, start=1):
            value = row.get(name)
            if value is not None:
                cell = sheet.cell(last, place)
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
                if isinstance(value, str):
                    cell.data_type = "s"
    for name, allowed in (("ruling", CHOICES), ("record", ("left", "right")), ("reason", reasons)):
        choice = DataValidation("list", formula1='"' + ",".join(allowed) + '"', allow_blank=True)
        choice.showErrorMessage = True
        letter = get_column_letter(list(columns).index(name) + 1)
        choice.add(f"{letter}2:{letter}{max(last, 2)}")
        sheet.add_data_validation(choice)
    sheet.freeze_panes = "B2"
    _write_help(book.create_sheet(_HELP), reasons)
    book.save(path)


def _write_help(sheet: Any, reasons: Sequence[str]) -> None:
    for line in (
        ("ruling", "same 同一主体 | different 不是同一主体 | not_here 记录不属于本主体 | cannot_tell 无法判断"),
        ("record", "not_here: left 左 | right 右"),
        ("reason", " | ".join(reasons)),
        ("note", "at most 2,000 characters 最多 2,000 字"),
        ("", "Rows without a ruling are left out. 未填结论的行不导入。"),
        ("", "guiyi review import WORKSPACE FILE --author NAME"),
    ):
        sheet.append(line)


def _workbook_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise LinkageError(f"{path}: not a workbook that can be read; save it as XLSX") from error
    try:
        sheet = book[_SHEET] if _SHEET in book.sheetnames else book.worksheets[0]
        names: list[str] = []
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if not names:
                names = [str(cell or "").strip() for cell in cells]
            elif any(cell is not None for cell in cells):
                yield number, dict(zip(names, cells, strict=False))
    finally:
        book.close()


def _line_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LinkageError(f"{path}: cannot be read as UTF-8; save it as UTF-8 text, one JSON object a line") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise LinkageError(f"{path}: line {number}: not JSON; write one object a line") from error
        if not isinstance(row, dict):
            raise LinkageError(f"{path}: line {number}: not an object; write one object a line")
        yield number, row


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
