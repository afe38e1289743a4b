"""What each person said on a review case (审核意见): kept for good, apart from releases, chained by hashes.

An opinion is not yet a decision: of the kinds that need two people the first opinion proposes a decision, the second,
given without having seen the first one's words, confirms it or disagrees. `cannot_tell` is an opinion and no decision.

When a record is forgotten, `redact` takes the case's id, the record's id and all words out of the opinions on its
cases, and their case ids out of the trail; the hashes are made anew from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from golden_records.catalog.schema import REVIEW_OPINION, REVIEW_TRAIL
from golden_records.catalog.store import Catalog
from golden_records.decisions import Person
from golden_records.hash_chain import append, broken_rows, next_key, rechain

Part = Literal["first", "second", "settling"]
Choice = Literal["same", "different", "not_here", "cannot_tell"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
FORGOTTEN_CASE = "forgotten"


@dataclass(frozen=True)
class Opinion:
    """What one person said.

    Attributes:
        opinion_id: its number.
        case_id: the case.
        at: when, ISO.
        by: who.
        part: first, second or settling.
        ruling: same, different, not_here or cannot_tell.
        record_id: of not_here, the record that does not belong.
        reason: a code.
        note: more words.
        decision_id: the decision it made, confirmed or did not agree with.
        release: the release it was made on.
        request_key: made once per form.
    """

    opinion_id: int
    case_id: str
    at: str
    by: Person
    part: Part
    ruling: Choice
    record_id: str | None
    reason: str
    note: str | None = field(repr=False)
    decision_id: int | None
    release: int
    request_key: str


def add_opinion(
    catalog: Catalog,
    case_id: str,
    *,
    by: Person,
    now: datetime,
    part: Part,
    ruling: Choice,
    record_id: str | None,
    reason: str,
    note: str | None,
    decision_id: int | None,
    release: int,
    request_key: str,
) -> Opinion:
    """Keep an opinion; the caller holds a writing transaction and has checked it."""
    number = next_key(catalog, REVIEW_OPINION)
    opinion = Opinion(
        number, case_id, now.isoformat(), by, part, ruling, record_id, reason, note, decision_id, release, request_key
    )
    append(
        catalog,
        REVIEW_OPINION,
        {
            "opinion_id": number,
            "case_id": case_id,
            "at": opinion.at,
            "actor": by.name,
            "role": by.role,
            "part": part,
            "ruling": ruling,
            "record_id": record_id,
            "reason": reason,
            "note": note,
            "decision_id": decision_id,
            "release": release,
            "request_key": request_key,
        },
    )
    return opinion


def opinions_of(catalog: Catalog, case_id: str) -> tuple[Opinion, ...]:
    """Return what was said on a case, oldest first."""
    return _read(catalog, "case_id = ?", (case_id,))


def opinion_of_request(catalog: Catalog, request_key: str) -> Opinion | None:
    """Return the opinion that a form has made already."""
    return next(iter(_read(catalog, "request_key = ?", (request_key,))), None)


def every_opinion(catalog: Catalog, *, after: int = 0) -> tuple[Opinion, ...]:
    """Return all opinions after a number, oldest first."""
    return _read(catalog, "opinion_id > ?", (after,))


def broken_opinions(catalog: Catalog) -> tuple[int, ...]:
    """Return the numbers of rows that the chain does not vouch for."""
    return tuple(broken_rows(catalog, REVIEW_OPINION))


def cases_of_records(catalog: Catalog, records: Collection[str]) -> frozenset[str]:
    """Return the cases, of any release, that one of some records stands in."""
    found: set[str] = set()
    for table in ("review_case", "review_case_history"):
        for case_id, left, right in catalog.execute(f"select case_id, left_record_id, right_record_id from {table}"):
            if left in records or right in records:
                found.add(str(case_id))
    return frozenset(found)


def redact(catalog: Catalog, cases: Collection[str], holds: Callable[[str], bool]) -> dict[str, int]:
    """Take forgotten records out of opinions and trail, and chain the rows anew.

    Args:
        catalog: the store, unguarded, in a writing transaction.
        cases: the cases in which the records stood.
        holds: says whether a text holds a value of the forgotten.

    Returns:
        Table → first key whose row is another now; empty: none.
    """
    first: dict[str, int] = {}
    for number, case_id, record_id, note in catalog.execute(
        "select opinion_id, case_id, record_id, note from review_opinion order by opinion_id"
    ).fetchall():
        about = case_id in cases
        if not about and not holds(note or "") and not holds(record_id or ""):
            continue
        first.setdefault(REVIEW_OPINION.name, number)
        catalog.execute(
            "update review_opinion set note = null, record_id = null, case_id = ? where opinion_id = ?",
            (FORGOTTEN_CASE if about else case_id, number),
        )
    for number, case_id in catalog.execute(
        "select entry_id, case_id from review_trail where case_id is not null order by entry_id"
    ).fetchall():
        if case_id in cases:
            first.setdefault(REVIEW_TRAIL.name, number)
            catalog.execute("update review_trail set case_id = null where entry_id = ?", (number,))
    for table in (REVIEW_OPINION, REVIEW_TRAIL):
        if table.name in first:
            rechain(catalog, table, first[table.name])
    for case_id in sorted(cases):
        catalog.execute("delete from review_assignment where case_id = ?", (case_id,))
        catalog.execute("delete from review_queue where case_id = ?", (case_id,))
    catalog.execute("update review_session set subject = null, purpose = null, purpose_until = null")
    return first


def _read(catalog: Catalog, where: str, values: Sequence[Any]) -> tuple[Opinion, ...]:
    rows = catalog.execute(
        "select opinion_id, case_id, at, actor, role, part, ruling, record_id, reason, note, decision_id, release, "
        f"request_key from review_opinion where {where} order by opinion_id",
        values,
    )
    return tuple(
        Opinion(number, case_id, at, Person(actor, role), part, ruling, record, reason, note, decision, release, key)
        for number, case_id, at, actor, role, part, ruling, record, reason, note, decision, release, key in rows
    )
