"""The records in force: what a sequence of loads of every source says now.

A full load replaces all that its source said before; a delta replaces the records it names. Within a source the later
load counts, whatever date its rows carry.

Invariant: rows in = kept + superseded + deleted + quarantined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb

from linkage.fields import CANONICAL_FIELDS
from linkage.ingest.errors import IngestError
from linkage.ingest.manifest import RECORDS, LoadManifest
from linkage.ingest.sql import literal, parquet, quote, table_name


@dataclass(frozen=True)
class CurrentCounts:
    """Where every row of the loads went.

    Attributes:
        rows_in: rows of all files, without those forgotten since.
        kept: records in force.
        superseded: accepted rows that a later load replaced.
        deleted: rows in force that withdraw a record.
        quarantined: rows that were not accepted.
    """

    rows_in: int
    kept: int
    superseded: int
    deleted: int
    quarantined: int


def current_records(con: duckdb.DuckDBPyConnection, manifests: Sequence[LoadManifest], *, out: str) -> CurrentCounts:
    """Make the table of records in force.

    Columns of `out`: record_id, source, source_record_id, as_of, load_id, then every canonical field, all VARCHAR. The
    order of its rows means nothing.

    Args:
        con: where the table is made.
        manifests: the loads of one entity type, all of them, in any order.
        out: name of the table, replaced if it exists.

    Raises:
        IngestError: there are no loads, they are of two entity types, or part of a delivery is missing.
    """
    loads, fields = in_order(manifests)
    columns = f"loaded.record_id, source, source_record_id, as_of, load_id, {fields}"
    read = f"record_id, source, source_record_id, as_of, operation, {fields}"
    con.execute(f"create or replace table {table_name(out)} as {in_force(loads, columns, read)}")
    first = _first_of_source(loads)
    deletions = _deletions_in_force(con, loads, first)
    kept = _count(con, f"select count(*) from {table_name(out)}")
    rows_in = sum(load.rows_held for load in manifests)
    quarantined = sum(sum(load.quarantined.values()) for load in manifests)
    return CurrentCounts(rows_in, kept, rows_in - kept - deletions - quarantined, deletions, quarantined)


def in_order(manifests: Sequence[LoadManifest]) -> tuple[list[LoadManifest], str]:
    """Return the loads that count, in order, and the canonical fields of their entity type as a list of columns.

    Raises:
        IngestError: see `current_records`.
    """
    entities = {manifest.entity for manifest in manifests}
    if len(entities) != 1:
        found = " and ".join(sorted(entities)) if entities else "no loads"
        raise IngestError("loads", found, expectation="loads of one entity type", remedy="ingest a file first")
    return loads_in_force(manifests), ", ".join(quote(name) for name in CANONICAL_FIELDS[entities.pop()])


def in_force(loads: Sequence[LoadManifest], columns: str, read: str) -> str:
    """Return the query of the rows in force.

    Args:
        loads: the loads that count, in order.
        columns: what it gives: of what is read, and load_id, load_source and `loaded.position` (place in `loads`).
        read: columns of the loads, with record_id and operation.
    """
    # Only records that a later load of their source names again can be superseded: few, beside a full load.
    first = _first_of_source(loads)
    later = [position for position, load in enumerate(loads) if first[load.source] != position]
    return f"""
        with loaded as ({rows_of_loads(list(enumerate(loads)), read)}),
        latest as (
          select load_source, record_id, max(position) as position
          from loaded
          where position in ({", ".join(map(str, later)) or "-1"})
          group by load_source, record_id
        )
        select {columns}
        from loaded left join latest using (load_source, record_id)
        where loaded.operation = 'upsert' and loaded.position >= coalesce(latest.position, loaded.position)"""


def rows_of_loads(loads: Sequence[tuple[int, LoadManifest]], read: str) -> str:
    """Return the query of the accepted rows of loads, each with its position."""
    return "\nunion all by name\n".join(
        f"select {read}, {literal(load.load_id)} as load_id, {position} as position, "
        f"{literal(load.source)} as load_source from {parquet(load.folder / RECORDS)}"
        for position, load in loads
    )


def loads_in_force(manifests: Sequence[LoadManifest]) -> list[LoadManifest]:
    """Return, source by source, the last full delivery and the deltas after it, in order.

    Raises:
        IngestError: part of a delivery is missing.
    """
    ordered = sorted(manifests, key=lambda load: (load.source, load.as_of, load.sequence))
    kept: list[LoadManifest] = []
    for _, group in groupby(ordered, key=lambda load: load.source):
        loads = list(group)
        starts = [index for index, load in enumerate(loads) if load.mode == "full" and load.part == 1]
        kept.extend(loads[starts[-1] if starts else 0 :])
    for load in kept:
        found = {other.part for other in kept if _same_delivery(load, other)}
        absent = sorted(set(range(1, load.parts + 1)) - found)
        if absent:
            raise IngestError(
                load.load_id,
                f"part {load.part} of {load.parts}, but part {', '.join(map(str, absent))} is missing",
                expectation="every file of the delivery",
                remedy="ingest all of its files again, in one command",
            )
    return kept


def _first_of_source(loads: Sequence[LoadManifest]) -> dict[str, int]:
    return {load.source: position for position, load in reversed(list(enumerate(loads)))}


def _same_delivery(load: LoadManifest, other: LoadManifest) -> bool:
    return (load.source, load.as_of, load.mode, load.parts) == (other.source, other.as_of, other.mode, other.parts)


def _deletions_in_force(con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest], first: dict[str, int]) -> int:
    """Count the deletions that no later load of their source overrules."""
    if not any(load.deleted for load in loads):
        return 0
    rows = "\nunion all\n".join(
        f"select record_id, operation, {first[load.source]} as source_number, {position} as position "
        f"from {parquet(load.folder / RECORDS)}"
        for position, load in enumerate(loads)
    )
    return _count(
        con,
        f"""
        with loaded as ({rows}),
        named as (select source_number, record_id from loaded where operation = 'delete')
        select count(*) from (
          select arg_max(operation, position) as operation
          from loaded semi join named using (source_number, record_id)
          group by source_number, record_id
        )
        where operation = 'delete'
        """,
    )


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])
