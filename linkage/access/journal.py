"""A journal of looks on disk: what is in it survives a crash, and waits there until the catalog can take it.

JSON lines, synchronised before `add` returns. The process holds the file's lock; a journal
without a holder is one of a process that died, and the next process takes it over. A line cut off at the end was never
answered.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = "access-journal"
_SUFFIX = ".jsonl"

Line = dict[str, Any]


class Journal:
    """An open journal; a resource to be closed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path = folder / f"{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def add(self, lines: Sequence[Line]) -> None:
        """Write lines; they are on disk when this returns, and none of them is if it fails."""
        text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines).encode()
        before = os.fstat(self._file).st_size
        try:
            while text:
                text = text[os.write(self._file, text) :]
            os.fdatasync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise

    def clear(self) -> None:
        """Forget every line: they are in the catalog."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the journal, and remove it if nothing waits in it."""
        if os.fstat(self._file).st_size == 0:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def orphans(folder: Path) -> Iterator[tuple[Path, list[Line]]]:
    """Yield the journals that processes left behind when they died, oldest first; each is locked meanwhile."""
    for path in sorted(folder.glob(f"*{_SUFFIX}"), key=_last_written):
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path, _lines(path)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)


def _last_written(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:  # its process has just closed it
        return 0, path.name


def _lines(path: Path) -> list[Line]:
    whole = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in whole if line]
