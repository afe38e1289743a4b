"""Which organisation carries on for which: a new code for the same name, the same person and the same room.

In: the tables of legal persons and the claims of representatives. Out: claims `succeeds`, from the later organisation
to the earlier, one per record of the later that has the name.

A code is never given anew, so an institution that becomes an enterprise, a business that is closed and opened again, or
one that becomes a company under another code is another legal person and is never merged with what it was. Asked for:
two different credit codes, one representative found by number (not only one name), one room, one full name (or, in a
conversion between kinds of code, one brand and trade), founded one after the other, and the earlier one ended unless
the codes tell of a conversion. If an organisation would have two successors or two predecessors, none is taken.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.relations.settings import RelationSettings
from linkage.relations.sides import Side, Unresolved, drop, texts, unresolved

_TABLES = ("pair",)


def find_successors(
    con: DuckDBPyConnection, organisations: Side, settings: RelationSettings, *, claims: str
) -> tuple[Unresolved, ...]:
    """Add the claims of successors.

    Args:
        con: DuckDB connection.
        organisations: the tables of legal persons.
        settings: the settings.
        claims: table to add to; it must hold the claims of representatives.

    Returns:
        Organisations that would have several successors or predecessors.
    """
    _pairs(con, organisations, settings, claims)
    con.execute(f"""
insert into {quote(claims)}
select p.later, 'succeeds', p.earlier, 'corroborated', p.rule,
    r.record_id, r.source, r.as_of::varchar, true, null, p.established
from {_name("pair")} p
join {organisations.member()} r on r.entity_id = p.later and r.name_full = p.full_name
where p.alone""")
    left = unresolved(
        con,
        f"select 'succeeds', 'ambiguous', count(distinct later) from {_name('pair')} "
        "where not alone having count(*) > 0",
    )
    drop(con, (_name(table) for table in _TABLES))
    return left


def _name(table: str) -> str:
    return f"_successor_{table}"


def _pairs(con: DuckDBPyConnection, organisations: Side, settings: RelationSettings, claims: str) -> None:
    """Make `pair`: later, earlier, full_name (of the later), established, rule, alone (neither has another)."""
    member = organisations.member()
    conversions = ", ".join(f"('{before}', '{after}')" for before, after in settings.succession.conversions)
    converted = f"(left(a.uscc, 2), left(b.uscc, 2)) in ({conversions})" if conversions else "false"
    con.execute(f"""
create or replace temp table {_name("pair")} as
with place as (
    select distinct c.entity_id as person, c.other_entity_id as organisation, r.address_room_key as room
    from {quote(claims)} c
    join {member} r on r.entity_id = c.other_entity_id
    where c.relation in ('legal_representative_of', 'operator_of') and c.basis <> 'attribute'
        and r.address_room_key is not null
),
met as (
    select distinct a.organisation as earlier, b.organisation as later
    from place a
    join place b on b.person = a.person and b.room = a.room and b.organisation <> a.organisation
),
known as (
    select g.entity_id, g.uscc, g.status, g.established_date as established, r.name_full, r.name_core, r.name_unit
    from {quote(organisations.golden)} g
    join {organisations.surviving("name")} n on n.entity_id = g.entity_id
    join {quote(organisations.records)} r on r.record_id = n.record_id
    where g.uscc is not null and g.established_date is not null
),
fitting as (
    select m.later, m.earlier, b.name_full as full_name, b.established,
        case when {converted} then 'conversion' else 'founded_anew' end as rule
    from met m
    join known a on a.entity_id = m.earlier
    join known b on b.entity_id = m.later
    where a.uscc <> b.uscc and a.established < b.established
        and coalesce(a.name_unit, '') = coalesce(b.name_unit, '')
        and (
            (a.name_full = b.name_full and a.status in ({texts(settings.succession.ended)}))
            or (a.name_core = b.name_core and {converted})
        )
)
select *,
    count(*) over (partition by later) = 1 and count(*) over (partition by earlier) = 1 as alone
from fitting""")
