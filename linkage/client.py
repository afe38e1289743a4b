"""A typed client of the resolve service: time-outs, retries that wait, typed answers.

Asking twice does no harm, so what fails on the way, 429 and 503 are tried again after a pause that grows, or after the
one the service names. Any other error is raised at once with the service's code and words.

```python
with GuiyiClient("https://guiyi.example", token) as guiyi:
    answer = guiyi.resolve(identifiers=[("uscc", "91440300MA5KPW5G0T")])
    if answer.status == "matched":
        use(answer.entity_id)
```
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote

import httpx

_AGAIN = frozenset((429, 502, 503, 504))
_LONGEST_PAUSE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.2
MOST_ITEMS = 1000

Status = Literal["matched", "possible", "none", "conflict"]


class GuiyiClientError(Exception):
    """The service refused, or could not be reached.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        code: the service's code, such as `forbidden`; `unreachable` if there was no answer.
        request_id: the request's id in the service's log.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "unreachable", request_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True)
class Candidate:
    """An entity that comes into question."""

    entity_id: str
    entity_type: str
    verdict: str
    probability: float | None
    link_basis: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Which entity it is; fields as in docs/service.md."""

    status: Status
    entity_id: str | None
    entity_type: str | None
    probability: float | None
    link_basis: str | None
    evidence: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]
    release: int
    asked: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class Entity:
    """One entity as the token may see it; fields as in docs/service.md."""

    entity_id: str
    entity_type: str
    asked: str
    state: str
    release: int
    masked: bool
    golden: Mapping[str, Any]
    identifiers: tuple[Mapping[str, Any], ...] = ()
    names: tuple[Mapping[str, Any], ...] = ()
    addresses: tuple[Mapping[str, Any], ...] = ()
    phones: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Question:
    """One question of a batch.

    Attributes:
        entity_type: legal_person or natural_person; needed beside a name.
        identifiers: (scheme or None, value) pairs.
        fields: canonical field to text: name, address, phone, birth_date …
    """

    entity_type: str | None = None
    identifiers: Sequence[tuple[str | None, str]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the question as the service reads it."""
        numbers = [{"value": value} | ({"scheme": scheme} if scheme else {}) for scheme, value in self.identifiers]
        kind = {"entity_type": self.entity_type} if self.entity_type else {}
        return {**kind, **({"identifiers": numbers} if numbers else {}), **self.fields}


class GuiyiClient:
    """A connection to the service; a resource to be closed, best with `with`.

    Args:
        base_url: where the service is.
        token: a bearer token.
        timeout_seconds: longest one try may take.
        tries: how often a question is asked at most.
        purpose: purpose stated with every question.
        transport: how requests are sent; for tests.
        sleep: waits some seconds; for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_seconds: float = 10.0,
        tries: int = 4,
        purpose: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"}
        if purpose is not None:
            headers["x-guiyi-purpose"] = quote(purpose)
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_seconds, transport=transport)
        self._tries = tries
        self._sleep = sleep

    def __enter__(self) -> GuiyiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def resolve(
        self,
        entity_type: str | None = None,
        *,
        identifiers: Sequence[tuple[str | None, str]] = (),
        language: str = "zh",
        **fields: str,
    ) -> Answer:
        """Ask which entity something is.

        Raises:
            GuiyiClientError: the service refused or could not be reached.
        """
        body = Question(entity_type, identifiers, fields).body() | {"language": language}
        return _answer(self._ask("POST", "/v1/resolve", json=body))

    def resolve_many(self, questions: Iterable[Question]) -> list[Answer | GuiyiClientError]:
        """Ask many questions, a thousand at a time; a question that is none has an error in its place.

        Raises:
            GuiyiClientError: the service refused or could not be reached.
        """
        asked = list(questions)
        answers: list[Answer | GuiyiClientError] = []
        for start in range(0, len(asked), MOST_ITEMS):
            items = [question.body() for question in asked[start : start + MOST_ITEMS]]
            told = self._ask("POST", "/v1/resolve/batch", json={"items": items})
            for one in told["answers"]:
                if "error" in one:
                    error = one["error"]
                    answers.append(GuiyiClientError(error["expected"], status=422, code="invalid_question"))
                else:
                    answers.append(_answer(one))
        return answers

    def entity(self, entity_id: str, *, unmasked: bool = False) -> Entity:
        """Return an entity by any id it ever had.

        Raises:
            GuiyiClientError: unknown (404), ended (410), or not for this token (403).
        """
        path = f"/v1/entities/{quote(entity_id, safe='')}"
        told = self._ask("GET", path, params={"unmasked": "true"} if unmasked else None)
        rows = {name: tuple(told[name]) for name in ("identifiers", "names", "addresses", "phones")}
        return Entity(**{**told, **rows})

    def records(self, entity_id: str) -> list[dict[str, Any]]:
        """Return the records of an entity.

        Raises:
            GuiyiClientError: as for `entity`.
        """
        rows: list[dict[str, Any]] = self._ask("GET", f"/v1/entities/{quote(entity_id, safe='')}/records")["rows"]
        return rows

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        for tried in range(1, self._tries + 1):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if tried == self._tries:
                    raise GuiyiClientError(f"no answer after {tried} tries ({type(error).__name__})") from error
                self._sleep(_pause(tried, None))
                continue
            if answer.status_code == 200:
                told: dict[str, Any] = answer.json()
                return told
            if answer.status_code not in _AGAIN or tried == self._tries:
                raise _error(answer)
            self._sleep(_pause(tried, answer.headers.get("retry-after")))
        raise GuiyiClientError("no try was allowed: tries must be at least 1")


def _pause(tried: int, told: str | None) -> float:
    """Return how long to wait before the next try: what the service said, else longer each time, by chance apart."""
    if told is not None and told.isdigit():
        return min(float(told), _LONGEST_PAUSE_SECONDS)
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** (tried - 1) * (0.5 + random.random()), _LONGEST_PAUSE_SECONDS)


def _answer(told: Mapping[str, Any]) -> Answer:
    candidates = tuple(Candidate(**{**one, "evidence": tuple(one["evidence"])}) for one in told["candidates"])
    texts = {name: tuple(told[name]) for name in ("evidence", "notes")}
    return Answer(**{**told, **texts, "candidates": candidates})


def _error(answer: httpx.Response) -> GuiyiClientError:
    try:
        error = answer.json()["error"]
        words, code, request_id = error["message"], error["code"], error["request_id"]
        places = "; ".join(f"{one['place']}: {one['expected']}" for one in error["details"])
        message = f"{words} ({places})" if places else words
    except (ValueError, KeyError, TypeError):
        message, code, request_id = "an answer that is not the service's", "unknown", ""
    return GuiyiClientError(message, status=answer.status_code, code=code, request_id=request_id)
