"""Records that move to another profile because a decision names them, or no longer does.

A named record is a profile of its own; when the last decision on it is revoked it goes back to the profile of those
that say the same. So profiles appear, vanish, or stand for another number of records than before.

Tables made, in memory: `moved` (record_id, old_id, new_id), `moved_profile` (profile_id, records_before,
records_after), `new_profiles` (rows of the profiles in it that are left, as `profiles` has them).
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.at_once.batch import Batch, fetch_rows
from linkage.entity_config import EntityConfig
from linkage.profiles import make_profiles


def find_moved(con: DuckDBPyConnection, config: EntityConfig, batch: Batch, *, named: str) -> None:
    """Make `moved`, `moved_profile` and `new_profiles`.

    Args:
        con: DuckDB connection with the batch attached.
        config: the entity type.
        batch: the batch database.
        named: table of the record_id that decisions in force name.
    """
    con.execute(f"""
create or replace table moving as
with otherwise as (
    (select record_id from {quote(named)} except select record_id from {batch.table("named")})
    union all
    (select record_id from {batch.table("named")} except select record_id from {quote(named)})
)
select p.record_id, p.profile_id
from {batch.table("profile_record")} p
semi join otherwise o on p.record_id = o.record_id""")
    wanted = "select profile_id from moving"
    fetch_rows(con, batch.table("profiles"), key="profile_id", wanted=wanted, out="known_profiles")
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
    con.execute(f"""
create or replace table moved_profile as
with flow as (
    select old_id as profile_id, -1 as records from moved
    union all
    select new_id, 1 from moved
),
change as (
    select profile_id, sum(records)::bigint as records from flow group by profile_id
),
known as (
    select profile_id, records
    from {batch.table("profiles")}
    semi join change using (profile_id)
)
select c.profile_id, coalesce(k.records, 0) as records_before, coalesce(k.records, 0) + c.records as records_after
from change c
left join known k on c.profile_id = k.profile_id""")
    con.execute("drop view moving_records")
    wanted = "select profile_id from moved_profile where records_before > 0"
    fetch_rows(
        con, batch.table("profiles"), key="profile_id", wanted=wanted, out="known_profiles", known="known_profiles"
    )
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
    for table in ("moving", "known_profiles", "arrived_profiles", "arrived_members"):
        con.execute(f"drop table {table}")
