from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, get_type_hints

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.levels import Level, outcome
from matchers.organization_levels import (
    abbreviation,
    beginning,
    branch_conflict,
    branch_of_the_other,
    character_replaced,
    company_and_other_body,
    individual_businesses,
    levels,
    named_after_place,
    names_operator,
    operator_named,
    operator_only,
    other_body,
    other_number,
    other_registrar,
    parent_and_branch,
    region_conflict,
    region_moved,
    region_wording_differs,
    replacement,
    same_sound,
    same_trade,
    share_company_conflict,
    typo,
)
from matchers.organization_name import COMPATIBLE_LEVELS, OrganizationName, standardise, standardise_former
from matchers.similarity import SIMILARITIES, Similarity

LEVELS = levels("name", former="former")


def row(name: str | None, former: str | None = None) -> dict[str, Any]:
    columns = {f"name_{key}": value for key, value in asdict(standardise(name)).items()}
    return columns | {f"former_{key}": value for key, value in asdict(standardise_former(former)).items()}


def level(left: dict[str, Any], right: dict[str, Any]) -> str:
    return outcome(LEVELS, left, right).name


CASES = [
    (None, "深圳市鸿达电子有限公司", "missing"),
    ("91440300192203821J", "深圳市鸿达电子有限公司", "missing"),
    ("深圳市鸿达电子有限公司", "鸿达电子（深圳）有限责任公司", "exact"),
    ("深圳市宝安区张三小吃店", "宝安张三小吃店", "exact"),
    ("鸿达电子有限公司宝安分公司", "鸿达电子有限公司宝安区分公司", "exact"),
    ("深圳市宝安区", "深圳宝安", "exact"),
    ("深圳市鸿达电子有限公司（原名深圳市旧日五金厂）", "深圳旧日五金厂", "former_name"),
    ("深圳市鸿达电子有限公司", "深圳市鸿达电子有限公司宝安分公司", "branch_or_ordinal_differs"),
    ("深圳市鸿达电子有限公司福永分公司", "深圳市鸿达电子有限公司宝安分公司", "branch_or_ordinal_differs"),
    ("沙井鸿发五金一厂", "沙井鸿发五金二厂", "branch_or_ordinal_differs"),
    ("沙井鸿发五金一厂", "沙井宏发五金二厂", "branch_or_ordinal_differs"),
    ("深圳市第二建筑工程公司", "深圳市第三建筑工程公司", "different"),
    ("深圳市鸿达电子有限公司", "东莞市鸿达电子有限公司", "same_core_other_region"),
    ("深圳市宝安区鸿达五金店", "深圳市南山区鸿达五金店", "same_core_other_region"),
    ("深圳市宝安区鸿达五金店", "深圳市龙华区鸿达五金店", "same_core"),
    ("深圳市鸿达电子有限公司", "鸿达电子有限公司", "same_core"),
    ("深圳市鸿达电子有限公司", "鸿达电子", "same_core"),
    ("深圳市鸿达电子有限公司", "深圳市鸿达电子股份有限公司", "same_core"),
    ("深圳市鸿达大药房有限公司", "鸿达大药房", "same_core"),
    ("深圳市雅达教育有限公司", "深圳市亚大机电有限公司宝安分公司", "different"),
    ("海东五金贸易（深圳）有限公司", "深圳市海东五金贸易有限公司", "exact"),
    ("宝安保税区鸿达贸易（深圳）有限公司", "深圳市宝安保税区鸿达贸易有限公司", "exact"),
    ("深圳市鸿达五金（宝安）有限公司", "深圳市宝安区鸿达五金有限公司", "exact"),
    ("深圳市鸿达五金（深圳）有限公司", "深圳市鸿达五金有限公司", "exact"),
    ("宝安鸿达五金（深圳）有限公司", "深圳市宝安区鸿达五金有限公司", "exact"),
    ("保税区鸿达贸易有限公司", "深圳市保税区鸿达贸易有限公司", "same_core"),
    ("天健会计师事务所有限公司", "天健会计师事务所", "abbreviated"),
    ("德昌工贸有限公司", "深圳市德昌工贸有限公司", "same_core"),
    ("深圳市鸿达电子有限公司", "深圳市宏达电子有限公司", "similar_core"),
    ("深圳市鑫盛五金店", "深圳市兴胜五金店", "similar_core"),
    ("深圳市鸿富锦精密工业有限公司", "深圳市鸿富绵精密工业有限公司", "similar_core"),
    ("深圳市鸿达电子科技有限公司", "深圳市鸿达电子科枝有限公司", "similar_core"),
    ("深圳市鸿达电子科技有限公司", "深圳市鸿远电子科技有限公司", "different"),
    ("深圳市鸿达电子科技有限公司", "鸿达科技", "abbreviated"),
    ("深圳市鸿达电子科技有限公司", "深圳鸿达", "abbreviated"),
    ("深圳市鸿达电子技术有限公司", "深圳市鸿达电子科技有限公司", "abbreviated"),
    ("深圳市鸿达商贸有限公司", "深圳市鸿达贸易有限公司", "abbreviated"),
    ("深圳市鸿达饮食管理有限公司", "深圳市鸿达餐饮管理有限公司", "abbreviated"),
    ("深圳鸿达", "深圳市鸿达瑞石油设备有限公司", "short_name"),
    ("鸿达瑞石", "深圳市鸿达瑞石油设备有限公司", "short_name"),
    ("深圳市宝安区鸿达瑞石", "深圳市宝安区鸿达瑞石油设备有限公司", "short_name"),
    ("鸿达", "深圳市鸿达瑞石油设备有限公司", "different"),
    ("鸿达厂", "深圳市鸿达瑞石油设备有限公司", "different"),
    ("东莞鸿达", "深圳市鸿达瑞石油设备有限公司", "different"),
    ("深圳市鸿达电子有限公司", "广东鸿达电子有限公司", "same_core_other_region"),
    ("广东鸿达电子有限公司", "广东鸿达电子", "same_core"),
    ("大联鸿达电子有限公司", "大连鸿达电子有限公司", "similar_core"),
    ("深训市鸿达电子有限公司", "深圳市鸿达电子有限公司", "exact"),
    ("深圳市鸿达电子有限公同", "深圳市鸿达电子有限公司", "exact"),
    ("深圳市鸿达电子有限公司13800000000", "深圳市鸿达电子有限公司", "exact"),
    ("深圳市鸿达贸贸易有限公司", "深圳市鸿达贸易有限公司", "similar_core"),
    ("深圳市鸿达达电子有限公司", "深圳市鸿达电子有限公司", "similar_core"),
    ("深圳市优源电子有限公司", "深圳市源优电子有限公司", "similar_core"),
    ("深圳市鸿达兴电子有限公司", "深圳市鸿达电子有限公司", "different"),
    ("深圳市金华达数控设备有限公司", "金华达数控设备有限公司", "similar_core"),
    ("武汉市新洲公路工程建设有限公司", "新洲公路工程建设有限公司", "similar_core"),
    ("庄河市联谊弹簧有限公司", "庄河联谊弹簧有限公司", "similar_core"),
    ("达连鸿达电子", "大连鸿达电子有限公司", "similar_core"),
    ("德昌特物业管理深圳有限公司", "德昌特物业管理（深圳）有限公司", "exact"),
    ("上凡文化（达连）有限公司", "上凡文化（大连）有限公司", "exact"),
    ("深圳市鸿达科技", "深圳市鸿达科技集团有限公司", "same_core"),
    ("中太建设集团大连建筑工程", "中太建设集团大连建筑工程有限公司", "short_name"),
    ("深圳市鸿达电子有限公司", "深圳市鸿达电器有限公司", "same_brand"),
    ("深圳市鸿达电子有限公司", "深圳市鸿达电子厂", "same_brand"),
    ("深圳市鸿达电子有限公司", "深圳市鸿达电子集团有限公司", "same_brand"),
    ("深圳市鸿达电子有限公司", "东莞市鸿达电器有限公司", "same_brand"),
    ("深圳市鸿达电子有限公司", "深圳市宝安区张三小吃店", "different"),
]


