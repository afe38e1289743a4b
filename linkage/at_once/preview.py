"""What a decision would change if it came into force now: the same resolution as at once, and nothing is kept.

Ids that would be minted are not minted: they are named by their place, new 1, new 2 …
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blocking.sql import quote
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision
from linkage.at_once.resolve import Resolved, resolved
from linkage.fields import Entity
from linkage.workspace import Workspace

MOST_RECORDS = 5_000
MOST_ENTITIES = 50


@dataclass(frozen=True)
class Fate:
    """What becomes of an id.

    Attributes:
        entity_id: the id; of one that would be minted `new 1` and so on.
        is_new: whether it would be minted.
        leads_to: the id it would redirect to; None: it goes on, or ends.
        lives: whether it is living afterwards.
        records_before: its records now.
        records_after: its records then.
    """

    entity_id: str
    is_new: bool
    leads_to: str | None
    lives: bool
    records_before: int
    records_after: int


@dataclass(frozen=True)
class Change:
    """A golden value that would be another; of a new id or one that ends, one of the two is None."""

    entity_id: str
    attribute: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Preview:
    """What would change.

    Attributes:
        entities: what becomes of the ids whose records change.
        moved: record → the ids it goes from and to.
        values: golden values of entities that go on, or are new, which would be others.
        touched: records that would be resolved again.
        left_out: entities that would change too and are not listed.
    """

    entities: tuple[Fate, ...]
    moved: Mapping[str, tuple[str, str]]
    values: tuple[Change, ...]
    touched: int
    left_out: int

    @property
    def is_nothing(self) -> bool:
        """Whether no entity would change."""
        return not self.entities and not self.values


def preview(
    workspace: Workspace, catalog: Catalog, entity: Entity, active: Sequence[Decision], *, most: int = MOST_RECORDS
) -> Preview:
    """Return what would change if these decisions were in force.

    Args:
        workspace: the workspace; its batch database is only read.
        catalog: its catalog; only read.
        entity: the entity type.
        active: the decisions that would be in force.
        most: records that may be touched.

    Raises:
        NotAtOnceError: it cannot be told now; the message says why.
    """
    with resolved(workspace, catalog, entity, active, most=most, read_only=True) as again:
        before = _members(again, again.previous.previous)
        after = _members(again, again.run.table("membership"))
        known = _known(again)
        names = _names(sorted(set(after.values()) - known))
        after = {record: names.get(one, one) for record, one in after.items()}
        values = _values(again, names)
        redirects = {
            old: names.get(new, new)
            for old, new in again.run.con.execute(
                f"select old_id, entity_id from {quote(again.run.table('redirect'))}"
            ).fetchall()
        }
    moved = {
        record: (before[record], after[record])
        for record in sorted(before.keys() & after.keys())
        if before[record] != after[record]
    }
    changed = sorted({one for pair in moved.values() for one in pair} | {change.entity_id for change in values})
    shown = changed[:MOST_ENTITIES]
    sizes = (_sizes(before), _sizes(after))
    fates = tuple(
        Fate(
            entity_id=one,
            is_new=one in names.values(),
            leads_to=redirects.get(one) if one not in sizes[1] else None,
            lives=one in sizes[1],
            records_before=sizes[0].get(one, 0),
            records_after=sizes[1].get(one, 0),
        )
        for one in shown
    )
    kept = tuple(change for change in values if change.entity_id in set(shown))
    return Preview(fates, moved, kept, len(after), len(changed) - len(shown))


def _members(again: Resolved, table: str) -> dict[str, str]:
    return dict(again.run.con.execute(f"select record_id, entity_id from {quote(table)}").fetchall())


def _known(again: Resolved) -> set[str]:
    rows = again.run.con.execute(f"select entity_id from {quote(again.previous.entities)}").fetchall()
    return {row[0] for row in rows}


def _names(new: Sequence[str]) -> dict[str, str]:
    return {one: f"new {place}" for place, one in enumerate(new, start=1)}


def _values(again: Resolved, names: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the golden values that differ, of entities that live afterwards."""
    con, run, batch = again.run.con, again.run, again.batch
    now = run.table("provenance")
    rows = con.execute(f"select entity_id, attribute, value from {quote(now)}").fetchall()
    living = {row[0] for row in con.execute(f"select entity_id from {quote(run.table('golden'))}").fetchall()}
    old = con.execute(
        f"select entity_id, attribute, value from {batch.table('provenance')} "
        f"where entity_id in (select entity_id from {quote(run.table('golden'))})"
    ).fetchall()
    values: defaultdict[tuple[str, str], list[str | None]] = defaultdict(lambda: [None, None])
    for place, found in enumerate((old, rows)):
        for entity, attribute, value in found:
            if entity in living:
                values[entity, attribute][place] = value
    return tuple(
        Change(names.get(entity, entity), attribute, before, after)
        for (entity, attribute), (before, after) in sorted(values.items())
        if before != after
    )


def _sizes(members: Mapping[str, str]) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for entity in members.values():
        found[entity] += 1
    return dict(found)
