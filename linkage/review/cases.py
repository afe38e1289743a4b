"""One case: what the catalog holds of it, what people said on it, and what changes if somebody rules.

The version of a case is a hash of all that a ruling on it rests on. A form carries the version of the page it stands
in; where the case has another one by then, somebody else has been there, and nothing is overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from golden_records.catalog.publish import current_release
from golden_records.catalog.read import records_of
from golden_records.catalog.schema import REVIEW_CASE
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions
from golden_records.opinions import Opinion, opinions_of
from linkage.access.access_log import hash_of_result
from linkage.fields import ENTITIES, Entity
from linkage.review.queue import row_of
from linkage.review.topics import topic_of
from linkage.review_cases import SPLIT_PROPOSED


@dataclass(frozen=True)
class CaseFile:
    """A case as it stands now.

    Attributes:
        case_id: its key.
        entity: the entity type.
        topic: kind of case.
        rule: the rule or constraint that made it a case.
        weight: match weight of the pair.
        probability: match probability.
        left: the left record.
        right: the right record.
        left_entity: entity of the left record.
        right_entity: entity of the right record.
        release: the current release.
        since: the release that brought the case in its present form.
        ended: the release that dissolved it; None while it is a case.
        opened_at: when it was first published, ISO.
        state: open, waiting, disputed, undecided or ruled.
        assignee: who has taken it.
        opinions: what was said, oldest first.
        pending: the decision that waits for a second person.
        ruled: decisions in force that tell of these two records.
        halves: of a proposal to split an entity, its records on the side of the left and of the right record.
        version: see above.
    """

    case_id: str
    entity: Entity
    topic: str
    rule: str | None
    weight: float | None
    probability: float | None
    left: str
    right: str
    left_entity: str
    right_entity: str
    release: int
    since: int
    ended: int | None
    opened_at: str
    state: str
    assignee: str | None
    opinions: tuple[Opinion, ...]
    pending: Decision | None
    ruled: tuple[Decision, ...]
    halves: tuple[tuple[str, ...], tuple[str, ...]] | None
    version: str

    @property
    def together(self) -> bool:
        """Whether both records stand in one entity."""
        return self.left_entity == self.right_entity

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities at stake."""
        return tuple(dict.fromkeys((self.left_entity, self.right_entity)))


def read_case(catalog: Catalog, case_id: str) -> CaseFile | None:
    """Return a case, living or dissolved; None if no release ever had it."""
    with catalog.reading():
        names = ", ".join(REVIEW_CASE.column_names)
        row = catalog.row(f"select {names}, since_release, null from review_case where case_id = ?", (case_id,))
        if row is None:
            row = catalog.row(
                f"select {names}, since_release, until_release from review_case_history where case_id = ? "
                "order by until_release desc limit 1",
                (case_id,),
            )
        if row is None:
            return None
        return _file(catalog, dict(zip((*REVIEW_CASE.column_names, "since", "ended"), row, strict=True)))


def members_of(catalog: Catalog, entities: Sequence[str]) -> dict[str, str]:
    """Return record → entity of the records of some living entities."""
    return {
        f"{row['source']}:{row['source_record_id']}": entity
        for entity in dict.fromkeys(entities)
        for row in records_of(catalog, entity)
    }


def about_pair(decisions: Sequence[Decision], left: str, right: str) -> tuple[Decision, ...]:
    """Return the decisions that tell of two records whether they are one entity."""
    return tuple(decision for decision in decisions if decision.ruling.tells_of(left, right))


def _file(catalog: Catalog, row: dict[str, Any]) -> CaseFile:
    case_id, left, right = row["case_id"], row["left_record_id"], row["right_record_id"]
    opinions = opinions_of(catalog, case_id)
    decisions = read_decisions(catalog, entity_type=row["entity_type"])
    named = {one.decision_id for one in opinions}
    waiting = [d for d in decisions if d.state == "proposed"]
    pending = next((d for d in waiting if d.decision_id in named or d.ruling.case_id == case_id), None)
    pending = pending or next(iter(about_pair(waiting, left, right)), None)
    ruled = about_pair([d for d in decisions if d.state == "active"], left, right)
    queued = row_of(catalog, case_id)
    published = catalog.row("select published_at from release where release_id = ?", (row["since"],))
    told = [row["left_entity_id"], row["right_entity_id"], row["since"], row["ended"], row["match_weight"]]
    told += [[o.opinion_id for o in opinions], pending.decision_id if pending else None]
    told += [[d.decision_id for d in ruled]]
    halves = _halves(catalog, row)
    told += [] if halves is None else [halves]
    return CaseFile(
        case_id=case_id,
        entity=next(e for e in ENTITIES if e == row["entity_type"]),
        topic=topic_of(row["kind"], row["rule"]),
        rule=row["rule"],
        weight=row["match_weight"],
        probability=row["match_probability"],
        left=left,
        right=right,
        left_entity=row["left_entity_id"],
        right_entity=row["right_entity_id"],
        release=current_release(catalog),
        since=row["since"],
        ended=row["ended"],
        opened_at=queued.opened_at if queued else str(published[0]) if published else "",
        state=queued.state if queued else "open",
        assignee=queued.assignee if queued else _assignee(catalog, case_id),
        opinions=opinions,
        pending=pending,
        ruled=ruled,
        halves=halves,
        version=hash_of_result(told)[:16],
    )


def _halves(catalog: Catalog, row: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the records on either side of a proposed split, those of the pair first."""
    if row["detail"] is None or row["ended"] is not None or row["kind"] != SPLIT_PROPOSED:
        return None
    left, right = row["left_record_id"], row["right_record_id"]
    leaving = set(json.loads(row["detail"])["right"])
    members = sorted(members_of(catalog, (row["left_entity_id"],)))
    sides = [[r for r in members if (r in leaving) == on_right] for on_right in (False, True)]
    one, other = (sorted(side, key=lambda r: (r != first, r)) for side, first in zip(sides, (left, right), strict=True))
    return tuple(one), tuple(other)


def _assignee(catalog: Catalog, case_id: str) -> str | None:
    row = catalog.row("select assignee from review_assignment where case_id = ?", (case_id,))
    return None if row is None else str(row[0])
