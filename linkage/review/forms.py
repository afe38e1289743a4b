"""A ruling as somebody gives it at the desk, and what becomes of it; what every form must hold.

A form sent twice counts once (`request_key`); a form of an outdated page changes nothing (`version`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from golden_records.decisions import Decision, Person
from golden_records.opinions import Choice, Opinion
from golden_records.ruling import LONGEST_NOTE, DecisionError, checked_text
from linkage.access.roles import Permissions
from linkage.at_once.resolve import Effect
from linkage.review.cases import CaseFile
from linkage.review.errors import DeskError, not_among, refused
from linkage.workspace import Workspace

State = Literal["ruled", "waiting", "disputed", "undecided", "revoked"]


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


def require_right(reviewer: Reviewer) -> None:
    """Refuse a ruling by somebody whose role may not rule.

    Raises:
        DeskError: the role may not.
    """
    if not reviewer.permissions.rule:
        raise DeskError(
            "not_yours",
            f"角色 {reviewer.person.role} 不能裁定；请审核人员（auditor）来做。",
            f"the role {reviewer.person.role} may not rule; an auditor can.",
        )


def checked_form(workspace: Workspace, form: Form) -> None:
    """Refuse a form without a configured reason, or with words that cannot be kept.

    Raises:
        DeskError: says which.
    """
    reasons = workspace.settings.decisions.known_reasons
    if form.reason not in reasons:
        raise not_among(form.reason, reasons, "理由", "reason")
    checked_note(form.note, required=False)


def checked_note(note: str | None, *, required: bool) -> None:
    """Refuse words that cannot be kept, or none where they are needed.

    Raises:
        DeskError: says why.
    """
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


def require_living(case: CaseFile | None, form: Form) -> None:
    """Refuse a form on a case that is no more, or has changed since its page was opened.

    Raises:
        DeskError: says which release ended it, or who has been there.
    """
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
