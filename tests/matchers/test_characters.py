"""Folding of characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.characters import canon, fold, is_private, look_alike, proper

HAN_TEXT = st.text(st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF), max_size=6)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("陳偉", "陈伟"),
        ("龑", "䶮"),
        ("\ue863", "䶮"),
        ("\ue815", "⺁"),
        ("張\u3000三", "张 三"),
        ("ＡＢ１２", "AB12"),
        ("葛\U000e0100", "葛"),
        ("峯", "峰"),
        ("黃", "黄"),
        ("吳", "吴"),
        ("⼀", "一"),
    ],
)
def test_a_character_folds_to_its_simplified_proper_form(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize("kept", ["於", "甯", "昇", "堃", "喆", "邨", "淼", "犇", "乾", "脩"])
def test_a_standard_character_of_names_is_not_folded_into_another(kept: str) -> None:
    assert fold(kept) == kept


def test_every_private_use_character_of_gbk_systems_has_a_proper_one() -> None:
    # U+E81F is listed to 9FBB; 80 code points from E815 to E864, some of which GBK itself maps.
    mapped = [c for c in map(chr, range(0xE815, 0xE865)) if not is_private(proper(c))]
    assert len(mapped) >= 79


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("堃", "坤"),
        ("喆", "哲"),
        ("淼", "水水"),
        ("昇", "升"),
        ("玥", "月"),
        ("方方土", "堃"),
        ("吉吉", "哲"),
        ("甯", "宁"),
    ],
)
def test_stand_ins_share_a_canon(one: str, other: str) -> None:
    assert canon(one) == canon(other)
    assert fold(one) != fold(other)


@pytest.mark.parametrize(("one", "other"), [("己", "已"), ("未", "末"), ("候", "侯"), ("清", "青"), ("铭", "铬")])
def test_look_alikes_are_symmetric(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


def test_unlike_characters_are_no_look_alikes() -> None:
    assert not look_alike("伟", "丽")
    assert not look_alike("伟", "伟")


@given(HAN_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.sampled_from("堃坤喆哲方土吉水淼火牛石龑䶮峯玥月悦甯宁寗鎔"), max_size=6))
def test_equal_folds_have_equal_canons_and_a_canon_is_stable_by_character(text: str) -> None:
    assert all(canon(canon(c)) == canon(c) for c in text)
    assert canon(fold(fold(text))) == canon(fold(text))
