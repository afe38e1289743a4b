"""Score candidate pairs: the outcome of every comparison, a match weight and a probability.

Comparison by comparison: the outcomes, on columns of codes (`matchers.level_arrays`), slices spread over threads; each
outcome's weight, log2(m/u); what the rarity of a shared value adds, from our term frequencies (smoothed, see
`Model.smoothed_frequency`). While threads compare, the next comparison's columns are read, so the columns of two are in
memory at a time.

Pairs are sorted by their left side, and profiles numbered in the order in which they then come: what a slice looks up
lies close together in memory.

The sum is what Splink's own prediction from the same levels and frequencies gives; a test holds them equal. An outcome
is stored as Splink's number: -1 missing, 0 the last level, and so on upwards to the best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.database import columns_of, count, only_row
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model
from matchers.level_arrays import Pairs, level_numbers
from matchers.level_columns import MISSING, Codes, Columns, Ints, coded, selected, some_value
from matchers.levels import Level

_SLICE = 1 << 16  # pairs compared at a time by one thread: what its caches hold
_PIECE = 122_880  # pairs written at a time by one thread: DuckDB's row group
_FEW = 4  # profiles are looked up one by one where this many times as many would be read in vain
_SHARED = "shared_values"
_NAMED = "named_profiles"


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


def score(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    *,
    profiles: str,
    pairs: str,
    frequencies: Mapping[str, str],
    out: str,
) -> None:
    """Make the table of scored pairs.

    Args:
        con: DuckDB connection.
        config: the entity type.
        model: the parameters.
        profiles: the profiles.
        pairs: left_id, right_id, rule, rules.
        frequencies: tables of `linkage.model.frequencies`.
        out: table to make: left_id, right_id, rule, rules, match_weight, match_probability, and `gamma_<comparison>`.
    """
    scored = f"{out}_arrow"
    compared = by_left_id(con.sql(f"select left_id, right_id, rule, rules from {quote(pairs)}").to_arrow_table())
    with _located(con, profiles, compared) as (rows, sides):
        weight, numbers = _weigh(con, config, model, rows, sides, frequencies)
    for name, column in (("match_weight", weight), *numbers.items()):
        compared = compared.append_column(name, pa.array(column))
    # In pieces, so that all threads write.
    con.register(scored, pa.Table.from_batches(compared.to_batches(max_chunksize=_PIECE), compared.schema))
    kinds = columns_of(con, pairs)
    kept = ", ".join(f"{name} {kinds[name]}" for name in ("left_id", "right_id", "rule", "rules"))
    # Packing these takes longer than writing all other columns, and makes hardly anything smaller.
    plain = {"match_weight": "double", "match_probability": "double", **dict.fromkeys(numbers, "tinyint")}
    made = ", ".join(f"{quote(name)} {kind} using compression uncompressed" for name, kind in plain.items())
    con.execute(f"create or replace table {quote(out)} ({kept}, {made})")
    con.execute(f"""
