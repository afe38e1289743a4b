"""Chinese characters as they arrive from departments: one folded form, classes of stand-ins, and look-alikes.

In: text. Out: `fold` gives the form used for exact comparison (width, private-use code points of GBK systems,
variation selectors, traditional and variant characters); `canon` further gives every character that could not be typed
and its usual stand-in one form; `look_alike` says whether two characters are taken for each other by eye.

Sources: Unicode NFKC; OpenCC's traditional-to-simplified table (Apache-2.0, read from its package); the tables
`reference/character_*`, each with its own source.

Invariant: `fold` and `canon` are idempotent, and equal folds have equal canons.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files

# Ideographs of all planes, radicals standing for characters, the iteration mark and the unknown private-use ones.
HAN = r"\u2e80-\u2fd5\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\ue000-\uf8ff"
_COMMON = re.compile(r"[\u4e00-\u9fa5]+")
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_SELECTORS = dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])


def reference_rows(name: str) -> list[list[str]]:
    """Return the rows of a reference table: comments and empty lines dropped, columns split at tabs."""
    text = files("matchers").joinpath("reference", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def proper(text: str) -> str:
    """Return the text in compatibility form with proper code points, as it should be displayed."""
    if _COMMON.fullmatch(text):
        return text
    return unicodedata.normalize("NFKC", text).translate(_PRIVATE)


def fold(text: str) -> str:
    """Return the text in compatibility form, simplified, with proper code points.

    >>> fold("陳\\ue863")
    '陈䶮'
    """
    return proper(text).translate(_SIMPLER)


def canon(text: str) -> str:
    """Return folded text with stand-ins replaced by the head of their class and spelled-out characters joined.

    >>> canon("张方方土") == canon("张堃") == canon("张坤")
    True
    """
    if _SPELLED_OUT.search(text):
        text = _SPELLED_OUT.sub(lambda found: DECOMPOSITIONS[found[0]], text)
    return text.translate(_SUBSTITUTES)


def look_alike(left: str, right: str) -> bool:
    """Return whether two different characters are taken for each other by eye."""
    return right in _SHAPES.get(left, frozenset())


def is_private(text: str) -> bool:
    """Return whether the text holds a private-use character, whose meaning only its source knows."""
    return _PRIVATE_USE.search(text) is not None


def _simpler() -> dict[int, str]:
    text = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if "\t" in line)
    table = {left: right.split(" ")[0] for left, right in pairs if len(left) == 1}
    table |= dict(reference_rows("character_variants.tsv"))
    # Chains (a variant of a traditional character) are followed to the end, so that folding twice changes nothing.
    closed = {}
    for written in table:
        seen, folded = {written}, table[written]
        while table.get(folded, folded) not in seen and table.get(folded, folded) != folded:
            seen.add(folded)
            folded = table[folded]
        if folded != written:
            closed[ord(written)] = folded
    return closed


def _substitutes() -> dict[int, str]:
    table: dict[int, str] = {}
    for (line,) in reference_rows("character_substitutes.txt"):
        head, *others = (fold(character) for character in line.split())
        table |= {ord(other): head for other in others if other != head}
    return table


def _shapes() -> dict[str, frozenset[str]]:
    neighbours: dict[str, set[str]] = {}
    for (line,) in reference_rows("character_shapes.txt"):
        group = line.split()
        for character in group:
            neighbours.setdefault(character, set()).update(c for c in group if c != character)
    return {character: frozenset(others) for character, others in neighbours.items()}


_PRIVATE: dict[int, str | None] = {
    **{int(private, 16): chr(int(proper, 16)) for private, proper in reference_rows("character_pua.tsv")},
    **_SELECTORS,
}
_SIMPLER = _simpler()
DECOMPOSITIONS: dict[str, str] = dict(reference_rows("character_decompositions.tsv"))
_SPELLED_OUT = re.compile("|".join(sorted(map(re.escape, DECOMPOSITIONS), key=len, reverse=True)))
_SUBSTITUTES = _substitutes()
_SHAPES = _shapes()
