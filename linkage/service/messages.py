"""What goes in and out of the API, as pydantic models: the OpenAPI schema is made from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from linkage.lookup.answer import Query
from linkage.lookup.identifiers import SCHEMES, Given

MOST_ITEMS = 1000
EntityType = Literal["legal_person", "natural_person"]
Purpose = Annotated[str | None, Field(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IdentifierIn(_In):
    """An official number or an entity id, in any form."""

    value: Annotated[str, Field(max_length=200)]
    scheme: Annotated[str | None, Field(max_length=40, description=f"one of {', '.join(SCHEMES)}, or absent")] = None


class Question(_In):
    """Whom somebody asks about: numbers, other attributes, or both."""

    entity_type: EntityType | None = None
    identifiers: Annotated[tuple[IdentifierIn, ...], Field(max_length=20)] = ()
    name: Annotated[str | None, Field(max_length=500)] = None
    former_names: Annotated[str | None, Field(max_length=1000)] = None
    address: Annotated[str | None, Field(max_length=1000)] = None
    phone: Annotated[str | None, Field(max_length=200)] = None
    birth_date: Annotated[str | None, Field(max_length=100)] = None
    sex: Annotated[str | None, Field(max_length=50)] = None
    household_address: Annotated[str | None, Field(max_length=1000)] = None
    employer_name: Annotated[str | None, Field(max_length=500)] = None
    legal_rep_name: Annotated[str | None, Field(max_length=500)] = None
    established_date: Annotated[str | None, Field(max_length=100)] = None
    email: Annotated[str | None, Field(max_length=200)] = None
    language: Literal["zh", "en"] = "zh"
    limit: Annotated[int, Field(ge=1, le=50, description="most candidates told")] = 10

    def query(self) -> Query:
        """Return the question as `linkage.lookup` takes it."""
        beside = {"entity_type", "identifiers", "language", "limit", "purpose"}
        given = {name: value for name, value in self if name not in beside and value}
        identifiers = tuple(Given(one.value, one.scheme) for one in self.identifiers)
        return Query(self.entity_type, identifiers, given, self.language, self.limit)

    @property
    def is_numbers_only(self) -> bool:
        """Whether nothing has to be scored."""
        return not self.query().values


class ResolveRequest(Question):
    """One question, and why it is asked."""

    purpose: Purpose = None


class BatchRequest(_In):
    """Up to a thousand questions, answered from one release; what is no question stays as it came."""

    items: Annotated[
        tuple[Annotated[Question | Any, Field(union_mode="left_to_right")], ...],
        Field(min_length=1, max_length=MOST_ITEMS),
    ]
    purpose: Purpose = None


class CandidateOut(BaseModel):
    """An entity that comes into question."""

    entity_id: str
    entity_type: EntityType
    verdict: Literal["auto", "review", "conflict", "reject", "identifier"]
    probability: float | None
    link_basis: str | None
    evidence: list[str]


class ResolveAnswer(BaseModel):
    """Which entity it is: see docs/service.md."""

    status: Literal["matched", "possible", "none", "conflict"]
    entity_id: str | None
    entity_type: EntityType | None
    probability: float | None
    link_basis: str | None
    evidence: list[str]
    candidates: list[CandidateOut]
    notes: list[str]
    release: int
    asked: str | None = None
    state: Literal["living", "redirected", "retired"] | None = None


class ErrorDetail(BaseModel):
    """Where a request is not as expected."""

    place: str
    expected: str


class ErrorIn(BaseModel):
    """What is wrong."""

    code: str
    message: str
    request_id: str
    details: list[ErrorDetail]


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    error: ErrorIn


class BatchItemError(BaseModel):
    """An item that is no question; the others are answered all the same."""

    error: ErrorDetail


class BatchAnswer(BaseModel):
    """The answers, in the order of the questions."""

    release: int
    answers: list[ResolveAnswer | BatchItemError]


class EntityAnswer(BaseModel):
    """One entity as the caller may see it."""

    entity_id: str
    entity_type: EntityType
    asked: str
    state: Literal["living", "redirected"]
    release: int
    masked: bool
    golden: dict[str, Any]
    identifiers: list[dict[str, Any]]
    names: list[dict[str, Any]]
    addresses: list[dict[str, Any]]
    phones: list[dict[str, Any]]


class RowsAnswer(BaseModel):
    """Records, events or relations of one entity."""

    entity_id: str
    asked: str
    state: Literal["living", "redirected", "retired"]
    release: int
    rows: list[dict[str, Any]]


class HealthAnswer(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class ReadyAnswer(BaseModel):
    """The service can answer, and what it can answer."""

    ready: bool
    release: int
    lookup: dict[str, str]
