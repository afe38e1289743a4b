"""A source's records from month to month: which subjects it has, what it wrote about them, with which errors.

A record keeps its id and its text until the source learns of a change, is corrected or drops the subject.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eval.simulator.channels import World, eligible, observe
from eval.simulator.columns import Draw, Ints, Mask, Text, digits, join, put, text
from eval.simulator.error_table import Batch
from eval.simulator.errors import Applied, corrupt, error_lists
from eval.simulator.profile import ErrorRates, SourceSettings
from eval.simulator.sources import SourcePlan, shape

_NO_ERRORS = ErrorRates()


@dataclass
class Feed:
    """The records of one source; `live` are the ones it still has, `as_of` days since 1970-01-01."""

    plan: SourcePlan
    settings: SourceSettings
    rates: ErrorRates
    subject: Ints
    columns: dict[str, Text]
    applied: Applied
    month_first: Ints
    as_of: Ints
    live: Mask

    def __len__(self) -> int:
        return len(self.subject)

    def record_ids(self, rows: Ints) -> tuple[Text, ...]:
        """Return the key columns of the records at the given rows."""
        if len(shape(self.plan.name).record_id) == 1:
            return (join(self.plan.prefix, digits(rows * 7 + 100_003, 9)),)
        case = join("（2024）粤0306执", digits(rows // 2 + 1), "号")
        return case, digits(rows % 2 + 1)

    def source_record_ids(self) -> Text:
        """Return the `source_record_id` of every record."""
        return join(*self.record_ids(np.arange(len(self), dtype=np.int64)), separator="|")

    def errors(self) -> pa.Array:
        """Return the error classes in the newest version of every record, as lists."""
        return error_lists(len(self), self.applied)


@dataclass(frozen=True)
class Step:
    """What a month did to a feed: rows added, rewritten and dropped."""

    added: Ints
    updated: Ints
    deleted: Ints


def empty_feed(plan: SourcePlan, settings: SourceSettings, rates: ErrorRates) -> Feed:
    """Return a feed without records."""
    none = np.empty(0, dtype=np.int64)
    columns = {field: text([]) for field in shape(plan.name).fields}
    return Feed(plan, settings, rates, none, columns, Applied(none, none), none, none, np.empty(0, dtype=bool))


def step(feed: Feed, world: World, month: int, changed: Mask, rng: Draw) -> Step:
    """Bring a feed up to a month.

    Args:
        feed: the source's records; changed in place.
        world: the district in that month.
        month: 1 is the first, a full load.
        changed: which subjects changed in the month.
        rng: generator.
    """
    first_row = len(feed)
    deleted = _drop_departed(feed, world, month, rng)
    updated = _update(feed, world, changed, month, rng) if month > 1 else np.empty(0, dtype=np.int64)
    _add(feed, world, _newcomers(feed, world, month, rng), month, rng)
    return Step(np.arange(first_row, len(feed)), np.setdiff1d(updated, deleted), deleted)


def _newcomers(feed: Feed, world: World, month: int, rng: Draw) -> Ints:
    who = eligible(world, feed.plan.who, month)
    all_ = world.people.arrives if shape(feed.plan.name).entity == "natural_person" else world.organisations.opens
    new = who if month == 1 else who[all_[who] == month]
    covered = new[rng.random(len(new)) < feed.settings.coverage]
    twice = covered[rng.random(len(covered)) < feed.settings.duplicates]
    return rng.permutation(np.concatenate([covered, twice]))


def _add(feed: Feed, world: World, subjects: Ints, month: int, rng: Draw) -> None:
    batch, applied = _write(feed, world, subjects, feed.rates, rng)
    start, count = len(feed), len(subjects)
    feed.columns = {
        field: pa.concat_arrays([old, batch.columns[field]]) if start else batch.columns[field]
        for field, old in feed.columns.items()
    }
    feed.applied = _merged(feed.applied, Applied(applied.row + start, applied.error))
    feed.subject = np.concatenate([feed.subject, subjects])
    feed.month_first = np.concatenate([feed.month_first, np.full(count, month)])
    feed.as_of = np.concatenate([feed.as_of, _touched(world, month, count, rng)])
    feed.live = np.concatenate([feed.live, np.ones(count, dtype=bool)])


def _update(feed: Feed, world: World, changed: Mask, month: int, rng: Draw) -> Ints:
    """Rewrite records whose subject changed, and put right some of those with errors."""
    learns = feed.live & changed[feed.subject] & (rng.random(len(feed)) < feed.settings.update)
    faulty = np.zeros(len(feed), dtype=bool)
    faulty[feed.applied.row] = True
    corrected = feed.live & faulty & ~learns & (rng.random(len(feed)) < feed.settings.correction)
    for mask, rates in ((learns, feed.rates), (corrected, _NO_ERRORS)):
        rows = np.flatnonzero(mask)
        if len(rows):
            batch, applied = _write(feed, world, feed.subject[rows], rates, rng)
            feed.columns = {field: put(old, rows, batch.columns[field]) for field, old in feed.columns.items()}
            kept = ~mask[feed.applied.row]
            feed.applied = _merged(
                Applied(feed.applied.row[kept], feed.applied.error[kept]), Applied(rows[applied.row], applied.error)
            )
            feed.as_of[rows] = _touched(world, month, len(rows), rng)
    return np.flatnonzero(learns | corrected)


def _drop_departed(feed: Feed, world: World, month: int, rng: Draw) -> Ints:
    natural = shape(feed.plan.name).entity == "natural_person"
    leaves = world.people.leaves if natural else world.organisations.closes
    gone = feed.live & (leaves[feed.subject] <= month) & (rng.random(len(feed)) < feed.settings.removal)
    feed.live[gone] = False
    feed.as_of[gone] = _touched(world, month, int(gone.sum()), rng)
    return np.flatnonzero(gone)


def _write(feed: Feed, world: World, subjects: Ints, rates: ErrorRates, rng: Draw) -> tuple[Batch, Applied]:
    batch = observe(world, feed.plan, subjects, rng)
    return batch, corrupt(batch, rates, rng)


def _merged(left: Applied, right: Applied) -> Applied:
    return Applied(np.concatenate([left.row, right.row]), np.concatenate([left.error, right.error]))


def _touched(world: World, month: int, count: int, rng: Draw) -> Ints:
    """Draw the dates records were last touched: in the month, or in the years before a first load."""
    today = int(world.months[month - 1])
    if month > 1:
        touched: Ints = today + rng.integers(0, 27, count)
        return touched
    spread: Ints = today + 25 - (rng.random(count) ** 2 * 2_500).astype(np.int64)
    return spread
