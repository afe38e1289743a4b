"""A ruling (裁定): what a person says about records of the current release, checked before it is stored.

In: the records named, as `source:source_record_id`, and how far the ruling reaches. Out: a `Ruling`, which holds the
record ids it stands for, as they stood in entities when it was made: later releases do not change its meaning.

Messages say which of the records named is meant by its place, never by its id; the free text stands in none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from golden_records.catalog.publish import current_release
from golden_records.catalog.store import Catalog
from golden_records.errors import GoldenRecordsError

Kind = Literal["same", "different", "not_here"]
Scope = Literal["records", "entities"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SCOPES: tuple[Scope, ...] = get_args(Scope)

MOST_RECORDS = 100
LONGEST_NOTE = 2_000
LONGEST_NAME = 200

_ENTITY_TYPE = {"LP": "legal_person", "NP": "natural_person"}


class DecisionError(GoldenRecordsError):
    """A ruling that cannot be taken, or a step that its decision does not allow; nothing was changed."""


@dataclass(frozen=True)
class Ruling:
    """What a person rules, before it is stored.

    Attributes:
        kind: `same`: the groups are one entity; `different`: no two of them are; `not_here`: the first group, one
            record or several that are one entity of their own, does not belong with the second.
        entity_type: legal_person or natural_person.
        scope: whether the groups are the records named, or the whole entities those stood in.
        records: the records named, in the order given.
        groups: the records each side stands for, the one named first.
        release: the release it was made on.
        reason: a code of the policy.
        note: more words, at most `LONGEST_NOTE` characters; may be personal.
        case_id: the review case it answers.
    """

    kind: Kind
    entity_type: str
    scope: Scope
    records: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    release: int
    reason: str
    note: str | None = field(default=None, repr=False)
    case_id: str | None = None

    @property
    def tied(self) -> frozenset[str]:
        """The records that it rules one entity; a single one says nothing."""
        one = self.groups if self.kind == "same" else self.groups[:1] if self.kind == "not_here" else ()
        return frozenset(record for group in one for record in group)

    def tells_of(self, left: str, right: str) -> bool:
        """Say whether it tells of two records whether they are one entity."""
        if {left, right} <= self.tied:
            return True
        sides = [{left, right} & set(group) for group in self.groups]
        return self.kind != "same" and sum(bool(side) for side in sides) > 1

    @property
    def means(self) -> tuple[object, ...]:
        """What it says, without why: equal for two rulings that say the same, whatever the order of records."""
        sides = [tuple(sorted(group)) for group in self.groups]
        if self.kind == "same":
            return (self.kind, self.entity_type, tuple(sorted({record for side in sides for record in side})))
        return (self.kind, self.entity_type, tuple(sides if self.kind == "not_here" else sorted(sides)))


def ruling_on(
    catalog: Catalog,
    kind: Kind,
    records: Sequence[str],
    *,
    scope: Scope | None = None,
    reason: str,
    note: str | None = None,
    case_id: str | None = None,
) -> Ruling:
    """Return a ruling on records of the current release.

    Args:
        catalog: the store.
        kind: same, different or not_here.
        records: two or more; for not_here the record that does not belong, and of the records it was found with any.
        scope: `records` or `entities`; absent: entities for not_here, records else.
        reason: a code; the policy is checked when the ruling is stored.
        note: more words.
        case_id: the review case it answers.

    Raises:
        DecisionError: an unknown record, records of two entity types, or a ruling that contradicts itself.
    """
    if kind not in KINDS:
        raise DecisionError(f"kind {kind!r}: not a kind of ruling (known: {', '.join(KINDS)})")
    chosen: Scope = scope or ("entities" if kind == "not_here" else "records")
    if chosen not in SCOPES:
        raise DecisionError(f"scope {chosen!r}: not a scope (known: {', '.join(SCOPES)})")
    least = 1 if kind == "not_here" and chosen == "entities" else 2
    if not least <= len(records) <= MOST_RECORDS:
        raise DecisionError(f"{len(records)} record(s) named; {_spelled(kind)} takes {least} to {MOST_RECORDS}")
    if len(set(records)) < len(records):
        raise DecisionError("a record is named twice; name each once")
    with catalog.reading():
        entities = [_entity_of(catalog, record, place, len(records)) for place, record in enumerate(records, 1)]
        if len({entity[:2] for entity in entities}) > 1:
            raise DecisionError("legal and natural persons are named together; they are never one entity anyway")
        groups = _groups(catalog, kind, chosen, records, entities)
        release = current_release(catalog)
    entity_type = _ENTITY_TYPE[entities[0][:2]]
    return Ruling(kind, entity_type, chosen, tuple(records), groups, release, reason, note, case_id)


def checked_text(what: str, text: str | None, longest: int) -> str:
    """Return text that can be stored.

    Raises:
        DecisionError: it is empty, too long, or holds half a character.
    """
    cut = (text or "").strip()
    if not cut:
        raise DecisionError(f"{what}: is missing or empty")
    if len(cut) > longest:
        raise DecisionError(f"{what}: {len(cut):,} characters, at most {longest:,} are kept; shorten it")
    _require_whole(what, cut)
    return cut


def _require_whole(what: str, text: str) -> None:
    """Refuse text that no store can hold: half of a character, as a damaged command line gives."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DecisionError(f"{what}: is not valid text at character {error.start + 1}") from error


def _groups(
    catalog: Catalog, kind: Kind, scope: Scope, records: Sequence[str], entities: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    if kind == "not_here":
        if len(set(entities)) > 1:
            raise DecisionError("not-here is about records that stand in one entity; these stand in several already")
        others = list(records[1:])
        if scope == "entities":
            named = set(records)
            others += [record for record in _records_of(catalog, entities[0]) if record not in named]
        if not others:
            raise DecisionError("the record stands in its entity alone; there is nothing it could be taken out of")
        return ((records[0],), tuple(others))
    if scope == "records":
        return tuple((record,) for record in records)
    if len(set(entities)) < len(entities):
        raise DecisionError(
            "two of the records stand in one entity; with the scope `entities` name one record of each, "
            "or rule on the records alone with the scope `records`"
        )
    return tuple(
        (record, *(other for other in _records_of(catalog, entity) if other != record))
        for record, entity in zip(records, entities, strict=True)
    )


def _entity_of(catalog: Catalog, record: str, place: int, named: int) -> str:
    which = f"record {place} of {named}"
    _require_whole(which, record)
    source, colon, key = record.partition(":")
    if not (source and colon and key):
        raise DecisionError(f"{which}: not a record; write it as source:source_record_id")
    row = catalog.row("select entity_id from record_link where source = ? and source_record_id = ?", (source, key))
    if row is None:
        raise DecisionError(f"{which}: is not in the current release; look in record_link for its source and key")
    return str(row[0])


def _records_of(catalog: Catalog, entity_id: str) -> list[str]:
    rows = catalog.execute(
        "select source || ':' || source_record_id from record_link where entity_id = ? "
        "order by source, source_record_id",
        (entity_id,),
    )
    return [str(row[0]) for row in rows]


def _spelled(kind: Kind) -> str:
    return kind.replace("_", "-")
