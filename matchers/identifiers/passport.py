"""Passport numbers, of China and of other countries.

China: `G` or `E` and eight digits, `E`, a letter and seven digits, service and diplomatic `PE SE DE` and seven digits
or `P S D` and seven or eight, older ones `14` or `15` and seven digits; Hong Kong `K`, `H` or `KJ`, Macau `MA`. Other
countries: five to fifteen letters and digits, at least four of them digits. The number changes at each renewal, so
two numbers that differ say nothing about the holder.

`check_digit` is the digit printed behind the number in the machine-readable zone; it is not part of the number and
`validate` cannot use it.

Source: forms seen in public registers; ICAO Doc 9303 for the check digit.

>>> validate("e 30482915")
'E30482915'
>>> check_digit("L898902C3")
'6'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.icao9303 import check_731
from matchers.identifiers.placeholders import is_placeholder

_CHINESE: Final = re.compile(
    r"[GE][0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|[PSD]E[0-9]{7}|[PSD][0-9]{7,8}|1[45][0-9]{7}|[KH][0-9]{8}|KJ[0-9]{7}|MA[0-9]{7}"
)
_ANY: Final = re.compile(r"(?=(?:[A-Z]*[0-9]){4})[A-Z0-9]{5,15}")


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the digit the machine-readable zone prints behind the number (padded with `<` to nine places)."""
    return check_731(body.ljust(9, "<"))


def validate(text: str) -> str:
    """Return the compact number.

    Raises:
        InvalidIdentifier: with code `length`, `format` or `placeholder`.
    """
    number = compact(text)
    if not 5 <= len(number) <= 15:
        raise InvalidIdentifier("length")
    if _ANY.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if is_placeholder(number) or is_placeholder(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")):
        raise InvalidIdentifier("placeholder")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text can be a passport number."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True


def is_chinese(text: str) -> bool:
    """Tell whether the text has the form of a passport number of China, Hong Kong or Macau."""
    return _CHINESE.fullmatch(compact(text)) is not None
