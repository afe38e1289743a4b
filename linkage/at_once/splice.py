"""Puts the rows of a small run back into the batch database, in one transaction.

What the last run had linked is kept beside it, where decisions have changed it since: `run_link` (left_id, right_id,
linked) and `run_member` (record_id, profile_id). A month keeps links by what the last run had
(`linkage.clusters.hysteresis`), not by what decisions made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.at_once.batch import Batch
from linkage.increment.golden_values import TABLES
from linkage.increment.released import stamp_release
from linkage.pipeline import Linkage

_WHOLE = ("named", "applied", "must_link", "cannot_link", "event")
# Each begins with a condition on a single column, whose few values a scan knows beforehand: where there is one, that by
# which the table is in order.
_INSIDE = "left_id in (select profile_id from touched_before) and right_id in (select profile_id from touched_before)"
_CHANGED = (
    "left_id in (select left_id from changed_pair) "
    "and (left_id, right_id) in (select (left_id, right_id) from changed_pair)"
)


def splice(run: Linkage, batch: Batch, *, owners: str, release: int, published: str | None) -> None:
    """Replace the rows of what was touched by those of the small run, all or none.

    Args:
        run: the small run, resolved, identified and with golden values.
        batch: the batch database.
        owners: owner_id of the entities and review cases that may have changed.
        release: the release that the tables now are of.
        published: when it was published.
    """
    con = run.con
    with _transaction(con):
        _remember(run, batch)
        _profiles(run, batch)
        _pairs(run, batch)
        _replace(run, batch, "clusters", "profile_id in (select profile_id from touched_before)")
        _replace(
            run,
            batch,
            "membership",
            "entity_id in (select entity_id from entity_before) "
            "and record_id in (select record_id from touched_record)",
        )
        _replace(
            run,
            batch,
            "record_link",
            f"entity_id in (select owner_id from {quote(owners)}) "
            "and source || ':' || source_record_id in (select record_id from touched_record)",
        )
        _replace(run, batch, "review_case", f"case_id in (select owner_id from {quote(owners)})")
        for name in TABLES:
            _replace(run, batch, name, f"entity_id in (select owner_id from {quote(owners)})")
        _replace(run, batch, "entities", f"entity_id in (select entity_id from {quote(run.table('entities'))})")
        _replace(run, batch, "redirect", f"old_id in (select entity_id from {quote(run.table('entities'))})")
        for name in _WHOLE:
            _replace(run, batch, name, "true")
        stamp_release(con, batch.table("made_by"), release, published)


@contextmanager
def _transaction(con: DuckDBPyConnection) -> Iterator[None]:
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _replace(run: Linkage, batch: Batch, name: str, where: str) -> None:
    run.con.execute(f"delete from {batch.table(name)} where {where}")
    run.con.execute(f"insert into {batch.table(name)} by name select * from {quote(run.table(name))}")


def _profiles(run: Linkage, batch: Batch) -> None:
    con = run.con
    con.execute(
        f"delete from {batch.table('profile_record')} "
        "where profile_id in (select old_id from moved) and record_id in (select record_id from moved)"
    )
    con.execute(
        f"insert into {batch.table('profile_record')} by name select record_id, new_id as profile_id from moved"
    )
    con.execute(f"delete from {batch.table('profiles')} where profile_id in (select profile_id from moved_profile)")
    con.execute(f"insert into {batch.table('profiles')} by name select * from new_profiles")
    con.execute(
        f"delete from {batch.table('keys')} "
        "where key in (select key from old_keys) and profile_id in (select profile_id from vanished)"
    )
    con.execute(f"insert into {batch.table('keys')} by name select * from new_keys")
    con.execute(f"delete from {batch.table('component')} where profile_id in (select profile_id from touched_before)")
    con.execute(f"""
insert into {batch.table("component")} by name
select * from {quote(run.table("component"))} semi join touched using (profile_id)""")


def _pairs(run: Linkage, batch: Batch) -> None:
    con = run.con
    for name in ("pairs", "scored"):
        con.execute(f"delete from {batch.table(name)} where {_CHANGED}")
        con.execute(f"insert into {batch.table(name)} by name select * from new_{name}")
    for condition in (_CHANGED, _INSIDE):
        con.execute(f"delete from {batch.table('judged')} where {condition}")
    con.execute(f"insert into {batch.table('judged')} by name select * from judged_after")
    con.execute(f"delete from {batch.table('refused')} where {_INSIDE}")
    con.execute(f"""
insert into {batch.table("refused")} by name
select r.*
from {quote(run.table("refused"))} r
semi join touched t on r.left_id = t.profile_id
semi join touched u on r.right_id = u.profile_id""")


def prepare(run: Linkage) -> None:
    """Make `judged_after`, the judged pairs to put back: those inside what was touched, and changed ones outside."""
    run.con.execute(f"""
create or replace table judged_after as
select * from {quote(run.table("judged"))}
union all by name
select n.*
from new_judged n
anti join {quote(run.table("judged"))} j on n.left_id = j.left_id and n.right_id = j.right_id""")


def _remember(run: Linkage, batch: Batch) -> None:
    con = run.con
    links, members = batch.table("run_link"), batch.table("run_member")
    con.execute(f"create table if not exists {links} (left_id bigint, right_id bigint, linked boolean)")
    con.execute(f"create table if not exists {members} (record_id varchar, profile_id bigint)")
    con.execute(f"""
insert into {members}
select record_id, old_id
from moved
anti join {members} using (record_id)""")
    con.execute(f"""
insert into {links}
with linked_before as (
    select left_id, right_id from {batch.table("judged")} where {_CHANGED} and verdict = 'auto'
    union
    select left_id, right_id from {batch.table("judged")} where {_INSIDE} and verdict = 'auto'
),
linked_after as (
    select left_id, right_id from judged_after where verdict = 'auto'
)
select left_id, right_id, linked
from (
    select *, true as linked from linked_before anti join linked_after using (left_id, right_id)
    union all
    select *, false from linked_after anti join linked_before using (left_id, right_id)
)
anti join {links} using (left_id, right_id)""")