insert into {quote(out)} by name
select *, 1.0 / (1.0 + pow(2.0, -match_weight)) as match_probability
from {quote(scored)}""")
    con.unregister(scored)


def outcomes(
    con: DuckDBPyConnection, config: EntityConfig, *, profiles: str, pairs: pa.Table
) -> Iterator[tuple[str, NDArray[np.int8]]]:
    """Yield each comparison with the outcome of every pair.

    Args:
        con: DuckDB connection.
        config: the entity type.
        profiles: the profiles.
        pairs: left_id and right_id, sorted by `by_left_id`.
    """
    with _located(con, profiles, pairs) as (rows, (left, right)):
        for name, numbers, _ in _outcomes(con, config, rows, left, right):
            yield name, numbers


def by_left_id(pairs: pa.Table) -> pa.Table:
    """Return pairs sorted by their left side."""
    return pairs.take(pa.array(np.argsort(pairs.column("left_id").to_numpy())))


@dataclass(frozen=True)
class _Rows:
    """Rows of the profiles.

    Attributes:
        source: what to select them from; the profiles are `p`.
        positions: by row number, the position of the row.
        size: how many positions there are.
        are_few: they are few of all profiles.
    """

    source: str
    positions: Ints
    size: int
    are_few: bool


@contextmanager
def _located(con: DuckDBPyConnection, profiles: str, pairs: pa.Table) -> Iterator[tuple[_Rows, tuple[Ints, Ints]]]:
    """Give the rows of the profiles that sorted pairs name, and the positions of each side of the pairs."""
    ids, sides = _numbered(pairs)
    con.register(_NAMED, pa.table({"profile_id": ids}))
    try:
        yield _rows(con, profiles), sides
    finally:
        con.unregister(_NAMED)


def _numbered(pairs: pa.Table) -> tuple[pa.Array, tuple[Ints, Ints]]:
    """Return the ids of the profiles that sorted pairs name, and each side of the pairs as positions among them."""
    left, right = (pairs.column(side).to_numpy() for side in ("left_id", "right_id"))
    # The pairs of one left side lie together: its id is looked up once for all of them.
    is_first = np.ones(len(left), dtype=np.bool_)
    is_first[1:] = left[1:] != left[:-1]
    firsts = left.compress(is_first)
    encoded = pa.array(np.concatenate((firsts, right))).dictionary_encode()
    return encoded.dictionary, (np.cumsum(is_first) - 1, encoded.indices.to_numpy()[len(firsts) :].astype(np.int64))


def _rows(con: DuckDBPyConnection, profiles: str) -> _Rows:
    """Return the rows of the profiles named, each at its position; the others come after, if all rows are quicker."""
    source = f"{quote(profiles)} p"
    are_few = count(con, _NAMED) * _FEW < count(con, profiles)
    if are_few:
        source += f" semi join {quote(_NAMED)} n on p.profile_id = n.profile_id"
    table = con.sql(f"select p.rowid as row, p.profile_id from {source}").to_arrow_table().combine_chunks()
    row, ids = table.column("row").to_numpy(), con.table(_NAMED).to_arrow_table().column("profile_id")
    position = pc.index_in(table.column("profile_id"), ids).fill_null(-1).to_numpy().astype(np.int64)
    unnamed = np.flatnonzero(position < 0)
    position[unnamed] = len(ids) + np.arange(len(unnamed))
    positions = np.zeros(row.max(initial=-1) + 1, dtype=np.int64)
    positions[row] = position
    return _Rows(source, positions, len(ids) + len(unnamed), are_few)


def _weigh(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    rows: _Rows,
    sides: tuple[Ints, Ints],
    frequencies: Mapping[str, str],
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int8]]]:
    """Return the match weight of each pair of positions, and the outcomes as `gamma_<comparison>`."""
    left, right = sides
    weights, rarities = np.full(len(left), model.prior_weight), np.zeros(len(left))
    outcomes: dict[str, NDArray[np.int8]] = {}
    for name, numbers, columns in _outcomes(con, config, rows, left, right):
        outcomes[f"gamma_{name}"] = numbers
        levels = config.levels[name]
        each = _weights(model, name, levels)
        # Slice by slice: new memory for all pairs at once costs more than the adding.
        for start in range(0, len(left), _SLICE):
            weights[start : start + _SLICE] += each.take(numbers[start : start + _SLICE] + 1)
        for level in levels:
            column = level.term_frequency
            found = np.flatnonzero(numbers == outcome_number(levels, level.name)) if column else ()
            if column and len(found):
                rarities[found] += _rarities(
                    con,
                    column,
                    frequencies[column],
                    codes=columns.named[column].codes.take(left.take(found)),
                    are_few=rows.are_few,
                    u=model.parameters(name, level.name).u,
                    minimum=model.tf_minimum,
                )
    return weights + rarities, outcomes


def _outcomes(
    con: DuckDBPyConnection, config: EntityConfig, rows: _Rows, left: Ints, right: Ints
) -> Iterator[tuple[str, NDArray[np.int8], Columns]]:
    """Yield each comparison with its outcomes and columns.

    While threads compare, the next comparison's columns are read and the caller does what it does with the last ones.
    """
    slices = [slice(start, start + _SLICE) for start in range(0, len(left), _SLICE)]
    (threads,) = only_row(con, "select current_setting('threads')")
    asked: list[tuple[str, Iterator[NDArray[np.int8]], Columns]] = []

    def answered() -> Iterator[tuple[str, NDArray[np.int8], Columns]]:
        for name, parts, columns in asked:
            yield name, np.concatenate([np.empty(0, np.int8), *parts]), columns
        asked.clear()

    with ThreadPoolExecutor(int(threads)) as pool:
        for name, levels in config.levels.items():
            columns = _columns(con, config, name, rows)
            parts = pool.map(level_numbers, repeat(levels), [Pairs.of(columns, left[s], right[s]) for s in slices])
            yield from answered()
            asked.append((name, parts, columns))
        yield from answered()


def _columns(con: DuckDBPyConnection, config: EntityConfig, comparison: str, rows: _Rows) -> Columns:
    """Return the columns that a comparison's levels read, by the profiles' positions."""

    def reference(column: str) -> str:
        return f"p.{quote(column)}"

    levels = config.levels[comparison]
    read = ", ".join(selected(levels, config.columns, reference))
    table = con.sql(f"""
select p.rowid as row, {read}
from {rows.source}
where {some_value(levels, reference)}""").to_arrow_table()
    return coded(table.drop_columns("row"), rows.positions.take(table.column("row").to_numpy()), rows.size)


def _weights(model: Model, comparison: str, levels: tuple[Level, ...]) -> NDArray[np.float64]:
    """Return the weight of each outcome, from -1 upwards."""
    weights = np.zeros(len(levels) + 1)
    for level in levels:
        if not level.is_missing:
            weights[outcome_number(levels, level.name) + 1] = model.parameters(comparison, level.name).weight
    return weights


def _rarities(
    con: DuckDBPyConnection, column: str, frequencies: str, *, codes: Codes, are_few: bool, u: float, minimum: float
) -> NDArray[np.float64]:
    """Return what each shared value, given by its code, adds to the weight."""
    shared, read = pa.array(codes), quote(frequencies)
    con.register(_SHARED, pa.table({"code": shared}))
    if are_few:
        read += f" where {quote(column)} is null or hash({quote(column)}) in (select code from {_SHARED})"
    known = (
        con.sql(f"""
select hash({quote(column)}) as code, {quote("tf_" + column)} as frequency
from {read}""")
        .to_arrow_table()
        .combine_chunks()
    )
    con.unregister(_SHARED)
    # The last one is for a value whose frequency is not known.
    rarities = np.append(np.log2(u) - np.log2(np.maximum(known.column("frequency").to_numpy(), minimum)), 0.0)
    never_seen = np.append(np.flatnonzero(known.column("code").to_numpy() == MISSING), len(rarities) - 1)
    places = pc.index_in(shared, known.column("code").combine_chunks()).fill_null(int(never_seen[0]))
    found: NDArray[np.float64] = rarities.take(places.to_numpy())
    return found
