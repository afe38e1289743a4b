"""Charts of how good the links are: misses between sources, misses by class of error, and calibration.

As in `charts`, a chart is a Vega-Lite specification with its data inside, or None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import Metrics, wilson
from eval.report.chart_parts import (
    ACCENT,
    ALERT,
    INK,
    MUTED,
    Spec,
    bar_chart,
    framed,
    name_axis,
    plain_axis,
    share_axis,
    tooltip,
)
from eval.report.words import Words, words

_MOST_BARS = 40
_MOST_MATRIX = 16


@dataclass(frozen=True)
class ReliabilityBin:
    """Pairs of about the same predicted probability.

    Attributes:
        predicted: their mean predicted probability.
        matches: how many of them are one entity.
        pairs: how many they are.
    """

    predicted: float
    matches: int
    pairs: int


def source_pairs_chart(metrics: Metrics, w: Words) -> Spec | None:
    """Share of true pairs missed, for each pair of sources; left out for too many sources to read."""
    cells = [p for p in metrics.by_source_pair if p.recall is not None]
    sources = sorted({s for p in cells for s in (p.left_source, p.right_source)})
    if not cells or len(sources) > _MOST_MATRIX:
        return None
    rows = [
        {"left": left, "right": right, "missed": 1 - p.recall, "true_pairs": p.true_pairs}
        for p in cells
        if p.recall is not None
        for left, right in dict.fromkeys([(p.left_source, p.right_source), (p.right_source, p.left_source)])
    ]
    worst = max(1 - p.recall for p in cells if p.recall is not None)
    position: Spec = {"type": "nominal", "sort": sources, "title": None, "axis": plain_axis(labelLimit=110)}
    tip = tooltip("left", "right", "true_pairs", w=w) + tooltip("missed", w=w, form=".2%")
    scale = {"domain": [0, worst or 1], "range": ["#f3f5f6", ALERT], "interpolate": "rgb"}
    text_colour = {"condition": {"test": f"datum.missed > {worst * 0.55!r}", "value": "white"}, "value": INK}
    axes = {
        "x": {**position, "field": "right", "axis": {**position["axis"], "labelAngle": -40, "orient": "bottom"}},
        "y": {**position, "field": "left"},
    }
    rect = {
        "mark": {"type": "rect", "stroke": "white"},
        "encoding": {
            "color": {"field": "missed", "type": "quantitative", "scale": scale, "legend": None},
            "tooltip": tip,
        },
    }
    label = {
        "mark": {"type": "text", "fontSize": 10},
        "encoding": {"text": {"field": "missed", "format": ".1%"}, "color": text_colour, "tooltip": tip},
    }
    step = min(52, 470 // len(sources))
    layers = [rect, label] if step >= 30 else [rect]
    size = {"width": {"step": step}, "height": {"step": min(step, 30)}}
    return framed({**size, "data": {"values": rows}, "encoding": axes, "layer": layers})


def error_classes_chart(metrics: Metrics, w: Words) -> Spec | None:
    """Share of true pairs missed, by class of error of either record, worst first."""
    known = [e for e in metrics.by_error_class or () if e.missed_share is not None]
    if not known:
        return None
    ranked = sorted(known, key=lambda e: (-(e.missed_share or 0), e.error_class or ""))[:_MOST_BARS]
    rows = [
        {"name": error_class_name(e.error_class, w), "missed": e.missed_share, "missed_pairs": e.missed_pairs}
        for e in ranked
    ]
    tip = tooltip("name", w=w) + tooltip("missed", w=w, form=".2%") + tooltip("missed_pairs", w=w)
    x = share_axis("missed", w.text("col_missed_share"), whole=False)
    return bar_chart(rows, {"x": x, "y": name_axis(), "color": {"value": ALERT}}, tip)


def reliability_chart(bins: Sequence[ReliabilityBin], lang: str = "zh") -> Spec | None:
    """Observed share of matches by predicted probability, with Wilson bars; on the diagonal the model is calibrated."""
    w = words(lang)
    rows = []
    for one in bins:
        interval = wilson(one.matches, one.pairs)
        if interval is not None:
            share = one.matches / one.pairs
            rows.append(
                {
                    "predicted": one.predicted,
                    "observed": share,
                    "pairs": one.pairs,
                    "low": interval.low,
                    "high": interval.high,
                }
            )
    if not rows:
        return None
    x = {**share_axis("predicted", w.text("col_predicted")), "scale": {"domain": [0, 1]}}
    y = {**share_axis("observed", w.text("col_observed")), "scale": {"domain": [0, 1]}}
    tip = tooltip("predicted", "observed", "low", "high", w=w, form=".2%") + tooltip("pairs", w=w)
    size = {
        "field": "pairs",
        "type": "quantitative",
        "title": w.text("col_pairs"),
        "scale": {"range": [30, 400]},
        "legend": {"symbolType": "circle", "titleFontWeight": "normal", "tickCount": 3},
    }
    layers: list[Spec] = [
        {
            "data": {"values": [{"predicted": 0, "observed": 0}, {"predicted": 1, "observed": 1}]},
            "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 3], "strokeWidth": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "rule", "color": ACCENT},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "color": ACCENT, "opacity": 1},
            "encoding": {"x": x, "y": y, "size": size, "tooltip": tip},
        },
    ]
    return framed({"width": 420, "height": 420, "data": {"values": rows}, "layer": layers})


def error_class_name(name: str | None, w: Words) -> str:
    """Return how a class of error is called; None is the pairs without error."""
    return w.text("no_error") if name is None else w.label("error_class", name)
