"""Letters in place of digits, and labels and notes around a code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.identifiers.lookalikes import citizen_reading, code_readings
from matchers.identifiers.subject_code import pieces_of
from matchers.legal_identifiers import standardise

CODE = "914403001922038216"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("44030619990101151X", "44030619990101151X"),
        ("44D3O6I99901OlI51X".upper(), "44030619990101151X"),
        ("B40306SG990101Z51Q", "840306569901012510"),
        ("44030619990101A515", "44030619990101A515"),
        ("", ""),
    ],
)
def test_letters_are_read_as_the_digits_they_look_like(text: str, read: str) -> None:
    assert citizen_reading(text) == read


@pytest.mark.parametrize(
    ("code", "readings"),
    [
        (CODE, ()),
        ("9144D3001922038216", (CODE,)),
        ("91440300192ZO38Z16", ("914403001922038216",)),
        ("91440300V92203821V", ("91440300U92203821U", "91440300Y92203821Y")),
        ("92440300MA5EQ7GQ4X", ()),
    ],
)
def test_a_code_is_read_where_its_letters_cannot_stand(code: str, readings: tuple[str, ...]) -> None:
    assert code_readings(code) == readings


@given(st.text(max_size=25))
def test_any_text_is_read_or_left(text: str) -> None:
    assert len(citizen_reading(text)) == len(text)
    assert all(reading != text for reading in code_readings(text))


@pytest.mark.parametrize(
    "text",
    [
        "9144D3001922038216",
        "914403001922O382I6",
        "9I44030019Z2038216",
        "代码：914403001922038216",
        "统一社会信用代码914403001922038216",
        "USCC914403001922038216",
        "914403001922038216（三证合一）",
        "统一社会信用代码：914403001922038216(正)",
        "信用代码:914403001922038216；注册号:440306109178395",
    ],
)
def test_a_code_is_found_under_letters_labels_and_notes(text: str) -> None:
    found = standardise(text)
    assert (found.uscc, found.uscc_status, found.exclusive) == (CODE, "valid", CODE)


@pytest.mark.parametrize(
    "text", ["9144D3001922038217", "9A440300192203821G", "91440300MA5EQ7GQ4Z", "B14403001922038216"]
)
def test_a_reading_that_fails_a_check_is_no_code(text: str) -> None:
    assert standardise(text).uscc is None


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("企独粤深总字第303456号", ("企独粤深总字第303456号",)),
        ("注册号440306109178395", ("440306109178395",)),
        ("440306NA000012X", ("440306NA000012X",)),
        ("L914403001922038216", ("L914403001922038216",)),
        ("（空）", ("(空)",)),
        ("", ()),
    ],
)
def test_an_old_number_in_words_stays_whole(text: str, pieces: tuple[str, ...]) -> None:
    assert pieces_of(text) == pieces


@pytest.mark.parametrize(
    "junk", ["😀" * 30, "\ud800代码：", "\x00" * 20, "代码：" * 30, "\u202e914403001922038216", "A" * 9999]
)
def test_junk_in_a_code_column_raises_nothing(junk: str) -> None:
    assert standardise(junk, junk, junk, junk).uscc in (None, CODE)
