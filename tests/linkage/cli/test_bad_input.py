"""What a person gives by mistake: one line, the right exit code, never a traceback, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from small_district import Guiyi

from linkage.ingest.manifest import list_loads
from linkage.workspace import create_workspace

ROWS = "source_record_id,name,id_number\n1,张三,440306198001011234\n2,李四,\n"
SOURCE = (
    'source = "police"\nentity = "natural_person"\ncanonical = true\n[key]\nsource_record_id = "source_record_id"\n'
)


def link(path: Path, target: str) -> None:
    path.symlink_to(path.parent / target)


def parquet_cut_off(path: Path) -> None:
    pq.write_table(pa.table({"source_record_id": ["1"] * 1000, "name": ["甲"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])


def headed(path: Path) -> None:
    """A sheet whose first row is one merged cell, as a department sends it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["宝安区人口登记表"])
    for line in ROWS.splitlines():
        sheet.append(line.split(","))
    sheet.merge_cells("A1:D1")
    book.save(path)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.csv": (lambda p: p.write_bytes(b""), "the file is empty"),
    "header.csv": (lambda p: p.write_text(ROWS.splitlines()[0] + "\n"), "a header and no data rows"),
    "folder.csv": (lambda p: p.mkdir(), "a folder (expected a file)"),
    "loop.csv": (lambda p: link(p, "loop.csv"), "loop.csv"),
    "dangling.csv": (lambda p: link(p, "nowhere.csv"), "a link that leads nowhere"),
    "device.csv": (lambda p: p.symlink_to("/dev/zero"), "a device or a pipe"),
    "absent.csv": (lambda p: None, "no such file"),
    "cut.parquet": (parquet_cut_off, "the Parquet file cannot be read"),
    "cut.xlsx": (lambda p: p.write_bytes(b"PK\x03\x04rest"), "the workbook cannot be read"),
    "headed.xlsx": (lambda p: headed(p), "set header_row under [file]"),
    "headed.csv": (lambda p: p.write_text("人口登记表\n" + ROWS, "utf-8"), "set header_row under [file]"),
    "twice.csv": (lambda p: p.write_text(ROWS.replace("id_number", "name", 1), "utf-8"), "occurs more than once"),
    "caret.csv": (lambda p: p.write_text(ROWS.replace(",", "^"), "utf-8"), "'source_record_id' is missing"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that knows a source of canonical files."""
    workspace = create_workspace(tmp_path / "工作 区").root
    (workspace / "sources").mkdir()
    (workspace / "sources" / "police.toml").write_text(SOURCE, "utf-8")
    with (workspace / "guiyi.toml").open("a", encoding="utf-8") as settings:
        settings.write('sources = "sources"\n')
    return workspace


def ingest(root: Path, file: Path, as_of: str = "2025-01-31") -> tuple[object, ...]:
    return ("ingest", root, "--source", "police", "--as-of", as_of, "--quiet", file)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(name: str, root: Path, tmp_path: Path, guiyi: Guiyi) -> None:
    make, words = BAD_FILES[name]
    make(tmp_path / name)
    refused = guiyi(*ingest(root, tmp_path / name))
    assert (refused.code, refused.out) == (1, "")
    (line,) = refused.err.splitlines()
    assert line.startswith("guiyi: ")
    assert words in line
    assert list_loads(root) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_names_with_blanks_and_chinese_and_any_encoding_are_read(
    encoding: str, root: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    file = tmp_path / "人口 登记.csv"
    file.write_bytes(ROWS.encode(encoding))
    assert guiyi(*ingest(root, file)).code == 0
    assert [load.kept for load in list_loads(root)] == [2]


@pytest.mark.parametrize("cell", ["王" * 3_500_000, "王\0五"], ids=["ten megabytes", "a NUL"])
def test_a_cell_that_cannot_be_used_costs_its_row_only(cell: str, root: Path, tmp_path: Path, guiyi: Guiyi) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"{ROWS}3,{cell},\n", "utf-8")
    done = guiyi(*ingest(root, file))
    assert done.code == 3
    (load,) = list_loads(root)
    assert (load.rows_in, load.kept, sum(load.quarantined.values())) == (3, 2, 1)


@pytest.mark.parametrize(
    "as_of",
    [
        "2025-02-30",
        "yesterday",
        "",
        "20250131",
        "2025-W05-5",
        "0001-01-01",
        "9999-12-31",
        f"{date.today().year + 2}-01-01",
    ],
)
def test_a_date_that_is_none_of_a_file_is_wrong_use(as_of: str, root: Path, tmp_path: Path, guiyi: Guiyi) -> None:
    (tmp_path / "people.csv").write_text(ROWS, "utf-8")
    refused = guiyi(*ingest(root, tmp_path / "people.csv", as_of))
    assert refused.code == 2
    assert f"--as-of {as_of!r}" in refused.err
    assert list_loads(root) == []


def test_an_unknown_key_of_a_source_and_a_missing_folder_of_sources_are_named(
    root: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    (tmp_path / "people.csv").write_text(ROWS, "utf-8")
    (root / "sources" / "police.toml").write_text(SOURCE.replace("canonical", "canonicl"), "utf-8")
    refused = guiyi(*ingest(root, tmp_path / "people.csv"))
    assert refused.code == 2
    assert "canonicl: unknown key" in refused.err
    settings = root / "guiyi.toml"
    settings.write_text(settings.read_text("utf-8").replace('"sources"', '"source"'), "utf-8")
    refused = guiyi(*ingest(root, tmp_path / "people.csv"))
    assert refused.code == 2
    assert "no such directory" in refused.err


def test_a_catalog_that_cannot_be_made_is_named(root: Path, tmp_path: Path, guiyi: Guiyi) -> None:
    settings = root / "guiyi.toml"
    settings.write_text(settings.read_text("utf-8").replace("catalog.sqlite", "absent/catalog.sqlite"), "utf-8")
    (tmp_path / "people.csv").write_text(ROWS, "utf-8")
    assert guiyi(*ingest(root, tmp_path / "people.csv")).code == 0
    refused = guiyi("run", root, "--quiet")
    assert refused.code == 1
    (line,) = refused.err.splitlines()
    assert "absent/catalog.sqlite: cannot be made" in line
