"""Comparison levels evaluated for many pairs at once, on columns of codes.

In: the columns of a table, each value replaced by a code (`matchers.level_columns`), and two arrays of row positions.
Out: the number of the level that holds for each pair. The conditions are those of `matchers.levels`, read a third way:
`sql` serves sets in DuckDB, `Condition.holds` one pair, this millions. A level is asked only about the pairs that no
better level took, and a similarity once for two values however many pairs of a slice have them.

Invariant: for every condition and pair, `holds` here == `condition.holds` on the two rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matchers.level_columns import MISSING, Codes, Column, Columns, Flags, Ints, Values, numbered
from matchers.levels import (
    All,
    AnyOf,
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Contains,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Overlaps,
    Same,
    SameAcross,
)
from matchers.similarity import SIMILARITIES, Similarity

Floats = NDArray[np.float64]

_ODD = np.uint64(0x9E3779B97F4A7C15)  # makes one code of two
_CHEAP = Same | Differs | Missing  # cheaper to ask of all pairs than to pick
_ALL_LOOKED_AT = 0.06  # share of pairs asking from which all values of a column are looked at, for all slices at once
_MOST = 0.7  # this share of them
_MANY = 256  # combinations of two lists from which they are compared as sets


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows of a table, or some of them.

    Attributes:
        columns: the table.
        all_left: one row of each of all pairs.
        all_right: the other.
        numbers: which of all pairs these are.
        known: similarities already asked for, of all pairs; NaN where not yet.
        shared: answers to questions about lists already asked, of all pairs; negative where not yet.
    """

    columns: Columns
    all_left: Ints
    all_right: Ints
    numbers: Ints
    known: dict[tuple[str, str, str], Floats]
    shared: dict[Condition, NDArray[np.int8]]

    @staticmethod
    def of(columns: Columns, left: Ints, right: Ints) -> Pairs:
        """Return the pairs of two arrays of rows."""
        return Pairs(columns, left, right, np.arange(len(left)), {}, {})

    @property
    def size(self) -> int:
        """How many pairs there are in all."""
        return len(self.all_left)

    @cached_property
    def left(self) -> Ints:
        """One row of each pair."""
        return self._rows(self.all_left)

    @cached_property
    def right(self) -> Ints:
        """The other row of each pair."""
        return self._rows(self.all_right)

    def _rows(self, side: Ints) -> Ints:
        return side if len(self.numbers) == len(side) else side.take(self.numbers)

    def where(self, flags: Flags) -> Pairs:
        """Return the pairs flagged."""
        return self.at(np.flatnonzero(flags))

    def at(self, at: Ints) -> Pairs:
        """Return the pairs at the places given, which rise."""
        if len(at) == len(self.numbers):
            return self
        numbers = self.numbers.take(at)
        return Pairs(self.columns, self.all_left, self.all_right, numbers, self.known, self.shared)

    def codes(self, name: str) -> tuple[Codes, Codes]:
        """Return the codes of a plain column on either side."""
        column = self.columns.named[name]
        assert column.starts is None, f"{name} is a list, which can only overlap or contain"
        return column.codes.take(self.left), column.codes.take(self.right)


def level_numbers(levels: Sequence[Level], pairs: Pairs) -> NDArray[np.int8]:
    """Return the number of the level that holds for each pair: -1 `missing`, 0 the last level, upwards to the best."""
    numbers = np.zeros(pairs.size, dtype=np.int8)
    for position, level in enumerate(levels):
        if level.condition is None or not len(pairs.numbers):
            continue
        found = holds(level.condition, pairs)
        if found.any():
            numbers[pairs.numbers.compress(found)] = -1 if level.is_missing else len(levels) - 1 - position
            pairs = pairs.where(~found)
    return numbers


def holds(condition: Condition | _EitherOf, pairs: Pairs) -> Flags:
    """Return for which pairs a condition holds."""
    match condition:
        case Not(part):
            return ~holds(part, pairs)
        case All(parts):
            return ~_some(parts, pairs, answer=False)
        case AnyOf(parts):
            return _some(_joined(parts), pairs, answer=True)
        case AtLeast(similarity, name, bound):
            reached: Flags = _similarity(pairs, (similarity, name, name)) >= bound
            return reached
        case AtLeastAcross(similarity, name, other, bound):
            ways = ((name, other), (other, name))
            return _either(*(_similarity(pairs, (similarity, *way)) >= bound for way in ways))
    return _agree(condition, pairs)


