"""The report as one HTML file that opens without a network.

Styles, scripts, charts and figures are all inside the page. A content security policy in its head forbids every
request and every script but the four it carries, named by their hash. The same figures give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eval.report.block_parts import Block
from eval.report.blocks import entity_blocks, run_blocks
from eval.report.chart_parts import Spec
from eval.report.summary import EntitySection, RunSummary, as_json, write_whole
from eval.report.words import Words, words

_SCRIPTS = ("vendored/vega.min.js", "vendored/vega-lite.min.js", "vendored/vega-embed.min.js", "templates/charts.js")


@dataclass(frozen=True)
class Headline:
    """One figure on top of the report: its name, the total, its parts by entity type, a note, and its tone."""

    name: str
    value: str
    parts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    tone: str = ""


def write_report(summary: RunSummary, path: Path | str, lang: str = "zh") -> None:
    """Write the report of a run as one HTML file, and its figures beside it as JSON (`report.html`, `report.json`).

    Args:
        summary: the figures.
        path: the HTML file; its folder must exist. The JSON takes the same name with the ending `.json`.
        lang: `zh` or `en`.

    Raises:
        EvalError: there are no texts in this language.
    """
    page = Path(path)
    write_whole(page, render_report(summary, lang))
    write_whole(page.with_suffix(".json"), as_json(summary))


def render_report(summary: RunSummary, lang: str = "zh") -> str:
    """Return the report of a run as HTML."""
    w = words(lang, summary.labels)
    sections = [_section(section, w) for section in summary.entities]
    if run := run_blocks(summary, w):
        sections.append({"name": "run", "title": w.text("run_title"), "blocks": run})
    return render(
        "report.html",
        w,
        scripts=any(block.chart for section in sections for block in section["blocks"]),
        summary=summary,
        title=summary.title or w.text("title"),
        bands=[band for band in (headlines(summary, w), truth_headlines(summary, w)) if band],
        unbalanced=sum(not source.balanced for section in summary.entities for source in section.sources),
        sections=sections,
    )


def headlines(summary: RunSummary, w: Words) -> list[Headline]:
    """Return the figures of the band on top of the report."""
    sections = summary.entities

    def total(key: str, attribute: str, tone: str = "", note: str = "") -> Headline:
        values = [(w.label("entity_short", s.entity), int(getattr(s, attribute))) for s in sections]
        amount = sum(value for _, value in values)
        parts = tuple((name, w.count(value)) for name, value in values) if len(values) > 1 else ()
        return Headline(w.text(f"head_{key}"), w.count(amount), parts, note, tone if amount else "")

    return [
        total("rows_in", "rows_in"),
        total("kept", "kept"),
        total("quarantined", "quarantined", tone="warn"),
        total("entities", "entities"),
        total("merges", "merges", note=w.text("head_merges_note")),
        total("review", "review_cases", tone="warn"),
    ]


def truth_headlines(summary: RunSummary, w: Words) -> list[Headline]:
    """Return precision and recall per entity type, where the truth is known."""
    band = []
    for section in summary.entities:
        for name in ("precision", "recall") if section.metrics else ():
            interval = getattr(section.metrics, f"{name}_interval")
            note = w.range(w.percent(interval.low), w.percent(interval.high)) if interval else ""
            label = f"{w.label('entity_short', section.entity)} · {w.text(f'head_{name}')}"
            band.append(Headline(label, w.percent(getattr(section.metrics, name)), note=note, tone="measure"))
    return band


def render(template: str, w: Words, *, scripts: bool, **values: Any) -> str:
    """Fill a template of this package with the common frame: language, styles and, if asked for, the chart scripts."""
    inline = [Markup(_file(name)) for name in _SCRIPTS] if scripts else []
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in inline)
    page = _environment().get_template(template)
    return page.render(
        w=w,
        t=w.text,
        style=Markup(_file("templates/report.css")),
        scripts=inline,
        script_policy=hashes or "'none'",
        embedded=embedded_json,
        **values,
    )


def embedded_json(value: Spec) -> Markup:
    """Return JSON that cannot leave the script element it stands in, whatever text it holds.

    >>> embedded_json({"a": "</script>"})
    Markup('{"a":"\\\\u003c/script\\\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _section(section: EntitySection, w: Words) -> dict[str, Any]:
    blocks: list[Block] = entity_blocks(section, w)
    return {"name": section.entity, "title": w.label("entity", section.entity), "blocks": blocks}


@cache
def _file(name: str) -> str:
    text = resources.files("eval.report").joinpath(name).read_text(encoding="utf-8")
    # A source map is a second file, which a page that stands alone does not have.
    lines = [line for line in text.split("\n") if not line.startswith("//# sourceMappingURL=")]
    return "\n".join(lines).strip()


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eval.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
