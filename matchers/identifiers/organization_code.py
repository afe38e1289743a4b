"""Organisation code (组织机构代码): eight characters and a check character, often written `19220382-1`.

Positions 9 to 17 of a unified social credit code are this code, so it joins records from before and after October 2015.

Source: GB 11714-1997 (MOD 11, weights 3 7 9 10 5 8 4 2; ten is X).

>>> validate("19220382-1")
'192203821'
>>> is_valid("192203822")
False
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder

_SHAPE: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")
_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PRODUCTS: Final = tuple(
    {character: value * weight for value, character in enumerate(_CHARACTERS)} for weight in (3, 7, 9, 10, 5, 8, 4, 2)
)
_CHECK: Final = "0X987654321"


def compact(text: str) -> str:
    """Return the code without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check character of the first eight characters."""
    return _CHECK[sum(products[character] for products, character in zip(_PRODUCTS, body, strict=True)) % 11]


def validate(text: str) -> str:
    """Return the compact code of nine characters.

    Raises:
        InvalidIdentifier: with code `length`, `alphabet`, `placeholder` or `check_digit`.
    """
    code = compact(text)
    if len(code) != 9:
        raise InvalidIdentifier("length")
    if _SHAPE.fullmatch(code) is None:
        raise InvalidIdentifier("alphabet")
    if is_placeholder(code) or is_placeholder(code[:8]):
        raise InvalidIdentifier("placeholder")
    if check_digit(code[:8]) != code[8]:
        raise InvalidIdentifier("check_digit")
    return code


def is_valid(text: str) -> bool:
    """Tell whether the text is an organisation code."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True