@pytest.mark.parametrize(("left", "right", "expected"), CASES)
def test_two_names_have_the_outcome_an_auditor_expects(left: str | None, right: str | None, expected: str) -> None:
    assert level(row(left), row(right)) == expected
    assert level(row(right), row(left)) == expected


def test_a_former_name_in_its_own_column_is_found() -> None:
    assert (
        level(row("深圳市鸿达电子有限公司", "深圳市旧日五金厂；深圳市老号五金店"), row("深圳老号五金店"))
        == "former_name"
    )


def test_every_level_is_reached_by_the_cases() -> None:
    assert {expected for *_, expected in CASES} == {level.name for level in LEVELS}


def test_the_branch_condition_blocks_branches_and_numbers_but_not_other_organisations() -> None:
    condition = branch_conflict("name")
    assert condition.holds(row("鸿达电子有限公司"), row("鸿达电子有限公司宝安分公司"))
    assert condition.holds(row("鸿发五金一厂"), row("鸿发五金二厂"))
    assert not condition.holds(row("鸿达电子有限公司第一分公司"), row("鸿达电子有限责任公司第1分公司"))
    assert not condition.holds(row("鸿达电子有限公司"), row("海川银行宝安支行"))
    assert not condition.holds(row("鸿达电子有限公司"), row(None))


