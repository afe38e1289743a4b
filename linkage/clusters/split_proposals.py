"""Split proposals (拆分建议): clusters that hold together, and whose evidence says that perhaps they should not.

A cluster is proposed to be split where

* two of its profiles contradict each other: their pair was judged `conflict`, or rejected by a rule that the entity
  type lists as `contradicting`. The halves are those that a ruling of the two as different would leave: links are
  followed strongest first, and one that would bring the two together is not;
* it hangs together by a link that is only kept (`linkage.clusters.hysteresis`): judged today, the link would not be
  made. The halves are what is left on either side without it;
* one weak link alone joins two groups of two or more profiles (`linkage.clusters.bridges` takes larger ones apart by
  itself). The halves are these groups.

What people have ruled one contradicts nothing. Of several pairs that would leave the same halves the strongest stands
for all: a conflict before a rejection, a kept link, a bridge; then the lowest weight.

Invariant: the proposals depend on the sets of profiles, pairs and decisions, never on their order; both records of a
proposal are in one cluster, in different halves.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.clusters.contested import partition_contested
from linkage.clusters.hysteresis import BY_HYSTERESIS
from linkage.clusters.links import FIRM, Groups, Link
from linkage.entity_config import EntityConfig
from matchers.levels import literal

BY_BRIDGE = "bridge"
# Profiles of the smallest group that is asked about; smaller ones are single profiles with one link.
_SMALLEST_GROUP = 2
# Contradicting pairs of a cluster that are looked at; the others come up once these are ruled on.
_MOST_PAIRS = 40
_COLUMNS = pa.schema(
    [
        ("left_record_id", pa.string()),
        ("right_record_id", pa.string()),
        ("rule", pa.string()),
        ("match_weight", pa.float64()),
        ("match_probability", pa.float64()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A pair inside a cluster that speaks against it: a contradiction, or a link that should not hold it together."""

    left: int
    right: int
    rule: str
    weight: float
    probability: float
    is_conflict: bool = False

    @property
    def order(self) -> tuple[int, float, int, int]:
        """The strongest contradiction first."""
        place = 0 if self.is_conflict else {BY_HYSTERESIS: 2, BY_BRIDGE: 3}.get(self.rule, 1)
        return (place, self.weight, self.left, self.right)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A split: the pair it is about, and the profiles of the half that either stands in."""

    doubt: Doubt
    left: frozenset[int]
    right: frozenset[int]


@dataclass
class _Held:
    """A cluster: its profiles, what holds it together, and what speaks against it."""

    nodes: set[int] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)
    kept: list[Link] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def propose_splits(
    con: DuckDBPyConnection,
    config: EntityConfig,
    *,
    judged: str,
    clusters: str,
    must_link: str,
    out: str,
) -> int:
    """Make the table of split proposals.

    Args:
        con: DuckDB connection.
        config: the entity type: the rules that contradict.
        judged: judged pairs, as they went into clustering.
        clusters: record_id, profile_id, cluster_id.
        must_link: left_id, right_id of profiles that decisions make one.
        out: table to make: left_record_id, right_record_id (the smallest records of two profiles, left < right), rule,
            match_weight, match_probability, detail (JSON: `right`, the records that would leave with the right one).

    Returns:
        The number of proposals.
    """
    con.execute(f"create or replace temp table doubtful_pair as {_doubtful(config, judged, clusters)}")
    rows: list[tuple[str, str, str, float, float, str]] = []
    for held, records in _doubtful_clusters(con, judged=judged, clusters=clusters, must_link=must_link):
        rows += [_row(one, records) for one in proposals(held.nodes, held.links, held.kept, held.doubts)]
    rows.sort(key=lambda row: row[:2])
    made = [dict(zip(_COLUMNS.names, row, strict=True)) for row in rows]
    con.register("proposed", pa.Table.from_pylist(made, schema=_COLUMNS))
    con.execute(f"create or replace table {quote(out)} as select * from proposed")
    con.unregister("proposed")
    con.execute("drop table doubtful_pair")
    return len(rows)


def proposals(
    nodes: Iterable[int], links: Sequence[Link], kept: Sequence[Link], doubts: Sequence[Doubt]
) -> tuple[Proposal, ...]:
    """Return the splits of one cluster, each once.

    Args:
        nodes: its profiles.
        links: the links that hold it together, decisions among them, without those only kept.
        kept: the links that are only kept.
        doubts: contradicting pairs, and as doubts the links that are kept or may be bridges.
    """
    members = sorted(nodes)
    decided = Groups(members)
    for link in links:
        if link.basis == "decision":
            _join(decided, link)
    open_doubts = sorted(
        (one for one in doubts if decided.find(one.left) != decided.find(one.right)), key=lambda one: one.order
    )
    found: dict[frozenset[frozenset[int]], Proposal] = {}
    holding = _holding(members, links, kept)
    everything = [*links, *kept]
    for one in open_doubts[:_MOST_PAIRS]:
        if one.rule == BY_HYSTERESIS:
            right = _beyond(members, links, holding, one)
        else:
            homes, _ = partition_contested(members, everything, {}, [(one.left, one.right)])
            right = frozenset(node for node in members if homes[node] == homes[one.right])
            if one.rule == BY_BRIDGE and not _is_bridge(members, everything, one, right):
                continue
        if right and one.left not in right:
            left = frozenset(members) - right
            found.setdefault(frozenset((left, right)), Proposal(one, left, right))
    return tuple(sorted(found.values(), key=lambda one: (one.doubt.left, one.doubt.right)))


def _holding(nodes: Sequence[int], links: Sequence[Link], kept: Sequence[Link]) -> dict[tuple[int, int], Link]:
    """Return the kept links without which the cluster would fall apart, the strongest of those that do the same."""
    groups = Groups(nodes)
    for link in links:
        _join(groups, link)
    return {(link.left, link.right): link for link in sorted(kept, key=lambda link: link.order) if _join(groups, link)}


def _beyond(
    nodes: Sequence[int], links: Sequence[Link], holding: Mapping[tuple[int, int], Link], doubt: Doubt
) -> frozenset[int]:
    """Return what a kept link holds on its right side, empty if it holds nothing."""
    if (doubt.left, doubt.right) not in holding:
        return frozenset()
    groups = Groups(nodes)
    for link in (*links, *(one for pair, one in holding.items() if pair != (doubt.left, doubt.right))):
        _join(groups, link)
    return frozenset(node for node in nodes if groups.find(node) == groups.find(doubt.right))


def _is_bridge(nodes: Sequence[int], links: Sequence[Link], doubt: Doubt, right: frozenset[int]) -> bool:
    """Say whether a link alone joins the two sides, each a group."""
    across = [link for link in links if (link.left in right) != (link.right in right)]
    is_alone = [(link.left, link.right) for link in across] == [(doubt.left, doubt.right)]
    return is_alone and min(len(right), len(nodes) - len(right)) >= _SMALLEST_GROUP


def _join(groups: Groups, link: Link) -> bool:
    a, b = groups.roots(link.left, link.right)
    if a != b:
        groups.join(a, b)
    return a != b


def _doubtful(config: EntityConfig, judged: str, clusters: str) -> str:
    """Return the pairs inside clusters that speak against them, or might.

    A weak link may be a bridge between two groups if either end has another link, and no third profile is linked to
    both.
    """
    listed = ", ".join(literal(name) for name in config.clustering.contradicting) or "null"
    firm = ", ".join(literal(basis) for basis in sorted(FIRM))
    columns = "left_id, right_id, verdict, verdict_rule, match_weight, match_probability"
    return f"""
