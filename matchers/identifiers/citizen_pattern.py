"""Incomplete resident ID numbers: masked, cut to a piece, or rounded, laid out over the 18 positions of the whole.

In: a cleaned text that is no valid number. Out: 18 characters, `*` where the position is hidden or unknown, or None.

A piece has a known position only when custom gives it one: four characters are the last four, six are the last six when
they can start with a day and the first six when they start with a province, eight are a birth date or the last eight,
ten to fourteen count from the start. Anything else keeps no position, and so is no evidence: of a number that lost a
character nobody knows which one. A start that no number can have (no province, no such year or month) shows that
characters are lost or doubled there, and is not used.
"""

from __future__ import annotations

import re
from typing import Final

from matchers.identifiers.calendar_date import is_month_day, iso_date
from matchers.identifiers.masks import aligned, visible
from matchers.identifiers.resident_id import PROVINCES

_MASKED: Final = re.compile(r"[0-9*]+[0-9X*]")
_PIECE: Final = re.compile(r"[0-9]{3,16}[0-9X]")
_CENTURIES: Final = frozenset(["18", "19", "20"])
_HIDDEN: Final = "*" * 18
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


def masked_pattern(starred: str) -> str | None:
    """Return the 18 positions of a masked number, or None if they cannot be told or fewer than two are shown.

    >>> masked_pattern("440306****1514"), masked_pattern("4403061999********")
    ('440306********1514', '4403061999********')
    """
    if _MASKED.fullmatch(starred) is None or len(starred) > 24:
        return None
    pattern = _old_pattern(starred) if len(starred) == 15 else aligned(starred, 18)
    if pattern is None or "X" in pattern[:17]:
        return None
    if not _possible_start(pattern):
        pattern = _HIDDEN[:14] + pattern[14:]
        return pattern if visible(pattern) >= 3 else None
    return pattern if visible(pattern) >= 2 else None


def piece_pattern(piece: str) -> str | None:
    """Return the 18 positions of a piece of a number, or None if its place cannot be told.

    >>> piece_pattern("151X"), piece_pattern("19990101"), piece_pattern("44030619990101")
    ('**************151X', '******19990101****', '44030619990101****')
    """
    if _PIECE.fullmatch(piece) is None or _MOBILE.fullmatch(piece) is not None:
        return None
    size = len(piece)
    if size == 4 or (size == 6 and (piece[5] == "X" or "01" <= piece[:2] <= "31")):
        return _HIDDEN[size:] + piece
    if size == 8 and piece[7] != "X" and iso_date(piece) is not None:
        return _HIDDEN[:6] + piece + _HIDDEN[:4]
    if size == 8 and is_month_day(piece[:4]):
        return _HIDDEN[size:] + piece
    if piece[-1] == "X" or piece[:2] not in PROVINCES:
        return None
    if size == 6 or (10 <= size <= 14 and piece[6:8] in _CENTURIES and (size < 14 or iso_date(piece[6:14]))):
        return piece + _HIDDEN[size:]
    return None


def shown_birth(pattern: str) -> str | None:
    """Return the birth date a pattern shows, as far as it shows it: year, year and month, or the ISO day.

    >>> shown_birth("440306199901******"), shown_birth("440306********1514")
    ('1999-01', None)
    """
    digits = pattern[6:14]
    if "*" not in digits:
        return iso_date(digits)
    year, month = digits[:4], digits[4:6]
    if "*" in year or year[:2] not in _CENTURIES:
        return None
    return f"{year}-{month}" if "*" not in month and "01" <= month <= "12" else year


def is_piece(text: str) -> bool:
    """Tell whether a text can be a piece of a resident ID number, of known or unknown place."""
    return len(text) < 18 and _PIECE.fullmatch(text) is not None


def _possible_start(pattern: str) -> bool:
    """Tell whether what a pattern shows of region and birth date can stand there."""
    province, century, month, day = pattern[:2], pattern[6:8], pattern[10:12], pattern[12:14]
    return (
        ("*" in province or province in PROVINCES or province[0] == "9")
        and ("*" in century or century in _CENTURIES)
        and ("*" in month or "01" <= month <= "12")
        and ("*" in day or "01" <= day <= "31")
    )


def _old_pattern(starred: str) -> str | None:
    """Read 15 characters as an old number or a short mask of a new one; what the readings do not share is hidden."""
    head = starred[: starred.index("*")] if "*" in starred else starred
    if starred.endswith("X") or head[6:8] in _CENTURIES:
        return aligned(starred, 18)
    if len(head) >= 8:
        return starred[:6] + "19" + starred[6:] + "*"
    return head[:6] + _HIDDEN[len(head[:6]) :]
