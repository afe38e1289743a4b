"""How two dates of one event may differ: slips of the pen, a day either way, counted age, a lunar birthday.

In: two days as ISO text, or a date as stated and the day an identifier holds. Out: whether an honest mistake or another
calendar leads from one to the other. People of rural origin give their birthday by the lunar calendar, whose date
reads 17 to 51 days earlier than the solar one; counted age (虚岁) moves the year back by one or two.

Invariant: every function of two days is symmetric, and gives 0.0 for a text that is no day.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matchers.date_text import Parts, Status
from matchers.similarity import Compare, Places
from matchers.text_bytes import bytes_of, differing_bytes, neighbours_swapped

LUNAR_DAYS = range(17, 52)
"""How many days the lunar reading of a birthday stands before the solar one, leap months included."""

LONGEST_LUNAR_MONTH = 30
_ISO_SIZE = 10
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9]
_DASHES = [4, 7]
_MONTHS = 12
_FEBRUARY = 2
_LONGEST_MONTHS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
COUNTED_AGE_YEARS = 2
"""Counted age is one or two years ahead of age: one at birth, one more at each new year."""


def slip(left: str, right: str) -> float:
    """Return 1.0 if two ISO days differ by one digit, two neighbours swapped, day for month, a day, or counted age.

    >>> slip("1980-05-01", "1980-01-05"), slip("1980-05-31", "1980-06-01"), slip("1980-05-01", "1975-11-23")
    (1.0, 1.0, 0.0)
    >>> slip("1989-05-01", "1991-05-01")
    1.0
    """
    a, b = _ordinal(left), _ordinal(right)
    if a is None or b is None:
        return 0.0
    if -1 <= a - b <= 1:
        return 1.0
    if left[5:] == right[5:] and abs(int(left[:4]) - int(right[:4])) <= COUNTED_AGE_YEARS:
        return 1.0
    if left[:4] == right[:4] and left[5:7] == right[8:] and left[8:] == right[5:7]:
        return 1.0
    p, q = left.replace("-", ""), right.replace("-", "")
    places = [place for place in range(8) if p[place] != q[place]]
    if len(places) == 1:
        return 1.0
    swapped = len(places) == 2 and places[1] - places[0] == 1 and p[places[0]] == q[places[1]]
    return 1.0 if swapped and p[places[1]] == q[places[0]] else 0.0


def lunar(left: str, right: str) -> float:
    """Return 1.0 if the earlier of two ISO days can be the lunar date of the later.

    >>> lunar("1980-03-20", "1980-05-04"), lunar("1980-03-20", "1980-05-24"), lunar("1980-03-31", "1980-05-04")
    (1.0, 0.0, 0.0)
    """
    a, b = _ordinal(left), _ordinal(right)
    if a is None or b is None or abs(a - b) not in LUNAR_DAYS:
        return 0.0
    return 1.0 if int(min(left, right)[8:]) <= LONGEST_LUNAR_MONTH else 0.0


def of_one_birth(said: Parts, known: str) -> bool:
    """Tell whether a stated date can be of the birth on a known day, allowing for mistakes and the lunar calendar.

    Agreement in month and day, in the year and one of the two, or to a few weeks is no accident either; what a
    machine fills in says nothing.

    Args:
        said: the date as stated, of which at least the year is known.
        known: ISO day.

    >>> of_one_birth(Parts(Status.OK, 1979, 12, 30), "1980-02-18")
    True
    >>> of_one_birth(Parts(Status.PARTIAL, 1976), "1990-01-02")
    False
    """
    if said.year is None or said.status is Status.SUSPECT:
        return True
    year, month, day = int(known[:4]), int(known[5:7]), int(known[8:])
    apart = year - said.year
    if said.month is None or said.day is None:
        return -1 <= apart <= COUNTED_AGE_YEARS or _one_digit(f"{said.year:04d}", known[:4])
    if (said.month, said.day) == (month, day) or (apart == 0 and (said.month == month or said.day == day)):
        return True
    stated = f"{said.year:04d}-{said.month:02d}-{said.day:02d}"
    first, second = _ordinal(stated), _ordinal(known)
    near = first is not None and second is not None and abs(first - second) < LUNAR_DAYS.stop
    if near or slip(stated, known) >= 1.0:
        return True
    return 0 < apart <= COUNTED_AGE_YEARS + 1 and any(
        lunar(f"{said.year + years:04d}{stated[4:]}", known) >= 1.0 for years in range(1, COUNTED_AGE_YEARS + 1)
    )


def slips(days: pa.Array) -> Compare:
    """Return the function that gives `slip` of two of the days by their places."""
    read = _grid(days)
    if read is None:
        return _loop(slip, days)
    grid, ordinals = read
    packed = grid.view(np.uint64).ravel()
    years = _numbers(grid[:, :4])
    month, day = (np.ascontiguousarray(grid[:, part]).view(np.uint16).ravel() for part in (slice(4, 6), slice(6, 8)))

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        found = np.abs(ordinals.take(left) - ordinals.take(right)) <= 1
        apart = np.abs(years.take(left) - years.take(right))
        m, d, other_m, other_d = month.take(left), day.take(left), month.take(right), day.take(right)
        found |= (apart <= COUNTED_AGE_YEARS) & (m == other_m) & (d == other_d)
        found |= (apart == 0) & (m == other_d) & (d == other_m)
        count = differing_bytes(packed.take(left) ^ packed.take(right))
        found |= count == 1
        two = np.flatnonzero((count == 2) & ~found)
        found[two] = neighbours_swapped(grid[left[two]], grid[right[two]])
        return np.asarray(found, dtype=np.float64)

    return compare


def lunars(days: pa.Array) -> Compare:
    """Return the function that gives `lunar` of two of the days by their places."""
    read = _grid(days)
    if read is None:
        return _loop(lunar, days)
    grid, ordinals = read
    day = _numbers(grid[:, 6:])

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        a, b = ordinals.take(left), ordinals.take(right)
        apart = np.abs(a - b)
        earlier = np.where(a <= b, day.take(left), day.take(right))
        found = (apart >= LUNAR_DAYS.start) & (apart < LUNAR_DAYS.stop) & (earlier <= LONGEST_LUNAR_MONTH)
        return np.asarray(found, dtype=np.float64)

    return compare


def _one_digit(left: str, right: str) -> bool:
    return sum(a != b for a, b in zip(left, right, strict=True)) <= 1


@lru_cache(maxsize=65536)
def _ordinal(text: str) -> int | None:
    if len(text) != 10 or not text.isascii():
        return None
    try:
        return datetime.date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _grid(days: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    """Return the eight digits of ISO days as a matrix of bytes, and the days counted; None if a text is no day."""
    rows, fitting = bytes_of(days, _ISO_SIZE)
    grid = np.ascontiguousarray(rows[:, _DIGITS])
    if not (fitting.all() and (rows[:, _DASHES] == ord("-")).all() and ((grid >= 48) & (grid <= 57)).all()):
        return None
    year, month, day = _numbers(grid[:, :4]), _numbers(grid[:, 4:6]), _numbers(grid[:, 6:])
    if not ((year > 0) & (month > 0) & (month <= _MONTHS) & (day > 0)).all():
        return None
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    if (day > _LONGEST_MONTHS.take(month) - ((month == _FEBRUARY) & ~is_leap)).any():
        return None
    # A year is counted from March on, so that the day that leap years add is its last.
    early = month <= _FEBRUARY
    year, month = year - early, month + early * _MONTHS
    return grid, 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day


def _numbers(digits: NDArray[np.uint8]) -> NDArray[np.int64]:
    numbers = np.zeros(len(digits), dtype=np.int64)
    for column in digits.T:
        numbers *= 10
        numbers += column - np.uint8(48)
    return numbers


def _loop(one: Callable[[str, str], float], texts: pa.Array) -> Compare:
    days = texts.to_pylist()

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.fromiter((one(days[a], days[b]) for a, b in pairs), dtype=np.float64, count=len(left))

    return compare
