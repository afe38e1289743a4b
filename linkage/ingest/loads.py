"""One file of one source into a workspace: archived, told into records and quarantine, and recorded in a manifest.

The work is done in a hidden folder beside the loads and renamed when it is complete, under a lock: an ingest that is
killed, or that finds the disk full, leaves the loads as they were, and the next one removes what it left.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from pydantic import ValidationError

from eval.alarms import StabilityLimits
from linkage.ingest.archive import Archive
from linkage.ingest.arrival import check_are_different, check_is_file, check_order, check_size, known_load
from linkage.ingest.encoding import FileProfile, profile_file
from linkage.ingest.errors import IngestError
from linkage.ingest.load_folder import PARTIAL, locked_loads, publish_load
from linkage.ingest.manifest import LOADS, QUARANTINE, RAW, RECORDS, LoadManifest, list_loads
from linkage.ingest.mapping import Mapping, Mode, map_columns, records_sql
from linkage.ingest.opening import open_table
from linkage.ingest.quarantine import add_duplicates, find_rejected, quarantine_sql
from linkage.ingest.readers import Progress, header_of
from linkage.ingest.refused import IsForgotten, refuse_forgotten
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.sql import connect, literal, parquet, quote
from linkage.ingest.value_checks import count_warnings
from linkage.shortage import told

_OUTCOME = "nothing was changed"


def ingest_file(
    path: Path,
    *,
    source: SourceConfig,
    as_of: date,
    mode: Mode,
    root: Path,
    now: datetime,
    progress: Progress | None = None,
    allow_out_of_order: bool = False,
    load_again: bool = False,
    limits: StabilityLimits | None = None,
    part: tuple[int, int] = (1, 1),
    is_forgotten: IsForgotten | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> LoadManifest:
    """Load one file and return its manifest.

    A file that is already loaded is recognised by its content: the manifest it has comes back with `already_loaded`
    set, and nothing is done.

    Args:
        path: the file.
        source: how it is written and what its columns mean.
        as_of: the date the file vouches for.
        mode: `full`, the whole source as of that date, or `delta`, what changed since the last load.
        root: the workspace; the load goes to `root/loads/<load_id>/`.
        now: when this happens.
        progress: called with the number of rows read so far.
        allow_out_of_order: accept a date before that of the source's last load.
        load_again: load a file even if it has been loaded before, in place of that load.
        limits: by how much a full load may be smaller than the one before; absent: by anything.
        part: position and number of files, where one delivery has several.
        is_forgotten: says of a record id that its rows are refused; absent: nothing was ever forgotten.
        clock: measures the seconds in the manifest.

    Raises:
        IngestError: the file cannot be used as a whole; nothing is changed.
    """
    started = clock()
    check_is_file(path)
    profile = profile_file(path)
    if not profile.size_bytes:
        raise IngestError(path.name, "the file is empty", remedy="ask for it again")
    try:
        with locked_loads(root) as folder, told(root, needed_bytes=2 * profile.size_bytes, outcome=_OUTCOME):
            load_id = f"{as_of.isoformat()}-{source.source}-{profile.sha256[:8]}"
            loads = list_loads(root)
            earlier = [load for load in loads if load.source == source.source]
            counting = [load for load in earlier if load.withdrawn is None]
            known = None if load_again else known_load(earlier, path, profile, source, load_id, mode, part)
            if known is not None:
                return known
            check_order(counting, path, as_of, allow_out_of_order)
            stage = folder / f"{PARTIAL}{load_id}"
            stage.mkdir()
            facts = _fill(
                stage,
                path,
                profile,
                source,
                as_of=as_of,
                latest=max(as_of, now.date()),
                mode=mode,
                progress=progress,
                is_forgotten=is_forgotten,
            )
            manifest = _manifest(
                facts
                | {
                    "load_id": load_id,
                    "sequence": _sequence(loads, load_id),
                    "part": part[0],
                    "parts": part[1],
                    "loaded_at": now.isoformat(),
                    "seconds": round(clock() - started, 3),
                },
                path,
            )
            if limits is not None:
                check_size(counting, manifest, path, limits)
            return publish_load(manifest, stage, folder / load_id)
    except OSError as error:
        raise IngestError(
            str(root / LOADS),
            f"cannot be written: {os.strerror(error.errno) if error.errno else type(error).__name__}",
            remedy=f"correct its rights, or mount it for writing; {_OUTCOME}",
        ) from error


def ingest_files(
    paths: Sequence[Path],
    *,
    source: SourceConfig,
    as_of: date,
    mode: Mode,
    root: Path,
    now: datetime,
    progress: Progress | None = None,
    allow_out_of_order: bool = False,
    load_again: bool = False,
    limits: StabilityLimits | None = None,
    is_forgotten: IsForgotten | None = None,
) -> list[LoadManifest]:
    """Load the files of one delivery: together they are the full source, or one delta. See `ingest_file`."""
    check_are_different(paths)
    return [
        ingest_file(
            path,
            source=source,
            as_of=as_of,
            mode=mode,
            root=root,
            now=now,
            progress=progress,
            allow_out_of_order=allow_out_of_order,
            load_again=load_again,
            limits=limits,
            part=(number, len(paths)),
            is_forgotten=is_forgotten,
        )
        for number, path in enumerate(paths, start=1)
    ]


def _fill(
    stage: Path,
    path: Path,
    profile: FileProfile,
    source: SourceConfig,
    *,
    as_of: date,
    latest: date,
    mode: Mode,
    progress: Progress | None,
    is_forgotten: IsForgotten | None,
) -> dict[str, object]:
    """Write the load's three tables into a folder and return what the manifest says of them."""
    table = open_table(path, profile, source)
    if table.header is not None:
        map_columns(source, table.header, mode, path.name)
    temp = stage / "temp"
    temp.mkdir()
    with Archive(temp) as archive:
        for chunk in table.chunks:
            archive.write(chunk)
            if progress is not None:
                progress(archive.rows_in)
    header = table.header or header_of(table.late_titles or [], path.name)
    if not archive.rows_in:
        raise IngestError(path.name, "a header and no data rows", remedy="ask for the file again")
    mapping = map_columns(source, header, mode, path.name, sparse=table.header is None)
    with connect(temp) as con:
        archive.merge(con, stage / RAW)
        if is_forgotten is not None:
            refuse_forgotten(con, stage / RAW, archive.unread, mapping, source, is_forgotten=is_forgotten)
        counts = _tell_apart(
            con, stage, archive, mapping, source, as_of=as_of, latest=latest, mode=mode, name=path.name
        )
    shutil.rmtree(temp)
    return counts | {
        "source": source.source,
        "entity": source.entity,
        "mode": mode,
        "as_of": as_of,
        "file_name": path.name,
        "size_bytes": profile.size_bytes,
        "sha256": profile.sha256,
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "config_sha256": source.fingerprint(),
        "columns_seen": header.names,
        "columns_mapped": mapping.fields,
        "columns_unknown": mapping.unknown,
        "columns_missing": mapping.missing,
        "rows_in": archive.rows_in,
        "quarantine_limit": source.quarantine.share,
    }


