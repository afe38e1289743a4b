"""Vectorised operations on text columns (Arrow arrays of strings) and seeded draws.

Everything the simulator does to a million values goes through these: no loop over rows. Randomness comes only from
generators made by `stream`, named for what they are used for, so that adding a draw in one place changes no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Text = Any  # pa.StringArray; pyarrow ships no types
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Draw = np.random.Generator


def stream(seed: int, *names: str | int) -> Draw:
    """Return the random generator of a seed and a purpose; the same arguments give the same draws."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    purpose = np.frombuffer(digest[:16], dtype=np.uint32).tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *purpose])))


def choose(rng: Draw, weights: Sequence[float] | NDArray[np.float64], size: int) -> Ints:
    """Draw `size` positions with the given weights."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    positions: Ints = np.minimum(drawn, len(cumulative) - 1).astype(np.int64)
    return positions


def zipf(count: int, exponent: float = 1.0, offset: float = 2.0) -> NDArray[np.float64]:
    """Return weights falling with rank: `1 / (rank + offset) ** exponent`."""
    weights = (np.arange(count, dtype=np.float64) + 1.0 + offset) ** -exponent
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def pick_rows(rng: Draw, count: int, probability: float) -> Ints:
    """Draw the rows an event of small probability meets: sorted, each at most once."""
    if probability <= 0 or count == 0:
        return np.empty(0, dtype=np.int64)
    if probability >= 1:
        return np.arange(count, dtype=np.int64)
    if probability > 0.2:
        return np.flatnonzero(rng.random(count) < probability).astype(np.int64)
    # The rate is corrected for rows drawn twice, so that the expected share is the probability.
    hits = rng.poisson(-np.log1p(-probability) * count)
    return np.unique(rng.integers(0, count, hits)).astype(np.int64)


def text(values: Sequence[str | None]) -> Text:
    """Return a text column of the values."""
    return pa.array(values, type=pa.string())


def nothing(count: int) -> Text:
    """Return a column of missing values."""
    return pa.nulls(count, pa.string())


def constant(value: str, count: int) -> Text:
    """Return a column with one value in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def take(table: Sequence[str | None] | Text, positions: NDArray[Any]) -> Text:
    """Return `table[position]` for every position; a negative position is missing."""
    values = table if isinstance(table, pa.Array) else text(table)
    if len(positions) and positions.min() < 0:
        return pc.take(values, pa.array(positions, mask=positions < 0))
    return pc.take(values, pa.array(positions))


def join(*parts: Text | str, separator: str = "") -> Text:
    """Join columns (or fixed texts) row by row; missing parts count as empty."""
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")


def digits(numbers: NDArray[Any], width: int = 0) -> Text:
    """Write whole numbers as text, with leading zeros up to `width`."""
    written = pc.cast(pa.array(numbers), pa.string())
    return pc.utf8_lpad(written, width, "0") if width else written


def where(mask: Mask, chosen: Text, other: Text) -> Text:
    """Return `chosen` where the mask holds, else `other`."""
    return pc.if_else(pa.array(mask), chosen, other)


def put(values: Text, rows: NDArray[Any], new: Text) -> Text:
    """Return the column with `new` at the given rows, which must be sorted and distinct."""
    if len(rows) == 0:
        return values
    mask = np.zeros(len(values), dtype=bool)
    mask[rows] = True
    new = new.combine_chunks() if isinstance(new, pa.ChunkedArray) else new
    return pc.replace_with_mask(values, pa.array(mask), new)


def rows_of(values: Text, rows: NDArray[Any]) -> Text:
    """Return the values at the given rows."""
    return pc.take(values, pa.array(rows))


def present(values: Text) -> Mask:
    """Return where the column has a value."""
    mask: Mask = np.asarray(pc.is_valid(values))
    return mask


def differs(left: Text, right: Text) -> Mask:
    """Return where two columns are not the same; missing equals missing."""
    unequal = np.asarray(pc.fill_null(pc.not_equal(left, right), False))
    mask: Mask = unequal | (present(left) != present(right))
    return mask


def matches(values: Text, pattern: str) -> Mask:
    """Return where a regular expression (RE2) matches; missing does not."""
    mask: Mask = np.asarray(pc.fill_null(pc.match_substring_regex(values, pattern), False))
    return mask


def replace(values: Text, pattern: str, replacement: str) -> Text:
    """Replace every match of a regular expression (RE2); missing stays missing."""
    return pc.replace_substring_regex(values, pattern, replacement)


def cut(values: Text, start: int, stop: int | None = None) -> Text:
    """Return characters `start` to `stop` of every value."""
    return pc.utf8_slice_codeunits(values, start, stop)


def codepoints(values: Text) -> NDArray[np.uint32]:
    """Return the characters as a matrix of code points, one row a value, padded with 0; missing is a row of zeros."""
    filled = pc.fill_null(values, "").to_pylist()
    if not filled:
        return np.zeros((0, 1), dtype=np.uint32)
    array = np.array(filled, dtype=np.str_)
    width = max(array.dtype.itemsize // 4, 1)
    if array.dtype.itemsize == 0:
        return np.zeros((len(filled), 1), dtype=np.uint32)
    matrix: NDArray[np.uint32] = array.view(np.uint32).reshape(len(filled), width).copy()
    return matrix


def from_codepoints(matrix: NDArray[np.uint32]) -> Text:
    """Return the text column of a matrix of code points padded with 0 (see `codepoints`)."""
    contiguous = np.ascontiguousarray(matrix, dtype=np.uint32)
    return text(contiguous.view(f"U{matrix.shape[1]}").reshape(len(matrix)).tolist())


def days(dates: NDArray[Any]) -> Text:
    """Write days since 1970-01-01 as ISO dates."""
    if len(dates) == 0:
        return text([])
    first = int(np.min(dates))
    # Few distinct days, many rows: write each day once.
    calendar = np.arange(first, int(np.max(dates)) + 1).astype("datetime64[D]").astype(str).tolist()
    return take(text(calendar), np.asarray(dates) - first)


def scattered_numbers(rng: Draw, count: int, space: int) -> Ints:
    """Return `count` distinct numbers below `space` that look random: an affine walk with a random start and step."""
    if count > space:
        raise ValueError(f"{count} distinct numbers do not fit below {space}")
    step = int(rng.integers(space // 3 + 1, space)) | 1
    while np.gcd(step, space) != 1:
        step += 2
    return (int(rng.integers(0, space)) + np.arange(count, dtype=np.int64) * (step % space)) % space
