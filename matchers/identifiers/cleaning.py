"""Characters of a number as departments write it: width, invisible characters, separators, case.

In: any text. Out: the text in upper-case half-width characters with nothing between them. Nothing is repaired here
except a trailing `.0`, which is how spreadsheets print a whole number; letters that stand for digits are replaced by
`digits_for_letters`, which the schemes call where those letters are illegal.

Source: Unicode normalisation form KC; the removals are those seen in department files.
Invariant: clean(clean(x)) == clean(x).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 200
"""A longer text holds no single number; it counts as empty."""

_REMOVED: Final = dict.fromkeys(
    [
        *range(0x21),
        *range(0x7F, 0xA1),
        *range(0x2000, 0x2010),
        *range(0x2028, 0x2030),
        *range(0x205F, 0x2070),
        *(0xAD, 0x1680, 0x180E, 0x3000, 0xFEFF),
        *map(ord, "'\"`´‘’“”=-‐‑‒–—―−﹣－"),
    ]
)
_TRAILING_ZERO: Final = re.compile(r"^([0-9]+)\.0+$")
_LOOKALIKES: Final = str.maketrans("OI", "01")
_LOOKALIKES_AND_L: Final = str.maketrans("OIL", "011")


def clean(text: str) -> str:
    """Return a text in upper-case half-width characters, separators and invisible characters removed.

    >>> clean(" 914403００-1922038216\\u200b")
    '914403001922038216'
    >>> clean("914403001922038216.0")
    '914403001922038216'
    """
    if len(text) > LONGEST:
        return ""
    if text.isascii() and text.isalnum():
        return text.upper()
    # NFKC may compose what upper-casing decomposes and the other way round; two rounds settle it.
    folded = _fold(_fold(text))
    if len(folded) > LONGEST:
        return ""
    match = _TRAILING_ZERO.match(folded)
    return match[1] if match else folded


def digits_for_letters(text: str, *, with_l: bool = False) -> str:
    """Return a text with the letters O and I (and L, if asked) as the digits they were mistaken for.

    >>> digits_for_letters("9144O3001922038216")
    '914403001922038216'
    """
    return text.translate(_LOOKALIKES_AND_L if with_l else _LOOKALIKES)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_REMOVED).upper()
