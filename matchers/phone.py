"""Telephone numbers: mobile, landline, service and foreign numbers, several to a cell, masked ones.

In: one cell. Out: the numbers in one form each (mobile: 11 digits; landline: area code and number; foreign: `+` and
country code), extensions dropped, fillers left out; the pattern of a masked number. A landline without its area code is
not given one, but its digits meet those of a number that has one. Digits inside a longer code are no number.

Source: the national numbering plan (mobile 1[3-9], area codes 010, 02x, 0xxx; local numbers of 7 or 8 digits).

Invariant: standardising a number of the result gives that number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from matchers.levels import AtLeast, AtLeastAcross, Contains, Level, Overlaps, Same, any_of, different, missing
from matchers.similarity import register

LONGEST = 300
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_FOUND = re.compile(
    r"""(?<!\d)(?:
      (?P<mobile>(?:(?:\+|00)?86[-\s]?)?(?:0(?=1[3-9]\d{9}(?!\d)))?1[3-9]\d(?:[-\s]?\d){8})(?!\d)
    | (?P<overseas>(?<![A-Z])\(?(?:852\)?[-\s]?[2-9]\d{3}|853\)?[-\s]?[2-8]\d{3})[-\s]?\d{4}
      |(?<![A-Z])\(?886\)?[-\s]?0?9(?:[-\s]?\d){8})(?![\dA-Z])
    | (?P<foreign>(?:\+|00)(?!86)[1-9]\d{0,2}[-\s]?\(?\d{1,4}\)?(?:[-\s]?\d{2,4}){1,4})(?!\d)
    | (?P<service>(?<![A-Z])[48]00[-\s]?\d{3,4}[-\s]?\d{3,4})(?![\dA-Z])
    | (?:(?:\+|00)?86[-\s]?)?\(?(?P<area>0(?:10|2\d|[3-9]\d\d)|(?<![A-Z])(?:10|2\d|[3-9]\d\d))\)?[-\s]?
      (?P<line>[2-9]\d{2,3}[-\s]?\d{4})(?![\dA-Z])
    | (?P<local>(?<![A-Z])(?<!\d-)[2-9]\d{2,3}[-\s]?\d{4})(?![\dA-Z]|-\d)
    )""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_TWO_MOBILES = re.compile(r"(1[3-9]\d{9})(?=1[3-9]\d{9}(?!\d))", re.ASCII)
_EXTENSION = re.compile(r"(?<=\d)\s*(?:转|分机|内线|ext\.?|x|#)\s*[-:]?\s*\d{1,6}", re.IGNORECASE)
_DASHED_EXTENSION = re.compile(r"(?<=\d{7})-\d{1,6}(?!\d)")
_MASKED = re.compile(r"(?<![\d*])(?:\+?86)?(1[3-9*][\d*]{9}|0(?:10|2\d|[3-9]\d\d)[\d*]{7,8})(?![\d*])")
_LANDLINE = re.compile(r"(?:0(?:10|2[0-9]|[3-9][0-9]{2}))?([2-9][0-9]{6,7})")
_WHOLE_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})([2-9][0-9]{6,7})")
_TAIL = re.compile(r"[0-9]{4}")
_DASHES = dict.fromkeys("‐‑‒–—―−－_", "-")
_STARS = dict.fromkeys("×✱＊xX●•", "*")
_NORMAL = str.maketrans(_DASHES)
_TO_STARS = str.maketrans(_STARS)
_DIGITS = re.compile("[^0-9]")
_ALL_SAME = re.compile(r"(\d)\1*")
_OFFICE_SAMPLE = re.compile(r"(1\d\d)00(?:\1)000")
_SEQUENCES = ("12345678", "87654321", "23456789", "01234567")


@dataclass(frozen=True, slots=True)
class Phone:
    """The numbers of a cell; the empty value has none.

    Attributes:
        key: the first number.
        numbers: all numbers, in the order given, without repeats.
        mobile: the first mobile number.
        pattern: a masked number with `*` for hidden digits, if the cell shows one.
        local: the first landline written without its area code.
        lines: the landlines without their area codes.
        tail: the last four digits of the first mobile number, or of the masked one.
    """

    key: str | None = None
    numbers: tuple[str, ...] = ()
    mobile: str | None = None
    pattern: str | None = None
    local: str | None = None
    lines: tuple[str, ...] = ()
    tail: str | None = None


NONE = Phone()


