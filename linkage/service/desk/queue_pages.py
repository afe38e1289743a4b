"""The queue: cases with filters, search, and who has taken them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from golden_records.catalog.store import Catalog
from golden_records.decisions import read_decisions
from golden_records.entity_id import compact
from golden_records.review_trail import Deed, write_deed
from linkage.access.access_log import Look
from linkage.commands.decide import contradictions_of
from linkage.relations.shown import names_of
from linkage.review import queue
from linkage.review.errors import DeskError
from linkage.review.queue import ORDERS, Filters, Order, Waiting
from linkage.review.search import Found, cases_around, search
from linkage.review.topics import PENDING, STATES, TOPICS
from linkage.service.desk.pages import page
from linkage.service.desk.state import Desk, desk_of
from linkage.service.desk.visitor import ROOT, Visitor, VisitorOf, back_to, count_person, form_of, text_of

router = APIRouter()
MOST_FOUND = 20
_LONGEST_SEARCH = 200
_NAMES = ("state", "topic", "entity_type", "source", "month", "least_weight", "most_weight", "assignee", "least_credit")
Text = Annotated[str, Query(max_length=200)]


@router.get("/")
async def get_queue(
    request: Request,
    visitor: VisitorOf,
    order: Text = "risk",
    after: Text = "",
    found: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Show a page of the queue."""
    visitor.may("records")
    desk = desk_of(request)
    given = {name: request.query_params.get(name, "") for name in _NAMES}
    chosen: Order = next((one for one in ORDERS if one == order), "risk")
    wanted = filters_of(given, visitor)

    entities = tuple(one for one in map(compact, found.split(",")[:MOST_FOUND]) if one is not None)

    def read() -> dict[str, Any]:
        desk.bring_up()
        with desk.reader.reading() as snapshot:
            catalog, asked = snapshot.catalog, wanted
            if found:
                asked = replace(wanted, cases=cases_around(catalog, entities), state=given["state"] or "all")
            seen = desk.overview = queue.overview(catalog, desk.overview)
            shown = queue.find(catalog, asked, order=chosen, after=_after(after), limit=_limit(desk))
            decisions = read_decisions(catalog)
            return {
                "shown": shown,
                "entities": entities,
                "labels": names_of(catalog, _ids(shown.rows, entities), unmasked=False),
                "counts": _counts(seen.counts),
                "sources": seen.sources,
                "months": seen.months,
                "assignees": queue.assignees(catalog),
                "has_credit": catalog.row("select 1 from review_queue where credit_rows > 0 limit 1") is not None,
                "waiting": [d for d in decisions if d.state == "proposed"],
                "contradictions": contradictions_of(decisions),
            }

    values = await run_in_threadpool(read)
    await desk.service().record(_looks(desk, visitor, values["labels"]))
    kept = {k: v for k, v in {**given, "order": chosen if chosen != "risk" else "", "found": found}.items() if v}
    return page(
        "queue.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place="queue",
        given=given,
        order=chosen,
        orders=ORDERS,
        found=found,
        link=lambda **more: f"{ROOT}/?{urlencode({k: v for k, v in {**kept, **more}.items() if v})}",
        next_after=None if values["shown"].after is None else "|".join(values["shown"].after),
        is_first=not after,
        states=STATES,
        pending_states=PENDING,
        all_topics=TOPICS,
        days=lambda opened: _days(opened, desk.now()),
        **values,
    )


@router.post("/search")
async def post_search(request: Request, visitor: VisitorOf) -> Response:
    """Find cases and entities; what was looked for, a number or a name, stands in no address."""
    desk = desk_of(request)
    text = text_of(await form_of(request, visitor), "q").strip()[:_LONGEST_SEARCH]
    visitor.may("records")
    if not text:
        return RedirectResponse(f"{ROOT}/", 303)

    def look() -> Found:
        with desk.reader.reading() as snapshot:
            return search(snapshot, text, persons=visitor.permissions.natural_persons)

    found = await run_in_threadpool(look)
    persons = [one for one in found.entities if one.startswith("NP")]
    if persons:
        count_person(desk, visitor)
    looks = [visitor.look(desk, "review_search", "search", one, list(found.entities), ()) for one in persons]
    await desk.service().record(looks)
    if len(found.cases) == 1 and not found.entities:
        return RedirectResponse(f"{ROOT}/cases/{found.cases[0]}", 303)
    return RedirectResponse(f"{ROOT}/?found={','.join(found.entities[:MOST_FOUND]) or 'nothing'}", 303)


