"""Where a person works: from the employer's code or name in a person's records to an organisation.

In: the tables of both entity types. Out: claims `employed_by`, from the person to the organisation, one per record.

The code finds the organisation that holds it (`employer_code`, basis identifier) unless the name beside it is of
another brand; the name alone finds the only organisation that is called so now, else that once was (`employer_name`,
basis attribute: a candidate).
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.relations.sides import Side, Unresolved, drop, unresolved
from matchers.value_hash import hash_sql

_TABLES = ("said", "code", "name", "found")
_COMPARED = ("text", "core", "brand", "core_key")


def find_employers(
    con: DuckDBPyConnection, organisations: Side, people: Side, *, claims: str
) -> tuple[Unresolved, ...]:
    """Add the claims of employers.

    Args:
        con: DuckDB connection.
        organisations: the tables of legal persons.
        people: the tables of natural persons.
        claims: table to add to.

    Returns:
        Employers that persons name and that are not known, by reason; counted once per person and employer.
    """
    _said(con, people)
    _by_code(con, organisations)
    _by_name(con, organisations)
    con.execute(f"""
create or replace temp table {_name("found")} as
select employer, organisation, 'employer_code' as rule, 'identifier' as basis
from {_name("code")}
where compatible and holders = 1
union all
select n.employer, n.organisation, 'employer_name', 'attribute'
from {_name("name")} n
anti join {_name("code")} c on c.employer = n.employer
where n.holders = 1""")
    con.execute(f"""
insert into {quote(claims)}
select r.person, 'employed_by', f.organisation, f.basis, f.rule, r.record_id, r.source, r.as_of,
    coalesce(g.record_id = r.record_id, false), g.as_of, null
from {_name("said")} r
join {_name("found")} f on f.employer = r.employer
left join {people.surviving("employer_name")} g on g.entity_id = r.person""")
    left = unresolved(
        con,
        f"""
select 'employed_by',
    case when c.compatible is false then 'name_contradicts' when c.holders > 1 or n.holders > 1 then 'ambiguous'
        else 'name_only' end,
    count(distinct (s.person, s.employer))
from {_name("said")} s
left join {_name("code")} c on c.employer = s.employer
left join {_name("name")} n on n.employer = s.employer
anti join {_name("found")} f on f.employer = s.employer
group by all""",
    )
    drop(con, (_name(table) for table in _TABLES))
    return left


def _name(table: str) -> str:
    return f"_employer_{table}"


def _said(con: DuckDBPyConnection, people: Side) -> None:
    """Make `said`: person, record_id, source, as_of, employer (hash of what is said), code, and the name's parts."""
    compared = ", ".join(f"work_{part}" for part in _COMPARED)
    said = ", ".join(hash_sql(column, "varchar") for column in ("code", "work_full", "work_text"))
    con.execute(f"""
create or replace temp table {_name("said")} as
with written as (
    select entity_id as person, record_id, source, as_of::varchar as as_of,
        nullif(upper(regexp_replace(employer_uscc, '[^0-9A-Za-z]', '', 'g')), '') as code,
        work_full, {compared}
    from {people.member()}
    where employer_uscc is not null or work_full is not null
)
select *, hash({said}) as employer
from written""")


def _by_code(con: DuckDBPyConnection, organisations: Side) -> None:
    """Make `code`: employer, organisation, holders of the code, whether the name beside it is compatible."""
    same = " or ".join(f"coalesce(list_contains(h.{part}s, s.work_{part}), false)" for part in _COMPARED)
    names = ", ".join(f"list(distinct name_{part}) filter (name_{part} is not null) as {part}s" for part in _COMPARED)
    con.execute(f"""
create or replace temp table {_name("code")} as
with said as (
    select distinct employer, code, {", ".join(f"work_{part}" for part in _COMPARED)}
    from {_name("said")}
    where code is not null
),
code as (
    select distinct code_uscc as code, entity_id as organisation
    from {organisations.member()}
    where code_uscc in (select code from said)
),
holder as (
    select c.code, c.organisation, {names}
    from code c
    join {organisations.member()} r on r.entity_id = c.organisation
    group by c.code, c.organisation
)
select s.employer, min(h.organisation) as organisation, count(distinct h.organisation) as holders,
    bool_or((s.work_text is null) or {same}) as compatible
from said s
join holder h on h.code = s.code
group by s.employer""")


def _by_name(con: DuckDBPyConnection, organisations: Side) -> None:
    """Make `name`: employer, organisation called so, how many are; by the golden name, else by any name they had."""
    con.execute(f"""
create or replace temp table {_name("name")} as
with said as (
    select distinct employer, work_full from {_name("said")} where work_full is not null
),
called as (
    select r.entity_id as organisation, r.name_full as full_name, r.record_id is distinct from g.record_id as former
    from {organisations.member()} r
    join {organisations.surviving("name")} g on g.entity_id = r.entity_id
    union all
    select entity_id, unnest(coalesce(former_texts, [])), true
    from {organisations.member()}
),
candidate as (
    select s.employer, c.organisation, bool_and(c.former) as former
    from said s
    join called c on c.full_name = s.work_full
    group by s.employer, c.organisation
)
select employer, min(organisation) as organisation, count(*) as holders
from (select * from candidate qualify former = bool_and(former) over (partition by employer))
group by employer""")
