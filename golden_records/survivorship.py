"""Survivorship: from the records of an entity to its golden values, each with where it comes from and why.

In: standardised records, memberships, source ranks, the configuration. Out: the tables of `SurvivorTables`.

For every attribute the values of an entity are grouped by key, the groups are compared by the configured rules, and the
first rule that tells the best two apart is kept as the reason. Multi-valued attributes keep every value with the dates
between which it was seen (`golden_records.multi_values`).

Invariants: a golden value is a value of one of the entity's records; the result does not depend on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from golden_records.multi_values import Sources, write_addresses, write_identifiers, write_names, write_phones
from golden_records.survivorship_config import Attribute, ColumnValues, EntitySurvivorship, Rule
from golden_records.tables import quote, require_columns, scalar

RUNNERS_UP = 5
ONLY = "only"
TIE_BREAK = "tie_break"

# A record without a date is older than any record with one.
_NO_DAY = -(10**7)
# More than any number of records: one companion more outweighs any standing.
_FILLED = 1 << 40


@dataclass(frozen=True)
class SurvivorTables:
    """Names of the tables that `survive` makes.

    Attributes:
        golden: entity_id, the golden columns of the configuration, records, sources, conflicts (JSON list of
            attributes in conflict, or null). One row per entity.
        provenance: entity_id, attribute, value, record_id, rule, support, conflict (0 or 1), runners_up (JSON list of
            up to five {value, record_id}, best first, or null). One row per golden value that is present.
        identifier: entity_id, scheme, value, valid (0 or 1), first_seen, last_seen, sources.
        name: entity_id, name, kind (`current`, `variant`, `former`), first_seen, last_seen, sources.
        address: entity_id, address, kind, first_seen, last_seen, sources.
        phone: entity_id, phone, first_seen, last_seen, sources.
    """

    golden: str
    provenance: str
    identifier: str
    name: str
    address: str
    phone: str


def survive(
    con: DuckDBPyConnection,
    *,
    records: str,
    membership: str,
    sources: str,
    config: EntitySurvivorship,
    out: SurvivorTables,
    past: str | None = None,
) -> None:
    """Make golden records and everything beside them.

    Args:
        con: DuckDB connection.
        records: record_id, source, as_of and the columns the configuration names; one row per record.
        membership: record_id, entity_id. Records without one are left out.
        sources: source, rank (1 is best).
        config: the entity type's section of the configuration.
        out: names of the tables to make.
        past: superseded versions of records, same columns as `records`, any number per record. They add to the
            multi-valued tables (a former address, the first sighting) and never to a golden value.

    Raises:
        GoldenRecordsError: a table lacks a column.
    """
    needed = ("record_id", "source", "as_of", *config.columns())
    require_columns(con, membership, ("record_id", "entity_id"))
    require_columns(con, sources, ("source", "rank"))
    _drop_temporary(con)
    require_columns(con, records, needed)
    if past is not None:
        require_columns(con, past, needed)
    _number_sources(con, records, past, sources, config.default_rank)
    _number_entities(con, membership)
    _members(con, records, membership, config)
    _past(con, past, membership, config)
    counted = Sources(scalar(con, "select count(*) from _survivor_source"))
    for number, attribute in enumerate(config.attribute):
        _groups(con, attribute, config.trusted_rank, counted.support)
        _winners(con, attribute, out=_winner(number))
    _chosen(con, config)
    _provenance(con, config, out.provenance)
    _golden(con, config, out.golden, counted.support)
    write_identifiers(con, config.identifier, out.identifier, counted)
    write_names(con, config.name, out.name, counted, golden=f"({_golden_names(config)})")
    write_addresses(con, config.address, out.address, counted)
    write_phones(con, config.phone, out.phone, counted)
    _drop_temporary(con)


def _drop_temporary(con: DuckDBPyConnection) -> None:
    made = con.execute(
        "select table_name from duckdb_tables() where temporary and starts_with(table_name, '_survivor_')"
    )
    for (name,) in made.fetchall():
        con.execute(f"drop table {quote(name)}")


def _number_sources(con: DuckDBPyConnection, records: str, past: str | None, sources: str, default_rank: int) -> None:
    """Make `_survivor_source`: source, source_no (0, 1, …), rank."""
    feeds = " union ".join(
        f"select distinct source from {quote(table)}" for table in (records, past) if table is not None
    )
    con.execute(
        f"""
        create temp table _survivor_source as
        select f.source, (row_number() over (order by f.source) - 1)::integer as source_no,
            coalesce(s.rank, {default_rank})::integer as rank
        from ({feeds}) f
        left join (select source, min(rank) as rank from {quote(sources)} group by source) s on s.source = f.source
        where f.source is not null
        """
    )


def _number_entities(con: DuckDBPyConnection, membership: str) -> None:
    """Make `_survivor_entity`: entity_id, entity_no. Grouping by a number costs half of grouping by a text.

    The numbers are in the order of the ids, and what is made is in theirs: the rows of a few entities are found in it
    without reading the others.
    """
    con.execute(
        f"""
        create temp table _survivor_entity as
        select entity_id, row_number() over (order by entity_id)::integer as entity_no
        from (select distinct entity_id from {quote(membership)})
        """
    )


def _members(con: DuckDBPyConnection, records: str, membership: str, config: EntitySurvivorship) -> None:
    """Make `_survivor_record` and `_survivor_member`: the records in force, and what they say.

    `place` numbers them, those of one entity by their standing: best source, then latest, then id.
    """
    kept = ", ".join(f"r.{quote(column)}" for column in config.columns())
    con.execute(
        f"""
        create temp table _survivor_standing as
        select r.record_id, m.entity_id, e.entity_no, s.source_no, coalesce(s.rank, {config.default_rank}) as rank,
            r.as_of::varchar as as_of,
            coalesce(
                try_cast(r.as_of::varchar as date),
                try_cast(r.as_of::varchar || '-01' as date),
                try_cast(r.as_of::varchar || '-01-01' as date)
            ) - date '1970-01-01' as day
        from {quote(records)} r
        join {quote(membership)} m on m.record_id = r.record_id
        join _survivor_entity e on e.entity_id = m.entity_id
        left join _survivor_source s on s.source = r.source
        """
    )
    con.execute(
        f"""
        create temp table _survivor_record as
        select * replace (coalesce(day, {_NO_DAY}) as day),
            row_number() over (order by entity_no, rank, coalesce(day, {_NO_DAY}) desc, record_id) as place
        from _survivor_standing
        """
    )
    con.execute(
        f"""
        create temp table _survivor_member as
        select p.entity_no, p.source_no, p.rank, p.as_of, p.day, p.place, {kept}
        from _survivor_record p
        join {quote(records)} r on r.record_id = p.record_id
        """
    )


def _past(con: DuckDBPyConnection, past: str | None, membership: str, config: EntitySurvivorship) -> None:
    if past is None:
        con.execute("create temp table _survivor_past as select * from _survivor_member where false")
        return
    kept = ", ".join(f"r.{quote(column)}" for column in config.columns())
    con.execute(
        f"""
        create temp table _survivor_past as
        select e.entity_no, s.source_no, s.rank, r.as_of::varchar as as_of, 0 as day, 0 as place, {kept}
        from {quote(past)} r
        join {quote(membership)} m on m.record_id = r.record_id
        join _survivor_entity e on e.entity_id = m.entity_id
        left join _survivor_source s on s.source = r.source
        """
    )


def _groups(con: DuckDBPyConnection, attribute: Attribute, trusted_rank: int, support: str) -> None:
    """Make `_survivor_group`: one row per entity and key, with what each rule says (smaller is better).

    Its `place` is that of the record of best standing, which writes its value; a record that fills more companions
    stands before one that fills fewer.
    """
    value = f"unnest({quote(attribute.value)})" if attribute.is_list else quote(attribute.value)
    key, written = "null", "key"
    if attribute.key is not None:
        key, written = quote(attribute.key), "arg_min(written, standing)"
    filled = " + ".join(f"({quote(column)} is not null)::int" for column in attribute.companions.values()) or "0"
    valid = _counts(attribute.valid) if attribute.valid is not None else "true"
    within = quote(attribute.exclusive_within) if attribute.exclusive_within is not None else "null"
    criteria = ", ".join(f"{_criterion(rule, support)} as by_{n}" for n, rule in enumerate(attribute.rules))
    con.execute(
        f"""
        create or replace temp table _survivor_group as
        with raw as (
            select entity_no, source_no, rank, day, place, place - ({filled}) * {_FILLED} as standing,
                {value}::varchar as written, {key}::varchar as key, {valid} as valid,
                {_preference(attribute.preferred)} as preference, {within}::varchar as within
            from _survivor_member
        ),
        candidate as (
            select * replace (coalesce(nullif(key, ''), trim(written)) as key, trim(written) as written),
                length(trim(written)) as size
            from raw
            where trim(written) <> ''
        )
        select entity_no, key,
            {written} as value,
            arg_min(place, standing) as place,
            {support} as support,
            {criteria},
            min(within) as within,
            coalesce(bool_or(valid and rank <= {trusted_rank}), false) as trusted
        from candidate
        group by entity_no, key
        """
    )


def _counts(columns: ColumnValues) -> str:
    """Return whether a row counts as valid: the column has one of the values, or any when none are named."""
    if not columns.values:
        return f"{quote(columns.column)} is not null"
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in columns.values)
    return f"coalesce({quote(columns.column)}::varchar in ({listed}), false)"


def _preference(columns: ColumnValues | None) -> str:
    if columns is None:
        return "0"
    cases = " ".join(
        f"when '{value.replace(chr(39), chr(39) * 2)}' then {place}" for place, value in enumerate(columns.values)
    )
    return f"case {quote(columns.column)}::varchar {cases} else {len(columns.values)} end"


def _criterion(rule: Rule, support: str) -> str:
    """Return what a rule says of a group of equal values, as an aggregate where smaller is better."""
    match rule:
        case "valid":
            return "min((not valid)::int)"
        case "preferred":
            return "min(preference)"
        case "source_rank":
            return "min(rank)"
        case "recency":
            return "-max(day)"
        case "support":
            return f"-{support}"
        case "completeness":
            return "-max(size)"


def _winner(number: int) -> str:
    """Return the name of the table of an attribute's winners."""
    return f"_survivor_winner_{number}"