with linked as (
    select {columns}, link_basis
    from {quote(judged)}
    where verdict = 'auto' and left_id < right_id
),
weak as (
    select * from linked where match_weight < {config.clustering.bridge_weight} and link_basis not in ({firm})
),
weak_end as (
    select left_id, right_id, unnest([left_id, right_id]) as end_id from weak
),
neighbour as (
    select left_id as end_id, right_id as other_id from linked semi join weak_end on linked.left_id = weak_end.end_id
    union all
    select right_id, left_id from linked semi join weak_end on linked.right_id = weak_end.end_id
),
thin as (
    select w.left_id, w.right_id
    from weak_end w
    join neighbour n on w.end_id = n.end_id and n.other_id not in (w.left_id, w.right_id)
    group by w.left_id, w.right_id
    having count(distinct w.end_id) = 2 and count(distinct n.other_id) = count(*)
),
suspected as (
    select {columns}
    from {quote(judged)}
    where left_id < right_id
        and (
            verdict = 'conflict'
            or (verdict = 'reject' and verdict_rule in ({listed}))
            or verdict_rule = {literal(BY_HYSTERESIS)}
        )
    union all
    select left_id, right_id, 'auto', {literal(BY_BRIDGE)}, match_weight, match_probability
    from weak
    semi join thin using (left_id, right_id)
    where verdict_rule <> {literal(BY_HYSTERESIS)}
),
suspect as (
    select left_id as profile_id from suspected
    union
    select right_id from suspected
),
home as (
    select distinct profile_id, cluster_id
    from {quote(clusters)}
    semi join suspect using (profile_id)
    where cluster_id like 'profile %'
)
select s.*, l.cluster_id
from suspected s
join home l on s.left_id = l.profile_id
join home r on s.right_id = r.profile_id and l.cluster_id = r.cluster_id"""


def _doubtful_clusters(
    con: DuckDBPyConnection, *, judged: str, clusters: str, must_link: str
) -> Iterator[tuple[_Held, dict[int, list[str]]]]:
    """Yield the clusters that doubtful pairs are in, with the records of their profiles."""
    held: defaultdict[str, _Held] = defaultdict(_Held)
    records: defaultdict[int, list[str]] = defaultdict(list)
    home: dict[int, str] = {}
    for record, profile, cluster_id in con.execute(f"""
