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

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matchers.similarity import Among, Compare, One, Places, register

SIZE: Final = 18
_STAR: Final = ord("*")


def agreement(left: str, right: str, positions: tuple[int, ...]) -> float:
    """Count the counted positions both patterns show and agree on; -1 on any contradiction.

    >>> agreement("440306********1514", "4403**********1514", (0, 1, 2, 3, 4, 5, 14, 15, 16, 17))
    8.0
    """
    if len(left) != SIZE or len(right) != SIZE:
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
    counted = np.array(positions)

    def among(patterns: Sequence[str]) -> Compare:
        sound = np.fromiter((len(p) == SIZE and p.isascii() for p in patterns), dtype=np.bool_, count=len(patterns))
        joined = "".join(p if ok else "*" * SIZE for p, ok in zip(patterns, sound, strict=True))
        grid = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(len(patterns), SIZE)

        def compare(left: Places, right: Places) -> NDArray[np.float64]:
            a, b = grid[left], grid[right]
            shown = (a != _STAR) & (b != _STAR)
            same = a == b
            agreeing: NDArray[np.float64] = (shown & same)[:, counted].sum(axis=1).astype(np.float64)
            agreeing[(shown & ~same).any(axis=1)] = -1.0
            for i in np.flatnonzero(~(sound[left] & sound[right])).tolist():
                agreeing[i] = agreement(patterns[left[i]], patterns[right[i]], positions)
            return agreeing

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
