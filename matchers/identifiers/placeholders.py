"""Texts that stand for "no number": words, dashes, one character repeated, counting runs, filler dates.

In: a text already cleaned. Out: whether it stands for a missing number.

Source: fillers seen in registration and permit systems; they must never become a key, for thousands of records share
each of them.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = r"""
无 暂无 没有 空 不详 未知 未办 未办理 未登记 未提供 未填 未填写 待补 待补充 待定 待核实 不适用
无证件 无身份证 无代码 无编号 其他 其它 测试
(空) 空白 空值 \N NULL NONE NIL NA NAN N/A UNKNOWN TEST NULL值 #N/A #REF! #VALUE!
"""
WORDS: Final = frozenset(_TEXT.split())
_RUNS: Final = ("1234567890" * 20, "0123456789" * 20, "9876543210" * 20, "0987654321" * 20)
_COUNTING: Final = {run[:6]: run for run in _RUNS}
# 654321 and 222222 look like fillers but are counties (布尔津县, once 通化县).
_FILLER_REGIONS: Final = frozenset(["123456", *(digit * 6 for digit in "013456789")])
_FILLER_TAILS: Final = frozenset(["1234", "2345", "5678", "4321", *(digit * 4 for digit in "0123456789")])
_FILLER_DATES: Final = frozenset(["19000101", "19000100", "00000000", "11111111"])


def is_placeholder(compact: str) -> bool:
    """Tell whether a cleaned text stands for a missing number.

    >>> is_placeholder("111111111111111111"), is_placeholder("暂无"), is_placeholder("440306199901011514")
    (True, True, False)
    """
    if len(set(compact)) <= 1 or compact in WORDS:
        return True
    if compact.isalnum():
        run = _COUNTING.get(compact[:6])
        return run is not None and run.startswith(compact)
    return not any(character.isalnum() or character in "*#?" for character in compact)


def is_filler_pattern(pattern: str) -> bool:
    """Tell whether what a masked number of 18 positions shows is a piece of a filler.

    >>> is_filler_pattern("123456********5678"), is_filler_pattern("440306********5678")
    (True, False)
    """
    shown = 18 - pattern.count("*")
    if shown == 4 and pattern[14:] in _FILLER_TAILS:
        return True
    if shown < 6:
        return False
    runs = ("123456789012345678", "987654321098765432", pattern.replace("*", "")[0] * 18)
    return any(all(a in ("*", b) for a, b in zip(pattern, run, strict=True)) for run in runs)


def is_filler_id(number: str) -> bool:
    """Tell whether 18 characters shaped like a resident ID number were made up to fill a form.

    A made-up region, or 1 January 1900 with a sequence of 000 or 001.
    """
    region, birth, sequence = number[:6], number[6:14], number[14:17]
    return region in _FILLER_REGIONS or (birth in _FILLER_DATES and sequence in ("000", "001"))
