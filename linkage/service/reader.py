"""Reading the catalog while releases come and go: one read-only connection per thread, opened again when it breaks.

A request reads in one transaction, so all of its answer is of one release. If a SQLite file was replaced (restored from
a backup, moved in place) the next request opens the new one; a connection to PostgreSQL that broke is made anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden_records.catalog import dialect
from golden_records.catalog.place import Place
from golden_records.catalog.store import Catalog, open_catalog
from linkage.lookup.snapshot import Lookup, Snapshot
from linkage.service.errors import unavailable

_BUSY_MS = 1_000


class _Held(threading.local):
    lookup: Lookup | None = None
    file: tuple[int, int] | None = None
    breaks: int = 0


class Reader:
    """The catalog as the service reads it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._held = _Held()
        self._breaks = 0  # what broke one thread's connection has broken those of the others

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """Give the current release.

        Raises:
            ServiceError: 503; the catalog is away, broken, or empty.
        """
        try:
            with self._lookup().reading() as snapshot:
                if snapshot.release == 0:
                    raise unavailable("nothing has been published yet")
                yield snapshot
        except dialect.UNUSABLE as error:
            self.close()
            self._breaks += 1
            raise unavailable("the catalog cannot be read now; try again") from error

    def close(self) -> None:
        """Close this thread's connection."""
        if self._held.lookup is not None:
            self._held.lookup.catalog.close()
        self._held.lookup = None

    def _lookup(self) -> Lookup:
        file = _identity(self._place)
        if self._held.lookup is None or self._held.file != file or self._held.breaks != self._breaks:
            self.close()
            catalog: Catalog = open_catalog(self._place, read_only=True)
            catalog.connection.wait_at_most(_BUSY_MS)
            self._held.lookup, self._held.file, self._held.breaks = Lookup(catalog), file, self._breaks
        return self._held.lookup


def _identity(place: Place) -> tuple[int, int] | None:
    """Return what tells a file from one that was put in its place; None of a database."""
    if not isinstance(place, Path):
        return None
    there = place.stat()
    return (there.st_dev, there.st_ino)
