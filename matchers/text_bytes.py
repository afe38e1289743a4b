"""Columns of texts as matrices of bytes, on which numbers, days and short names are compared millions at a time.

In: an Arrow array of texts without nulls. Out: the bytes of those that have one size, or the first characters of each.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Characters = NDArray[np.uint32]
Flags = NDArray[np.bool_]


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


def characters_of(texts: pa.Array, most: int) -> tuple[Characters, NDArray[np.int64]]:
    """Return the first characters of each text as rows of code points, zeros after its end, and how many it has in all.

    >>> rows, sizes = characters_of(pa.array(["张三", "李", "欧阳修"]), 2)
    >>> [[chr(point) for point in row] for row in rows], sizes.tolist()
    ([['张', '三'], ['李', '\\x00'], ['欧', '阳']], [2, 1, 3])
    """
    sizes = pc.utf8_length(texts).to_numpy().astype(np.int64)
    points = np.frombuffer(_joined(texts).tobytes().decode().encode("utf-32-le"), dtype=np.uint32)
    ends = np.cumsum(sizes)
    places = (ends - sizes)[:, np.newaxis] + np.arange(most)
    rows = np.append(points, np.zeros(most, dtype=np.uint32)).take(places)
    rows[places >= ends[:, np.newaxis]] = 0
    return rows, sizes


def _joined(texts: pa.Array) -> Bytes:
    """Return the bytes of all texts, one after the other."""
    if not len(texts):
        return np.empty(0, dtype=np.uint8)
    large = texts.cast(pa.large_string())  # which may begin elsewhere in its buffers
    _, offsets, content = large.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[large.offset : large.offset + len(large) + 1]
    return np.frombuffer(content or b"", dtype=np.uint8)[ends[0] : ends[-1]]
