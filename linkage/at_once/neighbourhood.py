"""The components that decisions touch, and the rows of everything in them, as tables of a small run in memory.

A component is touched if a profile appeared in it, vanished or stands for another number of records, if a pair that
counts comes or goes, if a constraint does, or if it holds an exclusive value that decisions make one with
another, or no longer do. Nothing from the verdicts to the clusters looks beyond a component
(`linkage.clusters.components`).

Tables made: `touched` (profile_id, of this state), `touched_before` (of the batch, with those that vanished),
`touched_record` (record_id, profile_id, of the batch); and under the run's names profiles, profile_record, records (the
columns that golden values and links read), scored, kept, made_by. Profiles that a constraint names elsewhere are among
the profiles too, without records: what is one value is decided by all of them.
"""

from __future__ import annotations

from blocking.sql import quote
from linkage.at_once.batch import Batch, fetch_rows
from linkage.clusters.components import counts
from linkage.clusters.decided_values import Decided, find_profiles_of_changed_values
from linkage.clusters.hysteresis import carry_links
from linkage.entities import shipped_survivorship
from linkage.pipeline import Linkage, constrain

_CONSTRAINTS = ("must_link", "cannot_link")
# What is read of a record beside its values.
_OF_RECORDS = ("record_id", "source", "source_record_id", "as_of")


def constrain_anew(run: Linkage) -> None:
    """Make the constraints of the decisions in force, between the profiles that named records have now."""
    run.con.execute(f"""
create or replace table {quote(run.table("profile_record"))} as
select p.record_id, coalesce(m.new_id, p.profile_id) as profile_id
from named_member p
semi join {quote(run.table("named"))} n on p.record_id = n.record_id
left join moved m on p.record_id = m.record_id""")
    constrain(run)


def find_touched(run: Linkage, batch: Batch) -> int:
    """Make `touched`, `touched_before` and `touched_record`; return how many records are touched."""
    con = run.con
    changed = " union ".join(f"select {side}_id as profile_id from changed" for side in ("left", "right"))
    judged = " union all ".join(
        f"select left_id, right_id from {rows} where {counts(run.config)}"
        for rows in ("new_judged", f"{batch.table('judged')} semi join changed_pair using (left_id, right_id)")
    )
    constraints = " union all ".join(
        f"(select left_id, right_id from {one} except select left_id, right_id from {other})"
        for name in _CONSTRAINTS
        for one, other in _both_ways(quote(run.table(name)), batch.table(name))
    )
    _find_values(run, batch)
    con.execute(f"""
create or replace table seed as
with changed as ({judged} union all {constraints})
{changed}
union
select profile_id from moved_profile
union
select profile_id from profile_of_value""")
    con.execute(f"""
create or replace table touched_before as
with found as (
    select distinct component from {batch.table("component")} semi join seed using (profile_id)
)
select profile_id from {batch.table("component")} semi join found using (component)
union
select profile_id from seed
anti join (select profile_id from moved_profile where records_before = 0) using (profile_id)""")
    con.execute("""
create or replace table touched as
select profile_id from touched_before
union
select profile_id from seed""")
    con.execute("delete from touched where profile_id in (select profile_id from vanished)")
    con.execute(f"""
create or replace table touched_record as
select record_id, profile_id
from {batch.table("profile_record")}
semi join touched_before using (profile_id)""")
    return int(con.execute("select count(*) from touched_record").fetchall()[0][0])


def extract(run: Linkage, batch: Batch) -> None:
    """Make the tables of the small run."""
    con = run.con

    def table(name: str) -> str:
        return quote(run.table(name))

    constrained = " union ".join(
        f"select {side}_id as profile_id from {table(name)}" for name in _CONSTRAINTS for side in ("left", "right")
    )
    wanted = f"select profile_id from touched union {constrained}"
    profiles = run.table("profiles")
    fetch_rows(con, batch.table("profiles"), key="profile_id", wanted=wanted, out=profiles, known="new_profiles")
    con.execute(f"""
create or replace table {table("profile_record")} as
select t.record_id, coalesce(m.new_id, t.profile_id) as profile_id
from touched_record t
left join moved m on t.record_id = m.record_id""")
    fetch_rows(
        con,
        batch.table("records"),
        key="record_id",
        wanted="select record_id from touched_record",
        out=run.table("records"),
        columns=dict.fromkeys((*_OF_RECORDS, *shipped_survivorship().of(run.config.entity).columns())),
    )
    inside = "semi join touched l on s.left_id = l.profile_id semi join touched r on s.right_id = r.profile_id"
    con.execute(f"""
create or replace table {table("scored")} as
select s.*
from {batch.table("scored")} s
{inside}
anti join changed_pair c on s.left_id = c.left_id and s.right_id = c.right_id
union all by name
select s.* from new_scored s {inside}""")
    con.execute(f"create or replace table {table('made_by')} as select * from {batch.table('made_by')}")
    _take_spot_checks(run, batch)
    _keep_links(run, batch)


def _take_spot_checks(run: Linkage, batch: Batch) -> None:
    """Make `spot_check`: the links among the touched records that the last run drew."""
    drawn = "select ''::varchar as left_record_id, '' as right_record_id, '' as rule, 0.0 as match_weight, "
    drawn += "0.0 as match_probability where false"
    if batch.holds(run.con, "spot_check"):
        drawn = f"""
select s.*
from {batch.table("spot_check")} s
semi join touched_record t on s.left_record_id = t.record_id
semi join touched_record u on s.right_record_id = u.record_id"""
    run.con.execute(f"create or replace table {quote(run.table('spot_check'))} as {drawn}")


def _both_ways(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)


def _find_values(run: Linkage, batch: Batch) -> None:
    """Make `profile_of_value`: profiles with an exclusive value that decisions make one with others than before."""
    con = run.con
    con.execute(f"""
create or replace view profiles_now as
select * from new_profiles
union all by name
select * from {batch.table("profiles")} anti join new_profiles using (profile_id)""")
    before = Decided(*(batch.table(name) for name in (*_CONSTRAINTS, "profiles")))
    now = Decided(quote(run.table("must_link")), quote(run.table("cannot_link")), "profiles_now")
    find_profiles_of_changed_values(
        con, run.config.clustering.exclusive, before=before, now=now, out="profile_of_value"
    )


def _keep_links(run: Linkage, batch: Batch) -> None:
    """Make `kept`: which of the small run's profiles were linked when the batch was made by a run."""
    con = run.con
    moved = "select null::varchar as record_id, null::bigint as profile_id where false"
    changed = "select null::bigint as left_id, null::bigint as right_id, false as linked where false"
    if batch.holds(con, "run_member", "run_link"):
        moved, changed = (f"select * from {batch.table(name)}" for name in ("run_member", "run_link"))
    con.execute(f"""
create or replace table last_members as
select t.record_id, coalesce(m.profile_id, t.profile_id) as profile_id
from touched_record t
left join ({moved}) m on t.record_id = m.record_id""")
    inside = (
        "semi join last_members l on j.left_id = l.profile_id semi join last_members r on j.right_id = r.profile_id"
    )
    con.execute(f"""
create or replace table last_links as
select j.left_id, j.right_id, j.verdict
from {batch.table("judged")} j
{inside}
anti join ({changed}) c on j.left_id = c.left_id and j.right_id = c.right_id
union all
select j.left_id, j.right_id, 'auto'
from ({changed}) j
{inside}
where j.linked""")
    members = run.table("profile_record")
    carry_links(con, last_judged="last_links", last_members="last_members", members=members, out=run.table("kept"))
