"""What has come and gone among the records in force since the last run, without reading every load again.

A row in force is known by its record and its load. Only the ids of the loads' rows are read in full; whole rows only of
loads that have something new. A load whose accepted rows are others than they were (`guiyi forget` takes rows out, a
file may be read again by another configuration) is new.

Invariant: the table of records in force is then what `linkage.ingest.current.current_records` makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from linkage.ingest.current import in_force, in_order, rows_of_loads
from linkage.ingest.manifest import RECORDS, LoadManifest
from linkage.ingest.sql import table_name

_KEY = "record_id, position"


@dataclass(frozen=True)
class ArrivalTables:
    """Names of the tables of records in force and of what changes in them.

    Attributes:
        raw: the records in force; changed in place.
        loads: load_id, sha256: the loads that `raw` was made of; changed in place.
        arrived: temporary table to make, of the rows that come into `raw`.
        departed: temporary table to make, of the rows that leave it.
    """

    raw: str
    loads: str
    arrived: str
    departed: str


def write_loads(con: duckdb.DuckDBPyConnection, manifests: Sequence[LoadManifest], *, out: str) -> None:
    """Make the table of the loads that records in force are made of.

    Args:
        con: where the table is made.
        manifests: the loads of one entity type.
        out: table to make: load_id, sha256 of its accepted rows (null where the load does not tell).
    """
    loads, _ = in_order(manifests)
    hashes = [load.files[RECORDS].sha256 if RECORDS in load.files else None for load in loads]
    made = {"load_id": pa.array([load.load_id for load in loads], pa.string()), "sha256": pa.array(hashes, pa.string())}
    con.register("loads_given", pa.table(made))
    con.execute(f"create or replace table {table_name(out)} as from loads_given")
    con.unregister("loads_given")


def change_records(con: duckdb.DuckDBPyConnection, manifests: Sequence[LoadManifest], tables: ArrivalTables) -> None:
    """Bring the records in force up to date, and make the tables of what changed.

    Args:
        con: where the tables are.
        manifests: the loads of one entity type, all of them, in any order.
        tables: what is changed and what is made.

    Raises:
        IngestError: see `linkage.ingest.current.current_records`.
    """
    loads, fields = in_order(manifests)
    raw = table_name(tables.raw)
    _known_rows(con, loads, tables)
    con.execute(
        f"create or replace temp table row_in_force as "
        f"{in_force(loads, 'loaded.record_id, loaded.position', 'record_id, operation')}"
    )
    con.execute(f"create or replace temp table row_arrived as from row_in_force anti join row_known using ({_KEY})")
    con.execute(f"create or replace temp table row_departed as from row_known anti join row_in_force using ({_KEY})")
    new = con.execute("select distinct position from row_arrived order by position").fetchall()
    rows = f"select * from {raw} limit 0"
    if new:
        read = f"record_id, source, source_record_id, as_of, {fields}"
        loaded = rows_of_loads([(position, loads[position]) for (position,) in new], read)
        rows = f"select * exclude (position, load_source) from ({loaded}) semi join row_arrived using ({_KEY})"
    gone = "rowid in (select place from row_departed)"
    con.execute(f"create or replace temp table {table_name(tables.arrived)} as {rows}")
    con.execute(f"create or replace temp table {table_name(tables.departed)} as select * from {raw} where {gone}")
    con.execute(f"delete from {raw} where {gone}")
    con.execute(f"insert into {raw} by name select * from {table_name(tables.arrived)}")
    for table in ("row_known", "row_in_force", "row_arrived", "row_departed"):
        con.execute(f"drop table {table}")


def _known_rows(con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest], tables: ArrivalTables) -> None:
    """Make `row_known` (place, record_id, position), position null in a load that is others now; renew `loads`."""
    con.execute(f"create or replace temp table load_before as select * from {table_name(tables.loads)}")
    write_loads(con, loads, out=tables.loads)
    places = pa.table({"load_id": [load.load_id for load in loads], "position": list(range(len(loads)))})
    con.register("load_places", places)
    con.execute(
        f"""
        create or replace temp table row_known as
        with same as (
          select p.load_id, p.position
          from load_places p
          join {table_name(tables.loads)} n on n.load_id = p.load_id
          join load_before b on b.load_id = n.load_id and b.sha256 = n.sha256
        )
        select r.rowid as place, r.record_id, s.position
        from {table_name(tables.raw)} r
        left join same s on s.load_id = r.load_id
        """
    )
    con.unregister("load_places")
    con.execute("drop table load_before")
