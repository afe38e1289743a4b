"""Score candidate pairs: the outcome of every comparison, a match weight and a probability.

Three steps, the first two comparison by comparison, so that only one comparison's columns are in memory at a time:

1. The outcomes, on columns of codes (`matchers.level_arrays`), in slices spread over threads.
2. What the rarity of a shared value adds, from our term frequencies (smoothed, see `Model.smoothed_frequency`).
3. The weight of each pattern of outcomes, by Splink: millions of pairs show a few thousand patterns.

Profiles are numbered in the order in which the sorted pairs first name them: what a slice looks up lies close together
in memory.

The sum is what Splink's own prediction from the same levels and frequencies gives; a test holds them equal. An outcome
is stored as Splink's number: -1 missing, 0 the last level, and so on upwards to the best.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.database import columns_of, count, only_row
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model, pattern_settings
from matchers.level_arrays import Column, Ints, Pairs, coded, columns_read, level_numbers
from matchers.levels import Level

_SLICE = 1 << 16  # pairs compared at a time by one thread: what its caches hold
_FEW = 4  # profiles are looked up one by one where this many times as many would be read in vain
_MOST = 1 << 62  # combinations of outcomes that one integer tells apart


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
    scored, named = f"{out}_arrow", f"{out}_named"
    compared = con.sql(f"""
select left_id, right_id, rule, rules
from {quote(pairs)}
order by left_id, right_id""").to_arrow_table()
    ids, left, right = _numbered(compared)
    con.register(named, pa.table({"profile_id": ids}))
    rows = _rows(con, profiles, named)
    weight, outcomes = _compare(con, config, model, rows, left, right, frequencies)
    for name, column in (("match_weight", weight), *outcomes.items()):
        compared = compared.append_column(name, pa.array(column))
    con.register(scored, compared)
    kinds = columns_of(con, pairs)
    kept = ", ".join(f"{name} {kinds[name]}" for name in ("left_id", "right_id", "rule", "rules"))
    # Packing numbers this small takes longer than writing all other columns.
    gammas = ", ".join(f"{quote(name)} tinyint using compression uncompressed" for name in outcomes)
    con.execute(
        f"create or replace table {quote(out)} ({kept}, match_weight double, match_probability double, {gammas})"
    )
    con.execute(f"""
insert into {quote(out)} by name
select *, 1.0 / (1.0 + pow(2.0, -match_weight)) as match_probability
from {quote(scored)}""")
    con.unregister(scored)
    con.unregister(named)


@dataclass(frozen=True)
class _Rows:
    """Rows of the profiles.

    Attributes:
        source: what to select them from; the profiles are `p`.
        positions: by row number, the position of the row.
    """

    source: str
    positions: Ints


def _numbered(pairs: pa.Table) -> tuple[pa.Array, Ints, Ints]:
    """Return the ids of the profiles that the pairs name, and each side of the pairs as positions among them."""
    sides = [chunk for side in ("left_id", "right_id") for chunk in pairs.column(side).chunks]
    encoded = pa.chunked_array(sides, pa.int64()).combine_chunks().dictionary_encode()
    left, right = np.split(encoded.indices.to_numpy().astype(np.int64), 2)
    return encoded.dictionary, left, right


def _rows(con: DuckDBPyConnection, profiles: str, named: str) -> _Rows:
    """Return the rows of the profiles named, each at its position; the others come after, if all rows are quicker."""
    source = f"{quote(profiles)} p"
    if count(con, named) * _FEW < count(con, profiles):
        source += f" semi join {quote(named)} n on p.profile_id = n.profile_id"
    table = con.sql(f"select p.rowid as row, p.profile_id from {source}").to_arrow_table().combine_chunks()
    row, ids = table.column("row").to_numpy(), con.table(named).to_arrow_table().column("profile_id")
    position = pc.index_in(table.column("profile_id"), ids).fill_null(-1).to_numpy().astype(np.int64)
    unnamed = np.flatnonzero(position < 0)
    position[unnamed] = len(ids) + np.arange(len(unnamed))
    positions = np.zeros(row.max(initial=-1) + 1, dtype=np.int64)
    positions[row] = position
    return _Rows(source, positions)


def _compare(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    rows: _Rows,
    left: Ints,
    right: Ints,
    frequencies: Mapping[str, str],
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int8]]]:
    """Return the match weight of each pair of positions, and the outcomes as `gamma_<comparison>`."""
    outcomes: dict[str, NDArray[np.int8]] = {}
    rarities = np.zeros(len(left))
    (threads,) = only_row(con, "select current_setting('threads')")
    with ThreadPoolExecutor(int(threads)) as pool:
        for name, levels in config.levels.items():
            columns = _columns(con, levels, pool, rows)
            slices = [slice(start, start + _SLICE) for start in range(0, len(left), _SLICE)]
            parts = pool.map(level_numbers, repeat(levels), [Pairs.of(columns, left[s], right[s]) for s in slices])
            numbers = outcomes["gamma_" + name] = np.concatenate([np.empty(0, np.int8), *parts])
            for level in levels:
                if level.term_frequency:
                    column = columns[level.term_frequency]
                    found = np.flatnonzero(numbers == outcome_number(levels, level.name))
                    if len(found):
                        rarity = _rarity(con, model, name, level, column, frequencies[level.term_frequency])
                        rarities[found] += rarity[column.codes[left[found]]]
    return _weights(con, config, model, outcomes) + rarities, outcomes


def _columns(
    con: DuckDBPyConnection, levels: tuple[Level, ...], pool: ThreadPoolExecutor, rows: _Rows
) -> dict[str, Column]:
    """Return the columns that the levels read, by the profiles' positions."""
    read = ", ".join(f"p.{quote(column)}" for column in columns_read(levels))
    table = con.sql(f"select p.rowid as row, {read} from {rows.source}").to_arrow_table()
    return coded(table.drop_columns("row"), levels, rows.positions[table.column("row").to_numpy()], pool.map)


