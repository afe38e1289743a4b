"""The relations of one entity through the releases, from the catalog's table `relation` and its history.

In: an open catalog and an id. Out: one stay per relation and stretch of releases in which it was true, without values
of anybody. What changed about a relation while it lasted (another basis, one record more) does not end a stay; the stay
tells what was last known of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from golden_records.catalog.schema import RELATION
from golden_records.catalog.store import Catalog

_TOLD = ("basis", "rule", "state", "first_seen", "last_seen", "valid_from", "valid_to", "records", "sources")


@dataclass(frozen=True)
class RelationStay:
    """A time during which two entities were related in one way.

    Attributes:
        entity_id: the entity.
        relation: what it is of the other.
        other_entity_id: the other entity.
        since: first release.
        until: first release without it; None if it lasts.
        basis, rule, state, first_seen, last_seen, valid_from, valid_to, records, sources: as in the table, when last
            true.
    """

    entity_id: str
    relation: str
    other_entity_id: str
    since: int
    until: int | None
    basis: str
    rule: str
    state: str
    first_seen: str | None
    last_seen: str | None
    valid_from: str | None
    valid_to: str | None
    records: int | None
    sources: int | None

    def other(self, entity_id: str) -> str:
        """Return the end that is not the entity asked about."""
        return self.other_entity_id if self.entity_id == entity_id else self.entity_id


def relation_stays(catalog: Catalog, entity_id: str) -> tuple[RelationStay, ...]:
    """Return all relations an id ever had, from it or to it: those that last first, then by kind, other end and time.

    Args:
        catalog: the store.
        entity_id: any id, in its proper writing; relations of ids that were merged into it are theirs.
    """
    told = ", ".join(_TOLD)
    columns = f"entity_id, relation, other_entity_id, since_release, {{}} as until_release, {told}"
    ours = "where entity_id = ? or other_entity_id = ?"
    with catalog.reading():
        rows = catalog.execute(
            f"select {columns.format('null')} from {RELATION.name} {ours} union all "
            f"select {columns.format('until_release')} from {RELATION.history} {ours} "
            "order by entity_id, relation, other_entity_id, since_release",
            (entity_id,) * 4,
        ).fetchall()
    stays: list[RelationStay] = []
    for row in rows:
        stay = RelationStay(*row)
        last = stays[-1] if stays else None
        if last is not None and _key(last) == _key(stay) and last.until == stay.since:
            stays[-1] = replace(stay, since=last.since)
        else:
            stays.append(stay)
    return tuple(sorted(stays, key=lambda s: (s.until is not None, s.relation, s.other(entity_id), s.since)))


def _key(stay: RelationStay) -> tuple[str, str, str]:
    return stay.entity_id, stay.relation, stay.other_entity_id
