"""The components in which a month brings anything new, as a small run of their own, and their rows put back after.

A component is touched if a profile in it won or lost a record, appeared or vanished, if a pair that counts comes or
goes, if a constraint does, or if it holds an exclusive value that decisions make one with another, or no longer do.
Nothing from the verdicts to the clusters looks beyond a component (`linkage.clusters.components`), and an entity is
inside one. Only the ledger looks further: an entity that lost all its records is found again by its anchor, so that
who holds that is touched as well.

The small run's tables have `part_` in their names. Made besides, temporary, by names of the entity type:
`touched` (profile_id, of this run), `touched_before` (profile_id, of the last run), `touched_record` (record_id, of
either), `touched_source` (source, source_record_id of these) and `touched_id` (their entities, of either).

Invariant: with the rows put back, every table is the one that a run over all components would have made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.catalog.read import PreviousTables
from linkage.clusters.components import counts
from linkage.clusters.decided_values import Decided, find_profiles_of_changed_values
from linkage.clusters.hysteresis import BY_HYSTERESIS, carry_links
from linkage.entity_config import EntityConfig
from linkage.increment.before import Before
from linkage.increment.rows import change_rows
from linkage.increment.taken import PairChanges
from linkage.model.verdicts import BY_SCORE
from matchers.levels import literal

# What the last run must have left for only the touched components to be resolved again.
NEEDED = (
    *("component", "clusters", "refused", "must_link", "cannot_link", "entities", "redirect"),
    *("record_link", "review_case"),
)
PREFIX = "part_"
_CONSTRAINTS = ("must_link", "cannot_link")


@dataclass(frozen=True)
class Touching:
    """What both runs' tables are called.

    Attributes:
        con: DuckDB connection with the last run's database attached.
        config: the entity type.
        before: the last run.
    """

    con: DuckDBPyConnection
    config: EntityConfig
    before: Before

    def whole(self, name: str) -> str:
        """Return the quoted name of a table of the whole run."""
        return quote(f"{self.config.entity}_{name}")

    def part(self, name: str) -> str:
        """Return the quoted name of a table of the small run."""
        return quote(self.part_name(name))

    def rows_of_part(self, name: str) -> str:
        """Return what joined to a table of either run, leaves the rows that are the small run's."""
        return {
            "profile_record": f"semi join {self.whole('touched')} using (profile_id)",
            "record_link": f"semi join {self.whole('touched_source')} using (source, source_record_id)",
            "review_case": f"semi join (select record_id as left_record_id from {self.whole('touched_record')})"
            " using (left_record_id)",
            "entities": f"semi join {self.whole('touched_id')} using (entity_id)",
        }[name]

    def part_name(self, name: str) -> str:
        """Return the name of a table of the small run."""
        return f"{self.config.entity}_{PREFIX}{name}"


def find_touched(run: Touching, *, altered: str, pairs: PairChanges, judged: str, changed: str) -> None:
    """Make `touched`, `touched_before` and `touched_record`.

    Args:
        run: the run.
        altered: profiles that won or lost a record (see `linkage.increment.taken.ProfileChanges`).
        pairs: what is other about pairs.
        judged: the pairs that the last run did not have, as they were judged at first.
        changed: what has changed about records (see `linkage.increment.taken.find_changed`).
    """
    con, before = run.con, run.before
    now = Decided(*(run.whole(name) for name in (*_CONSTRAINTS, "profiles")))
    then = Decided(*(before.table(name) for name in (*_CONSTRAINTS, "profiles")))
    find_profiles_of_changed_values(con, run.config.clustering.exclusive, before=then, now=now, out="profile_of_value")
    _find_anchor_holders(run, changed=changed)
    coming_and_going = [
        f"select left_id, right_id from {quote(judged)} where {counts(run.config)}",
        f"select left_id, right_id from {before.table('judged')} "
        f"semi join {quote(pairs.gone)} using (left_id, right_id) where {counts(run.config)}",
        *(
            f"(select left_id, right_id from {a} except select left_id, right_id from {b})"
            for one, other in ((now.must_link, then.must_link), (now.cannot_link, then.cannot_link))
            for a, b in ((one, other), (other, one))
        ),
    ]
    con.execute(f"""
create or replace temp table seed as
with coming_or_going as ({" union all ".join(coming_and_going)})
select left_id as profile_id from coming_or_going
union
select right_id from coming_or_going
union
select profile_id from {quote(altered)}
union
select profile_id from profile_of_value
union
select profile_id from anchor_holder""")
    con.execute(f"""
create or replace temp table {run.whole("touched_before")} as
with found as (
    select distinct component from {before.table("component")} semi join seed using (profile_id)
)
select profile_id from {before.table("component")} semi join found using (component)
union
select profile_id
from seed
anti join (select profile_id from {quote(altered)} where appeared) using (profile_id)""")
    con.execute(f"""
create or replace temp table {run.whole("touched")} as
select profile_id
from (select profile_id from {run.whole("touched_before")} union select profile_id from seed)
anti join (select profile_id from {quote(altered)} where vanished) using (profile_id)""")
    con.execute(f"""
create or replace temp table {run.whole("touched_record")} as
select record_id from {run.whole("profile_record")} semi join {run.whole("touched")} using (profile_id)
union
select record_id from {before.table("profile_record")} semi join {run.whole("touched_before")} using (profile_id)""")
    for table in ("seed", "profile_of_value", "anchor_holder"):
        con.execute(f"drop table {table}")


