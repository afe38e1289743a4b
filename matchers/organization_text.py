"""The raw text of an organisation name made comparable, and the kinds of text that are not a name.

In goes whatever a department typed; out comes one line of simplified characters, capital Latin letters, digits, round
brackets, `&`, `+` and `:`. White space, quotes, dots and every other mark are gone, and so are invisible characters.

Sources: Unicode NFKC; OpenCC's table of traditional characters; variant glyphs seen on licences (general knowledge).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from opencc import OpenCC

REFERENCE = Path(__file__).parent / "reference"
LONGEST = 500  # characters; a longer field is not a name

# Glyphs OpenCC leaves alone that are another way of writing one character.
_GLYPHS = dict(zip("舖衞鉄囯俬邨寗亜気営囲価関発電駅対", "铺卫铁国私村宁亚气营围价关发电驿对", strict=True))
# Characters OpenCC simplifies although they are simplified characters of their own in names (乾 is not 干).
_GLYPHS |= {character: character for character in "乾著藉瞭"}
_OPENING, _CLOSING = "([{<〈《「『【〔〖〘〚", ")]}>〉》」』】〕〗〙〛"
_KEPT = "&+:"

HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇"
_HAN_DIGITS = "零一二三四五六七八九"
_HAN_VALUE = {"〇": 0, "两": 2} | {digit: value for value, digit in enumerate(_HAN_DIGITS)}
_NUMBERED = re.compile(r"第(\d{1,2})(?!\d)")
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")
_RESIDENT_ID = re.compile(r"[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_AND = re.compile(r"(?i)(?<=[a-z.])\s+and\s+(?=[a-z])")
_BODY = re.compile(rf"[A-Z{HAN}]")


def words(file: str) -> tuple[str, ...]:
    """Return the blank-separated words of a reference file, comments left out."""
    lines = (REFERENCE / file).read_text(encoding="utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def rows(file: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a tab-separated reference file, comments and the header left out."""
    lines = (REFERENCE / file).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))[1:]


_PLACEHOLDERS = frozenset(words("organization_placeholders.txt"))


@cache
def _simplified() -> OpenCC:
    return OpenCC("t2s")


class _Fold(dict[int, str | None]):
    """A table for `str.translate` that works out each character when it is first met."""

    def __missing__(self, codepoint: int) -> str | None:
        folded = _fold(chr(codepoint))
        self[codepoint] = folded
        return folded


def _fold(character: str) -> str | None:
    if character in _OPENING:
        return "("
    if character in _CLOSING:
        return ")"
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category[0] not in "LN":
        return None
    if character in _GLYPHS:
        return _GLYPHS[character]
    if character >= "\u3400":
        simplified: str = _simplified().convert(character)
        return simplified
    return character.upper()


_FOLD = _Fold()


def clean(text: str | None) -> str | None:
    """Return the comparable form of a raw name, or None if there is no name in it.

    >>> clean(" 深圳市鴻達電子（寶安）有限公司。")
    '深圳市鸿达电子(宝安)有限公司'
    """
    if not text or len(text) > LONGEST:
        return None
    if text.isascii():
        text = _AND.sub("&", text)
    folded = unicodedata.normalize("NFKC", text).translate(_FOLD)
    if "第" in folded:
        folded = _NUMBERED.sub(lambda match: "第" + han_number(int(match[1])), folded)
    folded = folded.replace("()", "").strip(":&+")
    if len(folded) > LONGEST or folded in _PLACEHOLDERS or not _BODY.search(folded):
        return folded if _USCC.fullmatch(folded) else None
    return folded


def is_uscc(text: str) -> bool:
    """Tell whether a cleaned text is a unified social credit code by its shape (a personal number is not one)."""
    return len(text) == 18 and bool(_USCC.fullmatch(text)) and not is_resident_id(text)


def is_resident_id(text: str) -> bool:
    """Tell whether a cleaned text has the shape of a resident ID number."""
    return len(text) == 18 and bool(_RESIDENT_ID.fullmatch(text))


def han_number(value: int) -> str:
    """Write a number below 100 in Chinese.

    >>> han_number(12), han_number(30)
    ('十二', '三十')
    """
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _HAN_DIGITS[tens] + "十"
    return head + (_HAN_DIGITS[ones] if ones or not tens else "")


def digits(number: str) -> str | None:
    """Return the digits of a number below 100 written in Chinese or in digits; None if it is neither.

    >>> digits("二十一"), digits("07"), digits("甲")
    ('21', '7', None)
    """
    if number.isascii() and number.isdigit():
        return str(int(number))
    tens, ten, ones = number.rpartition("十")
    if ten:
        if (tens and tens not in _HAN_VALUE) or (ones and ones not in _HAN_VALUE):
            return None
        return str((_HAN_VALUE[tens] if tens else 1) * 10 + (_HAN_VALUE[ones] if ones else 0))
    if number and all(character in _HAN_VALUE for character in number):
        return str(int("".join(str(_HAN_VALUE[character]) for character in number)))
    return None
