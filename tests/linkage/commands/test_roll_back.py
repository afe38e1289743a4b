"""`guiyi rollback`: the last release, the state before a load, and back again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_district import NOW, Guiyi, ask, catalog_content, catalog_releases, copied, ingest_month, release_month

from blocking.sql import quote
from linkage.commands.demo import PlannedLoad
from linkage.commands.verify import verify
from linkage.database import connect
from linkage.ingest.errors import IngestError
from linkage.ingest.manifest import list_loads
from linkage.workspace import Workspace


def groups(workspace: Workspace) -> set[frozenset[str]]:
    members: dict[str, set[str]] = {}
    for record, entity_id in ask(
        workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link"
    ):
        members.setdefault(entity_id, set()).add(record)
    return {frozenset(records) for records in members.values()}


def newest(workspace: Workspace, source: str) -> str:
    return [load.load_id for load in list_loads(workspace.root) if load.source == source][-1]


def test_without_a_number_it_returns_to_the_release_before(
    second_month: Workspace, first_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    done = guiyi("rollback", workspace.root)
    assert (done.code, "release 3 holds the state of release 1" in done.err) == (0, True)
    assert catalog_content(workspace.catalog) == catalog_content(first_month.catalog)
    assert guiyi("rollback", workspace.root).code == 0
    assert catalog_content(workspace.catalog) == catalog_content(second_month.catalog)


LOOKUP = ("lookup_entity", "lookup_bucket", "lookup_model", "lookup_frequency")


def test_entities_are_found_by_name_as_in_the_release_that_came_back(
    second_month: Workspace, first_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    assert guiyi("rollback", workspace.root, 1).code == 0
    for table in LOOKUP[:1] + LOOKUP[3:]:
        rows = [set(ask(one.catalog, f"select * from {table}")) for one in (workspace, first_month)]
        assert rows[0] == rows[1], table
    ((name, address),) = ask(
        workspace.catalog,
        "select name, address from legal_person where name is not null and address is not null limit 1",
    )
    question = ("--entity", "legal_person", "--name", name, "--address", address, "--json")
    answers = [guiyi("resolve", one.root, *question).data for one in (workspace, first_month)]
    assert answers[0]["candidates"] == answers[1]["candidates"] != []


def test_a_rollback_stands_where_the_model_is_another_since_and_says_what_cannot_be_found(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    workspace.model("natural_person").unlink()
    done = guiyi("rollback", workspace.root, 1)
    assert done.code == 0
    assert "natural_person: found by identifier only until the next run" in done.err
    assert ask(workspace.catalog, "select kind from lookup_model") == [("LP",)]


def test_before_the_second_release_there_is_none_to_return_to(
    first_month: Workspace, loaded: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    for number, workspace in enumerate((first_month, loaded)):
        refused = guiyi("rollback", copied(workspace, tmp_path / str(number)).root)
        assert (refused.code, "none before the current one" in refused.err) == (1, True)


def test_a_withdrawn_load_counts_no_more_until_it_is_restored(
    second_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    load_id = newest(workspace, "grid_residents")
    (load,) = [load for load in list_loads(workspace.root) if load.load_id == load_id]
    files = {path.name: path.read_bytes() for path in load.folder.iterdir() if path.suffix == ".parquet"}
    done = guiyi("rollback", workspace.root, "--before-load", load_id, "--quiet")
    assert done.code == 0
    ((kind, cause, manifest),) = ask(
        workspace.catalog, "select kind, cause, manifest from release where release_id = 3"
    )
    assert (kind, cause) == ("publish", "withdrawal")
    assert json.loads(manifest)["withdrawn"] == [load_id]
    assert load_id not in json.loads(manifest)["loads"]
    assert {c for (c,) in ask(workspace.catalog, "select cause from event where release = 3")} <= {"withdrawal"}
    assert {path.name: path.read_bytes() for path in load.folder.iterdir() if path.suffix == ".parquet"} == files
    assert [check.name for check in verify(workspace) if not check.holds] == []
    status = guiyi("status", workspace.root, "--json").data
    assert load_id not in status["waiting"]
    assert [m["load_id"] for m in status["loads"] if m["withdrawn"]] == [load_id]
    in_old = {r["source_record_id"] for r in _rows(workspace, "grid_residents", 0)}
    assert {r for (r,) in _links(workspace, "grid_residents")} == in_old

    release_month(workspace)
    assert {r for (r,) in _links(workspace, "grid_residents")} == in_old
    again = [p for p in district if p.source == "grid_residents"][-1]
    with pytest.raises(IngestError, match="which was withdrawn"):
        ingest_month(workspace, [again])

    assert guiyi("rollback", workspace.root, "--restore-load", load_id, "--quiet").code == 0
    # Links that only the last run kept are not kept over a withdrawal, so compare with a run that keeps none.
    anew = copied(second_month, tmp_path / "anew")
    anew.batch.unlink()
    release_month(anew)
    assert groups(workspace) == groups(anew)
    assert ask(workspace.catalog, "select cause from release where release_id = 5") == [("restoration",)]
    assert [check.name for check in verify(workspace) if not check.holds] == []


def _rows(workspace: Workspace, source: str, position: int) -> list[dict[str, str]]:
    load = [load for load in list_loads(workspace.root) if load.source == source][position]
    with connect() as con:
        rows = con.execute("select source_record_id from read_parquet(?)", [str(load.folder / "records.parquet")])
        return [{"source_record_id": row[0]} for row in rows.fetchall()]


def _links(workspace: Workspace, source: str) -> list[tuple[str]]:
    return ask(workspace.catalog, "select source_record_id from record_link where source = ?", [source])


def test_a_load_that_waits_is_withdrawn_without_a_release(
    first_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last and load.source == "grid_residents"])
    load_id = newest(workspace, "grid_residents")
    done = guiyi("rollback", workspace.root, "--before-load", load_id)
    assert (done.code, "nothing was published" in done.err) == (0, True)
    assert len(catalog_releases(workspace.catalog)) == 1
    assert guiyi("rollback", workspace.root, "--restore-load", load_id).code == 0
    assert guiyi("status", workspace.root, "--json").data["waiting"] == [load_id]


def test_what_cannot_be_withdrawn_is_refused(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    unknown = guiyi("rollback", workspace.root, "--before-load", "2025-01-31-nobody-00000000")
    assert (unknown.code, "there is none of that id" in unknown.err) == (1, True)
    load_id = newest(workspace, "market_registry")
    assert guiyi("rollback", workspace.root, "--restore-load", load_id).code == 1
    assert guiyi("rollback", workspace.root, 1, "--before-load", load_id).code == 2
    assert (
        guiyi("rollback", workspace.root, "--before-load", newest(workspace, "tax_registration"), "--quiet").code == 0
    )
    refused = guiyi("rollback", workspace.root, "--before-load", load_id)
    assert (refused.code, "the only load of its entity type" in refused.err) == (1, True)
    assert {load.load_id for load in list_loads(workspace.root) if load.withdrawn} == {
        newest(workspace, "tax_registration")
    }


def test_links_of_a_withdrawn_run_are_not_kept_after_a_rollback(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    """A pair that only the withdrawn run linked must not be held together by it."""
    workspace = copied(second_month, tmp_path / "workspace")
    with connect(workspace.batch) as con:
        table = quote("natural_person_judged")
        ((left, right),) = con.execute(
            f"select left_id, right_id from {table} where verdict = 'reject' and left_id < right_id "
            "order by left_id limit 1"
        ).fetchall()
        con.execute(
            f"update {table} set verdict = 'auto' where left_id = ? and right_id = ?",
            [left, right],
        )
    kept = "select count(*) from natural_person_kept where left_id = ? and right_id = ?"
    again = copied(workspace, tmp_path / "again")
    release_month(again, full=True)
    with connect(again.batch) as con:
        assert con.execute(kept, [left, right]).fetchall() == [(1,)]
    assert guiyi("rollback", workspace.root, 1).code == 0
    release_month(workspace, NOW)
    with connect(workspace.batch) as con:
        made = con.execute("select 1 from duckdb_tables() where table_name = 'natural_person_kept'").fetchall()
        assert not made or con.execute(kept, [left, right]).fetchall() == [(0,)]