def _agree(condition: Condition | _EitherOf, pairs: Pairs) -> Flags:
    """Return for which pairs a condition holds that compares values as such."""
    left, right = pairs.left, pairs.right
    match condition:
        case Same(name):
            a, b = pairs.codes(name)
            return _equal(a, b)
        case Differs(name):
            a, b = pairs.codes(name)
            differ: Flags = _both_present(a, b) & (a != b)
            return differ
        case SameAcross(name, other):
            (a, b), (c, d) = pairs.codes(name), pairs.codes(other)
            return _equal(a, d) | _equal(c, b)
        case Missing(names):
            missing = pairs.columns.missing(names)
            return _either(missing.take(left), missing.take(right))
        case Either(name, value):
            have = pairs.columns.have(name, value)
            return _either(have.take(left), have.take(right))
        case _EitherOf(wanted):
            have = pairs.columns.have_any(wanted)
            return _either(have.take(left), have.take(right))
        case Both(name, value):
            have = pairs.columns.have(name, value)
            both: Flags = have.take(left) & have.take(right)
            return both
        case Overlaps() | Contains():
            return _known(condition, pairs)
    raise TypeError(f"no evaluation on arrays for {type(condition).__name__}")


@dataclass(frozen=True)
class _EitherOf:
    """At least one side has one of several values: asked of each row once, not of each pair value by value."""

    wanted: tuple[tuple[str, str | int | bool], ...]


@lru_cache(maxsize=256)
def _joined(parts: tuple[Condition, ...]) -> tuple[Condition | _EitherOf, ...]:
    """Return the alternatives with all that ask the sides for a value as one, in the place of the first."""
    asked = tuple(part for part in parts if isinstance(part, Either))
    if len(asked) < 2:
        return parts
    one = _EitherOf(tuple((part.column, part.value) for part in asked))
    first = parts.index(asked[0])
    return (*parts[:first], one, *(part for part in parts[first:] if not isinstance(part, Either)))


def _some(parts: Sequence[Condition | _EitherOf], pairs: Pairs, *, answer: bool) -> Flags:
    """Return for which pairs some part gives the answer; a part is asked only where no earlier one gave it."""
    found: Flags = holds(parts[0], pairs) == answer
    for part in parts[1:]:
        open_ = np.flatnonzero(~found)
        if not len(open_):
            break
        if isinstance(part, _CHEAP) and len(open_) > _MOST * len(found):
            found |= holds(part, pairs) == answer
        else:
            found[open_] = holds(part, pairs.at(open_)) == answer
    return found


def _equal(left: Codes, right: Codes) -> Flags:
    equal: Flags = (left == right) & (left != MISSING)
    return equal


def _both_present(left: Codes, right: Codes) -> Flags:
    both: Flags = (left != MISSING) & (right != MISSING)
    return both


def _either(left: Flags, right: Flags) -> Flags:
    either: Flags = left | right
    return either


def _contained(values: Codes, column: Column, rows: Ints) -> Flags:
    """Return where a value is an element of the list in a row."""
    assert column.starts is not None
    assert column.sizes is not None
    assert column.first is not None
    found = _equal(column.first.take(rows), values)
    sizes = column.sizes.take(rows)
    open_ = np.flatnonzero((sizes > 1) & ~found & (values != MISSING))
    at = 1
    while len(open_):
        found[open_] = column.codes[column.starts[rows[open_]] + at] == values[open_]
        at += 1
        open_ = open_[~found[open_] & (sizes[open_] > at)]
    return found


def _known(condition: Overlaps | Contains, pairs: Pairs) -> Flags:
    """Return for which pairs a condition on lists holds; several levels may ask this of one pair."""
    if condition not in pairs.shared:
        pairs.shared[condition] = np.full(pairs.size, -1, dtype=np.int8)
    known = pairs.shared[condition]
    new = pairs.where(known.take(pairs.numbers) < 0)
    if len(new.numbers):
        known[new.numbers] = _shared(condition, new)
    answers: Flags = known.take(pairs.numbers) > 0
    return answers


