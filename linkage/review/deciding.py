"""Ruling at the desk: an opinion is checked, kept, and becomes a decision, which the engine applies at once.

First opinion: makes a decision; of the kinds that need two people it waits (`linkage.review.second_opinions`).
Opinion, decision and trail are written in one transaction; applying comes after it, and what cannot be applied now the
next run applies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions, revoke, same_person
from golden_records.opinions import Opinion, opinion_of_request
from golden_records.ruling import DecisionError, Ruling
from linkage.commands.decide import apply_at_once
from linkage.review.cases import read_case
from linkage.review.errors import DeskError, not_among, outdated, refused
from linkage.review.forms import (
    Form,
    Outcome,
    Reviewer,
    State,
    checked_form,
    checked_note,
    require_living,
    require_right,
)
from linkage.review.keeping import ENTITY_CASE, keep_decision, keep_deed, keep_opinion
from linkage.review.meaning import entity_version, ruling_of_case, split_ruling
from linkage.review.queue import bring_up
from linkage.review.second_opinions import further, is_disputed, opinions_on
from linkage.review.topics import choices
from linkage.workspace import Workspace


def rule(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    form: Form,
    *,
    reviewer: Reviewer,
    now: datetime,
    apply: bool = True,
) -> Outcome:
    """Take a person's ruling on a case.

    Args:
        workspace: the workspace.
        catalog: its catalog, open for writing.
        case_id: the case.
        form: what was ruled.
        reviewer: who rules.
        now: when.
        apply: apply it at once; else whoever rules on many cases applies all of them afterwards.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        case = read_case(catalog, case_id)
        require_living(case, form)
        assert case is not None
        possible = choices(together=case.together)
        if form.ruling not in possible:
            raise not_among(form.ruling, possible, "结论", "ruling")
        if case.pending is not None:
            return further(workspace, catalog, case_id, case.pending, form, reviewer, now)
        ruling = None if form.ruling == "cannot_tell" else ruling_of_case(catalog, case, form)
        return _first(workspace, catalog, case_id, ruling, form, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now, apply=apply)


def split(
    workspace: Workspace,
    catalog: Catalog,
    entity_id: str,
    selected: Sequence[str],
    form: Form,
    *,
    are_one: bool | None,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    """Rule that the selected records of an entity are not one with its others.

    Args:
        workspace: the workspace.
        catalog: its catalog, open for writing.
        entity_id: the entity.
        selected: the records.
        form: why; its ruling is made of the selection.
        are_one: see `linkage.review.meaning.split_ruling`.
        reviewer: who rules.
        now: when.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        if entity_version(catalog, entity_id) != form.version:
            raise outdated()
        ruling = split_ruling(catalog, entity_id, selected, are_one=are_one, reason=form.reason, note=form.note)
        said = replace(form, ruling=ruling.kind, record_id=None)
        return _first(workspace, catalog, ENTITY_CASE + entity_id, ruling, said, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now)


def second(
    workspace: Workspace, catalog: Catalog, decision_id: int, form: Form, *, reviewer: Reviewer, now: datetime
) -> Outcome:
    """Take a further opinion on a decision that waits, of no case or of one.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        decision = decision_of(catalog, decision_id)
        if decision is None or decision.state != "proposed":
            raise outdated()
        case_id = decision.ruling.case_id or f"{ENTITY_CASE}{decision_id}"
        return further(workspace, catalog, case_id, decision, form, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now)


def undo(
    workspace: Workspace, catalog: Catalog, decision_id: int, *, note: str, reviewer: Reviewer, now: datetime
) -> Outcome:
    """Revoke a decision: its author, its second author, or whoever may settle.

    Raises:
        DeskError: there is none, it was revoked already, it is another's, or no reason is given.
    """
    require_right(reviewer)
    decision = decision_of(catalog, decision_id)
    if decision is None:
        raise DeskError("gone", "没有这个裁定。", "there is no such decision.")
    mine = any(same_person(event.by, reviewer.person) for event in decision.events)
    if not mine and not reviewer.permissions.settle:
        raise DeskError(
            "not_yours",
            "这是别人的裁定；请裁定人本人或主审（lead_auditor）撤销。",
            "this is another's ruling; its author or a lead auditor can revoke it.",
        )
    if decision.state == "revoked":
        raise DeskError("stale", "这个裁定已被撤销。", "the decision was revoked already.", decisions=(decision_id,))
    checked_note(note, required=True)
    try:
        with catalog.writing():
            decision = revoke(catalog, decision_id, by=reviewer.person, now=now, note=note)
            keep_deed(catalog, "revoked", reviewer, now, decision=decision, case_id=decision.ruling.case_id)
    except DecisionError as error:
        raise refused(error) from error
    return _applied(workspace, catalog, Outcome("revoked", decision), now)


def decision_of(catalog: Catalog, decision_id: int) -> Decision | None:
    """Return one decision."""
    return next((d for d in read_decisions(catalog) if d.decision_id == decision_id), None)


def _taken(
    workspace: Workspace,
    catalog: Catalog,
    form: Form,
    speak: Callable[[], Outcome],
    *,
    reviewer: Reviewer,
    now: datetime,
    apply: bool = True,
) -> Outcome:
    """Check a form, have its opinion kept in one transaction, once, and apply what it made."""
    require_right(reviewer)
    checked_form(workspace, form)
    try:
        with catalog.writing():
            done = opinion_of_request(catalog, form.request_key)
            if done is not None:
                return _repeated(catalog, done)
            outcome = speak()
    except DecisionError as error:
        raise refused(error) from error
    return _applied(workspace, catalog, outcome, now) if apply else outcome


def _first(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    ruling: Ruling | None,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    if ruling is None:
        keep_opinion(catalog, case_id, form, reviewer, now, "first", None)
        keep_deed(catalog, "undecided", reviewer, now, decision=None, case_id=case_id, form=form)
        return Outcome("undecided", None)
    made = keep_decision(workspace, catalog, ruling, reviewer.person, now)
    keep_opinion(catalog, case_id, form, reviewer, now, "first", made)
    entity_id = case_id.removeprefix(ENTITY_CASE) if case_id.startswith(ENTITY_CASE) else None
    keep_deed(catalog, "ruled", reviewer, now, decision=made, case_id=case_id, form=form, entity_id=entity_id)
    return Outcome("ruled" if made.state == "active" else "waiting", made)


def _applied(workspace: Workspace, catalog: Catalog, outcome: Outcome, now: datetime) -> Outcome:
    effect = None
    if outcome.decision is not None and outcome.state in ("ruled", "revoked"):
        effect = apply_at_once(workspace, catalog, outcome.decision, now)
    bring_up(catalog)
    return replace(outcome, effect=effect)


def _repeated(catalog: Catalog, done: Opinion) -> Outcome:
    decision = decision_of(catalog, done.decision_id) if done.decision_id is not None else None
    if decision is None:
        return Outcome("undecided", None, repeated=True)
    disputed = decision.state == "proposed" and is_disputed(decision, opinions_on(catalog, decision))
    states: dict[str, State] = {"active": "ruled", "revoked": "revoked", "proposed": "waiting"}
    return Outcome("disputed" if disputed else states[decision.state], decision, repeated=True)
