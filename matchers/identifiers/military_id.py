"""Numbers of officers', soldiers' and armed police cards: `军字第3048291号`, `士字第…`, `武字第…`, or digits alone.

The number is text; `validate` brings it to one spelling, `军字第3048291号`, or leaves bare digits. The scheme has no
check digit, hence no `check_digit` here. Cards are re-issued on promotion and transfer, so numbers that differ say
nothing.

Source: forms seen in public registers.

>>> validate("军字第 3048291")
'军字第3048291号'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder

_WORDED: Final = re.compile(r"([\u4e00-\u9fff]{1,4}?)字?第?([A-Z0-9]{4,10})号?")
_BARE: Final = re.compile(r"[A-Z]{0,2}[0-9]{6,10}")


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def validate(text: str) -> str:
    """Return the number in one spelling.

    Raises:
        InvalidIdentifier: with code `format` or `placeholder`.
    """
    number = compact(text)
    worded = _WORDED.fullmatch(number)
    digits = worded[2] if worded else number
    if is_placeholder(digits):
        raise InvalidIdentifier("placeholder")
    if worded:
        return f"{worded[1]}字第{digits}号"
    if _BARE.fullmatch(number) is None:
        raise InvalidIdentifier("format")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text can be the number of a military card."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
