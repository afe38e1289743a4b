"""`guiyi run`: link the records in force of every source and publish a release.

The result rests on the loads, the configuration, the model and the last release's ids alone. Everything up to the
publish is written to a batch database of the run's own; the catalog changes in one transaction at the end. A run
killed before that leaves the last release as it was, and the next run starts again from the loads; of a run killed
after it, the next command finishes what is left to do (`linkage.finishing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.summary import RunSummary
from golden_records.catalog.place import Place
from golden_records.catalog.publish import current_release, publish
from golden_records.catalog.read import releases
from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from linkage.changes import Release, alarm_lines, config_hashes
from linkage.commands.console import Console
from linkage.continuity import require_loads, require_releases
from linkage.database import connect
from linkage.entities import release_tables
from linkage.entity_run import MONTH, Finished, Occasion, link_entity
from linkage.errors import LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.figures import labels, model_hash, package_versions, stage_figures
from linkage.finishing import bring_to_end, finish, make_ready, partial_batch, space_needed, spill
from linkage.increment.before import batch_before
from linkage.increment.carried import carry_batch
from linkage.increment.publishing import MonthTables, month_tables
from linkage.increment.released import DECISIONS, stamp_release, told_decisions
from linkage.ingest.current import loads_in_force
from linkage.ingest.load_folder import require_whole
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.lookup.publishing import lookup_part
from linkage.model.frequencies import lacks_values, save_frequencies
from linkage.model.parameters import save_model
from linkage.pipeline import Linkage, drop_part
from linkage.relations.derive import Related, relate
from linkage.relations.settings import load_relation_settings
from linkage.shortage import told
from linkage.stages import StageClock
from linkage.workspace import Workspace, locked


def run_month(
    workspace: Workspace,
    *,
    entities: Sequence[Entity] | None,
    language: str | None,
    now: datetime,
    console: Console,
    full: bool = False,
    new_catalog: bool = False,
) -> int:
    """Link everything that was loaded and publish a release.

    Args:
        workspace: the workspace.
        entities: entity types to run; all that have loads if absent.
        language: language of the report; the workspace's if absent.
        now: time of the release.
        console: where progress and the result go.
        full: compute everything anew, taking nothing over from the last run.
        new_catalog: begin a catalog again, with new ids, though the workspace has published before.

    Returns:
        The exit code.
    """
    with locked(workspace, now=now, what="run"):
        summary, release = make_release(
            workspace,
            entities=entities,
            now=now,
            clock=StageClock(console),
            full=full or new_catalog,
            language=language,
            new_catalog=new_catalog,
        )
    _print(summary, release, workspace.runs / summary.run_id, workspace, console)
    return 0


def make_release(
    workspace: Workspace,
    *,
    entities: Sequence[Entity] | None,
    now: datetime,
    clock: StageClock,
    full: bool = False,
    language: str | None = None,
    occasion: Occasion = MONTH,
    new_catalog: bool = False,
) -> tuple[RunSummary, int]:
    """Run the linkage and publish; the caller holds the workspace's lock.

    What the last run computed is taken over where its input is the same (`linkage.increment`), unless `full`. What a
    killed run left is brought to its end first, and what this one leaves if it fails is removed (`linkage.finishing`).

    Returns:
        The run's figures, and the number of the release.
    """
    bring_to_end(workspace)
    needed = space_needed(workspace)
    try:
        with told(workspace.root, needed_bytes=needed, outcome="nothing was published"):
            summary, release = _make_release(
                workspace,
                entities=entities,
                now=now,
                clock=clock,
                full=full,
                occasion=occasion,
                new_catalog=new_catalog,
            )
        outcome = f"release {release} is published, and the next command puts its report and batch database in place"
        with told(workspace.root, needed_bytes=needed, outcome=outcome):
            finish(workspace, summary, language=language)
    except BaseException:
        with suppress(Exception):  # what went wrong first is what counts
            bring_to_end(workspace)
        raise
    return summary, release


def _make_release(
    workspace: Workspace,
    *,
    entities: Sequence[Entity] | None,
    now: datetime,
    clock: StageClock,
    full: bool,
    occasion: Occasion,
    new_catalog: bool,
) -> tuple[RunSummary, int]:
    loads = list_loads(workspace.root, withdrawn=False) if occasion.loads is None else occasion.loads
    chosen = [e for e in ENTITIES if (entities is None or e in entities) and any(m.entity == e for m in loads)]
    if not chosen:
        raise LinkageError(
            f"{workspace.root}: nothing has been loaded to link; load a file with "
            f"`guiyi ingest {workspace.root} --source NAME --as-of DATE FILE`"
        )
    if not new_catalog and not has_catalog(workspace.catalog):
        require_releases(workspace, ())
    read = loads_in_force([m for m in loads if m.entity in chosen])
    require_whole(read)
    partial = partial_batch(workspace)
    if not full or len(chosen) < len({m.entity for m in loads}):
        carry_batch(workspace.batch, partial)
    with (
        open_catalog(workspace.catalog) as catalog,
        connect(partial, memory_limit=workspace.settings.memory_limit, temp=spill(workspace)) as con,
    ):
        made = releases(catalog)
        if not new_catalog:
            require_releases(workspace, made)
        if not occasion.incomplete:
            require_loads(workspace, made, list_loads(workspace.root), withdrawn=occasion.told.get("withdrawn", ()))
        with batch_before(con, workspace.batch), _told_of_damage(read):
            finished = [
                link_entity(workspace, con, catalog, made, entity, loads, clock, full=full, occasion=occasion)
                for entity in chosen
            ]
            with clock.stage("relate") as stage:
                related = relate(con, catalog, chosen, load_relation_settings())
                stage.rows = related.rows
            runs = [part.linkage for part in finished]
            few = occasion is MONTH and all(part.differs_in_known for part in finished)
            month = month_tables(con, catalog, runs, relation=related.table) if few else None
            for run in runs:  # before the commit: the batch of a killed run is put in place as it is
                drop_part(run)
                made_by = quote(run.table("made_by"))
                stamp_release(con, made_by, current_release(catalog) + 1, now.isoformat())
            con.execute("checkpoint")
            make_ready(
                workspace,
                _summary(finished, related, release=current_release(catalog) + 1, now=now, clock=clock),
                keep_models=lambda folder: _keep_models(workspace, con, finished, folder),
            )
            with clock.stage("publish") as stage, _told_of_shelf(workspace.catalog):
                manifest = {
                    "loads": _released_loads(made, loads, chosen),
                    "versions": package_versions(),
                    "configs": config_hashes(made, [f.linkage.config for f in finished]),
                    DECISIONS: told_decisions(made, {f.linkage.config.entity: f.linkage.decisions for f in finished}),
                    **occasion.told,
                }
                release = _publish(con, catalog, runs, related, month, occasion=occasion, now=now, manifest=manifest)
                stage.rows = sum(f.counts.living for f in finished)
    return _summary(finished, related, release=release, now=now, clock=clock), release


@contextmanager
def _told_of_damage(loads: Sequence[LoadManifest]) -> Iterator[None]:
    """Tell which load is damaged, if that is why the database cannot go on."""
    try:
        yield
    except duckdb.Error:
        require_whole(loads, by_hash=True)
        raise


def _told_of_shelf(place: Place) -> AbstractContextManager[None]:
    """Tell of a full disk where the catalog's file is; a database's server tells of its own."""
    if not isinstance(place, Path):
        return nullcontext()
    return told(place.parent, needed_bytes=place.stat().st_size, outcome="nothing was published")


def _publish(
    con: DuckDBPyConnection,
    catalog: Catalog,
    runs: Sequence[Linkage],
    related: Related,
    month: MonthTables | None,
    *,
    occasion: Occasion,
    now: datetime,
    manifest: Mapping[str, Any],
) -> int:
    """Publish what may have changed, where that is known, else everything."""
    reprofiled = month.reprofiled if month else {}
    return publish(
        catalog,
        con,
        month.tables if month else release_tables(tuple(runs), relation=related.table),
        now=now,
        manifest=manifest,
        cause=occasion.cause or "load",
        models={run.config.entity: model_hash(run) for run in runs},
        owners=month.owners if month else None,
        held=month.held if month else None,
        lookup=[lookup_part(run, among=reprofiled.get(run.config.entity)) for run in runs],
    )


def _summary(
    finished: Sequence[Finished], related: Related, *, release: int, now: datetime, clock: StageClock
) -> RunSummary:
    return RunSummary(
        run_id=f"release-{release:04d}",
        finished_at=now.isoformat(),
        release_id=str(release),
        config_hash="-".join(f.linkage.config.hash[:8] for f in finished),
        versions=package_versions(),
        entities=tuple(f.section for f in finished),
        relations=related.relations,
        unresolved=related.unresolved,
        stages=stage_figures(clock),
        labels=labels(f.linkage.config for f in finished),
    )


def forget_models(workspace: Workspace, *, entities: Sequence[Entity] | None, now: datetime, console: Console) -> int:
    """Remove the workspace's models, so that the next run trains new ones."""
    with locked(workspace, now=now, what="train"):
        bring_to_end(workspace)
        for entity in entities or ENTITIES:
            workspace.model(entity).unlink(missing_ok=True)
            workspace.frequencies(entity).unlink(missing_ok=True)
    console.say(f"the next run trains new models; next: guiyi run {workspace.root}")
    return 0


