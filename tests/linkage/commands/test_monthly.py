"""The monthly run: ids survive, a rerun changes nothing, sums reconcile, and a killed run leaves the last release."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from small_district import (
    NOW,
    Guiyi,
    ask,
    catalog_content,
    catalog_releases,
    copied,
    ingest_month,
    release_month,
)

from golden_records.catalog.read import resolve_id
from golden_records.catalog.store import open_catalog
from linkage.commands.demo import PlannedLoad
from linkage.errors import LinkageError
from linkage.workspace import Workspace

COMMAND = (sys.executable, "-m", "linkage")
# Runs the month and kills itself in the middle of writing the release.
KILLED_WHILE_PUBLISHING = """
import os, signal, sys
from golden_records.catalog import publish
from linkage.cli.main import main
write = publish._write_table
def write_and_die(catalog, con, part, *rest):
    write(catalog, con, part, *rest)
    if part.table.name == "record_link":
        os.kill(os.getpid(), signal.SIGKILL)
publish._write_table = write_and_die
main(["run", sys.argv[1], "--quiet"])
"""


def report_of(workspace: Workspace, release: int) -> Any:
    return json.loads((workspace.runs / f"release-{release:04d}" / "report.json").read_text("utf-8"))


def homes(workspace: Workspace) -> dict[tuple[str, str], str]:
    rows = ask(workspace.catalog, "select source, source_record_id, entity_id from record_link")
    return {(source, record): entity_id for source, record, entity_id in rows}


def groups(workspace: Workspace) -> set[frozenset[tuple[str, str]]]:
    """Return the records of every entity."""
    members: dict[str, set[tuple[str, str]]] = {}
    for record, entity_id in homes(workspace).items():
        members.setdefault(entity_id, set()).add(record)
    return {frozenset(records) for records in members.values()}


@pytest.fixture(scope="module")
def run_again(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The second month run once more over the same loads."""
    workspace = copied(second_month, tmp_path_factory.mktemp("again") / "workspace")
    release_month(workspace, NOW + timedelta(days=1))
    return workspace


def test_every_id_of_the_first_release_resolves_in_the_second(first_month: Workspace, second_month: Workspace) -> None:
    before = set(homes(first_month).values())
    assert len(before) > 300
    with open_catalog(second_month.catalog, read_only=True) as catalog:
        found = {entity_id: resolve_id(catalog, entity_id) for entity_id in before}
    assert None not in found.values()
    states = Counter(resolution.state for resolution in found.values() if resolution)
    assert states["living"] > 0.95 * len(before)


def test_a_record_of_both_months_stays_with_its_entity_or_its_successor(
    first_month: Workspace, second_month: Workspace
) -> None:
    before, after = homes(first_month), homes(second_month)
    kept = [record for record in before if record in after]
    assert len(kept) > 0.9 * len(before)
    assert sum(before[record] == after[record] for record in kept) > 0.95 * len(kept)


def test_no_id_of_the_first_release_is_given_to_strangers_in_the_second(
    first_month: Workspace, second_month: Workspace
) -> None:
    before, after = homes(first_month), homes(second_month)
    for entity_id in set(before.values()) & set(after.values()):
        members = {record for record, home in after.items() if home == entity_id}
        assert members & {record for record, home in before.items() if home == entity_id}


def test_a_change_of_identity_is_an_event_of_its_release(second_month: Workspace) -> None:
    kinds = Counter(ask(second_month.catalog, "select release, event from event"))
    living = ask(
        second_month.catalog,
        "select (select count(*) from natural_person) + (select count(*) from legal_person)",
    )[0][0]
    created = kinds[1, "created"] + kinds[2, "created"]
    gone = ask(second_month.catalog, "select count(distinct old_id) from redirect")[0][0]
    assert created == living + gone
    assert kinds[2, "created"] > 0
    assert set(ask(second_month.catalog, "select distinct cause from event")) == {("load",)}


