"""Names in Latin letters: foreign, romanised in the Hong Kong or Taiwan way, or pinyin in either order.

In: a cleaned name. Out: upper-case words without diacritics, and if the words can be pinyin every way to read them as
surname and given name, so that they meet the same person's Chinese name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from matchers import surname
from matchers.name_text import LATIN_TITLES
from matchers.pinyin import is_syllable, split_syllables

_SPECIAL = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "Đ": "D",
     "ı": "i", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH"}
)  # fmt: skip
_UMLAUT = re.compile(r"\b([LlNn])[Üü](?=[eE]?\b)")
_APOSTROPHES = re.compile("['’‘`]")
_WORD = re.compile("[A-Z]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 12

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LatinName:
    """A name in Latin letters.

    Attributes:
        words: upper-case words in the order written (a part before a comma first).
        surname: the surname where the order or the spelling shows it.
        given: the other words, joined by spaces.
        surnames: class heads of the Chinese surnames the surname may stand for.
        pinyin: surname and given name as lower-case pinyin, likeliest first.
    """

    words: tuple[str, ...]
    surname: str | None
    given: str | None
    surnames: tuple[str, ...]
    pinyin: tuple[tuple[str, str], ...]


def latin_name(text: str) -> LatinName | None:
    """Return a Latin name in parts, or None if no word is left.

    >>> latin_name("Wei Zhang").pinyin
    (('wei', 'zhang'), ('zhang', 'wei'))
    """
    head, comma, tail = text.partition(",")
    before, after = _words(head), _words(tail)
    words = before + after
    if sum(map(len, words)) < 2 or len(words) > _MOST_WORDS:
        return None
    first = len(before) if comma and before and after else 0
    orders = _as_pinyin(words, first, _capitals(text, words))
    if orders:
        readings = dict.fromkeys((_joined(family).lower(), _joined(given).lower()) for family, given in orders)
        heads = dict.fromkeys(head for read, _ in readings for head in surname.behind(read))
        return LatinName(words, _joined(orders[0][0]), " ".join(orders[0][1]), tuple(heads), tuple(readings))
    # 2 and 1 words as a surname at the start (AU YEUNG), 1 at the end (PETER CHAN).
    for family, given in ((words[:first], words[first:]),) if first else _orders(words):
        heads = dict.fromkeys(surname.behind(_joined(family).lower()))
        if given and (heads or first):
            return LatinName(words, _joined(family), " ".join(given), tuple(heads), ())
    return LatinName(words, None, None, (), ())


def _joined(words: Words) -> str:
    return "".join(words)


def _orders(words: Words) -> list[tuple[Words, Words]]:
    return [(words[:2], words[2:]), (words[:1], words[1:]), (words[-1:], words[:-1])]


def _capitals(text: str, words: Words) -> Words:
    """Return the word written in capitals among words that are not: by convention the surname (Wei ZENG)."""
    capitals = [word for word in _LETTERS.findall(text) if len(word) > 1 and word.isupper()]
    if len(capitals) != 1 or len(words) < 2:
        return ()
    return _words(capitals[0])[:1]


def _words(text: str) -> tuple[str, ...]:
    text = _APOSTROPHES.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFD", _UMLAUT.sub(r"\1v", text).translate(_SPECIAL))
        text = "".join(c for c in text if not unicodedata.combining(c))
    words = tuple(_WORD.findall(text.upper()))
    named = tuple("LV" if word == "LYU" else word for word in words if word not in LATIN_TITLES)
    return named or words


def _as_pinyin(words: Words, first: int, capitals: Words) -> list[tuple[Words, Words]]:
    """Return every split into words of surname and given name that pinyin allows, likeliest first."""
    if len(words) > 4:
        return []
    if len(words) == 1:
        return _one_word(words[0])
    orders = [(words[:first], words[first:])] if first else _orders(words)
    if capitals:
        orders.sort(key=lambda order: order[0] != capitals)
    found = [(family, given) for family, given in orders if _is_surname(family) and _is_given(given)]
    rare = (words[:1], words[1:])
    # A surname no list has: the order of the register, after every order with a known surname.
    if not first and rare not in found and is_syllable(words[0].lower()) and _is_given(words[1:]):
        found.append(rare)
    return found


def _one_word(word: str) -> list[tuple[Words, Words]]:
    found: list[tuple[Words, Words]] = []
    for parts in split_syllables(word.lower()):
        for size in (1, 2):
            family, given = parts[:size], parts[size:]
            if 0 < len(given) <= 2 and _is_surname(family):
                found.append(((_joined(family).upper(),), (_joined(given).upper(),)))
    return found[:4]


def _is_surname(words: Words) -> bool:
    letters = _joined(words).lower()
    return surname.is_surname_reading(letters) if len(words) == 1 else letters in _compound_readings()


def _is_given(words: Words) -> bool:
    parts = [split_syllables(word.lower()) for word in words]
    return bool(words) and all(parts) and sum(len(part[0]) for part in parts) <= 3


@cache
def _compound_readings() -> frozenset[str]:
    return frozenset(surname.readings(s)[0] for s in surname.COMPOUND)