def test_the_region_condition_needs_two_regions() -> None:
    condition = region_conflict("name")
    assert condition.holds(row("深圳鸿达电子厂"), row("东莞鸿达电子厂"))
    assert not condition.holds(row("深圳鸿达电子厂"), row("鸿达电子厂"))
    assert not condition.holds(row("深圳鸿达电子厂"), row("广东鸿达电子厂"))


@pytest.mark.parametrize(
    ("left", "right", "differs"),
    [
        ("广东鸿达电子厂", "深圳市鸿达电子厂", True),
        ("深圳市鸿达电子厂", "东莞市鸿达电子厂", True),
        ("深圳市鸿达电子厂", "深圳市宝安区鸿达电子厂", False),
        ("广东省深圳市鸿达电子厂", "深圳鸿达电子厂", False),
        ("广东鸿达电子厂", "广东省鸿达电子厂", False),
        ("深圳市鸿达电子厂", "鸿达电子厂", False),
        ("北京鸿达电子厂", "北京市朝阳区鸿达电子厂", False),
        ("保税区鸿达电子厂", "深圳市保税区鸿达电子厂", False),
        (None, "深圳市鸿达电子厂", False),
    ],
)
def test_a_name_registered_with_the_province_is_not_the_citys(left: str | None, right: str, differs: bool) -> None:
    condition = region_wording_differs("name")
    assert condition.holds(row(left), row(right)) is differs
    assert condition.holds(row(right), row(left)) is differs


@pytest.mark.parametrize(
    ("left", "right", "moved"),
    [
        ("深圳市伟鑫贸易有限公司", "伟鑫贸易（深圳）有限公司", True),
        ("伟鑫贸易（深圳）有限公司", "伟鑫贸易深圳有限公司", False),
        ("深圳市伟鑫贸易有限公司", "伟鑫贸易有限公司", False),
        ("深圳市伟鑫贸易有限公司", "伟鑫贸易（深圳）", False),
    ],
)
def test_a_region_at_another_place_in_the_name_is_told_from_one_left_out(left: str, right: str, moved: bool) -> None:
    assert region_moved("name").holds(row(left), row(right)) is moved