def _shared(condition: Overlaps | Contains, pairs: Pairs) -> Flags:
    match condition:
        case Overlaps(name):
            return _overlap(pairs.columns.named[name], pairs.left, pairs.right)
        case Contains(name, lists):
            (a, b), column = pairs.codes(name), pairs.columns.named[lists]
            found = _contained(a, column, pairs.right)
            open_ = np.flatnonzero(~found)
            found[open_] = _contained(b.take(open_), column, pairs.left.take(open_))
            return found


def _overlap(column: Column, left: Ints, right: Ints) -> Flags:
    """Return where the lists of two rows share an element."""
    assert column.starts is not None
    assert column.sizes is not None
    starts, sizes = column.starts[left], column.sizes[left]
    combinations = sizes * column.sizes[right]
    found = np.zeros(len(left), dtype=np.bool_)
    for i in np.flatnonzero(combinations > _MANY).tolist():
        a, b = (column.codes[s : s + n] for s, n in ((starts[i], sizes[i]), _extent(column, right[i])))
        found[i] = bool(np.isin(a, b).any())
    open_ = np.flatnonzero((combinations > 0) & (combinations <= _MANY))
    at = 0
    while len(open_):
        found[open_] = _contained(column.codes[starts[open_] + at], column, right[open_])
        at += 1
        open_ = open_[~found[open_] & (sizes[open_] > at)]
    return found


def _extent(column: Column, row: int) -> tuple[int, int]:
    assert column.starts is not None
    assert column.sizes is not None
    return int(column.starts[row]), int(column.sizes[row])


def _similarity(pairs: Pairs, key: tuple[str, str, str]) -> Floats:
    """Return a similarity of the left side's column and the right side's, minus infinity where one has no value."""
    if key not in pairs.known:
        pairs.known[key] = np.full(pairs.size, np.nan)
    known = pairs.known[key]
    answers: Floats = known.take(pairs.numbers)
    at = np.flatnonzero(np.isnan(answers))
    if len(at):
        new = pairs.at(at)
        found = _asked(new, key)
        answers[at] = found
        known[new.numbers] = found
    return answers


def _asked(pairs: Pairs, key: tuple[str, str, str]) -> Floats:
    """Return a similarity that was not asked for yet."""
    name, one, other = key
    present = pairs.columns.present
    at = np.flatnonzero(present(one).take(pairs.left))
    at = at.compress(present(other).take(pairs.right.take(at)))
    answers = np.full(len(pairs.numbers), -np.inf)
    if len(at):
        sides = pairs.columns.named[one].looked_at, pairs.columns.named[other].looked_at
        rows = pairs.left.take(at), pairs.right.take(at)
        if SIMILARITIES[name].among is not None and one == other and len(at) > _ALL_LOOKED_AT * pairs.size:
            answers[at] = sides[0].compare(SIMILARITIES[name], *rows)
        else:
            answers[at] = _compared(SIMILARITIES[name], sides, rows)
    return answers


def _compared(similarity: Similarity, sides: tuple[Values, Values], rows: tuple[Ints, Ints]) -> Floats:
    """Return a similarity of values in rows of two columns; the values of these, or their pairs, are looked at once."""
    codes = [values.codes.take(side) for values, side in zip(sides, rows, strict=True)]
    if similarity.among is None:
        numbers, shown_by = numbered(codes[0] * _ODD + codes[1])
        lists = (values.of(side.take(shown_by)).to_pylist() for values, side in zip(sides, rows, strict=True))
        found: Floats = similarity.many(*lists).take(numbers)
        return found
    numbers, shown_by = numbered(np.concatenate(codes))
    size = len(rows[0])
    parts = np.flatnonzero(shown_by < size), np.flatnonzero(shown_by >= size)
    shown = rows[0].take(shown_by.take(parts[0])), rows[1].take(shown_by.take(parts[1]) - size)
    texts = pa.concat_arrays([values.of(side) for values, side in zip(sides, shown, strict=True)])
    places = np.argsort(np.concatenate(parts)).take(numbers)
    return similarity.among(texts)(places[:size], places[size:])
