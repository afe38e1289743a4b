"""Charts of how good the links are: misses between sources, misses by class of error, and calibration.

As in `charts`, a chart is a Vega-Lite specification with its data inside, or None where there is nothing to draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import Metrics, wilson
from eval.report.chart_parts import (
    ACCENT,
    ALERT,
    COLOURS,
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
_MOST_WEIGHT = 40.0  # weights beyond are drawn at the edge
_MOST_SHOWN = 16.0  # nobody labels enough pairs to see rarer errors


@dataclass(frozen=True)
class ReliabilityBin:
    """Pairs of about the same predicted probability.

    Attributes:
        predicted: their mean predicted probability.
        matches: how many of them are one entity.
        pairs: how many they are.
        weight: their match weight; absent: the predicted probability as a weight.
        calibrated: what the probability should be, as fitted to the labels; absent: no fit is drawn.
    """

    predicted: float
    matches: int
    pairs: int
    weight: float | None = None
    calibrated: float | None = None


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


def reliability_chart(bins: Sequence[ReliabilityBin], lang: str = "zh", bounds: Sequence[float] = ()) -> Spec | None:
    """Observed share of matches by predicted probability, with Wilson bars; on the diagonal the model is calibrated.

    Two panels: the probabilities themselves, and both as match weights, where what lies near 0 and 1 comes apart. A bin
    in which all pairs or none are one entity has no finite weight: a triangle at the edge, and a bar as far as the
    interval reaches.

    Args:
        bins: the pairs.
        lang: zh or en.
        bounds: thresholds to draw, in match weight.
    """
    w = words(lang)
    rows = [row for one in bins if (row := _reliability_row(one)) is not None]
    if not rows:
        return None
    reach = [row["weight"] for row in rows] + list(bounds)
    low, high = max(-_MOST_WEIGHT, min(-4.0, *reach)), min(_MOST_WEIGHT, max(4.0, *reach))
    top = min(high, _MOST_SHOWN)
    bottom = max(low, -_MOST_SHOWN)
    for row in rows:
        row["end"] = top if row["observed"] == 1 else bottom if row["observed"] == 0 else None
        for name in ("low", "high", "observed", "calibrated"):
            share = row[name]
            row[f"{name}_weight"] = None if share is None else min(top, max(bottom, _weight_of(share)))
    diagonal = [max(low, bottom), min(high, top)]
    ends = [{"x": d, "y": d} for d in diagonal]
    shares = _reliability_panel(w, ("predicted", "low", "high", "observed", "calibrated"), (0, 1), (0, 1), percent=True)
    weights = _reliability_panel(
        w,
        ("weight", "low_weight", "high_weight", "observed_weight", "calibrated_weight"),
        (low, high),
        (bottom, top),
        percent=False,
    )
    shares["layer"].insert(0, _diagonal([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
    weights["layer"].insert(0, _diagonal(ends))
    edge: Spec = {
        "transform": [{"filter": "isValid(datum.end)"}],
        "mark": {"type": "point", "filled": False, "size": 50, "color": ACCENT, "strokeWidth": 1.5, "opacity": 1},
        "encoding": {
            "x": {"field": "weight", "type": "quantitative"},
            "y": {"field": "end", "type": "quantitative"},
            "shape": {
                "condition": {"test": "datum.observed == 1", "value": "triangle-up"},
                "value": "triangle-down",
            },
            "tooltip": _reliability_tip(w),
        },
    }
    weights["layer"].append(edge)
    if bounds:
        lines: Spec = {
            "data": {"values": [{"bound": bound} for bound in bounds]},
            "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
            "encoding": {"x": {"field": "bound", "type": "quantitative"}},
        }
        weights["layer"].insert(1, lines)
    return framed({"data": {"values": rows}, "spacing": 46, "hconcat": [shares, weights]})


def _reliability_row(one: ReliabilityBin) -> Spec | None:
    interval = wilson(one.matches, one.pairs)
    if interval is None:
        return None
    weight = _weight_of(one.predicted) if one.weight is None else one.weight
    return {
        "predicted": one.predicted,
        "weight": max(-_MOST_WEIGHT, min(_MOST_WEIGHT, weight)),
        "observed": one.matches / one.pairs,
        "pairs": one.pairs,
        "low": interval.low,
        "high": interval.high,
        "calibrated": one.calibrated,
    }


def _reliability_panel(
    w: Words,
    fields: tuple[str, str, str, str, str],
    across: tuple[float, float],
    up: tuple[float, float],
    *,
    percent: bool,
) -> Spec:
    x_field, low, high, observed, calibrated = fields
    axis = plain_axis(grid=True, tickCount=6, **({"format": "~%"} if percent else {"format": "+d"}))
    kind = "probability" if percent else "weight"

    def along(field: str, title: str | None, domain: tuple[float, float]) -> Spec:
        scale = {"domain": list(domain), "nice": False, "clamp": True}
        return {"field": field, "type": "quantitative", "title": title, "axis": axis, "scale": scale}

    x = along(x_field, w.text(f"col_predicted_{kind}"), across)
    y = along(observed, w.text(f"col_observed_{kind}"), up)
    fit: Spec = {
        "transform": [{"filter": f"isValid(datum.{calibrated})"}],
        "mark": {"type": "line", "color": COLOURS["review"], "strokeWidth": 1.5, "interpolate": "linear"},
        "encoding": {"x": x, "y": {**y, "field": calibrated}, "order": {"field": x_field}},
    }
    bar: Spec = {
        "mark": {"type": "rule", "color": ACCENT},
        "encoding": {"x": x, "y": {**y, "field": low}, "y2": {"field": high}},
    }
    point: Spec = {
        "transform": [] if percent else [{"filter": "datum.observed > 0 && datum.observed < 1"}],
        "mark": {"type": "point", "filled": True, "color": ACCENT, "opacity": 1, "size": 50},
        "encoding": {"x": x, "y": y, "tooltip": _reliability_tip(w)},
    }
    return {"width": 430, "height": 360, "layer": [fit, bar, point]}


def _diagonal(ends: list[Spec]) -> Spec:
    return {
        "data": {"values": ends},
        "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }


def _reliability_tip(w: Words) -> list[Spec]:
    shares = tooltip("predicted", "observed", "low", "high", w=w, form=".3%")
    return tooltip("weight", w=w, form="+.2f") + shares + tooltip("pairs", w=w)


def _weight_of(share: float) -> float:
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else math.log2(share / (1 - share))


def error_class_name(name: str | None, w: Words) -> str:
    """Return how a class of error is called; None is the pairs without error."""
    return w.text("no_error") if name is None else w.label("error_class", name)
