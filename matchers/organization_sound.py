"""How an organisation name sounds: toneless pinyin, and a coarser key that folds what typists mix up.

Characters are read one by one with their commonest reading, so that equal characters always give equal sounds; which
reading of a heteronym is right does not matter for matching.

The key folds, beside equal sounds (鸿 泓 洪 宏), the initials and finals that southern speakers do not tell apart
(zh z, ch c, sh s, n l, in ing, en eng, an ang) and some characters mistaken for their shape.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SHAPES = dict(zip("钜昇陞俬闫己已末玍仓亇囍镕", "巨升升私阎已已未生仑个喜熔", strict=True))
_INITIAL = re.compile("^(zh|ch|sh|n)")
_FINAL = re.compile("(?<=[aei])ng$")
_FOLDED_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}


class _Sounds(dict[int, str]):
    """A table for `str.translate` that reads each character when it is first met."""

    def __missing__(self, codepoint: int) -> str:
        self[codepoint] = read = _sound(chr(codepoint))
        return read


class _Keys(dict[int, str]):
    """The same for keys."""

    def __missing__(self, codepoint: int) -> str:
        self[codepoint] = key = _key(chr(codepoint))
        return key


_SOUNDS, _KEYS = _Sounds(), _Keys()


def sound(text: str) -> str:
    """Return the toneless pinyin of a text, without blanks.

    >>> sound("鸿达电子")
    'hongdadianzi'
    """
    return text.translate(_SOUNDS)


def sound_key(text: str) -> str:
    """Return the coarse key of a text: equal for spellings that sound or look alike.

    >>> sound_key("鑫盛") == sound_key("兴胜")
    True
    """
    return text.translate(_KEYS)


@lru_cache(maxsize=16384)
def word_sound(text: str) -> str:
    """Return `sound` of a text that recurs (a trade, a region, a form), from memory."""
    return sound(text)


@lru_cache(maxsize=16384)
def word_key(text: str) -> str:
    """Return `sound_key` of a text that recurs, from memory."""
    return sound_key(text)


def _sound(character: str) -> str:
    if character.isascii():
        return character.lower()
    from pypinyin import Style, pinyin  # a sixth of a second, and most commands read no name

    read = pinyin(character, style=Style.NORMAL, heteronym=False, errors="default")
    return str(read[0][0]) if read and read[0] else character


def _key(character: str) -> str:
    read = sound(_SHAPES.get(character, character))
    if read.isascii() and len(read) > 1:
        read = _INITIAL.sub(lambda match: _FOLDED_INITIAL[match[1]], read)
        read = _FINAL.sub("n", read)
    return read
