"""The outcome of a calibration as text and as a page: counts and shares only, never a personal value.

In: one `CalibrationReport` per entity type. Out: the same blocks as text for a terminal or as one self-contained HTML
file, ending with the lines to put into the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.calibration import BAND, EDGE_ERROR, Calibration, Links, RuleCount, WeightBin
from eval.metrics import Interval, wilson
from eval.report.block_parts import Block, Table, block, head
from eval.report.html import render
from eval.report.quality_charts import ReliabilityBin, reliability_chart
from eval.report.summary import write_whole
from eval.report.text_tables import text_table
from eval.report.words import Labels, Words, words


@dataclass(frozen=True)
class CalibrationReport:
    """A calibration of one entity type, and where it comes from.

    Attributes:
        entity: `legal_person` or `natural_person`.
        labels: what became of the labels: source, given, unknown, unusable, not_compared, pairs, matches.
        hidden: comparisons that were left out because they are the label.
        told: comparisons that can be read off the label.
        calibration: the figures.
        rules: labelled pairs by hard rule, in the order of the rules.
        names: names of rules and comparisons.
        config_file: the configuration file that the thresholds belong into.
        next_command: what to run once they are there.
    """

    entity: str
    labels: dict[str, str | int]
    hidden: tuple[str, ...]
    told: tuple[str, ...]
    calibration: Calibration
    rules: tuple[RuleCount, ...]
    names: Labels
    config_file: str
    next_command: str


def as_text(reports: Sequence[CalibrationReport], lang: str = "zh", width: int | None = None) -> str:
    """Return calibrations as text for a terminal.

    Args:
        reports: one per entity type.
        lang: zh or en.
        width: columns of the terminal; none: cells are never folded.
    """
    parts = []
    for report in reports:
        w = words(lang, report.names)
        parts.append(f"=== {w.label('entity', report.entity)} ===")
        for one in calibration_blocks(report, w):
            said = [one.title, one.says, *([f"! {one.alert}"] if one.alert else [])]
            parts.append("\n".join([*said, "", text_table(one.table, width=width)]))
        parts.append(apply_text(report, w))
    return "\n\n".join(parts) + "\n"


def render_calibration(reports: Sequence[CalibrationReport], lang: str = "zh") -> str:
    """Return calibrations as an HTML page."""
    w = words(lang)
    sections = []
    for report in reports:
        own = words(lang, report.names)
        sections.append(
            {
                "title": own.label("entity", report.entity),
                "blocks": calibration_blocks(report, own),
                "apply": apply_text(report, own).split("\n", 1)[1],
            }
        )
    return render("calibration.html", w, scripts=True, title=w.text("title_calibration"), sections=sections)


def write_calibration(reports: Sequence[CalibrationReport], path: Path | str, lang: str = "zh") -> None:
    """Write calibrations as one HTML file."""
    write_whole(Path(path), render_calibration(reports, lang))


def calibration_blocks(report: CalibrationReport, w: Words) -> list[Block]:
    """Return the blocks of one entity type."""
    found = [_labels(report, w), _thresholds(report, w), _asked(report, w), _reliability(report, w), _rules(report, w)]
    return [one for one in found if one is not None]


def apply_text(report: CalibrationReport, w: Words) -> str:
    """Return the lines for the configuration and what to do with them."""
    c = report.calibration
    error = w.percent(c.error, 3)
    kept = c.proposal is None or c.proposal.holds == "refuted"
    why = w.text(f"cal_toml_{'unchanged' if kept or c.proposal is None else c.proposal.holds}", error=error)
    share = w.text("cal_toml_review", share=w.percent(c.review_share))
    same = (c.asked_proposed.auto, c.asked_proposed.review) == (c.auto, c.review)
    lines = [
        w.text("cal_apply_title"),
        w.text("cal_same") if same else w.text("cal_apply", file=report.config_file),
        "",
        "[thresholds]",
        f"auto = {c.asked_proposed.auto:<9}# {why}",
        f"review = {c.asked_proposed.review:<7}# {share}",
        "",
    ]
    return "\n".join(lines if same else [*lines, f"{w.text('cal_apply_copied')}: {report.next_command}"])


def _labels(report: CalibrationReport, w: Words) -> Block:
    given, c = report.labels, report.calibration
    source = str(given["source"])
    told = w.text("cal_told", told=_named(report.told, w)) if report.told else ""
    said = (
        w.text(f"cal_{source}", hidden=_named(report.hidden, w), told=told).rstrip() if source == "identifiers" else ""
    )
    counts = [(name, int(given[name])) for name in ("given", "unknown", "unusable", "not_compared", "pairs")]
    counts = [(name, n) for name, n in counts if n or name in ("given", "unknown", "pairs")]
    by_rule = sum(rule.pairs for rule in report.rules)
    counts += [("by_rule", by_rule), ("by_score", c.pairs), ("by_score_matches", c.matches)]
    rows = tuple((w.text(f"cal_row_{name}"), w.count(n)) for name, n in counts)
    return block(
        "cal_labels",
        w,
        Table(head(w, "kind", "value"), rows),
        None,
        pairs=w.count(int(given["pairs"])),
        matches=w.count(int(given["matches"])),
        source=said or w.text(f"cal_{source}"),
    )


def _named(comparisons: Sequence[str], w: Words) -> str:
    return w.pick("、", ", ").join(w.label("comparison", name) for name in comparisons)


def _thresholds(report: CalibrationReport, w: Words) -> Block:
    c = report.calibration
    rows = [_links_row(w.text("cal_in_use"), c.auto, c.in_use, c.in_use_edge, w)]
    if c.proposal is not None:
        rows += [
            _links_row(w.text(f"cal_{name}"), c.proposal.auto, links, c.proposal.edge, w)
            for name, links in (("chosen", c.proposal.chosen), ("checked", c.proposal.checked))
        ]
    columns = head(w, "kind", "threshold", "links", "false", "error", "interval", "bound", "expected", "edge")
    says = w.text(
        "cal_thresholds_says",
        error=w.percent(c.error, 3),
        auto=w.edge(c.auto),
        pairs=w.count(c.in_use.pairs),
        false=w.count(c.in_use.false),
        expected=w.percent(c.in_use.expected, 3),
    )
    check = w.text("cal_thresholds_check", edge=w.percent(EDGE_ERROR))
    title, table = w.text("cal_thresholds_title"), Table(columns, tuple(rows))
    return Block("cal_thresholds", title, says, check, table, alert=_exceeded(c, w) + _finding(c, w), wide=True)


def _exceeded(c: Calibration, w: Words) -> str:
    if c.in_use.interval is None or c.in_use.interval.low <= c.error:
        return ""
    values = {"false": w.count(c.in_use.false), "share": w.percent(c.in_use.share, 3), "error": w.percent(c.error, 3)}
    return w.text("cal_exceeded", **values) + w.pick("", " ")


def _finding(c: Calibration, w: Words) -> str:
    error = w.percent(c.error, 3)
    if c.proposal is not None:
        return w.text(f"cal_{c.proposal.holds}", auto=w.edge(c.proposal.auto), error=error)
    if c.available.bound <= c.error:
        return w.text("cal_edge_unknown", error=error, edge=w.percent(EDGE_ERROR))
    return w.text(
        "cal_too_few",
        error=error,
        needed=w.count(c.needed),
        available=w.count(c.available.pairs),
        false=w.count(c.available.false),
        bound=w.percent(c.available.bound, 3),
    )


def _links_row(name: str, threshold: float, links: Links, edge: Links, w: Words) -> tuple[str, ...]:
    return (
        name,
        w.edge(threshold),
        w.count(links.pairs),
        w.count(links.false),
        w.percent(links.share, 3),
        _interval(links.interval, w, 3),
        w.percent(links.bound, 3),
        w.percent(links.expected, 3),
        f"{w.count(edge.false)} / {w.count(edge.pairs)}",
    )


def _interval(interval: Interval | None, w: Words, digits: int) -> str:
    if interval is None:
        return w.none
    return w.range(w.percent(interval.low, digits), w.percent(interval.high, digits))


def _reliability(report: CalibrationReport, w: Words) -> Block:
    c = report.calibration
    bins = [ReliabilityBin(b.predicted, b.matches, b.pairs, _centre(b), b.calibrated) for b in c.bins]
    rows = tuple(
        (
            w.range(w.edge(b.low), w.edge(b.high)),
            w.count(b.pairs),
            w.count(b.matches),
            w.percent(b.share, 3),
            _interval(b.interval, w, 3),
            w.percent(b.predicted, 3),
            w.percent(b.calibrated, 3),
        )
        for b in c.bins
    )
    table = Table(head(w, "weight_range", "pairs", "matches", "observed", "interval", "predicted", "calibrated"), rows)
    chart = reliability_chart(bins, w.lang, tuple(sorted({c.review, c.auto})))
    made = block("cal_reliability", w, table, chart, pairs=w.count(c.pairs))
    return replace(made, wide=True)


def _centre(one: WeightBin) -> float:
    """Return the weight a bin is drawn at; the outermost bins reach far, and most of their pairs lie inwards."""
    return one.low + BAND / 2 if one.low >= 0 else one.high - BAND / 2


def _asked(report: CalibrationReport, w: Words) -> Block:
    c = report.calibration
    rows = tuple(
        (
            w.text(name),
            w.edge(asked.review),
            w.edge(asked.auto),
            w.count(asked.pairs),
            w.count(asked.matches),
            w.share(asked.matches, asked.pairs),
            _interval(asked.interval, w, 2),
        )
        for name, asked in (("cal_in_use", c.asked), ("cal_proposed", c.asked_proposed))
    )
    columns = head(w, "kind", "review_from", "review_to", "pairs", "matches", "observed_probability", "interval")
    return block("cal_asked", w, Table(columns, rows), None, share=w.percent(c.review_share))


def _rules(report: CalibrationReport, w: Words) -> Block | None:
    if not report.rules:
        return None
    rows, wrong = [], []
    for position, rule in enumerate(report.rules):
        errors = rule.errors
        if rule.verdict == "auto" and errors:
            wrong.append(position)
        rows.append(
            (
                w.label("verdict", rule.verdict),
                w.label("rule", rule.rule),
                w.count(rule.pairs),
                w.count(rule.matches),
                w.count(errors),
                w.percent(None if errors is None else errors / rule.pairs, 3),
                _interval(None if errors is None else wilson(errors, rule.pairs), w, 3),
            )
        )
    table = Table(
        head(w, "verdict", "rule", "pairs", "matches", "errors", "error_share", "interval"),
        tuple(rows),
        text_columns=2,
        marked=tuple(wrong),
    )
    made = block("cal_rules", w, table, None, pairs=w.count(sum(rule.pairs for rule in report.rules)))
    return replace(made, wide=True)
