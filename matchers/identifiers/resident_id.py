"""Citizen identity number (公民身份号码): 18 characters, or 15 digits on cards made before October 1999.

Region of first registration (6, GB/T 2260), birth date (8), sequence (3, odd for men), check character. The old form
has a two-digit year and no check character; `validate` returns its 18-character form, which is determined (sequences
996 to 999 were kept for people born before 1900). A region is never refused for being unknown: people carry codes of
counties that were renamed long ago, and of districts no list has. Old numbers must at least start with a province,
since they have no check character.

Source: GB 11643-1999 (MOD 11-2 check), GB 11643-1989 (15 digits).

>>> validate("11010519491231002x")
'11010519491231002X'
>>> validate("610104620927690")
'610104196209276908'
>>> is_valid("110105194912310021")
False
"""

from __future__ import annotations

import re
from typing import Final, Literal

from matchers.identifiers.calendar_date import iso_date
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.damage import is_scientific
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.iso7064 import mod_11_2
from matchers.identifiers.masks import stars
from matchers.identifiers.placeholders import is_filler_id, is_placeholder

_PROVINCES: Final = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
)
PROVINCES: Final = frozenset(_PROVINCES.split())
"""First two digits: the provinces (GB/T 2260), and 83 as used on residence permits."""

_FULL: Final = re.compile(r"[1-8][0-9]{16}[0-9X]")
_OLD: Final = re.compile(r"[1-8][0-9]{14}")
_STAR_FOR_X: Final = re.compile(r"[1-8][0-9]{16}\*")
_RESIDENCE_PERMIT: Final = ("810000", "820000", "830000")
_BORN_BEFORE_1900: Final = frozenset(["996", "997", "998", "999"])


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check character of the first 17 digits."""
    return mod_11_2(body)


def validate(text: str) -> str:
    """Return the number in its 18-character form.

    Letters that stand for digits are read as digits, and a star in the last place as X where X is what belongs there.

    Raises:
        InvalidIdentifier: with code `length`, `alphabet`, `check_digit`, `date`, `region`, `scheme`, `placeholder`,
            `masked` or `spreadsheet` (scientific notation).
    """
    number = compact(text)
    if _FULL.fullmatch(number) is None:
        number = _regular(number)
    if len(number) == 15:
        if number[:2] not in PROVINCES:
            raise InvalidIdentifier("region")
        number = upgrade(number)
    if number[:6] in _RESIDENCE_PERMIT:
        raise InvalidIdentifier("scheme")
    if iso_date(number[6:14]) is None:
        raise InvalidIdentifier("placeholder" if is_placeholder(number) else "date")
    if mod_11_2(number[:17]) != number[17]:
        raise InvalidIdentifier("placeholder" if is_placeholder(number) else "check_digit")
    if is_filler_id(number):
        raise InvalidIdentifier("placeholder")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text is a citizen identity number of either length."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True


def upgrade(old: str) -> str:
    """Return the 18-character form of 15 digits; whether they are a valid number is not asked.

    >>> upgrade("150102880730303")
    '150102198807303035'
    """
    century = "18" if old[12:] in _BORN_BEFORE_1900 else "19"
    body = old[:6] + century + old[6:]
    return body + mod_11_2(body)


def birth_date(number: str) -> str | None:
    """Return the ISO birth date inside an 18-character number, if that day exists."""
    return iso_date(number[6:14])


def sex(number: str) -> Literal["M", "F"]:
    """Return the sex an 18-character number was made for."""
    return "M" if number[16] in "13579" else "F"


def region(number: str) -> str:
    """Return the six digits of the region where the number was first made."""
    return number[:6]


def _regular(number: str) -> str:
    """Return a number of unusual spelling as 18 or 15 regular characters, or raise with the reason."""
    if is_placeholder(number):
        raise InvalidIdentifier("placeholder")
    if is_scientific(number):
        raise InvalidIdentifier("spreadsheet")
    number = digits_for_letters(number, with_l=True)
    if len(number) == 18 and number[17] in "×✕✖":
        number = number[:17] + "*"
    if _STAR_FOR_X.fullmatch(number) and mod_11_2(number[:17]) == "X":
        return number[:17] + "X"
    if "*" in stars(number, x_in_alphabet=False):
        raise InvalidIdentifier("masked")
    if len(number) not in (15, 18):
        raise InvalidIdentifier("length")
    if _FULL.fullmatch(number) is None and _OLD.fullmatch(number) is None:
        raise InvalidIdentifier("region" if number.isascii() and number.isdigit() else "alphabet")
    return number
