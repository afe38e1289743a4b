"""What to tell when the disk is full, cannot be written, or the memory is too small.

DuckDB, SQLite, Arrow and Python each say it in their own way, some only in the text of an error. Other errors are none
of this module's business and go on.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from linkage.errors import LinkageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("no space left", "disk is full", "disk quota", "file too large", "max_temp_directory_size")
# SQLite says no more than "disk I/O error" when it cannot make a file; with less than this free, that is why.
_SIZE = re.compile(r"\d+(\.\d+)? ?[KMGT](i?B)?", re.IGNORECASE)
_HARDLY_FREE_BYTES = 1_000_000


def is_memory_size(text: str) -> bool:
    """Tell whether a text is a size of memory as DuckDB takes it, with a unit.

    >>> is_memory_size("16GB"), is_memory_size("1.5 GiB"), is_memory_size("16"), is_memory_size("lots")
    (True, True, False, False)
    """
    return _SIZE.fullmatch(text) is not None


@contextmanager
def told(folder: Path, *, needed_bytes: int, outcome: str) -> Iterator[None]:
    """Turn an error for want of disk or memory into one line: where, how much is free and needed, what to do.

    Args:
        folder: where is written.
        needed_bytes: about what the work needs.
        outcome: what has become of the work.

    Raises:
        LinkageError: there is a shortage.
    """
    try:
        yield
    except LinkageError:  # told already, nearer to the place
        raise
    except Exception as error:
        words = describe(error, folder, needed_bytes=needed_bytes)
        if words is None:
            raise
        raise LinkageError(f"{words}; {outcome}") from error


def describe(error: BaseException, folder: Path, *, needed_bytes: int | None = None) -> str | None:
    """Return where, what and what to do about an error for want of disk or memory, None if it is another error."""
    causes = list(_causes(error))
    free = _free_bytes(folder)
    if any(_is_full(cause, free) for cause in causes):
        needed = f", about {_size(needed_bytes)} needed" if needed_bytes else ""
        return f"{folder}: the disk is full ({_size(free)} free{needed}); free space and type the same command again"
    if any(isinstance(cause, MemoryError | duckdb.OutOfMemoryException) for cause in causes):
        return (
            f"{folder}: the memory is too small; raise or remove memory_limit in guiyi.toml (of files, raise "
            "--memory-limit), or end other programs, and type the same command again"
        )
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.filename or folder}: {os.strerror(error.errno)}; correct its rights, or look at the disk"
    if isinstance(error, duckdb.IOException | duckdb.FatalException | sqlite3.OperationalError):
        return f"{folder}: the disk gave an error ({_first_line(error)}); look at its rights and its health"
    return None


def _is_full(error: BaseException, free_bytes: int) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if not isinstance(error, duckdb.Error | sqlite3.Error):
        return False
    text = str(error).lower()
    return any(word in text for word in _FULL_WORDS) or ("disk i/o" in text and free_bytes < _HARDLY_FREE_BYTES)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _free_bytes(folder: Path) -> int:
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    return shutil.disk_usage(there).free


def _size(size_bytes: int | None) -> str:
    return f"{(size_bytes or 0) / 1e6:,.1f} MB"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
