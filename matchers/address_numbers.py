"""Numbers in addresses: Chinese, financial and Arabic numerals to one script.

Ordinals of buildings, floors, rooms, lanes and industrial estates become Arabic (`叁栋`, `第三栋` → `3栋`); ordinals in
names of roads become Chinese, as on the street sign (`宝民2路` → `宝民二路`). A numeral that is not followed by such a
word is part of a name and stays (`三元里`, `八一路`, `五一村`).

Input is text in NFKC without spaces; output is text. Never raises.
"""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = {
    c: i
    for i, cs in enumerate(("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"))
    for c in cs
}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
_NUMERAL = "".join(_DIGITS) + "".join(_TENS)
_ORDINAL_WORDS = (
    "号|栋|幢|憧|座|楼|层|室|房|单元|梯|门(?![路街市口])|期|巷|区|组|队|弄|铺|档|排|户|院|大队|村民小组|小组|社(?!区)|街坊|"
    "工业|科技园|生活区|厂房|仓库|横巷"
)
# 坊 counts only before a house (五坊3号); elsewhere it ends a name (三坊七巷, 二坊村).
_ORDINAL_WORDS += f"|坊(?=[A-Z]|第*[{_NUMERAL}\\d]+(?:[号栋幢座楼层室房区坊之附-]|$)|$)"
# Both start with one character class, which the regular expression engine skips to; the functions check the rest.
_TO_ARABIC = re.compile(
    f"[第{_NUMERAL}]第*[{_NUMERAL}\\d]*(?=(?:{_ORDINAL_WORDS}))|[之附](?:[零〇一二三四五六七八九十百]+|[{_NUMERAL}]+)"
    # A room read digit by digit that no word follows: 九楼九零四.
    f"|(?<=[号栋幢座楼层元])[{''.join(_DIGITS)}]{{3,4}}(?![^、])"
)
_TO_CHINESE = re.compile(r"[\dA-Z-]+(?=(?:马路|环|横?路|大?街(?!坊)|大道|道街|条))")
_COUNTED_BY_DIGITS = frozenset("号栋幢座楼层室房")
# What one round writes can be read by the next (3号之2一楼, 3-2号一楼, 3-2号1楼); real addresses need two at most.
_ROUNDS = 10
_HAS_NUMERAL = re.compile(f"[{_NUMERAL}]|第\\d")
_SUBNUMBER = re.compile(r"(?<=\d)(?:号(?:之|附)第?(?:(\d)(?=\d{3,4}(?!\d))|(\d+)号?)|[之附](\d+)(?!\d)(?=号))")


def chinese_number(text: str) -> int | None:
    """Return the value of a Chinese numeral up to 999, or of a string of digits read one by one; `None` if neither.

    >>> chinese_number("二十三"), chinese_number("叁"), chinese_number("一〇一"), chinese_number("一百零二")
    (23, 3, 101, 102)
    >>> chinese_number("八一") is None, chinese_number("十百") is None
    (True, True)
    """
    if not text or len(text) > 7:
        return None
    if not any(c in _TENS for c in text):
        # Two digits side by side are a name (八一, 二七), three or more a number read digit by digit.
        if len(text) == 2 or any(c not in _DIGITS for c in text):
            return None
        return int("".join(str(_DIGITS[c]) for c in text))
    total, digit, last = 0, None, 1000
    for c in text:
        if c in _TENS:
            unit = _TENS[c]
            if unit >= last or (digit is None and (unit == 100 or total % 100)):
                return None
            total, digit, last = total + (1 if digit is None else digit) * unit, None, unit
        elif c in _DIGITS and (digit is None or digit == 0):
            digit = _DIGITS[c]
        else:
            return None
    return total + (digit or 0)


def chinese_numeral(number: int) -> str:
    """Return a number from 1 to 99 in Chinese.

    >>> chinese_numeral(2), chinese_numeral(10), chinese_numeral(23)
    ('二', '十', '二十三')
    """
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if not 1 <= number <= 99:
        return str(number)
    head = "" if tens == 0 else "十" if tens == 1 else digits[tens] + "十"
    return head + (digits[ones] if ones else "")


def _arabic(match: re.Match[str]) -> str:
    written = match.group()
    text, start, end = match.string, match.start(), match.end()
    if text[start - 1 : start].isdecimal() and written[0] not in "第之附":
        # 301一楼商铺: another number, not more digits of the same one.
        return written
    if len(written) == 2 and _is_two_digits(written, text[end : end + 1]):
        return f"{_DIGITS[written[0]]}{_DIGITS[written[1]]}"
    if written[0] in "之附" and len(written) == 3 and text[end : end + 1] in ("楼", "层"):
        sub, floor = _DIGITS.get(written[1]), _DIGITS.get(written[2])
        if sub is not None and floor is not None:
            # 1号之一八楼: sub-number one, eighth floor.
            return f"{written[0]}{sub}号{floor}"
    arabic = _as_arabic(written)
    # A sub-number ends with its Chinese numeral: in 3号之二306 the 306 is the room.
    if written[0] in "之附" and arabic != written:
        before, after = text[start - 1 : start], text[end : end + 1]
        if after.isdecimal() and (before in ("号", "、", "") or before.isdecimal()):
            return arabic + "号"
    return arabic


def _is_two_digits(written: str, word: str) -> bool:
    """Whether two Chinese digits side by side are a number read digit by digit (三三号), not a name (八一, 二七区)."""
    if written[0] not in _DIGITS or written[1] not in _DIGITS:
        return False
    return word in _COUNTED_BY_DIGITS or (word == "区" and written != "二七")


@lru_cache(maxsize=4096)
def _as_arabic(text: str) -> str:
    bare = text.lstrip("第") if text[0] == "第" else text[1:] if text[0] in "之附" else text
    first = text[0] if text[0] in "之附" else ""
    if bare.isdecimal() and bare.isascii():
        return first + bare
    if first and 4 <= len(bare) <= 5 and all(c in _DIGITS for c in bare):
        # 之二一零二室: the first digit is the sub-number's, the rest is the room.
        digits = "".join(str(_DIGITS[c]) for c in bare)
        return f"{first}{digits[0]}号{digits[1:]}"
    number = chinese_number(bare)
    return text if number is None else first + str(number)


def _chinese(match: re.Match[str]) -> str:
    text = match.group()
    return chinese_numeral(int(text)) if len(text) < 3 and text.isdecimal() else text


def _dashed(match: re.Match[str]) -> str:
    after_the_word = match[1] or match[2]
    return f"-{after_the_word}号" if after_the_word else f"-{match[3]}"


def normalise_numerals(text: str) -> str:
    """Return the text with every ordinal in its one script and sub-numbers as `12-1`.

    >>> normalise_numerals("宝民2路叁栋第一层一〇一室")
    '宝民二路3栋1层101室'
    >>> normalise_numerals("第四工业区12号之一")
    '4工业区12-1号'
    >>> normalise_numerals("3号之二306"), normalise_numerals("3号之2一楼")
    ('3-2号306', '3-2号1楼')
    """
    for _ in range(_ROUNDS):
        normalised = _normalised_once(text)
        if normalised == text:
            break
        text = normalised
    return text


def _normalised_once(text: str) -> str:
    if _HAS_NUMERAL.search(text):
        text = _TO_ARABIC.sub(_arabic, text)
    text = _TO_CHINESE.sub(_chinese, text)
    if "之" in text or "附" in text:
        text = _SUBNUMBER.sub(_dashed, text)
    return text
