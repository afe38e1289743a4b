"""How steady the published ids are from one release to the next: what changed, and why.

In: tables of the last release and of this run, and what else is new (model, configuration, decisions). Out: counts by
kind and cause, and the ids of changes without a cause.

A *change* is something that happened to an id: `new` (minted), `merged` (leads to another now), `split` (some of its
records became a new entity), `moved` (some went to another old one), `retired`, `revived`. Its *group* are the entities
it exchanged records with, directly or through others. Its cause is the first of these that holds, in the order that
fits the kind:

| cause | holds if |
|---|---|
| decision | a decision made or withdrawn since the last release names a record of the group |
| new_record, gone_record | a record of the group is only in this run, or was only in the last release |
| changed_record | a record of the group has another content (not asked when the configuration is another) |
| config, model | the linkage works by another configuration or program, or another model |
| new_link, lost_link | a link that touches the group appeared or vanished |
| neighbour | one of these holds for records that links tie to the group, though a constraint keeps them apart |
| link_weight | a link in that neighbourhood weighs otherwise: rarity of values depends on all records |
| unknown | tables of the last run are not there to compare with |
| unexplained | none of these |

Links change only when something else does. If no record is new, gone or changed, nothing was decided, and model and
configuration are the same, then links are no cause either.

Invariant: unexplained changes are zero. Every record that is in both releases and in another entity now is covered by a
change. The result does not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from eval.alarms import Alarm, Totals

KINDS = ("new", "merged", "split", "moved", "retired", "revived")
CAUSES = (
    "decision",
    "new_record",
    "changed_record",
    "gone_record",
    "config",
    "model",
    "new_link",
    "lost_link",
    "neighbour",
    "link_weight",
    "unknown",
    "unexplained",
)
UNEXPLAINED = "unexplained"
SHOWN_IDS = 100

_GATHERING = ("decision", "new_record", "changed_record", "gone_record", "config", "model", "new_link", "lost_link")
_PARTING = ("decision", "gone_record", "changed_record", "new_record", "config", "model", "lost_link", "new_link")
_ORDER = {kind: _PARTING if kind in ("split", "moved", "retired") else _GATHERING for kind in KINDS}
_TEMPORARY = ("flow", "record", "change", "group", "member", "local", "touched", "near")


@dataclass(frozen=True)
class ChangeCount:
    """How many ids changed in one way for one cause."""

    kind: str
    cause: str
    count: int


@dataclass(frozen=True)
class Stability:
    """How one entity type's ids changed.

    Attributes:
        kept: ids living before and now.
        unchanged: of these, ids with exactly the records they had.
        changes: changes by kind and cause, in the order of `KINDS` and `CAUSES`, none of count zero.
        unexplained: ids of changes without a cause, sorted, at most `SHOWN_IDS`; empty is the invariant.
        new_records: records that the last release did not have.
        gone_records: records that only the last release has.
        changed_records: records of both whose content is another; None if not known.
        totals: the totals of this run, for the next one to compare with.
        alarms: totals that moved further than they may.
    """

    kept: int
    unchanged: int
    changes: tuple[ChangeCount, ...]
    unexplained: tuple[str, ...]
    new_records: int
    gone_records: int
    changed_records: int | None
    totals: Totals | None = None
    alarms: tuple[Alarm, ...] = ()

    def count(self, kind: str | None = None, cause: str | None = None) -> int:
        """Return the number of changes of a kind, of a cause, or of both."""
        return sum(c.count for c in self.changes if kind in (None, c.kind) and cause in (None, c.cause))


@dataclass(frozen=True)
class StabilityTables:
    """Names of the DuckDB tables (or views) that `measure_stability` reads.

    Attributes:
        before: record_id, entity_id of the last release.
        after: record_id, entity_id of this run.
        entities_before: entity_id, state (`living`, `redirected`, `retired`): every id minted by the last release.
        entities_after: entity_id, state, resolves_to: every id minted by this run.
        content_before: record_id, profile_id (a hash of the content) of the last release; None if not known.
        content_after: the same of this run.
        links_before: left_id, right_id (profiles), match_weight: links of the last release, refused ones too; None if
            not known.
        links_after: the same of this run.
        decided: record_id of the records that decisions made or withdrawn since the last release name; None: none.
    """

    before: str
    after: str
    entities_before: str
    entities_after: str
    content_before: str | None
    content_after: str
    links_before: str | None
    links_after: str
    decided: str | None = None


def measure_stability(
    con: DuckDBPyConnection, tables: StabilityTables, *, config_changed: bool, model_changed: bool
) -> Stability:
    """Count what changed between the last release and this run, by kind and cause.

    Args:
        con: DuckDB connection.
        tables: what to compare.
        config_changed: configuration, source ranks or program are not those of the last release.
        model_changed: the model is not that of the last release.
    """
    _drop(con)
    comparable = tables.content_before is not None and tables.links_before is not None
    _records(con, tables, comparable=tables.content_before is not None and not config_changed)
    _changes(con, tables)
    _groups(con)
    new, gone, changed = _row(
        con,
        "select count(*) filter (before is null), count(*) filter (after is null), count(*) filter (changed) "
        "from _stability_record",
    )
    decided = f"select record_id from {_quote(tables.decided)}" if tables.decided else "select null::varchar limit 0"
    anything = bool(
        new or gone or changed or config_changed or model_changed or _row(con, f"select count(*) from ({decided})")[0]
    )
    flags = _local_flags(con, decided)
    always = {cause for cause, holds in (("config", config_changed), ("model", model_changed)) if holds}
    if comparable and anything and not always:
        for group, cause in _link_flags(con, tables):
            flags.setdefault(group, set()).add(cause)
    rows = con.execute(
        "select c.entity_id, c.kind, g.label from _stability_change c join _stability_group g using (entity_id)"
    )
    changes = sorted(rows.fetchall())
    causes = {(i, k): _cause(k, flags.get(g, set()) | always) for i, k, g in changes}
    open_groups = sorted({g for i, k, g in changes if causes[i, k] is None})
    if open_groups and comparable and anything:
        near = _neighbourhood(con, tables, open_groups)
        causes |= {(i, k): near.get(g) for i, k, g in changes if causes[i, k] is None}
    left = "unexplained" if comparable else "unknown"
    counted: dict[tuple[str, str], int] = {}
    for i, k, _ in changes:
        counted[k, causes[i, k] or left] = counted.get((k, causes[i, k] or left), 0) + 1
    kept, unchanged = _kept(con, tables)
    result = Stability(
        kept=kept,
        unchanged=unchanged,
        changes=tuple(ChangeCount(k, c, counted[k, c]) for k in KINDS for c in CAUSES if (k, c) in counted),
        unexplained=tuple(sorted({i for i, k, _ in changes if (causes[i, k] or left) == UNEXPLAINED}))[:SHOWN_IDS],
        new_records=new,
        gone_records=gone,
        changed_records=changed if tables.content_before is not None and not config_changed else None,
    )
    _drop(con)
    return result


def _records(con: DuckDBPyConnection, tables: StabilityTables, *, comparable: bool) -> None:
    """Make `_stability_record`: record_id, before, after, changed."""
    con.execute(f"""
