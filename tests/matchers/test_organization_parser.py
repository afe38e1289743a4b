from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.organization_notes import take_notes
from matchers.organization_parser import parse
from matchers.organization_places import place_at, read_region, region_of
from matchers.organization_sound import sound, sound_key
from matchers.organization_text import REFERENCE, clean, digits, han_number, is_resident_id, is_uscc
from matchers.organization_vocabulary import FORMS, TRADES, ending, is_person_like, trade_start

KINDS = {
    "company",
    "partnership",
    "individual_business",
    "cooperative",
    "institution",
    "social",
    "village_collective",
    "other",
}
texts = st.text(
    alphabet=st.characters() | st.sampled_from("深圳宝安东莞鸿达电子科技有限公司第一二分店厂()集团"), max_size=60
)


@given(texts)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert once is None or clean(once) == once


@given(texts)
def test_a_name_without_brackets_loses_no_character(text: str) -> None:
    cleaned = clean(text)
    if cleaned is None or set("():") & set(cleaned):
        return
    parts = parse(cleaned)
    if not cleaned.startswith(parts.place) or parts.form_text not in cleaned:
        return  # a slip was mended
    kept = parts.place + parts.brand + parts.trade + parts.form_text + parts.branch_text
    assert set(kept) <= set(cleaned)
    assert len(kept) <= len(cleaned)


@given(st.integers(0, 99))
def test_a_number_reads_back_as_it_was_written(value: int) -> None:
    assert digits(han_number(value)) == digits(str(value)) == str(value)


@pytest.mark.parametrize("number", ["甲", "", "十十", "一十二三", "壹"])
def test_what_is_no_number_has_no_digits(number: str) -> None:
    assert digits(number) is None


@pytest.mark.parametrize(
    ("text", "shorts", "code"),
    [
        ("深圳市宝安区西乡街道办事处", ["深圳", "宝安", "西乡"], "440306"),
        ("深圳宝安石岩应人石鸿达厂", ["深圳", "宝安", "石岩", "应人石"], "440306"),
        ("广东省东莞市鸿达厂", ["广东", "东莞"], "4419"),
        ("中国鸿达", ["中国"], None),
        ("大连经济技术开发区鸿达厂", ["大连", "开发区"], "2102"),
        ("天津新技术产业园区鸿达", ["天津", "高新区"], "12"),
        ("内蒙古自治区包头市鸿达", ["内蒙古", "包头"], "1502"),
        ("雅安市政工程", ["雅安"], "5118"),
        ("前海鸿达", [], None),
        ("东方鸿达", [], None),
        ("东方市鸿达", ["东方"], "469007"),
        ("龙岗鸿达", ["龙岗"], "440307"),
        ("重庆渝北鸿达", ["重庆", "渝北"], "500112"),
    ],
)
def test_the_places_at_the_start_are_read(text: str, shorts: list[str], code: str | None) -> None:
    steps = read_region(text)
    assert [step.short for step in steps] == shorts
    assert region_of(steps).code == code


def test_a_repeated_community_name_is_read_under_its_own_street() -> None:
    names = ("深圳市宝安区西乡麻布鸿达", "深圳市宝安区石岩麻布鸿达")
    assert [region_of(read_region(name)).text for name in names] == ["深圳宝安西乡麻布", "深圳宝安石岩麻布"]


def test_a_region_has_one_text_however_much_of_it_is_written() -> None:
    written = ("广东省深圳市宝安区", "深圳市宝安区", "深圳宝安", "宝安区", "宝安")
    assert {region_of(read_region(text)).text for text in written} == {"深圳宝安"}


def test_a_place_inside_a_name_is_found_where_it_stands() -> None:
    place = place_at("德安咨询深圳", 4)
    assert place is not None
    assert (place.end, place.code) == (6, "4403")
    assert place_at("德安咨询深圳", 0) is None


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("毅达电子设备", 2),
        ("电子设备", 0),
        ("毅达", 2),
        ("科微电子系统集成", 2),
        ("锦电子", 1),
        ("世纪星空调", 3),
        ("", 0),
    ],
)
def test_the_trade_is_the_longest_run_of_trade_words_that_leaves_a_brand(text: str, start: int) -> None:
    assert trade_start(text) == start


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("张三小吃店", "店"),
        ("晨光大酒店", "大酒店"),
        ("宁翔种植专业合作社", "专业合作社"),
        ("怀德社区居委会", "居民委员会"),
    ],
)
def test_the_longest_form_ends_a_name(text: str, form: str) -> None:
    found = ending(text)
    assert found is not None
    assert found[1].form == form


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("李小四", True),
        ("欧阳小四", True),
        ("张三店", False),
        ("鸿达", False),
        ("LI", False),
        ("李小四五六", False),
        ("", False),
    ],
)
def test_a_persons_name_is_recognised_by_its_surname_and_length(text: str, like: bool) -> None:
    assert is_person_like(text) is like


@pytest.mark.parametrize(
    ("text", "name", "attribute", "value"),
    [
        ("鸿达店(已注销)", "鸿达店", "status", "注销"),
        ("鸿达店(张小三", "鸿达店", "operator", "张小三"),
        ("鸿达(集团)有限公司", "鸿达有限公司", "group", True),
        ("鸿达厂(普通合伙)", "鸿达厂", "kind", "partnership"),
        ("鸿达有限公司(筹)", "鸿达有限公司", "status", None),
        ("鸿达厂(现更名为深圳市新鸿达厂)", "鸿达厂", "former", ("深圳市新鸿达厂",)),
        ("鸿达职工培训中心(鸿达公司党校)", "鸿达职工培训中心", "former", ("鸿达公司党校",)),
        ("鸿达(电子)有限公司", "鸿达电子有限公司", "former", ()),
        ("原野食品店", "原野食品店", "former", ()),
    ],
)
def test_brackets_are_read_for_what_they_say(text: str, name: str, attribute: str, value: object) -> None:
    notes = take_notes(text)
    assert notes.name == name
    assert getattr(notes, attribute) == value


def test_codes_are_told_from_personal_numbers() -> None:
    assert is_uscc("91440300192203821J")
    assert not is_uscc("440306199001011234")
    assert is_resident_id("440306199001011234")


@given(st.text("鸿宏洪泓鑫新欣信兴盛圣晟", max_size=6), st.text("鸿宏洪泓鑫新欣信兴盛圣晟", max_size=6))
def test_equal_sounds_have_equal_keys(left: str, right: str) -> None:
    if sound(left) == sound(right):
        assert sound_key(left) == sound_key(right)
    assert sound(left + right) == sound(left) + sound(right)


def test_the_reference_lists_are_read_whole_and_say_where_they_come_from() -> None:
    assert {form.use for form in FORMS.values()} == {"head", "strip", "keep"}
    assert {form.kind for form in FORMS.values()} <= KINDS
    assert len(TRADES) > 2500
    for path in sorted(REFERENCE.glob("organization_*")):
        assert path.read_text(encoding="utf-8").startswith("# ")
        assert "icence" in path.read_text(encoding="utf-8")[:500]
