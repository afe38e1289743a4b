"""`guiyi ingest`: load the files of one delivery into a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from linkage.commands.console import Console
from linkage.errors import QUARANTINED
from linkage.forgetting.refusal import refusal
from linkage.ingest.loads import ingest_files as load_files
from linkage.ingest.manifest import LoadManifest
from linkage.ingest.mapping import Mode
from linkage.sources import source_of
from linkage.stages import StageClock
from linkage.workspace import Workspace, locked


def ingest_files(
    workspace: Workspace,
    files: Sequence[Path],
    *,
    source: str,
    as_of: date,
    mode: Mode,
    late: bool = False,
    again: bool = False,
    shrunk: bool = False,
    now: datetime,
    console: Console,
) -> int:
    """Load files and print where their rows went.

    Returns:
        The exit code: 0, or 3 with more quarantine than the source allows.
    """
    config = source_of(workspace, source)
    clock = StageClock(console)
    with locked(workspace, now=now, what="ingest"), clock.stage("ingest") as stage:
        manifests = load_files(
            files,
            source=config,
            as_of=as_of,
            mode=mode,
            root=workspace.root,
            now=now,
            allow_out_of_order=late,
            load_again=again,
            limits=None if shrunk else workspace.settings.stability,
            is_forgotten=refusal(workspace),
            progress=lambda done: console.progressed(stage, done),
        )
        stage.rows = sum(m.rows_in for m in manifests)
    console.result("\n".join(map(_line, manifests)), [_figures(manifest) for manifest in manifests])
    over = [m for m in manifests if m.exit_code == QUARANTINED]
    for manifest in over:
        console.warn(
            f"{manifest.load_id}: {manifest.quarantined_share:.1%} of the rows are in quarantine, above the source's "
            f"limit of {manifest.quarantine_limit:.1%} (exit code {QUARANTINED}); the others are loaded"
        )
    console.say(f"next: guiyi run {workspace.root}")
    return QUARANTINED if over else 0


def _line(manifest: LoadManifest) -> str:
    if manifest.already_loaded:
        return manifest.message
    quarantined = sum(manifest.quarantined.values())
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(manifest.quarantined.items()))
    tail = f" ({reasons}; see {manifest.folder / 'quarantine.parquet'})" if quarantined else ""
    return (
        f"{manifest.load_id}: {manifest.rows_in:,} rows in = {manifest.kept:,} kept + {quarantined:,} quarantined{tail}"
    )


def _figures(manifest: LoadManifest) -> dict[str, object]:
    return {**manifest.model_dump(mode="json"), "already_loaded": manifest.already_loaded}