def _winners(con: DuckDBPyConnection, attribute: Attribute, *, out: str) -> None:
    """Make the table of an attribute's winners: entity_no, value, place, rule, support, conflict, runners_up."""
    rules = range(len(attribute.rules))
    order = ", ".join(f"by_{n}" for n in rules)
    decided = " ".join(f"when by_{n} <> lead(by_{n}) over w then '{attribute.rules[n]}'" for n in rules)
    con.execute(
        f"""
        create or replace temp table _survivor_ranked as
        select entity_no, value, place, support, row_number() over w as standing,
            case {decided} else '{TIE_BREAK}' end as rule
        from _survivor_group
        semi join (select entity_no from _survivor_group group by entity_no having count(*) > 1) using (entity_no)
        window w as (partition by entity_no order by {order}, key)
        """
    )
    disagreeing = "select entity_no from _survivor_group where trusted group by entity_no, within having count(*) > 1"
    conflict = f"(r.entity_no in ({disagreeing}))::integer" if attribute.exclusive else "0"
    con.execute(
        f"""
        create or replace temp table {out} as
        with runners_up as (
            select r.entity_no,
                to_json(list({{'value': value, 'record_id': p.record_id}} order by standing))::varchar as listed
            from _survivor_ranked r
            join _survivor_record p on p.place = r.place
            where standing between 2 and {RUNNERS_UP + 1}
            group by r.entity_no
        )
        select entity_no, value, place, '{ONLY}' as rule, support, 0 as conflict, null::varchar as runners_up
        from _survivor_group
        anti join _survivor_ranked using (entity_no)
        union all
        select r.entity_no, value, place, rule, support, {conflict}, u.listed
        from _survivor_ranked r
        join runners_up u on u.entity_no = r.entity_no
        where r.standing = 1
        """
    )


