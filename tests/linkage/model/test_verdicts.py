"""Verdicts: the first rule that applies decides, and SQL decides as Python does."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blocking.sql import quote
from linkage.entity_config import EntityConfig, RuleConfig, Thresholds, load_entity_config
from linkage.model.outcomes import level_of_number, outcome_number
from linkage.model.verdicts import BY_SCORE, Verdict, evidence_count, judge, judge_pair
from linkage.pipeline import Linkage
from matchers.identifiers import resident_id

BASE = load_entity_config("natural_person")
AGREED = dict.fromkeys(BASE.levels, "missing") | {"name": "exact", "phone": "same", "address": "same_room"}
# What the checks answer about two empty profiles, which is what the SQL of these tests reads.
CHECKS = {name: condition.holds({}, {}) for name, condition in BASE.conditions.items()}
NUMBERS = tuple(body + resident_id.check_digit(body) for body in ("44030619900307123", "44030619851120456"))


def rule(verdict: str = "conflict", name: str = "the_rule", **options: Any) -> RuleConfig:
    return RuleConfig.model_validate(
        {"name": name, "verdict": verdict, "reason_zh": "因", "reason_en": "because", **options}
    )


def configured(*rules: RuleConfig) -> EntityConfig:
    thresholds = Thresholds(auto=8.0, review=2.0)
    return BASE.model_copy(update={"rule": rules, "thresholds": thresholds})


def judged_in_sql(
    config: EntityConfig, outcomes: dict[str, str], checks: dict[str, bool], weight: float
) -> tuple[str, str, str]:
    """Judge one pair in SQL; the rows are made so that the check `different_numbers` answers as wanted."""
    assert not checks["near_numbers"]
    gammas = ", ".join(
        f"{outcome_number(config.levels[name], level)}::tinyint as {quote('gamma_' + name)}"
        for name, level in outcomes.items()
    )
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        columns = ", ".join(f"{quote(c)} {config.columns[c]}" for c in config.profile_columns)
        con.execute(f"create table profiles (profile_id bigint, {columns})")
        for profile, number in enumerate(NUMBERS, 1):
            con.execute("insert into profiles (profile_id) values (?)", [profile])
            if checks["different_numbers"]:
                con.execute(
                    "update profiles set id_value = ?, id_exclusive = ?, id_scheme = 'resident_id', "
                    "id_status = 'valid' where profile_id = ?",
                    [number, number, profile],
                )
        con.execute(
            f"create table scored as select 1 as left_id, 2 as right_id, {weight!r}::double as match_weight, {gammas}"
        )
        judge(con, config, scored="scored", profiles="profiles", out="judged")
        ((verdict, name, basis),) = con.execute("select verdict, verdict_rule, link_basis from judged").fetchall()
    return verdict, name, basis


def judged(
    config: EntityConfig,
    outcomes: dict[str, str] = AGREED,
    checks: dict[str, bool] = CHECKS,
    weight: float = 20.0,
) -> Verdict:
    """Judge one pair both ways, and see that they agree."""
    found = judge_pair(config, outcomes=outcomes, checks=checks, weight=weight)
    assert judged_in_sql(config, outcomes, checks, weight) == (found.verdict, found.rule, found.basis)
    return found


def test_sql_judges_every_pair_as_python_does(run: Linkage) -> None:
    config, con = run.config, run.con
    checks = ", ".join(
        condition.sql(lambda c: f"l.{quote(c)}", lambda c: f"r.{quote(c)}") + f" as {quote('check_' + name)}"
        for name, condition in config.conditions.items()
    )
    pairs = (
        con.sql(f"""
