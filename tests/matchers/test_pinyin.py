"""Readings of characters and surnames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import surname
from matchers.pinyin import fuzzy, reading, readings, spell, spellings, split_syllables, syllables


@pytest.mark.parametrize(
    ("family", "read", "also"),
    [
        ("曾", "zeng", "ceng"),
        ("覃", "qin", "tan"),
        ("翟", "zhai", "di"),
        ("单", "shan", "dan"),
        ("解", "xie", "jie"),
        ("缪", "miao", "mou"),
        ("卜", "bu", None),
        ("仇", "qiu", "chou"),
        ("查", "zha", "cha"),
        ("乐", "yue", "le"),
        ("阚", "kan", None),
        ("盖", "ge", "gai"),
        ("朴", "piao", "pu"),
        ("区", "ou", "qu"),
        ("都", "du", None),
        ("薄", "bo", None),
        ("扎", "za", None),
        ("藏", "zang", None),
        ("种", "chong", None),
        ("么", "yao", None),
        ("隗", "wei", "kui"),
        ("员", "yun", None),
        ("六", "lu", None),
        ("折", "she", None),
        ("乜", "nie", None),
        ("秘", "bi", None),
        ("句", "gou", None),
        ("贠", "yun", None),
        ("重", "chong", None),
        ("粘", "nian", None),
        ("不", "fou", None),
        ("能", "nai", None),
        ("佴", "nai", None),
        ("召", "shao", None),
        ("浣", "wan", None),
        ("繁", "po", None),
        ("牟", "mou", "mu"),
        ("华", "hua", None),
        ("任", "ren", None),
        ("宁", "ning", None),
        ("那", "na", None),
        ("冼", "xian", None),
        ("乐正", "yuezheng", None),
        ("万俟", "moqi", None),
        ("尉迟", "yuchi", None),
        ("单于", "chanyu", None),
        ("长孙", "zhangsun", None),
        ("令狐", "linghu", None),
        ("澹台", "tantai", None),
        ("吕", "lv", "lu"),
    ],
)
def test_a_surname_is_read_as_a_surname(family: str, read: str, also: str | None) -> None:
    assert surname.readings(family)[0] == read
    assert also is None or also in surname.readings(family)


@pytest.mark.parametrize(
    ("character", "accepted"),
    [
        ("乐", {"le", "yue"}),
        ("茜", {"qian", "xi"}),
        ("晟", {"sheng", "cheng"}),
        ("朝", {"chao", "zhao"}),
        ("柏", {"bai", "bo"}),
    ],
)
def test_a_given_name_character_keeps_its_other_readings(character: str, accepted: set[str]) -> None:
    assert set(readings(character)) == accepted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhang", "zang"),
        ("chen", "cheng"),
        ("shi", "si"),
        ("nan", "lan"),
        ("ran", "lan"),
        ("hu", "fu"),
        ("fang", "huang"),
        ("ying", "yin"),
        ("xiang", "xian"),
        ("guan", "guang"),
        ("lv", "lu"),
        ("luo", "lo"),
        ("hui", "fei"),
    ],
)
def test_syllables_that_accents_merge_share_a_fold(one: str, other: str) -> None:
    assert fuzzy(one) == fuzzy(other)


@pytest.mark.parametrize(
    ("one", "other"), [("zhang", "jiang"), ("wang", "huang"), ("li", "lu"), ("ma", "ba"), ("gao", "hao")]
)
def test_syllables_that_differ_stay_apart(one: str, other: str) -> None:
    assert fuzzy(one) != fuzzy(other)


def test_the_fold_is_stable_on_every_syllable() -> None:
    assert all(fuzzy(fuzzy(syllable)) == fuzzy(syllable) for syllable in syllables())
    assert len({fuzzy(syllable) for syllable in syllables()}) < len(syllables()) * 0.7


def test_the_syllable_list_is_that_of_the_standard_language() -> None:
    assert 390 <= len(syllables()) <= 420
    assert {"zhuang", "lv", "nve", "er", "a", "e", "xiong"} <= syllables()
    assert not syllables() & {"smith", "ra", "vi", "chan3", "n", "lue3"}


@pytest.mark.parametrize(
    ("letters", "splits"),
    [
        ("xian", (("xian",), ("xi", "an"))),
        ("weiqing", (("wei", "qing"),)),
        ("smith", ()),
        ("", ((),)),
    ],
)
def test_letters_split_into_syllables_in_every_way(letters: str, splits: tuple[tuple[str, ...], ...]) -> None:
    assert split_syllables(letters) == splits


@given(st.lists(st.sampled_from(sorted(syllables())), min_size=1, max_size=4))
def test_a_split_joins_to_its_letters_and_finds_what_was_joined(parts: list[str]) -> None:
    letters = "".join(parts)
    found = split_syllables(letters)
    assert all("".join(split) == letters for split in found)
    assert tuple(parts) in found


@given(st.text(max_size=5))
def test_any_text_can_be_spelled(text: str) -> None:
    assert spell(text) == spellings(text)[0]
    assert len(spellings(text)) <= 4


@pytest.mark.parametrize("junk", ["", "😀", "A", "\ud800", "\x00", "ا", "𠮷"])
def test_a_character_without_a_reading_reads_as_itself_or_a_syllable(junk: str) -> None:
    for character in junk:
        assert reading(character) in syllables() | {character}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("王小明", ("王", "小明")),
        ("欧阳修", ("欧阳", "修")),
        ("司马相如", ("司马", "相如")),
        ("欧阳", ("欧", "阳")),
        ("陈李佳怡", ("陈", "李佳怡")),
        ("爱新觉罗溥仪", ("爱新觉罗", "溥仪")),
        ("扎西次仁", None),
        ("买买提吐尔逊", None),
        ("张", None),
        ("", None),
    ],
)
def test_a_name_splits_after_its_surname(name: str, parts: tuple[str, str] | None) -> None:
    assert surname.split(name) == parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("肖", "萧"),
        ("闫", "阎"),
        ("付", "傅"),
        ("代", "戴"),
        ("兰", "蓝"),
        ("冼", "洗"),
        ("逄", "逢"),
        ("於", "于"),
        ("钟", "锺"),
    ],
)
def test_written_forms_of_a_surname_share_a_class(one: str, other: str) -> None:
    assert surname.variant(one) == surname.variant(other)


@pytest.mark.parametrize(("one", "other"), [("佘", "余"), ("翟", "瞿"), ("覃", "谭"), ("谌", "湛")])
def test_distinct_surnames_that_look_alike_are_confusable_but_not_one(one: str, other: str) -> None:
    assert surname.variant(one) != surname.variant(other)
    assert surname.confusable(one, other)
    assert surname.confusable(other, one)


def test_a_romanised_surname_may_stand_for_several() -> None:
    assert {"黄", "王"} <= set(surname.behind("wong"))
    assert "欧阳" in surname.behind("auyeung")
    assert "张" in surname.behind("zhang")
    assert surname.behind("smith") == ()
