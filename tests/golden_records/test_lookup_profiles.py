"""Packed profiles unpack to what they were, whatever stands in them and however the rows were cut into batches."""

from __future__ import annotations

from itertools import groupby

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog.lookup_profiles import (
    ENDED,
    entity_number,
    entity_of,
    pack_profiles,
    read_contents,
    read_profile_ids,
    read_shared,
    unpack_contents,
)
from golden_records.entity_id import mint

TEXT = st.text(st.characters(codec="utf-8", exclude_characters=ENDED), max_size=8)
PROFILES = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(-(1 << 63), (1 << 63) - 1)), TEXT, min_size=1, max_size=20
)


@settings(max_examples=80, deadline=None)
@given(profiles=PROFILES, size=st.integers(1, 9))
def test_the_profiles_of_every_entity_unpack_to_what_they_were(profiles: dict[tuple[int, int], str], size: int) -> None:
    rows = [(number, profile, text) for (number, profile), text in sorted(profiles.items())]
    table = pa.table(
        {
            "number": pa.array([row[0] for row in rows], pa.int64()),
            "profile_id": pa.array([row[1] for row in rows], pa.int64()),
            "content": [row[2] + ENDED for row in rows],
            "shared": pa.array([None if row[0] % 2 else f"0 2 {row[0]}" for row in rows], pa.string()),
        }
    )
    packed = [*pack_profiles(table.to_batches(max_chunksize=size))]
    unpacked = [row for batch in packed for row in unpack_contents(batch).to_pylist()]
    assert [(row["number"], row["profile_id"], row["content"]) for row in unpacked] == rows
    for row, (number, own) in zip(
        (row for batch in packed for row in batch.to_pylist()), groupby(rows, lambda row: row[0]), strict=True
    ):
        ours = list(own)
        assert row["number"] == number
        assert read_profile_ids(row["profile_ids"]) == [profile for _, profile, _ in ours]
        assert read_contents(row["contents"]) == [text for _, _, text in ours]
        assert row["shared"] == (None if number % 2 else f"0 2 {number}")


@given(kind=st.sampled_from(["LP", "NP"]), sequence=st.integers(0, 1 << 40))
def test_an_entity_has_its_number(kind: str, sequence: int) -> None:
    entity_id = mint("LP" if kind == "LP" else "NP", sequence)
    assert entity_of(entity_number(entity_id)) == entity_id


def test_profiles_of_several_entities_are_told_by_place() -> None:
    first, second, third = (mint("NP", number) for number in (1, 2, 3))
    assert read_shared(None) == {}
    assert read_shared(f"0 2 {first} {second};4 25 {first} {third}") == {
        0: (2, (first, second)),
        4: (25, (first, third)),
    }
