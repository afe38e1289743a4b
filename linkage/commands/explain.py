"""`guiyi explain`: why two records are, or are not, one entity.

Reads the batch database of the last run and changes nothing in it. If the two were compared, their levels and weights
are shown as scored; if they are one entity without having been compared, the chain of links that joins them is shown.
If they are two, the decisions and refused links that keep them apart are (`linkage.commands.separation`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.explanation import Check, Evidence, PairExplanation, ShownField, as_text, write_explanation
from eval.report.explanation import as_json as explanation_json
from golden_records.catalog.store import has_catalog, open_catalog
from golden_records.decisions import Decision, read_decisions
from linkage.batch import read_batch
from linkage.commands.console import Console
from linkage.commands.separation import what_separates
from linkage.entity_config import ComparisonConfig, EntityConfig, load_entity_config
from linkage.errors import LinkageError
from linkage.fields import CANONICAL_FIELDS, ENTITIES
from linkage.masking import is_personal, is_plain, mask_value
from linkage.model.online import PairScore, score_pair
from linkage.model.parameters import Model, load_model, term_frequency_columns
from linkage.model.verdicts import BY_SCORE
from linkage.workspace import Workspace


def show_explanation(
    workspace: Workspace,
    left: str,
    right: str,
    *,
    language: str,
    html: Path | None,
    unmasked: bool,
    console: Console,
) -> int:
    """Explain two records of the last run.

    Args:
        workspace: the workspace.
        left: `source:source_record_id`.
        right: the other.
        language: zh or en.
        html: also write the explanation of the (first) pair as a page here.
        unmasked: show natural persons' values in full.
        console: where the explanation goes.

    Raises:
        LinkageError: there was no run yet, or a record is not in it.
    """
    if not workspace.batch.exists():
        raise LinkageError(f"{workspace.root}: nothing to explain yet; next: guiyi run {workspace.root}")
    with read_batch(workspace.batch) as con:
        entity = _entity_of(con, left, right)
        config = load_entity_config(entity)
        if not workspace.model(entity).exists():
            raise LinkageError(f"{workspace.root}: the model of the last run is gone; next: guiyi run {workspace.root}")
        model = load_model(config, workspace.model(entity))
        explained = [
            explain_records(con, config, model, a, b, unmasked=unmasked) for a, b in _steps(con, entity, left, right)
        ]
        together = _together(con, entity, left, right)
        if not together:
            apart = what_separates(con, entity, _decisions(workspace), left, right)
            explained = [replace(one, apart=apart) for one in explained]
    if html is not None:
        write_explanation(explained[0], html, lang=language)
    texts = [_heading(left, right, together, len(explained), language)]
    texts += [as_text(one, lang=language, width=console.width) for one in explained]
    data = {"one_entity": together, "pairs": [json.loads(explanation_json(one)) for one in explained]}
    console.result("\n\n".join(texts), data)
    return 0


def explain_records(
    con: DuckDBPyConnection, config: EntityConfig, model: Model, left: str, right: str, *, unmasked: bool
) -> PairExplanation:
    """Score two records in Python and say why, with the weights of the batch.

    Args:
        con: the batch database.
        config: the entity type.
        model: the model of the run.
        left: record id.
        right: record id.
        unmasked: show natural persons' values in full.
    """
    rows = {record: _record(con, config, record) for record in (left, right)}
    frequencies = _frequencies(con, config, rows[left])
    score = score_pair(config, model, rows[left], rows[right], lambda c, v: frequencies.get((c, v)))
    if score.verdict.verdict == "review" and _linked(con, config.entity, left, right):
        score = replace(score, verdict=replace(score.verdict, verdict="auto"))
    return _explanation(config, left, right, rows, score, hide=not unmasked)


def _decisions(workspace: Workspace) -> tuple[Decision, ...]:
    if not has_catalog(workspace.catalog):
        return ()
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        return read_decisions(catalog)


def _linked(con: DuckDBPyConnection, entity: str, left: str, right: str) -> bool:
    """Tell whether the run linked two records that their weight leaves to a person: kept, or the only candidate."""
    rows = con.execute(
        f"""
