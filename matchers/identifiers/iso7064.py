"""The two check systems of ISO 7064 that Chinese numbers use.

In: the digits before the check character. Out: the check character.
Source: ISO 7064:2003, pure system MOD 11-2 (citizen numbers) and hybrid system MOD 11,10 (registration numbers).
"""

from __future__ import annotations

from typing import Final

_WEIGHTS: Final = tuple(pow(2, 17 - position, 11) for position in range(17))
_PRODUCTS: Final = tuple({str(digit): digit * weight for digit in range(10)} for weight in _WEIGHTS)
_MOD_11_2: Final = "10X98765432"


def mod_11_2(body: str) -> str:
    """Return the check character of 17 digits: 0 to 9 or X.

    >>> mod_11_2("11010519491231002")
    'X'
    """
    return _MOD_11_2[sum(products[digit] for products, digit in zip(_PRODUCTS, body, strict=True)) % 11]


def mod_11_10(body: str) -> str:
    """Return the check digit of any number of digits.

    >>> mod_11_10("44030610917839")
    '5'
    """
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
