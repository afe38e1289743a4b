"""The check digit of travel documents: weights 7-3-1 over digits and letters, modulo 10.

In: digits, letters and the filler `<`. Out: one digit.
Source: ICAO Doc 9303 part 3, section 4.9.
"""

from __future__ import annotations

from typing import Final

VALUES: Final = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}


def check_731(body: str) -> str:
    """Return the check digit of a text of digits, capital letters and fillers.

    >>> check_731("KAZ11009012310")
    '5'
    """
    return str(sum(VALUES[character] * (7, 3, 1)[place % 3] for place, character in enumerate(body)) % 10)
