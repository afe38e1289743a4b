"""The journal of a forgetting under way: what is to be forgotten, and which steps are done.

It appears whole before the first change and is removed after the last, so that a command killed at any moment can be
taken up again. Until then it holds what is being forgotten, values included: it is the one place that still knows what
to look for. Only its owner can read it.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from linkage.errors import LinkageError
from linkage.workspace import Workspace

FILE = ".forgetting.json"


class Journal(BaseModel):
    """A forgetting under way.

    Attributes:
        forgetting_id: its number in the ledger.
        author: who asked for it.
        reason: a code.
        at: when, ISO 8601.
        records: record ids.
        entities: how many entities hold or held them.
        held: values that only these records had, among all that were ever in an entity with them.
        telling: values by which the subject could be found; the proof looks for them.
        done: steps that are done.
        removed: store to rows removed, for the ledger.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    forgetting_id: int
    author: str
    reason: str
    at: str
    records: tuple[str, ...]
    entities: int
    held: tuple[str, ...]
    telling: tuple[str, ...]
    done: tuple[str, ...] = ()
    removed: dict[str, int] = {}


def read_journal(workspace: Workspace) -> Journal | None:
    """Return the forgetting under way, if there is one.

    Raises:
        LinkageError: the journal was damaged.
    """
    path = workspace.root / FILE
    try:
        return Journal.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise LinkageError(
            f"{path}: cannot be read; restore it from a backup, or remove it and type `guiyi forget` again"
        ) from error


def write_journal(workspace: Workspace, journal: Journal) -> None:
    """Put a journal in place: the old one or the new one is there, whole."""
    path = workspace.root / FILE
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(journal.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(workspace.root)


def remove_journal(workspace: Workspace) -> None:
    """Overwrite the journal and remove it."""
    path = workspace.root / FILE
    for name in (path, path.with_suffix(".tmp")):
        if name.exists():
            size = name.stat().st_size
            with name.open("r+b") as file:
                file.write(b"\0" * size)
                file.flush()
                os.fsync(file.fileno())
            name.unlink()
    _sync(workspace.root)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
