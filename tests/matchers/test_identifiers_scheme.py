"""Telling numbers apart when nothing says what they are, and reading what a label says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.identifiers.document_type import stated_scheme
from matchers.identifiers.scheme import scheme_of


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("362322198709086409", "resident_id"),
        ("914403001922038216", "uscc"),
        ("91350211M0000XUF46", "uscc"),
        ("911124198108030024", "foreign_resident_card"),
        ("810000199408230021", "residence_permit"),
        ("KAZ110090123105", "foreign_resident_card"),
        ("150102880730303", "resident_id"),
        ("440306103654921", "registration_number"),
        ("440306NA000012X", "registration_number"),
        ("440306192203821", "tax_number"),
        ("36042619910101007102", "tax_number"),
        ("L914403001922038216", "tax_number"),
        ("19220382-1", "organization_code"),
        ("192203821", "organization_code"),
        ("H0482913601", "hk_macau_permit"),
        ("HKG004829136", "hk_macau_permit"),
        ("TWN004829136", "taiwan_permit"),
        ("A123456(3)", "hkid"),
        ("E30482915", "passport"),
        ("军字第3048291号", "military"),
        ("92440300MA5FQ2X7J0", None),
        ("04829136", None),
        ("111111111111111111", None),
        ("4.40306E+17", None),
        ("", None),
    ],
)
def test_an_unlabelled_number_is_typed_by_its_checks(text: str, scheme: str | None) -> None:
    assert scheme_of(text) == scheme


@given(st.text(max_size=30) | st.from_regex(r"[0-9A-Z]{8,20}", fullmatch=True))
def test_any_text_gets_an_answer(text: str) -> None:
    assert scheme_of(text) is None or scheme_of(text) == scheme_of(f" {text}\u200b")


@pytest.mark.parametrize(
    ("label", "scheme"),
    [
        ("居民身份证", "resident_id"),
        ("身份证", "resident_id"),
        ("临时居民身份证", "resident_id"),
        ("居民户口簿", "resident_id"),
        ("111", "resident_id"),
        ("港澳居民来往内地通行证", "hk_macau_permit"),
        ("回乡证", "hk_macau_permit"),
        ("往来港澳通行证", "other"),
        ("台湾居民来往大陆通行证", "taiwan_permit"),
        ("台胞证", "taiwan_permit"),
        ("大陆居民往来台湾通行证", "other"),
        ("港澳台居民居住证", "residence_permit"),
        ("外国人永久居留身份证", "foreign_resident_card"),
        ("香港居民身份证", "hkid"),
        ("中国护照", "passport"),
        ("外国护照", "passport"),
        ("PASSPORT", "passport"),
        ("军官证", "military"),
        ("士兵证", "military"),
        ("出生医学证明", "other"),
        ("其他", None),
        ("", None),
        ("0", None),
        (None, None),
    ],
)
def test_a_label_is_read_whatever_its_wording(label: str | None, scheme: str | None) -> None:
    assert stated_scheme(label) == scheme
