"""Who saw, who ruled, when, on what evidence: the trail of a case or a period, and the proof that nobody altered it.

Deeds are in `review_trail`, looks in `access_log`, decisions and what happened to them in `decision` and
`decision_event`, opinions in `review_opinion`. Each is a chain of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from golden_records.catalog.schema import (
    ACCESS_LOG,
    DECISION,
    DECISION_EVENT,
    FORGETTING,
    REVIEW_OPINION,
    REVIEW_TRAIL,
    Table,
)
from golden_records.catalog.store import Catalog
from golden_records.hash_chain import broken_rows, last_hash
from golden_records.review_trail import deeds_between, deeds_of_case

CHAINS: tuple[Table, ...] = (REVIEW_TRAIL, REVIEW_OPINION, DECISION, DECISION_EVENT, ACCESS_LOG, FORGETTING)
Row = dict[str, Any]
_LOOKS = ("review_case", "review_entity", "review_decision", "review_search", "review_queue")


@dataclass(frozen=True)
class ChainState:
    """A chain of rows.

    Attributes:
        table: its table.
        rows: number of rows.
        broken: keys of rows that do not follow from the row before.
        head: hash of the newest row; whoever keeps it elsewhere sees whether rows were cut off.
    """

    table: str
    rows: int
    broken: tuple[int, ...]
    head: str | None


def trail_of_case(catalog: Catalog, case_id: str) -> list[Row]:
    """Return what was done and who looked, on one case, oldest first."""
    return _together(deeds_of_case(catalog, case_id), _looks(catalog, "authorization_ref = ?", (case_id,)))


def trail_between(catalog: Catalog, first: str, last: str, *, limit: int | None = None) -> list[Row]:
    """Return what was done at the desk and who looked, from one time to another (ISO), oldest first."""
    where = f"at >= ? and at < ? and action in ({', '.join(repr(action) for action in _LOOKS)})"
    return _together(
        deeds_between(catalog, first, last, limit=limit), _looks(catalog, where, (first, last), limit=limit)
    )


def chains(catalog: Catalog) -> tuple[ChainState, ...]:
    """Verify every chain that a trail rests on."""
    found = []
    with catalog.reading():
        for table in CHAINS:
            row = catalog.row(f"select count(*) from {table.name}")
            rows = int(row[0]) if row is not None else 0
            found.append(ChainState(table.name, rows, tuple(broken_rows(catalog, table)), last_hash(catalog, table)))
    return tuple(found)


def _looks(catalog: Catalog, where: str, values: Sequence[Any], *, limit: int | None = None) -> list[Row]:
    order = "order by entry_id" if limit is None else f"order by entry_id desc limit {int(limit)}"
    names = ("entry_id", "at", "actor", "role", "action", "organization", "entity_id", "purpose", "result_hash")
    rows = catalog.execute(
        f"select {', '.join(names)}, authorization_ref, hash from access_log where {where} {order}", values
    ).fetchall()
    return [
        {
            **dict(zip((*names, "subject", "hash"), row, strict=True)),
            "chain": ACCESS_LOG.name,
        }
        for row in rows
    ]


def _together(deeds: list[Row], looks: list[Row]) -> list[Row]:
    told = [{**row, "chain": REVIEW_TRAIL.name, "purpose": None, "subject": row["case_id"]} for row in deeds]
    return sorted([*told, *looks], key=lambda row: (row["at"][:19], row["chain"], row["entry_id"]))
