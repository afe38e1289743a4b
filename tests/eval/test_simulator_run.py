"""A simulated run as a driver meets it: files in the shape departments send, loads in order, truth for every record."""

import csv
import hashlib
import io
import json
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from eval.simulator import ERROR_CLASSES, SimulatorError, load_profile, simulate
from eval.simulator.sources import PLANS, shape

PROFILE = load_profile()
NOISY = PROFILE.model_copy(
    update={
        "xlsx_rows": 20,
        "rows": PROFILE.rows.model_copy(
            update={
                channel: getattr(PROFILE.rows, channel).model_copy(
                    update={"garbage_row": 0.02, "nul_row": 0.01, "repeated_row": 0.02}
                )
                for channel in ("grid", "utility", "district_department", "city_platform", "credit_bureau")
            }
        ),
    }
)
CLEAN = PROFILE.model_copy(
    update={
        "rows": PROFILE.rows.model_copy(
            update={
                channel: getattr(PROFILE.rows, channel).model_copy(
                    update={"garbage_row": 0.0, "nul_row": 0.0, "repeated_row": 0.0}
                )
                for channel in ("grid", "utility", "district_department", "city_platform", "credit_bureau")
            }
        )
    }
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    lines = []
    summary = simulate(
        people=1500, organisations=500, months=3, output=output, seed=3, profile=CLEAN, progress=lines.append
    )
    return output, summary, lines


def read(path: Path, source: str) -> list[dict[str, str]]:
    """Read a simulated file as rows of text, by plain means."""
    form = shape(source)
    if form.format == "csv":
        body = path.read_bytes().decode(form.encoding)
        return list(csv.DictReader(io.StringIO(body), delimiter=form.delimiter))
    if form.format == "jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if form.format == "parquet":
        return pq.read_table(path).to_pylist()
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name(form.sheet).to_python()
    header = rows[form.header_row - 1]
    return [dict(zip(header, row, strict=True)) for row in rows[form.header_row :]]


def key(row: dict[str, str], source: str) -> str:
    return "|".join(row[column] for column in shape(source).record_id)


def loads(output: Path) -> list[dict]:
    return tomllib.loads((output / "loads.toml").read_text(encoding="utf-8"))["load"]


def truth(output: Path) -> dict[tuple[str, str], dict]:
    rows = [
        row
        for entity in ("legal_person", "natural_person")
        for row in pq.read_table(output / "truth" / f"{entity}.parquet").to_pylist()
    ]
    return {(row["source"], row["source_record_id"]): row for row in rows}


def test_every_load_names_files_that_hold_as_many_records_as_it_says(run):
    output, summary, _ = run
    listed = loads(output)
    assert len(listed) == len(summary.loads)
    assert [load["source"] for load in listed[: len(PLANS)]] == [plan.name for plan in PLANS]
    assert all(load["rows"] > 0 for load in listed)
    for load in listed:
        records = [row for name in load["files"] for row in read(output / name, load["source"])]
        assert len(records) == load["rows"], load["source"]
        assert len({key(row, load["source"]) for row in records}) == load["rows"]
    days = [str(load["as_of"]) for load in listed]
    assert days == sorted(days)
    assert set(days) == {"2025-01-31", "2025-02-28", "2025-03-31"}


def test_the_first_month_is_full_and_delta_sources_send_changes_after_it(run):
    output, _, _ = run
    for load in loads(output):
        delta = next(p for p in PLANS if p.name == load["source"]).mode == "delta"
        first = str(load["as_of"]) == "2025-01-31"
        assert load["mode"] == ("delta" if delta and not first else "full")


def test_every_record_has_a_truth_and_every_truth_a_record(run):
    output, summary, _ = run
    known = truth(output)
    seen = {
        (load["source"], key(row, load["source"]))
        for load in loads(output)
        for name in load["files"]
        for row in read(output / name, load["source"])
    }
    assert seen == set(known)
    assert sum(summary.records.values()) == len(known)


def test_a_record_keeps_its_entity_and_its_text_until_something_happens(run):
    output, _, _ = run
    january = {
        key(r, "population_registry"): r
        for r in read(output / "2025-01/population_registry.csv", "population_registry")
    }
    february = {
        key(r, "population_registry"): r
        for r in read(output / "2025-02/population_registry.csv", "population_registry")
    }
    both = january.keys() & february.keys()
    assert len(both) > 0.95 * len(january)
    unchanged = sum(january[k] == february[k] for k in both)
    assert 0.9 < unchanged / len(both) < 1.0
    known = truth(output)
    births = february.keys() - january.keys()
    assert all(known["population_registry", k]["month_first"] == "2025-02" for k in births)


def test_a_delta_inserts_changes_and_deletes(run):
    output, _, _ = run
    operations = [
        r["变更类型"]
        for month in ("02", "03")
        for r in read(output / f"2025-{month}/social_insurance.parquet", "social_insurance")
    ]
    assert set(operations) == {"增员", "变更", "减员"}


def test_departments_write_their_own_codes_dates_and_columns(run):
    output, _, _ = run
    police = read(output / "2025-01/population_registry.csv", "population_registry")
    assert list(police[0]) == [
        *("人员编号", "姓名", "曾用名", "性别", "民族", "国籍（地区）", "出生日期", "证件类型代码", "证件号码"),
        *("户籍地址", "居住地址", "更新日期"),
    ]  # fmt: skip
    assert {r["性别"] for r in police} == {"1", "2"}
    assert sum(len(r["出生日期"]) == 8 and r["出生日期"].isdigit() for r in police) > 0.95 * len(police)
    assert {r["证件类型代码"] for r in police} >= {"111", ""}
    grid = (output / "2025-01/grid_residents.csv").read_bytes()
    assert grid.startswith(b"\xef\xbb\xbf")
    assert b"\t" in grid.splitlines()[0]
    tax = read(output / "2025-01/tax_registration.csv", "tax_registration")
    assert {"正常", "注销"} <= {r["纳税人状态"] for r in tax}
    assert any(len(r["纳税人识别号"]) == 20 for r in tax)
    assert {len(r["纳税人识别号"]) for r in tax} >= {15, 18, 20}


def test_channels_differ_in_how_much_of_a_number_they_show(run):
    output, _, _ = run
    police = read(output / "2025-01/population_registry.csv", "population_registry")
    grid = read(output / "2025-01/grid_residents.csv", "grid_residents")
    full = [
        sum(len(r[c]) == 18 and "*" not in r[c] for r in rows) / len(rows)
        for rows, c in ((police, "证件号码"), (grid, "身份证号码"))
    ]
    assert full[0] > 0.9
    assert full[1] < 0.5


def test_truth_names_known_error_classes_and_noisy_channels_have_more_of_them(run):
    output, summary, _ = run
    rows = truth(output).values()
    assert {e for r in rows for e in r["errors"]} <= set(ERROR_CLASSES)
    share = {
        s: sum(bool(r["errors"]) for r in rows if r["source"] == s) / sum(r["source"] == s for r in rows)
        for s in ("population_registry", "grid_residents")
    }
    assert share["population_registry"] < 0.4 < 0.8 < share["grid_residents"]
    assert summary.errors["id_masked"] == sum("id_masked" in r["errors"] for r in rows)


def test_a_masked_number_is_recorded_as_masked(run):
    output, _, _ = run
    known = truth(output)
    newest = {}
    for load in loads(output):
        if load["source"] == "grid_residents":
            newest = {
                key(r, "grid_residents"): r for name in load["files"] for r in read(output / name, "grid_residents")
            }
    for record, row in newest.items():
        if "***" in row["身份证号码"]:
            assert "id_masked" in known["grid_residents", record]["errors"]


def test_a_corrected_record_loses_its_errors(run):
    output, _, _ = run
    known = truth(output)
    first = {
        key(r, "population_registry"): r
        for r in read(output / "2025-01/population_registry.csv", "population_registry")
    }
    last = {
        key(r, "population_registry"): r
        for r in read(output / "2025-03/population_registry.csv", "population_registry")
    }
    corrected = [k for k in first.keys() & last.keys() if not first[k]["居住地址"] and last[k]["居住地址"]]
    assert corrected
    assert all("address_missing" not in known["population_registry", k]["errors"] for k in corrected)


def test_most_people_and_firms_are_in_several_sources(run):
    output, _, _ = run
    sources = {}
    for (source, _), row in truth(output).items():
        sources.setdefault(row["entity_id"], set()).add(source)
    for prefix in "PO":
        several = [len(s) > 1 for e, s in sources.items() if e.startswith(prefix)]
        assert sum(several) / len(several) > 0.7


def test_progress_is_told_source_by_source(run):
    _, _, lines = run
    assert len(lines) == 1 + 3 * len(PLANS)
    assert "1,500 people" in lines[0]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path):
    def digest(folder: Path) -> dict[str, str]:
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    for name, seed in (("a", 9), ("b", 9), ("c", 10)):
        simulate(people=200, organisations=60, months=2, output=tmp_path / name, seed=seed)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


