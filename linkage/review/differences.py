"""Where two values differ, character by character (codepoints): what both have, and what one has alone."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_LONGEST = 2_000


@dataclass(frozen=True)
class Piece:
    """A stretch of a value: whether the other value has it in the same place."""

    text: str
    is_same: bool


def differences(left: str | None, right: str | None) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both values as pieces; a value beside none, or a very long one, is one piece.

    >>> [piece.text for piece in differences("新安街道1号", "新安街道11号")[1] if not piece.is_same]
    ['1']
    """
    if not left or not right:
        return _whole(left, same=True), _whole(right, same=True)
    if left == right:
        return _whole(left, same=True), _whole(right, same=True)
    if max(len(left), len(right)) > _LONGEST:
        return _whole(left, same=False), _whole(right, same=False)
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for code in Levenshtein.opcodes(left, right):
        same = code.tag == "equal"
        for side, text in ((0, left[code.src_start : code.src_end]), (1, right[code.dest_start : code.dest_end])):
            if text:
                pieces[side].append(Piece(text, same))
    return tuple(pieces[0]), tuple(pieces[1])


def _whole(text: str | None, *, same: bool) -> tuple[Piece, ...]:
    return (Piece(text, same),) if text else ()
