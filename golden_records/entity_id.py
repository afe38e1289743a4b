"""Permanent entity ids: `LP` or `NP`, nine base-32 digits of a number, one check character.

Digits and check are Douglas Crockford's base 32 (https://www.crockford.com/base32.html, public): no I, L, O or U among
the digits, and a check character modulo 37. Numbers whose check character would be one of `* ~ $ = U` are left out, so
that an id is letters and digits wherever it is written. The check covers the kind, so that `LP…` read as `NP…` fails
too. A sequence number is used once and never again; ids of one kind sort by age.

In: text from outside, or a kind and a sequence number. Out: a twelve-character id (short enough for DuckDB to keep
inside its string header). Invariant: parse(mint(kind, n)) == EntityId(kind, n).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

from golden_records.errors import InvalidEntityId

Kind = Literal["LP", "NP"]

KINDS: tuple[Kind, ...] = get_args(Kind)
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGIT_COUNT = 9
# What is added to a number of the kind before its check is taken.
_OFFSET: dict[str, int] = {"LP": 0, "NP": 7}
_MODULUS = 37
_USED = 32  # checks 0 to 31 are digits and letters
LARGEST_SEQUENCE: int = (1 << 5 * DIGIT_COUNT) // _MODULUS * _USED - _USED

_SHAPE = re.compile(rf"(LP|NP)([{DIGITS}]{{{DIGIT_COUNT}}})([{DIGITS}])")
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_VALUE = {digit: value for value, digit in enumerate(DIGITS)}
_LONGEST_INPUT = 64


@dataclass(frozen=True, slots=True)
class EntityId:
    """The parts of an entity id: which kind of person, and the number it was minted with."""

    kind: Kind
    sequence: int


def mint(kind: Kind, sequence: int) -> str:
    """Return the id of a sequence number.

    Args:
        kind: `LP` for legal persons, `NP` for natural persons.
        sequence: 1 for the first id of a kind; 0 is allowed and unused.

    Raises:
        InvalidEntityId: the kind is unknown or the number does not fit nine digits.

    >>> mint("LP", 1)
    'LP0000000011'
    """
    if kind not in KINDS:
        raise InvalidEntityId("kind", f"entity id: unknown kind (known: {', '.join(KINDS)})")
    if not 0 <= sequence <= LARGEST_SEQUENCE:
        raise InvalidEntityId("sequence", f"entity id: sequence {sequence} is outside 0..{LARGEST_SEQUENCE}")
    number = _number(kind, sequence)
    digits = "".join(DIGITS[number >> shift & 31] for shift in range(5 * (DIGIT_COUNT - 1), -1, -5))
    return kind + digits + DIGITS[(number + _OFFSET[kind]) % _MODULUS]


def compact(text: str | None) -> str | None:
    """Return a text in the form of an id, or None if it does not have that form; the check is not looked at.

    Forgives lower case, full-width characters, spaces, hyphens, `O` for `0` and `I` or `L` for `1`.

    >>> compact("lp-ooo-ooo-ool1")
    'LP0000000011'
    """
    if text is None or len(text) > _LONGEST_INPUT:
        return None
    folded = re.sub(r"[\s\-‐-―−]", "", unicodedata.normalize("NFKC", text)).upper()
    candidate = folded[:2] + folded[2:].translate(_READ_AS)
    return candidate if _SHAPE.fullmatch(candidate) else None


def parse(text: str | None) -> EntityId:
    """Return the parts of an id.

    Raises:
        InvalidEntityId: the text does not have the form of an id, or its check character is wrong.
    """
    candidate = compact(text)
    if candidate is None:
        raise InvalidEntityId("shape", "entity id: expected LP or NP, nine digits and a check character")
    kind: Kind = "LP" if candidate.startswith("LP") else "NP"
    number = 0
    for digit in candidate[2:-1]:
        number = number << 5 | _VALUE[digit]
    block, check = divmod(number + _OFFSET[kind], _MODULUS)
    if check != _VALUE[candidate[-1]]:
        raise InvalidEntityId("check_character", "entity id: the check character does not fit; one character is wrong")
    return EntityId(kind, block * _USED + check - _OFFSET[kind])


def is_valid(text: str | None) -> bool:
    """Say whether a text is an entity id with a right check character."""
    try:
        parse(text)
    except InvalidEntityId:
        return False
    return True


def mint_sql(kind: Kind, sequence: str) -> str:
    """Return a DuckDB expression that mints ids for a column of sequence numbers (the same ids as `mint`)."""
    shifts = range(5 * (DIGIT_COUNT - 1), -1, -5)
    offset = _OFFSET[kind]
    position = f"(({sequence}) + {offset})"
    number = f"({position} + {position} // {_USED} * {_MODULUS - _USED} - {offset})"
    digits = " || ".join(f"substr('{DIGITS}', ({number} >> {shift} & 31)::int + 1, 1)" for shift in shifts)
    check = f"substr('{DIGITS}', (({number} + {offset}) % {_MODULUS})::int + 1, 1)"
    return f"('{kind}' || {digits} || {check})"


def sequence_sql(column: str) -> str:
    """Return a DuckDB expression for the sequence number inside a column of ids (the check is not looked at)."""
    places = range(DIGIT_COUNT)
    parts = (
        f"(strpos('{DIGITS}', substr({column}, {place + 3}, 1)) - 1)::bigint * {1 << 5 * (DIGIT_COUNT - 1 - place)}"
        for place in places
    )
    offset = f"(case left({column}, 2) when 'NP' then {_OFFSET['NP']} else {_OFFSET['LP']} end)"
    checked = f"({' + '.join(parts)} + {offset})"
    return f"({checked} // {_MODULUS} * {_USED} + {checked} % {_MODULUS} - {offset})"


def _number(kind: Kind, sequence: int) -> int:
    """Return the number that is written: the sequence number with the unwanted checks skipped."""
    position = sequence + _OFFSET[kind]
    return position + position // _USED * (_MODULUS - _USED) - _OFFSET[kind]
