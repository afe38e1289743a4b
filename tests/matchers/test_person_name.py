"""Names of persons: what one cell gives."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.person_name import FormerNames, PersonName, former_names, mask, standardise, standardise_former

SURNAMES = "王李张刘陈曾单覃翟吕肖付解区欧黄余"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英乐晟朝"
NAMES = st.builds(
    lambda s, g: s + g, st.sampled_from(SURNAMES), st.text(st.sampled_from(GIVEN), min_size=1, max_size=2)
)


@pytest.mark.parametrize(
    ("text", "key", "pinyin"),
    [
        ("张伟", "张伟", "zhang wei"),
        ("张 伟", "张伟", "zhang wei"),
        ("张　伟", "张伟", "zhang wei"),
        ("陳大文", "陈大文", "chen dawen"),
        ("張\ue863", "张䶮", "zhang yan"),
        ("曾志强", "曾志强", "zeng zhiqiang"),
        ("单雄", "单雄", "shan xiong"),
        ("欧阳修", "欧阳修", "ouyang xiu"),
        ("诸葛 孔明", "诸葛孔明", "zhuge kongming"),
        ("吕伟", "吕伟", "lv wei"),
        ("於丽", "於丽", "yu li"),
        ("張\U000e0100伟", "张伟", "zhang wei"),
        ("张伟先生", "张伟", "zhang wei"),
        ("张伟（户主）", "张伟", "zhang wei"),
        ("张伟(已故)", "张伟", "zhang wei"),
        ("姓名：张伟", "张伟", "zhang wei"),
        ("户主:张伟", "张伟", "zhang wei"),
        ("“张伟”", "张伟", "zhang wei"),
        ("张伟1", "张伟", "zhang wei"),
        ("张·伟", "张伟", "zhang wei"),
        ("CHAN TAI MAN (陳大文)", "陈大文", "chen dawen"),
        ("陈大文 CHAN TAI MAN", "陈大文", "chen dawen"),
        ("买买提·吐尔逊", "买买提吐尔逊", "maimaitituerxun"),
        ("买买提•吐尔逊", "买买提吐尔逊", "maimaitituerxun"),
        ("买买提．吐尔逊", "买买提吐尔逊", "maimaitituerxun"),
        ("买买提吐尔逊", "买买提吐尔逊", "maimaitituerxun"),
        ("ZHANG WEI", "ZHANG WEI", "zhang wei"),
        ("Zhang Xiao-Ming", "ZHANG XIAO MING", "zhang xiaoming"),
        ("Xiaoming ZHANG", "XIAOMING ZHANG", "zhang xiaoming"),
        ("Wei ZENG", "WEI ZENG", "zeng wei"),
        ("ZHANGWEI", "ZHANGWEI", "zhang wei"),
        ("OUYANG XIU", "OUYANG XIU", "ouyang xiu"),
        ("OU YANG XIU", "OU YANG XIU", "ouyang xiu"),
        ("LÜ WEI", "LV WEI", "lv wei"),
        ("LYU WEI", "LV WEI", "lv wei"),
        ("张YAN", "张YAN", "zhang yan"),
        ("NEI TIANCHENG", "NEI TIANCHENG", "nei tiancheng"),
        ("John Smith", "JOHN SMITH", None),
        ("Müller, Jürgen", "MULLER JURGEN", None),
        ("O'Brien", "OBRIEN", None),
        ("MR. JOHN SMITH", "JOHN SMITH", None),
        ("JOHN X SMITH", "JOHN X SMITH", None),
        ("Łukasz Østergård", "LUKASZ OSTERGARD", None),
        ("Иван Петров", "ИВАН ПЕТРОВ", None),
    ],
)
def test_a_cell_gives_a_key_and_a_reading(text: str, key: str, pinyin: str | None) -> None:
    name = standardise(text)
    assert (name.key, name.pinyin) == (key, pinyin)


@pytest.mark.parametrize(
    ("dot"),
    ["·", "•", "‧", "・", "･", "∙", "⋅", "●", "▪", "᛫", "﹒", "．", ".", "。", "․", "\u0387", "–", "—", "-", "'", " "],
)
def test_every_separator_of_transliterated_names_is_one(dot: str) -> None:
    name = standardise(f"阿依古丽{dot}买买提")
    assert (name.key, name.tokens) == (standardise("阿依古丽·买买提").key, standardise("阿依古丽·买买提").tokens)
    assert name.surname is None


def test_segments_of_transliterated_names_count_in_any_order() -> None:
    assert standardise("买买提·吐尔逊").canon == standardise("吐尔逊·麦麦提").canon
    assert standardise("买买提·吐尔逊").key != standardise("吐尔逊·买买提").key


@pytest.mark.parametrize(
    ("text", "pattern", "surname"),
    [
        ("张*", "张*", "张"),
        ("张**", "张**", "张"),
        ("张＊", "张*", "张"),
        ("张某", "张*", "张"),
        ("张某某", "张**", "张"),
        ("张某甲", "张*", "张"),
        ("张XX", "张**", "张"),
        ("张×", "张*", "张"),
        ("张?伟", "张*伟", "张"),
        ("张□伟", "张*伟", "张"),
        ("张〇", "张*", "张"),
        ("欧阳*", "欧阳*", "欧阳"),
        ("*三", "*三", None),
        ("张*三", "张*三", "张"),
        ("王女士", "王*", "王"),
        ("欧阳先生", "欧阳*", "欧阳"),
        ("王女士 13912345671", "王*", "王"),
        ("王", "王*", "王"),
        ("张Y", "张*", "张"),
    ],
)
def test_a_masked_name_is_a_pattern_without_a_key(text: str, pattern: str, surname: str | None) -> None:
    name = standardise(text)
    assert (name.pattern, name.surname) == (pattern, surname)
    assert name.key is name.canon is name.pinyin is name.length is None


@pytest.mark.parametrize(
    ("text", "key", "pattern"),
    [
        ("张\ufffd明", None, "张\ufffd明"),
        ("张\ufffd?小明", None, "张\ufffd小明"),
        ("?\ufffd\ufffd张小明", None, "\ufffd张小明"),
        ("张小明\ufffd", None, "张小明\ufffd"),
        ("张小明\ufffd(户主)", None, "张小明\ufffd"),
        ("张\ufffd", None, "张\ufffd"),
        ("张*\ufffd", None, "张*\ufffd"),
        ("\ufffd", None, None),
        ("张烫烫小明", "张小明", None),
        ("屯屯张小明", "张小明", None),
    ],
)
def test_a_name_that_lost_a_character_is_what_is_left_and_what_it_may_have_been(
    text: str, key: str | None, pattern: str | None
) -> None:
    name = standardise(text)
    assert (name.key, name.pattern) == (key, pattern)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("HU WEI DONG(户主)", "HU WEI DONG"),
        ("Andrew Park（本人）", "ANDREW PARK"),
        ("张小明test", "张小明"),
        ("张小明 #N/A", "张小明"),
        ("张小明NULL", "张小明"),
        ("张三丰和李四光", "张三丰、李四光"),
        ("张三&李四", "张三、李四"),
        ("李和平", "李和平"),
    ],
)
def test_words_of_another_script_beside_a_name_are_told_from_it(text: str, key: str) -> None:
    assert standardise(text).key == key


@pytest.mark.parametrize(
    "text", ["宝安区福永街道12号", "深圳市某某科技有限公司", "ABC TRADING LIMITED", "张三之妻", "总经理"]
)
def test_a_place_a_firm_and_somebody_else_are_nobody(text: str) -> None:
    assert standardise(text) == PersonName()


def test_a_character_only_its_source_can_print_is_kept_and_may_be_any_other() -> None:
    name = standardise("张\ue5e5")
    assert (name.key, name.pattern) == ("张\ue5e5", "张*")


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("曾伟", {"zeng wei", "ceng wei"}),
        ("单晟", {"shan sheng", "shan cheng", "dan sheng", "dan cheng"}),
        ("陈李佳怡", {"chen lijiayi", "chenli jiayi"}),
        ("Wei Zhang", {"wei zhang", "zhang wei"}),
        ("吕伟", {"lv wei", "lu wei"}),
    ],
)
def test_readings_hold_what_other_systems_stored(text: str, readings: set[str]) -> None:
    assert set(standardise(text).readings) == readings


@pytest.mark.parametrize(
    ("text", "surnames"),
    [
        ("萧红", {"肖"}),
        ("陈方安生", {"陈", "陈方", "方"}),
        ("方安生", {"方"}),
        ("CHEUNG KA FAI", {"张", "章", "蒋"}),
        ("John Smith", set()),
    ],
)
def test_a_name_is_filed_under_every_surname_it_may_have(text: str, surnames: set[str]) -> None:
    assert set(standardise(text).surnames) == surnames


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("张伟", "han"),
        ("ZHANG WEI", "latin"),
        ("张YAN", "mixed"),
        ("김철수", "other"),
        ("محمد", "other"),
        ("Ωmega", "other"),
    ],
)
def test_the_script_is_told(text: str, script: str) -> None:
    assert standardise(text).script == script


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "无",
        "暂无",
        "未知",
        "null",
        "N/A",
        "-",
        "***",
        "某某",
        "😀",
        "\x00",
        "\ud800",
        "123",
        "()",
        "先生",
        "张" * 10_000,
        "a",
    ],
)
def test_fillers_and_junk_are_nobody(text: str | None) -> None:
    assert standardise(text) == PersonName()


@given(st.text(max_size=30))
def test_no_text_raises_and_missing_is_none(text: str) -> None:
    name = standardise(text)
    assert all(getattr(name, field.name) != "" for field in fields(name))
    assert len(name.readings) <= 6
    assert (name.key is None and name.pattern is None) == (name == PersonName())


@given(NAMES)
def test_a_key_standardises_to_itself(text: str) -> None:
    name = standardise(text)
    assert name.key is not None
    assert standardise(name.key).key == name.key
    assert name.length == len(name.key)
    assert name.pinyin == name.readings[0]


@given(NAMES)
def test_a_chinese_name_meets_its_pinyin_in_either_order(text: str) -> None:
    name = standardise(text)
    assert name.surname_pinyin is not None
    assert name.given_pinyin is not None
    west = standardise(f"{name.given_pinyin} {name.surname_pinyin}".title())
    east = standardise(f"{name.surname_pinyin} {name.given_pinyin}".upper())
    assert name.pinyin in west.readings
    assert name.pinyin in east.readings


@given(
    NAMES,
    st.sampled_from(
        ["{}先生", " {} ", "{}（户主）", "姓名:{}", "{}·", "{}-租客", "{} 13800000000", "{}电话138****0000", "户主-{}"]
    ),
)
def test_dress_does_not_change_a_name(text: str, dress: str) -> None:
    assert standardise(dress.format(text)).key == standardise(text).key


def test_several_people_in_a_cell_equal_neither() -> None:
    name = standardise("张三、李四")
    assert name.key == "张三、李四"
    assert name.surname is None
    assert name.pinyin is None


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("张三;李四", ("张三", "李四")),
        ("張三；李四、王五", ("张三", "李四", "王五")),
        ("张三,李四", ("张三", "李四")),
        ("SMITH, JOHN;张三", ("SMITH JOHN", "张三")),
        ("曾用名:张三", ("张三",)),
        ("张三；张 三", ("张三",)),
        ("无", ()),
        ("张*", ()),
        (None, ()),
        ("", ()),
        ("张" * 10_000, ()),
        ("\ud800；\x00", ()),
    ],
)
def test_former_names_are_a_list_of_keys(text: str | None, keys: tuple[str, ...]) -> None:
    assert standardise_former(text) == FormerNames(keys)


def test_former_names_as_written_keep_their_dress() -> None:
    assert former_names("張三； 李四 ") == ("張三", "李四")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("张伟", "张*"),
        ("张建国", "张**"),
        ("欧阳明明", "欧阳**"),
        ("John Smith", "J*** S****"),
        ("买买提·吐尔逊", "买**·吐**"),
        ("张某", "张*"),
        ("暂无", "*"),
        ("", ""),
        ("😀", "*"),
    ],
)
def test_a_mask_shows_the_surname_alone(value: str, shown: str) -> None:
    assert mask(value) == shown


@given(NAMES)
def test_a_mask_never_shows_the_given_name(text: str) -> None:
    assert mask(text) == text[0] + "*" * (len(text) - 1)
