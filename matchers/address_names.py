"""Names of estates and roads: which say nothing alone, which name one building, and how alike two are.

A name is often written short (`御江金城` for `五矿御江金城`) or with a word of its kind (`依云小镇小区`); a name that
contains the other counts as the same, unless the shorter says nothing alone (`工业区`). An ordinal is never a slip of
the pen: `2工业区` is not `3工业区`.

Result: in [0, 1], symmetric, counted in code points; 1 for containment, 0 below `FLOOR` or where the ordinals, letters
or compass points in the names differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from matchers.similarity import register

NAME_SIMILARITY = "gy_address_name"
FLOOR = 0.5
_SHORTEST = 3
_LABELS = re.compile(r"[0-9A-Z一二三四五六七八九十东西南北中]+")

_SINGLE = ("大厦", "大楼", "商厦", "公寓", "楼", "酒店", "宾馆", "饭店")
_GENERIC = re.compile(
    r"(?:[东西南北中]?部?\d*|新|老|旧)(?:工业园?区|工业园|园区|小区|新村|花园|生活区|厂房|宿舍|科技园|家属院|市场|商场|广场|大楼|"
    r"综合楼|办公楼|宿舍楼|写字楼|商住楼|教学楼|公寓|中心|大厦|区|期)(?:[A-Z\d]+[区坊])?|[东西南北中]?\d+.?|[A-Z]\d*[区坊]|.",
)
_GENERIC_ROAD = re.compile(r"[东西南北中上下新老大]?\d*(?:横巷|巷|弄|排|组|小组|队|社|号路|街|路|村民小组)(?:\d+巷)?")


def is_generic(name: str) -> bool:
    """Whether a name of an estate or road is only an ordinal or a common word, so that it says nothing alone.

    >>> is_generic("4工业区"), is_generic("南5巷"), is_generic("赛联工业园")
    (True, True, False)
    """
    return is_generic_estate(name) or is_generic_road(name)


def is_single_building(estate: str) -> bool:
    """Whether a name is that of one building, so that it needs no building label."""
    return estate.endswith(_SINGLE)


def is_generic_estate(name: str) -> bool:
    """Whether a name of an estate is only an ordinal or a common word."""
    return _GENERIC.fullmatch(name) is not None


def is_generic_road(name: str) -> bool:
    """Whether a name of a road is only an ordinal."""
    return _GENERIC_ROAD.fullmatch(name) is not None


def name_similarity(left: str, right: str) -> float:
    """Return how alike two names are.

    >>> name_similarity("五矿御江金城", "御江金城"), name_similarity("新桥2工业区", "新桥3工业区")
    (1.0, 0.0)
    """
    return _refined(left, right, float(Indel.normalized_similarity(left, right)))


def name_similarities(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """Return `name_similarity` for two equally long lists."""
    scores: NDArray[np.float64] = process.cpdist(left, right, scorer=Indel.normalized_similarity, dtype=np.float64)
    lengths = np.fromiter(map(len, left), dtype=np.float64), np.fromiter(map(len, right), dtype=np.float64)
    # A name contained in the other is a common subsequence of full length; only such pairs and near ones need a look.
    contained = scores * (lengths[0] + lengths[1]) / 2 > np.minimum(*lengths) - 0.5
    look = contained | (scores >= FLOOR)
    scores[~look] = 0.0
    for i in np.flatnonzero(look).tolist():
        scores[i] = _refined(left[i], right[i], float(scores[i]))
    return scores


def _refined(left: str, right: str, score: float) -> float:
    if left == right:
        return 1.0
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    if short in long and len(short) >= _SHORTEST and not is_generic(short):
        return 1.0
    return score if score >= FLOOR and _LABELS.findall(left) == _LABELS.findall(right) else 0.0


register(NAME_SIMILARITY, name_similarity, name_similarities)
