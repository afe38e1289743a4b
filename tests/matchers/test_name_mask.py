"""Patterns of names: the quick way to align two agrees with trying every way."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from matchers.name_mask import LOST, _best_shared, _items, _shared, fits

PATTERNS = st.text(alphabet=f"王小明*{LOST}", min_size=1, max_size=6)


@given(left=PATTERNS, right=PATTERNS)
@example(left="王*", right="王小明")
@example(left=f"王{LOST}明", right="王明")
def test_two_patterns_are_aligned_the_quick_way_as_by_trying_every_way(left: str, right: str) -> None:
    items = _items(left), _items(right)
    assert _shared(*items) == _best_shared(*items)
    assert _shared(*reversed(items)) == _best_shared(*items)


@given(left=PATTERNS, right=PATTERNS)
def test_asking_again_gives_the_same_answer_in_either_order(left: str, right: str) -> None:
    assert fits(left, right) == fits(left, right) == fits(right, left)
