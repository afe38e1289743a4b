"""A workspace: the directory that holds a district's loads, models, runs and catalog.

```
guiyi.toml        settings
loads/            one directory per load: raw archive, accepted records, quarantine, manifest
models/           the model in use per entity type and its term frequencies, kept until `guiyi train`
runs/<run id>/    report and manifest of each run
batch.duckdb      tables of the last run, for `guiyi explain` and for the next run to take over what is unchanged
catalog.sqlite    the published catalog, unless it is in a PostgreSQL database
forget.key        secret of the tombstones, made by the first `guiyi forget`
```
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from eval.alarms import StabilityLimits
from golden_records.catalog.place import DatabaseUrl, Place, read_place
from golden_records.catalog.store import open_catalog
from golden_records.errors import CatalogError
from linkage.access.settings import ServiceSettings
from linkage.durable import write_whole
from linkage.entity_config import parse_model
from linkage.errors import ConfigError, LinkageError
from linkage.review.settings import DeskSettings
from linkage.rulings.settings import DecisionSettings
from linkage.shortage import is_memory_size

SETTINGS_FILE = "guiyi.toml"
_FOLDERS = ("loads", "models", "runs")
_TEMPLATE = """\
# Settings of this workspace. docs/configuration.md describes each key.
catalog = {catalog}          # where releases are published: a path beside this file, or postgresql://USER@HOST/DATABASE
language = "zh"              # language of reports: zh or en

# sources = "sources"        # a directory of your own source configurations (TOML)
# memory_limit = "16GB"      # for the batch database; default: 80% of the machine

# [stability]                # a run raises an alarm when a total moves by more than this share
# entities = 0.05
# source_rows = 0.1
# full_load = 0.5            # `guiyi ingest` refuses a full load that falls further below the one before

# [decisions]                # kinds of ruling that need a second person
# two_people = ["same"]

# [service]                  # limits of the resolve service
# requests_per_second = 2000

# [desk]                     # the review desk
# session_minutes = 480
# spot_checks = 20
"""


def _size(text: str | None) -> str | None:
    if text is not None and not is_memory_size(text) and not (text.endswith("%") and text[:-1].isdecimal()):
        raise ValueError('no size; give it as "16GB"')
    return text


class WorkspaceSettings(BaseModel):
    """The settings file of a workspace.

    Attributes:
        catalog: the catalog store: a path relative to the workspace, or the URL of a PostgreSQL database.
        language: language of reports.
        sources: directory of source configurations that come before the shipped ones.
        memory_limit: DuckDB's memory limit.
        stability: by which share totals may move between releases before a run raises an alarm.
        decisions: what is asked of people's decisions.
        service: limits of the resolve service.
        desk: how the review desk works.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: Annotated[str, Field(min_length=1)] = "catalog.sqlite"
    language: Annotated[str, Field(pattern="^(zh|en)$")] = "zh"
    sources: str | None = None
    memory_limit: Annotated[str | None, AfterValidator(_size)] = None
    stability: StabilityLimits = StabilityLimits()
    decisions: DecisionSettings = DecisionSettings()
    service: ServiceSettings = ServiceSettings()
    desk: DeskSettings = DeskSettings()


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its root and settings."""

    root: Path
    settings: WorkspaceSettings

    @property
    def catalog(self) -> Place:
        """The catalog store."""
        try:
            return read_place(self.settings.catalog, self.root)
        except CatalogError as error:
            raise ConfigError(f"{self.root / SETTINGS_FILE}: {error}") from None

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
        catalog: path of the catalog store, or the URL of a PostgreSQL database that answers.

    Raises:
        LinkageError: the directory is not empty, or cannot be made.
        ConfigError: the catalog's URL cannot be used.
        CatalogError: the database cannot be reached, or cannot hold a catalog.
    """
    if (root / SETTINGS_FILE).exists():
        raise LinkageError(f"{root}: is a workspace already; look at it with `guiyi status {root}`")
    if root.exists() and not (root.is_dir() and _is_left_by_init(root)):
        raise LinkageError(f"{root}: exists and is not empty; name a new directory")
    path = (catalog or "catalog.sqlite").removeprefix("sqlite:///")
    try:
        place = read_place(path, root)
    except CatalogError as error:
        raise ConfigError(str(error)) from None
    if isinstance(place, DatabaseUrl):
        open_catalog(place).close()  # better to know now than after the first run
    try:
        for part in _FOLDERS:
            (root / part).mkdir(parents=True, exist_ok=True)
        write_whole(root / SETTINGS_FILE, _TEMPLATE.format(catalog=json.dumps(path, ensure_ascii=False)))
        if isinstance(place, DatabaseUrl):
            (root / SETTINGS_FILE).chmod(0o600)  # the URL may hold a password
    except OSError as error:
        raise LinkageError(f"{root}: cannot be made ({error.strerror}); name a directory you may write") from error
    return open_workspace(root)


def _is_left_by_init(root: Path) -> bool:
    """Say whether a directory holds nothing, or only what a killed `init` made."""
    return all(
        path.name.startswith(f".{SETTINGS_FILE}")
        or (path.name in _FOLDERS and path.is_dir() and not any(path.iterdir()))
        for path in root.iterdir()
    )


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
        LinkageError: another process holds it; says which, what it does, since when and on which host. Or the workspace
            cannot be written, or its file system knows no locks.
    """
    path = workspace.root / ".lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LinkageError(
            f"{path}: cannot be written ({error.strerror}); `guiyi {what}` changes the workspace: correct its rights, "
            "or mount it for writing"
        ) from error
    try:
        _take(handle, path, workspace.root)
        held = {"pid": os.getpid(), "what": what, "since": now.isoformat(), "host": socket.gethostname()}
        with suppress(OSError):  # on a full disk the lock is held all the same, by nobody known
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(held).encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LinkageError(f"{root}: {_holder(path)}; wait for it to end and try again") from error
    except OSError as error:
        raise LinkageError(
            f"{path}: cannot be locked ({error.strerror}); a network file system without locks is no place for a "
            "workspace: use a local disk, or have the locks switched on (NFS: version 4, or lockd)"
        ) from error


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text("utf-8"))
        process = f"process {held['pid']} on {held['host']}"
        return f"`guiyi {held['what']}` ({process}) has been at work here since {held['since']}"
    except (OSError, ValueError, KeyError):
        return "another guiyi command is at work here"
