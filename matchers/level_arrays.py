"""Comparison levels evaluated for many pairs at once, on columns of codes.

In: the columns of a table, each value replaced by a code (`coded`), and two arrays of row positions. Out: the number
of the level that holds for each pair. The conditions are those of `matchers.levels`, read a third way: `sql` serves
sets in DuckDB, `Condition.holds` one pair, this millions. A level is asked only about the pairs that no better level
took, and a similarity once for two values however many pairs of a slice have them.

Invariant: for every condition and pair, `holds` here == `condition.holds` on the two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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
    columns_of,
)
from matchers.similarity import SIMILARITIES, Compare, Similarity

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

MISSING = -1
_ABSENT = -2
_MANY = 256  # combinations of two lists from which they are compared as sets


@dataclass(frozen=True)
class Column:
    """A column of codes.

    Attributes:
        codes: of a plain column the code of each row, `MISSING` where it has no value; of a list column the codes of
            all elements, row after row.
        values: the value each code stands for; shared by columns that are compared with each other.
        starts: of a list column where each row's elements start; `None` for a plain column.
        sizes: of a list column how many elements each row has.
        compares: functions that compare the values by code, for similarities that look at each value once; made when
            first asked for, and shared as the values are.
    """

    codes: Codes
    values: pa.Array
    starts: Ints | None = None
    sizes: Ints | None = None
    compares: dict[str, Compare] = field(default_factory=dict, compare=False)

    def is_missing(self, rows: Ints) -> Flags:
        """Return for which rows there is no value."""
        return self.codes.take(rows) < 0 if self.sizes is None else self.sizes.take(rows) == 0


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows of a table, or some of them.

    Attributes:
        columns: the table.
        left: one row of each pair.
        right: the other.
        numbers: which of all pairs these are.
        size: how many pairs there are in all.
        known: similarities already asked for, of all pairs; NaN where not yet.
        shared: for list columns already asked for, whether they overlap, of all pairs; negative where not yet.
    """

    columns: Mapping[str, Column]
    left: Ints
    right: Ints
    numbers: Ints
    size: int
    known: dict[tuple[str, str, str], Floats]
    shared: dict[str, NDArray[np.int8]]

    @staticmethod
    def of(columns: Mapping[str, Column], left: Ints, right: Ints) -> Pairs:
        """Return the pairs of two arrays of rows."""
        return Pairs(columns, left, right, np.arange(len(left)), len(left), {}, {})

    def where(self, flags: Flags) -> Pairs:
        """Return the pairs flagged."""
        return self.at(np.flatnonzero(flags))

    def at(self, at: Ints) -> Pairs:
        """Return the pairs at the places given, which rise."""
        if len(at) == len(self.left):
            return self
        left, right, numbers = self.left.take(at), self.right.take(at), self.numbers.take(at)
        return Pairs(self.columns, left, right, numbers, self.size, self.known, self.shared)

    def codes(self, name: str) -> tuple[Codes, Codes]:
        """Return the codes of a plain column on either side."""
        column = self.columns[name]
        assert column.starts is None, f"{name} is a list, which can only overlap or contain"
        return column.codes.take(self.left), column.codes.take(self.right)


def columns_read(levels: Sequence[Level]) -> list[str]:
    """Return the columns that the levels read, sorted."""
    read = columns_of(level.condition for level in levels if level.condition is not None)
    return sorted(read | {level.term_frequency for level in levels if level.term_frequency})


def coded(table: pa.Table, levels: Sequence[Level], positions: Ints, spread: Spread = map) -> dict[str, Column]:
    """Return the columns of a table as codes, values that the levels compare across columns under one code.

    Args:
        table: the columns that the levels read.
        levels: the levels to be evaluated on them.
        positions: where each row of the table goes, each position once.
        spread: applies a function to many arguments, as `map` does; a pool's does it in threads.
    """
    groups: list[set[str]] = [{name} for name in table.column_names]
    for together in (pair for level in levels if level.condition for pair in _across(level.condition)):
        merged = set().union(*(group for group in groups if group & together))
        groups = [group for group in groups if not group & together] + [merged]

    def encode(group: set[str]) -> dict[str, Column]:
        return _encoded({name: table.column(name) for name in sorted(group)}, positions)

    return {name: column for found in spread(encode, groups) for name, column in found.items()}


