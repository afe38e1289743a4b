"""Registered addresses: the same place in the words of today or of then, and nothing in between."""

import pytest

from matchers.household_address import levels, mask, standardise
from matchers.levels import outcome

VILLAGE = "江西省抚州市东乡县河口镇高屋村1组"


def level(left: str | None, right: str | None) -> str:
    return outcome(levels("home"), {"home_key": standardise(left).key}, {"home_key": standardise(right).key}).name


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (VILLAGE, "江西省 抚州市东乡县河口镇高屋村１组", "same"),
        (VILLAGE, "江西省抚州市东乡县河口镇高屋村2组", "different"),
        (VILLAGE, None, "missing"),
        (VILLAGE, "不详", "missing"),
        (VILLAGE, "江西省抚州市东乡区河口镇高屋村委会第一村民小组", "same"),
        (VILLAGE, "东乡县河口镇高屋村一组", "same"),
        (VILLAGE, "江西省抚州地区东乡县河口乡高屋村1组", "same"),
        (VILLAGE, "江西省抚州市南丰县河口镇高屋村1组", "different"),
        (VILLAGE, "江西省抚州市东乡县黎圩镇高屋村1组", "different"),
        ("湖南省邵阳市邵东县团山镇石桥村5组12号", "湖南邵阳邵东市团山镇石桥村五组12", "same"),
        ("四川省达县地区渠县清溪乡三社", "四川省达州市渠县清溪镇3组", "same"),
        ("湖南省长沙市郊区河口镇孙家湾村9组", "江西省南昌市郊区河口镇孙家湾村9组", "different"),
        ("广东省深圳市宝安区西乡街道", "广东省深圳市宝安区西乡街道", "missing"),
        ("江西省", "江西省", "missing"),
    ],
)
def test_two_registered_addresses_meet_at_the_level_expected(
    left: str | None, right: str | None, expected: str
) -> None:
    assert level(left, right) == expected
    assert level(right, left) == expected


def lived_in(text: str, address: str) -> dict[str, object]:
    found = standardise(text, address)
    return {"home_key": found.key, "home_here": found.here}


def test_a_home_that_is_also_the_address_of_both_says_nothing_twice() -> None:
    at_home = lived_in(VILLAGE, "江西省抚州市 东乡县河口镇高屋村1组")
    away = lived_in(VILLAGE, "深圳市宝安区西乡街道固戍社区3号")
    assert outcome(levels("home"), at_home, at_home).name == "missing"
    assert outcome(levels("home"), at_home, away).name == "same"
    assert outcome(levels("home"), away, away).name == "same"


@pytest.mark.parametrize("junk", [None, "", "🙂", "x" * 10_000, "\ud800", "a\x00b", "אבג"])
def test_junk_is_no_evidence_and_no_accident(junk: str | None) -> None:
    assert level(junk, VILLAGE) in {"missing", "different"}


def test_a_mask_stops_at_the_town() -> None:
    assert "高屋" not in mask("广东省深圳市宝安区西乡街道高屋村1组")
