"""Reading the many ways departments write a date.

In: one cell. Out: year, month and day as far as the cell shows them, and what is wrong with it. Nothing is guessed: of
a date whose day and month cannot be told apart only the year is kept.

Sources: GB/T 7408 (ISO 8601); Chinese numerals and the Republic's calendar; Excel's day count from 1899-12-30.
"""

from __future__ import annotations

import calendar
import datetime
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 60
EARLIEST_YEAR = 1850
LATEST_YEAR = 2100
_EXCEL_START = datetime.date(1899, 12, 30)
_EXCEL_SERIALS = range(10_000, 73_051)  # five digits, since four are a year: 1927-05-18 to 2100-01-01
_MONTHS = {name: i for i, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), 1)}
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NOISE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff'\"“”‘’]|^(?:公元|西元|生于|出生于|约)|(?:生|出生|成立)$"
)
_EMPTY = frozenset(["无", "暂无", "未知", "不详", "null", "none", "nan", "nat", "n/a", "na", "空", "-", "长期"])
_EPOCH = (1970, 1, 1)
_FILLERS = frozenset(
    {(1900, 1, 1), (1900, 1, 0), (1900, 1, None), (1900, 0, 0), (1899, 12, 30), (1899, 12, 31), (1899, 12, 29),
     (1901, 1, 1), (1753, 1, 1), (1800, 1, 1), (2100, 1, 1)}
)  # fmt: skip
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T ]?\d{4,6})?")
_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年,_]\s*(\d{1,2})(?:\s*[-/.月,_]\s*(\d{1,2})\s*[日号]?|\s*月?)"
    r"(?:[\sT]+(?P<clock>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)\s*(?P<zone>Z|[+-]\d\d:?\d\d)?|\s*\d{1,2}时.*)?"
)
_YEAR = re.compile(r"(\d{4})\s*年?(?:出?生)?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})(?:\s+\d{1,2}:\d\d(?::\d\d)?)?")
_ENGLISH = (
    re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<month>[a-z]{3,9})\.?[\s,-]+(?P<year>\d{4}|\d\d)"),
    re.compile(r"(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s,]+(?P<year>\d{4})"),
)
_REPUBLIC = re.compile(r"(?:中华)?民国\s*(\d{1,3})\s*年\s*(?:(\d{1,2})\s*月\s*(?:(\d{1,2})\s*[日号]?)?)?")
_SHORT_YEAR = re.compile(r"(\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_LUNAR = re.compile("农历|阴历|旧历|[(]农[)]|闰|初[一二三四五六七八九十]|腊月|正月")
_NUMERALS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "O": 0, "元": 1, "两": 2}
_CHINESE = re.compile("[〇零○O一二三四五六七八九十元两]+(?=[年月日号])")


class Status(StrEnum):
    """What was found in a cell."""

    OK = "ok"
    PARTIAL = "partial"
    AMBIGUOUS = "ambiguous"
    LUNAR = "lunar"
    SUSPECT = "suspect"
    PLACEHOLDER = "placeholder"
    IMPOSSIBLE = "impossible"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Parts:
    """A date as far as it is known; the day implies the month, the month the year."""

    status: Status
    year: int | None = None
    month: int | None = None
    day: int | None = None


def read(text: str) -> Parts | None:
    """Return the date of a cell, or None if the cell is empty.

    >>> read("一九八〇年五月一日")
    Parts(status=<Status.OK: 'ok'>, year=1980, month=5, day=1)
    """
    if len(text) > LONGEST:
        return Parts(Status.UNREADABLE)
    found = _ISO.fullmatch(text)
    if found:
        return dated(int(found[1]), int(found[2]), int(found[3]))
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", text)).strip()
    if not plain.strip("-/.\\*? ") or plain.lower() in _EMPTY:
        return None
    if _LUNAR.search(plain):
        year = re.search(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)", _arabic(plain))
        return Parts(Status.LUNAR, int(year[0])) if year else Parts(Status.UNREADABLE)
    plain = _arabic(plain)
    return _numbers_only(plain) if plain.replace(".", "", 1).isdecimal() else _written(plain)


def dated(year: int, month: int | None = None, day: int | None = None) -> Parts:
    """Return a date of numbers, keeping of an impossible one the year: whether month or day is wrong cannot be told.

    >>> dated(1981, 2, 30)
    Parts(status=<Status.IMPOSSIBLE: 'impossible'>, year=1981, month=None, day=None)
    """
    if (year, month, day) in _FILLERS or year in (0, 1, 1111, 9999, 2999, 2099):
        return Parts(Status.PLACEHOLDER)
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return Parts(Status.IMPOSSIBLE)
    if not month:
        return Parts(Status.PARTIAL, year)
    if month > 12:
        return Parts(Status.IMPOSSIBLE, year)
    if not day:
        return Parts(Status.PARTIAL, year, month)
    if day > calendar.monthrange(year, month)[1]:
        return Parts(Status.IMPOSSIBLE, year)
    return Parts(Status.SUSPECT if (year, month, day) == _EPOCH else Status.OK, year, month, day)


