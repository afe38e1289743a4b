"""A command killed at any step leaves the last release whole, and the next run ends as if nothing had happened.

The commands run in processes of their own and are really killed (SIGKILL). The fast tests kill a run around the moment
that decides, and everything else at every step; the slow ones kill a run at every step and at random moments.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from killing import killed, steps_of
from small_district import ask, catalog_content, catalog_releases, copied, ingest_month, release_month

from eval.simulator import simulate
from linkage.commands.demo import PlannedLoad, planned_loads
from linkage.commands.verify import verify
from linkage.ingest.manifest import list_loads
from linkage.workspace import Workspace, create_workspace, open_workspace

SOURCES = ("population_registry", "social_insurance", "market_registry", "tax_registration")
AROUND_THE_COMMIT = (
    "sqlite commit",
    "end publish ",
    "os.rename .finishing/models/legal_person.json",
    "shutil.rmtree .finishing",
)


@dataclass(frozen=True)
class Case:
    """A workspace before a run, and after the run nobody killed."""

    before: Workspace
    after: Workspace
    steps: list[str]

    def last(self, step: str) -> int:
        return len(self.steps) - 1 - self.steps[::-1].index(step)


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> list[PlannedLoad]:
    folder = tmp_path_factory.mktemp("small") / "files"
    simulate(people=120, organisations=40, months=2, output=folder, seed=5)
    return [load for load in planned_loads(folder) if load.source in SOURCES]


@pytest.fixture(scope="module")
def first_run(loads: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The first run of a workspace, which also chooses the models."""
    folder = tmp_path_factory.mktemp("first")
    before = create_workspace(folder / "before")
    ingest_month(before, [load for load in loads if load.as_of.month == 1])
    after = copied(before, folder / "after")
    return Case(before, after, steps_of(after.root, "run", after.root, "--quiet"))


