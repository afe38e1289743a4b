"""`guiyi explain` with one id: how an entity, or the membership of one record, came to be, release by release.

The past is read from the catalog (`golden_records.history`). What ties the present records to each other, rule and
weight, is read from the batch database of the last run, if that is the run of the current release. Nothing is changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.block_parts import Block, Table
from eval.report.history import HistoryPage, as_text, write_history
from eval.report.words import Words, words
from golden_records.catalog.read import Entity as GoldenEntity
from golden_records.catalog.read import entity as read_entity
from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.entity_id import compact, parse
from golden_records.history import (
    Chapter,
    EntityHistory,
    Move,
    RecordHistory,
    Stay,
    entity_history,
    record_history,
)
from golden_records.relation_history import RelationStay, relation_stays
from linkage.batch import read_batch
from linkage.commands.console import Console
from linkage.entity_config import load_entity_config
from linkage.errors import LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.masking import is_personal, mask_value, mask_values
from linkage.model.verdicts import BY_SCORE
from linkage.relations.shown import names_of
from linkage.workspace import Workspace

SAME_CONTENT = "same_content"
RELATIONS_SHOWN = 100

_SHOWN = {"legal_person": ("name", "uscc"), "natural_person": ("name", "id_number")}
_NOT_VALUES = ("entity_id", "anchor", "records", "sources", "conflicts")
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


def show_history(
    workspace: Workspace, asked: str, *, language: str, html: Path | None, unmasked: bool, console: Console
) -> int:
    """Tell the history of an entity or of a record.

    Args:
        workspace: the workspace.
        asked: an entity id, old or new, or `source:source_record_id`.
        language: zh or en.
        html: also write the history as a page here.
        unmasked: show natural persons' values in full.
        console: where it goes.

    Raises:
        LinkageError: nothing was published yet, or nobody ever heard of the id.
    """
    if not has_catalog(workspace.catalog):
        raise LinkageError(f"{workspace.root}: nothing to explain yet; next: guiyi run {workspace.root}")
    w = words(language)
    with open_catalog(workspace.catalog, read_only=True) as catalog, catalog.reading():
        if compact(asked) is None:
            of_record = record_history(catalog, asked)
            if of_record is None:
                raise LinkageError(
                    "no release has this record; write it as source:source_record_id, as in record_link, "
                    "or give an entity id"
                )
            page, data = _record_page(of_record, w), _record_data(of_record)
        else:
            parse(asked)
            history = entity_history(catalog, asked)
            if history is None:
                raise LinkageError("no release has this entity id; look for it with guiyi resolve")
            living = history.resolution.state == "living"
            golden = read_entity(catalog, asked) if living else None
            present = _present(workspace, history, unmasked=unmasked) if living else None
            related = _related(catalog, history.resolution.asked, unmasked=unmasked)
            page = _entity_page(history, golden, present, related, w, unmasked=unmasked)
            data = _entity_data(history, golden, present, unmasked=unmasked)
            data["relations"] = [dataclasses.asdict(stay) for stay in related.stays]
    if html is not None:
        write_history(page, html, lang=language)
    console.result(as_text(page, width=console.width), data)
    return 0


def _entity_type(entity_id: str) -> Entity:
    return ENTITIES[[name.startswith("natural") for name in ENTITIES].index(entity_id.startswith("NP"))]


def _present(workspace: Workspace, history: EntityHistory, *, unmasked: bool) -> Present | None:
    """Return how the last run linked the entity's records; None if its batch database is not of this release."""
    if not workspace.batch.exists():
        return None
    entity = _entity_type(history.resolution.asked)
    try:
        with read_batch(workspace.batch) as con:
            records = sorted(stay.record_id for stay in history.records)
            if not _is_of_release(con, entity, history.resolution.asked, records):
                return None
            return Present(_links(con, entity, records), _values(con, entity, records, unmasked=unmasked))
    except LinkageError:
        return None


def _is_of_release(con: DuckDBPyConnection, entity: Entity, entity_id: str, records: Sequence[str]) -> bool:
    needed = {f"{entity}_{name}" for name in ("membership", "profile_record", "judged", "records")}
    if not needed <= {name for (name,) in con.execute("select view_name from duckdb_views()").fetchall()}:
        return False
    found = con.execute(
        f"select record_id from {quote(entity + '_membership')} where entity_id = ? order by record_id", [entity_id]
    ).fetchall()
    return [record for (record,) in found] == list(records)