def _encoded(columns: Mapping[str, pa.ChunkedArray], positions: Ints) -> dict[str, Column]:
    """Return columns of one group, whose codes are those of one list of values."""
    flat = {name: pc.list_flatten(c) if pa.types.is_list(c.type) else c for name, c in columns.items()}
    together = pa.chunked_array([chunk for c in flat.values() for chunk in c.chunks], next(iter(flat.values())).type)
    encoded = together.dictionary_encode()
    # Chunks of one encoding share their values; chunks without rows are left out.
    values = encoded.chunk(encoded.num_chunks - 1).dictionary if encoded.num_chunks else together.combine_chunks()
    parts = [chunk.indices.fill_null(MISSING).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    codes = np.concatenate([np.empty(0, np.int32), *parts])
    made: dict[str, Column] = {}
    compares: dict[str, Compare] = {}
    for name, column in columns.items():
        own, codes = np.split(codes, [len(flat[name])])
        if pa.types.is_list(column.type):
            lengths = pc.list_value_length(column).fill_null(0).to_numpy().astype(np.int64)
            starts = np.cumsum(lengths) - lengths
            made[name] = Column(own, values, _placed(starts, positions), _placed(lengths, positions), compares)
        else:
            made[name] = Column(_placed(own, positions), values, compares=compares)
    return made


def _placed(array: NDArray[Any], positions: Ints) -> NDArray[Any]:
    placed = np.empty_like(array)
    placed[positions] = array
    return placed


def level_numbers(levels: Sequence[Level], pairs: Pairs) -> NDArray[np.int8]:
    """Return the number of the level that holds for each pair: -1 `missing`, 0 the last level, upwards to the best."""
    numbers = np.zeros(pairs.size, dtype=np.int8)
    for position, level in enumerate(levels):
        if level.condition is None or not len(pairs.numbers):
            continue
        found = holds(level.condition, pairs)
        numbers[pairs.numbers.take(np.flatnonzero(found))] = -1 if level.is_missing else len(levels) - 1 - position
        pairs = pairs.where(~found)
    return numbers


def holds(condition: Condition, pairs: Pairs) -> Flags:
    """Return for which pairs a condition holds."""
    match condition:
        case Not(part):
            return ~holds(part, pairs)
        case All(parts):
            return ~_some(parts, pairs, answer=False)
        case AnyOf(parts):
            return _some(parts, pairs, answer=True)
        case AtLeast(similarity, name, bound):
            reached: Flags = _similarity(pairs, (similarity, name, name)) >= bound
            return reached
        case AtLeastAcross(similarity, name, other, bound):
            ways = ((name, other), (other, name))
            return _either(*(_similarity(pairs, (similarity, *way)) >= bound for way in ways))
    return _agree(condition, pairs)


def _agree(condition: Condition, pairs: Pairs) -> Flags:
    """Return for which pairs a condition holds that compares values as such."""
    left, right = pairs.left, pairs.right
    match condition:
        case Same(name):
            a, b = pairs.codes(name)
            return _equal(a, b)
        case Differs(name):
            a, b = pairs.codes(name)
            return ~_equal(a, b) & (np.minimum(a, b) >= 0)
        case SameAcross(name, other):
            (a, b), (c, d) = pairs.codes(name), pairs.codes(other)
            return _equal(a, d) | _equal(c, b)
        case Missing(names):
            columns = [pairs.columns[name] for name in names]
            return _all_missing(columns, left) | _all_missing(columns, right)
        case Either(name, value):
            code = _code(pairs.columns[name], value)
            return _either(*(codes == code for codes in pairs.codes(name)))
        case Both(name, value):
            code = _code(pairs.columns[name], value)
            return ~_either(*(codes != code for codes in pairs.codes(name)))
        case Overlaps(name):
            return _known_overlap(pairs, name)
        case Contains(name, lists):
            (a, b), column = pairs.codes(name), pairs.columns[lists]
            return _contained(a, column, right) | _contained(b, column, left)
    raise TypeError(f"no evaluation on arrays for {type(condition).__name__}")


def _some(parts: Sequence[Condition], pairs: Pairs, *, answer: bool) -> Flags:
    """Return for which pairs some part gives the answer; a part is asked only where no earlier one gave it."""
    found: Flags = holds(parts[0], pairs) == answer
    for part in parts[1:]:
        open_ = np.flatnonzero(~found)
        if not len(open_):
            break
        found[open_] = holds(part, pairs.at(open_)) == answer
    return found


def _equal(left: Codes, right: Codes) -> Flags:
    equal: Flags = (left == right) & (left >= 0)
    return equal


def _either(left: Flags, right: Flags) -> Flags:
    either: Flags = left | right
    return either


def _code(column: Column, value: str | int | bool) -> int:
    found = int(pc.index(column.values, pa.scalar(value, column.values.type)).as_py())
    return found if found >= 0 else _ABSENT


def _all_missing(columns: Sequence[Column], rows: Ints) -> Flags:
    absent = columns[0].is_missing(rows)
    for column in columns[1:]:
        absent &= column.is_missing(rows)
    return absent


def _contained(values: Codes, column: Column, rows: Ints) -> Flags:
    """Return where a value is an element of the list in a row."""
    assert column.starts is not None
    assert column.sizes is not None
    starts, sizes = column.starts[rows], column.sizes[rows]
    found = np.zeros(len(rows), dtype=np.bool_)
    open_ = np.flatnonzero((values >= 0) & (sizes > 0))
    at = 0
    while len(open_):
        found[open_] = column.codes[starts[open_] + at] == values[open_]
        at += 1
        open_ = open_[~found[open_] & (sizes[open_] > at)]
    return found


def _known_overlap(pairs: Pairs, name: str) -> Flags:
    """Return where the lists of both sides share an element; several levels may ask this of one pair."""
    if name not in pairs.shared:
        pairs.shared[name] = np.full(pairs.size, -1, dtype=np.int8)
    known = pairs.shared[name]
    new = pairs.where(known.take(pairs.numbers) < 0)
    if len(new.numbers):
        known[new.numbers] = _overlap(pairs.columns[name], new.left, new.right)
    answers: Flags = known.take(pairs.numbers) > 0
    return answers


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
    name, one, other = key
    if key not in pairs.known:
        pairs.known[key] = np.full(pairs.size, np.nan)
    known = pairs.known[key]
    new = pairs.where(np.isnan(known.take(pairs.numbers)))
    if len(new.numbers):
        a, b = pairs.columns[one].codes.take(new.left), pairs.columns[other].codes.take(new.right)
        both = (a >= 0) & (b >= 0)
        known[new.numbers] = -np.inf
        at = np.flatnonzero(both)
        if len(at):
            found = _compared(SIMILARITIES[name], pairs.columns[one], a.take(at), b.take(at))
            known[new.numbers.take(at)] = found
    answers: Floats = known.take(pairs.numbers)
    return answers


def _compared(similarity: Similarity, column: Column, left: Codes, right: Codes) -> Floats:
    """Return a similarity of values by their codes."""
    if similarity.among is not None:
        # Threads that ask for it at once make the same function: which one stays does not matter.
        if similarity.name not in column.compares:
            column.compares[similarity.name] = similarity.among(column.values.to_pylist())
        return column.compares[similarity.name](left.astype(np.int64), right.astype(np.int64))
    distinct, inverse = np.unique(left.astype(np.int64) << 32 | right, return_inverse=True)
    texts = (column.values.take(pa.array(part)).to_pylist() for part in (distinct >> 32, distinct & 0xFFFFFFFF))
    found: Floats = similarity.many(*texts)[inverse]
    return found


def _across(condition: Condition) -> Iterator[set[str]]:
    """Yield the columns that a condition compares with each other."""
    match condition:
        case SameAcross(name, other) | AtLeastAcross(_, name, other, _) | Contains(name, other):
            yield {name, other}
        case Not(part):
            yield from _across(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _across(part)
