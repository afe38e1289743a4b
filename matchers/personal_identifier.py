"""Identity document of a natural person: what a document type and a number say together.

In: the stated document type (Chinese words or a code, often missing or wrong) and the number as a department wrote
it: whole, in its old 15-digit form, masked, a piece of it, rounded by a spreadsheet, mistyped, or a filler; and, to
judge the number by, the birth date and the sex that the same record states. Out: the scheme, the number in matching
form if it is valid, else what can still be compared.

A record whose stated birth date cannot be that of its number carries somebody else's number: a relative's, an agent's,
or that of the next row. Such a number is `disputed`: it may still be found equal, but it separates nobody.

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

from matchers.date_difference import of_one_birth
from matchers.date_text import Status, read
from matchers.identifiers import resident_id, uscc
from matchers.identifiers.calendar_date import iso_date
from matchers.identifiers.citizen_pattern import is_piece, masked_pattern, piece_pattern, shown_birth
from matchers.identifiers.cleaning import clean
from matchers.identifiers.damage import KEPT, is_scientific, rounding_of, scientific_digits
from matchers.identifiers.document import Document, numbers_in, recognise
from matchers.identifiers.document_type import stated_scheme
from matchers.identifiers.lookalikes import citizen_reading
from matchers.identifiers.masks import asterisks, hidden_for_display, stars, visible
from matchers.identifiers.permit_pattern import permit_pattern, whole
from matchers.identifiers.placeholders import is_filler_id, is_filler_pattern, is_placeholder
from matchers.personal_identifier_levels import (
    confirmed,
    conflicting,
    different_permits,
    disputed,
    end_in_doubt,
    levels,
    near_identifiers,
)
from matchers.sex import code as sex_code

__all__ = [
    "PersonalIdentifier",
    "confirmed",
    "conflicting",
    "different_permits",
    "disputed",
    "end_in_doubt",
    "levels",
    "mask",
    "near_identifiers",
    "standardise",
]

EXCLUSIVE_SCHEMES: Final = frozenset(["resident_id", "residence_permit"])
"""Schemes whose number a person has once and for life, and whose check character makes a valid number reliable."""

_CITIZEN_SCHEMES: Final = frozenset(["resident_id", "residence_permit", "foreign_resident_card"])
_CITIZEN_LIKE: Final = re.compile(r"(?=(?:[A-Z]*[0-9]){14})[0-9A-Z]{15,20}")
_PLAIN: Final = re.compile(r"[1-7][0-9]{16}[0-9X]")
_LABELLED: Final = re.compile(r"[A-Z.:]{2,12}([0-9][0-9A-Z]{14,18})")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_LAST_FOUR: Final = re.compile(r"[0-9]{3}[0-9X]")
_WHOLE: Final = range(17, 20)
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
            A permit of Hong Kong and Macau stands in the first nine.
        visible: how many positions the pattern shows.
        exclusive: the value, where a person can have only one and nothing casts doubt on it; the clustering constraint.
        raw: compact text of a number that fails its check, a weak key; None for fillers, scientific notation and
            numbers that a spreadsheet rounded.
        prefix15: the first 15 digits of a rounded number.
        birth_date: ISO date inside the number as far as it is shown (perhaps a year, or year and month), if those
            positions can be relied on.
        sex: M or F, from the sequence digit of a valid number.
        region: six digits of the region of first registration (citizen numbers).
        tail: the last four characters, if all are shown.
        disputed: whether the stated birth date (or the sex together with a deviating date) contradicts a valid
            number; None where there is nothing to hold against it.
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
    disputed: bool | None = None


_NOTHING: Final = PersonalIdentifier()
_PLACEHOLDER: Final = PersonalIdentifier(status="placeholder")
_UNREADABLE: Final = PersonalIdentifier(status="invalid")
_FOREIGN_NUMBER: Final = PersonalIdentifier(scheme="other", status="invalid")


def standardise(
    id_type: str | None,
    id_number: str | None,
    birth_date: str | None = None,
    sex: str | None = None,
    elsewhere: str | None = None,
) -> PersonalIdentifier:
    """Read a document number.

    Args:
        id_type: the stated kind of document, in words or as a code.
        id_number: the number as received; longer than 200 characters counts as none.
        birth_date: the birth date the record states beside the number.
        sex: the sex the record states beside the number.
        elsewhere: a number that another cell of the record holds; read if `id_number` holds none.

    >>> standardise("居民身份证", "440306 19990101 1514").value
    '440306199901011514'
    >>> standardise(None, "440306********1514").pattern
    '440306********1514'
    >>> standardise(None, "440306199901011514", "1962-07-30").disputed
    True
    """
    found = _read(id_type, id_number)
    if elsewhere is not None and found.value is None and found.pattern is None and found.raw is None:
        found = _read(None, elsewhere)
    if found.birth_date is None or found.status != "valid" or (birth_date is None and sex is None):
        return found
    return _weighed(found, birth_date, sex)


def mask(value: str) -> str:
    """Return a number as shown to someone who may not see it: `4403************14`, `H*******6`."""
    return hidden_for_display(clean(value)) or "****"


def _read(id_type: str | None, id_number: str | None) -> PersonalIdentifier:
    if id_number is None:
        return _NOTHING
    if len(id_number) == 18 and _PLAIN.fullmatch(id_number) is not None and resident_id.is_valid(id_number):
        return _valid(Document("resident_id", id_number))
    number = clean(id_number)
    if not number:
        return _NOTHING
    stated = stated_scheme(id_type)
    if number.count("*") > 1 and len(number) <= 18 and number.isascii():
        return _part(number, stated)
    found = recognise(number, stated)
    if found is not None:
        return _valid(found)
    if not number.isalnum():
        number = asterisks(number)
    labelled = _LABELLED.fullmatch(number)
    if labelled is not None:
        return _alone(labelled[1], stated)
    if (number.isascii() and len(number) <= 18) or is_scientific(number):
        return _part(number, stated)
    pieces = numbers_in(id_number, number)
    documents = {found for piece in pieces if (found := recognise(piece, stated)) is not None}
    if len(documents) == 1:
        return _valid(documents.pop())
    if documents or len(pieces) > 1:
        # Two numbers in one cell are perhaps two people's: neither may speak for this one.
        return _UNREADABLE
    return _alone(pieces[0] if pieces else number, stated)


def _alone(number: str, stated: str | None) -> PersonalIdentifier:
    found = recognise(number, stated)
    return _valid(found) if found is not None else _part(number, stated)


def _weighed(found: PersonalIdentifier, stated: str | None, sex: str | None) -> PersonalIdentifier:
    """Return a valid number with the record's own birth date and sex held against it."""
    known = found.birth_date
    if stated is None or known is None or stated == known:
        return found if stated is None else _marked(found, False)
    said = read(stated)
    if said is None or said.year is None or said.status == Status.SUSPECT:
        return found
    year, month, day = int(known[:4]), int(known[5:7]), int(known[8:])
    if said.year == year and said.month in (None, month) and said.day in (None, day):
        return _marked(found, False)
    told = sex_code(sex)
    other_sex = told is not None and found.sex is not None and told != found.sex
    return _marked(found, other_sex or not of_one_birth(said, known))


