"""Score candidate pairs: the outcome of every comparison, a match weight and a probability.

Each outcome's weight, log2(m/u), and what the rarity of a shared value adds, from our term frequencies (smoothed, see
`Model.smoothed_frequency`).

The sum is what Splink's own prediction from the same levels and frequencies gives; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.database import columns_of
from linkage.entity_config import EntityConfig
from linkage.model.outcomes import Outcomes, outcome_number, outcomes
from linkage.model.parameters import Model
from matchers.level_columns import MISSING, Codes
from matchers.levels import Level

_PIECE = 122_880  # pairs written at a time by one thread: DuckDB's row group
_SUMMED = 1 << 16  # pairs whose weights are added at a time


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
    read = con.sql(f"select left_id, right_id, rule, rules from {quote(pairs)}").to_arrow_table()
    compared, weight, numbers = _weigh(con, config, model, profiles, read, frequencies)
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


def _weigh(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    profiles: str,
    pairs: pa.Table,
    frequencies: Mapping[str, str],
) -> tuple[pa.Table, NDArray[np.float64], dict[str, NDArray[np.int8]]]:
    """Return the pairs sorted, the match weight of each, and the outcomes as `gamma_<comparison>`."""
    weights, rarities = np.full(pairs.num_rows, model.prior_weight), np.zeros(pairs.num_rows)
    numbers: dict[str, NDArray[np.int8]] = {}
    for found in outcomes(con, config, profiles=profiles, pairs=pairs, frequencies=frequencies):
        pairs = found.pairs
        numbers[f"gamma_{found.comparison}"] = found.numbers
        each = _weights(model, found.comparison, config.levels[found.comparison])
        # Slice by slice: new memory for all pairs at once costs more than the adding.
        for start in range(0, len(weights), _SUMMED):
            weights[start : start + _SUMMED] += each.take(found.numbers[start : start + _SUMMED] + 1)
        _add_rarities(config, model, found, rarities)
    return pairs, weights + rarities, numbers


def _add_rarities(config: EntityConfig, model: Model, found: Outcomes, rarities: NDArray[np.float64]) -> None:
    """Add what the rarity of the values that one comparison found shared is worth."""
    levels = config.levels[found.comparison]
    for level in levels:
        column = level.term_frequency
        if column is None:
            continue
        sharing = np.flatnonzero(found.numbers == outcome_number(levels, level.name))
        if len(sharing):
            rarities[sharing] += _rarities(
                found.frequencies[column],
                codes=found.values(column, sharing),
                u=model.parameters(found.comparison, level.name).u,
                minimum=model.tf_minimum,
            )


def _weights(model: Model, comparison: str, levels: tuple[Level, ...]) -> NDArray[np.float64]:
    """Return the weight of each outcome, from -1 upwards."""
    weights = np.zeros(len(levels) + 1)
    for level in levels:
        if not level.is_missing:
            weights[outcome_number(levels, level.name) + 1] = model.parameters(comparison, level.name).weight
    return weights


def _rarities(known: pa.Table, *, codes: Codes, u: float, minimum: float) -> NDArray[np.float64]:
    """Return what each shared value, given by its code, adds to the weight."""
    known = known.combine_chunks()
    # The last one is for a value whose frequency is not known.
    rarities = np.append(np.log2(u) - np.log2(np.maximum(known.column("frequency").to_numpy(), minimum)), 0.0)
    never_seen = np.append(np.flatnonzero(known.column("code").to_numpy() == MISSING), len(rarities) - 1)
    places = pc.index_in(pa.array(codes), known.column("code").combine_chunks()).fill_null(int(never_seen[0]))
    found: NDArray[np.float64] = rarities.take(places.to_numpy())
    return found
