"""Golden values of entities that did not change are those of the last run.

What survives of an entity depends on its records, their dates and sources, the sources' ranks and the configuration. So
only entities that won or lost a record, or one of whose records changed, get new golden values; the others' are copied.

Invariant: the tables are those that `golden_records.survivorship.survive` makes of all records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.survivorship import SurvivorTables
from linkage.database import only_row
from linkage.increment.before import Before

TABLES = ("golden", "provenance", "identifier", "name", "address", "phone")


def take_values(
    con: DuckDBPyConnection,
    before: Before,
    fresh: Callable[[str, SurvivorTables], None],
    *,
    membership: str,
    taken: str,
    out: SurvivorTables,
) -> int:
    """Make the tables of golden values, and return how many entities' were made anew.

    Args:
        con: DuckDB connection.
        before: the last run, whose golden values were made by this program of this configuration and these ranks.
        fresh: makes the tables given of a membership.
        membership: record_id, entity_id of this run.
        taken: records taken over from the last run (see `linkage.increment.taken.take_records`).
        out: tables to make.
    """
    changed, touched = f"{membership}_changed", f"{membership}_touched"
    last = before.table("membership")
    con.execute(f"""
create or replace temp table {quote(changed)} as
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
anti join (select record_id from {quote(taken)} where same_date) t on m.record_id = t.record_id""")
    con.execute(f"""
create or replace temp view {quote(touched)} as
select m.record_id, m.entity_id
from {quote(membership)} m
semi join {quote(changed)} c on m.entity_id = c.entity_id""")
    made = replace(out, **{name: f"{getattr(out, name)}_fresh" for name in TABLES})
    fresh(touched, made)
    for name, target, part in zip(TABLES, astuple(out), astuple(made), strict=True):
        con.execute(f"""
create or replace table {quote(target)} as
select b.*
from {before.table(name)} b
anti join {quote(changed)} c on b.entity_id = c.entity_id
union all by name
select *
from {quote(part)}""")
        con.execute(f"drop table {quote(part)}")
    (entities,) = only_row(con, f"select count(*) from {quote(changed)}")
    con.execute(f"drop view {quote(touched)}")
    con.execute(f"drop table {quote(changed)}")
    return int(entities)
