from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from police_source import HEADER, Load, config, reasons, table

from linkage.fields import CANONICAL_FIELDS
from linkage.ingest.errors import IngestError
from linkage.ingest.loads import ingest_files
from linkage.ingest.manifest import list_loads, read_manifest
from linkage.ingest.source_config import canonical_source

PEOPLE = HEADER + "1,张三,440306198001011234,,1,1980-01-01\n2,李四, ,H12345678,2,\n"


def test_a_file_becomes_an_archive_records_and_a_manifest(load: Load) -> None:
    manifest = load(PEOPLE)
    assert table(manifest, "raw") == [
        (1, "1", "张三", "440306198001011234", None, "1", "1980-01-01"),
        (2, "2", "李四", " ", "H12345678", "2", None),
    ]
    columns = "record_id, source, source_record_id, as_of, operation, name, id_number, sex, birth_date, phone"
    assert table(manifest, "records", columns) == [
        ("police:1", "police", "1", "2025-01-31", "upsert", "张三", "440306198001011234", "男", "1980-01-01", None),
        ("police:2", "police", "2", "2025-01-31", "upsert", "李四", "H12345678", "女", None, None),
    ]
    assert table(manifest, "quarantine") == []
    assert manifest.load_id == f"2025-01-31-police-{manifest.sha256[:8]}"
    assert (manifest.rows_in, manifest.kept, manifest.deleted, manifest.exit_code) == (2, 2, 0, 0)
    assert (manifest.encoding, manifest.delimiter, manifest.format) == ("utf-8", ",", "csv")
    assert manifest.columns_missing == ("操作",)
    assert read_manifest(manifest.folder).model_dump() == manifest.model_dump()


def test_the_tables_have_the_columns_and_types_that_are_promised(load: Load) -> None:
    manifest = load(PEOPLE)
    records = pq.read_schema(manifest.folder / "records.parquet")
    before = ["record_id", "source", "source_record_id", "as_of", "operation", "row"]
    assert records.names == [*before, *CANONICAL_FIELDS["natural_person"]]
    assert {str(kind) for name, kind in zip(records.names, records.types, strict=True) if name != "row"} == {"string"}
    assert records.field("row").type == pa.int32()
    quarantine = pq.read_schema(manifest.folder / "quarantine.parquet")
    assert quarantine.names == ["source", "source_record_id", "row", "reason", "detail", "raw"]
    assert quarantine.field("row").type == pa.int32()


ROWS = [["1", "张三丰", "440306198001011234", "", "1", "1980-01-01"], ["2", "李䶮", "", "H12345678", "2", "1981"]]
TITLES = HEADER.strip().split(",")


def lines(delimiter: str = ",", end: str = "\n") -> str:
    return "".join(delimiter.join(row) + end for row in [TITLES, *ROWS])


def json_lines(*, present_only: bool = False) -> str:
    objects = [dict(zip(TITLES, row, strict=True)) for row in ROWS]
    if present_only:
        objects = [{title: value for title, value in row.items() if value} for row in objects]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects)


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["居民情况表"], [], TITLES, *ROWS, ["", "", ""], []):
        sheet.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", lines().encode()),
        ("p.csv", lines().encode("utf-8-sig")),
        ("p.csv", lines().encode("gb18030")),
        ("p.csv", lines().encode("utf-16")),
        ("p.txt", lines("\t", "\r\n").encode("gb18030")),
        ("p.csv", lines(";", "\r").encode()),
        ("p.dat", lines("|").encode("gb18030")),
        ("p.jsonl", json_lines().encode()),
        ("p.jsonl", json_lines(present_only=True).encode("gb18030")),
        ("p.parquet", pa.table([pa.array(c) for c in zip(*ROWS, strict=True)], names=TITLES)),
        ("p.xlsx", workbook),
    ],
)  # fmt: skip
def test_every_format_gives_the_same_records(load: Load, tmp_path: Path, name: str, content: object) -> None:
    path = tmp_path / name
    source = config()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        workbook(path)
        source = config(file={"header_row": 3})
    records = table(load(path, source=source), "records", "source_record_id, name, id_number, sex, birth_date")
    assert records == [
        ("1", "张三丰", "440306198001011234", "男", "1980-01-01"),
        ("2", "李䶮", "H12345678", "女", "1981"),
    ]


