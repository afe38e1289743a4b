"""A run publishes only with the loads and the catalog of the runs before it, unless a person says they are lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_district import NOW, Guiyi, ask, catalog_content, catalog_releases, copied, ingest_month, release_month

from linkage.commands.console import Console
from linkage.commands.demo import PlannedLoad
from linkage.commands.roll_back import roll_back
from linkage.commands.verify import verify
from linkage.errors import LinkageError
from linkage.ingest.manifest import list_loads
from linkage.workspace import Workspace


def newest(workspace: Workspace, source: str) -> str:
    return [load.load_id for load in list_loads(workspace.root) if load.source == source][-1]


def lose(workspace: Workspace, source: str) -> str:
    load_id = newest(workspace, source)
    shutil.rmtree(workspace.root / "loads" / load_id)
    return load_id


def broken(workspace: Workspace) -> list[str]:
    return [check.name for check in verify(workspace) if not check.holds]


def test_a_run_without_a_load_that_was_released_is_refused(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    load_id = lose(workspace, "social_insurance")
    refused = guiyi("run", workspace.root, "--quiet")
    assert refused.code == 1
    assert f"releases rest on 1 load(s) that are not there: {load_id}" in refused.err
    assert f"guiyi rollback {workspace.root} --before-load {load_id}" in refused.err
    assert len(catalog_releases(workspace.catalog)) == 2
    assert "released_loads" in broken(workspace)
    status = guiyi("status", workspace.root)
    assert (load_id in status.out, "1 load(s) that releases rest on are lost" in status.err) == (True, True)
    assert guiyi("status", workspace.root, "--json").data["lost"] == [load_id]


def test_a_load_lost_while_an_older_release_is_in_force_is_missed_too(second_month: Workspace, tmp_path: Path) -> None:
    """So it is by `verify`, where an older program published without it."""
    workspace = copied(second_month, tmp_path / "workspace")

    roll_back(workspace, 1, now=NOW, console=Console(quiet=True))
    load_id = lose(workspace, "social_insurance")
    with pytest.raises(LinkageError, match=load_id):
        release_month(workspace)
    assert "released_loads" in broken(workspace)


def test_a_loss_is_made_good_by_the_same_file(
    second_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    load_id = lose(workspace, "social_insurance")
    ingest_month(workspace, [p for p in district if p.source == "social_insurance"][-1:])
    assert newest(workspace, "social_insurance") == load_id
    assert guiyi("run", workspace.root, "--quiet").code == 0
    assert broken(workspace) == []


def test_a_loss_is_accepted_by_withdrawing_the_lost_load(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    lost = [lose(workspace, source) for source in ("social_insurance", "grid_residents")]
    one = guiyi("rollback", workspace.root, "--before-load", lost[0])
    assert (one.code, lost[1] in one.err) == (1, True)
    options = [word for load_id in lost for word in ("--before-load", load_id)]
    done = guiyi("rollback", workspace.root, *options)
    assert (done.code, "--restore-load" in done.err) == (0, False)
    ((cause, manifest),) = ask(workspace.catalog, "select cause, manifest from release where release_id = 3")
    assert cause == "withdrawal"
    assert json.loads(manifest)["withdrawn"] == sorted(lost)
    assert not set(lost) & set(json.loads(manifest)["loads"])
    assert broken(workspace) == []
    assert guiyi("run", workspace.root, "--quiet").code == 0


def test_nothing_is_forgotten_while_a_load_is_lost(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    load_id = lose(workspace, "social_insurance")
    ((record,),) = ask(
        workspace.catalog,
        "select source || ':' || source_record_id from record_link where source = 'grid_residents' limit 1",
    )
    refused = guiyi("forget", workspace.root, record, "--author", "周审核", "--reason", "subject_request")
    assert (refused.code, load_id in refused.err) == (1, True)
    assert not (workspace.root / ".forgetting.json").exists()


def test_a_missing_catalog_is_not_begun_again_by_itself(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    away = Path(shutil.move(str(workspace.catalog), tmp_path / "away.sqlite"))
    refused = guiyi("run", workspace.root, "--quiet")
    assert refused.code == 1
    assert "a new catalog would give every entity another id. Restore it from a backup" in refused.err
    assert f"guiyi run {workspace.root} --new-catalog" in refused.err
    assert not Path(str(workspace.catalog)).exists()
    assert broken(workspace) == ["releases_kept"]
    assert guiyi("verify", workspace.root).code == 1
    assert "there is no catalog" in guiyi("status", workspace.root).err
    shutil.copy(away, str(workspace.catalog))
    assert guiyi("run", workspace.root, "--quiet").code == 0


def test_neither_is_an_empty_one(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    """Such as another command makes in the place of the one that is missing."""
    workspace = copied(first_month, tmp_path / "workspace")
    Path(str(workspace.catalog)).unlink()
    assert guiyi("rollback", workspace.root).code == 1
    refused = guiyi("run", workspace.root)
    assert (refused.code, "--new-catalog" in refused.err) == (1, True)
    assert "releases_kept" in broken(workspace)


def test_a_new_catalog_is_begun_if_that_is_said(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    Path(str(workspace.catalog)).unlink()
    assert guiyi("run", workspace.root, "--quiet", "--new-catalog").code == 0
    assert catalog_content(workspace.catalog) == catalog_content(first_month.catalog)
    assert guiyi("run", workspace.root, "--quiet").code == 0
    assert broken(workspace) == []
