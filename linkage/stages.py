"""Seconds, memory and rows of each stage of a run, and who is told about them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import psutil

_SAMPLE_SECONDS = 0.1


@dataclass(slots=True)
class Stage:
    """One stage of a run.

    Attributes:
        name: stable name.
        entity: the entity type it worked on, if one.
        seconds: wall clock.
        peak_mb: most memory this process and its children held during the stage.
        rows: rows it made.
    """

    name: str
    entity: str | None
    seconds: float = 0.0
    peak_mb: float = 0.0
    rows: int = 0


class Observer(Protocol):
    """Who is told about the progress of a run."""

    def started(self, stage: Stage) -> None:
        """A stage begins."""
        ...

    def progressed(self, stage: Stage, done: int) -> None:
        """A stage has made so many rows."""
        ...

    def finished(self, stage: Stage) -> None:
        """A stage has ended."""
        ...


class Silent:
    """An observer that says nothing."""

    def started(self, stage: Stage) -> None:
        """Say nothing."""

    def progressed(self, stage: Stage, done: int) -> None:
        """Say nothing."""

    def finished(self, stage: Stage) -> None:
        """Say nothing."""


@dataclass
class StageClock:
    """Measures stages one after the other.

    Attributes:
        observer: who is told.
        stages: the finished stages, in order.
    """

    observer: Observer = field(default_factory=Silent)
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, entity: str | None = None) -> Iterator[Stage]:
        """Measure a stage; set `rows` on what is yielded."""
        stage = Stage(name, entity)
        self.observer.started(stage)
        started = time.perf_counter()
        with _peak_memory(stage):
            yield stage
        stage.seconds = time.perf_counter() - started
        self.stages.append(stage)
        self.observer.finished(stage)


@contextmanager
def _peak_memory(stage: Stage) -> Iterator[None]:
    process = psutil.Process()
    stop = threading.Event()

    def sample() -> None:
        while True:
            stage.peak_mb = max(stage.peak_mb, _resident_bytes(process) / 1e6)
            if stop.wait(_SAMPLE_SECONDS):
                return

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _resident_bytes(process: psutil.Process) -> int:
    total = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return int(total)
