"""What a month publishes: the rows of entities and review cases that it may have changed, and what these were before.

Only where the last run's tables are those of the newest release, so that what the store holds is known without reading
it. Of anything else the whole is published, and the store compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.catalog.delta import load
from golden_records.catalog.lookup import holds_lookup
from golden_records.catalog.publish import ReleaseTables
from golden_records.catalog.schema import RELATION, Column
from golden_records.catalog.store import Catalog
from linkage.entities import release_tables
from linkage.increment.before import Before
from linkage.increment.golden_values import TABLES
from linkage.increment.rows import copy_rows
from linkage.pipeline import Linkage, touching
from linkage.review_cases import SPOT_CHECK

OWNERS = "month_owner"
_OF_ENTITIES = (*TABLES, "record_link")


@dataclass(frozen=True)
class MonthTables:
    """What a month hands to the store.

    Attributes:
        tables: see `golden_records.catalog.publish.publish`;
        owners: likewise,
        held: and this as well.
        reprofiled: entity type to the table of the entities whose profiles are others, or belong to others as well,
            than the store has them (see `golden_records.catalog.lookup.LookupPart`); absent: any may be.
    """

    tables: ReleaseTables
    owners: str
    held: ReleaseTables
    reprofiled: Mapping[str, str]


def month_tables(con: DuckDBPyConnection, catalog: Catalog, runs: Sequence[Linkage], *, relation: str) -> MonthTables:
    """Return what a month publishes; the tables made are temporary.

    Args:
        con: the batch database, with the last run's attached.
        catalog: the store, before the publish.
        runs: the linkages; their last run's tables are those of the newest release, and their golden values taken over.
        relation: table of the relations.
    """
    con.execute(f"create or replace temp table {OWNERS} (owner_id varchar)")
    for run in runs:
        assert run.before is not None
        _find_owners(run, run.before)
        _show(run, run.before)
    _add_relations(con, catalog, relation)
    reprofiled = {
        str(run.config.entity): _entities_of_changed_profiles(run)
        for run in runs
        if run.pair_changes is not None and holds_lookup(catalog, run.config.entity)
    }
    whole = release_tables(tuple(runs), relation=relation)
    return MonthTables(_of_owners(whole, runs, "now"), OWNERS, _of_owners(ReleaseTables(), runs, "held"), reprofiled)


def _entities_of_changed_profiles(run: Linkage) -> str:
    """Make the temporary table of the entities that have or had a profile which came, went or belongs to others now.

    Of a profile that belongs to others now, all that it belongs to are among them.
    """
    out, before = run.table("among"), run.before
    assert before is not None
    now = last = ""
    if run.part is not None:
        now, last = (f"semi join {quote(run.table(name))} using (profile_id)" for name in ("touched", "touched_before"))

    def belonging(table: str, membership: str, of: str) -> str:
        return (
            f"select p.record_id, p.profile_id, m.entity_id from {table} p {of} join {membership} m using (record_id)"
        )

    run.con.execute(f"""
create or replace temp table {quote(out)} as
with now as ({belonging(quote(run.table("profile_record")), quote(run.table("membership")), now)}),
before as ({belonging(before.table("profile_record"), before.table("membership"), last)}),
changed as (
    from now anti join before using (record_id, profile_id, entity_id)
    union all
    from before anti join now using (record_id, profile_id, entity_id)
)
select entity_id from changed
union
select entity_id from now semi join changed using (profile_id)""")
    return out


def _find_owners(run: Linkage, before: Before) -> None:
    """Add to the owners the entities with other values, links or anchors than before, and the other review cases."""
    assert run.revalued is not None
    differing = (
        _differing(run, before, "record_link", "*", "entity_id"),
        _differing(run, before, "entities", "entity_id, anchor, state", "entity_id"),
        _differing(run, before, "review_case", "*", "case_id"),
    )
    run.con.execute(f"""
insert into {OWNERS}
select entity_id from {quote(run.revalued)}
{"".join(f" union ({part})" for part in differing)}""")


def _differing(run: Linkage, before: Before, table: str, columns: str, owner: str) -> str:
    """Return the query of the owners of rows that only the one or only the other run has.

    Where only a part was resolved again, rows outside it are not looked at, but for spot checks, drawn from all.
    """
    now, then = quote(run.table(table)), before.table(table)
    if run.part is not None:
        own, rows = quote(run.part.table(table)), touching(run).rows_of_part(table)
        drawn = f" union all select * from {{}} where kind = '{SPOT_CHECK}'" if table == "review_case" else ""
        now, then = (
            f"(select * from {own}{drawn.format(now)})",
            f"(select * from {then} {rows}{drawn.format(then)})",
        )
    sides = (f"select {columns} from {a} except select {columns} from {b}" for a, b in ((now, then), (then, now)))
    return " union ".join(f"select {owner} from ({side})" for side in sides)


def _show(run: Linkage, before: Before) -> None:
    """Make temporary tables of the owners' rows, as they are and as they were."""
    for kind, table_of in (("now", lambda name: quote(run.table(name))), ("held", before.table)):
        for name, owner in (*((name, "entity_id") for name in _OF_ENTITIES), ("review_case", "case_id")):
            wanted = f"(select owner_id as {owner} from {OWNERS})"
            copy_rows(run.con, table_of(name), wanted=wanted, key=owner, out=run.table(f"{kind}_{name}"))
    run.con.execute(f"""
create or replace temp view {quote(run.table("held_entities"))} as
select entity_id, anchor
from {before.table("entities")}""")


def _add_relations(con: DuckDBPyConnection, catalog: Catalog, relation: str) -> None:
    """Add every entity with relations: those of decisions applied since the last run are in the store alone."""
    load(
        con,
        "related_before",
        (Column("owner_id"),),
        catalog,
        "select owner_id from fingerprint where entity_type = ?",
        (str(RELATION.part),),
    )
    con.execute(f"""
insert into {OWNERS}
select owner_id from related_before
union
select '{RELATION.owner_prefix}' || entity_id from {quote(relation)}""")
    con.execute("drop table related_before")


def _of_owners(tables: ReleaseTables, runs: Sequence[Linkage], kind: str) -> ReleaseTables:
    """Return the tables with those of the owners' rows in the place of whole ones."""

    def each(name: str) -> tuple[str, ...]:
        return tuple(run.table(f"{kind}_{name}") for run in runs)

    def golden(entity: str) -> tuple[str, ...]:
        return tuple(run.table(f"{kind}_golden") for run in runs if run.config.entity == entity)

    return replace(
        tables,
        legal_person=golden("legal_person"),
        natural_person=golden("natural_person"),
        identifier=each("identifier"),
        name=each("name"),
        address=each("address"),
        phone=each("phone"),
        record_link=each("record_link"),
        provenance=each("provenance"),
        review_case=each("review_case"),
        entities=each("entities") if kind == "held" else tables.entities,
    )
