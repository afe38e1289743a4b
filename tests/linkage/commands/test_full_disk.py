"""A full disk, or too little memory: exit code 1, one line, nothing half done, and a repeat that goes through."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_district import Guiyi, Outcome, catalog_content, catalog_releases, copied, ingest_month

from linkage.commands.demo import PlannedLoad
from linkage.commands.verify import verify
from linkage.ingest.manifest import list_loads
from linkage.workspace import SETTINGS_FILE, Workspace, open_workspace


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 80 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave_mb: float) -> None:
    (disk / "filler").write_bytes(b"")
    left = shutil.disk_usage(disk).free - int(leave_mb * 1e6)
    (disk / "filler").write_bytes(b"x" * (left // 4096 * 4096))


def told_in_one_line(outcome: Outcome, place: Path, *, needs: str) -> None:
    assert outcome.code == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"guiyi: {place}: the disk is full (")
    assert needs in line
    assert "free space and type the same command again" in line


@pytest.mark.parametrize("leave_mb", [12, 3, 0])
def test_a_run_on_a_full_disk_leaves_the_release_and_goes_through_when_there_is_room(
    leave_mb: float,
    first_month: Workspace,
    second_month: Workspace,
    district: list[PlannedLoad],
    small_disk: Path,
    guiyi: Guiyi,
) -> None:
    workspace = copied(first_month, small_disk / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    names = {path.name for path in workspace.root.iterdir()} | {"catalog.sqlite-shm", "catalog.sqlite-wal"}
    fill(small_disk, leave_mb=leave_mb)
    full = guiyi("run", workspace.root, "--quiet")
    told_in_one_line(full, workspace.root, needs=f"about {2 * workspace.batch.stat().st_size / 1e6:,.1f} MB needed")
    assert full.err.endswith("nothing was published\n")
    assert catalog_releases(workspace.catalog) == catalog_releases(first_month.catalog)
    assert {path.name for path in workspace.root.iterdir()} <= names
    assert [check.name for check in verify(workspace) if not check.holds] == []
    (small_disk / "filler").unlink()
    assert guiyi("run", workspace.root, "--quiet").code == 0
    assert catalog_content(workspace.catalog) == catalog_content(second_month.catalog)


def test_a_load_on_a_full_disk_is_none(
    first_month: Workspace, district: list[PlannedLoad], small_disk: Path, guiyi: Guiyi
) -> None:
    workspace = copied(first_month, small_disk / "workspace")
    load = next(load for load in district if load.as_of.month == 2 and load.source == "population_registry")
    ingest = ("ingest", workspace.root, "--source", load.source, "--as-of", load.as_of, "--quiet", *load.files)
    fill(small_disk, leave_mb=0.01)
    full = guiyi(*ingest)
    told_in_one_line(full, workspace.root, needs="MB needed")
    assert full.err.endswith("nothing was changed\n")
    assert len(list_loads(workspace.root)) == len(list_loads(first_month.root))
    assert not list((workspace.root / "loads").glob(".partial*"))
    (small_disk / "filler").unlink()
    assert guiyi(*ingest).code == 0
    assert len(list_loads(workspace.root)) == len(list_loads(first_month.root)) + 1


def test_a_full_disk_of_the_catalog_is_named_and_nothing_is_published(
    first_month: Workspace,
    second_month: Workspace,
    district: list[PlannedLoad],
    small_disk: Path,
    tmp_path: Path,
    guiyi: Guiyi,
) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    shutil.move(workspace.catalog, small_disk / "catalog.sqlite")
    settings = workspace.root / SETTINGS_FILE
    settings.write_text(
        settings.read_text("utf-8").replace("catalog.sqlite", str(small_disk / "catalog.sqlite")), "utf-8"
    )
    workspace = open_workspace(workspace.root)
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    fill(small_disk, leave_mb=0.1)
    told_in_one_line(guiyi("run", workspace.root, "--quiet"), small_disk, needs="nothing was published")
    assert catalog_releases(workspace.catalog) == catalog_releases(first_month.catalog)
    (small_disk / "filler").unlink()
    assert guiyi("run", workspace.root, "--quiet").code == 0
    assert catalog_content(workspace.catalog) == catalog_content(second_month.catalog)


def test_attaching_on_a_full_disk_leaves_nothing_and_goes_through_when_there_is_room(
    first_month: Workspace, small_disk: Path, tmp_path: Path, guiyi: Guiyi
) -> None:
    noise = random.Random(5)
    rows = {
        "item": pa.array(["LP-PENALTY-001"] * 40_000),
        "uscc": pa.nulls(40_000, pa.string()),
        "note": pa.array(noise.randbytes(20).hex() for _ in range(40_000)),
    }
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    attach = ("attach", first_month.root, tmp_path / "rows.parquet", "--output", small_disk / "out", "--quiet")
    fill(small_disk, leave_mb=0.5)
    full = guiyi(*attach)
    told_in_one_line(full, small_disk, needs="MB needed")
    assert full.err.endswith("nothing was attached\n")
    assert {path.name for path in small_disk.iterdir()} == {"filler"}
    (small_disk / "filler").unlink()
    assert guiyi(*attach).code == 0
    assert json.loads((small_disk / "out" / "summary.json").read_text("utf-8"))["rows_in"] == 40_000


def test_too_little_memory_is_said_in_one_line(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    with (workspace.root / SETTINGS_FILE).open("a", encoding="utf-8") as settings:
        settings.write('memory_limit = "10MB"\n')
    small = guiyi("run", workspace.root, "--quiet")
    assert small.code == 1
    (line,) = small.err.splitlines()
    assert "the memory is too small; raise or remove memory_limit in guiyi.toml" in line
    assert catalog_releases(workspace.catalog) == catalog_releases(first_month.catalog)
