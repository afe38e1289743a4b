"""`guiyi run`: link the records in force of every source and publish a release.

The result rests on the loads, the configuration, the model and the last release's ids alone. Everything up to the
publish is written to a batch database of the run's own; the catalog changes in one transaction at the end. A run
killed before that leaves the last release as it was, and the next run starts again from the loads; of a run killed
after it, the next command finishes what is left to do (`linkage.finishing`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.summary import EntitySection, KindCount, RunSummary, SourceRows
from golden_records.catalog.place import Place
from golden_records.catalog.publish import current_release, publish
from golden_records.catalog.read import PreviousTables, previous_membership, releases
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.decisions import Decision, read_decisions
from golden_records.ledger import LedgerCounts
from linkage.changes import (
    Release,
    alarm_lines,
    config_changed,
    config_hashes,
    run_is_of_release,
    with_stability,
)
from linkage.commands.console import Console
from linkage.database import connect, count, give_texts
from linkage.entities import History, completeness, identify, release_tables, survive_values
from linkage.entity_config import ID_PREFIX, load_entity_config
from linkage.errors import LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.figures import entity_section, labels, model_hash, package_versions, stage_figures
from linkage.finishing import bring_to_end, finish, make_ready, partial_batch, space_needed, spill
from linkage.increment.before import batch_before, look_before
from linkage.increment.carried import CARRIED, carry_batch, remove_tables
from linkage.increment.publishing import MonthTables, month_tables
from linkage.increment.released import (
    DECISIONS,
    applied_decisions,
    lacks_decisions_alone,
    stamp_release,
    take_ledger,
    told_decisions,
    told_last,
)
from linkage.increment.taken import find_changed
from linkage.ingest.arrivals import ArrivalTables, change_records, write_loads
from linkage.ingest.current import current_records, loads_in_force
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.lookup.publishing import lookup_part
from linkage.model.frequencies import lacks_values, save_frequencies
from linkage.model.parameters import save_model
from linkage.pipeline import Linkage, LinkageOptions, drop_part, link_records
from linkage.relations.derive import Related, relate
from linkage.relations.settings import load_relation_settings
from linkage.shortage import told
from linkage.sources import known_sources
from linkage.stages import StageClock
from linkage.workspace import Workspace, locked


@dataclass(frozen=True)
class Occasion:
    """What a release is made for, if not for the month.

    Attributes:
        cause: what its events give as their cause; found from what changed if absent.
        loads: the loads it rests on; all that count if absent.
        keep: links of the last release may be kept (hysteresis).
        erased: values that nothing of the release may hold as an anchor.
        told: more for the release's manifest.
    """

    cause: str | None = None
    loads: Sequence[LoadManifest] | None = None
    keep: bool = True
    erased: Collection[str] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


MONTH = Occasion()


@dataclass(frozen=True)
class _Finished:
    """One entity type's part of a run; `newest`: it took the ledger from a batch database of the newest release."""

    linkage: Linkage
    counts: LedgerCounts
    section: EntitySection
    newest: bool

    @property
    def differs_in_known(self) -> bool:
        """Whether it is known which of the newest release's entities are others now."""
        return self.newest and self.linkage.revalued is not None