@pytest.mark.parametrize(
    ("left", "right", "replaced"),
    [
        ("深圳市创荣威电子有限公司", "深圳市创荣达电子有限公司", True),
        ("深圳市创荣威电子有限公司", "深圳市创荣葳电子有限公司", False),
        ("深圳市创荣威电子有限公司", "深圳市创荣电子有限公司", False),
    ],
)
def test_a_character_in_the_place_of_another_may_be_a_sister_firm(left: str, right: str, replaced: bool) -> None:
    assert character_replaced("name").holds(row(left), row(right)) is replaced


def test_a_name_reads_the_same_by_its_core_by_its_region_or_by_its_words() -> None:
    condition = same_sound("name")
    assert condition.holds(row("深圳市恺鹏科技有限公司"), row("凯鹏科技有限公司"))
    assert condition.holds(row("大联恺鹏科技"), row("大连凯鹏科技有限公司"))
    assert condition.holds(row("深圳市金华达数控设备有限公司"), row("金华达数控设备有限公司"))
    assert not condition.holds(row("深圳市金华达数控设备有限公司"), row("金华盛数控设备有限公司"))


def test_two_names_of_one_sound_may_be_only_an_operators() -> None:
    assert operator_only("name").holds(row("杨桦"), row("杨华"))
    assert not operator_only("name").holds(row("杨桦"), row("杨柳"))


def test_one_trade_may_be_told_in_two_words() -> None:
    assert same_trade("name").holds(row("深圳鸿达商贸有限公司"), row("鸿达贸易有限公司"))
    assert not same_trade("name").holds(row("深圳鸿达物流有限公司"), row("鸿达贸易有限公司"))


def test_a_parent_and_its_branch_are_told_from_two_branches() -> None:
    condition = parent_and_branch("name")
    assert condition.holds(row("鸿达电子有限公司"), row("鸿达电子有限公司宝安分公司"))
    assert not condition.holds(row("鸿达电子有限公司福永分公司"), row("鸿达电子有限公司宝安分公司"))
    assert not condition.holds(row("鸿达五金一厂"), row("鸿达五金二厂"))
    assert not condition.holds(row("鸿达五金厂"), row("鸿达五金二厂"))


@pytest.mark.parametrize(
    ("left", "right", "other"),
    [
        ("西乡街道砚田社区工作站", "砚田社区党群服务中心", True),
        ("深圳市宝安区西乡街道砚田社区居民委员会", "西乡街道砚田社区工作站", True),
        ("砚田社区居委会", "深圳市砚田股份合作公司", True),
        ("砚田村民委员会", "砚田村股份经济合作社", True),
        ("深圳市宝安区蔚泓小学", "深圳市宝安区蔚泓小学工会委员会", True),
        ("深圳市宝安区蔚泓小学", "蔚泓小学食堂", True),
        ("深圳市宝安区蔚泓小学", "蔚泓幼儿园", True),
        ("深圳市宝安区蔚泓医院", "蔚泓医院门诊部", True),
        ("蔚泓电子有限公司", "蔚泓电子有限公司工会", True),
        ("砚田社区居委会", "深圳市宝安区西乡街道砚田社区居民委员会", False),
        ("砚田社区党群服务中心", "砚田社区服务中心", False),
        ("蔚泓医院", "蔚泓中医院", False),
        ("砚田社区居委会", "砚田社区", False),
        ("蔚泓电子有限公司", "蔚泓电子有限公司宝安分公司", False),
        ("蔚泓电子有限公司工会", "蔚泓电子有限公司工会委员会", False),
        ("蔚泓培训学校有限公司", "蔚泓培训学校", False),
        ("蔚泓律师事务所", "蔚泓律师所", False),
        ("蔚泓五金店", "蔚泓五金商行", False),
        ("蔚泓大药房", "蔚泓药店", False),
        ("蔚泓培训中心", "蔚泓培训部", False),
        (None, "砚田社区居委会", False),
    ],
)
def test_two_bodies_of_one_name_are_told_by_their_kind(left: str | None, right: str, other: bool) -> None:
    condition = other_body("name")
    assert condition.holds(row(left), row(right)) is other
    assert condition.holds(row(right), row(left)) is other


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        ("深圳市老蔚便利有限公司", "老蔚便利店", True),
        ("深圳市蔚泓酒店管理有限公司", "蔚泓酒店", True),
        ("深圳市蔚泓大药房有限公司", "蔚泓大药房", False),
        ("深圳市蔚泓研究院有限公司", "蔚泓研究院", False),
        ("深圳市蔚泓电子有限公司", "蔚泓电子", False),
        ("深圳市蔚泓电子有限公司", "蔚泓电子科技有限公司", False),
    ],
)
def test_a_shop_is_told_from_a_company_without_its_form(left: str, right: str, apart: bool) -> None:
    assert company_and_other_body("name").holds(row(left), row(right)) is apart
    assert company_and_other_body("name").holds(row(right), row(left)) is apart