def _find_anchor_holders(run: Touching, *, changed: str) -> None:
    """Make `anchor_holder`: profiles with the anchor of an entity of which a record is gone."""
    before, anchor = run.before, quote(run.config.clustering.exclusive[0])
    run.con.execute(f"""
create or replace temp table anchor_holder as
with gone as (
    select distinct m.entity_id
    from {before.table("membership")} m
    semi join (select record_id from {quote(changed)} where change = 'gone') c on m.record_id = c.record_id
),
lost as (
    select e.anchor from {before.table("entities")} e semi join gone using (entity_id) where e.anchor is not null
)
select p.profile_id
from {run.whole("profiles")} p
semi join lost l on p.{anchor} = l.anchor""")


def extract(run: Touching, *, judged: str) -> None:
    """Make the tables of the small run: profiles, profile_record, records, judged, must_link, cannot_link and kept.

    Args:
        run: the run; its `judged` has lost the pairs that are gone.
        judged: the pairs that the last run did not have, as they were judged at first.
    """
    con = run.con
    constrained = " union ".join(
        f"select {side}_id as profile_id from {run.whole(name)}" for name in _CONSTRAINTS for side in ("left", "right")
    )
    con.execute(f"""
create or replace temp table {run.whole("touched_or_constrained")} as
select profile_id from {run.whole("touched")}
union
{constrained}""")
    # Views: the steps read few of the columns, and a copy by place would read every one.
    for name, wanted, key in (
        ("profiles", run.whole("touched_or_constrained"), "profile_id"),
        ("records", run.whole("touched_record"), "record_id"),
    ):
        con.execute(f"""
create or replace temp view {run.part(name)} as
select t.*
from {run.whole(name)} t
semi join {wanted} w on t.{key} = w.{key}""")
    con.execute(f"""
create or replace table {run.part("profile_record")} as
select record_id, profile_id
from {run.whole("profile_record")}
semi join {run.whole("touched")} using (profile_id)""")
    _judge_inside(run, judged)
    for name in _CONSTRAINTS:
        con.execute(f"create or replace table {run.part(name)} as select * from {run.whole(name)}")
    with run.before.links(con) as (links, members):
        con.execute(f"""
create or replace temp view touched_members as
select m.* from {quote(members)} m semi join {run.whole("touched_record")} using (record_id)""")
        carry_links(
            con,
            last_judged=links,
            last_members="touched_members",
            members=run.part_name("profile_record"),
            out=run.part_name("kept"),
        )
        con.execute("drop view touched_members")


def _judge_inside(run: Touching, judged: str) -> None:
    """Make the small run's `judged`: the pairs with both sides in touched components, as they were judged at first."""
    inside = f"""semi join {run.whole("touched")} l on j.left_id = l.profile_id
semi join {run.whole("touched")} r on j.right_id = r.profile_id"""
    verdict, rule = first_verdict(run.config)
    run.con.execute(f"""
create or replace temp table inside as
select j.rowid as place
from {run.whole("judged")} j
{inside}""")
    run.con.execute(f"""
create or replace table {run.part("judged")} as
select * replace ({verdict} as verdict, {rule} as verdict_rule)
from {run.whole("judged")}
where rowid in (select place from inside)
union all
select j.*
from {quote(judged)} j
{inside}""")
    run.con.execute("drop table inside")


def first_verdict(config: EntityConfig) -> tuple[str, str]:
    """Return verdict and rule that a judged pair had before links were kept and only candidates linked, as SQL."""
    kept, by_score = literal(BY_HYSTERESIS), literal(BY_SCORE)
    linked = ", ".join([kept, *(literal(rule.name) for rule in config.rule if rule.only_candidate)])
    return (
        f"case when verdict_rule in ({linked}) then 'review' else verdict end",
        f"case when verdict_rule = {kept} then {by_score} else verdict_rule end",
    )


