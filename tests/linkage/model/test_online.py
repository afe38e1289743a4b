"""Scoring one pair in Python gives what the batch gives, for every pair of the simulated records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from blocking.sql import quote
from linkage.model.online import PairScore, probability_of, score_pair
from linkage.model.outcomes import outcome_number
from linkage.model.parameters import term_frequency_columns
from linkage.pipeline import Linkage

Row = dict[str, Any]
Scored = list[tuple[Row, PairScore]]


@pytest.fixture(scope="module")
def rescored(linked: dict[str, Linkage]) -> Callable[[str], Scored]:
    """Every judged pair of an entity type beside its score in Python."""
    made: dict[str, Scored] = {}

    def of(entity: str) -> Scored:
        if entity not in made:
            made[entity] = _rescore(linked[entity])
        return made[entity]

    return of


def _rescore(run: Linkage) -> Scored:
    con = run.con
    profiles = {
        row["profile_id"]: row
        for row in con.sql(f"select * from {quote(run.table('profiles'))}").to_arrow_table().to_pylist()
    }
    frequencies = {
        (column, value): frequency
        for column in term_frequency_columns(run.config)
        for value, frequency in con.execute(f"from {quote(run.frequencies[column])}").fetchall()
    }
    judged = con.sql(f"select * from {quote(run.table('judged'))}").to_arrow_table().to_pylist()
    return [
        (
            pair,
            score_pair(
                run.config,
                run.trained,
                profiles[pair["left_id"]],
                profiles[pair["right_id"]],
                lambda column, value: frequencies.get((column, value)),
            ),
        )
        for pair in judged
    ]


def test_the_pairs_compared_are_many_and_of_every_verdict(run: Linkage, rescored: Callable[[str], Scored]) -> None:
    pairs = rescored(run.config.entity)
    assert len(pairs) > 3_000
    assert {pair["verdict"] for pair, _ in pairs} == {"auto", "review", "reject", "conflict"}


def test_every_comparison_has_the_level_the_batch_found(run: Linkage, rescored: Callable[[str], Scored]) -> None:
    for pair, score in rescored(run.config.entity):
        found = {o.comparison: outcome_number(run.config.levels[o.comparison], o.level.name) for o in score.comparisons}
        assert found == {name: pair[f"gamma_{name}"] for name in run.config.levels}


def test_the_weight_and_the_probability_are_those_of_the_batch(run: Linkage, rescored: Callable[[str], Scored]) -> None:
    for pair, score in rescored(run.config.entity):
        assert score.weight == pytest.approx(pair["match_weight"], abs=1e-9)
        assert score.probability == pytest.approx(pair["match_probability"], abs=1e-9)


def test_the_verdict_its_rule_and_the_evidence_are_those_of_the_batch(
    run: Linkage, rescored: Callable[[str], Scored]
) -> None:
    alone = {rule.name for rule in run.config.rule if rule.only_candidate}
    for pair, score in rescored(run.config.entity):
        verdict = "review" if pair["verdict_rule"] in alone else pair["verdict"]
        judged = (verdict, pair["verdict_rule"], pair["link_basis"], pair["evidence"])
        assert (score.verdict.verdict, score.verdict.rule, score.verdict.basis, score.evidence) == judged


def test_the_checks_hold_on_the_pairs_on_which_they_hold_in_sql(
    run: Linkage, rescored: Callable[[str], Scored]
) -> None:
    pairs = rescored(run.config.entity)
    for name, condition in run.config.conditions.items():
        holds = condition.sql(lambda c: f"l.{quote(c)}", lambda c: f"r.{quote(c)}")
        rows = run.con.execute(f"""
select j.left_id, j.right_id, {holds}
from {quote(run.table("judged"))} j
join {quote(run.table("profiles"))} l on j.left_id = l.profile_id
join {quote(run.table("profiles"))} r on j.right_id = r.profile_id""").fetchall()
        batch = {(left, right): answer for left, right, answer in rows}
        assert batch == {(pair["left_id"], pair["right_id"]): score.checks[name] for pair, score in pairs}


def test_the_parts_of_a_score_add_up_to_it(run: Linkage, rescored: Callable[[str], Scored]) -> None:
    adjusted = 0
    for _, score in rescored(run.config.entity):
        parts = [score.prior_weight]
        for outcome in score.comparisons:
            parts += [outcome.weight, outcome.frequency_adjustment]
            adjusted += outcome.frequency_adjustment != 0.0
        assert score.weight == pytest.approx(sum(parts), abs=1e-9)
    assert adjusted > 1_000


def test_a_pair_scores_the_same_from_either_side(run: Linkage, rescored: Callable[[str], Scored]) -> None:
    profiles = run.con.sql(f"select * from {quote(run.table('profiles'))}").to_arrow_table().to_pylist()
    rows = {row["profile_id"]: row for row in profiles}
    for pair, _ in rescored(run.config.entity)[::7]:
        left, right = rows[pair["left_id"]], rows[pair["right_id"]]
        forth = score_pair(run.config, run.trained, left, right, lambda c, v: None)
        back = score_pair(run.config, run.trained, right, left, lambda c, v: None)
        assert [o.level.name for o in forth.comparisons] == [o.level.name for o in back.comparisons]
        assert (forth.weight, forth.verdict) == (back.weight, back.verdict)


def test_a_rare_shared_value_weighs_more_than_a_common_one(linked: dict[str, Linkage]) -> None:
    run = linked["natural_person"]
    row = (
        run.con.sql(
            f"select * from {quote(run.table('profiles'))} where name_key is not null order by profile_id limit 1"
        )
        .to_arrow_table()
        .to_pylist()[0]
    )
    weights = [score_pair(run.config, run.trained, row, row, lambda c, v: f).weight for f in (1e-5, 1e-3, 1e-1)]  # noqa: B023
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[1] > weights[2]


@pytest.mark.parametrize(
    ("weight", "probability"),
    [(0.0, 0.5), (1.0, 2 / 3), (-1.0, 1 / 3), (2_000.0, 1.0), (-2_000.0, 0.0), (float("-inf"), 0.0)],
)
def test_a_weight_of_any_size_has_a_probability(weight: float, probability: float) -> None:
    assert probability_of(weight) == pytest.approx(probability)
