"""Columns of codes, on which `matchers.level_arrays` compares millions of pairs.

A value's code is a hash of it, 64 bits (`matchers.value_hash`): a column is coded while it is read, whatever rows are
read with it, and one value has one code in all columns of its type. Two values of a column share a code with a chance
of one in a million at five million values, and it takes two such profiles in one block to matter. Texts are read of the
columns that a similarity or a constant of some level looks at, and are looked at once per value.

In: a table with the expressions of `selected`. Out: a `Column` for each column that the levels read (`coded`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
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
    Either,
    Level,
    Missing,
    Not,
    columns_of,
)
from matchers.similarity import Compare, Similarity
from matchers.value_hash import NULL_HASH, hash_sql

Ints = NDArray[np.int64]
Codes = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_TEXT = " text"  # follows a column's name where its values are read beside their codes


MISSING = np.uint64(NULL_HASH)


class Values:
    """The values of a plain column.

    Attributes:
        codes: of each row.
        texts: of each row, in the order in which they were read.
        places: by row, where its text is; -1 for a row that was not read.
    """

    def __init__(self, codes: Codes, texts: pa.Array, places: Ints) -> None:
        self.codes, self.texts, self.places = codes, texts, places
        self._numbers: Ints | None = None  # of each row's value
        self._shown_by = np.empty(0, dtype=np.int64)  # a row of each value
        self._compares: dict[str, Compare] = {}
        self._lock = Lock()

    def of(self, rows: Ints) -> pa.Array:
        """Return the texts of rows."""
        return self.texts.take(pa.array(self.places.take(rows)))

    def compare(self, similarity: Similarity, left: Ints, right: Ints) -> NDArray[np.float64]:
        """Return a similarity of the values in rows of which none is missing; all values are looked at, each once."""
        assert similarity.among is not None
        # Threads that ask at once would all look at every value.
        with self._lock:
            if self._numbers is None:
                present = np.flatnonzero(self.codes != MISSING)
                numbers, shown_by = numbered(self.codes.take(present))
                self._numbers, self._shown_by = np.zeros(len(self.codes), dtype=np.int64), present.take(shown_by)
                self._numbers[present] = numbers
            if similarity.name not in self._compares:
                self._compares[similarity.name] = similarity.among(self.of(self._shown_by))
        return self._compares[similarity.name](self._numbers.take(left), self._numbers.take(right))

    def code(self, value: str | int | bool) -> np.uint64 | None:
        """Return the code of a value, `None` if no row has it."""
        at = int(pc.index(self.texts, pa.scalar(value, self.texts.type)).as_py())
        return None if at < 0 else self.codes[np.argmax(self.places == at)]


@dataclass(frozen=True)
class Column:
    """A column of codes.

    Attributes:
        codes: of a plain column the code of each row; of a list column the codes of all elements, row after row.
        starts: of a list column where each row's elements start; `None` for a plain column.
        sizes: of a list column how many elements each row has.
        first: of a list column each row's first element.
        several: of a list column which rows have more than one.
        values: of a plain column whose texts were read, its values.
    """

    codes: Codes
    starts: Ints | None = None
    sizes: Ints | None = None
    first: Codes | None = None
    several: Flags | None = None
    values: Values | None = None

    @property
    def looked_at(self) -> Values:
        """The values, of a column whose texts were read."""
        assert self.values is not None, "the texts of this column were not read"
        return self.values

    @property
    def missing(self) -> Flags:
        """Whether each row has no value."""
        missing: Flags = self.codes == MISSING if self.sizes is None else self.sizes == 0
        return missing


@dataclass(frozen=True)
class Columns:
    """Columns of one table, and questions about single rows that were asked once for all pairs.

    Attributes:
        named: the columns.
        asked: answers by row.
    """

    named: Mapping[str, Column]
    asked: dict[object, Flags] = field(default_factory=dict)

    def missing(self, names: tuple[str, ...]) -> Flags:
        """Return which rows have no value in any of the columns."""
        if names not in self.asked:
            self.asked[names] = np.logical_and.reduce([self.named[name].missing for name in names])
        return self.asked[names]

    def present(self, name: str) -> Flags:
        """Return which rows have some value in the column."""
        if name not in self.asked:
            self.asked[name] = ~self.named[name].missing
        return self.asked[name]

    def have(self, name: str, value: str | int | bool) -> Flags:
        """Return which rows have the value."""
        if (name, value) not in self.asked:
            column = self.named[name]
            code = column.looked_at.code(value)
            self.asked[name, value] = np.zeros(len(column.codes), np.bool_) if code is None else column.codes == code
        return self.asked[name, value]

    def have_any(self, wanted: tuple[tuple[str, str | int | bool], ...]) -> Flags:
        """Return which rows have one of several values, each given with its column."""
        if wanted not in self.asked:
            self.asked[wanted] = np.logical_or.reduce([self.have(name, value) for name, value in wanted])
        return self.asked[wanted]


def numbered(codes: Codes) -> tuple[Ints, Ints]:
    """Return codes as numbers from 0 on, and by number a place where it stands.

    >>> [part.tolist() for part in numbered(np.array([7, 9, 7], np.uint64))]
    [[0, 1, 0], [2, 1]]
    """
    encoded = pa.array(codes).dictionary_encode()
    numbers = encoded.indices.to_numpy()
    shown_by = np.zeros(len(encoded.dictionary), dtype=np.int64)
    shown_by[numbers] = np.arange(len(numbers))
    return numbers, shown_by


def columns_read(levels: Sequence[Level]) -> list[str]:
    """Return the columns that the levels read, sorted."""
    read = columns_of(level.condition for level in levels if level.condition is not None)
    return sorted(read | {level.term_frequency for level in levels if level.term_frequency})


def selected(levels: Sequence[Level], types: Mapping[str, str], reference: Callable[[str], str]) -> list[str]:
    """Return what to select for `coded`.

    Args:
        levels: the levels to be evaluated.
        types: the DuckDB type of each column.
        reference: turns a column's name into SQL.
    """
    texts = {name for level in levels if level.condition for name in _looked_at(level.condition)}
    chosen = []
    for name in columns_read(levels):
        column = reference(name)
        code = hash_sql(column, types[name])
        if types[name].endswith("[]"):
            code = f"list_transform({column}, lambda x: {hash_sql('x', types[name].removesuffix('[]'))})"
        chosen.append(f'{code} as "{name}"')
        if name in texts:
            chosen.append(f'{column} as "{name}{_TEXT}"')
    return chosen


def some_value(levels: Sequence[Level], reference: Callable[[str], str]) -> str:
    """Return the SQL condition that a row has a value to compare; without one, a pair's level is `missing`.

    Args:
        levels: the levels, `missing` first.
        reference: turns a column's name into SQL.
    """
    condition = levels[0].condition if levels and levels[0].is_missing else None
    if not isinstance(condition, Missing):
        return "true"
    return "(" + " or ".join(f"{reference(name)} is not null" for name in condition.columns) + ")"


def coded(table: pa.Table, positions: Ints, size: int) -> Columns:
    """Return the columns.

    Args:
        table: the expressions of `selected`, of the rows of which `some_value` holds.
        positions: where each row of the table goes, each position once.
        size: how many positions there are; where no row goes, no value is.
    """
    made = {}
    places = np.full(size, -1, dtype=np.int64)
    places[positions] = np.arange(len(positions))
    for name in table.column_names:
        column = table.column(name)
        if name.endswith(_TEXT):
            continue
        if pa.types.is_list(column.type):
            made[name] = _lists(column, positions, size)
        else:
            codes = _placed(column.to_numpy(), positions, np.full(size, MISSING))
            texts = table.column(name + _TEXT).combine_chunks() if name + _TEXT in table.column_names else None
            made[name] = Column(codes, values=None if texts is None else Values(codes, texts, places))
    return Columns(made)


def _lists(column: pa.ChunkedArray, positions: Ints, size: int) -> Column:
    elements = pc.list_flatten(column).to_numpy()
    lengths = pc.list_value_length(column).fill_null(0).to_numpy()
    filled = np.flatnonzero(lengths)
    here, sizes_here = positions.take(filled), lengths.take(filled).astype(np.int64)
    starts_here = np.cumsum(sizes_here) - sizes_here
    starts = _placed(starts_here, here, np.zeros(size, dtype=np.int64))
    sizes = _placed(sizes_here, here, np.zeros(size, dtype=np.int64))
    first = _placed(elements.take(starts_here), here, np.full(size, MISSING))
    return Column(elements, starts, sizes, first, sizes > 1)


def _placed(array: NDArray[Any], positions: Ints, among: NDArray[Any]) -> NDArray[Any]:
    among[positions] = array
    return among


def _looked_at(condition: Condition) -> Iterator[str]:
    """Yield the columns whose values a condition looks at, beyond whether they are equal."""
    match condition:
        case AtLeast(_, name, _) | Either(name, _) | Both(name, _):
            yield name
        case AtLeastAcross(_, name, other, _):
            yield from (name, other)
        case Not(part):
            yield from _looked_at(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _looked_at(part)
