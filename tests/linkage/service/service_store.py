"""A published catalog with tokens, as the tests of the service ask it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from small_district import ask

from golden_records.entity_id import mint

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
OLD_PERSON, OLD_FIRM, RETIRED = mint("NP", 900_001), mint("LP", 900_002), mint("LP", 900_003)


@dataclass(frozen=True)
class Subject:
    """A natural or a legal person of the catalog, unmasked."""

    entity_id: str
    values: dict[str, str]


@dataclass(frozen=True)
class Store:
    """A published catalog with tokens.

    Attributes:
        path: the catalog.
        tokens: role to token.
        person: a natural person with a number, a phone, an address.
        firm: a legal person with a credit code, an address and a representative.
    """

    path: Path
    tokens: dict[str, str]
    person: Subject
    firm: Subject


def subject(path: Path, table: str, *needed: str) -> Subject:
    there = " and ".join(f"{column} is not null" for column in needed)
    columns = ("entity_id", *needed)
    query = f"select {', '.join(columns)} from {table} where {there} and records > 2 order by entity_id limit 1"
    (row,) = ask(path, query)
    values = dict(zip(columns, row, strict=True))
    return Subject(values.pop("entity_id"), values)
