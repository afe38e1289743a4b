"""How an entity, or the membership of a record, came to be: release by release, from the catalog's history tables.

In: an open catalog and an id. Out: plain data, without values of anybody: ids, link basis, probability and dates.

A stay is a time during which a record belonged to one entity: rows of `record_link` that follow each other without a
gap and name the same entity. A change of the basis or probability within a stay does not end it.

Invariant: the records an entity held in a release are those that came by then and had not gone, and stays of one record
never overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from golden_records.catalog.publish import current_release
from golden_records.catalog.read import Resolution, resolve_id
from golden_records.catalog.store import Catalog

_LINK = "source, source_record_id, entity_id, link_basis, probability, since_release"
_BOTH = (
    f"(select {_LINK}, null as until_release from record_link union all "
    f"select {_LINK}, until_release from record_link_history) as stay"
)


@dataclass(frozen=True)
class Link:
    """What tied a record to its entity, from one release on.

    Attributes:
        since: first release with this basis and probability.
        basis: `identifier`, `decision`, `corroborated` or `attribute`.
        probability: that the link is right; None where no score was made.
    """

    since: int
    basis: str
    probability: float | None


@dataclass(frozen=True)
class Stay:
    """A time during which a record belonged to one entity.

    Attributes:
        record_id: `source:source_record_id`.
        entity_id: the entity.
        since: first release of the stay.
        until: first release after it; None if it lasts.
        links: what tied it, oldest first; at least one.
    """

    record_id: str
    entity_id: str
    since: int
    until: int | None
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Move:
    """A record that came to an entity or left it in a release.

    Attributes:
        record_id: the record.
        basis: what ties it, or tied it last.
        probability: of that link.
        other: the entity it came from or went to; None: it was in no entity of the release before, or is in none now.
        known: for a record that came from nowhere: whether an earlier release had it; for others true.
    """

    record_id: str
    basis: str
    probability: float | None
    other: str | None
    known: bool


@dataclass(frozen=True)
class Happening:
    """An event of the ledger: its kind and detail (numbers of records, other entities)."""

    event: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Chapter:
    """What one release changed about an entity.

    Attributes:
        release: its number.
        published_at: when, ISO.
        cause: why the release was made: load, decision, rule, model, rollback …
        as_of: date of the data, ISO; None if the ledger says nothing.
        happenings: events of the ledger.
        came: records that came.
        went: records that left.
        rebased: records that stayed, tied on another basis than before.
        records: records after the release.
    """

    release: int
    published_at: str
    cause: str
    as_of: str | None
    happenings: tuple[Happening, ...]
    came: tuple[Move, ...]
    went: tuple[Move, ...]
    rebased: tuple[Move, ...]
    records: int


@dataclass(frozen=True)
class FormerId:
    """An id that now leads to this entity: since which release, and in which it was minted (None: not recorded)."""

    entity_id: str
    since: int
    minted: int | None


@dataclass(frozen=True)
class EntityHistory:
    """An entity from its first release to the current one.

    Attributes:
        resolution: where the id leads now.
        release: the current release.
        minted: release in which the id was made; None if no event says so.
        chapters: releases that changed it, oldest first.
        former: ids that lead to it.
        records: its records now.
    """

    resolution: Resolution
    release: int
    minted: int | None
    chapters: tuple[Chapter, ...]
    former: tuple[FormerId, ...]
    records: tuple[Stay, ...]


@dataclass(frozen=True)
class RecordHistory:
    """A record's membership from its first release to the current one.

    Attributes:
        record_id: the record.
        release: the current release.
        stays: where it was, oldest first; between two stays that do not touch it was in no release.
        published: release → when it was published, for every release the stays name.
    """

    record_id: str
    release: int
    stays: tuple[Stay, ...]
    published: dict[int, str]

    @property
    def now(self) -> Stay | None:
        """The stay that lasts, if the record is in the current release."""
        return next((stay for stay in self.stays if stay.until is None), None)


def entity_history(catalog: Catalog, entity_id: str) -> EntityHistory | None:
    """Return the history of an id, or None if it was never published.

    Args:
        catalog: the store.
        entity_id: any id that was ever an entity's: living, redirected or retired. The history is that id's own.
    """
    with catalog.reading():
        resolution = resolve_id(catalog, entity_id)
        if resolution is None:
            return None
        asked = resolution.asked
        stays = _stays_around(catalog, asked)
        events = _events(catalog, asked)
        return EntityHistory(
            resolution=resolution,
            release=current_release(catalog),
            minted=_minted(catalog, asked),
            chapters=_chapters(catalog, asked, stays, events),
            former=_former(catalog, asked),
            records=tuple(stay for stay in stays if stay.entity_id == asked and stay.until is None),
        )


def record_history(catalog: Catalog, record_id: str) -> RecordHistory | None:
    """Return where a record belonged, release by release, or None if no release had it.

    Args:
        catalog: the store.
        record_id: `source:source_record_id`.
    """
    with catalog.reading():
        stays: tuple[Stay, ...] = ()
        for source, key in _readings(record_id):
            rows = catalog.execute(f"select * from {_BOTH} where source = ? and source_record_id = ?", (source, key))
            stays = stays_of(rows.fetchall())
            if stays:
                break
        if not stays:
            return None
        named = {link.since for stay in stays for link in stay.links} | {s.until for s in stays if s.until is not None}
        published = {release: _release(catalog, release)[0] for release in sorted(named)}
        return RecordHistory(record_id, current_release(catalog), stays, published)


def stays_of(rows: Iterable[Sequence[Any]]) -> tuple[Stay, ...]:
    """Join rows of `record_link` and its history into stays, by record and time.

    Args:
        rows: source, source_record_id, entity_id, link_basis, probability, since_release, until_release (None: lasts).
    """
    found: list[Stay] = []
    ordered = sorted(rows, key=lambda row: (row[0], row[1], row[5]))
    for (source, key), group in groupby(ordered, key=lambda row: (row[0], row[1])):
        record = f"{source}:{key}"
        last: Stay | None = None
        for _, _, entity_id, basis, probability, since, until in group:
            link = Link(since, basis, probability)
            if last is not None and last.entity_id == entity_id and last.until == since:
                same = (last.links[-1].basis, last.links[-1].probability) == (basis, probability)
                last = Stay(record, entity_id, last.since, until, last.links if same else (*last.links, link))
                found[-1] = last
            else:
                last = Stay(record, entity_id, since, until, (link,))
                found.append(last)
    return tuple(found)


def _readings(record_id: str) -> list[tuple[str, str]]:
    """Return every way to take a record id apart: a key may hold colons; half a character is in no store."""
    if record_id.encode("utf-8", "replace").decode("utf-8") != record_id:
        return []
    cuts = [position for position, character in enumerate(record_id) if character == ":"]
    return [(record_id[:cut], record_id[cut + 1 :]) for cut in cuts]


def _stays_around(catalog: Catalog, entity_id: str) -> tuple[Stay, ...]:
    """Return all stays, anywhere, of every record that was ever in an entity."""
    # Each record is looked up by key, so that no table is read whole.
    keys = (
        "(select source as s, source_record_id as k from record_link where entity_id = ? "
        "union select source, source_record_id from record_link_history where entity_id = ?) as kept"
    )
    rows: list[tuple[Any, ...]] = []
    for table, until in (("record_link", "null"), ("record_link_history", "t.until_release")):
        rows += catalog.execute(
            f"select t.source, t.source_record_id, t.entity_id, t.link_basis, t.probability, t.since_release, {until} "
            f"from {keys} join {table} t on t.source = s and t.source_record_id = k",
            (entity_id, entity_id),
        ).fetchall()
    return stays_of(rows)


def _events(catalog: Catalog, entity_id: str) -> list[tuple[int, str | None, Happening]]:
    rows = catalog.execute(
        "select release, as_of, event, detail from event where entity_id = ? order by release, event", (entity_id,)
    ).fetchall()
    return [
        (release, as_of, Happening(event, json.loads(detail) if detail else {}))
        for release, as_of, event, detail in rows
    ]


def _chapters(
    catalog: Catalog, entity_id: str, stays: Sequence[Stay], events: Sequence[tuple[int, str | None, Happening]]
) -> tuple[Chapter, ...]:
    own = [stay for stay in stays if stay.entity_id == entity_id]
    of_record = {record: list(group) for record, group in groupby(stays, key=lambda stay: stay.record_id)}
    came: dict[int, list[Move]] = {}
    went: dict[int, list[Move]] = {}
    rebased: dict[int, list[Move]] = {}
    for stay in own:
        others = of_record[stay.record_id]
        before = [other for other in others if other.since < stay.since]
        origin = next((other.entity_id for other in before if other.until == stay.since), None)
        first = stay.links[0]
        move = Move(stay.record_id, first.basis, first.probability, origin, bool(before))
        came.setdefault(stay.since, []).append(move)
        for earlier, link in pairwise(stay.links):
            if link.basis == earlier.basis:
                continue
            moved = Move(stay.record_id, link.basis, link.probability, None, True)
            rebased.setdefault(link.since, []).append(moved)
        if stay.until is not None:
            target = next((other.entity_id for other in others if other.since == stay.until), None)
            last = stay.links[-1]
            went.setdefault(stay.until, []).append(Move(stay.record_id, last.basis, last.probability, target, True))
    chapters, records = [], 0
    for release in sorted({*came, *went, *rebased, *(number for number, _, _ in events)}):
        records += len(came.get(release, ())) - len(went.get(release, ()))
        published_at, cause = _release(catalog, release)
        happened = [(as_of, happening) for number, as_of, happening in events if number == release]
        chapters.append(
            Chapter(
                release=release,
                published_at=published_at,
                cause=cause,
                as_of=next((as_of for as_of, _ in happened if as_of), None),
                happenings=tuple(happening for _, happening in happened),
                came=tuple(came.get(release, ())),
                went=tuple(went.get(release, ())),
                rebased=tuple(rebased.get(release, ())),
                records=records,
            )
        )
    return tuple(chapters)


def _former(catalog: Catalog, entity_id: str) -> tuple[FormerId, ...]:
    """Return the ids whose latest redirect leads here and that are not living."""
    table = "natural_person" if entity_id.startswith("NP") else "legal_person"
    rows = catalog.execute(
        "select r.old_id, r.release from redirect r where r.entity_id = ? "
        "and r.release = (select max(l.release) from redirect l where l.old_id = r.old_id) "
        f"and not exists (select 1 from {table} e where e.entity_id = r.old_id) order by r.release, r.old_id",
        (entity_id,),
    ).fetchall()
    return tuple(FormerId(old_id, release, _minted(catalog, old_id)) for old_id, release in rows)


def _minted(catalog: Catalog, entity_id: str) -> int | None:
    row = catalog.row("select min(release) from event where entity_id = ? and event = 'created'", (entity_id,))
    return None if row is None or row[0] is None else int(row[0])


def _release(catalog: Catalog, release: int) -> tuple[str, str]:
    row = catalog.row("select published_at, cause from release where release_id = ?", (release,))
    return (str(row[0]), str(row[1])) if row is not None else ("", "")
