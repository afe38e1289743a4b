"""One Vega-Lite specification per question of the report.

In: figures of a run and the texts of a language. Out: a specification as a dictionary with its data inside, or None
where there is nothing to draw. The specifications name no address to load from and only fonts of the reader's machine.
Bars start at zero on a linear axis; where counts span orders of magnitude the chart uses dots on a logarithmic one.
"""

from __future__ import annotations

from collections.abc import Sequence

from eval.report.chart_parts import (
    ACCENT,
    ALERT,
    COLOURS,
    FIT,
    INK,
    MUTED,
    SOFT,
    WIDTH,
    Spec,
    bar_chart,
    count_axis,
    framed,
    label_width,
    log_axis,
    name_axis,
    row_chart,
    share_axis,
    tooltip,
)
from eval.report.summary import (
    BlockingRule,
    ClusterSize,
    FieldCompleteness,
    KindCount,
    ModelLevel,
    Stage,
    VerdictCount,
    WeightHistogram,
)
from eval.report.words import Words

VERDICTS = ("auto", "review", "reject", "conflict")
_MOST_BARS = 20


def quarantine_chart(reasons: Sequence[KindCount], w: Words) -> Spec | None:
    """Rows in quarantine by reason, most common first; the tail is one bar."""
    ranked = sorted(reasons, key=lambda reason: (-reason.count, reason.kind))
    rows = [{"name": w.label("reason", r.kind), "rows": r.count, "rest": False} for r in ranked[:_MOST_BARS]]
    if rest := ranked[_MOST_BARS:]:
        name = w.text("others", n=len(rest))
        rows.append({"name": name, "rows": sum(r.count for r in rest), "rest": True})
    if not rows:
        return None
    x = count_axis("rows", w.text("col_rows"), w)
    colour = {"condition": {"test": "datum.rest", "value": COLOURS["reject"]}, "value": ACCENT}
    return bar_chart(rows, {"x": x, "y": name_axis(), "color": colour}, tooltip("name", "rows", w=w))


def blocking_chart(rules: Sequence[BlockingRule], w: Words) -> Spec | None:
    """Pairs per blocking rule in the order of the rules, and the part that was new."""
    if not rules:
        return None
    rows = [{"name": w.label("blocking", r.rule), "pairs": r.pairs, "new_pairs": r.new_pairs} for r in rules]
    tip = tooltip("name", "pairs", "new_pairs", w=w)
    legend = [w.text("col_pairs"), w.text("col_new_pairs")]
    layers = [
        {
            "mark": {"type": "bar", "height": {"band": band}, "tooltip": True},
            "encoding": {
                "x": count_axis(field, w.text("col_pairs"), w),
                "color": {"datum": name, "type": "nominal", "title": None},
                "tooltip": tip,
            },
        }
        for field, name, band in zip(("pairs", "new_pairs"), legend, (0.72, 0.36), strict=True)
    ]
    return row_chart(
        {"data": {"values": rows}, "encoding": {"y": name_axis()}, "layer": layers}, len(rows), [SOFT, ACCENT]
    )