def test_numbers_and_dates_of_typed_formats_stay_readable(load: Load, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(TITLES)
    sheet.append([1, "张三", 440306198001011000, None, 1, datetime.datetime(1980, 1, 1)])
    book.save(tmp_path / "p.xlsx")
    manifest = load(tmp_path / "p.xlsx")
    assert table(manifest, "records", "source_record_id, id_number, sex, birth_date") == [
        ("1", "440306198001011000", "男", "1980-01-01")
    ]
    assert manifest.warnings == {"id_number": {"rounded_number": 1}}
    first = '{"编号": 12345678901234567890, "姓名": ["张三", "张三丰"], "出生日期": 1.10}\n'
    later = '{"编号": 2, "姓名": {"姓": "李"}, "新列": [{"x": 1}]}\n'
    manifest = load(first + later, name="p.jsonl")
    assert table(manifest, "raw") == [
        (1, "12345678901234567890", "张三;张三丰", "1.10", None),
        (2, "2", '{"姓": "李"}', None, '[{"x": 1}]'),
    ]


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        ("3,王五,,,1", "wrong_field_count", "row 3: 5 fields instead of 6"),
        ("3,王五,,,1,,", "wrong_field_count", "7 fields instead of 6"),
        ('3,"王"五,,,1,', "broken_quotes", "double every quote"),
        ('3,"王五,,,1,', "broken_quotes", "never closed"),
        (b"3,\xff\xff,,,1,", "undecodable_bytes", "encoding of the file"),
        ("3,王\x00五,,,1,", "nul_byte", 'column "姓名"'),
        (",王五,,,1,", "missing_record_id", "fill in the record id"),
        (" \u3000\u200b,王五,,,1,", "missing_record_id", "fill in the record id"),
        ("", "empty_row", "remove the blank row"),
        (",,,,,", "empty_row", "remove the blank row"),
        (" ,\t,\u3000,,,", "empty_row", "remove the blank row"),
        (f"3,{'王' * 4001},,,1,", "value_too_long", 'column "姓名".*at most 4000'),
        (f"3,{'王' * 200_000},,,1,", "value_too_long", "at most 4000"),
        ("3,,,,1,1980-01-01", "no_identifying_field", "name or an official number"),
        ("1,张三,440306198001011234,,1,1980-01-01", "duplicate_row", "more than once"),
        ("1,王五,,,1,", "duplicate_record_id", "its own record id"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_reason_and_the_others_kept(
    load: Load, row: str | bytes, reason: str, words: str
) -> None:
    raw = row if isinstance(row, bytes) else row.encode()
    manifest = load(PEOPLE.encode() + raw + b"\n4,\xe8\xb5\xb5\xe5\x85\xad,,,2,\n")
    assert reasons(manifest) == [(3, reason)]
    assert manifest.quarantined == {reason: 1}
    assert (manifest.rows_in, manifest.kept) == (4, 3)
    assert manifest.duplicates == reason.startswith("duplicate")
    assert manifest.exit_code == (0 if reason == "empty_row" else 3)
    ((detail, text),) = table(manifest, "quarantine", "detail, raw")
    assert "people.csv, row 3" in detail
    assert re.search(words, detail)
    assert not any(value in detail for value in ("王五", "张三", "440306"))
    json.loads(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-01-03", "2025-01-03"),
        ("2025/1/3 00:00:00", "2025-01-03"),
        ("20250103", "2025-01-03"),
        ("2025年1月3日", "2025-01-03"),
        ("2025-01", "2025-01-01"),
        ("", "2025-01-31"),
        ("2025-02-30", None),
        ("2025-13-01", None),
        ("2099-01-01", None),
        ("0001-01-01", None),
        ("昨天", None),
        ("\U0001f600", None),
        ("9" * 3000, None),
    ],
)
def test_a_row_is_dated_by_its_own_column_or_quarantined(load: Load, value: str, expected: str | None) -> None:
    source = config(key={"source_record_id": "编号", "as_of": "更新"})
    manifest = load(f"编号,姓名,身份证号,性别,出生日期,更新\n1,张三,,,,{value}\n", source=source)
    if expected:
        assert table(manifest, "records", "as_of") == [(expected,)]
    else:
        assert reasons(manifest) == [(1, "impossible_as_of")]


def test_a_bad_value_is_kept_and_counted(load: Load) -> None:
    rows = (
        "1,甲,4.40306E+17,,3,1980-02-31\n"
        "2,乙,440306198001011000,,男,昨天\n"
        "3,丙,91440300.0,,1,2050-01-01\n"
        "4,丁,,,,1980\n"
    )
    manifest = load(HEADER + rows)
    assert manifest.kept == 4
    assert manifest.warnings == {
        "id_number": {"scientific_notation": 1, "decimal_point": 1, "rounded_number": 1},
        "sex": {"unmapped_value": 1},
        "birth_date": {"unreadable_date": 1, "impossible_date": 1, "future_date": 1},
    }


def test_key_columns_are_joined_and_may_be_partly_blank(load: Load) -> None:
    source = config(key={"source_record_id": ["编号", "其他证件"]})
    manifest = load(HEADER + "1,甲,,x,,\n1,乙,,y,,\n1,丙,,,,\n,丁,,,,\n", source=source)
    assert table(manifest, "records", "source_record_id") == [("1|x",), ("1|y",), ("1|",)]
    assert reasons(manifest) == [(4, "missing_record_id")]


def test_a_full_load_keeps_the_first_of_a_record_id_and_a_delta_the_last(load: Load) -> None:
    rows = "编号,姓名,身份证号,性别,出生日期,操作\n1,甲,,,,U\n1,乙,,,,U\n1,,,,,删除\n"
    full, delta = load(rows), load(rows + "2,丙,,,,\n", mode="delta")
    assert table(full, "records", "name, operation") == [("甲", "upsert")]
    assert table(delta, "records", "name, operation") == [(None, "delete"), ("丙", "upsert")]
    assert delta.deleted == 1
    assert reasons(full) == [(2, "duplicate_record_id"), (3, "duplicate_record_id")]


MISSPELT = HEADER.replace("出生日期", "出生年月日").encode() + b"1,x,,,,\n"
TWICE = HEADER.replace("性别", "姓名").encode() + b"1,x,,,,\n"
FILE_ERRORS: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "people.csv", "people.csv: the file is empty.*ask for it again"),
    "only a header": (HEADER.encode(), "people.csv", "a header and no data rows"),
    "only blank lines": (b"\n\n", "people.csv", "has no row 1.*a header row"),
    "a missing column": ("编号,name\n1,x\n".encode(), "people.csv", "column '姓名' is missing.*seen: 编号, name"),
    "a misspelt column": (MISSPELT, "people.csv", "'出生日期' is missing.*did you mean '出生年月日'"),
    "a column twice": (TWICE, "people.csv", "column '姓名' occurs more than once"),
    "a cut-off workbook": (
        b"PK\x03\x04rest",
        "people.xlsx",
        "the workbook cannot be read.*complete, unlocked.*cut off",
    ),
    "a cut-off Parquet": (b"PAR1rest", "people.parquet", "Parquet file cannot be read.*copy it again"),
    "a JSON array": (b'[{"a": 1}]', "people.jsonl", "a JSON array.*JSON Lines"),
    "CSV called JSON Lines": (HEADER.encode(), "people.jsonl", "no line is a JSON object"),
    "text called Parquet": (HEADER.encode(), "people.parquet", "content is not PARQUET"),
    "an unknown extension": (HEADER.encode(), "people.mdb", "unknown extension '.mdb'"),
    "an image": (b"\x89PNG\r\n\x1a\n", "people.csv", "PNG image"),
    "binary rubbish": (bytes(range(256)) * 40, "people.csv", "people.csv"),
}


