"""What a run takes over from the run before it, instead of computing it again.

A run's batch database begins as a copy of the last one (`linkage.increment.carried`). Standardising, profiling, scoring
and judging depend on little: a record's standardised columns on its raw columns, its profile on these and on whether a
decision names it, a pair's outcomes, weight and first verdict on the two profiles, whose ids are hashes of their
content, and on the model. So a run of the same configuration, program and model takes out of the tables what is no more
or is other now, computes what came, and leaves the rest where it is.

Invariant: a run that takes over and one that does not make the same tables, but for the order of their rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import columns_of, in_memory, only_row
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError
from linkage.increment.before import Before
from linkage.increment.rows import copy_rows, delete_rows
from linkage.profiles import make_profiles

# Columns of a record in force that tell of its load, not of its subject.
_OF_THE_LOAD = ("as_of", "load_id")


def find_changed(con: DuckDBPyConnection, *, arrived: str, departed: str, out: str) -> None:
    """Say of every record that came, went or was named again what has changed about it.

    Args:
        con: DuckDB connection.
        arrived: rows that came into the records in force (see `linkage.ingest.arrivals`).
        departed: rows that left them.
        out: temporary table to make: record_id, change: `new`, `content`, `date` (it says the same as of another day),
            `load` (only its load is another one) or `gone`; as_of and load_id, null where it is gone.
    """
    compared = [c for c in columns_of(con, arrived) if c not in ("record_id", *_OF_THE_LOAD)]
    differs = " or ".join(f"a.{quote(c)} is distinct from d.{quote(c)}" for c in compared)
    con.execute(f"""
create or replace temp table {quote(out)} as
select
    coalesce(a.record_id, d.record_id) as record_id,
    case
        when d.record_id is null then 'new'
        when a.record_id is null then 'gone'
        when {differs} then 'content'
        when a.as_of is distinct from d.as_of then 'date'
        else 'load'
    end as change,
    a.as_of,
    a.load_id
from {quote(arrived)} a
full join {quote(departed)} d on a.record_id = d.record_id""")


def take_records(con: DuckDBPyConnection, *, raw: str, changed: str, records: str, out: str) -> None:
    """Leave of the last run's records those that say the same, and make the table of those still to be standardised.

    Args:
        con: DuckDB connection.
        raw: this run's raw records.
        changed: what has changed (see `find_changed`).
        records: standardised records of the last run; changed in place.
        out: table to make, as `raw`: new records and those with another content.
    """
    delete_rows(
        con,
        quote(records),
        wanted=f"(select record_id from {quote(changed)} where change in ('content', 'gone'))",
        key="record_id",
    )
    con.execute(f"""
update {quote(records)} r
set as_of = c.as_of, load_id = c.load_id
from {quote(changed)} c
where c.record_id = r.record_id and c.change in ('date', 'load')""")
    fresh = f"(select record_id from {quote(changed)} where change in ('new', 'content'))"
    copy_rows(con, quote(raw), wanted=fresh, key="record_id", out=out, kind="table")


@dataclass(frozen=True)
class ProfileChanges:
    """Names of the temporary tables of what changes among profiles.

    Attributes:
        appeared: the profiles that the last run did not have, as `profiles`.
        vanished: profile_id of those that are no more.
        altered: profile_id, appeared, vanished (flags) of those that won or lost a record.
    """

    appeared: str
    vanished: str
    altered: str


def take_profiles(
    con: DuckDBPyConnection,
    config: EntityConfig,
    before: Before,
    *,
    records: str,
    changed: str,
    named: str,
    profiles: str,
    members: str,
    out: ProfileChanges,
) -> None:
    """Bring the last run's profiles to those that `linkage.profiles.make_profiles` makes of this run's records.

    Args:
        con: DuckDB connection.
        config: the entity type.
        before: the last run.
        records: standardised records.
        changed: what has changed (see `find_changed`).
        named: record_id of the records that are profiles of their own; the last run's are `named` of its tables.
        profiles: the profiles; changed in place, as are `members`.
        members: see `linkage.profiles.make_profiles`.
        out: tables to make.

    Raises:
        LinkageError: two different contents got one id.
    """
    _find_moving(con, before, changed=changed, named=named)
    read = ", ".join(map(quote, ("record_id", *config.profile_columns)))
    copy_rows(con, quote(records), wanted="moving", key="record_id", columns=read, out="moving_record")
    with in_memory(con):
        make_profiles(con, config, records="moving_record", profiles="profile_fresh", members="member_fresh", own=named)
    copy_rows(con, quote(members), wanted="moving", key="record_id", out="member_before")
    con.execute(f"delete from {quote(members)} where rowid in (select place from wanted_row)")
    con.execute(f"insert into {quote(members)} select record_id, profile_id from member_fresh order by profile_id")
    con.execute(f"""
