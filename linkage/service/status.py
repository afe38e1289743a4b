"""`/healthz`, `/readyz`, `/metrics`, `/docs`: the service about itself."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from linkage.fields import ENTITIES
from linkage.lookup.snapshot import LookupUnavailableError, Snapshot
from linkage.service.caller import CallerOf
from linkage.service.messages import HealthAnswer, ReadyAnswer
from linkage.service.metrics import CONTENT_TYPE
from linkage.service.state import state_of

router = APIRouter(tags=["service"])

_ROW = "<tr><td>{}</td><td><code>{}</code></td><td>{}<br><small>{}</small></td></tr>"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Guiyi</title>
<style>
body {{ font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
td {{ padding: .4em; vertical-align: top; border-top: 1px solid #ccc }}
</style>
<h1>{}</h1><p>{}</p><p><a href="/openapi.json">openapi.json</a></p><table>{}</table></html>
"""


@router.get("/healthz", response_model=HealthAnswer, summary="Does the process live?")
async def get_health() -> JSONResponse:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=ReadyAnswer, summary="Can it answer?")
async def get_readiness(request: Request) -> JSONResponse:
    """Say which release answers, and which entity types can be found by name."""
    state = state_of(request)
    with state.reader.reading() as snapshot:
        told = {
            "ready": True,
            "release": snapshot.release,
            "lookup": {entity: _lookup(snapshot, entity) for entity in ENTITIES},
        }
    return JSONResponse(told)


@router.get("/metrics", response_class=Response, summary="Counts and times for Prometheus")
async def get_metrics(request: Request, caller: CallerOf) -> Response:
    """Return the metrics; needs a role that may."""
    caller.may("metrics")
    return Response(state_of(request).metrics.text(), media_type=CONTENT_TYPE)


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def get_docs(request: Request) -> HTMLResponse:
    """Show every operation on one page that needs nothing from elsewhere."""
    schema = request.app.openapi()
    rows = "".join(
        _ROW.format(*(escape(text) for text in (method.upper(), path, told.get("summary", ""), told["description"])))
        for path, operations in sorted(schema["paths"].items())
        for method, told in sorted(operations.items())
    )
    return HTMLResponse(_PAGE.format(escape(schema["info"]["title"]), escape(schema["info"]["description"]), rows))


def _lookup(snapshot: Snapshot, entity: str) -> str:
    try:
        snapshot.model(next(one for one in ENTITIES if one == entity))
    except LookupUnavailableError:
        return "identifiers only"
    return "ready"
