"""Relations between entities: from what single records say to one row per relation, with basis and period.

In: claims, one per record and relation it speaks for. Out: the rows of the catalog's table `relation`. Related entities
are never merged with each other: a legal person has a representative, a branch has a parent, each keeps its id.

A claim's record may be the one whose value survived into the golden record. What that record says is `current`. What
only other records say is `former` if all of them are older than it, else `disputed`; a former relation ends on the day
it was last said. A relation that no record in force says any more is not a row: its period is in the history.

Invariants: a row's period covers its claims; the result does not depend on the order of claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from golden_records.catalog.delta import load
from golden_records.catalog.schema import RELATION
from golden_records.catalog.store import Catalog
from golden_records.tables import quote, require_columns

BASES = ("identifier", "decision", "corroborated", "attribute")
STATES = ("current", "former", "disputed")
SAID_BY = 5

CLAIM_COLUMNS = (
    "entity_id",
    "relation",
    "other_entity_id",
    "basis",
    "rule",
    "record_id",
    "source",
    "as_of",
    "golden",
    "golden_as_of",
    "valid_from",
)


@dataclass(frozen=True)
class EndTables:
    """Where ids lead after this run.

    Attributes:
        entities: the ledgers' tables of the entity types that were run: entity_id, state, resolves_to.
    """

    entities: Sequence[str] = ()


def earlier_relations(catalog: Catalog, con: DuckDBPyConnection, ends: EndTables, *, out: str) -> int:
    """Copy the current release's relations into DuckDB, both ends as they are called after this run.

    Args:
        catalog: the store, before the publish.
        con: DuckDB connection.
        ends: where ids lead now; ids of entity types that were not run stay as they are.
        out: table to make: the columns of the catalog's `relation`. Relations of an entity that ended, and those that
            a merge turned onto themselves, are left out.

    Returns:
        The number of rows.
    """
    columns = ", ".join(quote(name) for name in RELATION.column_names)
    load(con, "_relation_before", RELATION.columns, catalog, f"select {columns} from relation")
    led = " union all ".join(
        f"select entity_id, case state when 'living' then entity_id when 'redirected' then resolves_to end as now "
        f"from {quote(table)} where state <> 'living'"
        for table in ends.entities
    )
    con.execute(f"""
create or replace temp table _relation_led as
select entity_id, now from ({led or "select null::varchar as entity_id, null::varchar as now limit 0"})""")
    con.execute(f"""
create or replace table {quote(out)} as
with renamed as (
    select b.* replace (
        case when l.entity_id is null then b.entity_id else l.now end as entity_id,
        case when r.entity_id is null then b.other_entity_id else r.now end as other_entity_id
    )
    from _relation_before b
    left join _relation_led l on l.entity_id = b.entity_id
    left join _relation_led r on r.entity_id = b.other_entity_id
)
select entity_id, relation, other_entity_id,
    {_best("basis", "basis")} as basis,
    {_best("rule", "basis")} as rule,
    {_first_of("state", STATES)} as state,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen,
    min(valid_from) as valid_from,
    case when {_first_of("state", STATES)} = 'former' then max(valid_to) end as valid_to,
    sum(records)::bigint as records,
    max(sources) as sources,
    {_best("said_by", "basis")} as said_by
from renamed
where entity_id is not null and other_entity_id is not null and entity_id <> other_entity_id
group by entity_id, relation, other_entity_id""")
    for name in ("before", "led"):
        con.execute(f"drop table _relation_{name}")
    rows = con.execute(f"select count(*) from {quote(out)}").fetchall()
    return int(rows[0][0])


def settle_relations(con: DuckDBPyConnection, *, claims: str, earlier: str | None, out: str) -> None:
    """Make the relations that records in force speak for.

    Args:
        con: DuckDB connection.
        claims: one row per record and relation it speaks for: the ids `entity_id` and `other_entity_id`, what the first
            is to the second (`relation`), `basis`, the `rule` that found the other entity, `record_id`, `source`,
            `as_of`; `golden`: whether the record gave the golden value; `golden_as_of`: date of the record that did,
            null if none did; `valid_from`: the date the relation began, where one is known.
        earlier: relations as last published (`earlier_relations`): a period is never shortened at its beginning.
        out: table to make: the columns of the catalog's `relation`.
    """
    require_columns(con, claims, CLAIM_COLUMNS)
    before = quote(earlier) if earlier else f"(select *, null as first_seen from {quote(claims)} limit 0)"
    place = f"not golden, {_rank('basis')}, as_of desc, record_id"
    con.execute(f"""
create or replace table {quote(out)} as
with claim as (
    select entity_id, relation, other_entity_id, record_id, source, as_of, golden_as_of, valid_from,
        bool_or(golden) as golden,
        {_best("basis", "basis")} as basis,
        {_best("rule", "basis")} as rule
    from {quote(claims)}
    where entity_id <> other_entity_id
    group by all
),
told as (
    select entity_id, relation, other_entity_id,
        {_best("basis", "basis")} as basis,
        {_best("rule", "basis")} as rule,
        case
            when bool_or(golden) or max(golden_as_of) is null then 'current'
            when max(as_of) < max(golden_as_of) then 'former'
            else 'disputed'
        end as state,
        min(as_of) as first_seen,
        max(as_of) as last_seen,
        min(valid_from) as valid_from,
        count(distinct record_id) as records,
        count(distinct source) as sources,
        to_json(list(record_id order by {place})[:{SAID_BY}])::varchar as said_by
    from claim
    group by entity_id, relation, other_entity_id
)
select t.entity_id, t.relation, t.other_entity_id, t.basis, t.rule, t.state,
    least(t.first_seen, b.first_seen) as first_seen,
    t.last_seen,
    t.valid_from,
    case when t.state = 'former' then t.last_seen end as valid_to,
    t.records, t.sources, t.said_by
from told t
left join {before} b
    on b.entity_id = t.entity_id and b.relation = t.relation and b.other_entity_id = t.other_entity_id
order by t.entity_id, t.relation, t.other_entity_id""")


def _rank(column: str) -> str:
    cases = " ".join(f"when '{name}' then {place}" for place, name in enumerate(BASES))
    return f"(case {column} {cases} else {len(BASES)} end)"


def _best(value: str, basis: str) -> str:
    """Return an aggregate: the value that goes with the best basis, the smallest of equals."""
    return f"struct_extract(min(struct_pack(a := {_rank(basis)}, b := {value})), 'b')"


def _first_of(column: str, order: Sequence[str]) -> str:
    """Return an aggregate: the value that comes first in an order."""
    places = " ".join(f"when bool_or({column} = '{name}') then '{name}'" for name in order)
    return f"(case {places} end)"
