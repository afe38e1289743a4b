"""A workspace: the directory that holds a district's loads, models, runs and catalog.

```
guiyi.toml        settings
loads/            one directory per load: raw archive, accepted records, quarantine, manifest
models/           the model in use per entity type and its term frequencies, kept until `guiyi train`
runs/<run id>/    report and manifest of each run
batch.duckdb      tables of the last run, for `guiyi explain` and for the next run to take over what is unchanged
catalog.sqlite    the published catalog
```
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from eval.alarms import StabilityLimits
from linkage.entity_config import parse_model
from linkage.errors import ConfigError, LinkageError
from linkage.rulings.settings import DecisionSettings

SETTINGS_FILE = "guiyi.toml"
_TEMPLATE = """\
# Settings of this workspace. docs/configuration.md describes each key.
catalog = {catalog}          # where releases are published: a path beside this file
language = "zh"              # language of reports: zh or en

# sources = "sources"        # a directory of your own source configurations (TOML)
# memory_limit = "16GB"      # for the batch database; default: 80% of the machine

# [stability]                # a run raises an alarm when a total moves by more than this share
# entities = 0.05
# source_rows = 0.1

# [decisions]                # kinds of ruling that need a second person
# two_people = ["same"]
"""


class WorkspaceSettings(BaseModel):
    """The settings file of a workspace.

    Attributes:
        catalog: path of the catalog store, relative to the workspace.
        language: language of reports.
        sources: directory of source configurations that come before the shipped ones.
        memory_limit: DuckDB's memory limit.
        stability: by which share totals may move between releases before a run raises an alarm.
        decisions: what is asked of people's decisions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str = "catalog.sqlite"
    language: Annotated[str, Field(pattern="^(zh|en)$")] = "zh"
    sources: str | None = None
    memory_limit: str | None = None
    stability: StabilityLimits = StabilityLimits()
    decisions: DecisionSettings = DecisionSettings()


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its root and settings."""

    root: Path
    settings: WorkspaceSettings

    @property
    def catalog(self) -> Path:
        """The catalog store."""
        return self.root / self.settings.catalog

    @property
    def batch(self) -> Path:
        """The batch database of the last run."""
        return self.root / "batch.duckdb"

    def model(self, entity: str) -> Path:
        """The model file of an entity type."""
        return self.root / "models" / f"{entity}.json"

    def frequencies(self, entity: str) -> Path:
        """The term frequencies that belong to the model of an entity type."""
        return self.root / "models" / f"{entity}.frequencies.parquet"

    @property
    def runs(self) -> Path:
        """The directory of runs."""
        return self.root / "runs"


def create_workspace(root: Path, *, catalog: str | None = None) -> Workspace:
    """Make a workspace.

    Args:
        root: a directory that does not exist or is empty.
        catalog: path of the catalog store.

    Raises:
        LinkageError: the directory is not empty, or cannot be made.
        ConfigError: the catalog is a URL of a store that is not supported.
    """
    if (root / SETTINGS_FILE).exists():
        raise LinkageError(f"{root}: is a workspace already; look at it with `guiyi status {root}`")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise LinkageError(f"{root}: exists and is not empty; name a new directory")
    path = (catalog or "catalog.sqlite").removeprefix("sqlite:///")
    if "://" in path:
        raise ConfigError(f"catalog {catalog!r}: only SQLite is supported so far; give a path or sqlite:///PATH")
    try:
        for part in ("loads", "models", "runs"):
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / SETTINGS_FILE).write_text(_TEMPLATE.format(catalog=json.dumps(path, ensure_ascii=False)), "utf-8")
    except OSError as error:
        raise LinkageError(f"{root}: cannot be made ({error.strerror}); name a directory you may write") from error
    return open_workspace(root)


def open_workspace(root: Path) -> Workspace:
    """Open a workspace.

    Raises:
        ConfigError: no workspace, or its settings cannot be used.
    """
    path = root / SETTINGS_FILE
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{root}: is not a workspace; make one with `guiyi init {root}`") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    return Workspace(root, parse_model(WorkspaceSettings, text, str(path)))


@contextmanager
def locked(workspace: Workspace, *, now: datetime, what: str) -> Iterator[None]:
    """Hold the workspace's lock, so that two commands do not write at once.

    The lock is the kernel's: a killed process leaves none behind.

    Raises:
        LinkageError: another process holds it; says which, what it does and since when.
    """
    path = workspace.root / ".lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LinkageError(f"{workspace.root}: {_holder(path)}; wait for it to end and try again") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "what": what, "since": now.isoformat()}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text("utf-8"))
        return f"`guiyi {held['what']}` (process {held['pid']}) has been at work here since {held['since']}"
    except (OSError, ValueError, KeyError):
        return "another guiyi command is at work here"