def _numbers_only(plain: str) -> Parts:
    """Return the date of a cell of digits with at most one point (1980.5 is a month, 29342.0 a day count)."""
    whole, _, rest = plain.partition(".")
    if rest and (len(whole) == 4 and len(rest) <= 2) and int(rest) > 0:
        return dated(int(whole), int(rest))
    size = len(whole)
    compact = _COMPACT.fullmatch(whole)
    if compact and size in (8, 12, 14):
        return dated(int(compact[1]), int(compact[2]), int(compact[3]))
    if size == 6 and whole[:2] in ("19", "20") and 0 <= int(whole[4:]) <= 12:
        return dated(int(whole[:4]), int(whole[4:]))
    if size == 6:
        return _short_year(int(whole[:2]), int(whole[2:4]), int(whole[4:]))
    if size == 5 and int(whole) in _EXCEL_SERIALS:
        return _ymd(_EXCEL_START + datetime.timedelta(days=int(whole)))
    if size == 4 and not rest.strip("0"):
        return dated(int(whole))
    return Parts(Status.PLACEHOLDER if not whole.strip("0") else Status.UNREADABLE)


def _written(plain: str) -> Parts:
    found = _YEAR_FIRST.fullmatch(plain)
    if found:
        parts = dated(int(found[1]), int(found[2]), int(found[3]) if found[3] else None)
        return _local_day(parts, found["clock"], found["zone"])
    found = _COMPACT.fullmatch(plain)
    if found:
        return dated(int(found[1]), int(found[2]), int(found[3]))
    found = _YEAR.fullmatch(plain)
    if found:
        return dated(int(found[1]))
    found = _YEAR_LAST.fullmatch(plain)
    if found:
        return _year_last(int(found[3]), int(found[1]), int(found[2]))
    found = _REPUBLIC.fullmatch(plain)
    if found:
        return dated(1911 + int(found[1]), *(int(part) if part else None for part in found.groups()[1:]))
    found = _SHORT_YEAR.fullmatch(plain)
    if found:
        return _short_year(int(found[1]), int(found[2]), int(found[3]))
    for form in _ENGLISH:
        found = form.fullmatch(plain.lower())
        if found and found["month"][:3] in _MONTHS:
            year, month, day = int(found["year"]), _MONTHS[found["month"][:3]], int(found["day"])
            return _short_year(year, month, day) if len(found["year"]) == 2 else dated(year, month, day)
    return Parts(Status.UNREADABLE)


def _year_last(year: int, first: int, second: int) -> Parts:
    if first == second or second > 12:
        return dated(year, first, second)
    if first > 12:
        return dated(year, second, first)
    known = dated(year)
    return Parts(Status.AMBIGUOUS, known.year) if known.status is Status.PARTIAL else known


def _short_year(year: int, month: int, day: int) -> Parts:
    # 30-99 is the last century whatever the reader's date, and up to 25 this one: there are far more children than
    # centenarians. Between them it may be either.
    if year >= 30:
        return dated(1900 + year, month, day)
    return dated(2000 + year, month, day) if year <= 25 else Parts(Status.AMBIGUOUS)


def _local_day(parts: Parts, clock: str | None, zone: str | None) -> Parts:
    """Return the day in China of a midnight there that a machine wrote in universal time (16:00Z the day before)."""
    if zone != "Z" or clock is None or parts.day is None or parts.year is None or parts.month is None:
        return parts
    # 15:00Z is midnight of the summer time kept from 1986 to 1991.
    if clock[:5] == "16:00" or (clock[:5] == "15:00" and 1986 <= parts.year <= 1991):
        return _ymd(datetime.date(parts.year, parts.month, parts.day) + datetime.timedelta(days=1))
    return parts


def _ymd(day: datetime.date) -> Parts:
    return dated(day.year, day.month, day.day)


def _arabic(text: str) -> str:
    """Return the text with Chinese numerals before 年, 月 and 日 in digits."""
    return _CHINESE.sub(lambda found: _number(found[0]), text)


def _number(numeral: str) -> str:
    if "十" not in numeral:
        return "".join(str(_NUMERALS[c]) for c in numeral)
    tens, _, ones = numeral.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return numeral
    return str(10 * (_NUMERALS[tens] if tens else 1) + (_NUMERALS.get(ones, 0)))
