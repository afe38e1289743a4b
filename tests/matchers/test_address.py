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


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("三零一，A座，宝民二路12号，固戍社区，西乡街道，宝安区，深圳市，快递放门卫", "宝民二路12号A栋301"),
        ("102，之二壹方大厦A栋，沙浦路145号，红星社区，松岗街道", "沙浦路145-2号A栋102"),
        ("104，1号，蚝二村五区", "蚝二5区1栋104"),
        ("1楼106，居委会民治村十四坊3号，民治社区，民治镇，龙华区，深圳市", "民治14坊3栋106"),
        ("105室广东省深圳市龙华区观湖街道润城社区润城村十巷17号", "润城10巷17号105"),
        ("518000703室广东省深圳市宝安区新安街道上合新路62号宗泰工业城A栋厂房", "上合新路62号A栋703"),
        ("之一407燕罗街道塘下涌社区塘下涌村一区47号", "塘下涌1区47-1栋407"),
        ("泰安公馆5#703宝安区石岩街道办事处上下屋黎光新路290号", "黎光新路290号5栋703"),
        ("Shenzhen 宝安区沙井蚝四村四巷10号107房", "蚝四4巷10号107"),
        ("518000宝安区福永凤凰南路253号106房", "凤凰南路253号106"),
        ("宝安区福永凤凰南路253号106房518000", "凤凰南路253号106"),
        ("中国广东深圳市宝安区沙井镇和一社区居委会和一村四坊2号6楼604", "和一4坊2栋604"),
        ("宝安区，西乡街道，宝民二路12号，301、302", "宝民二路12号301"),
        ("宝民二路12号301深圳市某某科技有限公司", "宝民二路12号301"),
        ("Room 301, Building A, 宝民二路12号, 宝安区", "宝民二路12号A栋301"),
        ("Rm 301, 3/F, Block A, 宝民二路12号", "宝民二路12号A栋301"),
        ("宝安区宝民二路 No.12 Tower A Floor 3 Unit 301", "宝民二路12号A栋301"),
    ],
)
def test_an_address_in_another_order_is_read_like_one_in_the_usual_order(text: str, key: str) -> None:
    assert standardise(text).room_key == key


def test_an_english_address_shows_its_numbers_and_no_key() -> None:
    address = standardise("Room 301, Building A, No.12 Baomin 2nd Road, Xixiang, Baoan District, Shenzhen")
    assert (address.building, address.room, address.building_key) == ("A", "301", None)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("西乡街道永丰社区共乐路172号301楼下有超市", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301一楼商铺", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301近菜市场", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301室工业区门口", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301室联系电话13800000000", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301李雷收13800000000", "共乐路172号301"),
        ("西乡街道永丰社区共乐路172号301，请放门卫处", "共乐路172号301"),
        ("西乡街道共乐路一七二号三楼三零一", "共乐路172号301"),
        ("西乡街道共乐路一七二号之二三零一室", "共乐路172-2号301"),
        ("西乡街道共乐路一号之一八楼八零八", "共乐路1-1号808"),
        ("西乡街道共乐路三三号六零三室", "共乐路33号603"),
    ],
)
def test_notes_at_the_end_and_numbers_read_digit_by_digit_do_not_hide_the_room(text: str, key: str) -> None:
    assert standardise(text).room_key == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("星湖路18号1-9层5号", "星湖路18号1单元905"),
        ("月影街5号2-1层2室", "月影街5号2单元102"),
        ("星湖大道13号B栋2-3-4层1室", "星湖大道13号B栋2单元401"),
        ("星湖路6号1栋B-12层1207房", "星湖路6号1栋B单元1207"),
        ("月影街27号A座1单元38-8号", "月影街27号A栋1单元3808"),
        ("星湖路36号A2003室", "星湖路36号A栋2003"),
        ("星湖路36号A2-203室", "星湖路36号A2栋203"),
        ("星湖大厦2幢10层10号房A3", "星湖大厦2栋10层10A3"),
        ("月影路41号103-4室", "月影路41号103-4"),
        ("径贝南路58号厂房605", "径贝南路58号605"),
    ],
)
def test_a_label_with_a_dash_is_unit_floor_and_room(text: str, key: str) -> None:
    assert standardise(text).room_key == key


