"""Publishing: makes the catalog store hold a new release, by writing only what changed.

In: the run's DuckDB tables. Out: one row in `release`, and in every versioned table the rows of the new state.

Every entity and review case has a fingerprint over all its rows. Comparing fingerprints finds the owners that changed;
only their rows are compared one by one. Rows that changed or vanished move to the history, new ones are inserted, in
one transaction: a reader sees the old release or the new one, whole, and a killed publish leaves the old one.

The comparison happens before the write lock is taken; a publish that finds another release was made meanwhile stops.
A publish of some entity types leaves the others as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from duckdb import DuckDBPyConnection

from golden_records.catalog import dialect
from golden_records.catalog.arrow import arrow_rows, ordered_rows
from golden_records.catalog.content import CONTENT_TABLES, Content, Sum, changed_content, summed_rows
from golden_records.catalog.delta import Delta, TableDelta, find_delta, rows_query, stage_held, stage_tables, unstage
from golden_records.catalog.dialect import Add, RowSource, Staging
from golden_records.catalog.lookup import LookupPart, StagedLookup, stage_lookup, stage_rows_of_lookup, write_lookup
from golden_records.catalog.schema import EVENT, REDIRECT, VERSIONED, Table
from golden_records.catalog.store import Catalog
from golden_records.errors import CatalogError
from golden_records.tables import quote, scalar

Progress = Callable[[str, int], None]

_BATCH_ROWS = 20_000
# From here on a table is worth a thread and a file of its own.
_MANY_ROWS = 1_000_000


@dataclass(frozen=True)
class ReleaseTables:
    """The DuckDB tables that make a release, each a tuple so that several entity types can be published at once.

    Which entity types are published follows from `legal_person` and `natural_person`: a type whose tuple is empty is
    not part of this publish and stays as it is. Columns are those of `golden_records.catalog.schema`; missing optional
    ones are null, unknown ones are an error. `entities` and `redirect` are the ledger's. Relations are a part of their
    own: they are between entities of both types, and stay as they are if none are given.
    """

    legal_person: tuple[str, ...] = ()
    natural_person: tuple[str, ...] = ()
    identifier: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    record_link: tuple[str, ...] = ()
    relation: tuple[str, ...] = ()
    provenance: tuple[str, ...] = ()
    review_case: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    redirect: tuple[str, ...] = ()

    def of(self, table: str) -> tuple[str, ...]:
        """Return the DuckDB tables for a catalog table."""
        named: tuple[str, ...] = getattr(self, table)
        return named


@dataclass(frozen=True)
class _Coming:
    """The rows that come into a table: what adds them, how many, and their sums, known when they were added."""

    add: Add
    rows: int
    sums: dict[str, Sum]


@dataclass
class _Counts:
    rows: dict[str, int]
    added: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, dict[str, int]]:
        return {
            table: {"rows": rows, "added": self.added.get(table, 0), "removed": self.removed.get(table, 0)}
            for table, rows in self.rows.items()
        }


def current_release(catalog: Catalog) -> int:
    """Return the number of the current release, 0 before the first."""
    row = catalog.row("select max(release_id) from release")
    return int(row[0]) if row is not None and row[0] is not None else 0


def publish(
    catalog: Catalog,
    con: DuckDBPyConnection,
    tables: ReleaseTables,
    *,
    now: datetime,
    manifest: Mapping[str, Any],
    cause: str = "load",
    models: Mapping[str, str] | None = None,
    owners: str | None = None,
    held: ReleaseTables | None = None,
    if_changed: bool = False,
    lookup: Sequence[LookupPart] = (),
    progress: Progress | None = None,
) -> int:
    """Make a new release of the tables given, and return its number.

    Args:
        catalog: the store, open for writing.
        con: DuckDB connection that has the tables.
        tables: what to publish.
        now: time of publishing.
        manifest: the run's manifest; kept as JSON.
        cause: why there is a new release: load, decision, rule, model …
        models: entity type → hash of the model used.
        owners: table of the owner_id of every entity and review case that may have changed, where the tables hold the
            rows of these alone: the others stay as they are. Absent: the tables hold everything of their entity types.
        held: with `owners`, tables of the rows that the current release has of these, where the run knows them; those
            of a table that is not given are read from the store.
        if_changed: with `owners`, publish nothing and return the current release if nothing has changed.
        lookup: what finding entities by name needs; of an entity type that is published without, none can be found so.
        progress: called with a table's name and the rows added to it, within the transaction.

    Raises:
        CatalogError: the tables do not fit the catalog, or another release was made meanwhile. Nothing was changed.
    """
    before = current_release(catalog)
    release = before + 1
    unstage(con)
    try:
        scope = stage_tables(con, tables.of)
        _check_events(con, tables.event, release)
        if held is not None:
            stage_held(con, held.of)
        delta = find_delta(catalog, con, scope, first=before == 0, owners=owners)
        if if_changed and owners is not None and delta.is_empty(con, release):
            return before
        connection = catalog.connection
        with (
            con.cursor() as second,
            connection.staging() as staging,
            connection.staging() as of_largest,
            connection.staging() as of_lookup,
            ExitStack() as joined,
            _stopped(con, second),
        ):
            coming = _stage_largest(second, of_largest, delta, tables, release) if before == 0 else {}
            coming |= _stage_rows(con, staging, delta, release, but=coming)
            staged = [found for part in lookup if (found := stage_lookup(catalog, con, part)) is not None]
            found_by = _stage_found_by(con, of_lookup, staged, first=before == 0)
            for rows in (staging, of_largest):
                joined.enter_context(rows.joined())
            with connection.bulk_writing(first=before == 0), catalog.writing():
                if current_release(catalog) != before:
                    raise CatalogError(f"{catalog.place}: release {release} was made by another run; run again")
                _write(catalog, con, delta, coming, release, now, manifest, cause, models or {}, progress)
                lookup_rows = found_by()
                joined.enter_context(of_lookup.joined())
                write_lookup(catalog, con, staged, lookup_rows, scope)
    except dialect.ERRORS as error:
        raise CatalogError(f"{catalog.place}: publishing failed and was undone ({error})") from error
    finally:
        con.abort()  # a result left unfinished by an error would block the clean-up
        unstage(con)
    return release


def _check_events(con: DuckDBPyConnection, events: Sequence[str], release: int) -> None:
    for table in events:
        others = con.execute(f"select distinct release from {quote(table)} where release <> ?", (release,)).fetchall()
        if others:
            raise CatalogError(f"table {table}: events of release {others[0][0]}, the next release is {release}")


def _stage_largest(
    con: DuckDBPyConnection, staging: Staging, delta: Delta, tables: ReleaseTables, release: int
) -> dict[str, _Coming]:
    """Have the rows of the largest table staged by another thread, from a cursor of its own, if that sees them."""
    part = max((part for part in delta.tables if part.table in CONTENT_TABLES), key=lambda part: part.added)
    query = rows_query(con, part.table, tables.of(part.table.name)) if part.added >= _MANY_ROWS else None
    if query is None:
        return {}
    rows, sums = _rows_of(con, replace(part, added_query=query), release)
    put = staging.meanwhile(partial(staging.put, part.table, rows))
    return {part.table.name: _Coming(lambda: put()(), part.added, sums)}


def _stage_rows(
    con: DuckDBPyConnection, staging: Staging, delta: Delta, release: int, *, but: Collection[str]
) -> dict[str, _Coming]:
    """Return table → the rows that come, `but` those of some tables."""
    coming = {}
    for part in delta.tables:
        if part.added and part.table.name not in but:
            rows, sums = _rows_of(con, part, release)
            coming[part.table.name] = _Coming(staging.put(part.table, rows), part.added, sums)
    for table, query in ((EVENT, delta.event_query), (REDIRECT, delta.redirect_query(release))):
        add = staging.put(table, partial(arrow_rows, con, query, _BATCH_ROWS))
        coming[table.name] = _Coming(add, scalar(con, f"select count(*) from ({query})"), {})
    return coming


def _stage_found_by(
    con: DuckDBPyConnection, staging: Staging, staged: Sequence[StagedLookup], *, first: bool
) -> Callable[[], Sequence[Add]]:
    """Return what gives the adds of the lookup tables; for a first release they are staged while it is written."""
    stage = partial(stage_rows_of_lookup, con, staging, staged)
    if first:  # nothing goes, so that writing asks nothing of DuckDB
        return staging.meanwhile(stage)
    rows = stage()
    return lambda: rows


@contextmanager
def _stopped(*connections: DuckDBPyConnection) -> Iterator[None]:
    """Have a failed block not wait for what DuckDB does in other threads."""
    try:
        yield
    except BaseException:
        for con in connections:
            con.interrupt()
        raise


def _rows_of(con: DuckDBPyConnection, part: TableDelta, release: int) -> tuple[RowSource, dict[str, Sum]]:
    sums: dict[str, Sum] = {}
    query = f"select *, {release}::bigint as since_release from ({part.added_query})"
    if part.table in CONTENT_TABLES:
        return partial(summed_rows, con, part.table, query, _BATCH_ROWS, part.added, sums), sums
    return partial(ordered_rows, con, query, part.table.key, _BATCH_ROWS, part.added), sums


def _write(
    catalog: Catalog,
    con: DuckDBPyConnection,
    delta: Delta,
    coming: Mapping[str, _Coming],
    release: int,
    now: datetime,
    manifest: Mapping[str, Any],
    cause: str,
    models: Mapping[str, str],
    progress: Progress | None,
) -> None:
    last_counts, content = _last_counts(catalog, release - 1)
    counts = _Counts({table.name: last_counts.get(table.name, 0) for table in VERSIONED})
    for part in delta.tables:
        came = coming.get(part.table.name)
        _write_table(catalog, con, part, came.add if came else None, release, counts, progress)
        content = changed_content(content, part.table, came.sums if came else {}, part.content_removed)
    for table in (EVENT, REDIRECT):
        held, came = last_counts.get(table.name, 0), coming[table.name]
        with _told_of(table), catalog.connection.loading(table, held=held, added=came.rows):
            added = came.add()
        counts.rows[table.name] = held + added
        counts.added[table.name] = added
    insert_release(
        catalog,
        release=release,
        now=now,
        kind="publish",
        cause=cause,
        restores=None,
        counts={"tables": counts.as_dict(), "content": content},
        models=models,
        manifest=manifest,
    )


def insert_release(
    catalog: Catalog,
    *,
    release: int,
    now: datetime,
    kind: str,
    cause: str,
    restores: int | None,
    counts: Mapping[str, Any],
    models: Mapping[str, str],
    manifest: Mapping[str, Any],
) -> None:
    """Add the row that makes a release the current one; its content hash follows from `counts["content"]`."""
    catalog.execute(
        "insert into release (release_id, published_at, kind, cause, content_hash, restores, counts, models, manifest) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            release,
            now.isoformat(),
            kind,
            cause,
            hashlib.sha256(as_json(counts["content"]).encode()).hexdigest(),
            restores,
            as_json(counts),
            as_json(models),
            as_json(manifest),
        ),
    )


def as_json(value: object) -> str:
    """Return a value as JSON text, the same text for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _last_counts(catalog: Catalog, release: int) -> tuple[dict[str, int], Content]:
    row = catalog.row("select counts from release where release_id = ?", (release,))
    if row is None:
        return {}, {}
    counts = json.loads(row[0])
    return {table: entry["rows"] for table, entry in counts["tables"].items()}, counts["content"]


def _write_table(
    catalog: Catalog,
    con: DuckDBPyConnection,
    part: TableDelta,
    add: Add | None,
    release: int,
    counts: _Counts,
    progress: Progress | None,
) -> None:
    table = part.table
    with _told_of(table), catalog.connection.loading(table, held=counts.rows[table.name], added=part.added):
        if part.removed:
            keys = f"select {_names(table.key)} from ({part.removed_query}) order by {_names(table.key)}"
            with arrow_rows(con, keys, _BATCH_ROWS) as batches:
                catalog.connection.retire(table, batches, release)
        if add is not None:
            written = add()
            if progress is not None:
                progress(table.name, written)
    counts.added[table.name] = part.added
    counts.removed[table.name] = part.removed
    counts.rows[table.name] += part.added - part.removed


@contextmanager
def _told_of(table: Table) -> Iterator[None]:
    try:
        yield
    except dialect.CONSTRAINT_ERRORS as error:
        raise CatalogError(
            f"table {table.name}: two rows with the same {', '.join(table.key)}, or a required value missing; "
            f"nothing was published ({error})"
        ) from error


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns)
