"""Cleaning, placeholders, masks and the damage done by spreadsheets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.identifiers.calendar_date import iso_date
from matchers.identifiers.citizen_pattern import masked_pattern, piece_pattern
from matchers.identifiers.cleaning import clean
from matchers.identifiers.damage import is_scientific, rounding_of, scientific_digits
from matchers.identifiers.masks import aligned, hidden_for_display, stars
from matchers.identifiers.placeholders import is_placeholder


@given(st.text(max_size=60) | st.text(alphabet=st.characters(codec=None), max_size=20))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "gap", [" ", "\t", "\u00a0", "\u200b", "\ufeff", "\u3000", "-", "－", "—", "'", "\u202e", "\r\n", "\x00"]
)
def test_separators_and_invisible_characters_go(gap: str) -> None:
    assert clean(f"{gap}4403{gap}06{gap}") == "440306"


@pytest.mark.parametrize(
    "text", ["无", "暂无", "N/A", "null", "-", "——", "/", "", "0", "000000000", "未办理", "0123456789", "987654321"]
)
def test_fillers_are_placeholders(text: str) -> None:
    assert is_placeholder(clean(text))


@pytest.mark.parametrize("text", ["440306199901011514", "12345", "A1234563", "无锡1号", "1212"])
def test_numbers_are_not_placeholders(text: str) -> None:
    assert not is_placeholder(clean(text))


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("4.40306E+17", None),
        ("9.14403E17", None),
        ("4.40306199001011E+17", "440306199001011"),
        ("4.4030619900101124E+17", "440306199001011"),
        ("4.40306109178395E+14", "440306109178395"),
        ("440306", None),
    ],
)
def test_scientific_notation_keeps_what_it_shows_only_if_that_is_enough(text: str, digits: str | None) -> None:
    assert scientific_digits(text) == digits
    assert is_scientific(text) == ("E" in text)


@given(st.integers(10**17, 10**18 - 1))
def test_every_float_and_every_spreadsheet_leaves_a_trace(number: int) -> None:
    assert rounding_of(str(int(float(number)))) is not None or int(float(number)) >= 10**18
    assert rounding_of(str(number)[:15] + "000") == "spreadsheet"


def test_few_numbers_look_rounded_by_accident() -> None:
    numbers = [str(914403001922030000 + step * 7 + 1) for step in range(1000)]
    assert sum(rounding_of(number) is not None for number in numbers) < 20


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("440306********1514", "440306********1514"),
        ("4403061980****1514", "4403061980****1514"),
        ("440***********151X", "440***********151X"),
        ("440306XXXXXXXX151X", "440306********151X"),
        ("440306●●●●●●●●1514", "440306********1514"),
        ("440306########1514", "440306********1514"),
        ("440306......1514", "440306********1514"),
        ("440306****1514", "440306********1514"),
        ("440306**************1514", "440306********1514"),
        ("4403**1999**1514", "4403**********1514"),
        ("6****************4", "6****************4"),
        ("440306800101***", "44030619800101****"),
        ("4403061980*****", "4403061980********"),
        ("440306******151", "440306************"),
        ("*****************", None),
        ("44*A", None),
        ("440306X*******1514", "440306********1514"),
    ],
)
def test_a_mask_is_laid_out_over_18_positions(text: str, pattern: str | None) -> None:
    assert masked_pattern(stars(clean(text), x_in_alphabet=False)) == pattern


@pytest.mark.parametrize(
    ("piece", "pattern"),
    [
        ("1514", "**************1514"),
        ("151X", "**************151X"),
        ("011514", "************011514"),
        ("440306", "440306************"),
        ("19990101", "******19990101****"),
        ("01011514", "**********01011514"),
        ("4403061999", "4403061999********"),
        ("44030619990101", "44030619990101****"),
        ("44030619990101151", None),
        ("13943119283", None),
        ("13043119283012", None),
        ("990614", None),
        ("44030619991301", None),
        ("12345", None),
        ("1", None),
        ("", None),
    ],
)
def test_a_piece_is_placed_only_where_custom_puts_it(piece: str, pattern: str | None) -> None:
    assert piece_pattern(piece) == pattern


@given(st.text("0123456789X*", max_size=30))
def test_patterns_have_18_positions_and_show_nothing_new(text: str) -> None:
    for pattern in (masked_pattern(text), piece_pattern(text), aligned(text, 18)):
        if pattern is not None:
            assert len(pattern) == 18
            assert len(pattern.replace("*", "")) <= len(text.replace("*", "")) + 2


@given(st.text(max_size=60))
def test_what_is_displayed_hides_most_of_the_number(value: str) -> None:
    shown = hidden_for_display(value)
    assert len(shown) == len(value)
    assert sum(character != "*" for character in shown) <= 6
    assert len(value) >= 15 or sum(a != "*" for a in shown) <= 2


@pytest.mark.parametrize(
    ("digits", "date"),
    [
        ("20000229", "2000-02-29"),
        ("19000229", None),
        ("19991231", "1999-12-31"),
        ("19990431", None),
        ("17991231", None),
        ("", None),
    ],
)
def test_a_date_must_exist(digits: str, date: str | None) -> None:
    assert iso_date(digits) == date