create or replace temp table profile_count as
with touched as (
    select profile_id from member_before
    union
    select profile_id from member_fresh
)
select t.profile_id, count(m.record_id) as records
from touched t
left join {quote(members)} m on m.profile_id = t.profile_id
group by t.profile_id""")
    con.execute(f"""
create or replace temp table {quote(out.altered)} as
with moved as (
    (select * from member_before except select * from member_fresh)
    union all
    (select * from member_fresh except select * from member_before)
)
select distinct m.profile_id, p.profile_id is null as appeared, c.records = 0 as vanished
from moved m
join profile_count c on c.profile_id = m.profile_id
left join {quote(profiles)} p on p.profile_id = m.profile_id""")
    _refuse_clashes(con, profiles)
    con.execute(f"""
create or replace temp table {quote(out.vanished)} as
select profile_id
from profile_count
where records = 0""")
    con.execute(f"""
create or replace temp table {quote(out.appeared)} as
select f.* replace (c.records as records)
from profile_fresh f
join profile_count c on c.profile_id = f.profile_id
anti join {quote(profiles)} p on p.profile_id = f.profile_id""")
    delete_rows(con, quote(profiles), wanted=quote(out.vanished), key="profile_id")
    con.execute(f"""
update {quote(profiles)} p
set records = c.records
from profile_count c
where c.profile_id = p.profile_id and c.records <> p.records""")
    con.execute(f"insert into {quote(profiles)} by name select * from {quote(out.appeared)}")
    for table in ("moving", "moving_record", "profile_fresh", "member_fresh", "member_before", "profile_count"):
        con.execute(f"drop table {table}")


def _find_moving(con: DuckDBPyConnection, before: Before, *, changed: str, named: str) -> None:
    """Make `moving`: the records that may be of another profile than they were."""
    last = before.table("named")
    con.execute(f"""
create or replace temp table moving as
select record_id from {quote(changed)} where change in ('new', 'content', 'gone')
union
(select record_id from {quote(named)} except select record_id from {last})
union
(select record_id from {last} except select record_id from {quote(named)})""")


def _refuse_clashes(con: DuckDBPyConnection, profiles: str) -> None:
    copy_rows(con, quote(profiles), wanted="profile_fresh", key="profile_id", out="profile_known")
    columns = [c for c in columns_of(con, "profile_fresh") if c not in ("profile_id", "records")]
    differs = " or ".join(f"f.{quote(c)} is distinct from k.{quote(c)}" for c in columns)
    (clashes,) = only_row(
        con, f"select count(*) from profile_fresh f join profile_known k using (profile_id) where {differs}"
    )
    con.execute("drop table profile_known")
    if clashes:
        raise LinkageError(f"{clashes} profiles share an id with another: report this as a defect")


@dataclass(frozen=True)
class PairChanges:
    """Names of the temporary tables of what changes among scored pairs.

    Attributes:
        gone: left_id, right_id of pairs that are no more.
        found_otherwise: left_id, right_id, rule, rules of pairs that other rules find now.
        new: left_id, right_id, rule, rules of pairs that the last run did not have.
    """

    gone: str
    found_otherwise: str
    new: str


def find_pair_changes(
    con: DuckDBPyConnection, *, pairs: str, scored: str, out: PairChanges, among: str | None = None
) -> None:
    """Compare this run's pairs with those that the last run scored.

    Args:
        con: DuckDB connection.
        pairs: this run's pairs: left_id, right_id, rule, rules.
        scored: the last run's scored pairs.
        out: tables to make.
        among: table of left_id, right_id of the pairs that may be others, if `pairs` holds these alone.
    """
    key = "left_id, right_id"
    asked = f"semi join {quote(among)} using ({key})" if among else ""
    con.execute(f"""
create or replace temp table {quote(out.gone)} as
select left_id, right_id
from {quote(scored)}
{asked}
anti join {quote(pairs)} using ({key})""")
    con.execute(f"""
create or replace temp table {quote(out.found_otherwise)} as
select p.left_id, p.right_id, p.rule, p.rules
from {quote(pairs)} p
join {quote(scored)} s on s.left_id = p.left_id and s.right_id = p.right_id
where p.rules <> s.rules or p.rule <> s.rule""")
    con.execute(f"""
create or replace temp table {quote(out.new)} as
select *
from {quote(pairs)}
anti join {quote(scored)} using ({key})""")


def take_pairs(con: DuckDBPyConnection, *, table: str, changes: PairChanges) -> None:
    """Bring a table of scored or judged pairs to this run's pairs, but for the new ones.

    Args:
        con: DuckDB connection.
        table: the table, with left_id, right_id, rule, rules; changed in place.
        changes: what changes.
    """
    delete_rows(con, quote(table), wanted=quote(changes.gone), key="left_id, right_id")
    con.execute(f"""
update {quote(table)} t
set rule = c.rule, rules = c.rules
from {quote(changes.found_otherwise)} c
where c.left_id = t.left_id and c.right_id = t.right_id""")