def weights_chart(weights: WeightHistogram | None, w: Words) -> Spec | None:
    """Pairs by match weight, one row per verdict with its own vertical scale, with the bounds between verdicts."""
    if weights is None or not any(map(any, weights.counts.values())):
        return None
    order = [
        verdict
        for verdict in ("reject", "review", "auto", "conflict", *sorted(weights.counts))
        if any(weights.counts.get(verdict, ()))
    ]
    order = list(dict.fromkeys(order))
    title = {v: f"{w.label('verdict', v)}  {w.count(sum(weights.counts[v]))}" for v in order}
    rows = [
        {"verdict": title[v], "low": low, "high": high, "pairs": pairs}
        for v in order
        for low, high, pairs in zip(weights.edges, weights.edges[1:], weights.counts[v], strict=False)
        if pairs
    ]
    bounds = [{"bound": bound} for bound in (weights.review_weight, weights.auto_weight) if bound is not None]
    reach = [*weights.edges, *(line["bound"] for line in bounds)]
    x = {"title": w.text("col_weight"), "scale": {"domain": [min(reach), max(reach)], "nice": False, "zero": False}}
    colour = {"domain": [title[v] for v in order], "range": [COLOURS.get(v, MUTED) for v in order]}
    bars: Spec = {
        "mark": {"type": "bar", "binSpacing": 0, "stroke": "white", "strokeWidth": 0.5},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "bin": {"binned": True}, **x},
            "x2": {"field": "high"},
            "y": {**count_axis("pairs", None, w), "axis": {**count_axis("pairs", None, w)["axis"], "tickCount": 3}},
            "color": {"field": "verdict", "type": "nominal", "scale": colour, "legend": None},
            "tooltip": tooltip("low", "high", "pairs", w=w),
        },
    }
    lines: Spec = {
        "data": {"values": bounds},
        "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
        "encoding": {"x": {"field": "bound", "type": "quantitative"}},
    }
    header = {"title": None, "labelOrient": "top", "labelAnchor": "start", "labelFontWeight": 600, "labelPadding": 4}
    return framed(
        {
            "data": {"values": rows},
            "facet": {
                "row": {"field": "verdict", "type": "nominal", "sort": [title[v] for v in order], "header": header}
            },
            "spacing": 14,
            "spec": {"width": WIDTH - 60, "height": 76, "layer": [bars, lines] if bounds else [bars]},
            "resolve": {"scale": {"y": "independent"}},
        }
    )


def verdicts_chart(verdicts: Sequence[VerdictCount], w: Words) -> Spec | None:
    """Pairs per verdict and rule, as dots on a logarithmic axis."""
    rows = [
        {"name": w.label("rule", v.rule or "score"), "verdict": w.label("verdict", v.verdict), "pairs": v.pairs}
        for v in ordered_verdicts(verdicts)
        if v.pairs
    ]
    if not rows:
        return None
    present = [v for v in VERDICTS if any(row["verdict"] == w.label("verdict", v) for row in rows)]
    scale: Spec = {"domain": [w.label("verdict", v) for v in present], "range": [COLOURS[v] for v in present]}
    for row in rows:
        if row["verdict"] not in scale["domain"]:
            scale["domain"].append(row["verdict"])
            scale["range"].append(MUTED)
    encoding = {
        "y": name_axis(),
        "x": log_axis("pairs", w.text("col_pairs"), w, top=max(v.pairs for v in verdicts)),
        "color": {"field": "verdict", "type": "nominal", "scale": scale, "title": None},
        "tooltip": tooltip("name", "verdict", "pairs", w=w),
    }
    mark = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    return row_chart({"data": {"values": rows}, "mark": mark, "encoding": encoding}, len({row["name"] for row in rows}))


def sizes_chart(sizes: Sequence[ClusterSize], w: Words) -> Spec | None:
    """Entities by their number of records, both axes logarithmic."""
    rows = [{"size": s.size, "clusters": s.clusters} for s in sorted(sizes, key=lambda s: s.size) if s.clusters]
    if not rows:
        return None
    encoding = {
        "x": log_axis("size", w.text("col_size"), w, top=max(row["size"] for row in rows)),
        "y": log_axis("clusters", w.text("col_entities"), w, top=max(row["clusters"] for row in rows)),
        "tooltip": tooltip("size", "clusters", w=w),
    }
    mark = {"type": "point", "filled": True, "size": 60, "opacity": 1, "color": ACCENT}
    line = {"type": "line", "color": SOFT, "strokeWidth": 1.5}
    layers = [{"mark": line, "encoding": encoding}, {"mark": mark, "encoding": encoding}]
    return framed({"width": WIDTH, "height": 260, "autosize": FIT, "data": {"values": rows}, "layer": layers})


def completeness_chart(fields: Sequence[FieldCompleteness], w: Words) -> Spec | None:
    """Share of entities with a value per field, and a tick for the share whose sources disagree."""
    rows = [
        {
            "name": w.label("field", f.field),
            "filled": f.filled / f.entities,
            "conflicts": f.conflicts / f.entities or None,
        }
        for f in fields
        if f.entities
    ]
    if not rows:
        return None
    legend = [w.text("col_filled_share"), w.text("col_conflict_share")]
    tip = tooltip("name", w=w) + tooltip("filled", "conflicts", w=w, form=".2%")
    marks: tuple[Spec, ...] = (
        {"type": "bar", "height": {"band": 0.62}},
        {"type": "tick", "opacity": 1, "thickness": 3, "height": {"band": 0.9}},
    )
    layers = [
        {
            "mark": mark,
            "encoding": {
                "x": share_axis(field, w.text("col_share")),
                "color": {"datum": name, "type": "nominal", "title": None},
                "tooltip": tip,
            },
        }
        for mark, field, name in zip(marks, ("filled", "conflicts"), legend, strict=True)
    ]
    return row_chart(
        {"data": {"values": rows}, "encoding": {"y": name_axis()}, "layer": layers}, len(rows), [ACCENT, ALERT]
    )


