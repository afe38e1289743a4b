"""Unified social credit code (统一社会信用代码) of legal persons and other organisations: 18 characters.

Registering department (1), kind (1), region of the first registrar (6 digits), organisation code (9, with its own
check character), check character. The alphabet has no I, O, S, V, Z. The code never changes, so the region says where
a subject was first registered, and a first character says what it then was. An unknown first pair is not refused,
since the list grows. Both checks together catch every single wrong character and every swap of neighbours, and tell
which part is wrong.

Codes issued in Xiamen (3502xx) until about 2016 are real though the outer check fails: `diagnose` calls them
`legacy_check`. The reverse, a good outer and a bad inner check, is a made-up code more often than a real one (one real
code in two thousand has it): `fabricated_inner`.

Source: GB 32100-2015 with amendment 1 (2016), MOD 31; GB 11714-1997 for the inner check.

>>> validate("91440300 １９２２０３８２１６")
'914403001922038216'
>>> diagnose("914403001922038217").part
'registration'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from matchers.identifiers import organization_code
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.damage import is_scientific, rounding_of
from matchers.identifiers.errors import Code, InvalidIdentifier
from matchers.identifiers.masks import stars
from matchers.identifiers.placeholders import is_placeholder

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PREFIXES: Final = """
11 12 13 19 21 29 31 32 33 34 35 36 39 41 49 51 52 53 54 55 59 61 62 69 71 72 79 81 82 89 91 92 93 99
A1 A9 G1 G9 J1 J9 N1 N2 N3 N9 Q1 Q2 Q3 Q9 Y1
"""
PREFIXES: Final = frozenset(_PREFIXES.split())
"""First two characters known to be in use; an unknown pair is a warning, never a refusal."""

Status = Literal["valid", "legacy_check", "fabricated_inner", "invalid", "damaged", "masked", "placeholder"]
Part = Literal["registration", "organization_code", "shape"]

_SHAPE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_PRODUCTS: Final = tuple(
    {character: value * pow(3, place, 31) for value, character in enumerate(ALPHABET)} for place in range(17)
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is right and wrong with a text offered as a code.

    Attributes:
        status: the outcome in one word; only `valid` and `legacy_check` are codes to rely on.
        code: the stable reason, None when valid.
        part: where the error is: `registration` (positions 1 to 8 or 18), `organization_code` (9 to 17), `shape`.
        unknown_prefix: the first two characters are in no list; a warning.
    """

    status: Status
    code: Code | None = None
    part: Part | None = None
    unknown_prefix: bool = False


def compact(text: str) -> str:
    """Return the code without separators, in upper case."""
    return clean(text)


def check_digit(body: str) -> str:
    """Return the check character of the first 17 characters."""
    total = sum(products[character] for products, character in zip(_PRODUCTS, body, strict=True))
    # Without the second modulo a remainder of zero would point past the alphabet.
    return ALPHABET[-total % 31]


def inner_is_valid(code: str) -> bool:
    """Tell whether positions 9 to 17 of a code are an organisation code whose check character fits."""
    return organization_code.check_digit(code[8:16]) == code[16]


def validate(text: str) -> str:
    """Return the compact code, the illegal letters O and I read as 0 and 1.

    Raises:
        InvalidIdentifier: with code `length`, `alphabet`, `format`, `check_digit` (organisation code wrong too, or not,
            see `diagnose`), `inner_check_digit`, `legacy_check`, `placeholder`, `masked` or `spreadsheet`.
    """
    code = digits_for_letters(compact(text))
    diagnosis = diagnose_compact(code)
    if diagnosis.code is not None:
        raise InvalidIdentifier(diagnosis.code)
    return code


def is_valid(text: str) -> bool:
    """Tell whether the text is a code with both checks right; legacy codes are not, see `diagnose`."""
    return diagnose(text).status == "valid"


def diagnose(text: str) -> Diagnosis:
    """Say whether a text is a code, and if not, which part of it is wrong."""
    return diagnose_compact(digits_for_letters(compact(text)))


def diagnose_compact(code: str) -> Diagnosis:
    """Do the work of `diagnose` for a code already compact, with its illegal letters replaced."""
    if _SHAPE.fullmatch(code) is None:
        return _misshapen(code)
    unknown = code[:2] not in PREFIXES
    outer, inner = check_digit(code[:17]) == code[17], inner_is_valid(code)
    if outer and inner:
        if is_placeholder(code) or is_placeholder(code[8:16]):
            return Diagnosis("placeholder", "placeholder")
        return _VALID_UNKNOWN if unknown else _VALID
    if is_placeholder(code):
        return Diagnosis("placeholder", "placeholder")
    if "*" in stars(code, x_in_alphabet=True):
        return Diagnosis("masked", "masked")
    if rounding_of(code) is not None:
        return Diagnosis("damaged", "spreadsheet", None, unknown)
    if outer:
        return Diagnosis("fabricated_inner", "inner_check_digit", "organization_code", unknown)
    if not inner:
        return Diagnosis("invalid", "check_digit", "organization_code", unknown)
    if code[2:6] == "3502":
        return Diagnosis("legacy_check", "legacy_check", "registration", unknown)
    return Diagnosis("invalid", "check_digit", "registration", unknown)


_VALID: Final = Diagnosis("valid")
_VALID_UNKNOWN: Final = Diagnosis("valid", unknown_prefix=True)


def _misshapen(code: str) -> Diagnosis:
    if is_placeholder(code):
        return Diagnosis("placeholder", "placeholder")
    if is_scientific(code):
        return Diagnosis("damaged", "spreadsheet")
    if "*" in stars(code, x_in_alphabet=True):
        return Diagnosis("masked", "masked")
    if len(code) != 18:
        return Diagnosis("invalid", "length", "shape")
    legal = all(character in ALPHABET for character in code)
    return Diagnosis("invalid", "format" if legal else "alphabet", "shape")
