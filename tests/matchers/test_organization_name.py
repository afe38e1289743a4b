from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.organization_name import (
    FormerNames,
    OrganizationName,
    mask,
    standardise,
    standardise_former,
)

JUNK = [
    None,
    "",
    " \t\n",
    "？？？",
    "😀",
    "😀张三店😀",
    "张" * 10_000,
    "(" * 400,
    "()" * 200,
    "\ud800",
    "张\udfff三店",
    "a\x00b",
    "\x00",
    "شركة التجارة",
    "\u202e公司\u202c",
    "0",
    "公司",
    "有限公司",
    "（有限合伙）",
    "第",
    "第99999999999999999999公司",
    "深圳市",
    "分公司",
    "深圳市分公司",
    "(((深圳)))有限公司)",
    "原名：",
    "个体户",
]


@pytest.mark.parametrize("value", JUNK)
def test_junk_gives_a_value_or_nothing(value: str | None) -> None:
    name = standardise(value)
    assert name.text is None or (name.full and name.core and name.unit is not None)
    assert isinstance(standardise_former(value), FormerNames)
    if value is not None:
        assert isinstance(mask(value), str)


@given(
    st.text(
        alphabet=st.characters() | st.sampled_from("深圳市宝安区东莞鸿达电子有限公司第一二分店厂（）()集团原名:;"),
        max_size=40,
    )
)
def test_any_text_gives_a_value_whose_parts_are_never_empty_texts(value: str) -> None:
    name = standardise(value)
    assert "" not in [getattr(name, attribute) for attribute in OrganizationName.__slots__]
    assert (name.text is None) == (name.full is None) == (name.core is None) == (name.unit is None)


@pytest.mark.parametrize("value", ["无", "暂无", "N/A", "测试", "/", "-", "NULL", "***", "张" * 600])
def test_a_placeholder_is_no_name(value: str) -> None:
    assert standardise(value) == OrganizationName()


@pytest.mark.parametrize(
    ("value", "region", "brand", "trade", "form", "kind"),
    [
        ("深圳市鸿达电子有限公司", "深圳", "鸿达", "电子", "有限公司", "company"),
        ("鸿富锦精密工业（深圳）有限公司", "深圳", "鸿富锦", "精密工业", "有限公司", "company"),
        ("深圳市宝安区西乡街道张三小吃店", "深圳宝安西乡", "张三", "小吃", "店", "individual_business"),
        ("深圳市福田区西星美化妆品商行", "深圳福田", "西星美", "化妆品", "商行", "individual_business"),
        ("深圳市宝安区西乡固戍王记牛肉面馆", "深圳宝安西乡固戍", "王记", "牛肉面馆", None, "individual_business"),
        ("深圳市万丰股份合作公司", "深圳", "万丰", None, "股份合作公司", "village_collective"),
        ("深圳市宝安区福永街道怀德社区居民委员会", "深圳宝安福永", "怀德", None, "居民委员会", "village_collective"),
        ("天健会计师事务所（特殊普通合伙）", None, "天健", "会计师", "事务所", "partnership"),
        ("深圳春阳联盈创业投资合伙企业（有限合伙）", "深圳", "春阳联盈", "创业投资", "合伙企业", "partnership"),
        ("深圳市大鹏新区绿禾种植专业合作社", "深圳龙岗", "绿禾", "种植", "专业合作社", "cooperative"),
        ("深圳市宝安区水务局", "深圳宝安", None, "水务局", None, "institution"),
        ("深圳市宝安区晨光五金行业协会", "深圳宝安", "晨光", "五金行业协会", None, "social"),
        ("德安咨询深圳有限公司", "深圳", "德安", "咨询", "有限公司", "company"),
        ("ABC Trading (Shenzhen) Co., Ltd.", "深圳", "ABCTRADING", None, "有限公司", "company"),
        ("深圳市鸿发电子公司", "深圳", "鸿发", "电子", "公司", "company"),
        ("鸿维人力资源有限公司", None, "鸿维", "人力资源", "有限公司", "company"),
        ("ABC Trading Co., Ltd.", None, "ABCTRADING", None, "有限公司", "company"),
        ("中联建材（个人独资）", None, "中联", "建材", None, "sole"),
    ],
)
def test_a_name_is_taken_apart(
    value: str, region: str | None, brand: str | None, trade: str | None, form: str | None, kind: str
) -> None:
    name = standardise(value)
    assert (name.region, name.brand, name.trade, name.form, name.form_class) == (region, brand, trade, form, kind)


