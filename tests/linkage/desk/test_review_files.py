"""Cases as a file that a person fills in, and the rulings back: the same rules as at the desk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from desk_town import SCRIPT, Town
from openpyxl import load_workbook
from small_district import Guiyi, ask


def cases_of(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    rows = list(load_workbook(file)["cases"].iter_rows(values_only=True))
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def fill(file: Path, **by_record: dict[str, str]) -> None:
    """Fill in rows, named by the key of their left record."""
    if file.suffix == ".jsonl":
        rows = [row | by_record.get(row["left_record"].partition(":")[2], {}) for row in cases_of(file)]
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return
    book = load_workbook(file)
    sheet = book["cases"]
    names = [cell.value for cell in sheet[1]]
    for cells in sheet.iter_rows(min_row=2):
        row = dict(zip(names, cells, strict=True))
        for name, value in by_record.get(str(row["left_record"].value).partition(":")[2], {}).items():
            row[name].value = value
    book.save(file)


@pytest.mark.parametrize("name", ["cases.xlsx", "cases.jsonl"])
def test_a_filled_in_file_rules_once_and_says_what_it_refused(
    town: Town, tmp_path: Path, guiyi: Guiyi, name: str
) -> None:
    root, file = town.workspace.root, tmp_path / name
    exported = guiyi("review", "export", root, file, "--json")
    assert (exported.code, exported.data["cases"]) == (0, 6)
    rows = cases_of(file)
    assert rows[0]["kind"] == "identifier_conflict"
    assert "刘宇航" not in json.dumps(rows, ensure_ascii=False)
    assert {row["left_name"] for row in rows if row["entity_type"] == "legal_person"} == {SCRIPT}
    fill(
        file,
        P2={"ruling": "不是同一主体", "reason": "number_misused", "note": "核对无误"},
        P3={"ruling": "same", "reason": "document_seen"},
        M2={"ruling": "different", "reason": "because"},
        P4={"ruling": "perhaps", "reason": "review"},
    )
    done = guiyi("review", "import", root, file, "--author", "周审核", "--json")
    assert done.code == 3
    assert done.data["taken"] == {"ruled": 1, "waiting": 1}
    refused = done.data["refused"]
    assert {one["why"].partition(" cannot")[0] for one in refused} == {"the reason 'because'", "the ruling 'perhaps'"}
    assert all("document_seen" in one["why"] for one in refused if one["why"].startswith("the reason"))
    again = guiyi("review", "import", root, file, "--author", "周审核", "--json")
    assert again.data["taken"] == {"repeated": 2}
    late = guiyi("review", "import", root, file, "--author", "吴复核", "--json")
    assert late.data["taken"] == {}  # both cases have changed since the export
    assert ask(town.workspace.catalog, "select count(*) from decision") == [(2,)]
    assert ask(town.workspace.catalog, "select detail from decision where decision_id = 1")[0][0].count("核对无误") == 1


def test_an_answer_that_a_case_does_not_have_is_refused_with_those_it_has(
    town: Town, tmp_path: Path, guiyi: Guiyi
) -> None:
    root, file = town.workspace.root, tmp_path / "cases.jsonl"
    guiyi("review", "export", root, file)
    fill(file, P3={"ruling": "not_here", "record": "left", "reason": "review"})
    (refused,) = guiyi("review", "import", root, file, "--author", "周审核", "--json").data["refused"]
    assert refused["why"] == "the ruling 'not_here' cannot be given here; use one of same, different, cannot_tell"


def test_a_second_person_confirms_by_a_file_of_their_own(town: Town, tmp_path: Path, guiyi: Guiyi) -> None:
    root, first, second = town.workspace.root, tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    ruling = {"ruling": "same", "reason": "document_seen", "note": "第一人的话"}
    guiyi("review", "export", root, first)
    fill(first, P3=ruling)
    assert guiyi("review", "import", root, first, "--author", "周审核").code == 0
    guiyi("review", "export", root, second, "--state", "waiting")
    rows = cases_of(second)
    assert [row["state"] for row in rows] == ["waiting"]
    assert "第一人的话" not in str(rows)
    fill(second, P3={"ruling": "same", "reason": "source_confirmed"})
    own = guiyi("review", "import", root, second, "--author", "周审核", "--json")
    assert own.data["refused"][0]["why"].startswith("you have spoken")
    done = guiyi("review", "import", root, second, "--author", "吴复核", "--json")
    assert (done.code, done.data["taken"], done.data["applied"]) == (0, {"ruled": 1}, {"natural_person": True})
    assert ask(
        town.workspace.catalog,
        "select count(distinct entity_id) from record_link where source_record_id in ('P3', 'R3')",
    ) == [(1,)]


def test_values_in_full_need_a_purpose_and_are_logged(town: Town, tmp_path: Path, guiyi: Guiyi) -> None:
    root, file = town.workspace.root, tmp_path / "cases.jsonl"
    refused = guiyi("review", "export", root, file, "--unmasked")
    assert (refused.code, "--purpose" in refused.err) == (2, True)
    assert guiyi("review", "export", root, file, "--unmasked", "--purpose", "异议核查").code == 0
    assert "刘宇航" in file.read_text("utf-8")
    logged = ask(town.workspace.catalog, "select distinct purpose, action from access_log where entity_id like 'NP%'")
    assert logged == [("异议核查", "review_case")]


def test_no_value_of_a_department_becomes_a_formula(town: Town, tmp_path: Path) -> None:
    from linkage.review.sheets import write_cases

    file = tmp_path / "cases.xlsx"
    write_cases(file, [{"case_id": "RC-1", "left_name": '=HYPERLINK("x")'}], ["case_id", "left_name"], ["review"])
    cell = load_workbook(file)["cases"]["B2"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("x")', "s")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.xlsx", None, "there is no such file"),
        ("torn.xlsx", b"PK\x03\x04torn", "not a workbook"),
        ("text.jsonl", b"{", "line 1: not JSON"),
        ("list.jsonl", b"[1]", "line 1: not an object"),
        ("bytes.jsonl", "裁定".encode("gb18030"), "UTF-8"),
        ("other.jsonl", b'{"case_id": "RC-1"}', "the column version is missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    made_town: Town, tmp_path: Path, guiyi: Guiyi, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    done = guiyi("review", "import", made_town.workspace.root, file, "--author", "周审核")
    assert done.code == 1
    assert said in done.err
    assert str(file) in done.err


def test_attached_credit_rows_bring_a_case_forward(town: Town, tmp_path: Path, guiyi: Guiyi) -> None:
    root, rows = town.workspace.root, tmp_path / "rows.csv"
    lines = ["uscc,name", *["91440300MA5EQXL12Q,"] * 9, *["91440300MA5KPW5G0T,"] * 5]
    rows.write_text("\n".join(lines) + "\n", "utf-8")
    attached = tmp_path / "attached"
    assert guiyi("attach", root, rows, "--output", attached, "--item", "LP-PENALTY-001").code == 0
    done = guiyi("review", "credit", root, attached, "--json")
    assert (done.code, done.data) == (0, {"cases": 6, "entities": 1, "credit_rows": 9})
    counted = ask(town.workspace.catalog, "select entity_type, credit_rows, risk from review_queue order by risk desc")
    assert {(kind, rows) for kind, rows, _ in counted} == {("legal_person", 9), ("natural_person", 0)}
    assert next(risk for kind, _, risk in counted if kind == "legal_person") >= 500 + 40
    assert guiyi("review", "credit", root, tmp_path).code == 1
