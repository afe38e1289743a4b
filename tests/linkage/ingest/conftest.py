"""The way to load a file of one small source."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from police_source import Load, config

from linkage.ingest.loads import ingest_file
from linkage.ingest.manifest import LoadManifest


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a file (text as UTF-8, bytes as they are) and load it into a workspace of the test."""

    def run(content: str | bytes | Path, name: str = "people.csv", **options: Any) -> LoadManifest:
        path = content if isinstance(content, Path) else tmp_path / name
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        settings = {
            "source": config(),
            "as_of": date(2025, 1, 31),
            "mode": "full",
            "root": tmp_path / "workspace",
            "now": datetime(2025, 2, 1),
            "clock": lambda: 0.0,
        }
        return ingest_file(path, **(settings | options))

    return run
