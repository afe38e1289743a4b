"""The outcome of every comparison, for millions of pairs: what scoring weighs and training counts.

Comparison by comparison, on columns of codes (`matchers.level_arrays`), as a pipeline: while DuckDB reads one
comparison's columns, threads code those of an earlier one and compare the pairs by one earlier still, slice by slice.
So the columns of a few comparisons are in memory at a time.

Pairs are sorted by their left side, and profiles numbered in the order in which they then come: what a slice looks up
lies close together in memory.

An outcome is stored as Splink's number: -1 missing, 0 the last level, and so on upwards to the best.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.array_threads import array_threads
from linkage.database import count, only_row
from linkage.entity_config import EntityConfig
from matchers.level_arrays import Pairs, level_numbers
from matchers.level_columns import Codes, Columns, Ints, coded, selected, some_value
from matchers.level_plan import planned
from matchers.levels import Level
from matchers.value_hash import hash_sql

_SLICE = 1 << 16  # pairs compared at a time by one thread: what its caches hold
_AHEAD = 2  # comparisons under way beyond the one whose outcomes are asked for
_FEW = 4  # profiles are looked up one by one where this many times as many would be read in vain
_NAMED = "named_profiles"
_CODES = "codes_read"
Item = TypeVar("Item")


def outcome_number(levels: tuple[Level, ...], name: str) -> int:
    """Return Splink's number of a level: -1 for `missing`, else how many levels come after it."""
    if name == "missing":
        return -1
    return len(levels) - 1 - next(i for i, level in enumerate(levels) if level.name == name)


def level_of_number(levels: tuple[Level, ...], number: int) -> Level:
    """Return the level with Splink's number."""
    if number == -1:
        return next(level for level in levels if level.is_missing)
    return levels[len(levels) - 1 - number]


@dataclass(frozen=True)
class Outcomes:
    """One comparison's outcomes.

    Attributes:
        comparison: its name.
        pairs: the pairs, sorted; the same table for every comparison.
        numbers: the outcome of each.
        columns: what was compared, by the profiles' positions.
        left: the position of each pair's left side.
        frequencies: term frequencies by column, `code` and `frequency`: of the values of the profiles in pairs at
            least, and of a value never seen, which is the one with the code of null.
    """

    comparison: str
    pairs: pa.Table
    numbers: NDArray[np.int8]
    columns: Columns
    left: Ints
    frequencies: Mapping[str, pa.Table]

    def values(self, column: str, of_pairs: Ints) -> Codes:
        """Return the codes of the left sides' values."""
        return self.columns.named[column].codes.take(self.left.take(of_pairs))


def outcomes(
    con: DuckDBPyConnection,
    config: EntityConfig,
    *,
    profiles: str,
    pairs: pa.Table,
    frequencies: Mapping[str, str] | None = None,
) -> Iterator[Outcomes]:
    """Yield each comparison's outcomes; nothing else is asked of the connection before the last.

    Args:
        con: DuckDB connection.
        config: the entity type.
        profiles: the profiles.
        pairs: left_id, right_id and what else there is.
        frequencies: by column, tables of `linkage.model.frequencies` to read with the comparisons.
    """
    (threads,) = only_row(con, "select current_setting('threads')")
    are_few = 2 * pairs.num_rows * _FEW < count(con, profiles)
    with (
        _named(con, profiles, pairs if are_few else None) as source,
        array_threads(int(threads)) as pool,
        ThreadPoolExecutor(1) as reader,
    ):
        ids = con.sql(f"select p.rowid as row, p.profile_id from {source}").to_arrow_table()
        located = pool.submit(_locate, pairs, ids)

        def read(name: str) -> tuple[Future[Columns], dict[str, pa.Table]]:
            table = _read(con, config, name, source)
            columns = pool.submit(_code, table, located)
            return columns, _frequencies(con, config, name, frequencies or {}, table if are_few else None)

        # No task waits for one that comes after it in the pool's queue.
        reading = _ahead(((name, reader.submit(read, name)) for name in config.levels), 1)
        compared = (_compare(pool, name, config.levels[name], located, was_read) for name, was_read in reading)
        for name, columns, known, parts in _ahead(compared, _AHEAD):
            numbers = np.concatenate([np.empty(0, np.int8), *(part.result() for part in parts)])
            at = located.result()
            yield Outcomes(name, at.pairs, numbers, columns.result(), at.left, known)


@dataclass(frozen=True)
class _Located:
    """Pairs as positions of profiles.

    Attributes:
        pairs: the pairs, sorted by their left side.
        left: the position of each left side.
        right: the position of each right side.
        positions: by row number of a profile, its position.
        size: how many positions there are.
    """

    pairs: pa.Table
    left: Ints
    right: Ints
    positions: Ints
    size: int


