"""Making the lookup tables of a release again that was rolled back to, from the loads it rests on.

The catalog keeps no profiles of past releases. They follow from the loads: the records in force are standardised and
grouped as for that release, and belong to the entities that the catalog now says they belong to. Nothing is linked.

Invariant: what is found by name scores as it would have in that release; an entity type whose configuration or model is
no longer that of the release is left out, and stays findable by identifier only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.catalog.delta import load
from golden_records.catalog.lookup import stage_lookup, stage_rows_of_lookup, write_lookup
from golden_records.catalog.schema import Column
from golden_records.catalog.store import Catalog
from linkage.database import count
from linkage.entity_config import ID_PREFIX, load_entity_config
from linkage.errors import LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.figures import model_hash
from linkage.ingest.current import current_records
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.lookup.publishing import lookup_part
from linkage.pipeline import STEPS, Linkage, LinkageOptions
from linkage.stages import StageClock
from linkage.workspace import Workspace

_NEEDED = ("standardise", "profile", "model", "frequencies")


def remake_lookup(
    workspace: Workspace, con: DuckDBPyConnection, catalog: Catalog, release: Mapping[str, Any], clock: StageClock
) -> dict[Entity, str]:
    """Make the lookup tables of the current release again; the caller holds the workspace's lock.

    Args:
        workspace: the workspace.
        con: DuckDB connection for what is computed.
        catalog: the store, open for writing.
        release: the release rolled back to, as `releases` tells it.
        clock: measures the steps.

    Returns:
        Entity type → why it could not be done.
    """
    named = set(release["manifest"].get("loads", ()))
    loads = [one for one in list_loads(workspace.root) if one.load_id in named]
    runs, failed = [], dict[Entity, str]()
    for entity in (e for e in ENTITIES if _entities_of(catalog, e)):
        try:
            if len(loads) < len(named):
                raise LinkageError(f"{len(named) - len(loads)} of the loads it rests on are not in the workspace")
            runs.append(_profiled(workspace, con, catalog, entity, release, loads, clock))
        except LinkageError as error:
            failed[entity] = str(error)
    with clock.stage("lookup") as stage:
        staged = [found for run in runs if (found := stage_lookup(catalog, con, lookup_part(run))) is not None]
        with catalog.connection.staging() as staging:
            coming = stage_rows_of_lookup(con, staging, staged)
            with staging.joined(), catalog.connection.bulk_writing(), catalog.writing():
                write_lookup(catalog, con, staged, coming, [run.config.entity for run in runs])
        stage.rows = sum(count(con, run.table("profiles")) for run in runs)
    return failed


def _entities_of(catalog: Catalog, entity: Entity) -> int:
    """Return how many entities of a type the current release has."""
    row = catalog.row(f"select count(*) from {entity}")
    return 0 if row is None else int(row[0])


def _profiled(
    workspace: Workspace,
    con: DuckDBPyConnection,
    catalog: Catalog,
    entity: Entity,
    release: Mapping[str, Any],
    loads: Sequence[LoadManifest],
    clock: StageClock,
) -> Linkage:
    """Return an entity type's records in force as profiles, and whom each record belongs to."""
    config, model = load_entity_config(entity), workspace.model(entity)
    if release["manifest"].get("configs", {}).get(entity) != config.hash:
        raise LinkageError("its configuration, or the program, is another since")
    if not model.exists():
        raise LinkageError("its model is not in the workspace")
    run = Linkage(con, config, LinkageOptions(model=model, frequencies=workspace.frequencies(entity)), clock)
    with clock.stage("current", entity) as stage:
        current_records(con, [one for one in loads if one.entity == entity], out=run.table("raw"))
        stage.rows = count(con, run.table("raw"))
    for name, step in STEPS:
        if name in _NEEDED:
            with clock.stage(name, entity) as stage:
                stage.rows = step(run)
    if release["models"].get(entity, model_hash(run)) != model_hash(run):
        raise LinkageError("its model is another since")
    query = (
        "select source || ':' || source_record_id as record_id, entity_id from record_link "
        f"where entity_id like '{ID_PREFIX[entity]}%'"
    )
    load(con, "released_link", (Column("record_id"), Column("entity_id")), catalog, query)
    con.execute(f"create or replace table {quote(run.table('membership'))} as from released_link")
    return run
