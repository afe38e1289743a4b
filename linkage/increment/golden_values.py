"""Golden values of entities that did not change are those of the last run.

What survives of an entity depends on its records, their dates and sources, the sources' ranks and the configuration. So
only entities that won or lost a record, or one of whose records changed, get new golden values; the others keep theirs.

Invariant: the tables are those that `golden_records.survivorship.survive` makes of all records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.survivorship import SurvivorTables
from linkage.database import in_memory
from linkage.increment.rows import change_rows

TABLES = ("golden", "provenance", "identifier", "name", "address", "phone")


@dataclass(frozen=True)
class MembershipTables:
    """Names of tables of record_id, entity_id, quoted.

    Attributes:
        now: of this run.
        before: of the last.
        parted: of both, the rows that may differ, where they are known.
    """

    now: str
    before: str
    parted: tuple[str, str] | None = None


def take_values(
    con: DuckDBPyConnection,
    fresh: Callable[[str, SurvivorTables], None],
    *,
    members: MembershipTables,
    changed: str,
    revalued: str,
    out: SurvivorTables,
) -> None:
    """Bring the last run's golden values to those of this run.

    Args:
        con: DuckDB connection.
        fresh: makes the tables given of a membership.
        members: who belonged where, and does now.
        changed: what has changed about records (see `linkage.increment.taken.find_changed`).
        revalued: temporary table to make: entity_id of those whose values were made anew, or that are no more.
        out: tables of the last run, made by this program of this configuration and these ranks; changed in place.
    """
    touched = f"{revalued}_record"
    now, before = members.parted or (members.now, members.before)
    con.execute(f"""
create or replace temp table {quote(revalued)} as
select entity_id from (select record_id, entity_id from {now} except select record_id, entity_id from {before})
union
select entity_id from (select record_id, entity_id from {before} except select record_id, entity_id from {now})
union
select m.entity_id
from {members.now} m
semi join {quote(changed)} c on m.record_id = c.record_id and c.change in ('content', 'date')""")
    con.execute(f"""
create or replace temp table {quote(touched)} as
select m.record_id, m.entity_id
from {members.now} m
semi join {quote(revalued)} c on m.entity_id = c.entity_id""")
    made = replace(out, **{name: f"{getattr(out, name)}_fresh" for name in TABLES})
    with in_memory(con):
        fresh(touched, made)
    for target, part in zip(astuple(out), astuple(made), strict=True):
        change_rows(con, quote(target), wanted=quote(revalued), key="entity_id", fresh=quote(part))
        con.execute(f"drop table {quote(part)}")
    con.execute(f"drop table {quote(touched)}")
