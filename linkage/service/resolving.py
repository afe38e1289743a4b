"""`/v1/resolve`, `/v1/resolve/batch`, `/v1/identifiers/{scheme}/{value}`: which entity is this?

Questions of numbers alone are answered at once (microseconds); those that have to be scored go to a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from linkage.access.access_log import Look
from linkage.lookup.answer import Answer, Query
from linkage.lookup.identifiers import SCHEMES, Given
from linkage.lookup.resolve import QueryError, resolve
from linkage.service.caller import Caller, CallerOf, take, take_person
from linkage.service.errors import Detail, ServiceError, detail_of
from linkage.service.messages import BatchAnswer, BatchRequest, Question, ResolveAnswer, ResolveRequest
from linkage.service.state import ServiceState, state_of

router = APIRouter(prefix="/v1", tags=["resolve"])


@router.post("/resolve", response_model=ResolveAnswer, summary="Which entity is this?")
async def post_resolve(body: ResolveRequest, request: Request, caller: CallerOf) -> JSONResponse:
    """Answer one question; numbers decide first, then the batch's model and rules."""
    return await _one(request, caller.with_purpose(body.purpose), body.query())


@router.get("/identifiers/{scheme}/{value}", response_model=ResolveAnswer, summary="Who holds this number?")
async def get_identifier(
    scheme: Annotated[str, Path(max_length=40)],
    value: Annotated[str, Path(max_length=200)],
    request: Request,
    caller: CallerOf,
) -> JSONResponse:
    """Answer for one number. Prefer `POST /v1/resolve` for a person's: addresses end up in the logs of others."""
    if scheme not in SCHEMES:
        raise ServiceError(404, "unknown_scheme", f"scheme: use one of {', '.join(SCHEMES)}")
    return await _one(request, caller, Query(identifiers=(Given(value, scheme),)))


@router.post("/resolve/batch", response_model=BatchAnswer, summary="Which entities are these?")
async def post_batch(body: BatchRequest, request: Request, caller: CallerOf) -> JSONResponse:
    """Answer up to a thousand questions from one release; an item that is no question gets an error of its own."""
    state, caller = state_of(request), caller.with_purpose(body.purpose)
    take(state, caller, len(body.items))
    questions = [item.query() for item in body.items if isinstance(item, Question)]
    release, answers = await state.ask_many(_ask_all, state, questions)
    answered = iter(answers)
    told: list[dict[str, Any]] = []
    looks: list[Look] = []
    for place, item in enumerate(body.items):
        if not isinstance(item, Question):
            told.append({"error": _no_question(item, place)})
            continue
        answer = next(answered)
        if isinstance(answer, QueryError):
            told.append({"error": {"place": f"body.items[{place}]", "expected": str(answer)}})
            continue
        shown = answer.as_dict()
        looks += _looks(state, caller, answer, shown)
        told.append(shown)
    await state.record(looks)
    return JSONResponse({"release": release, "answers": told})


def _no_question(item: Any, place: int) -> Detail:
    """Return where an item of a batch first differs from a question, without its value."""
    try:
        Question.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return detail_of({**first, "loc": ("body", "items", place, *first["loc"])})
    raise AssertionError("an item that is a question was taken for none")


async def _one(request: Request, caller: Caller, query: Query) -> JSONResponse:
    state = state_of(request)
    take(state, caller)
    answer = await state.ask(_ask, state, query) if query.values else _ask(state, query)
    told = answer.as_dict()
    await state.record(_looks(state, caller, answer, told))
    return JSONResponse(told)


def _ask(state: ServiceState, query: Query) -> Answer:
    with state.reader.reading() as snapshot:
        return resolve(snapshot, query)


def _ask_all(state: ServiceState, queries: Sequence[Query]) -> tuple[int, list[Answer | QueryError]]:
    answers: list[Answer | QueryError] = []
    with state.reader.reading() as snapshot:
        for query in queries:
            try:
                answers.append(resolve(snapshot, query))
            except QueryError as error:
                answers.append(error)
        return snapshot.release, answers


def _looks(state: ServiceState, caller: Caller, answer: Answer, told: dict[str, Any]) -> list[Look]:
    """Return the looks at natural persons of an answer, and count those that go through persons.

    Raises:
        ServiceError: 403; the answer is about a natural person and the role may see none.
    """
    state.metrics.answers.labels(answer.entity_type or "unknown", answer.status).inc()
    state.metrics.release.set(answer.release)
    persons = [entity_id for entity_id in answer.entity_ids if entity_id.startswith("NP")]
    if not persons and answer.entity_type != "natural_person":
        return []
    take_person(state, caller, counts=not persons or answer.state is not None)
    named: list[str | None] = [*persons] if persons else [None]
    return [caller.look(state.now(), "resolve", entity_id=one, result=told) for one in named]
