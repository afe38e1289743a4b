"""Estimate a model with Splink from the data at hand.

1. The prior: how often two profiles that carry an exclusive identifier share it.
2. u: Splink's random sampling; where a level asks for two equal values, the sum of squared frequencies instead, which
   needs no luck to see rare events.
3. m: Splink's estimate from labels, which are equal valid identifiers; for the comparison the label itself decides,
   Splink's expectation maximisation over pairs blocked on other fields.
4. Sense: no probability of zero, and among levels ordered by evidence none stronger than a better one (neighbours that
   contradict the order are pooled). A level never seen is smoothed, and says so in `m_from` or `u_from`.

Everything is seeded: the same profiles give the same model.
"""

from __future__ import annotations

import hashlib
import logging
import math
from typing import Any

from duckdb import DuckDBPyConnection
from splink import DuckDBAPI, Linker, block_on

from blocking.sql import quote
from linkage.database import count, only_row
from linkage.entity_config import EntityConfig
from linkage.model import FORMAT, LevelParameters, Model, levels_hash, splink_settings
from matchers.levels import Level

SEED = 20170101
_STEP = 1e-6


def label_pairs(con: DuckDBPyConnection, config: EntityConfig, profiles: str) -> int:
    """Return how many pairs of profiles share a label value, counting no value that too many share."""
    (pairs,) = only_row(
        con,
        f"""
select coalesce(sum(n * (n - 1) / 2), 0)
from (
    select count(*) as n
    from {quote(profiles)}
    where {quote(config.training.label)} is not null
    group by {quote(config.training.label)}
    having count(*) between 2 and ?
)""",
        [config.training.max_label_group],
    )
    return int(pairs)


def train(con: DuckDBPyConnection, config: EntityConfig, *, profiles: str) -> Model:
    """Estimate a model.

    Args:
        con: DuckDB connection.
        config: the entity type; `config.training` says how.
        profiles: the profiles to learn from.
    """
    labels = label_pairs(con, config, profiles)
    sample = "training_profiles"
    con.execute(
        f"""
create or replace table {quote(sample)} as
select p.*, case when g.n between 2 and ? then p.{quote(config.training.label)} end as training_label
from {quote(profiles)} p
left join (
    select {quote(config.training.label)} as label, count(*) as n
    from {quote(profiles)}
    group by label
) g on p.{quote(config.training.label)} = g.label""",
        [config.training.max_label_group],
    )
    prior = _prior(con, config, profiles, labels)
    linker = _linker(con, sample, splink_settings(config, None))
    linker.training.estimate_u_using_random_sampling(max_pairs=config.training.max_pairs, seed=SEED)
    linker.training.estimate_m_from_label_column("training_label")
    trained = linker.misc.save_model_to_json()
    exact_u = _equal_value_u(con, config, profiles)
    draft = _model(con, config, trained, profiles, labels, prior, exact_u, blind=frozenset(config.training.label_blind))
    draft = _estimate_blind(con, config, draft, sample)
    con.execute(f"drop table {quote(sample)}")
    return draft


def _linker(con: DuckDBPyConnection, table: str, settings: dict[str, Any]) -> Linker:
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=con)
    return Linker(api.register(con.table(table)), settings, log_level=None, validate_settings=False)


def _prior(con: DuckDBPyConnection, config: EntityConfig, profiles: str, labels: int) -> float:
    (labelled,) = only_row(con, f"select count({quote(config.training.label)}) from {quote(profiles)}")
    possible = labelled * (labelled - 1) / 2
    return max(labels, 1) / max(possible, 1e4)


def _equal_value_u(con: DuckDBPyConnection, config: EntityConfig, profiles: str) -> dict[tuple[str, str], float]:
    """Chance that two random profiles share the level's term-frequency value, per (comparison, level)."""
    found: dict[tuple[str, str], float] = {}
    for name, levels in config.levels.items():
        for level in levels:
            if not level.term_frequency:
                continue
            column = quote(level.term_frequency)
            (shared,) = only_row(
                con,
                f"""
select sum(n * (n - 1)) / greatest(sum(n) * (sum(n) - 1), 1)
from (select count(*)::double as n from {quote(profiles)} where {column} is not null group by {column})""",
            )
            if shared:
                found[name, level.name] = float(shared)
    return found


