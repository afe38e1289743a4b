"""From judged pairs to clusters of records.

`linkage.clusters.partition` decides which profiles belong together; this module reads its input from tables, and writes
for each record its cluster and what ties it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.clusters.links import Ids, Refusal
from linkage.clusters.partition import Limits, partition
from linkage.entity_config import EntityConfig
from matchers.levels import literal

# What a record's tie is called when it has several: what a consumer can trust most. (Links are followed in another
# order: decisions first.)
BEST = ("identifier", "decision", "corroborated", "attribute")


def cluster(
    con: DuckDBPyConnection,
    config: EntityConfig,
    *,
    judged: str,
    profiles: str,
    members: str,
    cannot_link: str | None,
    clusters: str,
    refused: str,
    must_link: str | None = None,
) -> None:
    """Make the clusters of records and the table of refused links.

    Records of one profile are linked to each other only if the profile carries an exclusive identifier or is linked
    when judged against itself: two rows that say nothing but a common name are not one person because they say it
    identically. Profiles of several records without an identifier must be in `judged` with left_id = right_id.

    Args:
        con: DuckDB connection.
        config: the entity type: exclusive columns.
        judged: judged pairs, including profiles judged against themselves.
        profiles: the profiles.
        members: record_id, profile_id.
        cannot_link: table left_id, right_id of profiles that must stay apart, if any. Nothing joins them, not even
            `must_link`: where both stand, links by decision are followed by their ids, and one that would bring the
            two together is refused.
        clusters: table to make: record_id, profile_id, cluster_id (text), link_basis (what ties the record to the
            others, or for a record alone whether it carries an identifier), probability.
        refused: table to make: left_id, right_id, match_weight (null for a decision), link_basis, constraint_name.
        must_link: table left_id, right_id of profiles that a decision makes one, if any. It holds against exclusive
            identifiers: a person has said that two numbers are one subject's, so these two values may stand in one
            cluster, here and wherever else links bring them together. left_id = right_id makes the records of one
            profile one.
    """
    ids = _column(con, f"select profile_id from {quote(profiles)} order by profile_id")
    _accept(con, judged, profiles, must_link)
    edges = con.sql("""
select left_id, right_id, match_weight, link_basis
from accepted_link
where left_id < right_id
order by left_id, right_id""").to_arrow_table()
    exclusive = {
        column: con.sql(
            f"select profile_id, {quote(column)} as value from {quote(profiles)} where {quote(column)} is not null"
        ).to_arrow_table()
        for column in config.clustering.exclusive
    }
    contrary = _contrary(con, config, judged)
    labels, refusals = partition(ids, edges, exclusive, _apart(con, cannot_link), limits_of(config), contrary)
    con.register("partition_result", pa.table({"profile_id": ids, "component": labels}))
    con.execute("""
create or replace temp table profile_cluster as
select profile_id, min(profile_id) over (partition by component) as cluster_id,
    count(*) over (partition by component) as profiles
from partition_result""")
    con.unregister("partition_result")
    _write_refused(con, refusals, refused)
    _write_clusters(con, config, profiles, members, clusters)
    con.execute("drop table profile_cluster")
    con.execute("drop view accepted_link")


def limits_of(config: EntityConfig) -> Limits:
    """Return when a link of this entity type is not followed."""
    clustering = config.clustering
    return Limits(
        margin=clustering.ambiguity_margin,
        bridge_weight=clustering.bridge_weight,
        bridge_side=clustering.bridge_side,
        maximum_size=clustering.maximum_size,
    )


def _accept(con: DuckDBPyConnection, judged: str, profiles: str, must_link: str | None) -> None:
    """Make the view `accepted_link`: every pair to be linked once, by decision if a decision names it."""
    decided = "select null::bigint as left_id, null::bigint as right_id where false"
    if must_link is not None:
        decided = f"""
    select distinct least(left_id, right_id) as left_id, greatest(left_id, right_id) as right_id
    from {quote(must_link)}
    where left_id in (select profile_id from {quote(profiles)})
        and right_id in (select profile_id from {quote(profiles)})"""
    con.execute(f"""