def test_the_model_of_the_first_month_is_kept(first_month: Workspace, second_month: Workspace) -> None:
    for entity in ("natural_person", "legal_person"):
        assert first_month.model(entity).read_bytes() == second_month.model(entity).read_bytes()
    used = [json.loads(row[0]) for row in ask(second_month.catalog, "select models from release order by release_id")]
    assert used[0] == used[1]
    assert used[0].keys() == {"natural_person", "legal_person"}


def test_the_same_loads_run_again_give_the_same_content_and_no_events(
    second_month: Workspace, run_again: Workspace
) -> None:
    releases = catalog_releases(run_again.catalog)
    assert [number for number, _, _ in releases] == [1, 2, 3]
    assert releases[2][2] == releases[1][2]
    assert catalog_content(run_again.catalog) == catalog_content(second_month.catalog)
    assert ask(run_again.catalog, "select count(*) from event where release = 3") == [(0,)]
    assert ask(run_again.catalog, "select count(*) from redirect where release = 3") == [(0,)]


@pytest.mark.parametrize("release", [1, 2])
def test_the_rows_of_every_source_reconcile_in_the_report(release: int, second_month: Workspace) -> None:
    report = report_of(second_month, release)
    sources = [source for section in report["entities"] for source in section["sources"]]
    assert len(sources) == 5
    for source in sources:
        assert source["rows_in"] == source["kept"] + source["quarantined"] + source["superseded"]
        assert source["superseded"] >= 0
    manifests = [json.loads(path.read_text("utf-8")) for path in (second_month.root / "loads").glob("*/manifest.json")]
    in_report = sum(source["rows_in"] for source in sources)
    assert in_report == sum(m["rows_in"] for m in manifests if release == 2 or m["as_of"] < "2025-02")


def test_the_records_of_the_report_are_those_of_the_catalog(second_month: Workspace) -> None:
    kept = sum(s["kept"] for section in report_of(second_month, 2)["entities"] for s in section["sources"])
    assert ask(second_month.catalog, "select count(*) from record_link") == [(kept,)]


def test_the_review_cases_of_the_report_are_those_of_the_catalog(second_month: Workspace) -> None:
    for section in report_of(second_month, 2)["entities"]:
        cases = ask(second_month.catalog, "select count(*) from review_case where entity_type = ?", [section["entity"]])
        assert cases == [(section["review_cases"],)]


def test_the_report_is_written_for_every_release(second_month: Workspace) -> None:
    for release in (1, 2):
        page = (second_month.runs / f"release-{release:04d}" / "report.html").read_text("utf-8")
        assert "<html" in page
        assert report_of(second_month, release)["release_id"] == str(release)


def test_a_run_of_one_entity_type_leaves_the_other_as_it_was_and_its_loads_waiting(
    first_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    assert guiyi("run", workspace.root, "--entity", "legal_person", "--quiet").code == 0
    before, after = catalog_content(first_month.catalog), catalog_content(workspace.catalog)
    assert after["natural_person"] == before["natural_person"]
    assert after["legal_person"] != before["legal_person"]
    status = guiyi("status", workspace.root, "--json").data
    waiting = {load for load in status["waiting"] if "population_registry" in load or "grid_residents" in load}
    assert len(waiting) == 2
    assert len(status["waiting"]) == sum(m["entity"] == "natural_person" for m in status["loads"]) - 3


def test_a_run_does_not_replace_the_release_of_another_workspace(
    loaded: Workspace, second_month: Workspace, tmp_path: Path
) -> None:
    other = copied(second_month, tmp_path / "other")
    shutil.rmtree(other.root / "loads")
    load = next(path for path in sorted((loaded.root / "loads").glob("[!.]*")) if path.is_dir())
    own = shutil.copytree(load, other.root / "loads" / f"{load.name}x")
    manifest = own / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace(load.name, own.name), "utf-8")
    before = catalog_content(other.catalog)
    with pytest.raises(LinkageError, match="another workspace's catalog, or the archive was not restored"):
        release_month(other)
    assert catalog_content(other.catalog) == before


