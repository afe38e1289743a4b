"""`/reconcile`: the Reconciliation Service API 0.2 (W3C community group, as OpenRefine speaks it), legal persons only.

A query is a name or a number, its properties are public fields. `match` is true only where `linkage.lookup` says
matched.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from linkage.access.shown import PUBLIC_FIELDS
from linkage.fields import FIELDS
from linkage.lookup.answer import Answer
from linkage.lookup.answer import Query as Question
from linkage.lookup.identifiers import LEGAL_SCHEMES, Given, forms
from linkage.lookup.resolve import resolve
from linkage.lookup.snapshot import Snapshot
from linkage.service.caller import caller_of, take
from linkage.service.errors import ServiceError
from linkage.service.state import ServiceState, state_of
from linkage.service.suggesting import PREVIEW_HEIGHT, PREVIEW_WIDTH

router = APIRouter(prefix="/reconcile", tags=["reconcile"])

TYPE = {"id": "legal_person", "name": "法人 legal person"}
_MOST = 100
_TITLES = {field.name: field.zh for field in FIELDS["legal_person"]}
_ASKED_BY = ("address", "phone", "legal_rep_name", "established_date", *LEGAL_SCHEMES)


class _Loose(BaseModel):
    """Clients send more than the standard says; what is not known is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PropertyIn(_Loose):
    """A property that a candidate should have."""

    pid: Annotated[str, Field(max_length=100)]
    v: Any


class QueryIn(_Loose):
    """One query of a batch."""

    query: Annotated[str, Field(max_length=500)] = ""
    type: Any = None
    limit: Annotated[int, Field(ge=1, le=50)] = 5
    properties: Annotated[tuple[PropertyIn, ...], Field(max_length=20)] = ()
    type_strict: str | None = None


class ExtendProperty(_Loose):
    """A property asked for."""

    id: Annotated[str, Field(max_length=100)]


class ExtendIn(_Loose):
    """Entities and the properties asked for."""

    ids: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=1000)]
    properties: Annotated[tuple[ExtendProperty, ...], Field(max_length=50)]


_QUERIES: TypeAdapter[dict[str, QueryIn]] = TypeAdapter(Annotated[dict[str, QueryIn], Field(max_length=_MOST)])


@router.get("", summary="Manifest, or the answers to `queries` or `extend`")
async def get_reconcile(
    request: Request,
    queries: Annotated[str | None, Query(max_length=30_000)] = None,
    extend: Annotated[str | None, Query(max_length=30_000)] = None,
) -> JSONResponse:
    """Return the manifest; with `queries` or `extend` (JSON) the answers."""
    return await _reconcile(request, queries, extend)


@router.post("", summary="The answers to `queries` or `extend`")
async def post_reconcile(
    request: Request, queries: Annotated[str | None, Form()] = None, extend: Annotated[str | None, Form()] = None
) -> JSONResponse:
    """Answer a form with `queries` or `extend` (JSON)."""
    return await _reconcile(request, queries, extend)


@router.get("/properties", summary="Properties to extend by")
async def get_properties(
    type: Annotated[str, Query(max_length=100)] = TYPE["id"], limit: Annotated[int, Query(ge=1, le=100)] = 100
) -> JSONResponse:
    """Propose properties of a type."""
    known = [{"id": name, "name": _TITLES[name]} for name in PUBLIC_FIELDS] if type == TYPE["id"] else []
    return JSONResponse({"type": type, "limit": limit, "properties": known[:limit]})


@router.get("/suggest/property", summary="Properties by the beginning of their name")
async def get_suggested_properties(prefix: Annotated[str, Query(max_length=100)] = "") -> JSONResponse:
    """Suggest properties that a query may give."""
    found = [name for name in _ASKED_BY if name.startswith(prefix) or _TITLES[name].startswith(prefix)]
    return JSONResponse({"result": [{"id": name, "name": _TITLES[name]} for name in found]})


async def _reconcile(request: Request, queries: str | None, extend: str | None) -> JSONResponse:
    if queries is None and extend is None:
        return JSONResponse(_manifest(str(request.base_url).rstrip("/")))
    caller, state = caller_of(request), state_of(request)
    if queries is not None:
        asked = _parsed(_QUERIES, queries, "queries")
        take(state, caller, max(1, len(asked)))
        return JSONResponse(await state.ask_many(_answers, state, asked))
    wanted = _parsed(TypeAdapter(ExtendIn), extend or "", "extend")
    take(state, caller, max(1, len(wanted.ids)))
    return JSONResponse(await state.ask_many(_extended, state, wanted))


