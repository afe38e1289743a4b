"""Ruling at the desk: an opinion is checked, kept, and becomes a decision, which the engine applies at once.

First opinion: makes a decision; of the kinds that need two people it waits. Second opinion, of another person who has
not seen the first one's words: the same ruling confirms it, another one makes it a dispute. A third person who may
settle ends a dispute: by confirming the waiting decision, or by another ruling.

A form sent twice counts once (`request_key`); a form of an outdated page changes nothing (`version`). Opinion,
decision and trail are written in one transaction; applying comes after it, and what cannot be applied now the next run
applies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from golden_records.catalog.publish import current_release
from golden_records.catalog.schema import DECISION
from golden_records.catalog.store import Catalog
from golden_records.decisions import (
    Decision,
    DecisionEvent,
    Person,
    confirm,
    propose,
    read_decisions,
    revoke,
    same_person,
)
from golden_records.hash_chain import next_key
from golden_records.opinions import Choice, Opinion, Part, add_opinion, opinion_of_request, opinions_of
from golden_records.review_trail import Deed, write_deed
from golden_records.ruling import LONGEST_NOTE, DecisionError, Kind, Ruling, checked_text, ruling_on
from linkage.access.access_log import hash_of_result
from linkage.access.roles import Permissions
from linkage.at_once.preview import Preview, preview
from linkage.at_once.resolve import Effect, NotAtOnceError
from linkage.commands.decide import apply_at_once
from linkage.fields import ENTITIES, Entity
from linkage.review.cases import CaseFile, members_of, read_case
from linkage.review.errors import DeskError, contradicts, refused, said_already
from linkage.review.queue import bring_up
from linkage.review.topics import choices
from linkage.rulings.contradictions import weigh
from linkage.workspace import Workspace

State = Literal["ruled", "waiting", "disputed", "undecided", "revoked"]
ENTITY_CASE = "entity:"


@dataclass(frozen=True)
class Reviewer:
    """Who rules: the person, for which body, and what the role may."""

    person: Person
    organization: str | None
    permissions: Permissions


@dataclass(frozen=True)
class Form:
    """What somebody ruled on a page.

    Attributes:
        ruling: same, different, not_here or cannot_tell.
        record_id: of not_here, the record that does not belong.
        reason: a configured code.
        note: more words.
        version: of the page.
        request_key: of the form.
        evidence_hash: hash of the evidence that was shown.
        levels: comparison → level and weight; no values.
    """

    ruling: Choice
    reason: str
    note: str | None
    version: str
    request_key: str
    record_id: str | None = None
    evidence_hash: str | None = None
    levels: Mapping[str, tuple[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a ruling.

    Attributes:
        state: ruled, waiting, disputed, undecided or revoked.
        decision: the decision it made, confirmed, disputes or revoked.
        effect: what applying it changed; a text says why it could not be applied now; None: nothing to apply.
        first: the first opinion, for the second person to see now.
        repeated: the form had been sent before; nothing was done again.
    """

    state: State
    decision: Decision | None
    effect: Effect | str | None = None
    first: Opinion | None = None
    repeated: bool = False


def rule(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    form: Form,
    *,
    reviewer: Reviewer,
    now: datetime,
    apply: bool = True,
) -> Outcome:
    """Take a person's ruling on a case.

    Args:
        workspace: the workspace.
        catalog: its catalog, open for writing.
        case_id: the case.
        form: what was ruled.
        reviewer: who rules.
        now: when.
        apply: apply it at once; else whoever rules on many cases applies all of them afterwards.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        case = read_case(catalog, case_id)
        _require_living(case, form)
        assert case is not None
        if form.ruling not in choices(together=case.together):
            raise DeskError(
                "invalid", "这里不能这样裁定，请重新打开案件。", "not a ruling for this case; open it anew."
            )
        if case.pending is not None:
            return _further(workspace, catalog, case_id, case.pending, form, reviewer, now)
        ruling = None if form.ruling == "cannot_tell" else _ruling(catalog, case, form)
        return _first(workspace, catalog, case_id, ruling, form, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now, apply=apply)


def split(
    workspace: Workspace,
    catalog: Catalog,
    entity_id: str,
    selected: Sequence[str],
    form: Form,
    *,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    """Rule that the selected records of an entity are not one with its others.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        if entity_version(catalog, entity_id) != form.version:
            raise _outdated()
        ruling = split_ruling(catalog, entity_id, selected, reason=form.reason, note=form.note)
        return _first(workspace, catalog, ENTITY_CASE + entity_id, ruling, form, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now)


