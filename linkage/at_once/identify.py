"""What the ledger needs to know of the entities that a small run touches, and the owners it may change.

The memberships come from the catalog, whose ids are the truth; the ids themselves from the batch database, if it is of
the newest release, else from the catalog as a whole, which takes longer. A touched record has an entity all of whose
records are touched. Besides these entities only retired ones matter that may be found again by their anchor, and ids
that redirect to any of them.
"""

from __future__ import annotations

from blocking.sql import quote
from golden_records.catalog.delta import load
from golden_records.catalog.read import PreviousTables, previous_membership
from golden_records.catalog.schema import RELATION
from golden_records.catalog.store import Catalog
from linkage.at_once.batch import Batch
from linkage.database import only_row
from linkage.entity_config import ID_PREFIX
from linkage.pipeline import Linkage


def make_previous(run: Linkage, batch: Batch, catalog: Catalog, *, is_newest: bool, out: PreviousTables) -> int:
    """Make the ledger's inputs for the touched records, and return the first sequence number never minted.

    Besides makes `entity_before` (entity_id): the entities that these records have in the batch database. One that lags
    behind the catalog has them in entities that are no more.

    Args:
        run: the small run.
        batch: the batch database.
        catalog: the store.
        is_newest: the batch database is of the newest release, so that its table of ids can be used.
        out: tables to make (see `golden_records.catalog.read.previous_membership`).
    """
    con = run.con
    con.execute(f"create or replace table {quote(out.previous)} (record_id varchar, entity_id varchar)")
    con.executemany(f"insert into {quote(out.previous)} values (?, ?)", _memberships(run, catalog) or [(None, None)])
    con.execute(f"delete from {quote(out.previous)} where record_id is null")
    ids, before = batch.table("entities"), quote(out.previous)
    if not is_newest:
        before = f"{batch.table('membership')} semi join touched_record using (record_id)"
        every = PreviousTables("every_membership", "every_entity")
        previous_membership(catalog, con, kind=ID_PREFIX[run.config.entity], out=every)
        ids = every.entities
    con.execute(f"create or replace table entity_before as select distinct entity_id from {before}")
    anchor = quote(run.config.clustering.exclusive[0])
    con.execute(f"""
create or replace table entity_wanted as
select entity_id from {quote(out.previous)}
union
select entity_id
from {ids}
where state = 'retired' and anchor in (select {anchor} from {quote(run.table("profiles"))})""")
    # Each condition by itself, so that parts of the table where it holds nowhere are not read.
    con.execute(f"""
create or replace table {quote(out.entities)} as
with found as (
    select * from {ids} where entity_id in (select entity_id from entity_wanted)
    union
    select * from {ids} where resolves_to in (select entity_id from entity_wanted)
)
select entity_id, sequence, case when state <> 'redirected' then anchor end as anchor, state, resolves_to
from found""")
    con.execute("drop table entity_wanted")
    (next_sequence,) = only_row(con, f"select coalesce(max(sequence), 0) + 1 from {ids}")
    return int(next_sequence)


def find_owners(run: Linkage, batch: Batch, catalog: Catalog, previous: PreviousTables, *, out: str) -> None:
    """Make the table of owner_id: the entities and review cases that the small run may have changed."""
    con = run.con
    con.execute(f"""
create or replace table {quote(out)} as
select entity_id as owner_id from {quote(previous.previous)}
union
select entity_id from {quote(run.table("membership"))}
union
select entity_id from entity_before
union
select case_id
from {batch.table("review_case")}
where left_entity_id in (select entity_id from entity_before)
    or right_entity_id in (select entity_id from entity_before)""")
    known = [row[0] for row in con.execute(f"select owner_id from {quote(out)} order by all").fetchall()]
    entities = [owner for owner in known if owner.startswith(ID_PREFIX[run.config.entity])]
    cases = {
        case
        for side in ("left", "right")
        for (case,) in catalog.execute(
            f"select case_id from review_case where {side}_entity_id in ({_marks(entities)})", entities
        )
    } - set(known)
    rows = [(case,) for case in sorted(cases)] + [(f"{RELATION.part}:{entity}",) for entity in entities]
    if rows:
        con.executemany(f"insert into {quote(out)} values (?)", rows)
    con.execute(f"""
insert into {quote(out)}
select case_id from {quote(run.table("review_case"))}
anti join {quote(out)} o on case_id = o.owner_id""")


def carry_relations(run: Linkage, catalog: Catalog, *, owners: str, out: str) -> None:
    """Make the relations of the touched entities as the release has them, under the ids that these have now."""
    con = run.con
    names = ", ".join(quote(name) for name in RELATION.column_names)
    entities = [row[0] for row in con.execute(f"select owner_id from {quote(owners)}").fetchall()]
    query = f"select {names} from relation where entity_id in ({_marks(entities)})"
    load(con, "_relation_before", RELATION.columns, catalog, query, entities)
    kept = ", ".join(
        f"min(r.{quote(c.name)}) as {quote(c.name)}" for c in RELATION.columns if c.name not in RELATION.key
    )
    redirect = quote(run.table("redirect"))
    con.execute(f"""
create or replace table {quote(out)} as
select
    coalesce(d.entity_id, r.entity_id) as entity_id,
    r.relation,
    coalesce(o.entity_id, r.other_entity_id) as other_entity_id,
    {kept}
from _relation_before r
left join {redirect} d on r.entity_id = d.old_id
left join {redirect} o on r.other_entity_id = o.old_id
where coalesce(d.entity_id, r.entity_id) in (select entity_id from {quote(run.table("membership"))})
group by all""")
    con.execute("drop table _relation_before")


def _memberships(run: Linkage, catalog: Catalog) -> list[tuple[str, str]]:
    rows = run.con.execute(
        f"select record_id, source, source_record_id from {quote(run.table('records'))} order by record_id"
    ).fetchall()
    found = []
    for record_id, source, key in rows:
        row = catalog.row("select entity_id from record_link where source = ? and source_record_id = ?", (source, key))
        if row is not None:
            found.append((record_id, row[0]))
    return found


def _marks(values: list[str]) -> str:
    return ", ".join("?" for _ in values) or "null"
