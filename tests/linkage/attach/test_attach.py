"""Credit rows attached to a release of a small district: whose they are, and why not where they are nobody's."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_district import Guiyi, ask, rows_of

from linkage.attach import attachment
from linkage.attach.attachment import Attaching
from linkage.attach.credit_rows import CreditRows, rows_sql
from linkage.attach.row_sql import REASONS
from linkage.workspace import Workspace

Row = Mapping[str, str | None]
COMPANY, PERSON = "LP-PENALTY-001", "NP-PENALTY-001"


@dataclass(frozen=True)
class District:
    """A published workspace, and who holds what in it."""

    workspace: Workspace
    firms: list[tuple[str, str, str]]
    people: list[tuple[str, str, str]]

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return ask(self.workspace.catalog, text)


@pytest.fixture(scope="module")
def district_released(first_month: Workspace) -> District:
    def held(table: str, column: str, scheme: str) -> list[tuple[str, str, str]]:
        return ask(
            first_month.catalog,
            f"select e.entity_id, e.{column}, e.name from {table} e where e.name is not null and exists ("
            f"select 1 from identifier i where i.scheme = '{scheme}' and i.value = e.{column} and i.valid = 1 "
            "group by i.value having count(distinct i.entity_id) = 1 and min(i.entity_id) = e.entity_id) "
            "order by e.entity_id",
        )

    return District(
        first_month, held("legal_person", "uscc", "uscc"), held("natural_person", "id_number", "resident_id")
    )


def attached(
    guiyi: Guiyi, district: District, folder: Path, rows: Sequence[Row], *options: object
) -> list[dict[str, Any]]:
    """Attach rows and return what came out, in the order of their number."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    pq.write_table(pa.table({"number": pa.array(range(len(rows)), pa.int64())} | columns), folder / "rows.parquet")
    ended = guiyi("attach", district.workspace.root, folder / "rows.parquet", "--output", folder / "out", *options)
    assert ended.code == 0, ended.err
    made = [row for path in (folder / "out").glob("attach_status=*/*.parquet") for row in rows_of(path)]
    return sorted(made, key=lambda row: int(row["number"]))


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def test_a_row_belongs_to_the_one_entity_that_holds_its_identifier_however_it_is_written(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    entity, code, name = district_released.firms[0]
    person, number, _ = district_released.people[0]
    rows = [
        {"item": COMPANY, "uscc": code, "name": name},
        {"item": COMPANY, "uscc": f" {code.lower()} "},
        {"item": COMPANY, "uscc": full_width(code)},
        {"item": COMPANY, "organization_code": f"{code[8:16]}-{code[16]}"},
        {"item": COMPANY, "tax_number": code},
        {"item": PERSON, "id_number": number},
        {"item": PERSON, "id_number": f"{number[:6]} {number[6:14]} {number[14:]}", "id_type": "居民身份证"},
    ]
    made = attached(guiyi, district_released, tmp_path, rows)
    assert [row["entity_id"] for row in made] == [entity] * 5 + [person] * 2
    assert {(row["attach_status"], row["attach_reason"], row["link_basis"]) for row in made} == {
        ("matched", "identifier", "identifier")
    }
    assert {row["link_probability"] for row in made} == {None}


def test_a_row_without_identifier_goes_where_the_record_it_names_belongs_with_that_records_basis(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    links = district_released.query(
        "select source, source_record_id, entity_id, link_basis, probability from record_link "
        "where link_basis <> 'identifier' and probability is not null order by 1, 2 limit 3"
    )
    rows = [
        {"source": source, "source_record_id": key, "item": COMPANY if entity.startswith("LP") else PERSON}
        for source, key, entity, _, _ in links
    ]
    made = attached(guiyi, district_released, tmp_path, rows)
    assert links
    assert [(row["entity_id"], row["link_basis"], row["link_probability"]) for row in made] == [
        (entity, basis, probability) for _, _, entity, basis, probability in links
    ]
    assert {row["attach_reason"] for row in made} == {"record"}


def test_nothing_is_guessed_where_a_row_points_two_ways(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    (first, code, _), (second, other, _) = district_released.firms[:2]
    person, number, _ = district_released.people[0]
    source, key = district_released.query(
        f"select source, source_record_id from record_link where entity_id = '{second}' and link_basis = 'identifier'"
    )[0]
    rows = [
        {"item": COMPANY, "uscc": code, "tax_number": other},
        {"item": COMPANY, "uscc": code, "name": "贵阳市白云区老杨面馆"},
        {"item": COMPANY, "uscc": code, "source": source, "source_record_id": key},
        {"item": COMPANY, "id_number": number},
    ]
    made = attached(guiyi, district_released, tmp_path, rows)
    assert [(row["entity_id"], row["attach_status"], row["attach_reason"]) for row in made] == [
        (None, "conflict", "identifiers_disagree"),
        (None, "conflict", "other_name"),
        (None, "conflict", "identifier_and_record_disagree"),
        (None, "conflict", "other_kind"),
    ]
    assert [row["attach_candidates"] for row in made] == [
        ";".join(sorted((first, second))),
        first,
        f"{first};{second}",
        person,
    ]


def keep_all(run: Attaching, rows: CreditRows, _: object, settled: Path, others: Path) -> None:
    run.con.execute(f"copy (from {rows_sql(rows)}) to '{others}' (format parquet)")


@pytest.mark.parametrize("absent", [(), ("name",), ("source", "source_record_id"), ("tax_number", "name"), ("item",)])
def test_rows_that_equality_settles_come_out_as_reading_every_cell_would_have_them(
    guiyi: Guiyi,
    district_released: District,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    absent: tuple[str, ...],
) -> None:
    (_, code, name), (_, other, other_name) = district_released.firms[:2]
    _, number, person = district_released.people[0]
    records = district_released.query(
        "select distinct on_basis.source, on_basis.source_record_id from record_link on_basis "
        "join (select link_basis, min(source_record_id) as id from record_link group by 1) b "
        "on b.link_basis = on_basis.link_basis and b.id = on_basis.source_record_id order by 1, 2"
    )
    cells: dict[str, list[str | None]] = {
        "item": [COMPANY, PERSON, "LP-NOTHING-999"],
        "uscc": [code, other, code.lower(), "", " ", "无", None],
        "tax_number": [None, code, other, "", "91440300MA5KPW5G0T"],
        "id_number": [None, number, f" {number}"],
        "name": [None, name, other_name, person, f"{name} "],
        "source": [None, *(source for source, _ in records)],
        "source_record_id": [None, *(key for _, key in records)],
    }
    of_record = list(zip(cells.pop("source"), cells.pop("source_record_id"), strict=True))
    drawn = random.Random(7)
    rows = []
    for _ in range(400):
        row = {column: drawn.choice(values) for column, values in cells.items()}
        row["source"], row["source_record_id"] = drawn.choice(of_record)
        rows.append({column: value for column, value in row.items() if column not in absent})
    for folder in ("settled", "read"):
        (tmp_path / folder).mkdir()
    made = attached(guiyi, district_released, tmp_path / "settled", rows)
    settled = list((tmp_path / "settled").rglob("*_settled.parquet"))
    monkeypatch.setattr(attachment, "_write_settled", keep_all)
    assert made == attached(guiyi, district_released, tmp_path / "read", rows)
    assert len(settled) == 1
    assert {row["attach_status"] for row in made} == {"matched", "conflict", "none"}


def test_a_name_that_is_written_otherwise_is_no_conflict(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    entity, code, name = next(firm for firm in district_released.firms if firm[2].startswith("深圳市"))
    made = attached(
        guiyi,
        district_released,
        tmp_path,
        [{"item": COMPANY, "uscc": code, "name": written} for written in (name.removeprefix("深圳市"), f" {name} ")],
    )
    assert [row["entity_id"] for row in made] == [entity, entity]


def test_an_unmatched_row_is_kept_with_its_reason(guiyi: Guiyi, district_released: District, tmp_path: Path) -> None:
    _, code, _ = district_released.firms[0]
    _, number, _ = district_released.people[0]
    rows: list[Row] = [
        {"item": COMPANY, "uscc": "9.14403E+17"},
        {"item": COMPANY, "uscc": "无"},
        {"item": COMPANY},
        {"item": COMPANY, "uscc": "   "},
        {"item": COMPANY, "uscc": "91440300708461136T"},
        {"item": PERSON, "id_number": f"{number[:6]}********{number[14:]}"},
        {"item": "XX-NONE-001", "uscc": code},
        {"item": None, "uscc": code},
        {"item": COMPANY, "uscc": "\u202e😀" * 5_000},
    ]
    made = attached(guiyi, district_released, tmp_path, rows)
    assert {(row["attach_status"], row["entity_id"]) for row in made} == {("none", None)}
    assert [row["attach_reason"] for row in made] == [
        "unusable_identifier",
        "unusable_identifier",
        "no_identifier",
        "no_identifier",
        "unknown_identifier",
        "unusable_identifier",
        "item_not_in_catalogue",
        "item_not_in_catalogue",
        "unusable_identifier",
    ]


def test_two_holders_of_one_identifier_are_a_conflict_that_names_both(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    shared = district_released.query(
        "select value, group_concat(entity_id, ';') from (select value, entity_id from identifier where valid = 1 and "
        "scheme in ('resident_id', 'uscc') order by entity_id) group by value having count(distinct entity_id) > 1"
    )
    if not shared:
        pytest.skip("the small district has no identifier of two entities")
    rows = [{"id_number" if ids.startswith("NP") else "uscc": value} for value, ids in shared]
    made = attached(guiyi, district_released, tmp_path, rows)
    assert {row["attach_reason"] for row in made} == {"identifier_of_two_entities"}
    assert [row["attach_candidates"] for row in made] == [ids for _, ids in shared]


def test_csv_in_the_code_page_of_an_office_gives_the_same_as_parquet(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    rows = [(code, name) for _, code, name in district_released.firms[:20]]
    text = "处罚编号,统一社会信用代码,当事人\n" + "".join(
        f"第{i}号,{code},{name}\n" for i, (code, name) in enumerate(rows)
    )
    (tmp_path / "处罚 一月.csv").write_bytes(text.encode("gb18030"))
    ended = guiyi(
        "attach",
        district_released.workspace.root,
        tmp_path,
        "--output",
        tmp_path / "out",
        "--column",
        "uscc=统一社会信用代码",
        "--column",
        "name=当事人",
        "--item",
        COMPANY,
        "--json",
    )
    assert ended.code == 0, ended.err
    made = [row for path in (tmp_path / "out" / "attach_status=matched").iterdir() for row in rows_of(path)]
    assert sorted(row["entity_id"] for row in made) == sorted(entity for entity, _, _ in district_released.firms[:20])
    assert {"处罚编号", "统一社会信用代码", "当事人"} < set(made[0])
    assert ended.data["by_status"] == {"matched": 20, "conflict": 0, "none": 0}
    assert ended.data["counts"][0]["item"] == COMPANY


def test_the_summary_balances_and_holds_no_personal_value(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    rows: list[Row] = [
        {"item": PERSON, "id_number": number, "name": name} for _, number, name in district_released.people[:50]
    ]
    rows += [{"item": PERSON, "id_number": "11010519491231002X", "name": "某某"}, {"item": PERSON}]
    made = attached(guiyi, district_released, tmp_path, rows)
    text = (tmp_path / "out" / "summary.json").read_text("utf-8")
    summary = json.loads(text)
    assert summary["rows_in"] == len(rows) == len(made) == sum(summary["by_status"].values())
    assert sum(summary["by_reason"].values()) == len(rows)
    assert set(summary["by_reason"]) <= set(REASONS)
    assert not [number for _, number, name in district_released.people[:50] if number in text or name in text]


def test_files_do_not_depend_on_each_others_order(guiyi: Guiyi, district_released: District, tmp_path: Path) -> None:
    _, number, _ = district_released.people[0]
    for name, columns in (
        ("a", {"id_number": [number.lower() + " ", "护 照"]}),
        ("b", {"id_number": [number.lower() + " ", "E12345678"], "id_type": ["护照", "护照"]}),
    ):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    made = []
    for number_of, order in enumerate((("a", "b"), ("b", "a"))):
        files = [tmp_path / f"{name}.parquet" for name in order]
        output = tmp_path / f"out{number_of}"
        assert guiyi("attach", district_released.workspace.root, *files, "--output", output).code == 0
        rows = [row for path in output.glob("attach_status=*/*.parquet") for row in rows_of(path)]
        made.append(sorted(map(repr, ((r["id_number"], r.get("id_type"), r["entity_id"]) for r in rows))))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ({"amount": ["1"]}, (), "no column says whose a row is"),
        ({"uscc": ["1"], "entity_id": ["x"]}, (), "which attaching makes"),
        ({"uscc": ["1"], "attach_candidates": ["x"]}, (), "which attaching makes"),
        ({"uscc": ["1"], "attach_file": ["x"]}, (), "which attaching makes"),
        ({"uscc": ["1"], "USCC": ["2"]}, (), "two columns are named 'uscc'"),
        ({"uscc": ["1"], "_gy_path": ["x"]}, (), "column '_gy_path'"),
        ({"uscc": ["1"]}, ("--column", "usc=uscc"), "did you mean 'uscc'"),
        ({"uscc": ["1"]}, ("--column", "uscc=代码"), "no column '代码'"),
        (
            {"SQ1": ["2"], "张三丰": ["李四"]} | {"440306199001011234": ["1"]},
            ("--column", "uscc=信用代码"),
            "(the line where",
        ),
        ({"uscc": ["1"], "张三丰": [""], "男": [""]}, ("--column", "name=张三"), "no column '张三' (the line where"),
        ({"uscc": ["1"]}, ("--column", "uscc"), "expected KEY=VALUE"),
        ({"uscc": ["1"]}, ("--item", "LP-NONE-001"), "not in the catalogue"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_and_leaves_nothing(
    content: dict[str, list[str]],
    options: tuple[str, ...],
    expected: str,
    guiyi: Guiyi,
    district_released: District,
    tmp_path: Path,
) -> None:
    pq.write_table(pa.table(content), tmp_path / "rows.parquet")
    out = tmp_path / "out"
    ended = guiyi("attach", district_released.workspace.root, tmp_path / "rows.parquet", "--output", out, *options)
    assert ended.code == 2
    assert expected in ended.err
    assert "张三丰" not in ended.err
    assert ended.err.count("\n") == 1 or "reading" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_cut_off_file_or_a_folder_in_use_is_refused(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"uscc": ["1"]}), tmp_path / "rows.parquet")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes((tmp_path / "rows.parquet").read_bytes()[:-20])
    root = district_released.workspace.root
    assert "cannot be read as Parquet" in guiyi("attach", root, cut, "--output", tmp_path / "out").err
    assert "named twice" in guiyi("attach", root, cut, cut, "--output", tmp_path / "out").err
    assert "does not exist" in guiyi("attach", root, tmp_path / "none.csv", "--output", tmp_path / "out").err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("mine")
    ended = guiyi("attach", root, tmp_path / "rows.parquet", "--output", tmp_path / "full")
    assert ended.code == 1
    assert "not empty" in ended.err
    assert (tmp_path / "full" / "kept.txt").read_text() == "mine"


def test_files_are_told_apart_by_name_whatever_their_columns_are_and_however_they_are_called(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    entity, code, _ = district_released.firms[0]
    tables: list[tuple[str, dict[str, list[Any]]]] = [
        ("it's [a] *.parquet", {"uscc": [code, "无"], "a.b": ["1", "2"]}),
        ("b.parquet", {"uscc": [code], "a.b": ["3"]}),
        ("c.parquet", {"uscc": [code], "a.b": [4]}),
    ]
    (tmp_path / "in").mkdir()
    for name, columns in tables:
        pq.write_table(pa.table(columns), tmp_path / "in" / name)
    root = district_released.workspace.root
    done = guiyi("attach", root, tmp_path / "in", "--output", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    made = [row for path in (tmp_path / "out").glob("attach_status=*/*.parquet") for row in rows_of(path)]
    assert sorted((row["attach_file"], str(row["a.b"]), row["entity_id"]) for row in made) == [
        ("b.parquet", "3", entity),
        ("c.parquet", "4", entity),
        ("it's [a] *.parquet", "1", entity),
        ("it's [a] *.parquet", "2", None),
    ]
    by_file = {one["file"]: 0 for one in done.data["counts"]}
    for one in done.data["counts"]:
        by_file[one["file"]] += one["rows"]
    assert by_file == {name: len(columns["uscc"]) for name, columns in tables}


def test_a_file_that_is_damaged_inside_or_has_no_name_in_utf_8_is_named_and_nothing_is_left(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.parquet"
    pq.write_table(pa.table({"uscc": [f"{number:018d}" for number in range(50_000)]}), damaged)
    content = bytearray(damaged.read_bytes())
    content[1_000:100_000] = random.Random(1).randbytes(99_000)
    damaged.write_bytes(content)
    root = district_released.workspace.root
    refused = guiyi("attach", root, damaged, "--output", tmp_path / "out")
    assert refused.code == 1
    assert "damaged.parquet: cannot be read to its end" in refused.err
    (tmp_path / "in").mkdir()
    damaged.rename(tmp_path / "in" / "\udcff.parquet")
    refused = guiyi("attach", root, tmp_path / "in", "--output", tmp_path / "out")
    assert (refused.code, "rename the file" in refused.err) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_printed_rows_add_up_to_all_that_came_in_also_where_some_could_not_be_read(
    guiyi: Guiyi, district_released: District, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('uscc,item\n1,LP-PENALTY-001\n2,LP-PENALTY-001\n"3,LP"-PENALTY,1,2\n4,LP-PENALTY-001\n', "utf-8")
    done = guiyi("attach", district_released.workspace.root, file, "--output", tmp_path / "out")
    assert done.code == 0
    rows = [
        [int(cell) for cell in line.split("│")[3:-1]]
        for line in done.out.splitlines()
        if line.startswith("│") and "rows in" not in line
    ]
    assert [sum(row[:-1]) for row in rows] == [row[-1] for row in rows]
    *parts, every = rows
    assert [sum(column) for column in zip(*parts, strict=True)] == every
    assert every[-2:] == [1, 4]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["unread_by_file"] == {"rows.csv": 1}
    assert f"guiyi review credit {district_released.workspace.root}" in done.err