def _tell_apart(
    con: duckdb.DuckDBPyConnection,
    stage: Path,
    archive: Archive,
    mapping: Mapping,
    source: SourceConfig,
    *,
    as_of: date,
    latest: date,
    mode: Mode,
    name: str,
) -> dict[str, object]:
    raw = parquet(stage / RAW)
    find_rejected(con, raw, mapping, source, as_of=as_of, latest=latest, out="rejected")
    add_duplicates(con, raw, mapping, source, mode=mode, rejected="rejected")
    accepted = f"{raw} anti join {quote('rejected')} using (row)"
    _copy(con, records_sql(mapping, source, as_of, accepted), stage / RECORDS)
    unread = parquet(archive.unread)
    _copy(con, quarantine_sql(raw, unread, mapping, source, rejected="rejected", file_name=name), stage / QUARANTINE)
    records, quarantine = parquet(stage / RECORDS), parquet(stage / QUARANTINE)
    reasons = con.execute(f"select reason, count(*) from {quarantine} group by reason order by reason").fetchall()
    deleted = con.execute(f"select count(*) from {records} where operation = 'delete'").fetchall()
    quarantined = dict(reasons)
    return {
        "kept": pq.read_metadata(stage / RECORDS).num_rows,
        "deleted": deleted[0][0],
        "quarantined": quarantined,
        "duplicates": quarantined.get("duplicate_row", 0) + quarantined.get("duplicate_record_id", 0),
        "warnings": count_warnings(con, records, source, latest=latest),
    }


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd)")


def _sequence(loads: Sequence[LoadManifest], load_id: str) -> int:
    replaced = [load.sequence for load in loads if load.load_id == load_id]
    return replaced[0] if replaced else max((load.sequence for load in loads), default=0) + 1


def _manifest(facts: dict[str, object], path: Path) -> LoadManifest:
    try:
        return LoadManifest.model_validate(facts)
    except ValidationError as error:
        raise IngestError(path.name, error.errors()[0]["msg"], remedy="this is a fault of ingest: report it") from error
