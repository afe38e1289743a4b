"""Business registration number (工商注册号): 15 digits since July 2007; older numbers are free text.

First registrar (6), sequence (8: first digit 0 to 3 domestic, 4 to 5 foreign-invested, 6 to 9 individual business),
check digit. Farmers' cooperatives carry `NA` and six digits, then X: `440306NA000012X`. Unique for life and not
issued again. It cannot be derived from the unified code; its first six digits name the registrar (440306 is Bao'an),
which the unified code of a Shenzhen company does not.

Numbers before 2007 (13 digits, or text such as `企独粤深总字第303456号`) have no check: `opaque` brings them to one
spelling.

Source: GS 15-2006 (工商办字〔2007〕79号), check by ISO 7064 MOD 11,10.

>>> validate("440306109178395")
'440306109178395'
>>> opaque("企独粤深总字第 303456 号")
'企独粤深总303456'
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.damage import is_scientific
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.iso7064 import mod_11_10
from matchers.identifiers.masks import stars
from matchers.identifiers.placeholders import is_placeholder

_NUMERIC: Final = re.compile(r"[1-8][0-9]{14}")
_COOPERATIVE: Final = re.compile(r"[1-8][0-9]{5}N[A-C][0-9]{6}X")
_CEREMONY: Final = re.compile(r"字第?|第|号|注册|工商|[()\[\]【】〔〕<>《》:：,，.。、]")
_OPAQUE: Final = re.compile(r"(?=.*[0-9]{4})[A-Z0-9/\u3400-\u9fff]{6,30}")


def compact(text: str) -> str:
    """Return the number without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check digit of the first 14 digits."""
    return mod_11_10(body)


def validate(text: str) -> str:
    """Return the compact 15-character number.

    Raises:
        InvalidIdentifier: with code `length`, `alphabet`, `placeholder` or `check_digit`.
    """
    number = compact(text)
    if len(number) != 15:
        raise InvalidIdentifier("length")
    if _COOPERATIVE.fullmatch(number):
        return number
    if _NUMERIC.fullmatch(number) is None:
        raise InvalidIdentifier("alphabet")
    if is_placeholder(number) or is_placeholder(number[6:14]):
        raise InvalidIdentifier("placeholder")
    if mod_11_10(number[:14]) != number[14]:
        raise InvalidIdentifier("check_digit")
    return number


def is_valid(text: str) -> bool:
    """Tell whether the text is a registration number of 15 characters."""
    try:
        validate(text)
    except InvalidIdentifier:
        return False
    return True


def opaque(text: str) -> str | None:
    """Return an older or foreign number in one spelling, or None if the text holds no number.

    Words of ceremony (字第…号), brackets and punctuation go; at least four digits in a row must remain.
    """
    number = _CEREMONY.sub("", compact(text))
    if _OPAQUE.fullmatch(number) is None or is_placeholder(number) or is_scientific(number):
        return None
    return None if "*" in stars(number, x_in_alphabet=True) or len(set(number)) < 3 else number