@pytest.mark.parametrize(
    "variant",
    [
        "深圳市鸿达电子有限责任公司",
        " 深圳市 鸿达电子\t有限公司。",
        "深圳鸿达电子有限公司",
        "鸿达电子（深圳）有限公司",
        "鸿达电子(深圳市)有限公司",
        "广东省深圳市鸿达电子有限公司",
        "深圳市鴻達電子有限公司",
        "“深圳市鸿达电子有限公司”",
        "深圳市鸿达电子有限公司（已注销）",
        "深圳市鸿达电子有限公司(吊销未注销)",
        "深圳市鸿达电子有限公司（原名：深圳市旧日五金厂）",
        "深圳市鸿达电子有限公司曾用名：深圳市旧日五金厂",
        "深圳市鸿达电子有限公司农民工工资专用账户",
        "深圳市鸿达电子有限公司（贷款资金监管账户）",
        "深圳市鸿达电子有限公",
        "深圳市鸿达电子有限公司/鸿达",
        "深圳市鸿达电子有限公司；深圳市旧日五金厂",
        "深圳市鸿达电子有限公司13800000000",
        "深圳市鸿达电子有限公司 电话：075529000000",
        "深圳市鸿达电子有限公司91440300192203821J",
        "深圳市鸿达电子有限公司[老店]",
        "深圳市鸿达电子有限公司/店面转让",
        "深圳市鸿达电子有限公司  1号店面",
        "深圳市鸿达电子有限公司-深圳",
        "深圳市鸿达电子有限公司 Co., Ltd.",
        "深圳市鸿达电子有限公司（营业中）",
        "深圳市鸿达电子有限公司有限公司",
        "深圳市鸿达电子有限公司不详",
        "深圳市鸿达电子有限公同",
        "深圳市鸿达电子有很公司",
        "深圳市鸿达电子有限公公司",
        "深圳市鸿达电子有限司",
        "深圳市鸿达电子有有限公司",
        "深圳市鸿达电子有公限司",
        "深圳市鸿达电子有限任公司",
        "深圳市鸿达电子有限责任公",
        "深圳市鸿达电子有限",
        "深训市鸿达电子有限公司",
        "圳深市鸿达电子有限公司",
        "圳市鸿达电子有限公司",
        "深深圳市鸿达电子有限公司",
        "深圳市市鸿达电子有限公司",
        "深圳鸿市达电子有限公司",
    ],
)
def test_ways_of_writing_one_name_have_one_canonical_name(variant: str) -> None:
    name = standardise(variant)
    assert name.full == "深圳鸿达电子有限公司"
    assert name.core == "鸿达电子"
    assert name.unit == "|"


@pytest.mark.parametrize(
    "other",
    [
        "深圳市鸿达电器有限公司",
        "深圳市鸿达电子股份有限公司",
        "深圳市鸿达电子集团有限公司",
        "深圳市鸿达电子有限公司宝安分公司",
        "东莞市鸿达电子有限公司",
        "鸿达电子有限公司",
        "深圳市鸿达电子厂",
    ],
)
def test_another_name_has_another_canonical_name(other: str) -> None:
    assert standardise(other).full != standardise("深圳市鸿达电子有限公司").full


