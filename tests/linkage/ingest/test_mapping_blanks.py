"""Blanks around a value do not reach the records; the archive keeps them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from linkage.ingest.loads import ingest_file
from linkage.ingest.source_config import canonical_source


def test_blanks_around_a_value_stay_in_the_archive_only(tmp_path: Path) -> None:
    path = tmp_path / "shops.csv"
    path.write_text("source_record_id,name\n1,\t 深圳市示例包装有限公司\u3000\n", "utf-8")
    load = ingest_file(
        path,
        source=canonical_source("legal_person", "shops"),
        as_of=date(2025, 1, 31),
        mode="full",
        root=tmp_path / "workspace",
        now=datetime(2025, 2, 1, tzinfo=UTC),
    )
    assert pq.read_table(load.folder / "records.parquet")["name"].to_pylist() == ["深圳市示例包装有限公司"]
    assert pq.read_table(load.folder / "raw.parquet")["name"].to_pylist() == ["\t 深圳市示例包装有限公司\u3000"]
