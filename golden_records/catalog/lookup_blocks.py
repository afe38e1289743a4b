"""The rows of `lookup_bucket`: the blocks of many blocking keys, packed together.

A block is the profiles that share a blocking key (see `blocking.stable_keys`); a member is an entity's sequence number
and a profile's place in its row of `lookup_entity`. The first bits of a key's hash say in which bucket it is, the next
32 tell it apart there: keys that agree in both are one block, which costs a needless comparison. Keys of rules that
split large blocks are in buckets of their own, with the hash of the splitting columns beside each member.

A row's `number` is the bucket's, in the range of its kind (`FIRST_NUMBER`), doubled, plus 1 where blocks can be split.
`blocks`, all little-endian: the number n of keys (4 bytes), the widths of an end and of a place (1 byte each); the n
keys, ascending (4 bytes each); for each, how many members it and the keys before have; then of all members the entity
(4 bytes), the place, and where blocks can be split the hash (4 bytes).

Invariant: a row follows from the members of its blocks and the number of bits alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from golden_records.catalog.lookup_profiles import FIRST_NUMBER

_HEADER = struct.Struct("<IBB")
_KEY_BITS = 63
_PROFILES_OF_BUCKET = 24
_MOST_BITS = 31
_WORD = 0xFFFFFFFF
_UNSIGNED = {1: "u1", 2: "<u2", 4: "<u4"}
MEMBER = pa.schema(
    [
        ("number", pa.int64()),
        ("suffix", pa.uint32()),
        ("entity", pa.uint32()),
        ("place", pa.uint32()),
        ("refine", pa.uint32()),
    ]
)


@dataclass(frozen=True)
class Block:
    """The members of one key.

    Attributes:
        entities: sequence numbers.
        places: places of profiles in the rows of their entities.
        refines: hashes of the splitting columns; None where blocks are not split.
    """

    entities: np.ndarray
    places: np.ndarray
    refines: np.ndarray | None

    def __len__(self) -> int:
        return len(self.entities)

    def part(self, refine: int) -> Block:
        """Return the members with one value of the splitting columns."""
        if self.refines is None:
            return self
        chosen = self.refines == np.uint32(refine & _WORD)
        return Block(self.entities[chosen], self.places[chosen], self.refines[chosen])


NO_BLOCK = Block(np.zeros(0, "<u4"), np.zeros(0, "u1"), None)


def bucket_bits(profiles: int) -> int:
    """Return into how many buckets, as a power of two, the blocks of a number of profiles go.

    >>> bucket_bits(10), bucket_bits(18_000_000)
    (0, 20)
    """
    return min((profiles // _PROFILES_OF_BUCKET).bit_length(), _MOST_BITS)


def bucket_number(kind: str, bits: int, key: int, *, split: bool) -> int:
    """Return the number of the row that holds a key."""
    return FIRST_NUMBER[kind] + ((key >> (_KEY_BITS - bits)) << 1 | split)


def members_sql(kind: str, bits: int, keys: str, places: str) -> str:
    """Return a DuckDB query for members, as `pack_blocks` takes them but in no order.

    Args:
        kind: LP or NP.
        bits: see `bucket_bits`.
        keys: table: key, refine, profile_id.
        places: table: number (of the row of `lookup_entity`), place, profile_id.
    """
    first = FIRST_NUMBER[kind]
    return f"""
select
    {first} + (((k.key >> {_KEY_BITS - bits}) << 1) | (k.refine <> 0)::bigint) as number,
    ((k.key >> {_KEY_BITS - 32 - bits}) & {_WORD})::uinteger as suffix,
    (p.number - {first})::uinteger as entity,
    p.place::uinteger as place,
    (k.refine & {_WORD})::uinteger as refine
