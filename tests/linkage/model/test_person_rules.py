"""The shipped rules on pairs of people that are easily taken for one: which rule decides, and how.

Weights are those of the shipped model without value frequencies. A pair of a rule with `only_candidate` is in review
here; whether it is linked depends on who else comes into question.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage.entity_config import load_entity_config
from linkage.model.online import PairScore, score_pair
from linkage.model.parameters import load_model
from linkage.model.verdicts import judge_pair
from linkage.standardise import standardise_row
from matchers.identifiers import resident_id

CONFIG = load_entity_config("natural_person")
MODEL = load_model(CONFIG)


def number(birth: str, sequence: int) -> str:
    body = f"430524{birth}{sequence:03d}"
    return body + resident_id.check_digit(body)


ELDER, YOUNGER = number("20110305", 121), number("20110305", 141)
TWIN = number("20160814", 471)
HAMLET = "陕西省蓝田县东河乡李屋村4组9号"
HOME = "深圳市宝安区西乡街道桃源社区桃源居路8号2栋101室"
AWAY = "深圳市龙华区民治街道北站社区民塘路328号3栋702室"
FLAT = {"phone": "13712350075", "address": HOME}
Record = dict[str, Any]


def judged(left: Record, right: Record) -> PairScore:
    return score_pair(CONFIG, MODEL, standardise_row(left, CONFIG), standardise_row(right, CONFIG), lambda *_: None)


CASES = {
    "twins with numbers": (
        {"name": "覃嘉怡", "id_number": ELDER, **FLAT},
        {"name": "覃嘉欣", "id_number": YOUNGER, **FLAT},
        "reject",
        "two_numbers",
    ),
    "twins whose names sound alike, one number hidden in part": (
        {"name": "覃紫涵", "id_number": ELDER, **FLAT},
        {"name": "覃紫晗", "id_number": f"430***********{YOUNGER[-4:]}", "birth_date": "2011-03-05", **FLAT},
        "review",
        "altered_name_other_number",
    ),
    "names that sound alike at one flat": (
        {"name": "谢可欣", "id_number": ELDER, **FLAT},
        {"name": "谢可馨", **FLAT},
        "review",
        "altered_name_at_home",
    ),
    "the same who work for one firm and give its telephone": (
        {"name": "谢可欣", "id_number": ELDER, "phone": FLAT["phone"], "employer_name": "深圳市云汇科技有限公司"},
        {"name": "谢可馨", "phone": FLAT["phone"], "employer_name": "深圳市云汇科技有限公司"},
        "review",
        "family_pattern",
    ),
    "names that sound alike and the end of the number": (
        {"name": "谢可欣", "id_number": ELDER, **FLAT},
        {"name": "谢可馨", "id_number": ELDER[-4:], **FLAT},
        "auto",
        "altered_name_and_number",
    ),
    "two hidden names at one flat": ({"name": "倪*", **FLAT}, {"name": "倪**", **FLAT}, "reject", "two_hidden_names"),
    "a hidden name and most of the number": (
        {"name": "倪大明", "id_number": ELDER, **FLAT},
        {"name": "倪*", "id_number": f"430524********{ELDER[-4:]}", "phone": FLAT["phone"]},
        "auto",
        "hidden_name_and_most_of_the_number",
    ),
    "namesakes born on one day": (
        {"name": "仉攸宁", "birth_date": "1985-03-14", **FLAT},
        {"name": "仉攸宁", "birth_date": "1985-03-14", "phone": "13987650124", "address": AWAY},
        "review",
        "name_and_birth_date_only",
    ),
    "namesakes with two lifelong permits": (
        {"name": "房俊杰", "id_number": "H75114731", **FLAT},
        {"name": "房俊杰", "id_number": "H42183518", **FLAT},
        "review",
        "two_permits",
    ),
    "a sex that was miscoded": (
        {"name": "文亚楠", "birth_date": "1980-02-05", "sex": "女", **FLAT},
        {"name": "文亚楠", "birth_date": "1980-02-05", "sex": "男", "phone": FLAT["phone"], "address": AWAY},
        "review",
        "other_sex",
    ),
    "twins whose names sound alike, a digit of one number missing": (
        {"name": "朱瑶俊", "id_number": TWIN, "household_address": HAMLET},
        {"name": "朱瑶军", "id_number": TWIN[:16] + TWIN[17], "birth_date": "2016-08-14", "household_address": HAMLET},
        "review",
        "altered_name_near_number",
    ),
    "twins one character apart, the younger's number mistyped": (
        {"name": "余倩霞", "id_number": TWIN, "birth_date": "2016-08-14", **FLAT},
        {"name": "余倩玲", "id_number": TWIN[:16] + "5" + TWIN[-1], "birth_date": "2016-08-14", **FLAT},
        "review",
        "sibling_pattern",
    ),
    "a homophone with the same birth date and telephone": (
        {"name": "郭思婷", "id_number": ELDER, "birth_date": "2011-03-05", **FLAT},
        {"name": "郭思亭", "birth_date": "2011-03-05", **FLAT},
        "review",
        "altered_name_and_birth_date",
    ),
    "a hidden name with the same birth date and room": (
        {"name": "魏**", "id_number": ELDER, "birth_date": "2011-03-05", "address": HOME},
        {"name": "魏静明", "birth_date": "2011-03-05", "address": HOME},
        "review",
        "hidden_name",
    ),
    "a surname and a number rounded by a spreadsheet": (
        {"name": "萧燕", "id_number": "440306200403271482", "birth_date": "2004-03-27", "phone": FLAT["phone"]},
        {"name": "萧小姐", "id_number": "440306200403271488", "phone": FLAT["phone"]},
        "review",
        "hidden_name_other_number",
    ),
    "one name, birth date and room, another number where it is shown": (
        {"name": "邵晓宇", "id_number": ELDER, "address": HOME},
        {"name": "邵晓宇", "id_number": "653101********0812", "birth_date": "2011-03-05", "address": HOME},
        "review",
        "other_number_same_birth_date",
    ),
    "father and son of one name": (
        {"name": "石国强", "id_number": ELDER, **FLAT},
        {"name": "石国强", "id_number": "430524********0812", **FLAT},
        "review",
        "other_number",
    ),
    "another's number beside an address in the place of the name": (
        {"name": "邓燕", "id_number": ELDER, "phone": FLAT["phone"]},
        {"name": HOME, "id_number": ELDER, "birth_date": "1962-07-30", "sex": "男"},
        "reject",
        "no_name_little_else",
    ),
    "a brother's number": (
        {"name": "谭志明", "id_number": ELDER, **FLAT},
        {"name": "谭志强", "id_number": ELDER, **FLAT},
        "review",
        "same_number_one_character_replaced",
    ),
    "a namesake whose family comes from elsewhere": (
        {
            "name": "宋梅",
            "birth_date": "1980-02-05",
            "address": HOME,
            "household_address": "湖北省枣阳市西山镇新屋村9组46号",
        },
        {
            "name": "宋梅",
            "birth_date": "1980-02-05",
            "address": HOME.replace("101", "902"),
            "household_address": HAMLET,
        },
        "review",
        "name_and_birth_date_only",
    ),
    "a dropped character": (
        {"name": "毛红梅", "birth_date": "1982-02-14", **FLAT},
        {"name": "毛红", "birth_date": "1982-02-14", "phone": FLAT["phone"]},
        "review",
        "dropped_character_same_birth_date",
    ),
    "a relative's number, or another name": (
        {"name": "代思娜", "id_number": ELDER, **FLAT},
        {"name": "代艳", "id_number": f"430524********{ELDER[-4:]}", **FLAT},
        "review",
        "other_name_same_number_end",
    ),
    "no name, but the end of the number, date and telephone": (
        {"name": "覃嘉怡", "id_number": ELDER, **FLAT},
        {"name": "test", "id_number": ELDER[-4:], "birth_date": "2011-03-05", "phone": FLAT["phone"]},
        "auto",
        "no_name_number_and_home",
    ),
    "a nameless twin": (
        {"name": "覃嘉怡", "id_number": ELDER, **FLAT},
        {"name": "test", "birth_date": "2011-03-05", **FLAT},
        "review",
        "no_name",
    ),
    "one character apart, number and date of one's own on both sides": (
        {"name": "祁秀珍", "id_number": ELDER, "birth_date": "2011-03-05"},
        {"name": "祁秀玲", "id_number": ELDER, "birth_date": "2011-03-05"},
        "auto",
        "same_number_and_birth_date_one_character_apart",
    ),
    "the same, but no date of one's own": (
        {"name": "祁秀珍", "id_number": ELDER, "birth_date": "2011-03-05"},
        {"name": "祁秀玲", "id_number": ELDER},
        "conflict",
        "same_number_other_name",
    ),
    "the number behind the name": (
        {"name": "曹子华", "id_number": ELDER},
        {"name": f"曹子华 {ELDER}"},
        "auto",
        "same_number",
    ),
    "a hidden name with the number": (
        {"name": "曹子华", "id_number": ELDER},
        {"name": "曹**", "id_number": ELDER},
        "review",
        "same_number_hidden_name",
    ),
    "number and telephone in each other's place": (
        {"name": "曹子华", "id_number": ELDER},
        {"name": "曹子华", "id_number": "13712350075", "phone": ELDER},
        "auto",
        "same_number",
    ),
    "somebody else's number behind the name": (
        {"name": "曹子华", "id_number": ELDER},
        {"name": f"曹子华 {ELDER}", "id_number": YOUNGER},
        "reject",
        "two_numbers",
    ),
    "the telephone behind the name": (
        {"name": "曹子华", **FLAT},
        {"name": f"曹子华{FLAT['phone']}"},
        "auto",
        "score",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_people_who_are_easily_taken_for_one(case: str) -> None:
    left, right, verdict, rule = CASES[case]
    for found in (judged(left, right), judged(right, left)):
        assert (found.verdict.verdict, found.verdict.rule) == (verdict, rule)


@pytest.mark.parametrize(
    ("phone", "rare", "common"),
    [
        ("137****0075", "auto", "reject"),
        ("13712350076", "auto", "reject"),
        ("138****0076", "reject", "reject"),
    ],
)
def test_a_name_and_what_a_telephone_shows_is_enough_for_a_rare_name_only(phone: str, rare: str, common: str) -> None:
    left, right = (standardise_row({"name": "卓亚萍", "phone": p}, CONFIG) for p in (FLAT["phone"], phone))
    for frequency, verdict in ((1e-6, rare), (1e-3, common)):

        def of_name(column: str, _value: str, frequency: float = frequency) -> float | None:
            return frequency if column == "name_key" else None

        assert score_pair(CONFIG, MODEL, left, right, of_name).verdict.verdict == verdict


SAYS_NOTHING = {
    "id": ["missing", "different"],
    "sex": ["missing", "same"],
    "phone": ["missing", "different"],
    "address": ["missing", "same_street", "different"],
    "home": ["missing", "different"],
    "employer": ["missing", "different"],
}
NAME_LEVELS = [level.name for level in CONFIG.levels["name"]]


@settings(deadline=None)
@example(dict.fromkeys(SAYS_NOTHING, "missing"), "exact", "same_day", 7.0)
@example(dict.fromkeys(SAYS_NOTHING, "missing"), "exact", "same_day", 40.0)
@given(
    st.fixed_dictionaries({name: st.sampled_from(levels) for name, levels in SAYS_NOTHING.items()}),
    st.sampled_from(NAME_LEVELS),
    st.sampled_from([level.name for level in CONFIG.levels["birth"]]),
    st.floats(-30, 60),
)
def test_a_name_with_or_without_the_birth_date_never_links(
    outcomes: dict[str, str], name: str, birth: str, weight: float
) -> None:
    pair = {**outcomes, "name": name, "birth": birth}
    checks = dict.fromkeys(CONFIG.conditions, False)
    assert judge_pair(CONFIG, outcomes=pair, checks=checks, weight=weight).verdict in {"review", "reject"}