def _manifest(base: str) -> dict[str, Any]:
    return {
        "versions": ["0.2"],
        "name": "Guiyi 归一",
        "identifierSpace": f"{base}/v1/entities/",
        "schemaSpace": f"{base}/reconcile/properties",
        "defaultTypes": [TYPE],
        "view": {"url": f"{base}/v1/entities/{{{{id}}}}"},
        "extend": {
            "propose_properties": {"service_url": base, "service_path": "/reconcile/properties"},
            "property_settings": [],
        },
        "preview": {
            "url": f"{base}/reconcile/preview?id={{{{id}}}}",
            "width": PREVIEW_WIDTH,
            "height": PREVIEW_HEIGHT,
        },
        "suggest": {
            kind: {"service_url": base, "service_path": f"/reconcile/suggest/{kind}"} for kind in ("entity", "property")
        },
    }


def _parsed(kind: TypeAdapter[Any], text: str, place: str) -> Any:
    try:
        return kind.validate_python(json.loads(text))
    except (ValueError, ValidationError, RecursionError) as error:
        raise ServiceError(422, "invalid_request", f"{place}: not JSON of the Reconciliation API 0.2") from error


def _answers(state: ServiceState, asked: dict[str, QueryIn]) -> dict[str, Any]:
    with state.reader.reading() as snapshot:
        return {key: {"result": _candidates(snapshot, query)} for key, query in asked.items()}


def _candidates(snapshot: Snapshot, query: QueryIn) -> list[dict[str, Any]]:
    if query.type is not None and query.type_strict == "should" and TYPE["id"] not in _types(query.type):
        return []
    text = query.query.strip()
    if not text:
        return []
    given = {p.pid: str(_plain(p.v)) for p in query.properties if p.pid in _ASKED_BY and _plain(p.v) is not None}
    numbers = [Given(value, pid) for pid, value in given.items() if pid in LEGAL_SCHEMES and len(value) <= 200]
    values = {pid: value[:1000] for pid, value in given.items() if pid not in LEGAL_SCHEMES}
    if any(scheme in LEGAL_SCHEMES for scheme, _ in forms(Given(text))):
        numbers.append(Given(text))
    else:
        values["name"] = text
    answer = resolve(snapshot, Question("legal_person", tuple(numbers), values, limit=query.limit))
    return [_result(snapshot, answer, place) for place in range(len(answer.candidates))]


def _result(snapshot: Snapshot, answer: Answer, place: int) -> dict[str, Any]:
    candidate = answer.candidates[place]
    row = snapshot.catalog.row("select name from legal_person where entity_id = ?", (candidate.entity_id,))
    score = 1.0 if candidate.probability is None else candidate.probability
    return {
        "id": candidate.entity_id,
        "name": (row[0] if row is not None else None) or candidate.entity_id,
        "description": "；".join(candidate.evidence),
        "type": [TYPE],
        "score": round(100 * score, 4),
        "match": answer.status == "matched" and answer.entity_id == candidate.entity_id,
        "features": [],
    }


def _extended(state: ServiceState, wanted: ExtendIn) -> dict[str, Any]:
    names = [p.id for p in wanted.properties if p.id in PUBLIC_FIELDS]
    columns = ", ".join(["entity_id", *names])
    rows: dict[str, dict[str, list[dict[str, str]]]] = {}
    with state.reader.reading() as snapshot:
        for entity_id in wanted.ids:
            found = snapshot.catalog.row(f"select {columns} from legal_person where entity_id = ?", (entity_id,))
            values = dict(zip(names, found[1:], strict=True)) if found is not None else {}
            rows[entity_id] = {
                p.id: [{"str": str(values[p.id])}] if values.get(p.id) is not None else [] for p in wanted.properties
            }
    return {"meta": [{"id": p.id, "name": _TITLES.get(p.id, p.id)} for p in wanted.properties], "rows": rows}


def _plain(value: Any) -> Any:
    """Return a property's value: plain, the first of a list, or the id or name of an object."""
    if isinstance(value, list):
        return _plain(value[0]) if value else None
    if isinstance(value, dict):
        return value.get("name") or value.get("id")
    return value


def _types(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one.get("id") if isinstance(one, dict) else one) for one in values]