def _released_loads(made: Sequence[Release], loads: Sequence[LoadManifest], chosen: Sequence[Entity]) -> list[str]:
    """Return the loads that the new release rests on: of an entity type not run, those of the release before."""
    before = set(made[-1]["manifest"].get("loads", [])) if made else set()
    return [m.load_id for m in loads if m.entity in chosen or m.load_id in before]


def _keep_models(workspace: Workspace, con: DuckDBPyConnection, finished: Sequence[Finished], folder: Path) -> None:
    """Write the models of a first run, so that months stay comparable: always with the frequencies they go with.

    Frequencies are written again when a column first has values.
    """
    for part in finished:
        entity = part.linkage.config.entity
        model, frequencies = workspace.model(entity), workspace.frequencies(entity)
        if not model.exists() or lacks_values(con, part.linkage.frequencies, frequencies):
            save_frequencies(con, part.linkage.frequencies, folder / frequencies.name)
        if not model.exists():
            save_model(part.linkage.trained, folder / model.name)


def _print(summary: RunSummary, release: int, folder: Path, workspace: Workspace, console: Console) -> None:
    rows = [
        (
            section.entity,
            f"{section.rows_in:,}",
            f"{section.kept:,}",
            f"{section.quarantined:,}",
            f"{section.entities:,}",
            f"{section.merges:,}",
            f"{section.review_cases:,}",
        )
        for section in summary.entities
    ]
    data = {
        "release": release,
        "report": str(folder / "report.html"),
        "catalog": str(workspace.catalog),
        "entities": json.loads(summary.model_dump_json(include={"entities": True}))["entities"],
    }
    columns = ("release " + str(release), "rows in", "kept", "quarantined", "entities", "merges", "review cases")
    console.table(f"release {release}", columns, rows, data)
    for line in alarm_lines(summary.entities):
        console.warn(line)
    console.say(f"report:  {folder / 'report.html'}\ncatalog: {workspace.catalog}")
    console.say(f"next: guiyi resolve {workspace.root} IDENTIFIER")
