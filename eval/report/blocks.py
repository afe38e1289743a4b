"""The blocks of the report: one question each, with a sentence that answers it, what to check, a chart and a table.

In: one section of a run summary and the texts of a language. Out: `Block`s in reading order; a block without figures is
left out. Tables carry every figure a chart shows, so the page can be read and printed without scripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eval.report import charts
from eval.report.block_parts import Block, Table, block, head
from eval.report.quality_blocks import quality_blocks
from eval.report.relation_blocks import relation_block
from eval.report.stability_blocks import stability_blocks
from eval.report.summary import EntitySection, KindCount, ModelLevel, RunSummary
from eval.report.words import Words


def entity_blocks(section: EntitySection, w: Words) -> list[Block]:
    """Return the blocks of one entity type."""
    found = [
        _sources(section, w),
        _kinds("quarantine", "reason", section.quarantine, w, "col_reason", "col_rows"),
        _kinds("warnings", "remark", section.warnings, w, "col_remark", "col_rows"),
        _blocking(section, w),
        _weights(section, w),
        _verdicts(section, w),
        _sizes(section, w),
        _kinds("contested", "contested", section.contested, w, "col_kind", "col_cases"),
        _kinds("events", "event", section.events, w, "col_kind", "col_events"),
        *(stability_blocks(section.stability, w) if section.stability else ()),
        _completeness(section, w),
        _levels(section, w),
        *(quality_blocks(section.metrics, w) if section.metrics else ()),
    ]
    return [one for one in found if one is not None]


def run_blocks(summary: RunSummary, w: Words) -> list[Block]:
    """Return the blocks of the run as a whole."""
    found = [relation_block(summary, w), _stages(summary, w), _versions(summary, w)]
    return [one for one in found if one is not None]


def _sources(section: EntitySection, w: Words) -> Block | None:
    if not section.sources:
        return None
    rows = tuple(
        (s.source, *map(w.count, (s.rows_in, s.kept, s.quarantined, s.superseded)), w.share(s.quarantined, s.rows_in))
        for s in section.sources
    )
    sums = (section.rows_in, section.kept, section.quarantined, section.superseded)
    share = w.share(section.quarantined, section.rows_in)
    wrong = tuple(position for position, source in enumerate(section.sources) if not source.balanced)
    table = Table(
        head(w, "source", "rows_in", "kept", "quarantined", "superseded", "quarantine_share"),
        rows,
        foot=(w.text("total"), *map(w.count, sums), share),
        marked=wrong,
    )
    names = ("rows_in", "kept", "quarantined", "superseded")
    values = dict(zip(names, map(w.count, sums), strict=True))
    return block("sources", w, table, None, sources=w.count(len(rows)), share=share, **values)


def _kinds(name: str, group: str, kinds: Sequence[KindCount], w: Words, column: str, unit: str) -> Block | None:
    if not kinds:
        return None
    ranked = sorted(kinds, key=lambda kind: (-kind.count, kind.kind))
    total = sum(kind.count for kind in ranked)
    rows = tuple((w.label(group, k.kind), w.count(k.count), w.share(k.count, total)) for k in ranked)
    foot = (w.text("total"), w.count(total), w.share(total, total))
    table = Table((w.text(column), w.text(unit), w.text("col_share")), rows, foot=foot)
    chart = charts.quarantine_chart(kinds, w) if name == "quarantine" else None
    first, share = rows[0][0], rows[0][2]
    return block(
        name,
        w,
        table,
        chart,
        rows=w.count(total),
        n=w.count(total),
        reasons=w.count(len(rows)),
        first=first,
        share=share,
    )


def _blocking(section: EntitySection, w: Words) -> Block | None:
    rules = section.blocking
    if not rules:
        return None
    capped = any(rule.capped_blocks for rule in rules)
    more = ("capped_blocks", "capped_pairs") if capped else ()
    rows = tuple(
        (
            w.label("blocking", rule.rule),
            *map(w.count, (rule.pairs, rule.new_pairs, rule.kept_pairs)),
            w.share(rule.kept_pairs, rule.new_pairs),
            *(map(w.count, (rule.capped_blocks, rule.capped_pairs)) if capped else ()),
        )
        for rule in rules
    )
    pairs, new = sum(rule.pairs for rule in rules), sum(rule.new_pairs for rule in rules)
    counted = [rule.kept_pairs for rule in rules if rule.kept_pairs is not None]
    kept = sum(counted) if len(counted) == len(rules) else None
    blocks = sum(rule.capped_blocks for rule in rules)
    given_up = [rule.capped_pairs for rule in rules if rule.capped_pairs is not None]
    foot = (
        w.text("total"),
        *map(w.count, (pairs, new, kept)),
        w.share(kept, new),
        *(map(w.count, (blocks, sum(given_up) if given_up else None)) if capped else ()),
    )
    table = Table(head(w, "rule", "pairs", "new_pairs", "kept_pairs", "kept_share", *more), rows, foot=foot)
    chart = charts.blocking_chart(rules, w)
    values = {"rules": w.count(len(rules)), "pairs": w.count(pairs), "new": w.count(new)}
    made = block("blocking", w, table, chart, **values)
    alert = w.text("blocking_capped", blocks=w.count(blocks)) if capped else None
    return replace(made, wide=True, alert=alert)


def _weights(section: EntitySection, w: Words) -> Block | None:
    histogram = section.weights
    chart = charts.weights_chart(histogram, w)
    if histogram is None or chart is None:
        return None
    verdicts = [
        v for v in (*charts.VERDICTS, *sorted(set(histogram.counts) - set(charts.VERDICTS))) if v in histogram.counts
    ]
    bins = zip(histogram.edges, histogram.edges[1:], strict=False)
    rows = tuple(
        (w.range(w.edge(low), w.edge(high)), *(w.count(histogram.counts[v][position]) for v in verdicts))
        for position, (low, high) in enumerate(bins)
        if any(histogram.counts[v][position] for v in verdicts)
    )
    totals = [sum(histogram.counts[v]) for v in verdicts]
    foot = (w.text("total"), *map(w.count, totals))
    table = Table((w.text("col_weight_range"), *(w.label("verdict", v) for v in verdicts)), rows, foot=foot)
    review, auto = histogram.review_weight, histogram.auto_weight
    known = review is not None or auto is not None
    bounds = w.text("weights_bounds", review=w.weight(review), auto=w.weight(auto)) if known else ""
    return block("weights", w, table, chart, pairs=w.count(sum(totals)), bounds=bounds)


def _verdicts(section: EntitySection, w: Words) -> Block | None:
    if not section.verdicts:
        return None
    ordered = charts.ordered_verdicts(section.verdicts)
    total = sum(v.pairs for v in ordered)
    rows = tuple(
        (w.label("verdict", v.verdict), w.label("rule", v.rule or "score"), w.count(v.pairs), w.share(v.pairs, total))
        for v in ordered
    )
    table = Table(
        head(w, "verdict", "rule", "pairs", "share"),
        rows,
        text_columns=2,
        foot=(w.text("total"), "", w.count(total), w.share(total, total)),
    )
    sums = {verdict: w.count(sum(v.pairs for v in ordered if v.verdict == verdict)) for verdict in charts.VERDICTS}
    return block("verdicts", w, table, charts.verdicts_chart(section.verdicts, w), **sums)


def _sizes(section: EntitySection, w: Words) -> Block | None:
    sizes = [size for size in sorted(section.cluster_sizes, key=lambda size: size.size) if size.clusters]
    if not sizes:
        return None
    entities, records = section.entities, section.entities + section.merges
    rows = tuple((w.count(s.size), w.count(s.clusters), w.share(s.clusters, entities)) for s in sizes)
    foot = (f"{w.text('total')} {w.count(records)}", w.count(entities), w.share(entities, entities))
    singles = sum(size.clusters for size in sizes if size.size == 1)
    return block(
        "sizes",
        w,
        Table(head(w, "size", "entities", "share"), rows, foot=foot),
        charts.sizes_chart(sizes, w),
        entities=w.count(entities),
        records=w.count(records),
        singles=w.count(singles),
        share=w.share(singles, entities),
        largest=w.count(sizes[-1].size),
    )


def _completeness(section: EntitySection, w: Words) -> Block | None:
    fields = section.completeness
    if not fields:
        return None
    rows = tuple(
        (
            w.label("field", f.field),
            w.count(f.filled),
            w.share(f.filled, f.entities),
            w.count(f.conflicts),
            w.share(f.conflicts, f.entities),
        )
        for f in fields
    )
    table = Table(head(w, "field", "filled", "filled_share", "conflicts", "conflict_share"), rows)
    worst = min(fields, key=lambda f: (f.filled / f.entities if f.entities else 1.0, f.field))
    values = {"worst": w.label("field", worst.field), "share": w.share(worst.filled, worst.entities)}
    return block("completeness", w, table, charts.completeness_chart(fields, w), **values)


def _levels(section: EntitySection, w: Words) -> Block | None:
    levels = section.model
    if not levels:
        return None
    told = any(level.m_from or level.u_from for level in levels)
    reversed_at = reversed_levels(levels)
    rows = tuple(
        (
            w.label("comparison", level.comparison),
            charts.level_name(level, w) + ("" if level.informed else f" {w.text('levels_guess_mark')}"),
            *((w.label("origin", level.m_from), w.label("origin", level.u_from)) if told else ()),
            w.weight(level.weight),
            w.probability(level.m),
            w.probability(level.u),
        )
        for level in levels
    )
    origins = ("m_from", "u_from") if told else ()
    table = Table(
        head(w, "comparison", "level", *origins, "weight", "m", "u"),
        rows,
        text_columns=2 + len(origins),
        marked=tuple(reversed_at),
    )
    guessed = sum(not level.informed for level in levels)
    pooled = sum(level.m_from == "pooled" for level in levels)
    says = [
        w.text(
            "levels_says",
            comparisons=w.count(len({level.comparison for level in levels})),
            levels=w.count(len(rows)),
        ),
        w.text("levels_ordered") if not reversed_at else "",
        w.text("levels_pooled", n=w.count(pooled)) if pooled else "",
        w.text("levels_guessed", n=w.count(guessed)) if guessed else "",
    ]
    alert = w.text("levels_reversed", n=w.count(len(reversed_at))) if reversed_at else None
    text = w.pick("", " ").join(part for part in says if part)
    title, check = w.text("levels_title"), w.text("levels_check")
    return Block("levels", title, text, check, table, charts.levels_chart(levels, w), alert=alert, wide=True)


def reversed_levels(levels: Sequence[ModelLevel]) -> list[int]:
    """Return the positions of levels that weigh more than a better level of their comparison.

    Levels stand in the order of the model, best first; those that are evidence against a match wherever they stand are
    outside the order. Weights a thousandth apart count as equal.
    """
    found: list[int] = []
    lowest: dict[str, float] = {}
    for position, level in enumerate(levels):
        if level.weight is None or level.against:
            continue
        if level.weight > lowest.get(level.comparison, level.weight) + 1e-3:
            found.append(position)
        lowest[level.comparison] = min(level.weight, lowest.get(level.comparison, level.weight))
    return found


def _stages(summary: RunSummary, w: Words) -> Block | None:
    stages = summary.stages
    if not stages:
        return None
    rows = tuple(
        (charts.stage_name(s, w), w.number(s.seconds, 1), w.number(s.peak_mb, 0), w.count(s.rows_out)) for s in stages
    )
    foot = (w.text("total"), w.number(summary.seconds, 1), w.number(summary.peak_mb, 0), "")
    table = Table(head(w, "stage", "seconds", "peak", "rows_out"), rows, foot=foot)
    slowest = max(stages, key=lambda s: s.seconds)
    return block(
        "stages",
        w,
        table,
        charts.stages_chart(stages, w),
        seconds=w.duration(summary.seconds),
        peak=w.none if summary.peak_mb is None else f"{w.number(summary.peak_mb, 0)} MB",
        slowest=charts.stage_name(slowest, w),
        share=w.percent(slowest.seconds / summary.seconds if summary.seconds else None),
    )


def _versions(summary: RunSummary, w: Words) -> Block | None:
    rows = [*sorted(summary.versions.items())]
    rows += [
        (f"{w.text('model')} · {w.label('entity_short', section.entity)}", section.model_hash)
        for section in summary.entities
        if section.model_hash
    ]
    if summary.config_hash:
        rows.append((w.text("config"), summary.config_hash))
    if not rows:
        return None
    table = Table(head(w, "package", "version"), tuple(rows), text_columns=2)
    return Block("versions", w.text("versions_title"), w.text("versions_says"), "", table)
