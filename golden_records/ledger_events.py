"""What a run changed, entity by entity, as events with their cause.

| event | on | detail |
|---|---|---|
| created | a new id | records, from (entities its records were in before) |
| revived | a retired id found again by its anchor | records |
| extended | an id that got records | added, new (never seen before), from, records |
| merged | the id that survives | absorbed, records |
| redirected | each id absorbed | into |
| split | an id some of whose records became a new entity | records_moved, into |
| moved | an id some of whose records went to another entity | records_moved, into |
| shrunk | an id some of whose records are in no cluster any more | lost, records |
| retired | an id with nothing left | lost |

Details hold counts and entity ids only. The id of an event is `release:entity:event`, so that the same run gives the
same ids.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from golden_records.tables import quote

EVENT_KINDS = ("created", "revived", "extended", "merged", "redirected", "split", "moved", "shrunk", "retired")


def write_events(
    con: DuckDBPyConnection, *, previous: str, entities: str, out: str, release: int, cause: str, as_of: str
) -> dict[str, int]:
    """Make the event table from the ledger's working tables, and count the events by kind.

    Reads the working tables `_ledger_part`, `_ledger_home`, `_ledger_owner` and `_ledger_cluster` of
    `golden_records.ledger`.

    Args:
        con: DuckDB connection.
        previous: record_id, entity_id of the last release.
        entities: entity_id, state before this run.
        out: table to make: event_id, release, entity_id, event, cause, as_of, detail.
        release: number of the release being made.
        cause: why this run happened.
        as_of: date of the data, ISO.
    """
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with flow as (
            select p.entity_id as from_id, h.home_id, o.entity_id as to_id, o.strength is null as is_new, p.records
            from _ledger_part p
            join _ledger_owner o on o.cluster_id = p.cluster_id
            join _ledger_home h on h.entity_id = p.entity_id
        ),
        strayed as (
            select from_id, to_id, is_new, records from flow where to_id is distinct from home_id
        ),
        arrived as (
            select to_id, {_ids("from_id")} as ids, sum(records)::bigint as records from strayed group by to_id
        ),
        stayed as (
            select to_id, sum(records)::bigint as records from flow where to_id = home_id group by to_id
        ),
        absorbed as (
            select home_id, {_ids("entity_id")} as ids
            from _ledger_home
            where home_id <> entity_id
            group by home_id
        ),
        size as (
            select o.entity_id, o.strength, c.records
            from _ledger_owner o
            join _ledger_cluster c on c.cluster_id = o.cluster_id
        ),
        before as (
            select entity_id, count(*) as records from {quote(previous)} group by entity_id
        ),
        lost as (
            select b.entity_id, h.home_id, b.records - coalesce(f.records, 0) as lost
            from before b
            join _ledger_home h on h.entity_id = b.entity_id
            left join (select from_id, sum(records)::bigint as records from flow group by from_id) f
                on f.from_id = b.entity_id
        ),
        happened as (
            select s.entity_id, 'created' as event,
                '{{"records":' || s.records || coalesce(',"from":' || a.ids, '') || '}}' as detail
            from size s
            left join arrived a on a.to_id = s.entity_id
            where s.strength is null
            union all
            select s.entity_id, 'revived', '{{"records":' || s.records || '}}'
            from size s
            where s.strength = 2
            union all
            select s.entity_id, 'extended',
                '{{"added":' || (s.records - coalesce(k.records, 0))
                || ',"new":' || (s.records - coalesce(k.records, 0) - coalesce(a.records, 0))
                || coalesce(',"from":' || a.ids, '') || ',"records":' || s.records || '}}'
            from size s
            left join stayed k on k.to_id = s.entity_id
            left join arrived a on a.to_id = s.entity_id
            where s.strength < 2 and s.records > coalesce(k.records, 0)
            union all
            select s.entity_id, 'merged', '{{"absorbed":' || b.ids || ',"records":' || s.records || '}}'
            from size s
            join absorbed b on b.home_id = s.entity_id
            union all
            select entity_id, 'redirected', '{{"into":["' || home_id || '"]}}'
            from _ledger_home
            where home_id <> entity_id
            union all
            select from_id, case when is_new then 'split' else 'moved' end,
                '{{"records_moved":' || sum(records)::bigint || ',"into":' || {_ids("to_id")} || '}}'
            from strayed
            group by from_id, is_new
            union all
            select l.entity_id, 'shrunk', '{{"lost":' || l.lost || ',"records":' || s.records || '}}'
            from lost l
            join size s on s.entity_id = l.home_id
            where l.lost > 0
            union all
            select e.entity_id, 'retired', '{{"lost":' || coalesce(l.lost, 0) || '}}'
            from {quote(entities)} e
            join _ledger_home h on h.entity_id = e.entity_id
            left join lost l on l.entity_id = e.entity_id
            where e.state = 'living' and h.home_id is null
        )
        select $release || ':' || entity_id || ':' || event as event_id, $release::integer as release, entity_id, event,
            $cause as cause, $as_of as as_of, detail
        from happened
        order by entity_id, event
        """,
        {"release": release, "cause": cause, "as_of": as_of},
    )
    counted = con.execute(f"select event, count(*) from {quote(out)} group by event").fetchall()
    return {str(event): int(count) for event, count in counted}


def _ids(column: str) -> str:
    """Return a DuckDB aggregate: the distinct ids of a group as a JSON list, sorted (ids need no escaping)."""
    return f"""'["' || array_to_string(list_sort(list_distinct(list({column}))), '","') || '"]'"""
