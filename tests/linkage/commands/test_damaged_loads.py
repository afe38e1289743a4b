"""A load whose archived file is damaged or gone is named by the run that would read it; nothing is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_district import Guiyi, catalog_releases, copied

from linkage.commands.demo import PlannedLoad
from linkage.ingest.manifest import list_loads
from linkage.workspace import Workspace


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def spoil(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-8] + bytes(8))


def newest(workspace: Workspace, source: str) -> Path:
    return [load.folder for load in list_loads(workspace.root) if load.source == source][-1] / "records.parquet"


@pytest.mark.parametrize("options", [(), ("--full",)])
@pytest.mark.parametrize(
    ("damage", "found"), [(cut, "is damaged ("), (spoil, "is damaged ("), (Path.unlink, "is missing")]
)
def test_a_damaged_load_is_named_with_what_it_should_be_and_what_to_do(
    damage: Callable[[Path], None],
    found: str,
    options: tuple[str, ...],
    second_month: Workspace,
    district: list[PlannedLoad],
    tmp_path: Path,
    guiyi: Guiyi,
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    path = newest(workspace, "social_insurance")
    (told,) = [load.files[path.name] for load in list_loads(workspace.root) if load.folder == path.parent]
    damage(path)
    refused = guiyi("run", workspace.root, "--quiet", *options)
    (line,) = refused.err.splitlines()
    assert refused.code == 1
    assert line.startswith(f"guiyi: {path}: {found}")
    assert f"expected {told.size_bytes:,} bytes, SHA-256 {told.sha256}" in line
    assert "ingest the same file again with --again" in line
    assert len(catalog_releases(workspace.catalog)) == 2


def test_a_damaged_load_is_made_good_by_the_same_file(
    second_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    cut(newest(workspace, "social_insurance"))
    load = [p for p in district if p.source == "social_insurance"][-1]
    options = ("--source", load.source, "--as-of", load.as_of, "--mode", load.mode, "--again", "--quiet")
    assert guiyi("ingest", workspace.root, *options, *load.files).code in (0, 3)
    assert guiyi("run", workspace.root, "--full", "--quiet").code == 0


def test_nothing_is_forgotten_from_a_damaged_load(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    path = newest(workspace, "social_insurance")
    cut(path)
    refused = guiyi("forget", workspace.root, "grid_residents:1", "--author", "周审核", "--reason", "subject_request")
    assert (refused.code, f"{path}: is damaged" in refused.err) == (1, True)
    assert not (workspace.root / ".forgetting.json").exists()
