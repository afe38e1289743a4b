"""What stands beside or in place of a person's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.name_notes import WORDS, alone, is_place, is_relative, is_whole, without_numbers

NAMES = ["王明", "王小明", "欧阳明", "欧阳小明", "陈李小明"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", sorted(WORDS["role"]))
@pytest.mark.parametrize("between", ["", "-", " ", "—", "/"])
def test_a_role_behind_a_whole_name_is_cut(name: str, word: str, between: str) -> None:
    assert alone(f"{name}{between}{word}") == (name, False)


@pytest.mark.parametrize("name", ["王", "欧阳", *NAMES])
@pytest.mark.parametrize("word", sorted(WORDS["after"]))
def test_a_form_of_address_is_cut_from_a_name_and_from_a_surname(name: str, word: str) -> None:
    assert alone(name + word) == (name, True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("王总", ("王", True)),
        ("王明总", ("王明", True)),
        ("王明董事长兼总经理", ("王明", True)),
        ("王明-已离职", ("王明", False)),
        ("王明-现业主", ("王明", False)),
        ("王明,男", ("王明", False)),
        ("王明-代", ("王明", False)),
        ("王明-承运人-已迁走的人", ("王明", False)),
        ("王明/宝安区福永街道", ("王明", False)),
        ("王明 原名李小红", ("王明", False)),
        ("王明曾用名李小红", ("王明", False)),
        ("阿依古丽·买买提-租客", ("阿依古丽·买买提", False)),
    ],
)
def test_notes_are_cut_to_the_name(text: str, name: tuple[str, bool]) -> None:
    assert alone(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "王小总管",
            "王经",
            "老王",
            "总政",
            "郭保安",
            "陈学生",
            "刘法人",
            "陈妹妹",
            "李新村",
            "王小路",
            "张路",
            "方代",
            "李胜 男",
        ),
        *(
            "张 建 新",
            "欧阳 小方",
            "张三 李方",
            "阿依古丽·买买提",
            "托合提-艾力",
            "扎西次仁",
            "上官明室",
            "王羲之",
            "王之子",
            "欧阳之女",
        ),
        *("顾炎之", "John Smith", "阿卜杜热合曼·买买提明", "新疆路易斯", "张*", "欧阳*明"),
    ],
)
def test_what_may_be_a_name_is_kept_whole(text: str) -> None:
    assert alone(text) == (text, False)


@pytest.mark.parametrize(
    "text",
    [
        "王明之妻",
        "王明之子",
        "王小明的母亲",
        "王的母亲",
        "欧阳明之女",
        "王小明家属",
        "王小明妈妈",
        "王明妻子",
        "陈小明弟弟",
    ],
)
def test_a_relative_of_a_name_does_not_bear_it(text: str) -> None:
    assert is_relative(text)
    assert alone(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "福永街道",
            "福永社区",
            "兴围新村",
            "宝安区福永街道12号",
            "兴围村12号",
            "福永兴围新路二号一一幢一二零八",
            "小明五金店",
        ),
        *("明明科技有限公司", "宝安区人民医院", "小明烟酒商行", "新安派出所", "总经理", "副经理", "租客", "妻子"),
        *("ABC TRADING LIMITED", "Some Company LLC"),
    ],
)
def test_a_place_an_organisation_and_a_note_alone_name_nobody(text: str) -> None:
    assert alone(text) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("王小明13800000000", "王小明"),
        ("王小明 138-0000-0000", "王小明"),
        ("13800000000王小明", "王小明"),
        ("王小明 44030119900101123X", "王小明"),
        ("王小明 440301199001XXXXXX", "王小明"),
        ("王小明 440301-19900101-123X", "王小明"),
        ("王小明电话138****0000", "王小明"),
        ("王小明 身份证号:440301199001011234", "王小明"),
        ("王小明 尾号012345", "王小明"),
        ("王小明 X0123456", "王小明"),
        ("王小明 13800000000#2", "王小明"),
        ("王小明2", "王小明2"),
        ("王X", "王X"),
        ("王小明 #N/A", "王小明"),
    ],
)
def test_numbers_glued_to_a_name_are_cut(text: str, left: str) -> None:
    assert without_numbers(text) == left


@given(st.text(max_size=20))
def test_no_text_raises(text: str) -> None:
    found = alone(without_numbers(text)) if without_numbers(text) else None
    assert found is None or isinstance(found[0], str)
    assert is_place(text) in (True, False)
    assert is_relative(text) in (True, False)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=3))
def test_names_of_two_and_three_characters_are_no_places(text: str) -> None:
    assert not is_place(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        *(("王明", True), ("王小明", True), ("欧阳明", True), ("陈李小明", True)),
        *(("租客", False), ("王", False), ("王明a", False), ("王小明明明", False), ("欧阳", False), ("", False)),
    ],
)
def test_a_whole_name_has_a_known_surname(text: str, whole: bool) -> None:
    assert is_whole(text) is whole
