"""A file that arrives: is it one, is it new, is it its turn, and is it the whole of its source?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from eval.alarms import StabilityLimits
from linkage.errors import WRONG_USE
from linkage.ingest.encoding import FileProfile
from linkage.ingest.errors import IngestError, nearest
from linkage.ingest.manifest import LoadManifest
from linkage.ingest.mapping import Mode
from linkage.ingest.source_config import SourceConfig


def check_is_file(path: Path) -> None:
    """Refuse a path that is no file, naming the file it may have meant."""
    if path.is_dir():
        raise IngestError(str(path), "a folder", expectation="a file", remedy="name the files in it")
    if path.is_symlink() and not path.exists():
        raise IngestError(str(path), "a link that leads nowhere", expectation="a file", remedy="name the file itself")
    if path.exists() and not path.is_file():
        raise IngestError(str(path), "a device or a pipe", expectation="a file", remedy="write it to a file first")
    if not path.is_file():
        names = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        near = nearest(path.name, names)
        raise IngestError(str(path), "no such file", remedy=f"did you mean '{near}'?" if near else "check the path")


def check_are_different(paths: Sequence[Path]) -> None:
    """Refuse a list that names one file twice."""
    seen: dict[Path, Path] = {}
    for path in paths:
        real = Path(os.path.realpath(path))  # unlike Path.resolve, takes links that lead in a circle
        if real in seen:
            raise IngestError(str(path), "the file is given twice", remedy="name each file once")
        seen[real] = path


def known_load(
    earlier: list[LoadManifest],
    path: Path,
    profile: FileProfile,
    source: SourceConfig,
    load_id: str,
    mode: Mode,
    part: tuple[int, int],
) -> LoadManifest | None:
    """Return the load this file already is, if it is one."""
    same = [load for load in earlier if load.sha256 == profile.sha256]
    exact = next((load for load in same if load.load_id == load_id), None)
    load = exact or (same[-1] if same and part[1] == 1 else None)
    if load is None:
        return None
    if load.withdrawn is not None:
        raise IngestError(
            path.name,
            f"already loaded as {load.load_id}, which was withdrawn",
            remedy="take that load back with `guiyi rollback WORKSPACE --restore-load`, or load it anew with --again",
        )
    differs = (
        "mode" if load.mode != mode else "source configuration" if load.config_sha256 != source.fingerprint() else ""
    )
    if exact and (differs or (load.part, load.parts) != part):
        raise IngestError(
            path.name,
            f"already loaded as {load.load_id}, with another {differs or 'place among its files'}",
            remedy="load it again in its place with --again",
            exit_code=WRONG_USE,
        )
    if not exact and load is not [other for other in earlier if other.withdrawn is None][-1]:
        raise IngestError(
            path.name,
            f"already loaded as {load.load_id}, and '{load.source}' has been loaded since",
            expectation="a file that has not been loaded",
            remedy="if the source really is as it was then, load it again with --again",
            exit_code=WRONG_USE,
        )
    message = f"{path.name}: already loaded as {load.load_id} ({load.rows_in} rows, {load.mode}); nothing was done"
    return load.model_copy(update={"already_loaded": True, "message": message})


def check_order(earlier: list[LoadManifest], path: Path, as_of: date, allow: bool) -> None:
    """Refuse a date before that of the source's last load (the last of `earlier`), unless it is allowed."""
    if earlier and as_of < earlier[-1].as_of and not allow:
        last = earlier[-1]
        raise IngestError(
            path.name,
            f"dated {as_of.isoformat()}, before the last load of '{last.source}' ({last.load_id})",
            expectation=f"{last.as_of.isoformat()} or later",
            remedy="correct the date; if the file really is late, say so with --late",
            exit_code=WRONG_USE,
        )


def check_size(earlier: Sequence[LoadManifest], arrived: LoadManifest, path: Path, limits: StabilityLimits) -> None:
    """Refuse a full load that says far less than the source's last one, all of which it would replace.

    A delivery of several files is looked at when its last one comes.

    Args:
        earlier: the loads of the source that count.
        arrived: the manifest of the load as it would be.
        path: its file.
        limits: by how much a full load may be smaller.
    """
    if arrived.mode != "full" or arrived.part < arrived.parts:
        return
    others = [load for load in earlier if load.mode == "full" and load.load_id != arrived.load_id]
    ours = [load for load in others if arrived.parts > 1 and _delivery(load) == _delivery(arrived)]
    before = [load for load in others if load not in ours and load.as_of <= arrived.as_of]
    if not before:
        return
    last = (
        [load for load in before if _delivery(load) == _delivery(before[-1])] if before[-1].parts > 1 else before[-1:]
    )
    was, now = (sum(load.kept - load.deleted for load in loads) for loads in (last, [*ours, arrived]))
    if was - now > limits.full_load * was and was - now >= limits.minimum:
        raise IngestError(
            path.name,
            f"{now:,} records as the whole of '{arrived.source}'; its last full load ({last[-1].load_id}) had {was:,}",
            expectation=f"a fall of {limits.full_load:.0%} at most",
            remedy="all others would be withdrawn: ask for the whole file; load mere changes with --mode delta; if the "
            "source really is so small now, say so with --shrunk",
            exit_code=WRONG_USE,
        )


def _delivery(load: LoadManifest) -> tuple[date, str, int]:
    return load.as_of, load.mode, load.parts
