from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from police_source import config

from linkage.ingest.errors import IngestError
from linkage.ingest.link_input import LinkInput, link_input, source_of
from linkage.ingest.source_config import SourceConfig, canonical_source

Linked = tuple[LinkInput, list[tuple[Any, ...]], list[tuple[Any, ...]]]


def link(root: Path, files: dict[str, str], source: SourceConfig | None = None) -> Linked:
    paths = [root / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        settings = {"config": source, "root": root / "out", "as_of": date(2025, 1, 31), "now": datetime(2025, 2, 1)}
        result = link_input(con, paths, "legal_person", **settings)  # type: ignore[arg-type]
        records = con.execute("select record_id, source, as_of, name, uscc from raw order by record_id").fetchall()
        refused = con.execute("select source, row, reason, raw from quarantine order by source, row").fetchall()
        return result, records, refused


def test_files_with_canonical_columns_become_one_table(tmp_path: Path) -> None:
    first = "source_record_id,name,uscc\n1,甲公司,91440300MA5EQ7GQ4X\n,乙公司,\n"
    second = "source,source_record_id,name,as_of\ntax,1,丙公司,2024-12-31\n,2,丁公司,\n"
    result, records, refused = link(tmp_path, {"registry.csv": first, "other list.csv": second})
    assert records == [
        ("other_list:2", "other_list", "2025-01-31", "丁公司", None),
        ("registry:1", "registry", "2025-01-31", "甲公司", "91440300MA5EQ7GQ4X"),
        ("tax:1", "tax", "2024-12-31", "丙公司", None),
    ]
    assert [row[:3] for row in refused] == [("registry", 2, "missing_record_id")]
    assert (result.rows_in, result.kept, result.quarantined) == (4, 3, {"missing_record_id": 1})
    assert result.exit_code == 3


def test_a_record_id_that_two_files_share_stays_with_the_first(tmp_path: Path) -> None:
    head = "source,source_record_id,name\n"
    files = {"a.csv": head + "tax,1,甲\ntax,2,乙\n", "b.csv": head + "tax,2,丙\ntax,3,丁\n"}
    result, records, refused = link(tmp_path, files)
    assert [(row[0], row[3]) for row in records] == [("tax:1", "甲"), ("tax:2", "乙"), ("tax:3", "丁")]
    assert [row[:3] for row in refused] == [("tax", 1, "duplicate_record_id")]
    assert json.loads(refused[0][3])["name"] == "丙"
    assert result.rows_in == result.kept + sum(result.quarantined.values()) == 4


def test_linking_twice_into_one_folder_gives_the_same(tmp_path: Path) -> None:
    files = {"a.csv": "source_record_id,name\n1,甲\n2,乙\n"}
    first, second = link(tmp_path, files), link(tmp_path, files)
    assert first[1:] == second[1:]
    assert (first[0].kept, first[0].rows_in) == (second[0].kept, second[0].rows_in) == (2, 2)


def test_a_configuration_says_how_the_files_are_written(tmp_path: Path) -> None:
    source = canonical_source("legal_person", "registry").model_dump()
    source |= {"columns": {"name": ["企业名称"]}, "key": {"source_record_id": ["编号"]}}
    _, records, _ = link(tmp_path, {"a.csv": "编号,企业名称\n1,甲\n"}, SourceConfig.model_validate(source))
    assert records == [("registry:1", "registry", "2025-01-31", "甲", None)]


def test_files_that_cannot_be_linked_are_errors(tmp_path: Path) -> None:
    text = "source_record_id,name\n1,甲\n"
    with pytest.raises(IngestError, match="none given") as error:
        link(tmp_path, {})
    assert error.value.exit_code == 2
    with pytest.raises(IngestError, match=r"natural_person \(expected legal_person\)"):
        link(tmp_path, {"a.csv": text}, config())
    with pytest.raises(IngestError, match=r"column 'source_record_id' is missing.*did you mean 'source_recordid'"):
        link(tmp_path, {"a.csv": text.replace("source_record_id", "source_recordid")})
    (tmp_path / "b").mkdir()
    with pytest.raises(IngestError, match=r"b/a\.csv: the same content as .*a\.csv; name each file once"):
        link(tmp_path, {"a.csv": text, "b/a.csv": text})
    with pytest.raises(IngestError, match="given twice"):
        link(tmp_path, {"a.csv": text, "b/../a.csv": text})


@given(st.text(min_size=1).filter(lambda name: name not in (".", "..") and not set(name) & set("/\0")))
def test_any_file_name_gives_a_source_name(name: str) -> None:
    assert canonical_source("legal_person", source_of(Path(name))).source
