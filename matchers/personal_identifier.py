"""Identity document of a natural person: what a document type and a number say together.

In: the stated document type (Chinese words or a code, often missing or wrong) and the number as a department wrote
it: whole, in its old 15-digit form, masked, a piece of it, rounded by a spreadsheet, mistyped, or a filler. Out: the
scheme, the number in matching form if it is valid, else what can still be compared.

The number outranks the stated type. Two schemes are never compared: a person may own a passport, a permit and an ID
card, and no arithmetic leads from one to another. A passport, military or other document that differs says nothing
either, for it changes at each renewal. Numbers for life that differ do.

Source: GB 11643-1999 and the sources of `matchers.identifiers`.
Invariant: `exclusive` is set only for a valid citizen number or residence permit, the two schemes that share one number
space, have a check character and give a person one number for life; `value` never holds an unchecked citizen number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from matchers.identifiers import agreement as _agreement  # noqa: F401  (registers the similarities used below)
from matchers.identifiers import resident_id, uscc
from matchers.identifiers.calendar_date import iso_date
from matchers.identifiers.citizen_pattern import is_piece, masked_pattern, piece_pattern
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.damage import KEPT, is_scientific, rounding_of, scientific_digits
from matchers.identifiers.document import Document, numbers_in, recognise
from matchers.identifiers.document_type import stated_scheme
from matchers.identifiers.masks import hidden_for_display, stars, visible
from matchers.identifiers.placeholders import is_filler_id, is_placeholder
from matchers.levels import (
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Same,
    all_of,
    any_of,
    different,
)

EXCLUSIVE_SCHEMES: Final = frozenset(["resident_id", "residence_permit"])
"""Schemes whose number a person has once and for life, and whose check character makes a valid number reliable."""

RENEWABLE_SCHEMES: Final = ("passport", "military", "other")
"""Schemes whose number changes at each renewal, so that only equality says something."""

_CITIZEN_SCHEMES: Final = frozenset(["resident_id", "residence_permit", "foreign_resident_card"])
_CITIZEN_LIKE: Final = re.compile(r"(?=(?:[A-Z]*[0-9]){14})[0-9A-Z]{15,20}")
_SHORTEST_RAW: Final = 8


@dataclass(frozen=True, slots=True)
class PersonalIdentifier:
    """One identity document as far as its number can be read.

    Attributes:
        scheme: resident_id, residence_permit, foreign_resident_card, hk_macau_permit, taiwan_permit, hkid, passport,
            military, other; None when there is no number.
        value: the whole valid number in matching form: 15 digits folded to 18, permits without their renewal digits.
        status: valid, invalid, masked, fragment, damaged, placeholder; None when nothing was given.
        pattern: for the 18-character schemes, one character per position, `*` where hidden; a valid number shows all.
        visible: how many positions the pattern shows.
        exclusive: the value, where a person can have only one; the clustering constraint.
        raw: compact text of an invalid or rounded number, a weak key; None for fillers and scientific notation.
        prefix15: the first 15 digits of a rounded number.
        birth_date: ISO date inside the number, if those positions can be relied on.
        sex: M or F, from the sequence digit.
        region: six digits of the region of first registration (citizen numbers).
        tail: the last four characters, if all are shown.
    """

    scheme: str | None = None
    value: str | None = None
    status: str | None = None
    pattern: str | None = None
    visible: int | None = None
    exclusive: str | None = None
    raw: str | None = None
    prefix15: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    region: str | None = None
    tail: str | None = None


_NOTHING: Final = PersonalIdentifier()
_PLACEHOLDER: Final = PersonalIdentifier(status="placeholder")
_UNREADABLE: Final = PersonalIdentifier(status="invalid")
_FOREIGN_NUMBER: Final = PersonalIdentifier(scheme="other", status="invalid")


def standardise(id_type: str | None, id_number: str | None) -> PersonalIdentifier:
    """Read a document number.

    Args:
        id_type: the stated kind of document, in words or as a code.
        id_number: the number as received; longer than 200 characters counts as none.

    >>> standardise("居民身份证", "440306 19990101 1514").value
    '440306199901011514'
    >>> standardise(None, "440306********1514").pattern
    '440306********1514'
    """
    if id_number is None:
        return _NOTHING
    number = clean(id_number)
    if not number:
        return _NOTHING
    stated = stated_scheme(id_type)
    found = recognise(number, stated)
    if found is not None:
        return _valid(found)
    if (number.isascii() and len(number) <= 18) or is_scientific(number):
        return _part(number, stated)
    pieces = numbers_in(id_number, number)
    documents = {found for piece in pieces if (found := recognise(piece, stated)) is not None}
    if len(documents) == 1:
        return _valid(documents.pop())
    if documents or len(pieces) > 1:
        # Two numbers in one cell are perhaps two people's: neither may speak for this one.
        return _UNREADABLE
    return _part(pieces[0] if pieces else number, stated)


def mask(value: str) -> str:
    """Return a number as shown to someone who may not see it: `4403************14`, `H*******6`."""
    return hidden_for_display(clean(value)) or "****"


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two documents of a field.

    `mask_strong` asks for six agreeing positions outside the birth date, two of them among the last four; `mask_tail`
    for the last four; `mask_weak` for two agreeing positions. Fewer than that, documents of different schemes, and
    renewable documents that differ are `missing`: they say nothing.
    """
    pattern, value, raw = f"{field}_pattern", f"{field}_value", f"{field}_raw"
    scheme, status = f"{field}_scheme", f"{field}_status"
    partial = any_of(*(Either(status, word) for word in ("masked", "fragment", "damaged")))
    agrees = all_of(partial, AtLeast("gy_mask_agreement", pattern, 2))
    says_nothing = any_of(
        Missing((value, pattern, raw)),
        Differs(scheme),
        all_of(Missing((pattern,)), Missing((value, raw))),
        all_of(any_of(*(Both(scheme, word) for word in RENEWABLE_SCHEMES)), Not(Same(value))),
        all_of(partial, AtLeast("gy_mask_agreement", pattern, 0), Not(AtLeast("gy_mask_agreement", pattern, 2))),
    )
    return (
        Level("missing", says_nothing, "一方缺失或不可比", "missing on one side, or not comparable", is_missing=True),
        Level("equal", Same(value), "证件号码相同", "same valid document number"),
        Level(
            "mask_strong",
            all_of(partial, AtLeast("gy_mask_agreement", pattern, 6), AtLeast("gy_mask_tail", pattern, 2)),
            "部分号码：可见位一致，出生日期以外至少六位且含末四位中的两位",
            "partly hidden: all shown positions agree, six or more outside the birth date, two of the last four",
        ),
        Level(
            "mask_tail",
            all_of(partial, AtLeast("gy_mask_agreement", pattern, 4), AtLeast("gy_mask_tail", pattern, 4)),
            "部分号码：末四位一致",
            "partly hidden: the last four agree",
        ),
        Level(
            "mask_weak",
            agrees,
            "部分号码：可见位一致，但可比位数少",
            "partly hidden: all shown positions agree, but few can be compared",
        ),
        Level(
            "one_edit",
            any_of(AtLeast("gy_edits", raw, -1), AtLeastAcross("gy_edits", value, raw, -1)),
            "号码相同或仅差一个字符，且至少一方校验不通过",
            "same or one character apart, and at least one side fails its check",
        ),
        different("证件号码不同", "different document numbers"),
    )


