"""What `--quiet` leaves: results, warnings and errors. A scheduler's log must show what nobody may miss."""

from __future__ import annotations

from pathlib import Path

from small_district import Guiyi, copied

from linkage.commands.demo import PlannedLoad
from linkage.workspace import Workspace


def test_a_source_that_shrank_is_refused_and_once_accepted_is_told_by_a_quiet_run(
    first_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    (whole,) = [p for p in district if p.source == "population_registry"][-1].files
    few = tmp_path / "few.csv"
    few.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:3]))
    ingest = ("ingest", workspace.root, "--source", "population_registry", "--as-of", "2025-02-28", "--quiet", few)
    refused = guiyi(*ingest)
    assert (refused.code, "2 records as the whole of 'population_registry'" in refused.err) == (2, True)
    assert guiyi(*ingest, "--shrunk").code == 0
    done = guiyi("run", workspace.root, "--quiet")
    assert done.code == 0
    assert "alarm: natural_person: source rows of population_registry" in done.err
    assert "report:" not in done.err


def test_too_much_quarantine_is_told_quietly_too(
    loaded: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "workspace")
    (whole,) = [p for p in district if p.source == "population_registry"][-1].files
    lines = whole.read_bytes().splitlines(keepends=True)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"".join([*lines, *lines[1:60]]))
    told = guiyi("ingest", workspace.root, "--source", "population_registry", "--as-of", "2025-02-28", "--quiet", bad)
    assert (told.code, "of the rows are in quarantine, above the source's limit" in told.err) == (3, True)
