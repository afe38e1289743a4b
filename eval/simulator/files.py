"""Write a source's records in the shape its files have in life, with the damaged rows such files have.

CSV in its encoding and with its delimiter, workbooks with title rows and split when they grow too long, JSON Lines,
Parquet; column names, value codes and date formats are the department's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from eval.simulator.columns import Draw, Ints, Text, days, pick_rows, replace, take, text
from eval.simulator.feeds import Feed
from eval.simulator.profile import RowRates
from eval.simulator.sources import Shape, shape
from eval.simulator.workbooks import write_workbook

DATE_FIELDS = ("birth_date", "established_date")
_OPERATIONS = {"减员": ("增员", "变更"), "delete": ("insert", "update"), "D": ("I", "U")}
_TITLES = {2: ("本表由数据提供部门导出",), 3: ("本表由数据提供部门导出", "内部资料　注意保密")}


@dataclass(frozen=True)
class Damage:
    """Damaged rows in a file: what kind, and how many."""

    file: str
    kind: str
    rows: int


@dataclass(frozen=True)
class Written:
    """The files of one load, the number of good rows in them, and the damaged ones."""

    files: tuple[Path, ...]
    rows: int
    damage: tuple[Damage, ...]


def department_table(feed: Feed, rows: Ints, operation: Text | None) -> pa.Table:
    """Return records with the department's column names, codes and dates."""
    form = shape(feed.plan.name)
    columns: dict[str, Text] = dict(zip(form.record_id, feed.record_ids(rows), strict=True))
    for field, header in form.columns.items():
        values = pc.take(feed.columns[field], pa.array(rows))
        if field in DATE_FIELDS:
            values = _dates(values, feed.plan.dates)
        codes = form.values.get(field)
        if codes:
            position = pc.index_in(values, value_set=pa.array(list(codes)))
            values = pc.coalesce(pc.take(pa.array(list(codes.values())), position), values)
        columns[header] = values
    if form.as_of:
        columns[form.as_of] = days(feed.as_of[rows])
    if form.operation and operation is not None:
        columns[form.operation] = operation
    return pa.table(columns)


def operations(form: Shape, added: int, updated: int, deleted: int) -> Text:
    """Return the operation codes of a delta: added rows first, then rewritten, then dropped ones."""
    insert, update = _OPERATIONS.get(form.delete, ("I", "U"))
    return take((insert, update, form.delete), np.repeat([0, 1, 2], [added, updated, deleted]))


def write(table: pa.Table, feed: Feed, folder: Path, rates: RowRates, *, xlsx_rows: int, rng: Draw) -> Written:
    """Write a department's table to a folder.

    Args:
        table: as `department_table` returns it.
        feed: the source.
        folder: an existing folder.
        rates: damaged rows per row.
        xlsx_rows: rows per workbook.
        rng: generator.
    """
    form, count = shape(feed.plan.name), table.num_rows
    repeated = pick_rows(rng, count, rates.repeated_row)
    order = np.sort(np.concatenate([np.arange(count), repeated]), kind="stable")
    table = table.take(pa.array(order))
    damage = {
        "repeated_row": len(repeated),
        "garbage_row": int(rng.binomial(count, rates.garbage_row)),
        "nul_row": int(rng.binomial(count, rates.nul_row)) if form.format in ("csv", "jsonl") else 0,
    }
    path = folder / f"{feed.plan.name}.{feed.plan.suffix}"
    if form.format == "xlsx":
        files = _write_xlsx(table, path, form, xlsx_rows, damage["garbage_row"])
    else:
        files = (path,)
        if form.format == "csv":
            _write_csv(table, path, form, damage, rng)
        elif form.format == "jsonl":
            _write_jsonl(table, path, form, damage)
        else:
            _write_parquet(table, path, damage)
    return Written(files, count, tuple(Damage(path.name, kind, rows) for kind, rows in damage.items() if rows))


