"""One small source, and what became of a file of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

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


def table(manifest: LoadManifest, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        path = str(manifest.folder / f"{name}.parquet")
        return con.execute(f"select {columns} from read_parquet(?) order by row", [path]).fetchall()


def reasons(manifest: LoadManifest) -> list[tuple[int, str]]:
    return [(row, reason) for row, reason in table(manifest, "quarantine", "row, reason")]
