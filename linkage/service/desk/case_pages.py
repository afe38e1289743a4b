"""A case: what the records say, why the engine hesitated, what a ruling would change; and the ruling itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from eval.report.explanation import waterfall
from golden_records.catalog.read import Entity as GoldenEntity
from golden_records.catalog.read import entity as read_entity
from golden_records.catalog.store import Catalog
from linkage.access.shown import Sight, shown_values
from linkage.at_once.preview import Preview
from linkage.fields import CANONICAL_FIELDS, ENTITIES
from linkage.review import cases, deciding, foresight, queue, second_opinions, similar
from linkage.review.cases import CaseFile
from linkage.review.errors import DeskError
from linkage.review.evidence import Evidence, EvidenceUnavailableError, Sheet, evidence_of, sheets_of
from linkage.review.forms import Form, Outcome
from linkage.review.graph import HEIGHT, WIDTH, Drawing, draw
from linkage.review.topics import choices
from linkage.service.desk.pages import desk_words, page
from linkage.service.desk.previews import preview_page
from linkage.service.desk.ruling_forms import choice_of, form_from, told
from linkage.service.desk.state import Desk, desk_of
from linkage.service.desk.visitor import ROOT, Visitor, VisitorOf, count_person, form_of, text_of

router = APIRouter()
Short = Annotated[str, Query(max_length=200)]
_MOST_OF_HALF = 20


@router.get("/cases/{case_id}")
async def get_case(case_id: str, request: Request, visitor: VisitorOf, done: Short = "") -> Response:
    """Show a case."""
    return await show_case(request, visitor, case_id, done=done)


async def show_case(
    request: Request,
    visitor: Visitor,
    case_id: str,
    *,
    done: str = "",
    problem: DeskError | None = None,
    entered: Mapping[str, str] | None = None,
) -> Response:
    """Show a case, with a refusal and what had been entered if there was one."""
    visitor.may("records")
    desk = desk_of(request)
    sight = visitor.sight(case_id, desk.now())

    def read() -> dict[str, Any]:
        with desk.reading() as catalog:
            case = _case(catalog, case_id)
            if case.entity == "natural_person":
                visitor.may("natural_persons")
            members = cases.members_of(catalog, case.entities)
            golden = {one: golden_values(catalog, one, sight) for one in case.entities}
            part = None
            said = second_opinions.opinions_on(catalog, case.pending) if case.pending else ()
            if case.pending is not None and visitor.permissions.rule:
                part = second_opinions.may_speak(case.pending, said, visitor.reviewer)
            evidence, why_not = _evidence(desk, case, members, sight)
            return {
                "halves": _halves(desk, case, sight),
                "case": case,
                "members": members,
                "golden": golden,
                "evidence": evidence,
                "why_not": why_not,
                "part": part,
                "said": said,
                "is_disputed": case.pending is not None and second_opinions.is_disputed(case.pending, said),
                "past": similar.similar_rulings(catalog, case, evidence.levels if evidence else {}),
                "following": queue.following(catalog, queue.Filters(), case_id),
            }

    values = await run_in_threadpool(read)
    case, evidence = values["case"], values["evidence"]
    fields = tuple(one.field for one in evidence.fields) if evidence else ()
    shown = [evidence.left.values, evidence.right.values] if evidence else values["golden"]
    await desk.service().record(
        [visitor.look(desk, "review_case", case_id, one, shown, fields) for one in case.entities]
    )
    if case.entity == "natural_person":
        count_person(desk, visitor)
    w = desk_words(visitor.language)
    steps = waterfall(evidence.explanation, w) if evidence else ()
    return page(
        "case.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        status=200 if problem is None else {"stale": 409, "gone": 410}.get(problem.code, 422),
        place="queue",
        steps=steps,
        zero=_zero(steps),
        by_field=_reasons(evidence, w),
        drawing=_drawing(case, evidence),
        box=(WIDTH, HEIGHT),
        choices=choices(together=case.together),
        reasons=desk.workspace.settings.decisions.known_reasons,
        two_people=desk.workspace.settings.decisions.two_people,
        sight=sight,
        done=done,
        problem=problem and problem.said(visitor.language),
        problem_decisions=problem.decisions if problem else (),
        entered=entered or {},
        blind=values["part"] == "second" and case.pending is not None,
        back=f"{ROOT}/cases/{case_id}",
        **values,
    )


@router.get("/cases/{case_id}/preview")
async def get_preview(
    case_id: str, request: Request, visitor: VisitorOf, ruling: Short, record: Short = "", fragment: Short = ""
) -> Response:
    """Show what a ruling would change."""
    visitor.may("records")
    desk = desk_of(request)
    sight = visitor.sight(case_id, desk.now())
    choice = choice_of(ruling)

    def read() -> tuple[CaseFile, Preview | None]:
        with desk.reading() as catalog:
            case = _case(catalog, case_id)
            if case.entity == "natural_person":
                visitor.may("natural_persons")
            if case.ended is not None:
                raise DeskError("gone", "案件已消解。", "the case was dissolved.")
            key = (case_id, case.version, str(case.release), choice, record)
            if key not in desk.previews and choice != "cannot_tell":
                form = Form(choice, "other", None, case.version, "", record_id=record or None)
                with desk.batch:
                    found = foresight.foresee(desk.workspace, catalog, case, form)
                if found is not None:
                    desk.keep_preview(key, found)
            return case, desk.previews.get(key)

    try:
        case, found = await run_in_threadpool(read)
        problem = None
    except DeskError as error:
        case, found, problem = None, None, error
    entity = case.entity if case else ""
    return preview_page(
        desk, visitor, found, problem, entity=entity, sight=sight, choice=choice, case_id=case_id, fragment=fragment
    )


@router.post("/cases/{case_id}/rule")
async def post_rule(case_id: str, request: Request, visitor: VisitorOf) -> Response:
    """Take a ruling; the page of the case then says what became of it."""
    desk = desk_of(request)
    data = await form_of(request, visitor)
    form = form_from(data)

    def rule() -> Outcome:
        with desk.batch:
            levels, fingerprint = _evidence_of_ruling(desk, case_id)
            whole = Form(
                **{**form.__dict__, "levels": levels, "evidence_hash": fingerprint},
            )
            with desk.writing() as catalog:
                return deciding.rule(desk.workspace, catalog, case_id, whole, reviewer=visitor.reviewer, now=desk.now())

    try:
        outcome = await run_in_threadpool(rule)
    except DeskError as error:
        if error.code in ("gone", "not_yours"):
            raise
        entered = {name: text_of(data, name)[:4_000] for name in ("ruling", "record", "reason", "note")}
        return await show_case(request, visitor, case_id, problem=error, entered=entered)
    return RedirectResponse(f"{ROOT}/cases/{case_id}?done={told(outcome)}", 303)


def golden_values(catalog: Catalog, entity_id: str, sight: Sight) -> dict[str, Any]:
    """Return the golden record of an entity as the reader may see it; empty if it is not living."""
    found = read_entity(catalog, entity_id)
    if found is None or found.resolution.state != "living":
        return {}
    return golden_shown(found, sight)


def golden_shown(found: GoldenEntity, sight: Sight) -> dict[str, Any]:
    """Return the golden values that sources gave, as the reader may see them; codes made of them are left out."""
    entity = next(one for one in ENTITIES if one == found.entity_type)
    told = {*CANONICAL_FIELDS[entity], "records", "sources", "conflicts"}
    return {k: v for k, v in shown_values(entity, found.golden, sight).items() if k in told}


def _case(catalog: Catalog, case_id: str) -> CaseFile:
    found = cases.read_case(catalog, case_id)
    if found is None:
        raise DeskError("gone", "没有这个案件。", "there is no such case.")
    return found


def _evidence(
    desk: Desk, case: CaseFile, members: Mapping[str, str], sight: Sight
) -> tuple[Evidence | None, str | None]:
    if case.ended is not None:
        return None, None
    if not case.left or not case.right:
        return None, "the case names no two records"
    try:
        with desk.batch:
            return (
                evidence_of(desk.workspace, case.entity, case.left, case.right, members, sight=sight),
                None,
            )
    except EvidenceUnavailableError as error:
        return None, str(error)


def _halves(desk: Desk, case: CaseFile, sight: Sight) -> list[tuple[dict[str, Sheet | None], int]]:
    """Return, per half of a proposed split, its first records with what they say, and how many more there are."""
    if case.halves is None:
        return []
    shown = [half[:_MOST_OF_HALF] for half in case.halves]
    try:
        with desk.batch:
            sheets = sheets_of(desk.workspace, case.entity, {r for half in shown for r in half}, sight=sight)
    except EvidenceUnavailableError:
        sheets = {}
    return [
        ({record: sheets.get(record) for record in some}, len(half) - len(some))
        for some, half in zip(shown, case.halves, strict=True)
    ]


def _drawing(case: CaseFile, evidence: Evidence | None) -> Drawing | None:
    if evidence is None:
        return None
    return draw(evidence.around, (case.left, case.right), right=set(case.halves[1]) if case.halves else ())


def _evidence_of_ruling(desk: Desk, case_id: str) -> tuple[Mapping[str, tuple[str, float]], str | None]:
    """Return the levels and the hash of the evidence that a ruling rests on."""
    with desk.reading() as catalog:
        case = cases.read_case(catalog, case_id)
        if case is None or case.ended is not None:
            return {}, None
        members = cases.members_of(catalog, case.entities)
    found, _ = _evidence(desk, case, members, Sight(True, False))
    return (found.levels, found.fingerprint) if found else ({}, None)


def _reasons(evidence: Evidence | None, w: Any) -> dict[str, list[dict[str, Any]]]:
    """Return field → the outcomes of the comparisons that read it, the main field of each first."""
    found: dict[str, list[dict[str, Any]]] = {}
    if evidence is None:
        return found
    for one in evidence.explanation.comparisons:
        fields = [shown.field for shown in one.left] or [shown.field for shown in one.right]
        if fields:
            weight = one.weight + one.tf_adjustment
            said = {"reason": w.pick(one.reason_zh or one.level, one.reason_en or one.level), "weight": weight}
            found.setdefault(fields[0], []).append(said)
    return found


def _zero(steps: Any) -> float:
    total = next((step for step in steps if step.kind == "total"), None)
    if total is None:
        return 0.0
    return float(total.left if total.weight >= 0 else total.left + total.width)