def near_identifiers(field: str) -> Condition:
    """Return whether both are valid citizen numbers of one region and birth date that differ (twins)."""
    return all_of(
        Both(f"{field}_scheme", "resident_id"),
        Both(f"{field}_status", "valid"),
        Same(f"{field}_region"),
        Same(f"{field}_birth_date"),
        Differs(f"{field}_value"),
    )


def conflicting(field: str) -> Condition:
    """Return whether both have a number that a person can have only one of, and the numbers differ."""
    return Differs(f"{field}_exclusive")


def _valid(document: Document) -> PersonalIdentifier:
    scheme, value = document
    if scheme not in _CITIZEN_SCHEMES or len(value) != 18:
        return PersonalIdentifier(scheme, value, "valid")
    return PersonalIdentifier(
        scheme=scheme,
        value=value,
        status="valid",
        pattern=value,
        visible=18,
        exclusive=value if scheme in EXCLUSIVE_SCHEMES else None,
        birth_date=iso_date(value[6:14]),
        sex=resident_id.sex(value),
        region=value[:6] if scheme == "resident_id" else None,
        tail=value[14:],
    )


def _part(number: str, stated: str | None) -> PersonalIdentifier:
    """Return what an incomplete, damaged or wrong number still says."""
    if is_placeholder(number):
        return _PLACEHOLDER
    citizen = stated is None or stated in _CITIZEN_SCHEMES
    scheme = "resident_id" if stated is None else stated
    if is_scientific(number):
        return _scientific(number, scheme)
    if len(number) == 18 and uscc.is_valid(number):
        return _FOREIGN_NUMBER
    starred = stars(number, x_in_alphabet=False)
    if "*" in starred:
        pattern = masked_pattern(digits_for_letters(starred, with_l=True)) if citizen else None
        if pattern is None:
            scheme = stated or ("passport" if number[0].isalpha() else "resident_id")
        return _shown(pattern, scheme, "masked")
    number = digits_for_letters(number, with_l=True) if citizen and _CITIZEN_LIKE.fullmatch(number) else number
    if citizen and _is_filler(number):
        return _PLACEHOLDER
    if citizen and len(number) == 18 and rounding_of(number) is not None and iso_date(number[6:14]) is not None:
        return _shown(number[:KEPT] + "***", scheme, "damaged", raw=number, prefix15=number[:KEPT])
    if stated in (None, "resident_id") and is_piece(number):
        raw = number if len(number) >= 16 else None
        pattern = piece_pattern(number)
        if stated is not None or pattern is not None:
            return _shown(pattern, "resident_id", "fragment", raw=raw)
    return _invalid(number, stated)


