"""The manifest of a load: what came in, from which file, and where every row of it went.

A load is a folder `loads/<load_id>/` with `raw.parquet`, `records.parquet`, `quarantine.parquet` and `manifest.json`.
The folder appears whole or not at all, so a manifest that can be read describes files that are there.

Invariant: rows_in == kept + the sum of quarantined + forgotten.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from linkage.errors import QUARANTINED
from linkage.fields import Entity
from linkage.ingest.errors import IngestError
from linkage.ingest.source_config import Format

LOADS = "loads"
MANIFEST = "manifest.json"
RAW = "raw.parquet"
RECORDS = "records.parquet"
QUARANTINE = "quarantine.parquet"
REPLACED = ".replaced-"


FILES = (RAW, RECORDS, QUARANTINE)


class FileHash(BaseModel):
    """What one file of a load must be, byte for byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes: int
    sha256: str


class LoadManifest(BaseModel):
    """What one load is and how its rows were accounted for.

    Attributes:
        load_id: `<as_of>-<source>-<first 8 digits of the file's SHA-256>`.
        sequence: position among all loads of the workspace, by arrival.
        part: position among the files of one delivery, from 1.
        parts: files in that delivery.
        loaded_at: when, ISO 8601.
        config_sha256: fingerprint of the source configuration.
        columns_seen: column names of the file as archived.
        columns_mapped: canonical field to the columns that feed it.
        columns_unknown: columns nothing uses; they are archived.
        columns_missing: columns that were configured but may be absent, and are.
        rows_in: data rows of the file.
        kept: rows accepted, deletions included.
        deleted: rows among them that withdraw a record.
        quarantined: reason to rows.
        duplicates: rows among the quarantined that repeat a record id.
        warnings: field to kind of damage to records (see `linkage.ingest.value_checks`).
        quarantine_limit: share of quarantined rows, blank rows apart, above which the load has reservations.
        seconds: how long it took.
        forgotten: rows that `guiyi forget` took out since.
        withdrawn: when the load was withdrawn, ISO 8601; None: it counts.
        files: name of each file of the load to its size and hash; empty for loads of programs that took none.
        folder: where the load is; not written to the file.
        already_loaded: the file had been loaded before and nothing was done; not written to the file.
        message: what happened, in words; not written to the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    load_id: str
    sequence: int
    part: int
    parts: int
    source: str
    entity: Entity
    mode: Literal["full", "delta"]
    as_of: date
    loaded_at: str
    file_name: str
    size_bytes: int
    sha256: str
    format: Format
    encoding: str | None
    delimiter: str | None
    config_sha256: str
    columns_seen: tuple[str, ...]
    columns_mapped: dict[str, tuple[str, ...]]
    columns_unknown: tuple[str, ...]
    columns_missing: tuple[str, ...]
    rows_in: int
    kept: int
    deleted: int
    quarantined: dict[str, int]
    duplicates: int
    warnings: dict[str, dict[str, int]]
    quarantine_limit: float
    seconds: float
    forgotten: int = 0
    withdrawn: str | None = None
    files: dict[str, FileHash] = Field(default_factory=dict)
    folder: Path = Field(default=Path(), exclude=True)
    already_loaded: bool = Field(default=False, exclude=True)
    message: str = Field(default="", exclude=True)

    @model_validator(mode="after")
    def _every_row_is_accounted_for(self) -> Self:
        quarantined = sum(self.quarantined.values())
        if self.rows_in != self.kept + quarantined + self.forgotten:
            raise ValueError(
                f"{self.rows_in} rows came in, but {self.kept} kept, {quarantined} quarantined and "
                f"{self.forgotten} forgotten"
            )
        return self

    @property
    def rows_held(self) -> int:
        """Rows of the file that the archive still holds or accounts for one by one."""
        return self.rows_in - self.forgotten

    @property
    def quarantined_share(self) -> float:
        """Share of the rows that say something and were quarantined."""
        blank = self.quarantined.get("empty_row", 0)
        said = self.rows_in - blank
        return (sum(self.quarantined.values()) - blank) / said if said else 0.0

    @property
    def exit_code(self) -> int:
        """What a command line should exit with: 0, or 3 with more quarantine than the source's limit."""
        return QUARANTINED if self.quarantined_share > self.quarantine_limit else 0


def read_manifest(folder: Path) -> LoadManifest:
    """Read the manifest of a load.

    Raises:
        IngestError: it is not there or not a manifest.
    """
    path = folder / MANIFEST
    try:
        manifest = LoadManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise IngestError(
            str(path),
            "the manifest cannot be read",
            expectation="a load as ingest left it",
            remedy="restore the folder from a backup, or remove it and ingest the file again",
        ) from error
    return manifest.model_copy(update={"folder": folder})


def list_loads(root: Path, *, withdrawn: bool = True) -> list[LoadManifest]:
    """Return every load of a workspace: by the date it vouches for, then by arrival.

    Args:
        root: the workspace.
        withdrawn: the withdrawn ones too.
    """
    loads = (read_manifest(folder) for folder in load_folders(root) if (folder / MANIFEST).exists())
    ordered = sorted(loads, key=lambda load: (load.as_of, load.sequence))
    return [load for load in ordered if withdrawn or load.withdrawn is None]


def load_folders(root: Path) -> list[Path]:
    """Return the folder of every load, of one that was about to be replaced when its ingest was killed as well."""
    folder = root / LOADS
    whole = {path.name: path for path in folder.glob("[!.]*") if path.is_dir()}
    kept = {path.name.removeprefix(REPLACED): path for path in folder.glob(f"{REPLACED}*")}
    return [path for _, path in sorted((kept | whole).items())]
