"""What the requests of one application share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request

from linkage.access.access_log import AccessLog, Look
from linkage.service.errors import unavailable
from linkage.service.metrics import Metrics
from linkage.service.rates import Rates
from linkage.service.reader import Reader

_T = TypeVar("_T")


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
        questions: the thread that answers questions too long for the loop.
        batches: the thread that answers many of them at once, which must not keep single ones waiting.
    """

    reader: Reader
    log: AccessLog
    metrics: Metrics
    requests: Rates
    persons: Rates
    now: Callable[[], datetime]
    questions: Executor
    batches: Executor

    async def ask(self, work: Callable[..., _T], *values: Any) -> _T:
        """Return what a function returns that reads the catalog for one question."""
        return await asyncio.get_running_loop().run_in_executor(self.questions, work, *values)

    async def ask_many(self, work: Callable[..., _T], *values: Any) -> _T:
        """Return what a function returns that reads the catalog for many questions."""
        return await asyncio.get_running_loop().run_in_executor(self.batches, work, *values)

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