create or replace temp view accepted_link as
with decided as ({decided})
select left_id, right_id, 'infinity'::double as match_weight, 1.0 as match_probability, 'decision' as link_basis
from decided
union all
select left_id, right_id, match_weight, match_probability, link_basis
from {quote(judged)}
anti join decided using (left_id, right_id)
where verdict = 'auto'""")


def _apart(con: DuckDBPyConnection, cannot_link: str | None) -> list[tuple[int, int]]:
    if cannot_link is None:
        return []
    return _pairs(con, f"select left_id, right_id from {quote(cannot_link)} where left_id <> right_id")


def _contrary(con: DuckDBPyConnection, config: EntityConfig, judged: str) -> list[tuple[int, int]]:
    """Return the pairs that contradict each other so much that third profiles do not join them."""
    rules, below = config.clustering.keeping_apart, config.clustering.keeping_apart_below
    if not rules:
        return []
    return _pairs(
        con,
        f"""
select left_id, right_id
from {quote(judged)}
where verdict = 'reject' and verdict_rule in ({", ".join(map(literal, rules))})
    and match_weight < {below!r} and left_id < right_id""",
    )


def _pairs(con: DuckDBPyConnection, query: str) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in con.execute(query).fetchall()]


def _write_clusters(con: DuckDBPyConnection, config: EntityConfig, profiles: str, members: str, clusters: str) -> None:
    """Attach each record to its cluster with the best evidence that ties it there."""
    identified = " or ".join(f"p.{quote(column)} is not null" for column in config.clustering.exclusive)
    con.execute(f"""
create or replace table {quote(clusters)} as
with accepted as (
    select left_id, right_id, {_rank("link_basis")} as basis, match_probability
    from accepted_link
),
tie as (
    select e.profile_id, min(e.basis) as basis, max(e.match_probability) as probability
    from (
        select left_id as profile_id, right_id as other, basis, match_probability from accepted
        union all
        select right_id, left_id, basis, match_probability from accepted
    ) e
    join profile_cluster a on a.profile_id = e.profile_id
    join profile_cluster b on b.profile_id = e.other
    where a.cluster_id = b.cluster_id
    group by e.profile_id
),
described as (
    select
        p.profile_id,
        c.cluster_id,
        {identified} as identified,
        case when {identified} then {BEST.index("identifier")} else {BEST.index("attribute")} end as own_basis,
        t.basis,
        t.probability,
        c.profiles = 1 and p.records > 1 and t.basis is null and not ({identified}) as apart
    from {quote(profiles)} p
    join profile_cluster c on c.profile_id = p.profile_id
    left join tie t on t.profile_id = p.profile_id
)
select
    m.record_id,
    m.profile_id,
    case when d.apart then 'record ' || m.record_id else 'profile ' || d.cluster_id end as cluster_id,
    list_extract({list(BEST)}, coalesce(d.basis, d.own_basis) + 1) as link_basis,
    coalesce(d.probability, 1.0) as probability
from {quote(members)} m
join described d on d.profile_id = m.profile_id
order by m.profile_id""")


def _rank(column: str) -> str:
    whens = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(BEST))
    return f"case {column} {whens} end"


def _write_refused(con: DuckDBPyConnection, refusals: Sequence[Refusal], refused: str) -> None:
    rows = pa.table(
        {
            "left_id": pa.array([r.link.left for r in refusals], pa.int64()),
            "right_id": pa.array([r.link.right for r in refusals], pa.int64()),
            "match_weight": pa.array(
                [r.link.weight if isfinite(r.link.weight) else None for r in refusals], pa.float64()
            ),
            "link_basis": pa.array([r.link.basis for r in refusals], pa.string()),
            "constraint_name": pa.array([r.constraint for r in refusals], pa.string()),
        }
    )
    con.register("refused_result", rows)
    con.execute(f"create or replace table {quote(refused)} as select * from refused_result")
    con.unregister("refused_result")


def _column(con: DuckDBPyConnection, query: str) -> Ids:
    table = con.sql(query).to_arrow_table()
    return np.asarray(table.column(0).to_numpy(), dtype=np.int64)
