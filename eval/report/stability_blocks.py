"""The blocks of the report on how steady the published ids are: changes by kind and cause, and totals that jumped."""

from __future__ import annotations

from dataclasses import replace

from eval.alarms import Alarm
from eval.report.block_parts import Block, Table, block, head
from eval.report.words import Words
from eval.stability import CAUSES, KINDS, SHOWN_IDS, UNEXPLAINED, Stability

_ALERT_IDS = 5


def stability_blocks(stability: Stability, w: Words) -> list[Block]:
    """Return the block of changes, and that of alarms if there are any."""
    return [_changes(stability, w), *([_alarms(stability, w)] if stability.alarms else [])]


def _changes(stability: Stability, w: Words) -> Block:
    causes = [cause for cause in CAUSES if stability.count(cause=cause)]
    kinds = [kind for kind in KINDS if stability.count(kind=kind)]
    rows = tuple(
        (
            w.label("stability", kind),
            *(w.count(stability.count(kind, cause)) for cause in causes),
            w.count(stability.count(kind)),
        )
        for kind in kinds
    )
    total = stability.count()
    table = Table(
        (w.text("col_kind"), *(w.label("cause", cause) for cause in causes), w.text("total")),
        rows,
        foot=(w.text("total"), *(w.count(stability.count(cause=cause)) for cause in causes), w.count(total)),
    )
    made = block(
        "stability",
        w,
        table,
        None,
        kept=w.count(stability.kept),
        unchanged=w.count(stability.unchanged),
        changes=w.count(total),
        new=w.count(stability.new_records),
        gone=w.count(stability.gone_records),
        changed=w.count(stability.changed_records),
    )
    unexplained = stability.count(cause=UNEXPLAINED)
    if not unexplained:
        return replace(made, wide=True)
    shown = w.pick("、", ", ").join(stability.unexplained[:_ALERT_IDS])
    more = w.text("stability_more", limit=w.count(SHOWN_IDS)) if len(stability.unexplained) > _ALERT_IDS else ""
    alert = w.text("stability_unexplained", n=w.count(unexplained), ids=shown) + more
    return replace(made, wide=True, alert=alert)


def _alarms(stability: Stability, w: Words) -> Block:
    rows = tuple(
        (_measure(alarm, w), w.count(alarm.before), w.count(alarm.after), _moved(alarm, w), w.percent(alarm.limit))
        for alarm in stability.alarms
    )
    table = Table(head(w, "total", "before", "after", "moved", "allowed"), rows, marked=tuple(range(len(rows))))
    return block("alarms", w, table, None, n=w.count(len(rows)), first=rows[0][0])


def _measure(alarm: Alarm, w: Words) -> str:
    name = w.label("total", alarm.measure)
    return f"{name}{w.pick('：', ': ')}{alarm.source}" if alarm.source else name


def _moved(alarm: Alarm, w: Words) -> str:
    if not alarm.before:
        return w.none
    share = (alarm.after - alarm.before) / alarm.before
    return ("+" if share > 0 else "−") + w.percent(abs(share))
