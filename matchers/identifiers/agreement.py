"""How far two partly hidden numbers agree: positions both show, counted where they mean something.

In: two patterns of 18 characters, `*` where hidden. Out: the number of positions that both show and that are equal,
among the positions that count; -1 if any position both show differs, or if a text is no pattern.

Three counts are registered as similarities:

* `gy_mask_agreement`: resident ID patterns outside the birth date (region and last four),
  for another comparison weighs the date;
* `gy_mask_tail`: resident ID patterns, the last four alone: a region is shared by half a town, these are not;
* `gy_code_agreement`: credit code patterns, positions 9 to 18: the first eight are nearly the same for a whole city.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matchers.similarity import Among, Compare, One, Places, register
from matchers.text_bytes import is_ascii, words_of

SIZE: Final = 18
_STAR: Final = ord("*")
_WORDS: Final = 3  # integers of eight bytes that hold a pattern


def agreement(left: str, right: str, positions: tuple[int, ...]) -> float:
    """Count the counted positions both patterns show and agree on; -1 on any contradiction.

    >>> agreement("440306********1514", "4403**********1514", (0, 1, 2, 3, 4, 5, 14, 15, 16, 17))
    8.0
    """
    if not all(len(text) == SIZE and text.isascii() for text in (left, right)):
        return -1.0
    agreeing = 0
    for position, (a, b) in enumerate(zip(left, right, strict=True)):
        if a == "*" or b == "*":
            continue
        if a != b:
            return -1.0
        agreeing += position in positions
    return float(agreeing)


def _one(positions: tuple[int, ...]) -> One:
    return lambda left, right: agreement(left, right, positions)


def _among(positions: tuple[int, ...]) -> Among:
    counted = np.isin(np.arange(_WORDS * 8), positions).astype(np.uint8).view(np.uint64)

    def among(patterns: pa.Array) -> Compare:
        read = words_of(patterns, SIZE)
        no_pattern = ~(read.fitting & is_ascii(read.rows))
        # A pattern as three integers of eight characters, those it shows as ones in three more: compared at one go.
        words = read.columns
        shown = [np.ascontiguousarray(word) for word in ((read.rows != _STAR) * np.uint8(255)).view(np.uint64).T]
        all_are_patterns = not no_pattern.any()

        def compare(left: Places, right: Places) -> NDArray[np.float64]:
            agreeing = np.zeros(len(left), dtype=np.uint8)
            differing = np.zeros(len(left), dtype=np.uint64)
            for word, shows, counts in zip(words, shown, counted, strict=True):
                both = shows.take(left) & shows.take(right)
                differing |= (word.take(left) ^ word.take(right)) & both
                if counts:
                    agreeing += np.bitwise_count(both & counts)
            found = agreeing.astype(np.float64)
            found[differing != 0] = -1.0
            if not all_are_patterns:
                found[no_pattern.take(left) | no_pattern.take(right)] = -1.0
            return found

        return compare

    return among


_REGION: Final = tuple(range(6))
_TAIL: Final = tuple(range(14, 18))
_BODY: Final = tuple(range(8, 18))

for _name, _positions in (
    ("gy_mask_agreement", _REGION + _TAIL),
    ("gy_mask_tail", _TAIL),
    ("gy_code_agreement", _BODY),
):
    register(_name, _one(_positions), among=_among(_positions))
