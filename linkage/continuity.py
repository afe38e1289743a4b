"""What a run must find again of the runs before it: the loads they rest on, and the catalog they published to.

Without a load its records would silently leave their entities; without the catalog every entity would get another id.
Neither happens by itself: a run refuses, and says what to put back or how to say that it is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from linkage.errors import LinkageError
from linkage.ingest.manifest import LoadManifest
from linkage.workspace import SETTINGS_FILE, Workspace

NO_RELEASE = "there is no catalog, or an empty one, but runs/ or batch.duckdb of releases that were published"


def lost_loads(made: Sequence[dict[str, Any]], loads: Sequence[LoadManifest]) -> list[str]:
    """Return the loads that releases rest on and the archive has not, those withdrawn since apart, in order.

    Args:
        made: the releases, in order.
        loads: every load of the archive, the withdrawn ones too.
    """
    expected: set[str] = set()
    for release in made:
        expected |= set(release["manifest"].get("loads", ()))
        expected -= set(release["manifest"].get("withdrawn", ()))
    return sorted(expected - {load.load_id for load in loads})


def require_loads(
    workspace: Workspace,
    made: Sequence[dict[str, Any]],
    loads: Sequence[LoadManifest],
    *,
    withdrawn: Collection[str] = (),
) -> None:
    """Refuse to publish without a load that a release rests on, or to the catalog of another workspace.

    Args:
        workspace: the workspace.
        made: its releases, in order.
        loads: every load of the archive, the withdrawn ones too.
        withdrawn: loads whose loss is accepted now.

    Raises:
        LinkageError: the archive lacks a load, or has none of those that the newest release rests on.
    """
    lost = [load_id for load_id in lost_loads(made, loads) if load_id not in withdrawn]
    if not lost:
        return
    released = set(made[-1]["manifest"].get("loads", ()))
    if released and not released & {load.load_id for load in loads}:
        raise LinkageError(
            f"{workspace.catalog}: release {made[-1]['release_id']} rests on loads of which {workspace.root} has none "
            f"({lost[0]} …): it is another workspace's catalog, or the archive was not restored; name a catalog of "
            "its own in guiyi.toml, or put the folders under loads/ back"
        )
    raise LinkageError(
        f"{workspace.root / 'loads'}: releases rest on {len(lost)} load(s) that are not there: {', '.join(lost)}; put "
        "the folders back from a backup, or ingest the same files again (with --late); if they are lost, publish "
        f"without them: guiyi rollback {workspace.root} {' '.join(f'--before-load {load_id}' for load_id in lost)}"
    )


def require_releases(workspace: Workspace, made: Sequence[dict[str, Any]]) -> None:
    """Refuse to begin a catalog again in a workspace that has published before.

    Raises:
        LinkageError: there is no release, but a batch database or a report of one.
    """
    if not made and has_published(workspace):
        raise LinkageError(
            f"{workspace.catalog}: {NO_RELEASE}; a new catalog would give every entity another id. Restore it from a "
            f"backup, or correct `catalog` in {workspace.root / SETTINGS_FILE}; if it is lost, or is to begin "
            f"anew, say so: guiyi run {workspace.root} --new-catalog"
        )


def has_published(workspace: Workspace) -> bool:
    """Say whether a run of the workspace ever published, to whatever catalog."""
    return workspace.batch.exists() or any(workspace.runs.glob("release-*"))
