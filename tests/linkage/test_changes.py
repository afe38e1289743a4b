"""What a run compares with the last one: its tables, its totals, and alarms; on two real months."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_district import NOW, ask, copied, ingest_month, release_month

from eval.alarms import Alarm
from eval.report.summary import EntitySection
from eval.stability import ChangeCount, Stability
from golden_records.catalog.read import releases
from golden_records.catalog.store import open_catalog
from linkage import changes, entity_run
from linkage.changes import alarm_lines, config_changed, config_hashes, last_tables, last_totals, with_stability
from linkage.commands.console import Console
from linkage.commands.demo import PlannedLoad
from linkage.commands.roll_back import roll_back
from linkage.entity_config import load_entity_config
from linkage.figures import package_versions
from linkage.ingest.manifest import list_loads
from linkage.pipeline import Linkage
from linkage.workspace import Workspace

ENTITIES = ("legal_person", "natural_person")


@pytest.fixture(scope="module")
def measured(
    loaded: Workspace, district: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """Two months and the second once more, each run comparing itself with the last."""
    workspace = copied(loaded, tmp_path_factory.mktemp("measured") / "workspace")
    plain = entity_run.entity_section

    def with_changes(run: Linkage, **figures: Any) -> EntitySection:
        section = plain(run, **figures)
        ours = [m for m in list_loads(workspace.root) if m.entity == run.config.entity]
        with open_catalog(workspace.catalog, read_only=True) as catalog:
            return with_stability(run, section, workspace=workspace, catalog=catalog, loads=ours)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entity_run, "entity_section", with_changes)
        patch.setattr(changes, "config_changed", lambda made, config: False)  # so that nothing hides behind it
        release_month(workspace)
        ingest_month(workspace, [m for m in district if m.as_of == max(x.as_of for x in district)])
        release_month(workspace)
        release_month(workspace, NOW + timedelta(days=1))
        yield workspace


def stability_of(workspace: Workspace, release: int) -> dict[str, Any]:
    report = json.loads((workspace.runs / f"release-{release:04d}" / "report.json").read_text("utf-8"))
    return {section["entity"]: section["stability"] for section in report["entities"]}


def test_every_id_of_a_first_release_is_new_because_of_new_records(measured: Workspace) -> None:
    for entity, found in stability_of(measured, 1).items():
        living = ask(measured.catalog, "select counts from release where release_id = 1")
        rows = json.loads(living[0][0])["tables"][entity]["rows"]
        assert [(c["kind"], c["cause"], c["count"]) for c in found["changes"]] == [("new", "new_record", rows)]
        assert (found["kept"], found["alarms"]) == (0, [])


def test_no_change_of_a_real_month_is_without_a_cause_and_each_is_an_event(measured: Workspace) -> None:
    total = 0
    for entity, found in stability_of(measured, 2).items():
        assert found["unexplained"] == []
        assert {c["cause"] for c in found["changes"]} <= {"new_record", "changed_record", "gone_record", "new_link"}
        prefix = "NP" if entity == "natural_person" else "LP"
        events = dict(
            ask(
                measured.catalog,
                "select event, count(*) from event where release = 2 and entity_id like ? group by event",
                [f"{prefix}%"],
            )
        )
        counted: dict[str, int] = {}
        for change in found["changes"]:
            counted[change["kind"]] = counted.get(change["kind"], 0) + change["count"]
        names = {"new": "created", "merged": "redirected"}
        assert counted == {
            kind: events[names.get(kind, kind)]
            for kind in ("new", "merged", "split", "moved", "retired", "revived")
            if names.get(kind, kind) in events
        }
        total += sum(counted.values())
    assert total > 0


def test_the_same_loads_run_again_change_nothing(measured: Workspace) -> None:
    for found in stability_of(measured, 3).values():
        assert (found["changes"], found["unexplained"], found["alarms"]) == ([], [], [])
        assert found["kept"] == found["unchanged"] > 0
        assert (found["new_records"], found["gone_records"]) == (0, 0)


def test_the_totals_of_the_last_run_are_found_through_a_rollback(measured: Workspace, tmp_path: Path) -> None:
    workspace = copied(measured, tmp_path / "workspace")
    assert roll_back(workspace, 1, now=NOW, console=Console(quiet=True)) == 0
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        made = releases(catalog)
    for entity in ENTITIES:
        found = last_totals(workspace, made, entity)
        assert found is not None
        assert found.entities == stability_of(measured, 1)[entity]["totals"]["entities"]
    assert last_totals(workspace, [], "legal_person") is None


@pytest.mark.parametrize("entity", ENTITIES)
def test_tables_of_the_last_run_are_given_only_if_they_are_of_the_last_release(
    entity: str, second_month: Workspace, tmp_path: Path
) -> None:
    batch = copied(second_month, tmp_path / "workspace").batch
    with duckdb.connect() as con:
        con.execute(f"attach '{batch}' as other (read_only)")
        con.execute(f"create table previous as select record_id, entity_id from other.{entity}_membership")
        con.execute("detach other")
        with last_tables(con, batch, entity, previous="previous") as (content, links):
            assert (
                con.execute(f"select count(*) from {content}").fetchall()
                == con.execute("select count(*) from previous").fetchall()
            )
            assert con.execute(f"select count(*) > 0 from {links}").fetchall() == [(True,)]
        con.execute(f"attach '{batch}' as before (read_only)")
        with last_tables(con, batch, entity, previous="previous") as (content, _):
            assert content is not None, "a file that the run has attached already is used as it is"
        assert con.execute(f"select count(*) > 0 from before.{entity}_judged").fetchall() == [(True,)]
        con.execute("detach before")
        con.execute("delete from previous where record_id = (select min(record_id) from previous)")
        with last_tables(con, batch, entity, previous="previous") as found:
            assert found == (None, None)
        with last_tables(con, tmp_path / "none.duckdb", entity, previous="previous") as found:
            assert found == (None, None)
        (tmp_path / "damaged.duckdb").write_bytes(b"x" * 5000)
        with last_tables(con, tmp_path / "damaged.duckdb", entity, previous="previous") as found:
            assert found == (None, None)
        assert con.execute("select count(*) from duckdb_databases() where database_name = 'last_run'").fetchall() == [
            (0,)
        ]


def test_a_configuration_is_another_unless_the_last_release_says_the_same() -> None:
    config = load_entity_config("legal_person")
    same = {"configs": {"legal_person": config.hash}, "versions": package_versions()}
    assert not config_changed([], config)
    assert not config_changed([{"manifest": same}], config)
    assert config_changed([{"manifest": {"versions": package_versions()}}], config)
    assert config_changed([{"manifest": same | {"versions": {"guiyi": "0"}}}], config)
    assert config_changed([{"manifest": same | {"configs": {"legal_person": "other"}}}], config)


def test_the_configuration_of_an_entity_type_not_run_is_carried_on() -> None:
    config = load_entity_config("legal_person")
    made = [{"manifest": {"configs": {"natural_person": "n", "legal_person": "old"}}}]
    assert config_hashes(made, [config]) == {"natural_person": "n", "legal_person": config.hash}


def test_alarms_are_lines_with_figures() -> None:
    stability = Stability(
        kept=1,
        unchanged=1,
        changes=(ChangeCount("merged", "unexplained", 3),),
        unexplained=("LP0000000011",),
        new_records=0,
        gone_records=0,
        changed_records=0,
        alarms=(Alarm("source_rows", "tax", 1000, 800, 0.1), Alarm("review_cases", None, 0, 50, 0.25)),
    )
    assert alarm_lines([EntitySection(entity="legal_person", stability=stability)]) == [
        "alarm: legal_person: source rows of tax 1,000 → 800 (-20.0%; allowed 10.0%)",
        "alarm: legal_person: review cases 0 → 50 (from none; allowed 25.0%)",
        "alarm: legal_person: 3 change(s) of identity without a cause; see the report",
    ]
    assert alarm_lines([EntitySection(entity="legal_person")]) == []