def _model(
    con: DuckDBPyConnection,
    config: EntityConfig,
    trained: dict[str, Any],
    profiles: str,
    labels: int,
    prior: float,
    exact_u: dict[tuple[str, str], float],
    *,
    blind: frozenset[str],
) -> Model:
    comparisons: dict[str, tuple[LevelParameters, ...]] = {}
    by_name = {c["output_column_name"]: c["comparison_levels"] for c in trained["comparisons"]}
    for comparison in config.comparison:
        levels = [level for level in config.levels[comparison.name] if not level.is_missing]
        found = {level["label_for_charts"]: level for level in by_name[comparison.name]}
        rows = []
        for position, level in enumerate(levels):
            m, m_from = found[level.name].get("m_probability"), "labels"
            u, u_from = found[level.name].get("u_probability"), "sample"
            if comparison.name in blind:
                m, m_from = _starting_m(position, len(levels)), "start"
            if m is None:
                m, m_from = 0.5 / max(labels, 1), "smoothed"
            shared = exact_u.get((comparison.name, level.name))
            if shared is not None and (u is None or shared < u * 10):
                u, u_from = min(shared, u) if u else shared, "frequencies"
            if u is None:
                u, u_from = 0.5 / config.training.max_pairs, "smoothed"
            rows.append(LevelParameters(level=level.name, m=m, u=u, m_from=m_from, u_from=u_from))
        comparisons[comparison.name] = make_sense(rows, against=comparison.against, bound=config.training.weight_bound)
    digest = only_row(con, f"select count(*), bit_xor(profile_id) from {quote(profiles)}")
    return Model(
        format=FORMAT,
        entity=config.entity,
        config_version=config.version,
        levels_hash=levels_hash(config),
        data_hash=hashlib.sha256(repr(digest).encode()).hexdigest()[:16],
        profiles=count(con, profiles),
        label_pairs=labels,
        prior=prior,
        tf_prior_strength=config.training.tf_prior_strength,
        tf_minimum=config.training.tf_minimum,
        comparisons=comparisons,
    )


def _starting_m(position: int, levels: int) -> float:
    return 0.9 if position == 0 else 0.1 / (levels - 1)


def _estimate_blind(con: DuckDBPyConnection, config: EntityConfig, draft: Model, sample: str) -> Model:
    """Estimate the comparisons that the label decides by expectation maximisation, all others held fixed."""
    blind = config.training.label_blind
    if not blind:
        return draft
    settings = splink_settings(config, draft, estimate=blind)
    linker = _linker(con, sample, settings)
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        block_on(*config.training.em_block), estimate_without_term_frequencies=True, max_pairs=2e6
    )
    del session
    trained = {
        c["output_column_name"]: {level["label_for_charts"]: level for level in c["comparison_levels"]}
        for c in linker.misc.save_model_to_json()["comparisons"]
    }
    comparisons = dict(draft.comparisons)
    against = {c.name: c.against for c in config.comparison}
    for name in blind:
        rows = []
        for parameters in draft.comparisons[name]:
            m = trained[name][parameters.level].get("m_probability")
            rows.append(
                parameters.model_copy(
                    update={"m": m or 0.5 / max(draft.label_pairs, 1), "m_from": "em" if m else "smoothed"}
                )
            )
        comparisons[name] = make_sense(rows, against=against[name], bound=config.training.weight_bound)
    return draft.model_copy(update={"comparisons": comparisons})


def make_sense(rows: list[LevelParameters], *, against: tuple[str, ...], bound: float) -> tuple[LevelParameters, ...]:
    """Return the parameters with an order that makes sense.

    Levels are ordered best first. Neighbours whose weights contradict that order are pooled: each keeps its u and gets
    the m that their joint weight implies. Levels in `against` stand outside the order and never count in favour. All
    weights of a comparison are distinct, and none is zero.

    Args:
        rows: parameters, best level first; probabilities may be tiny, not zero.
        against: levels that are evidence against a match wherever they stand.
        bound: largest absolute weight.
    """
    pools: list[list[LevelParameters]] = []
    for row in (r for r in rows if r.level not in against):
        pools.append([row])
        while len(pools) > 1 and _pool_weight(pools[-2]) < _pool_weight(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    made: dict[str, LevelParameters] = {}
    for pool in pools:
        weight = max(-bound, min(bound, _pool_weight(pool)))
        for row in pool:
            made[row.level] = row.model_copy(update={"m_from": "pooled"} if len(pool) > 1 else {})
            made[row.level] = _with_weight(made[row.level], weight)
    for row in rows:
        if row.level in against:
            made[row.level] = _with_weight(row, max(-bound, min(0.0, math.log2(row.m / row.u))))
    return _distinct([made[row.level] for row in rows])


def _with_weight(row: LevelParameters, weight: float) -> LevelParameters:
    return row.model_copy(update={"m": row.u * 2.0**weight})


def _distinct(rows: list[LevelParameters]) -> tuple[LevelParameters, ...]:
    """Set equal weights apart by a millionth of a bit, so that a weight tells its level."""
    taken: list[float] = [0.0]
    made = []
    for row in rows:
        while any(abs(row.weight - weight) < _STEP / 2 for weight in taken):
            row = _with_weight(row, row.weight - _STEP)
        taken.append(row.weight)
        made.append(row)
    return tuple(made)


def _pool_weight(pool: list[LevelParameters]) -> float:
    return math.log2(sum(r.m for r in pool) / sum(r.u for r in pool))


def check_trained(model: Model, config: EntityConfig) -> list[str]:
    """Return the levels of a model that no data informed, as `comparison.level`, for the report."""
    known: dict[str, tuple[Level, ...]] = config.levels
    return [
        f"{name}.{parameters.level}"
        for name, rows in model.comparisons.items()
        if name in known
        for parameters in rows
        if "smoothed" in (parameters.m_from, parameters.u_from)
    ]
