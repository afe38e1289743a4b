"""What stands beside or in place of a person's name: titles, notes on a role, numbers, relatives, addresses, firms.

In: a cell in compatibility form, brackets and labels already gone. Out: the name alone, or `None` where the cell names
somebody else (张三之妻 is not 张三), a place or an organisation.

A word is cut only where what stays is still a whole name (or, for a form of address, a surname): 总, 经 and 老 are
also given characters, and 张学生 may be a name.

Sources: `reference/person_titles.txt`, `reference/person_places.txt`.
"""

from __future__ import annotations

import re

from matchers.characters import HAN, reference_rows
from matchers.surname import COMPOUND, SINGLE

_ROUNDS = 4


def _table(name: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for place, words in reference_rows(name):
        found.setdefault(place, set()).update(words.split())
    return {place: frozenset(words) for place, words in found.items()}


WORDS = _table("person_titles.txt")
_PLACES = _table("person_places.txt")
_BEHIND_NAME = WORDS["role"] | WORDS["after"]
_NOTES = _BEHIND_NAME | WORDS["sign"] | WORDS["kin"]
_KIN = frozenset("妻子女父母夫孙弟兄姐妹媳婿") | WORDS["kin"]
# No cut is possible unless the last character ends one of the words.
LAST_OF_WORDS = frozenset(word[-1] for word in _BEHIND_NAME | _KIN | _PLACES["end"]) | {"总"}


def _longest_first(words: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def _by_last(words: frozenset[str]) -> dict[str, tuple[str, ...]]:
    lasts = {word[-1] for word in words}
    return {last: _longest_first(frozenset(word for word in words if word[-1] == last)) for last in sorted(lasts)}


_ENDINGS = _by_last(_BEHIND_NAME)
_KIN_ENDINGS = _by_last(_KIN)
_SEPARATED = re.compile(r"[\s\-‐‑–—−_/|:;,、~·•.+&]+([^\s\-‐‑–—−_/|:;,、~·•.+&]+)$")
_FIRST = re.compile(f"[^{HAN}]")
_EDGES = " \t-‐‑–—−_/|:;,、~·•.+&兼暨"
_OTHER_NAME = re.compile(rf"(?<=[{HAN}]{{2}})[\s\-–—/|:;,、(]*(?:{'|'.join(_longest_first(WORDS['other']))}).*$")
_NUMBER = re.compile(
    r"(?:(?:身份证|证件|证号|联系|电话|手机|座机|微信|尾号|卡号|账号|工号|学号|编号|QQ|Tel|Phone|Mobile|ID)(?:号码?|电话|方式|No\.?)?[:\s]*)?"
    r"\+?(?:[A-Za-z]{1,2}(?=\d{6}))?\d(?:[\dXx*#\-–—+/ .]*[\dXx*#])?",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(rf"(?<=[{HAN}])\s*(?:#?N/A|#(?:REF|VALUE|NAME)[!?]|\(?(?:NULL|null|None|nan|NaN)\)?|\\N)\s*$")
_LEAST_DIGITS = 5
_MARKS = re.compile(f"[{''.join(sorted(_PLACES['mark']))}]".replace(" ", ""))
_NUMBERED = re.compile(r"[0-9０-９一二三四五六七八九十]\s*(?:号|栋|幢|楼|室|层|巷|单元|座|区|房|路)")
_HAN = re.compile(f"[{HAN}]")
_LASTS = frozenset("".join(_PLACES["last"]))
_DESCRIBING = frozenset("人者户主客员方族籍")
_RANKS = frozenset("副总代正")
_QUALIFYING = frozenset("原现前新旧系为是已非共副主")
_LATIN_WORD = re.compile("[A-Za-z]+")


def without_numbers(text: str) -> str:
    """Return text without telephone and document numbers, their labels, and words for no value.

    >>> without_numbers("王小明 44030119900101123X"), without_numbers("王小明电话138****0000")
    ('王小明', '王小明')
    """
    text = _NO_VALUE.sub("", text)
    return _NUMBER.sub(_unless_short, text).strip()


def alone(text: str) -> tuple[str, bool] | None:
    """Return the name without what stands behind it, and whether a form of address did; None if it names nobody.

    >>> alone("王小明-租客"), alone("王总"), alone("王小明之妻"), alone("福永街道12号")
    (('王小明', False), ('王', True), None, None)
    """
    titled = False
    if not _HAN.search(text):
        return None if any(word.upper() in _PLACES["latin"] for word in _LATIN_WORD.findall(text)) else (text, False)
    text = _OTHER_NAME.sub("", text)
    for _ in range(_ROUNDS):
        shorter, cut = _titleless(_noteless(text))
        titled = titled or cut
        if shorter == text:
            break
        text = shorter
    if not text or text in _NOTES or (text[0] in _RANKS and text[1:] in _BEHIND_NAME):
        return None
    if is_relative(text) or is_place(text):
        return None
    return text, titled


def is_relative(text: str) -> bool:
    """Return whether text says whose relative somebody is instead of a name.

    >>> is_relative("王小明之子"), is_relative("王小明母亲"), is_relative("王羲之"), is_relative("陈妹妹")
    (True, True, False, False)
    """
    word = next((word for word in _KIN_ENDINGS.get(text[-1:], ()) if text.endswith(word)), None)
    if word is None:
        return False
    whose = text[: -len(word)]
    if whose.endswith("的"):
        return len(whose) > 1
    if whose.endswith("之"):
        return len(whose) > 2 and whose[:-1] not in COMPOUND
    return len(word) > 1 and len(whose) > 1 and whose not in COMPOUND


def is_place(text: str) -> bool:
    """Return whether text is an address or an organisation.

    >>> is_place("福永街道"), is_place("新安3路12号院内"), is_place("小明五金店"), is_place("阿依古丽")
    (True, True, True, False)
    """
    length = len(_HAN.findall(text))
    if length < 4:
        return False
    if text[-2:] in _PLACES["end"] or text[-3:] in _PLACES["end"]:
        return True
    if length == 4 and not _NUMBERED.search(text):
        return False
    return (
        (text[-1] in _LASTS and "·" not in text)
        or _NUMBERED.search(text) is not None
        or len(_MARKS.findall(text)) >= 2
        or any(word in text for word in ("公司", "街道", "社区"))
    )


def is_whole(text: str) -> bool:
    """Return whether text is a whole Chinese name: a known surname and a given name of one or two characters."""
    if len(_HAN.findall(text)) != len(text):
        return False
    if text[:2] in COMPOUND:
        return 3 <= len(text) <= 4
    return text[:1] in SINGLE and (2 <= len(text) <= 3 or (len(text) == 4 and text[1] in SINGLE))


def _unless_short(found: re.Match[str]) -> str:
    return " " if sum(map(str.isdigit, found[0])) >= _LEAST_DIGITS else found[0]


def _noteless(text: str) -> str:
    """Return text without a note behind a separator."""
    found = _SEPARATED.search(text)
    if found is None:
        return text
    name, note = text[: found.start()], found[1]
    if len(_HAN.findall(name)) < 2 or name in COMPOUND:
        return text
    if len(note) == 1:
        # 李胜 男 is a name spaced out rather than a man called 李胜.
        return name if note in WORDS["sign"] and not text[found.start()].isspace() and is_whole(name) else text
    return name if _is_note(note) or (_describes(note) and is_whole(_FIRST.split(name)[0])) else text


def _is_note(part: str) -> bool:
    return part in _NOTES or (part[0] in _QUALIFYING and part[1:] in _NOTES) or is_place(part)


def _describes(part: str) -> bool:
    return part[-1] in _DESCRIBING and not is_whole(part)


def _titleless(text: str) -> tuple[str, bool]:
    """Return text without a form of address or role glued to it, and whether it was a form of address."""
    for word in _ENDINGS.get(text[-1:], ()):
        if not text.endswith(word):
            continue
        name = text[: -len(word)].rstrip(_EDGES)
        if word in WORDS["after"] and (len(name) > 1 or not name or name in SINGLE):
            return name, True
        if word in WORDS["role"] and is_whole(name):
            return name, False
    if text.endswith("总"):
        name = text[:-1].rstrip(_EDGES)
        return (name, True) if name in SINGLE or name in COMPOUND or is_whole(name) else (text, False)
    return text, False