@pytest.mark.parametrize(
    ("left", "right", "other"),
    [
        ("深圳市蔚泓物流有限公司", "深圳市宝安区蔚泓物流有限公司", True),
        ("广东省深圳市蔚泓物流有限公司", "宝安蔚泓物流有限公司", True),
        ("深圳市宝安区蔚泓物流有限公司", "宝安蔚泓物流有限公司", False),
        ("深圳市宝安区西乡街道蔚泓五金厂", "深圳市宝安区蔚泓五金厂", False),
        ("广东省深圳市蔚泓物流有限公司", "深圳蔚泓物流有限公司", False),
        ("深圳市宝安区蔚泓物流有限公司", "深圳蔚泓物流", False),
        ("深圳市宝安区蔚泓物流有限公司", "蔚泓物流有限公司", False),
    ],
)
def test_a_citys_registrar_is_told_from_a_districts(left: str, right: str, other: bool) -> None:
    assert other_registrar("name").holds(row(left), row(right)) is other
    assert other_registrar("name").holds(row(right), row(left)) is other


def test_numbered_units_are_told_from_each_other() -> None:
    condition = other_number("name")
    assert condition.holds(row("深圳市蔚泓二号投资合伙企业（有限合伙）"), row("深圳市蔚泓三号投资合伙企业"))
    assert not condition.holds(row("深圳市蔚泓二号投资合伙企业"), row("深圳市蔚泓2号投资合伙企业"))
    assert not condition.holds(row("深圳市蔚泓投资合伙企业"), row("深圳市蔚泓2号投资合伙企业"))


def test_shops_and_grassroots_bodies_are_told_by_their_names() -> None:
    assert individual_businesses("name").holds(row("蔚泓便利店"), row("蔚泓五金店"))
    assert not individual_businesses("name").holds(row("蔚泓大药房有限公司"), row("蔚泓大药房"))
    assert named_after_place("name").holds(row("砚田股份合作公司"), row("砚田股份合作公司"))
    assert not named_after_place("name").holds(row("砚田电子有限公司"), row("砚田电子有限公司"))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("鸿达电子有限公司", "深圳市鸿达电子有限公司宝安分公司", True),
        ("鸿达电子", "深圳市鸿达电子有限公司宝安分公司", True),
        ("鸿达贸易有限公司", "深圳市鸿达电子有限公司宝安分公司", False),
        ("鸿达电子有限公司福永分公司", "鸿达电子有限公司宝安分公司", False),
        ("鸿达电子一厂", "鸿达电子二厂", False),
        ("鸿达电子有限公司", "鸿达电子有限公司", False),
    ],
)
def test_a_branch_is_told_from_the_name_it_is_a_branch_of(left: str, right: str, expected: bool) -> None:
    condition = branch_of_the_other("name", "code")
    assert condition.holds(row(left), row(right)) is expected
    assert condition.holds(row(right), row(left)) is expected


