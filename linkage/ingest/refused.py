"""Rows of records that were forgotten: they are turned away before anything of them is kept.

A row that brings a forgotten record again leaves one line in the quarantine, with its number in the file and the reason
`forgotten`; neither its key nor its values go into the archive.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from linkage.ingest.mapping import Mapping, key_sql, source_sql
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.sql import literal, parquet

REASON = "forgotten"
DETAIL = "a record that was forgotten"
IsForgotten = Callable[[str], bool]

_BATCH_ROWS = 100_000


def refuse_forgotten(
    con: duckdb.DuckDBPyConnection,
    raw: Path,
    unread: Path,
    mapping: Mapping,
    config: SourceConfig,
    *,
    is_forgotten: IsForgotten,
) -> int:
    """Move the rows of forgotten records out of the archived rows: only their numbers join the rows not told apart.

    Args:
        con: a connection.
        raw: the archived rows, rewritten in place if any is refused.
        unread: the rows that could not be told apart, likewise.
        mapping: where the values are.
        config: the source.
        is_forgotten: says so of a record id.

    Returns:
        How many rows were refused.
    """
    record = f"{source_sql(mapping, config)} || ':' || {key_sql(mapping)}"
    refused: list[int] = []
    cursor = con.cursor()
    cursor.execute(f"select row, {record} as record_id from {parquet(raw)}")
    while rows := cursor.fetchmany(_BATCH_ROWS):
        refused += [row for row, record_id in rows if record_id is not None and is_forgotten(record_id)]
    cursor.close()
    if not refused:
        return 0
    con.register("refused_rows", pa.table({"row": pa.array(refused, pa.int32())}))
    _rewrite(con, raw, f"select * from {parquet(raw)} anti join refused_rows using (row) order by row")
    told = f"{literal(REASON)} as reason, {literal(DETAIL)} as detail, null::varchar as raw"
    _rewrite(
        con,
        unread,
        f"select row, reason, detail, raw from {parquet(unread)} union all select row, {told} from refused_rows",
    )
    con.unregister("refused_rows")
    return len(refused)


def _rewrite(con: duckdb.DuckDBPyConnection, path: Path, query: str) -> None:
    made = path.with_name(f"{path.name}.new")
    con.execute(f"copy ({query}) to {literal(str(made))} (format parquet, compression zstd)")
    made.replace(path)
