"""Calibrating from the command line: labels of three sources, what they say, and errors that tell what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_district import Guiyi, copied

from blocking.sql import quote
from linkage.batch import read_batch
from linkage.commands.demo import PlannedLoad
from linkage.database import connect
from linkage.entity_config import load_entity_config
from linkage.errors import LinkageError
from linkage.model.labelled_pairs import (
    hidden_columns,
    hide_identifier,
    label_from_identifiers,
    label_from_rulings,
    label_from_truth,
    told_by_identifier,
)
from linkage.model.parameters import load_model
from linkage.workspace import Workspace

PEOPLE, FIRMS = "natural_person", "legal_person"


@pytest.fixture(scope="module")
def truth(district: list[PlannedLoad]) -> Path:
    """The folder of the true entities of the simulated district."""
    return next(folder for folder in district[0].files[0].parents if (folder / "truth").is_dir()) / "truth"


def batch(workspace: Workspace, query: str) -> list[tuple[Any, ...]]:
    with read_batch(workspace.batch) as con:
        return con.execute(query).fetchall()


def write_rulings(path: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    lines = ["left,right,same", *(f'"{a}","{b}",{same}' for a, b, same in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def compared_records(workspace: Workspace, condition: str, limit: int) -> list[tuple[str, str]]:
    one = f"(select profile_id, min(record_id) as record_id from {PEOPLE}_profile_record group by 1)"
    return [
        (a, b)
        for a, b in batch(
            workspace,
            f"select l.record_id, r.record_id from {PEOPLE}_judged j join {one} l on l.profile_id = j.left_id "
            f"join {one} r on r.profile_id = j.right_id where j.left_id < j.right_id and {condition} "
            f"order by j.left_id, j.right_id limit {limit}",
        )
    ]


@pytest.fixture(scope="module")
def rulings(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [(a, b, "yes") for a, b in compared_records(second_month, "verdict_rule = 'score' and verdict = 'auto'", 30)]
    rows += [(a, b, "否") for a, b in compared_records(second_month, "verdict = 'reject'", 20)]
    rows += [(rows[0][1], rows[0][0], "no"), ("nobody:1", rows[1][0], "yes"), (rows[2][0], rows[2][1], "perhaps")]
    return write_rulings(tmp_path_factory.mktemp("rulings") / "rulings.csv", rows)


@pytest.mark.parametrize("entity", [PEOPLE, FIRMS])
def test_with_the_truth_every_compared_pair_has_a_label(
    entity: str, second_month: Workspace, truth: Path, guiyi: Guiyi
) -> None:
    file = truth / f"{entity}.parquet"
    done = guiyi("calibrate", second_month.root, "--entity", entity, "--truth", file, "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = done.data["entities"]
    ((pairs, by_score, linked),) = batch(
        second_month,
        "select count(*), count(*) filter (verdict_rule in ('score', 'kept')), "
        "count(*) filter (verdict_rule in ('score', 'kept') and verdict = 'auto') "
        f"from {entity}_judged where left_id < right_id",
    )
    assert found["labels"]["pairs"] == pairs == found["calibration"]["pairs"] + sum(r["pairs"] for r in found["rules"])
    assert found["calibration"]["pairs"] == by_score
    assert found["calibration"]["in_use"]["pairs"] == linked
    assert found["calibration"]["matches"] <= found["labels"]["matches"]


def test_without_labels_the_identifiers_serve_and_are_hidden_from_score_and_rules(
    second_month: Workspace, guiyi: Guiyi
) -> None:
    done = guiyi("calibrate", second_month.root, "--json", "--entity", PEOPLE)
    (found,) = done.data["entities"]
    assert found["labels"]["source"] == "identifiers"
    assert (found["hidden"], found["told"]) == (["id"], ["birth", "sex"])
    assert found["calibration"]["pairs"] > 0
    assert not {rule["rule"] for rule in found["rules"]} & {"same_number", "same_number_other_name", "two_numbers"}


def test_hiding_the_identifier_takes_back_exactly_what_it_weighed(second_month: Workspace) -> None:
    config = load_entity_config(PEOPLE)
    model = load_model(config, second_month.model(PEOPLE))
    with read_batch(second_month.batch) as con:
        label_from_identifiers(con, config, out="labelled")
        hide_identifier(con, config, model, labelled="labelled", scored="scored", profiles="profiles")
        rows = con.execute(f"""