@contextmanager
def _named(con: DuckDBPyConnection, profiles: str, pairs: pa.Table | None) -> Iterator[str]:
    """Give what to select the profiles `p` from: those that the pairs name, or all."""
    if pairs is None:
        yield f"{quote(profiles)} p"
        return
    sides = [pairs.select([side]).rename_columns(["profile_id"]) for side in ("left_id", "right_id")]
    con.register(_NAMED, pa.concat_tables(sides))
    try:
        yield f"{quote(profiles)} p semi join {quote(_NAMED)} n on p.profile_id = n.profile_id"
    finally:
        con.unregister(_NAMED)


def _locate(pairs: pa.Table, ids: pa.Table) -> _Located:
    """Sort the pairs and number the profiles in the order in which they come; those in no pair come last."""
    pairs = pairs.take(pa.array(np.argsort(pairs.column("left_id").to_numpy())))
    left, right = (pairs.column(side).to_numpy() for side in ("left_id", "right_id"))
    # The pairs of one left side lie together: its id is looked up once for all of them.
    is_first = np.ones(len(left), dtype=np.bool_)
    is_first[1:] = left[1:] != left[:-1]
    firsts = left.compress(is_first)
    encoded = pa.array(np.concatenate((firsts, right))).dictionary_encode()
    row, known = ids.column("row").to_numpy(), ids.column("profile_id")
    position = pc.index_in(known, encoded.dictionary).fill_null(-1).to_numpy().astype(np.int64)
    unnamed = np.flatnonzero(position < 0)
    position[unnamed] = len(encoded.dictionary) + np.arange(len(unnamed))
    positions = np.zeros(row.max(initial=-1) + 1, dtype=np.int64)
    positions[row] = position
    return _Located(
        pairs,
        np.cumsum(is_first) - 1,
        encoded.indices.to_numpy()[len(firsts) :].astype(np.int64),
        positions,
        len(encoded.dictionary) + len(unnamed),
    )


def _read(con: DuckDBPyConnection, config: EntityConfig, comparison: str, source: str) -> pa.Table:
    """Read the columns that a comparison's levels ask for, and `row`."""

    def reference(column: str) -> str:
        return f"p.{quote(column)}"

    levels = config.levels[comparison]
    return con.sql(f"""
select p.rowid as row, {", ".join(selected(levels, config.columns, reference))}
from {source}
where {some_value(levels, reference)}""").to_arrow_table()


def _frequencies(
    con: DuckDBPyConnection, config: EntityConfig, comparison: str, tables: Mapping[str, str], read: pa.Table | None
) -> dict[str, pa.Table]:
    """Read the term frequencies that a comparison's levels ask for: all, or those of the values that were read."""
    found = {}
    asked = {level.term_frequency: None for level in config.levels[comparison] if level.term_frequency in tables}
    for column in asked:
        assert column is not None
        source, code = quote(tables[column]), hash_sql(quote(column), config.columns[column])
        if read is not None:
            con.register(_CODES, read.select([column]).rename_columns(["code"]))
            source += f" where {quote(column)} is null or {code} in (select code from {_CODES})"
        found[column] = con.sql(
            f"select {code} as code, {quote('tf_' + column)} as frequency from {source}"
        ).to_arrow_table()
        if read is not None:
            con.unregister(_CODES)
    return found


def _code(table: pa.Table, located: Future[_Located]) -> Columns:
    at = located.result()
    return coded(table.drop_columns("row"), at.positions.take(table.column("row").to_numpy()), at.size)


def _compare(
    pool: ThreadPoolExecutor,
    name: str,
    levels: tuple[Level, ...],
    located: Future[_Located],
    read: Future[tuple[Future[Columns], dict[str, pa.Table]]],
) -> tuple[str, Future[Columns], dict[str, pa.Table], list[Future[NDArray[np.int8]]]]:
    """Have threads compare the pairs, a slice at a time."""
    columns, frequencies = read.result()
    steps = planned(levels)

    def numbers(slice_: slice) -> NDArray[np.int8]:
        at = located.result()
        return level_numbers(steps, Pairs.of(columns.result(), at.left[slice_], at.right[slice_]))

    slices = [slice(start, start + _SLICE) for start in range(0, located.result().pairs.num_rows, _SLICE)]
    return name, columns, frequencies, [pool.submit(numbers, slice_) for slice_ in slices]


def _ahead(items: Iterable[Item], size: int) -> Iterator[Item]:
    """Yield each item once `size` more have been made.

    >>> made = []
    >>> next(_ahead((made.append(i) or i for i in range(9)), 2)), made
    (0, [0, 1, 2])
    """
    made: deque[Item] = deque()
    for item in items:
        made.append(item)
        if len(made) > size:
            yield made.popleft()
    yield from made
