"""Numbers in the wrong cell: a document number behind a name or in the telephone's place, a telephone behind a name.

In: one cell of another field. Out: the valid citizen number and the mobile number that it holds, if it holds one of
each at most: of two nobody knows which is meant. A number whose check digit fails is left out, for eighteen digits may
be anything.

Source: GB 11643-1999 for the check; the numbering plan for mobile numbers.
Invariant: `document` is a valid citizen number, `phone` eleven digits; a plain name or a plain telephone holds neither.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from matchers.identifiers import resident_id
from matchers.identifiers.masks import hidden_for_display

LONGEST: Final = 200
_DOCUMENT: Final = re.compile(r"(?<![0-9A-Za-z*])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z*])")
_MOBILE: Final = re.compile(r"(?<![0-9A-Za-z*])1[3-9][0-9]{9}(?![0-9A-Za-z*])")
_ONE_KIND: Final = re.compile(r"[^0-9\uff10-\uff19]*|[0-9]{11}")


@dataclass(frozen=True, slots=True)
class StrayNumbers:
    """What a cell of another field holds; the empty value holds nothing.

    Attributes:
        document: a valid citizen number of 18 characters.
        phone: a mobile number beside other text.
    """

    document: str | None = None
    phone: str | None = None


NOTHING: Final = StrayNumbers()


def standardise(text: str | None) -> StrayNumbers:
    """Return the numbers that a cell holds beside, or in place of, its own value.

    >>> standardise("王小明 440306199901011514"), standardise("王小明13812340001").phone
    (StrayNumbers(document='440306199901011514', phone=None), '13812340001')
    >>> standardise("440306199901011515"), standardise("13812340001")
    (StrayNumbers(document=None, phone=None), StrayNumbers(document=None, phone=None))
    """
    if text is None or len(text) > LONGEST or _ONE_KIND.fullmatch(text) is not None:
        return NOTHING
    plain = unicodedata.normalize("NFKC", text)
    documents = {found.upper() for found in _DOCUMENT.findall(plain)}
    phones = set(_MOBILE.findall(plain)) if _MOBILE.fullmatch(plain.strip()) is None else set()
    valid = next(iter(documents)) if len(documents) == 1 else None
    return StrayNumbers(
        document=valid if valid is not None and resident_id.is_valid(valid) else None,
        phone=next(iter(phones)) if len(phones) == 1 else None,
    )


def mask(value: str) -> str:
    """Return the numbers hidden, as a document number is shown."""
    return hidden_for_display(value) or "****"
