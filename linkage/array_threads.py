"""Threads that compute on arrays of megabytes, many short steps one after the other.

Two defaults do not suit them. The interpreter goes to another thread that waits for it after five milliseconds at the
earliest, and each step has to wait for it anew; and the C library gives memory back to the system with every array,
whose pages are then zeroed for the next one. Together that is a quarter of the time of comparing pairs.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

_HANDED_OVER_AFTER: Final = 0.0005  # seconds
_KEPT: Final = 256 << 20  # bytes that stay with the process
_LARGEST_KEPT: Final = 32 << 20  # bytes of an array from which it is given back nevertheless; the most glibc allows
_TRIM_THRESHOLD: Final = -1  # numbers of glibc's mallopt(3)
_MMAP_THRESHOLD: Final = -3


@contextmanager
def array_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of threads, and suit the process to them while it is there; what was kept stays with it."""
    _keep_freed_memory()
    before = sys.getswitchinterval()
    sys.setswitchinterval(_HANDED_OVER_AFTER)
    try:
        with ThreadPoolExecutor(count) as pool:
            yield pool
    finally:
        sys.setswitchinterval(before)


def _keep_freed_memory() -> None:
    with suppress(AttributeError):  # a C library other than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
