"""Numbers of a legal person, told apart by content: a department may write any of them into any column.

In: one cell of a code column. Out: the numbers found in it by kind, and, for the credit code column, what is left of a
code that is not valid. Check characters decide the kind, the ID family first (see `scheme`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, Literal

from matchers.identifiers import (
    foreign_resident_card,
    organization_code,
    registration_number,
    residence_permit,
    resident_id,
    tax_number,
    uscc,
)
from matchers.identifiers.cleaning import clean, digits_for_letters
from matchers.identifiers.damage import KEPT, is_scientific, rounding_of, scientific_digits
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.lookalikes import code_readings
from matchers.identifiers.masks import aligned, stars
from matchers.identifiers.placeholders import is_placeholder

Column = Literal["uscc", "registration_number", "organization_code", "tax_number"]

_SEPARATORS: Final = str.maketrans(dict.fromkeys("/\\;,、|。", " "))
_LABEL: Final = re.compile(r"[^0-9]{0,20}[:\u3400-\u9fff.]|[A-Z]{2,8}(?=[0-9])")
_NOTE: Final = re.compile(r"[(\[【<\u3400-\u9fff].*", re.DOTALL)
_NUMBER: Final = re.compile(r"[0-9A-Z*]{15,21}")
_BODY: Final = slice(8, 17)
_FEWEST_SHOWN: Final = 4
_PERSONAL_18: Final = {"8": residence_permit.validate, "9": foreign_resident_card.validate}


@dataclass(slots=True)
class Found:
    """Numbers found in the cells of one record, by kind, in the order found."""

    usccs: dict[str, str] = field(default_factory=dict)
    organization_codes: list[str] = field(default_factory=list)
    registration_numbers: list[str] = field(default_factory=list)
    opaque_numbers: list[str] = field(default_factory=list)
    tax_numbers: list[str] = field(default_factory=list)
    operator_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a credit code that is not valid: its status, and what can still be compared."""

    status: str
    raw: str | None = None
    prefix15: str | None = None
    pattern: str | None = None
    organization_code: str | None = None


def pieces_of(text: str) -> tuple[str, ...]:
    """Return the cleaned numbers of a cell; more than one only if the cell holds several numbers.

    >>> pieces_of("914403001922038216 / 440301103097413")
    ('914403001922038216', '440301103097413')
    """
    number = clean(text)
    if len(number) == 18 and number.isascii() and number.isalnum():
        return (number,)
    bare = _bare(number)
    if bare is not None:
        return (bare,)
    if len(number) <= 21 and not ("/" in number or ";" in number or "," in number or "、" in number or "|" in number):
        return (number,) if number else ()
    parts = [clean(part) for part in unicodedata.normalize("NFKC", text).translate(_SEPARATORS).split()]
    parts = [_bare(part) or part for part in parts]
    numbers = tuple(part for part in parts if len(part) >= 9 and any("0" <= character <= "9" for character in part))
    return numbers if len(numbers) > 1 else ((numbers or (number,)) if number else ())


def _bare(number: str) -> str | None:
    """Return the number of a cell that also holds a label before it or a note behind it, or None."""
    if len(number) <= 15 or (number.isascii() and number.isalnum() and len(number) <= 19):
        return None
    label = _LABEL.match(number)
    rest = number[label.end() :] if label is not None else number
    rest = _NOTE.sub("", rest)
    return rest if rest != number and _NUMBER.fullmatch(rest) is not None else None


def sort_into(found: Found, number: str, column: Column) -> bool:
    """Put a cleaned number where it belongs by its content; say whether it belonged anywhere.

    Args:
        found: receives the number.
        number: a cleaned number.
        column: where it stood; its own kind goes first where kinds share a form.
    """
    size = len(number)
    if size == 18:
        return _sort_18(found, number)
    if size == 9 and organization_code.is_valid(number):
        found.organization_codes.append(number)
        return True
    if size == 15:
        return _sort_15(found, number, column)
    if size in (16, 17, 19, 20, 21) and tax_number.is_valid(number):
        return _sort_tax(found, number)
    return False


