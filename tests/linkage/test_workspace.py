"""A workspace: made once, settings checked, one command at a time."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from golden_records.catalog.store import open_catalog
from golden_records.errors import CatalogError
from linkage.database import connect
from linkage.errors import ConfigError, LinkageError
from linkage.workspace import SETTINGS_FILE, create_workspace, locked, open_workspace

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from linkage.workspace import locked, open_workspace
with locked(open_workspace(Path(sys.argv[1])), now=datetime(2025, 2, 28, 21, 5, tzinfo=UTC), what="run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_workspace_opens_with_its_settings(tmp_path: Path) -> None:
    made = create_workspace(tmp_path / "district" / "工作区")
    assert open_workspace(made.root) == made
    assert made.catalog == made.root / "catalog.sqlite"
    assert made.settings.language == "zh"
    assert sorted(p.name for p in made.root.iterdir()) == [SETTINGS_FILE, "loads", "models", "runs"]


@pytest.mark.parametrize(
    ("catalog", "path"),
    [
        ("published/district.sqlite", "published/district.sqlite"),
        ("sqlite:///district.sqlite", "district.sqlite"),
        ('od"d\\na me.sqlite', 'od"d\\na me.sqlite'),
        ("目录.sqlite", "目录.sqlite"),
    ],
)
def test_the_catalog_may_be_named_by_path_or_url(catalog: str, path: str, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    assert create_workspace(root, catalog=catalog).catalog == root / path
    assert open_workspace(root).catalog == root / path


def test_a_catalog_of_another_kind_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    with pytest.raises(ConfigError, match="a kind of store that is not known") as refused:
        create_workspace(root, catalog="mysql://guiyi:geheim@db/credit")
    assert "geheim" not in str(refused.value)
    assert refused.value.exit_code == 2
    assert not root.exists()


def test_an_empty_directory_becomes_a_workspace(tmp_path: Path) -> None:
    assert open_workspace(create_workspace(tmp_path).root).root == tmp_path


def test_a_directory_with_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(LinkageError, match="exists and is not empty; name a new directory") as refused:
        create_workspace(tmp_path)
    assert refused.value.exit_code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    create_workspace(tmp_path / "w")
    with pytest.raises(LinkageError, match="is a workspace already; look at it with `guiyi status"):
        create_workspace(tmp_path / "w")


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_path_that_is_a_file_is_refused(below: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", "utf-8")
    with pytest.raises(LinkageError, match="name a"):
        create_workspace(file / below)


@pytest.mark.parametrize("kind", ["absent", "empty", "file"])
def test_what_is_no_workspace_is_said_to_be_none_and_how_to_make_one(kind: str, tmp_path: Path) -> None:
    root = tmp_path / "w"
    if kind == "empty":
        root.mkdir()
    if kind == "file":
        root.write_text("x", "utf-8")
    with pytest.raises(ConfigError, match="is not a workspace; make one with `guiyi init") as refused:
        open_workspace(root)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("limit", ["16GB", "1.5GiB", "512 MB", "8g", "80%"])
def test_a_memory_limit_is_a_size_or_a_share(limit: str, tmp_path: Path) -> None:
    root = create_workspace(tmp_path / "w").root
    (root / SETTINGS_FILE).write_text(f'memory_limit = "{limit}"', "utf-8")
    with connect(memory_limit=open_workspace(root).settings.memory_limit) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_a_catalog_that_is_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="a folder, and no catalog"):
        open_catalog(tmp_path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (b'langage = "zh"', ["langage: unknown key", "catalog, decisions, desk, language", "did you mean 'language'"]),
        (b'language = "fr"', ["language", "fr"]),
        (b'memory_limit = "lots"', ["memory_limit", 'give it as "16GB" (found "lots")']),
        (b'memory_limit = "16"', ["memory_limit", 'give it as "16GB"']),
        (b'catalog = ""', ["catalog", "at least 1 character"]),
        (b"catalog = catalog.sqlite", ["not valid TOML", "line 1"]),
        ('language = "中"'.encode("gb18030"), ["UTF-8"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(settings: bytes, words: list[str], tmp_path: Path) -> None:
    root = create_workspace(tmp_path / "w").root
    (root / SETTINGS_FILE).write_bytes(settings)
    with pytest.raises(ConfigError) as refused:
        open_workspace(root)
    assert refused.value.exit_code == 2
    assert str(refused.value).startswith(str(root / SETTINGS_FILE))
    for word in words:
        assert word in str(refused.value)


def test_a_lock_held_by_another_process_is_refused_with_who_holds_it_and_since_when(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LinkageError) as refused, locked(workspace, now=NOW, what="ingest"):
            raise AssertionError("the lock was given twice")
        message = str(refused.value)
        holder.kill()
    for word in (str(workspace.root), "`guiyi run`", f"process {holder.pid}", "2025-02-28T21:05:00", "try again"):
        assert word in message
    assert refused.value.exit_code == 1
    with locked(workspace, now=NOW, what="ingest"):
        pass


def test_a_lock_is_given_again_once_the_command_has_ended_or_failed(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w")
    with pytest.raises(ZeroDivisionError), locked(workspace, now=NOW, what="run"):
        1 / 0  # noqa: B018
    with (
        locked(workspace, now=NOW, what="run"),
        pytest.raises(LinkageError, match="`guiyi run`"),
        locked(workspace, now=NOW, what="run"),
    ):
        pass