select j.verdict = 'auto'
from {quote(entity + "_judged")} j
join {quote(entity + "_profile_record")} a on a.profile_id in (j.left_id, j.right_id)
join {quote(entity + "_profile_record")} b on b.profile_id in (j.left_id, j.right_id) and b.profile_id <> a.profile_id
where a.record_id = ? and b.record_id = ?""",
        [left, right],
    ).fetchall()
    return bool(rows) and bool(rows[0][0])


def _explanation(
    config: EntityConfig, left: str, right: str, rows: Mapping[str, dict[str, Any]], score: PairScore, *, hide: bool
) -> PairExplanation:
    reasons = {rule.name: (rule.reason_zh, rule.reason_en) for rule in config.rule}
    comparisons = {c.name: c for c in config.comparison}
    kinds = {c.name: c.check for c in config.check}
    rule = None if score.verdict.rule == BY_SCORE else score.verdict.rule
    alone = {rule.name for rule in config.rule if rule.only_candidate}
    if rule in alone and score.verdict.verdict == "auto":
        reason_zh, reason_en = reasons[rule]
        reasons[rule] = (f"{reason_zh}；没有其他候选主体", f"{reason_en}; no other entity comes into question")
    return PairExplanation(
        entity=config.entity,
        left_id=left,
        right_id=right,
        left=_shown(config, rows[left], hide=hide),
        right=_shown(config, rows[right], hide=hide),
        prior_weight=score.prior_weight,
        comparisons=tuple(
            Evidence(
                comparison=o.comparison,
                level=o.level.name,
                reason_zh=o.level.reason_zh,
                reason_en=o.level.reason_en,
                weight=o.weight,
                tf_adjustment=o.frequency_adjustment,
                title_zh=comparisons[o.comparison].title_zh,
                title_en=comparisons[o.comparison].title_en,
                left=_compared(config, comparisons[o.comparison], rows[left], hide=hide),
                right=_compared(config, comparisons[o.comparison], rows[right], hide=hide),
                is_evidence=o.level.name in comparisons[o.comparison].evidence,
            )
            for o in score.comparisons
        ),
        total_weight=score.weight,
        probability=score.probability,
        verdict=score.verdict.verdict,
        rule=rule,
        rule_reason_zh=reasons[rule][0] if rule else None,
        rule_reason_en=reasons[rule][1] if rule else None,
        checks=tuple(Check(name, kinds[name], holds) for name, holds in score.checks.items()),
    )


def _compared(
    config: EntityConfig, comparison: ComparisonConfig, row: Mapping[str, Any], *, hide: bool
) -> tuple[ShownField, ...]:
    """Return the fields a comparison reads, related ones only where they have a value.

    A field that the record leaves empty but another tells, such as the birth date in a number or a number behind a
    name, is shown as it was read; of several fields that is the first one that may have to be masked.
    """
    canonical = CANONICAL_FIELDS[config.entity]
    reads = {field.name: field.columns_read for field in config.field}
    shown = []
    for name in (comparison.field, *comparison.related.values()):
        fields = [column for column in reads[name] if column in canonical]
        told = next((str(row[c]) for c in reads[name] if c not in canonical and row.get(c) is not None), None)
        main = next((field for field in fields if not is_plain(field)), fields[0] if fields else None)
        for field in fields:
            value = _visible(config, field, row.get(field), hide=hide)
            if name == comparison.field and field == main and value is None and told is not None:
                shown.append(ShownField(field, None, _visible(config, field, told, hide=hide)))
            elif name == comparison.field or value is not None:
                shown.append(ShownField(field, value))
    return tuple(dict.fromkeys(shown))


def _visible(config: EntityConfig, field: str, value: str | None, *, hide: bool) -> str | None:
    return mask_value(field, value) if value is not None and hide and is_personal(config.entity, field) else value


def _shown(config: EntityConfig, row: Mapping[str, Any], *, hide: bool) -> tuple[ShownField, ...]:
    return tuple(
        ShownField(field, _visible(config, field, row.get(field), hide=hide))
        for field in CANONICAL_FIELDS[config.entity]
    )


def _record(con: DuckDBPyConnection, config: EntityConfig, record: str) -> dict[str, Any]:
    table = quote(f"{config.entity}_records")
    found = con.sql(f"select * from {table} where record_id = ?", params=[record]).to_arrow_table().to_pylist()
    return dict(found[0])


def _frequencies(con: DuckDBPyConnection, config: EntityConfig, row: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for column in term_frequency_columns(config):
        value = row.get(column)
        if value is None:
            continue
        table = quote(f"{config.entity}_frequency_{column}")
        rows = con.execute(
            f"""
