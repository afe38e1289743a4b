"""Links that are kept: what was linked in the last run is let go only below a lower weight than made it.

Without this a pair whose weight stands near the threshold would come and go with every small change of the model or of
how common a name is, and entities would split and merge from month to month without anything having happened. Only a
pair that the score sends to review is kept; a hard rule that sends it there, or a weight too low for review, lets go.

By design the result of a run then depends on the run before, and on that alone: the same records, decisions, model and
last run give the same partition, in whatever order they come. A first run, or one without `kept`, depends on nothing
earlier.

Invariant: no verdict changes except from `review` to `auto`, and none of a pair that was not linked in the last run.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.model.verdicts import BY_SCORE

BY_HYSTERESIS = "kept"


def carry_links(con: DuckDBPyConnection, *, last_judged: str, last_members: str, members: str, out: str) -> int:
    """Say which profiles of this run were linked in the last one.

    Profiles are named by their content, so that a record that changed has another one now: links are carried over by
    the records, between those of two linked profiles, and among those of a profile that was linked with itself.

    Args:
        con: DuckDB connection.
        last_judged: left_id, right_id, verdict of the last run's pairs, as they went into clustering.
        last_members: record_id, profile_id of the last run.
        members: record_id, profile_id of this run.
        out: table to make: left_id <= right_id, each pair once.

    Returns:
        The number of pairs.
    """
    con.execute(f"""
create or replace table {quote(out)} as
with became as (
    select o.profile_id as old_id, n.profile_id as new_id, count(*) as records
    from {quote(last_members)} o
    join {quote(members)} n on o.record_id = n.record_id
    group by old_id, new_id
)
select distinct least(a.new_id, b.new_id) as left_id, greatest(a.new_id, b.new_id) as right_id
from {quote(last_judged)} j
join became a on a.old_id = j.left_id
join became b on b.old_id = j.right_id
where j.verdict = 'auto'
    -- One record alone was not linked with itself.
    and (a.new_id <> b.new_id or a.old_id <> b.old_id or a.records > 1)
order by left_id, right_id""")
    (pairs,) = only_row(con, f"select count(*) from {quote(out)}")
    return int(pairs)


def keep_links(con: DuckDBPyConnection, config: EntityConfig, *, judged: str, kept: str | None) -> int:
    """Turn the verdict of pairs that were linked in the last run from `review` into `auto`.

    A pair is kept if the score alone sends it to review, and its weight is at most `clustering.hysteresis` below
    the threshold of a link. Its rule is then `kept`; what the link rests on stays.

    Args:
        con: DuckDB connection.
        config: the entity type: the threshold and the hysteresis.
        judged: table of `linkage.model.verdicts.judge`, changed in place.
        kept: table left_id, right_id of profiles linked in the last run (see `carry_links`), if there was one.

    Returns:
        How many pairs were kept.
    """
    if kept is None or config.clustering.hysteresis == 0:
        return 0
    lowest = config.thresholds.auto - config.clustering.hysteresis
    con.execute(
        f"""
create or replace temp table kept_link as
select j.left_id, j.right_id
from {quote(judged)} j
semi join (
    select least(left_id, right_id) as left_id, greatest(left_id, right_id) as right_id
    from {quote(kept)}
) k on j.left_id = k.left_id and j.right_id = k.right_id
where j.verdict = 'review' and j.verdict_rule = ? and j.match_weight >= ?""",
        [BY_SCORE, lowest],
    )
    con.execute(
        f"""
update {quote(judged)}
set verdict = 'auto', verdict_rule = ?
from kept_link k
where {quote(judged)}.left_id = k.left_id and {quote(judged)}.right_id = k.right_id""",
        [BY_HYSTERESIS],
    )
    (pairs,) = only_row(con, "select count(*) from kept_link")
    con.execute("drop table kept_link")
    return int(pairs)
