"""What spreadsheets and databases do to long numbers: scientific notation and rounding.

In: a text, or a number that has already failed its checks. Out: the damage by name, and the leading digits it left
intact. A spreadsheet keeps 15 significant digits and writes zeros for the rest; a 64-bit float keeps the 18-digit
number to the nearest multiple of 16 to 128, so that the last two or three digits are wrong.

Rounding cannot be told from a genuine number by its digits alone: ask only after the checks failed.
"""

from __future__ import annotations

import re
from typing import Final, Literal

KEPT: Final = 15
"""Leading digits that survive rounding."""

Rounding = Literal["spreadsheet", "float"]

_SCIENTIFIC: Final = re.compile(r"^([0-9])(?:\.([0-9]+))?E\+?([0-9]{1,2})$")
_LONG_NUMBER: Final = re.compile(r"^[1-9][0-9]{15,19}$")


def is_scientific(compact: str) -> bool:
    """Tell whether a cleaned text is a number in scientific notation.

    >>> is_scientific("4.40306E+17"), is_scientific("440306199901011514")
    (True, False)
    """
    return "E" in compact and _SCIENTIFIC.match(compact) is not None


def scientific_digits(compact: str) -> str | None:
    """Return the leading digits that scientific notation still shows, if they are the whole number or at least 15.

    Most exports show six digits, which is every company of the city: those return None.

    >>> scientific_digits("4.40306E+17") is None
    True
    >>> scientific_digits("4.40306199001011E+17")
    '440306199001011'
    """
    match = _SCIENTIFIC.match(compact)
    if match is None:
        return None
    digits = match[1] + (match[2] or "")
    length = int(match[3]) + 1
    if len(digits) >= length:
        return digits[:length] if not digits[length:].strip("0") else None
    return digits[:KEPT] if len(digits) >= KEPT else None


def rounding_of(digits: str) -> Rounding | None:
    """Name the rounding that a number which failed its checks may have suffered.

    >>> rounding_of("914403001922038000"), rounding_of("914403001922038272"), rounding_of("914403001922038217")
    ('spreadsheet', 'float', None)
    """
    if not _LONG_NUMBER.match(digits):
        return None
    if digits.endswith("0" * (len(digits) - KEPT)):
        return "spreadsheet"
    # Below 18 digits a float is precise to the unit or nearly, which would flag half of all numbers.
    if len(digits) >= 18 and int(float(digits)) == int(digits):
        return "float"
    return None
