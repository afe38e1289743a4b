"""Sex."""

from __future__ import annotations

import pytest
from level_oracle import assert_levels_agree, row

from matchers.levels import outcome
from matchers.sex import Sex, levels, mask, standardise


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1", "M"),
        ("2", "F"),
        ("01", "M"),
        ("1.0", "M"),
        ("男", "M"),
        ("女", "F"),
        ("男性", "M"),
        ("女士", "F"),
        ("m", "M"),
        ("Female", "F"),
        (" 男 ", "M"),
        ("1-男", "M"),
        ("2.女性", "F"),
        ("男(1)", "M"),
        ("Ｍ", "M"),
    ],
)
def test_codes_and_words_are_read(text: str, code: str) -> None:
    assert standardise(text) == Sex(code, sure=code)


@pytest.mark.parametrize(
    "text", [None, "", "0", "9", "3", "未知", "未说明的性别", "男女", "😀", "\ud800", "\x00", "男" * 10_000, "ذكر"]
)
def test_anything_else_is_no_value(text: str | None) -> None:
    assert standardise(text) == Sex()


@pytest.mark.parametrize(
    ("stated", "derived", "expected"),
    [
        ("男", "M", Sex("M", False, "M")),
        ("男", "F", Sex("F", True, None)),
        (None, "F", Sex("F", None, "F")),
        ("9", "F", Sex("F", None, "F")),
        ("女", None, Sex("F", None, "F")),
    ],
)
def test_the_number_is_believed_and_a_conflict_is_flagged(
    stated: str | None, derived: str | None, expected: Sex
) -> None:
    assert standardise(stated, derived) == expected


def test_the_batch_and_one_pair_agree_on_every_level() -> None:
    rows = [row(s=standardise(text)) for text in ("男", "女", None, "1")]
    assert assert_levels_agree(levels("s"), rows, {"s": Sex}) == {"missing", "same", "different"}


def test_a_record_that_contradicts_itself_is_no_evidence() -> None:
    torn = row(s=standardise("男", "F"))
    for stated in ("男", "女"):
        assert outcome(levels("s"), torn, row(s=standardise(stated))).name == "missing"


def test_a_mask_shows_nothing() -> None:
    assert mask("男") == mask("女") == "*"
    assert mask("") == ""