def put_back_clusters(run: Touching, *, judged: str) -> None:
    """Put the small run's verdicts and clusters into the tables of the whole run.

    Args:
        run: the run; its `judged` has lost the pairs that are gone, and has not yet got the new ones.
        judged: the pairs that the last run did not have, as they were judged at first.
    """
    con = run.con
    con.execute(f"""
create or replace temp table verdict_changed as
select j.rowid as place, p.verdict, p.verdict_rule
from {run.whole("judged")} j
join {run.part("judged")} p on j.left_id = p.left_id and j.right_id = p.right_id
where j.verdict <> p.verdict or j.verdict_rule <> p.verdict_rule""")
    con.execute(f"""
update {run.whole("judged")} j
set verdict = c.verdict, verdict_rule = c.verdict_rule
from verdict_changed c
where c.place = j.rowid""")
    con.execute("drop table verdict_changed")
    con.execute(f"""
insert into {run.whole("judged")} by name
select j.* replace (coalesce(p.verdict, j.verdict) as verdict, coalesce(p.verdict_rule, j.verdict_rule) as verdict_rule)
from {quote(judged)} j
left join {run.part("judged")} p on j.left_id = p.left_id and j.right_id = p.right_id""")
    before = f"(select profile_id from {run.whole('touched_before')})"
    con.execute(f"delete from {run.whole('refused')} where left_id in {before} and right_id in {before}")
    con.execute(f"insert into {run.whole('refused')} by name select * from {run.part('refused')}")
    touched = run.whole("touched_record")
    change_rows(
        con, run.whole("clusters"), wanted=touched, key="record_id", fresh=run.part("clusters"), order="profile_id"
    )
    inside = f"(select * from {run.part('component')} semi join {run.whole('touched')} using (profile_id))"
    touched = run.whole("touched_before")
    change_rows(con, run.whole("component"), wanted=touched, key="profile_id", fresh=inside)


@contextmanager
def part_before(run: Touching) -> Iterator[tuple[str, str]]:
    """Give views of what the last run had of the small run's: record_id, profile_id, and the links of its pairs."""
    content, links = run.part_name("content_before"), run.part_name("links_before")
    touched = run.whole("touched_before")
    run.con.execute(f"""
create or replace temp view {quote(content)} as
select record_id, profile_id
from {run.before.table("profile_record")}
semi join {touched} using (profile_id)""")
    run.con.execute(f"""
create or replace temp view {quote(links)} as
select left_id, right_id, match_weight
from {run.before.table("judged")} j
semi join {touched} l on j.left_id = l.profile_id
where verdict = 'auto'""")
    try:
        yield content, links
    finally:
        for view in (content, links):
            run.con.execute(f"drop view {quote(view)}")


def make_previous(run: Touching, *, previous: PreviousTables, out: PreviousTables) -> None:
    """Make the ledger's inputs for the touched records.

    Besides the entities of these, retired ones matter that may be found again by their anchor, and ids that redirect to
    any of them.

    Args:
        run: the run.
        previous: the last release's memberships and ids, all of them.
        out: tables to make.
    """
    con, anchor = run.con, quote(run.config.clustering.exclusive[0])
    con.execute(f"""
create or replace table {quote(out.previous)} as
select record_id, entity_id
from {quote(previous.previous)}
semi join {run.whole("touched_record")} using (record_id)""")
    con.execute(f"""
create or replace table {quote(out.entities)} as
with wanted as (
    select entity_id from {quote(out.previous)}
    union
    select entity_id
    from {quote(previous.entities)} e
    semi join {run.part("profiles")} p on e.anchor = p.{anchor}
    where e.state = 'retired'
)
select *
from {quote(previous.entities)}
where entity_id in (select entity_id from wanted) or resolves_to in (select entity_id from wanted)""")


def put_back_entities(run: Touching, *, known: str) -> None:
    """Put the small run's ids, links and review cases into the tables of the whole run.

    Args:
        run: the run; its records' entities before are still in the last run's tables.
        known: ids that the ledger was given for the small run.
    """
    con = run.con
    con.execute(f"""
create or replace temp table {run.whole("touched_id")} as
select entity_id from {quote(known)}
union
select entity_id from {run.part("entities")}""")
    con.execute(f"""
create or replace temp table {run.whole("touched_source")} as
select source, source_record_id
from {run.before.table("records")}
semi join {run.whole("touched_record")} using (record_id)
union
select source, source_record_id from {run.part("records")}""")
    # A redirected id has no claim on anything any more; the ledger drops its anchor in the run after.
    con.execute(f"update {run.whole('entities')} set anchor = null where state = 'redirected' and anchor is not null")
    records, ids = run.whole("touched_record"), run.whole("touched_id")
    for name, key, wanted, order in (
        ("membership", "record_id", records, "entity_id"),
        ("record_link", "source, source_record_id", run.whole("touched_source"), "entity_id"),
        ("review_case", "left_record_id", f"(select record_id as left_record_id from {records})", "case_id"),
        ("entities", "entity_id", ids, "entity_id"),
        ("redirect", "old_id", f"(select entity_id as old_id from {ids})", "old_id"),
    ):
        change_rows(con, run.whole(name), wanted=wanted, key=key, fresh=run.part(name), order=order)
    con.execute(f"create or replace table {run.whole('event')} as select * from {run.part('event')}")


def drop_tables(run: Touching) -> None:
    """Drop the small run's tables; the views stay."""
    tables = run.con.execute(
        "select table_name from duckdb_tables() where starts_with(table_name, ?)", [run.part_name("")]
    )
    for (name,) in tables.fetchall():
        run.con.execute(f"drop table {quote(name)}")
