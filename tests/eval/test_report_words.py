"""Texts in both languages, and how figures are written."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import EvalError
from eval.report.words import LANGS, Words, texts, words

ZH, EN = words("zh"), words("en")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(texts()["texts"]))
def test_a_text_has_both_languages_with_the_same_places(key: str) -> None:
    entry = texts()["texts"][key]
    assert set(entry) == set(LANGS)
    assert all(entry.values())
    assert places(entry["zh"]) == places(entry["en"])


def test_a_name_has_both_languages() -> None:
    for group, codes in texts()["labels"].items():
        for code, entry in codes.items():
            assert set(entry) == set(LANGS), (group, code)
            assert all(entry.values()), (group, code)


def test_chinese_texts_use_chinese_punctuation() -> None:
    for key, entry in texts()["texts"].items():
        assert not set(",;:?()") & set(entry["zh"]), key


def test_an_unknown_code_is_shown_as_it_is_and_none_as_a_dash() -> None:
    assert ZH.label("event", "merged") == "合并"
    assert ZH.label("event", "no_such_event") == "no_such_event"
    assert ZH.label("no_such_group", "x") == "x"
    assert EN.label("event", None) == EN.none


def test_a_comparison_is_called_after_its_field() -> None:
    assert ZH.label("comparison", "birth_date") == "出生日期"


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EvalError, match="'fr'; expected one of zh, en"):
        words("fr")


@pytest.mark.parametrize(
    ("n", "text"),
    [("1", "1 source gave 1 row: "), ("2", "2 sources gave 2 rows: "), ("1,001", "1,001 sources gave 1,001 rows: ")],
)
def test_english_nouns_agree_with_their_figure(n: str, text: str) -> None:
    made = EN.text("sources_says", sources=n, rows_in=n, kept=n, quarantined=n, share="1%", superseded=n)
    assert made.startswith(text)
    assert "|" not in made


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (0, "0%"),
        (1, "100%"),
        (0.5, "50.00%"),
        (0.99994, "99.99%"),
        (0.99996, "> 99.99%"),
        (0.00004, "< 0.01%"),
        (1 / 3, "33.33%"),
    ],
)
def test_a_share_is_never_rounded_up_to_all_or_down_to_nothing(share: float | None, text: str) -> None:
    assert ZH.percent(share) == text


@given(st.floats(0, 1))
def test_only_everything_reads_as_everything(share: float) -> None:
    assert (EN.percent(share) == "100%") == (share == 1)
    assert (EN.percent(share) == "0%") == (share == 0)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0.0 秒", "0.0 s"),
        (59.94, "59.9 秒", "59.9 s"),
        (59.96, "1 分 0 秒", "1 min 0 s"),
        (3725.2, "1 小时 2 分 5 秒", "1 h 2 min 5 s"),
    ],
)
def test_a_length_of_time_is_in_the_units_a_person_uses(seconds: float, zh: str, en: str) -> None:
    assert (ZH.duration(seconds), EN.duration(seconds)) == (zh, en)


@pytest.mark.parametrize(
    ("weight", "text"), [(None, "–"), (0.001, "0.00"), (-0.001, "0.00"), (3, "+3.00"), (-12.345, "−12.35")]
)
def test_a_weight_carries_its_sign_and_zero_none(weight: float | None, text: str) -> None:
    assert Words("zh").weight(weight) == text


def test_missing_figures_are_dashes_and_nothing_is_divided_by_zero() -> None:
    assert [ZH.count(None), ZH.number(None), ZH.probability(None), ZH.share(1, 0), ZH.share(None, 3)] == ["–"] * 5


def test_a_tiny_probability_keeps_its_magnitude() -> None:
    assert (EN.probability(3e-7), EN.probability(0.25), EN.probability(0)) == ("3.0e-07", "0.250000", "0.000000")
