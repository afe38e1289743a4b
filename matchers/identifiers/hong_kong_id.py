"""Hong Kong identity card number: one or two letters, six digits, a check character that is often bracketed.

The number is for life. Weights 9 to 2 over eight places, a missing first letter counting 36, letters 10 to 35; the
check character makes the sum with weight 1 divisible by 11, ten being written A.

Source: the public description of the check by the Immigration Department; specimen numbers.

>>> validate("A123456(3)")
'A1234563'
>>> validate("AB987654(3)")
'AB9876543'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.errors import InvalidIdentifier

_SHAPE: Final = re.compile(r"[A-Z]{1,2}[0-9]{6}[0-9A]")
_VALUES: Final = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ")}


def compact(text: str) -> str:
    """Return the number without separators and brackets, in upper case."""
    return clean(text).replace("(", "").replace(")", "")


def check_digit(body: str) -> str:
    """Return the check character of the letters and six digits."""
    total = sum(_VALUES[character] * (9 - place) for place, character in enumerate(body.rjust(8)))
    return "0123456789A"[-total % 11]


def validate(text: str) -> str:
    """Return the compact number, its check character included.

    Raises:
        InvalidIdentifier: with code `length`, `format` or `check_digit`.
    """
    number = compact(text)
    if len(number) not in (8, 9):
        raise InvalidIdentifier("length")
    if _SHAPE.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if check_digit(number[:-1]) != number[-1]:
        raise InvalidIdentifier("check_digit")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text is the number of a Hong Kong identity card."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
