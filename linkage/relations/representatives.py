"""Who represents an organisation: from the representative's name and number in its records to a natural person.

In: the tables of both entity types. Out: claims `legal_representative_of` and `operator_of`, from the person to the
organisation (of a branch or a partnership: the person in charge), one per record that speaks for them.

What a record says of the representative is a statement: a name, a number, either perhaps partly hidden. The operator's
number may stand in the place of a code or in a tax number. A statement finds a person, in this order:

* `number`, `operator_number`: one person of a compatible name holds the whole number; basis identifier;
* `partial_number`: the name, and enough of a partly hidden number, fit one person and no other; corroborated;
* `same_name_here`: the statement has no number, and one person of this name was found by another record of the same
  organisation;
* `phone_and_room` (corroborated), `phone`, `room` (attribute, a candidate): one person of the same name, and only one,
  shares a telephone number or the room with the organisation, and no number speaks against it.

A name alone finds nobody, and two persons of one name at one address are never told apart by it.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.relations.settings import RelationSettings
from linkage.relations.sides import Side, Unresolved, drop, texts, unresolved
from matchers.identifiers import agreement as _agreement  # noqa: F401  (registers the similarities used below)
from matchers.levels import Condition, any_of, columns_of
from matchers.person_name import levels, related
from matchers.value_hash import hash_sql

_TABLES = ("kind", "record", "statement", "number", "partial", "found", "shared", "group", "contact", "outcome")
_COMPATIBLE = related("name", "former")
_LADDER = {level.name: level.condition for level in levels("name", "former") if level.condition is not None}
_READ = tuple(sorted(columns_of([_COMPATIBLE, *_LADDER.values()]) - {"former_keys"}))
_NUMBER_RULES = "('number', 'operator_number', 'partial_number')"


def find_representatives(
    con: DuckDBPyConnection, organisations: Side, people: Side, settings: RelationSettings, *, claims: str
) -> tuple[Unresolved, ...]:
    """Add the claims of representatives and operators.

    Args:
        con: DuckDB connection.
        organisations: the tables of legal persons.
        people: the tables of natural persons.
        settings: the settings.
        claims: table to add to.

    Returns:
        What was said of representatives and led to no person.
    """
    _kinds(con, organisations, settings)
    _statements(con, organisations)
    _by_number(con, people)
    _by_partial_number(con, people, settings)
    _found_by_number(con)
    _by_name_in_organisation(con, people)
    _by_contact(con, organisations, people)
    _claim(con, organisations, settings, claims)
    left = unresolved(con, _outcomes(settings))
    drop(con, (_name(table) for table in _TABLES))
    return left


def _name(table: str) -> str:
    return f"_representative_{table}"


def _make(con: DuckDBPyConnection, table: str, query: str) -> None:
    con.execute(f"create or replace temp table {_name(table)} as {query}")


def _side(alias: str) -> tuple[str, ...]:
    return tuple(f"{alias}.{quote(column)}" for column in _READ)


def _sql(condition: Condition, left: str, right: str) -> str:
    return condition.sql(lambda column: f"{left}.{quote(column)}", lambda column: f"{right}.{quote(column)}")


def _kinds(con: DuckDBPyConnection, organisations: Side, settings: RelationSettings) -> None:
    """Make `kind`: organisation, relation of its representative to it."""
    told, coded = settings.representative.operator_kinds, settings.representative.operator_code_prefixes
    _make(
        con,
        "kind",
        f"""
select g.entity_id as organisation,
    case
        when g.entity_kind in ({texts(told)}) then 'operator_of'
        when g.entity_kind is null and left(g.uscc, 2) in ({texts(coded)}) then 'operator_of'
        when g.entity_kind is null and g.uscc is null and n.operators then 'operator_of'
        else 'legal_representative_of'
    end as relation
