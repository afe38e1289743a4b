"""The trail of the review desk (审核留痕): who did what on which case, on which evidence, from which release.

Rows of `review_trail` are only added and chained by their hashes (`golden_records.hash_chain`). They hold codes,
numbers and hashes, no value of anybody; who looked at what is in `access_log`, what was said in `review_opinion`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import REVIEW_TRAIL
from golden_records.catalog.store import Catalog
from golden_records.hash_chain import append, broken_rows, next_key

Row = dict[str, Any]


@dataclass(frozen=True)
class Deed:
    """One thing done at the desk.

    Attributes:
        action: what, see docs/catalog.md.
        actor: who.
        role: in which role.
        organization: for which body.
        case_id: the case.
        entity_id: the entity, where there is no case.
        decision_id: the decision.
        release: the release that was looked at.
        evidence_hash: hash of the evidence as it was shown.
        detail: codes, weights and levels.
    """

    action: str
    actor: str
    role: str
    organization: str | None = None
    case_id: str | None = None
    entity_id: str | None = None
    decision_id: int | None = None
    release: int | None = None
    evidence_hash: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def write_deed(catalog: Catalog, deed: Deed, *, now: datetime) -> int:
    """Add a deed to the trail and return its number."""
    with catalog.writing():
        number = next_key(catalog, REVIEW_TRAIL)
        append(
            catalog,
            REVIEW_TRAIL,
            {
                "entry_id": number,
                "at": now.isoformat(),
                "actor": deed.actor,
                "role": deed.role,
                "action": deed.action,
                "organization": deed.organization,
                "case_id": deed.case_id,
                "entity_id": deed.entity_id,
                "decision_id": deed.decision_id,
                "release": deed.release,
                "evidence_hash": deed.evidence_hash,
                "detail": as_json(dict(deed.detail)) if deed.detail else None,
            },
        )
    return number


def deeds_of_case(catalog: Catalog, case_id: str) -> list[Row]:
    """Return what was done on a case and on the decisions it led to, oldest first."""
    return _read(
        catalog,
        "case_id = ? or decision_id in (select decision_id from review_opinion where case_id = ?)",
        (case_id, case_id),
    )


def deeds_between(catalog: Catalog, first: str, last: str, *, limit: int | None = None) -> list[Row]:
    """Return what was done from one time to another (ISO, the second not included), oldest first."""
    return _read(catalog, "at >= ? and at < ?", (first, last), limit=limit)


def broken_deeds(catalog: Catalog) -> tuple[int, ...]:
    """Return the numbers of rows that the chain does not vouch for."""
    return tuple(broken_rows(catalog, REVIEW_TRAIL))


def _read(catalog: Catalog, where: str, values: Sequence[Any], *, limit: int | None = None) -> list[Row]:
    names = ", ".join(REVIEW_TRAIL.column_names)
    order = "order by entry_id" if limit is None else f"order by entry_id desc limit {int(limit)}"
    rows = [
        dict(zip(REVIEW_TRAIL.column_names, row, strict=True))
        for row in catalog.execute(f"select {names} from review_trail where {where} {order}", values)
    ]
    found = [row | {"detail": json.loads(row["detail"]) if row["detail"] else {}} for row in rows]
    return sorted(found, key=lambda row: int(row["entry_id"]))
