"""Why one pair got its verdict: the evidence side by side, and its sum from the prior to the total.

In: a `PairExplanation`, made by whoever scored the pair, its values already masked for the reader. Out: the same as
text, as JSON, or as an HTML page with a waterfall that needs neither scripts nor a network.

The values that a comparison read stand beside its outcome; fields that nothing compared come after. Unlike the run
report, an explanation shows values of a person: write it only where the reader may see them.

Invariant: `prior_weight` plus every comparison's `weight` and `tf_adjustment` is `total_weight`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.report.block_parts import Table
from eval.report.html import render
from eval.report.summary import write_whole
from eval.report.text_tables import text_table
from eval.report.words import Words, words


@dataclass(frozen=True)
class ShownField:
    """One field of a record as the reader may see it.

    Attributes:
        field: canonical field name, or any label.
        value: what the source wrote, masked where needed; None if the record has none.
        standardised: what it was read as, or what another field told; None if the same or nothing.
    """

    field: str
    value: str | None
    standardised: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What one comparison says.

    Attributes:
        comparison: its name.
        level: the level that held.
        reason_zh: the level in words, Chinese.
        reason_en: the level in words, English.
        weight: match weight (log2 Bayes factor) of the level, without the adjustment.
        tf_adjustment: what the rarity of the value adds to it.
        title_zh: how the comparison is called, Chinese; empty: a name from `texts.toml`.
        title_en: the same in English.
        left: the fields of the first record that were compared.
        right: those of the second.
        is_evidence: whether this counts as a kind of evidence beside the name.
    """

    comparison: str
    level: str
    reason_zh: str
    reason_en: str
    weight: float
    tf_adjustment: float = 0.0
    title_zh: str = ""
    title_en: str = ""
    left: tuple[ShownField, ...] = ()
    right: tuple[ShownField, ...] = ()
    is_evidence: bool = False


@dataclass(frozen=True)
class Check:
    """A yes-or-no question that rules may ask.

    Attributes:
        name: its name in the configuration.
        kind: what is checked, a code of `texts.toml`.
        holds: the answer.
    """

    name: str
    kind: str
    holds: bool


@dataclass(frozen=True)
class Separation:
    """What keeps two entities apart, whatever a comparison says.

    Attributes:
        constraint: `cannot_link` (a decision), `exclusive:<column>`, `ambiguous`, `contradiction`, `bridge` or
            `size`.
        decision_id: the decision, if it is one that is known.
        ruling: what it rules: `different` or `not_here`.
        since: the day since when it is in force.
        left_id: of a refused link, a record of the first entity.
        right_id: and one of the second.
    """

    constraint: str
    decision_id: int | None = None
    ruling: str | None = None
    since: str | None = None
    left_id: str | None = None
    right_id: str | None = None


