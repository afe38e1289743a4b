"""The files of a one-off link: canonical columns (or one source configuration) in, one table of records out.

Every file is ingested like a load of a workspace, quarantine included. A record id that two files share is not a newer
version here but a duplicate: the first file given keeps it.

Invariant: rows in = kept + deleted + quarantined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from linkage.errors import QUARANTINED, WRONG_USE
from linkage.fields import CANONICAL_FIELDS, Entity
from linkage.ingest.arrival import check_are_different
from linkage.ingest.errors import IngestError
from linkage.ingest.loads import ingest_file
from linkage.ingest.manifest import QUARANTINE, RECORDS, LoadManifest
from linkage.ingest.quarantine import REASONS
from linkage.ingest.readers import Progress
from linkage.ingest.source_config import SOURCE_NAME, SOURCE_NAME_CHARACTERS, SourceConfig, canonical_source
from linkage.ingest.sql import literal, parquet, quote, table_name


@dataclass(frozen=True)
class LinkInput:
    """What came in, and where it went.

    Attributes:
        manifests: one load per file, in the order given.
        rows_in: rows of all files.
        kept: records in the table.
        deleted: rows that withdraw a record (only with a configuration that has an operation column).
        quarantined: reason to rows.
        exit_code: 0, or 3 with more quarantine than the limit in any file or between files.
    """

    manifests: tuple[LoadManifest, ...]
    rows_in: int
    kept: int
    deleted: int
    quarantined: dict[str, int]
    exit_code: int


def link_input(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    entity: Entity,
    *,
    config: SourceConfig | None,
    root: Path,
    as_of: date,
    now: datetime,
    out: str = "raw",
    quarantine: str = "quarantine",
    progress: Progress | None = None,
) -> LinkInput:
    """Ingest files and make the tables of their records and of their quarantine.

    Columns of `out`: record_id, source, source_record_id, as_of, load_id, then every canonical field, all VARCHAR.
    Columns of `quarantine`: source, source_record_id, row, reason, detail, raw.

    Args:
        con: where the tables are made; both are replaced if they exist.
        paths: the files; without a `source` column, a file's stem is its source.
        entity: what the rows are about.
        config: how the files are written, if their columns are not the canonical ones.
        root: folder for the loads.
        as_of: date of rows that carry none.
        now: when this happens.
        out: name of the table of records.
        quarantine: name of the table of quarantined rows.
        progress: called with the number of rows read so far from each file.

    Raises:
        IngestError: a file cannot be used as a whole, or the configuration is of the other entity type.
    """
    if not paths:
        raise IngestError("files", "none given", remedy="name at least one file", exit_code=WRONG_USE)
    if config is not None and config.entity != entity:
        raise IngestError(f"source '{config.source}'", config.entity, expectation=entity, exit_code=WRONG_USE)
    check_are_different(paths)
    manifests = tuple(
        ingest_file(
            path,
            source=config or canonical_source(entity, source_of(path)),
            as_of=as_of,
            mode="full",
            root=root,
            now=now,
            progress=progress,
            allow_out_of_order=True,
            load_again=True,
        )
        for path in paths
    )
    _check_contents(paths, manifests)
    _make_tables(con, manifests, entity, out, quarantine)
    kept = int(con.execute(f"select count(*) from {table_name(out)}").fetchall()[0][0])
    rows = con.execute(
        f"select reason, count(*) from {table_name(quarantine)} group by reason order by reason"
    ).fetchall()
    rows_in, deleted = sum(load.rows_in for load in manifests), sum(load.deleted for load in manifests)
    quarantined: dict[str, int] = dict(rows)
    if rows_in != kept + deleted + sum(quarantined.values()):
        raise IngestError(
            "files", f"{rows_in} rows came in, not all of them were accounted for", remedy="this is a fault: report it"
        )
    refused = sum(quarantined.values()) - quarantined.get("empty_row", 0)
    over = refused > rows_in * max(load.quarantine_limit for load in manifests)
    exit_code = QUARANTINED if over else max(load.exit_code for load in manifests)
    return LinkInput(manifests, rows_in, kept, deleted, quarantined, exit_code)


def source_of(path: Path) -> str:
    """Return a source name for a file: its stem, without what a source name may not hold.

    >>> source_of(Path("2025:01 police.csv"))
    '2025_01_police'
    """
    name = re.sub(r"[^\w.\-]", "_", path.stem)
    return (name if SOURCE_NAME.fullmatch(name) else f"_{name}")[:SOURCE_NAME_CHARACTERS]


def _check_contents(paths: Sequence[Path], manifests: Sequence[LoadManifest]) -> None:
    seen: dict[str, Path] = {}
    for path, load in zip(paths, manifests, strict=True):
        if load.load_id in seen:
            raise IngestError(str(path), f"the same content as {seen[load.load_id]}", remedy="name each file once")
        seen[load.load_id] = path


def _make_tables(
    con: duckdb.DuckDBPyConnection, manifests: Sequence[LoadManifest], entity: Entity, out: str, quarantine: str
) -> None:
    fields = ", ".join(quote(name) for name in CANONICAL_FIELDS[entity])
    rows = "\nunion all\n".join(
        f"select record_id, source, source_record_id, as_of, row, {literal(load.load_id)} as load_id, "
        f"{literal(load.file_name)} as file_name, {position} as position, {fields} "
        f"from {parquet(load.folder / RECORDS)} where operation = 'upsert'"
        for position, load in enumerate(manifests)
    )
    repeated = (
        "select record_id, min(position) as position from loaded group by record_id having count(*) > 1"
        if len(manifests) > 1
        else "select null::varchar as record_id, 0 as position where false"
    )
    loaded = f"loaded as ({rows}), repeated as ({repeated})"
    con.execute(
        f"""
        create or replace table {table_name(out)} as
        with {loaded}
        select record_id, source, source_record_id, as_of, load_id, {fields}
        from loaded left join repeated using (record_id)
        where loaded.position = coalesce(repeated.position, loaded.position)
        """
    )
    remedy = literal(f": record id of an earlier file; {REASONS['duplicate_record_id']}")
    refused = parquet(*(load.folder / QUARANTINE for load in manifests))
    con.execute(
        f"""
        create or replace table {table_name(quarantine)} as
        with {loaded}
        select source, source_record_id, row, reason, detail, raw from {refused}
        union all
        select
          source, source_record_id, row, 'duplicate_record_id', file_name || ', row ' || row || {remedy},
          to_json(struct_pack({", ".join(f"{name} := {name}" for name in fields.split(", "))}))::varchar
        from loaded join repeated using (record_id)
        where loaded.position <> repeated.position
        """
    )