def second(
    workspace: Workspace, catalog: Catalog, decision_id: int, form: Form, *, reviewer: Reviewer, now: datetime
) -> Outcome:
    """Take a further opinion on a decision that waits, of no case or of one.

    Raises:
        DeskError: it cannot be taken; nothing was changed.
    """

    def speak() -> Outcome:
        decision = decision_of(catalog, decision_id)
        if decision is None or decision.state != "proposed":
            raise _outdated()
        case_id = decision.ruling.case_id or f"{ENTITY_CASE}{decision_id}"
        return _further(workspace, catalog, case_id, decision, form, reviewer, now)

    return _taken(workspace, catalog, form, speak, reviewer=reviewer, now=now)


def undo(
    workspace: Workspace, catalog: Catalog, decision_id: int, *, note: str, reviewer: Reviewer, now: datetime
) -> Outcome:
    """Revoke a decision: its author, its second author, or whoever may settle.

    Raises:
        DeskError: there is none, it was revoked already, it is another's, or no reason is given.
    """
    _require_right(reviewer)
    decision = decision_of(catalog, decision_id)
    if decision is None:
        raise DeskError("gone", "没有这个裁定。", "there is no such decision.")
    mine = any(same_person(event.by, reviewer.person) for event in decision.events)
    if not mine and not reviewer.permissions.settle:
        raise DeskError(
            "not_yours",
            "这是别人的裁定；请裁定人本人或主审（lead_auditor）撤销。",
            "this is another's ruling; its author or a lead auditor can revoke it.",
        )
    if decision.state == "revoked":
        raise DeskError("stale", "这个裁定已被撤销。", "the decision was revoked already.", decisions=(decision_id,))
    _checked_note(note, required=True)
    try:
        with catalog.writing():
            decision = revoke(catalog, decision_id, by=reviewer.person, now=now, note=note)
            _trail(catalog, "revoked", reviewer, now, decision=decision, case_id=decision.ruling.case_id)
    except DecisionError as error:
        raise refused(error) from error
    return _applied(workspace, catalog, Outcome("revoked", decision), now)


def foresee(workspace: Workspace, catalog: Catalog, case: CaseFile, form: Form) -> Preview | None:
    """Return what a ruling on a case would change, None for one that changes nothing by itself.

    Raises:
        DeskError: the ruling could not be taken, or its effect cannot be told now.
    """
    if form.ruling == "cannot_tell":
        return None
    try:
        return foresee_ruling(workspace, catalog, _ruling(catalog, case, form))
    except DecisionError as error:
        raise refused(error) from error


def foresee_ruling(workspace: Workspace, catalog: Catalog, ruling: Ruling) -> Preview:
    """Return what a ruling would change if it came into force now.

    Raises:
        DeskError: it would contradict decisions in force, or its effect cannot be told now.
    """
    entity = _entity(ruling.entity_type)
    known = read_decisions(catalog, entity_type=entity)
    active = [d for d in known if d.state == "active"]
    event = DecisionEvent("activated", "", Person("", ""))
    candidate = Decision(next_key(catalog, DECISION), ruling, (event,))
    _check(active, candidate)
    return _foreseen(workspace, catalog, entity, [*active, candidate])


def foresee_undo(workspace: Workspace, catalog: Catalog, decision: Decision) -> Preview:
    """Return what revoking a decision would change.

    Raises:
        DeskError: its effect cannot be told now.
    """
    entity = _entity(decision.ruling.entity_type)
    active = read_decisions(catalog, entity_type=entity, state="active")
    return _foreseen(workspace, catalog, entity, [d for d in active if d.decision_id != decision.decision_id])


def split_ruling(catalog: Catalog, entity_id: str, selected: Sequence[str], *, reason: str, note: str | None) -> Ruling:
    """Return the ruling that some records of an entity are not one with its others.

    Raises:
        DeskError: none or all of its records are selected, or one stands elsewhere.
    """
    members = sorted(members_of(catalog, (entity_id,)))
    chosen = [record for record in members if record in set(selected)]
    others = [record for record in members if record not in set(selected)]
    if len(chosen) < len(set(selected)):
        raise _outdated()
    if not chosen or not others:
        raise DeskError(
            "invalid",
            "请选择一部分记录：至少选一条，也至少留一条。",
            "select some of the records: at least one, and leave at least one.",
        )
    if len(chosen) == 1:
        return ruling_on(catalog, "not_here", chosen, reason=reason, note=note)
    entity = _entity("natural_person" if entity_id.startswith("NP") else "legal_person")
    return Ruling(
        kind="different",
        entity_type=entity,
        scope="entities",
        records=(chosen[0], others[0]),
        groups=(tuple(chosen), tuple(others)),
        release=current_release(catalog),
        reason=reason,
        note=note,
    )


