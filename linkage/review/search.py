"""Finding cases and entities by what a person has at hand: a case, an entity, a record, a number, a name."""

from __future__ import annotations

from dataclasses import dataclass

from golden_records.catalog.read import resolve_id
from golden_records.catalog.store import Catalog
from golden_records.entity_id import compact
from linkage.lookup.answer import Query
from linkage.lookup.by_name import legal_persons_named
from linkage.lookup.identifiers import Given
from linkage.lookup.resolve import QueryError, resolve
from linkage.lookup.snapshot import Snapshot

MOST_CASES = 200
_MOST_ENTITIES = 20


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        cases: cases, sorted.
        entities: living entities, likeliest first.
    """

    cases: tuple[str, ...]
    entities: tuple[str, ...]


def search(snapshot: Snapshot, text: str, *, persons: bool) -> Found:
    """Return the cases and entities that a text leads to.

    Args:
        snapshot: the release.
        text: a case id, an entity id, a record id, an official number, or the name of a legal person.
        persons: whether natural persons may be looked for.
    """
    catalog, asked = snapshot.catalog, text.strip()
    if asked.upper().startswith("RC-"):
        row = catalog.row("select case_id from review_queue where case_id = ?", ("RC-" + asked[3:].lower(),))
        return Found((row[0],) if row else (), ())
    entities = _entities(snapshot, asked, persons=persons)
    return Found(cases_around(catalog, entities), entities)


def cases_around(catalog: Catalog, entities: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cases of some entities."""
    found: set[str] = set()
    for entity in entities:
        for side in ("left", "right"):
            rows = catalog.execute(f"select case_id from review_case where {side}_entity_id = ?", (entity,))
            found |= {row[0] for row in rows}
    return tuple(sorted(found)[:MOST_CASES])


def _entities(snapshot: Snapshot, asked: str, *, persons: bool) -> tuple[str, ...]:
    catalog = snapshot.catalog

    def allowed(entity: str) -> bool:
        return persons or not entity.startswith("NP")

    if compact(asked) is not None:
        resolution = resolve_id(catalog, asked)
        return (resolution.entity_id,) if resolution and allowed(resolution.entity_id) else ()
    source, colon, key = asked.partition(":")
    if colon:
        row = catalog.row("select entity_id from record_link where source = ? and source_record_id = ?", (source, key))
        if row is not None:
            return (str(row[0]),) if allowed(str(row[0])) else ()
    if any(character.isdigit() for character in asked):
        try:
            answer = resolve(snapshot, Query(identifiers=(Given(asked),)))
        except QueryError:
            return legal_persons_named(snapshot, asked, _MOST_ENTITIES)
        if answer.entity_ids:
            return tuple(one for one in answer.entity_ids if allowed(one))[:_MOST_ENTITIES]
    return legal_persons_named(snapshot, asked, _MOST_ENTITIES)
