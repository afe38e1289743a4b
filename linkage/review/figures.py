"""How desk and linkage are doing: agreement of reviewers, precision of automatic links, alarms of the last run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from eval.metrics import Interval, wilson
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions
from golden_records.opinions import Opinion, every_opinion
from linkage.fields import ENTITIES
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.review_cases import SPOT_CHECK
from linkage.workspace import Workspace


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval (Wilson).

    Attributes:
        part: how many.
        whole: of how many.
        interval: None where there is nothing to count.
    """

    part: int
    whole: int
    interval: Interval | None

    @property
    def value(self) -> float | None:
        """The share."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class SpotChecks:
    """What the spot checks of all releases say of the links that the engine is sure of.

    Attributes:
        drawn: links drawn so far.
        undecided: of these, looked at and not settled: nobody can tell, two people differ, or a second one is missing.
        right: of those settled, the links confirmed.
    """

    drawn: int
    undecided: int
    right: Share


@dataclass(frozen=True)
class Alarm:
    """A total of the last run that moved further than it may."""

    entity: str
    measure: str
    source: str | None
    before: int
    after: int
    limit: float


def agreement(catalog: Catalog) -> Share:
    """Return how often the second opinion was the first one's, of those given without knowing it."""
    first: dict[int, Opinion] = {}
    same = whole = 0
    for opinion in every_opinion(catalog):
        if opinion.decision_id is None:
            continue
        if opinion.part == "first":
            first[opinion.decision_id] = opinion
        elif opinion.part == "second" and opinion.decision_id in first:
            before = first[opinion.decision_id]
            whole += 1
            same += (opinion.ruling, opinion.record_id) == (before.ruling, before.record_id)
    return _share(same, whole)


def precision_of_links(catalog: Catalog, entity: str) -> Share:
    """Return the share of true links among those ruled on that the engine had made by itself.

    Counted are decisions in force on two records that stood in one entity when they were ruled on: `same` confirms the
    link, `different` and `not_here` refute it. People look at doubtful links first, so that of all links more are true.
    """
    true = whole = 0
    for decision in read_decisions(catalog, entity_type=entity, state="active"):
        pair = _linked_pair(decision)
        if pair is None or not _stood_together(catalog, pair, decision.ruling.release):
            continue
        whole += 1
        true += decision.ruling.kind == "same"
    return _share(true, whole)


def spot_checks(catalog: Catalog, entity: str) -> SpotChecks:
    """Return how many links were drawn, how many of these people have settled, and how many of these are right.

    A link counts as settled by a decision in force that answers its case.
    """
    drawn = {
        row[0]
        for table in ("review_case", "review_case_history")
        for row in catalog.execute(
            f"select case_id from {table} where kind = ? and entity_type = ?", (SPOT_CHECK, entity)
        )
    }
    ruled = {
        decision.ruling.case_id: decision.ruling.kind
        for decision in read_decisions(catalog, entity_type=entity, state="active")
        if decision.ruling.case_id in drawn
    }
    spoken = {opinion.case_id for opinion in every_opinion(catalog) if opinion.case_id in drawn}
    right = sum(kind == "same" for kind in ruled.values())
    return SpotChecks(len(drawn), len(spoken - ruled.keys()), _share(right, len(ruled)))


def loads_of(workspace: Workspace, *, newest: int = 12) -> list[LoadManifest]:
    """Return the newest loads, newest first."""
    return list_loads(workspace.root)[::-1][:newest]


def alarms_of(workspace: Workspace) -> tuple[int | None, tuple[Alarm, ...]]:
    """Return the release of the newest run report and the alarms in it."""
    reports = sorted(workspace.runs.glob("release-*/report.json")) if workspace.runs.exists() else []
    if not reports:
        return None, ()
    try:
        told: dict[str, Any] = json.loads(reports[-1].read_text("utf-8"))
        found = [
            Alarm(
                section["entity"],
                alarm["measure"],
                alarm.get("source"),
                int(alarm["before"]),
                int(alarm["after"]),
                float(alarm["limit"]),
            )
            for section in told["entities"]
            for alarm in (section.get("stability") or {}).get("alarms", ())
        ]
        return told.get("release_id"), tuple(found)
    except (OSError, ValueError, KeyError, TypeError):
        return None, ()


def precision(catalog: Catalog) -> dict[str, Share]:
    """Return the precision of automatic links by entity type."""
    return {entity: precision_of_links(catalog, entity) for entity in ENTITIES}


def _linked_pair(decision: Decision) -> tuple[str, str] | None:
    ruling = decision.ruling
    if ruling.kind == "not_here":
        return (ruling.groups[0][0], ruling.groups[1][0]) if len(ruling.groups) > 1 else None
    return (ruling.records[0], ruling.records[1]) if len(ruling.records) == 2 else None


def _stood_together(catalog: Catalog, pair: tuple[str, str], release: int) -> bool:
    homes = []
    for record in pair:
        source, _, key = record.partition(":")
        row = catalog.row(
            "select entity_id from record_link where source = ? and source_record_id = ? and since_release <= ? "
            "union all select entity_id from record_link_history where source = ? and source_record_id = ? "
            "and since_release <= ? and until_release > ?",
            (source, key, release, source, key, release, release),
        )
        homes.append(row[0] if row else None)
    return homes[0] is not None and homes[0] == homes[1]


def _share(part: int, whole: int) -> Share:
    return Share(part, whole, wilson(part, whole) if whole else None)