def _dates(values: Text, pattern: str) -> Text:
    written = {"%Y": r"\1", "%m": r"\2", "%d": r"\3"}
    for code, group in written.items():
        pattern = pattern.replace(code, group)
    return replace(values, r"^(\d{4})-(\d{2})-(\d{2})$", pattern)


def _write_csv(table: pa.Table, path: Path, form: Shape, damage: dict[str, int], rng: Draw) -> None:
    bad = _bad_lines(table, form.delimiter, damage)
    cuts = np.sort(rng.integers(0, table.num_rows + 1, len(bad)))
    encoding = form.encoding.removesuffix("-sig")
    header = form.delimiter.join(table.column_names) + "\n"
    with path.open("wb") as file:
        if form.encoding.endswith("-sig"):
            file.write(b"\xef\xbb\xbf")
        file.write(header.encode(encoding))
        start = 0
        for line, stop in zip([*bad, None], [*cuts.tolist(), table.num_rows], strict=True):
            _csv_rows(file, table.slice(start, stop - start), form.delimiter, encoding)
            if line is not None:
                file.write(line.encode(encoding))
            start = stop


def _csv_rows(file: IO[bytes], table: pa.Table, delimiter: str, encoding: str) -> None:
    options = pa.csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="needed")
    for start in range(0, table.num_rows, 100_000):
        sink = pa.BufferOutputStream()
        pa.csv.write_csv(table.slice(start, 100_000), sink, options)
        written = sink.getvalue().to_pybytes()
        file.write(written if encoding == "utf-8" else written.decode("utf-8").encode(encoding))


def _bad_lines(table: pa.Table, delimiter: str, damage: dict[str, int]) -> list[str]:
    """Return lines no reader can take whole: too few fields, too many, no key, a NUL byte."""
    width = len(table.column_names)
    shapes = (["合计"], ["?"] * (width + 3), [""] * width)
    garbage = [delimiter.join(shapes[n % len(shapes)]) + "\n" for n in range(damage["garbage_row"])]
    nul = [delimiter.join([f"NUL{n}", "\x00\x00", *[""] * (width - 2)]) + "\n" for n in range(damage["nul_row"])]
    return garbage + nul


def _write_jsonl(table: pa.Table, path: Path, form: Shape, damage: dict[str, int]) -> None:
    with duckdb.connect(config={"python_enable_replacements": False, "threads": 1}) as con:
        con.register("records", table)
        con.execute(f"copy records to '{str(path).replace(chr(39), chr(39) * 2)}' (format json)")
    key = form.record_id[0]
    with path.open("a", encoding="utf-8") as file:
        for n in range(damage["garbage_row"]):
            file.write((f'{{"{key}": "cut {n}' if n % 2 else json.dumps({"total": table.num_rows})) + "\n")
        for n in range(damage["nul_row"]):
            file.write(json.dumps({key: f"NUL{n}", form.columns["name"]: "\x00"}) + "\n")


def _write_parquet(table: pa.Table, path: Path, damage: dict[str, int]) -> None:
    if damage["garbage_row"]:
        empty = {name: [None] * damage["garbage_row"] for name in table.column_names}
        table = pa.concat_tables([table, pa.table({k: text(v) for k, v in empty.items()})])
    pa.parquet.write_table(table, path, compression="zstd")


def _write_xlsx(table: pa.Table, path: Path, form: Shape, rows: int, garbage: int) -> tuple[Path, ...]:
    parts = max(-(-table.num_rows // rows), 1)
    files = [path if parts == 1 else path.with_stem(f"{path.stem}_{n + 1}") for n in range(parts)]
    for number, file in enumerate(files):
        records = zip(*(column.to_pylist() for column in table.slice(number * rows, rows).columns), strict=True)
        content = [*([title] for title in _TITLES.get(form.header_row, ())), table.column_names, *records]
        if number == parts - 1:
            content += [[None, "合计", str(table.num_rows)]] * garbage
        write_workbook(file, form.sheet, content)
    return tuple(files)
