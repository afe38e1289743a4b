"""Reading the catalog store: entities, identifiers, records and histories, now or as of a past release.

Rows come back as dictionaries in the schema's column order; natural persons' values are not masked here. Every
function that needs several queries reads them from one release.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from duckdb import DuckDBPyConnection

from golden_records.catalog.delta import load
from golden_records.catalog.publish import current_release
from golden_records.catalog.schema import (
    ADDRESS,
    EVENT,
    IDENTIFIER,
    LEGAL_PERSON,
    NAME,
    NATURAL_PERSON,
    PHONE,
    PROVENANCE,
    RECORD_LINK,
    RELATION,
    RELEASE,
    VERSIONED,
    Column,
    Table,
)
from golden_records.catalog.store import Catalog
from golden_records.entity_id import Kind, compact, sequence_sql
from golden_records.errors import CatalogError
from golden_records.tables import quote, scalar

Row = dict[str, Any]
State = Literal["living", "redirected", "retired"]

_TABLES = {table.name: table for table in VERSIONED}
_ENTITY_TABLE: dict[str, Table] = {"LP": LEGAL_PERSON, "NP": NATURAL_PERSON}
# Redirects are compressed when published; a longer chain than this means the store was altered.
_LONGEST_CHAIN = 100


@dataclass(frozen=True)
class Resolution:
    """Where an id leads.

    Attributes:
        asked: the id asked for, in its proper writing.
        entity_id: the living entity; the id itself when it is living; the retired id when it ended.
        state: `living`, `redirected` (entity_id is another, living one) or `retired` (the entity ended).
    """

    asked: str
    entity_id: str
    state: State


@dataclass(frozen=True)
class Entity:
    """One entity with everything published about it.

    Attributes:
        resolution: which id was asked for and where it led.
        entity_type: legal_person or natural_person.
        release: the release read.
        golden: the golden values.
        identifiers: rows of `identifier`.
        names: rows of `name`.
        addresses: rows of `address`.
        phones: rows of `phone`.
        relations: rows of `relation` from or to this entity.
        provenance: rows of `provenance`.
    """

    resolution: Resolution
    entity_type: str
    release: int
    golden: Row
    identifiers: tuple[Row, ...]
    names: tuple[Row, ...]
    addresses: tuple[Row, ...]
    phones: tuple[Row, ...]
    relations: tuple[Row, ...]
    provenance: tuple[Row, ...]


@dataclass(frozen=True)
class PreviousTables:
    """Names of the tables that `previous_membership` makes: the ledger's inputs `previous` and `entities`."""

    previous: str
    entities: str


@dataclass(frozen=True)
class PreviousState:
    """The state a run continues from: the release, its number of records, the next sequence number."""

    release: int
    records: int
    next_sequence: int


def releases(catalog: Catalog) -> list[Row]:
    """Return all releases, oldest first; counts, models and manifest are objects, not text."""
    found = [
        dict(zip(RELEASE.column_names, row, strict=True))
        for row in catalog.execute(f"select {_names(RELEASE.column_names)} from release order by release_id")
    ]
    return [row | {name: json.loads(row[name]) for name in ("counts", "models", "manifest")} for row in found]


def as_of(catalog: Catalog, table: str, release: int | None = None) -> list[Row]:
    """Return all rows of a versioned table as they were in a release, in the order of its key.

    Raises:
        CatalogError: there is no such table or release.
    """
    if table not in _TABLES:
        raise CatalogError(f"table {table}: not a versioned table (known: {', '.join(_TABLES)})")
    with catalog.reading():
        return _rows(catalog, _TABLES[table], "true", (), _past(catalog, release))


def resolve_id(catalog: Catalog, entity_id: str | None, release: int | None = None) -> Resolution | None:
    """Return where an id leads, in the current or a past release; None for what was never published by then."""
    asked = compact(entity_id)
    if asked is None:
        return None
    with catalog.reading():
        past = _past(catalog, release)
        here = asked
        for _ in range(_LONGEST_CHAIN):
            if _rows(catalog, _ENTITY_TABLE[here[:2]], "entity_id = ?", (here,), past):
                return Resolution(asked, here, "living" if here == asked else "redirected")
            row = catalog.row(
                "select entity_id from redirect where old_id = ? and release <= ? order by release desc limit 1",
                (here, current_release(catalog) if past is None else past),
            )
            if row is None:
                return None
            if row[0] is None:
                return Resolution(asked, here, "retired")
            here = row[0]
    raise CatalogError(f"{catalog.place}: redirects that do not end; restore the store from a backup")


def entity(catalog: Catalog, entity_id: str | None, release: int | None = None) -> Entity | None:
    """Return an entity by any id it ever had; None if the id is unknown or the entity ended."""
    with catalog.reading():
        past = _past(catalog, release)
        resolution = resolve_id(catalog, entity_id, release)
        if resolution is None or resolution.state == "retired":
            return None
        here = (resolution.entity_id,)
        table = _ENTITY_TABLE[resolution.entity_id[:2]]

        def rows(of: Table) -> tuple[Row, ...]:
            return tuple(_rows(catalog, of, "entity_id = ?", here, past))

        incoming = _rows(catalog, RELATION, "other_entity_id = ? and entity_id <> ?", here * 2, past)
        return Entity(
            resolution=resolution,
            entity_type=table.name,
            release=current_release(catalog) if past is None else past,
            golden=rows(table)[0],
            identifiers=rows(IDENTIFIER),
            names=rows(NAME),
            addresses=rows(ADDRESS),
            phones=rows(PHONE),
            relations=(*rows(RELATION), *incoming),
            provenance=rows(PROVENANCE),
        )