@dataclass(frozen=True)
class PairExplanation:
    """One scored pair.

    Attributes:
        entity: `legal_person` or `natural_person`.
        left_id: record id (or another name) of the first record.
        right_id: of the second.
        left: its fields, in the order to show.
        right: the other's fields.
        prior_weight: match weight of any candidate pair.
        comparisons: the evidence, in the order of the model.
        total_weight: prior and evidence together.
        probability: the total as a probability.
        verdict: `auto`, `review`, `reject` or `conflict`.
        rule: the hard rule that gave the verdict; None if the score did.
        rule_reason_zh: the rule in words, Chinese.
        rule_reason_en: the rule in words, English.
        checks: the questions that rules may ask, with their answers.
        apart: what keeps the two in two entities; empty if they are one, or nothing but the comparison does.
    """

    entity: str
    left_id: str
    right_id: str
    left: tuple[ShownField, ...]
    right: tuple[ShownField, ...]
    prior_weight: float
    comparisons: tuple[Evidence, ...]
    total_weight: float
    probability: float
    verdict: str
    rule: str | None = None
    rule_reason_zh: str | None = None
    rule_reason_en: str | None = None
    checks: tuple[Check, ...] = ()
    apart: tuple[Separation, ...] = ()


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall: where it starts and ends, in match weight and in percent of the drawing's width.

    Attributes:
        name: comparison, prior or total.
        reason: what held, in words.
        weight: what the step adds; for the total, the sum.
        running: the sum after the step.
        tf: part of the weight that the rarity of the value adds; 0 if none.
        left: where the bar begins, in percent.
        width: how long it is, in percent.
        after: where the running sum stands, in percent.
        kind: `prior`, `for`, `against`, `nothing` or `total`.
    """

    name: str
    reason: str
    weight: float
    running: float
    tf: float
    left: float
    width: float
    after: float
    kind: str


def waterfall(explanation: PairExplanation, w: Words) -> tuple[Step, ...]:
    """Return the bars from the prior to the total, on one scale that also holds zero."""
    parts = [(w.text("pair_prior"), w.text("pair_prior_reason"), explanation.prior_weight, 0.0, "prior")]
    for one in explanation.comparisons:
        weight = one.weight + one.tf_adjustment
        kind = "nothing" if abs(weight) < 0.005 else "for" if weight > 0 else "against"
        reason = w.pick(one.reason_zh or one.level, one.reason_en or one.level)
        name = w.pick(one.title_zh, one.title_en) or w.label("comparison", one.comparison)
        parts.append((name, reason, weight, one.tf_adjustment, kind))
    total = explanation.total_weight
    running, ends = 0.0, []
    for _, _, weight, _, _ in parts:
        ends.append((running, running + weight))
        running += weight
    certain = w.text("pair_total_reason", probability=w.probability(explanation.probability))
    parts.append((w.text("pair_total"), certain, total, 0.0, "total"))
    ends.append((0.0, total))
    low = min(min(pair) for pair in ends)
    span = (max(max(pair) for pair in ends) - low) or 1.0

    def place(weight: float) -> float:
        return round((weight - low) / span * 100, 3)

    return tuple(
        Step(
            name,
            reason,
            weight,
            end,
            tf,
            place(min(start, end)),
            round(abs(end - start) / span * 100, 3),
            place(end),
            kind,
        )
        for (name, reason, weight, tf, kind), (start, end) in zip(parts, ends, strict=True)
    )


def as_text(explanation: PairExplanation, lang: str = "zh", width: int | None = None) -> str:
    """Return the explanation as plain text for a terminal or a log that may hold it.

    Args:
        explanation: the pair.
        lang: zh or en.
        width: columns of the terminal; none: no value is folded.
    """
    w = words(lang)
    lines = [
        _verdict_line(explanation, w),
        *_apart_lines(explanation, w),
        _rule_line(explanation, w),
        _score_line(explanation, w),
    ]
    lines += _check_lines(explanation, w)
    sides = tuple(f"{w.text(f'pair_{side}')}\n{name}" for side, name in _ids(explanation))
    rows = []
    for step, evidence in _steps(explanation, w):
        tf = f"\n({w.text('pair_tf', weight=w.weight(step.tf))})" if step.tf else ""
        star = f"\n* {w.text('pair_is_evidence')}" if evidence and evidence.is_evidence else ""
        left, right = (_cell(fields, w) for fields in (evidence.left, evidence.right)) if evidence else ("", "")
        rows.append((step.name, left, right, step.reason + tf + star, w.weight(step.weight), w.weight(step.running)))
    head = (w.text("col_comparison"), *sides, w.text("col_level"), w.text("col_weight"), w.text("pair_running"))
    parts = ["\n".join(lines), text_table(Table(head, tuple(rows), text_columns=4), width=width, lines=True)]
    others = [
        (w.label("field", name), _cell((left,) if left else (), w), _cell((right,) if right else (), w))
        for name, left, right in _not_compared(explanation)
    ]
    if others:
        head = (w.text("pair_not_compared"), *sides)
        parts.append(text_table(Table(head, tuple(others), text_columns=3), width=width, lines=True))
    return "\n\n".join(parts) + "\n"


def as_json(explanation: PairExplanation) -> str:
    """Return the explanation as JSON, its fields as they are."""
    return json.dumps(dataclasses.asdict(explanation), ensure_ascii=False, indent=2) + "\n"


def render_explanation(explanation: PairExplanation, lang: str = "zh") -> str:
    """Return the explanation as an HTML page."""
    w = words(lang)
    steps = waterfall(explanation, w)
    zero = next(step.left if step.weight >= 0 else step.left + step.width for step in steps if step.kind == "total")
    values: dict[str, Any] = {
        "title": w.text("title_pair"),
        "entity": w.label("entity", explanation.entity),
        "tone": "conflict" if explanation.apart else explanation.verdict,
        "verdict": _verdict_line(explanation, w),
        "rule": _rule_line(explanation, w),
        "score": _score_line(explanation, w),
        "zero": zero,
        "left_id": explanation.left_id,
        "right_id": explanation.right_id,
        "rows": _steps(explanation, w),
        "fields": _not_compared(explanation),
        "checks": _check_lines(explanation, w),
        "apart": _apart_lines(explanation, w),
    }
    return render("explanation.html", w, scripts=False, **values)


def write_explanation(explanation: PairExplanation, path: Path | str, lang: str = "zh") -> None:
    """Write the explanation as one HTML file."""
    write_whole(Path(path), render_explanation(explanation, lang))


def _ids(explanation: PairExplanation) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("left", explanation.left_id), ("right", explanation.right_id)


def _steps(explanation: PairExplanation, w: Words) -> list[tuple[Step, Evidence | None]]:
    """Return each bar with the comparison it stands for; the prior and the total stand for none."""
    return list(zip(waterfall(explanation, w), (None, *explanation.comparisons, None), strict=True))


def _cell(fields: Sequence[ShownField], w: Words) -> str:
    """Return the values of a comparison's fields, with their names where there are several."""
    present = [shown for shown in fields if shown.value or shown.standardised]
    lines = []
    for shown in present:
        name = f"{w.label('field', shown.field)}{w.pick('：', ': ')}" if len(fields) > 1 else ""
        read = f"({w.text('pair_standardised', value=shown.standardised)})" if shown.standardised else ""
        lines.append(name + " ".join(part for part in (shown.value, read) if part))
    return "\n".join(lines) or w.none


