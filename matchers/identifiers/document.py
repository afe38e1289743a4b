"""Which identity document a whole, valid number belongs to.

In: a cleaned text and the scheme its label states (see `document_type`). Out: the scheme and the number in matching
form, or None. A number that passes a check wins over the label; a label decides where a form has no check. Unlabelled
numbers are taken for a document only when their form leaves little doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final, NamedTuple

from matchers.identifiers import (
    foreign_resident_card,
    hong_kong_id,
    mainland_travel_permit,
    military_id,
    passport,
    residence_permit,
    resident_id,
    taiwan_travel_permit,
)
from matchers.identifiers.cleaning import clean
from matchers.identifiers.damage import is_scientific
from matchers.identifiers.errors import InvalidIdentifier
from matchers.identifiers.placeholders import is_placeholder


class Document(NamedTuple):
    """A scheme and a valid number of it, in matching form."""

    scheme: str
    value: str


_VALIDATORS: Final[dict[str, Callable[[str], str]]] = {
    "hk_macau_permit": mainland_travel_permit.validate,
    "taiwan_permit": taiwan_travel_permit.validate,
    "foreign_resident_card": foreign_resident_card.validate,
    "passport": passport.validate,
    "hkid": hong_kong_id.validate,
    "military": military_id.validate,
}
_SOCIAL_INSURANCE: Final = {
    "HKG0": "hk_macau_permit",
    "MAC0": "hk_macau_permit",
    "TWN0": "taiwan_permit",
}
_RENEWED_PERMIT: Final = re.compile(r"[HM][0-9]{10}")
_LETTERED_PASSPORT: Final = re.compile(r"[A-Z]{1,2}[0-9]{7,8}")
_MILITARY: Final = re.compile(r"[\u4e00-\u9fff]*[军士武][\u4e00-\u9fff]*字第?[0-9A-Z]{4,10}号?")
_OPAQUE: Final = re.compile(r"(?=.*[0-9]{3})\w{5,30}")
_PIECE: Final = re.compile(r"[0-9A-Z*]+")


def recognise(number: str, stated: str | None) -> Document | None:
    """Return the document a cleaned text is the valid number of, or None.

    >>> recognise("440306199901011514", "passport")
    Document(scheme='resident_id', value='440306199901011514')
    """
    size = len(number)
    if size == 18 or (size == 15 and stated not in ("military", "other")):
        found = _checked(number)
        if found is not None:
            return found
    if is_placeholder(number):
        return None
    if size == 12 and number[:4] in _SOCIAL_INSURANCE:
        stated = _SOCIAL_INSURANCE[number[:4]]
    elif stated == "passport" and _RENEWED_PERMIT.fullmatch(number):
        stated = "hk_macau_permit"
    if stated in _VALIDATORS:
        found = _passed(stated, number)
        if found is not None:
            return found
    if stated == "other":
        opaque = _OPAQUE.fullmatch(number) is not None and not is_scientific(number)
        return Document("other", number) if opaque else None
    return _unlabelled(number, stated)


def numbers_in(text: str, number: str) -> list[str]:
    """Return the candidate numbers in a text that holds words or several numbers.

    Args:
        text: as received.
        number: the same, cleaned.
    """
    pieces = _PIECE.findall(number)
    if any(len(piece) > 20 for piece in pieces):
        pieces = [clean(piece) for piece in unicodedata.normalize("NFKC", text).split()]
    return [piece for piece in pieces if len(piece) >= 4 and any("0" <= character <= "9" for character in piece)]


def _checked(number: str) -> Document | None:
    """Recognise the schemes whose numbers prove themselves: 18 characters, or 15."""
    if len(number) == 18 and number[0] in "89":
        return _passed("residence_permit" if number[0] == "8" else "foreign_resident_card", number) or (
            _passed("resident_id", number) if number[0] == "8" else None
        )
    return _passed("foreign_resident_card" if number[:3].isalpha() else "resident_id", number)


def _unlabelled(number: str, stated: str | None) -> Document | None:
    bare = number.replace("(", "").replace(")", "")
    if number[0].isalpha() and number.isascii():
        found = _passed("hk_macau_permit", bare) or _passed("hkid", bare)
        if found is not None:
            return found
        lettered = _LETTERED_PASSPORT.fullmatch(number) is not None or passport.is_chinese(number)
        return _passed("passport", number) if lettered and stated in (None, "resident_id") else None
    return _passed("military", number) if _MILITARY.fullmatch(number) else None


_CHECKED: Final[dict[str, Callable[[str], str]]] = {
    "resident_id": resident_id.validate,
    "residence_permit": residence_permit.validate,
    **_VALIDATORS,
}


def _passed(scheme: str | None, number: str) -> Document | None:
    if scheme is None:
        return None
    try:
        return Document(scheme, _CHECKED[scheme](number))
    except InvalidIdentifier:
        return None
