"""Past rulings on cases like this one: of the same kind and rule, the more levels are the same the earlier."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from golden_records.catalog.store import Catalog
from linkage.review.cases import CaseFile

_NEWEST = 3_000
_SHOWN = 5


@dataclass(frozen=True)
class PastRuling:
    """A ruling on another case.

    Attributes:
        at: when, ISO.
        actor: who.
        ruling: what was ruled.
        reason: why, a code.
        case_id: the case.
        decision_id: the decision.
        alike: share of comparisons that came out at the same level, 0 to 1; None: not recorded.
        in_force: whether the decision is in force now.
    """

    at: str
    actor: str
    ruling: str
    reason: str
    case_id: str
    decision_id: int | None
    alike: float | None
    in_force: bool


def similar_rulings(
    catalog: Catalog, case: CaseFile, levels: Mapping[str, tuple[str, float]]
) -> tuple[PastRuling, ...]:
    """Return the most similar of the newest rulings, most similar first; those on the case itself are left out."""
    rows = catalog.execute(
        "select t.at, t.actor, t.case_id, t.decision_id, t.detail, "
        "(select e.event from decision_event e where e.decision_id = t.decision_id order by e.event_id desc limit 1) "
        "from review_trail t join review_queue q on q.case_id = t.case_id "
        "where t.action in ('ruled', 'confirmed', 'settled', 'undecided') and t.case_id <> ? "
        "and q.entity_type = ? and q.topic = ? order by t.entry_id desc limit ?",
        (case.case_id, case.entity, case.topic, _NEWEST),
    ).fetchall()
    found: dict[str, PastRuling] = {}
    for at, actor, case_id, decision_id, text, event in rows:
        detail = json.loads(text) if text else {}
        if detail.get("rule") != case.rule or case_id in found:
            continue
        found[case_id] = PastRuling(
            at=at,
            actor=actor,
            ruling=detail.get("ruling", ""),
            reason=detail.get("reason", ""),
            case_id=case_id,
            decision_id=decision_id,
            alike=_alike(levels, detail.get("levels")),
            in_force=event == "activated",
        )
    ordered = sorted(found.values(), key=lambda one: -(one.alike or 0.0))
    return tuple(ordered[:_SHOWN])


def _alike(levels: Mapping[str, tuple[str, float]], others: object) -> float | None:
    if not levels or not isinstance(others, dict):
        return None
    same = sum(bool(others.get(name, (None,))[0] == level) for name, (level, _) in levels.items())
    return same / len(levels)
