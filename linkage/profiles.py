"""Profiles: records whose standardised fields are identical are compared once.

A profile's id is a hash of its content, so it does not depend on the other records, on their order or on the month.
Records that a person's decision names are profiles of their own, whatever they have in common with others: what is
ruled about one is not ruled about all that look like it. The id of such a profile is a hash of content and record id.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError


def make_profiles(
    con: DuckDBPyConnection, config: EntityConfig, *, records: str, profiles: str, members: str, own: str | None = None
) -> None:
    """Make the profiles and the table that says which records each one stands for.

    Args:
        con: DuckDB connection.
        config: the entity type.
        records: standardised records.
        profiles: table to make: profile_id, records (how many), then the columns that comparing reads.
        members: table to make: record_id, profile_id.
        own: table of record_id, once each, that get a profile of their own; ids that are not in `records` do no harm.

    Raises:
        LinkageError: two different contents got one id (about one chance in fifty thousand at twenty million profiles).
    """
    columns = config.profile_columns
    content = ", ".join(f"coalesce(cast({quote(c)} as varchar), chr(30))" for c in columns)
    # chr(31) keeps columns apart and one more part than columns is no other profile's content
    alone = f", case when record_id in (select record_id from {quote(own)}) then record_id end" if own else ""
    con.execute(f"""
create or replace temp table profile_content as
select record_id, md5_number(concat_ws(chr(31), {content}{alone})) as content
from {quote(records)}""")
    con.execute(f"""
create or replace table {quote(members)} as
select record_id, {_id_sql("content")} as profile_id
from profile_content
order by profile_id""")
    chosen = ", ".join(f"r.{quote(c)}" for c in columns)
    # One record speaks for each profile: grouping the columns themselves would hold all of them in memory.
    con.execute(f"""
create or replace table {quote(profiles)} as
with speaker as (
    select content, min(record_id) as record_id, count(*) as records
    from profile_content
    group by content
)
select {_id_sql("s.content")} as profile_id, s.records, {chosen}
from {quote(records)} r
join speaker s on r.record_id = s.record_id""")
    con.execute("drop table profile_content")
    (clashes,) = only_row(con, f"select count(*) - count(distinct profile_id) from {quote(profiles)}")
    if clashes:
        raise LinkageError(f"{clashes} profiles share an id with another: report this as a defect")


def _id_sql(content: str) -> str:
    return f"cast({content} & 9223372036854775807 as bigint)"
