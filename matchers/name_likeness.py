"""How alike two names are when they are not the same: a slip, one character, or neither.

In: two name keys (`PersonName.key`). Out: 1.0 if all that differs is what eye, ear or input method confuse (or two
given characters swapped, one letter of a Latin name, a Latin name's dropped middle name); 0.5 if one character is
arbitrarily different, added or dropped in a name of three or more, which is what siblings' names look like; else 0.0.
A character typed twice in a name of three is a slip.

Two-character names get no 0.5: 张伟 and 张亮 share a surname and nothing else.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from matchers import surname
from matchers.characters import canon, look_alike
from matchers.pinyin import fuzzy, reading
from matchers.similarity import Compare, Places, register
from matchers.text_bytes import Characters, characters_of

SLIP = 1.0
ONE_CHARACTER = 0.5
_LONG = 6
_SHORT = 3  # characters up to which Chinese names that are alike are one edit apart


def confusable(left: str, right: str) -> bool:
    """Return whether two characters are look-alikes, near-homophones or stand-ins for each other."""
    return look_alike(left, right) or fuzzy(reading(left)) == fuzzy(reading(right)) or canon(left) == canon(right)


def name_likeness(left: str, right: str) -> float:
    """Return 1.0 for a slip, 0.5 for one arbitrary character, 0.0 for less; symmetric.

    >>> name_likeness("卢国伟", "卢国伟伟"), name_likeness("王伟", "王伟伟")
    (1.0, 0.5)
    >>> name_likeness("张未", "张末"), name_likeness("张建国", "张建伟"), name_likeness("张伟", "张亮")
    (1.0, 0.5, 0.0)
    """
    if left == right:
        return SLIP
    if "、" in left or "、" in right:
        return 0.0  # several people in one cell
    if left.isascii() or right.isascii():
        return _latin(left, right) if left.isascii() and right.isascii() else 0.0
    if len(left) == len(right):
        return _same_length(left, right)
    short, long = sorted((left, right), key=len)
    if len(long) - len(short) == 1 and len(short) >= 2:
        return _one_more(short, long)
    if len(long) >= _LONG and len(short) >= 3 and (long.startswith(short) or long.endswith(short)):
        # Part of a transliterated name is missing. What stands last is the father's name, and so perhaps the father.
        return SLIP if len(short) >= 4 and not long.endswith(short) else ONE_CHARACTER
    return 0.0


def _same_length(left: str, right: str) -> float:
    length = len(left)
    differing = [i for i in range(length) if left[i] != right[i]]
    if len(differing) > 3:
        return 0.0
    if len(differing) <= max(1, length - 2) and all(_slip(left, right, i) for i in differing):
        return SLIP
    if len(differing) == 1:
        return ONE_CHARACTER if length >= 3 else 0.0
    i, j = differing[0], differing[-1]
    if len(differing) == 2 and i and j == i + 1 and left[i] == right[j] and left[j] == right[i]:
        return SLIP
    return ONE_CHARACTER if len(differing) == 2 and length >= _LONG else 0.0


def _slip(left: str, right: str, at: int) -> bool:
    a, b = left[at], right[at]
    if at:
        return confusable(a, b)
    if surname.variant(a) == surname.variant(b) or surname.confusable(a, b):
        return True
    # 黄 and 王 are one sound in Cantonese, but both are too common to mean anything beside a single given character.
    return len(left) >= 3 and (confusable(a, b) or surname.sounds_alike(surname.variant(a), surname.variant(b)))


def _one_more(short: str, long: str) -> float:
    """Compare names one character apart in length; one typed twice is a slip (not 王伟, 王伟伟: perhaps brothers)."""
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if short[at:] != long[at + 1 :]:
        return 0.0
    return SLIP if len(short) >= 3 and at and long[at] == long[at - 1] else ONE_CHARACTER


def _latin(left: str, right: str) -> float:
    a, b = sorted(left.split()), sorted(right.split())
    common = set(a) & set(b)
    if len(common) >= 2 and len(common) == min(len(set(a)), len(set(b))):
        return SLIP
    if len(a) == len(b) and len(left) >= 8 and OSA.distance(" ".join(a), " ".join(b), score_cutoff=1) == 1:
        return SLIP
    return 0.0


def _likenesses(names: pa.Array) -> Compare:
    """Return the function that gives `name_likeness` of two of the names by their places.

    Short Chinese names that are two edits apart need no closer look.
    """
    characters, sizes = characters_of(names, _SHORT)
    columns = [np.ascontiguousarray(column) for column in characters.T]
    is_short = (sizes <= _SHORT) & (sizes != pc.binary_length(names).to_numpy())

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        near = _near([c.take(left) for c in columns], [c.take(right) for c in columns])
        near |= ~(is_short.take(left) & is_short.take(right))
        at = np.flatnonzero(near)
        pairs = pa.array(left.take(at) * len(names) + right.take(at)).dictionary_encode()
        texts = (names.take(pa.array(side)).to_pylist() for side in np.divmod(pairs.dictionary.to_numpy(), len(names)))
        asked = np.fromiter(
            (name_likeness(a, b) for a, b in zip(*texts, strict=True)), np.float64, len(pairs.dictionary)
        )
        found = np.zeros(len(left))
        found[at] = asked.take(pairs.indices.to_numpy())
        return found

    return compare


def _near(left: list[Characters], right: list[Characters]) -> NDArray[np.bool_]:
    """Return which names of up to three characters are at most one edit apart; a few more may be told so.

    Args:
        left: first, second and third character of one name of each pair, 0 where it has none.
        right: those of the other.
    """
    (a, b, c), (p, q, r) = left, right
    first, second, third = a == p, b == q, c == r
    exchanged = (first & second) | (first & third) | (second & third)
    swapped = (third & (a == q) & (b == p)) | (first & (b == r) & (c == q))
    one_more = (c == 0) & (b == r) & ((a == p) | (a == q)) | (r == 0) & (q == c) & ((p == a) | (p == b))
    near: NDArray[np.bool_] = exchanged | swapped | one_more
    return near


ALIKE = register("gy_name_alike", name_likeness, among=_likenesses).name