def decision_of(catalog: Catalog, decision_id: int) -> Decision | None:
    """Return one decision."""
    return next((d for d in read_decisions(catalog) if d.decision_id == decision_id), None)


def entity_version(catalog: Catalog, entity_id: str) -> str:
    """Return what a page of an entity rests on: its records."""
    rows = catalog.execute(
        "select source, source_record_id from record_link where entity_id = ? order by source, source_record_id",
        (entity_id,),
    ).fetchall()
    return hash_of_result([list(row) for row in rows])[:16]


def opinions_on(catalog: Catalog, decision: Decision) -> tuple[Opinion, ...]:
    """Return the opinions that made, confirmed or dispute a decision, oldest first."""
    rows = catalog.execute(
        "select distinct case_id from review_opinion where decision_id = ?", (decision.decision_id,)
    ).fetchall()
    found = [one for (case_id,) in rows for one in opinions_of(catalog, case_id)]
    return tuple(one for one in found if one.decision_id == decision.decision_id)


def may_speak(decision: Decision, said: Sequence[Opinion], reviewer: Reviewer) -> Part | None:
    """Return as what somebody may still speak on a decision that waits: second, settling, or not at all."""
    spoken = [decision.author, *(one.by for one in said)]
    if any(same_person(one, reviewer.person) for one in spoken):
        return None
    return "settling" if is_disputed(decision, said) and reviewer.permissions.settle else _second_part(decision, said)


def is_disputed(decision: Decision, said: Sequence[Opinion]) -> bool:
    """Say whether two people see a decision differently."""
    return any(not _agrees(decision, one.ruling, one.record_id) for one in said if one.part != "first")


def _second_part(decision: Decision, said: Sequence[Opinion]) -> Part | None:
    return None if is_disputed(decision, said) else "second"


def _taken(
    workspace: Workspace,
    catalog: Catalog,
    form: Form,
    speak: Callable[[], Outcome],
    *,
    reviewer: Reviewer,
    now: datetime,
    apply: bool = True,
) -> Outcome:
    """Check a form, have its opinion kept in one transaction, once, and apply what it made."""
    _require_right(reviewer)
    _checked(workspace, form)
    try:
        with catalog.writing():
            done = opinion_of_request(catalog, form.request_key)
            if done is not None:
                return _repeated(catalog, done)
            outcome = speak()
    except DecisionError as error:
        raise refused(error) from error
    return _applied(workspace, catalog, outcome, now) if apply else outcome


