"""Judge scored pairs: hard rules first, then the thresholds.

The rules are the configuration's, in order; the first that applies decides. A rule sees the outcome of each comparison,
the named checks, the match weight and the number of kinds of evidence beside the name. The batch judges in SQL
(`judge`), the online path in Python (`judge_pair`); both read the same configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.entity_config import EntityConfig, RuleConfig
from linkage.model.outcomes import outcome_number
from matchers.levels import literal

BY_SCORE = "score"
BASES = ("identifier", "corroborated", "attribute")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a pair: the verdict, the rule that gave it, and what a link would rest on."""

    verdict: str
    rule: str
    basis: str


def judge(con: DuckDBPyConnection, config: EntityConfig, *, scored: str, profiles: str, out: str) -> None:
    """Make the table of judged pairs.

    Args:
        con: DuckDB connection.
        config: the entity type: rules, checks, thresholds.
        scored: table of `linkage.model.scoring.score`.
        profiles: the profiles, for the checks.
        out: table to make: the columns of `scored`, then evidence (number of kinds beside the name), verdict,
            verdict_rule (a rule's name or `score`), link_basis.
    """
    checks = "".join(
        f",\n    {condition.sql(lambda c: f'l.{quote(c)}', lambda c: f'r.{quote(c)}')} as {quote('check_' + name)}"
        for name, condition in config.conditions.items()
    )
    dropped = ", ".join(quote("check_" + name) for name in config.conditions)
    exclude = f" exclude ({dropped}, decision)" if dropped else " exclude (decision)"
    rules = " ".join(f"when {_applies(config, rule)} then {i}" for i, rule in enumerate(config.rule))
    n = len(config.rule)
    auto, review = config.thresholds.auto, config.thresholds.review
    decided = (
        f"case {rules} when match_weight >= {auto} then {n} when match_weight >= {review} then {n + 1} else {n + 2} end"
    )
    score_basis = "case when evidence >= 2 then 'corroborated' else 'attribute' end"
    verdicts = [rule.verdict for rule in config.rule] + ["auto", "review", "reject"]
    names = [rule.name for rule in config.rule] + [BY_SCORE] * 3
    bases = [score_basis if rule.basis == "evidence" else literal(rule.basis) for rule in config.rule]
    bases += [score_basis] * 3
    con.execute(f"""
create or replace table {quote(out)} as
with observed as (
    select
    s.*,
    {_evidence(config)} as evidence{checks}
    from {quote(scored)} s
    join {quote(profiles)} l on s.left_id = l.profile_id
    join {quote(profiles)} r on s.right_id = r.profile_id
),
decided as (
    select *, {decided} as decision
    from observed
)
select
    *{exclude},
    case decision {_when(map(literal, verdicts))} end as verdict,
    case decision {_when(map(literal, names))} end as verdict_rule,
    case decision {_when(bases)} end as link_basis
from decided""")


def judge_pair(
    config: EntityConfig, *, outcomes: Mapping[str, str], checks: Mapping[str, bool], weight: float
) -> Verdict:
    """Judge one pair.

    Args:
        config: the entity type.
        outcomes: comparison name to the level that held.
        checks: check name to its answer.
        weight: the match weight.
    """
    evidence = evidence_count(config, outcomes)
    basis = "corroborated" if evidence >= 2 else "attribute"
    for rule in config.rule:
        if _rule_holds(rule, outcomes, checks, weight, evidence):
            return Verdict(rule.verdict, rule.name, basis if rule.basis == "evidence" else rule.basis)
    if weight >= config.thresholds.auto:
        return Verdict("auto", BY_SCORE, basis)
    if weight >= config.thresholds.review:
        return Verdict("review", BY_SCORE, basis)
    return Verdict("reject", BY_SCORE, basis)


def evidence_count(config: EntityConfig, outcomes: Mapping[str, str]) -> int:
    """Return how many kinds of evidence beside the name agree."""
    return sum(outcomes[c.name] in c.evidence for c in config.comparison if c.evidence)


def _rule_holds(
    rule: RuleConfig, outcomes: Mapping[str, str], checks: Mapping[str, bool], weight: float, evidence: int
) -> bool:
    def among(levels: tuple[str, ...], outcome: str) -> bool:
        return outcome not in levels[1:] if levels[0] == "not" else outcome in levels

    return (
        all(among(levels, outcomes[name]) for name, levels in rule.when.items())
        and all(checks[c.removeprefix("not ")] != c.startswith("not ") for c in rule.checks)
        and (rule.min_evidence is None or evidence >= rule.min_evidence)
        and (rule.max_evidence is None or evidence <= rule.max_evidence)
        and (rule.min_weight is None or weight >= rule.min_weight)
    )


def _applies(config: EntityConfig, rule: RuleConfig) -> str:
    parts = []
    for name, wanted in rule.when.items():
        negated = wanted[0] == "not"
        numbers = sorted(outcome_number(config.levels[name], level) for level in wanted[negated:])
        listed = ", ".join(map(str, numbers))
        parts.append(f"{quote('gamma_' + name)} {'not in' if negated else 'in'} ({listed})")
    for check in rule.checks:
        column = quote("check_" + check.removeprefix("not "))
        parts.append(f"not {column}" if check.startswith("not ") else column)
    if rule.min_evidence is not None:
        parts.append(f"evidence >= {rule.min_evidence}")
    if rule.max_evidence is not None:
        parts.append(f"evidence <= {rule.max_evidence}")
    if rule.min_weight is not None:
        parts.append(f"match_weight >= {rule.min_weight}")
    return " and ".join(parts) or "true"


def _evidence(config: EntityConfig) -> str:
    parts = []
    for comparison in config.comparison:
        if comparison.evidence:
            numbers = sorted(outcome_number(config.levels[comparison.name], level) for level in comparison.evidence)
            parts.append(f"(s.{quote('gamma_' + comparison.name)} in ({', '.join(map(str, numbers))}))::integer")
    return " + ".join(parts) or "0"


def _when(values: Iterable[str]) -> str:
    return " ".join(f"when {i} then {value}" for i, value in enumerate(values))
