"""Opening a catalog store and bringing its tables up to date."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any

from golden_records.catalog import dialect, sqlite
from golden_records.catalog.arrow import as_reader, schema_of
from golden_records.catalog.place import DatabaseUrl, Place
from golden_records.errors import CatalogError

_MIGRATION_NAME = re.compile(r"(\d{4})_\w+\.sql")
_NO_CATALOG = {
    False: "a database, but not a catalog; give the path of a new file",
    True: "a database of other tables, not a catalog; give an empty database, or a schema of its own with "
    "?options=-csearch_path%3DNAME",
}


class Catalog:
    """An open catalog store; a resource to be closed, best with `with`.

    Attributes:
        place: where it is.
        connection: what its kind of store can do.
    """

    def __init__(self, place: Place, connection: dialect.Connection) -> None:
        self.place = place
        self.connection = connection

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self.connection.close()

    def execute(self, query: str, values: Sequence[Any] = ()) -> dialect.Cursor:
        """Run one statement."""
        return self.connection.execute(query, values)

    def row(self, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        found: tuple[Any, ...] | None = self.connection.execute(query, values).fetchone()
        return found

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, given as Python values, to a table."""
        if rows:
            schema = schema_of(table, columns)
            self.connection.insert(table, as_reader(dict(zip(schema.names, schema.types, strict=True)), rows))

    def reading(self) -> AbstractContextManager[None]:
        """Return a block in which every query sees the same release."""
        return self.connection.transaction(writing=False)

    def writing(self) -> AbstractContextManager[None]:
        """Return a block whose changes are all made, or none."""
        return self.connection.transaction(writing=True)


def open_catalog(place: Place, *, read_only: bool = False) -> Catalog:
    """Open a catalog store, making or migrating it first unless `read_only`.

    A new one appears whole: a file is made beside its place, and named when it is complete; the tables of a database
    are made in one transaction.

    Raises:
        CatalogError: what is there is not a catalog, is newer than this program, cannot be reached, or (read only) does
            not exist or is older.
    """
    catalog = _connect(place, read_only=read_only)
    try:
        if read_only:
            _require_current(catalog)
        else:
            migrate(catalog)
    except sqlite.Error as error:
        catalog.close()
        raise CatalogError(f"{place}: not a usable catalog ({error})") from error
    except BaseException:
        catalog.close()
        raise
    return catalog


def has_catalog(place: Place) -> bool:
    """Say whether a catalog store is there.

    Raises:
        CatalogError: the database cannot be reached.
    """
    if isinstance(place, Path):
        return place.exists()
    with _connect(place, read_only=True) as catalog:
        return schema_version(catalog) > 0


def migrations() -> dict[int, tuple[str, str]]:
    """Return number → (file name, text) of every migration, in order."""
    found = {}
    for file in files("golden_records.catalog.migrations").iterdir():
        match = _MIGRATION_NAME.fullmatch(file.name)
        if match:
            found[int(match.group(1))] = (file.name, file.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def schema_version(catalog: Catalog) -> int:
    """Return the number of the last migration applied, 0 for an empty store."""
    if catalog.connection.columns("schema_migration") != ("version", "name"):
        return 0  # none, or another program's
    row = catalog.row("select max(version) from schema_migration")
    return int(row[0]) if row is not None and row[0] is not None else 0


def migrate(catalog: Catalog) -> int:
    """Apply the migrations that are missing, each whole or not at all, and return the schema version.

    Raises:
        CatalogError: the store was made by a newer program, or the file holds something else.
    """
    known = migrations()
    newest = max(known)
    if schema_version(catalog) == newest:
        return newest
    with catalog.writing():
        version = schema_version(catalog)  # another process may have migrated while this one waited
        if version > newest:
            raise CatalogError(_newer(catalog, version, newest))
        if version == 0 and catalog.connection.tables():
            raise CatalogError(f"{catalog.place}: {_NO_CATALOG[isinstance(catalog.place, DatabaseUrl)]}")
        catalog.execute(
            "create table if not exists schema_migration (version bigint not null primary key, name text not null)"
        )
        for number, (name, text) in known.items():
            if number > version:
                catalog.connection.make_tables(text)
                catalog.execute("insert into schema_migration (version, name) values (?, ?)", (number, name))
        catalog.connection.guard()
    return newest


def _connect(place: Place, *, read_only: bool) -> Catalog:
    if isinstance(place, DatabaseUrl):
        from golden_records.catalog import postgresql  # the driver takes half a second to load

        return Catalog(place, postgresql.open_database(place, read_only=read_only))
    if place.is_dir():
        raise CatalogError(f"{place}: a folder, and no catalog; give the path of a file")
    if read_only and not place.exists():
        raise CatalogError(f"{place}: no catalog there; publish a release first")
    if not read_only and not place.exists():
        _make(place)
    try:
        return Catalog(place, sqlite.open_file(place, read_only=read_only))
    except sqlite.Error as error:
        if sqlite.is_busy(error):
            raise CatalogError(
                f"{place}: another process is writing it, as the first release of millions of entities is for minutes; "
                "try again when that has ended"
            ) from error
        raise CatalogError(f"{place}: cannot be opened as a catalog ({error})") from error


def _make(path: Path) -> None:
    """Make an empty catalog, unless another process has made one by then."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}-{threading.get_ident()}")
    try:
        partial.unlink(missing_ok=True)
        with Catalog(partial, sqlite.open_file(partial, read_only=False)) as catalog:
            migrate(catalog)
        with suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
    except (OSError, sqlite.Error) as error:
        raise CatalogError(f"{path}: cannot be made ({error})") from error


def _require_current(catalog: Catalog) -> None:
    version, newest = schema_version(catalog), max(migrations())
    if version == 0 and isinstance(catalog.place, DatabaseUrl):
        raise CatalogError(f"{catalog.place}: no catalog there; publish a release first")
    if version > newest:
        raise CatalogError(_newer(catalog, version, newest))
    if version < newest:
        raise CatalogError(f"{catalog.place}: schema {version}, expected {newest}; open it once for writing to migrate")


def _newer(catalog: Catalog, version: int, newest: int) -> str:
    return f"{catalog.place}: schema {version} is newer than this program's {newest}; install the newer program"
