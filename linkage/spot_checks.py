"""Spot checks (抽查): a few of the links that a run made by itself, drawn at random, for a person to look at.

Cases are what the engine doubts; how precise its sure links are only a random sample of these can tell. The draw
depends on the release and the records alone: the same release of the same records draws the same links.

Invariant: every link that no person has ruled on is drawn with the same probability.
"""

from __future__ import annotations

from blocking.sql import quote
from linkage.pipeline import Linkage


def draw_spot_checks(run: Linkage, *, most: int, release: int) -> None:
    """Make the table `spot_check`: left_record_id, right_record_id, rule, match_weight, match_probability.

    A link stands for two profiles, shown by the smallest record of either.

    Args:
        run: the linkage, clustered: judged, clusters, must_link, profile_record.
        most: links to draw; all of them if there are no more.
        release: the release being made.
    """
    seed = f"{run.config.entity}|{release}"
    run.con.execute(
        f"""
create or replace table {quote(run.table("spot_check"))} as
with shown as (
    select profile_id, min(record_id) as record_id
    from {quote(run.table("profile_record"))}
    group by profile_id
),
home as (
    select distinct profile_id, cluster_id from {quote(run.table("clusters"))}
),
drawn as (
    select
        least(a.record_id, b.record_id) as left_record_id,
        greatest(a.record_id, b.record_id) as right_record_id,
        j.verdict_rule as rule,
        j.match_weight,
        j.match_probability
    from {quote(run.table("judged"))} j
    anti join {quote(run.table("must_link"))} m
        on least(j.left_id, j.right_id) = least(m.left_id, m.right_id)
        and greatest(j.left_id, j.right_id) = greatest(m.left_id, m.right_id)
    join home l on j.left_id = l.profile_id
    join home r on j.right_id = r.profile_id and l.cluster_id = r.cluster_id
    join shown a on j.left_id = a.profile_id
    join shown b on j.right_id = b.profile_id
    where j.verdict = 'auto' and j.left_id < j.right_id and $most > 0
)
select *
from drawn
order by md5(concat_ws('|', $seed, left_record_id, right_record_id)), left_record_id, right_record_id
limit $most""",
        {"seed": seed, "most": most},
    )
