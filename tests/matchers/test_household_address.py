"""Registered addresses: equal text, whatever the width and spacing, and nothing in between."""

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
        ("江西省", "江西省", "missing"),
    ],
)
def test_two_registered_addresses_meet_at_the_level_expected(
    left: str | None, right: str | None, expected: str
) -> None:
    assert level(left, right) == expected
    assert level(right, left) == expected


@pytest.mark.parametrize("junk", [None, "", "🙂", "x" * 10_000, "\ud800", "a\x00b", "אבג"])
def test_junk_is_no_evidence_and_no_accident(junk: str | None) -> None:
    assert level(junk, VILLAGE) in {"missing", "different"}


def test_a_mask_stops_at_the_town() -> None:
    assert "高屋" not in mask("广东省深圳市宝安区西乡街道高屋村1组")