@pytest.mark.parametrize(
    ("value", "branch", "parent"),
    [
        ("深圳市鸿达电子有限公司第一分公司", "1分公司", "深圳鸿达电子有限公司"),
        ("深圳市鸿达电子有限公司第1分公司", "1分公司", "深圳鸿达电子有限公司"),
        ("深圳市鸿达电子有限公司深圳市宝安区分公司", "宝安分公司", "深圳鸿达电子有限公司"),
        ("深圳市鸿达电子有限公司(宝安)分公司", "宝安分公司", "深圳鸿达电子有限公司"),
        ("海川银行宝安支行", "宝安支行", "海川银行"),
        ("海川银行股份有限公司深圳宝安支行", "宝安支行", "海川银行股份有限公司"),
        ("天康大药房连锁有限公司新安三店", "新安3店", "天康大药房连锁有限公司"),
        ("天健会计师事务所(特殊普通合伙)深圳分所", "深圳分所", "天健会计师事务所"),
        ("海味轩餐厅（宝安店）", "宝安店", "海味轩餐厅"),
        ("深圳市明星酒店有限公司明星酒店", "明星酒店", "深圳明星酒店有限公司"),
        ("鸿达电子有限公司武汉东湖新技术开发区分公司", "武汉东湖高新区分公司", "鸿达电子有限公司"),
        ("深圳鸿图置业发展翠郁分公司", "翠郁分公司", "深圳鸿图置业发展"),
        ("海川保险深圳分公司", "深圳分公司", "海川保险"),
    ],
)
def test_a_branch_names_its_parent(value: str, branch: str, parent: str) -> None:
    name = standardise(value)
    assert (name.branch, name.parent, name.form_class) == (branch, parent, "branch")
    assert name.unit == f"|{branch}"
    assert standardise(parent).full == parent


@pytest.mark.parametrize(
    "value",
    [
        "鸿达五金店/店面转让",
        "鸿达五金店[老店]",
        "鸿达五金店  1号店面",
        "鸿达五金店13800000000",
        "鸿达五金店 92440300MA5ABCDE0X",
        "鸿达五金店 Co., Ltd.",
        "鸿达五金店（个体工商户） 转让",
        "鸿达五金店（个体商工户）",
        "鸿达五金（店个体工商户）",
        "鸿达五金店-深圳",
    ],
)
def test_a_note_behind_a_shop_is_no_part_of_its_name(value: str) -> None:
    assert standardise(value).full == "鸿达五金店"


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("鸿达药业有限公司人民路药店", "|人民路药店"),
        ("鸿达药业有限公司 宝安分公司", "|宝安分公司"),
        ("鸿达药业有限公司宝安分", "|宝安分"),
        ("深圳市鸿达药业有限公司武汉", "|武汉"),
        ("深圳市鸿达药业有限公司3号车间", "|3号车间"),
        ("鸿达燃气有限公司河口供应点", "|河口供应点"),
        ("鸿达药业有限公司1号店", "|1号店"),
        ("鸿达药业有限公同宝安分公司", "|宝安分公司"),
    ],
)
def test_a_branch_is_told_by_its_words_and_stays(value: str, unit: str) -> None:
    assert standardise(value).unit == unit


def test_a_code_behind_the_name_is_kept() -> None:
    assert standardise("深圳市鸿达电子有限公司91440300192203821J").uscc == "91440300192203821J"


def test_only_a_name_of_which_nothing_shows_that_it_is_whole_may_be_cut_short() -> None:
    assert standardise("深圳鸿达").short == "深圳鸿达|"
    assert standardise("鸿达瑞石").short == "鸿达瑞石|"
    assert [standardise(name).short for name in ("鸿达", "张小三", "鸿达瑞厂", "鸿达瑞有限公司", "深圳市")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("value", "region", "core"),
    [
        ("深圳市宝区鸿达五金店", "深圳宝安", "鸿达五金"),
        ("深圳市保安区鸿达五金店", "深圳宝安", "鸿达五金"),
        ("保安区鸿达五金店", "深圳宝安", "鸿达五金"),
        ("深圳市安宝区鸿达五金店", "深圳宝安", "鸿达五金"),
        ("深圳市宝区安鸿达五金店", "深圳宝安", "鸿达五金"),
        ("深圳市宝安安区鸿达五金店", "深圳宝安", "鸿达五金"),
        ("深圳市宝安鸿区达五金店", "深圳宝安", "鸿达五金"),
        ("石岩道街鸿达五金店", "深圳宝安石岩", "鸿达五金"),
        ("深圳保安沙井街道鸿达五金店", "深圳宝安沙井", "鸿达五金"),
        ("大联保税区鸿达贸易有限公司", "大连保税区", "鸿达贸易"),
        ("深圳都市鸿达文化有限公司", "深圳", "都市鸿达文化"),
        ("深圳市社区鸿达五金店", "深圳", "社区鸿达五金"),
        ("都市鸿达文化有限公司", None, "都市鸿达文化"),
        ("武汉市市政鸿达工程有限公司", "武汉", "市政鸿达工程"),
        ("大连东市鸿达金属有限公司", "大连", "东市鸿达金属"),
        ("深圳市保安服务有限公司", "深圳", "保安服务"),
        ("大联鸿达电子有限公司", None, "大联鸿达电子"),
        ("鸿明区块链科技有限公司", None, "鸿明区块链科技"),
    ],
)
def test_a_slip_in_the_region_is_mended_and_a_brand_is_left_alone(value: str, region: str | None, core: str) -> None:
    name = standardise(value)
    assert (name.region, name.core) == (region, core)