def test_a_rollback_publishes_the_earlier_state_again(
    first_month: Workspace, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    done = guiyi("rollback", workspace.root, 1)
    assert (done.code, done.out) == (0, "")
    assert "release 3 holds the state of release 1" in done.err
    releases = catalog_releases(workspace.catalog)
    assert [(number, kind) for number, kind, _ in releases] == [(1, "publish"), (2, "publish"), (3, "rollback")]
    assert releases[2][2] == releases[0][2]
    assert catalog_content(workspace.catalog) == catalog_content(first_month.catalog)
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        assert None not in {resolve_id(catalog, entity_id) for entity_id in homes(second_month).values()}
    assert len(guiyi("status", workspace.root, "--json").data["waiting"]) == 5
    release_month(workspace)
    # Links of a run that was rolled back are kept no more: the partition is that of a run that knows of none before it.
    anew = copied(second_month, tmp_path / "anew")
    anew.batch.unlink()
    release_month(anew)
    assert groups(workspace) == groups(anew)
    assert guiyi("status", workspace.root, "--json").data["waiting"] == []


@pytest.mark.parametrize("release", [0, 2, 3, -1])
def test_a_rollback_to_what_is_no_earlier_release_is_refused(
    release: int, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    refused = guiyi("rollback", workspace.root, "--", release)
    assert refused.code == 1
    assert f"release {release}" in refused.err
    assert "1 to 1" in refused.err
    assert len(catalog_releases(workspace.catalog)) == 2


def finishes_as_if_never_killed(workspace: Workspace, released: Workspace, uninterrupted: Workspace) -> None:
    """See that the last release is whole, and that the next run ends with the result it would have had."""
    known = catalog_releases(released.catalog)
    found = catalog_releases(workspace.catalog)
    assert found[: len(known)] == known
    if len(found) == len(known):
        assert catalog_content(workspace.catalog) == catalog_content(released.catalog)
    # Some releases of SQLite wrongly report nulls in tables without row ids, so those lines say nothing.
    damage = [line for (line,) in ask(workspace.catalog, "pragma integrity_check") if "NULL value" not in line]
    assert damage in ([], ["ok"])
    release_month(workspace)
    assert catalog_content(workspace.catalog) == catalog_content(uninterrupted.catalog)
    assert catalog_releases(workspace.catalog)[-1][2] == catalog_releases(uninterrupted.catalog)[-1][2]
    left = {path.name for path in workspace.root.iterdir()} - {path.name for path in uninterrupted.root.iterdir()}
    assert left == set()


@pytest.fixture(scope="module")
def waiting_month(
    first_month: Workspace, district: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with one release and the second month's loads waiting. Never changed: work on a copy."""
    workspace = copied(first_month, tmp_path_factory.mktemp("waiting") / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    return workspace


def test_a_run_killed_while_publishing_leaves_the_last_release_and_the_next_run_carries_on(
    waiting_month: Workspace, first_month: Workspace, second_month: Workspace, tmp_path: Path
) -> None:
    workspace = copied(waiting_month, tmp_path / "workspace")
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_PUBLISHING, str(workspace.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(catalog_releases(workspace.catalog)) == 1
    finishes_as_if_never_killed(workspace, first_month, second_month)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.9, 0.95, 0.99, 1.02])
def test_a_run_killed_at_any_moment_leaves_the_last_release_and_the_next_run_carries_on(
    share: float,
    waiting_month: Workspace,
    first_month: Workspace,
    second_month: Workspace,
    run_seconds: float,
    tmp_path: Path,
) -> None:
    workspace = copied(waiting_month, tmp_path / "workspace")
    with subprocess.Popen([*COMMAND, "run", str(workspace.root), "--quiet"]) as process:
        time.sleep(share * run_seconds)
        os.kill(process.pid, signal.SIGKILL)
    finishes_as_if_never_killed(workspace, first_month, second_month)


@pytest.fixture(scope="module")
def run_seconds(waiting_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an uninterrupted run in a process of its own takes here."""
    workspace = copied(waiting_month, tmp_path_factory.mktemp("timed") / "workspace")
    started = time.perf_counter()
    subprocess.run([*COMMAND, "run", str(workspace.root), "--quiet"], check=True)
    return time.perf_counter() - started
