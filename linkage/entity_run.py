"""One entity type's part of a run: from its loads to linked records, permanent ids, golden values and figures.

What the last run computed is taken over where its input is the same (`linkage.increment`); nothing is published here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.summary import EntitySection, KindCount, SourceRows
from golden_records.catalog.read import PreviousTables, previous_membership
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions
from golden_records.ledger import LedgerCounts
from linkage.changes import Release, config_changed, run_is_of_release, with_stability
from linkage.database import count, give_texts
from linkage.entities import History, completeness, identify, survive_values
from linkage.entity_config import ID_PREFIX, load_entity_config
from linkage.fields import Entity
from linkage.figures import entity_section, model_hash
from linkage.increment.before import look_before
from linkage.increment.carried import CARRIED, remove_tables
from linkage.increment.released import applied_decisions, lacks_decisions_alone, take_ledger, told_last
from linkage.increment.taken import find_changed
from linkage.ingest.arrivals import ArrivalTables, change_records, write_loads
from linkage.ingest.current import current_records, loads_in_force
from linkage.ingest.manifest import LoadManifest
from linkage.pipeline import Linkage, LinkageOptions, link_records
from linkage.sources import known_sources
from linkage.stages import StageClock
from linkage.workspace import Workspace


@dataclass(frozen=True)
class Occasion:
    """What a release is made for, if not for the month.

    Attributes:
        cause: what its events give as their cause; found from what changed if absent.
        loads: the loads it rests on; all that count if absent.
        keep: links of the last release may be kept (hysteresis).
        erased: values that nothing of the release may hold as an anchor.
        told: more for the release's manifest.
        incomplete: it is made although a load that releases rest on is lost.
    """

    cause: str | None = None
    loads: Sequence[LoadManifest] | None = None
    keep: bool = True
    erased: Collection[str] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    incomplete: bool = False


MONTH = Occasion()


@dataclass(frozen=True)
class Finished:
    """One entity type's part of a run; `newest`: it took the ledger from a batch database of the newest release."""

    linkage: Linkage
    counts: LedgerCounts
    section: EntitySection
    newest: bool

    @property
    def differs_in_known(self) -> bool:
        """Whether it is known which of the newest release's entities are others now."""
        return self.newest and self.linkage.revalued is not None


def link_entity(
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
) -> Finished:
    """Link the records of one entity type, pass ids on and make golden values, up to what is published.

    Args:
        workspace: the workspace.
        con: the run's batch database, with the last run's attached.
        catalog: the store, before the publish.
        made: its releases.
        entity: the entity type.
        loads: the loads that the release rests on.
        clock: measures the stages.
        full: take nothing over from the last run.
        occasion: what the release is made for.
    """
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
    return Finished(run, ledger, section, newest=taken is not None)


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