@pytest.mark.parametrize(
    ("value", "ordinal"),
    [
        ("深圳市宝安区沙井鸿发五金二厂", "2"),
        ("深圳市宝安区沙井鸿发五金2厂", "2"),
        ("深圳市宝安区沙井鸿发五金第二厂", "2"),
        ("深圳市第三建筑工程公司", "3"),
        ("深圳市第3建筑工程公司", "3"),
        ("深圳市建筑一公司", "1"),
        ("深圳市永一五金厂", None),
        ("深圳市韩一酒家", None),
        ("深圳市天下第一家餐饮有限公司", None),
        ("深圳市晟康二号投资合伙企业（有限合伙）", "2"),
        ("深圳市晟康12号投资合伙企业", "12"),
        ("深圳市晟康成长三期投资合伙企业", "3"),
        ("深圳市一号餐饮有限公司", None),
        ("深圳市晟康2024号投资合伙企业", None),
    ],
)
def test_the_number_of_sister_organisations_is_read(value: str, ordinal: str | None) -> None:
    assert standardise(value).ordinal == ordinal


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("深圳市鸿达电子有限公司", "company"),
        ("鸿达五金商行", "business"),
        ("鸿达便利店", "business"),
        ("鸿达蔬菜专业合作社", "cooperative"),
        ("河东社区居委会", "居民委员会"),
        ("河东社区党群服务中心", "党群服务中心"),
        ("深圳市河东股份合作公司", "股份合作公司"),
        ("深圳市宝安区蓝天小学", "小学"),
        ("深圳市宝安区蓝天小学工会", "工会委员会"),
        ("深圳市鸿达电子有限公司工会委员会", "工会委员会"),
        ("深圳市鸿达电子有限公司宝安分公司", None),
        ("鸿达会计师事务所", None),
        ("鸿达电子", None),
    ],
)
def test_a_name_tells_the_kind_of_body_by_its_last_word(value: str, body: str | None) -> None:
    assert standardise(value).body == body


def test_numbers_in_words_and_in_digits_are_one_name() -> None:
    assert standardise("鸿发五金三厂").full == standardise("鸿发五金3厂").full
    assert standardise("深圳市第三建筑工程公司").full == standardise("深圳市第3建筑工程公司").full


@pytest.mark.parametrize(
    ("value", "attribute", "expected"),
    [
        ("鸿达五金店（已注销）", "status_note", "注销"),
        ("鸿达五金店（吊销，未注销）", "status_note", "吊销"),
        ("鸿达五金店已迁出", "status_note", "迁出"),
        ("鸿达五金店（李小四）", "operator", "李小四"),
        ("鸿达五金店（经营者：李小四）", "operator", "李小四"),
        ("个体户李小四", "operator", "李小四"),
        ("李小四", "operator", "李小四"),
        ("欧阳小四", "operator", "欧阳小四"),
        ("鸿达五金店", "operator", None),
        ("宝安五金", "operator", None),
        ("鸿达五金店（原鸿运五金店）", "former", ("鸿运五金店",)),
        ("鸿达有限公司;深圳市旧日五金厂", "former", ("深圳旧日五金厂",)),
        ("李小四（个体工商户）", "operator", "李小四"),
        ("鸿达有限公司（曾用名：深圳市旧日五金厂）", "former", ("深圳旧日五金厂",)),
        ("91440300192203821J", "uscc", "91440300192203821J"),
        ("９１４４０３００１９２２０３８２１Ｊ", "uscc", "91440300192203821J"),
    ],
)
def test_notes_are_read_and_leave_the_name(value: str, attribute: str, expected: object) -> None:
    assert getattr(standardise(value), attribute) == expected


