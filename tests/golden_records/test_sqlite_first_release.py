"""The first release of a file that nobody else has open is written without the write-ahead log, and is as safe."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from golden_records.catalog import publish as publishing
from golden_records.catalog import sqlite
from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import mint
from golden_records.errors import CatalogError

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
_PUBLISHER = textwrap.dedent(
    """
    import os, signal, sys
    from datetime import datetime, UTC
    from pathlib import Path
    import duckdb
    from golden_records.catalog import publish as publishing, sqlite, store

    sqlite._CACHE_KIB = 100  # so that the file has a part of the release before its end

    def pause(*arguments):
        print("writing", flush=True)
        sys.stdin.readline()
        writing(*arguments)

    writing, publishing.write_lookup = publishing.write_lookup, pause
    with duckdb.connect() as con, store.open_catalog(Path(sys.argv[1])) as catalog:
        con.execute("create table l as select 'LP' || lpad(i::varchar, 10, '0') as entity_id from range(50000) t(i)")
        publishing.publish(catalog, con, publishing.ReleaseTables(legal_person=("l",)),
                           now=datetime(2026, 3, 1, tzinfo=UTC), manifest={})
    """
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.sqlite"
    open_catalog(path).close()
    return path


def firm(con: DuckDBPyConnection, entity: int = 1) -> ReleaseTables:
    con.execute(f"create or replace table firm as select '{mint('LP', entity)}' as entity_id, '甲' as name")
    return ReleaseTables(legal_person=("firm",))


def journal_mode(catalog: Catalog) -> str:
    row = catalog.row("pragma main.journal_mode")
    assert row is not None
    return str(row[0])


def start(place: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PUBLISHER, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert "writing\n" in process.stdout  # lines of libraries may come before
    return process


@pytest.mark.parametrize("read_only", [True, False])
def test_a_first_release_that_is_killed_leaves_an_empty_catalog_for_readers_as_for_writers(
    place: Path, con: DuckDBPyConnection, read_only: bool
) -> None:
    empty = place.stat().st_size
    with start(place) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert place.stat().st_size > 2 * empty
    with open_catalog(place, read_only=read_only) as catalog:
        assert current_release(catalog) == 0
        assert catalog.row("select count(*) from legal_person") == (0,)
        assert not catalog.connection.is_damaged()
    assert place.stat().st_size == empty
    with open_catalog(place) as catalog:
        assert publish(catalog, con, firm(con), now=NOW, manifest={}) == 1
        assert journal_mode(catalog) == "wal"
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_who_comes_while_it_is_written_waits_and_sees_the_release(place: Path) -> None:
    with start(place) as process:
        reader = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path; from golden_records.catalog.store import open_catalog\n"
                "with open_catalog(Path(sys.argv[1]), read_only=True) as catalog:\n"
                "    print(catalog.row('select count(*) from legal_person')[0])",
                str(place),
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        with reader:
            with pytest.raises(subprocess.TimeoutExpired):
                reader.wait(2)
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
            assert reader.stdout is not None
            assert reader.stdout.read() == "50000\n"
    assert process.returncode == 0


@pytest.mark.parametrize("beside", [False, True])
def test_the_log_is_left_for_the_first_release_alone_and_only_if_nobody_has_the_file_open(
    place: Path, con: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    modes = []

    def seen(catalog: Catalog, *arguments: object) -> None:
        modes.append(journal_mode(catalog))
        if beside:
            assert current_release(reader) == len(modes) - 1
        write_lookup(catalog, *arguments)

    write_lookup = publishing.write_lookup
    monkeypatch.setattr(publishing, "write_lookup", seen)
    with open_catalog(place, read_only=True) as reader, open_catalog(place) as catalog:
        if not beside:
            reader.close()
        for entity in (1, 2):
            publish(catalog, con, firm(con, entity), now=NOW, manifest={})
            assert journal_mode(catalog) == "wal"
    assert modes == (["wal", "wal"] if beside else ["truncate", "wal"])


def test_a_first_release_that_fails_leaves_an_empty_catalog_with_its_log(place: Path, con: DuckDBPyConnection) -> None:
    tables = firm(con)
    con.execute("insert into firm from firm")
    with open_catalog(place) as catalog:
        with pytest.raises(CatalogError, match="two rows with the same entity_id"):
            publish(catalog, con, tables, now=NOW, manifest={})
        assert (current_release(catalog), journal_mode(catalog)) == (0, "wal")
        assert publish(catalog, con, firm(con), now=NOW, manifest={}) == 1


@pytest.mark.parametrize("read_only", [True, False])
def test_who_waits_too_long_is_told_what_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(place, isolation_level=None)) as writer:
        writer.execute("pragma journal_mode = truncate")
        writer.execute("begin exclusive")
        with pytest.raises(CatalogError, match="another process is writing it"):
            open_catalog(place, read_only=read_only)
        writer.execute("rollback")
    open_catalog(place, read_only=read_only).close()