@pytest.mark.parametrize(("content", "name", "words"), FILE_ERRORS.values(), ids=list(FILE_ERRORS))
def test_an_unusable_file_is_an_error_and_leaves_nothing(
    load: Load, tmp_path: Path, content: bytes, name: str, words: str
) -> None:
    with pytest.raises(IngestError, match=words) as error:
        load(content, name=name)
    assert error.value.exit_code == 1
    assert list_loads(tmp_path / "workspace") == []
    assert [path.name for path in (tmp_path / "workspace").glob("loads/*")] in ([], [".lock"])


def test_a_wrong_configured_encoding_is_an_error(load: Load) -> None:
    with pytest.raises(IngestError, match=r"people\.csv: line 1: not utf-8: the file reads as gb18030"):
        load(PEOPLE.encode("gb18030"), source=config(file={"encoding": "utf-8"}))


def test_a_cut_off_parquet_and_workbook_are_errors(load: Load, tmp_path: Path) -> None:
    pq.write_table(pa.table({"编号": ["1"] * 1000}), tmp_path / "a.parquet")
    workbook(tmp_path / "a.xlsx")
    for name in ("a.parquet", "a.xlsx"):
        whole = (tmp_path / name).read_bytes()
        for length in (10, len(whole) // 2, len(whole) - 10):
            with pytest.raises(IngestError, match=f"cut-{name}"):
                load(whole[:length], name=f"cut-{name}")


def test_a_workbook_without_the_sheet_lists_its_sheets(load: Load, tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    with pytest.raises(IngestError, match=r"no sheet 'Shet1' \(sheets: Sheet\); did you mean 'Sheet'"):
        load(tmp_path / "a.xlsx", source=config(file={"sheet": "Shet1"}))
    with pytest.raises(IngestError, match="has no row 99"):
        load(tmp_path / "a.xlsx", source=config(file={"header_row": 99}))


def test_a_missing_file_and_a_folder_are_errors(load: Load, tmp_path: Path) -> None:
    load(PEOPLE)
    with pytest.raises(IngestError, match=r"no such file; did you mean 'people\.csv'"):
        load(tmp_path / "peopel.csv")
    with pytest.raises(IngestError, match="a folder"):
        load(tmp_path)


def test_a_delta_needs_its_operation_column(load: Load) -> None:
    with pytest.raises(IngestError, match="column '操作' is missing"):
        load(PEOPLE, mode="delta")


def test_the_same_file_is_recognised(load: Load, tmp_path: Path) -> None:
    first = load(PEOPLE)
    for name, as_of in (("people.csv", date(2025, 1, 31)), ("copy.csv", date(2025, 2, 28))):
        again = load(PEOPLE, name=name, as_of=as_of)
        assert again.already_loaded
        assert again.load_id == first.load_id
        assert f"{name}: already loaded as {first.load_id}" in again.message
    assert len(list_loads(tmp_path / "workspace")) == 1


def test_the_same_file_is_loaded_again_where_that_is_asked_for(load: Load, tmp_path: Path) -> None:
    first = load(PEOPLE)
    changed = config(rank=5)
    with pytest.raises(IngestError, match=r"with another source configuration.*--again"):
        load(PEOPLE, source=changed)
    with pytest.raises(IngestError, match="with another mode"):
        load(PEOPLE, mode="delta")
    load(PEOPLE + "9,九,,,,\n", as_of=date(2025, 2, 28))
    with pytest.raises(IngestError, match="'police' has been loaded since"):
        load(PEOPLE, as_of=date(2025, 3, 31))
    again = load(PEOPLE, source=changed, load_again=True, allow_out_of_order=True)
    assert (again.load_id, again.sequence, again.already_loaded) == (first.load_id, 1, False)
    assert [m.config_sha256 for m in list_loads(tmp_path / "workspace")] == [changed.fingerprint(), first.config_sha256]


def test_a_month_out_of_order_is_an_error_unless_allowed(load: Load, tmp_path: Path) -> None:
    february = load(PEOPLE, as_of=date(2025, 2, 28))
    january = PEOPLE + "3,王五,,,,\n"
    with pytest.raises(IngestError, match=f"before the last load of 'police' .{february.load_id}.*2025-02-28 or later"):
        load(january)
    late = load(january, allow_out_of_order=True)
    assert [m.load_id for m in list_loads(tmp_path / "workspace")] == [late.load_id, february.load_id]
    assert (february.sequence, late.sequence) == (1, 2)


def test_canonical_columns_need_no_configuration_and_may_name_their_source(load: Load) -> None:
    rows = "source,source_record_id,name,extra,as_of\nx,1,甲,e,2024-12-31\n,1,乙,,\nx:y,1,丙,,\n"
    manifest = load(rows, source=canonical_source("legal_person", "file"))
    assert table(manifest, "records", "record_id, source, as_of, name, uscc") == [
        ("x:1", "x", "2024-12-31", "甲", None),
        ("file:1", "file", "2025-01-31", "乙", None),
    ]
    assert reasons(manifest) == [(3, "invalid_source")]
    assert manifest.columns_unknown == ("extra",)
    assert "uscc" in manifest.columns_missing


def test_the_same_input_gives_the_same_bytes(load: Load, tmp_path: Path) -> None:
    rows = PEOPLE + "".join(f"{number},张{number},,,1,\n" for number in range(3, 5000)) + "3,王,,,,\n,,\nx\n"
    folders = [load(rows, root=tmp_path / name).folder for name in ("a", "b")]
    for name in ("raw.parquet", "records.parquet", "quarantine.parquet", "manifest.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_several_files_of_one_delivery_are_its_parts(load: Load, tmp_path: Path) -> None:
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    for number, path in enumerate(paths):
        path.write_text(f"{HEADER}{number},甲,,,,\n", encoding="utf-8")
    settings = {"source": config(), "as_of": date(2025, 1, 31), "mode": "full", "now": datetime.datetime(2025, 2, 1)}
    loads = ingest_files(paths, root=tmp_path / "w", **settings)  # type: ignore[arg-type]
    assert [(m.part, m.parts) for m in loads] == [(1, 2), (2, 2)]
    with pytest.raises(IngestError, match="given twice"):
        ingest_files([paths[0], paths[0]], root=tmp_path / "w", **settings)  # type: ignore[arg-type]


def test_progress_counts_the_rows_read(load: Load) -> None:
    seen: list[int] = []
    load(PEOPLE, progress=seen.append)
    assert seen[-1] == 2


def in_another_process(tmp_path: Path, code: str) -> subprocess.Popen[str]:
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    script = f"""
        import os, resource, signal, sys, time
        from datetime import date, datetime
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from police_source import config
        from linkage.ingest import loads
        from linkage.errors import LinkageError
        tmp = Path({str(tmp_path)!r})
        def run():
            return loads.ingest_file(tmp / "people.csv", source=config(), as_of=date(2025, 1, 31), mode="full",
                                     root=tmp / "workspace", now=datetime(2025, 2, 1))
        {textwrap.indent(textwrap.dedent(code), " " * 8).lstrip()}
    """
    arguments = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def test_a_killed_ingest_leaves_nothing_half_done_and_the_next_one_carries_on(load: Load, tmp_path: Path) -> None:
    killed = in_another_process(
        tmp_path,
        """
        loads.publish_load = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        run()
        """,
    )
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    folder = tmp_path / "workspace" / "loads"
    assert [path.name[:9] for path in folder.glob(".partial-*")] == [".partial-"]
    assert list_loads(tmp_path / "workspace") == []
    manifest = load(PEOPLE)
    assert not manifest.already_loaded
    assert sorted(path.name for path in folder.iterdir()) == [".lock", manifest.load_id]


def test_two_ingests_at_once_are_refused(load: Load, tmp_path: Path) -> None:
    other = in_another_process(
        tmp_path,
        """
        loads.publish_load = lambda *_: (print("holding", flush=True), sys.stdin.read())
        sys.stdin = open(os.devnull)
        loads.publish_load = lambda *_: (print("holding", flush=True), time.sleep(60))
        run()
        """,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
        with pytest.raises(IngestError, match="another ingest is running here"):
            load(PEOPLE)
    finally:
        other.kill()
        other.communicate()


def test_a_disk_that_takes_no_more_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    full = in_another_process(
        tmp_path,
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
        try:
            run()
        except LinkageError as error:
            print(error)
        print(sorted(path.name for path in (tmp / "workspace" / "loads").iterdir()))
        """,
    )
    out, err = full.communicate(timeout=60)
    assert "the disk is full" in out, err
    assert "nothing was changed" in out
    assert out.splitlines()[-1] == "['.lock']"


CELLS = st.text(alphabet='1,2"\n\r张;\x00\ufeff\u202e\U0001f600', max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, max_size=12).map(lambda cells: "\n".join(cells).encode()) | st.binary(max_size=60))
def test_every_row_of_any_junk_is_kept_or_quarantined(
    load: Load, tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    root = tmp_path_factory.mktemp("workspace")
    manifest = load(PEOPLE.encode() + b"9,a,,,,\n" + junk + b"\n", root=root)
    if b'"' not in junk:
        lines = re.split(rb"\r\n|\r|\n", junk + b"\n")[:-1]
        assert manifest.rows_in == 3 + len(lines)
    stored = len(table(manifest, "records")) + len(table(manifest, "quarantine"))
    assert manifest.rows_in == stored == manifest.kept + sum(manifest.quarantined.values())
    numbers = [row for (row,) in table(manifest, "records", "row")] + [row for row, _ in reasons(manifest)]
    assert sorted(numbers) == list(range(1, manifest.rows_in + 1))
    for text in table(manifest, "quarantine", "raw"):
        json.loads(text[0])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200), name=st.sampled_from(["j.csv", "j.jsonl", "j.parquet", "j.xlsx"]))
def test_a_file_of_junk_is_loaded_or_refused_but_never_crashes(
    load: Load, tmp_path_factory: pytest.TempPathFactory, junk: bytes, name: str
) -> None:
    signature = {"j.parquet": b"PAR1", "j.xlsx": b"PK\x03\x04"}.get(name, b"")
    root = tmp_path_factory.mktemp("workspace")
    try:
        load(signature + junk, name=name, root=root)
    except IngestError:
        return
    assert list_loads(root)