def test_damaged_rows_are_in_the_files_and_counted_apart(tmp_path):
    summary = simulate(people=800, organisations=300, months=1, output=tmp_path, seed=4, profile=NOISY)
    counted = pq.read_table(tmp_path / "truth/damaged_rows.parquet").to_pylist()
    assert {row["kind"] for row in counted} == {"garbage_row", "nul_row", "repeated_row"}
    assert len(counted) == len(summary.damage)
    grid = (tmp_path / "2025-01/grid_residents.csv").read_bytes()
    here = {row["kind"]: row["rows"] for row in counted if row["file"] == "grid_residents.csv"}
    assert sum(b"\x00" in line for line in grid.splitlines()) == here["nul_row"]
    assert grid.count(b"\n") == 1 + summary.records["grid_residents"] + sum(here.values())
    broken = (tmp_path / "2025-01/telecom_users.jsonl").read_text(encoding="utf-8").splitlines()
    assert any(not line.endswith("}") for line in broken)


def test_a_large_workbook_is_split_into_numbered_files(tmp_path):
    simulate(people=1500, organisations=100, months=1, output=tmp_path, seed=4, profile=NOISY)
    load = next(item for item in loads(tmp_path) if item["source"] == "professional_titles")
    assert len(load["files"]) >= 2
    assert load["files"][0] == "2025-01/professional_titles_1.xlsx"
    assert all((tmp_path / name).exists() for name in load["files"])