select j.*, {checks}
from {quote(run.table("judged"))} j
join {quote(run.table("profiles"))} l on j.left_id = l.profile_id
join {quote(run.table("profiles"))} r on j.right_id = r.profile_id""")
        .to_arrow_table()
        .to_pylist()
    )
    rules = set()
    alone = {rule.name for rule in config.rule if rule.only_candidate}
    for pair in pairs:
        outcomes = {n: level_of_number(levels, pair[f"gamma_{n}"]).name for n, levels in config.levels.items()}
        answers = {name: pair[f"check_{name}"] for name in config.conditions}
        found = judge_pair(config, outcomes=outcomes, checks=answers, weight=pair["match_weight"])
        verdict = "review" if pair["verdict_rule"] in alone else pair["verdict"]
        assert found == Verdict(verdict, pair["verdict_rule"], pair["link_basis"])
        assert evidence_count(config, outcomes) == pair["evidence"]
        rules.add(found.rule)
    assert len(rules) > 10


def test_judging_keeps_every_scored_pair_and_column(run: Linkage) -> None:
    scored, made = (run.con.sql(f"from {quote(run.table(t))}") for t in ("scored", "judged"))
    assert made.columns == [*scored.columns, "evidence", "verdict", "verdict_rule", "link_basis"]
    kept = f"select {', '.join(map(quote, scored.columns))} from {quote(run.table('judged'))}"
    assert run.con.execute(f"from {quote(run.table('scored'))} except {kept}").fetchall() == []
    assert len(made) == len(scored)


def test_the_first_rule_that_applies_decides() -> None:
    first, second = rule("review", "first"), rule("reject", "second")
    assert judged(configured(first, second)).rule == "first"
    assert judged(configured(second, first)).rule == "second"
    passed_over = rule("auto", "passed_over", when={"name": ("different",)})
    assert judged(configured(passed_over, second, first)) == Verdict("reject", "second", "corroborated")


@pytest.mark.parametrize(
    ("options", "applies"),
    [
        ({}, True),
        ({"when": {"name": ("exact",)}}, True),
        ({"when": {"name": ("variant", "exact")}}, True),
        ({"when": {"name": ("variant",)}}, False),
        ({"when": {"name": ("not", "variant")}}, True),
        ({"when": {"name": ("not", "exact")}}, False),
        ({"when": {"name": ("not", "variant", "exact")}}, False),
        ({"when": {"id": ("missing",)}}, True),
        ({"when": {"id": ("not", "missing")}}, False),
        ({"when": {"id": ("not", "equal")}}, True),
        ({"when": {"name": ("exact",), "phone": ("same",)}}, True),
        ({"when": {"name": ("exact",), "phone": ("shared",)}}, False),
        ({"checks": ("different_numbers",)}, False),
        ({"checks": ("not different_numbers",)}, True),
        ({"checks": ("not different_numbers", "not near_numbers")}, True),
        ({"checks": ("not different_numbers", "near_numbers")}, False),
        ({"min_evidence": 2}, True),
        ({"min_evidence": 3}, False),
        ({"max_evidence": 2}, True),
        ({"max_evidence": 1}, False),
        ({"max_evidence": 0}, False),
        ({"min_weight": 20.0}, True),
        ({"min_weight": 20.001}, False),
        ({"min_weight": 0.0, "min_evidence": 1, "when": {"name": ("exact",)}}, True),
    ],
)
def test_a_rule_applies_when_all_its_conditions_hold(options: dict[str, Any], applies: bool) -> None:
    found = judged(configured(rule("conflict", **options)))
    assert found == (
        Verdict("conflict", "the_rule", "corroborated") if applies else Verdict("auto", BY_SCORE, "corroborated")
    )


@pytest.mark.parametrize(("wanted", "applies"), [("different_numbers", True), ("not different_numbers", False)])
def test_a_check_that_holds_is_seen_by_the_rules(wanted: str, applies: bool) -> None:
    found = judged(configured(rule("reject", checks=(wanted,))), checks=CHECKS | {"different_numbers": True})
    assert found.verdict == ("reject" if applies else "auto")


@pytest.mark.parametrize(
    ("weight", "verdict"),
    [(8.0, "auto"), (7.999999, "review"), (2.0, "review"), (1.999999, "reject"), (-50.0, "reject"), (1e6, "auto")],
)
def test_without_a_rule_the_weight_decides_and_the_thresholds_belong_to_the_better_side(
    weight: float, verdict: str
) -> None:
    assert judged(configured(), weight=weight) == Verdict(verdict, BY_SCORE, "corroborated")


@pytest.mark.parametrize(
    ("changed", "basis"),
    [
        ({}, "corroborated"),
        ({"phone": "missing"}, "attribute"),
        ({"phone": "missing", "address": "missing"}, "attribute"),
    ],
)
def test_a_link_by_score_is_corroborated_by_two_kinds_of_evidence(changed: dict[str, str], basis: str) -> None:
    assert judged(configured(), AGREED | changed).basis == basis


@pytest.mark.parametrize("basis", ["identifier", "corroborated", "attribute"])
def test_a_link_by_rule_has_the_basis_of_the_rule(basis: str) -> None:
    assert judged(configured(rule("auto", basis=basis))) == Verdict("auto", "the_rule", basis)


OUTCOMES = st.fixed_dictionaries(
    {name: st.sampled_from([level.name for level in levels]) for name, levels in BASE.levels.items()}
)


@settings(max_examples=40, deadline=None)
@given(OUTCOMES, st.booleans(), st.floats(-60, 60))
@example(dict.fromkeys(BASE.levels, "missing") | {"name": "masked_compatible"}, False, 0.0)
def test_sql_and_python_agree_on_any_outcomes_under_the_shipped_rules(
    outcomes: dict[str, str], different: bool, weight: float
) -> None:
    judged(BASE, outcomes, CHECKS | {"different_numbers": different}, weight)


def test_a_level_and_its_number_are_each_others_name() -> None:
    for levels in BASE.levels.values():
        numbers = [outcome_number(levels, level.name) for level in levels]
        assert [level_of_number(levels, number) for number in numbers] == list(levels)
        assert sorted(numbers) == list(range(-1, len(levels) - 1))


@pytest.mark.parametrize("entity", ["natural_person", "legal_person"])
@pytest.mark.parametrize("weight", [-5.0, 20.0, 60.0])
def test_a_record_without_a_name_is_never_linked_without_an_equal_number(entity: str, weight: float) -> None:
    config = load_entity_config(entity)
    best = {c.name: c.evidence[0] if c.evidence else config.levels[c.name][1].name for c in config.comparison}
    number = "id" if entity == "natural_person" else "code"
    outcomes = {**best, "name": "missing", number: "missing"}
    verdict = judge_pair(config, outcomes=outcomes, checks=dict.fromkeys(config.conditions, False), weight=weight)
    assert verdict.verdict in {"review", "reject"}
