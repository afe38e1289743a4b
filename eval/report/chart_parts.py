"""The parts the report's charts share: colours, axes, tooltips, sizes and the common frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from unicodedata import east_asian_width

from eval.report.words import Words

Spec = dict[str, Any]

FONT = '"Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "Hiragino Sans GB", sans-serif'
COLOURS = {"auto": "#2a6f7f", "review": "#d19a2e", "reject": "#a9b3bb", "conflict": "#b4493c"}
INK, MUTED, GRID, ACCENT, SOFT, ALERT = "#22303a", "#5c6b76", "#e6eaed", "#2a6f7f", "#bcd3d8", "#b4493c"
WIDTH = 600
LABEL_LIMIT = 190

FIT = {"type": "fit", "contains": "padding"}


def plain_axis(**more: Any) -> Spec:
    """An axis without lines of its own."""
    return {"domain": False, "ticks": False, "labelPadding": 6, **more}


def bar_chart(rows: list[Spec], encoding: Spec, tips: list[Spec]) -> Spec:
    """A bar chart with one line of names."""
    mark = {"type": "bar", "height": {"band": 0.66}}
    return row_chart({"data": {"values": rows}, "mark": mark, "encoding": {**encoding, "tooltip": tips}}, len(rows))


def row_chart(spec: Spec, rows: int, palette: list[str] | None = None) -> Spec:
    """A chart with one line of names: as wide as the page gives, as high as its rows need."""
    return framed({"width": WIDTH, "height": max(70, 24 * rows + 46), "autosize": FIT, **spec}, palette)


def label_width(labels: Iterable[str]) -> int:
    """Return about how many pixels a column of names takes: Chinese characters are twice as wide as letters."""
    widest = max((sum(12 if east_asian_width(c) in "WF" else 6.5 for c in label) for label in labels), default=0)
    return round(min(widest, LABEL_LIMIT))


def name_axis() -> Spec:
    """The vertical axis of names, in the order of the data."""
    axis = plain_axis(labelLimit=LABEL_LIMIT, labelColor=INK, labelOverlap=False)
    return {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": axis}


def count_axis(field: str, title: str | None, w: Words, ticks: int = 5) -> Spec:
    """A linear axis of counts, seconds or megabytes."""
    axis = plain_axis(labelExpr=_short_number(w), tickCount=ticks, tickMinStep=1 if field != "seconds" else 0)
    return {"field": field, "type": "quantitative", "title": title, "stack": None, "axis": axis}


def log_axis(field: str, title: str, w: Words, top: int) -> Spec:
    """A logarithmic axis of counts from one up to `top`."""
    powers = [10**power for power in range(len(str(max(top, 2))) + 1)]
    steps = (1, 2, 5) if top <= 2000 else (1,)
    marks = [power * step for power in powers for step in steps]
    scale = {"type": "log", "domain": [0.8, max(top * 1.25, 12)], "nice": False}
    axis = plain_axis(labelExpr=_short_number(w), values=marks, gridColor=GRID)
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def share_axis(field: str, title: str, *, whole: bool = True) -> Spec:
    """An axis of shares in percent: the whole range, or as far as the data go."""
    axis = plain_axis(format="~%", tickCount=5)
    scale: Spec = {"domain": [0, 1]} if whole else {}
    return {"field": field, "type": "quantitative", "title": title, "stack": None, "axis": axis, "scale": scale}


def _short_number(w: Words) -> str:
    if w.lang == "zh":
        return (
            "datum.value >= 1e8 ? format(datum.value / 1e8, '~r') + '亿' : "
            "datum.value >= 1e4 ? format(datum.value / 1e4, '~r') + '万' : format(datum.value, ',~r')"
        )
    return "datum.value >= 1e4 ? format(datum.value, '~s') : format(datum.value, ',~r')"


_TIP_TITLES = {
    "name": None, "key": None, "comparison": "col_comparison", "rows": "col_rows", "pairs": "col_pairs",
    "new_pairs": "col_new_pairs", "verdict": "col_verdict", "size": "col_size", "clusters": "col_entities",
    "filled": "col_filled_share", "conflicts": "col_conflict_share", "seconds": "col_seconds", "peak": "col_peak",
    "weight": "col_weight", "missed": "col_missed_share", "true_pairs": "col_true_pairs",
    "missed_pairs": "col_missed_pairs", "predicted": "col_predicted", "observed": "col_observed",
    "left": "col_source", "right": "col_source", "low": "col_from", "high": "col_to",
}  # fmt: skip
_TEXT_TIPS = {"name", "key", "comparison", "verdict", "left", "right"}


def tooltip(*fields: str, w: Words, form: str = ",~r") -> list[Spec]:
    """What the pointer shows: fields of a data row, numbers in one format."""
    tips: list[Spec] = []
    for field in fields:
        key = _TIP_TITLES[field]
        title = " " if key is None else w.text(key)
        kind = {"type": "nominal"} if field in _TEXT_TIPS else {"type": "quantitative", "format": form}
        tips.append({"field": field, "title": title, **kind})
    return tips


def framed(spec: Spec, palette: list[str] | None = None) -> Spec:
    """Add the common look to a specification, and the colours of its series in order."""
    return {
        "background": "transparent",
        "padding": 2,
        **spec,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            **({"range": {"category": palette}} if palette else {}),
            "axis": {
                "labelFontSize": 12, "titleFontSize": 12, "labelColor": MUTED, "titleColor": MUTED,
                "titleFontWeight": "normal", "gridColor": GRID, "domainColor": GRID, "tickColor": GRID,
            },
            "axisY": {"grid": False, "titleAnchor": "end"},
            "header": {"labelFontSize": 12, "labelColor": INK},
            "legend": {"orient": "top", "labelFontSize": 12, "labelColor": INK, "symbolType": "square", "offset": 8},
        },
    }  # fmt: skip
