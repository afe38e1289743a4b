"""Partly hidden travel permits of people from Hong Kong and Macau, laid out over 18 positions.

In: a cleaned, starred text, or a valid number in matching form. Out: the nine characters that stay with the holder,
`*` where hidden, then nine stars, so that a permit is compared position by position as other documents are; or None.

A mask that keeps the length shows where each character stands. Another (`H7****62`) is trusted in front only: behind,
the two digits that change at each renewal may stand.

>>> permit_pattern("H7****62"), permit_pattern("H79****62")
('H7****************', 'H79****62*********')
"""

from __future__ import annotations

import re
from typing import Final

SIZE: Final = 18
_LIFELONG: Final = 9
_WITH_RENEWAL: Final = 11
_MASKED: Final = re.compile(r"([HM]A?[0-9]*)\*[0-9*]*")
_LONGEST: Final = 13


def permit_pattern(starred: str) -> str | None:
    """Return the 18 positions of a masked permit, or None if it is none or shows nothing behind its letter."""
    found = _MASKED.fullmatch(starred)
    if found is None or len(starred) > _LONGEST:
        return None
    head = found[1][:_LIFELONG]
    kept = starred[:_LIFELONG] if len(starred) in (_LIFELONG, _WITH_RENEWAL) else head
    return kept.ljust(SIZE, "*") if sum(character != "*" for character in kept) > 1 else None


def whole(value: str) -> str:
    """Return the 18 positions of a valid permit in matching form."""
    return value.ljust(SIZE, "*")
