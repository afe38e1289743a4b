"""Check digits and draws of the simulator against published vectors and plain Python."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.simulator.check_digits import (
    ALPHABET_31,
    base_31,
    with_credit_check,
    with_organisation_check,
    with_registration_check,
    with_resident_check,
)
from eval.simulator.columns import (
    choose,
    codepoints,
    days,
    from_codepoints,
    pick_rows,
    put,
    scattered_numbers,
    stream,
    take,
    text,
)

CREDIT_CODES = [
    "914403001922038216",
    "9144030071526726XG",
    "92440300MA5EQ7GQ4X",
    "12440600MB2C07549J",
    "91350100M000100Y43",
]
RESIDENTS = [
    "11010519491231002X",
    "440524188001010014",
    "360426199101010071",
    "810000199408230021",
    "932682198501010017",
]
REGISTRATIONS = ["440306109178395", "440301103097413", "320508000332537", "110108000000016", "310115600985533"]


def test_published_numbers_get_their_own_check_digits():
    assert with_credit_check(text([c[:17] for c in CREDIT_CODES])).to_pylist() == CREDIT_CODES
    assert with_organisation_check(text([c[8:16] for c in CREDIT_CODES])).to_pylist() == [c[8:17] for c in CREDIT_CODES]
    assert with_resident_check(np.array([int(r[:17]) for r in RESIDENTS])).to_pylist() == RESIDENTS
    assert with_registration_check(np.array([int(r[:14]) for r in REGISTRATIONS])).to_pylist() == REGISTRATIONS


@given(st.lists(st.integers(10**16, 10**17 - 1), min_size=1, max_size=20))
def test_resident_check_digits_agree_with_plain_python(bodies):
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    expected = [
        f"{b}{'10X98765432'[sum(int(d) * w for d, w in zip(str(b), weights, strict=True)) % 11]}" for b in bodies
    ]
    assert with_resident_check(np.array(bodies)).to_pylist() == expected


@given(st.lists(st.text(ALPHABET_31, min_size=17, max_size=17), min_size=1, max_size=20))
def test_credit_check_characters_agree_with_plain_python(bodies):
    def check(body: str) -> str:
        total = sum(ALPHABET_31.index(c) * pow(3, i, 31) for i, c in enumerate(body))
        return ALPHABET_31[(31 - total % 31) % 31]

    assert with_credit_check(text(bodies)).to_pylist() == [b + check(b) for b in bodies]


@given(st.lists(st.integers(0, 31**5 - 1), min_size=1, max_size=20))
def test_base_31_reads_back_as_the_number(numbers):
    for number, written in zip(numbers, base_31(np.array(numbers), 5).to_pylist(), strict=True):
        assert sum(ALPHABET_31.index(c) * 31**p for p, c in enumerate(reversed(written))) == number


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30), max_size=20))
def test_code_points_and_back_is_the_same_text(values):
    assert from_codepoints(codepoints(text(values))).to_pylist() == values


@pytest.mark.parametrize("probability", [0.0, 0.001, 0.05, 0.19, 0.21, 0.9, 1.0])
def test_rows_are_picked_at_the_probability_asked_for_and_each_once(probability):
    rows = pick_rows(stream(1, "pick"), 100_000, probability)
    assert (np.diff(rows) > 0).all()
    assert abs(len(rows) / 100_000 - probability) < 0.01
    if probability in (0.0, 1.0):
        assert len(rows) == 100_000 * probability


def test_scattered_numbers_are_distinct_and_refuse_a_space_too_small():
    for seed in range(20):
        numbers = scattered_numbers(stream(seed, "walk"), 1_000, 1_003)
        assert len(set(numbers.tolist())) == 1_000
        assert numbers.min() >= 0
        assert numbers.max() < 1_003
    with pytest.raises(ValueError, match="do not fit"):
        scattered_numbers(stream(1, "walk"), 11, 10)


def test_streams_are_repeatable_and_apart():
    assert stream(1, "a").random() == stream(1, "a").random()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "a").random() != stream(2, "a").random()


def test_weights_decide_the_draw():
    drawn = choose(stream(3, "w"), [0.0, 3.0, 1.0], 40_000)
    assert set(drawn.tolist()) == {1, 2}
    assert 0.73 < (drawn == 1).mean() < 0.77


def test_columns_are_taken_put_and_dated():
    assert take(("a", "b"), np.array([1, -1, 0])).to_pylist() == ["b", None, "a"]
    assert put(text(["a", "b", "c"]), np.array([0, 2]), text(["x", None])).to_pylist() == ["x", "b", None]
    assert days(np.array([0, -1, 20_089])).to_pylist() == ["1970-01-01", "1969-12-31", "2025-01-01"]
    assert days(np.array([], dtype=np.int64)).to_pylist() == []
    assert isinstance(text([]), pa.Array)
