"""Why one pair got its verdict: the sum, the bars, and the three ways to show it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unicodedata import east_asian_width

import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from eval.report.explanation import (
    Evidence,
    PairExplanation,
    ShownField,
    as_json,
    as_text,
    render_explanation,
    waterfall,
    write_explanation,
)
from eval.report.words import LANGS, words

weights = st.floats(-40, 40).map(lambda weight: round(weight, 4))


@st.composite
def explanations(draw: st.DrawFn) -> PairExplanation:
    parts = draw(st.lists(st.tuples(weights, weights), max_size=6))
    prior = draw(weights)
    comparisons = tuple(Evidence(f"c{i}", "l", "", "", weight, tf) for i, (weight, tf) in enumerate(parts))
    total = prior + sum(weight + tf for weight, tf in parts)
    return replace(samples.pair(), prior_weight=prior, comparisons=comparisons, total_weight=total)


@given(explanations())
def test_each_bar_begins_where_the_last_one_ended_and_all_stay_in_the_drawing(explanation: PairExplanation) -> None:
    steps = waterfall(explanation, words("zh"))
    assert [step.kind for step in (steps[0], steps[-1])] == ["prior", "total"]
    for step in steps:
        assert -0.01 <= step.left <= step.left + step.width <= 100.01
        assert min(abs(step.after - step.left), abs(step.after - step.left - step.width)) < 0.01
    for before, step in pairwise(steps[:-1]):
        assert step.running == pytest.approx(before.running + step.weight)
        assert min(abs(before.after - step.left), abs(before.after - step.left - step.width)) < 0.01
    assert steps[-1].running == explanation.total_weight
    assert steps[-2].running == pytest.approx(explanation.total_weight)


def test_evidence_for_and_against_and_without_weight_is_told_apart() -> None:
    kinds = [step.kind for step in waterfall(samples.pair(), words("zh"))]
    assert kinds == ["prior", "for", "for", "nothing", "against", "for", "total"]


def test_the_rarity_of_a_value_counts_in_its_weight() -> None:
    name = waterfall(samples.pair(), words("en"))[1]
    assert (round(name.weight, 2), name.tf) == (6.7, 0.8)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("explanation", samples.pairs())
def test_the_page_shows_every_step_and_value_and_needs_no_script(explanation: PairExplanation, lang: str) -> None:
    page, w = render_explanation(explanation, lang), words(lang)
    for step in waterfall(explanation, w):
        assert w.weight(step.weight) in page
        assert w.weight(step.running) in page
    for shown in (*explanation.left, *explanation.right):
        assert (shown.value or w.none) in page
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert w.label("verdict", explanation.verdict) in page


def test_a_verdict_by_rule_says_that_the_rule_came_before_the_score() -> None:
    _, by_rule, bare, *_ = samples.pairs()
    assert "equal id, unrelated names" in as_text(by_rule, "en")
    assert "证件号相同而姓名无关" in as_text(by_rule, "zh")
    assert 'rule "twins", which comes before the score.' in as_text(bare, "en")
    assert "Decided by the score." in as_text(samples.pair(), "en")


def cells(text: str, name: str) -> list[str]:
    """Return the cells of the first line of a table row."""
    line = next(line for line in text.splitlines() if line.startswith(f"│ {name}"))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_the_text_has_the_two_values_beside_each_level_and_the_running_sum() -> None:
    text = as_text(samples.pair(), "en")
    assert cells(text, "Prior")[4:] == ["−21.00", "−21.00"]
    assert cells(text, "name") == ["name", "欧*娜", "区*娜", "same reading, other characters", "+6.70", "−14.30"]
    assert cells(text, "Total")[4:] == ["+1.00", "+1.00"]
    assert cells(text, "ethnicity") == ["ethnicity", "汉族", "–"]


def test_a_value_that_another_field_told_is_shown_as_it_was_read() -> None:
    assert cells(as_text(samples.pair(), "en"), "birth")[1:3] == ["1980-05", "(standardised: 1980-05)"]
    page = render_explanation(samples.pair(), "en")
    row = re.search(r'<th scope="row">birth date</th>.*?</tr>', page, re.DOTALL)
    assert row is not None
    assert "standardised: 1980-05" in row[0]


def test_checks_and_kinds_of_evidence_are_named() -> None:
    text = as_text(samples.pair(), "en")
    assert "1 kind of evidence beside the name: birth date." in text
    assert "numbers of one region and birth date: yes; two valid numbers that contradict each other: no." in text
    assert "* evidence beside the name" in text


@pytest.mark.parametrize("lang", LANGS)
def test_text_is_without_colour_codes_and_no_wider_than_a_terminal(lang: str) -> None:
    wide, narrow = as_text(samples.pair(), lang), as_text(samples.pair(), lang, width=90)
    assert "\x1b" not in wide + narrow
    for line in narrow.splitlines():
        if line.startswith("│"):
            assert sum(2 if east_asian_width(c) in "WF" else 1 for c in line) <= 90


def test_json_holds_the_fields_as_they_are() -> None:
    read = json.loads(as_json(samples.pair()))
    assert read["comparisons"][0]["tf_adjustment"] == 0.8
    assert read["left"][0] == {"field": "name", "value": "欧*娜", "standardised": None}


def test_fields_only_one_record_has_are_shown_beside_a_dash() -> None:
    page = render_explanation(samples.pair(), "en")
    row = re.search(r'<th scope="row">phone</th>.*?</tr>', page, re.DOTALL)
    assert row is not None
    assert row[0].index("–") < row[0].index("138****1234")


@pytest.mark.parametrize("junk", ["", "🙂", "\ud800", "\0", "\u202eabc", "</td><script>x</script>", "字" * 10_000])
def test_odd_values_are_shown_as_text_or_as_missing(junk: str, tmp_path: Path) -> None:
    explanation = replace(
        samples.pair(),
        left_id=junk,
        left=(ShownField(junk, junk, junk),),
        right=(ShownField(junk, None),),
        comparisons=(Evidence(junk, junk, junk, junk, 1.0),),
        rule=junk,
    )
    write_explanation(explanation, tmp_path / "pair.html", "zh")
    assert "<script>" not in (tmp_path / "pair.html").read_text(encoding="utf-8")
    assert as_text(explanation)
    assert json.loads(as_json(explanation))["left_id"] == junk


def test_a_pair_without_any_weight_is_drawn_without_dividing_by_zero() -> None:
    flat = replace(samples.pair(), prior_weight=0.0, comparisons=(), total_weight=0.0, probability=0.5)
    assert [step.width for step in waterfall(flat, words("zh"))] == [0.0, 0.0]
    assert "0.500000" in render_explanation(flat)
