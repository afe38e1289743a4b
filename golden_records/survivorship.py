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

_TEMPORARY = ("source", "standing", "member", "past", "group", "ranked", "winner", "conflict")
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
    _members(con, records, membership, config)
    _past(con, past, membership, config)
    counted = Sources(scalar(con, "select count(*) from _survivor_source"))
    _start_provenance(con, out.provenance)
    for attribute in config.attribute:
        _groups(con, attribute, config.trusted_rank, counted.support)
        _winners(con, attribute)
        _keep_provenance(con, attribute, out.provenance)
    _golden(con, config, out, counted.support)
    write_identifiers(con, config.identifier, out.identifier, counted)
    write_names(con, config.name, out.name, counted, provenance=out.provenance, golden_name=config.golden_name)
    write_addresses(con, config.address, out.address, counted)
    write_phones(con, config.phone, out.phone, counted)
    _drop_temporary(con)


def _drop_temporary(con: DuckDBPyConnection) -> None:
    for name in _TEMPORARY:
        con.execute(f"drop table if exists _survivor_{name}")


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


def _members(con: DuckDBPyConnection, records: str, membership: str, config: EntitySurvivorship) -> None:
    """Make `_survivor_member`: the records in force, `place` their standing (best source, then latest, then id)."""
    kept = ", ".join(f"r.{quote(column)}" for column in config.columns())
    con.execute(
        f"""
        create temp table _survivor_standing as
        select r.record_id, m.entity_id, s.source_no, coalesce(s.rank, {config.default_rank}) as rank,
            r.as_of::varchar as as_of,
            coalesce(
                try_cast(r.as_of::varchar as date),
                try_cast(r.as_of::varchar || '-01' as date),
                try_cast(r.as_of::varchar || '-01-01' as date)
            ) - date '1970-01-01' as day
        from {quote(records)} r
        join {quote(membership)} m on m.record_id = r.record_id
        left join _survivor_source s on s.source = r.source
        """
    )
    con.execute(
        f"""
        create temp table _survivor_member as
        with placed as (
            select * replace (coalesce(day, {_NO_DAY}) as day),
                row_number() over (order by rank, coalesce(day, {_NO_DAY}) desc, record_id) as place
            from _survivor_standing
        )
        select p.*, {kept}
        from placed p
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
        select r.record_id, m.entity_id, s.source_no, s.rank, r.as_of::varchar as as_of, 0 as day, 0 as place, {kept}
        from {quote(past)} r
        join {quote(membership)} m on m.record_id = r.record_id
        left join _survivor_source s on s.source = r.source
        """
    )


def _start_provenance(con: DuckDBPyConnection, provenance: str) -> None:
    con.execute(
        f"""
        create or replace table {quote(provenance)} (
            entity_id varchar, attribute varchar, value varchar, record_id varchar, rule varchar, support integer,
            conflict integer, runners_up varchar
        )
        """
    )


def _groups(con: DuckDBPyConnection, attribute: Attribute, trusted_rank: int, support: str) -> None:
    """Make `_survivor_group`: one row per entity and key, with what each rule says (smaller is better)."""
    value = f"unnest({quote(attribute.value)})" if attribute.is_list else quote(attribute.value)
    key = quote(attribute.key) if attribute.key is not None else "null"
    companions = "".join(f", {quote(column)} as companion_{n}" for n, column in enumerate(_companions(attribute)))
    # arg_min would skip a record without the companion and take another record's.
    companions_kept = "".join(
        f"arg_min_null(companion_{n}, standing) as companion_{n}, " for n in range(len(attribute.companions))
    )
    filled = " + ".join(f"(companion_{n} is not null)::int" for n in range(len(attribute.companions))) or "0"
    valid = _counts(attribute.valid) if attribute.valid is not None else "true"
    within = quote(attribute.exclusive_within) if attribute.exclusive_within is not None else "null"
    criteria = ", ".join(f"{_criterion(rule, support)} as by_{n}" for n, rule in enumerate(attribute.rules))
    con.execute(
        f"""
        create or replace temp table _survivor_group as
        with raw as (
            select entity_id, record_id, source_no, rank, day, place,
                {value}::varchar as written, {key}::varchar as key, {valid} as valid,
                {_preference(attribute.preferred)} as preference, {within}::varchar as within
                {companions}
            from _survivor_member
        ),
        candidate as (
            select * replace (coalesce(nullif(key, ''), trim(written)) as key, trim(written) as written),
                place - ({filled}) * {_FILLED} as standing, length(trim(written)) as size
            from raw
            where trim(written) <> ''
        )
        select entity_id, key,
            arg_min(written, standing) as value,
            arg_min(record_id, standing) as record_id,
            {companions_kept}
            {support} as support,
            {criteria},
            min(within) as within,
            coalesce(bool_or(valid and rank <= {trusted_rank}), false) as trusted
        from candidate
        group by entity_id, key
        """
    )


