"""Dates, partial and wrong ones included."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from level_oracle import assert_levels_agree, row

from matchers.date import PartialDate, birth_levels, levels, mask, slip, standardise
from matchers.date_difference import lunar, lunars, of_one_birth, slips
from matchers.date_text import read
from matchers.levels import outcome
from matchers.similarity import many_of

DAYS = st.dates(datetime.date(1901, 1, 2), datetime.date(2098, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "1980-05-01",
        "1980年5月1日",
        "1980.5.1",
        "1980/5/1",
        "19800501",
        "29342",
        "29342.0",
        "1980-05-01 00:00:00",
        "1980-05-01T00:00:00",
        "1980-05-01T08:30:00+08:00",
        "1980-04-30T16:00:00.000Z",
        "１９８０－０５－０１",
        "1980年05月01日出生",
        "19800501000000",
        "80-05-01",
        "800501",
        "一九八〇年五月一日",
        "民国69年5月1日",
        "1 May 1980",
        "May 1, 1980",
        "1-May-80",
        "'1980-05-01",
        "1980 年 5 月 1 日",
        "公元1980年5月1号",
    ],
)
def test_a_day_is_read_in_every_form(text: str) -> None:
    date = standardise(text)
    assert date == PartialDate("1980-05-01", 1980, 5, 1, "1980-05", "05-01", "ok", "stated")


@pytest.mark.parametrize(
    ("text", "year", "month_key", "status"),
    [
        ("1980", 1980, None, "partial"),
        ("1980年", 1980, None, "partial"),
        ("1980-05", 1980, "1980-05", "partial"),
        ("198005", 1980, "1980-05", "partial"),
        ("1980年5月", 1980, "1980-05", "partial"),
        ("1980.5", 1980, "1980-05", "partial"),
        ("1980-05-00", 1980, "1980-05", "partial"),
        ("1980-00-00", 1980, None, "partial"),
        ("1981-02-30", 1981, None, "impossible"),
        ("1980-13-01", 1980, None, "impossible"),
        ("05/06/1980", 1980, None, "ambiguous"),
        ("农历1980年五月初一", 1980, None, "lunar"),
    ],
)
def test_what_is_known_of_a_date_is_kept(text: str, year: int, month_key: str | None, status: str) -> None:
    date = standardise(text)
    assert (date.iso, date.year, date.month_key, date.status) == (None, year, month_key, status)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("1900-01-01", "placeholder"),
        ("19000101", "placeholder"),
        ("0000-00-00", "placeholder"),
        ("9999-12-31", "placeholder"),
        ("0001-01-01", "placeholder"),
        ("1899-12-30", "placeholder"),
        ("1111-11-11", "placeholder"),
        ("00000000", "placeholder"),
        ("1700-01-01", "impossible"),
        ("3024-01-01", "impossible"),
        ("生日", "unreadable"),
        ("05-01", "unreadable"),
        ("12345678901234567890", "unreadable"),
        ("99-99", "unreadable"),
        ("200512 ", "partial"),
        ("271231", "ambiguous"),
    ],
)
def test_fillers_and_wrong_dates_are_told_apart(text: str, status: str) -> None:
    assert standardise(text).status == status
    assert standardise(text).iso is None


def test_day_zero_of_machines_counts_only_where_a_number_confirms_it() -> None:
    assert standardise("1970-01-01") == PartialDate(status="suspect")
    confirmed = standardise("1970-01-01", "1970-01-01")
    assert (confirmed.iso, confirmed.status, confirmed.source) == ("1970-01-01", "suspect", "both")
    filled = standardise("1970-01-01", "1980-05-01")
    assert (filled.iso, filled.source, filled.conflict) == ("1980-05-01", "derived", None)


def test_the_number_completes_an_impossible_date_of_its_year() -> None:
    date = standardise("1980-02-30", "1980-05-01")
    assert (date.iso, date.status, date.conflict) == ("1980-05-01", "impossible", False)


@pytest.mark.parametrize("text", [None, "", "  ", "无", "NULL", "-", "--", "*"])
def test_an_empty_cell_has_no_value_and_no_status(text: str | None) -> None:
    assert standardise(text) == PartialDate()


@pytest.mark.parametrize(
    "junk", ["😀", "\ud800", "\x00", "ا" * 30, "9" * 10_000, "፩፪፫፬", "²²²²", "1980-05-01" * 3, "十十年", "元元元元年"]
)
def test_junk_is_a_value_or_nothing(junk: str) -> None:
    assert standardise(junk).iso is None
    assert standardise(junk, junk).iso is None


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_raises(stated: str, derived: str) -> None:
    assert standardise(stated, derived).source in (None, "stated", "derived", "both")


@given(DAYS.filter(lambda day: day != datetime.date(1970, 1, 1)))
def test_a_day_survives_every_form(day: datetime.date) -> None:
    serial = str((day - datetime.date(1899, 12, 30)).days)
    forms = [
        day.isoformat(),
        day.strftime("%Y%m%d"),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}.{day.month}.{day.day}",
    ]
    forms += [serial] if int(serial) >= 10_000 else []
    assert {standardise(form).iso for form in forms} == {day.isoformat()}


@pytest.mark.parametrize(
    ("stated", "derived", "iso", "source", "conflict"),
    [
        ("1980-05-01", "1980-05-01", "1980-05-01", "both", False),
        ("1980", "1980-05-01", "1980-05-01", "both", False),
        ("1980-05-01", "1980", "1980-05-01", "both", False),
        ("1980-05-01", "1981-05-01", "1980-05-01", "stated", True),
        ("1980-06", "1980-05-01", None, "stated", True),
        (None, "1980-05-01", "1980-05-01", "derived", None),
        ("1900-01-01", "1980-05-01", "1980-05-01", "derived", None),
        ("1980-05-01", None, "1980-05-01", "stated", None),
        ("1970-01-01", "1970-01-01", "1970-01-01", "both", False),
    ],
)
def test_the_stated_date_comes_first_and_the_derived_one_completes_it(
    stated: str | None, derived: str | None, iso: str | None, source: str, conflict: bool | None
) -> None:
    date = standardise(stated, derived)
    assert (date.iso, date.source, date.conflict) == (iso, source, conflict)


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("1980-05-01", "1980年5月1日", "same_day"),
        ("1980-05-01", "1980-01-05", "slip"),
        ("1980-05-01", "1981-05-01", "slip"),
        ("1980-05-12", "1980-05-21", "slip"),
        ("1980-05-31", "1980-06-01", "slip"),
        ("1979-12-31", "1980-01-01", "slip"),
        ("1989-05-01", "1991-05-01", "slip"),
        ("1988-05-01", "1991-05-01", "different"),
        ("1980-03-20", "1980-05-04", "same_year"),
        ("1980-05-01", "1980-05", "same_month"),
        ("1980-05", "1980-05", "same_month"),
        ("1980-05-01", "1980", "year_only"),
        ("1980-05-01", "1980-11-23", "same_year"),
        ("1980-05-01", "1975-11-23", "different"),
        ("1980-05", "1981-05", "different"),
        ("1980-05-01", "1900-01-01", "missing"),
    ],
)
def test_two_dates_compare_as_expected(left: str, right: str, level: str) -> None:
    assert outcome(levels("d"), row(d=standardise(left)), row(d=standardise(right))).name == level


def test_a_short_year_up_to_25_is_of_this_century() -> None:
    assert standardise("04.6.25").iso == "2004-06-25"
    assert standardise("051231").iso == "2005-12-31"
    assert standardise("30.6.25").iso == "1930-06-25"


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (("1980-03-20", None), (None, "1980-05-04"), "lunar"),
        (("1979-12-20", None), ("1980-02-06", "1980-02-06"), "lunar"),
        (("1980-03-31", None), (None, "1980-05-04"), "same_year"),
        (("1980-03-20", None), (None, "1980-04-05"), "same_year"),
        (("1980-03-20", None), ("1980-05-04", None), "lunar"),
        ((None, "1980-03-20"), (None, "1980-05-04"), "same_year"),
        (("1980-03-20", "1980-05-04"), (None, "1980-05-04"), "lunar"),
        (("1980-05-04", None), (None, "1980-05-04"), "same_day"),
    ],
)
def test_a_stated_birthday_may_be_the_lunar_one_of_the_number(
    left: tuple[str | None, str | None], right: tuple[str | None, str | None], level: str
) -> None:
    a, b = row(d=standardise(*left)), row(d=standardise(*right))
    assert outcome(birth_levels("d"), a, b).name == level
    assert outcome(birth_levels("d"), b, a).name == level


@pytest.mark.parametrize(
    ("stated", "known", "one"),
    [
        ("1980-05-01", "1980-05-01", True),
        ("1980-05-01", "1980-01-05", True),
        ("1980-05-30", "1980-05-12", True),
        ("1980-03-20", "1980-05-04", True),
        ("1979-12-30", "1980-02-18", True),
        ("1977-12-30", "1980-02-18", True),
        ("1960-05-01", "1983-05-01", True),
        ("1970-01-01", "1983-05-09", True),
        ("1985", "1986-05-01", True),
        ("1985-07", "1983-11-10", True),
        ("1985", "1990-11-10", False),
        ("1995", "2008-11-18", False),
        ("1988-11-01", "1988-02-05", False),
        ("1988-08-31", "1988-09-23", True),
        ("1967-09-17", "2006-06-11", False),
        ("1991-10-14", "1990-12-22", False),
        ("1990-01-31", "1990-03-20", True),
    ],
)
def test_a_stated_date_is_of_the_birth_in_a_number_or_of_another(stated: str, known: str, one: bool) -> None:
    said = read(stated)
    assert said is not None
    assert of_one_birth(said, known) is one


@settings(deadline=None)
@given(st.lists(st.tuples(DAYS, st.integers(-60, 60)), min_size=1, max_size=30))
def test_a_column_of_days_is_compared_as_one_pair_is(drawn: list[tuple[datetime.date, int]]) -> None:
    left = [day.isoformat() for day, _ in drawn]
    right = [(day + datetime.timedelta(days=apart)).isoformat() for day, apart in drawn]
    assert many_of(slips)(left, right).tolist() == [slip(a, b) for a, b in zip(left, right, strict=True)]
    assert many_of(lunars)(left, right).tolist() == [lunar(a, b) for a, b in zip(left, right, strict=True)]
    assert many_of(lunars)(right, left).tolist() == many_of(lunars)(left, right).tolist()


@given(st.lists(st.tuples(DAYS, DAYS), min_size=1, max_size=30), st.text(max_size=12))
def test_a_text_that_is_no_day_is_no_slip_in_a_column_either(
    drawn: list[tuple[datetime.date, datetime.date]], junk: str
) -> None:
    left = [a.isoformat() for a, _ in drawn] + [junk]
    right = [b.isoformat() for _, b in drawn] + [junk]
    assert many_of(slips)(left, right).tolist() == [slip(a, b) for a, b in zip(left, right, strict=True)]
    assert many_of(lunars)(left, right)[-1] == 0.0


def test_the_batch_and_one_pair_agree_on_every_level_of_births() -> None:
    texts = [("1980-03-20", None), (None, "1980-05-04"), ("1980-05-04", "1980-05-04"), ("1980-05", None), (None, None)]
    texts += [("1980", None), ("1980-05-05", None), ("1980-11-23", None), ("1961-11-08", None)]
    seen = assert_levels_agree(birth_levels("d"), [row(d=standardise(*pair)) for pair in texts], {"d": PartialDate})
    assert seen == {level.name for level in birth_levels("d")}


def test_the_batch_and_one_pair_agree_on_every_level() -> None:
    texts = [
        "1980-05-01",
        "1980-01-05",
        "1981-05-01",
        "1980-05",
        "1980",
        "1975-11-23",
        None,
        "1900-01-01",
        "1980-05-28",
        "1981",
    ]
    seen = assert_levels_agree(levels("d"), [row(d=standardise(text)) for text in texts], {"d": PartialDate})
    assert seen == {level.name for level in levels("d")}


@given(DAYS, DAYS)
def test_a_slip_is_symmetric_and_bounded(left: datetime.date, right: datetime.date) -> None:
    assert slip(left.isoformat(), right.isoformat()) == slip(right.isoformat(), left.isoformat())


def test_a_mask_shows_the_year() -> None:
    assert mask("1980-05-01") == "1980-**-**"
    assert mask("junk") == "****-**-**"
    assert mask("") == ""