@router.post("/cases/{case_id}/assign")
async def post_assign(case_id: str, request: Request, visitor: VisitorOf) -> Response:
    """Take a case, or give it to somebody; whoever may settle may take it from another."""
    desk = desk_of(request)
    form = await form_of(request, visitor)
    visitor.may("rule")
    assignee = text_of(form, "assignee").strip() or visitor.name
    if len(assignee) > 100:
        raise DeskError("invalid", "姓名太长。", "the name is too long.")
    if assignee != visitor.name:
        visitor.may("settle")

    def assign() -> None:
        with desk.writing() as catalog, catalog.writing():
            row = catalog.row("select assignee from review_assignment where case_id = ?", (case_id,))
            if row is not None and row[0] not in (visitor.name, assignee) and not visitor.permissions.settle:
                raise DeskError("stale", f"{row[0]} 已领取这个案件。", f"{row[0]} has taken this case already.")
            _require_case(catalog, case_id)
            catalog.execute("delete from review_assignment where case_id = ?", (case_id,))
            catalog.execute(
                "insert into review_assignment (case_id, assignee, assigned_at, assigned_by) values (?, ?, ?, ?)",
                (case_id, assignee, desk.now().isoformat(), visitor.name),
            )
            _note(catalog, "assigned", visitor, case_id, desk.now())

    await run_in_threadpool(assign)
    return RedirectResponse(back_to(text_of(form, "back")), 303)


@router.post("/cases/{case_id}/release")
async def post_release(case_id: str, request: Request, visitor: VisitorOf) -> Response:
    """Put a case back into the queue."""
    desk = desk_of(request)
    form = await form_of(request, visitor)
    visitor.may("rule")

    def release() -> None:
        with desk.writing() as catalog, catalog.writing():
            row = catalog.row("select assignee from review_assignment where case_id = ?", (case_id,))
            if row is None:
                return
            if row[0] != visitor.name:
                visitor.may("settle")
            catalog.execute("delete from review_assignment where case_id = ?", (case_id,))
            _note(catalog, "released", visitor, case_id, desk.now())

    await run_in_threadpool(release)
    return RedirectResponse(back_to(text_of(form, "back")), 303)


def filters_of(given: dict[str, str], visitor: Visitor) -> Filters:
    """Return the filters of an address; what cannot be read is not asked for."""
    assignee = {"": None, "nobody": "", "me": visitor.name}.get(given["assignee"], given["assignee"])
    known = (*STATES, "all", "pending")
    return Filters(
        state=given["state"] if given["state"] in known else "pending",
        topic=given["topic"] or None,
        entity_type=given["entity_type"] or None,
        source=given["source"] or None,
        month=given["month"] or None,
        least_weight=_number(given["least_weight"]),
        most_weight=_number(given["most_weight"]),
        assignee=assignee,
        least_credit=None if _number(given["least_credit"]) is None else int(_number(given["least_credit"]) or 0),
    )


def _counts(counted: Mapping[tuple[str, str, str], int]) -> dict[str, dict[str, int]]:
    """Return the number of cases by state, and of pending ones by topic and entity type."""
    by: dict[str, dict[str, int]] = {"state": {}, "topic": {}, "entity_type": {}}
    for (state, topic, entity), number in counted.items():
        by["state"][state] = by["state"].get(state, 0) + number
        if state in PENDING:
            by["topic"][topic] = by["topic"].get(topic, 0) + number
            by["entity_type"][entity] = by["entity_type"].get(entity, 0) + number
    return by


def _looks(desk: Desk, visitor: Visitor, labels: Mapping[str, str]) -> list[Look]:
    """Return the look at the natural persons of a page, one for all of them."""
    persons = sum(one.startswith("NP") for one in labels)
    if not persons:
        return []
    return [visitor.look(desk, "review_queue", "queue", None, dict(labels), ("name",), rows=persons)]


def _ids(rows: Sequence[Waiting], entities: Sequence[str]) -> list[str]:
    pairs = [one for row in rows for one in (row.left_entity_id, row.right_entity_id) if one]
    return [*pairs, *entities]


def _require_case(catalog: Catalog, case_id: str) -> None:
    if catalog.row("select 1 from review_case where case_id = ?", (case_id,)) is None:
        raise DeskError("gone", "这个案件已不存在。", "the case is no more.")


def _note(catalog: Catalog, action: str, visitor: Visitor, case_id: str, now: datetime) -> None:
    token = visitor.session.token
    write_deed(catalog, Deed(action, token.owner, token.role, token.organization, case_id=case_id), now=now)


def _after(text: str) -> tuple[str, str] | None:
    key, bar, case_id = text.partition("|")
    if not bar:
        return None
    return (key, case_id) if ":" in key or _number(key) is not None else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None


def _limit(desk: Desk) -> int:
    return desk.workspace.settings.desk.page_cases


def _days(opened: str, now: datetime) -> int:
    try:
        return max(0, (now - datetime.fromisoformat(opened)).days)
    except (ValueError, TypeError):
        return 0
