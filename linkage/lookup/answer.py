"""What a lookup answers: the same on the command line, over HTTP and in the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from linkage.fields import Entity
from linkage.lookup.identifiers import Given

Status = Literal["matched", "possible", "none", "conflict"]
Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Query:
    """Whom somebody asks about.

    Attributes:
        entity_type: legal_person or natural_person; None only where identifiers alone are given.
        identifiers: official numbers and entity ids, in any form.
        values: canonical field to raw text: name, address, phone, birth_date and the like.
        language: of the evidence.
        limit: most candidates told.
    """

    entity_type: Entity | None = None
    identifiers: tuple[Given, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    language: Language = "zh"
    limit: int = 10


@dataclass(frozen=True)
class Candidate:
    """An entity that comes into question.

    Attributes:
        entity_id: the entity.
        entity_type: its type.
        verdict: auto, conflict or review, as the batch would judge; `identifier` where only a number was looked up.
        probability: the match probability; None where nothing was scored.
        link_basis: what a link would rest on.
        evidence: why, in words; no values.
    """

    entity_id: str
    entity_type: str
    verdict: str
    probability: float | None
    link_basis: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a lookup found.

    Attributes:
        status: `matched`: one entity, and no other comes near; `possible`: a person must look; `conflict`: the
            numbers, or a number and the rest, do not go together; `none`: nobody.
        entity_id: the entity; only where the status is `matched`.
        entity_type: the type asked for, or found.
        probability: of the match.
        link_basis: what the match rests on: identifier, corroborated, attribute.
        evidence: why, in words; no values.
        candidates: whoever comes into question, the likeliest first.
        notes: what the answer does not take into account.
        release: the release it was read from.
        asked: the entity id asked for, where it was not living any more.
        state: of an entity id asked for: living, redirected, retired.
    """

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

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; `asked` and `state` only where they say something."""
        told = asdict(self)
        for name in ("evidence", "candidates", "notes"):
            told[name] = list(told[name])
        for candidate in told["candidates"]:
            candidate["evidence"] = list(candidate["evidence"])
        return {k: v for k, v in told.items() if v is not None or k not in ("asked", "state")}

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """Every entity that the answer names, each once."""
        named = [self.entity_id] if self.entity_id else []
        return tuple(dict.fromkeys([*named, *(c.entity_id for c in self.candidates)]))
