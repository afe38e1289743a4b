"""Columns of texts as matrices of bytes."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.text_bytes import bytes_of, characters_of, differing_bytes, is_ascii, letters_of, words_of


@settings(deadline=None)
@given(st.lists(st.text("ab张", max_size=3)), st.integers(1, 4), st.integers(0, 2), st.booleans())
def test_texts_of_the_size_are_their_bytes_and_the_others_zeros(
    texts: list[str], size: int, skipped: int, large: bool
) -> None:
    column = pa.array(texts, pa.large_string() if large else pa.string()).slice(skipped)
    rows, fitting = bytes_of(column, size)
    encoded = [text.encode() for text in texts[skipped:]]
    assert fitting.tolist() == [len(text) == size for text in encoded]
    assert [row.tobytes() for row in rows] == [text if len(text) == size else bytes(size) for text in encoded]


@settings(deadline=None)
@given(st.lists(st.text("ab张🙂", max_size=4)), st.integers(1, 4), st.integers(0, 2), st.booleans())
def test_texts_are_their_first_characters_and_how_many_they_have(
    texts: list[str], most: int, skipped: int, large: bool
) -> None:
    column = pa.array(texts, pa.large_string() if large else pa.string()).slice(skipped)
    rows, sizes = characters_of(column, most)
    assert sizes.tolist() == [len(text) for text in texts[skipped:]]
    assert ["".join(map(chr, row)) for row in rows] == [text[:most].ljust(most, "\0") for text in texts[skipped:]]


@settings(deadline=None)
@given(st.lists(st.text("aZ0~\x00\x7f", min_size=11, max_size=11), min_size=2, max_size=6))
def test_bytes_that_differ_are_counted_eight_at_a_time(texts: list[str]) -> None:
    words = words_of(pa.array(texts), 11)
    assert len(words.columns) == 2
    counted = sum(differing_bytes(column[:-1] ^ column[1:]).astype(int) for column in words.columns)
    expected = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairwise(texts)]
    assert np.asarray(counted).tolist() == expected


def test_rows_with_longer_characters_are_told() -> None:
    assert is_ascii(words_of(pa.array(["abc", "张", "ab"]), 3).rows).tolist() == [True, False, True]


@settings(deadline=None)
@given(text=st.text(max_size=8), at=st.integers(0, 8), put=st.text(max_size=1), taken=st.integers(0, 1))
def test_one_edit_changes_two_letters_at_most(text: str, at: int, put: str, taken: int) -> None:
    before, after = letters_of(pa.array([text, text[:at] + put + text[at + taken :]])).tolist()
    assert (before ^ after).bit_count() <= 2


@given(st.lists(st.text("ab张🙂", max_size=4)), st.integers(0, 2))
def test_letters_are_those_of_each_text(texts: list[str], skipped: int) -> None:
    found = letters_of(pa.array(texts, pa.string()).slice(skipped)).tolist()
    one = {letter: int(letters_of(pa.array([letter]))[0]) for letter in "ab张🙂"}
    assert found == [reduce(or_, (one[letter] for letter in text), 0) for text in texts[skipped:]]
