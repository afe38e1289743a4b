"""Numerals of addresses in one script."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matchers.address_numbers import chinese_number, chinese_numeral, normalise_numerals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三栋", "3栋"),
        ("叁栋", "3栋"),
        ("第三栋", "3栋"),
        ("第3栋", "3栋"),
        ("第四工业区", "4工业区"),
        ("四工业区", "4工业区"),
        ("第4工业区", "4工业区"),
        ("十二号", "12号"),
        ("一百零二号", "102号"),
        ("一〇一室", "101室"),
        ("二十三楼", "23楼"),
        ("宝民2路", "宝民二路"),
        ("宝民二路", "宝民二路"),
        ("东3环北路", "东三环北路"),
        ("12号之一", "12-1号"),
        ("12号之1", "12-1号"),
        ("12之一号", "12-1号"),
        ("3号附1号", "3-1号"),
        ("1065弄17号", "1065弄17号"),
        ("3号之二306", "3-2号306"),
        ("306号之一603", "306-1号603"),
        ("1号之一1004室", "1-1号1004室"),
        ("十二号之一101", "12-1号101"),
        ("3号之二十306", "3-20号306"),
        ("3号之二A座", "3-2号A座"),
        ("66号之一壹方大厦", "66-1号壹方大厦"),
        ("3号之2306", "3-2号306"),
        ("3号之12", "3-12号"),
        ("五坊3-2号", "5坊3-2号"),
        ("十四坊七号", "14坊7号"),
        ("一坊三楼", "1坊3楼"),
        ("三坊七巷", "三坊7巷"),
    ],
)
def test_one_number_has_one_written_form(text: str, expected: str) -> None:
    assert normalise_numerals(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "八一路",
        "三元里",
        "五一村",
        "一二一大街",
        "百花园",
        "三坊口",
        "二坊村",
        "205国道",
        "S358省道",
        "之间",
        "附近",
    ],
)
def test_a_numeral_in_a_name_stays(text: str) -> None:
    assert normalise_numerals(text) == text


@given(st.integers(1, 99))
def test_numerals_up_to_99_go_there_and_back(number: int) -> None:
    assert chinese_number(chinese_numeral(number)) == number


@given(st.text(alphabet="零一二两三十百千第之附0123AB号栋楼路巷区坊-年", max_size=30))
@example("第第0号")
@example("3号之二306")
@example("附一3号之一101")
@example("两坊二楼")
@example("一坊2之三号")
@example("一坊二组")
@example("0号之0一号")
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise_numerals(text)
    assert normalise_numerals(once) == once


@pytest.mark.parametrize("text", ["", "十百", "百百", "一十一十", "八一", "零" * 50, "甲"])
def test_what_is_no_number_has_no_value(text: str) -> None:
    assert chinese_number(text) is None
