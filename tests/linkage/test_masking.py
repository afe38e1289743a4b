"""Masking: what is shown of a person, field by field, and nothing of a field nobody thought of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.fields import CANONICAL_FIELDS
from linkage.masking import is_personal, mask_value, mask_values
from matchers.identifiers import resident_id

NUMBER = "44030619900307123" + resident_id.check_digit("44030619900307123")
HIDDEN = ("name", "former_names", "id_number", "birth_date", "phone", "address", "household_address")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "欧阳明明"),
        ("name", "John Smith"),
        ("former_names", "欧阳小明"),
        ("id_number", NUMBER),
        ("id_number", NUMBER[:6] + NUMBER[8:17]),
        ("id_number", "E12345678"),
        ("birth_date", "1990-03-07"),
        ("phone", "13928415276"),
        ("phone", "0755-26001234"),
        ("address", "深圳市宝安区西乡街道海城路36号2栋101室"),
        ("household_address", "湖南省长沙市岳麓区麓山路9号"),
        ("a_field_nobody_thought_of", "secret"),
    ],
)
def test_a_personal_value_is_not_shown_in_full(field: str, value: str) -> None:
    shown = mask_value(field, value)
    assert shown
    assert value not in shown
    assert "*" in shown


@pytest.mark.parametrize("field", HIDDEN)
@given(st.text(max_size=40))
def test_masking_any_text_is_a_text_and_never_an_error(field: str, value: str) -> None:
    assert isinstance(mask_value(field, value), str)


@pytest.mark.parametrize("field", HIDDEN)
@pytest.mark.parametrize(
    "value", ["", " ", "\x00", "🙂", "x" * 10_000, "\ud800", "\u202eمرحبا", "9" * 18, "44030619900307"]
)
def test_junk_is_masked_too(field: str, value: str) -> None:
    shown = mask_value(field, value)
    assert len(value.strip()) < 6 or value not in shown


def test_every_field_of_a_person_is_masked_or_known_to_be_harmless() -> None:
    harmless = {"sex", "ethnicity", "nationality", "id_type", "employer_name", "employer_uscc"}
    for field in CANONICAL_FIELDS["natural_person"]:
        assert (mask_value(field, "欧阳明明龙岗区440306") == "欧阳明明龙岗区440306") == (field in harmless)


def test_of_an_organisation_only_the_representatives_number_is_masked() -> None:
    personal = [field for field in CANONICAL_FIELDS["legal_person"] if is_personal("legal_person", field)]
    assert personal == ["legal_rep_id_number"]
    shown = mask_values("legal_person", {"name": "深圳市某某有限公司", "legal_rep_id_number": NUMBER, "records": 3})
    assert shown["name"] == "深圳市某某有限公司"
    assert NUMBER not in shown["legal_rep_id_number"]
    assert shown["records"] == 3


def test_numbers_and_missing_values_are_left_as_they_are() -> None:
    values = {"records": 3, "name": None, "sources": 2}
    assert mask_values("natural_person", values) == values
