"""Dates that may be partial, wrong or only known from an identifier: birth dates, founding dates.

In: the stated date as text, and the date an identifier holds. Out: the day if it is known, else month and year, with
where it comes from and whether the two agree. How text is read is in `matchers.date_text`.

Invariant: a day implies its month, a month its year.
"""

from __future__ import annotations

from dataclasses import dataclass

from matchers.date_difference import lunar, lunars, slip, slips
from matchers.date_text import Parts, Status, read
from matchers.levels import AtLeast, Either, Level, Missing, Same, all_of, different, missing
from matchers.similarity import register

__all__ = ["PartialDate", "birth_levels", "levels", "mask", "slip", "standardise"]


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as far as it is known.

    Attributes:
        iso: the day, YYYY-MM-DD.
        year: the year.
        month: the month, 1 to 12.
        day: the day of the month.
        month_key: year and month, YYYY-MM.
        month_day: month and day, MM-DD.
        status: what the stated text was: ok, partial, ambiguous, lunar (year only), suspect (1970-01-01, day zero of
            machines, kept only if derived from elsewhere too), placeholder, impossible (the year is kept), unreadable;
            `None` if it was empty.
        source: `stated`, `derived` or `both` (they agree as far as both go).
        conflict: whether stated and derived disagree; `None` unless both are there.
    """

    iso: str | None = None
    year: int | None = None
    month: int | None = None
    day: int | None = None
    month_key: str | None = None
    month_day: str | None = None
    status: str | None = None
    source: str | None = None
    conflict: bool | None = None


def standardise(stated: str | None, derived: str | None = None) -> PartialDate:
    """Return the stated date, completed by or else taken from the derived one.

    >>> standardise("1980年5月").month_key, standardise("1980", "1980-05-01").iso, standardise("29342").iso
    ('1980-05', '1980-05-01', '1980-05-01')
    """
    said = read(stated) if stated is not None else None
    known = read(derived) if derived is not None else None
    status = said.status.value if said is not None else None
    if known is None or known.year is None:
        # Machines write their day zero for "nothing", far more often than people are born or firms founded on it.
        return _dated(said if status != Status.SUSPECT else None, status, "stated", None)
    if said is None or said.year is None or (said.status is Status.SUSPECT and _disagree(said, known)):
        return _dated(known, status, "derived", None)
    if _disagree(said, known):
        return _dated(said, status, "stated", True)
    return _dated(said if said.day is not None else known, status, "both", False)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two dates."""
    iso = f"{field}_iso"
    return (
        missing(f"{field}_year"),
        Level("same_day", Same(iso), "日期相同", "same day", term_frequency=iso),
        Level(
            "same_month",
            all_of(Same(f"{field}_month_key"), Missing((iso,))),
            "年月相同（一方无日）",
            "same year and month, the day not known on one side",
            term_frequency=f"{field}_month_key",
            stands_for="same_day",
        ),
        Level(
            "year_only",
            all_of(Same(f"{field}_year"), Missing((f"{field}_month_key",))),
            "年份相同（一方无月日）",
            "same year, month and day not known on one side",
            term_frequency=f"{field}_year",
            stands_for="same_day",
        ),
        Level(
            "slip",
            AtLeast("gy_date_slip", iso, 1.0),
            "日期仅一位数字、一日之差，月日颠倒，或月日相同而年份差一两年",
            "dates one digit or one day apart, day and month swapped, or the same day of a year one or two apart",
        ),
        Level(
            "same_year",
            Same(f"{field}_year"),
            "年份相同",
            "same year",
        ),
        different("日期不同", "different dates"),
    )


def birth_levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two birth dates: those of any date, and the lunar birthday.

    `lunar` asks that one side's day is only stated, not confirmed by an identifier, for only a stated birthday can be a
    lunar one.
    """
    lunar_birthday = Level(
        "lunar",
        all_of(Either(f"{field}_source", "stated"), AtLeast("gy_lunar_date", f"{field}_iso", 1.0)),
        "一方可能填的是农历生日（早十七至五十一日）",
        "one side may state the lunar birthday, which reads 17 to 51 days earlier",
    )
    *before, same_year, last = levels(field)
    return (*before, lunar_birthday, same_year, last)


def mask(value: str) -> str:
    """Return the year alone.

    >>> mask("1980-05-01")
    '1980-**-**'
    """
    parts = read(value)
    if parts is None:
        return ""
    return "****-**-**" if parts.year is None else f"{parts.year:04d}-**-**"


def _dated(parts: Parts | None, status: str | None, source: str, conflict: bool | None) -> PartialDate:
    if parts is None or parts.year is None:
        return PartialDate(status=status)
    year, month, day = parts.year, parts.month, parts.day
    if month is None:
        return PartialDate(year=year, status=status, source=source, conflict=conflict)
    month_key = f"{year:04d}-{month:02d}"
    if day is None:
        return PartialDate(year=year, month=month, month_key=month_key, status=status, source=source, conflict=conflict)
    month_day = f"{month:02d}-{day:02d}"
    return PartialDate(f"{month_key}-{day:02d}", year, month, day, month_key, month_day, status, source, conflict)


def _disagree(said: Parts, known: Parts) -> bool:
    pairs = ((said.year, known.year), (said.month, known.month), (said.day, known.day))
    return any(a is not None and b is not None and a != b for a, b in pairs)


register("gy_date_slip", slip, among=slips)
register("gy_lunar_date", lunar, among=lunars)
