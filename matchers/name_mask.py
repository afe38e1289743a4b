"""Names of which only a part is shown: 张*, 张某某, *三, 张×伟, 张□.

In: a folded name. Out: its pattern, one `*` for each hidden character; and whether a pattern fits a name or another
pattern. A single `*` at either end hides one character or more (office practice differs), as do three and more
together; one in the middle or two together hide as many characters as there are stars. U+FFFD stands where transport
lost characters or left junk: any number of characters, or none.

Invariant: fitting is symmetric, and needs at least one shown character in common.
"""

from __future__ import annotations

import re
from functools import lru_cache

from matchers.characters import HAN, canon
from matchers.similarity import register

_STARS = re.compile(r"\*+")
# 某 with what tells several hidden people of one page apart (张某甲, 张某1).
_SOMEONE = re.compile(r"(某+)(?:[甲乙丙丁戊己庚辛]|[0-9A-Z])?$|某")
_LETTER_X = re.compile(rf"(?<=[{HAN}*])[Xx]+(?![A-Za-z])")
_MARKS = str.maketrans(dict.fromkeys("×✕✖✱＊⁎∗○◯〇□■▢▇█△▲?？#＃", "*"))
_HINT = re.compile(rf"[×✕✖✱＊⁎∗○◯〇□■▢▇█△▲?？�#＃某*]|(?<=[{HAN}*])[Xx]+(?![A-Za-z])")
_LONGEST = 30
LOST = "\ufffd"
HIDING = "*" + LOST


def is_masked(text: str) -> bool:
    """Return whether a name hides characters."""
    return _HINT.search(text) is not None


def pattern(text: str) -> str:
    """Return a folded name with every mark of a hidden character as `*`.

    >>> pattern("张某某"), pattern("李XX"), pattern("张某甲"), pattern("王□明")
    ('张**', '李**', '张*', '王*明')
    """
    text = text.translate(_MARKS)
    text = _SOMEONE.sub(lambda found: "*" * len(found[1] or "*"), text)
    return _LETTER_X.sub(lambda found: "*" * len(found[0]), text)


def fits(left: str, right: str) -> float:
    """Return 1.0 if two names, at least one of them a pattern, can be the same name; else 0.0.

    >>> fits("张\ufffd明", "张明"), fits("张\ufffd明", "张小明"), fits("张\ufffd明", "张小亮")
    (1.0, 1.0, 0.0)
    >>> fits("张*", "张小明"), fits("张*明", "张小明"), fits("张*丽", "张小明"), fits("张*", "*明")
    (1.0, 1.0, 0.0, 0.0)
    """
    first, other = left[:1], right[:1]
    if first != other and first not in HIDING and other not in HIDING and canon(first) != canon(other):
        return 0.0
    return 1.0 if _shared(_items(left), _items(right)) > 0 else 0.0


@lru_cache(maxsize=65536)
def _items(text: str) -> list[str]:
    """Return shown characters in canonical form, `?` for one hidden character and `*` for any number of them."""
    items: list[str] = []
    end = 0
    text = canon(text)[:_LONGEST]
    for run in _STARS.finditer(text):
        items += text[end : run.start()]
        size = len(run[0])
        open_ended = size >= 3 or (size == 1 and (run.start() == 0 or run.end() == len(text)))
        items += ["?", "*"] if open_ended else ["?"] * size
        end = run.end()
    items += text[end:]
    return ["*" if item == LOST else item for item in items]


def _shared(left: list[str], right: list[str]) -> int:
    """Return the most shown characters in common over all ways to align two patterns, -1 if there is none."""
    gaps = left.count("*"), right.count("*")
    if gaps == (0, 0):
        return _side_by_side(left, right) if len(left) == len(right) else -1
    if sum(gaps) == 1:
        # The usual case, one open end: there is one way to align the two.
        whole, open_ = (left, right) if gaps[1] else (right, left)
        head = open_.index("*")
        tail = len(open_) - head - 1
        if len(whole) < head + tail:
            return -1
        parts = _side_by_side(whole[:head], open_[:head]), _side_by_side(whole[len(whole) - tail :], open_[head + 1 :])
        return -1 if -1 in parts else sum(parts)
    return _best_shared(left, right)


def _side_by_side(left: list[str], right: list[str]) -> int:
    """Return the shown characters in common of equally many items without `*`, -1 if two of them contradict."""
    shared = 0
    for a, b in zip(left, right, strict=True):
        if a == b:
            shared += a != "?"
        elif a != "?" and b != "?":
            return -1
    return shared


def _best_shared(left: list[str], right: list[str]) -> int:
    """Return what `_shared` does for any number of `*`, by trying every way to align the two."""
    best = [[-1] * (len(right) + 1) for _ in range(len(left) + 1)]
    best[0][0] = 0
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            a, b = left[i - 1] if i else "", right[j - 1] if j else ""
            options = [best[i][j]]
            if a == "*":
                options += [best[i - 1][j]] + ([best[i][j - 1]] if b and b != "*" else [])
            if b == "*":
                options += [best[i][j - 1]] + ([best[i - 1][j]] if a and a != "*" else [])
            if a and b and "*" not in (a, b) and best[i - 1][j - 1] >= 0 and (a == b or "?" in (a, b)):
                options.append(best[i - 1][j - 1] + (a == b != "?"))
            best[i][j] = max(options)
    return best[-1][-1]


FITS = register("gy_name_mask", fits).name
