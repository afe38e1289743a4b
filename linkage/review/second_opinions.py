"""The second opinion on a decision that waits, and the end of a dispute.

The second person has not seen the first one's words: the same ruling confirms the decision, another one makes it a
dispute. A third person who may settle ends it: by confirming the waiting decision, or by another ruling.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, confirm, revoke, same_person
from golden_records.opinions import Choice, Opinion, Part, opinions_of
from linkage.review.cases import read_case
from linkage.review.errors import DeskError, outdated
from linkage.review.forms import Form, Outcome, Reviewer
from linkage.review.keeping import ENTITY_CASE, keep_decision, keep_deed, keep_opinion
from linkage.review.meaning import require_no_contradiction, ruling_of_case
from linkage.workspace import Workspace


def opinions_on(catalog: Catalog, decision: Decision) -> tuple[Opinion, ...]:
    """Return the opinions that made, confirmed or dispute a decision, oldest first."""
    rows = catalog.execute(
        "select distinct case_id from review_opinion where decision_id = ?", (decision.decision_id,)
    ).fetchall()
    found = [one for (case_id,) in rows for one in opinions_of(catalog, case_id)]
    return tuple(one for one in found if one.decision_id == decision.decision_id)


def may_speak(decision: Decision, said: Sequence[Opinion], reviewer: Reviewer) -> Part | None:
    """Return as what somebody may still speak on a decision that waits: second, settling, or not at all."""
    spoken = [decision.author, *(one.by for one in said)]
    if any(same_person(one, reviewer.person) for one in spoken):
        return None
    return "settling" if is_disputed(decision, said) and reviewer.permissions.settle else _second_part(decision, said)


def is_disputed(decision: Decision, said: Sequence[Opinion]) -> bool:
    """Say whether two people see a decision differently."""
    return any(not _agrees(decision, one.ruling, one.record_id) for one in said if one.part != "first")


def _second_part(decision: Decision, said: Sequence[Opinion]) -> Part | None:
    return None if is_disputed(decision, said) else "second"


def further(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    decision: Decision,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    """Take a further opinion on a decision that waits.

    Raises:
        DeskError: this person may not speak on it, or not any more.
    """
    said = opinions_on(catalog, decision)
    part = may_speak(decision, said, reviewer)
    if part is None:
        raise _not_by_you(decision, said, reviewer)
    first = next((one for one in said if one.part == "first"), None)
    if _agrees(decision, form.ruling, form.record_id):
        confirmed = confirm(
            catalog,
            decision.decision_id,
            by=reviewer.person,
            now=now,
            check=require_no_contradiction,
            note=form.note or None,
        )
        keep_opinion(catalog, case_id, form, reviewer, now, part, confirmed)
        action = "confirmed" if part == "second" else "settled"
        keep_deed(catalog, action, reviewer, now, decision=confirmed, case_id=case_id, form=form)
        return Outcome("ruled", confirmed, first=first)
    if part == "second":
        keep_opinion(catalog, case_id, form, reviewer, now, part, decision)
        keep_deed(catalog, "disagreed", reviewer, now, decision=decision, case_id=case_id, form=form)
        return Outcome("disputed", decision, first=first)
    return _settle(workspace, catalog, case_id, decision, said, form, reviewer, now)


def _settle(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    decision: Decision,
    said: Sequence[Opinion],
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    """End a dispute against the waiting decision; whoever ruled so second becomes the author of the new one."""
    ended = revoke(catalog, decision.decision_id, by=reviewer.person, now=now, note=form.note or form.reason)
    made: Decision | None = None
    is_of_entity = case_id.startswith(ENTITY_CASE)  # nothing to rule instead: what the evidence says holds
    if form.ruling != "cannot_tell" and not is_of_entity:
        case = read_case(catalog, case_id)
        if case is None or case.ended is not None:
            raise outdated()
        ruling = ruling_of_case(catalog, case, form)
        before = next((o.by for o in said if o.part == "second" and o.ruling == form.ruling), None)
        made = keep_decision(workspace, catalog, ruling, before or reviewer.person, now)
        if before is not None and made.state == "proposed":
            made = confirm(catalog, made.decision_id, by=reviewer.person, now=now, check=require_no_contradiction)
    keep_opinion(catalog, case_id, form, reviewer, now, "settling", made)
    keep_deed(catalog, "settled", reviewer, now, decision=made or decision, case_id=case_id, form=form)
    if made is None:
        return Outcome("revoked", ended) if is_of_entity else Outcome("undecided", None)
    return Outcome("ruled" if made.state == "active" else "waiting", made)


def _agrees(decision: Decision, ruling: Choice, record_id: str | None) -> bool:
    if decision.ruling.kind != ruling:
        return False
    return ruling != "not_here" or record_id in (None, decision.ruling.records[0])


def _not_by_you(decision: Decision, said: Sequence[Opinion], reviewer: Reviewer) -> DeskError:
    if is_disputed(decision, said) and not reviewer.permissions.settle:
        return DeskError(
            "not_yours",
            "两人意见不同，由主审（lead_auditor）裁决。",
            "two people see it differently; a lead auditor settles it.",
        )
    return DeskError(
        "not_yours",
        "您已就此表过意见；须由另一人复核。",
        "you have spoken on this already; a second person must confirm it.",
    )
