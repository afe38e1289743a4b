"""The batch database that decisions are applied to, attached for writing beside a database in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import only_row
from linkage.increment.rows import copy_rows

ALIAS = "batch"


@dataclass(frozen=True)
class Batch:
    """The batch database of the last run, attached for writing.

    Attributes:
        entity: the entity type.
    """

    entity: str

    def table(self, name: str) -> str:
        """Return the quoted name of a table of the last run."""
        return f"{ALIAS}.{quote(f'{self.entity}_{name}')}"

    def holds(self, con: DuckDBPyConnection, *names: str) -> bool:
        """Tell whether it has tables of these names."""
        rows = con.execute("select table_name from duckdb_tables() where database_name = ?", [ALIAS]).fetchall()
        return {f"{self.entity}_{name}" for name in names} <= {name for (name,) in rows}

    def made_by(self, con: DuckDBPyConnection, what: str) -> str | None:
        """Return a column of `made_by`, None if there is none."""
        columns = {row[0] for row in con.execute(f"describe {self.table('made_by')}").fetchall()}
        if what not in columns:
            return None
        (made,) = only_row(con, f"select {quote(what)} from {self.table('made_by')}")
        return None if made is None else str(made)


def fetch_rows(
    con: DuckDBPyConnection,
    source: str,
    *,
    key: str,
    wanted: str,
    out: str,
    columns: Iterable[str] | None = None,
    known: str | None = None,
) -> None:
    """Make the table of the rows of a wide table whose key is wanted.

    Even by its place (`linkage.increment.rows`) a row costs reading a block of every column, hence `columns` and
    `known`.

    Args:
        con: DuckDB connection.
        source: quoted name of the table.
        key: a column of it.
        wanted: query of the keys wanted, in a column of the same name.
        out: table to make.
        columns: columns to read; all if absent.
        known: table of rows with these columns that were read before, or take the place of those in `source`.
    """
    read = "*" if columns is None else ", ".join(map(quote, columns))
    lacking = wanted if known is None else f"{wanted} except select {quote(key)} from {quote(known)}"
    copy_rows(con, source, wanted=f"({lacking})", key=quote(key), columns=read, out=out, kind="table")
    if known is not None:
        con.execute(f"""
insert into {quote(out)} by name
select {read}
from {quote(known)}
semi join ({wanted}) using ({quote(key)})""")
