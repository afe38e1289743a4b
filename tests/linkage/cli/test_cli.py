"""The command line: exit codes, what goes to which stream, and the next command named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_district import Guiyi, copied

from linkage.cli.main import app
from linkage.commands.demo import PlannedLoad
from linkage.workspace import SETTINGS_FILE, Workspace
from matchers.identifiers import resident_id

COMMANDS = (
    "demo", "simulate", "init", "ingest", "run", "link", "train", "calibrate", "status", "resolve", "explain",
    "rollback", "eval", "decide", "decisions", "verify", "attach", "forget", "serve",
)  # fmt: skip
NUMBERS = tuple(
    body + resident_id.check_digit(body) for body in ("44030619900307123", "44030619851120456", "44030619770815217")
)
HEADER = "source,source_record_id,name,id_number,phone\n"
PEOPLE = HEADER + (
    f"police,1,欧阳明明,{NUMBERS[0]},13928415276\n"
    f"court,7,欧阳明明,{NUMBERS[0]},\n"
    f"police,2,诸葛小红,{NUMBERS[1]},13928415299\n"
)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write(tmp_path / "people.csv", PEOPLE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, guiyi: Guiyi) -> None:
    done = guiyi(command, "--help")
    assert done.code == 0
    assert f"guiyi {command}" in done.out


def test_the_commands_are_those_tested_here() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert names == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("lnk",),
        ("link",),
        ("link", "person", "file.csv", "--output", "out"),
        ("link", "natural_person", "file.csv"),
        ("link", "natural_person", "file.csv", "--output", "out", "--lang", "fr"),
        ("ingest", "w", "file.csv", "--as-of", "2025-01-31"),
        ("ingest", "w", "file.csv", "--source", "s", "--as-of", "2025-01-31", "--mode", "partial"),
        ("run",),
        ("run", "w", "--entity", "person"),
        ("run", "w", "--engine", "abacus"),
        ("rollback", "w"),
        ("rollback", "w", "first"),
        ("resolve", "w"),
        ("explain", "w", "a:1"),
        ("eval", "clusters.parquet"),
        ("simulate", "--people", "0", "--organisations", "1", "--output", "d"),
        ("simulate", "--people", "1", "--organisations", "0", "--output", "d"),
        ("demo", "--months", "25"),
        ("status", "w", "--verbose"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong_on_standard_error(
    arguments: tuple[str, ...], guiyi: Guiyi
) -> None:
    done = guiyi(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest", "W", "file.csv", "--source", "police", "--as-of", "2025-01-31"),
        ("run", "W"),
        ("train", "W"),
        ("status", "W"),
        ("resolve", "W", "91440300708461136T"),
        ("explain", "W", "a:1", "b:2"),
        ("rollback", "W", "1"),
    ],
)
def test_a_directory_that_is_no_workspace_is_wrong_usage_and_init_is_named(
    arguments: tuple[str, ...], tmp_path: Path, guiyi: Guiyi
) -> None:
    done = guiyi(*(str(tmp_path) if a == "W" else a for a in arguments))
    assert (done.code, done.out) == (2, "")
    assert f"make one with `guiyi init {tmp_path}`" in done.err


def test_a_workspace_from_init_to_the_first_command(tmp_path: Path, guiyi: Guiyi) -> None:
    root = tmp_path / "w"
    made = guiyi("init", root)
    assert (made.code, made.out) == (0, "")
    assert f"next: guiyi ingest {root}" in made.err
    assert guiyi("init", root).code == 1
    status = guiyi("status", root)
    assert status.code == 0
    assert f"next: guiyi ingest {root}" in status.err
    nothing = guiyi("run", root)
    assert (nothing.code, nothing.out) == (1, "")
    assert f"guiyi ingest {root}" in nothing.err
    assert not (root / "catalog.sqlite").exists()


def test_ingest_says_where_the_rows_went_and_what_comes_next(
    tmp_path: Path, district: list[PlannedLoad], guiyi: Guiyi
) -> None:
    root = tmp_path / "w"
    guiyi("init", root)
    load = next(load for load in district if load.source == "grid_residents")
    common = ("--source", load.source, "--as-of", load.as_of)
    done = guiyi("ingest", root, *load.files, *common)
    assert done.code == 0
    assert "rows in =" in done.out
    assert f"next: guiyi run {root}" in done.err
    again = guiyi("ingest", root, *load.files, *common, "--json", "--quiet")
    assert (again.code, again.err) == (0, "")
    (manifest,) = again.data
    assert manifest["already_loaded"] is True
    assert manifest["rows_in"] == manifest["kept"] + sum(manifest["quarantined"].values())
    status = guiyi("status", root)
    assert f"next: guiyi run {root}" in status.err
    assert guiyi("status", root, "--json").data["waiting"] == [manifest["load_id"]]


def test_ingesting_several_files_gives_one_json_document(
    tmp_path: Path, district: list[PlannedLoad], guiyi: Guiyi
) -> None:
    root = tmp_path / "w"
    guiyi("init", root)
    load = next(load for load in district if load.source == "grid_residents")
    lines = load.files[0].read_text("utf-8-sig").splitlines(keepends=True)
    parts = [write(tmp_path / f"part{i}.csv", "".join([lines[0], *lines[1 + i :: 2]])) for i in range(2)]
    done = guiyi("ingest", root, *parts, "--source", load.source, "--as-of", load.as_of, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert sum(manifest["rows_in"] for manifest in done.data) == len(lines) - 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--source", "grid_resident", "--as-of", "2025-01-31"), ["'grid_resident'", "did you mean 'grid_residents'"]),
        (("--source", "police", "--as-of", "2025-01-31"), ["'police'", "known: ", "grid_residents", "guiyi.toml"]),
        (("--source", "grid_residents", "--as-of", "31.01.2025"), ["--as-of '31.01.2025'", "2025-01-31"]),
        (("--source", "grid_residents", "--as-of", "2025-02-30"), ["--as-of '2025-02-30'"]),
    ],
)
def test_a_wrong_option_of_ingest_is_named_with_what_is_known(
    options: tuple[str, ...], words: list[str], people: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    guiyi("init", tmp_path / "w")
    done = guiyi("ingest", tmp_path / "w", people, *options)
    assert (done.code, done.out) == (2, "")
    for word in words:
        assert word in done.err


def bad_files(folder: Path) -> dict[str, Path]:
    """Return files that cannot be read or mapped, each holding a person's number."""
    whole = folder / "whole.parquet"
    pq.write_table(pa.table({"姓名": ["欧阳明明"], "身份证号码": [NUMBERS[0]]}), whole)
    (folder / "directory.csv").mkdir()
    return {
        "missing column": write(folder / "columns.csv", f"编号,电话\n1,{NUMBERS[0]}\n"),
        "empty": write(folder / "empty.csv", ""),
        "no rows": write(folder / "rows.csv", ""),
        "cut-off parquet": write(folder / "cut.parquet", whole.read_bytes()[:-20]),
        "cut-off xlsx": write(folder / "cut.xlsx", b"PK\x03\x04" + NUMBERS[0].encode()),
        "broken json": write(folder / "broken.jsonl", '{"name": "欧阳明明", "id_number": "' + NUMBERS[0]),
        "directory": folder / "directory.csv",
        "absent": folder / "absent.csv",
    }


