"""The scheme of a number that comes without a label.

In: any text. Out: the name of the one scheme it belongs to, or None. Check characters decide, not shapes: one valid
resident ID number in 31 also passes the outer check of a credit code, and a resident number of a foreigner in Beijing
starts with 91 like a company, so the ID family goes first and a credit code must pass both of its checks.

Numbers whose scheme cannot be told (8 digits; 15 digits that hold a birth date and pass as a registration number)
give None.
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers import (
    foreign_resident_card,
    hong_kong_id,
    mainland_travel_permit,
    military_id,
    organization_code,
    passport,
    registration_number,
    residence_permit,
    resident_id,
    taiwan_travel_permit,
    tax_number,
    uscc,
)
from matchers.identifiers.cleaning import clean
from matchers.identifiers.placeholders import is_placeholder

_HYPHENED_CODE: Final = re.compile(r"\s*[0-9A-Za-z]{8}-[0-9Xx]\s*")
_MILITARY: Final = re.compile(r"[军士兵武警文海空陆后政参北南沈济兰广成]{1,4}字?第?[A-Z0-9]{4,10}号?")


def scheme_of(text: str) -> str | None:
    """Return the scheme of an unlabelled number, or None.

    One of `resident_id`, `residence_permit`, `foreign_resident_card`, `uscc`, `organization_code`,
    `registration_number`, `tax_number`, `hk_macau_permit`, `taiwan_permit`, `hkid`, `passport`, `military`.

    >>> scheme_of("362322198709086409"), scheme_of("914403001922038216"), scheme_of("911124198108030024")
    ('resident_id', 'uscc', 'foreign_resident_card')
    """
    number = clean(text)
    if not number or is_placeholder(number):
        return None
    size = len(number)
    if size == 18:
        return _of_18(number)
    if size == 15:
        return _of_15(number)
    if size in (16, 17, 19, 20, 21):
        return "tax_number" if tax_number.is_valid(number) else None
    if number.isascii():
        return _of_short(text, number)
    return "military" if _MILITARY.fullmatch(number) and military_id.is_valid(number) else None


def _of_18(number: str) -> str | None:
    if resident_id.is_valid(number):
        return "resident_id"
    if residence_permit.is_valid(number):
        return "residence_permit"
    if foreign_resident_card.is_valid(number):
        return "foreign_resident_card"
    if uscc.diagnose(number).status in {"valid", "legacy_check"}:
        return "uscc"
    return "tax_number" if tax_number.is_valid(number) else None


def _of_15(number: str) -> str | None:
    if foreign_resident_card.is_valid(number):
        return "foreign_resident_card"
    old_id, registration = resident_id.is_valid(number), registration_number.is_valid(number)
    if old_id and registration:
        return None
    if old_id:
        return "resident_id"
    if registration:
        return "registration_number"
    return "tax_number" if tax_number.is_valid(number) else None


def _of_short(text: str, number: str) -> str | None:
    if mainland_travel_permit.is_valid(number):
        return "hk_macau_permit"
    if hong_kong_id.is_valid(number):
        return "hkid"
    if number.startswith("TWN0") and taiwan_travel_permit.is_valid(number):
        return "taiwan_permit"
    if _HYPHENED_CODE.fullmatch(text) and organization_code.is_valid(number):
        return "organization_code"
    if passport.is_chinese(number) and passport.is_valid(number):
        return "passport"
    return "organization_code" if organization_code.is_valid(number) else None
