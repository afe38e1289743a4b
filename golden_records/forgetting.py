"""Tombstones (遗忘登记): that records were forgotten, by whom and why; never what they said.

In: record ids, and the workspace's secret key. Out: rows of `forgetting`, a hash chain like that of decisions.

A record is known by its token, an HMAC of its id under the key: enough to recognise the record when a source delivers
it again, and nothing to anybody without the key. Events of a forgetting: `forgotten`, `proved` (every store was
searched and nothing was found; the detail says what was searched), `lifted` (the record may come back).

Invariant: no row holds a value of anybody, a record id included.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import FORGETTING
from golden_records.catalog.store import Catalog
from golden_records.decisions import Person
from golden_records.hash_chain import append, broken_rows, next_key

FORGOTTEN, PROVED, LIFTED = "forgotten", "proved", "lifted"
TOKEN_SOURCE = "forgotten"
_TOKEN_DIGITS = 32


@dataclass(frozen=True)
class ForgettingEvent:
    """A row of the ledger.

    Attributes:
        forgetting_id: which forgetting.
        event: `forgotten`, `proved` or `lifted`.
        at: when, ISO 8601.
        by: who.
        reason: a configured code.
        records: number of records.
        entities: number of entities that held them.
        tokens: one for each record.
        detail: counts: rows removed by store, what was searched.
    """

    forgetting_id: int
    event: str
    at: str
    by: Person
    reason: str
    records: int
    entities: int
    tokens: tuple[str, ...]
    detail: Mapping[str, Any]


def token(key: bytes, record_id: str) -> str:
    """Return what stands for a record that was forgotten; it has the form of a record id.

    >>> token(b"key", "police:1") == token(b"key", "police:1") != token(b"key", "police:2")
    True
    """
    digest = hmac.digest(key, record_id.encode("utf-8", "surrogatepass"), "sha256").hex()
    return f"{TOKEN_SOURCE}:{digest[:_TOKEN_DIGITS]}"


def next_forgetting(catalog: Catalog) -> int:
    """Return the number of the next forgetting."""
    row = catalog.row("select coalesce(max(forgetting_id), 0) + 1 from forgetting")
    assert row is not None
    return int(row[0])


def record_event(catalog: Catalog, event: ForgettingEvent, *, now: datetime) -> None:
    """Append an event; the caller holds a writing transaction."""
    append(
        catalog,
        FORGETTING,
        {
            "event_id": next_key(catalog, FORGETTING),
            "forgetting_id": event.forgetting_id,
            "event": event.event,
            "at": now.isoformat(),
            "actor": event.by.name,
            "role": event.by.role,
            "reason": event.reason,
            "records": event.records,
            "entities": event.entities,
            "tokens": as_json(sorted(event.tokens)),
            "detail": as_json(event.detail),
        },
    )


def forgetting_events(catalog: Catalog) -> tuple[ForgettingEvent, ...]:
    """Return the ledger, oldest first."""
    rows = catalog.execute(
        "select forgetting_id, event, at, actor, role, reason, records, entities, tokens, detail "
        "from forgetting order by event_id"
    ).fetchall()
    return tuple(_event(row) for row in rows)


def refused_tokens(events: Sequence[ForgettingEvent]) -> frozenset[str]:
    """Return the tokens of records that were forgotten and may not come back."""
    refused: set[str] = set()
    for event in events:
        if event.event == FORGOTTEN:
            refused |= set(event.tokens)
        elif event.event == LIFTED:
            refused -= set(event.tokens)
    return frozenset(refused)


def happened(events: Collection[ForgettingEvent], forgetting_id: int, event: str) -> bool:
    """Say whether an event of a forgetting is in the ledger."""
    return any(e.forgetting_id == forgetting_id and e.event == event for e in events)


def broken_events(catalog: Catalog) -> tuple[int, ...]:
    """Return the keys of rows that the chain does not vouch for."""
    return tuple(broken_rows(catalog, FORGETTING))


def _event(row: Sequence[Any]) -> ForgettingEvent:
    number, event, at, actor, role, reason, records, entities, tokens, detail = row
    return ForgettingEvent(
        number,
        event,
        at,
        Person(actor, role),
        reason,
        records,
        entities,
        tuple(json.loads(tokens)),
        json.loads(detail) if detail else {},
    )