def remains_of(number: str) -> Remains:
    """Return what a cleaned number in the credit code column still says when it is no valid code."""
    code = digits_for_letters(number)
    if is_placeholder(code):
        return Remains("placeholder")
    if is_scientific(code):
        digits = scientific_digits(code)
        return _rounded(digits, None) if digits is not None and len(digits) == KEPT else Remains("damaged")
    starred = stars(code, x_in_alphabet=True)
    if "*" in starred:
        return _hidden(starred)
    diagnosis = uscc.diagnose_compact(code)
    if diagnosis.status == "damaged" and rounding_of(code) is not None:
        return _rounded(code[:KEPT], code)
    usable = 14 <= len(code) <= 20 and code.isascii() and code.isalnum()
    intact = 17 <= len(code) <= 18 and diagnosis.status == "invalid" and organization_code.is_valid(code[_BODY])
    return Remains(
        diagnosis.status if diagnosis.status in ("fabricated_inner", "placeholder") else "invalid",
        raw=code if usable and diagnosis.status != "placeholder" else None,
        organization_code=code[_BODY] if intact else None,
    )


def _sort_18(found: Found, number: str) -> bool:
    code = digits_for_letters(number)
    if code in found.usccs:
        return True
    # An ID number has its century at positions 7 and 8; elsewhere a valid code needs no second thought.
    status = uscc.diagnose_compact(code).status
    if status == "valid" and code[6:8] not in ("18", "19", "20"):
        found.usccs[code] = status
        return True
    operator = _person_18(number)
    if operator is not None:
        found.operator_ids.append(operator)
        return True
    if status in ("valid", "legacy_check"):
        found.usccs[code] = status
        return True
    for reading in code_readings(code):
        if uscc.diagnose_compact(reading).status == "valid":
            found.usccs[reading] = "valid"
            return True
    return number[0] == "L" and tax_number.is_valid(number) and _sort_tax(found, number)


def _person_18(number: str) -> str | None:
    """Return the ID number of a person, a permit or card of 18 characters included, or None."""
    if not digits_for_letters(number[:17], with_l=True).isdigit():
        return None
    validate = _PERSONAL_18.get(number[0], resident_id.validate)
    try:
        return validate(number)
    except InvalidIdentifier:
        return None


def _sort_15(found: Found, number: str, column: Column) -> bool:
    """Sort 15 characters: a registration number by its check, else the column's own kind, else an old ID number."""
    if registration_number.is_valid(number) and not (column == "tax_number" and tax_number.is_valid(number)):
        found.registration_numbers.append(number)
        return True
    if tax_number.is_valid(number) and (column != "registration_number" or not resident_id.is_valid(number)):
        return _sort_tax(found, number)
    for scheme in (resident_id, foreign_resident_card):
        if scheme.is_valid(number):
            found.operator_ids.append(scheme.validate(number))
            return True
    return False


def _sort_tax(found: Found, number: str) -> bool:
    parts = tax_number.parts(number)
    if parts.uscc is not None:
        found.usccs.setdefault(parts.uscc, uscc.diagnose_compact(parts.uscc).status)
    if parts.organization_code is not None:
        found.organization_codes.append(parts.organization_code)
    if parts.operator_id is not None:
        found.operator_ids.append(parts.operator_id)
    found.tax_numbers.append(tax_number.validate(number))
    return True


def _rounded(prefix: str, raw: str | None) -> Remains:
    return Remains("damaged", raw, prefix, prefix + "***")


def _hidden(starred: str) -> Remains:
    """Keep a masked code only if its organisation code part shows something; the first eight places are all alike."""
    pattern = aligned(starred, 18)
    legal = pattern is not None and all(character in uscc.ALPHABET or character == "*" for character in pattern)
    if pattern is None or not legal:
        return Remains("masked")
    if sum(character != "*" for character in pattern[8:]) < _FEWEST_SHOWN:
        return Remains("placeholder")
    body = pattern[_BODY]
    inner = body if "*" not in body and organization_code.is_valid(body) else None
    return Remains("masked", pattern=pattern, organization_code=inner)