def _rarity(
    con: DuckDBPyConnection, model: Model, comparison: str, level: Level, column: Column, frequencies: str
) -> NDArray[np.float64]:
    """Return what each value of the level's term-frequency column adds to the weight."""
    known = con.sql(f"from {quote(frequencies)}").to_arrow_table().combine_chunks()
    never_seen = known.filter(pc.is_null(known.column(0))).column(1).to_pylist()
    places = pc.index_in(column.values, known.column(0).combine_chunks())
    found = known.column(1).combine_chunks().take(places).fill_null(never_seen[0] if never_seen else np.nan)
    found = found.to_numpy(zero_copy_only=False)
    u = model.parameters(comparison, level.name).u
    rarity: NDArray[np.float64] = np.log2(u) - np.log2(np.maximum(found, model.tf_minimum))
    return np.nan_to_num(rarity, nan=0.0)


def _weights(
    con: DuckDBPyConnection, config: EntityConfig, model: Model, outcomes: Mapping[str, NDArray[np.int8]]
) -> NDArray[np.float64]:
    """Return the weight of each pair's pattern of outcomes, as Splink gives it."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    shown_by, pattern = _patterns(list(outcomes.values()))
    seen = {name: pa.array(numbers[shown_by]) for name, numbers in outcomes.items()}
    patterns, themselves = "outcome_patterns", "outcome_pattern_pairs"
    con.register(patterns, pa.table({"pattern": pa.array(np.arange(len(shown_by))), **seen}))
    con.execute(f"""
create or replace temp view {quote(themselves)} as
select '0' as match_key, pattern as join_key_l, pattern as join_key_r
from {quote(patterns)}""")
    api = DuckDBAPI(connection=con)
    settings = pattern_settings(config, model)
    linker = Linker(api.register(con.table(patterns)), settings, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register(con.table(themselves)))
    predicted = linker.inference.predict(warning_mode="never")
    weighed = con.sql(f"select pattern_l, match_weight from {predicted.physical_name}").to_arrow_table()
    weights = np.full(len(shown_by), np.nan)
    weights[weighed.column("pattern_l").to_numpy()] = weighed.column("match_weight").to_numpy()
    predicted.drop_table_from_database_and_remove_from_cache()
    con.execute(f"drop view {quote(themselves)}")
    con.unregister(patterns)
    return weights[pattern]


def _patterns(outcomes: Sequence[NDArray[np.int8]]) -> tuple[Ints, Ints]:
    """Return for each pattern of outcomes a pair that shows it, and for each pair the number of its pattern."""
    size = len(outcomes[0])
    packed, combinations = np.zeros(size, dtype=np.int64), 1
    for numbers in outcomes:
        levels = int(numbers.max(initial=0)) + 2
        if combinations * levels > _MOST:
            encoded = pa.array(packed).dictionary_encode()
            packed, combinations = encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)
        packed = packed * levels + (numbers + 1)
        combinations *= levels
    encoded = pa.array(packed).dictionary_encode()
    pattern = encoded.indices.to_numpy()
    shown_by = np.zeros(len(encoded.dictionary), dtype=np.int64)
    shown_by[pattern] = np.arange(size)
    return shown_by, pattern
