"""Decisions: the list, one with its story, the second opinion on one that waits, and undo with its effect."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from golden_records.catalog.store import Catalog
from golden_records.decisions import STATES, Decision, read_decisions
from linkage.access.shown import sight_of
from linkage.at_once.preview import Preview
from linkage.commands.decide import contradictions_of
from linkage.fields import ENTITIES
from linkage.review import deciding, foresight, second_opinions
from linkage.review.errors import DeskError
from linkage.review.evidence import EvidenceUnavailableError, sheets_of
from linkage.review.forms import Outcome
from linkage.service.desk.pages import page
from linkage.service.desk.previews import preview_page
from linkage.service.desk.ruling_forms import form_from, told
from linkage.service.desk.state import desk_of
from linkage.service.desk.visitor import ROOT, Visitor, VisitorOf, form_of, text_of

router = APIRouter()
_SHOWN = 200


@router.get("/decisions")
async def get_decisions(
    request: Request, visitor: VisitorOf, state: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """List decisions, newest first."""
    visitor.may("records")
    desk = desk_of(request)

    def read() -> tuple[Decision, ...]:
        with desk.reading() as catalog:
            return read_decisions(catalog)

    every = await run_in_threadpool(read)
    shown = [d for d in reversed(every) if state not in STATES or d.state == state]
    against = contradictions_of(every)
    return page(
        "decisions.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place="decisions",
        decisions=shown[:_SHOWN],
        left_out=max(0, len(shown) - _SHOWN),
        blind={d.decision_id for d in shown if _is_blind(d, visitor)},
        contradictions=against,
        aside={c.set_aside for c in against},
        state=state,
        counts={one: sum(d.state == one for d in every) for one in STATES},
    )


@router.get("/decisions/{decision_id}")
async def get_decision(
    decision_id: int, request: Request, visitor: VisitorOf, done: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Show a decision."""
    return await show_decision(request, visitor, decision_id, done=done)


async def show_decision(
    request: Request, visitor: Visitor, decision_id: int, *, done: str = "", problem: DeskError | None = None
) -> Response:
    """Show a decision: what was ruled, on which records, what happened to it."""
    visitor.may("records")
    desk = desk_of(request)
    subject = f"decision:{decision_id}"
    sight = visitor.sight(subject, desk.now())

    def read() -> dict[str, Any]:
        with desk.reading() as catalog:
            decision = _decision(catalog, decision_id)
            said = second_opinions.opinions_on(catalog, decision)
            part = None
            if decision.state == "proposed" and visitor.permissions.rule:
                part = second_opinions.may_speak(decision, said, visitor.reviewer)
            homes = {}
            for record in sorted(decision.records):
                source, _, key = record.partition(":")
                row = catalog.row(
                    "select entity_id from record_link where source = ? and source_record_id = ?", (source, key)
                )
                homes[record] = row[0] if row else None
        entity = next(e for e in ENTITIES if e == decision.ruling.entity_type)
        if entity == "natural_person":
            visitor.may("natural_persons")
        try:
            with desk.batch:
                sheets = sheets_of(desk.workspace, entity, decision.records, sight=sight)
        except EvidenceUnavailableError:
            sheets = {}
        return {"decision": decision, "said": said, "part": part, "homes": homes, "sheets": sheets}

    values = await run_in_threadpool(read)
    decision: Decision = values["decision"]
    shown = {record: sheet.values for record, sheet in values["sheets"].items()}
    entities = sorted({one for one in values["homes"].values() if one})
    await desk.service().record([visitor.look(desk, "review_decision", subject, one, shown, ()) for one in entities])
    mine = any(event.by.name == visitor.name for event in decision.events)
    return page(
        "decision.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        status=200 if problem is None else 409 if problem.code == "stale" else 422,
        place="decisions",
        blind=_is_blind(decision, visitor) and values["part"] == "second",
        is_disputed=second_opinions.is_disputed(decision, values["said"]),
        may_undo=visitor.permissions.rule and (mine or visitor.permissions.settle) and decision.state != "revoked",
        reasons=desk.workspace.settings.decisions.known_reasons,
        subject=subject,
        sight=sight,
        done=done,
        problem=problem and problem.said(visitor.language),
        back=f"{ROOT}/decisions/{decision_id}",
        **values,
    )


@router.get("/decisions/{decision_id}/undo-preview")
async def get_undo_preview(
    decision_id: int, request: Request, visitor: VisitorOf, fragment: Annotated[str, Query(max_length=5)] = ""
) -> Response:
    """Show what revoking a decision would change."""
    visitor.may("records")
    desk = desk_of(request)

    def read() -> tuple[Decision, Preview]:
        with desk.reading() as catalog, desk.batch:
            decision = _decision(catalog, decision_id)
            return decision, foresight.foresee_undo(desk.workspace, catalog, decision)

    entity, found, problem = "", None, None
    try:
        decision, found = await run_in_threadpool(read)
        entity = decision.ruling.entity_type
    except DeskError as error:
        problem = error
    sight = sight_of(visitor.permissions, None)
    return preview_page(
        desk, visitor, found, problem, entity=entity, sight=sight, choice="undo", fragment=fragment, place="decisions"
    )


@router.post("/decisions/{decision_id}/undo")
async def post_undo(decision_id: int, request: Request, visitor: VisitorOf) -> Response:
    """Revoke a decision; what the evidence says holds again."""
    desk = desk_of(request)
    form = await form_of(request, visitor)
    note = text_of(form, "note").strip()

    def undo() -> Outcome:
        with desk.batch, desk.writing() as catalog:
            return deciding.undo(
                desk.workspace, catalog, decision_id, note=note, reviewer=visitor.reviewer, now=desk.now()
            )

    try:
        outcome = await run_in_threadpool(undo)
    except DeskError as error:
        if error.code in ("gone", "not_yours"):
            raise
        return await show_decision(request, visitor, decision_id, problem=error)
    return RedirectResponse(f"{ROOT}/decisions/{decision_id}?done={told(outcome)}", 303)


@router.post("/decisions/{decision_id}/second")
async def post_second(decision_id: int, request: Request, visitor: VisitorOf) -> Response:
    """Take a second opinion on a decision that waits."""
    desk = desk_of(request)
    form = form_from(await form_of(request, visitor))

    def speak() -> Outcome:
        with desk.batch, desk.writing() as catalog:
            return deciding.second(
                desk.workspace, catalog, decision_id, form, reviewer=visitor.reviewer, now=desk.now()
            )

    try:
        outcome = await run_in_threadpool(speak)
    except DeskError as error:
        if error.code in ("gone", "not_yours"):
            raise
        return await show_decision(request, visitor, decision_id, problem=error)
    return RedirectResponse(f"{ROOT}/decisions/{decision_id}?done={told(outcome)}", 303)


def _decision(catalog: Catalog, decision_id: int) -> Decision:
    found = deciding.decision_of(catalog, decision_id)
    if found is None:
        raise DeskError("gone", "没有这个裁定。", "there is no such decision.")
    return found


def _is_blind(decision: Decision, visitor: Visitor) -> bool:
    """Say whether a visitor might still be the second person, and so does not see what the first one ruled."""
    return (
        decision.state == "proposed"
        and visitor.permissions.rule
        and all(event.by.name != visitor.name for event in decision.events)
    )