select j.gamma_id, j.match_weight - s.match_weight, s.gamma_id, s.match_weight, s.match_probability, s.rules, c.same
from scored s join {PEOPLE}_judged j using (left_id, right_id) join labelled c using (left_id, right_id)""").fetchall()
        columns = ", ".join(f"count({quote(c)})" for c in sorted(hidden_columns(config) & set(config.profile_columns)))
        (left,) = con.execute(f"select {columns} from profiles").fetchall()
    weights = {row.weight for row in model.comparisons["id"]}
    assert len(rows) > 50
    for _, taken, hidden, weight, probability, *_ in rows:
        assert min(abs(taken - w) for w in weights) < 1e-6
        assert hidden == -1
        assert probability == pytest.approx(1 / (1 + 2.0**-weight))
    assert set(left) == {0}
    equal = len(config.levels["id"]) - 2
    assert {gamma for gamma, *_, same in rows if same} == {equal}
    assert equal not in {gamma for gamma, *_, same in rows if not same}
    by_number = sum(1 << i for i, rule in enumerate(config.blocking) if rule.columns() & hidden_columns(config))
    assert all(int(found) & ~by_number for *_, found, _ in rows)


def test_what_a_number_tells_is_named() -> None:
    assert told_by_identifier(load_entity_config(PEOPLE)) == ("birth", "sex")
    assert told_by_identifier(load_entity_config(FIRMS)) == ()


def test_rulings_are_counted_and_what_cannot_be_used_is_said(
    second_month: Workspace, rulings: Path, guiyi: Guiyi
) -> None:
    done = guiyi("calibrate", second_month.root, "--entity", PEOPLE, "--labels", rulings, "--json")
    assert done.code == 0
    labels = done.data["entities"][0]["labels"]
    assert (labels["source"], labels["given"], labels["unknown"], labels["unusable"]) == ("rulings", 53, 1, 2)
    assert labels["pairs"] == 49
    assert labels["matches"] == 29


def test_pairs_of_one_entity_stand_in_one_half(second_month: Workspace, rulings: Path, truth: Path) -> None:
    config = load_entity_config(PEOPLE)
    with read_batch(second_month.batch) as con:
        label_from_truth(con, config, truth / f"{PEOPLE}.parquet", out="labelled")
        split = con.execute("""