def test_a_range_of_floors_is_no_floor_and_a_cut_room_is_no_room() -> None:
    assert (standardise("宝民二路8号1-3层").floor, standardise("宝民二路8号1-3层").room) == (None, None)
    assert standardise("裕丰花园9座6").room is None
    assert standardise("月影小区5号公建4号").building_key == "月影小区5栋"


@pytest.mark.parametrize(
    ("text", "city", "district"),
    [
        ("深训市宝安区西乡街道", "深圳市", "宝安区"),
        ("圳市宝安区西乡街道", "深圳市", "宝安区"),
        ("深圳市宝区西乡街道", "深圳市", "宝安区"),
        ("达连市甘井子区星湖广场1号", "大连市", "甘井子区"),
        ("江西省抚州地区临川市上顿渡镇", "抚州市", "临川区"),
        ("江西省赣州市地区赣县梅林镇", "赣州市", "赣县区"),
        ("四川省达县地区渠县清溪乡", "达州市", "渠县"),
        ("辽宁省大连庄河大营镇", "大连市", "庄河市"),
        ("南通镇石塘村", "福州市", "闽侯县"),
        ("广东省韶关市阳山县青莲镇", "韶关市", None),
        ("红星镇石塘村", None, None),
    ],
)
def test_a_misread_or_former_name_is_that_of_today_and_a_town_is_no_city(
    text: str, city: str | None, district: str | None
) -> None:
    address = standardise(text)
    assert (address.city, address.district) == (city, district)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("江苏省南京市高淳区淳溪镇石塘村", "淳溪石塘村"),
        ("淳溪街道石塘村（仅限办公）", "淳溪石塘村"),
        ("石塘村5栋北7-9号门面", "石塘村5栋北7-9号门面"),
        ("星湖D21路3-1-2", "星湖D21路3-1-2"),
        ("12K3地块", "12K3地块"),
        ("207街坊 特2号 B5门3号", "207街坊特2号B5门3号"),
        ("深圳市宝安区西乡街道", None),
        ("深圳市宝安区西乡街道固戍社区", None),
        ("深圳市宝安区西乡街道固戍村", None),
        ("深圳市宝安区西乡街道405室", None),
        ("高淳区淳溪街道6号楼", None),
        ("宝民二路12号", None),
        ("深圳市", None),
    ],
)
def test_a_text_is_compared_as_such_where_it_goes_beyond_a_community_but_names_no_building(
    text: str, key: str | None
) -> None:
    assert standardise(text).text_key == key


@pytest.mark.parametrize(
    "stem",
    [
        "广东省深圳市宝安区西乡街道固戍社区宝民2路12号之一A座",
        "怡景花园3栋2单元",
        "华丰大厦3楼",
        "西乡街道",
        "工业区3栋",
        "99号楼",
        "301室宝安区西乡街道宝民二路12号",
    ],
)
@pytest.mark.parametrize("room", ["101", "2603", "9998", "001"])
def test_the_room_at_the_end_does_not_change_how_the_rest_is_read(stem: str, room: str) -> None:
    # A note in brackets keeps the text from being taken apart at its last digits; it is dropped before reading.
    for word in ("", "室", "房"):
        assert standardise(stem + room + word) == standardise(stem + room + word + "(无)")


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
        ("江西省抚州地区临川市上顿渡镇高屋村", "江西省抚州市临川区上顿渡镇***"),
        ("江西省赣州市地区赣县梅林镇高屋村", "江西省赣州市赣县区梅林镇***"),
        ("江西省赣州地区赣县高屋村", "江西省赣州市赣县区***"),
        ("", "***"),
    ],
)
def test_a_masked_address_ends_at_the_street(text: str, shown: str) -> None:
    assert mask(text) == shown
