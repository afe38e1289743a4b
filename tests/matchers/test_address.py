"""Addresses: what is read from them, and which ways of writing are one."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matchers.address import Address, mask, standardise

PARTS = {
    "深圳市宝安区新安街道海旺社区N26区海秀路2021号荣超滨海大厦A座21楼2111室": {
        "province": "广东省",
        "city": "深圳市",
        "district": "宝安区",
        "district_code": "440306",
        "street": "新安街道",
        "community": "海旺",
        "plot": "N26区",
        "road": "海秀路",
        "number": "2021",
        "estate": "荣超滨海大厦",
        "building": "A",
        "floor": "21",
        "room": "2111",
        "building_key": "海秀路2021号A栋",
        "estate_key": "荣超滨海大厦A栋",
        "room_key": "海秀路2021号A栋2111",
        "precision": 6,
        "place": "新安街道",
    },
    "宝安71区留仙二路鸿威工业园A栋三楼": {"district_code": "440306", "plot": "71区", "road": "留仙二路", "floor": "3"},
    "石岩街道水田社区第四工业区祝龙田路50号赛联工业园B栋厂房一楼A": {
        "street": "石岩街道",
        "community": "水田",
        "road": "祝龙田路",
        "number": "50",
        "estate": "赛联工业园",
        "building": "B",
        "floor": "1",
        "room": "A",
    },
    "深圳市前海深港合作区前湾一路1号A栋201室(入驻深圳市前海商务秘书有限公司)": {
        "district": None,
        "road": "前湾一路",
        "number": "1",
        "building": "A",
        "room": "201",
        "estate": None,
    },
    "辽宁省大连市沙河口区兴工南五街33号1-33-6": {"number": "33", "unit": "1", "floor": "33", "room": "3306"},
    "辽宁省大连高新技术产业园区凌水镇栾金西街23-2-201号": {"number": "23", "unit": "2", "room": "201"},
    "辽宁省大连市甘井子区革镇堡镇后革村315号": {"street": "革镇堡街道", "community": "后革", "number": "315"},
    "中国（辽宁）自由贸易试验区大连经济技术开发区金窑路38-7-1号1层": {"city": "大连市", "road": "金窑路"},
    "武汉市东西湖区吴家山街五丰街123号(6)": {"street": "吴家山街道", "road": "五丰街", "number": "123"},
    "洪山区狮子山街特一号": {"number": "特1"},
    "武汉市汉阳区老关村绳咀2号": {"community": "老关", "number": "2", "building_key": "绳咀2号"},
    "上海市浦东新区海阳路1065弄17号": {"city": "上海市", "road": "海阳路1065弄", "number": "17"},
    "北京市朝阳区外交部街33号院12号楼底下1层": {"city": "北京市", "number": "33", "building": "12", "floor": "1"},
    "杭州市西湖区文三路8号负1层": {"district": "西湖区", "floor": "-1"},
    "海南省东方市三家镇三家村": {"city": None, "district": "东方市", "district_code": "469007", "street": "三家镇"},
    "东莞市长安镇上新路1240": {"district_code": "441900", "street": "长安镇", "road": "上新路", "number": "1240"},
    "江苏省南京市高淳区淳溪镇石臼湖南路18号2幢三单元": {"street": "淳溪街道", "building": "2", "unit": "3"},
    "湖北省黄冈市浠水县巴河镇调军山村3组12号": {"community": "调军山", "road": "调军山3组", "number": "12"},
}


@pytest.mark.parametrize(("text", "expected"), PARTS.items(), ids=list(PARTS))
def test_an_address_is_read_part_by_part(text: str, expected: dict[str, object]) -> None:
    address = standardise(text)
    assert {name: getattr(address, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "district", "street", "community"),
    [
        ("西乡南昌社区", "440306", "西乡街道", "南昌"),
        ("深圳市宝安区新桥街道黄埔社区", "440306", "新桥街道", "黄埔"),
        ("深圳市宝安区福永街道和平社区", "440306", "福海街道", "和平"),
        ("宝安区福永镇和平村", "440306", "福海街道", "和平"),
        ("宝安区西乡镇黄田村", "440306", "航城街道", "黄田"),
        ("宝安区西乡办事处固戍居委会", "440306", "西乡街道", "固戍"),
        ("宝安縣西鄉鎮固戍村", "440306", "西乡街道", "固戍"),
        ("深圳市光明新区公明街道楼村社区", "440311", "公明街道", "楼村"),
        ("深圳市宝安区光明新区公明办事处合水口社区", "440311", "公明街道", "合水口"),
        ("深圳市宝安区龙华街道清湖社区", "440309", "龙华街道", "清湖"),
        ("深圳市宝安区观澜镇", "440309", "观澜街道", None),
        ("深圳市深圳市宝安区后亭社区", "440306", "沙井街道", "后亭"),
        ("宝安区径贝社区", "440306", None, "径贝"),
        ("宝安区麻布社区", "440306", None, "麻布"),
        ("石岩径贝社区", "440306", "石岩街道", "径贝"),
        ("宝安区西乡街道盐田社区", "440306", "西乡街道", "盐田"),
        ("江西省南昌市西湖区", "360103", None, None),
    ],
)
def test_baoan_comes_first_and_old_streets_are_today_s(
    text: str, district: str, street: str | None, community: str | None
) -> None:
    address = standardise(text)
    assert (address.district_code, address.street, address.community) == (district, street, community)


@pytest.mark.parametrize(
    "text", ["南京东路12号", "宝安大道4018号", "上海路8号", "光明路3号", "西乡大道300号", "福田大厦3楼"]
)
def test_a_road_or_building_named_after_a_place_is_not_in_that_place(text: str) -> None:
    address = standardise(text)
    assert (address.city, address.district, address.street) == (None, None, None)


@pytest.mark.parametrize(
    "group",
    [
        (
            "华丰大厦A座101",
            "华丰大厦A101",
            "华丰大厦A-101",
            "华丰大厦A栋1楼101",
            "华丰大厦Ａ座１０１室",
            "华丰大厦A#101房",
        ),
        ("怡景花园3栋2单元902", "怡景花园叁栋2单元9层2号", "怡景花园3号楼2-9-2", "怡景花园第三幢二单元902室"),
        (
            "广东省深圳市宝安区西乡街道固戍社区宝民二路12号301",
            "宝安区宝民2路12号301室",
            "西乡街道固戍村宝民二路十二号301房",
            "宝民二路12号3楼301(入驻某某有限公司)",
        ),
        ("沙井街道壆岗社区第四工业区三栋201", "宝安区沙井壆岗四工业区3栋201室", "沙井办事处壆岗村第4工业区3幢2楼201"),
        ("友好路101号47层2号", "友好路101号4702", "大连市中山区友好路101号4702室"),
    ],
)
def test_ways_of_writing_one_room_share_its_key(group: tuple[str, ...]) -> None:
    keys = {standardise(text).room_key for text in group}
    assert len(keys) == 1
    assert None not in keys


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("沙井壆岗第四工业区3栋201", "沙井壆岗第三工业区3栋201"),
        ("怡景花园3栋2单元902", "怡景花园3栋1单元902"),
        ("怡景花园宿舍3栋902", "怡景花园3栋902"),
        ("宝民二路12号301", "宝民二路12号之一301"),
        ("宝民二路12号301", "宝民二路甲12号301"),
        ("留仙二路8号1楼A", "留仙二路8号2楼A"),
        ("固戍社区南五巷6号301", "臣田社区南五巷6号301"),
    ],
)
def test_rooms_that_differ_have_different_keys(left: str, right: str) -> None:
    keys = standardise(left).room_key, standardise(right).room_key
    assert None not in keys
    assert keys[0] != keys[1]


def test_a_street_without_its_community_may_be_the_one_split_from_it() -> None:
    assert standardise("宝安区西乡街道宝民二路").streets == ("西乡街道", "航城街道")
    assert standardise("宝安区西乡街道固戍社区").streets == ("西乡街道",)
    assert standardise("宝安区航城街道").streets == ("航城街道",)


def test_a_district_without_a_street_may_be_one_split_from_it() -> None:
    assert standardise("深圳市宝安区宝民二路").districts == ("440306", "440309", "440311")
    assert standardise("深圳市宝安区西乡街道").districts == ("440306",)


def test_only_a_name_that_says_something_makes_a_key() -> None:
    assert standardise("工业区3栋").building_key is None
    assert standardise("水田社区工业区3栋").building_key == "水田工业区3栋"
    assert standardise("南五巷6号").building_key is None


def test_the_unified_house_code_is_found_and_taken_out_of_the_text() -> None:
    code = "4403060020070100012030001"
    address = standardise(f"宝安区西乡街道固戍社区{code}")
    assert (address.house_code, address.room_key) == (code, code)
    assert code not in str(address.text)
    alone = standardise(code)
    assert (alone.text, alone.house_code, alone.district_code, alone.precision) == (None, code, "440306", 6)
    assert standardise("4" + code).house_code is None


@pytest.mark.parametrize("text", [None, "", " ", "　", "无", "不详", "-", "\0", "\ud800", "😀", "(())", "...", "null"])
def test_nothing_gives_the_empty_address(text: str | None) -> None:
    assert standardise(text) == Address()


@pytest.mark.parametrize(
    "text",
    [
        "路" * 10_000,
        "1-" * 5_000,
        "(" * 10_000,
        "西乡" * 5_000,
        "شارع الملك 12",
        "A\0座\ud800101",
        "第第第第",
        "😀号😀栋",
    ],
)
def test_junk_gives_a_value_and_no_error(text: str) -> None:
    address = standardise(text)
    assert address.text is None or len(address.text) <= 200


WORDS = [
    "街道",
    "社区",
    "工业区",
    "大厦",
    "花园",
    "单元",
    "有限公司",
    "大道",
    "宝安",
    "西乡",
    "深圳",
    "南昌",
    "A",
    "B12",
    "3-1-2",
]
SIGNS = "一二三十百第之附与和的内临特甲号栋座幢楼层室房院弄巷路街道区村社镇乡市县省期组里()-7"
FRAGMENTS = st.sampled_from([*WORDS, *SIGNS])


@given(st.one_of(st.text(max_size=60), st.lists(FRAGMENTS, max_size=25).map("".join)))
@example("与路和路")
def test_any_text_gives_values_or_none_and_never_an_empty_text(text: str) -> None:
    address = standardise(text)
    for field in fields(address):
        assert getattr(address, field.name) != ""
    assert 0 <= address.precision <= 6
    if address.room_key and not address.house_code:
        assert address.room_key.startswith(str(address.building_key))


@given(st.lists(FRAGMENTS, max_size=20).map("".join))
def test_the_cleaned_text_is_read_like_the_raw_one(text: str) -> None:
    once = standardise(text)
    again = standardise(once.text)
    assert (again.building_key, again.room_key) == (once.building_key, once.room_key)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("广东省深圳市宝安区西乡街道固戍社区宝民2路12号301", "广东省深圳市宝安区西乡街道***"),
        ("北京市朝阳区外交部街33号", "北京市朝阳区***"),
        ("东方雅苑2座7B", "***"),
        ("", "***"),
    ],
)
def test_a_masked_address_ends_at_the_street(text: str, shown: str) -> None:
    assert mask(text) == shown
