"""Golden values of entities that did not change are those of the last run.

What survives of an entity depends on its records, their dates and sources, the sources' ranks and the configuration. So
only entities that won or lost a record, or one of whose records changed, get new golden values; the others keep theirs.

Invariant: the tables are those that `golden_records.survivorship.survive` makes of all records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.survivorship import SurvivorTables
from linkage.increment.before import Before
from linkage.increment.rows import delete_rows

TABLES = ("golden", "provenance", "identifier", "name", "address", "phone")


def take_values(
    con: DuckDBPyConnection,
    before: Before,
    fresh: Callable[[str, SurvivorTables], None],
    *,
    membership: str,
    changed: str,
    revalued: str,
    out: SurvivorTables,
) -> None:
    """Bring the last run's golden values to those of this run.

    Args:
        con: DuckDB connection.
        before: the last run, whose golden values were made by this program of this configuration and these ranks.
        fresh: makes the tables given of a membership.
        membership: record_id, entity_id of this run.
        changed: what has changed about records (see `linkage.increment.taken.find_changed`).
        revalued: temporary table to make: entity_id of those whose values were made anew, or that are no more.
        out: tables to change in place.
    """
    touched = f"{membership}_touched"
    last = before.table("membership")
    con.execute(f"""
create or replace temp table {quote(revalued)} as
select m.entity_id
from {quote(membership)} m
anti join {last} b on m.record_id = b.record_id and m.entity_id = b.entity_id
union
select b.entity_id
from {last} b
anti join {quote(membership)} m on m.record_id = b.record_id and m.entity_id = b.entity_id
union
select m.entity_id
from {quote(membership)} m
semi join {quote(changed)} c on m.record_id = c.record_id and c.change in ('content', 'date')""")
    con.execute(f"""
create or replace temp table {quote(touched)} as
select m.record_id, m.entity_id
from {quote(membership)} m
semi join {quote(revalued)} c on m.entity_id = c.entity_id""")
    made = replace(out, **{name: f"{getattr(out, name)}_fresh" for name in TABLES})
    fresh(touched, made)
    for target, part in zip(astuple(out), astuple(made), strict=True):
        delete_rows(con, quote(target), wanted=quote(revalued), key="entity_id")
        con.execute(f"insert into {quote(target)} by name select * from {quote(part)}")
        con.execute(f"drop table {quote(part)}")
    con.execute(f"drop table {quote(touched)}")