def by_identifier(catalog: Catalog, scheme: str, value: str, release: int | None = None) -> list[Row]:
    """Return the rows of `identifier` that hold a value, valid ones first; more than one entity is a conflict."""
    with catalog.reading():
        found = _rows(catalog, IDENTIFIER, "scheme = ? and value = ?", (scheme, value), _past(catalog, release))
    return sorted(found, key=lambda row: (-row["valid"], row["entity_id"]))


def records_of(catalog: Catalog, entity_id: str, release: int | None = None) -> list[Row]:
    """Return the records of a living entity: rows of `record_link`, by source and record."""
    with catalog.reading():
        return _rows(catalog, RECORD_LINK, "entity_id = ?", (entity_id,), _past(catalog, release))


def history_of(catalog: Catalog, entity_id: str) -> list[Row]:
    """Return the events of an id and of the ids that lead to it, oldest first; `detail` is an object."""
    with catalog.reading():
        found = catalog.execute(
            f"select {_names(EVENT.column_names)} from event where entity_id = ? or entity_id in "
            "(select old_id from redirect where entity_id = ?) order by release, entity_id, event",
            (entity_id, entity_id),
        ).fetchall()
    rows = [dict(zip(EVENT.column_names, row, strict=True)) for row in found]
    return [row | {"detail": None if row["detail"] is None else json.loads(row["detail"])} for row in rows]


def previous_membership(catalog: Catalog, con: DuckDBPyConnection, *, kind: Kind, out: PreviousTables) -> PreviousState:
    """Copy what the ledger needs of the current release into DuckDB, for one kind of entity.

    Args:
        catalog: the store.
        con: DuckDB connection.
        kind: `LP` or `NP`.
        out: tables to make: previous (record_id, entity_id) and entities (entity_id, sequence, anchor, state,
            resolves_to), every id ever published.
    """
    table = _ENTITY_TABLE[kind].name
    with catalog.reading():
        load(
            con,
            "_previous_link",
            (Column("source"), Column("source_record_id"), Column("entity_id")),
            catalog,
            "select source, source_record_id, entity_id from record_link where substr(entity_id, 1, 2) = ?",
            (kind,),
        )
        load(
            con,
            "_previous_living",
            (Column("entity_id"), Column("anchor")),
            catalog,
            f"select entity_id, anchor from {table}",
        )
        load(
            con,
            "_previous_ended",
            (Column("old_id"), Column("entity_id"), Column("anchor")),
            catalog,
            "select r.old_id, r.entity_id, r.anchor from redirect r where substr(r.old_id, 1, 2) = ? "
            "and r.release = (select max(l.release) from redirect l where l.old_id = r.old_id) "
            f"and not exists (select 1 from {table} e where e.entity_id = r.old_id)",
            (kind,),
        )
        release = current_release(catalog)
    con.execute(
        f"""
        create or replace table {quote(out.previous)} as
        select source || ':' || source_record_id as record_id, entity_id
        from _previous_link
        """
    )
    con.execute(
        f"""
        create or replace table {quote(out.entities)} as
        with known as (
            select entity_id, anchor, 'living' as state, null::varchar as resolves_to from _previous_living
            union all
            select old_id, anchor, case when entity_id is null then 'retired' else 'redirected' end, entity_id
            from _previous_ended
        )
        select entity_id, {sequence_sql("entity_id")} as sequence, anchor, state, resolves_to
        from known
        order by entity_id
        """
    )
    for name in ("link", "living", "ended"):
        con.execute(f"drop table _previous_{name}")
    return PreviousState(
        release=release,
        records=scalar(con, f"select count(*) from {quote(out.previous)}"),
        next_sequence=scalar(con, f"select coalesce(max(sequence), 0) + 1 from {quote(out.entities)}"),
    )


def _past(catalog: Catalog, release: int | None) -> int | None:
    """Return the release to read from the history, None when the current one is meant."""
    current = current_release(catalog)
    if release is None or release == current:
        return None
    if not 1 <= release < current:
        raise CatalogError(f"release {release}: not published (releases 1 to {current})")
    return release


def _rows(catalog: Catalog, table: Table, where: str, values: Sequence[Any], past: int | None) -> list[Row]:
    names = _names(table.column_names)
    order = _names(table.key)
    if past is None:
        cursor = catalog.execute(f"select {names} from {quote(table.name)} where {where} order by {order}", values)
    else:
        cursor = catalog.execute(
            f"select {names} from {quote(table.name)} where {where} and since_release <= ? union all "
            f"select {names} from {quote(table.history)} where {where} and since_release <= ? and until_release > ? "
            f"order by {order}",
            (*values, past, *values, past, past),
        )
    return [dict(zip(table.column_names, row, strict=True)) for row in cursor]


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns)
