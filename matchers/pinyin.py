"""Readings of Chinese characters in toneless pinyin (u-umlaut written v), and what they are confused with.

In: characters, or Latin letters that may be pinyin. Out: syllables, accepted alternatives, a fuzzy fold that accents
and input methods do not disturb, and the ways a run of letters splits into syllables.

Sources: pypinyin's single-character dictionary (MIT); `reference/character_readings.tsv` for given names; readings of
surnames are in `matchers.surname`. Phrases are never consulted: the same character reads the same in every name.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from matchers.characters import reference_rows

_LETTERS = re.compile(r"[a-z]{1,6}")
_HU = {"hu": "fu", "hua": "fa", "huan": "fan", "huang": "fang", "hui": "fei", "hun": "fen", "huo": "fo"}
_INITIALS = ("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l")
_FINALS = ("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in"), ("uo", "o"), ("v", "u")


def reading(character: str) -> str:
    """Return the usual reading of one character in a given name; the character itself if it has none.

    >>> reading("晟"), reading("吕")
    ('sheng', 'lv')
    """
    known = _READINGS.get(character)
    if known is None:
        known = _READINGS[character] = _look_up(character)
    return known


def readings(character: str) -> tuple[str, ...]:
    """Return the usual reading of one character and the others systems store, usual first."""
    return (reading(character), *_OTHERS.get(character, ()))


def spell(text: str) -> str:
    """Return the readings of the characters of a given name, joined.

    >>> spell("小明")
    'xiaoming'
    """
    return "".join(map(reading, text))


def spellings(text: str, limit: int = 4) -> tuple[str, ...]:
    """Return the joined readings of a given name, usual first, at most `limit` of them."""
    found = [""]
    for character in text:
        found = [head + tail for head in found for tail in readings(character)][: limit * 2]
    return tuple(dict.fromkeys(found))[:limit]


def fuzzy(syllable: str) -> str:
    """Return the syllable with initials and finals merged that many speakers do not tell apart.

    >>> fuzzy("zhang"), fuzzy("zan"), fuzzy("huang") == fuzzy("fan")
    ('zan', 'zan', True)
    """
    known = _FUZZY.get(syllable)
    if known is None:
        known = _fold_syllable(syllable)
        if len(syllable) <= 6:
            _FUZZY[syllable] = known
    return known


def fuzzy_spell(text: str) -> str:
    """Return the fuzzy readings of the characters of a name part, joined."""
    return "".join([fuzzy(reading(character)) for character in text])


@lru_cache(maxsize=8192)
def split_syllables(letters: str) -> tuple[tuple[str, ...], ...]:
    """Return the ways a run of lower-case letters is one to four pinyin syllables, fewest syllables first.

    >>> split_syllables("xian")
    (('xian',), ('xi', 'an'))
    """
    if len(letters) > 24:
        return ()
    found = list(_splits(letters, 4))
    return tuple(sorted(found, key=lambda parts: (len(parts), parts)))


def is_syllable(letters: str) -> bool:
    """Return whether the letters are one pinyin syllable."""
    return letters in syllables()


@cache
def syllables() -> frozenset[str]:
    """Return the syllables of the standard language."""
    # The characters of GB 2312 cover every one.
    codes = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    characters = (code.decode("gb2312", errors="ignore") for code in codes)
    return frozenset(s for c in characters if c and len(s := _look_up(c)) > 0 and _LETTERS.fullmatch(s)) - {"n", "ng"}


def _splits(letters: str, most: int) -> list[tuple[str, ...]]:
    if not letters:
        return [()]
    if not most:
        return []
    known = syllables()
    return [
        (letters[:size], *rest)
        for size in range(1, min(6, len(letters)) + 1)
        if letters[:size] in known
        for rest in _splits(letters[size:], most - 1)
    ]


def _look_up(character: str) -> str:
    from pypinyin import Style, pinyin  # a sixth of a second, and most commands read no name

    found = pinyin(character, style=Style.NORMAL, strict=False, v_to_u=False)
    text = found[0][0] if found else character
    return text if _LETTERS.fullmatch(text) else character


def _fold_syllable(syllable: str) -> str:
    syllable = _HU.get(syllable, syllable)
    for written, folded in _INITIALS:
        if syllable.startswith(written):
            syllable = folded + syllable[len(written) :]
            break
    for written, folded in _FINALS:
        if syllable.endswith(written):
            return syllable[: -len(written)] + folded
    return syllable


_READINGS: dict[str, str] = {row[0]: row[1] for row in reference_rows("character_readings.tsv")}
_OTHERS = {row[0]: tuple(row[2].split()) for row in reference_rows("character_readings.tsv")}
_FUZZY: dict[str, str] = {}
