"""Codes of national standards stand for a value that the standard names, and for no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.standard_codes import CODED, _known, standard_code


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("sex", "M", "1"),
        ("sex", "F", "2"),
        ("sex", None, None),
        ("sex", "男", None),  # a golden value is M or F
        ("ethnicity", "汉族", "01"),
        ("ethnicity", "汉", "01"),
        ("ethnicity", " 维吾尔 族 ", "05"),
        ("ethnicity", "土家族", "15"),
        ("ethnicity", "土族", "30"),
        ("ethnicity", "56", "56"),
        ("ethnicity", "57", None),
        ("ethnicity", "1", None),
        ("ethnicity", "穿青人", None),
        ("ethnicity", "不详", None),
        ("ethnicity", "族", None),
        ("ethnicity", "", None),
        ("nationality", "中国", "CHN"),
        ("nationality", "中华人民共和国", "CHN"),
        ("nationality", "chn", "CHN"),
        ("nationality", "香港", "HKG"),
        ("nationality", "朝鲜", "PRK"),
        ("nationality", "蒙古", "MNG"),
        ("nationality", "刚果", None),  # two countries
        ("nationality", "无国籍", None),
        ("nationality", "外国", None),
        ("nationality", "汉族", None),
    ],
)
def test_a_value_has_the_code_of_its_standard_or_none(field: str, value: str | None, code: str | None) -> None:
    assert standard_code(field, value) == code


def test_every_code_is_listed_once_and_no_writing_stands_for_two() -> None:
    assert sorted({*_known("ethnicity").values()}) == [f"{number:02}" for number in range(1, 57)]
    countries = set(_known("nationality").values())
    assert len(countries) > 190
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in countries)
    for field in ("ethnicity", "nationality"):
        for name, code in _known(field).items():
            assert standard_code(field, name) == code


@given(st.sampled_from(sorted(CODED.values())), st.text())
def test_a_code_is_one_of_the_standards(field: str, text: str) -> None:
    code = standard_code(field, text)
    assert code is None or code in {"1", "2", *_known("ethnicity").values(), *_known("nationality").values()}