from {quote(organisations.golden)} g
left join (
    select entity_id, bool_or(name_form_class = 'individual_business' or code_operator_id is not null) as operators
    from {organisations.member()}
    group by entity_id
) n on n.entity_id = g.entity_id""",
    )


def _statements(con: DuckDBPyConnection, organisations: Side) -> None:
    """Make `record` (record_id, source, as_of, statement) and `statement`, distinct: what is said, of which one."""
    names = ", ".join(
        f"r.{quote('rep_' + column.removeprefix('name_'))} as {quote(column)}"
        for column in _READ
        if column.startswith("name_")
    )
    own = "coalesce(r.rep_id_status = 'valid', false)"
    con.execute(f"""
create or replace temp table {_name("said")} as
select r.record_id, r.source, r.as_of::varchar as as_of, r.entity_id as organisation,
    {names}, null::varchar[] as former_keys,
    case when {own} then r.rep_id_value else r.code_operator_id end as number,
    case when {own} then r.rep_id_scheme when r.code_operator_id is not null then 'resident_id' end as scheme,
    case when {own} then 'number' when r.code_operator_id is not null then 'operator_number' end as number_rule,
    case when {own} then r.rep_id_pattern else coalesce(r.code_operator_id, r.rep_id_pattern) end as pattern
from {organisations.member()} r
where r.rep_key is not null or r.rep_pattern is not null or {own} or r.code_operator_id is not null""")
    identity = ("organisation", "name_key", "name_pattern", "number", "scheme", "pattern")
    said = ", ".join(hash_sql(column, "varchar") for column in identity)
    con.execute(f"""
create or replace temp table {_name("numbered")} as
select *, hash({said}) as statement
from {_name("said")}""")
    _make(con, "record", f"select record_id, source, as_of, statement, organisation from {_name('numbered')}")
    columns = ", ".join(
        f"first({quote(c)} order by record_id) as {quote(c)}"
        for c in (*_READ, "former_keys", "organisation", "number", "scheme", "pattern")
    )
    _make(
        con,
        "statement",
        f"""
select statement, {columns}, min(number_rule) as number_rule,
    coalesce(first(name_canon order by record_id), first(name_pattern order by record_id)) as name
from {_name("numbered")}
group by statement""",
    )
    drop(con, (_name("said"), _name("numbered")))


def _numbers_of(people: Side) -> str:
    """Return a subquery: the whole numbers of every person, those that their own record disputes left out."""
    return (
        "(select distinct entity_id as person, id_scheme as scheme, id_value as number, id_exclusive as exclusive, "
        f"id_pattern as pattern from {people.member()} "
        "where id_status = 'valid' and id_disputed is distinct from true)"
    )


def _by_number(con: DuckDBPyConnection, people: Side) -> None:
    """Make `number`: statement, person who holds its number, whether the names are compatible."""
    names = f"(select distinct entity_id, {', '.join(map(quote, _READ))}, former_keys from {people.member()})"
    _make(
        con,
        "number",
        f"""
with holder as (
    select distinct s.statement, n.person
    from {_name("statement")} s
    join {_numbers_of(people)} n on n.number = s.number
    where n.scheme = s.scheme or (s.number_rule = 'operator_number' and n.exclusive is not null)
),
named as (
    select n.* from {names} n semi join holder h on h.person = n.entity_id
)
select h.statement, h.person,
    bool_or((s.name_key is null and s.name_pattern is null) or {_sql(_COMPATIBLE, "s", "n")}) as compatible
from holder h
join {_name("statement")} s on s.statement = h.statement
join named n on n.entity_id = h.person
group by h.statement, h.person""",
    )


def _by_partial_number(con: DuckDBPyConnection, people: Side, settings: RelationSettings) -> None:
    """Make `partial`: statement, person of the name whose number fits as far as either is shown."""
    ours = settings.representative
    alike = any_of(*(_LADDER[level] for level in ours.partial_names))
    shown = ", ".join((*_side("r"), "r.former_keys"))
    _make(
        con,
        "partial",
        f"""
