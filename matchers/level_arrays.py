"""Comparison levels evaluated for many pairs at once, on columns of codes.

In: the columns of a table, each value replaced by a code (`matchers.level_columns`), and two arrays of row positions.
Out: the number of the level that holds for each pair. The conditions are those of `matchers.levels`, read a third way:
`sql` serves sets in DuckDB, `Condition.holds` one pair, this millions, as the questions of `matchers.level_plan`. A
level is asked only about the pairs that no better level took, and a question that several ask once a pair.

Invariant: for every condition and pair, `holds` here == `condition.holds` on the two rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matchers.level_columns import MISSING, Codes, Column, Columns, Flags, Ints, Values, numbered
from matchers.level_plan import (
    CHEAP,
    EitherOf,
    Every,
    Negated,
    Question,
    Reaches,
    Shared,
    Some,
    Step,
)
from matchers.levels import Both, Contains, Differs, Either, Missing, Overlaps, Same, SameAcross
from matchers.similarity import SIMILARITIES, Similarity

Floats = NDArray[np.float64]
_Way = tuple[str, str, str]  # similarity, the left side's column, the right side's

_ODD = np.uint64(0x9E3779B97F4A7C15)  # makes one code of two
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
        kept: similarities already asked for, of all pairs; NaN where not yet.
        shared: answers already given, of all pairs; negative where not yet.
    """

    columns: Columns
    all_left: Ints
    all_right: Ints
    numbers: Ints
    kept: dict[_Way, Floats]
    shared: dict[Shared, NDArray[np.int8]]

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
        return Pairs(self.columns, self.all_left, self.all_right, numbers, self.kept, self.shared)

    def codes(self, name: str) -> tuple[Codes, Codes]:
        """Return the codes of a plain column on either side."""
        column = self.columns.named[name]
        assert column.starts is None, f"{name} is a list, which can only overlap or contain"
        return column.codes.take(self.left), column.codes.take(self.right)


def level_numbers(steps: Sequence[Step], pairs: Pairs) -> NDArray[np.int8]:
    """Return the number of the level that holds for each pair, 0 where no step's does."""
    numbers = np.zeros(pairs.size, dtype=np.int8)
    for step in steps:
        if not len(pairs.numbers):
            break
        found = holds(step.question, pairs)
        if found.any():
            numbers[pairs.numbers.compress(found)] = step.number
            pairs = pairs.where(~found)
    return numbers


def holds(question: Question, pairs: Pairs) -> Flags:
    """Return for which pairs the answer is yes."""
    match question:
        case Negated(part):
            return ~holds(part, pairs)
        case Every(parts):
            return ~_some(parts, pairs, answer=False)
        case Some(parts):
            return _some(parts, pairs, answer=True)
        case Shared():
            return _shared(question, pairs)
        case Reaches():
            return _reaches(question, pairs)
    return _agree(question, pairs)


def _agree(question: Question, pairs: Pairs) -> Flags:
    """Answer a question that compares values as such."""
    left, right = pairs.left, pairs.right
    match question:
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
        case EitherOf(wanted):
            have = pairs.columns.have_any(wanted)
            return _either(have.take(left), have.take(right))
        case Both(name, value):
            have = pairs.columns.have(name, value)
            both: Flags = have.take(left) & have.take(right)
            return both
        case Overlaps(name):
            return _overlap(pairs.columns, name, left, right)
        case Contains(name, lists):
            return _contain(pairs, name, lists)
    raise TypeError(f"no evaluation on arrays for {type(question).__name__}")


def _some(parts: Sequence[Question], pairs: Pairs, *, answer: bool) -> Flags:
    """Return for which pairs some part gives the answer; a part is asked only where no earlier one gave it."""
    found: Flags = holds(parts[0], pairs) == answer
    for part in parts[1:]:
        open_ = np.flatnonzero(~found)
        if not len(open_):
            break
        if isinstance(part, CHEAP) and len(open_) > _MOST * len(found):
            found |= holds(part, pairs) == answer
        else:
            found[open_] = holds(part, pairs.at(open_)) == answer
    return found