select record_id, profile_id, cluster_id
from {quote(clusters)}
where cluster_id in (select cluster_id from doubtful_pair)
order by record_id""").fetchall():
        records[profile].append(record)
        home[profile] = cluster_id
        held[cluster_id].nodes.add(profile)
    con.register("doubtful_given", pa.table({"profile_id": pa.array(sorted(home), pa.int64())}))
    inside = (
        "semi join doubtful_given l on left_id = l.profile_id semi join doubtful_given r on right_id = r.profile_id"
    )
    for left, right in con.execute(
        f"select distinct least(left_id, right_id), greatest(left_id, right_id) from {quote(must_link)} {inside}"
    ).fetchall():
        if left != right and home[left] == home[right]:
            held[home[left]].links.append(Link(left, right, float("inf"), "decision"))
    for left, right, weight, basis, rule in con.execute(f"""
select left_id, right_id, match_weight, link_basis, verdict_rule
from {quote(judged)}
{inside}
where verdict = 'auto' and left_id < right_id""").fetchall():
        if home[left] == home[right]:
            where = held[home[left]]
            (where.kept if rule == BY_HYSTERESIS else where.links).append(Link(left, right, weight, basis))
    for left, right, verdict, rule, weight, probability, cluster_id in con.execute(
        "select left_id, right_id, verdict, verdict_rule, match_weight, match_probability, cluster_id "
        "from doubtful_pair"
    ).fetchall():
        held[cluster_id].doubts.append(Doubt(left, right, rule, weight, probability, verdict == "conflict"))
    con.unregister("doubtful_given")
    for cluster_id in sorted(held):
        yield held[cluster_id], records


def _row(proposal: Proposal, records: Mapping[int, list[str]]) -> tuple[str, str, str, float, float, str]:
    """Return a row of the table; the half that leaves is that of the right record, the larger of the two ids."""
    doubt = proposal.doubt
    one, other = records[doubt.left][0], records[doubt.right][0]
    leaving = proposal.right
    if one > other:
        one, other = other, one
        leaving = proposal.left
    right = sorted(record for profile in leaving for record in records[profile])
    detail = json.dumps({"right": right}, ensure_ascii=False)
    return (one, other, doubt.rule, doubt.weight, doubt.probability, detail)
