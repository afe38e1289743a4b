"""Score one pair in Python: the same levels, weights and verdict as the batch gives.

The batch evaluates comparison levels on columns of codes and has Splink weigh the patterns; this evaluates the same
level objects on two standardised rows and adds the same weights. A property test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model
from linkage.model.verdicts import Verdict, evidence_count, judge_pair
from matchers.levels import Level, Row, outcome

Frequency = Callable[[str, str], float | None]


@dataclass(frozen=True, slots=True)
class ComparisonOutcome:
    """What one comparison said.

    Attributes:
        comparison: its name.
        level: the level that held.
        weight: the level's match weight.
        frequency_adjustment: what the rarity of the shared value adds.
    """

    comparison: str
    level: Level
    weight: float
    frequency_adjustment: float


@dataclass(frozen=True, slots=True)
class PairScore:
    """A pair's score, part by part.

    Attributes:
        prior_weight: the match weight before any comparison.
        comparisons: the outcomes, in the configuration's order.
        weight: the total match weight.
        probability: the match probability.
        checks: the named checks' answers.
        evidence: kinds of evidence beside the name.
        verdict: what becomes of the pair.
    """

    prior_weight: float
    comparisons: tuple[ComparisonOutcome, ...]
    weight: float
    probability: float
    checks: dict[str, bool]
    evidence: int
    verdict: Verdict


def score_pair(config: EntityConfig, model: Model, left: Row, right: Row, frequency: Frequency) -> PairScore:
    """Score two standardised rows.

    Args:
        config: the entity type.
        model: the parameters.
        left: one row, column to value.
        right: the other.
        frequency: the smoothed frequency of a value in a column, or `None` if it is not known.
    """
    outcomes = []
    for name, levels in config.levels.items():
        level = outcome(levels, left, right)
        weight = 0.0 if level.is_missing else model.parameters(name, level.name).weight
        outcomes.append(ComparisonOutcome(name, level, weight, _adjustment(model, name, level, left, frequency)))
    total = model.prior_weight + sum(o.weight + o.frequency_adjustment for o in outcomes)
    names = {o.comparison: o.level.name for o in outcomes}
    checks = {name: condition.holds(left, right) for name, condition in config.conditions.items()}
    return PairScore(
        prior_weight=model.prior_weight,
        comparisons=tuple(outcomes),
        weight=total,
        probability=probability_of(total),
        checks=checks,
        evidence=evidence_count(config, names),
        verdict=judge_pair(config, outcomes=names, checks=checks, weight=total),
    )


def probability_of(weight: float) -> float:
    """Return the match probability of a match weight.

    >>> probability_of(0.0)
    0.5
    """
    if weight >= 0:
        return float(1.0 / (1.0 + 2.0**-weight))
    odds = 2.0**weight
    return float(odds / (1.0 + odds))


def _adjustment(model: Model, comparison: str, level: Level, left: Row, frequency: Frequency) -> float:
    if level.term_frequency is None:
        return 0.0
    found = frequency(level.term_frequency, left[level.term_frequency])
    if found is None:
        return 0.0
    u = model.parameters(comparison, level.name).u
    return math.log2(u) - math.log2(max(found, model.tf_minimum))
