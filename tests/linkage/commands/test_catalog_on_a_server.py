"""Commands on a workspace whose catalog is in PostgreSQL: what they do on one in SQLite, with the same results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from postgresql_server import OWNER, Server
from small_district import Guiyi, copied, release_month

from golden_records.catalog.place import DatabaseUrl
from golden_records.catalog.read import releases
from golden_records.catalog.store import open_catalog
from linkage.workspace import Workspace, open_workspace

# What differs between two runs of the same: times, and what is hashed together with them.
_OF_THE_MOMENT = ("release: ", "access_log: ", "decision: ", "decision_event: ", "forgetting: ", "api_token: ")


@pytest.fixture
def guiyi(capsys: pytest.CaptureFixture[str]) -> Guiyi:
    return Guiyi(capsys)


def require_equal(one: Workspace, other: Workspace) -> None:
    with open_catalog(one.catalog, read_only=True) as left, open_catalog(other.catalog, read_only=True) as right:
        assert [r["content_hash"] for r in releases(left)] == [r["content_hash"] for r in releases(right)]
        columns = {table: left.connection.columns(table) for table in left.connection.tables()}
        assert {table: sorted(names) for table, names in columns.items()} == {
            table: sorted(right.connection.columns(table)) for table in right.connection.tables()
        }
        for table in columns:
            if not f"{table}: ".startswith(_OF_THE_MOMENT):
                names = ", ".join(f'"{name}"' for name in columns[table])
                rows = [sorted(map(repr, c.execute(f'select {names} from "{table}"'))) for c in (left, right)]
                assert rows[0] == rows[1], table


@pytest.mark.parametrize("forgetting", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_command_does_the_same_on_either_store(
    loaded: Workspace,
    first_month: Workspace,
    make_database: Callable[..., DatabaseUrl],
    tmp_path: Path,
    guiyi: Guiyi,
    forgetting: bool,
) -> None:
    here = copied(first_month, tmp_path / "here")
    there = copied(loaded, tmp_path / "there")
    settings = there.root / "guiyi.toml"
    place = make_database(template=None)
    settings.write_text(settings.read_text("utf-8").replace('"catalog.sqlite"', json.dumps(place.secret())), "utf-8")
    there = open_workspace(there.root)
    release_month(there)
    require_equal(here, there)
    with open_catalog(here.catalog, read_only=True) as catalog:
        pair = catalog.row(
            "select left_record_id, right_record_id from review_case "
            "where entity_type = 'natural_person' and kind = 'review' order by case_id"
        )
        (code,) = catalog.row("select min(value) from identifier where scheme = 'uscc' and valid = 1") or (None,)
        (gone,) = catalog.row("select min(source || ':' || source_record_id) from record_link") or (None,)
    assert pair is not None
    ruling = ("--author", "王审", "--reason", "source_confirmed")
    asked = ("--author", "王审", "--reason", "subject_request")
    commands: list[tuple[object, ...]] = [
        ("resolve", code, "--json"),
        ("decide", "same", *pair, *ruling),
        *([("forget", gone, *asked)] if forgetting else []),
        ("rollback", "1"),
        ("verify",),
    ]
    for name, *arguments in commands:
        ends = [guiyi(name, workspace.root, *arguments) for workspace in (here, there)]
        assert [end.code for end in ends] == [0, 0], (name, ends[1].err)
        if name == "resolve":
            assert ends[0].data == ends[1].data
        require_equal(here, there)


def test_a_password_in_the_url_is_shown_nowhere(
    postgresql_server: Server, database: DatabaseUrl, tmp_path: Path, guiyi: Guiyi
) -> None:
    (name,) = re.findall(r"@/(\w+)", database.secret())
    url = postgresql_server.url_by_network(name, f"{OWNER}:geheim-%E7%A7%98")
    workspace = tmp_path / "workspace"
    said = [guiyi("init", workspace, "--catalog", url)]
    assert said[0].code == 0, said[0].err
    assert (workspace / "guiyi.toml").stat().st_mode & 0o077 == 0
    said += [
        guiyi(*command) for command in (("status", workspace, "--json"), ("status", workspace), ("run", workspace))
    ]
    assert said[1].data["catalog"] == url.replace("geheim-%E7%A7%98", "***")
    settings = workspace / "guiyi.toml"
    settings.write_text(settings.read_text("utf-8").replace("%A7%98", "%A7%99"), "utf-8")
    said.append(guiyi("status", workspace))
    assert said[-1].code == 1
    assert "the password or the user's name is wrong" in said[-1].err
    assert not any("geheim" in end.out + end.err for end in said)


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("mysql://u:geheim@h/d", 2, "a kind of store that is not known"),
        ("postgresql://u:ge@heim@h/d", 2, "write @ as %40"),
        ("postgresql://u:geheim@127.0.0.1:1/d", 1, "no server answers there"),
        ("postgresql://u:geheim@127.0.0.1:1/d?colour=red", 1, "the URL cannot be used"),
    ],
)
def test_a_catalog_that_cannot_be_used_is_told_by_init(
    url: str, code: int, words: str, tmp_path: Path, guiyi: Guiyi
) -> None:
    end = guiyi("init", tmp_path / "workspace", "--catalog", url)
    assert end.code == code
    assert words in end.err
    assert len(end.err.splitlines()) == 1
    assert "geheim" not in end.err
    assert "heim@" not in end.err
    assert not (tmp_path / "workspace").exists()


def test_a_server_that_is_away_is_told_by_every_command(
    postgresql_server: Server, database: DatabaseUrl, loaded: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "workspace")
    settings = workspace.root / "guiyi.toml"
    settings.write_text(settings.read_text("utf-8").replace('"catalog.sqlite"', json.dumps(database.secret())), "utf-8")
    postgresql_server.control("stop")
    try:
        for name, *arguments in (("status",), ("run",), ("resolve", "1"), ("verify",), ("rollback",)):
            end = guiyi(name, workspace.root, *arguments)
            assert end.code == 1, (name, end)
            assert "no server answers there" in end.err
            assert len(end.err.splitlines()) == 1
    finally:
        postgresql_server.control("start")
    assert guiyi("status", workspace.root).code == 0
