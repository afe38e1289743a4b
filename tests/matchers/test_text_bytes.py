"""Columns of texts as matrices of bytes."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.text_bytes import bytes_of, characters_of


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