create temp table _stability_record as
select record_id, b.entity_id as before, a.entity_id as after, false as changed
from {_quote(tables.before)} b
full join {_quote(tables.after)} a using (record_id)""")
    if comparable:
        con.execute(f"""
update _stability_record r set changed = true
from {_quote(str(tables.content_before))} b, {_quote(tables.content_after)} a
where r.before is not null and r.after is not null
    and b.record_id = r.record_id and a.record_id = r.record_id and a.profile_id <> b.profile_id""")


def _changes(con: DuckDBPyConnection, tables: StabilityTables) -> None:
    """Make `_stability_flow` (from_id, to_id) and `_stability_change` (entity_id, kind)."""
    con.execute("""
create temp table _stability_flow as
select distinct before as from_id, after as to_id from _stability_record where before <> after""")
    con.execute(f"""
create temp table _stability_change as
with state as (
    select entity_id, b.state as was, a.state as is_now, coalesce(a.resolves_to, entity_id) as heir
    from {_quote(tables.entities_before)} b
    full join {_quote(tables.entities_after)} a using (entity_id)
)
select entity_id,
    case
        when was is null then 'new'
        when is_now = 'living' then 'revived'
        when is_now = 'redirected' then 'merged'
        else 'retired'
    end as kind
from state
where (was is null and is_now = 'living') or (was = 'living') <> (coalesce(is_now, '') = 'living')
union all
select distinct f.from_id, case when t.was is null then 'split' else 'moved' end
from _stability_flow f
join state s on s.entity_id = f.from_id
join state t on t.entity_id = f.to_id
where f.to_id <> s.heir""")


def _groups(con: DuckDBPyConnection) -> None:
    """Make `_stability_group` (entity_id, label): changed ids, with all they exchanged records with."""
    nodes = con.sql("""
select entity_id from _stability_change
union select from_id from _stability_flow
union select to_id from _stability_flow
order by 1""").to_arrow_table()
    ids = nodes.column(0).to_numpy(zero_copy_only=False)
    flows = con.sql("select from_id, to_id from _stability_flow order by all").to_arrow_table()
    ends = (
        [np.searchsorted(ids, flows.column(i).to_numpy(zero_copy_only=False)) for i in (0, 1)] if len(ids) else [[], []]
    )
    from scipy.sparse import coo_matrix  # other commands read reports, and measure nothing
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(len(ids), len(ids)))
    labels = connected_components(graph, directed=False)[1] if len(ids) else np.empty(0, np.int32)
    table = pa.table({"entity_id": nodes.column(0).cast(pa.string()), "label": pa.array(labels, pa.int64())})
    con.register("_stability_labels", table)
    con.execute("create temp table _stability_group as select * from _stability_labels")
    con.unregister("_stability_labels")
    con.execute("""
