"""From judged pairs to clusters of records.

`linkage.partition` decides which profiles belong together; this module reads its input from tables, and writes for each
record its cluster and what ties it there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.entity_config import EntityConfig
from linkage.partition import STRENGTH, Ids, Refusal, partition


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
        cannot_link: table left_id, right_id of profiles that must stay apart, if any.
        clusters: table to make: record_id, profile_id, cluster_id (text), link_basis (what ties the record to the
            others, or for a record alone whether it carries an identifier), probability.
        refused: table to make: left_id, right_id, match_weight, link_basis, constraint_name.
    """
    ids = _column(con, f"select profile_id from {quote(profiles)} order by profile_id")
    edges = con.sql(f"""
select left_id, right_id, match_weight, link_basis
from {quote(judged)}
where verdict = 'auto' and left_id < right_id
order by left_id, right_id""").to_arrow_table()
    exclusive = {
        column: con.sql(
            f"select profile_id, {quote(column)} as value from {quote(profiles)} where {quote(column)} is not null"
        ).to_arrow_table()
        for column in config.clustering.exclusive
    }
    apart = con.execute(f"select left_id, right_id from {quote(cannot_link)}").fetchall() if cannot_link else []
    labels, refusals = partition(
        ids, edges, exclusive, [(int(a), int(b)) for a, b in apart], margin=config.clustering.ambiguity_margin
    )
    con.register("partition_result", pa.table({"profile_id": ids, "component": labels}))
    con.execute("""
create or replace temp table profile_cluster as
select profile_id, min(profile_id) over (partition by component) as cluster_id,
    count(*) over (partition by component) as profiles
from partition_result""")
    con.unregister("partition_result")
    _write_refused(con, refusals, refused)
    _write_clusters(con, config, judged, profiles, members, clusters)
    con.execute("drop table profile_cluster")


def _write_clusters(
    con: DuckDBPyConnection, config: EntityConfig, judged: str, profiles: str, members: str, clusters: str
) -> None:
    """Attach each record to its cluster with the best evidence that ties it there."""
    identified = " or ".join(f"p.{quote(column)} is not null" for column in config.clustering.exclusive)
    con.execute(f"""
create or replace table {quote(clusters)} as
with accepted as (
    select left_id, right_id, {_strength("link_basis")} as basis, match_probability
    from {quote(judged)}
    where verdict = 'auto'
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
        case when {identified} then {STRENGTH["identifier"]} else {STRENGTH["attribute"]} end as own_basis,
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
    list_extract({list(STRENGTH)}, coalesce(d.basis, d.own_basis) + 1) as link_basis,
    coalesce(d.probability, 1.0) as probability
from {quote(members)} m
join described d on d.profile_id = m.profile_id""")


def _strength(column: str) -> str:
    whens = " ".join(f"when '{name}' then {value}" for name, value in STRENGTH.items())
    return f"case {column} {whens} end"


def _write_refused(con: DuckDBPyConnection, refusals: Sequence[Refusal], refused: str) -> None:
    rows = pa.table(
        {
            "left_id": pa.array([r.link.left for r in refusals], pa.int64()),
            "right_id": pa.array([r.link.right for r in refusals], pa.int64()),
            "match_weight": pa.array([r.link.weight for r in refusals], pa.float64()),
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
