"""`guiyi attach`: credit rows in, the same rows with their entity out.

Writes to the output folder: `attach_status=matched|conflict|none/*.parquet` (all columns of the rows, then those of
`credit_rows.MADE_COLUMNS`), `unread/*.parquet` (rows that could not be told apart into columns) and `summary.json`. The
folder appears when all of it is written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from golden_records.catalog.store import open_catalog
from linkage.attach.attachment import STATUSES, Attaching, Count, attach_rows, prepare, rows_of
from linkage.attach.catalogue import Item, load_catalogue
from linkage.attach.credit_rows import CreditFile, find_files, open_rows, renamed, together
from linkage.attach.database_rows import copy_table, is_database
from linkage.attach.subjects import SubjectTables, load_subjects
from linkage.commands.console import Console
from linkage.database import connect, only_row
from linkage.entity_config import load_entity_config
from linkage.errors import ConfigError, LinkageError
from linkage.fields import ENTITIES
from linkage.ingest.sql import parquet
from linkage.model.parameters import load_model
from linkage.shortage import told
from linkage.stages import StageClock
from linkage.workspace import Workspace

_UNREADABLE = re.compile(r'Failed to read file "([^"]+)"')


@dataclass(frozen=True)
class AttachRequest:
    """What to attach.

    Attributes:
        inputs: files and folders of credit rows, and tables of PostgreSQL databases.
        output: folder to make.
        columns: known column → the files' column, where they differ.
        item: the catalogue item of rows that name none.
        catalogue: a catalogue file instead of the shipped one.
    """

    inputs: tuple[str, ...]
    output: Path
    columns: Mapping[str, str]
    item: str | None = None
    catalogue: Path | None = None


def attach_credit(workspace: Workspace, request: AttachRequest, *, now: datetime, console: Console) -> int:
    """Attach credit rows to the current release and print a summary.

    Raises:
        LinkageError: the output folder holds something, a file cannot be read, or nothing was published.
        ConfigError: the columns or the item do not fit.
    """
    items = load_catalogue(request.catalogue)
    if request.item is not None and request.item not in items:
        raise ConfigError(f"--item {request.item}: not in the catalogue (known: {', '.join(items)})")
    tables = [text for text in request.inputs if is_database(text)]
    files = find_files([Path(text) for text in request.inputs if not is_database(text)])
    output = request.output
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise LinkageError(f"{output}: exists and is not empty; name a new folder")
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    needed = sum(file.stat().st_size for file in files)
    try:
        with told(output.parent, needed_bytes=needed, outcome="nothing was attached"), _told_of_files():
            partial.mkdir(parents=True)
            summary = _attach(workspace, request, items, (files, tables), partial, now=now, clock=StageClock(console))
            (partial / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", "utf-8")
            shutil.rmtree(partial / "temp", ignore_errors=True)
            if output.exists():
                output.rmdir()
            partial.replace(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _print(summary, output, console)
    console.say(f"for the order of the review queue: guiyi review credit {workspace.root} {output}")
    return 0


@contextmanager
def _told_of_files() -> Iterator[None]:
    """Say which file cannot be read to its end; the rest of DuckDB's message may hold a value."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        unreadable = _UNREADABLE.search(str(error))
        if unreadable is None:
            raise
        raise LinkageError(
            f"{unreadable[1]}: cannot be read to its end: damaged, or text that is not UTF-8; copy it again or ask for "
            "it"
        ) from None


