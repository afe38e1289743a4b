"""Which records a request to forget is about, and where they stand.

An entity stands for all records that are in it, and those that were in it, or in an entity merged into it, and are in
no other entity now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from golden_records.catalog.read import resolve_id
from golden_records.catalog.store import Catalog
from golden_records.entity_id import compact
from linkage.errors import LinkageError
from linkage.ingest.manifest import LoadManifest

_LINKS = (
    "(select source, source_record_id, entity_id from record_link union all "
    "select source, source_record_id, entity_id from record_link_history)"
)


@dataclass(frozen=True)
class Named:
    """The records of a request.

    Attributes:
        records: record ids, sorted.
        entities: entities that hold or held them.
        kin: other records that are or were in one of these entities.
    """

    records: tuple[str, ...]
    entities: tuple[str, ...]
    kin: tuple[str, ...]


def named_records(catalog: Catalog | None, subjects: Sequence[str]) -> tuple[str, ...]:
    """Return the record ids that subjects stand for: records as they are, entities with all of theirs.

    Raises:
        LinkageError: a subject is neither; it is named by its place.
    """
    records: set[str] = set()
    for place, subject in enumerate(subjects, start=1):
        entity_id = compact(subject)
        if entity_id is None and ":" in subject.strip(":"):
            records.add(subject)
            continue
        found = None if catalog is None or entity_id is None else _records_of_entity(catalog, entity_id)
        if not found:
            raise LinkageError(
                f"subject {place} of {len(subjects)}: neither an entity that was ever published nor a record; "
                "write a record as source:source_record_id"
            )
        records |= found
    return tuple(sorted(records))


def look_up(catalog: Catalog | None, records: Sequence[str]) -> Named:
    """Return the entities that hold or held records, and the other records of these."""
    if catalog is None:
        return Named(tuple(records), (), ())
    with catalog.reading():
        entities: set[str] = set()
        for record in records:
            entities |= {
                str(row[0])
                for row in catalog.execute(
                    f"select entity_id from {_LINKS} as link where source = ? and source_record_id = ?",
                    record.split(":", 1),
                )
            }
        kin = _ever_in(catalog, entities) - set(records)
    return Named(tuple(records), tuple(sorted(entities)), tuple(sorted(kin)))


def still_released(catalog: Catalog, records: Iterable[str]) -> int:
    """Return how many of the records are in the current release."""
    return sum(
        catalog.row("select 1 from record_link where source = ? and source_record_id = ?", record.split(":", 1))
        is not None
        for record in records
    )


def require_known(named: Named, rows: int, loads: Sequence[LoadManifest]) -> None:
    """Refuse a request about records that nothing in the workspace has.

    Raises:
        LinkageError: no load and no release has any of them.
    """
    if not rows and not named.entities:
        raise LinkageError(
            f"{len(named.records)} record(s) named: none is in any of the {len(loads)} loads or in any release; "
            "look in record_link for source and key"
        )


def _records_of_entity(catalog: Catalog, entity_id: str) -> set[str]:
    with catalog.reading():
        resolution = resolve_id(catalog, entity_id)
        if resolution is None:
            return set()
        own = resolution.entity_id
        ids = {own, resolution.asked} | {
            str(row[0]) for row in catalog.execute("select old_id from redirect where entity_id = ?", (own,))
        }
        elsewhere = {
            record
            for record in _ever_in(catalog, ids)
            for row in catalog.execute(
                "select entity_id from record_link where source = ? and source_record_id = ?", record.split(":", 1)
            )
            if row[0] != own
        }
        return _ever_in(catalog, ids) - elsewhere


def _ever_in(catalog: Catalog, entities: Iterable[str]) -> set[str]:
    return {
        f"{source}:{key}"
        for entity_id in entities
        for source, key in catalog.execute(
            "select source, source_record_id from record_link where entity_id = ? union "
            "select source, source_record_id from record_link_history where entity_id = ?",
            (entity_id, entity_id),
        )
    }
