"""How many pairs reach each level of each comparison: random pairs, for u, and pairs of one label, for m.

In: profiles. Out: by comparison, the number of pairs by level; pairs in which there is nothing to compare are not
counted, a level that no pair reached is left out. Levels are evaluated as they are when pairs are scored.

The pairs, the order in which they are counted and when there are enough of them are those of Splink's
`estimate_u_using_random_sampling` and `estimate_m_from_label_column`; a test holds the shares equal.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.database import count
from linkage.entity_config import EntityConfig
from linkage.model.outcomes import outcome_number, outcomes
from matchers.levels import Level

Counts = Mapping[str, Mapping[str, int]]

_BUCKETS = 1_000_000_000
_CHUNKS = 10  # parts in which random pairs are counted, until every level was seen often enough
_PROBES = 100  # parts of which the first is counted to see whether it shows enough already
_ENOUGH = 100  # pairs of a level


def share(counts: Counts, comparison: str, level: str) -> float | None:
    """Return the share of a level among the pairs counted, `None` if none reached it."""
    reached = counts[comparison].get(level)
    return None if reached is None else reached / sum(counts[comparison].values())


def count_random(
    con: DuckDBPyConnection, config: EntityConfig, profiles: str, *, max_pairs: float, seed: int
) -> Counts:
    """Count random pairs of profiles.

    Args:
        con: DuckDB connection.
        config: the entity type.
        profiles: the profiles.
        max_pairs: about how many pairs to sample.
        seed: chooses the sample.
    """
    total = count(con, profiles)
    proportion = min(0.5 * ((8 * max_pairs + 1) ** 0.5 + 1) / max(total, 1), 1.0)
    chosen = "true"
    if proportion < 1.0:
        chosen = f"hash(profile_id || '_{seed}') % {_BUCKETS} < {max(1, round(proportion * _BUCKETS))}"
    pairs = con.sql(f"""
with chosen as (
    select profile_id
    from {quote(profiles)}
    where {chosen}
)
select
    l.profile_id as left_id,
    r.profile_id as right_id,
    (hash(r.profile_id) % {_CHUNKS})::utinyint as chunk,
    hash(r.profile_id) % {_PROBES} = 0 as is_probe
from chosen l
join chosen r on l.profile_id < r.profile_id""").to_arrow_table()
    return _counted(con, config, profiles, pairs)


def count_labelled(con: DuckDBPyConnection, config: EntityConfig, profiles: str, labels: str) -> Counts:
    """Count the pairs of profiles that have one label.

    Args:
        con: DuckDB connection.
        config: the entity type.
        profiles: the profiles.
        labels: profile_id, label.
    """
    pairs = con.sql(f"""
select l.profile_id as left_id, r.profile_id as right_id, 0::utinyint as chunk, false as is_probe
from {quote(labels)} l
join {quote(labels)} r on l.label = r.label and l.profile_id < r.profile_id""").to_arrow_table()
    return _counted(con, config, profiles, pairs)


def _counted(con: DuckDBPyConnection, config: EntityConfig, profiles: str, pairs: pa.Table) -> Counts:
    counted = {}
    for found in outcomes(con, config, profiles=profiles, pairs=pairs):
        name, numbers = found.comparison, found.numbers
        levels = config.levels[name]
        reached = _reached(levels, numbers.compress(found.pairs.column("is_probe").to_numpy()))
        if reached.min() < _ENOUGH:
            chunks = found.pairs.column("chunk").to_numpy()
            reached = np.zeros_like(reached)
            for chunk in range(_CHUNKS):
                reached += _reached(levels, numbers.compress(chunks == chunk))
                if reached.min() >= _ENOUGH:
                    break
        by_level = {level.name: int(reached[outcome_number(levels, level.name)]) for level in levels[1:]}
        counted[name] = {level: number for level, number in by_level.items() if number}
    return counted


def _reached(levels: tuple[Level, ...], numbers: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return how many pairs have each outcome, by its number, the missing ones left out."""
    return np.bincount(numbers.compress(numbers >= 0), minlength=len(levels) - 1)