select {quote("tf_" + column)}
from {table}
where {quote(column)} = ? or {quote(column)} is null
order by {quote(column)} nulls last""",
            [value],
        ).fetchall()
        if rows:
            found[column, value] = float(rows[0][0])
    return found


def _entity_of(con: DuckDBPyConnection, left: str, right: str) -> str:
    tables = {row[0] for row in con.execute("show tables").fetchall()}
    homes = []
    for record in (left, right):
        home = next(
            (
                entity
                for entity in ENTITIES
                if f"{entity}_records" in tables
                and con.execute(f"select 1 from {quote(entity + '_records')} where record_id = ?", [record]).fetchall()
            ),
            None,
        )
        if home is None:
            raise LinkageError(
                "a record is not in the last run; write it as source:source_record_id, as in record_link"
            )
        homes.append(home)
    if homes[0] != homes[1]:
        raise LinkageError("one record is a legal person, the other a natural person; they are never one entity")
    return homes[0]


def _together(con: DuckDBPyConnection, entity: str, left: str, right: str) -> bool:
    rows = con.execute(
        f"select count(distinct entity_id) from {quote(entity + '_membership')} where record_id in (?, ?)",
        [left, right],
    ).fetchall()
    return bool(rows[0][0] == 1)


def _steps(con: DuckDBPyConnection, entity: str, left: str, right: str) -> list[tuple[str, str]]:
    """Return the pairs of records to explain: the two, or the chain of links that makes them one entity."""
    profile = dict(
        con.execute(
            f"select record_id, profile_id from {quote(entity + '_profile_record')} where record_id in (?, ?)",
            [left, right],
        ).fetchall()
    )
    a, b = sorted((profile[left], profile[right]))
    linked = con.execute(
        f"select 1 from {quote(entity + '_judged')} where left_id = ? and right_id = ? and verdict = 'auto'", [a, b]
    ).fetchall()
    if linked or a == b or not _together(con, entity, left, right):
        return [(left, right)]
    links = con.execute(
        f"""
with inside as (
    select profile_id from {quote(entity + "_clusters")}
    where cluster_id = (select cluster_id from {quote(entity + "_clusters")} where record_id = ?)
)
select left_id, right_id, match_weight
from {quote(entity + "_judged")}
where verdict = 'auto' and left_id in (from inside) and right_id in (from inside)
order by left_id, right_id""",
        [left],
    ).fetchall()
    graph: nx.Graph[int] = nx.Graph()
    graph.add_weighted_edges_from((x, y, 1.0 / max(weight, 1e-3)) for x, y, weight in links)
    path = nx.shortest_path(graph, profile[left], profile[right], weight="weight")
    shown = dict(
        con.execute(
            f"select profile_id, min(record_id) from {quote(entity + '_profile_record')} "
            f"where profile_id in ({', '.join('?' * len(path))}) group by profile_id",
            path,
        ).fetchall()
    )
    records = [left, *(shown[p] for p in path[1:-1]), right]
    return list(itertools.pairwise(records))


def _heading(left: str, right: str, together: bool, steps: int, language: str) -> str:
    if language == "zh":
        verdict = "同一主体" if together else "不是同一主体"
        chain = f"，由 {steps} 条链接相连" if steps > 1 else ""
        return f"{left} 与 {right}：{verdict}{chain}"
    verdict = "one entity" if together else "two entities"
    chain = f", joined by a chain of {steps} links" if steps > 1 else ""
    return f"{left} and {right}: {verdict}{chain}"
