"""Copies are whole, whatever the file system can do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from linkage.durable import copy_file


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
@pytest.mark.parametrize("sharing", [True, False])
def test_a_copy_holds_what_the_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, sharing: bool
) -> None:
    def refused(reader: int, writer: int, left: int) -> int:
        os.write(writer, b"a part")
        raise OSError("not supported")

    if not sharing:
        monkeypatch.setattr("os.copy_file_range", refused)
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(os.urandom(size))
    copy.write_bytes(b"something longer was here" * 200_000)
    copy_file(source, copy)
    assert copy.read_bytes() == source.read_bytes()
