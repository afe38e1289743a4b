"""Estimate a model from the data at hand, as Splink does.

1. The prior: how often two profiles that carry an exclusive identifier share it.
2. u: how often random pairs reach a level, as in Splink's random sampling; where a level asks for two equal values, the
   sum of squared frequencies instead, which needs no luck to see rare events.
3. m: how often pairs of one label reach it; labels are equal valid identifiers. For the comparison the label itself
   decides, Splink's expectation maximisation over pairs blocked on other fields.
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
from linkage.model.level_counts import Counts, count_labelled, count_random, share
from linkage.model.parameters import FORMAT, LevelParameters, Model, levels_hash, splink_settings
from matchers.levels import Level

SEED = 20170101
_LABELS = "training_labels"
_STEP = 1e-6
_DIGITS = 10


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


def train(con: DuckDBPyConnection, config: EntityConfig, *, profiles: str, base: Model | None) -> Model:
    """Estimate a model.

    Args:
        con: DuckDB connection.
        config: the entity type; `config.training` says how.
        profiles: the profiles to learn from.
        base: a model whose m-probabilities stand in where the labels say little, as if
            `config.training.base_strength` pairs had shown them; without one, a rough start takes its place.
    """
    number = label_pairs(con, config, profiles)
    random = count_random(con, config, profiles, max_pairs=config.training.max_pairs, seed=SEED)
    labelled = count_labelled(con, config, profiles, _labels(con, config, profiles))
    prior = _prior(con, config, profiles, number)
    exact_u = _equal_value_u(con, config, profiles)
    start = _starting_m(config, base)
    draft = _model(con, config, profiles, number, prior, exact_u, start, random, labelled)
    draft = _estimate_blind(con, config, draft, profiles, start)
    con.execute(f"drop table {quote(_LABELS)}")
    return _rounded(draft)


def _labels(con: DuckDBPyConnection, config: EntityConfig, profiles: str) -> str:
    """Make the table of profiles whose label another one has, and not too many: profile_id, label."""
    label = quote(config.training.label)
    con.execute(
        f"""
create or replace temp table {quote(_LABELS)} as
select profile_id, {label} as label
from {quote(profiles)}
where {label} in (
    select {label}
    from {quote(profiles)}
    group by {label}
    having count(*) between 2 and ?
)""",
        [config.training.max_label_group],
    )
    return _LABELS


def _rounded(model: Model) -> Model:
    """Round off what sums in another order of rows leave behind, so that the order of the records changes nothing."""
    comparisons = {
        name: tuple(
            row.model_copy(update={"m": float(f"{row.m:.{_DIGITS}g}"), "u": float(f"{row.u:.{_DIGITS}g}")})
            for row in rows
        )
        for name, rows in model.comparisons.items()
    }
    return model.model_copy(update={"comparisons": comparisons})


def _linker(con: DuckDBPyConnection, table: str, settings: dict[str, Any]) -> Linker:
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=con)
    return Linker(api.register(con.table(table)), settings, log_level=None, validate_settings=False)


def _prior(con: DuckDBPyConnection, config: EntityConfig, profiles: str, labels: int) -> float:
    (labelled,) = only_row(con, f"select count({quote(config.training.label)}) from {quote(profiles)}")
    possible = labelled * (labelled - 1) / 2
    return float(max(labels, 1) / max(possible, 1e4))


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
    profiles: str,
    label_pairs: int,
    prior: float,
    exact_u: dict[tuple[str, str], float],
    start: dict[tuple[str, str], float],
    random: Counts,
    labelled: Counts,
) -> Model:
    comparisons: dict[str, tuple[LevelParameters, ...]] = {}
    for comparison in config.comparison:
        levels = [level for level in config.levels[comparison.name] if not level.is_missing]
        rows = []
        for level in levels:
            m_start = start[comparison.name, level.name]
            m, m_from = m_start, "start"
            if comparison.name not in config.training.label_blind:
                seen = share(labelled, comparison.name, level.name) or 0.0
                m, m_from = _blend(seen, sum(labelled[comparison.name].values()), m_start, config, "labels")
            u, u_from = share(random, comparison.name, level.name), "sample"
            if level.stands_for:
                m, m_from = share(labelled, comparison.name, level.stands_for) or m_start, "stands_for"
            shared = exact_u.get((comparison.name, level.name))
            if shared is not None and (u is None or level.stands_for or shared < u * 10):
                u = shared if level.stands_for or not u else min(shared, u)
                u_from = "frequencies"
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
        label_pairs=label_pairs,
        prior=prior,
        tf_prior_strength=config.training.tf_prior_strength,
        tf_minimum=config.training.tf_minimum,
        comparisons=comparisons,
    )


def _blend(seen: float, pairs: float, start: float, config: EntityConfig, source: str) -> tuple[float, str]:
    """Return an m-probability drawn towards the start, and whether the data or the start says more."""
    strength = config.training.base_strength
    m = (seen * pairs + start * strength) / (pairs + strength)
    return m, source if seen * pairs >= start * strength else "base"


def _starting_m(config: EntityConfig, base: Model | None) -> dict[tuple[str, str], float]:
    """Return a first m-probability per (comparison, level): the base model's, else falling from level to level."""
    if base is not None:
        return {(name, row.level): row.m for name, rows in base.comparisons.items() for row in rows}
    start: dict[tuple[str, str], float] = {}
    for name, levels in config.levels.items():
        compared = [level.name for level in levels if not level.is_missing]
        for position, level in enumerate(compared):
            start[name, level] = 0.9 if position == 0 else 0.1 / (len(compared) - 1)
    return start