def standardise(text: str | None, area_code: str | None = None) -> Phone:
    """Return the numbers of one cell.

    Args:
        text: the cell.
        area_code: area code to put before local numbers that have none; without it they stay as they are.

    >>> standardise("+86 138 1234 0001 / (0755)2345-6780转801").numbers
    ('13812340001', '075523456780')
    """
    if text is None or len(text) > LONGEST:
        return NONE
    if len(text) == 11 and text.isascii() and _MOBILE.fullmatch(text):
        return NONE if _is_filler(text) else Phone(text, (text,), text, tail=text[7:])
    landline = _WHOLE_LANDLINE.fullmatch(text)
    if landline is not None:
        line = landline[1]
        return NONE if _is_filler(text) or _is_filler(line) else Phone(text, (text,), lines=(line,))
    plain = unicodedata.normalize("NFKC", text).translate(_NORMAL)
    if plain.endswith(".0"):
        plain = plain[:-2]
    plain = _DASHED_EXTENSION.sub(" ", _EXTENSION.sub(" ", _TWO_MOBILES.sub(r"\1 ", plain)))
    numbers = tuple(dict.fromkeys(number for number in _numbers(plain, area_code) if not _is_filler(number)))
    masked = None if numbers else _pattern(plain)
    if masked is not None:
        return Phone(pattern=masked, tail=masked[-4:] if masked[0] == "1" and _TAIL.fullmatch(masked[-4:]) else None)
    if not numbers:
        return NONE
    mobile = next((number for number in numbers if _MOBILE.fullmatch(number)), None)
    landlines = [found for number in numbers if (found := _LANDLINE.fullmatch(number)) is not None]
    return Phone(
        numbers[0],
        numbers,
        mobile,
        local=next((found[0] for found in landlines if found[0] == found[1]), None),
        lines=tuple(dict.fromkeys(found[1] for found in landlines)),
        tail=mobile[7:] if mobile is not None else None,
    )


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing the numbers of two cells."""
    return (
        missing(f"{field}_key", f"{field}_pattern"),
        Level("same", Same(f"{field}_key"), "电话相同", "same telephone number", term_frequency=f"{field}_key"),
        Level(
            "shared",
            any_of(Overlaps(f"{field}_numbers"), Contains(f"{field}_local", f"{field}_lines")),
            "有相同的电话（固定电话一方可缺区号）",
            "one telephone number in common, be it without the area code on one side",
        ),
        Level(
            "masked_compatible",
            any_of(
                AtLeastAcross("gy_phone_mask", f"{field}_key", f"{field}_pattern", 1.0),
                AtLeast("gy_phone_mask", f"{field}_pattern", 1.0),
            ),
            "电话部分隐去，可见部分一致",
            "telephone partly hidden, what is shown agrees",
        ),
        Level(
            "one_edit",
            AtLeast("gy_edits", f"{field}_mobile", -1.0),
            "手机号码仅一位之差",
            "mobile numbers one digit apart",
        ),
        different("电话不同", "different telephone numbers"),
    )


def mask(value: str) -> str:
    """Return the number with its middle hidden.

    >>> mask("13812340001"), mask("0755-23456780")
    ('138****0001', '0755****6780')
    """
    phone = standardise(value)
    if phone.pattern is not None:
        return phone.pattern
    number = phone.key or _DIGITS.sub("", value)[:20]
    if len(number) < 7:
        return "*" * len(number)
    return number[: min(len(number) - 8, 4) or 1] + "****" + number[-4:] if len(number) > 8 else "****" + number[-4:]


def fits(left: str, right: str) -> float:
    """Return 1.0 if two numbers of equal length agree in at least six digits both show and differ in none.

    >>> fits("138****0001", "13812340001"), fits("138****0002", "13812340001")
    (1.0, 0.0)
    """
    if len(left) != len(right):
        return 0.0
    shown = 0
    for a, b in zip(left, right, strict=True):
        if a == b:
            shown += a != "*"
        elif a != "*" and b != "*":
            return 0.0
    return 1.0 if shown >= 6 else 0.0


def _numbers(plain: str, area_code: str | None) -> Iterator[str]:
    for match in _FOUND.finditer(plain):
        digits = {name: _DIGITS.sub("", text) for name, text in match.groupdict().items() if text}
        if "mobile" in digits:
            yield digits["mobile"][-11:]
        elif "overseas" in digits:
            yield "+" + digits["overseas"][:3] + digits["overseas"][3:].removeprefix("0")
        elif "foreign" in digits:
            yield "+" + digits["foreign"].removeprefix("00")
        elif "service" in digits:
            if len(digits["service"]) == 10:
                yield digits["service"]
        elif "line" in digits:
            # An office gives its area code once: 0755-27501234/27501235.
            area_code = "0" + digits["area"].removeprefix("0")
            if not _is_filler(digits["line"]):
                yield area_code + digits["line"]
        elif not _is_filler(digits["local"]):
            yield (area_code or "") + digits["local"]


def _is_filler(number: str) -> bool:
    tail = number[-8:]
    return (
        _ALL_SAME.fullmatch(tail) is not None
        or tail in _SEQUENCES
        or _OFFICE_SAMPLE.fullmatch(number) is not None
        or _ALL_SAME.fullmatch(number[3:] if len(number) == 11 else number) is not None
    )


def _pattern(plain: str) -> str | None:
    found = _MASKED.search(plain.translate(_TO_STARS).replace(" ", "").replace("-", ""))
    if found is None or "*" not in found[1] or sum(c.isdigit() for c in found[1]) < 6:
        return None
    return found[1]


register("gy_phone_mask", fits)
