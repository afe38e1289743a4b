"""Telephone numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level_oracle import assert_levels_agree, row

from matchers.levels import outcome
from matchers.phone import Phone, fits, levels, mask, standardise


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("13912345671", ("13912345671",)),
        ("139 1234 5671", ("13912345671",)),
        ("139-1234-5671", ("13912345671",)),
        ("+86 13912345671", ("13912345671",)),
        ("0086-13912345671", ("13912345671",)),
        ("(86)13912345671", ("13912345671",)),
        ("8613912345671", ("13912345671",)),
        ("013912345671", ("13912345671",)),
        ("13912345671.0", ("13912345671",)),
        ("１３９１２３４５６７１", ("13912345671",)),
        ("13912345671/13712345672", ("13912345671", "13712345672")),
        ("13912345671、13712345672", ("13912345671", "13712345672")),
        ("1391234567113712345672", ("13912345671", "13712345672")),
        ("13912345671 13912345671", ("13912345671",)),
        ("0755-27501234", ("075527501234",)),
        ("(0755)2750 1234", ("075527501234",)),
        ("075527501234", ("075527501234",)),
        ("75527501234", ("075527501234",)),
        ("0755-27501234-801", ("075527501234",)),
        ("0755-27501234转801", ("075527501234",)),
        ("0755-27501234 ext.801", ("075527501234",)),
        ("0755—27501234", ("075527501234",)),
        ("010-62345670", ("01062345670",)),
        ("0755-27501234/27501235", ("075527501234", "075527501235")),
        ("27501234", ("27501234",)),
        ("400-800-1234", ("4008001234",)),
        ("+852 9123 4567", ("+85291234567",)),
        ("00852-91234567", ("+85291234567",)),
        ("电话:0755-27501234;手机:13912345671", ("075527501234", "13912345671")),
    ],
)
def test_a_cell_gives_its_numbers_in_one_form(text: str, numbers: tuple[str, ...]) -> None:
    phone = standardise(text)
    assert phone.numbers == numbers
    assert phone.key == numbers[0]
    assert phone.mobile == next((n for n in numbers if len(n) == 11 and n[0] == "1"), None)


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "无", "-", "/", "12345", "110", "10086", "13800138000", "13900139000", "11111111111", "00000000",
        "88888888", "0755-88888888", "13888888888", "13812345678", "12345678901", "0755-12345678", "1391234567",
        "139123456711", "1.39E+10", "😀", "\x00", "\ud800", "هاتف", "1" * 10_000, "١٣٩١٢٣٤٥٦٧١",
    ],
)  # fmt: skip
def test_fillers_hotlines_and_junk_are_no_number(text: str | None) -> None:
    assert standardise(text) == Phone()


def test_a_local_number_takes_the_area_code_it_is_given() -> None:
    assert standardise("27501234", "0755").key == standardise("0755-27501234").key


@pytest.mark.parametrize("text", ["138****0001", "138XXXX0001", "138××××0001", "1３８＊＊＊＊0001", "138 **** 0001"])
def test_a_masked_mobile_is_a_pattern(text: str) -> None:
    assert standardise(text) == Phone(pattern="138****0001", tail="0001")


def test_a_masked_landline_is_a_pattern_that_its_number_fits() -> None:
    masked, whole = standardise("0755-****1236"), standardise("(0755)27501236")
    assert masked == Phone(pattern="0755****1236")
    assert outcome(levels("p"), row(p=masked), row(p=whole)).name == "masked_compatible"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("852-9123 4567", ("+85291234567",)),
        ("(852)91234567", ("+85291234567",)),
        ("853 6612 3456", ("+85366123456",)),
        ("886-0912-345-670", ("+886912345670",)),
        ("0852-8234567", ("08528234567",)),
        ("0086-755-27501234", ("075527501234",)),
        ("TEL13812340001", ("13812340001",)),
    ],
)
def test_numbers_of_hong_kong_macau_and_taiwan_need_no_plus(text: str, numbers: tuple[str, ...]) -> None:
    assert standardise(text).numbers == numbers


@pytest.mark.parametrize(
    "text",
    [
        "91440300MA5DA1BC2D",
        "92440300MA5DA1BC2D",
        "H98029977",
        "440306-19990101-1514",
        "521301-20040704-5857",
        "44030619990101151X",
        "A27501234",
        "27501234B",
    ],
)
def test_digits_inside_another_code_are_no_telephone_number(text: str) -> None:
    assert standardise(text) == Phone()


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("28042470", "0755-28042470", "shared"),
        ("2804 2470 / 13812340001", "86-755-28042470转801", "shared"),
        ("28042470", "28042470", "same"),
        ("020-28042470", "0755-28042470", "different"),
        ("28042471", "0755-28042470", "different"),
    ],
)
def test_a_landline_without_area_code_meets_the_one_that_has_it(left: str, right: str, level: str) -> None:
    a, b = row(p=standardise(left)), row(p=standardise(right))
    assert outcome(levels("p"), a, b).name == level
    assert outcome(levels("p"), b, a).name == level


def test_the_last_four_of_a_mobile_are_a_key_whether_it_is_masked_or_not() -> None:
    assert standardise("138****1236").tail == standardise("13812341236").tail == "1236"
    assert standardise("0755-27501236").tail is None


def test_a_mask_that_shows_next_to_nothing_is_no_value() -> None:
    assert standardise("13*********") == Phone()


@given(st.integers(13_000_000_000, 19_999_999_999).map(str), st.sampled_from(["{}", "+86{}", " {} ", "{}/", "手机{}"]))
def test_dress_does_not_change_a_mobile(number: str, dress: str) -> None:
    assert standardise(dress.format(number)) == standardise(number)


@given(st.text(alphabet="0123456789-+() /转*x１８", max_size=30))
def test_standardising_a_number_again_gives_it_again(text: str) -> None:
    for number in standardise(text).numbers:
        assert standardise(number).numbers == (number,)


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("13812340001", "+86 138 1234 0001", "same"),
        ("13812340001/0755-27501234", "075527501234", "shared"),
        ("13812340001", "138****0001", "masked_compatible"),
        ("138****0001", "138****0001", "masked_compatible"),
        ("13812340001", "138****0002", "different"),
        ("13812340001", "13812340002", "one_edit"),
        ("13812340012", "13812340021", "one_edit"),
        ("0755-27501234", "0755-27501235", "different"),
        ("13812340001", "13998760001", "different"),
        ("13812340001", "无", "missing"),
    ],
)
def test_two_cells_compare_as_expected(left: str, right: str, level: str) -> None:
    assert outcome(levels("p"), row(p=standardise(left)), row(p=standardise(right))).name == level


def test_the_batch_and_one_pair_agree_on_every_level() -> None:
    texts = [
        "13812340001", "13812340002", "138****0001", "139****0001", "13812340001/0755-27501234", "0755-27501234",
        "0755-27501235", "无", "13998760001", "13812341000", "27501234", "+85291234567",
    ]  # fmt: skip
    rows = [row(p=standardise(text)) for text in texts]
    seen = assert_levels_agree(levels("p"), rows, {"p": Phone})
    assert seen == {level.name for level in levels("p")}


@given(st.text("0189*", max_size=11), st.text("0189*", max_size=11))
def test_fitting_is_symmetric(left: str, right: str) -> None:
    assert fits(left, right) == fits(right, left)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13812340001", "138****0001"),
        ("0755-27501234", "0755****1234"),
        ("138****0001", "138****0001"),
        ("", ""),
        ("无", ""),
    ],
)
def test_a_mask_hides_the_middle(value: str, shown: str) -> None:
    assert mask(value) == shown