from {keys} k
join {places} p on p.profile_id = k.profile_id"""


def find_block(blocks: bytes, bits: int, key: int, *, split: bool) -> Block:
    """Return the members of a key in the row that would hold it."""
    count, end_width, place_width = _HEADER.unpack_from(blocks)
    at = _HEADER.size
    suffix = np.uint32(key >> (_KEY_BITS - 32 - bits) & _WORD)
    found = int(np.searchsorted(np.frombuffer(blocks, "<u4", count, at), suffix))
    if found == count or np.frombuffer(blocks, "<u4", 1, at + 4 * found)[0] != suffix:
        return NO_BLOCK
    at += 4 * count
    ends = np.frombuffer(blocks, _UNSIGNED[end_width], count, at)
    at += end_width * count
    first, last, size = int(ends[found - 1]) if found else 0, int(ends[found]), int(ends[-1])
    members = last - first
    return Block(
        np.frombuffer(blocks, "<u4", members, at + 4 * first),
        np.frombuffer(blocks, _UNSIGNED[place_width], members, at + 4 * size + place_width * first),
        np.frombuffer(blocks, "<u4", members, at + (4 + place_width) * size + 4 * first) if split else None,
    )


def pack_blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows of `lookup_bucket`.

    Args:
        batches: members (columns `MEMBER`), in the order of all columns; a repeated one counts once.
    """
    rest: list[np.ndarray] | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        columns = [column.to_numpy() for column in batch.columns]
        if rest is not None:
            columns = [np.concatenate(pair) for pair in zip(rest, columns, strict=True)]
        numbers = columns[0]
        last = int(np.searchsorted(numbers, numbers[-1]))
        rest = [column[last:] for column in columns]
        if last:
            yield _packed([column[:last] for column in columns])
    if rest is not None:
        yield _packed(rest)


def unpack_blocks(rows: pa.RecordBatch) -> pa.Table:
    """Return the members (columns `MEMBER`) of rows with number and blocks."""
    parts = [
        _unpacked(number, blocks)
        for number, blocks in zip(*(rows.column(name).to_pylist() for name in ("number", "blocks")), strict=True)
    ]
    if not parts:
        return MEMBER.empty_table()
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, MEMBER, strict=True)], MEMBER)


def _packed(columns: list[np.ndarray]) -> pa.RecordBatch:
    new_bucket = _changes(columns[0])
    new_key = new_bucket | _changes(columns[1])
    kept = np.flatnonzero(new_key | np.logical_or.reduce([_changes(column) for column in columns[2:]]))
    starts, key_starts = np.flatnonzero(new_bucket[kept]), np.flatnonzero(new_key[kept])
    numbers, places = columns[0][kept][starts], columns[3][kept]
    first_keys = np.append(np.searchsorted(key_starts, starts), len(key_starts))
    ends = np.append(key_starts[1:], len(kept)) - np.repeat(starts, np.diff(first_keys))
    # Each column is turned into bytes once: a bucket's part is a slice of them.
    suffix = columns[1][kept][key_starts].astype("<u4", copy=False).tobytes()
    entity, refine = (columns[at][kept].astype("<u4", copy=False).tobytes() for at in (2, 4))
    end, place = ({width: of.astype(name).tobytes() for width, name in _UNSIGNED.items()} for of in (ends, places))
    blocks = []
    for (a, b), (i, j), most, split in zip(
        pairwise([*starts.tolist(), len(kept)]),
        pairwise(first_keys.tolist()),
        np.maximum.reduceat(places, starts).tolist(),
        (numbers & 1).tolist(),
        strict=True,
    ):
        e, p = _width(b - a), _width(most)
        parts = (
            _HEADER.pack(j - i, e, p),
            suffix[4 * i : 4 * j],
            end[e][e * i : e * j],
            entity[4 * a : 4 * b],
            place[p][p * a : p * b],
            refine[4 * a : 4 * b] if split else b"",
        )
        blocks.append(b"".join(parts))
    return pa.record_batch({"number": pa.array(numbers, pa.int64()), "blocks": pa.array(blocks, pa.binary())})


def _unpacked(number: int, blocks: bytes) -> tuple[np.ndarray, ...]:
    count, end_width, place_width = _HEADER.unpack_from(blocks)
    at = _HEADER.size
    suffixes = np.frombuffer(blocks, "<u4", count, at)
    at += 4 * count
    ends = np.frombuffer(blocks, _UNSIGNED[end_width], count, at).astype(np.int64)
    at += end_width * count
    size = int(ends[-1])
    return (
        np.full(size, number, np.int64),
        np.repeat(suffixes, np.diff(ends, prepend=0)),
        np.frombuffer(blocks, "<u4", size, at),
        np.frombuffer(blocks, _UNSIGNED[place_width], size, at + 4 * size).astype("<u4"),
        np.frombuffer(blocks, "<u4", size, at + (4 + place_width) * size) if number & 1 else np.zeros(size, "<u4"),
    )


def _changes(column: np.ndarray) -> np.ndarray:
    """Return where a value differs from the one before; the first does."""
    changed = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=changed[1:])
    return changed


def _width(most: int) -> int:
    return 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
