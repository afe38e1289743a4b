"""People's decisions (人工裁定): kept for good in the catalog store, apart from every release.

In: a ruling, and who says so. Out: rows of `decision` and `decision_event`; a decision is read back from both.

A decision never changes. What happens to it is a row of its own: `proposed` by its author, `activated` (by a second
person where the policy asks for one, else at once), `revoked`. Either table is a chain: a row carries a hash over
itself and the row before, so that an altered or missing row shows. No publish and no rollback touches them.

When a record is forgotten, `redact` takes its id and all free text out of the decisions that name it, and the hashes
are made anew from there on; the forgetting says so in its own chain.

Invariant: nobody confirms a decision of their own. The free text of a ruling stands in no message and no
representation.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import DECISION, DECISION_EVENT
from golden_records.catalog.store import Catalog
from golden_records.hash_chain import append, broken_rows, next_key, rechain
from golden_records.ruling import LONGEST_NAME, LONGEST_NOTE, DecisionError, Kind, Ruling, checked_text

State = Literal["proposed", "active", "revoked"]
STATES: tuple[State, ...] = get_args(State)

_STATE_AFTER: Mapping[str, State] = {"proposed": "proposed", "activated": "active", "revoked": "revoked"}


@dataclass(frozen=True)
class Policy:
    """What rulings may say and who must agree.

    Attributes:
        reasons: the codes a ruling's reason may have.
        two_people: kinds that come into force only when a second person confirms them.
    """

    reasons: frozenset[str]
    two_people: frozenset[Kind] = frozenset()


@dataclass(frozen=True)
class Person:
    """Who acts, and in which role."""

    name: str
    role: str


@dataclass(frozen=True)
class DecisionEvent:
    """A step in the life of a decision: proposed, activated or revoked."""

    event: str
    at: str
    by: Person
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Decision:
    """A stored ruling and what happened to it, oldest first."""

    decision_id: int
    ruling: Ruling
    events: tuple[DecisionEvent, ...]

    @property
    def state(self) -> State:
        """Where it stands; only active decisions count."""
        return _STATE_AFTER[self.events[-1].event]

    @property
    def author(self) -> Person:
        """Who made it."""
        return self.events[0].by

    @property
    def second_author(self) -> Person | None:
        """Who confirmed it, where that was asked for."""
        return next((e.by for e in self.events if e.event == "activated" and not same_person(e.by, self.author)), None)

    @property
    def records(self) -> frozenset[str]:
        """Every record it stands for."""
        return frozenset(record for group in self.ruling.groups for record in group)


# Called with the active decisions of the entity type and the decision about to join them; raises to refuse it.
Check = Callable[[Sequence[Decision], Decision], None]


def read_decisions(
    catalog: Catalog, *, entity_type: str | None = None, state: State | None = None
) -> tuple[Decision, ...]:
    """Return the decisions of one or both entity types, in one or any state, oldest first."""
    with catalog.reading():
        events = _events(catalog)
        rows = catalog.execute(
            "select decision_id, entity_type, ruling, reason, case_id, detail from decision "
            "where entity_type = coalesce(?, entity_type) order by decision_id",
            (entity_type,),
        ).fetchall()
    found = (Decision(row[0], _ruling(row), tuple(events[row[0]])) for row in rows)
    return tuple(decision for decision in found if state is None or decision.state == state)


def propose(
    catalog: Catalog, ruling: Ruling, *, policy: Policy, author: Person, now: datetime, check: Check
) -> Decision:
    """Store a ruling; it is active at once unless its kind needs a second person.

    Args:
        catalog: the store, open for writing.
        ruling: see `golden_records.ruling.ruling_on`.
        policy: the reasons there are, and the kinds that need two people.
        author: who rules.
        now: when.
        check: refuses what contradicts the active decisions (see `linkage.rulings.constraints.refuse_contradiction`).

    Raises:
        DecisionError: unknown reason, unusable text, or said already. Nothing was stored.
    """
    if ruling.reason not in policy.reasons:
        raise DecisionError(f"reason {ruling.reason!r}: not configured (known: {', '.join(sorted(policy.reasons))})")
    note = None if ruling.note is None else checked_text("note", ruling.note, LONGEST_NOTE)
    author = _checked(author)
    with catalog.writing():
        known = read_decisions(catalog, entity_type=ruling.entity_type)
        for decision in known:
            if decision.state != "revoked" and decision.ruling.means == ruling.means:
                raise DecisionError(f"decision {decision.decision_id} says this already ({decision.state})")
        number = next_key(catalog, DECISION)
        first = DecisionEvent("proposed", now.isoformat(), author)
        check([d for d in known if d.state == "active"], Decision(number, ruling, (first,)))
        append(catalog, DECISION, _decision_row(number, ruling, note, author, now))
        _append_event(catalog, number, "proposed", author, now, None)
        if ruling.kind not in policy.two_people:
            _append_event(catalog, number, "activated", author, now, None)
        return _get(catalog, number)


def confirm(
    catalog: Catalog, decision_id: int, *, by: Person, now: datetime, check: Check, note: str | None = None
) -> Decision:
    """Bring a proposed decision into force, as a second person.

    Raises:
        DecisionError: there is none, it is not waiting, or its author confirms it.
    """
    by = _checked(by)
    said = None if note is None else checked_text("note", note, LONGEST_NOTE)
    with catalog.writing():
        decision = _get(catalog, decision_id)
        if decision.state != "proposed":
            raise DecisionError(f"decision {decision_id}: is {decision.state}; only a proposed one can be confirmed")
        if same_person(by, decision.author):
            raise DecisionError(f"decision {decision_id}: its author cannot confirm it; a second person must")
        check(read_decisions(catalog, entity_type=decision.ruling.entity_type, state="active"), decision)
        _append_event(catalog, decision_id, "activated", by, now, said)
        return _get(catalog, decision_id)


def revoke(catalog: Catalog, decision_id: int, *, by: Person, now: datetime, note: str) -> Decision:
    """End a decision, proposed or active; it stays readable.

    Raises:
        DecisionError: there is none, it was revoked already, or no reason is given.
    """
    by = _checked(by)
    said = checked_text("note", note, LONGEST_NOTE)
    with catalog.writing():
        if _get(catalog, decision_id).state == "revoked":
            raise DecisionError(f"decision {decision_id}: was revoked already")
        _append_event(catalog, decision_id, "revoked", by, now, said)
        return _get(catalog, decision_id)


def same_person(one: Person, other: Person) -> bool:
    """Say whether two names are one person's: width, case and blanks do not make another person."""
    return _folded(one.name) == _folded(other.name)


