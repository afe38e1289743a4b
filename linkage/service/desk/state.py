"""What the requests of the desk share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from fastapi import Request

from golden_records.catalog import dialect
from golden_records.catalog.store import Catalog, open_catalog
from linkage.at_once.preview import Preview
from linkage.review.queue import Overview, bring_up
from linkage.service.errors import unavailable
from linkage.service.reader import Reader
from linkage.service.state import ServiceState
from linkage.sources import known_sources
from linkage.workspace import Workspace

_KEPT_PREVIEWS = 200
_PATIENCE_MS = 5_000
_QUEUE_PATIENCE_MS = 200


@dataclass
class Desk:
    """What the requests of the desk share.

    Attributes:
        workspace: the workspace it is the desk of.
        service: what it has in common with the API: the access log, rates of looks, the time.
        batch: held by whoever has the batch database open; DuckDB takes one of a process at a time.
        overview: counts of all cases, kept while nothing changes.
        previews: effects that were worked out, by case, version and ruling.
    """

    workspace: Workspace
    service: Callable[[], ServiceState]
    batch: threading.RLock = field(default_factory=threading.RLock)
    overview: Overview | None = None
    previews: OrderedDict[tuple[str, ...], Preview] = field(default_factory=OrderedDict)

    @property
    def reader(self) -> Reader:
        """The catalog as the service reads it."""
        return self.service().reader

    def now(self) -> datetime:
        """Return the time."""
        return self.service().now()

    @contextmanager
    def reading(self) -> Iterator[Catalog]:
        """Give the catalog in one transaction, read only."""
        with self.reader.reading() as snapshot:
            yield snapshot.catalog

    @contextmanager
    def writing(self) -> Iterator[Catalog]:
        """Give the catalog, open for writing.

        Raises:
            ServiceError: 503; it cannot be written now.
        """
        try:
            with open_catalog(self.workspace.catalog) as catalog:
                catalog.connection.wait_at_most(_PATIENCE_MS)
                yield catalog
        except dialect.UNUSABLE as error:
            raise unavailable("a release is being published; try again in a moment") from error

    def bring_up(self) -> None:
        """Bring the queue up to date; while a release is being published it stays as it is."""
        try:
            with open_catalog(self.workspace.catalog) as catalog:
                catalog.connection.wait_at_most(_QUEUE_PATIENCE_MS)
                bring_up(catalog)
        except dialect.UNUSABLE:
            return

    def keep_preview(self, key: tuple[str, ...], found: Preview) -> None:
        """Remember an effect that was worked out."""
        self.previews[key] = found
        while len(self.previews) > _KEPT_PREVIEWS:
            self.previews.popitem(last=False)

    @cached_property
    def source_titles(self) -> dict[str, tuple[str, str]]:
        """Source → its name in Chinese and English."""
        return {
            name: (source.title_zh or name, source.title_en or name)
            for name, source in known_sources(self.workspace).items()
        }


def desk_of(request: Request) -> Desk:
    """Return the desk of a request."""
    desk: Desk = request.app.state.desk
    return desk