def _is_filler(number: str) -> bool:
    if len(number) == 15 and number.isdigit():
        number = resident_id.upgrade(number)
    return len(number) == 18 and is_filler_id(number)


def _scientific(number: str, scheme: str) -> PersonalIdentifier:
    digits = scientific_digits(number)
    if digits is None:
        return PersonalIdentifier(scheme, status="damaged")
    if len(digits) == 18 or (len(digits) == KEPT and not number.endswith("17")):
        found = recognise(digits, "resident_id")
        return _valid(found) if found is not None else PersonalIdentifier(scheme, status="damaged")
    if len(digits) != KEPT or iso_date(digits[6:14]) is None:
        return PersonalIdentifier(scheme, status="damaged")
    return _shown(digits + "***", scheme, "damaged", prefix15=digits)


def _shown(
    pattern: str | None, scheme: str, status: str, *, raw: str | None = None, prefix15: str | None = None
) -> PersonalIdentifier:
    """Return a document of which a pattern is known, with what its visible positions say."""
    if pattern is None:
        return PersonalIdentifier(scheme, status=status, raw=raw)
    if scheme == "resident_id":
        scheme = "foreign_resident_card" if pattern[0] == "9" else scheme
        scheme = "residence_permit" if pattern[:6] in ("810000", "820000", "830000") else scheme
    return PersonalIdentifier(
        scheme=scheme,
        status=status,
        pattern=pattern,
        visible=visible(pattern),
        raw=raw,
        prefix15=prefix15,
        birth_date=iso_date(pattern[6:14]),
        sex=resident_id.sex(pattern) if pattern[16] != "*" else None,
        region=pattern[:6] if scheme == "resident_id" and "*" not in pattern[:6] else None,
        tail=pattern[14:] if "*" not in pattern[14:] else None,
    )


def _invalid(number: str, stated: str | None) -> PersonalIdentifier:
    scheme = stated or ("resident_id" if _CITIZEN_LIKE.fullmatch(number) else "other")
    usable = len(number) >= _SHORTEST_RAW and number.isascii() and number.isalnum() and len(set(number)) > 2
    return PersonalIdentifier(scheme, status="invalid", raw=number[:40] if usable else None)
