"""One small source and the ways to load a file of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from linkage.ingest.loads import ingest_file
from linkage.ingest.manifest import LoadManifest
from linkage.ingest.source_config import SourceConfig

POLICE: dict[str, Any] = {
    "source": "police",
    "entity": "natural_person",
    "key": {"source_record_id": "编号"},
    "columns": {"name": "姓名", "id_number": ["身份证号", "其他证件"], "sex": "性别", "birth_date": "出生日期"},
    "values": {"sex": {"1": "男", "2": "女"}},
    "delta": {"operation": "操作", "delete": ["D", "删除"]},
}
HEADER = "编号,姓名,身份证号,其他证件,性别,出生日期\n"


def config(**changes: Any) -> SourceConfig:
    return SourceConfig.model_validate(POLICE | changes)


Load = Callable[..., LoadManifest]


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


def table(manifest: LoadManifest, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        path = str(manifest.folder / f"{name}.parquet")
        return con.execute(f"select {columns} from read_parquet(?) order by row", [path]).fetchall()


def reasons(manifest: LoadManifest) -> list[tuple[int, str]]:
    return [(row, reason) for row, reason in table(manifest, "quarantine", "row, reason")]
