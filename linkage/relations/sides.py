"""What relations are derived from: the tables of one entity type after its run, and how claims are written down.

A claim is one record's word for one relation; `golden_records.relations` turns claims into relations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.relations import CLAIM_COLUMNS

_TYPES = {"golden": "boolean"}


@dataclass(frozen=True)
class Side:
    """The tables of one entity type.

    Attributes:
        records: standardised records.
        membership: record_id, entity_id.
        golden: golden records.
        provenance: where the golden values come from.
    """

    records: str
    membership: str
    golden: str
    provenance: str

    @classmethod
    def of(cls, entity: str) -> Side:
        """Return the tables of an entity type in a batch database."""
        return cls(*(f"{entity}_{name}" for name in ("records", "membership", "golden", "provenance")))

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables."""
        return self.records, self.membership, self.golden, self.provenance

    def member(self) -> str:
        """Return a subquery: the records, each with the `entity_id` it belongs to."""
        return (
            f"(select m.entity_id, r.* from {quote(self.records)} r "
            f"join {quote(self.membership)} m on m.record_id = r.record_id)"
        )

    def surviving(self, attribute: str) -> str:
        """Return a subquery: entity_id, record_id and as_of of the record that gave a golden value."""
        return (
            f"(select p.entity_id, p.record_id, r.as_of::varchar as as_of from {quote(self.provenance)} p "
            f"join {quote(self.records)} r on r.record_id = p.record_id where p.attribute = '{attribute}')"
        )


@dataclass(frozen=True)
class Unresolved:
    """Relations that records speak of but that lead to no one entity.

    Attributes:
        relation: what is spoken of.
        reason: `name_only`, `ambiguous` (several entities fit) or `name_contradicts` (the number is another name's).
        count: how many, counted once per entity and name.
    """

    relation: str
    reason: str
    count: int


def make_claims(con: DuckDBPyConnection, out: str) -> None:
    """Make an empty table of claims."""
    columns = ", ".join(f"{quote(name)} {_TYPES.get(name, 'varchar')}" for name in CLAIM_COLUMNS)
    con.execute(f"create or replace table {quote(out)} ({columns})")


def unresolved(con: DuckDBPyConnection, query: str) -> tuple[Unresolved, ...]:
    """Return the counts that a query of relation, reason and number gives, in order."""
    return tuple(Unresolved(relation, reason, int(n)) for relation, reason, n in sorted(con.execute(query).fetchall()))


def drop(con: DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop temporary tables."""
    for name in names:
        con.execute(f"drop table if exists {quote(name)}")


def texts(values: Iterable[str]) -> str:
    """Return texts as a SQL list of literals; never empty, so that `in` is valid."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values) or "''"
