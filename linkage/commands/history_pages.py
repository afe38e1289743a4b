"""The pages of `guiyi explain` with one id: the history of an entity or of a record, as blocks of text and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.report.block_parts import Block, Table
from eval.report.history import HistoryPage
from eval.report.words import Words
from golden_records.history import Chapter, EntityHistory, Move, RecordHistory, Stay
from golden_records.relation_history import RelationStay
from linkage.entity_config import load_entity_config
from linkage.fields import Entity
from linkage.model.verdicts import BY_SCORE

SAME_CONTENT = "same_content"
RELATIONSFIELDS_SHOWN = 100

FIELDS_SHOWN = {"legal_person": ("name", "uscc"), "natural_person": ("name", "id_number")}
# Detail of an event → Chinese and English.
_DETAILS = {
    "added": ("新增 {} 条", "{} added"),
    "new": ("其中首次出现 {} 条", "{} of them never seen before"),
    "from": ("来自 {}", "from {}"),
    "absorbed": ("并入 {}", "absorbed {}"),
    "into": ("转至 {}", "into {}"),
    "records_moved": ("转出 {} 条", "{} moved out"),
    "lost": ("失去 {} 条", "{} lost"),
    "records": ("共 {} 条记录", "{} in all"),
}


@dataclass(frozen=True)
class PresentLink:
    """What ties a record to another of its entity now.

    Attributes:
        other: the other record.
        rule: the rule that linked them, `score`, or `same_content` for two records that say the same.
        weight: match weight; None for records that say the same.
    """

    other: str
    rule: str
    weight: float | None


@dataclass(frozen=True)
class Present:
    """The records of an entity as the last run saw them: record id → link, and record id → field → value as shown."""

    links: Mapping[str, PresentLink]
    values: Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True)
class Related:
    """Relations of an entity, past ones included, and the names of the entities at their other ends as shown."""

    stays: tuple[RelationStay, ...]
    names: Mapping[str, str]


def entity_page(
    entity: Entity,
    history: EntityHistory,
    golden: Mapping[str, Any] | None,
    present: Present | None,
    related: Related,
    w: Words,
) -> HistoryPage:
    """Return the page of an entity.

    Args:
        entity: its type.
        history: its history.
        golden: its golden values as shown, if it is living.
        present: its records as the last run saw them, if that is known.
        related: its relations.
        w: the words of a language.
    """
    asked = history.resolution.asked
    blocks = [
        _golden_block(golden, w) if golden else None,
        _relations_block(asked, related, w) if related.stays else None,
        _records_block(entity, history, present, w) if history.records else None,
        _chapters_block(history, w),
        _moves_block(history, w),
        _former_block(history, w),
    ]
    kind = w.label("entity", entity)
    title = w.pick(f"{asked} 的来历", f"How {asked} came to be")
    return HistoryPage(title, (kind, *_entity_lead(history, w)), tuple(one for one in blocks if one is not None))


def _entity_lead(history: EntityHistory, w: Words) -> list[str]:
    where, release = history.resolution, history.release
    lines = []
    if history.minted is not None:
        chapter = next((c for c in history.chapters if c.release == history.minted), None)
        day = chapter.published_at[:10] if chapter else ""
        lines.append(
            w.pick(f"编号于版本 {history.minted}（{day}）产生。", f"Minted in release {history.minted} ({day}).")
        )
    if where.state == "living":
        n = len(history.records)
        lines.append(
            w.pick(f"在当前版本 {release} 中有效，共 {n} 条记录。", f"Living in release {release}, records: {n}.")
        )
    elif where.state == "redirected":
        lines.append(
            w.pick(f"已不再使用，现指向 {where.entity_id}。", f"No longer in use: it leads to {where.entity_id}.")
        )
    elif where.entity_id == where.asked:
        lines.append(
            w.pick(
                "已停用：它的记录都不在了，编号不再给别人。",
                "Retired: none of its records are left; the id is given to nobody else.",
            )
        )
    else:
        lines.append(
            w.pick(f"曾并入 {where.entity_id}，后者已停用。", f"It led to {where.entity_id}, which is retired.")
        )
    return lines


def _golden_block(golden: Mapping[str, Any], w: Words) -> Block:
    rows = tuple((w.label("field", k), str(v)) for k, v in golden.items())
    table = Table((w.text("col_field"), w.pick("取值", "Value")), rows, text_columns=2)
    return _block("golden", w.pick("现在的主体", "The entity now"), table)


def _relations_block(asked: str, related: Related, w: Words) -> Block:
    rows = tuple(
        (
            ("→ " if stay.entity_id == asked else "← ") + w.label("relation", stay.relation),
            stay.other(asked),
            related.names.get(stay.other(asked), w.none),
            w.label("relation_state", stay.state) if stay.until is None else w.pick("已无记载", "no longer said"),
            w.label("basis", stay.basis),
            w.label("relation_rule", stay.rule),
            w.range(stay.valid_from or stay.first_seen or w.none, stay.valid_to or stay.last_seen or w.none),
            str(stay.since) if stay.until is None else w.range(str(stay.since), str(stay.until - 1)),
            w.count(stay.records),
        )
        for stay in related.stays[:RELATIONSFIELDS_SHOWN]
    )
    columns = (
        w.text("col_relation"),
        w.pick("对方", "Other"),
        w.label("field", "name"),
        w.pick("状态", "State"),
        w.pick("依据", "Basis"),
        w.pick("凭什么", "Found by"),
        w.pick("记载期间", "Period said"),
        w.pick("版本", "Releases"),
        w.text("col_records"),
    )
    more = len(related.stays) - len(rows)
    says = w.pick(f"另有 {more} 条从略。", f"{more} more are left out.") if more else ""
    title = w.pick("与其他主体的关系", "Relations to other entities")
    return _block("relations", title, Table(columns, rows, text_columns=8), says)


def _records_block(entity: Entity, history: EntityHistory, present: Present | None, w: Words) -> Block:
    rules = _rule_titles(entity, w)
    fields = FIELDS_SHOWN[entity] if present else ()
    rows = []
    for stay in history.records:
        link = present.links.get(stay.record_id) if present else None
        tied = (
            (link.other, rules.get(link.rule, link.rule), w.weight(link.weight)) if link else (w.none, w.none, w.none)
        )
        shown = (present.values.get(stay.record_id, {}).get(field) or w.none for field in fields) if present else ()
        rows.append(
            (
                stay.record_id,
                *shown,
                str(stay.since),
                w.label("basis", stay.links[-1].basis),
                w.probability(stay.links[-1].probability),
                *(tied if present else ()),
            )
        )
    heads = (
        w.pick("记录", "Record"),
        *(w.label("field", field) for field in fields),
        w.pick("始于版本", "Since release"),
        w.pick("依据", "Basis"),
        w.pick("概率", "Probability"),
    )
    tied_heads = (w.pick("最强链接", "Strongest link"), w.pick("规则", "Rule"), w.text("col_weight")) if present else ()
    says = (
        ""
        if present
        else w.pick(
            "批处理库不属于当前版本，规则与权重从略。",
            "The batch database is of another release: rules and weights are left out.",
        )
    )
    columns = (*heads, *tied_heads)
    title = w.pick("现在的记录", "Its records now")
    return _block("records", title, Table(columns, tuple(rows), text_columns=len(columns)), says)


def _chapters_block(history: EntityHistory, w: Words) -> Block:
    rows = tuple(
        (
            str(c.release),
            c.published_at[:10],
            c.as_of or w.none,
            w.label("event_cause", c.cause),
            _happened(c, w),
            w.count(c.records),
        )
        for c in history.chapters
    )
    columns = (
        w.text("release"),
        w.pick("发布日期", "Published"),
        w.pick("数据截止", "Data of"),
        w.pick("起因", "Cause"),
        w.pick("发生了什么", "What happened"),
        w.text("col_records"),
    )
    return _block("releases", w.pick("逐版本经过", "Release by release"), Table(columns, rows, text_columns=5))


def _happened(chapter: Chapter, w: Words) -> str:
    comma, stop = w.pick("，", ", "), w.pick("；", "; ")
    said = []
    for happening in chapter.happenings:
        parts = [
            w.pick(*_DETAILS[key]).format("、".join(value) if w.lang == "zh" else ", ".join(value))
            if isinstance(value, list)
            else w.pick(*_DETAILS[key]).format(value)
            for key, value in happening.detail.items()
            if key in _DETAILS
        ]
        label = w.label("event", happening.event)
        said.append(f"{label}{w.pick('：', ': ')}{comma.join(parts)}" if parts else label)
    counts = (
        (len(chapter.came), "来 {} 条", "{} came"),
        (len(chapter.went), "走 {} 条", "{} went"),
        (len(chapter.rebased), "{} 条依据变化", "{} on another basis"),
    )
    moved = comma.join(w.pick(zh, en).format(n) for n, zh, en in counts if n)
    return stop.join([*said, *([moved] if moved else [])])


def _moves_block(history: EntityHistory, w: Words) -> Block | None:
    rows = [
        (
            str(chapter.release),
            move.record_id,
            _moved(move, kind, w),
            w.label("basis", move.basis),
            w.probability(move.probability),
        )
        for chapter in history.chapters
        for kind, moves in (("came", chapter.came), ("went", chapter.went), ("rebased", chapter.rebased))
        for move in moves
    ]
    if not rows:
        return None
    columns = (
        w.text("release"),
        w.pick("记录", "Record"),
        w.pick("变化", "Change"),
        w.pick("依据", "Basis"),
        w.pick("概率", "Probability"),
    )
    title = w.pick("记录的来去", "Records that came and went")
    return _block("moves", title, Table(columns, tuple(rows), text_columns=4))


def _moved(move: Move, kind: str, w: Words) -> str:
    if kind == "rebased":
        return w.pick("依据变化", "on another basis")
    if kind == "went":
        return w.pick(f"转到 {move.other}", f"went to {move.other}") if move.other else w.pick("消失", "gone")
    if move.other:
        return w.pick(f"来自 {move.other}", f"came from {move.other}")
    return w.pick("重新出现", "came back") if move.known else w.pick("首次出现", "new")


def _former_block(history: EntityHistory, w: Words) -> Block | None:
    if not history.former:
        return None
    rows = tuple((f.entity_id, str(f.minted or w.none), str(f.since)) for f in history.former)
    columns = (
        w.pick("编号", "Id"),
        w.pick("产生于版本", "Minted in release"),
        w.pick("并入于版本", "Merged in release"),
    )
    title = w.pick("并入本主体的编号", "Ids that lead here")
    return _block("former", title, Table(columns, rows, text_columns=3))


def record_page(history: RecordHistory, w: Words) -> HistoryPage:
    """Return the page of a record."""
    now = history.now
    lead = (
        w.pick(
            f"当前版本 {history.release}：属于 {now.entity_id}。",
            f"In release {history.release} it belongs to {now.entity_id}.",
        )
        if now
        else w.pick(
            f"自版本 {history.stays[-1].until} 起不在任何主体中。",
            f"Since release {history.stays[-1].until} it is in no entity.",
        )
    )
    rows = []
    for position, stay in enumerate(history.stays):
        basis: str | None = None
        for link in stay.links:
            first = link is stay.links[0]
            if not first and link.basis == basis:
                continue
            basis = link.basis
            rows.append(
                (
                    f"{link.since} ({history.published[link.since][:10]})",
                    stay.entity_id,
                    _arrival(history.stays, position, w) if first else w.pick("依据变化", "on another basis"),
                    w.label("basis", link.basis),
                    w.probability(link.probability),
                )
            )
        following = history.stays[position + 1] if position + 1 < len(history.stays) else None
        if stay.until is not None and (following is None or following.since != stay.until):
            when = f"{stay.until} ({history.published[stay.until][:10]})"
            rows.append((when, w.none, w.pick("消失", "gone"), w.none, w.none))
    columns = (
        w.pick("自版本", "Since release"),
        w.pick("主体", "Entity"),
        w.pick("变化", "Change"),
        w.pick("依据", "Basis"),
        w.pick("概率", "Probability"),
    )
    block = _block("stays", w.pick("历次归属", "Where it belonged"), Table(columns, tuple(rows), text_columns=4))
    title = w.pick(f"记录 {history.record_id} 的归属经过", f"Where record {history.record_id} belonged")
    return HistoryPage(title, (lead,), (block,))


def _arrival(stays: Sequence[Stay], position: int, w: Words) -> str:
    if position == 0:
        return w.pick("首次出现", "new")
    before = stays[position - 1]
    if before.until == stays[position].since:
        return w.pick(f"来自 {before.entity_id}", f"came from {before.entity_id}")
    return w.pick("重新出现", "came back")


def _block(name: str, title: str, table: Table, says: str = "") -> Block:
    return Block(name, title, says, "", table, wide=True)


def _rule_titles(entity: Entity, w: Words) -> dict[str, str]:
    titles = {
        rule.name: w.pick(rule.reason_zh.partition("：")[0], rule.reason_en.partition(":")[0])
        for rule in load_entity_config(entity).rule
    }
    return titles | {
        BY_SCORE: w.label("rule", "score"),
        SAME_CONTENT: w.pick("内容完全相同", "identical content"),
    }
