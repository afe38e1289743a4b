"""The end of a run: what follows the commit of a release, also if the process does not live to do it.

A release is made at one moment, the commit of the catalog's transaction. Models, batch database and report belong to it
and lie beside it. They are made ready before the commit, in `.finishing/` and `batch.partial.duckdb`, and put in their
places after it. What a killed run left is brought to its end by the next command that writes: if its release was
committed, everything is put in its place; if not, everything is removed.

Invariant: `.finishing/` appears whole, and names the release it belongs to.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from eval.report.summary import RunSummary, read_summary, write_summary
from golden_records.catalog.read import releases
from golden_records.catalog.store import has_catalog, open_catalog
from linkage.database import connect
from linkage.durable import replace_whole, sync, sync_tree
from linkage.ingest.load_folder import sweep_loads
from linkage.ingest.manifest import LOADS, RECORDS
from linkage.workspace import Workspace

_READY = ".finishing"
_PARTIAL = ".finishing.partial"
_MODELS = "models"
_SUMMARY = "report.json"
# Measured on simulated districts: a batch database takes so many times the accepted records as they are in the loads.
_BATCH_OF_RECORDS = 30
_SMALLEST_RUN_BYTES = 20_000_000


def partial_batch(workspace: Workspace) -> Path:
    """Return the batch database that a run fills."""
    return workspace.root / "batch.partial.duckdb"


def spill(workspace: Workspace) -> Path:
    """Return the folder for what does not fit in memory."""
    return workspace.root / "spill"


def space_needed(workspace: Workspace) -> int:
    """Return about how many bytes a run needs: a batch database like the last one and as much to spill."""
    if workspace.batch.exists():
        return 2 * workspace.batch.stat().st_size
    records = sum(path.stat().st_size for path in (workspace.root / LOADS).glob(f"*/{RECORDS}"))
    return _SMALLEST_RUN_BYTES + _BATCH_OF_RECORDS * records


def make_ready(workspace: Workspace, summary: RunSummary, *, keep_models: Callable[[Path], None]) -> None:
    """Make ready what has to follow the commit of a release.

    Args:
        workspace: the workspace; its partial batch database is complete.
        summary: the run's figures; they name the release about to be committed, and its time.
        keep_models: writes the models to keep into a folder, under the names they have in the workspace.
    """
    made = workspace.root / _PARTIAL
    (made / _MODELS).mkdir(parents=True)
    keep_models(made / _MODELS)
    write_summary(summary, made / _SUMMARY)
    sync_tree(made)
    replace_whole(made, workspace.root / _READY)


def finish(workspace: Workspace, summary: RunSummary, *, language: str | None = None) -> None:
    """Put in place what belongs to a committed release; doing it twice is doing it once.

    Args:
        workspace: the workspace.
        summary: the run's figures.
        language: language of the report; the workspace's if absent.
    """
    from eval.report.html import write_report  # decisions come past here as well, and make no report

    ready, partial = workspace.root / _READY, partial_batch(workspace)
    if partial.exists():
        _wal(workspace.batch).unlink(missing_ok=True)
        replace_whole(partial, workspace.batch)
    for made in sorted((ready / _MODELS).iterdir()):
        replace_whole(made, workspace.root / _MODELS / made.name)
    folder = workspace.runs / summary.run_id
    folder.mkdir(parents=True, exist_ok=True)
    write_report(summary, folder / "report.html", lang=language or workspace.settings.language)
    sync_tree(folder)
    sync(workspace.runs)
    shutil.rmtree(ready)
    remove_leftovers(workspace)


def bring_to_end(workspace: Workspace) -> None:
    """Finish or remove what a killed command left; the caller holds the workspace's lock."""
    ready = workspace.root / _READY
    if ready.exists() and has_catalog(workspace.catalog):
        open_catalog(workspace.catalog).close()  # a program that came since may have to migrate it
    if is_unfinished(workspace):
        partial = partial_batch(workspace)
        if _wal(partial).exists():
            with connect(partial) as con:
                con.execute("checkpoint")
        finish(workspace, read_summary(ready / _SUMMARY))
    shutil.rmtree(ready, ignore_errors=True)
    remove_leftovers(workspace)
    sweep_loads(workspace.root)


def is_unfinished(workspace: Workspace) -> bool:
    """Say whether a run was killed after its release was committed, so that its batch database is not in place yet."""
    ready = workspace.root / _READY / _SUMMARY
    if not ready.exists() or not has_catalog(workspace.catalog):
        return False
    summary = read_summary(ready)
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        made = {(str(r["release_id"]), r["published_at"]) for r in releases(catalog) if r["kind"] == "publish"}
    return (summary.release_id, summary.finished_at) in made


def remove_leftovers(workspace: Workspace) -> None:
    """Remove what a run works with and nobody needs after it."""
    partial = partial_batch(workspace)
    for path in (partial, _wal(partial)):
        path.unlink(missing_ok=True)
    for folder in (workspace.root / _PARTIAL, spill(workspace)):
        shutil.rmtree(folder, ignore_errors=True)
    catalog = workspace.catalog
    unmade = catalog.parent.glob(f".{catalog.name}.partial-*") if isinstance(catalog, Path) else ()
    for leftover in (*workspace.runs.glob("*/*.partial"), *unmade):
        leftover.unlink(missing_ok=True)


def _wal(database: Path) -> Path:
    return database.with_name(database.name + ".wal")
