"""Check digits of identifiers, for whole columns at once.

The simulator writes its own so that it is an independent witness for `matchers/identifiers`. Sources: GB 11643-1999 /
ISO 7064 MOD 11-2 (resident and residence-permit numbers), GB 32100-2015 MOD 31 (unified social credit code),
GB 11714-1997 MOD 11 (organisation code), GS 15-2006 / ISO 7064 MOD 11,10 (old registration number).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eval.simulator.columns import Ints, Text, codepoints, digits, from_codepoints, join, take

ALPHABET_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CODE_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def _values(alphabet: str) -> NDArray[np.int64]:
    table = np.zeros(128, dtype=np.int64)
    for value, character in enumerate(alphabet):
        table[ord(character)] = value
    return table


_VALUE_31 = _values(ALPHABET_31)
_VALUE_36 = _values("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def with_resident_check(bodies: Ints) -> Text:
    """Return 18-character resident numbers of 17-digit bodies."""
    total = np.zeros(len(bodies), dtype=np.int64)
    rest = bodies.copy()
    for weight in reversed(_RESIDENT_WEIGHTS):
        total += rest % 10 * weight
        rest //= 10
    return join(digits(bodies, 17), take(tuple("10X98765432"), total % 11))


def with_registration_check(bodies: Ints) -> Text:
    """Return 15-digit registration numbers of 14-digit bodies."""
    p = np.full(len(bodies), 10, dtype=np.int64)
    for place in range(13, -1, -1):
        s = (p + bodies // 10**place % 10) % 10
        p = np.where(s == 0, 10, s) * 2 % 11
    return join(digits(bodies, 14), digits((11 - p) % 10))


def with_organisation_check(bodies: Text) -> Text:
    """Return 9-character organisation codes (no hyphen) of 8-character bodies."""
    matrix = codepoints(bodies)
    total = (_VALUE_36[matrix[:, :8]] * np.array(_ORGANISATION_WEIGHTS)).sum(axis=1)
    return join(bodies, take((*"0123456789", "X", "0"), 11 - total % 11))


def with_credit_check(bodies: Text) -> Text:
    """Return 18-character unified social credit codes of 17-character bodies."""
    matrix = codepoints(bodies)
    total = (_VALUE_31[matrix[:, :17]] * np.array(_CODE_WEIGHTS)).sum(axis=1)
    return join(bodies, take(tuple(ALPHABET_31), (31 - total % 31) % 31))


def base_31(numbers: Ints, width: int) -> Text:
    """Write whole numbers in the 31-character alphabet of credit codes, `width` characters."""
    table = np.array([ord(c) for c in ALPHABET_31], dtype=np.uint32)
    matrix = np.empty((len(numbers), width), dtype=np.uint32)
    rest = numbers.copy()
    for column in range(width - 1, -1, -1):
        matrix[:, column] = table[rest % 31]
        rest //= 31
    return from_codepoints(matrix)
