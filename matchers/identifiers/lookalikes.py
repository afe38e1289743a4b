"""Letters that a reader or a scanner put in place of digits: D for 0, B for 8, S for 5, G for 6, Z for 2, Q for 0.

In: a number whose scheme has digits only (or digits only in some positions). Out: the number with the digits they look
like. Such a reading is a guess until a check character confirms it: believe it only when the number then validates.

Source: shapes of letters in common print; GB 32100-2015 for the positions and letters of a credit code.
"""

from __future__ import annotations

from typing import Final

_DIGITS: Final = str.maketrans("ODQILZSGB", "000112568")
_NEVER_IN_A_CODE: Final = str.maketrans("OISZ", "0152")
_REGION: Final = slice(2, 8)


def citizen_reading(number: str) -> str:
    """Return a number of 18 positions (or about) with letters but a last X read as digits.

    >>> citizen_reading("44030619D9010I151X")
    '44030619090101151X'
    """
    return number if number.isdigit() else number[:-1].translate(_DIGITS) + number[-1:].translate(_DIGITS)


def code_readings(code: str) -> tuple[str, ...]:
    """Return what a credit code with letters where none belong may have meant; () if it has none.

    The region (positions 3 to 8) has digits only; I, O, S and Z stand nowhere, V stands for U or Y.

    >>> code_readings("9144D3001922038216"), code_readings("914403001922038216")
    (('914403001922038216',), ())
    """
    read = code[:2] + code[_REGION].translate(_DIGITS) + code[8:]
    read = read.translate(_NEVER_IN_A_CODE)
    readings = (read.replace("V", "U"), read.replace("V", "Y")) if "V" in read else (read,)
    return tuple(reading for reading in readings if reading != code)
