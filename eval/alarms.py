"""Totals that jump: by which share a run's figures may move from the last one's before an alarm is raised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Limit = Annotated[float, Field(ge=0)]


class StabilityLimits(BaseModel):
    """By which share a total may move from one release to the next before `guiyi run` raises an alarm.

    Attributes:
        entities: entities.
        merges: records merged (records minus entities).
        review_cases: cases waiting for a person.
        source_rows: records in force of one source.
        quarantine: rows in quarantine of the loads in force.
        full_load: records of a full load, against the source's last full load; only their fall counts, and `guiyi
            ingest` refuses it.
        minimum: totals that move by fewer than this raise no alarm, whatever the share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entities: Limit = 0.05
    merges: Limit = 0.1
    review_cases: Limit = 0.25
    source_rows: Limit = 0.1
    quarantine: Limit = 0.5
    full_load: Limit = 0.5
    minimum: Annotated[int, Field(ge=0)] = 20


@dataclass(frozen=True)
class Totals:
    """The totals of a run that are compared with the next one's; `source_rows` is source to records in force."""

    entities: int
    merges: int
    review_cases: int
    quarantine: int
    source_rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """A total that moved further than it may.

    Attributes:
        measure: the name of the limit.
        source: the source, for `source_rows`.
        before: the total of the last run.
        after: the total now.
        limit: the share allowed.
    """

    measure: str
    source: str | None
    before: int
    after: int
    limit: float


def find_alarms(before: Totals | None, after: Totals, limits: StabilityLimits) -> tuple[Alarm, ...]:
    """Return the totals that moved by more than their share; none without an earlier run to compare with.

    A source that is new has nothing to be compared with and raises none.
    """
    if before is None:
        return ()
    pairs: list[tuple[str, str | None, int, int]] = [
        (name, None, getattr(before, name), getattr(after, name))
        for name in ("entities", "merges", "review_cases", "quarantine")
    ]
    pairs += [
        ("source_rows", source, rows, after.source_rows.get(source, 0))
        for source, rows in sorted(before.source_rows.items())
    ]
    found = []
    for measure, source, was, now in pairs:
        limit: float = getattr(limits, measure)
        moved = abs(now - was)
        if moved > limit * was and moved >= max(limits.minimum, 1):
            found.append(Alarm(measure, source, was, now, limit))
    return tuple(found)
