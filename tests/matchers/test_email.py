"""Mail addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level_oracle import assert_levels_agree, row

from matchers.email import Email, levels, mask, standardise
from matchers.levels import outcome


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Wang.Fang@Mail.CN", ("wang.fang@mail.cn",)),
        ("wangfang＠mail。cn", ("wangfang@mail.cn",)),
        (" wangfang @ mail . cn ", ("wangfang@mail.cn",)),
        ("mailto:wangfang@mail.cn;", ("wangfang@mail.cn",)),
        ("<wangfang@mail.cn>", ("wangfang@mail.cn",)),
        ("wangfang@mail.cn；lina@mail.cn", ("wangfang@mail.cn", "lina@mail.cn")),
        ("无,wangfang@mail.cn", ("wangfang@mail.cn",)),
        ("83561907@qq.com", ("83561907@qq.com",)),
        ("a_b-c+d@x-y.com.cn", ("a_b-c+d@x-y.com.cn",)),
    ],
)
def test_a_cell_gives_its_addresses_in_lower_case(text: str, addresses: tuple[str, ...]) -> None:
    assert standardise(text).addresses == addresses
    assert standardise(text).key == addresses[0]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "无",
        "@",
        "a@b",
        "wangfang@",
        "@mail.cn",
        "wang..fang@mail.cn",
        "test@test.com",
        "123456@qq.com",
        "123@163.com",
        "xxx@xxx.com",
        "none@mail.cn",
        "aaaa@qq.com",
        "wangfang@example.com",
        "😀@mail.cn",
        "\ud800",
        "\x00",
        "a@" * 5_000,
        "بريد",
    ],
)
def test_fillers_and_junk_are_no_address(text: str | None) -> None:
    assert standardise(text) == Email()


@pytest.mark.parametrize(
    ("text", "local"), [("wangfang@mail.cn", "wangfang"), ("wf@mail.cn", None), ("service@mail.cn", None)]
)
def test_only_a_telling_local_part_is_kept_for_comparison(text: str, local: str | None) -> None:
    assert standardise(text).local == local


@given(st.text(max_size=40))
def test_an_address_standardises_to_itself(text: str) -> None:
    for address in standardise(text + " wang.fang7@mail.cn").addresses:
        assert standardise(address).key == address


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("wangfang@mail.cn", "WANGFANG@mail.cn", "same"),
        ("wangfang@mail.cn;lina@mail.cn", "lina@mail.cn", "shared"),
        ("wangfang@mail.cn", "wangfang@qq.com", "same_local"),
        ("wangfang@mail.cn", "wangfan@mail.cn", "one_edit"),
        ("wangfang@mail.cn", "lina@mail.cn", "different"),
        ("service@mail.cn", "service@qq.com", "different"),
        ("wangfang@mail.cn", "", "missing"),
    ],
)
def test_two_cells_compare_as_expected(left: str, right: str, level: str) -> None:
    assert outcome(levels("e"), row(e=standardise(left)), row(e=standardise(right))).name == level


def test_the_batch_and_one_pair_agree_on_every_level() -> None:
    texts = [
        "wangfang@mail.cn",
        "wangfang@qq.com",
        "lina@mail.cn",
        "wangfang@mail.cn;lina@mail.cn",
        "wangfan@mail.cn",
        "无",
    ]
    seen = assert_levels_agree(levels("e"), [row(e=standardise(text)) for text in texts], {"e": Email})
    assert seen == {level.name for level in levels("e")}


def test_a_mask_shows_one_character_and_the_provider() -> None:
    assert mask("wangfang@mail.cn") == "w***@mail.cn"
    assert mask("junk") == "***"
