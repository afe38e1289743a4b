"""Taxpayer identification number (纳税人识别号): 15, 17, 18 or 20 characters, each made from another number.

18: the unified social credit code. 15: region of the tax office (6) and organisation code (9). 20 or 17: the resident
ID number of the operator (18 or 15) and a sequence of two; 18 may also be the bare ID number. A leading `L` marks a
temporary registration of any of these. `parts` says what is inside. There is no check digit of its own: `check_digit`
is that of the number inside, so it lives with that scheme and is absent here.

Source: 国家税务总局公告2015年第66号.

>>> validate("L914403001922038216")
'914403001922038216'
>>> parts("440306192203821").organization_code
'192203821'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from matchers.identifiers import organization_code, resident_id, uscc
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder

_LEGACY: Final = re.compile(r"[0-9]{6}[0-9A-Z]{8}[0-9X]")
_SEQUENCE: Final = re.compile(r"[0-9]{2}")


@dataclass(frozen=True, slots=True)
class TaxNumberParts:
    """The numbers a taxpayer number is made from; at most one of the three is set.

    Attributes:
        uscc: the unified social credit code.
        organization_code: the organisation code of a legacy number.
        operator_id: the resident ID number, 18 characters, of the operator of an individual business.
    """

    uscc: str | None = None
    organization_code: str | None = None
    operator_id: str | None = None


def compact(text: str) -> str:
    """Return the number without separators and without the `L` of a temporary registration, in upper case."""
    number = clean(text)
    return number[1:] if number[:1] == "L" and len(number) in (16, 18, 19, 21) else number


def validate(text: str) -> str:
    """Return the compact number.

    Raises:
        InvalidIdentifier: with code `length`, `placeholder`, or `format` when no valid number is inside.
    """
    number = compact(text)
    if is_placeholder(number):
        raise InvalidIdentifier("placeholder")
    if len(number) not in (15, 17, 18, 20):
        raise InvalidIdentifier("length")
    found = _inside(number)
    if found == _NOTHING:
        raise InvalidIdentifier("format")
    if found.uscc is not None:
        return found.uscc
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text is a taxpayer number with a valid number inside."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True


def parts(text: str) -> TaxNumberParts:
    """Return the numbers inside a taxpayer number; all None if there are none."""
    return _inside(compact(text))


_NOTHING: Final = TaxNumberParts()


def _inside(number: str) -> TaxNumberParts:
    if len(number) == 18:
        if resident_id.is_valid(number):
            return TaxNumberParts(operator_id=resident_id.validate(number))
        code = digits_for_letters(number)
        if uscc.diagnose_compact(code).status in {"valid", "legacy_check"}:
            return TaxNumberParts(uscc=code)
    elif len(number) == 15 and _LEGACY.fullmatch(number) and organization_code.is_valid(number[6:]):
        return TaxNumberParts(organization_code=number[6:])
    elif len(number) in (17, 20) and _SEQUENCE.fullmatch(number[-2:]) and resident_id.is_valid(number[:-2]):
        return TaxNumberParts(operator_id=resident_id.validate(number[:-2]))
    return _NOTHING
