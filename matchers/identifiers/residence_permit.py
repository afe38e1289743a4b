"""Residence permit of people from Hong Kong, Macau and Taiwan (港澳台居民居住证): 18 characters.

810000, 820000 or 830000 in place of a region, then birth date, sequence and check character as in a citizen number. The
number is for life. No arithmetic ties it to the travel permit of the same person.

Source: 港澳台居民居住证申领发放办法 (国办发〔2018〕81号) article 3; GB 11643-1999 for the check.

>>> validate("810000199408230021")
'810000199408230021'
>>> is_valid("830000199201300023")
False
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.calendar_date import iso_date
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.iso7064 import mod_11_2

_SHAPE: Final = re.compile(r"8[123]0000[0-9]{11}[0-9X]")


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check character of the first 17 digits."""
    return mod_11_2(body)


def validate(text: str) -> str:
    """Return the compact number.

    Raises:
        InvalidIdentifier: with code `length`, `format`, `date` or `check_digit`.
    """
    number = digits_for_letters(compact(text), with_l=True)
    if len(number) != 18:
        raise InvalidIdentifier("length")
    if _SHAPE.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if iso_date(number[6:14]) is None:
        raise InvalidIdentifier("date")
    if mod_11_2(number[:17]) != number[17]:
        raise InvalidIdentifier("check_digit")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text is the number of a residence permit."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
