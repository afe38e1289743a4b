"""Score candidate pairs: the outcome of every comparison, a match weight and a probability.

Three steps, comparison by comparison, so that only one comparison's columns are in memory at a time:

1. The outcomes, on columns of codes (`matchers.level_arrays`), in slices spread over threads.
2. What the rarity of a shared value adds, from our term frequencies (smoothed, see `Model.smoothed_frequency`).
3. The weight of each pattern of outcomes, by Splink: millions of pairs show a few thousand patterns.

The sum is what Splink's own prediction from the same levels and frequencies gives; a test holds them equal. An outcome
is stored as Splink's number: -1 missing, 0 the last level, and so on upwards to the best.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model, pattern_settings
from matchers.level_arrays import Column, Pairs, coded, columns_read, level_numbers
from matchers.levels import Level

_SLICE = 1 << 16  # pairs compared at a time by one thread: what its caches hold


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
    positions, outcomes, weighed = (f"{out}_{name}" for name in ("positions", "outcomes", "weighed"))
    con.execute(f"""
create or replace temp table {quote(positions)} as
select profile_id, row_number() over () - 1 as position
from {quote(profiles)}
where profile_id in (select left_id from {quote(pairs)} union all select right_id from {quote(pairs)})""")
    compared = con.sql(f"""
select p.left_id, p.right_id, p.rule, p.rules, l.position as left_position, r.position as right_position
from {quote(pairs)} p
join {quote(positions)} l on p.left_id = l.profile_id
join {quote(positions)} r on p.right_id = r.profile_id""").to_arrow_table()
    con.register(outcomes, _compare(con, config, model, compared, profiles, positions, frequencies))
    _weigh_patterns(con, config, model, outcomes=outcomes, out=weighed)
    gammas = [quote("gamma_" + name) for name in config.levels]
    con.execute(f"""
create or replace table {quote(out)} as
select
    o.left_id,
    o.right_id,
    o.rule,
    o.rules,
    w.match_weight + o.adjustment as match_weight,
    1.0 / (1.0 + pow(2.0, -(w.match_weight + o.adjustment))) as match_probability,
    {", ".join("o." + gamma for gamma in gammas)}
from {quote(outcomes)} o
join {quote(weighed)} w on {" and ".join(f"o.{gamma} = w.{gamma}" for gamma in gammas)}""")
    con.unregister(outcomes)
    for name in (positions, weighed):
        con.execute(f"drop table {quote(name)}")


def _compare(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    pairs: pa.Table,
    profiles: str,
    positions: str,
    frequencies: Mapping[str, str],
) -> pa.Table:
    """Return the pairs with `gamma_<comparison>`, and `adjustment`: what the rarity of shared values adds."""
    left, right = (pairs.column(f"{side}_position").to_numpy() for side in ("left", "right"))
    made = pairs.drop_columns(["left_position", "right_position"])
    adjustment = np.zeros(len(left))
    (threads,) = only_row(con, "select current_setting('threads')")
    with ThreadPoolExecutor(int(threads)) as pool:
        for name, levels in config.levels.items():
            columns = _columns(con, levels, pool, profiles=profiles, positions=positions)
            slices = [slice(start, start + _SLICE) for start in range(0, len(left), _SLICE)]
            parts = pool.map(level_numbers, repeat(levels), [Pairs.of(columns, left[s], right[s]) for s in slices])
            numbers = np.concatenate([np.empty(0, np.int8), *parts])
            made = made.append_column("gamma_" + name, pa.array(numbers))
            for level in levels:
                if level.term_frequency:
                    column = columns[level.term_frequency]
                    rows = np.flatnonzero(numbers == outcome_number(levels, level.name))
                    rarity = _rarity(con, model, name, level, column, frequencies[level.term_frequency])
                    adjustment[rows] += rarity[column.codes[left[rows]]]
    return made.append_column("adjustment", pa.array(adjustment))


def _columns(
    con: DuckDBPyConnection, levels: tuple[Level, ...], pool: ThreadPoolExecutor, *, profiles: str, positions: str
) -> dict[str, Column]:
    """Return the columns that the levels read, by the profiles' positions."""
    read = ", ".join(f"p.{quote(column)}" for column in columns_read(levels))
    table = con.sql(f"""
select o.position, {read}
from {quote(profiles)} p
join {quote(positions)} o on p.profile_id = o.profile_id""").to_arrow_table()
    return coded(table.drop_columns("position"), levels, table.column("position").to_numpy(), pool.map)


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


def _weigh_patterns(con: DuckDBPyConnection, config: EntityConfig, model: Model, *, outcomes: str, out: str) -> None:
    """Make the table of patterns: each combination of outcomes seen, and its `match_weight` as Splink gives it."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    gammas = ", ".join(quote("gamma_" + name) for name in config.levels)
    patterns, themselves = f"{out}_patterns", f"{out}_pairs"
    con.execute(f"""
create or replace temp table {quote(patterns)} as
select row_number() over () as pattern, *
from (select distinct {gammas} from {quote(outcomes)})""")
    con.execute(f"""
create or replace temp view {quote(themselves)} as
select '0' as match_key, pattern as join_key_l, pattern as join_key_r
from {quote(patterns)}""")
    api = DuckDBAPI(connection=con)
    settings = pattern_settings(config, model)
    linker = Linker(api.register(con.table(patterns)), settings, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register(con.table(themselves)))
    predicted = linker.inference.predict(warning_mode="never")
    con.execute(f"""
create or replace temp table {quote(out)} as
select p.*, s.match_weight
from {predicted.physical_name} s
join {quote(patterns)} p on s.pattern_l = p.pattern""")
    predicted.drop_table_from_database_and_remove_from_cache()
    con.execute(f"drop view {quote(themselves)}")
    con.execute(f"drop table {quote(patterns)}")