def _attach(
    workspace: Workspace,
    request: AttachRequest,
    items: Mapping[str, Item],
    inputs: tuple[Sequence[Path], Sequence[str]],
    partial: Path,
    *,
    now: datetime,
    clock: StageClock,
) -> dict[str, Any]:
    subjects = SubjectTables()
    temp = partial / "temp"
    temp.mkdir()
    with connect(memory_limit=workspace.settings.memory_limit, temp=temp / "spill") as con:
        with clock.stage("read rows") as stage:
            files, tables = inputs
            opened = [open_rows(path, temp, number) for number, path in enumerate(files, start=1)]
            opened += [copy_table(text, temp / f"table-{number:04d}.parquet") for number, text in enumerate(tables)]
            read = [(rows, renamed(rows.files[0], request.columns)) for rows in together(opened)]
            stage.rows = sum(rows_of(con, rows) for rows, _ in read)
            rows_in = stage.rows
        with clock.stage("read release") as stage, open_catalog(workspace.catalog, read_only=True) as catalog:
            named = any("name" in columns for _, columns in read)
            recorded = any("source_record_id" in columns for _, columns in read)
            release = load_subjects(con, catalog, subjects, records=recorded, names=named)
        configs = {entity: load_entity_config(entity) for entity in ENTITIES}
        kept = {entity: workspace.model(entity) for entity in ENTITIES}
        models = {e: (configs[e], load_model(configs[e], kept[e] if kept[e].exists() else None)) for e in ENTITIES}
        run = Attaching(con, subjects, items, request.item, models, os.cpu_count() or 1)
        counts: list[Count] = []
        with clock.stage("attach") as stage:
            prepare(run)
            for number, (rows, columns) in enumerate(read, start=1):
                counts += attach_rows(run, rows, columns, partial, f"rows{number:04d}")
            stage.rows = sum(c.rows for c in counts)
        unread = _keep_unread(con, opened, partial)
    written = sum(c.rows for c in counts)
    if written != rows_in:
        raise LinkageError(f"{request.output}: {rows_in} rows came in and {written} went out: report this as a defect")
    return {
        "release": release,
        "attached_at": now.isoformat(),
        "rows_in": rows_in + sum(unread.values()),
        "unread": sum(unread.values()),
        "unread_by_file": {name: lost for name, lost in sorted(unread.items()) if lost},
        "by_status": {status: sum(c.rows for c in counts if c.status == status) for status in STATUSES},
        "by_reason": _by_reason(counts),
        "counts": [asdict(c) for c in counts],
    }


def _keep_unread(con: duckdb.DuckDBPyConnection, files: Sequence[CreditFile], partial: Path) -> dict[str, int]:
    """Copy the rows that could not be told apart into columns; return file → how many."""
    unread: dict[str, int] = {}
    for number, file in enumerate(files, start=1):
        if file.unread is not None:
            (partial / "unread").mkdir(exist_ok=True)
            shutil.copyfile(file.unread, partial / "unread" / f"rows{number:04d}.parquet")
            (lost,) = only_row(con, f"select count(*) from {parquet(file.unread)}")
            unread[file.name] = unread.get(file.name, 0) + int(lost)
    return unread


def _by_reason(counts: Sequence[Count]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        found[one.reason] = found.get(one.reason, 0) + one.rows
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _print(summary: Mapping[str, Any], output: Path, console: Console) -> None:
    by_group: dict[tuple[str, str], dict[str, int]] = {}
    for one in summary["counts"]:
        group = by_group.setdefault((one["source"] or one["file"], one["item"]), dict.fromkeys(STATUSES, 0))
        group[one["status"]] += one["rows"]
    for name, lost in summary["unread_by_file"].items():
        by_group.setdefault((name, ""), dict.fromkeys(STATUSES, 0))["unread"] = lost
    shown = (*STATUSES, "unread") if summary["unread"] else STATUSES
    rows = [
        (source, item, *(f"{group.get(status, 0):,}" for status in shown), f"{sum(group.values()):,}")
        for (source, item), group in sorted(by_group.items())
    ]
    every = {**summary["by_status"], "unread": summary["unread"]}
    rows.append(("all", "", *(f"{every[status]:,}" for status in shown), f"{summary['rows_in']:,}"))
    title = f"credit rows attached to release {summary['release']}"
    console.table(title, ("source", "item", *shown, "rows in"), rows, summary)
    for reason, number in summary["by_reason"].items():
        console.say(f"  {reason:<32}{number:>14,}")
    if summary["unread"]:
        console.warn(f"{summary['unread']:,} row(s) could not be read; see {output / 'unread'}")
    console.say(f"rows: {output}")
