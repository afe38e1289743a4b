"""Records that move to another profile because a decision names them, or no longer does.

A named record is a profile of its own; when the last decision on it is revoked it goes back to the profile of those
that say the same. So profiles appear, vanish, or stand for another number of records than before.

Tables made, in memory: `named_member` (rows of `profile_record` of the records named, before or now), `moved`
(record_id, old_id, new_id), `moved_profile` (profile_id, records_before, records_after), `new_profiles` (rows of the
profiles in it that are left, as `profiles` has them) and `came_or_went` (rows of those that appeared or vanished).
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.at_once.batch import Batch, fetch_rows
from linkage.entity_config import EntityConfig
from linkage.increment.rows import place_rows
from linkage.profiles import make_profiles


def find_moved(con: DuckDBPyConnection, config: EntityConfig, batch: Batch, *, named: str) -> None:
    """Make the tables of what moves.

    Args:
        con: DuckDB connection with the batch attached.
        config: the entity type.
        batch: the batch database.
        named: table of the record_id that decisions in force name.
    """
    profiles, was_named = batch.table("profiles"), batch.table("named")
    con.execute(f"""
create or replace table named_member as
with either as (
    select record_id from {quote(named)}
    union
    select record_id from {was_named}
)
select p.record_id, p.profile_id
from {batch.table("profile_record")} p
semi join either e on p.record_id = e.record_id""")
    con.execute(f"""
create or replace table moving as
with stays as (
    select record_id from {quote(named)} semi join {was_named} using (record_id)
)
select * from named_member anti join stays using (record_id)""")
    fetch_rows(con, profiles, key="profile_id", wanted="select profile_id from moving", out="known_profiles")
    # What a record says stands in its old profile, which is smaller than the record.
    con.execute("""
create or replace view moving_records as
select m.record_id, p.*
from moving m
join known_profiles p on m.profile_id = p.profile_id""")
    make_profiles(
        con, config, records="moving_records", profiles="arrived_profiles", members="arrived_members", own=named
    )
    con.execute("""
create or replace table moved as
select m.record_id, m.profile_id as old_id, a.profile_id as new_id
from moving m
join arrived_members a on m.record_id = a.record_id""")
    con.execute("drop view moving_records")
    # A record may go back to a profile that others have kept.
    wanted = "(select new_id as profile_id from moved except select profile_id from known_profiles)"
    met = place_rows(con, profiles, wanted=wanted, key="profile_id")
    con.execute(f"insert into known_profiles select * from {profiles} where {met}")
    con.execute("""
create or replace table moved_profile as
with flow as (
    select old_id as profile_id, -1 as records from moved
    union all
    select new_id, 1 from moved
),
change as (
    select profile_id, sum(records)::bigint as records from flow group by profile_id
)
select c.profile_id, coalesce(k.records, 0) as records_before, coalesce(k.records, 0) + c.records as records_after
from change c
left join known_profiles k on c.profile_id = k.profile_id""")
    con.execute("""
create or replace table new_profiles as
select p.* replace (m.records_after as records)
from known_profiles p
join moved_profile m on p.profile_id = m.profile_id
where m.records_after > 0
union all by name
select p.* replace (m.records_after as records)
from arrived_profiles p
join moved_profile m on p.profile_id = m.profile_id
where m.records_before = 0""")
    con.execute("""
create or replace table came_or_went as
select * from known_profiles
semi join (select profile_id from moved_profile where records_after = 0) using (profile_id)
union all by name
select * from new_profiles
semi join (select profile_id from moved_profile where records_before = 0) using (profile_id)""")
    for table in ("moving", "known_profiles", "arrived_profiles", "arrived_members"):
        con.execute(f"drop table {table}")
