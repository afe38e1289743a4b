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


def test_a_branch_under_its_parents_code_is_the_parents_only_under_one_head() -> None:
    parent = MOVED | {"name": "深圳市蔚泓物流有限公司", "uscc": CODE}
    branch = {"name": "深圳市蔚泓物流有限公司龙岗分公司", "uscc": CODE}
    assert judged(parent, DESK | branch) == ("auto", "same_code_branch_same_owner")
    assert judged(parent, DESK | branch | {"legal_rep_name": "阮素琴"})[0] == "conflict"
    other = DESK | branch | {"name": "深圳市蔚泓物流有限公司福永分公司"}
    assert judged(other, MOVED | branch)[0] == "conflict"


def test_two_meters_under_one_operators_name_are_not_one() -> None:
    assert judged(
        DESK | {"name": "李宇轩", "legal_rep_name": "李宇轩"}, MOVED | {"name": "李宇轩", "legal_rep_name": "李宇轩"}
    )[0] in ("review", "reject")