with open as (
    select s.*,
        case when not contains(substr(s.pattern, 15), '*') then substr(s.pattern, 15) end as tail,
        case when not contains(left(s.pattern, 6), '*') then left(s.pattern, 6) end as region
    from {_name("statement")} s
    anti join {_name("number")} n on n.statement = s.statement
    where length(s.pattern) = 18 and s.name_pinyin is not null
),
holder as (
    select distinct r.entity_id as person, r.id_pattern as pattern, r.id_status = 'valid' as whole, r.id_tail as tail,
        left(r.id_pattern, 6) as region, {shown}
    from {people.member()} r
    semi join open o on o.name_pinyin = r.name_pinyin
    where length(r.id_pattern) = 18 and r.id_disputed is distinct from true
),
met as (
    select o.statement, h.person, o.pattern as one, h.pattern as other
    from open o
    join holder h on h.name_pinyin = o.name_pinyin and (h.tail = o.tail or h.region = o.region)
    where not (o.number is not null and h.whole) and {_sql(alike, "o", "h")}
),
fitting as (
    select distinct statement, person, one
    from met
    where gy_mask_agreement(one, other) >= {ours.min_positions} and gy_mask_tail(one, other) >= {ours.min_tail}
),
against as (
    select f.statement, f.person
    from fitting f
    join {_numbers_of(people)} n on n.person = f.person and length(n.pattern) = 18
    where gy_mask_agreement(f.one, n.pattern) < 0
)
select distinct statement, person
from fitting f
anti join against a on a.statement = f.statement and a.person = f.person""",
    )


def _found_by_number(con: DuckDBPyConnection) -> None:
    """Make `found`: statement, person, rule, basis; only where one person fits."""
    _make(
        con,
        "found",
        f"""
select n.statement, min(n.person) as person, min(s.number_rule) as rule, 'identifier' as basis
from {_name("number")} n
join {_name("statement")} s on s.statement = n.statement
where n.compatible
group by n.statement
having count(*) = 1
union all
select statement, min(person), 'partial_number', 'corroborated'
from {_name("partial")}
group by statement
having count(*) = 1""",
    )


def _by_name_in_organisation(con: DuckDBPyConnection, people: Side) -> None:
    """Add to `found` the statements without a number whose name is that of one person found for the organisation."""
    con.execute(f"""
insert into {_name("found")}
with known as (
    select s.organisation, s.name, min(f.person) as person
    from {_name("found")} f
    join {_name("statement")} s on s.statement = f.statement
    where s.name_canon is not null
    group by s.organisation, s.name
    having count(distinct f.person) = 1
),
fitting as (
    select s.statement, k.person, s.pattern
    from {_name("statement")} s
    join known k on k.organisation = s.organisation and k.name = s.name
    anti join {_name("found")} f on f.statement = s.statement
    where s.number is null and s.name_canon is not null
)
select f.statement, f.person, 'same_name_here', 'attribute'
from fitting f
left join {_numbers_of(people)} n on n.person = f.person and length(n.pattern) = 18 and length(f.pattern) = 18
group by f.statement, f.person
having not coalesce(bool_or(gy_mask_agreement(f.pattern, n.pattern) < 0), false)""")


def _by_contact(con: DuckDBPyConnection, organisations: Side, people: Side) -> None:
    """Add to `found` what a shared telephone or room tells of names nobody was found for (`group`, `shared`)."""
    _make(
        con,
        "group",
        f"""
select s.organisation, s.name, list(distinct s.pattern) filter (s.pattern is not null) as patterns
from {_name("statement")} s
where s.name_canon is not null
group by s.organisation, s.name
having count(distinct s.number) < 2
    and not bool_or(s.statement in (select statement from {_name("found")}))
    and not bool_or(s.statement in (select statement from {_name("number")}))""",
    )

    def contacts(side: Side, wanted: str) -> str:
        member = f"{side.member()} c semi join {wanted} w on w.id = c.entity_id"
        return (
            f"select distinct entity_id, 'phone' as kind, unnest(phone_numbers) as value from {member} union "
            f"select distinct entity_id, 'room', address_room_key from {member} where address_room_key is not null"
        )

    con.execute(f"""