def _further(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    decision: Decision,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    said = opinions_on(catalog, decision)
    part = may_speak(decision, said, reviewer)
    if part is None:
        raise _not_by_you(decision, said, reviewer)
    first = next((one for one in said if one.part == "first"), None)
    if _agrees(decision, form.ruling, form.record_id):
        confirmed = confirm(
            catalog, decision.decision_id, by=reviewer.person, now=now, check=_check, note=form.note or None
        )
        _opinion(catalog, case_id, form, reviewer, now, part, confirmed)
        action = "confirmed" if part == "second" else "settled"
        _trail(catalog, action, reviewer, now, decision=confirmed, case_id=_case(case_id), form=form)
        return Outcome("ruled", confirmed, first=first)
    if part == "second":
        _opinion(catalog, case_id, form, reviewer, now, part, decision)
        _trail(catalog, "disagreed", reviewer, now, decision=decision, case_id=_case(case_id), form=form)
        return Outcome("disputed", decision, first=first)
    return _settle(workspace, catalog, case_id, decision, said, form, reviewer, now)


def _settle(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    decision: Decision,
    said: Sequence[Opinion],
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    """End a dispute against the waiting decision; whoever ruled so second becomes the author of the new one."""
    ended = revoke(catalog, decision.decision_id, by=reviewer.person, now=now, note=form.note or form.reason)
    made: Decision | None = None
    is_of_entity = case_id.startswith(ENTITY_CASE)  # nothing to rule instead: what the evidence says holds
    if form.ruling != "cannot_tell" and not is_of_entity:
        case = read_case(catalog, case_id)
        if case is None or case.ended is not None:
            raise _outdated()
        ruling = _ruling(catalog, case, form)
        before = next((o.by for o in said if o.part == "second" and o.ruling == form.ruling), None)
        made = _propose(workspace, catalog, ruling, before or reviewer.person, now)
        if before is not None and made.state == "proposed":
            made = confirm(catalog, made.decision_id, by=reviewer.person, now=now, check=_check)
    _opinion(catalog, case_id, form, reviewer, now, "settling", made)
    _trail(catalog, "settled", reviewer, now, decision=made or decision, case_id=_case(case_id), form=form)
    if made is None:
        return Outcome("revoked", ended) if is_of_entity else Outcome("undecided", None)
    return Outcome("ruled" if made.state == "active" else "waiting", made)


def _first(
    workspace: Workspace,
    catalog: Catalog,
    case_id: str,
    ruling: Ruling | None,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
) -> Outcome:
    if ruling is None:
        _opinion(catalog, case_id, form, reviewer, now, "first", None)
        _trail(catalog, "undecided", reviewer, now, decision=None, case_id=_case(case_id), form=form)
        return Outcome("undecided", None)
    made = _propose(workspace, catalog, ruling, reviewer.person, now)
    _opinion(catalog, case_id, form, reviewer, now, "first", made)
    entity_id = case_id.removeprefix(ENTITY_CASE) if case_id.startswith(ENTITY_CASE) else None
    _trail(catalog, "ruled", reviewer, now, decision=made, case_id=_case(case_id), form=form, entity_id=entity_id)
    return Outcome("ruled" if made.state == "active" else "waiting", made)


def _propose(workspace: Workspace, catalog: Catalog, ruling: Ruling, author: Person, now: datetime) -> Decision:
    for decision in read_decisions(catalog, entity_type=ruling.entity_type):
        if decision.state != "revoked" and decision.ruling.means == ruling.means:
            raise said_already(decision)
    return propose(catalog, ruling, policy=workspace.settings.decisions.policy, author=author, now=now, check=_check)


def _applied(workspace: Workspace, catalog: Catalog, outcome: Outcome, now: datetime) -> Outcome:
    effect = None
    if outcome.decision is not None and outcome.state in ("ruled", "revoked"):
        effect = apply_at_once(workspace, catalog, outcome.decision, now)
    bring_up(catalog)
    return replace(outcome, effect=effect)


def _ruling(catalog: Catalog, case: CaseFile, form: Form) -> Ruling:
    """Return the ruling on the current release; of different entities the whole entities are kept apart."""
    assert form.ruling != "cannot_tell"
    kind: Kind = form.ruling
    if kind == "not_here":
        record = form.record_id if form.record_id in (case.left, case.right) else None
        if record is None:
            raise DeskError("invalid", "请指明哪条记录不属于本主体。", "say which of the two records does not belong.")
        return ruling_on(catalog, kind, (record,), reason=form.reason, note=form.note, case_id=case.case_id)
    scope: Any = "entities" if kind == "different" and not case.together else "records"
    pair = (case.left, case.right)
    return ruling_on(catalog, kind, pair, scope=scope, reason=form.reason, note=form.note, case_id=case.case_id)


def _check(active: Sequence[Decision], candidate: Decision) -> None:
    others = [d for d in active if d.decision_id != candidate.decision_id]
    found = [c for c in weigh([*others, candidate]).contradictions if c.set_aside == candidate.decision_id]
    if found:
        raise contradicts(min(found, key=lambda c: (len(c.together), c.apart)))


def _foreseen(workspace: Workspace, catalog: Catalog, entity: Entity, active: Sequence[Decision]) -> Preview:
    try:
        return preview(workspace, catalog, entity, active)
    except NotAtOnceError as error:
        raise DeskError(
            "unavailable",
            f"现在算不出影响（{error}）；仍可裁定，下次运行时生效。",
            f"its effect cannot be told now ({error}); a ruling is kept and applied by the next run.",
        ) from error


def _agrees(decision: Decision, ruling: Choice, record_id: str | None) -> bool:
    if decision.ruling.kind != ruling:
        return False
    return ruling != "not_here" or record_id in (None, decision.ruling.records[0])


def _opinion(
    catalog: Catalog,
    case_id: str,
    form: Form,
    reviewer: Reviewer,
    now: datetime,
    part: Part,
    decision: Decision | None,
) -> None:
    add_opinion(
        catalog,
        case_id,
        by=reviewer.person,
        now=now,
        part=part,
        ruling=form.ruling,
        record_id=form.record_id if form.ruling == "not_here" else None,
        reason=form.reason,
        note=form.note,
        decision_id=decision.decision_id if decision else None,
        release=current_release(catalog),
        request_key=form.request_key,
    )


def _trail(
    catalog: Catalog,
    action: str,
    reviewer: Reviewer,
    now: datetime,
    *,
    decision: Decision | None,
    case_id: str | None,
    form: Form | None = None,
    entity_id: str | None = None,
) -> None:
    detail: dict[str, Any] = {}
    if form is not None:
        detail = {"ruling": form.ruling, "reason": form.reason}
        if form.levels:
            detail["levels"] = {name: list(level) for name, level in form.levels.items()}
    if case_id is not None:
        row = catalog.row(
            "select kind, rule, match_weight, match_probability from review_case where case_id = ?", (case_id,)
        )
        if row is not None:
            detail |= dict(zip(("kind", "rule", "weight", "probability"), row, strict=True))
    deed = Deed(
        action=action,
        actor=reviewer.person.name,
        role=reviewer.person.role,
        organization=reviewer.organization,
        case_id=case_id,
        entity_id=entity_id,
        decision_id=decision.decision_id if decision else None,
        release=current_release(catalog),
        evidence_hash=form.evidence_hash if form else None,
        detail=detail,
    )
    write_deed(catalog, deed, now=now)


def _repeated(catalog: Catalog, done: Opinion) -> Outcome:
    decision = decision_of(catalog, done.decision_id) if done.decision_id is not None else None
    if decision is None:
        return Outcome("undecided", None, repeated=True)
    disputed = decision.state == "proposed" and is_disputed(decision, opinions_on(catalog, decision))
    states: dict[str, State] = {"active": "ruled", "revoked": "revoked", "proposed": "waiting"}
    return Outcome("disputed" if disputed else states[decision.state], decision, repeated=True)


def _require_right(reviewer: Reviewer) -> None:
    if not reviewer.permissions.rule:
        raise DeskError(
            "not_yours",
            f"角色 {reviewer.person.role} 不能裁定；请审核人员（auditor）来做。",
            f"the role {reviewer.person.role} may not rule; an auditor can.",
        )


def _require_living(case: CaseFile | None, form: Form) -> None:
    if case is None:
        raise DeskError("gone", "没有这个案件。", "there is no such case.")
    if case.ended is not None:
        raise DeskError(
            "gone",
            f"案件已不存在：版本 {case.ended} 起数据或裁定已使它消解，没有写入任何内容。",
            f"the case is no more: release {case.ended} dissolved it; nothing was written.",
        )
    if case.version != form.version:
        last = case.opinions[-1] if case.opinions else None
        who = f"{last.by.name} {last.at[:16].replace('T', ' ')}" if last else f"版本/release {case.since}"
        raise DeskError(
            "stale",
            f"您打开后，这个案件已有变化（{who}）；没有覆盖任何内容。请看新的页面再裁定。",
            f"the case has changed since you opened it ({who}); nothing was overwritten. Look at it anew.",
        )


def _checked(workspace: Workspace, form: Form) -> None:
    reasons = workspace.settings.decisions.known_reasons
    if form.reason not in reasons:
        raise DeskError("invalid", "请从列表中选择理由。", "choose a reason from the list.")
    _checked_note(form.note, required=False)


def _checked_note(note: str | None, *, required: bool) -> None:
    if not note and required:
        raise DeskError("invalid", "请写明原因。", "say why.")
    if note and len(note) > LONGEST_NOTE:
        raise DeskError(
            "invalid",
            f"说明有 {len(note):,} 个字，最多 {LONGEST_NOTE:,} 个；请缩短。",
            f"the words are {len(note):,} characters, at most {LONGEST_NOTE:,} are kept; shorten them.",
        )
    if note:
        try:
            checked_text("note", note, LONGEST_NOTE)
        except DecisionError as error:
            raise refused(error) from error


def _outdated() -> DeskError:
    return DeskError(
        "stale",
        "页面打开后数据已有变化，没有写入任何内容；请重新打开。",
        "the data has changed since the page was opened; nothing was written. Open it anew.",
    )


def _not_by_you(decision: Decision, said: Sequence[Opinion], reviewer: Reviewer) -> DeskError:
    if is_disputed(decision, said) and not reviewer.permissions.settle:
        return DeskError(
            "not_yours",
            "两人意见不同，由主审（lead_auditor）裁决。",
            "two people see it differently; a lead auditor settles it.",
        )
    return DeskError(
        "not_yours",
        "您已就此表过意见；须由另一人复核。",
        "you have spoken on this already; a second person must confirm it.",
    )


def _case(case_id: str) -> str | None:
    return None if case_id.startswith(ENTITY_CASE) else case_id


def _entity(name: str) -> Entity:
    return next(entity for entity in ENTITIES if entity == name)
