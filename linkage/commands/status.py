"""`guiyi status`: loads, releases and what to do next."""

from __future__ import annotations

from golden_records.catalog.read import releases
from golden_records.catalog.store import has_catalog, open_catalog
from linkage.commands.console import Console
from linkage.continuity import NO_RELEASE, has_published, lost_loads
from linkage.ingest.manifest import list_loads
from linkage.workspace import Workspace


def show_status(workspace: Workspace, *, console: Console) -> int:
    """Print the loads, the releases and the next command."""
    loads = list_loads(workspace.root)
    published = []
    if has_catalog(workspace.catalog):
        with open_catalog(workspace.catalog, read_only=True) as catalog:
            published = releases(catalog)
    known = set(published[-1]["manifest"].get("loads", [])) if published else set()
    waiting = [m for m in loads if m.load_id not in known and m.withdrawn is None]
    lost = lost_loads(published, loads)
    data = {
        "workspace": str(workspace.root),
        "catalog": str(workspace.catalog),
        "loads": [m.model_dump(mode="json") for m in loads],
        "releases": [
            {"release": r["release_id"], "published_at": r["published_at"], "kind": r["kind"], "cause": r["cause"]}
            for r in published
        ],
        "waiting": [m.load_id for m in waiting],
        "lost": lost,
    }
    if console.as_json:
        console.result("", data)
        return 0
    rows = [
        (
            m.load_id,
            m.mode,
            f"{m.rows_in:,}",
            f"{m.kept:,}",
            f"{sum(m.quarantined.values()):,}",
            "withdrawn" if m.withdrawn else "waiting" if m in waiting else "released",
        )
        for m in loads
    ] + [(load_id, "", "", "", "", "lost") for load_id in lost]
    console.table("loads", ("load", "mode", "rows in", "kept", "quarantined", "state"), rows, data)
    made = [(str(r["release_id"]), r["kind"], r["cause"], r["published_at"]) for r in published]
    console.table("releases", ("release", "kind", "cause", "published at"), made, data)
    if lost:
        console.warn(f"{len(lost)} load(s) that releases rest on are lost; `guiyi run` says what to do")
    elif not published and has_published(workspace):
        console.warn(f"{workspace.catalog}: {NO_RELEASE}; `guiyi run` says what to do")
    console.say(_next(workspace, bool(loads), len(waiting), bool(published)))
    return 0


def _next(workspace: Workspace, loaded: bool, waiting: int, published: bool) -> str:
    if not loaded:
        return f"next: guiyi ingest {workspace.root} --source NAME --as-of DATE FILE"
    if waiting:
        return f"{waiting} load(s) wait to be linked; next: guiyi run {workspace.root}"
    return f"next: guiyi resolve {workspace.root} IDENTIFIER" if published else f"next: guiyi run {workspace.root}"
