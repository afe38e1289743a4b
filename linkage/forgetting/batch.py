"""What a run leaves beside the catalog, without forgotten records: the batch database and the term frequencies.

The batch database of the release made without them still names them where it tells what was there before. DuckDB does
not overwrite what is deleted, so the tables are copied to a new file, which takes the place of the old one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from blocking.sql import quote
from golden_records.catalog.lookup import KINDS
from golden_records.catalog.store import Catalog
from linkage.database import connect, only_row
from linkage.durable import replace_whole
from linkage.entity_config import load_entity_config
from linkage.fields import ENTITIES, Entity
from linkage.finishing import partial_batch
from linkage.model.parameters import term_frequency_columns
from linkage.workspace import Workspace
from matchers.levels import literal

_OLD, _NEW = "old_batch", "new_batch"


def holds_records(workspace: Workspace, records: Collection[str]) -> bool:
    """Say whether the batch database was made from any of the records; true of one that cannot be read."""
    if not workspace.batch.exists():
        return False
    with connect() as con:
        try:
            con.execute(f"attach {literal(str(workspace.batch))} as {_OLD} (read_only)")
            _register(con, records)
            return any(
                only_row(con, f"select count(*) from {_OLD}.{quote(table)} semi join erased using (record_id)")[0]
                for table in _tables_with(con, "record_id")
            )
        except duckdb.Error:
            return True


def remove_batch(workspace: Workspace) -> None:
    """Remove the batch database; the next run makes it."""
    for name in (workspace.batch, workspace.batch.with_name(workspace.batch.name + ".wal")):
        name.unlink(missing_ok=True)


def copy_batch(workspace: Workspace, records: Collection[str], held: Collection[str]) -> None:
    """Copy the batch database to a new file and put that in its place.

    Args:
        workspace: the workspace.
        records: record ids whose rows stay behind.
        held: values that stay behind where values are counted, if no record in force holds them.
    """
    if not workspace.batch.exists():
        return
    made = partial_batch(workspace)
    made.unlink(missing_ok=True)
    with connect(memory_limit=workspace.settings.memory_limit) as con:
        con.execute(f"attach {literal(str(workspace.batch))} as {_OLD} (read_only)")
        con.execute(f"attach {literal(str(made))} as {_NEW}")
        _register(con, records, held)
        named = set(_tables_with(con, "record_id"))
        counted = {
            f"{e}_frequency_{c}": (e, c) for e in ENTITIES for c in term_frequency_columns(load_entity_config(e))
        }
        tables = con.execute(
            "select table_name from duckdb_tables() where database_name = ? order by table_name", [_OLD]
        ).fetchall()
        for (table,) in tables:
            rest = " t"
            if table in named:
                rest = " t anti join erased using (record_id)"
            elif table in counted and f"{counted[table][0]}_records" in named:
                rest = f" t where {quote(counted[table][1])} is null or not {_is_gone(*counted[table])}"
            con.execute(f"create table {_NEW}.{quote(table)} as select t.* from {_OLD}.{quote(table)}{rest}")
        views = con.execute(
            "select view_name, sql from duckdb_views() where database_name = ? and not internal", [_OLD]
        ).fetchall()
        con.execute(f"use {_NEW}")
        for name, text in views:
            con.execute(f"create view {quote(name)} as {_body(text)}")
        con.execute("use memory")
        con.execute(f"detach {_NEW}")
    workspace.batch.with_name(workspace.batch.name + ".wal").unlink(missing_ok=True)
    replace_whole(made, workspace.batch)


def forget_frequencies(workspace: Workspace, held: Collection[str]) -> int:
    """Take out of the kept term frequencies what no record in force holds any more; return how many values that are."""
    if not workspace.batch.exists():
        return 0
    removed = 0
    with connect() as con:
        con.execute(f"attach {literal(str(workspace.batch))} as {_OLD} (read_only)")
        _register(con, (), held)
        present = set(_tables_with(con, "record_id"))
        for entity in ENTITIES:
            path = workspace.frequencies(entity)
            if path.exists() and f"{entity}_records" in present:
                columns = term_frequency_columns(load_entity_config(entity))
                gone = " or ".join(
                    f"(field = '{column}' and {_is_gone(entity, column, 'value')})" for column in columns
                )
                removed += _keep_unless(con, path, gone)
    return removed


def forget_frequencies_online(catalog: Catalog, workspace: Workspace, held: Collection[str]) -> int:
    """Take out of the catalog's term frequencies what the kept ones do not hold any more; return how many that are.

    Args:
        catalog: the store, in a writing transaction.
        workspace: the workspace, after `forget_frequencies`.
        held: values that the forgotten held.
    """
    wanted, removed = sorted(set(held)), 0
    for entity in ENTITIES:
        kind = KINDS[entity]
        kept: set[tuple[str, str]] = set()
        path = workspace.frequencies(entity)
        if path.exists():
            table = pq.read_table(path, columns=["field", "value"], filters=[("value", "in", wanted)])
            kept = set(zip(*(table.column(name).to_pylist() for name in ("field", "value")), strict=True))
        fields = term_frequency_columns(load_entity_config(entity))
        for field in fields:
            for value in wanted:
                if (field, value) not in kept:
                    removed += catalog.execute(
                        "delete from lookup_frequency where kind = ? and field = ? and value = ?", (kind, field, value)
                    ).rowcount
    return removed


def _is_gone(entity: Entity, column: str, value: str | None = None) -> str:
    """Return the condition that a value was held by the forgotten, and is held by no record in force."""
    said = value or quote(column)
    return (
        f"({said}::varchar in (select value from held) and {said}::varchar not in "
        f"(select {quote(column)}::varchar from {_OLD}.{quote(entity + '_records')} where {quote(column)} is not null))"
    )


def _keep_unless(con: duckdb.DuckDBPyConnection, path: Path, gone: str) -> int:
    source = f"read_parquet({literal(str(path))})"
    (values,) = only_row(con, f"select count(*) from {source} where value is not null and ({gone})")
    if values:
        temporary = path.with_suffix(".tmp")
        con.execute(
            f"copy (select * from {source} where value is null or not ({gone}) order by field, value) "
            f"to {literal(str(temporary))} (format parquet)"
        )
        temporary.replace(path)
    return int(values)


def _register(con: duckdb.DuckDBPyConnection, records: Collection[str], held: Collection[str] = ()) -> None:
    con.register("erased", pa.table({"record_id": pa.array(sorted(records), pa.string())}))
    con.register("held", pa.table({"value": pa.array(sorted(held), pa.string())}))


def _tables_with(con: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    rows = con.execute(
        "select table_name from duckdb_columns() join duckdb_tables() using (database_name, table_name) "
        "where database_name = ? and column_name = ? order by table_name",
        [_OLD, column],
    ).fetchall()
    return [str(name) for (name,) in rows]


def _body(text: str) -> str:
    """Return the query of a view from the statement that made it."""
    return re.sub(r"^create view .*? as ", "", text.strip().rstrip(";"), count=1, flags=re.IGNORECASE | re.DOTALL)
