"""The rows of `lookup_entity`: the profiles of one entity, packed together because they resemble each other.

A row's `number` is the entity's sequence number, in a range of its kind's own. `profile_ids` are the ids of its
profiles in ascending order, eight bytes each, little-endian; `contents` the contents of the profiles in the same order,
each ended by U+001D, as UTF-8 compressed with Snappy: DEFLATE makes them a quarter smaller and takes ten times as long.
A profile's place is its position in that order.
The records of a profile may be in several entities: it stands with the first of them, and `shared` names them all.

Invariant: a row follows from the entity's profiles alone, whatever the store held before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from golden_records.entity_id import Kind, mint, mint_sql, parse, sequence_sql

# Where the numbers of a kind begin; sequence numbers are smaller than this.
FIRST_NUMBER: dict[str, int] = {"LP": 0, "NP": 1 << 46}
_KINDS: tuple[Kind, Kind] = ("LP", "NP")
ENDED = "\x1d"
_CODEC = pa.Codec("snappy")

Shared = dict[int, tuple[int, tuple[str, ...]]]


def entity_number(entity_id: str) -> int:
    """Return the number of an entity's row."""
    parsed = parse(entity_id)
    return FIRST_NUMBER[parsed.kind] + parsed.sequence


def entity_of(number: int) -> str:
    """Return the entity of a row.

    >>> entity_of(entity_number("NP0000000018"))
    'NP0000000018'
    """
    kind = _KINDS[number >= FIRST_NUMBER["NP"]]
    return mint(kind, number - FIRST_NUMBER[kind])


def number_sql(entity: str) -> str:
    """Return a DuckDB expression for the number of an entity's row."""
    return f"({sequence_sql(entity)} + case when starts_with({entity}, 'NP') then {FIRST_NUMBER['NP']} else 0 end)"


def entity_sql(number: str) -> str:
    """Return a DuckDB expression for the entity of a row's number."""
    first = FIRST_NUMBER["NP"]
    person = mint_sql("NP", f"({number} - {first})")
    return f"case when {number} < {first} then {mint_sql('LP', number)} else {person} end"


def shared_sql(place: str, entities: str, entity_ids: str) -> str:
    """Return a DuckDB aggregate for the text that `read_shared` reads."""
    return f"string_agg({place} || ' ' || {entities} || ' ' || {entity_ids}, ';' order by {place})"


def read_shared(text: str | None) -> Shared:
    """Return place → (number of entities, some of them) of the profiles whose records are in several entities.

    >>> read_shared("0 2 NP0000000018 NP0000000029")
    {0: (2, ('NP0000000018', 'NP0000000029'))}
    """
    found: Shared = {}
    for one in text.split(";") if text else ():
        place, count, *entity_ids = one.split(" ")
        found[int(place)] = (int(count), tuple(entity_ids))
    return found


def read_contents(contents: bytes) -> list[str]:
    """Return the contents of a row's profiles, by place."""
    text: bytes = _CODEC.decompress(contents, _length(contents), asbytes=True)
    return text.decode().split(ENDED)[:-1]


def read_profile_ids(profile_ids: bytes) -> list[int]:
    """Return the ids of a row's profiles, by place."""
    ids: list[int] = np.frombuffer(profile_ids, "<i8").tolist()
    return ids


def pack_profiles(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows of `lookup_entity`.

    Args:
        batches: number, profile_id, content (with its end), shared; in the order of the first two.
    """
    rest: pa.RecordBatch | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        whole = batch if rest is None else pa.concat_batches([rest, batch])
        starts = _starts(whole.column("number").to_numpy())
        last = int(starts[-1])
        rest = whole.slice(last)
        if last:
            yield _packed(whole.slice(0, last), starts[:-1])
    if rest is not None:
        yield _packed(rest, np.zeros(1, np.int64))


def unpack_profile_ids(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return number and profile_id of every profile of rows with number and profile_ids."""
    ids = [np.frombuffer(one, "<i8") for one in rows.column("profile_ids").to_pylist()]
    numbers = np.repeat(rows.column("number").to_numpy(), [len(one) for one in ids])
    joined = np.concatenate(ids) if ids else np.zeros(0, "<i8")
    return pa.record_batch({"number": pa.array(numbers, pa.int64()), "profile_id": pa.array(joined, pa.int64())})


def unpack_contents(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return number, place, profile_id and content of every profile of rows with number, profile_ids and contents."""
    profiles = unpack_profile_ids(rows)
    contents = [read_contents(one) for one in rows.column("contents").to_pylist()]
    return pa.record_batch(
        {
            "number": profiles.column("number"),
            "place": pa.array([place for row in contents for place in range(len(row))], pa.int64()),
            "profile_id": profiles.column("profile_id"),
            "content": pa.array([content for row in contents for content in row], pa.string()),
        }
    )


def _starts(numbers: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.flatnonzero(np.diff(numbers)) + 1))


def _packed(rows: pa.RecordBatch, starts: np.ndarray) -> pa.RecordBatch:
    bounds = [*starts.tolist(), rows.num_rows]
    ids = rows.column("profile_id").to_numpy().astype("<i8").tobytes()
    content = rows.column("content").cast(pa.large_binary())
    _, offsets, data = content.buffers()
    ends = np.frombuffer(offsets, np.int64)[content.offset : content.offset + rows.num_rows + 1].tolist()
    text = memoryview(data)
    spans = list(pairwise(bounds))
    packed = [_CODEC.compress(text[ends[a] : ends[b]], asbytes=True) for a, b in spans]
    return pa.record_batch(
        {
            "number": rows.column("number").take(pa.array(starts)),
            "profile_ids": pa.array([ids[8 * a : 8 * b] for a, b in spans], pa.binary()),
            "contents": pa.array(packed, pa.binary()),
            "shared": rows.column("shared").take(pa.array(starts)),
        }
    )


def _length(contents: bytes) -> int:
    """Return how long a text compressed with Snappy is: a number of seven bits a byte, the lowest first."""
    length = 0
    for place, byte in enumerate(contents):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return length
