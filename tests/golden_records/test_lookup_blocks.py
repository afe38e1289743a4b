"""Packed blocks hold exactly the members that were put in, however the rows were cut into batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog.lookup_blocks import (
    MEMBER,
    bucket_bits,
    bucket_number,
    find_block,
    members_sql,
    pack_blocks,
    unpack_blocks,
)
from golden_records.catalog.lookup_profiles import FIRST_NUMBER

LARGEST = (1 << 63) - 1
KEY = st.integers(0, LARGEST) | st.sampled_from([0, 1, LARGEST, LARGEST - 1])
# key, refine (0: of a rule that splits nothing), entity, place
MEMBERS = st.lists(
    st.tuples(
        KEY,
        st.sampled_from([0, 1, 1 << 32, LARGEST]),
        st.integers(1, 9) | st.just((1 << 32) - 1),
        st.integers(0, 2) | st.sampled_from([255, 256, 70_000]),
    ),
    max_size=40,
)
Member = tuple[int, int, int, int]


def members_of(kind: str, bits: int, made: list[Member]) -> pa.Table:
    """Return the members as DuckDB finds them, in order; each place of an entity is a profile."""
    profiles = sorted({(entity, place) for _, _, entity, place in made})
    with duckdb.connect() as con:
        con.execute("create table places (number bigint, place bigint, profile_id bigint)")
        con.execute("create table keys (key bigint, refine bigint, profile_id bigint)")
        for number, (entity, place) in enumerate(profiles):
            con.execute("insert into places values (?, ?, ?)", [FIRST_NUMBER[kind] + entity, place, number])
        for key, refine, entity, place in made:
            con.execute("insert into keys values (?, ?, ?)", [key, refine, profiles.index((entity, place))])
        return con.sql(f"from ({members_sql(kind, bits, 'keys', 'places')}) order by all").to_arrow_table()


def cut(table: pa.Table, size: int) -> Iterator[pa.RecordBatch]:
    yield from table.combine_chunks().to_batches(max_chunksize=size)


@settings(max_examples=60, deadline=None)
@given(made=MEMBERS, bits=st.integers(0, 31), size=st.integers(1, 9), kind=st.sampled_from(["LP", "NP"]))
def test_every_key_is_found_with_its_members_and_no_others(made: list[Member], bits: int, size: int, kind: str) -> None:
    table = members_of(kind, bits, made)
    rows = [row for batch in pack_blocks(cut(table, size)) for row in batch.to_pylist()]
    buckets = {row["number"]: row["blocks"] for row in rows}
    assert len(buckets) == len(rows)
    assert list(buckets) == sorted(buckets)
    expected: dict[tuple[int, bool], set[tuple[int, int, int]]] = defaultdict(set)
    for key, refine, entity, place in made:
        shown = key >> (31 - bits)  # what is kept of a key: the bucket, and 32 bits
        expected[shown, refine != 0].add((entity, place, refine & 0xFFFFFFFF))
    for key, refine, _, _ in made:
        split = refine != 0
        block = find_block(buckets[bucket_number(kind, bits, key, split=split)], bits, key, split=split)
        refines = block.refines.tolist() if block.refines is not None else [0] * len(block)
        found = set(zip(block.entities.tolist(), block.places.tolist(), refines, strict=True))
        assert found == expected[key >> (31 - bits), split]
        part = block.part(refine)
        assert set(zip(part.entities.tolist(), part.places.tolist(), strict=True)) == {
            (entity, place) for entity, place, other in found if other == refine & 0xFFFFFFFF
        }


@settings(max_examples=40, deadline=None)
@given(made=MEMBERS, bits=st.integers(0, 31), size=st.integers(1, 9))
def test_what_is_packed_unpacks_to_what_it_was_and_packs_the_same(made: list[Member], bits: int, size: int) -> None:
    table = members_of("NP", bits, made)
    packed = list(pack_blocks(cut(table, size)))
    unpacked = pa.concat_tables([MEMBER.empty_table(), *map(unpack_blocks, packed)])
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert [tuple(row.values()) for row in unpacked.to_pylist()] == sorted(set(rows))
    again = [row for batch in pack_blocks(cut(unpacked, 1_000)) for row in batch.to_pylist()]
    assert again == [row for batch in packed for row in batch.to_pylist()]


def test_a_key_that_nobody_has_has_no_members() -> None:
    (row,) = (
        row for batch in pack_blocks(cut(members_of("LP", 0, [(5 << 31, 0, 1, 0)]), 9)) for row in batch.to_pylist()
    )
    for key in (0, 4 << 31, 6 << 31, LARGEST):
        assert len(find_block(row["blocks"], 0, key, split=False)) == 0


def test_an_entity_beyond_four_bytes_is_refused_not_cut() -> None:
    with duckdb.connect() as con:
        con.execute(f"create table places as select {1 << 32} as number, 0 as place, 1 as profile_id")
        con.execute("create table keys as select 1::bigint as key, 0::bigint as refine, 1 as profile_id")
        with pytest.raises(duckdb.ConversionException):
            con.execute(members_sql("LP", 0, "keys", "places")).fetchall()


@given(profiles=st.integers(0, 10**10))
def test_buckets_grow_with_the_profiles(profiles: int) -> None:
    bits = bucket_bits(profiles)
    assert 0 <= bits <= 31
    assert bits == 31 or profiles / 2**bits <= 24
