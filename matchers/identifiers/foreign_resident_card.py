"""Foreign permanent resident ID card (外国人永久居留身份证): 18 characters since December 2023, 15 before.

New: `9`, province (2), country (3, ISO 3166-1 numeric), birth date (8), sequence (3, odd for men), MOD 11-2 check.
Old: country (3 letters), issuing area (4), birth date YYMMDD, sequence (1), ICAO 7-3-1 check digit over the first 14.
A holder's old and new numbers share province, country and birth date but no arithmetic leads from one to the other.

Source: 国家移民管理局 notice on the new card (2023); card specimens for the check of the old one.

>>> validate("911124198108030024")
'911124198108030024'
>>> validate("KAZ110090123105")
'KAZ110090123105'
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from matchers.identifiers.calendar_date import is_month_day, iso_date
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.icao9303 import check_731
from matchers.identifiers.iso7064 import mod_11_2
from matchers.identifiers.resident_id import PROVINCES

_NEW: Final = re.compile(r"9[0-9]{16}[0-9X]")
_OLD: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
COUNTRIES: Final = frozenset(
    code
    for line in files("matchers.identifiers").joinpath("country_numbers.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for code in line.split()
)
"""ISO 3166-1 numeric codes in force."""


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check character of the first 17 characters of a new number, or the first 14 of an old one."""
    return mod_11_2(body) if len(body) == 17 else check_731(body)


def validate(text: str) -> str:
    """Return the compact number.

    Raises:
        InvalidIdentifier: with code `length`, `format`, `region`, `country`, `date` or `check_digit`.
    """
    number = compact(text)
    if len(number) == 18:
        return _validate_new(digits_for_letters(number, with_l=True))
    if len(number) == 15:
        return _validate_old(number[:3] + digits_for_letters(number[3:], with_l=True))
    raise InvalidIdentifier("length")


def is_valid(text: str) -> bool:
    """Tell whether the text is the number of a foreign permanent resident card, new or old."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True


def _validate_new(number: str) -> str:
    if _NEW.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if number[1:3] not in PROVINCES:
        raise InvalidIdentifier("region")
    if number[3:6] not in COUNTRIES:
        raise InvalidIdentifier("country")
    if iso_date(number[6:14]) is None:
        raise InvalidIdentifier("date")
    if mod_11_2(number[:17]) != number[17]:
        raise InvalidIdentifier("check_digit")
    return number


def _validate_old(number: str) -> str:
    if _OLD.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if not is_month_day(number[9:13]):
        raise InvalidIdentifier("date")
    if check_731(number[:14]) != number[14]:
        raise InvalidIdentifier("check_digit")
    return number
