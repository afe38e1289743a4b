"""The blocks of the report that compare a run with the truth, where it is known."""

from __future__ import annotations

from dataclasses import replace

from eval.metrics import Metrics
from eval.report import quality_charts
from eval.report.block_parts import Block, Table, block, head
from eval.report.words import Words


def quality_blocks(m: Metrics, w: Words) -> list[Block]:
    """Return the blocks that compare a run with the truth."""
    intervals = {"precision": m.precision_interval, "recall": m.recall_interval}

    def bounds(name: str) -> str:
        interval = intervals.get(name)
        return w.range(w.percent(interval.low, 4), w.percent(interval.high, 4)) if interval else ""

    rates = ("precision", "recall", "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1")
    exact = ("exact_entity_share", "exact_multi_entity_share")
    counts = ("mixed_clusters", "split_entities", "records", "clusters", "entities")
    lost = ("missing_from_clusters", "missing_from_truth")
    rows = [(w.label("measure", name), w.percent(getattr(m, name), 4), bounds(name)) for name in (*rates, *exact)]
    rows += [(w.label("measure", name), w.count(getattr(m, name)), "") for name in (*counts, *lost)]
    made = block(
        "metrics",
        w,
        Table(head(w, "measure", "value", "interval"), tuple(rows)),
        None,
        true=w.count(m.true_pairs),
        found=w.count(m.found_pairs),
        missed=w.count(m.missed_pairs),
        false=w.count(m.false_pairs),
        mixed=w.count(m.mixed_clusters),
    )
    if m.missing_from_clusters or m.missing_from_truth:
        alone = {"clusters": w.count(m.missing_from_clusters), "truth": w.count(m.missing_from_truth)}
        made = replace(made, alert=w.text("metrics_missing", **alone))
    found = (made, _source_pairs(m, w), _error_classes(m, w))
    return [one for one in found if one is not None]


def _source_pairs(m: Metrics, w: Words) -> Block | None:
    known = [(1 - p.recall, p) for p in m.by_source_pair if p.recall is not None]
    if not known:
        return None
    ranked = sorted(known, key=lambda row: (-row[0], row[1].left_source, row[1].right_source))
    rows = tuple(
        (
            f"{p.left_source} + {p.right_source}",
            *map(w.count, (p.true_pairs, p.found_pairs)),
            *map(w.percent, (p.recall, p.precision)),
        )
        for _, p in ranked
    )
    share, worst = ranked[0]
    return block(
        "source_pairs",
        w,
        Table(head(w, "sources", "true_pairs", "found_pairs", "recall", "precision"), rows),
        quality_charts.source_pairs_chart(m, w),
        left=worst.left_source,
        right=worst.right_source,
        share=w.percent(share),
    )


def _error_classes(m: Metrics, w: Words) -> Block | None:
    named = [e for e in m.by_error_class or () if e.missed_share is not None and e.error_class is not None]
    if not m.by_error_class or not named:
        return None
    worst = min(named, key=lambda e: (-(e.missed_share or 0), e.error_class or ""))
    ranked = sorted(m.by_error_class, key=lambda e: (-(e.missed_share or 0), e.error_class or ""))
    rows = tuple(
        (
            quality_charts.error_class_name(e.error_class, w),
            *map(w.count, (e.records, e.true_pairs, e.missed_pairs)),
            w.percent(e.missed_share),
            w.count(e.false_pairs),
        )
        for e in ranked
    )
    return block(
        "error_classes",
        w,
        Table(head(w, "error_class", "records", "true_pairs", "missed_pairs", "missed_share", "false_pairs"), rows),
        quality_charts.error_classes_chart(m, w),
        first=quality_charts.error_class_name(worst.error_class, w),
        share=w.percent(worst.missed_share),
    )
