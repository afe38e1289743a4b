"""`guiyi rollback`: return to an earlier release, or to the state without a load.

An earlier release comes back as a new release with its content; the loads are not touched. It is complete when it is
committed; then the tables for finding entities by name are made again from the loads it rests on. A load that is
withdrawn stays on disk, marked in its manifest, and counts no more: the release is made anew from the loads that the
current release rests on, without it. Links of the last release are not kept for that (no hysteresis), since the load
may have made them.

Either is one release with its cause (`rollback`, `withdrawal`, `restoration`), and so are its events. A command killed
before the publish leaves the mark: typed again it goes on, and a run leaves the load out as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from golden_records.catalog.read import releases
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.errors import CatalogError
from linkage.commands.console import Console
from linkage.commands.republish import publish_again, released_loads
from linkage.continuity import lost_loads, require_loads
from linkage.database import connect
from linkage.entity_run import Occasion
from linkage.errors import LinkageError
from linkage.finishing import bring_to_end, spill
from linkage.ingest.load_folder import locked_loads, rewrite_manifest
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.lookup.remaking import remake_lookup
from linkage.stages import StageClock
from linkage.workspace import Workspace, locked

_DIGITS = 8  # of the file's hash, at the end of a load's id


def roll_back(workspace: Workspace, release: int | None, *, now: datetime, console: Console) -> int:
    """Publish the state of an earlier release again: of the one before the current one, if none is named."""
    with locked(workspace, now=now, what="rollback"):
        bring_to_end(workspace)
        with open_catalog(workspace.catalog) as catalog:
            known = {row["release_id"]: row for row in releases(catalog)}
            target = max(known, default=0) - 1 if release is None else release
            if release is None and target < 1:
                raise LinkageError(f"{workspace.root}: {len(known)} release(s), none before the current one")
            made = rollback(catalog, target, now=now, manifest=known[target]["manifest"] if target in known else None)
            console.say(f"release {made} holds the state of release {target}")
            failed = _remake_lookup(workspace, catalog, known[target], console)
    for entity, reason in failed.items():
        console.warn(f"{entity}: found by identifier only until the next run, not by name and address: {reason}")
    console.say(f"the loads are as they were: the next run links them all; next: guiyi status {workspace.root}")
    return 0


def _remake_lookup(
    workspace: Workspace, catalog: Catalog, release: Mapping[str, Any], console: Console
) -> Mapping[Any, str]:
    """Let entities be found by name again; what prevents it is told, and the rollback stands all the same."""
    try:
        with connect(memory_limit=workspace.settings.memory_limit, temp=spill(workspace)) as con:
            return remake_lookup(workspace, con, catalog, release, StageClock(console))
    except (LinkageError, CatalogError, duckdb.Error, OSError) as error:
        return {"entities": f"the tables for it could not be made ({type(error).__name__})"}
    finally:
        shutil.rmtree(spill(workspace), ignore_errors=True)


def withdraw_loads(workspace: Workspace, load_ids: Sequence[str], *, now: datetime, console: Console) -> int:
    """Take loads out of use, and publish the state without them.

    A delivery of several files is withdrawn whole. A load that releases rest on and the archive lost can be withdrawn
    as well: that its loss is accepted stands in the release made.

    Raises:
        LinkageError: there is no such load, or nothing would be left of its entity type.
    """
    with locked(workspace, now=now, what="rollback"):
        bring_to_end(workspace)
        loads, made = list_loads(workspace.root), _releases(workspace)
        lost = [load_id for load_id in lost_loads(made, loads) if load_id in load_ids]
        named = [load for load_id in load_ids if load_id not in lost for load in _delivery(workspace, loads, load_id)]
        named += [load for load_id in lost for load in _rest_of_delivery(loads, load_id)]
        ids = list(dict.fromkeys([*lost, *(load.load_id for load in named)]))
        left = {load.entity for load in loads if load.withdrawn is None and load.load_id not in ids}
        concerned = {load.entity for load in named} | (set(made[-1]["manifest"].get("configs", ())) if lost else set())
        if concerned - left:
            raise LinkageError(
                f"{ids[0]}: the only load of its entity type; without it there is nothing to link. "
                f"Go back to a release with `guiyi rollback {workspace.root} RELEASE`, or load a corrected file"
            )
        require_loads(workspace, made, loads, withdrawn=ids)
        _mark(workspace, [load for load in named if load.withdrawn is None], now.isoformat())
        done = _publish_without(workspace, ids, lost=lost, now=now, console=console)
    console.say(f"{_named(ids)} withdrawn")
    for load_id in (one for one in load_ids if one not in lost):
        console.say(f"take {load_id} back with `guiyi rollback {workspace.root} --restore-load {load_id}`")
    console.say(done)
    return 0


def restore_load(workspace: Workspace, load_id: str, *, now: datetime, console: Console) -> int:
    """Take a withdrawn load back into use, and publish the state with it.

    Raises:
        LinkageError: there is no such load, or it was not withdrawn.
    """
    with locked(workspace, now=now, what="rollback"):
        bring_to_end(workspace)
        named = _delivery(workspace, list_loads(workspace.root), load_id)
        if all(load.withdrawn is None for load in named):
            raise LinkageError(f"{load_id}: was not withdrawn; `guiyi status {workspace.root}` shows the loads")
        _mark(workspace, named, None)
        made = _publish_with(workspace, [load.load_id for load in named], now=now, console=console)
    console.say(f"{_named([load.load_id for load in named])} restored")
    console.say(made)
    return 0


def _delivery(workspace: Workspace, loads: Sequence[LoadManifest], load_id: str) -> list[LoadManifest]:
    """Return the loads of the delivery that a load belongs to."""
    found = next((load for load in loads if load.load_id == load_id), None)
    if found is None:
        raise LinkageError(f"load {load_id!r}: there is none of that id; `guiyi status {workspace.root}` lists them")
    if found.parts == 1:
        return [found]
    whole = (found.source, found.as_of, found.mode, found.parts)
    return [load for load in loads if (load.source, load.as_of, load.mode, load.parts) == whole]


def _rest_of_delivery(loads: Sequence[LoadManifest], load_id: str) -> list[LoadManifest]:
    """Return what is left of a delivery of several files, one of which is lost: it cannot be used without it."""
    same = [load for load in loads if load.parts > 1 and load.load_id[:-_DIGITS] == load_id[:-_DIGITS]]
    return same if any(len(same) < load.parts for load in same) else []


def _releases(workspace: Workspace) -> list[dict[str, Any]]:
    if not has_catalog(workspace.catalog):
        return []
    with open_catalog(workspace.catalog) as catalog:
        return releases(catalog)


def _mark(workspace: Workspace, loads: Sequence[LoadManifest], withdrawn: str | None) -> None:
    with locked_loads(workspace.root):
        for load in loads:
            rewrite_manifest(load.model_copy(update={"withdrawn": withdrawn}))


def _publish_without(
    workspace: Workspace, ids: Sequence[str], *, lost: Sequence[str], now: datetime, console: Console
) -> str:
    released = released_loads(workspace)
    if released is None or not (lost or set(ids) & set(released)):
        return "the current release does not rest on it: nothing was published"
    rest = [load_id for load_id in released if load_id not in ids]
    occasion = Occasion(cause="withdrawal", keep=False, told={"withdrawn": list(ids)})
    release = publish_again(workspace, rest, occasion, now=now, console=console)
    return f"release {release} is made from the loads of the last one without it"


def _publish_with(workspace: Workspace, ids: Sequence[str], *, now: datetime, console: Console) -> str:
    """Publish with loads that an earlier release rested on; one that was still waiting goes on waiting."""
    released = released_loads(workspace)
    if released is None or set(ids) <= set(released) or not set(ids) <= _ever_released(workspace):
        return f"nothing was published; next: guiyi run {workspace.root}"
    occasion = Occasion(cause="restoration", told={"restored": list(ids)})
    release = publish_again(workspace, [*released, *ids], occasion, now=now, console=console)
    return f"release {release} is made from the loads of the last one and it"


def _ever_released(workspace: Workspace) -> set[str]:
    return {load_id for release in _releases(workspace) for load_id in release["manifest"].get("loads", [])}


def _named(ids: Sequence[str]) -> str:
    return f"load {ids[0]}" if len(ids) == 1 else f"{len(ids)} loads ({', '.join(ids)})"