create or replace temp table {_name("namesake")} as
select distinct entity_id as id, name_canon as name
from {people.member()}
where name_canon in (select name from {_name("group")})""")
    _make(
        con,
        "contact",
        f"""
with theirs as (
    select n.id as person, n.name, c.kind, c.value
    from ({contacts(people, _name("namesake"))}) c
    join {_name("namesake")} n on n.id = c.entity_id
),
ours as (
    select g.organisation, g.name, g.patterns, c.kind, c.value
    from ({contacts(organisations, f"(select organisation as id from {_name('group')})")}) c
    join {_name("group")} g on g.organisation = c.entity_id
)
select o.organisation, o.name, t.person, any_value(o.patterns) as patterns,
    bool_or(t.kind = 'phone') as phone, bool_or(t.kind = 'room') as room
from ours o
join theirs t on t.name = o.name and t.kind = o.kind and t.value = o.value
group by o.organisation, o.name, t.person""",
    )
    _make(
        con,
        "shared",
        f"""
with against as (
    select c.organisation, c.name, c.person
    from (select *, unnest(patterns) as shown from {_name("contact")}) c
    join {_numbers_of(people)} n on n.person = c.person
    where length(n.pattern) = 18 and length(c.shown) = 18 and gy_mask_agreement(c.shown, n.pattern) < 0
)
select organisation, name, min(person) as person, count(*) as persons,
    case when bool_or(phone) and bool_or(room) then 'phone_and_room' when bool_or(phone) then 'phone' else 'room' end
        as rule
from {_name("contact")} c
anti join against a on a.organisation = c.organisation and a.name = c.name and a.person = c.person
group by organisation, name""",
    )
    con.execute(f"""
insert into {_name("found")}
select s.statement, h.person, h.rule, case h.rule when 'phone_and_room' then 'corroborated' else 'attribute' end
from {_name("shared")} h
join {_name("statement")} s on s.organisation = h.organisation and s.name = h.name
where h.persons = 1""")
    drop(con, (_name("namesake"),))


def _claim(con: DuckDBPyConnection, organisations: Side, settings: RelationSettings, claims: str) -> None:
    con.execute(f"""
insert into {quote(claims)}
select f.person, k.relation, r.organisation, f.basis, f.rule, r.record_id, r.source, r.as_of,
    coalesce(g.record_id = r.record_id, false), g.as_of, null
from {_name("found")} f
join {_name("record")} r on r.statement = f.statement
join {_name("kind")} k on k.organisation = r.organisation
left join {organisations.surviving("legal_rep_name")} g on g.entity_id = r.organisation
where k.relation in ({texts(settings.kinds)})""")


def _outcomes(settings: RelationSettings) -> str:
    """Return a query: relation, reason, number of names that led to nobody, once per organisation and name."""
    return f"""
with said as (
    select s.organisation, coalesce(s.name, s.number) as name,
        bool_or(f.person is not null) as found,
        bool_or(n.people > 0 and n.compatible = 0) as contradicted,
        bool_or(n.compatible > 1 or p.people > 1 or h.persons > 1) as several
    from {_name("statement")} s
    left join (select distinct statement, person from {_name("found")}) f on f.statement = s.statement
    left join (
        select statement, count(*) as people, count(*) filter (compatible) as compatible
        from {_name("number")} group by statement
    ) n on n.statement = s.statement
    left join (select statement, count(*) as people from {_name("partial")} group by statement) p
        on p.statement = s.statement
    left join {_name("shared")} h on h.organisation = s.organisation and h.name = s.name
    group by all
)
select k.relation,
    case when contradicted then 'name_contradicts' when several then 'ambiguous' else 'name_only' end as reason,
    count(*)
from said
join {_name("kind")} k on k.organisation = said.organisation
where not found and k.relation in ({texts(settings.kinds)})
group by all"""
