"""Codepoint-correct similarities between two texts, for one pair and for columns of pairs.

DuckDB's own `levenshtein` and `jaro_winkler_similarity` count UTF-8 bytes, which makes any two Chinese characters far
apart or accidentally near. These count code points. Each function exists under one name as `one` for a pair and `many`
for two equally long lists, which the batch registers with DuckDB as an Arrow function. A third form, `among`, pays off
where looking at a text costs more than comparing: it looks at each of a list of texts once and then compares any two of
them by their places in the list; it takes the texts as an Arrow array.

A field type may add its own with `register`; the result is a float, larger is more alike, and it must be symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel, JaroWinkler

from matchers.text_bytes import differing_bytes, is_ascii, neighbours_swapped, words_of

One = Callable[[str, str], float]
Many = Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]]
Places = NDArray[np.int64]
Compare = Callable[[Places, Places], NDArray[np.float64]]
Among = Callable[[pa.Array], Compare]


@dataclass(frozen=True)
class Similarity:
    """A symmetric function of two texts: larger is more alike."""

    name: str
    one: One
    many: Many
    among: Among | None = None


SIMILARITIES: dict[str, Similarity] = {}
_SCALE = 1e9
_SEVERAL_EDITS = 2
_LONGEST = 64  # bytes up to which texts of one size are compared as bytes


def register(name: str, one: One, many: Many | None = None, among: Among | None = None) -> Similarity:
    """Add a similarity under a name that is also its SQL function name (start it with `gy_`).

    Args:
        name: SQL function name.
        one: the similarity of two texts.
        many: the same for two equally long lists; `among` both if absent, or else a loop over `one`.
        among: looks at texts once and returns the function that compares them by place.
    """

    def loop(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
        return np.fromiter((one(a, b) for a, b in zip(left, right, strict=True)), dtype=np.float64, count=len(left))

    similarity = Similarity(name, one, many or (many_of(among) if among else loop), among)
    SIMILARITIES[name] = similarity
    return similarity


def many_of(among: Among) -> Many:
    """Return the function of two equally long lists that compares by `among`."""

    def many(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
        places = np.arange(len(left))
        return among(pa.array([*left, *right], pa.string()))(places, places + len(left))

    return many


def _jaro_winkler(left: str, right: str) -> float:
    """Jaro-Winkler, made symmetric by ordering the pair and rounded so that one pair and a column agree to the bit."""
    first, second = (left, right) if left <= right else (right, left)
    return round(JaroWinkler.normalized_similarity(first, second) * _SCALE) / _SCALE


def _jaro_winkler_many(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    ordered = [(a, b) if a <= b else (b, a) for a, b in zip(left, right, strict=True)]
    first, second = [a for a, _ in ordered], [b for _, b in ordered]
    scores: NDArray[np.float64] = process.cpdist(
        first, second, scorer=JaroWinkler.normalized_similarity, dtype=np.float64
    )
    return np.rint(scores * _SCALE) / _SCALE


def _edit(left: str, right: str) -> float:
    return -float(min(OSA.distance(left, right, score_cutoff=1), _SEVERAL_EDITS))


def _edit_many(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = process.cpdist(left, right, scorer=OSA.distance, score_cutoff=1, dtype=np.float64)
    return -np.minimum(distances, _SEVERAL_EDITS)


def _edits_among(texts: pa.Array) -> Compare:
    """Return the function that gives `_edit` of two of the texts; those of the usual size are compared as bytes."""
    size = _usual_size(texts)
    words = words_of(texts, size)
    usual = is_ascii(words.rows) & words.fitting

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        edits = np.zeros(len(left), dtype=np.uint8)
        for column in words.columns:
            edits += differing_bytes(column.take(left) ^ column.take(right))
        two = np.flatnonzero(edits == _SEVERAL_EDITS)
        a, b = words.rows.take(left.take(two), axis=0), words.rows.take(right.take(two), axis=0)
        edits[two] -= neighbours_swapped(a, b)
        found: NDArray[np.float64] = -np.minimum(edits, _SEVERAL_EDITS).astype(np.float64)
        at = np.flatnonzero(~(usual.take(left) & usual.take(right)))
        if len(at):
            found[at] = _edit_many(*(texts.take(pa.array(side.take(at))).to_pylist() for side in (left, right)))
        return found

    return compare


def _usual_size(texts: pa.Array) -> int:
    """Return the size in bytes that most texts have."""
    sizes = pc.binary_length(texts).to_numpy()
    return int(np.bincount(np.minimum(sizes, _LONGEST)).argmax()) if len(sizes) else 0


def _indel(left: str, right: str) -> float:
    return round(Indel.normalized_similarity(left, right) * _SCALE) / _SCALE


def _indel_many(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = process.cpdist(left, right, scorer=Indel.normalized_similarity, dtype=np.float64)
    return np.rint(scores * _SCALE) / _SCALE


# Jaro-Winkler in [0, 1].
register("gy_jaro_winkler", _jaro_winkler, _jaro_winkler_many)
# Minus the number of edits (insert, delete, substitute, swap neighbours): -1 means one edit apart, -2 two or more.
register("gy_edits", _edit, _edit_many, _edits_among)
# Twice the longest common subsequence over the summed lengths, in [0, 1]: kind to dropped parts.
register("gy_common", _indel, _indel_many)
