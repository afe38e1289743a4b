"""The identity ledger: gives this run's clusters the permanent ids of the last release, and says what changed.

In: this run's clusters, the memberships of the last release and every id ever minted of one kind.
Out: `membership`, `event`, `redirect` and `entities` (the state to start the next run from).

How an id is passed on:

1. Every living entity has one heir among the clusters that hold its records: the one that holds its anchor identifier,
   else the one with most of its records, else the one with the smallest record id. An entity none of whose records are
   left is found again by its anchor; so is a retired one, which then lives again.
2. The oldest claimant of a cluster (lowest sequence) keeps its id; claims by records come before claims by anchor, and
   those of living entities before those of retired ones. The other claimants redirect to it.
3. A cluster nobody claims gets a new id, in order of the smallest record id.
4. A living entity without an heir is retired: its id is never given away and still resolves, to a recorded end.

Invariants: a record has one entity; every id ever minted is living, redirects in one step to an id that is living or
retired, or is retired; no id is minted twice; the result depends on the sets given, never on their order.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from golden_records.entity_id import KINDS, LARGEST_SEQUENCE, Kind, mint_sql
from golden_records.errors import LedgerError
from golden_records.ledger_events import EVENT_KINDS, write_events
from golden_records.tables import quote, require_columns, scalar

LIVING = "living"
REDIRECTED = "redirected"
RETIRED = "retired"

_TEMPORARY = ("part", "anchor", "heir", "claim", "cluster", "owner", "home")


@dataclass(frozen=True)
class LedgerTables:
    """Names of the tables that `assign` makes.

    Attributes:
        membership: record_id, entity_id.
        event: event_id, release, entity_id, event, cause, as_of, detail (JSON of counts and entity ids).
        redirect: old_id, entity_id (null: retired). Every id that is not living, not only this run's.
        entities: entity_id, sequence, anchor, state, resolves_to. Every id ever minted; the next run's input.
    """

    membership: str
    event: str
    redirect: str
    entities: str


@dataclass(frozen=True)
class LedgerCounts:
    """What a run of the ledger did.

    Attributes:
        records: rows of `membership`.
        living: living entities.
        next_sequence: the first number not yet minted; give it to the next run.
        events: number of events by kind, every kind present.
    """

    records: int
    living: int
    next_sequence: int
    events: dict[str, int]


def assign(
    con: DuckDBPyConnection,
    *,
    clusters: str,
    previous: str,
    entities: str,
    out: LedgerTables,
    kind: Kind,
    next_sequence: int,
    cause: str,
    release: int,
    as_of: str,
) -> LedgerCounts:
    """Pass ids on from the last release to this run's clusters, and write what changed.

    Args:
        con: DuckDB connection.
        clusters: record_id, cluster_id (any type), anchor (the record's exclusive identifier, or null).
        previous: record_id, entity_id of the last release, of this kind only. May be empty.
        entities: entity_id, sequence, anchor, state (`living`, `redirected`, `retired`), resolves_to (the id a
            redirected one leads to; the column may be absent while nothing was ever redirected).
        out: names of the tables to make.
        kind: `LP` or `NP`.
        next_sequence: first number never minted for this kind.
        cause: why this run happened: load, decision, rule, model …
        release: number of the release being made.
        as_of: date of the data, ISO.

    Raises:
        LedgerError: a record in two clusters or two entities, a membership of an id that is not living, a sequence
            that would be minted twice.
    """
    require_columns(con, clusters, ("record_id", "cluster_id", "anchor"))
    require_columns(con, previous, ("record_id", "entity_id"))
    require_columns(con, entities, ("entity_id", "sequence", "anchor", "state"))
    _drop_temporary(con)
    _copy_entities(con, entities)
    _check(con, clusters, previous, kind, next_sequence)
    _parts(con, clusters, previous)
    _claims(con)
    minted = _owners(con, kind, next_sequence)
    con.execute(
        f"""
        create or replace table {quote(out.membership)} as
        select c.record_id, o.entity_id
        from {quote(clusters)} c
        join _ledger_owner o on o.cluster_id = c.cluster_id
        order by o.entity_id, c.record_id
        """
    )
    _entities_and_redirects(con, out)
    events = write_events(
        con, previous=previous, entities="_ledger_entity", out=out.event, release=release, cause=cause, as_of=as_of
    )
    counts = LedgerCounts(
        records=scalar(con, f"select count(*) from {quote(out.membership)}"),
        living=scalar(con, "select count(*) from _ledger_owner"),
        next_sequence=next_sequence + minted,
        events={event: events.get(event, 0) for event in EVENT_KINDS},
    )
    _drop_temporary(con)
    return counts


def _drop_temporary(con: DuckDBPyConnection) -> None:
    for name in (*_TEMPORARY, "entity"):
        con.execute(f"drop table if exists _ledger_{name}")


def _copy_entities(con: DuckDBPyConnection, entities: str) -> None:
    has_target = bool(
        con.execute(f"select 1 from (describe {quote(entities)}) where column_name = 'resolves_to'").fetchall()
    )
    con.execute(
        f"""
        create temp table _ledger_entity as
        select entity_id, sequence::bigint as sequence, anchor::varchar as anchor, state,
            {"resolves_to" if has_target else "null"}::varchar as resolves_to
        from {quote(entities)}
        """
    )


def _check(con: DuckDBPyConnection, clusters: str, previous: str, kind: Kind, next_sequence: int) -> None:
    if kind not in KINDS:
        raise LedgerError(f"kind: expected one of {', '.join(KINDS)}")
    c, p = quote(clusters), quote(previous)
    repeated = "group by record_id having count(*) > 1"
    checks = {
        f"{clusters}: record_id or cluster_id is missing": f"from {c} where record_id is null or cluster_id is null",
        f"{clusters}: record_id in more than one row": f"from (select 1 from {c} {repeated})",
        f"{previous}: record_id in more than one row": f"from (select 1 from {p} {repeated})",
        f"{previous}: entity_id that is not a living entity": (
            f"from {p} anti join (select entity_id from _ledger_entity where state = '{LIVING}') using (entity_id)"
        ),
        "entities: entity_id in more than one row": (
            "from (select 1 from _ledger_entity group by entity_id having count(*) > 1)"
        ),
        f"entities: entity_id that is not of kind {kind}": (
            f"from _ledger_entity where entity_id is null or not starts_with(entity_id, '{kind}')"
        ),
        f"entities: sequence not below next_sequence {next_sequence}": (
            f"from _ledger_entity where sequence is null or sequence >= {int(next_sequence)}"
        ),
    }
    for problem, rows in checks.items():
        count = scalar(con, f"select count(*) {rows}")
        if count:
            raise LedgerError(f"{problem} ({count} row(s)); nothing was written")


def _parts(con: DuckDBPyConnection, clusters: str, previous: str) -> None:
    """Make the parts (entity × cluster), the anchors seen per cluster, and the clusters themselves."""
    con.execute(
        f"""
        create temp table _ledger_part as
        select p.entity_id, c.cluster_id, count(*) as records, min(c.record_id) as first_record,
            coalesce(bool_or(c.anchor = e.anchor), false) as anchored
        from {quote(clusters)} c
        join {quote(previous)} p on p.record_id = c.record_id
        join _ledger_entity e on e.entity_id = p.entity_id
        group by p.entity_id, c.cluster_id
        """
    )
    con.execute(
        f"""
        create temp table _ledger_anchor as
        select cluster_id, anchor, count(*) as records, min(record_id) as first_record
        from {quote(clusters)}
        where anchor is not null
        group by cluster_id, anchor
        """
    )
    con.execute(
        f"""
        create temp table _ledger_cluster as
        select c.cluster_id, c.records, c.first_record, a.anchor
        from (
            select cluster_id, count(*) as records, min(record_id) as first_record
            from {quote(clusters)}
            group by cluster_id
        ) c
        left join (
            select cluster_id, arg_min(anchor, row(-records, anchor)) as anchor
            from _ledger_anchor
            group by cluster_id
        ) a on a.cluster_id = c.cluster_id
        """
    )


def _claims(con: DuckDBPyConnection) -> None:
    """Make `_ledger_claim` (entity_id, sequence, cluster_id, strength): at most one claim per entity."""
    con.execute(
        """
        create temp table _ledger_heir as
        select p.entity_id,
            arg_min(p.cluster_id, row(not p.anchored, a.cluster_id is null, -p.records, p.first_record)) as cluster_id
        from _ledger_part p
        join _ledger_entity e on e.entity_id = p.entity_id
        left join _ledger_anchor a on a.cluster_id = p.cluster_id and a.anchor = e.anchor
        group by p.entity_id
        """
    )
    con.execute(
        f"""
        create temp table _ledger_claim as
        select h.entity_id, e.sequence, h.cluster_id, 0 as strength
        from _ledger_heir h
        join _ledger_entity e on e.entity_id = h.entity_id
        union all
        select e.entity_id, any_value(e.sequence), arg_min(a.cluster_id, row(-a.records, a.first_record)),
            any_value(case when e.state = '{LIVING}' then 1 else 2 end)
        from _ledger_entity e
        join _ledger_anchor a on a.anchor = e.anchor
        where e.state in ('{LIVING}', '{RETIRED}')
            and e.entity_id not in (select entity_id from _ledger_heir)
        group by e.entity_id
        """
    )


def _owners(con: DuckDBPyConnection, kind: Kind, next_sequence: int) -> int:
    """Make `_ledger_owner` (cluster_id, entity_id, sequence, strength; null strength: new); return how many are new."""
    con.execute(
        f"""
        create temp table _ledger_owner as
        with survivor as (
            select cluster_id,
                arg_min(entity_id, row(strength, sequence)) as entity_id,
                arg_min(sequence, row(strength, sequence)) as sequence,
                min(strength) as strength
            from _ledger_claim
            group by cluster_id
        ),
        fresh as (
            select cluster_id, row_number() over (order by first_record) + {int(next_sequence) - 1} as sequence
            from _ledger_cluster
            anti join survivor using (cluster_id)
        )
        select cluster_id, entity_id, sequence, strength from survivor
        union all
        select cluster_id, {mint_sql(kind, "sequence")}, sequence, null from fresh
        """
    )
    minted = scalar(con, "select count(*) from _ledger_owner where strength is null")
    if next_sequence + minted - 1 > LARGEST_SEQUENCE:
        raise LedgerError(f"kind {kind}: the sequence numbers are used up; nothing was written")
    return minted


def _entities_and_redirects(con: DuckDBPyConnection, out: LedgerTables) -> None:
    con.execute(
        """
        create temp table _ledger_home as
        select e.entity_id, e.state as old_state, o.entity_id as home_id
        from _ledger_entity e
        left join _ledger_claim c on c.entity_id = e.entity_id
        left join _ledger_owner o on o.cluster_id = c.cluster_id
        """
    )
    con.execute(
        f"""
        create or replace table {quote(out.entities)} as
        with old as (
            select e.*,
                case
                    when e.state = '{REDIRECTED}' then coalesce(t.home_id, e.resolves_to)
                    when h.home_id <> e.entity_id then h.home_id
                end as target,
                h.home_id
            from _ledger_entity e
            join _ledger_home h on h.entity_id = e.entity_id
            left join _ledger_home t on t.entity_id = e.resolves_to
        ),
        living as (
            select o.entity_id, o.sequence, e.anchor as old_anchor, c.anchor as new_anchor,
                exists (
                    select 1 from _ledger_anchor a where a.cluster_id = o.cluster_id and a.anchor = e.anchor
                ) as kept
            from _ledger_owner o
            join _ledger_cluster c on c.cluster_id = o.cluster_id
            left join _ledger_entity e on e.entity_id = o.entity_id
        )
        select entity_id, sequence, case when kept then old_anchor else coalesce(new_anchor, old_anchor) end as anchor,
            '{LIVING}' as state, null::varchar as resolves_to
        from living
        union all
        select entity_id, sequence, anchor,
            case when target is null then '{RETIRED}' else '{REDIRECTED}' end, target
        from old
        where home_id is distinct from entity_id
        order by entity_id
        """
    )
    con.execute(
        f"""
        create or replace table {quote(out.redirect)} as
        select entity_id as old_id, resolves_to as entity_id
        from {quote(out.entities)}
        where state <> '{LIVING}'
        order by old_id
        """
    )
