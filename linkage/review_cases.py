"""Review cases of a run: the pairs of records that a person should look at.

A pair stands for two profiles, shown by the smallest record of either. Between two entities: pairs that the verdict or
the clustering left open. Within one entity: proposals to split it (`linkage.clusters.split_proposals`), and
spot checks (`linkage.spot_checks`).
"""

from __future__ import annotations

from blocking.sql import quote
from linkage.clusters.split_proposals import propose_splits
from linkage.pipeline import Linkage

SPLIT_PROPOSED = "split_proposed"
SPOT_CHECK = "spot_check"
_CASE_ID = "'RC-' || left(md5(concat_ws('|', '{entity}', kind, left_record_id, right_record_id)), 20)"


def make_review_cases(run: Linkage) -> None:
    """Make the table `review_case`, one row a case, without spot checks; its columns are those of the catalog.

    Args:
        run: the linkage, identified: profile_record, judged, refused, clusters, must_link, membership.
    """
    entity = run.config.entity
    proposed = run.table("split_proposal")
    propose_splits(
        run.con,
        run.config,
        judged=run.table("judged"),
        clusters=run.table("clusters"),
        must_link=run.table("must_link"),
        out=proposed,
    )
    run.con.execute(f"""
create or replace table {quote(run.table("review_case"))} as
with shown as (
    select profile_id, min(record_id) as record_id
    from {quote(run.table("profile_record"))}
    group by profile_id
),
contested as (
    select left_id, right_id, verdict as kind, verdict_rule as rule, match_weight, match_probability
    from {quote(run.table("judged"))}
    where verdict in ('review', 'conflict') and left_id < right_id
    union all
    select left_id, right_id, 'refused', constraint_name, match_weight, null
    from {quote(run.table("refused"))}
),
ordered as (
    select
        c.kind, c.rule, c.match_weight, c.match_probability,
        least(a.record_id, b.record_id) as left_record_id,
        greatest(a.record_id, b.record_id) as right_record_id
    from contested c
    join shown a on c.left_id = a.profile_id
    join shown b on c.right_id = b.profile_id
),
asked as (
    select o.*, l.entity_id as left_entity_id, r.entity_id as right_entity_id, null::varchar as detail
    from ordered o
    join {quote(run.table("membership"))} l on o.left_record_id = l.record_id
    join {quote(run.table("membership"))} r on o.right_record_id = r.record_id
    where l.entity_id <> r.entity_id
    union all by name
    select '{SPLIT_PROPOSED}' as kind, p.*, m.entity_id as left_entity_id, m.entity_id as right_entity_id
    from {quote(proposed)} p
    join {quote(run.table("membership"))} m on p.left_record_id = m.record_id
)
select
    {_CASE_ID.format(entity=entity)} as case_id,
    '{entity}' as entity_type,
    kind,
    rule,
    match_weight,
    match_probability,
    left_record_id,
    right_record_id,
    left_entity_id,
    right_entity_id,
    detail
from asked""")
    run.con.execute(f"drop table {quote(proposed)}")


def add_spot_checks(run: Linkage) -> None:
    """Put the cases of the links in the table `spot_check` in the place of those that are in `review_case`."""
    cases, membership = quote(run.table("review_case")), quote(run.table("membership"))
    run.con.execute(f"delete from {cases} where kind = '{SPOT_CHECK}'")
    run.con.execute(f"""
insert into {cases} by name
with drawn as (
    select '{SPOT_CHECK}' as kind, s.*, l.entity_id as left_entity_id, r.entity_id as right_entity_id
    from {quote(run.table("spot_check"))} s
    join {membership} l on s.left_record_id = l.record_id
    join {membership} r on s.right_record_id = r.record_id and l.entity_id = r.entity_id
)
select {_CASE_ID.format(entity=run.config.entity)} as case_id, '{run.config.entity}' as entity_type, *
from drawn""")
