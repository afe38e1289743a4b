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

from golden_records.catalog import dialect
from golden_records.errors import CatalogError

_MIGRATION_NAME = re.compile(r"(\d{4})_\w+\.sql")


class Catalog:
    """An open catalog store; a resource to be closed, best with `with`."""

    def __init__(self, path: Path, connection: dialect.Connection) -> None:
        self.path = path
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

    def reading(self) -> AbstractContextManager[None]:
        """Return a block in which every query sees the same release."""
        return dialect.transaction(self.connection, writing=False)

    def writing(self) -> AbstractContextManager[None]:
        """Return a block whose changes are all made, or none."""
        return dialect.transaction(self.connection, writing=True)


def open_catalog(path: Path, *, read_only: bool = False) -> Catalog:
    """Open a catalog store, making or migrating it first unless `read_only`.

    A new one appears whole: it is made beside its place, and named when it is complete.

    Raises:
        CatalogError: the file is not a catalog, is newer than this program, or (read only) does not exist or is older.
    """
    if read_only and not path.exists():
        raise CatalogError(f"{path}: no catalog there; publish a release first")
    if not read_only and not path.exists():
        _make(path)
    try:
        catalog = Catalog(path, dialect.connect(path, read_only=read_only))
    except dialect.Error as error:
        raise CatalogError(f"{path}: cannot be opened as a catalog ({error})") from error
    try:
        if read_only:
            _require_current(catalog)
        else:
            migrate(catalog)
    except dialect.Error as error:
        catalog.close()
        raise CatalogError(f"{path}: not a usable catalog ({error})") from error
    except CatalogError:
        catalog.close()
        raise
    return catalog


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
    if not dialect.has_table(catalog.connection, "schema_migration"):
        return 0
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
        if version == 0 and catalog.row("select 1 from sqlite_master") is not None:
            raise CatalogError(f"{catalog.path}: a database, but not a catalog; give the path of a new file")
        catalog.execute(
            "create table if not exists schema_migration (version bigint not null primary key, name text not null)"
        )
        for number, (name, text) in known.items():
            if number > version:
                for statement in dialect.schema_statements(text):
                    catalog.execute(statement)
                catalog.execute("insert into schema_migration (version, name) values (?, ?)", (number, name))
        for statement in dialect.guard_statements():
            catalog.execute(statement)
    return newest


def _make(path: Path) -> None:
    """Make an empty catalog, unless another process has made one by then."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}-{threading.get_ident()}")
    try:
        partial.unlink(missing_ok=True)
        with Catalog(partial, dialect.connect(partial, read_only=False)) as catalog:
            migrate(catalog)
        with suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
    except (OSError, dialect.Error) as error:
        raise CatalogError(f"{path}: cannot be made ({error})") from error


def _require_current(catalog: Catalog) -> None:
    version, newest = schema_version(catalog), max(migrations())
    if version > newest:
        raise CatalogError(_newer(catalog, version, newest))
    if version < newest:
        raise CatalogError(f"{catalog.path}: schema {version}, expected {newest}; open it once for writing to migrate")


def _newer(catalog: Catalog, version: int, newest: int) -> str:
    return f"{catalog.path}: schema {version} is newer than this program's {newest}; install the newer program"