def _marked(found: PersonalIdentifier, disputed: bool) -> PersonalIdentifier:
    return PersonalIdentifier(
        found.scheme,
        found.value,
        found.status,
        found.pattern,
        found.visible,
        None if disputed else found.exclusive,
        found.raw,
        found.prefix15,
        found.birth_date,
        None if disputed else found.sex,
        found.region,
        found.tail,
        disputed,
    )


def _valid(document: Document) -> PersonalIdentifier:
    scheme, value = document
    if scheme == "hk_macau_permit":
        return PersonalIdentifier(scheme, value, "valid", whole(value), len(value))
    if scheme not in _CITIZEN_SCHEMES or len(value) != 18:
        return PersonalIdentifier(scheme, value, "valid")
    if value.endswith("000") and scheme == "resident_id":
        return _perhaps_rounded(value)
    return PersonalIdentifier(
        scheme,
        value,
        "valid",
        value,
        18,
        value if scheme in EXCLUSIVE_SCHEMES else None,
        birth_date=iso_date(value[6:14]),
        sex=resident_id.sex(value),
        region=value[:6] if scheme == "resident_id" else None,
        tail=value[14:],
    )


def _perhaps_rounded(value: str) -> PersonalIdentifier:
    """Return a number that passes its check yet ends as a spreadsheet rounds: it can be found equal, but no more.

    One rounded number in eleven passes, and one genuine number in a thousand ends in three zeros.
    """
    return PersonalIdentifier(
        scheme="resident_id",
        value=value,
        status="damaged",
        pattern=value[:KEPT] + "***",
        visible=KEPT,
        prefix15=value[:KEPT],
        birth_date=iso_date(value[6:14]),
        region=value[:6],
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
    permit = permit_pattern(starred) if stated in (None, "resident_id", "hk_macau_permit") else None
    if permit is not None:
        return PersonalIdentifier("hk_macau_permit", status="masked", pattern=permit, visible=visible(permit))
    if "*" in starred:
        pattern = masked_pattern(citizen_reading(starred)) if citizen else None
        if pattern is None:
            scheme = stated or ("passport" if number[0].isalpha() else "resident_id")
        return _shown(pattern, scheme, "masked")
    if citizen and _CITIZEN_LIKE.fullmatch(number) and not number.isdigit():
        number = citizen_reading(number)
        found = recognise(number, stated) if len(number) == 18 else None
        if found is not None and found.scheme in _CITIZEN_SCHEMES:
            return _valid(found)
    if citizen and _is_filler(number):
        return _PLACEHOLDER
    rounding = rounding_of(number) if citizen and len(number) == 18 else None
    if rounding is not None and iso_date(number[6:14]) is not None:
        raw = number if rounding == "float" else None
        return _shown(number[:KEPT] + "***", scheme, "damaged", raw=raw, prefix15=number[:KEPT])
    if stated in (None, "resident_id") and is_piece(number) and len(number) < 15:
        pattern = piece_pattern(number)
        if stated is not None or pattern is not None:
            return _shown(pattern, "resident_id", "fragment")
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
    if is_filler_pattern(pattern):
        return _PLACEHOLDER
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
        birth_date=shown_birth(pattern),
        region=pattern[:6] if scheme == "resident_id" and "*" not in pattern[:6] else None,
        tail=pattern[14:] if "*" not in pattern[14:] else None,
    )


def _invalid(number: str, stated: str | None) -> PersonalIdentifier:
    """Return a number that fails its check: a weak key, and its two ends, one of which a single mistake left whole."""
    citizen_like = _CITIZEN_LIKE.fullmatch(number) is not None
    scheme = stated or ("resident_id" if citizen_like else "other")
    usable = len(number) >= _SHORTEST_RAW and number.isascii() and number.isalnum() and len(set(number)) > 2
    usable = usable and _MOBILE.fullmatch(number) is None
    if not usable or scheme != "resident_id" or not citizen_like or len(number) not in _WHOLE:
        return PersonalIdentifier(scheme, status="invalid", raw=number[:40] if usable else None)
    region, tail = number[:6], number[-4:]
    return PersonalIdentifier(
        scheme,
        status="invalid",
        raw=number,
        region=region if region.isdigit() and region[:2] in resident_id.PROVINCES else None,
        tail=tail if _LAST_FOUR.fullmatch(tail) else None,
    )