def test_a_parent_with_a_code_is_no_branch_cut_short() -> None:
    condition = branch_of_the_other("name", "code")
    parent, branch = row("鸿达电子有限公司"), row("鸿达电子有限公司宝安分公司")
    code = {"code_exclusive": "91440300MA5KPW5G0T"}
    assert condition.holds(parent, branch | code)
    assert not condition.holds(parent | code, branch)
    assert not condition.holds(branch, parent | code)


def test_compatible_levels_are_levels_and_leave_out_branches() -> None:
    assert {found.name for found in LEVELS} > COMPATIBLE_LEVELS
    assert not COMPATIBLE_LEVELS & {"branch_or_ordinal_differs", "different"}


def test_without_a_field_of_former_names_there_is_no_such_level() -> None:
    assert [found.name for found in levels("name")] == [found.name for found in LEVELS if found.name != "former_name"]


@given(st.text("鸿达电子科技|器", max_size=8), st.text("鸿达电子科技|器", max_size=8))
def test_the_similarities_are_symmetric_and_equal_to_their_column_versions(left: str, right: str) -> None:
    for one, name in (
        (typo, "gy_organization_typo"),
        (replacement, "gy_organization_replacement"),
        (abbreviation, "gy_organization_abbreviation"),
        (beginning, "gy_organization_beginning"),
    ):
        assert one(left, right) == one(right, left)
        assert SIMILARITIES[name].many([left, right], [right, left]).tolist() == [one(left, right)] * 2
        assert 0.0 <= one(left, right) <= 1.0


names = st.none() | st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "深圳市", "深圳市宝安区", "深圳市龙华区", "东莞市", "广东"]),
        st.sampled_from(["鸿达", "鸿达瑞", "宏达", "鸿富锦", "鸿富绵", "鑫盛", "兴胜", "第二", "张三"]),
        st.sampled_from(["", "电子", "电器", "电子科技", "电子技术", "科技", "五金"]),
        st.sampled_from(["", "有限公司", "集团有限公司", "股份有限公司", "厂", "二厂", "店", "商行(李小四)"]),
        st.sampled_from(["", "", "", "宝安分公司", "第一分公司", "(原名深圳市鸿达电子厂)"]),
    ),
)
rows = st.builds(row, names, st.none() | st.sampled_from(["深圳市鸿达电子厂", "深圳鸿达电子有限公司；鑫盛五金店"]))
pairs = st.lists(st.tuples(rows, rows), min_size=20, max_size=60)


def column_types() -> dict[str, pa.DataType]:
    hints = get_type_hints(OrganizationName)
    types = {f"name_{field.name}": pa.string() for field in fields(OrganizationName)}
    types |= {f"name_{name}": pa.bool_() for name, hint in hints.items() if bool in getattr(hint, "__args__", ())}
    lists = ("name_former", "name_tails", "former_texts", "former_cores")
    return types | {name: pa.list_(pa.string()) for name in lists}


TYPES = column_types()


def arrow(similarity: Similarity) -> Callable[[Any, Any], Any]:
    return lambda a, b: pa.array(similarity.many(a.to_pylist(), b.to_pylist()))