def _estimate_blind(
    con: DuckDBPyConnection, config: EntityConfig, draft: Model, profiles: str, start: dict[tuple[str, str], float]
) -> Model:
    """Estimate the comparisons that the label decides by expectation maximisation, all others held fixed."""
    blind = config.training.label_blind
    matches = _expected_matches(con, config, profiles)
    if not blind or not matches:
        return draft
    linker = _linker(con, profiles, splink_settings(config, draft, estimate=blind))
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        block_on(*config.training.em_block), estimate_without_term_frequencies=True, max_pairs=2e6
    )
    share = float(session.core_model_settings.probability_two_random_records_match)
    trained = {
        c["output_column_name"]: {level["label_for_charts"]: level for level in c["comparison_levels"]}
        for c in linker.misc.save_model_to_json()["comparisons"]
    }
    comparisons = dict(draft.comparisons)
    against = {c.name: c.against for c in config.comparison}
    for name in blind:
        rows = []
        for row in draft.comparisons[name]:
            seen = trained[name][row.level].get("m_probability") or 0.0
            m, m_from = _blend(seen, matches[name] * share, start[name, row.level], config, "em")
            rows.append(row.model_copy(update={"m": m, "m_from": m_from}))
        comparisons[name] = make_sense(rows, against=against[name], bound=config.training.weight_bound)
    return draft.model_copy(update={"comparisons": comparisons})


def _expected_matches(con: DuckDBPyConnection, config: EntityConfig, profiles: str) -> dict[str, int]:
    """Return per label-blind comparison how many pairs of the training block have something to compare."""
    joined = " and ".join(f"l.{quote(c)} = r.{quote(c)}" for c in config.training.em_block)
    found: dict[str, int] = {}
    for name in config.training.label_blind:
        condition = config.levels[name][0].condition
        assert condition is not None
        missing = condition.sql(lambda c: f"l.{quote(c)}", lambda c: f"r.{quote(c)}")
        (pairs,) = only_row(
            con,
            f"""
select count(*) filter (not {missing})
from {quote(profiles)} l
join {quote(profiles)} r on {joined} and l.profile_id < r.profile_id""",
        )
        if pairs:
            found[name] = pairs
    return found


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
    """Return the joint weight of a pool, no more than lets every m-probability stay one."""
    joint = math.log2(sum(r.m for r in pool) / sum(r.u for r in pool))
    return min(joint, -math.log2(max(r.u for r in pool)))


def check_trained(model: Model, config: EntityConfig) -> list[str]:
    """Return the levels of a model that no data informed, as `comparison.level`, for the report."""
    known: dict[str, tuple[Level, ...]] = config.levels
    return [
        f"{name}.{parameters.level}"
        for name, rows in model.comparisons.items()
        if name in known
        for parameters in rows
        if parameters.m_from == "base" or parameters.u_from == "smoothed"
    ]
