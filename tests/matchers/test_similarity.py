"""Similarities: a pair, a column of pairs and places among texts looked at once all give the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

import matchers.field_types  # noqa: F401  (registers every similarity)
from matchers.similarity import SIMILARITIES

DAYS = st.dates().map(str)
PATTERNS = st.text("01*X", min_size=18, max_size=18)
NO_DAYS = st.sampled_from(
    ["2021-02-29", "2021-13-01", "0000-01-01", "2021-00-10", "2021-01-00", "2021/01/01", "2021-01-0é"]
)
MOBILES = st.text("19*", min_size=11, max_size=11)
FIRMS = st.text("鸿达贸易电|", max_size=7)
TEXTS = st.lists(DAYS, min_size=1, max_size=12) | st.lists(
    DAYS | NO_DAYS | MOBILES | FIRMS | PATTERNS | st.text(max_size=12) | st.just("2020-W01-1"), min_size=1, max_size=12
)


@pytest.mark.parametrize("name", sorted(SIMILARITIES))
@settings(deadline=None)
@given(texts=TEXTS, seed=st.randoms(use_true_random=False))
def test_every_form_of_a_similarity_gives_what_it_gives_for_one_pair(name: str, texts: list[str], seed) -> None:  # type: ignore[no-untyped-def]
    similarity = SIMILARITIES[name]
    places = [(seed.randrange(len(texts)), seed.randrange(len(texts))) for _ in range(20)]
    left, right = ([pair[side] for pair in places] for side in (0, 1))
    expected = [similarity.one(texts[a], texts[b]) for a, b in places]
    assert similarity.many([texts[a] for a in left], [texts[b] for b in right]).tolist() == expected
    if similarity.among is not None:
        assert similarity.among(pa.array(texts))(np.array(left), np.array(right)).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(text=st.text("19张*", min_size=2, max_size=12), data=st.data())
def test_one_edit_is_told_from_several_among_texts_of_any_size(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 2))
    put = data.draw(st.sampled_from("19张*"))
    one = [text[:at] + text[at + 1 :], text[:at] + put + text[at:], text[:at] + put + text[at + 1 :]]
    one.append(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    texts = [text, *one, text + "00", text[::-1]]
    places = np.zeros(len(texts), dtype=np.int64), np.arange(len(texts))
    among = SIMILARITIES["gy_edits"].among
    assert among is not None
    found = among(pa.array(texts))(*places).tolist()
    assert found == [-float(min(OSA.distance(text, other), 2)) for other in texts]
    assert min(found[1:5]) >= -1.0