def _links(con: DuckDBPyConnection, entity: Entity, records: Sequence[str]) -> dict[str, PresentLink]:
    """Return each record's strongest link: to one with the same content, else the one of greatest weight."""
    judged, members = quote(f"{entity}_judged"), quote(f"{entity}_profile_record")
    rows = con.execute(
        f"""
with mine as (
    select record_id, profile_id from {members} where record_id in (select unnest($records))
),
edge as (
    select left_id, right_id, verdict_rule as rule, match_weight as weight
    from {judged}
    where verdict = 'auto' and left_id < right_id
        and left_id in (select profile_id from mine) and right_id in (select profile_id from mine)
),
tie as (
    select a.record_id, b.record_id as other, '{SAME_CONTENT}' as rule, null::double as weight, 0 as place
    from mine a join mine b on a.profile_id = b.profile_id and a.record_id <> b.record_id
    union all
    select a.record_id, b.record_id, e.rule, e.weight, 1
    from edge e
    join mine a on a.profile_id in (e.left_id, e.right_id)
    join mine b on b.profile_id in (e.left_id, e.right_id) and b.profile_id <> a.profile_id
)
select record_id, other, rule, weight
from tie
qualify row_number() over (partition by record_id order by place, weight desc nulls last, other) = 1
order by record_id""",
        {"records": list(records)},
    ).fetchall()
    return {record: PresentLink(other, rule, weight) for record, other, rule, weight in rows}


def _values(
    con: DuckDBPyConnection, entity: Entity, records: Sequence[str], *, unmasked: bool
) -> dict[str, dict[str, str | None]]:
    fields = _SHOWN[entity]
    rows = con.execute(
        f"select record_id, {', '.join(map(quote, fields))} from {quote(entity + '_records')} "
        "where record_id in (select unnest($records))",
        {"records": list(records)},
    ).fetchall()

    def shown(field: str, value: str | None) -> str | None:
        hide = value is not None and not unmasked and is_personal(entity, field)
        return mask_value(field, value) if hide and value is not None else value

    return {
        record: {field: shown(field, value) for field, value in zip(fields, values, strict=True)}
        for record, *values in rows
    }


def _golden_values(golden: GoldenEntity, *, unmasked: bool) -> dict[str, Any]:
    values = {k: v for k, v in golden.golden.items() if v is not None and k not in _NOT_VALUES}
    return values if unmasked else mask_values(golden.entity_type, values)


# --- the pages --------------------------------------------------------------------------------------------------------


def _entity_page(
    history: EntityHistory,
    golden: GoldenEntity | None,
    present: Present | None,
    related: Related,
    w: Words,
    *,
    unmasked: bool,
) -> HistoryPage:
    asked = history.resolution.asked
    blocks = [
        _golden_block(golden, w, unmasked=unmasked) if golden else None,
        _relations_block(asked, related, w) if related.stays else None,
        _records_block(history, present, w) if history.records else None,
        _chapters_block(history, w),
        _moves_block(history, w),
        _former_block(history, w),
    ]
    kind = w.label("entity", _entity_type(asked))
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


def _golden_block(golden: GoldenEntity, w: Words, *, unmasked: bool) -> Block:
    rows = tuple((w.label("field", k), str(v)) for k, v in _golden_values(golden, unmasked=unmasked).items())
    table = Table((w.text("col_field"), w.pick("取值", "Value")), rows, text_columns=2)
    return _block("golden", w.pick("现在的主体", "The entity now"), table)


def _related(catalog: Catalog, asked: str, *, unmasked: bool) -> Related:
    stays = relation_stays(catalog, asked)
    return Related(stays, names_of(catalog, (stay.other(asked) for stay in stays), unmasked=unmasked))


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
        for stay in related.stays[:RELATIONS_SHOWN]
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


def _records_block(history: EntityHistory, present: Present | None, w: Words) -> Block:
    rules = _rule_titles(_entity_type(history.resolution.asked), w)
    fields = _SHOWN[_entity_type(history.resolution.asked)] if present else ()
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


def _record_page(history: RecordHistory, w: Words) -> HistoryPage:
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


# --- the data ---------------------------------------------------------------------------------------------------------


def _entity_data(
    history: EntityHistory, golden: GoldenEntity | None, present: Present | None, *, unmasked: bool
) -> dict[str, Any]:
    return {
        **dataclasses.asdict(history),
        "entity_type": _entity_type(history.resolution.asked),
        "golden": _golden_values(golden, unmasked=unmasked) if golden else None,
        "links": {record: dataclasses.asdict(link) for record, link in present.links.items()} if present else None,
        "values": {record: dict(values) for record, values in present.values.items()} if present else None,
    }


def _record_data(history: RecordHistory) -> dict[str, Any]:
    now = history.now
    return {**dataclasses.asdict(history), "entity_id": now.entity_id if now else None}
