"""What a ruling leaves in the catalog: a decision, an opinion, a deed of the trail.

The caller holds one writing transaction around all three.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from golden_records.catalog.publish import current_release
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, Person, propose, read_decisions
from golden_records.opinions import Part, add_opinion
from golden_records.review_trail import Deed, write_deed
from golden_records.ruling import Ruling
from linkage.review.errors import said_already
from linkage.review.forms import Form, Reviewer
from linkage.review.meaning import require_no_contradiction
from linkage.workspace import Workspace

# An opinion on an entity, not on a case, is kept under its id with this before it.
ENTITY_CASE = "entity:"


def keep_decision(workspace: Workspace, catalog: Catalog, ruling: Ruling, author: Person, now: datetime) -> Decision:
    """Store the decision that a ruling makes; of kinds that need two people it waits.

    Raises:
        DeskError: it stands already, or contradicts decisions in force.
    """
    for decision in read_decisions(catalog, entity_type=ruling.entity_type):
        if decision.state != "revoked" and decision.ruling.means == ruling.means:
            raise said_already(decision)
    return propose(
        catalog,
        ruling,
        policy=workspace.settings.decisions.policy,
        author=author,
        now=now,
        check=require_no_contradiction,
    )


def keep_opinion(
    catalog: Catalog,
    case_id: str,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
    part: Part,
    decision: Decision | None,
) -> None:
    """Store what somebody said, and of which decision."""
    add_opinion(
        catalog,
        case_id,
        by=reviewer.person,
        now=now,
        part=part,
        ruling=form.ruling,
        record_id=form.record_id if form.ruling == "not_here" else None,
        reason=form.reason,
        note=form.note,
        decision_id=decision.decision_id if decision else None,
        release=current_release(catalog),
        request_key=form.request_key,
    )


def keep_deed(
    catalog: Catalog,
    action: str,
    reviewer: Reviewer,
    now: datetime,
    *,
    decision: Decision | None,
    case_id: str | None,
    form: Form | None = None,
    entity_id: str | None = None,
) -> None:
    """Write into the trail what was done, with the kind and weight of the case as they are now."""
    if case_id is not None and case_id.startswith(ENTITY_CASE):
        case_id = None
    detail: dict[str, Any] = {}
    if form is not None:
        detail = {"ruling": form.ruling, "reason": form.reason}
        if form.levels:
            detail["levels"] = {name: list(level) for name, level in form.levels.items()}
    if case_id is not None:
        row = catalog.row(
            "select kind, rule, match_weight, match_probability from review_case where case_id = ?", (case_id,)
        )
        if row is not None:
            detail |= dict(zip(("kind", "rule", "weight", "probability"), row, strict=True))
    deed = Deed(
        action=action,
        actor=reviewer.person.name,
        role=reviewer.person.role,
        organization=reviewer.organization,
        case_id=case_id,
        entity_id=entity_id,
        decision_id=decision.decision_id if decision else None,
        release=current_release(catalog),
        evidence_hash=form.evidence_hash if form else None,
        detail=detail,
    )
    write_deed(catalog, deed, now=now)