def _chosen(con: DuckDBPyConnection, config: EntitySurvivorship) -> None:
    """Make `_survivor_chosen`: all golden values, with the numbers of entity, golden column and record."""
    column = config.golden_columns().index
    chosen = []
    for number, attribute in enumerate(config.attribute):
        chosen.append(
            f"select entity_no, {column(attribute.name)} as column_no, value, place, rule, support, conflict,"
            f" runners_up from {_winner(number)}"
        )
        for name, companion in attribute.companions.items():
            said = f"trim(m.{quote(companion)}::varchar)"
            chosen.append(
                f"select w.entity_no, {column(name)}, {said}, w.place, 'with_{attribute.name}', support, 0, null"
                f" from {_winner(number)} w join _survivor_member m on m.place = w.place where {said} <> ''"
            )
    con.execute(f"create temp table _survivor_chosen as {' union all '.join(chosen)}")


def _provenance(con: DuckDBPyConnection, config: EntitySurvivorship, out: str) -> None:
    names = ", ".join(f"'{name}'" for name in config.golden_columns())
    con.execute(
        f"""
        create or replace table {quote(out)} as
        select r.entity_id, [{names}][p.column_no + 1] as attribute, p.value, r.record_id, p.rule, p.support,
            p.conflict, p.runners_up
        from _survivor_chosen p
        join _survivor_record r on r.place = p.place
        order by p.entity_no
        """
    )


def _golden(con: DuckDBPyConnection, config: EntitySurvivorship, out: str, support: str) -> None:
    columns = config.golden_columns()
    golden = ", ".join(
        f"any_value(value) filter (where column_no = {number}) as {quote(name)}" for number, name in enumerate(columns)
    )
    names = ", ".join(f"p.{quote(name)}" for name in columns)
    listed = ", ".join(f"'{name}'" for name in columns)
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with pivoted as (
            select entity_no, {golden}
            from _survivor_chosen
            group by entity_no
        ),
        disputed as (
            select entity_no, to_json(list_sort(list([{listed}][column_no + 1])))::varchar as conflicts
            from _survivor_chosen
            where conflict = 1
            group by entity_no
        ),
        size as (
            select entity_no, count(*)::integer as records, {support} as sources
            from _survivor_member
            group by entity_no
        )
        select e.entity_id, {names}, s.records, s.sources, d.conflicts
        from size s
        join _survivor_entity e on e.entity_no = s.entity_no
        left join pivoted p on p.entity_no = s.entity_no
        left join disputed d on d.entity_no = s.entity_no
        order by s.entity_no
        """
    )


def _golden_names(config: EntitySurvivorship) -> str:
    """Return the query of the golden writing of each entity's name."""
    number = config.golden_columns().index(config.golden_name)
    return f"select entity_no, value from _survivor_chosen where column_no = {number}"
