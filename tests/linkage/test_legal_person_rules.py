"""What becomes of hand-made pairs of firms, with the shipped configuration and model, among nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from linkage.entity_config import load_entity_config
from linkage.model.online import score_pair
from linkage.model.parameters import load_model
from matchers.field_types import FIELD_TYPES

CONFIG = load_entity_config("legal_person")
MODEL = load_model(CONFIG)
CODE, OTHER_CODE = "91440300MA5KPW5G0T", "914403000940931047"
DESK = {
    "legal_rep_name": "祝明浩",
    "address": "深圳市宝安区沙井街道砚田路12号云栖甲大厦B栋1203室",
    "phone": "13912345678",
}
MOVED = DESK | {"address": "深圳市宝安区福永街道麓山路88号", "phone": "13700001111"}


def standardised(record: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in CONFIG.field:
        kind = FIELD_TYPES[field.type]
        raw = [next((v for c in entry.split("|") if (v := (record | made).get(c))), None) for entry in field.read]
        values = kind.standardise(*raw)
        made |= {column: getattr(values, column.removeprefix(f"{field.name}_")) for column in kind.columns(field.name)}
    return made


def judged(left: dict[str, str], right: dict[str, str]) -> tuple[str, str]:
    rows = [standardised(record) for record in (left, right)]
    verdict = score_pair(CONFIG, MODEL, rows[0], rows[1], lambda column, value: None).verdict
    return verdict.verdict, verdict.rule


CASES = [
    ("深圳市蔚泓电子有限公司", "深圳市蔚泓电子有限公司宝安分公司", "reject", "branch_under_one_head"),
    ("深圳市蔚泓电子有限公司", "深圳市蔚泓贸易有限公司宝安分公司", "reject", "branch_under_one_head"),
    ("深圳市蔚泓五金一厂", "深圳市蔚泓五金二厂", "reject", "branch_under_one_head"),
    ("深圳市蔚泓科技有限公司", "深圳市蔚钧科技有限公司", "reject", "other_name"),
    ("深圳市蔚泓达精密电子有限公司", "深圳市蔚泓鑫精密电子有限公司", "review", "one_character_replaced"),
    ("深圳市蔚泓科技有限公司", "深圳市蔚泓环保科技有限公司", "review", "shortened_name"),
    ("深圳市蔚泓贸易有限公司", "蔚泓贸易（深圳）有限公司", "review", "region_moved"),
    ("深圳市蔚泓医药有限公司", "深圳市蔚泓医药股份有限公司", "review", "limited_and_shares"),
    ("深圳市蔚泓集团有限公司", "深圳市蔚泓有限公司", "review", "other_region_much_else"),
    ("深圳市蔚泓贸易有限公司", "东莞市蔚泓贸易有限公司", "review", "other_region_much_else"),
    ("蔚泓贸易（深圳）有限公司", "蔚泓贸易深圳有限公司", "auto", "name_and_place"),
    ("深圳市蔚泓精密机械有限公司", "蔚泓机械", "review", "shortened_name_same_place"),
    ("深圳市蔚泓商贸有限公司", "深圳市蔚泓贸易有限公司", "review", "same_trade_in_other_words"),
]


@pytest.mark.parametrize(("name", "other", "verdict", "rule"), CASES)
def test_two_firms_at_one_desk(name: str, other: str, verdict: str, rule: str) -> None:
    coded = DESK | {"name": name, "uscc": CODE}
    assert judged(coded, DESK | {"name": other}) == (verdict, rule)
    if verdict != "auto":
        assert judged(coded, DESK | {"name": other, "uscc": OTHER_CODE})[0] in ("reject", "review")


def test_a_full_name_moved_waits_for_its_only_candidate() -> None:
    left, right = DESK | {"name": "深圳市蔚泓光电有限公司", "uscc": CODE}, MOVED | {"name": "深圳蔚泓光电有限公司"}
    assert judged(left, right) == ("review", "full_name_and_representative")


def test_a_branch_under_its_parents_code_is_the_parents_only_under_one_head_at_its_place() -> None:
    parent = DESK | {"name": "深圳市蔚泓物流有限公司", "uscc": CODE}
    branch = {"name": "深圳市蔚泓物流有限公司龙岗分公司", "uscc": CODE}
    assert judged(parent, DESK | branch) == ("auto", "same_code_branch_same_owner")
    assert judged(parent, MOVED | branch)[0] == "conflict"
    phone = {"phone": TELEPHONE}
    assert judged(parent | phone, MOVED | branch | phone) == ("auto", "same_code_branch_same_owner")
    assert judged(parent, MOVED | branch | {"legal_rep_name": "阮素琴"})[0] == "conflict"
    other = DESK | branch | {"name": "深圳市蔚泓物流有限公司福永分公司"}
    assert judged(other, MOVED | branch)[0] == "conflict"


COMMUNITY = "深圳市宝安区沙井街道砚田社区居民委员会"
BODIES = [
    (COMMUNITY, "沙井街道砚田社区工作站"),
    (COMMUNITY, "砚田社区党群服务中心"),
    (COMMUNITY, "深圳市砚田股份合作公司"),
    ("沙井街道砚田社区工作站", "砚田社区党群服务中心"),
    ("深圳市宝安区蔚泓小学", "深圳市宝安区蔚泓小学工会委员会"),
    ("深圳市宝安区蔚泓医院", "深圳市宝安区蔚泓医院门诊部"),
]


@pytest.mark.parametrize(("name", "other"), BODIES)
def test_two_bodies_of_one_community_or_unit_are_not_one(name: str, other: str) -> None:
    coded = DESK | {"name": name, "uscc": CODE}
    assert judged(coded, DESK | {"name": other}) == ("reject", "other_body")
    assert judged(coded, DESK | {"name": other, "uscc": CODE}) == ("conflict", "same_code_other_body")
    assert judged(coded, DESK | {"name": other, "organization_code": CODE[8:17]})[0] == "review"


def test_a_companys_union_is_not_the_company_though_it_shows_its_code() -> None:
    firm = DESK | {"name": "深圳市蔚泓物流有限公司", "uscc": CODE}
    union = firm | {"name": firm["name"] + "工会委员会"}
    assert judged(firm, union) == ("conflict", "same_code_other_body")
    assert judged(firm, DESK | {"name": union["name"], "organization_code": CODE[8:17]})[0] == "review"


def test_a_former_name_may_be_another_kind_of_bodys() -> None:
    new = {"name": COMMUNITY, "former_names": "砚田村民委员会", "uscc": CODE}
    assert judged(DESK | new, DESK | {"name": "砚田村民委员会", "uscc": CODE}) == ("auto", "same_code")


def test_a_row_with_its_own_code_beside_its_parents_is_not_the_parent() -> None:
    desk = DESK | {"phone": TELEPHONE}
    parent = desk | {"name": "深圳市蔚泓物流有限公司", "uscc": CODE}
    branch = desk | {"name": "深圳市蔚泓物流有限公司西乡分公司", "address": MOVED["address"]}
    assert judged(parent, branch | {"uscc": CODE})[0] == "auto"
    assert judged(parent, branch | {"uscc": CODE, "tax_number": OTHER_CODE})[0] == "reject"
    assert judged(branch | {"uscc": OTHER_CODE}, branch | {"uscc": CODE, "tax_number": OTHER_CODE})[0] == "auto"


def test_numbered_partnerships_of_one_manager_are_not_one_though_they_show_one_code() -> None:
    second = DESK | {"name": "深圳市蔚泓二号投资合伙企业（有限合伙）", "uscc": CODE}
    third = {"name": "深圳市蔚泓三号投资合伙企业（有限合伙）", "uscc": CODE}
    assert judged(second, DESK | third)[0] == "conflict"
    assert judged(second, DESK | {"name": third["name"]})[0] == "reject"


def test_a_code_copied_from_a_firm_elsewhere_does_not_join_its_sister() -> None:
    firm = DESK | {"name": "深圳市蔚泓科技有限公司", "uscc": CODE}
    sister = MOVED | {"name": "东莞市蔚泓科技有限公司", "uscc": CODE, "legal_rep_name": "阮素琴"}
    assert judged(firm, sister) == ("conflict", "same_code_other_firm")
    assert judged(firm, sister | {"legal_rep_name": DESK["legal_rep_name"]}) == ("auto", "same_code")


@pytest.mark.parametrize(
    ("name", "other", "rule"),
    [
        ("深圳市蔚泓物流有限公司", "深圳市宝安区蔚泓物流有限公司", "other_registrar"),
        ("宝安区沙井老蔚便利店", "深圳市老蔚便利有限公司", "company_and_other_body"),
    ],
)
def test_firms_of_one_owner_and_one_brand_are_asked_about(name: str, other: str, rule: str) -> None:
    assert judged(DESK | {"name": name, "uscc": CODE}, DESK | {"name": other}) == ("review", rule)
    if rule == "other_registrar":
        assert judged(DESK | {"name": name}, {"name": other, "address": MOVED["address"]})[0] == "reject"


def test_a_shop_under_another_operator_is_asked_about() -> None:
    shop = {"name": "沙井蔚泓电脑维修部", "address": DESK["address"], "legal_rep_name": "祝明浩", "phone": TELEPHONE}
    taken_over = shop | {"legal_rep_name": "阮素琴"}
    assert judged(shop | {"uscc": SHOP["uscc"]}, taken_over) == ("review", "business_of_another_operator")


@pytest.mark.parametrize("name", ["宝安区沙井蔚泓小吃店", "宝安区沙井蔚泓美容店"])
def test_two_shops_side_by_side_are_asked_about(name: str) -> None:
    shop = {"name": name, "legal_rep_name": "祝明浩", "address": "沙井街道砚田路12号1栋103"}
    beside = shop | {"address": "沙井街道砚田路12号1栋104"}
    assert judged(shop | {"uscc": SHOP["uscc"]}, beside) == ("review", "business_in_another_room")


def test_a_grassroots_body_is_not_known_by_its_name_alone() -> None:
    there = {"name": "深圳市砚田股份合作公司", "address": DESK["address"], "legal_rep_name": "祝明浩"}
    elsewhere = {"name": there["name"], "address": MOVED["address"]}
    assert judged(there | {"uscc": CODE}, elsewhere)[1] != "full_name_alone"
    firm = {"name": "深圳市砚田电子有限公司"}
    assert judged(there | firm | {"uscc": CODE}, elsewhere | firm)[1] == "full_name_alone"


def test_two_meters_under_one_operators_name_are_not_one() -> None:
    assert judged(
        DESK | {"name": "李宇轩", "legal_rep_name": "李宇轩"}, MOVED | {"name": "李宇轩", "legal_rep_name": "李宇轩"}
    )[0] in ("review", "reject")


def test_a_row_under_the_parents_name_is_the_branchs_only_at_the_branchs_place() -> None:
    branch = DESK | {"name": "深圳市蔚泓物流有限公司龙岗分公司", "uscc": CODE}
    parent = {"name": "深圳市蔚泓物流有限公司", "legal_rep_name": DESK["legal_rep_name"]}
    place, head = {"address": DESK["address"]}, {"legal_rep_name": "阮素琴"}
    assert judged(branch, parent | place) == ("review", "branch_under_the_parents_name")
    assert judged(branch, parent | MOVED)[0] == "reject"
    assert judged(branch, parent | place | head)[0] == "reject"
    assert judged(branch, parent | place | {"uscc": OTHER_CODE})[0] in ("reject", "review")


@pytest.mark.parametrize("unit", ["龙岗分公司", "工会委员会"])
def test_a_parent_that_gives_its_code_is_not_its_branch_or_union_at_the_same_place(unit: str) -> None:
    parent = DESK | {"name": "深圳市蔚泓物流有限公司", "uscc": CODE}
    assert judged(parent, DESK | {"name": parent["name"] + unit})[1] != "branch_under_the_parents_name"


SHOP = {"name": "深圳市宝安区蔚泓五金店", "uscc": "92440300MA5EQ7GQ4X", "legal_rep_name": "祝明浩"}
TELEPHONE = "13714725836"
OPERATOR = {"name": "祝明浩", "legal_rep_name": "祝明浩"}


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ({"address": DESK["address"]}, "operator_for_firm"),
        ({"address": DESK["address"], "phone": MOVED["phone"]}, "operator_in_the_firms_room"),
        ({"address": DESK["address"], "legal_rep_name": "祝*浩"}, "operator_in_the_firms_room"),
        ({"address": DESK["address"].removesuffix("1203室")}, "operator_at_the_firms_place"),
        ({"phone": TELEPHONE}, "operator_with_the_firms_telephone"),
        (MOVED | {"phone": TELEPHONE, "legal_rep_name": "祝明浩"}, "another_firm_of_the_operator"),
        ({}, "another_firm_of_the_operator"),
    ],
)
def test_a_row_under_an_operators_name_is_asked_about_where_something_ties_it_to_the_firm(
    where: dict[str, str], rule: str
) -> None:
    shop = SHOP | {"address": DESK["address"], "phone": TELEPHONE}
    assert judged(shop, OPERATOR | where)[1] == rule


def test_a_full_name_of_its_operator_waits_for_its_only_candidate() -> None:
    shop = {"name": "深圳市宝安区祝明浩五金店", "legal_rep_name": "祝明浩", "address": DESK["address"]}
    moved = shop | {"address": MOVED["address"]}
    assert judged(shop | {"uscc": SHOP["uscc"]}, moved) == ("review", "full_name_of_its_operator")
    days = ({"established_date": "2011-04-05"}, {"established_date": "2019-04-06"})
    assert judged(shop | {"uscc": SHOP["uscc"]} | days[0], moved | days[1])[1] != "full_name_of_its_operator"


def test_a_full_name_at_its_place_under_another_representative_waits_for_its_only_candidate() -> None:
    firm = DESK | {"name": "深圳市蔚泓光电有限公司"}
    assert judged(firm | {"uscc": CODE}, firm | {"legal_rep_name": "阮素琴"})[1] == "full_name_there"


def test_short_names_that_agree_elsewhere_wait_for_their_only_candidate() -> None:
    named = {"name": "蔚泓光电", "legal_rep_name": "祝明浩"}
    there, elsewhere = (named | {"address": desk["address"]} for desk in (DESK, MOVED))
    assert judged(there | {"uscc": CODE}, elsewhere) == ("review", "short_names_elsewhere")


def test_two_businesses_with_one_tax_number_of_their_operator_are_asked_about() -> None:
    number = {"tax_number": "44052418800101001401", "legal_rep_name": "祝明浩"}
    shop = number | {"name": "深圳市宝安区祝明浩五金店", "address": DESK["address"], "established_date": "1999-01-08"}
    other = number | {"name": "祝明浩", "address": MOVED["address"], "established_date": "1999-04-09"}
    assert judged(shop, other) == ("review", "same_older_number_other_date")
