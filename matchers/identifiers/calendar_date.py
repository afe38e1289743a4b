"""Dates inside numbers: eight digits, a day that exists.

In: `YYYYMMDD`. Out: the ISO date, or None. Years run from 1800 (the oldest people a number was ever made for) to 2099;
a date in the future is not refused here, for that would need to know today.
"""

from __future__ import annotations

from typing import Final

_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH_DAY: Final = {
    f"{month:02}{day:02}": f"-{month:02}-{day:02}" for month, days in enumerate(_DAYS, 1) for day in range(1, days + 1)
}
_YEARS: Final = frozenset(str(year) for year in range(1800, 2100))
_LEAP: Final = frozenset(
    str(year) for year in range(1800, 2100) if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
)


def iso_date(digits: str) -> str | None:
    """Return eight digits as an ISO date if that day exists.

    >>> iso_date("20000229"), iso_date("19000229"), iso_date("20001301")
    ('2000-02-29', None, None)
    """
    year, month_day = digits[:4], digits[4:]
    ending = _MONTH_DAY.get(month_day)
    if ending is None or year not in _YEARS or (month_day == "0229" and year not in _LEAP):
        return None
    return year + ending


def is_month_day(digits: str) -> bool:
    """Tell whether four digits are a month and a day of it."""
    return digits in _MONTH_DAY