def table(found: list[dict[str, Any]]) -> pa.Table:
    """The rows as the batch stores them: an empty list is null."""
    return pa.table(
        {name: pa.array([r[name] if r[name] != () else None for r in found], kind) for name, kind in TYPES.items()}
    )


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_levels_are_equal_in_duckdb_and_in_python(found: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    conditions = [(index, level) for index, level in enumerate(LEVELS) if level.condition is not None]
    with duckdb.connect() as con:
        for similarity in SIMILARITIES.values():
            con.create_function(
                similarity.name,
                arrow(similarity),
                ["VARCHAR", "VARCHAR"],
                "DOUBLE",
                type="arrow",
            )
        con.register("left_rows", table([left for left, _ in found]))
        con.register("right_rows", table([right for _, right in found]))
        selected = ", ".join(
            f"{level.condition.sql(lambda c: f'l.{c}', lambda c: f'r.{c}')} as level_{index}"
            for index, level in conditions
            if level.condition is not None
        )
        result = con.sql(f"select {selected} from left_rows l positional join right_rows r").fetchall()
    for answers, (left, right) in zip(result, found, strict=True):
        for answer, (_, wanted) in zip(answers, conditions, strict=True):
            assert answer is holds(wanted, left, right) is holds(wanted, right, left)


def holds(found: Level, left: dict[str, Any], right: dict[str, Any]) -> bool:
    assert found.condition is not None
    return found.condition.holds(left, right)


def test_a_level_with_term_frequency_implies_that_both_sides_are_equal_in_it() -> None:
    for left, right, expected in CASES:
        column = next(found.term_frequency for found in LEVELS if found.name == expected)
        if column:
            assert row(left)[column] == row(right)[column] is not None


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("张三", "张三", True),
        ("张三（已注销）", "张三", True),
        ("张三", "李四", False),
        ("深圳市宝安区张三小吃店", "深圳市宝安区张三小吃店", False),
        ("深圳市鸿达电子有限公司", "深圳市鸿达电子有限公司", False),
        (None, "张三", False),
    ],
)
def test_names_that_are_only_an_operators_are_told(left: str | None, right: str | None, expected: bool) -> None:
    condition = operator_only("name")
    assert condition.holds(row(left), row(right)) is expected
    assert condition.holds(row(right), row(left)) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("深圳市鸿达电子有限公司", "深圳市鸿达电子股份有限公司", True),
        ("深圳市鸿达电子股份有限公司", "鸿达电子股份有限公司", False),
        ("深圳市鸿达电子有限公司", "深圳市鸿达电子有限责任公司", False),
        ("深圳市鸿达电子股份有限公司", "鸿达电子", False),
    ],
)
def test_a_company_limited_by_shares_is_told_from_a_limited_company(left: str, right: str, expected: bool) -> None:
    condition = share_company_conflict("name")
    assert condition.holds(row(left), row(right)) is expected
    assert condition.holds(row(right), row(left)) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("张三", "张三"), ("鸿发快递服务档", "张三"), True),
        (("张三", "张三"), ("鸿发快递服务档", "李四"), False),
        (("张三", "张三"), ("深圳市鸿达电子有限公司", "张三"), False),
        (("张三", "张三"), ("张三", "张三"), False),
        (("鸿发五金店", "张三"), ("鸿发快递服务档", "张三"), False),
    ],
)
def test_a_business_under_its_operators_name_is_told(
    left: tuple[str, str], right: tuple[str, str], expected: bool
) -> None:
    sides = [{**row(name), "rep_key": person} for name, person in (left, right)]
    condition = names_operator("name", "rep")
    assert condition.holds(sides[0], sides[1]) is expected
    assert condition.holds(sides[1], sides[0]) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("张三", None), ("鸿发快递服务档", "张三"), True),
        (("张三", "张珊"), ("鸿发快递服务档", "张三"), True),
        (("张三", "张三"), ("鸿发快递服务档", "李四"), False),
        (("张三", "张三"), ("深圳市鸿达电子有限公司", "张三"), False),
        (("张三", "张三"), ("张三", "张三"), False),
    ],
)
def test_a_name_that_is_the_others_operator_is_told_whoever_represents_it(
    left: tuple[str, str | None], right: tuple[str, str | None], expected: bool
) -> None:
    sides = [{**row(name), "rep_key": person} for name, person in (left, right)]
    condition = operator_named("name", "rep")
    assert condition.holds(sides[0], sides[1]) is expected
    assert condition.holds(sides[1], sides[0]) is expected
