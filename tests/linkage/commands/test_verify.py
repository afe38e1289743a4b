"""A workspace that is whole passes every check; each thing broken on purpose is found by the check that names it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from small_district import Guiyi, ask, copied

from golden_records.catalog.lookup_profiles import entity_number
from golden_records.entity_id import mint
from linkage.commands.verify import verify
from linkage.workspace import Workspace

Break = Callable[[Workspace], object]


def broken(workspace: Workspace) -> set[str]:
    return {check.name for check in verify(workspace) if not check.holds}


def catalog(*statements: str) -> Break:
    """Change the catalog behind its back: the guards of unalterable tables are taken away first."""

    def run(workspace: Workspace) -> None:
        with sqlite3.connect(workspace.catalog) as con:
            for (trigger,) in con.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                con.execute(f'drop trigger "{trigger}"')
            for statement in statements:
                assert con.execute(statement).rowcount != 0, statement
        con.close()

    return run


def batch(statement: str) -> Break:
    def run(workspace: Workspace) -> None:
        with duckdb.connect(str(workspace.batch)) as con:
            con.execute(statement)

    return run


def a_load(workspace: Workspace) -> Path:
    return sorted((workspace.root / "loads").glob("[!.]*"))[-1]


def edit_manifest(workspace: Workspace) -> None:
    path = a_load(workspace) / "manifest.json"
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(told | {"rows_in": told["rows_in"] + 1, "kept": told["kept"] + 1}), "utf-8")


def drop_a_row(workspace: Workspace) -> None:
    path = a_load(workspace) / "records.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)


def change_a_value(workspace: Workspace) -> None:
    path = a_load(workspace) / "records.parquet"
    table = pq.read_table(path)
    names = ["张三", *table.column("name").to_pylist()[1:]]
    pq.write_table(table.set_column(table.column_names.index("name"), "name", [names]), path)


def damage_a_file(workspace: Workspace) -> None:
    path = a_load(workspace) / "raw.parquet"
    data = bytearray(path.read_bytes())
    data[4:64] = bytes(60)
    path.write_bytes(data)


def write_a_file_again(workspace: Workspace) -> None:
    """Write the same rows with other bytes."""
    path = a_load(workspace) / "raw.parquet"
    pq.write_table(pq.read_table(path), path, compression="gzip")


def damage_the_catalog(workspace: Workspace) -> None:
    with workspace.catalog.open("r+b") as file:
        for page in range(2, workspace.catalog.stat().st_size // 8192, 3):
            file.seek(page * 8192)
            file.write(b"\xff" * 4096)


def damage_the_batch(workspace: Workspace) -> None:
    workspace.batch.write_bytes(b"no database" * 1000)


def leave_a_look(workspace: Workspace) -> None:
    journal = workspace.root / "access-journal" / "1-abc.jsonl"
    journal.parent.mkdir()
    journal.write_text('{"at": "now"}\n', "utf-8")


def change_the_model(workspace: Workspace) -> None:
    path = workspace.model("legal_person")
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(told | {"prior": told["prior"] * 2}), "utf-8")


FIRST_OLD, LAST_OLD = "(select min(old_id) from redirect)", "(select max(old_id) from redirect)"
LIVING = "(select entity_id from legal_person order by entity_id limit 1)"
LAST = "(select entity_id from legal_person order by entity_id desc limit 1)"
SOME_LINK = "rowid in (select rowid from record_link where entity_id like 'LP%' limit 1)"
STRANGER = mint("LP", 999_999)
FOUND = "(select min(number) from lookup_entity)"
# What is broken, and the checks that must see it (others may too).
BROKEN: dict[str, tuple[Break, set[str]]] = {
    "a golden row is gone": (
        catalog(f"delete from legal_person where entity_id = {LIVING}"),
        {"record_has_one_entity", "row_counts", "content", "id_leads_somewhere", "row_has_entity"},
    ),
    "a golden value was edited": (
        catalog(f"update legal_person set name = 'x' where entity_id = {LIVING}"),
        {"content"},
    ),
    "a link is gone": (
        catalog(f"delete from record_link where entity_id = {LIVING}"),
        {"golden_rows_are_entities", "row_counts", "content", "legal_person_membership"},
    ),
    "a record was given to another entity": (
        catalog(f"update record_link set entity_id = {LAST} where entity_id = {LIVING}"),
        {"golden_rows_are_entities", "content", "legal_person_membership", "provenance_names_records"},
    ),
    "a stranger's id": (
        catalog(f"update record_link set entity_id = '{STRANGER}' where entity_id = {LIVING}"),
        {"record_has_one_entity", "id_minted_once", "id_leads_somewhere"},
    ),
    "a check character is wrong": (
        catalog(
            f"insert into redirect (old_id, release, entity_id) values ('LP0000000012', 2, {LIVING})",
        ),
        {"id_check_character"},
    ),
    "an id was minted twice": (
        catalog(
            "insert into event (event_id, release, entity_id, event, cause) "
            f"values ('x', 2, {LIVING}, 'created', 'load')"
        ),
        {"id_minted_once", "row_counts"},
    ),
    "a redirect leads nowhere": (
        catalog(f"update redirect set entity_id = {LAST_OLD} where old_id = {FIRST_OLD}"),
        {"id_leads_somewhere"},
    ),
    "redirects lead in a circle": (
        catalog(
            f"update redirect set entity_id = {LAST_OLD} where old_id = {FIRST_OLD}",
            f"update redirect set entity_id = {FIRST_OLD} where old_id = {LAST_OLD}",
        ),
        {"redirect_without_cycle", "id_leads_somewhere"},
    ),
    "a redirect is gone": (
        catalog(f"delete from redirect where old_id = {FIRST_OLD}"),
        {"id_leads_somewhere", "row_counts"},
    ),
    "a value without its record": (
        catalog(f"update provenance set record_id = 'nobody:1' where entity_id = {LIVING}"),
        {"provenance_names_records"},
    ),
    "a phone of nobody": (
        catalog(f"insert into phone (entity_id, phone, since_release) values ('{STRANGER}', '1', 2)"),
        {"row_has_entity"},
    ),
    "a case of nobody": (
        catalog(
            "update review_case set left_record_id = 'nobody:1' where case_id = (select min(case_id) from review_case)"
        ),
        {"case_names_records"},
    ),
    "history that overlaps": (
        catalog("update record_link_history set until_release = 3 where until_release = 2"),
        {"history_without_overlap"},
    ),
    "a release is missing": (catalog("delete from release where release_id = 1"), {"release_numbers"}),
    "a look was put into the access log": (
        catalog("insert into access_log (entry_id, at, actor, role, action, hash) values (99, '', 'x', 'x', 'x', '0')"),
        {"access_log_chain"},
    ),
    "a look waits in the journal of a dead process": (leave_a_look, {"access_log_whole"}),
    "a name leads to nobody": (
        catalog(f"update lookup_entity set number = {entity_number(STRANGER)} where number = {FOUND}"),
        {"lookup_entities"},
    ),
    "an entity cannot be found by name": (
        catalog(f"delete from lookup_entity where number = {FOUND}"),
        {"lookup_entities"},
    ),
    "a profile leads to nobody as well": (
        catalog(f"update lookup_entity set shared = '0 2 {STRANGER} {STRANGER}' where number = {FOUND}"),
        {"lookup_entities"},
    ),
    "the catalog file is damaged": (damage_the_catalog, {"storage"}),
    "a manifest is gone": (lambda w: (a_load(w) / "manifest.json").unlink(), {"load_manifest", "released_loads"}),
    "a manifest is half written": (lambda w: (a_load(w) / "manifest.json").write_text("{"), {"load_manifest"}),
    "a manifest tells other numbers": (edit_manifest, {"load_rows"}),
    "a load has another name": (lambda w: a_load(w).rename(a_load(w).parent / "other"), {"load_name"}),
    "a file of a load is gone": (lambda w: (a_load(w) / "quarantine.parquet").unlink(), {"load_files"}),
    "a load is gone": (lambda w: shutil.rmtree(a_load(w)), {"released_loads"}),
    "a row of a load is gone": (drop_a_row, {"load_rows"}),
    "a value of a load was edited": (change_a_value, {"legal_person_records"}),
    "a file of a load is damaged": (damage_a_file, {"load_rows", "load_hashes"}),
    "a file of a load has other bytes": (write_a_file_again, {"load_hashes"}),
    "a decision was put in": (
        catalog(
            "insert into decision (decision_id, decided_at, actor, role, entity_type, ruling, reason, hash) "
            "values (1, '2025', 'a', 'r', 'legal_person', 'same', 'other', 'x')"
        ),
        {"decision_chain"},
    ),
    "a tombstone was put in": (
        catalog(
            "insert into forgetting (event_id, forgetting_id, event, at, actor, role, reason, records, entities, "
            "tokens, hash) values (1, 1, 'forgotten', '2025', 'a', 'r', 'other', 1, 1, '[]', 'x')"
        ),
        {"forgetting_chain"},
    ),
    "an entity with two numbers": (
        batch(
            "update natural_person_records set id_exclusive = record_id where record_id in (select min(record_id) "
            "from natural_person_membership group by entity_id having count(*) > 1 limit 1)"
        ),
        {"natural_person_exclusive"},
    ),
    "a golden value of no record": (
        batch(
            "update legal_person_golden set name = 'x' "
            "where entity_id = (select min(entity_id) from legal_person_golden)"
        ),
        {"legal_person_values"},
    ),
    "a golden value said to be of another record": (
        batch(
            "update natural_person_provenance set record_id = (select max(record_id) from natural_person_records) "
            "where attribute = 'name' and entity_id = (select min(entity_id) from natural_person_golden)"
        ),
        {"natural_person_values"},
    ),
    "the batch has another membership": (
        batch(
            "update natural_person_membership set entity_id = 'NP' where "
            "record_id = (select min(record_id) from natural_person_membership)"
        ),
        {"natural_person_membership"},
    ),
    "the batch lost a record": (
        batch(
            "delete from natural_person_profile_record where "
            "record_id = (select min(record_id) from natural_person_profile_record)"
        ),
        {"natural_person_profiles"},
    ),
    "the batch lost a golden row": (
        batch("delete from legal_person_golden where entity_id = (select min(entity_id) from legal_person_golden)"),
        {"legal_person_golden"},
    ),
    "the batch is damaged": (damage_the_batch, {"batch"}),
    "the model was changed": (change_the_model, {"legal_person_model"}),
}


def test_a_workspace_that_is_whole_passes_every_check(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    ((person,),) = ask(workspace.catalog, "select min(entity_id) from natural_person")
    assert guiyi("resolve", workspace.root, person).code == 0, "so that the access log has a row"
    done = guiyi("verify", workspace.root, "--json")
    assert (done.code, done.err, done.data["holds"]) == (0, "", True)
    empty = {check["name"] for check in done.data["checks"] if not check["checked"]}
    assert empty == {"decision_chain", "forgetting_chain", "review_chain"}
    assert {check["part"] for check in done.data["checks"]} == {"catalog", "archive", "batch"}
    assert "BROKEN" not in guiyi("verify", workspace.root).out


def test_verifying_changes_nothing(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")

    def state() -> dict[str, str]:
        files = [p for p in sorted(workspace.root.rglob("*")) if p.is_file() and not p.name.endswith(("-shm", "-wal"))]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    before = state()
    assert guiyi("verify", workspace.root).code == 0
    assert state() == before


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_what_is_broken_is_found(what: str, second_month: Workspace, tmp_path: Path) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    breaks, expected = BROKEN[what]
    breaks(workspace)
    assert expected <= broken(workspace)


def test_a_broken_workspace_ends_with_one_and_names_ids_but_no_values(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    ((victim, name),) = ask(workspace.catalog, "select entity_id, name from natural_person order by entity_id limit 1")
    catalog(f"delete from natural_person where entity_id = '{victim}'")(workspace)
    done = guiyi("verify", workspace.root)
    assert done.code == 1
    assert victim in done.err
    assert name not in done.out + done.err


def test_after_a_rollback_the_batch_is_skipped_and_the_rest_holds(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    assert guiyi("rollback", workspace.root, 1).code == 0
    done = guiyi("verify", workspace.root, "--json")
    assert (done.code, done.data["holds"]) == (0, True)
    assert {c["name"] for c in done.data["checks"] if c["skipped"]} == {"natural_person_batch", "legal_person_batch"}


def test_a_workspace_before_its_first_run_has_its_archive_checked(
    loaded: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "workspace")
    done = guiyi("verify", workspace.root, "--json")
    assert done.code == 0
    assert {c["part"] for c in done.data["checks"] if not c["skipped"]} == {"archive"}


def test_a_place_that_is_no_workspace_is_wrong_use(tmp_path: Path, guiyi: Guiyi) -> None:
    assert guiyi("verify", tmp_path).code == 2


def test_a_deep_check_finds_clusters_that_a_full_run_does_not_come_to(first_month: Workspace, tmp_path: Path) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    name = "natural_person_partition"
    assert [c.broken for c in verify(workspace, deep=True) if c.name == name] == [0]
    assert name not in {c.name for c in verify(workspace)}
    with duckdb.connect(str(workspace.batch)) as con:
        con.execute(
            "update natural_person_clusters set cluster_id = 'profile 1' where record_id < 'grid_residents:WG0001002'"
        )
    (check,) = (c for c in verify(workspace, deep=True) if c.name == name)
    assert check.broken > 0
    assert check.examples
