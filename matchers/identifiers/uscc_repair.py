"""Codes a mistyped unified social credit code may have meant, for a person to choose from. Matching never uses them.

In: a code that fails its checks. Out: every code one edit away (one character replaced, two neighbours swapped, the
last one lost or one too many) that passes both checks, starts with a known pair and names a region that can exist. A
repair is acceptable only if it is the only candidate, the registry knows the code and the name agrees.

Source: enumeration over both checks of GB 32100-2015; confusions (0 D O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V Y) come
first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from matchers.identifiers.cleaning import digits_for_letters
from matchers.identifiers.resident_id import PROVINCES
from matchers.identifiers.uscc import ALPHABET, PREFIXES, compact, diagnose_compact

_CONFUSIONS: Final = ("0DOQ", "1IL", "2Z", "5S", "6G", "8B", "UVY")
_LOOKALIKE: Final = frozenset((a, b) for group in _CONFUSIONS for a in group for b in group)


def repair_candidates(text: str, *, regions: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the valid codes one edit away from a text, the likeliest confusions first; () if the text is valid.

    Args:
        text: the code as received.
        regions: six-digit codes a repaired region may take, beside the one already there; None takes every region of a
            known province, or of the country as a whole (100000).

    >>> repair_candidates("91440300192Z038216")
    ('914403001922038216',)
    """
    code = digits_for_letters(compact(text))
    if not 17 <= len(code) <= 19 or diagnose_compact(code).status in {"valid", "legacy_check", "placeholder", "masked"}:
        return ()
    ranked: dict[str, int] = {}
    for candidate, rank in _edits(code):
        acceptable = candidate not in ranked and candidate[:2] in PREFIXES and _region_fits(candidate, code, regions)
        if acceptable and diagnose_compact(candidate).status == "valid":
            ranked[candidate] = rank
    return tuple(sorted(ranked, key=lambda candidate: (ranked[candidate], candidate)))


def _edits(code: str) -> Iterator[tuple[str, int]]:
    """Yield every code one edit away with a rank: 0 for a confusion of shapes, 1 for a swap, 2 for anything else."""
    if len(code) == 17:
        yield from ((code[:place] + new + code[place:], 2) for place in range(18) for new in ALPHABET)
        return
    if len(code) == 19:
        yield from ((code[:place] + code[place + 1 :], 2) for place in range(19))
        return
    for rank in (0, 2):
        for place, old in enumerate(code):
            for new in ALPHABET:
                if new != old and ((old, new) in _LOOKALIKE) == (rank == 0):
                    yield code[:place] + new + code[place + 1 :], rank
        if rank == 0:
            for place in range(17):
                yield code[:place] + code[place + 1] + code[place] + code[place + 2 :], 1


def _region_fits(candidate: str, code: str, regions: Collection[str] | None) -> bool:
    region = candidate[2:8]
    if region == code[2:8]:
        return True
    return (region[:2] in PROVINCES or region == "100000") if regions is None else region in regions
