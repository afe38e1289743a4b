"""Reading ahead: the next part of a stream is made in another thread while the last one is being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")


def read_ahead(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, one always made in advance; whatever they are read from is not to be used meanwhile.

    >>> list(read_ahead("abc"))
    ['a', 'b', 'c']
    """
    source = iter(parts)
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(_next, source)
        while found := coming.result():
            coming = thread.submit(_next, source)
            yield from found


def _next(source: Iterator[Part]) -> list[Part]:
    """Return the next part, nothing after the last."""
    for part in source:
        return [part]
    return []
