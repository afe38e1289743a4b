"""Permanent entity ids: `LP` or `NP`, nine base-32 digits of a sequence number, one check character.

Digits and check alphabet are Douglas Crockford's base 32 (https://www.crockford.com/base32.html, public): no I, L, O
or U among the digits, and a check character modulo 37. The check covers the kind as a leading digit, so that `LP…` read
as `NP…` fails too. A sequence number is used once and never again; ids of one kind sort by age.

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
CHECK_CHARACTERS = DIGITS + "*~$=U"
DIGIT_COUNT = 9
LARGEST_SEQUENCE: int = (1 << 5 * DIGIT_COUNT) - 1

_SHAPE = re.compile(rf"(LP|NP)([{DIGITS}]{{{DIGIT_COUNT}}})([{re.escape(CHECK_CHARACTERS)}])")
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
    digits = "".join(DIGITS[sequence >> shift & 31] for shift in range(5 * (DIGIT_COUNT - 1), -1, -5))
    return kind + digits + check_character(kind, sequence)


def check_character(kind: Kind, sequence: int) -> str:
    """Return the check character of a kind and a sequence number."""
    return CHECK_CHARACTERS[_checked_number(kind, sequence) % 37]


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
    sequence = 0
    for digit in candidate[2:-1]:
        sequence = sequence << 5 | _VALUE[digit]
    if candidate[-1] != check_character(kind, sequence):
        raise InvalidEntityId("check_character", "entity id: the check character does not fit; one character is wrong")
    return EntityId(kind, sequence)


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
    digits = " || ".join(f"substr('{DIGITS}', (({sequence}) >> {shift} & 31)::int + 1, 1)" for shift in shifts)
    check = f"substr('{CHECK_CHARACTERS}', ((({sequence}) + {_checked_number(kind, 0)}) % 37)::int + 1, 1)"
    return f"('{kind}' || {digits} || {check})"


def sequence_sql(column: str) -> str:
    """Return a DuckDB expression for the sequence number inside a column of ids (the check is not looked at)."""
    places = range(DIGIT_COUNT)
    parts = (
        f"(strpos('{DIGITS}', substr({column}, {place + 3}, 1)) - 1)::bigint * {1 << 5 * (DIGIT_COUNT - 1 - place)}"
        for place in places
    )
    return "(" + " + ".join(parts) + ")"


def _checked_number(kind: Kind, sequence: int) -> int:
    return KINDS.index(kind) * (LARGEST_SEQUENCE + 1) + sequence
