"""Which organisation a branch belongs to: the parent its name names, if there is exactly one.

In: the tables of legal persons and the claims of representatives. Out: claims `branch_of`, from the branch to its
parent, one per record of the branch that names the parent.

A branch is registered under its parent's full name and a word of its own behind it (企业名称登记管理规定, article 13).
The entity whose golden name has a branch part is the branch; candidates are entities whose full name is the rest, else
those that once had it. An entity without an official number, or with the branch's own, is none: it is perhaps the
branch, its name cut short by a careless source. Several candidates are told apart by what they share with the branch
(registrar, representative, telephone, room); if more than one shares as much, none is taken. Two such things make the
relation `corroborated`; the name and one of them, or the name alone, an `attribute`.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.relations.sides import Side, Unresolved, drop, unresolved

_TABLES = ("branch", "name", "candidate", "parent")


def find_parents(con: DuckDBPyConnection, organisations: Side, *, claims: str) -> tuple[Unresolved, ...]:
    """Add the claims of branches.

    Args:
        con: DuckDB connection.
        organisations: the tables of legal persons.
        claims: table to add to; the claims of representatives that it holds count as evidence.

    Returns:
        Branches whose parent is not known, by reason.
    """
    _branches(con, organisations)
    _candidates(con, organisations, claims)
    _make(
        con,
        "parent",
        f"""
select branch, min(parent) as parent, min(evidence) as evidence, count(*) as parents, min(rule) as rule
from (
    select * from {_name("candidate")}
    qualify place = min(place) over (partition by branch)
        and evidence = max(evidence) over (partition by branch, place)
)
group by branch""",
    )
    con.execute(f"""
insert into {quote(claims)}
select b.branch, 'branch_of', p.parent,
    case when p.evidence >= 2 then 'corroborated' else 'attribute' end, p.rule,
    r.record_id, r.source, r.as_of::varchar, r.record_id = b.record_id, b.as_of, b.established
from {_name("parent")} p
join {_name("branch")} b on b.branch = p.branch
join {organisations.member()} r on r.entity_id = b.branch and r.name_parent = b.parent_name
where p.parents = 1""")
    left = unresolved(
        con,
        f"""
select 'branch_of', case when p.parents > 1 then 'ambiguous' else 'name_only' end, count(*)
from {_name("branch")} b
left join {_name("parent")} p on p.branch = b.branch
where p.parents is distinct from 1
group by all""",
    )
    drop(con, (_name(table) for table in _TABLES))
    return left


def _name(table: str) -> str:
    return f"_branch_{table}"


def _make(con: DuckDBPyConnection, table: str, query: str) -> None:
    con.execute(f"create or replace temp table {_name(table)} as {query}")


def _branches(con: DuckDBPyConnection, organisations: Side) -> None:
    """Make `branch` (branch, parent_name and the golden name's record) and `name` (organisation, full, former)."""
    golden = organisations.surviving("name")
    _make(
        con,
        "branch",
        f"""
select g.entity_id as branch, r.name_parent as parent_name, g.record_id, g.as_of, e.established_date as established
from {golden} g
join {quote(organisations.records)} r on r.record_id = g.record_id
join {quote(organisations.golden)} e on e.entity_id = g.entity_id
where r.name_branch is not null and r.name_parent is not null""",
    )
    _make(
        con,
        "name",
        f"""
with written as (
    select r.entity_id as organisation, r.name_full as full_name, r.record_id is distinct from g.record_id as former
    from {organisations.member()} r
    join {golden} g on g.entity_id = r.entity_id
    where r.name_branch is null
    union all
    select entity_id, unnest(list_concat(coalesce(former_texts, []), coalesce(name_former, []))), true
    from {organisations.member()}
)
select organisation, full_name, bool_and(former) as former
from written
join {quote(organisations.golden)} e on e.entity_id = written.organisation
anti join {_name("branch")} b on b.branch = written.organisation
semi join {_name("branch")} p on p.parent_name = written.full_name
where coalesce(e.uscc, e.registration_number, e.organization_code) is not null
group by organisation, full_name""",
    )


def _candidates(con: DuckDBPyConnection, organisations: Side, claims: str) -> None:
    """Make `candidate`: branch, parent, place (0 has the name now), evidence (kinds of things shared), rule."""
    member = organisations.member()
    _make(
        con,
        "candidate",
        f"""
with pair as (
    select b.branch, n.organisation as parent, n.former
    from {_name("branch")} b
    join {_name("name")} n on n.full_name = b.parent_name
    join {quote(organisations.golden)} own on own.entity_id = b.branch
    join {quote(organisations.golden)} theirs on theirs.entity_id = n.organisation
    where own.organization_code is distinct from theirs.organization_code
        or (own.organization_code is null and own.registration_number is distinct from theirs.registration_number)
),
concerned as (
    select branch as id from pair union select parent from pair
),
trait as (
    select distinct entity_id as id, 'phone' as kind, unnest(phone_numbers) as value
    from {member} semi join concerned on id = entity_id
    union
    select entity_id, 'room', address_room_key from {member} semi join concerned on id = entity_id
    union
    select other_entity_id, 'representative', entity_id from {quote(claims)}
    where relation in ('legal_representative_of', 'operator_of')
    union
    select entity_id, 'registrar', substr(uscc, 3, 6) from {quote(organisations.golden)}
),
shared as (
    select p.branch, p.parent, count(distinct a.kind) as evidence
    from pair p
    join trait a on a.id = p.branch
    join trait b on b.id = p.parent and b.kind = a.kind and b.value = a.value
    group by p.branch, p.parent
)
select p.branch, p.parent, p.former::integer as place, coalesce(s.evidence, 0) as evidence,
    case when p.former then 'former_parent_name' else 'parent_name' end as rule
from pair p
left join shared s on s.branch = p.branch and s.parent = p.parent""",
    )
