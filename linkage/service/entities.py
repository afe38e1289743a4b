"""`/v1/entities/{id}` and what belongs to it: one entity by any id it ever had, as far as the caller may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from golden_records.catalog.read import Entity, Resolution, Row, entity, history_of, records_of, resolve_id
from golden_records.catalog.store import Catalog
from linkage.access.shown import Sight, shown_identifier, shown_row, shown_values
from linkage.service.caller import Caller, CallerOf, take, take_person
from linkage.service.errors import ServiceError
from linkage.service.messages import EntityAnswer, RowsAnswer
from linkage.service.state import ServiceState, state_of

router = APIRouter(prefix="/v1/entities", tags=["entities"])

EntityId = Annotated[str, Path(max_length=40, description="an entity id, living or not")]
Unmasked = Annotated[bool, Query(description="values of natural persons in full; needs the right and a purpose")]


@router.get("/{entity_id}", response_model=EntityAnswer, summary="An entity")
async def get_entity(
    entity_id: EntityId, request: Request, caller: CallerOf, unmasked: Unmasked = False
) -> JSONResponse:
    """Show an entity's golden values; a retired id answers with the surviving one and says so."""
    state = _begin(request, caller, entity_id)
    sight = caller.sight(unmasked)
    found = await state.ask(_read, state, entity_id)
    if isinstance(found, Resolution):
        await _look(state, caller, found.entity_id, "entity", {})
        raise ServiceError(410, "retired", "the entity has ended without a successor; its history tells more")
    told = _shown(found, sight, caller)
    await _look(state, caller, found.resolution.entity_id, "entity", told, tuple(sorted(told["golden"])))
    return JSONResponse(told)


@router.get("/{entity_id}/records", response_model=RowsAnswer, summary="Its records")
async def get_records(entity_id: EntityId, request: Request, caller: CallerOf) -> JSONResponse:
    """Name the records of an entity, with the basis of each link."""
    return await _rows(request, caller, entity_id, "records", records_of)


@router.get("/{entity_id}/history", response_model=RowsAnswer, summary="Its history")
async def get_history(entity_id: EntityId, request: Request, caller: CallerOf) -> JSONResponse:
    """Tell what happened to an id and to those that lead to it."""
    return await _rows(request, caller, entity_id, "history", history_of)


@router.get("/{entity_id}/relations", response_model=RowsAnswer, summary="Its relations")
async def get_relations(entity_id: EntityId, request: Request, caller: CallerOf) -> JSONResponse:
    """Name the entities that an entity is related to."""
    return await _rows(request, caller, entity_id, "relations", _relations)


def _begin(request: Request, caller: Caller, entity_id: str) -> ServiceState:
    state = state_of(request)
    take(state, caller)
    if _is_person(entity_id):
        take_person(state, caller, counts=True)
    return state


def _read(state: ServiceState, entity_id: str) -> Entity | Resolution:
    with state.reader.reading() as snapshot:
        found = entity(snapshot.catalog, entity_id)
        return found if found is not None else _resolved(snapshot.catalog, entity_id)


def _resolved(catalog: Catalog, entity_id: str) -> Resolution:
    resolution = resolve_id(catalog, entity_id)
    if resolution is None:
        raise ServiceError(404, "unknown_entity", "no entity ever had this id; check it, the last character is a check")
    return resolution


def _shown(found: Entity, sight: Sight, caller: Caller) -> dict[str, Any]:
    kind = found.entity_type
    more = caller.permissions.records
    # A person's numbers and names are many small hints; whoever sees masked values only is shown one of each.
    names = found.names if kind == "legal_person" or more else ()
    identifiers = found.identifiers if kind == "legal_person" or more else ()
    return {
        "entity_id": found.resolution.entity_id,
        "entity_type": kind,
        "asked": found.resolution.asked,
        "state": found.resolution.state,
        "release": found.release,
        "masked": not sight.unmasked,
        "golden": shown_values(kind, found.golden, sight),
        "identifiers": [row for row in (shown_identifier(kind, r, sight) for r in identifiers) if row is not None],
        "names": [shown_row(kind, "name", r, sight) for r in names],
        "addresses": [shown_row(kind, "address", r, sight) for r in found.addresses] if more else [],
        "phones": [shown_row(kind, "phone", r, sight) for r in found.phones] if more else [],
    }


async def _rows(
    request: Request, caller: Caller, entity_id: str, action: str, read: Callable[[Catalog, str], list[Row]]
) -> JSONResponse:
    state = _begin(request, caller, entity_id)
    caller.may("records")

    def ask() -> dict[str, Any]:
        with state.reader.reading() as snapshot:
            resolution = _resolved(snapshot.catalog, entity_id)
            rows = read(snapshot.catalog, resolution.entity_id)
            return {
                "entity_id": resolution.entity_id,
                "asked": resolution.asked,
                "state": resolution.state,
                "release": snapshot.release,
                "rows": rows,
            }

    told = await state.ask(ask)
    await _look(state, caller, told["entity_id"], action, told)
    return JSONResponse(told)


def _relations(catalog: Catalog, entity_id: str) -> list[Row]:
    found = entity(catalog, entity_id)
    return list(found.relations) if found is not None else []


async def _look(
    state: ServiceState, caller: Caller, entity_id: str, action: str, told: dict[str, Any], fields: tuple[str, ...] = ()
) -> None:
    if _is_person(entity_id):
        look = caller.look(state.now(), action, entity_id=entity_id, result=told, fields=fields)
        await state.record([look])


def _is_person(entity_id: str) -> bool:
    return entity_id.strip().upper().startswith("NP")