def _shared(question: Shared, pairs: Pairs) -> Flags:
    """Answer a question that stands in several places, of each pair once."""
    if question not in pairs.shared:
        pairs.shared[question] = np.full(pairs.size, -1, dtype=np.int8)
    known = pairs.shared[question]
    answers = known.take(pairs.numbers)
    open_ = np.flatnonzero(answers < 0)
    if len(open_):
        new = pairs.at(open_)
        found = holds(question.question, new)
        known[new.numbers] = found
        answers[open_] = found
    return answers.view(np.bool_)


def _equal(left: Codes, right: Codes) -> Flags:
    equal: Flags = (left == right) & (left != MISSING)
    return equal


def _both_present(left: Codes, right: Codes) -> Flags:
    both: Flags = (left != MISSING) & (right != MISSING)
    return both


def _either(left: Flags, right: Flags) -> Flags:
    either: Flags = left | right
    return either


def _contain(pairs: Pairs, value: str, lists: str) -> Flags:
    """Return where a value of one side is an element of the other's list."""
    (a, b), column, present = pairs.codes(value), pairs.columns.named[lists], pairs.columns.present(lists)
    found = np.zeros(len(a), dtype=np.bool_)
    for values, rows in ((a, pairs.right), (b, pairs.left)):
        at = np.flatnonzero(present.take(rows) & ~found)
        if len(at) > _MOST * len(found):
            found |= _contained(values, column, rows)
        else:
            found[at] = _contained(values.take(at), column, rows.take(at))
    return found


def _contained(values: Codes, column: Column, rows: Ints) -> Flags:
    """Return where a value is an element of the list in a row."""
    assert column.starts is not None
    assert column.sizes is not None
    assert column.first is not None
    assert column.several is not None
    found = _equal(column.first.take(rows), values)
    open_ = np.flatnonzero(column.several.take(rows) & ~found)
    open_ = open_.compress(values.take(open_) != MISSING)
    sizes = column.sizes.take(rows.take(open_))
    at = 1
    while len(open_):
        inside = column.codes[column.starts[rows[open_]] + at] == values[open_]
        found[open_] = inside
        at += 1
        more = ~inside & (sizes > at)
        open_, sizes = open_[more], sizes[more]
    return found


def _overlap(columns: Columns, name: str, left: Ints, right: Ints) -> Flags:
    """Return where the lists of two rows share an element."""
    column = columns.named[name]
    assert column.starts is not None
    assert column.sizes is not None
    assert column.first is not None
    assert column.several is not None
    found = _equal(column.first.take(left), column.first.take(right))
    several = np.flatnonzero(~found & _either(column.several.take(left), column.several.take(right)))
    if len(several):
        found[several] = _share_one(column, left.take(several), right.take(several))
    return found


def _share_one(column: Column, left: Ints, right: Ints) -> Flags:
    """Return where the lists of two rows share an element, whatever their sizes."""
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


def _reaches(question: Reaches, pairs: Pairs) -> Flags:
    """Return where a similarity reaches its bound."""
    found = np.zeros(len(pairs.numbers), dtype=np.bool_)
    present = pairs.columns.present
    for one, other in question.ways:
        both = present(one).take(pairs.left)
        both &= present(other).take(pairs.right)
        at = np.flatnonzero(both & ~found)
        if len(at):
            look = _kept if question.kept else _asked
            found[at] = look(pairs.at(at), (question.similarity, one, other)) >= question.bound
    return found


def _kept(pairs: Pairs, way: _Way) -> Floats:
    """Return a similarity of the values on both sides, of each pair asked once."""
    if way not in pairs.kept:
        pairs.kept[way] = np.full(pairs.size, np.nan)
    known = pairs.kept[way]
    answers: Floats = known.take(pairs.numbers)
    at = np.flatnonzero(np.isnan(answers))
    if len(at):
        new = pairs.at(at)
        found = _asked(new, way)
        answers[at] = found
        known[new.numbers] = found
    return answers


def _asked(pairs: Pairs, way: _Way) -> Floats:
    """Return a similarity of the values on both sides, of which none is missing."""
    name, one, other = way
    sides = pairs.columns.named[one].looked_at, pairs.columns.named[other].looked_at
    rows = pairs.left, pairs.right
    if SIMILARITIES[name].among is not None and one == other and len(pairs.numbers) > _ALL_LOOKED_AT * pairs.size:
        return sides[0].compare(SIMILARITIES[name], *rows)
    return _compared(SIMILARITIES[name], sides, rows)


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
