"""The metrics of a partition as text for a terminal."""

from __future__ import annotations

from eval.metrics import ErrorClass, Interval, Metrics, SourcePair


def as_table(metrics: Metrics) -> str:
    """Return the metrics as text for a terminal: the figures, then one table per breakdown."""
    m = metrics
    lines = [
        ("records", f"{m.records:,}"),
        ("clusters / true entities", f"{m.clusters:,} / {m.entities:,}"),
        ("pairs true / predicted / found", f"{m.true_pairs:,} / {m.predicted_pairs:,} / {m.found_pairs:,}"),
        ("pairs missed / false", f"{m.missed_pairs:,} / {m.false_pairs:,}"),
        ("precision", f"{_rate(m.precision)}{_bounds(m.precision_interval)}"),
        ("recall", f"{_rate(m.recall)}{_bounds(m.recall_interval)}"),
        ("F1", _rate(m.f1)),
        ("B-cubed precision / recall / F1", " / ".join(map(_rate, (m.bcubed_precision, m.bcubed_recall, m.bcubed_f1)))),
        ("exact clusters", f"{m.exact_clusters:,} ({_rate(m.exact_cluster_share)} of clusters)"),
        ("exact entities of 2+ records", _rate(m.exact_multi_entity_share)),
        ("clusters mixing entities", f"{m.mixed_clusters:,}"),
        ("entities split", f"{m.split_entities:,}"),
        ("records missing from clusters", f"{m.missing_from_clusters:,}"),
        ("records missing from truth", f"{m.missing_from_truth:,}"),
    ]
    if m.repeated_in_clusters or m.repeated_in_truth:
        lines.append(("rows repeated in clusters / truth", f"{m.repeated_in_clusters:,} / {m.repeated_in_truth:,}"))
    width = max(len(label) for label, _ in lines)
    parts = ["\n".join(f"{label:<{width}}  {value}" for label, value in lines)]
    if m.by_source_pair:
        parts.append(
            _grid([("sources", "true", "found", "recall", "precision"), *map(_source_pair_row, m.by_source_pair)])
        )
    if m.by_error_class:
        head = ("error class", "records", "true", "missed", "missed share", "false")
        parts.append(_grid([head, *map(_error_class_row, m.by_error_class)]))
    return "\n\n".join(parts) + "\n"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"  (95 %: {interval.low:.6f} to {interval.high:.6f})"


def _source_pair_row(p: SourcePair) -> tuple[str, ...]:
    sources = f"{p.left_source} + {p.right_source}"
    return sources, f"{p.true_pairs:,}", f"{p.found_pairs:,}", _rate(p.recall), _rate(p.precision)


def _error_class_row(e: ErrorClass) -> tuple[str, ...]:
    missed = f"{e.missed_pairs:,}", _rate(e.missed_share)
    return e.error_class or "(no error)", f"{e.records:,}", f"{e.true_pairs:,}", *missed, f"{e.false_pairs:,}"


def _grid(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
