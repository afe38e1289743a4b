"""The batch database of a workspace's last run, opened for reading.

Its tables are reached as views of a connection in memory, so that a reader writes nothing into the workspace, may make
tables of its own, and disturbs no other reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from blocking.sql import quote
from linkage.database import connect
from linkage.errors import LinkageError
from matchers.levels import literal


@contextmanager
def read_batch(path: Path, *, memory_limit: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a batch database read-only and close it at the end.

    Args:
        path: the database file.
        memory_limit: DuckDB's limit, such as `8GB`.

    Raises:
        LinkageError: it cannot be opened: damaged, or being written.
    """
    with connect(memory_limit=memory_limit) as con:
        try:
            con.execute(f"attach {literal(str(path))} as batch (read_only)")
        except duckdb.Error as error:
            raise LinkageError(
                f"{path}: cannot be read ({type(error).__name__}); wait for other commands to end, or run again"
            ) from error
        tables = con.execute("select table_name from duckdb_tables() where database_name = 'batch'").fetchall()
        for (name,) in sorted(tables):
            con.execute(f"create view {quote(name)} as select * from batch.main.{quote(name)}")
        yield con