@pytest.mark.parametrize("size", [(1, 1, 1), (1, 5, 3), (30, 1, 2)])
def test_the_smallest_districts_work(tmp_path, size):
    people, organisations, months = size
    simulate(people=people, organisations=organisations, months=months, output=tmp_path, seed=1)
    listed = loads(tmp_path)
    assert 0 < len(listed) <= months * len(PLANS)
    assert all((tmp_path / name).exists() for load in listed for name in load["files"])


@pytest.mark.parametrize("name", ["people", "organisations", "months"])
def test_a_size_below_one_is_refused_by_name(tmp_path, name):
    sizes = {"people": 5, "organisations": 5, "months": 1, name: 0}
    with pytest.raises(SimulatorError, match=f"{name}: 0: must be at least 1"):
        simulate(**sizes, output=tmp_path, seed=1)


def test_true_relations_have_the_months_in_which_they_held(run):
    output, _, _ = run
    told = pq.read_table(output / "truth" / "relations.parquet").to_pylist()
    assert {row["relation"] for row in told} >= {
        "legal_representative_of",
        "operator_of",
        "branch_of",
        "employed_by",
    }
    months = {"2025-01", "2025-02", "2025-03"}
    assert {row["month_first"] for row in told} | {row["month_last"] for row in told} <= months | {None}
    assert all(row["month_last"] is None or row["month_first"] <= row["month_last"] for row in told)
    represented = [row for row in told if row["relation"] in ("legal_representative_of", "operator_of")]
    now = [row["other_entity_id"] for row in represented if row["month_last"] is None]
    assert sorted(now) == sorted({row["other_entity_id"] for row in represented}), "one representative each, now"
    assert len(represented) > len(now), "in three months somebody is replaced"