def _companions(attribute: Attribute) -> tuple[str, ...]:
    return tuple(attribute.companions.values())


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


def _winners(con: DuckDBPyConnection, attribute: Attribute) -> None:
    """Make `_survivor_winner`: entity_id, value, record_id, companions, support, rule, runners_up."""
    rules = range(len(attribute.rules))
    order = ", ".join(f"by_{n}" for n in rules)
    companions = "".join(f"companion_{n}, " for n in range(len(attribute.companions)))
    decided = " ".join(f"when by_{n} <> lead(by_{n}) over w then '{attribute.rules[n]}'" for n in rules)
    con.execute(
        f"""
        create or replace temp table _survivor_ranked as
        select entity_id, value, record_id, {companions} support, row_number() over w as place,
            case {decided} else '{TIE_BREAK}' end as rule
        from _survivor_group
        semi join (select entity_id from _survivor_group group by entity_id having count(*) > 1) using (entity_id)
        window w as (partition by entity_id order by {order}, key)
        """
    )
    con.execute(
        f"""
        create or replace temp table _survivor_winner as
        with runners_up as (
            select entity_id,
                to_json(list({{'value': value, 'record_id': record_id}} order by place))::varchar as listed
            from _survivor_ranked
            where place between 2 and {RUNNERS_UP + 1}
            group by entity_id
        )
        select entity_id, value, record_id, {companions} support, '{ONLY}' as rule, null::varchar as runners_up
        from _survivor_group
        anti join _survivor_ranked using (entity_id)
        union all
        select r.entity_id, value, record_id, {companions} support, rule, u.listed
        from _survivor_ranked r
        join runners_up u on u.entity_id = r.entity_id
        where r.place = 1
        """
    )
    disagreeing = "select entity_id from _survivor_group where trusted group by entity_id, within having count(*) > 1"
    con.execute(
        f"""
        create or replace temp table _survivor_conflict as
        select distinct entity_id from ({disagreeing if attribute.exclusive else "select null as entity_id limit 0"})
        """
    )


def _keep_provenance(con: DuckDBPyConnection, attribute: Attribute, provenance: str) -> None:
    con.execute(
        f"""
        insert into {quote(provenance)}
        select w.entity_id, ?, w.value, w.record_id, w.rule, w.support, (c.entity_id is not null)::integer, w.runners_up
        from _survivor_winner w
        left join _survivor_conflict c on c.entity_id = w.entity_id
        """,
        [attribute.name],
    )
    for n, companion in enumerate(attribute.companions):
        con.execute(
            f"""
            insert into {quote(provenance)}
            select entity_id, ?, trim(companion_{n}::varchar), record_id, ?, support, 0, null
            from _survivor_winner
            where trim(companion_{n}::varchar) <> ''
            """,
            [companion, f"with_{attribute.name}"],
        )


def _golden(con: DuckDBPyConnection, config: EntitySurvivorship, out: SurvivorTables, support: str) -> None:
    golden = ", ".join(
        f"max(value) filter (where attribute = '{name}') as {quote(name)}" for name in config.golden_columns()
    )
    names = ", ".join(f"p.{quote(name)}" for name in config.golden_columns())
    con.execute(
        f"""
        create or replace table {quote(out.golden)} as
        with pivoted as (
            select entity_id, {golden},
                to_json(list(attribute order by attribute) filter (where conflict = 1))::varchar as conflicts
            from {quote(out.provenance)}
            group by entity_id
        ),
        size as (
            select entity_id, count(*)::integer as records, {support} as sources
            from _survivor_member
            group by entity_id
        )
        select s.entity_id, {names}, s.records, s.sources, p.conflicts
        from size s
        left join pivoted p on p.entity_id = s.entity_id
        """
    )