def stages_chart(stages: Sequence[Stage], w: Words) -> Spec | None:
    """Seconds and peak memory per stage, side by side, in the order they ran."""
    if not stages:
        return None
    rows = [{"name": stage_name(s, w), "seconds": s.seconds, "peak": s.peak_mb} for s in stages]
    # One stage may run twice; the axis needs a name of its own for each.
    for position, row in enumerate(rows):
        repeats = sum(earlier["name"] == row["name"] for earlier in rows[:position])
        row["key"] = f"{row['name']} ({repeats + 1})" if repeats else row["name"]
    names = {**name_axis(), "field": "key"}
    tip = tooltip("key", w=w) + tooltip("seconds", "peak", w=w, form=",.1f")

    def panel(field: str, colour: str, y: Spec) -> Spec:
        return {
            "width": 215,
            "height": {"step": 22},
            "mark": {"type": "bar", "height": {"band": 0.62}, "color": colour},
            "encoding": {"x": count_axis(field, w.text(f"col_{field}"), w, ticks=4), "y": y, "tooltip": tip},
        }

    bare = {**names, "axis": {**names["axis"], "labels": False}}
    panels = [panel("seconds", ACCENT, names)]
    if any(s.peak_mb is not None for s in stages):
        panels.append(panel("peak", COLOURS["review"], bare))
    return framed({"data": {"values": rows}, "spacing": 16, "hconcat": panels})


def levels_chart(levels: Sequence[ModelLevel], w: Words) -> Spec | None:
    """Match weight of every level, one group per comparison, in the model's order."""
    rows = [
        {"comparison": w.label("comparison", level.comparison), "name": level_name(level, w), "weight": level.weight}
        for level in levels
        if level.weight is not None
    ]
    if not rows:
        return None
    header = {"title": None, "labelOrient": "top", "labelAnchor": "start", "labelFontWeight": 600, "labelPadding": 3}
    comparisons = list(dict.fromkeys(row["comparison"] for row in rows))
    row = {"field": "comparison", "type": "nominal", "sort": comparisons, "header": header}
    colour = {"condition": {"test": "datum.weight < 0", "value": ALERT}, "value": ACCENT}
    return framed(
        {
            "data": {"values": rows},
            "facet": {"row": row},
            "spacing": 10,
            "spec": {
                "width": WIDTH - 30 - label_width(str(row["name"]) for row in rows),
                "height": {"step": 19},
                "mark": {"type": "bar", "height": {"band": 0.66}},
                "encoding": {
                    "x": {"field": "weight", "type": "quantitative", "title": w.text("col_weight")},
                    "y": name_axis(),
                    "color": colour,
                    "tooltip": tooltip("comparison", "name", w=w) + tooltip("weight", w=w, form="+.2f"),
                },
            },
            "resolve": {"scale": {"y": "independent"}},
        }
    )


def ordered_verdicts(verdicts: Sequence[VerdictCount]) -> list[VerdictCount]:
    """Return verdict counts in the order of verdicts, most pairs first."""
    rank = {verdict: position for position, verdict in enumerate(VERDICTS)}
    return sorted(verdicts, key=lambda v: (rank.get(v.verdict, len(rank)), v.verdict, -v.pairs, v.rule or ""))


def level_name(level: ModelLevel, w: Words) -> str:
    """Return how a level is called: its reason in words, else its name."""
    return w.pick(level.reason_zh or level.level, level.reason_en or level.level)


def stage_name(stage: Stage, w: Words) -> str:
    """Return how a stage is called, with its entity type where it ran for one."""
    name = w.label("stage", stage.name)
    return name if stage.entity is None else f"{name} · {w.label('entity_short', stage.entity)}"
