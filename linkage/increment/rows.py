"""Rows of tables that are kept from run to run: found by their keys, read or taken out by their place.

A kept table is wide and long, and what changes in it is little. A join would read all of its columns; looked for in the
key's columns alone and then reached by row number, only the rows wanted are read.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import count


def place_rows(con: DuckDBPyConnection, table: str, *, wanted: str, key: str, out: str = "wanted_row") -> str:
    """Find the rows of a table whose key is wanted, and return a condition on its rows that holds for these.

    Where there are none it is `false`: a table is not read to find nothing.

    Args:
        con: DuckDB connection.
        table: the table, quoted.
        wanted: table or query in parentheses with the key's columns.
        key: the key's columns, separated by commas.
        out: temporary table to make of the places of the rows.
    """
    con.execute(f"""
create or replace temp table {quote(out)} as
select t.rowid as place
from {table} t
semi join {wanted} w using ({key})""")
    return f"rowid in (select place from {quote(out)})" if count(con, out) else "false"


def delete_rows(con: DuckDBPyConnection, table: str, *, wanted: str, key: str) -> None:
    """Take the rows whose key is wanted out of a table; the arguments are those of `place_rows`."""
    con.execute(f"delete from {table} where {place_rows(con, table, wanted=wanted, key=key)}")


def change_rows(
    con: DuckDBPyConnection, table: str, *, wanted: str, key: str, fresh: str, order: str | None = None
) -> None:
    """Bring the rows of a table whose key is wanted to those given; rows that say the same are left where they are.

    Writing a row and packing its column costs far more than comparing it, and most rows of what a month touches say
    what they said.

    Args:
        con: DuckDB connection.
        table: as for `place_rows`, as are `wanted` and `key`; no two of its rows are equal.
        wanted: see there.
        key: see there.
        fresh: table or query in parentheses, with the columns of `table`.
        order: what the rows that come are sorted by, as those of the table are; the key if absent.
    """
    held = place_rows(con, table, wanted=wanted, key=key)
    columns = [row[0] for row in con.execute(f"describe {table}").fetchall()]
    same = " and ".join(f"h.{quote(column)} is not distinct from f.{quote(column)}" for column in columns)
    con.execute(f"""
create or replace temp table row_otherwise as
select h.place, f.*
from (select rowid as place, * from {table} where {held}) h
full join (select true as given, * from {fresh}) f on {same}
where h.place is null or f.given is null""")
    con.execute(f"delete from {table} where rowid in (select place from row_otherwise where given is null)")
    coming = f"select * exclude (place, given) from row_otherwise where given order by {order or key}"
    con.execute(f"insert into {table} by name {coming}")
    con.execute("drop table row_otherwise")


def copy_rows(
    con: DuckDBPyConnection,
    table: str,
    *,
    wanted: str,
    key: str,
    out: str,
    columns: str = "*",
    kind: str = "temp table",
) -> None:
    """Make a table of the rows whose key is wanted.

    Args:
        con: DuckDB connection.
        table: as for `place_rows`, as are `wanted` and `key`.
        wanted: see there.
        key: see there.
        out: table to make.
        columns: columns to copy.
        kind: `table` if another cursor reads it.
    """
    held = place_rows(con, table, wanted=wanted, key=key)
    con.execute(f"create or replace {kind} {quote(out)} as select {columns} from {table} where {held}")