KINDS = (
    "missing column", "empty", "no rows", "cut-off parquet", "cut-off xlsx", "broken json",
    "directory", "absent",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", ["link", "ingest"])
def test_a_file_that_cannot_be_used_is_named_and_nothing_of_it_is_repeated(
    command: str, kind: str, tmp_path: Path, guiyi: Guiyi
) -> None:
    path = bad_files(tmp_path)[kind]
    if command == "link":
        done = guiyi("link", "natural_person", path, "--output", tmp_path / "out")
    else:
        guiyi("init", tmp_path / "w")
        done = guiyi("ingest", tmp_path / "w", path, "--source", "grid_residents", "--as-of", "2025-01-31")
        assert guiyi("status", tmp_path / "w", "--json").data["loads"] == []
    assert done.code in (1, 2)
    assert done.out == ""
    assert path.name in done.err
    assert "Traceback" not in done.err
    for secret in (*NUMBERS, "欧阳明明"):
        assert secret not in done.err
    assert not (tmp_path / "out" / "clusters.parquet").exists()


@pytest.mark.parametrize(
    "content", ["编号,姓名\n1,欧阳明明\n".encode("gb18030"), bytes(range(128, 256))], ids=["GB18030", "binary"]
)
def test_a_file_in_another_encoding_than_configured_is_named_without_its_content(
    content: bytes, tmp_path: Path, guiyi: Guiyi
) -> None:
    guiyi("init", tmp_path / "w")
    path = write(tmp_path / "people.csv", content)
    done = guiyi("ingest", tmp_path / "w", path, "--source", "grid_residents", "--as-of", "2025-01-31")
    assert done.code in (1, 2)
    assert "people.csv" in done.err
    assert "欧阳" not in done.err


def test_a_file_without_its_line_of_column_names_is_refused_without_repeating_the_first_person(
    tmp_path: Path, guiyi: Guiyi
) -> None:
    guiyi("init", tmp_path / "w")
    path = write(tmp_path / "people.csv", f"1\t欧阳明明\t男\t1990-03\t{NUMBERS[0]}\n2\t诸葛小红\t女\t\t{NUMBERS[1]}\n")
    done = guiyi("ingest", tmp_path / "w", path, "--source", "grid_residents", "--as-of", "2025-01-31")
    assert done.code in (1, 2)
    assert "people.csv" in done.err
    assert NUMBERS[0] not in done.err
    assert "欧阳明明" not in done.err


@pytest.fixture(scope="module")
def linked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `people.csv`, to be linked into `out` by the first test that asks."""
    folder = tmp_path_factory.mktemp("cli")
    write(folder / "people.csv", PEOPLE)
    return folder


def test_link_writes_its_results_and_prints_them_as_one_json_document(linked_once: Path, guiyi: Guiyi) -> None:
    done = guiyi(
        "link", "natural_person", linked_once / "people.csv", "--output", linked_once / "out", "--json", "--quiet"
    )
    assert (done.code, done.err) == (0, "")
    assert (done.data["rows_in"], done.data["kept"], done.data["entities"]) == ("3", "3", "2")
    clusters = pq.read_table(linked_once / "out" / "clusters.parquet").to_pylist()
    homes = {(row["source"], row["source_record_id"]): row["entity_id"] for row in clusters}
    assert homes["police", "1"] == homes["court", "7"] != homes["police", "2"]


def test_a_link_with_too_much_quarantine_ends_with_3_and_still_gives_its_results(tmp_path: Path, guiyi: Guiyi) -> None:
    path = write(tmp_path / "people.csv", PEOPLE + f"police,2,重复,{NUMBERS[2]},\n,,,,\npolice,,无编号,{NUMBERS[2]},\n")
    done = guiyi("link", "natural_person", path, "--output", tmp_path / "out")
    assert done.code == 3
    assert "report.html" in done.out
    assert (tmp_path / "out" / "clusters.parquet").exists()
    reasons = {row["reason"] for row in pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()}
    assert reasons == {"duplicate_record_id", "empty_row", "missing_record_id"}
    for secret in (*NUMBERS, "重复", "无编号"):
        assert secret not in done.out + done.err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--as-of", "yesterday"), "--as-of 'yesterday'"),
        (("--model", "{tmp}/absent.json"), "absent.json: no such model"),
        (("--entity-config", "{tmp}/absent.toml"), "absent.toml: cannot be read"),
        (("--config", "{tmp}/absent.toml"), "absent.toml"),
        (("--entity-config", "{tmp}/people.csv"), "people.csv: not valid TOML"),
    ],
)
def test_a_wrong_option_of_link_is_wrong_usage_found_before_the_work(
    options: tuple[str, str], word: str, people: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    filled = [option.format(tmp=tmp_path) for option in options]
    done = guiyi("link", "natural_person", people, "--output", tmp_path / "out", *filled)
    assert (done.code, done.out) == (2, "")
    assert word in done.err
    assert not (tmp_path / "out" / "clusters.parquet").exists()


def test_a_truth_that_is_absent_is_named(people: Path, tmp_path: Path, guiyi: Guiyi) -> None:
    done = guiyi("link", "natural_person", people, "--output", tmp_path / "out", "--truth", tmp_path / "absent.parquet")
    assert (done.code, done.out) == (2, "")
    assert "absent.parquet" in done.err
    assert "reading files" not in done.err


def test_run_prints_one_json_document_and_with_quiet_nothing_else(
    loaded: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "w")
    done = guiyi("run", workspace.root, "--json", "--quiet", "--entity", "legal_person", "--lang", "en")
    assert (done.code, done.err) == (0, "")
    assert done.data["release"] == 1
    assert [section["entity"] for section in done.data["entities"]] == ["legal_person"]
    assert Path(done.data["report"]).exists()


def test_run_shows_its_stages_in_plain_lines_and_no_value_of_anybody(
    loaded: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "w")
    done = guiyi("run", workspace.root, "--entity", "natural_person")
    assert done.code == 0
    for title in ("standardising records", "scoring pairs", "publishing the release"):
        assert title in done.err
    assert f"next: guiyi resolve {workspace.root}" in done.err
    assert "\x1b" not in done.err
    values: set[Any] = set()
    for path in (workspace.root / "loads").glob("*/records.parquet"):
        table = pq.read_table(path)
        for column in {"name", "id_number", "phone", "address", "uscc"} & set(table.column_names):
            values |= {v for v in table.column(column).to_pylist() if v and len(v) >= 3}
    assert len(values) > 500
    assert [v for v in values if v in done.err or v in done.out] == []


def test_status_shows_loads_and_releases(second_month: Workspace, guiyi: Guiyi) -> None:
    text = guiyi("status", second_month.root)
    assert text.code == 0
    assert "waiting" not in text.out
    assert f"next: guiyi resolve {second_month.root}" in text.err
    data = guiyi("status", second_month.root, "--json")
    assert data.err == ""
    assert [release["release"] for release in data.data["releases"]] == [1, 2]
    assert data.data["waiting"] == []


def test_train_forgets_the_models_and_names_the_next_command(
    first_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, tmp_path / "w")
    done = guiyi("train", workspace.root, "--entity", "legal_person")
    assert (done.code, done.out) == (0, "")
    assert f"next: guiyi run {workspace.root}" in done.err
    assert not workspace.model("legal_person").exists()
    assert workspace.model("natural_person").exists()
    assert guiyi("train", workspace.root, "--quiet").err == ""
    assert not workspace.model("natural_person").exists()


def test_a_setting_that_is_unknown_is_wrong_usage_in_every_command(
    first_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, tmp_path / "w")
    write(workspace.root / SETTINGS_FILE, 'langage = "en"\n')
    for command in (("status", workspace.root), ("run", workspace.root), ("resolve", workspace.root, "x")):
        done = guiyi(*command)
        assert (done.code, done.out) == (2, "")
        assert "did you mean 'language'" in done.err


def test_eval_compares_clusters_with_the_truth(tmp_path: Path, guiyi: Guiyi) -> None:
    rows = {"source": ["s"] * 4, "source_record_id": list("1234")}
    pq.write_table(pa.table({**rows, "entity_id": ["A", "A", "B", "C"]}), tmp_path / "clusters.parquet")
    pq.write_table(pa.table({**rows, "entity_id": ["x", "x", "y", "y"]}), tmp_path / "truth.parquet")
    done = guiyi("eval", tmp_path / "clusters.parquet", tmp_path / "truth.parquet", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.data["precision"], done.data["recall"]) == (1.0, 0.5)
    table = guiyi("eval", tmp_path / "clusters.parquet", tmp_path / "truth.parquet")
    assert table.code == 0
    assert "recall" in table.out
    for left, right in (("absent.parquet", "truth.parquet"), ("clusters.parquet", "absent.parquet")):
        failed = guiyi("eval", tmp_path / left, tmp_path / right)
        assert (failed.code, failed.out) == (1, "")
        assert "absent.parquet" in failed.err


def test_simulate_writes_the_files_and_names_the_next_command(tmp_path: Path, guiyi: Guiyi) -> None:
    output = tmp_path / "district"
    done = guiyi("simulate", "--people", "60", "--organisations", "20", "--output", output, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.data["rows"] > 60
    assert (output / "truth" / "natural_person.parquet").exists()
    again = guiyi("simulate", "--people", "60", "--organisations", "20", "--output", output)
    assert (again.code, again.out) == (1, "")
    assert "not empty" in again.err


def test_a_profile_of_the_simulator_that_cannot_be_used_is_a_configuration_error(tmp_path: Path, guiyi: Guiyi) -> None:
    path = write(tmp_path / "profile.toml", "[channnels]\n")
    command = ("simulate", "--people", "30", "--organisations", "5", "--output", tmp_path / "district")
    for profile in (path, tmp_path / "absent.toml"):
        done = guiyi(*command, "--profile", profile)
        assert (done.code, done.out) == (2, "")
        assert profile.name in done.err
        assert not (tmp_path / "district").exists()


def test_demo_does_not_write_into_a_directory_with_files(tmp_path: Path, guiyi: Guiyi) -> None:
    write(tmp_path / "mine.txt", "mine")
    done = guiyi("demo", "--output", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_the_demo_does_the_whole_job_and_says_where_to_look(tmp_path: Path, guiyi: Guiyi) -> None:
    output = tmp_path / "demo"
    done = guiyi("demo", "--output", output, "--people", 150, "--organisations", 40, "--months", 2, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert Path(done.data["report"]).exists()
    assert float(done.data["natural_person"]["precision"]) > 0.97
    summary = json.loads((output / "report.json").read_text("utf-8"))
    assert {section["entity"] for section in summary["entities"]} == {"natural_person", "legal_person"}