def broken_links(catalog: Catalog) -> tuple[str, ...]:
    """Return `table key` of every row that the chains of `decision` and `decision_event` do not vouch for."""
    with catalog.reading():
        return tuple(
            f"{table.name} {key}" for table in (DECISION, DECISION_EVENT) for key in broken_rows(catalog, table)
        )


def redact(catalog: Catalog, tokens: Mapping[str, str], holds: Callable[[str], bool]) -> dict[str, int]:
    """Take forgotten records and free text about them out of the decisions, and chain the rows anew.

    What was ruled, by whom, when and for which reason stays; the record's id becomes its token, so that a ruling on
    three records still says how the other two stand.

    Args:
        catalog: the store, unguarded, in a writing transaction.
        tokens: record id → token.
        holds: says whether a text holds a value of the forgotten.

    Returns:
        Table → first key whose row, and so whose hash and all hashes after it, is another now; empty: none.
    """
    first: dict[str, int] = {}
    touched: set[int] = set()
    for number, left, right, text in catalog.execute(
        "select decision_id, left_record_id, right_record_id, detail from decision order by decision_id"
    ).fetchall():
        detail = json.loads(text)
        named = {left, right, *detail["records"], *(record for group in detail["groups"] for record in group)}
        about = not named.isdisjoint(tokens)
        if not about and not holds(detail["note"] or ""):
            continue
        first.setdefault(DECISION.name, number)
        detail["note"] = None
        if about:
            touched.add(number)
            detail["records"] = [tokens.get(record, record) for record in detail["records"]]
            detail["groups"] = [[tokens.get(record, record) for record in group] for group in detail["groups"]]
        catalog.execute(
            "update decision set left_record_id = ?, right_record_id = ?, detail = ?, "
            "case_id = case when ? then null else case_id end where decision_id = ?",
            (tokens.get(left, left), tokens.get(right, right), as_json(detail), about, number),
        )
    for event, number, note in catalog.execute(
        "select event_id, decision_id, note from decision_event where note is not null order by event_id"
    ).fetchall():
        if number in touched or holds(note):
            first.setdefault(DECISION_EVENT.name, event)
            catalog.execute("update decision_event set note = null where event_id = ?", (event,))
    for table in (DECISION, DECISION_EVENT):
        if table.name in first:
            rechain(catalog, table, first[table.name])
    return first


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def _checked(person: Person) -> Person:
    name = checked_text("author", person.name, LONGEST_NAME)
    if not _folded(name):
        raise DecisionError("author: is missing or empty")
    return Person(name, checked_text("role", person.role, LONGEST_NAME))


def _get(catalog: Catalog, decision_id: int) -> Decision:
    found = next((d for d in read_decisions(catalog) if d.decision_id == decision_id), None)
    if found is None:
        raise DecisionError(f"decision {decision_id}: there is none; `guiyi decisions` lists them")
    return found


def _events(catalog: Catalog) -> defaultdict[int, list[DecisionEvent]]:
    found: defaultdict[int, list[DecisionEvent]] = defaultdict(list)
    for number, event, at, actor, role, note in catalog.execute(
        "select decision_id, event, at, actor, role, note from decision_event order by event_id"
    ):
        found[number].append(DecisionEvent(event, at, Person(actor, role), note))
    return found


def _ruling(row: Sequence[Any]) -> Ruling:
    _, entity_type, kind, reason, case_id, text = row
    detail = json.loads(text)
    groups = tuple(tuple(group) for group in detail["groups"])
    return Ruling(
        kind=kind,
        entity_type=entity_type,
        scope=detail["scope"],
        records=tuple(detail["records"]),
        groups=groups,
        release=detail["release"],
        reason=reason,
        note=detail["note"],
        case_id=case_id,
    )


def _decision_row(number: int, ruling: Ruling, note: str | None, author: Person, now: datetime) -> dict[str, Any]:
    two = ruling.records if len(ruling.records) == 2 else (None, None)
    return {
        "decision_id": number,
        "decided_at": now.isoformat(),
        "actor": author.name,
        "role": author.role,
        "entity_type": ruling.entity_type,
        "ruling": ruling.kind,
        "reason": ruling.reason,
        "case_id": ruling.case_id,
        "left_record_id": two[0],
        "right_record_id": two[1],
        "revokes": None,
        "detail": as_json(
            {
                "scope": ruling.scope,
                "records": ruling.records,
                "groups": ruling.groups,
                "release": ruling.release,
                "note": note,
            }
        ),
    }


def _append_event(catalog: Catalog, number: int, event: str, by: Person, now: datetime, note: str | None) -> None:
    row = {
        "event_id": next_key(catalog, DECISION_EVENT),
        "decision_id": number,
        "event": event,
        "at": now.isoformat(),
        "actor": by.name,
        "role": by.role,
        "note": note,
    }
    append(catalog, DECISION_EVENT, row)
