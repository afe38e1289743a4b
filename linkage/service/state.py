"""What the requests of one application share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from linkage.access.access_log import AccessLog, Look
from linkage.service.errors import unavailable
from linkage.service.metrics import Metrics
from linkage.service.rates import Rates
from linkage.service.reader import Reader


@dataclass
class ServiceState:
    """What the requests of one application share.

    Attributes:
        reader: the catalog.
        log: the access log.
        metrics: counts and times.
        requests: rates of questions by token.
        persons: rates of looks that go through persons, by token.
        now: the time.
    """

    reader: Reader
    log: AccessLog
    metrics: Metrics
    requests: Rates
    persons: Rates
    now: Callable[[], datetime]

    async def record(self, looks: Sequence[Look]) -> None:
        """Write looks to the access log; return once they are on disk.

        Raises:
            ServiceError: 503; they cannot be written, so the answer may not be given.
        """
        if not looks:
            return
        self.metrics.looks.inc(len(looks))
        try:
            await asyncio.wrap_future(self.log.record(looks))
        except OSError as error:
            raise unavailable("the access log cannot be written; nothing is shown without it") from error


def state_of(request: Request) -> ServiceState:
    """Return the state of the request's application."""
    state: ServiceState = request.app.state.guiyi
    return state