select entity, count(distinct part)
from labelled join calibration_entity on profile_id = left_id
where same group by entity having count(distinct part) > 1""").fetchall()
        parts = con.execute("select part, count(*) from labelled group by part order by part").fetchall()
        label_from_rulings(con, config, rulings, out="ruled")
        assert con.execute("select count(*) from ruled where part not in (0, 1)").fetchall() == [(0,)]
    assert split == []
    assert [part for part, _ in parts] == [0, 1]
    assert min(n for _, n in parts) > 0.3 * max(n for _, n in parts)


def test_the_same_run_and_labels_give_the_same_bytes(
    second_month: Workspace, truth: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    arguments = ("calibrate", second_month.root, "--truth", truth / f"{PEOPLE}.parquet", "--output")
    first = guiyi(*arguments, tmp_path / "a.html")
    second = guiyi(*arguments, tmp_path / "b.html")
    assert first.out == second.out
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert "=== 自然人 ===" in first.out
    assert "法人" not in first.out, "the truth of persons says nothing about firms"


def test_nothing_personal_is_in_text_json_or_page(
    second_month: Workspace, truth: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    page = tmp_path / "page.html"
    arguments = ("calibrate", second_month.root, "--entity", PEOPLE, "--truth", truth / f"{PEOPLE}.parquet")
    outputs = [guiyi(*arguments, "--output", page).out, guiyi(*arguments, "--json").out, page.read_text("utf-8")]
    columns = ("name", "id_number", "phone", "address", "source_record_id")
    for column in columns:
        shortest = 3 if column == "name" else 6  # a fragment of four digits may well be a count
        query = f"select distinct {column} from {PEOPLE}_records where len({column}) >= {shortest}"
        values = [value for (value,) in batch(second_month, query)]
        assert len(values) > 50
        assert not [value for value in values if any(value in output for output in outputs)], column


def test_calibrating_changes_nothing_in_the_workspace(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    assert guiyi("calibrate", workspace.root).code == 0
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


def test_files_are_linked_as_a_one_off_and_leave_nothing(
    canonical_files: dict[str, Path], tmp_path: Path, guiyi: Guiyi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = canonical_files[PEOPLE]
    truth = file.parent / "truth.parquet"
    assert truth.is_file()
    done = guiyi("calibrate", file, "--entity", PEOPLE, "--truth", truth, "--lang", "en", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert f"guiyi link {PEOPLE} {file} --entity-config {PEOPLE}.toml --output DIR" in done.out
    assert re.search(r"^auto = ", done.out, re.M)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--error", "0"), 2, "--error 0.0: not a share"),
        (("--review-share", "1.5"), 2, "--review-share 1.5: not a share"),
        (("--truth", "absent.parquet"), 1, "absent.parquet: no such file"),
        (("--model", "m.json"), 2, "--model: only for record files"),
        (("--output", "absent/page.html"), 1, "its directory does not exist"),
        (("--truth", "a.csv", "--labels", "b.csv"), 2, "give one of the two"),
    ],
)
def test_options_that_cannot_be_used_are_refused(
    options: tuple[str, ...], code: int, said: str, second_month: Workspace, guiyi: Guiyi
) -> None:
    done = guiyi("calibrate", second_month.root, *options)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left,right,same\n", "0 compared pairs have a label (0 labels given"),
        ("left,right,same\nnobody:1,nobody:2,yes\n", "1 name records that are not in the data"),
        ("left,right\na:1,b:2\n", "no column same; labels need left, right, same"),
        ("", "labels"),
        ('left,right,same\n"a,b', "labels"),
    ],
)
def test_labels_that_say_nothing_are_an_error_that_tells_why(
    text: str, said: str, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text, "utf-8")
    done = guiyi("calibrate", second_month.root, "--entity", PEOPLE, "--labels", file)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


@pytest.mark.parametrize(("same", "kind"), [("yes", "one entity"), ("no", "two entities")])
def test_labels_of_one_kind_are_not_enough(
    same: str, kind: str, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    rows = [(a, b, same) for a, b in compared_records(second_month, "verdict_rule = 'score'", 10)]
    file = write_rulings(tmp_path / "labels.csv", rows)
    done = guiyi("calibrate", second_month.root, "--entity", PEOPLE, "--labels", file)
    assert (done.code, done.out) == (1, "")
    assert f"10 compared pairs have a label, and all of them are {kind}" in done.err


def test_labels_that_only_rules_decide_leave_nothing_to_calibrate(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    rows = [(a, b, "yes") for a, b in compared_records(second_month, "verdict_rule = 'same_number'", 5)]
    rows += [(a, b, "no") for a, b in compared_records(second_month, "verdict_rule = 'other_name'", 5)]
    file = write_rulings(tmp_path / "labels.csv", rows)
    done = guiyi("calibrate", second_month.root, "--entity", PEOPLE, "--labels", file)
    assert (done.code, done.out) == (1, "")
    assert "hard rules decide every one of the 10 labelled pairs" in done.err


def test_before_the_first_run_the_next_command_is_named(loaded: Workspace, guiyi: Guiyi) -> None:
    done = guiyi("calibrate", loaded.root)
    assert done.code == 1
    assert f"next: guiyi run {loaded.root}" in done.err


def test_a_folder_that_is_no_workspace_and_files_without_an_entity_type_are_refused(
    tmp_path: Path, guiyi: Guiyi
) -> None:
    done = guiyi("calibrate", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "is not a workspace" in done.err
    done = guiyi("calibrate", tmp_path / "people.csv")
    assert (done.code, done.out) == (2, "")
    assert "--entity" in done.err


def test_a_damaged_batch_database_is_a_clear_error(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    workspace.batch.write_bytes(b"not a database" * 1000)
    for command in (("calibrate", workspace.root), ("explain", workspace.root, "a:1", "b:2")):
        done = guiyi(*command)
        assert (done.code, done.out) == (1, "")
        assert "cannot be read" in done.err


def test_a_batch_database_is_read_only_and_can_be_read_twice_at_once(second_month: Workspace) -> None:
    with read_batch(second_month.batch) as one, read_batch(second_month.batch) as other:
        for con in (one, other):
            assert con.execute(f"select count(*) > 0 from {PEOPLE}_judged").fetchall() == [(True,)]
        with pytest.raises(duckdb.Error):
            one.execute(f"delete from batch.main.{PEOPLE}_judged")


def test_a_hidden_comparison_that_weighs_rare_values_is_refused(second_month: Workspace) -> None:
    config = load_entity_config(PEOPLE)
    training = config.training.model_copy(update={"label_blind": ("birth",)})
    other = config.model_copy(update={"training": training})
    with read_batch(second_month.batch) as con:
        label_from_identifiers(con, other, out="labelled")
        model = load_model(config, second_month.model(PEOPLE))
        with pytest.raises(LinkageError, match="weighs rare values"):
            hide_identifier(con, other, model, labelled="labelled", scored="s", profiles="p")


def test_one_record_speaks_for_a_profile_whose_records_are_of_several_entities(tmp_path: Path) -> None:
    config = load_entity_config(PEOPLE)
    file = tmp_path / "truth.csv"
    file.write_text("source,source_record_id,entity_id\n" + "".join(f"a,{i},e{i % 2}\n" for i in range(9)), "utf-8")
    with connect() as con:
        members = "select 'a:' || i as record_id, i // 4 as profile_id from range(8) r(i)"
        con.execute(f"create table {PEOPLE}_profile_record as {members}")
        con.execute(f"create table {PEOPLE}_judged as select 0 as left_id, 1 as right_id")
        counts = label_from_truth(con, config, file, out="labelled")
        assert (counts.given, counts.unknown, counts.pairs) == (9, 1, 1)
        assert con.execute("select count(*) from calibration_entity").fetchall() == [(2,)]
