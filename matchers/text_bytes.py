"""Columns of texts as matrices of bytes, on which numbers, days and short names are compared millions at a time.

In: an Arrow array of texts without nulls. Out: the bytes of those that have one size, or the first characters of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Characters = NDArray[np.uint32]
Flags = NDArray[np.bool_]

_WORD = 8  # bytes
_ASCII = 128  # a byte below it is a character of its own
_HIGHEST_BITS = np.uint64(0x8080808080808080)
_CARRIES = np.uint64(0x7F7F7F7F7F7F7F7F)  # added to seven bits that are not all 0, carries into the eighth
_SPREAD = np.uint32(0x9E3779B1)


def bytes_of(texts: pa.Array, size: int) -> tuple[Bytes, Flags]:
    """Return the texts of a size in UTF-8 as rows of bytes, zeros where a text has another, and which have it.

    >>> rows, fitting = bytes_of(pa.array(["ab", "c", "de"]), 2)
    >>> rows.tolist(), fitting.tolist()
    ([[97, 98], [0, 0], [100, 101]], [True, False, True])
    """
    fitting: Flags = pc.equal(pc.binary_length(texts), size).to_numpy(zero_copy_only=False)
    rows = np.zeros((len(texts), size), dtype=np.uint8)
    chosen = texts if fitting.all() else texts.filter(pa.array(fitting))
    rows[fitting] = _joined(chosen).reshape(len(chosen), size)
    return rows, fitting


@dataclass(frozen=True)
class Words:
    """Texts of one size as rows of integers of eight bytes.

    Attributes:
        rows: the bytes of each text, zeros after its end; nothing but zeros where it has another size.
        columns: the same, eight bytes to an integer: the first of each text, the second, and so on.
        fitting: which texts have the size.
    """

    rows: Bytes
    columns: list[NDArray[np.uint64]]
    fitting: Flags


def words_of(texts: pa.Array, size: int) -> Words:
    """Return the texts of a size in UTF-8 as integers of eight bytes."""
    read, fitting = bytes_of(texts, size)
    rows = np.zeros((len(texts), -(-size // _WORD) * _WORD), dtype=np.uint8)
    rows[:, :size] = read
    return Words(rows, [np.ascontiguousarray(column) for column in rows.view(np.uint64).T], fitting)


def is_ascii(rows: Bytes) -> Flags:
    """Return which rows have no byte of a longer character."""
    highest: Bytes = rows.max(axis=1, initial=0)
    return highest < _ASCII


def differing_bytes(different: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many bytes are not 0 in the exclusive or of eight ASCII characters each.

    >>> left, right = (np.frombuffer(text, np.uint64) for text in (b"20240131", b"20240213"))
    >>> differing_bytes(left ^ right).tolist()
    [3]
    """
    count: NDArray[np.uint8] = np.bitwise_count((different + _CARRIES) & _HIGHEST_BITS)
    return count


def neighbours_swapped(left: Bytes, right: Bytes) -> Flags:
    """Return in which rows two neighbouring bytes of one side stand in the other order on the other.

    >>> left, right = (np.frombuffer(text, np.uint8).reshape(1, -1) for text in (b"20240113", b"20240131"))
    >>> neighbours_swapped(left, right).tolist()
    [True]
    """
    crossed = (left[:, :-1] == right[:, 1:]) & (left[:, 1:] == right[:, :-1]) & (left != right)[:, :-1]
    swapped: Flags = crossed.any(axis=1)
    return swapped


def letters_of(texts: pa.Array) -> NDArray[np.uint64]:
    """Return which characters each text has, a bit for each, several characters sharing one.

    One edit changes two bits at most.

    >>> np.bitwise_count(np.bitwise_xor.reduce(letters_of(pa.array(["鸿达电子", "鸿达电了"])))).tolist()
    2
    """
    points, sizes = _code_points(texts)
    bits = np.left_shift(np.uint64(1), (points * _SPREAD >> np.uint32(26)).astype(np.uint64))
    letters = np.zeros(len(texts), dtype=np.uint64)
    filled = np.flatnonzero(sizes)
    if len(filled):
        letters[filled] = np.bitwise_or.reduceat(bits, (np.cumsum(sizes) - sizes).take(filled))
    return letters


def characters_of(texts: pa.Array, most: int) -> tuple[Characters, NDArray[np.int64]]:
    """Return the first characters of each text as rows of code points, zeros after its end, and how many it has in all.

    >>> rows, sizes = characters_of(pa.array(["张三", "李", "欧阳修"]), 2)
    >>> [[chr(point) for point in row] for row in rows], sizes.tolist()
    ([['张', '三'], ['李', '\\x00'], ['欧', '阳']], [2, 1, 3])
    """
    points, sizes = _code_points(texts)
    ends = np.cumsum(sizes)
    places = (ends - sizes)[:, np.newaxis] + np.arange(most)
    rows = np.append(points, np.zeros(most, dtype=np.uint32)).take(places)
    rows[places >= ends[:, np.newaxis]] = 0
    return rows, sizes


def _code_points(texts: pa.Array) -> tuple[Characters, NDArray[np.int64]]:
    """Return the code points of all texts, one after the other, and how many each text has."""
    points = np.frombuffer(_joined(texts).tobytes().decode().encode("utf-32-le"), dtype=np.uint32)
    return points, pc.utf8_length(texts).to_numpy().astype(np.int64)


def _joined(texts: pa.Array) -> Bytes:
    """Return the bytes of all texts, one after the other."""
    if not len(texts):
        return np.empty(0, dtype=np.uint8)
    large = texts.cast(pa.large_string())  # which may begin elsewhere in its buffers
    _, offsets, content = large.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[large.offset : large.offset + len(large) + 1]
    return np.frombuffer(content or b"", dtype=np.uint8)[ends[0] : ends[-1]]