def test_a_code_in_the_name_field_is_not_compared_as_a_name() -> None:
    assert standardise("91440300192203821J").text is None


def test_a_personal_number_in_the_name_field_is_not_kept() -> None:
    assert standardise("440306199001011234") == OrganizationName()


@pytest.mark.parametrize(
    ("value", "code", "city", "district"),
    [
        ("深圳市鸿达电子有限公司", "4403", "4403", None),
        ("宝安鸿达五金店", "440306", "4403", "440306"),
        ("深圳市龙华区鸿达五金店", "440309", "4403", "440306"),
        ("深圳市光明新区鸿达五金店", "440311", "4403", "440306"),
        ("深圳市坪山区鸿达五金店", "440310", "4403", "440307"),
        ("北京市朝阳区鸿达五金店", "110105", "1100", "110105"),
        ("西乡鸿达五金店", "440306", "4403", "440306"),
        ("沙井镇鸿达五金店", "440306", "4403", "440306"),
        ("深圳市宝安区公明鸿达五金店", "440311", "4403", "440306"),
        ("西乡县鸿达五金店", "610724", "6107", "610724"),
        ("浙江宁波鸿达五金店", "3302", "3302", None),
        ("中国鸿达集团广东有限公司", "44", None, None),
        ("广东鸿达五金有限公司", "44", None, None),
        ("鸿达五金有限公司", None, None, None),
        ("朝阳区鸿达五金店", None, None, None),
    ],
)
def test_the_region_has_its_codes(value: str, code: str | None, city: str | None, district: str | None) -> None:
    name = standardise(value)
    assert (name.region_code, name.city, name.district) == (code, city, district)


@pytest.mark.parametrize(
    ("value", "brand"),
    [
        ("东方红电子有限公司", "东方红"),
        ("平安科技有限公司", "平安"),
        ("吉安达物流有限公司", "吉安达"),
        ("德昌工贸有限公司", "德昌"),
        ("深圳市和平电子厂", "和平"),
    ],
)
def test_a_brand_that_begins_like_a_place_stays_whole(value: str, brand: str) -> None:
    assert standardise(value).brand == brand


def test_the_keys_fold_what_typists_mix_up() -> None:
    assert standardise("鑫盛五金店").brand_key == standardise("兴胜五金店").brand_key
    assert standardise("鸿达电子").pinyin == standardise("宏达电子").pinyin == "hongdadianzi"
    assert standardise("鸿达电子").core_key != standardise("鸿运电子").core_key


def test_former_names_are_a_list_without_repeats() -> None:
    found = standardise_former("深圳市旧名电子厂；深圳市老号五金店;深圳旧名电子厂；；无")
    assert found.texts == ("深圳旧名电子厂", "深圳老号五金店")
    assert found.cores == ("旧名电子", "老号五金")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("深圳市鸿达电子有限公司", "深圳市鸿达电子有限公司"),
        ("深圳市宝安区西乡街道张三小吃店", "深圳市宝安区西乡街道张*小吃店"),
        ("鸿达五金店（李小四）", "鸿达五金店（李**）"),
        ("李小四", "李**"),
        ("個體戶張小四", "个体户张**"),
        ("440306199001011234", "*" * 18),
    ],
)
def test_a_mask_hides_people_and_shows_organisations(value: str, shown: str) -> None:
    assert mask(value) == shown


@pytest.mark.parametrize(("text", "operator"), [("郭轩", "郭轩"), ("李宇轩", "李宇轩"), ("深圳市听雨轩", None)])
def test_a_given_name_that_ends_like_a_tea_house_is_a_persons(text: str, operator: str | None) -> None:
    assert standardise(text).operator == operator


def test_what_a_name_is_without_its_outer_places() -> None:
    name = standardise("武汉市新洲公路工程建设有限公司")
    assert name.written == "武汉新洲公路工程建设有限公司"
    assert name.tails == ("新洲公路工程建设有限公司", "公路工程建设有限公司", "公路工程建设")
    assert standardise("鸿达电子有限公司").tails == ()