def _check_lines(explanation: PairExplanation, w: Words) -> list[str]:
    """Return the kinds of evidence beside the name, and the checks that hold."""
    kinds = [c for c in explanation.comparisons if c.is_evidence]
    names = [w.pick(c.title_zh, c.title_en) or w.label("comparison", c.comparison) for c in kinds]
    comma = w.pick("、", ", ")
    lines = [w.text("pair_evidence_kinds", n=len(kinds), kinds=comma.join(names))] if kinds else []
    if explanation.checks:
        holding = [w.label("check", c.kind) for c in explanation.checks if c.holds]
        failing = [w.label("check", c.kind) for c in explanation.checks if not c.holds]
        answers = [(w.text("pair_yes"), holding), (w.text("pair_no"), failing)]
        said = w.pick("；", "; ").join(f"{comma.join(names)}{w.pick('：', ': ')}{a}" for a, names in answers if names)
        lines.append(w.text("pair_checks", answers=said))
    return lines


def _not_compared(explanation: PairExplanation) -> list[tuple[str, ShownField | None, ShownField | None]]:
    """Return the fields that stand beside no comparison and that at least one record has."""
    compared = {shown.field for c in explanation.comparisons for shown in (*c.left, *c.right)}
    return [
        (name, left, right)
        for name, left, right in _side_by_side(explanation.left, explanation.right)
        if name not in compared and any(side is not None and side.value for side in (left, right))
    ]


def _side_by_side(
    left: Sequence[ShownField], right: Sequence[ShownField]
) -> list[tuple[str, ShownField | None, ShownField | None]]:
    """Pair the fields of both records by name, in the order of the first, then what only the second has."""
    of_left = {shown.field: shown for shown in left}
    of_right = {shown.field: shown for shown in right}
    return [(field, of_left.get(field), of_right.get(field)) for field in dict.fromkeys([*of_left, *of_right])]


def _verdict_line(explanation: PairExplanation, w: Words) -> str:
    key = "pair_verdict_apart" if explanation.apart and explanation.verdict == "auto" else "pair_verdict"
    return w.text(key, verdict=w.label("verdict", explanation.verdict))


def _apart_lines(explanation: PairExplanation, w: Words) -> list[str]:
    """Return what keeps the two apart; of a refused link between other records, which."""
    lines = []
    for one in explanation.apart:
        if one.decision_id is not None:
            ruling = w.label("ruling", one.ruling or "")
            lines.append(w.text("pair_apart_decision", number=one.decision_id, ruling=ruling, since=one.since or ""))
            continue
        reason = w.label("constraint", one.constraint.partition(":")[0])
        if {one.left_id, one.right_id} == {explanation.left_id, explanation.right_id}:
            lines.append(w.text("pair_apart_refused", reason=reason))
        else:
            lines.append(w.text("pair_apart_by", reason=reason, left=one.left_id or "", right=one.right_id or ""))
    return lines


def _rule_line(explanation: PairExplanation, w: Words) -> str:
    if explanation.rule is None:
        return w.text("pair_by_score")
    rule = w.label("rule", explanation.rule)
    reason = w.pick(explanation.rule_reason_zh or "", explanation.rule_reason_en or "")
    return w.text("pair_by_rule", rule=rule, reason=reason) if reason else w.text("pair_by_rule_bare", rule=rule)


def _score_line(explanation: PairExplanation, w: Words) -> str:
    weight, probability = w.weight(explanation.total_weight), w.probability(explanation.probability)
    return w.text("pair_score", weight=weight, probability=probability)
