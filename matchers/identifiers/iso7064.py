"""The two check systems of ISO 7064 that Chinese numbers use.

In: the digits before the check character. Out: the check character.
Source: ISO 7064:2003, pure system MOD 11-2 (citizen numbers) and hybrid system MOD 11,10 (registration numbers).
"""

from __future__ import annotations

from typing import Final

# Sums of the weighted digits of the first two places, then of each three, so that a number needs six look-ups.
_TRIPLES: Final = tuple(
    {
        f"{number:0{end - start}}": sum(
            int(digit) * pow(2, 17 - start - place, 11) for place, digit in enumerate(f"{number:0{end - start}}")
        )
        % 11
        for number in range(10 ** (end - start))
    }
    for start, end in ((0, 2), (2, 5), (5, 8), (8, 11), (11, 14), (14, 17))
)
_MOD_11_2: Final = "10X98765432"


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits: 0 to 9 or X.

    >>> mod_11_2("11010519491231002")
    'X'
    """
    if len(body) != 17:
        raise ValueError("17 digits are wanted")
    a, b, c, d, e, f = _TRIPLES
    total = a[body[:2]] + b[body[2:5]] + c[body[5:8]] + d[body[8:11]] + e[body[11:14]] + f[body[14:]]
    return _MOD_11_2[total % 11]


def mod_11_10(body: str) -> str:
    """Return the check digit of any number of digits.

    >>> mod_11_10("44030610917839")
    '5'
    """
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
