"""How often pairs reach each level of each comparison: random pairs (u) and pairs of one label (m).

In: profiles. Out: the share of each level among the pairs in which there is something to compare, by comparison and
level; a level that no pair reached has none. Levels are evaluated as they are when pairs are scored.

The pairs, the order in which they are counted and when there are enough of them are those of Splink's
`estimate_u_using_random_sampling` and `estimate_m_from_label_column`; a test holds the shares equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.database import count
from linkage.entity_config import EntityConfig
from linkage.model.scoring import by_left_id, outcome_number, outcomes
from matchers.levels import Level

Shares = Mapping[tuple[str, str], float]

_BUCKETS = 1_000_000_000
_CHUNKS = 10  # parts in which random pairs are counted, until every level was seen often enough
_PROBES = 100  # parts of which the first is counted to see whether it shows enough already
_ENOUGH = 100  # pairs of a level


def random_shares(
    con: DuckDBPyConnection, config: EntityConfig, profiles: str, *, max_pairs: float, seed: int
) -> Shares:
    """Return the share of each level among random pairs of profiles.

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
    return dict(_shares(con, config, profiles, pairs))


def labelled_shares(con: DuckDBPyConnection, config: EntityConfig, profiles: str, label: str) -> Shares:
    """Return the share of each level among the pairs of profiles that have one label.

    Args:
        con: DuckDB connection.
        config: the entity type.
        profiles: the profiles.
        label: their column of labels.
    """
    pairs = con.sql(f"""
select l.profile_id as left_id, r.profile_id as right_id, 0::utinyint as chunk, false as is_probe
from {quote(profiles)} l
join {quote(profiles)} r on l.{quote(label)} = r.{quote(label)} and l.profile_id < r.profile_id""").to_arrow_table()
    return dict(_shares(con, config, profiles, pairs))


def _shares(
    con: DuckDBPyConnection, config: EntityConfig, profiles: str, pairs: pa.Table
) -> Iterator[tuple[tuple[str, str], float]]:
    pairs = by_left_id(pairs)
    chunks = pairs.column("chunk").to_numpy()
    probed = np.flatnonzero(pairs.column("is_probe").to_numpy())
    for name, numbers in outcomes(con, config, profiles=profiles, pairs=pairs.select(["left_id", "right_id"])):
        levels = config.levels[name]
        counts = _counts(levels, numbers.take(probed))
        if counts.min(initial=_ENOUGH) < _ENOUGH:
            counts = np.zeros_like(counts)
            for chunk in range(_CHUNKS):
                counts += _counts(levels, numbers.compress(chunks == chunk))
                if counts.min() >= _ENOUGH:
                    break
        for level in levels:
            if not level.is_missing and counts[outcome_number(levels, level.name)]:
                yield (name, level.name), float(counts[outcome_number(levels, level.name)] / counts.sum())


def _counts(levels: tuple[Level, ...], numbers: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return how many pairs have each outcome, by its number, the missing ones left out."""
    return np.bincount(numbers.compress(numbers >= 0), minlength=sum(not level.is_missing for level in levels))
