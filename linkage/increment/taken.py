"""What a run takes over from the run before it, instead of computing it again.

Standardising, profiling and scoring, nearly all of the time of a run, depend on little: a record's standardised columns
on its raw columns, its profile on these and on whether a decision names it, a pair's outcomes and weight on the two
profiles, whose ids are hashes of their content, and on the model. So a run of the same configuration, program and model
takes them from the batch database of the last run wherever that input is unchanged, and computes the rest.

Invariant: what is taken over is what would be computed; a run with and one without it make the same tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import columns_of, only_row
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError
from linkage.increment.before import Before
from linkage.profiles import make_profiles

# Columns of a record in force that tell of its load, not of its subject.
_OF_THE_LOAD = ("as_of", "load_id")


def take_records(con: DuckDBPyConnection, before: Before, *, raw: str, taken: str, out: str) -> str:
    """Make the table of records of this run that the last run standardised, and a view of the others.

    Args:
        con: DuckDB connection.
        before: the last run; `before.standardised` must hold.
        raw: this run's raw records.
        taken: table to make, of the records taken over: record_id, as_of, load_id, same_date (the last run
            had it of the same date, so that nothing about it has changed).
        out: table to make: as `linkage.standardise.standardise` makes it.

    Returns:
        The name of a view of the raw records that are still to be standardised.
    """
    compared = [c for c in columns_of(con, raw) if c not in ("record_id", *_OF_THE_LOAD)]
    same = " and ".join(f"r.{quote(c)} is not distinct from b.{quote(c)}" for c in compared)
    con.execute(f"""
create or replace table {quote(taken)} as
select r.record_id, r.as_of, r.load_id, r.as_of is not distinct from b.as_of as same_date
from {quote(raw)} r
join {before.table("raw")} b on r.record_id = b.record_id
where {same}""")
    con.execute(f"""
create or replace table {quote(out)} as
select b.* replace (t.as_of as as_of, t.load_id as load_id)
from {before.table("records")} b
join {quote(taken)} t on b.record_id = t.record_id""")
    rest = f"{raw}_changed"
    con.execute(f"""
create or replace view {quote(rest)} as
select r.*
from {quote(raw)} r
anti join {quote(taken)} t on r.record_id = t.record_id""")
    return rest


@dataclass(frozen=True)
class ProfileTables:
    """Names of the tables that profiling makes; see `linkage.profiles.make_profiles`."""

    profiles: str
    members: str


def take_profiles(
    con: DuckDBPyConnection,
    config: EntityConfig,
    before: Before,
    *,
    records: str,
    taken: str,
    named: str,
    out: ProfileTables,
) -> None:
    """Make the profiles as `linkage.profiles.make_profiles` does, from the last run's and the records that changed.

    Args:
        con: DuckDB connection.
        config: the entity type.
        before: the last run.
        records: standardised records.
        taken: those taken over (see `take_records`).
        named: record_id of the records that are profiles of their own; the last run's are `named` of its tables.
        out: tables to make.

    Raises:
        LinkageError: two different contents got one id.
    """
    fresh = ProfileTables(f"{out.profiles}_fresh", f"{out.members}_fresh")
    rest = f"{records}_rest"
    con.execute(f"""
create or replace table {quote(out.members)} as
with alone as (
    (select record_id from {quote(named)} except select record_id from {before.table("named")})
    union all
    (select record_id from {before.table("named")} except select record_id from {quote(named)})
)
select b.record_id, b.profile_id
from {before.table("profile_record")} b
semi join {quote(taken)} t on b.record_id = t.record_id
anti join alone a on b.record_id = a.record_id""")
    con.execute(f"""
create or replace view {quote(rest)} as
select r.*
from {quote(records)} r
anti join {quote(out.members)} m on r.record_id = m.record_id""")
    make_profiles(con, config, records=rest, profiles=fresh.profiles, members=fresh.members, own=named)
    con.execute(f"insert into {quote(out.members)} select record_id, profile_id from {quote(fresh.members)}")
    columns = [c for c in columns_of(con, fresh.profiles) if c not in ("profile_id", "records")]
    differs = " or ".join(f"f.{quote(c)} is distinct from b.{quote(c)}" for c in columns)
    (clashes,) = only_row(
        con,
        f"select count(*) from {quote(fresh.profiles)} f join {before.table('profiles')} b using (profile_id) "
        f"where {differs}",
    )
    if clashes:
        raise LinkageError(f"{clashes} profiles share an id with another: report this as a defect")
    names = ", ".join(map(quote, columns))
    con.execute(f"""
create or replace table {quote(out.profiles)} as
with counted as (
    select profile_id, count(*) as records
    from {quote(out.members)}
    group by profile_id
)
select b.profile_id, c.records, {names}
from {before.table("profiles")} b
join counted c on b.profile_id = c.profile_id
union all
select f.profile_id, c.records, {names}
from {quote(fresh.profiles)} f
join counted c on f.profile_id = c.profile_id
anti join {before.table("profiles")} b on f.profile_id = b.profile_id""")
    con.execute(f"drop view {quote(rest)}")
    for table in (fresh.profiles, fresh.members):
        con.execute(f"drop table {quote(table)}")


def take_scores(con: DuckDBPyConnection, before: Before, *, pairs: str, out: str) -> str:
    """Make the table of this run's pairs that the last run scored, and a view of the others.

    Args:
        con: DuckDB connection.
        before: the last run; `scores_hold` of it.
        pairs: this run's pairs: left_id, right_id, rule, rules.
        out: table to make: as `linkage.model.scoring.score` makes it.

    Returns:
        The name of a view of the pairs that are still to be scored.
    """
    kept = ("left_id", "right_id", "rule", "rules")
    scores = ", ".join(f"b.{quote(c)}" for c in before.columns(con, "scored") if c not in kept)
    con.execute(f"""
create or replace table {quote(out)} as
select p.left_id, p.right_id, p.rule, p.rules, {scores}
from {quote(pairs)} p
join {before.table("scored")} b on p.left_id = b.left_id and p.right_id = b.right_id""")
    rest = f"{out}_new_pairs"
    con.execute(f"""
create or replace view {quote(rest)} as
select p.*
from {quote(pairs)} p
anti join {quote(out)} o on p.left_id = o.left_id and p.right_id = o.right_id""")
    return rest