def run_month(
    workspace: Workspace,
    *,
    entities: Sequence[Entity] | None,
    language: str | None,
    now: datetime,
    console: Console,
    full: bool = False,
) -> int:
    """Link everything that was loaded and publish a release.

    Args:
        workspace: the workspace.
        entities: entity types to run; all that have loads if absent.
        language: language of the report; the workspace's if absent.
        now: time of the release.
        console: where progress and the result go.
        full: compute everything anew, taking nothing over from the last run.

    Returns:
        The exit code.
    """
    with locked(workspace, now=now, what="run"):
        summary, release = make_release(
            workspace, entities=entities, now=now, clock=StageClock(console), full=full, language=language
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
                workspace, entities=entities, now=now, clock=clock, full=full, occasion=occasion
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
) -> tuple[RunSummary, int]:
    loads = list_loads(workspace.root, withdrawn=False) if occasion.loads is None else occasion.loads
    chosen = [e for e in ENTITIES if (entities is None or e in entities) and any(m.entity == e for m in loads)]
    if not chosen:
        raise LinkageError(
            f"{workspace.root}: nothing has been loaded to link; load a file with "
            f"`guiyi ingest {workspace.root} --source NAME --as-of DATE FILE`"
        )
    partial = partial_batch(workspace)
    if not full or len(chosen) < len({m.entity for m in loads}):
        carry_batch(workspace.batch, partial)
    with (
        open_catalog(workspace.catalog) as catalog,
        connect(partial, memory_limit=workspace.settings.memory_limit, temp=spill(workspace)) as con,
    ):
        made = releases(catalog)
        _require_own_catalog(workspace, made)
        with batch_before(con, workspace.batch):
            finished = [
                _link(workspace, con, catalog, made, entity, loads, clock, full=full, occasion=occasion)
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
    finished: Sequence[_Finished], related: Related, *, release: int, now: datetime, clock: StageClock
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


def _link(
    workspace: Workspace,
    con: DuckDBPyConnection,
    catalog: Catalog,
    made: Sequence[Release],
    entity: Entity,
    loads: Sequence[LoadManifest],
    clock: StageClock,
    *,
    full: bool,
    occasion: Occasion,
) -> _Finished:
    config = load_entity_config(entity)
    ours = [m for m in loads if m.entity == entity]
    kept_model = workspace.model(entity)
    kept = kept_model.exists()
    tables = PreviousTables(f"{entity}_previous", f"{entity}_known_entities")
    before = look_before(con, config)
    taking = before is not None and before.standardised and not full
    remove_tables(con, entity, but=CARRIED if taking else ())
    taken = take_ledger(con, before, made, out=tables) if before and not full else None
    state = taken or previous_membership(catalog, con, kind=ID_PREFIX[entity], out=tables)
    options = LinkageOptions(
        model=kept_model if kept else None,
        frequencies=workspace.frequencies(entity) if kept else None,
        changed=f"{entity}_changed" if taking else None,
        keep=occasion.keep
        and (
            taken is not None
            or run_is_of_release(con, workspace.batch, entity, previous=tables.previous)
            or (before is not None and lacks_decisions_alone(con, before, made))
        ),
        few=taken is not None and occasion is MONTH,
    )
    with clock.stage("current", entity) as stage:
        stage.rows = _current(con, ours, entity, changed=options.changed)
    decisions = read_decisions(catalog, entity_type=entity)
    in_force = tuple(decision for decision in decisions if decision.state == "active")
    run = link_records(con, config, options, clock, decisions=in_force)
    with clock.stage("identify", entity) as stage:
        _erase_anchors(con, tables, occasion.erased)
        as_of = max(m.as_of for m in ours).isoformat()
        decided = run.table("decided")
        ruled = _ruled_since(con, made, entity, decisions, out=decided)
        cause = occasion.cause or _cause(made, run, ours, ruled=ruled)
        history = History(tables, state.next_sequence, state.release + 1, cause, as_of)
        ledger = identify(run, history, spot_checks=workspace.settings.desk.spot_checks)
        stage.rows = ledger.living
    with clock.stage("survive", entity) as stage:
        survive_values(run, {name: source.rank for name, source in known_sources(workspace).items()})
        stage.rows = ledger.living
    section = entity_section(
        run,
        membership=run.table("membership"),
        sources=_sources(con, run, ours),
        quarantine=_quarantine(ours),
        warnings=_warnings(ours),
    )
    events = tuple(KindCount(kind=kind, count=n) for kind, n in ledger.events.items() if n)
    section = section.model_copy(update={"completeness": completeness(run), "events": events})
    with clock.stage("compare", entity):
        section = with_stability(run, section, workspace=workspace, catalog=catalog, loads=ours, decided=decided)
    return _Finished(run, ledger, section, newest=taken is not None)


def _current(con: DuckDBPyConnection, loads: Sequence[LoadManifest], entity: Entity, *, changed: str | None) -> int:
    """Make the records in force, or bring them up to date and make the table of what changed; return their number."""
    raw, of_loads = f"{entity}_raw", f"{entity}_load"
    if changed is None:
        current_records(con, loads, out=raw)
        write_loads(con, loads, out=of_loads)
    else:
        tables = ArrivalTables(raw, of_loads, f"{entity}_arrived", f"{entity}_departed")
        change_records(con, loads, tables)
        find_changed(con, arrived=tables.arrived, departed=tables.departed, out=changed)
        for table in (tables.arrived, tables.departed):
            con.execute(f"drop table {quote(table)}")
    return count(con, raw)


def _erase_anchors(con: DuckDBPyConnection, tables: PreviousTables, erased: Collection[str]) -> None:
    """Take values out of the anchors that ids have in the ledger."""
    if not erased:
        return
    con.register("erased_anchor", pa.table({"anchor": pa.array(sorted(erased), pa.string())}))
    con.execute(f"update {quote(tables.entities)} set anchor = null where anchor in (select anchor from erased_anchor)")
    con.unregister("erased_anchor")


def _cause(made: Sequence[Release], run: Linkage, loads: Sequence[LoadManifest], *, ruled: int) -> str:
    """Return what brought the run about: new loads, else a ruling, another configuration or program, another model."""
    if not made or {m.load_id for m in loads} - set(made[-1]["manifest"].get("loads", [])):
        return "load"
    if ruled:
        return "decision"
    if config_changed(made, run.config):
        return "rule"
    return "model" if told_last(made, "models").get(run.config.entity) != model_hash(run) else "load"


def _ruled_since(
    con: DuckDBPyConnection, made: Sequence[Release], entity: Entity, decisions: Sequence[Decision], *, out: str
) -> int:
    """Make the table of records named by decisions that changed since the last release; return how many there are."""
    applied, last = applied_decisions(made, entity), made[-1]["published_at"] if made else ""

    def has_changed(decision: Decision) -> bool:
        if applied is None:
            return any(event.at >= last for event in decision.events)
        return (decision.state == "active") != (decision.decision_id in applied)

    named = {r for d in decisions if has_changed(d) for r in d.records}
    give_texts(con, out, "record_id", named)
    return len(named)


def _require_own_catalog(workspace: Workspace, made: Sequence[Release]) -> None:
    """Refuse to replace the release of another workspace, whose entities would all be retired.

    Raises:
        LinkageError: the archive has none of the loads that the newest release rests on.
    """
    released = made[-1]["manifest"].get("loads", []) if made else []
    if released and not {m.load_id for m in list_loads(workspace.root)}.intersection(released):
        raise LinkageError(
            f"{workspace.catalog}: release {made[-1]['release_id']} rests on loads of which {workspace.root} has none "
            f"({released[0]} …): it is another workspace's catalog, or the archive was not restored; name a catalog of "
            "its own in guiyi.toml, or put the folders under loads/ back"
        )


def _released_loads(made: Sequence[Release], loads: Sequence[LoadManifest], chosen: Sequence[Entity]) -> list[str]:
    """Return the loads that the new release rests on: of an entity type not run, those of the release before."""
    before = set(made[-1]["manifest"].get("loads", [])) if made else set()
    return [m.load_id for m in loads if m.entity in chosen or m.load_id in before]


def _sources(con: DuckDBPyConnection, run: Linkage, loads: Sequence[LoadManifest]) -> tuple[SourceRows, ...]:
    kept = dict(con.execute(f"select source, count(*) from {run.table('raw')} group by source").fetchall())
    rows = []
    for name in sorted({m.source for m in loads}):
        of_source = [m for m in loads if m.source == name]
        rows_in = sum(m.rows_held for m in of_source)
        quarantined = sum(sum(m.quarantined.values()) for m in of_source)
        rows.append(
            SourceRows(
                source=name,
                rows_in=rows_in,
                kept=kept.get(name, 0),
                quarantined=quarantined,
                superseded=rows_in - quarantined - kept.get(name, 0),
            )
        )
    return tuple(rows)


def _quarantine(loads: Sequence[LoadManifest]) -> tuple[KindCount, ...]:
    reasons: dict[str, int] = {}
    for manifest in loads:
        for reason, n in manifest.quarantined.items():
            reasons[reason] = reasons.get(reason, 0) + n
    return tuple(KindCount(kind=k, count=n) for k, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def _warnings(loads: Sequence[LoadManifest]) -> tuple[KindCount, ...]:
    found: dict[str, int] = {}
    for manifest in loads_in_force(loads):
        for name, kinds in manifest.warnings.items():
            for kind, n in kinds.items():
                found[f"{name}: {kind}"] = found.get(f"{name}: {kind}", 0) + n
    return tuple(KindCount(kind=k, count=n) for k, n in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _keep_models(workspace: Workspace, con: DuckDBPyConnection, finished: Sequence[_Finished], folder: Path) -> None:
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
        console.say(line)
    console.say(f"report:  {folder / 'report.html'}\ncatalog: {workspace.catalog}")
    console.say(f"next: guiyi resolve {workspace.root} IDENTIFIER")
