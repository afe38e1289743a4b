"""What the simulator does to values: each error class changes what it says, and nothing breaks on odd input."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.simulator import damage
from eval.simulator.columns import nothing, rows_of, stream, text
from eval.simulator.error_table import CORRUPTIONS, Batch, Hit
from eval.simulator.errors import corrupt, error_lists
from eval.simulator.profile import ERROR_CLASSES, ErrorRates

ID = "440306198001011234"
NAMES = ["王伟", "欧阳志强", "买买提·吐尔逊", "萧䶮", "张三丰"]


def changed(name: str, values: list[str], field: str | None = None, alternatives=None) -> list[str | None]:
    """Apply one error class to every value and return the outcome."""
    corruption = next(c for c in CORRUPTIONS if c.name == name)
    entity, _, own = (field or corruption.fields[0]).rpartition(":")
    column = text(values)
    batch = Batch(entity or "natural_person", {own: column}, alternatives or {})
    hit = Hit(batch, np.arange(len(values)), stream(5, name))
    return corruption.change(column, hit).to_pylist()


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("surname_swap", "萧伟", "^肖伟$"),
        ("homophone_character", "王伟强", "^王(?!伟强).{2}$"),
        ("character_dropped", "张三丰", "^张[三丰]$"),
        ("traditional_glyphs", "陈国华", "^陳國華$"),
        ("name_masked", "张三丰", r"^张(\*丰|\*|\*三丰|某)$|^张\*丰$"),
        ("transliteration", "买买提·肉孜", "^麦麦提·肉孜$"),
        ("id_15_digits", ID, "^440306800101123$"),
        ("id_scientific", ID, r"^4\.40306E\+17$"),
        ("id_rounded", ID, "^440306198001011000$"),
        ("id_masked", ID, r"\*|^1234$"),
        ("id_lower_x", "11010519491231002X", r"^11010519491231002[xＸ*×]$"),
        ("id_full_width", "A1", "^Ａ１$"),
        ("code_scientific", "914403001922038216", r"^9\.14403E\+17$"),
        ("code_rounded", "914403001922038216", "^914403001922038000$"),
        ("region_dropped", "深圳市宝安区鑫源五金店", "^鑫源五金店$"),
        ("region_short", "深圳市宝安区鑫源五金店", "^(深圳宝安鑫源五金店|深圳宝安区鑫源五金店)$"),
        ("form_dropped", "深圳市鑫源电子有限公司", "^深圳市鑫源电子$"),
        ("short_name", "深圳市鑫源电子科技有限公司", "^鑫源电子$"),
        ("digit_variant", "鑫源电子有限公司第二分公司", "第2分公司$"),
        ("address_truncated", "新湖路12号金海花园3栋1204", r"3栋$|花园$"),
        ("phone_masked", "13812345678", r"^138\*{4}5678$"),
        ("date_swapped", "1980-05-04", "^1980-04-05$"),
        ("date_impossible", "1980-05-04", "^1980-(02-30|13-04)$"),
        ("date_partial", "1980-05-04", "^1980(-05)?$"),
    ],
)
def test_an_error_class_writes_what_its_name_says(name, value, pattern):
    assert re.search(pattern, changed(name, [value])[0])


def test_a_wrong_digit_is_one_digit_and_a_swap_exchanges_neighbours():
    for value in changed("id_digit_error", [ID] * 200):
        assert sum(a != b for a, b in zip(value, ID, strict=True)) == 1
    for value in changed("id_transposed", [ID] * 200):
        places = [p for p, (a, b) in enumerate(zip(value, ID, strict=True)) if a != b]
        assert len(places) == 2
        assert places[1] == places[0] + 1
        assert sorted(value) == sorted(ID)


def test_a_class_that_does_not_apply_leaves_the_value_alone():
    assert changed("surname_swap", ["丁一"]) == ["丁一"]
    assert changed("id_15_digits", ["H12345678"]) == ["H12345678"]
    assert changed("id_15_digits", ["440306200801011234"]) == ["440306200801011234"]
    assert changed("date_swapped", ["1980-05-25"]) == ["1980-05-25"]
    assert changed("former_name", ["王伟"]) == ["王伟"]


def test_a_rare_character_is_lost_or_replaced_and_a_common_one_is_safe():
    outcomes = set(changed("rare_character", ["王䶮"] * 200))
    assert {"王\ue863", "王龑"} <= outcomes
    assert changed("rare_character", ["王龑", "王坤"]) == ["王龑", "王坤"]


def test_other_values_of_the_subject_are_written_where_there_are_any():
    alternatives = {"former_name": lambda rows: rows_of(text(["李红", None]), rows)}
    assert changed("former_name", ["李兰", "王伟"], alternatives=alternatives) == ["李红", "王伟"]


def test_errors_are_recorded_only_where_the_value_changed():
    values = ["萧伟", "丁一"] * 500
    batch = Batch("natural_person", {"name": text(values)}, {})
    applied = corrupt(batch, ErrorRates(surname_swap=1.0), stream(1, "t"))
    lists = error_lists(1000, applied).to_pylist()
    assert lists == [["surname_swap"], []] * 500
    assert batch.columns["name"].to_pylist() == ["肖伟", "丁一"] * 500


def test_error_lists_name_each_class_once_in_the_order_of_the_profile():
    batch = Batch("natural_person", {"name": text(["萧国华"]), "id_number": text([ID])}, {})
    rates = ErrorRates(surname_swap=1, traditional_glyphs=1, id_missing=1)
    lists = error_lists(1, corrupt(batch, rates, stream(1, "t"))).to_pylist()
    assert lists == [["surname_swap", "traditional_glyphs", "id_missing"]]
    assert batch.columns["id_number"].null_count == 1


def test_classes_of_persons_and_firms_keep_to_their_own_names():
    firm = Batch("legal_person", {"name": text(["萧氏电子有限公司"])}, {})
    assert len(corrupt(firm, ErrorRates(surname_swap=1, name_title=1), stream(1, "t")).row) == 0
    person = Batch("natural_person", {"name": text(["马公司有限公司"])}, {})
    assert len(corrupt(person, ErrorRates(form_dropped=1, short_name=1), stream(1, "t")).row) == 0


def test_no_rate_means_no_error():
    batch = Batch("natural_person", {"name": text(NAMES), "id_number": text([ID] * 5)}, {})
    assert len(corrupt(batch, ErrorRates(), stream(1, "t")).row) == 0


def test_every_class_of_the_profile_is_in_the_table_and_the_other_way_round():
    assert {c.name for c in CORRUPTIONS} == set(ERROR_CLASSES)


JUNK = [
    "",
    " ",
    "🀄️😀",
    "\x00",
    "אבג",
    "١٢٣",
    "?" * 10_000,
    "字" * 10_000,
    "\u200b",
    "A" * 18,
    "1" * 18,
    "·",
    "（",
    "9.1E+17",
]


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda c: f"{c.name}-{c.fields[0]}")
def test_no_class_breaks_on_junk(corruption):
    entity, _, field = corruption.fields[0].rpartition(":")
    entity = entity or "natural_person"
    values = text([*JUNK, None])
    columns = {"phone": values, "id_number": values, "uscc": values, "id_type": values, field: values}
    batch = Batch(
        entity,
        columns,
        {"next_id_type": lambda rows: nothing(len(rows)), "second_type": lambda rows: nothing(len(rows))},
    )
    corrupt(batch, ErrorRates(**{corruption.name: 1.0}), stream(2, "junk"))
    assert len(batch.columns[field]) == len(JUNK) + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=24), min_size=1, max_size=8))
def test_any_text_goes_through_every_change_and_keeps_its_row(values):
    column = text(values)
    rng = stream(3, "any")
    for function in (
        damage.wrong_digit,
        damage.swap_digits,
        damage.drop_character,
        damage.rare_character,
        damage.mask_number,
    ):
        assert len(function(column, rng)) == len(values)
    assert len(damage.full_width(column)) == len(damage.traditional(column)) == len(values)
