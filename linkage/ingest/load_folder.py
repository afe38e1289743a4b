"""The folder of loads: one writer at a time, and each load appears whole or not at all.

A load is filled in a hidden folder and renamed when it is complete. What a killed writer left behind is removed by the
next one, and a load that was about to be replaced comes back.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from linkage.durable import replace_whole, sync_tree, write_whole
from linkage.ingest.errors import IngestError
from linkage.ingest.manifest import FILES, LOADS, MANIFEST, RECORDS, REPLACED, FileHash, LoadManifest

PARTIAL = ".partial-"
_LOCK = ".lock"


@contextmanager
def locked_loads(root: Path) -> Iterator[Path]:
    """Hold the workspace's loads for one writer, and remove what a killed one left."""
    folder = root / LOADS
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IngestError(str(folder), "another ingest is running here", remedy="wait until it is done") from error
        _sweep(folder)
        try:
            yield folder
        finally:
            _sweep(folder)


def sweep_loads(root: Path) -> None:
    """Remove what a killed ingest left, and bring back a load that it was about to replace."""
    if (root / LOADS).is_dir():
        with locked_loads(root):
            pass


def _sweep(folder: Path) -> None:
    for leftover in sorted(folder.glob(f"{REPLACED}*")):
        final = folder / leftover.name.removeprefix(REPLACED)
        if final.exists():
            shutil.rmtree(leftover)
        else:
            leftover.rename(final)
    for leftover in sorted(folder.glob(f"{PARTIAL}*")):
        shutil.rmtree(leftover, ignore_errors=True)


def publish_load(manifest: LoadManifest, stage: Path, final: Path) -> LoadManifest:
    """Write the manifest of a filled folder, make sure all of it is on disk, and give it its name."""
    manifest = manifest.model_copy(update={"files": {name: file_hash(stage / name) for name in FILES}})
    (stage / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    sync_tree(stage)
    if final.exists():
        final.rename(final.parent / f"{REPLACED}{final.name}")
    replace_whole(stage, final)
    share = f", {sum(manifest.quarantined.values())} in quarantine" if manifest.quarantined else ""
    message = f"{manifest.file_name}: loaded as {manifest.load_id} ({manifest.kept} rows kept{share})"
    return manifest.model_copy(update={"folder": final, "message": message})


def require_whole(loads: Iterable[LoadManifest], *, by_hash: bool = False) -> None:
    """Refuse loads whose accepted rows are not as ingest left them.

    Args:
        loads: the loads; of one whose manifest has no hashes only that the file is there is known.
        by_hash: read every file whole and compare its hash, not its size alone.

    Raises:
        IngestError: the file of one is missing or another; says what it should be.
    """
    for load in loads:
        path, told = load.folder / RECORDS, load.files.get(RECORDS)
        if not path.is_file():
            found = "is missing"
        elif told is None or (path.stat().st_size == told.size_bytes and not (by_hash and file_hash(path) != told)):
            continue
        else:
            found = f"is damaged ({path.stat().st_size:,} bytes)"
        raise IngestError(
            str(path),
            found,
            expectation=f"{told.size_bytes:,} bytes, SHA-256 {told.sha256}" if told else "",
            remedy="put the folder of the load back from a backup, or ingest the same file again with --again (and "
            "--late, if its source was loaded since)",
        )


def rewrite_manifest(manifest: LoadManifest) -> None:
    """Put another manifest in the place of a load's own: the old one or the new one is there, whole."""
    write_whole(manifest.folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def file_hash(path: Path) -> FileHash:
    """Return the size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileHash(size_bytes=file.tell(), sha256=digest.hexdigest())
