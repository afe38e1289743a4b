"""Making a release again from the loads of the current one, for another reason than the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from golden_records.catalog.read import releases
from golden_records.catalog.store import has_catalog, open_catalog
from linkage.commands.console import Console
from linkage.commands.monthly import make_release
from linkage.entity_run import Occasion
from linkage.fields import ENTITIES
from linkage.ingest.manifest import list_loads
from linkage.stages import StageClock
from linkage.workspace import Workspace


def released_loads(workspace: Workspace) -> list[str] | None:
    """Return the loads that the current release rests on; None before the first release."""
    if not has_catalog(workspace.catalog):
        return None
    with open_catalog(workspace.catalog) as catalog:
        made = releases(catalog)
    return list(made[-1]["manifest"].get("loads", [])) if made else None


def publish_again(
    workspace: Workspace, load_ids: Sequence[str], occasion: Occasion, *, now: datetime, console: Console
) -> int:
    """Make a release from the loads named, of every entity type they have, and return its number.

    Loads that wait are not linked by this; the caller holds the workspace's lock.
    """
    loads = [load for load in list_loads(workspace.root, withdrawn=False) if load.load_id in set(load_ids)]
    entities = [entity for entity in ENTITIES if any(load.entity == entity for load in loads)]
    _, release = make_release(
        workspace,
        entities=entities,
        now=now,
        clock=StageClock(console),
        occasion=replace(occasion, loads=loads),
    )
    return release
