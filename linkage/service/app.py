"""The application: routes, errors and the edge put together for one workspace."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from golden_records.catalog.place import Place
from linkage.access.access_log import AccessLog
from linkage.access.settings import ServiceSettings
from linkage.service import entities, reconciling, resolving, status, suggesting
from linkage.service.desk.app import desk_app
from linkage.service.desk.state import Desk
from linkage.service.desk.visitor import ROOT
from linkage.service.edge import Edge
from linkage.service.errors import add_error_handlers
from linkage.service.messages import ErrorAnswer
from linkage.service.metrics import Metrics
from linkage.service.rates import Rates
from linkage.service.reader import Reader
from linkage.service.state import ServiceState
from linkage.workspace import Workspace

_DESCRIPTION = (
    "Which legal or natural person is this? Bearer tokens; natural persons are masked, and looking at them is logged. "
    "Every error has one form: error.code, error.message, error.request_id, error.details."
)
_ERRORS = (400, 401, 403, 404, 408, 410, 413, 422, 429, 431, 500, 503)


class Service:
    """The application as a server runs it: `Edge` around the FastAPI application `api`.

    Args:
        catalog: where the catalog is.
        root: directory for the access log's journal.
        settings: limits.
        workspace: the workspace whose review desk is served as well; None: none is.
        now: the time.
        clock: seconds, always rising.
    """

    def __init__(
        self,
        catalog: Place,
        root: Path,
        settings: ServiceSettings | None = None,
        *,
        workspace: Workspace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = settings or ServiceSettings()
        metrics = Metrics()

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            # Answering is work of the interpreter, which does one thing at a time: more threads are slower for all.
            with (
                AccessLog(catalog, root) as log,
                ThreadPoolExecutor(1, "questions") as questions,
                ThreadPoolExecutor(1, "batches") as batches,
            ):
                app.state.guiyi = ServiceState(
                    reader=Reader(catalog),
                    log=log,
                    metrics=metrics,
                    requests=Rates(settings.requests_per_second, settings.request_burst, clock),
                    persons=Rates(settings.person_looks_per_minute / 60, settings.person_look_burst, clock),
                    now=now,
                    questions=questions,
                    batches=batches,
                )
                yield
                app.state.guiyi.reader.close()

        self.api = FastAPI(
            title="Guiyi resolve service",
            description=_DESCRIPTION,
            version="1",
            docs_url=None,
            redoc_url=None,
            lifespan=lifespan,
            responses={code: {"model": ErrorAnswer} for code in _ERRORS},
        )
        for part in (resolving, entities, reconciling, suggesting, status):
            self.api.include_router(part.router)
        add_error_handlers(self.api)
        slow = 0.0
        if workspace is not None:
            self.api.mount(ROOT, desk_app(Desk(workspace, lambda: self.api.state.guiyi)))
            slow = workspace.settings.desk.request_seconds
        self._edge = Edge(self.api, settings, metrics, slow={ROOT: slow} if workspace is not None else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        app: ASGIApp = self._edge
        await app(scope, receive, send)
