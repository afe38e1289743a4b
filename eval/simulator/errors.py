"""How a batch of records gets its errors.

A class is applied to a value with the probability the channel's profile gives; it counts only where the value really
changed, and the classes applied are returned per record, so that later every miss can be traced to its cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.simulator.columns import Draw, Ints, differs, pick_rows, present, put, rows_of, take
from eval.simulator.error_table import CORRUPTIONS, Batch, Corruption, Hit
from eval.simulator.profile import ERROR_CLASSES, ErrorRates


@dataclass(frozen=True)
class Applied:
    """Which record got which error class: row and position in `ERROR_CLASSES`, one entry per error."""

    row: Ints
    error: Ints


def corrupt(batch: Batch, rates: ErrorRates, rng: Draw) -> Applied:
    """Put errors into the batch's columns (in place) and return which record got which."""
    rows: list[Ints] = [np.empty(0, dtype=np.int64)]
    errors: list[Ints] = [np.empty(0, dtype=np.int64)]
    for corruption in CORRUPTIONS:
        rate = float(getattr(rates, corruption.name))
        for place in corruption.fields:
            entity, _, field = place.rpartition(":")
            if rate > 0 and field in batch.columns and entity in ("", batch.entity):
                changed = _apply(batch, corruption, field, rate, rng)
                rows.append(changed)
                errors.append(np.full(len(changed), ERROR_CLASSES.index(corruption.name)))
    return Applied(np.concatenate(rows), np.concatenate(errors))


def _apply(batch: Batch, corruption: Corruption, field: str, rate: float, rng: Draw) -> Ints:
    column = batch.columns[field]
    rows = pick_rows(rng, len(column), rate)
    old = rows_of(column, rows)
    has = present(old)
    rows, old = rows[has], rows_of(old, np.flatnonzero(has))
    if len(rows) == 0:
        return rows
    new = corruption.change(old, Hit(batch, rows, rng))
    changed = differs(old, new) & ~np.asarray(pc.fill_null(pc.equal(new, ""), False))
    hit: Ints = rows[changed]
    batch.columns[field] = put(column, hit, rows_of(new, np.flatnonzero(changed)))
    if corruption.also and corruption.also[0] in batch.columns:
        other, alternative = corruption.also
        values = batch.alternatives[alternative](hit)
        batch.columns[other] = put(batch.columns[other], hit, values)
    return hit


def error_lists(count: int, applied: Applied) -> pa.Array:
    """Return the error classes of every record as a list column, each class once, in the order of the table."""
    keys = np.unique(applied.row * len(ERROR_CLASSES) + applied.error)
    row, error = keys // len(ERROR_CLASSES), keys % len(ERROR_CLASSES)
    offsets = np.searchsorted(row, np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), take(ERROR_CLASSES, error))