create temp table _stability_member as
select r.record_id, g.label, r.before is null as is_new, r.after is null as is_gone, r.changed
from _stability_record r
join _stability_group g on g.entity_id = r.before
union
select r.record_id, g.label, r.before is null, r.after is null, r.changed
from _stability_record r
join _stability_group g on g.entity_id = r.after""")


def _local_flags(con: DuckDBPyConnection, decided: str) -> dict[int, set[str]]:
    """Return the causes that hold inside each group."""
    rows = con.execute(f"""
select m.label, bool_or(m.is_new), bool_or(m.is_gone), bool_or(m.changed), bool_or(d.record_id is not null)
from _stability_member m
left join (select distinct record_id from ({decided}) t(record_id)) d on d.record_id = m.record_id
group by m.label""").fetchall()
    names = ("new_record", "gone_record", "changed_record", "decision")
    return {label: {n for n, holds in zip(names, held, strict=True) if holds} for label, *held in rows}


def _link_flags(con: DuckDBPyConnection, tables: StabilityTables) -> list[tuple[int, str]]:
    """Return (group, cause) for links that appeared or vanished and touch a group."""
    _touched(con, tables)
    return con.execute("""
select distinct m.label, t.cause
from _stability_touched t
join _stability_content c on c.profile_id = t.profile_id
join _stability_member m on m.record_id = c.record_id
order by all""").fetchall()


def _touched(con: DuckDBPyConnection, tables: StabilityTables) -> None:
    """Make `_stability_touched` (profile_id, cause), and the view `_stability_content` of both releases' contents."""
    before, after = _quote(str(tables.links_before)), _quote(tables.links_after)
    con.execute(f"""
create temp table _stability_touched as
with pair as (
    select left_id, right_id, 'new_link' as cause from {after} anti join {before} using (left_id, right_id)
    union all
    select left_id, right_id, 'lost_link' from {before} anti join {after} using (left_id, right_id)
)
select left_id as profile_id, cause from pair union select right_id, cause from pair""")
    con.execute(f"""
create or replace temp view _stability_content as
select record_id, profile_id from {_quote(str(tables.content_before))}
union
select record_id, profile_id from {_quote(tables.content_after)}""")


def _neighbourhood(con: DuckDBPyConnection, tables: StabilityTables, groups: Sequence[int]) -> dict[int, str]:
    """Return group → `neighbour` or `link_weight`, for groups that something beyond them explains.

    What a constraint refuses depends on all that links join, so the search follows the links of either release from the
    group's records to their end.
    """
    before, after = _quote(str(tables.links_before)), _quote(tables.links_after)
    con.execute(f"""
create temp table _stability_near as
select distinct m.label, c.profile_id
from _stability_member m
join _stability_content c on c.record_id = m.record_id
where m.label in ({", ".join(str(int(group)) for group in groups)})""")
    grown, size = -1, 0
    while grown != size:
        grown = size
        con.execute(f"""
insert into _stability_near
select distinct n.label, e.other
from _stability_near n
join (
    select left_id as profile_id, right_id as other from {before}
    union all select right_id, left_id from {before}
    union all select left_id, right_id from {after}
    union all select right_id, left_id from {after}
) e on e.profile_id = n.profile_id
anti join _stability_near k on k.label = n.label and k.profile_id = e.other""")
        size = _row(con, "select count(*) from _stability_near")[0]
    found = dict.fromkeys(
        (
            row[0]
            for row in con.execute(f"""
select distinct n.label
from _stability_near n
join {before} b on b.left_id = n.profile_id
join {after} a on a.left_id = b.left_id and a.right_id = b.right_id
where a.match_weight is distinct from b.match_weight""").fetchall()
        ),
        "link_weight",
    )
    near = con.execute("""
select n.label
from _stability_near n
semi join _stability_touched t on t.profile_id = n.profile_id
union
select n.label
from _stability_near n
join _stability_content c on c.profile_id = n.profile_id
join _stability_record r on r.record_id = c.record_id
where r.before is null or r.after is null or r.changed""").fetchall()
    return found | {label: "neighbour" for (label,) in near}


def _cause(kind: str, holding: set[str]) -> str | None:
    return next((cause for cause in _ORDER[kind] if cause in holding), None)


def _kept(con: DuckDBPyConnection, tables: StabilityTables) -> tuple[int, int]:
    kept, changed = _row(
        con,
        f"""
with kept as (
    select entity_id
    from {_quote(tables.entities_before)} b
    join {_quote(tables.entities_after)} a using (entity_id)
    where b.state = 'living' and a.state = 'living'
),
other as (
    select before as entity_id from _stability_record where before is distinct from after
    union
    select after from _stability_record where before is distinct from after
)
select count(*), count(*) filter (entity_id in (select entity_id from other where entity_id is not null)) from kept""",
    )
    return kept, kept - changed


def _drop(con: DuckDBPyConnection) -> None:
    con.execute("drop view if exists _stability_content")
    for name in _TEMPORARY:
        con.execute(f"drop table if exists _stability_{name}")


def _row(con: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    return tuple(con.execute(query).fetchall()[0])


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
