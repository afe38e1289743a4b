"""`/reconcile/suggest/entity` and `/reconcile/preview`: for the person who reconciles by hand; legal persons only.

Entities are suggested by the beginning of a number, else by a name as a query would find them: the catalog has no index
of the beginnings of names. A preview is a piece of HTML with public fields.
"""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from golden_records.catalog.read import entity
from linkage.access.shown import PUBLIC_FIELDS, Sight, shown_values
from linkage.fields import FIELDS
from linkage.lookup.by_name import legal_persons_named
from linkage.lookup.snapshot import Snapshot
from linkage.service.caller import CallerOf, take
from linkage.service.errors import ServiceError
from linkage.service.state import ServiceState, state_of

router = APIRouter(prefix="/reconcile", tags=["reconcile"])

PREVIEW_WIDTH, PREVIEW_HEIGHT = 430, 300
_SCHEMES = ("uscc", "registration_number", "organization_code")
_SHORTEST_NUMBER = 4
_MOST = 20
# Whoever looks: what a frame shows is what a registry publishes.
_PUBLIC = Sight(whole_legal_persons=False, unmasked=False)
_TITLES = {field.name: field.zh.partition("（")[0] for field in FIELDS["legal_person"]}
# OpenRefine shows the preview in a frame of its own page, which is served on the user's machine.
_FRAMED = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors http://127.0.0.1:* http://localhost:*"
}


@router.get("/suggest/entity", summary="Entities by the beginning of a number, or by a name")
async def get_suggested_entities(
    request: Request, caller: CallerOf, prefix: Annotated[str, Query(max_length=200)] = ""
) -> JSONResponse:
    """Suggest legal persons."""
    state = state_of(request)
    take(state, caller)
    return JSONResponse({"result": await state.ask(_suggested, state, prefix.strip())})


@router.get(
    "/preview",
    summary="A legal person as a piece of HTML",
    response_model=None,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def get_preview(request: Request, caller: CallerOf, id: Annotated[str, Query(max_length=40)]) -> HTMLResponse:
    """Show the public fields of a legal person."""
    state = state_of(request)
    take(state, caller)
    values = await state.ask(_values, state, id)
    rows = "".join(
        f"<tr><th>{escape(_TITLES[name])}</th><td>{escape(str(values[name]))}</td></tr>"
        for name in PUBLIC_FIELDS
        if name in values
    )
    page = (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>Guiyi</title>'
        "<style>body{font:14px sans-serif}th{text-align:left;padding-right:1em}</style></head>"
        f"<body><table>{rows}</table></body></html>"
    )
    return HTMLResponse(page, headers=_FRAMED)


def _suggested(state: ServiceState, prefix: str) -> list[dict[str, str]]:
    with state.reader.reading() as snapshot:
        found = _by_number(snapshot, prefix.upper()) or (legal_persons_named(snapshot, prefix, _MOST) if prefix else ())
        named = []
        for entity_id in found:
            row = snapshot.catalog.row("select name, uscc from legal_person where entity_id = ?", (entity_id,))
            name, code = row if row is not None else (None, None)
            named.append({"id": entity_id, "name": name or entity_id, "description": code or entity_id})
        return named


def _by_number(snapshot: Snapshot, prefix: str) -> list[str]:
    if len(prefix) < _SHORTEST_NUMBER or not (prefix.isascii() and prefix.isalnum()):
        return []
    found: dict[str, None] = {}
    for scheme in _SCHEMES:
        rows = snapshot.catalog.execute(
            "select entity_id from identifier where scheme = ? and value >= ? and value < ? and valid = 1 "
            f"order by value, entity_id limit {_MOST}",
            (scheme, prefix, prefix + "~"),
        )
        found |= dict.fromkeys(entity_id for (entity_id,) in rows if entity_id.startswith("LP"))
    return list(found)[:_MOST]


def _values(state: ServiceState, entity_id: str) -> dict[str, object]:
    with state.reader.reading() as snapshot:
        found = entity(snapshot.catalog, entity_id) if entity_id.strip().upper().startswith("LP") else None
    if found is None:
        raise ServiceError(404, "unknown_entity", "no legal person living has this id")
    return shown_values(found.entity_type, found.golden, _PUBLIC)
