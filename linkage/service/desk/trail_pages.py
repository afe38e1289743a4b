"""The trail: of a case, of a period, exported, and the proof of its chains."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from golden_records.catalog.store import Catalog
from golden_records.decisions import read_decisions
from golden_records.review_trail import Deed, write_deed
from linkage.review import cases, trail
from linkage.review.errors import DeskError
from linkage.review.second_opinions import may_speak, opinions_on
from linkage.service.desk.pages import page
from linkage.service.desk.state import Desk, desk_of
from linkage.service.desk.visitor import Visitor, VisitorOf

router = APIRouter()
Short = Annotated[str, Query(max_length=40)]
_SHOWN = 500


@router.get("/cases/{case_id}/trail")
async def get_case_trail(case_id: str, request: Request, visitor: VisitorOf, export: Short = "") -> Response:
    """Show or export who saw a case and who ruled on it."""
    visitor.may("records")
    desk = desk_of(request)

    def read() -> list[dict[str, Any]]:
        with desk.reading() as catalog:
            if cases.read_case(catalog, case_id) is None:
                raise DeskError("gone", "没有这个案件。", "there is no such case.")
            return _without_first_words(catalog, visitor, trail.trail_of_case(catalog, case_id))

    rows = await run_in_threadpool(read)
    if export:
        await run_in_threadpool(_note, desk, visitor, case_id, len(rows))
        return _lines(rows, f"trail-{case_id}.jsonl")
    return page(
        "trail.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place="trail",
        rows=rows,
        case_id=case_id,
        first="",
        last="",
        left_out=0,
    )


@router.get("/trail")
async def get_trail(
    request: Request, visitor: VisitorOf, first: Short = "", last: Short = "", export: Short = ""
) -> Response:
    """Show or export what was done at the desk in a period, the last thirty days if none is given."""
    visitor.may("trail")
    desk = desk_of(request)
    today = desk.now().date()
    begin, end = _day(first) or today - timedelta(days=30), _day(last) or today
    period = (begin.isoformat(), (end + timedelta(days=1)).isoformat())

    def read() -> list[dict[str, Any]]:
        with desk.reading() as catalog:
            rows = trail.trail_between(catalog, *period, limit=None if export else _SHOWN)
            return _without_first_words(catalog, visitor, rows)

    rows = await run_in_threadpool(read)
    if export:
        await run_in_threadpool(_note, desk, visitor, None, len(rows))
        return _lines(rows, f"trail-{begin}-{end}.jsonl")
    return page(
        "trail.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place="trail",
        rows=rows[-_SHOWN:][::-1],
        case_id=None,
        first=begin.isoformat(),
        last=end.isoformat(),
        left_out=max(0, len(rows) - _SHOWN),
    )


@router.get("/trail/verify")
async def get_verify(request: Request, visitor: VisitorOf) -> Response:
    """Verify the chains."""
    visitor.may("desk")
    desk = desk_of(request)

    def read() -> tuple[trail.ChainState, ...]:
        with desk.reading() as catalog:
            return trail.chains(catalog)

    found = await run_in_threadpool(read)
    return page(
        "verify.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        place="trail",
        chains=found,
        at=desk.now().isoformat(timespec="seconds"),
    )


def _without_first_words(catalog: Catalog, visitor: Visitor, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what was ruled where the visitor may still be the second person, who judges without knowing it."""
    waiting = read_decisions(catalog, state="proposed")
    hidden = {
        decision.decision_id
        for decision in waiting
        if visitor.permissions.rule
        and may_speak(decision, opinions_on(catalog, decision), visitor.reviewer) == "second"
    }
    return [row | {"detail": {}} if row.get("decision_id") in hidden else row for row in rows]


def _note(desk: Desk, visitor: Visitor, case_id: str | None, rows: int) -> None:
    token = visitor.session.token
    with desk.writing() as catalog:
        deed = Deed("exported", token.owner, token.role, token.organization, case_id=case_id, detail={"rows": rows})
        write_deed(catalog, deed, now=desk.now())


def _lines(rows: list[dict[str, Any]], name: str) -> Response:
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(text, media_type="application/x-ndjson; charset=utf-8", headers=headers)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
