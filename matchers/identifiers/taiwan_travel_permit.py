"""Mainland travel permit of people from Taiwan (台湾居民来往大陆通行证, 台胞证).

Eight digits for life; older cards add two digits of renewal and a letter of the issuing office, `0482913601(B)`.
Booklets before 2013 bore a letter and seven digits, new at each renewal. `validate` returns the eight characters that
identify the holder. The same digits stand in the social insurance number after `TWN0`; that form is accepted too.

The scheme has no published check digit, hence no `check_digit` here. Eight digits are also a date or a fragment, so
this scheme is only assumed when the source says so.

Source: 公安部 notices of 2013 and 2015 on the permit; 人社部 rule for social insurance numbers.

>>> validate("0482913601(B)")
'04829136'
>>> validate("TWN004829136")
'04829136'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder

_PERMIT: Final = re.compile(r"[0-9]{8}(?:[0-9]{2}[A-Z]?)?|[A-Z][0-9]{7}")
_SOCIAL_INSURANCE: Final = re.compile(r"TWN0[0-9]{8}")


def compact(text: str) -> str:
    """Return the number without separators and brackets, in upper case."""
    return clean(text).replace("(", "").replace(")", "")


def validate(text: str) -> str:
    """Return the eight characters that identify the holder.

    Raises:
        InvalidIdentifier: with code `length`, `format` or `placeholder`.
    """
    number = compact(text)
    if len(number) not in (8, 10, 11, 12):
        raise InvalidIdentifier("length")
    if _SOCIAL_INSURANCE.fullmatch(number):
        return number[4:]
    if _PERMIT.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if is_placeholder(number[:8]):
        raise InvalidIdentifier("placeholder")
    return number[:8]


def is_valid(text: str) -> bool:
    """Tell whether the text is a permit number, or a social insurance number made from one."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
