"""What the desk refuses, said in both languages; no message holds a value of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from golden_records.decisions import Decision
from golden_records.ruling import DecisionError
from linkage.errors import LinkageError
from linkage.rulings.contradictions import Contradiction

Code = Literal["gone", "stale", "refused", "contradiction", "not_yours", "invalid", "unavailable"]


class DeskError(LinkageError):
    """Something cannot be done at the desk; nothing was changed.

    Attributes:
        code: what kind of refusal.
        zh: why and what to do, Chinese.
        en: the same in English.
        decisions: the decisions it is about, to be linked to.
    """

    def __init__(self, code: Code, zh: str, en: str, *, decisions: tuple[int, ...] = ()) -> None:
        super().__init__(en)
        self.code: Code = code
        self.zh = zh
        self.en = en
        self.decisions = decisions

    def said(self, language: str) -> str:
        """Return why and what to do, in zh or en."""
        return self.zh if language == "zh" else self.en


def contradicts(found: Contradiction) -> DeskError:
    """Return the refusal of a ruling that contradicts decisions in force."""
    others = tuple(n for n in (*found.together, found.apart) if n != found.set_aside)
    numbers = ", ".join(map(str, others))
    return DeskError(
        "contradiction",
        f"这个裁定与现行裁定 {numbers} 矛盾：一方认定同一主体，另一方认定不是。请先撤销其中之一，或重新考虑。",
        f"this ruling would contradict decision(s) {numbers} in force: one side says one entity, the other says not. "
        "Revoke one of them first, or think again.",
        decisions=others,
    )


def refused(error: DecisionError) -> DeskError:
    """Return the refusal of the engine."""
    return DeskError("refused", f"裁定未被接受：{error}", f"the ruling was not taken: {error}")


def said_already(decision: Decision) -> DeskError:
    """Return the refusal of a ruling that stands already."""
    number = decision.decision_id
    return DeskError(
        "refused",
        f"裁定 {number} 已经这样认定，不必重复。",
        f"decision {number} says this already; there is nothing to add.",
        decisions=(number,),
    )


def not_among(given: str, known: Sequence[str], what_zh: str, what_en: str) -> DeskError:
    """Return the refusal of a code that is none of those known, or of none; long ones are cut."""
    if not given:
        return DeskError(
            "invalid",
            f"请从列表中选择{what_zh}：{'、'.join(known)}。",
            f"choose the {what_en}: one of {', '.join(known)}",
        )
    said = given[:40]
    return DeskError(
        "invalid",
        f"{what_zh}“{said}”不可用；可用的有：{'、'.join(known)}。",
        f"the {what_en} {said!r} cannot be given here; use one of {', '.join(known)}",
    )


def outdated() -> DeskError:
    """Return the refusal of a form whose page is outdated."""
    return DeskError(
        "stale",
        "页面打开后数据已有变化，没有写入任何内容；请重新打开。",
        "the data has changed since the page was opened; nothing was written. Open it anew.",
    )