@pytest.fixture(scope="module")
def second_run(first_run: Case, loads: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The run of the second month, with a ruling in force."""
    folder = tmp_path_factory.mktemp("second")
    before = copied(first_run.after, folder / "before")
    ingest_month(before, [load for load in loads if load.as_of.month == 2])
    steps_of(before.root, "decide", before.root, "different", *two_records(before), *BY)
    after = copied(before, folder / "after")
    return Case(before, after, steps_of(after.root, "run", after.root, "--quiet"))


BY = ("--author", "周审核", "--reason", "twin_or_relative")


def two_records(workspace: Workspace) -> list[str]:
    rows = ask(workspace.catalog, "select source || ':' || source_record_id from record_link order by 1")
    people = [record for (record,) in rows if record.startswith("population_registry:")]
    return people[:2]


def content_of_files(folder: Path) -> dict[str, str]:
    """Return relative path → hash of every file that is no working file."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def batch_content(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        # What tells by what the tables were made tells the release's time as well.
        tables = con.execute(
            "select table_name from duckdb_tables() where table_name not like '%made_by' order by 1"
        ).fetchall()
        return {name: con.execute(f'select hash(t) from "{name}" t order by 1').fetchall() for (name,) in tables}


def decisions_of(workspace: Workspace) -> list[tuple[object, ...]]:
    if not ask(workspace.catalog, "select 1 from sqlite_master where name = 'decision_event'"):
        return []
    return ask(workspace.catalog, "select * from decision") + ask(workspace.catalog, "select * from decision_event")


def nothing_is_lost(workspace: Workspace, case: Case) -> None:
    """See that what was there is there and whole: the release that was last, the loads, the decisions."""
    assert [check.name for check in verify(workspace) if not check.holds] == []
    assert content_of_files(workspace.root / "loads") == content_of_files(case.before.root / "loads")
    if case.before.catalog.exists():
        known, found = catalog_releases(case.before.catalog), catalog_releases(workspace.catalog)
        assert found[: len(known)] == known
        assert len(found) <= len(known) + 1
        whole = case.before if found == known else case.after
        assert catalog_content(workspace.catalog) == catalog_content(whole.catalog)
        assert decisions_of(workspace) == decisions_of(case.before)


def ends_as_if_never_killed(workspace: Workspace, case: Case) -> None:
    """See that the next run makes the tables, the models and the catalog of the run that nobody killed."""
    release_month(workspace)
    assert catalog_content(workspace.catalog) == catalog_content(case.after.catalog)
    assert catalog_releases(workspace.catalog)[-1][2] == catalog_releases(case.after.catalog)[-1][2]
    assert content_of_files(workspace.root / "models") == content_of_files(case.after.root / "models")
    assert [check.name for check in verify(workspace) if not check.holds] == []
    made = [f"release-{number:04d}" for number, _, _ in catalog_releases(workspace.catalog)]
    assert sorted(path.name for path in workspace.runs.iterdir()) == made
    assert {path.name for path in workspace.runs.glob("*/*")} == {"report.html", "report.json"}
    left = {path.name for path in workspace.root.iterdir()} - {path.name for path in case.after.root.iterdir()}
    assert left == set()


def dies_and_carries_on(case: Case, at: int, folder: Path) -> None:
    workspace = copied(case.before, folder)
    killed(workspace.root, at, "run", workspace.root, "--quiet")
    nothing_is_lost(workspace, case)
    ends_as_if_never_killed(workspace, case)
    shutil.rmtree(folder)


@pytest.mark.parametrize("step", AROUND_THE_COMMIT)
def test_a_first_run_killed_around_its_commit_carries_on(step: str, first_run: Case, tmp_path: Path) -> None:
    dies_and_carries_on(first_run, first_run.last(step), tmp_path / "w")


def test_a_run_whose_release_was_committed_is_finished_by_the_next_command(second_run: Case, tmp_path: Path) -> None:
    workspace = copied(second_run.before, tmp_path / "w")
    killed(workspace.root, second_run.last("end publish "), "run", workspace.root, "--quiet")
    assert len(catalog_releases(workspace.catalog)) == 2
    assert not (workspace.runs / "release-0002").exists()
    steps_of(workspace.root, "train", workspace.root, "--entity", "legal_person")
    assert batch_content(workspace) == batch_content(second_run.after)
    assert (workspace.runs / "release-0002" / "report.html").exists()
    assert not workspace.model("legal_person").exists()


def test_an_ingest_killed_at_any_step_leaves_a_load_whole_or_none(
    loads: list[PlannedLoad], first_run: Case, tmp_path: Path
) -> None:
    arguments = ingest_of(loads, "market_registry", month=2)
    after = copied(first_run.before, tmp_path / "after")
    steps = steps_of(after.root, "ingest", after.root, *arguments)
    for at in range(len(steps)):
        workspace = copied(first_run.before, tmp_path / "w")
        killed(workspace.root, at, "ingest", workspace.root, *arguments)
        found = {load.load_id for load in list_loads(workspace.root)}
        assert found in ({m.load_id for m in list_loads(w.root)} for w in (first_run.before, after)), steps[at]
        assert [check.name for check in verify(workspace) if not check.holds] == [], steps[at]
        steps_of(workspace.root, "ingest", workspace.root, *arguments)
        assert loads_but_times(workspace) == loads_but_times(after), steps[at]
        shutil.rmtree(workspace.root)


def test_a_load_being_replaced_is_never_missing(loads: list[PlannedLoad], first_run: Case, tmp_path: Path) -> None:
    arguments = (*ingest_of(loads, "market_registry", month=1), "--again")
    steps = steps_of(copied(first_run.before, tmp_path / "a").root, "ingest", tmp_path / "a", *arguments)
    renames = [at for at, step in enumerate(steps) if step.startswith("os.rename loads/")]
    assert len(renames) == 3
    for at in range(renames[0], len(steps)):
        workspace = copied(first_run.before, tmp_path / "w")
        killed(workspace.root, at, "ingest", workspace.root, *arguments)
        assert [m.load_id for m in list_loads(workspace.root)] == [m.load_id for m in list_loads(first_run.before.root)]
        assert [check.name for check in verify(workspace) if not check.holds] == [], steps[at]
        if at == renames[-1]:
            ends_as_if_never_killed(workspace, first_run)
            assert not list((workspace.root / "loads").glob(".[rp]*"))
        shutil.rmtree(workspace.root)


def test_a_killed_decision_is_made_or_not(first_run: Case, tmp_path: Path) -> None:
    case = first_run.after
    arguments = ("different", *two_records(case), *BY)
    steps = steps_of(copied(case, tmp_path / "a").root, "decide", tmp_path / "a", *arguments)
    assert steps
    for at in range(len(steps)):
        workspace = copied(case, tmp_path / "w")
        killed(workspace.root, at, "decide", workspace.root, *arguments)
        made = decisions_of(workspace)
        assert len(made) in (0, 3)
        assert [check.name for check in verify(workspace) if not check.holds] == [], steps[at]
        if not made:
            steps_of(workspace.root, "decide", workspace.root, *arguments)
            assert len(decisions_of(workspace)) == 3
        # Whatever of it was done, the next decision starts from there.
        steps_of(workspace.root, "decide", workspace.root, "--revoke", 1, "--author", "周审核", "--note", "withdrawn")
        assert catalog_content(workspace.catalog) == catalog_content(case.catalog), steps[at]
        assert [check.name for check in verify(workspace) if not check.holds] == [], steps[at]
        shutil.rmtree(workspace.root)


def test_an_attachment_killed_at_any_step_is_whole_or_none(first_run: Case, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "item,uscc,name\nLP-PENALTY-001,,深圳市某某有限公司\nLP-PENALTY-001,,\n", "utf-8"
    )
    output = tmp_path / "out"
    arguments = ("attach", first_run.after.root, tmp_path / "rows.csv", "--output", output, "--quiet")
    steps = steps_of(tmp_path, *arguments)
    whole = {name for name in content_of_files(output) if name != "summary.json"}
    assert whole
    for at in range(len(steps)):
        shutil.rmtree(output)
        killed(tmp_path, at, *arguments)
        assert not output.exists() or set(content_of_files(output)) == whole | {"summary.json"}, steps[at]
        if not output.exists():
            steps_of(tmp_path, *arguments)
        assert set(content_of_files(output)) == whole | {"summary.json"}, steps[at]
        assert not list(tmp_path.glob(".out*")), steps[at]


def test_a_killed_rollback_is_made_or_not(second_run: Case, tmp_path: Path) -> None:
    arguments = (1, "--quiet")
    after = copied(second_run.after, tmp_path / "after")
    steps = steps_of(after.root, "rollback", after.root, *arguments)
    for at in range(len(steps)):
        workspace = copied(second_run.after, tmp_path / "w")
        killed(workspace.root, at, "rollback", workspace.root, *arguments)
        # From the remaking of the lookup tables on, the rollback is made.
        whole = (catalog_content(second_run.after.catalog), catalog_content(after.catalog))
        assert catalog_content(workspace.catalog) in whole, steps[at]
        assert [check.name for check in verify(workspace) if not check.holds] == [], steps[at]
        steps_of(workspace.root, "rollback", workspace.root, *arguments)
        assert catalog_content(workspace.catalog) == catalog_content(after.catalog), steps[at]
        shutil.rmtree(workspace.root)


def test_a_killed_init_is_made_good_by_the_next_one(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "a", "init", tmp_path / "a")
    for at in range(len(steps)):
        killed(tmp_path / f"w{at}", at, "init", tmp_path / f"w{at}")
        steps_of(tmp_path / f"w{at}", "init", tmp_path / f"w{at}")
        assert open_workspace(tmp_path / f"w{at}").settings == open_workspace(tmp_path / "a").settings


def test_a_run_killed_at_a_random_moment_carries_on(second_run: Case, tmp_path: Path) -> None:
    dies_at_random_moments(second_run, tmp_path, seed=1, times=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first"), [("first_run", 5), ("second_run", 0), ("second_run", 2), ("second_run", 4)]
)  # every sixth step from the first on: all of 0 to 5 for both runs are every step, and the better part of an hour
def test_a_run_killed_at_steps_of_every_stage_carries_on(
    name: str, first: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    case: Case = request.getfixturevalue(name)
    assert len(case.steps) > 90
    for at in range(first, len(case.steps), 6):
        dies_and_carries_on(case, at, tmp_path / f"{at}")


@pytest.mark.slow
def test_a_run_killed_at_many_random_moments_carries_on(second_run: Case, tmp_path: Path) -> None:
    dies_at_random_moments(second_run, tmp_path, seed=2, times=10)


def dies_at_random_moments(case: Case, folder: Path, *, seed: int, times: int) -> None:
    """Kill runs a moment after one of the lines in which they tell their progress."""
    chosen = random.Random(seed)
    for number in range(times):
        workspace = copied(case.before, folder / f"{number}")
        with subprocess.Popen(command(workspace), stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            for _ in range(chosen.randint(0, 36)):
                process.stderr.readline()
            time.sleep(chosen.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
        nothing_is_lost(workspace, case)
        ends_as_if_never_killed(workspace, case)
        shutil.rmtree(workspace.root)


def command(workspace: Workspace) -> Sequence[str]:
    return (sys.executable, "-m", "linkage", "run", str(workspace.root))


def ingest_of(loads: list[PlannedLoad], source: str, *, month: int) -> tuple[object, ...]:
    load = next(load for load in loads if load.source == source and load.as_of.month == month)
    return ("--source", source, "--as-of", load.as_of, "--mode", load.mode, "--quiet", *load.files)


def loads_but_times(workspace: Workspace) -> object:
    tables = {k: v for k, v in content_of_files(workspace.root / "loads").items() if k.endswith(".parquet")}
    manifests = [m.model_dump(exclude={"loaded_at", "seconds", "folder"}) for m in list_loads(workspace.root)]
    return tables, manifests
