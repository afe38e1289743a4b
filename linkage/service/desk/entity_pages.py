"""An entity: golden values and where they come from, records, relations, history, rulings; any release; splits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from golden_records.catalog.publish import current_release
from golden_records.catalog.read import Entity as GoldenEntity
from golden_records.catalog.read import entity as read_entity
from golden_records.catalog.read import records_of, resolve_id
from golden_records.catalog.store import Catalog
from golden_records.decisions import read_decisions
from golden_records.history import entity_history
from linkage.access.shown import Sight, shown_identifier, shown_row, shown_values
from linkage.at_once.preview import Preview
from linkage.fields import ENTITIES, Entity
from linkage.relations.shown import names_of
from linkage.review import deciding, foresight, meaning
from linkage.review.errors import DeskError
from linkage.review.evidence import EvidenceUnavailableError, sheets_of
from linkage.review.forms import Outcome
from linkage.review.search import cases_around
from linkage.service.desk.case_pages import golden_shown
from linkage.service.desk.pages import page
from linkage.service.desk.previews import preview_page
from linkage.service.desk.ruling_forms import form_from, told
from linkage.service.desk.state import Desk, desk_of
from linkage.service.desk.visitor import ROOT, Visitor, VisitorOf, count_person, form_of, text_of

router = APIRouter()
Short = Annotated[str, Query(max_length=40)]
# Whether the records of a selection are one other entity, as a form says it.
_TOGETHER = {"yes": True, "no": False}


@router.get("/entities/{entity_id}")
async def get_entity(
    entity_id: str, request: Request, visitor: VisitorOf, release: int | None = None, done: Short = ""
) -> Response:
    """Show an entity, now or as of a release."""
    return await show_entity(request, visitor, entity_id, release=release, done=done)


async def show_entity(
    request: Request,
    visitor: Visitor,
    entity_id: str,
    *,
    release: int | None = None,
    done: str = "",
    problem: DeskError | None = None,
    selected: tuple[str, ...] = (),
    entered: Mapping[str, str] | None = None,
) -> Response:
    """Show an entity, with a refusal and what had been entered if there was one."""
    visitor.may("records")
    desk = desk_of(request)
    if entity_id.upper().startswith("NP"):
        visitor.may("natural_persons")
        count_person(desk, visitor)
    sight = visitor.sight(entity_id, desk.now())
    values = await run_in_threadpool(_read, desk, entity_id, release, sight)
    await desk.service().record(
        [
            visitor.look(
                desk, "review_entity", entity_id, values["id"], values["golden"], tuple(sorted(values["golden"]))
            )
        ]
    )
    return page(
        "entity.html",
        desk,
        language=visitor.language,
        visitor=visitor,
        status=200 if problem is None else 409 if problem.code == "stale" else 422,
        place="queue",
        sight=sight,
        subject=entity_id,
        done=done,
        problem=problem and problem.said(visitor.language),
        reasons=desk.workspace.settings.decisions.known_reasons,
        selected=selected,
        entered=entered or {},
        back=f"{ROOT}/entities/{entity_id}",
        **values,
    )


@router.get("/entities/{entity_id}/preview")
async def get_split_preview(
    entity_id: str,
    request: Request,
    visitor: VisitorOf,
    record: Annotated[list[str] | None, Query(max_length=20_000)] = None,
    together: Short = "",
    fragment: Short = "",
) -> Response:
    """Show what splitting the selected records off would change."""
    visitor.may("records")
    desk = desk_of(request)
    sight = visitor.sight(entity_id, desk.now())

    def read() -> Preview:
        with desk.reading() as catalog, desk.batch:
            ruling = meaning.split_ruling(
                catalog, entity_id, record or [], are_one=_TOGETHER.get(together), reason="other", note=None
            )
            return foresight.foresee_ruling(desk.workspace, catalog, ruling)

    found, problem = None, None
    try:
        found = await run_in_threadpool(read)
    except DeskError as error:
        problem = error
    return preview_page(
        desk, visitor, found, problem, entity=_type(entity_id), sight=sight, choice="split", fragment=fragment
    )


@router.post("/entities/{entity_id}/split")
async def post_split(entity_id: str, request: Request, visitor: VisitorOf) -> Response:
    """Rule that the selected records are not one with the others of the entity."""
    desk = desk_of(request)
    data = await form_of(request, visitor)
    form = form_from(data)
    selected = tuple(one for one in data.getlist("record_id") if isinstance(one, str))
    together = text_of(data, "together")

    def split() -> Outcome:
        with desk.batch, desk.writing() as catalog:
            return deciding.split(
                desk.workspace,
                catalog,
                entity_id,
                selected,
                form,
                are_one=_TOGETHER.get(together),
                reviewer=visitor.reviewer,
                now=desk.now(),
            )

    try:
        outcome = await run_in_threadpool(split)
    except DeskError as error:
        if error.code in ("gone", "not_yours"):
            raise
        entered = {name: text_of(data, name)[:4_000] for name in ("together", "reason", "note")}
        return await show_entity(request, visitor, entity_id, problem=error, selected=selected, entered=entered)
    return RedirectResponse(f"{ROOT}/entities/{entity_id}?done={told(outcome)}", 303)


def _read(desk: Desk, asked: str, release: int | None, sight: Sight) -> dict[str, Any]:
    with desk.reading() as catalog:
        now = current_release(catalog)
        if release is not None and not 1 <= release <= now:
            raise DeskError(
                "invalid", f"没有版本 {release}（1 至 {now}）。", f"there is no release {release} (1 to {now})."
            )
        past = None if release in (None, now) else release
        resolution = resolve_id(catalog, asked, past)
        if resolution is None:
            raise DeskError("gone", "这个版本里没有这个编号。", "there is no such id in this release.")
        found = read_entity(catalog, asked, past)
        here = resolution.entity_id
        links = records_of(catalog, here, past)
        records = [f"{row['source']}:{row['source_record_id']}" for row in links]
        history = entity_history(catalog, asked)
        relations = _relations(catalog, found)
        return {
            "id": here,
            "asked": resolution.asked,
            "state": resolution.state,
            "release": release or now,
            "now": now,
            "is_past": past is not None,
            "releases": _releases(catalog),
            "entity_type": _type(here),
            "golden": golden_shown(found, sight) if found else {},
            "provenance": _provenance(found, sight),
            "identifiers": _identifiers(found, sight),
            "names": _rows(found, "name", sight),
            "addresses": _rows(found, "address", sight),
            "phones": _rows(found, "phone", sight),
            "relations": relations,
            "links": dict(zip(records, links, strict=True)),
            "sheets": {} if past is not None else _sheets(desk, here, records, sight),
            "history": history,
            "decisions": [d for d in read_decisions(catalog, entity_type=_type(here)) if d.records & set(records)],
            "cases": cases_around(catalog, (here,)),
            "version": meaning.entity_version(catalog, here),
        }


def _sheets(desk: Desk, entity_id: str, records: list[str], sight: Sight) -> dict[str, Any]:
    try:
        with desk.batch:
            return dict(sheets_of(desk.workspace, _type(entity_id), records, sight=sight))
    except EvidenceUnavailableError:
        return {}


def _provenance(found: GoldenEntity | None, sight: Sight) -> dict[str, dict[str, Any]]:
    """Return attribute → the record, the rule and the runners-up of its golden value, as the reader may see them."""
    told: dict[str, dict[str, Any]] = {}
    for row in found.provenance if found else ():
        attribute = row["attribute"]
        runners = []
        for one in json.loads(row["runners_up"]) if row["runners_up"] else ():
            value = shown_values(found.entity_type, {attribute: one["value"]}, sight).get(attribute) if found else None
            if value is not None:
                runners.append({"value": value, "record_id": one["record_id"]})
        told[attribute] = {**row, "runners_up": runners}
    return told


def _identifiers(found: GoldenEntity | None, sight: Sight) -> list[dict[str, Any]]:
    if found is None:
        return []
    rows = (shown_identifier(found.entity_type, row, sight) for row in found.identifiers)
    return [row for row in rows if row is not None]


def _rows(found: GoldenEntity | None, field: str, sight: Sight) -> list[dict[str, Any]]:
    if found is None:
        return []
    rows = {"name": found.names, "address": found.addresses, "phone": found.phones}[field]
    return [shown_row(found.entity_type, field, row, sight) for row in rows]


def _relations(catalog: Catalog, found: GoldenEntity | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    here = found.resolution.entity_id
    others = [r["other_entity_id"] if r["entity_id"] == here else r["entity_id"] for r in found.relations]
    names = names_of(catalog, iter(others), unmasked=False)
    return [
        {**row, "other": other, "outgoing": row["entity_id"] == here, "name": names.get(other)}
        for row, other in zip(found.relations, others, strict=True)
    ]


def _releases(catalog: Catalog) -> list[tuple[int, str, str]]:
    rows = catalog.execute("select release_id, published_at, cause from release order by release_id desc")
    return [(int(number), str(at), str(cause)) for number, at, cause in rows]


def _type(entity_id: str) -> Entity:
    wanted = "natural_person" if entity_id.upper().startswith("NP") else "legal_person"
    return next(entity for entity in ENTITIES if entity == wanted)
