"""Counting agreeing positions of patterns: one pair and many pairs give the same, in either order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.identifiers import agreement
from matchers.similarity import SIMILARITIES

NAMES = ("gy_mask_agreement", "gy_mask_tail", "gy_code_agreement")
patterns = st.text("01*X", min_size=18, max_size=18) | st.text("1é张", min_size=17, max_size=18) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("left", "right", "counts"),
    [
        ("440306199901011514", "440306********1514", (10, 4, 4)),
        ("440306199901011514", "440306********1524", (-1, -1, -1)),
        ("440306199901011514", "440306200001011***", (-1, -1, -1)),
        ("440306************", "**************1514", (0, 0, 0)),
        ("******19990101****", "440306199901011514", (0, 0, 6)),
        ("4403**********1514", "440306199901011***", (5, 1, 1)),
        ("short", "short", (-1, -1, -1)),
        ("44030619990101151é", "44030619990101151é", (-1, -1, -1)),
    ],
)
def test_only_positions_that_mean_something_are_counted(left: str, right: str, counts: tuple[int, int, int]) -> None:
    assert tuple(SIMILARITIES[name].one(left, right) for name in NAMES) == counts
    assert agreement.SIZE == 18


@given(st.lists(st.tuples(patterns, patterns), max_size=20))
def test_many_pairs_at_once_equal_pair_by_pair_in_either_order(pairs: list[tuple[str, str]]) -> None:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    for name in NAMES:
        similarity = SIMILARITIES[name]
        expected = [similarity.one(a, b) for a, b in pairs]
        assert similarity.many(left, right).tolist() == expected
        assert similarity.many(right, left).tolist() == expected
