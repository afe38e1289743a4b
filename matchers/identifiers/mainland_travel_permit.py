"""Mainland travel permit of people from Hong Kong and Macau (港澳居民来往内地通行证, 回乡证).

`H` or `M` and eight digits that stay with the holder for life; cards of 1999 add two digits that change at each
renewal. Since July 2024 residents without Chinese nationality get `HA` or `MA` and seven digits, also for life.
`validate` returns the nine characters that identify the person. The same digits stand in the social insurance number
of the holder, with `HKG0` or `MAC0` before them; that form is accepted too.

The scheme has no published check digit, hence no `check_digit` here: a typing error cannot be seen in the number.

Source: 公安部 notices of 1999, 2012 and 2024 on the permit; 人社部 rule for social insurance numbers.

>>> validate("H0482913601")
'H04829136'
>>> validate("HKG004829136")
'H04829136'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder

_PERMIT: Final = re.compile(r"[HM](?:[0-9]{8}(?:[0-9]{2})?|A[0-9]{7})")
_SOCIAL_INSURANCE: Final = re.compile(r"(?:HKG|MAC)0[0-9]{8}")


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text).replace("(", "").replace(")", "")


def validate(text: str) -> str:
    """Return the nine characters that stay with the holder for life.

    Raises:
        InvalidIdentifier: with code `length`, `format` or `placeholder`.
    """
    number = compact(text)
    if len(number) not in (9, 11, 12):
        raise InvalidIdentifier("length")
    if _SOCIAL_INSURANCE.fullmatch(number):
        number = number[0] + number[4:]
    number = number[0] + digits_for_letters(number[1:], with_l=True)
    if _PERMIT.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    if is_placeholder(number[1:9].lstrip("A")):
        raise InvalidIdentifier("placeholder")
    return number[:9]


def is_valid(text: str) -> bool:
    """Tell whether the text is a permit number, or a social insurance number made from one."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
