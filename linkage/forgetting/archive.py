"""Taking the rows of forgotten records out of the loads: raw rows, accepted rows and quarantine.

A load is written anew beside itself and put in its place, so that it is the old one or the new one, whole. Its
manifest still tells how many rows came in, and how many of them were forgotten since.

A row that could not be told apart has no record id. It goes too, if it holds a value that tells who a forgotten record
is about and that no other record holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb

from linkage.forgetting.rows import FORGOTTEN
from linkage.forgetting.search import search_cells
from linkage.ingest.load_folder import PARTIAL, locked_loads, publish_load
from linkage.ingest.manifest import FILES, QUARANTINE, RAW, RECORDS, LoadManifest
from linkage.ingest.sql import connect, literal, parquet

_NO_KEY = "source_record_id is null"


def rows_to_forget(
    con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest], telling: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """Return load id → numbers of the rows that have to go.

    Args:
        con: connection with the tables of `linkage.forgetting.rows.name_records`.
        loads: the archive.
        telling: values that tell who the records are about.
    """
    lone = _lone_values(con, loads, telling)
    found = {}
    for load in loads:
        records, quarantine = (parquet(load.folder / name) for name in (RECORDS, QUARANTINE))
        rows = con.execute(
            f"select row from {records} semi join {FORGOTTEN} using (record_id) union "
            f"select row from {quarantine} semi join {FORGOTTEN} using (source, source_record_id)"
        ).fetchall()
        numbers = {int(row) for (row,) in rows}
        if lone:
            keyless = con.execute(f"select row, raw from {quarantine} where {_NO_KEY} and raw is not null").fetchall()
            numbers |= {int(row) for row, raw in keyless if any(value in raw for value in lone)}
        if numbers:
            found[load.load_id] = tuple(sorted(numbers))
    return found


def forget_rows(root: Path, loads: Sequence[LoadManifest], rows: dict[str, tuple[int, ...]]) -> Counter[str]:
    """Write the loads anew without some rows.

    Args:
        root: the workspace.
        loads: the archive.
        rows: load id → numbers of rows.

    Returns:
        File name → rows removed from files of that name.
    """
    removed: Counter[str] = Counter()
    for load in loads:
        if load.load_id in rows:
            with locked_loads(root) as folder:
                removed += _rewrite(load, rows[load.load_id], folder)
    return removed


def _lone_values(con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest], telling: Sequence[str]) -> set[str]:
    """Return the telling values of rows without a key that no row with a key of another record holds."""
    keyless: set[str] = set()
    for load in loads:
        rows = f"(select raw from {parquet(load.folder / QUARANTINE)} where {_NO_KEY})"
        keyless |= set(search_cells(con, rows, telling)[1])
    for load in loads:
        if not keyless:
            break
        others = f"(select * from {parquet(load.folder / RECORDS)} anti join {FORGOTTEN} using (record_id))"
        keyless -= set(search_cells(con, others, sorted(keyless))[1])
    return keyless


def _rewrite(load: LoadManifest, rows: tuple[int, ...], folder: Path) -> Counter[str]:
    stage = folder / f"{PARTIAL}{load.load_id}"
    stage.mkdir()
    temp = stage / "temp"
    temp.mkdir()
    removed: Counter[str] = Counter()
    listed = ", ".join(map(str, rows))
    with connect(temp) as con:
        for name in FILES:
            kept = f"select * from {parquet(load.folder / name)} where row not in ({listed}) order by row"
            con.execute(f"copy ({kept}) to {literal(str(stage / name))} (format parquet, compression zstd)")
            removed[name] = _count(con, load.folder / name) - _count(con, stage / name)
        kept_rows, deleted = con.execute(
            f"select count(*), count(*) filter (operation = 'delete') from {parquet(stage / RECORDS)}"
        ).fetchall()[0]
        reasons = dict(
            con.execute(
                f"select reason, count(*) from {parquet(stage / QUARANTINE)} group by reason order by reason"
            ).fetchall()
        )
    temp.rmdir()
    told = {
        "kept": kept_rows,
        "deleted": deleted,
        "quarantined": reasons,
        "duplicates": reasons.get("duplicate_row", 0) + reasons.get("duplicate_record_id", 0),
        "forgotten": load.rows_in - kept_rows - sum(reasons.values()),
    }
    publish_load(load.model_copy(update=told), stage, load.folder)
    assert removed[RAW] <= len(rows)
    return removed


def _count(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    return int(con.execute(f"select count(*) from {parquet(path)}").fetchall()[0][0])
