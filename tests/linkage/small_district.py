"""What the tests of the linkage share: commands in this process, files, and how tables and catalogs are compared."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from linkage.cli.main import main
from linkage.commands.console import Console
from linkage.commands.demo import PlannedLoad
from linkage.commands.monthly import run_month
from linkage.ingest.loads import ingest_files
from linkage.sources import source_of
from linkage.workspace import Workspace, open_workspace

ENTITIES = ("natural_person", "legal_person")
SOURCES = ("population_registry", "social_insurance", "grid_residents", "market_registry", "tax_registration")
NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
CATALOG_TABLES = (
    "legal_person",
    "natural_person",
    "identifier",
    "name",
    "address",
    "phone",
    "record_link",
    "provenance",
    "review_case",
)
LOOKUP_TABLES = ("lookup_entity", "lookup_bucket", "lookup_frequency", "lookup_model")


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Guiyi:
    """Runs commands in this process and catches what they print."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Outcome:
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = self._capture.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)


def ingest_month(workspace: Workspace, loads: Iterable[PlannedLoad]) -> None:
    for load in loads:
        ingest_files(
            load.files,
            source=source_of(workspace, load.source),
            as_of=load.as_of,
            mode="delta" if load.mode == "delta" else "full",
            root=workspace.root,
            now=NOW,
        )


def release_month(workspace: Workspace, now: datetime = NOW, *, full: bool = False) -> None:
    console = Console(quiet=True, as_json=True)
    assert run_month(workspace, entities=None, language=None, now=now, console=console, full=full) == 0


def copied(workspace: Workspace, target: Path) -> Workspace:
    shutil.copytree(workspace.root, target)
    return open_workspace(target)


def ask(catalog: Path, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as con:
        return con.execute(query, values).fetchall()


def catalog_content(catalog: Path, tables: Sequence[str] = CATALOG_TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the current release."""
    content = {}
    for table in tables:
        columns = [row[1] for row in ask(catalog, f"pragma table_info({table})") if row[1] != "since_release"]
        content[table] = sorted(ask(catalog, f"select {', '.join(columns)} from {table}"), key=repr)
    return content


def catalog_releases(catalog: Path) -> list[tuple[int, str, str]]:
    return ask(catalog, "select release_id, kind, content_hash from release order by release_id")


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows
