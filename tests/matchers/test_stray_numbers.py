"""Numbers in the wrong cell: read where they are certain, left alone where they are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import person_name
from matchers.identifiers import resident_id
from matchers.stray_numbers import NOTHING, StrayNumbers, mask, standardise

FULL = "440306199901011514"
OTHER = "440306199901011530"
MOBILE = "13912340075"


@pytest.mark.parametrize(
    ("text", "document", "phone"),
    [
        (f"曹子华 {FULL}", FULL, None),
        (f"曹子华{FULL}", FULL, None),
        (f"曹子华（身份证号：{FULL}）", FULL, None),
        ("曹子华 ４４０３０６１９９９０１０１１５１４", FULL, None),
        ("曹子华 11010519491231002x", "11010519491231002X", None),
        (FULL, FULL, None),
        (f"曹子华{MOBILE}", None, MOBILE),
        (f"曹子华 电话{MOBILE} 证号{FULL}", FULL, MOBILE),
        pytest.param(f"{FULL} 转 801", FULL, None, id="in a telephone's cell"),
        pytest.param("曹子华 440306199901011515", None, None, id="a bad check digit"),
        pytest.param(f"曹子华 {FULL}/{OTHER}", None, None, id="two numbers"),
        pytest.param(f"曹子华{MOBILE}/13912340076", None, None, id="two telephones"),
        pytest.param(f"曹子华 {FULL}0", None, None, id="one digit more"),
        pytest.param("曹子华 440306********1514", None, None, id="hidden"),
        pytest.param(MOBILE, None, None, id="a telephone in its own cell"),
        pytest.param(f" {MOBILE} ", None, None, id="the same with spaces"),
        pytest.param("曹子华", None, None, id="a name"),
        pytest.param("914403001922038216", None, None, id="a credit code"),
        pytest.param(f"曹子华 {FULL}".ljust(300), None, None, id="too long"),
    ],
)
def test_a_cell_holds_the_numbers_that_are_certain(text: str, document: str | None, phone: str | None) -> None:
    assert standardise(text) == StrayNumbers(document, phone)


def test_nothing_in_gives_nothing_out() -> None:
    assert standardise(None) == NOTHING


def test_the_name_before_a_number_stays_the_name() -> None:
    assert person_name.standardise(f"曹子华 {FULL}").key == "曹子华"


@given(st.text(max_size=40) | st.text("0123456789X １３王*/", max_size=60))
def test_what_is_found_is_always_a_valid_number(text: str) -> None:
    found = standardise(text)
    assert found.document is None or resident_id.is_valid(found.document)
    assert found.phone is None or (len(found.phone) == 11 and found.phone.isdigit())


@given(st.text(max_size=60))
def test_a_number_is_never_shown_whole(text: str) -> None:
    assert len(text) < 6 or mask(text) != text or "*" in text
