"""Names of persons: what two cells give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level_oracle import assert_levels_agree, row

from matchers.levels import outcome
from matchers.name_likeness import name_likeness
from matchers.name_mask import fits
from matchers.person_name import (
    COMPATIBLE_LEVELS,
    SIBLING_LEVELS,
    FormerNames,
    PersonName,
    lengths_differ,
    levels,
    one_whole_name,
    related,
    standardise,
    standardise_former,
)
from matchers.similarity import SIMILARITIES

LEVELS = levels("n", "f")
TYPES = {"n": PersonName, "f": FormerNames}
KEYS = st.text(st.sampled_from("张章王李伟炜未末建国芳丽"), min_size=1, max_size=6)
NEAR = st.text(st.sampled_from("张章伟炜未末ab 、"), min_size=1, max_size=4)

CASES = [
    ("张伟", "张伟", "exact"),
    ("陳偉", "陈伟", "exact"),
    ("张\ue863", "张䶮", "exact"),
    ("买买提·吐尔逊", "买买提吐尔逊", "exact"),
    ("张堃", "张坤", "variant"),
    ("张喆", "张哲", "variant"),
    ("张方方土", "张堃", "variant"),
    ("肖红梅", "萧红梅", "variant"),
    ("付强", "傅强", "variant"),
    ("阎丽", "闫丽", "variant"),
    ("冼志明", "洗志明", "variant"),
    ("欧杨翠琼", "欧阳翠琼", "confusable"),
    ("於丽", "于丽", "variant"),
    ("John Smith", "SMITH, JOHN", "variant"),
    ("买买提·吐尔逊", "吐尔逊·麦麦提", "variant"),
    ("张伟", "张炜", "homophone"),
    ("张建国", "张健国", "homophone"),
    ("李欣", "李鑫", "homophone"),
    ("张伟", "ZHANG WEI", "homophone"),
    ("张小明", "Zhang Xiaoming", "homophone"),
    ("ZHANG XIAO MING", "Xiaoming Zhang", "homophone"),
    ("张䶮", "张YAN", "homophone"),
    ("张先", "张西安", "different_length"),
    ("曾伟", "CENG WEI", "confusable"),
    ("张伟", "Wei Zhang", "confusable"),
    ("张未", "张末", "confusable"),
    ("张敏", "张明", "confusable"),
    ("王兰", "王南", "confusable"),
    ("佘丽华", "余丽华", "confusable"),
    ("翟志强", "瞿志强", "confusable"),
    ("黄建国", "王建国", "confusable"),
    ("张国建", "张建国", "confusable"),
    ("JONATHAN SMITH", "JONATHON SMITH", "confusable"),
    ("JOHN SMITH", "JOHN PAUL SMITH", "confusable"),
    ("阿依古丽·买买提", "阿依古丽", "confusable"),
    ("买买提·阿依古丽", "阿依古丽", "one_character"),
    ("帕提古丽·帕提古丽", "帕提古丽", "one_character"),
    ("张*", "张小明", "masked_compatible"),
    ("张某某", "张小明", "masked_compatible"),
    ("张*明", "张小明", "masked_compatible"),
    ("*小明", "张小明", "masked_compatible"),
    ("王女士", "王丽", "masked_compatible"),
    ("张*", "张某", "masked_compatible"),
    ("张\ue5e5", "张䶮", "masked_compatible"),
    ("张建国", "张建军", "one_character"),
    ("张建国", "张国", "one_character"),
    ("陈方安生", "方安生", "one_character"),
    ("张伟", "张亮", "same_surname"),
    ("张*丽", "张小明", "same_surname"),
    ("王伟", "黄伟", "different"),
    ("CHEUNG KA FAI", "张家辉", "same_surname"),
    ("张伟", "李娜", "different"),
    ("张伟", "李伟", "different"),
    ("张伟", "John Smith", "different"),
    ("*明", "张*", "different"),
    ("张三、李四", "张三", "different"),
    ("张伟", "无", "missing"),
]


def names(left: str, right: str) -> tuple[dict[str, object], dict[str, object]]:
    nobody = FormerNames()
    return row(n=standardise(left), f=nobody), row(n=standardise(right), f=nobody)


@pytest.mark.parametrize(("left", "right", "level"), CASES)
def test_two_names_compare_as_expected(left: str, right: str, level: str) -> None:
    a, b = names(left, right)
    found = outcome(LEVELS, a, b).name
    if level == "different_length":
        assert found not in ("homophone", "exact", "variant")
    else:
        assert found == level
    assert outcome(LEVELS, b, a).name == found


@pytest.mark.parametrize(
    ("left", "left_former", "right", "right_former", "level"),
    [
        ("王芳", None, "王静", "王芳；王小芳", "former"),
        ("王芳", "王丫", "王静", "王丫", "former"),
        ("王芳", "王丫", "王静", None, "same_surname"),
        ("王芳", "王静", "王芳", None, "exact"),
    ],
)
def test_a_former_name_counts_on_either_side(
    left: str, left_former: str | None, right: str, right_former: str | None, level: str
) -> None:
    a = row(n=standardise(left), f=standardise_former(left_former))
    b = row(n=standardise(right), f=standardise_former(right_former))
    assert outcome(LEVELS, a, b).name == outcome(LEVELS, b, a).name == level


def test_the_batch_and_one_pair_agree_on_every_level() -> None:
    texts = sorted({text for left, right, _ in CASES for text in (left, right)} | {"王芳", "王静"})
    rows = [row(n=standardise(t), f=standardise_former("王静" if t == "王芳" else None)) for t in texts]
    assert assert_levels_agree(LEVELS, rows, TYPES) == {level.name for level in LEVELS}


def test_without_former_names_there_is_no_such_level() -> None:
    assert [level.name for level in levels("n")] == [level.name for level in LEVELS if level.name != "former"]
    assert not any("former" in (level.condition.sql(str, str) if level.condition else "") for level in levels("n"))


@pytest.mark.parametrize(("left", "right", "level"), CASES)
def test_related_names_are_those_of_a_compatible_level(left: str, right: str, level: str) -> None:
    a, b = names(left, right)
    assert related("n", "f").holds(a, b) == (outcome(LEVELS, a, b).name in COMPATIBLE_LEVELS)


def test_a_former_name_alone_relates_nobody() -> None:
    a, b = (
        row(n=standardise(None), f=standardise_former("王芳")),
        row(n=standardise("李娜"), f=standardise_former("王芳")),
    )
    assert outcome(LEVELS, a, b).name == "missing"
    assert not related("n", "f").holds(a, b)


@pytest.mark.parametrize(
    ("left", "right", "longer", "whole"),
    [
        ("毛红", "毛红梅", True, True),
        ("毛红梅", "毛红霞", False, True),
        ("毛红梅", "Mao Hongmei", False, True),
        ("毛*", "毛红梅", False, True),
        ("毛*", "毛**", False, False),
        ("毛*", None, False, True),
        ("毛红", None, False, True),
    ],
)
def test_checks_of_two_names(left: str, right: str | None, longer: bool, whole: bool) -> None:
    a, b = (row(n=standardise(text), f=FormerNames()) for text in (left, right))
    assert (lengths_differ("n").holds(a, b), lengths_differ("n").holds(b, a)) == (longer, longer)
    assert (one_whole_name("n").holds(a, b), one_whole_name("n").holds(b, a)) == (whole, whole)


def test_the_exported_level_names_exist() -> None:
    known = {level.name for level in LEVELS}
    assert known >= COMPATIBLE_LEVELS
    assert known >= SIBLING_LEVELS


@pytest.mark.parametrize(
    ("elder", "younger"),
    [("张建国", "张建军"), ("李小红", "李小兰"), ("王晓明", "王晓亮"), ("陈伟", "陈强"), ("刘思雨", "刘思远")],
)
def test_siblings_are_not_compatible(elder: str, younger: str) -> None:
    found = outcome(LEVELS, *names(elder, younger)).name
    assert found in SIBLING_LEVELS
    assert found not in COMPATIBLE_LEVELS


def test_every_level_with_a_frequency_implies_equality_in_it() -> None:
    rows = [row(n=standardise(text), f=FormerNames()) for left, right, _ in CASES for text in (left, right)]
    for a in rows:
        for b in rows:
            level = outcome(LEVELS, a, b)
            if level.term_frequency is not None:
                assert a[level.term_frequency] == b[level.term_frequency] is not None


@given(KEYS, KEYS)
def test_likeness_is_symmetric_and_one_of_three_values(left: str, right: str) -> None:
    found = name_likeness(left, right)
    assert found == name_likeness(right, left)
    assert found in (0.0, 0.5, 1.0)


@given(KEYS)
def test_a_name_is_most_like_itself(name: str) -> None:
    assert name_likeness(name, name) == 1.0


@given(st.text("AB C", max_size=12), st.text("AB C", max_size=12))
def test_likeness_of_latin_names_is_symmetric(left: str, right: str) -> None:
    assert name_likeness(left, right) == name_likeness(right, left)


@given(st.text("张小明*", max_size=6), st.text("张小明*", max_size=6))
def test_fitting_is_symmetric(left: str, right: str) -> None:
    assert fits(left, right) == fits(right, left)


@given(st.text("张小明", min_size=2, max_size=4), st.data())
def test_a_name_fits_its_own_mask(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    masked = name[:at] + "*" + name[at + 1 :]
    assert fits(masked, name) == 1.0


@given(st.lists(st.tuples(KEYS | NEAR, KEYS | NEAR), max_size=8))
def test_columns_of_names_are_as_alike_as_each_pair_of_them(pairs: list[tuple[str, str]]) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    assert SIMILARITIES["gy_name_alike"].many(left, right).tolist() == [name_likeness(a, b) for a, b in pairs]
