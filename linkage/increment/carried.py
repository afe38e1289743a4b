"""The batch database of a run begins as a copy of the last one, of which a run changes what has to be changed.

Tables that a run makes anew in any case are taken out of the copy. What was there before is read from the last run's
own database, attached beside it (`linkage.increment.before`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from blocking.sql import quote
from linkage.durable import copy_file
from linkage.increment.golden_values import TABLES

# What a month changes in place; everything else of an entity type is made anew.
CARRIED = (
    *("load", "raw", "records", "profiles", "profile_record", "keys", "pairs", "scored", "judged"),
    *("clusters", "refused", "component", "membership", "record_link", "review_case"),
    *("entities", "redirect"),
    *TABLES,
)


def carry_batch(batch: Path, partial: Path) -> bool:
    """Copy the last run's batch database, if there is one that can be read, and tell whether there is.

    Args:
        batch: the batch database of the last run.
        partial: where that of this run is made.
    """
    if not batch.exists():
        return False
    try:
        duckdb.connect(str(batch), read_only=True).close()
    except duckdb.Error:
        return False  # of another version, or damaged: it is only a shortcut
    for suffix in ("", ".wal"):  # a decision may be in the log alone
        source = batch.with_name(batch.name + suffix)
        if source.exists():
            copy_file(source, partial.with_name(partial.name + suffix))
    return True


def remove_tables(con: duckdb.DuckDBPyConnection, entity: str, *, but: Collection[str] = ()) -> None:
    """Remove what the last run left of an entity type.

    Args:
        con: connection of the batch database.
        entity: the entity type.
        but: tables that stay, by their names without the entity type.
    """
    kinds = con.execute(
        "select 'view', view_name from duckdb_views() "
        "where database_name = current_database() and starts_with(view_name, $prefix) "
        "union all select 'table', table_name from duckdb_tables() "
        "where database_name = current_database() and starts_with(table_name, $prefix)",
        {"prefix": f"{entity}_"},
    ).fetchall()
    stay = {f"{entity}_{name}" for name in but}
    for kind, name in sorted(kinds, reverse=True):
        if name not in stay:
            con.execute(f"drop {kind} {quote(name)}")
