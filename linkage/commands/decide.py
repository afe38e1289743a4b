"""`guiyi decide` and `guiyi decisions`: record what people rule on records, and list it.

What is active is applied at once to what it touches (`linkage.at_once`), or else by the next run. The name given is
taken at its word: who may use the command is the operating system's affair.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.decisions import (
    Decision,
    Person,
    State,
    confirm,
    propose,
    read_decisions,
    revoke,
)
from golden_records.errors import GoldenRecordsError
from golden_records.ruling import Kind, Scope, ruling_on
from linkage.at_once.resolve import Effect, NotAtOnceError, resolve_decisions
from linkage.commands.console import Console
from linkage.errors import ConfigError, LinkageError
from linkage.fields import ENTITIES
from linkage.finishing import bring_to_end
from linkage.rulings.contradictions import Contradiction, refuse_contradiction, weigh
from linkage.workspace import Workspace, locked

ROLE = "command_line"


@dataclass(frozen=True)
class DecideRequest:
    """What `guiyi decide` was asked: a ruling, or a step of a decision made before.

    Attributes:
        author: who rules, confirms or revokes.
        kind: the ruling.
        records: the records ruled on.
        scope: how far it reaches; by kind if absent.
        reason: a configured code.
        note: more words.
        confirm: the decision to confirm instead.
        revoke: the decision to revoke instead.
    """

    author: str
    kind: Kind | None = None
    records: tuple[str, ...] = ()
    scope: Scope | None = None
    reason: str | None = None
    note: str | None = None
    confirm: int | None = None
    revoke: int | None = None


def record_decision(workspace: Workspace, request: DecideRequest, *, now: datetime, console: Console) -> int:
    """Record a ruling, confirm or revoke one.

    Raises:
        ConfigError: options that do not go together, or an unknown reason.
        LinkageError: nothing was released yet.
        DecisionError: the ruling cannot be taken, or contradicts decisions in force.
    """
    _require_one_wish(request)
    reasons = workspace.settings.decisions.known_reasons
    if request.kind is not None and request.reason not in reasons:
        raise ConfigError(f"--reason {request.reason or ''}: give one of {', '.join(reasons)} (see guiyi.toml)")
    if not has_catalog(workspace.catalog):
        raise LinkageError(f"{workspace.root}: nothing to rule on yet; next: guiyi run {workspace.root}")
    with open_catalog(workspace.catalog) as catalog:
        decision = _carry_out(workspace, catalog, request, now)
        before = _homes(catalog, decision.ruling.records)
        effect = apply_at_once(workspace, catalog, decision, now)
        left = _left_apart(catalog, decision, before) if isinstance(effect, Effect) else 0
    said = as_dict(decision) | {"at_once": dataclasses.asdict(effect) if isinstance(effect, Effect) else None}
    console.result(f"decision {decision.decision_id}: {_summary(decision)}", said)
    (console.warn if isinstance(effect, str) else console.say)(_next(workspace, decision, effect))
    if left:
        console.warn(
            f"the records are one entity, but {left} of the entities that they stood in go on without them: different "
            "numbers or other decisions keep those apart; if they are one too, rule so with --scope entities"
        )
    return 0


def show_decisions(workspace: Workspace, *, states: Sequence[State], notes: bool, console: Console) -> int:
    """List the decisions, and which active ones contradict each other.

    Args:
        workspace: the workspace.
        states: states to list; all if empty.
        notes: show the free text too, which may be personal.
        console: where the list goes.
    """
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        every = read_decisions(catalog)
    against = contradictions_of(every)
    aside = {c.set_aside for c in against}
    shown = [d for d in every if not states or d.state in states]
    rows = [_row(d, notes=notes, aside=d.decision_id in aside) for d in shown]
    columns = ("decision", "ruling", "state", "entity type", "records", "reason", "by", "second", "at", "release")
    data = {
        "decisions": [as_dict(d, notes=notes) for d in shown],
        "contradictions": [
            {"set_aside": c.set_aside, "apart": c.apart, "together": list(c.together), "words": c.words}
            for c in against
        ],
    }
    console.table(f"{len(shown)} decision(s)", (*columns, "note") if notes else columns, rows, data)
    for one in against:
        console.warn(f"decision {one.set_aside} is set aside: {one.words}; revoke one of them")
    return 0


def contradictions_of(decisions: Sequence[Decision]) -> list[Contradiction]:
    """Return the contradictions among the active ones of some decisions, by entity type."""
    return [
        found
        for entity in ENTITIES
        for found in weigh(
            d for d in decisions if d.state == "active" and d.ruling.entity_type == entity
        ).contradictions
    ]


def as_dict(decision: Decision, *, notes: bool = False) -> dict[str, Any]:
    """Return a decision for JSON; with its free text only if asked for."""
    ruling = decision.ruling
    words = {"note": ruling.note} if notes else {}
    return {
        "decision": decision.decision_id,
        "ruling": ruling.kind,
        "state": decision.state,
        "entity_type": ruling.entity_type,
        "scope": ruling.scope,
        "records": list(ruling.records),
        "groups": [list(group) for group in ruling.groups],
        "reason": ruling.reason,
        **words,
        "case_id": ruling.case_id,
        "release": ruling.release,
        "events": [
            {"event": e.event, "at": e.at, "by": e.by.name, "role": e.by.role, **({"note": e.note} if notes else {})}
            for e in decision.events
        ],
    }


def _require_one_wish(request: DecideRequest) -> None:
    wishes = [
        request.kind is not None or bool(request.records),
        request.confirm is not None,
        request.revoke is not None,
    ]
    if sum(wishes) != 1:
        raise ConfigError("give a ruling and records, or --confirm, or --revoke: exactly one of them")
    if request.kind is None and (request.reason is not None or request.scope is not None):
        raise ConfigError("--reason and --scope belong to a new ruling; say why with --note")
    if request.revoke is not None and request.note is None:
        raise ConfigError("--revoke needs --note: say why")


def _carry_out(workspace: Workspace, catalog: Catalog, request: DecideRequest, now: datetime) -> Decision:
    person = Person(request.author, ROLE)
    if request.revoke is not None:
        return revoke(catalog, request.revoke, by=person, now=now, note=request.note or "")
    if request.confirm is not None:
        return confirm(catalog, request.confirm, by=person, now=now, check=refuse_contradiction, note=request.note)
    assert request.kind is not None
    with catalog.writing():  # no release may come between what is ruled on and the ruling
        ruling = ruling_on(
            catalog,
            request.kind,
            request.records,
            scope=request.scope,
            reason=request.reason or "",
            note=request.note,
        )
        policy = workspace.settings.decisions.policy
        return propose(catalog, ruling, policy=policy, author=person, now=now, check=refuse_contradiction)


def apply_at_once(workspace: Workspace, catalog: Catalog, decision: Decision, now: datetime) -> Effect | str | None:
    """Apply decisions at once; return what that changed, why it could not be done, or None if nothing is in force."""
    if not any(event.event == "activated" for event in decision.events):
        return None
    try:
        with locked(workspace, now=now, what="decide"):
            bring_to_end(workspace)
            entity = next(e for e in ENTITIES if e == decision.ruling.entity_type)
            return resolve_decisions(workspace, catalog, entity, now=now)
    except (NotAtOnceError, LinkageError, GoldenRecordsError) as error:
        return str(error)


def _homes(catalog: Catalog, records: Sequence[str]) -> set[str]:
    """Return the entities that some records stand in now."""
    found = (
        catalog.row("select entity_id from record_link where source = ? and source_record_id = ?", record.split(":", 1))
        for record in records
    )
    return {str(row[0]) for row in found if row is not None}


def _left_apart(catalog: Catalog, decision: Decision, before: set[str]) -> int:
    """Count the entities that live on beside that of the records that a decision makes one."""
    if decision.ruling.kind != "same" or decision.state != "active":
        return 0
    return sum(
        catalog.row("select 1 from record_link where entity_id = ?", (entity,)) is not None
        for entity in before - _homes(catalog, decision.ruling.records)
    )


def _summary(decision: Decision) -> str:
    ruling = decision.ruling
    return f"{ruling.kind.replace('_', '-')}, {len(decision.records):,} records ({ruling.scope}), {decision.state}"


def _next(workspace: Workspace, decision: Decision, effect: Effect | str | None) -> str:
    if decision.state == "proposed":
        return (
            "it waits for a second person; next: "
            f"guiyi decide {workspace.root} --confirm {decision.decision_id} --author NAME"
        )
    if effect is None:
        return "it was never in force: nothing has changed"
    if isinstance(effect, str):
        return (
            f"the current release is as it was, the next run applies this ({effect}); next: guiyi run {workspace.root}"
        )
    if not effect.events and not effect.values:
        return f"applied to {effect.records:,} records of {effect.entities:,} entities: no entity changes"
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in effect.events.items()) or "no entity merged or split"
    return (
        f"applied, release {effect.release}: {effect.records:,} records of {effect.entities:,} entities resolved; "
        f"{kinds}; {effect.values:,} golden values changed"
    )


def _row(decision: Decision, *, notes: bool, aside: bool) -> tuple[str, ...]:
    ruling = decision.ruling
    cells = (
        str(decision.decision_id),
        ruling.kind.replace("_", "-"),
        f"{decision.state}, set aside" if aside else decision.state,
        ruling.entity_type,
        f"{len(decision.records):,}",
        ruling.reason,
        decision.author.name,
        decision.second_author.name if decision.second_author else "",
        decision.events[0].at,
        str(ruling.release),
    )
    words = "; ".join(note for note in (ruling.note, *(e.note for e in decision.events)) if note)
    return (*cells, words) if notes else cells
