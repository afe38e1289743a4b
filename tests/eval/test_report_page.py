"""The report as a page: complete without scripts, closed to the network, safe against its own text, always the same."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import altair
import pytest
import report_samples as samples

from eval.errors import EvalError
from eval.report import charts
from eval.report.blocks import entity_blocks, reversed_levels, run_blocks
from eval.report.calibration import render_calibration
from eval.report.explanation import as_text, render_explanation
from eval.report.html import embedded_json, headlines, render_report, truth_headlines, write_report
from eval.report.quality_charts import ReliabilityBin, reliability_chart
from eval.report.summary import ClusterSize, EntitySection, KindCount, RunSummary, read_summary
from eval.report.words import LANGS, Words, texts, words

SAMPLES = {
    "full": samples.full,
    "one source": samples.one_source,
    "crowded": samples.crowded,
    "empty": samples.empty,
    "no data": lambda: RunSummary(run_id="r", entities=(EntitySection(entity="legal_person"),)),
}
EVERY = [pytest.param(make, lang, id=f"{name} {lang}") for name, make in SAMPLES.items() for lang in LANGS]


class Page(HTMLParser):
    """What a browser would find: elements, scripts, data, visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.data: list[str] = []
        self.text: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self._inside = "data" if dict(attrs).get("type") == "application/json" else "script"

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        {"script": self.scripts, "data": self.data}.get(self._inside, self.text).append(data)


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_the_page_names_nothing_outside_itself(make, lang: str) -> None:
    page = Page(render_report(make(), lang))
    for tag, attributes in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    style = re.search(r"<style>(.*?)</style>", render_report(make(), lang), re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_the_policy_allows_exactly_the_scripts_the_page_carries(make, lang: str) -> None:
    page = Page(render_report(make(), lang))
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    digests = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in page.scripts}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests
    assert "unsafe-eval" not in policy
    assert len(page.scripts) in (0, 4)


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_every_chart_has_a_place_of_its_own_and_a_specification_that_parses(make, lang: str) -> None:
    page = Page(render_report(make(), lang))
    places = [a["id"] for _, a in page.elements if a.get("class") == "chart"]
    assert places == [a["data-chart"] for _, a in page.elements if "data-chart" in a]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert len(page.data) == len(places)
    for text in page.data:
        assert "mark" in text
        json.loads(text)


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_links_of_the_contents_lead_somewhere(make, lang: str) -> None:
    page = Page(render_report(make(), lang))
    ids = {a.get("id") for _, a in page.elements}
    assert all((a["href"] or "")[1:] in ids for tag, a in page.elements if tag == "a")


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)
def test_every_specification_is_valid_vega_lite(make) -> None:
    summary, w = make(), words("zh")
    blocks = [block for section in summary.entities for block in entity_blocks(section, w)] + run_blocks(summary, w)
    for block in blocks:
        if block.chart is not None:
            altair.Chart.from_dict(block.chart, validate=True)


@pytest.mark.parametrize("lang", LANGS)
def test_the_tables_carry_every_figure_without_scripts(lang: str) -> None:
    summary = samples.full()
    shown = " ".join(Page(render_report(summary, lang)).text)
    legal = summary.entities[0]
    figures = [legal.entities, legal.rows_in, *(s.kept for s in legal.sources), *(q.count for q in legal.quarantine)]
    figures += [rule.pairs for rule in legal.blocking] + [v.pairs for v in legal.verdicts]
    figures += [size.clusters for size in legal.cluster_sizes] + [f.filled for f in legal.completeness]
    assert legal.weights is not None
    figures += [n for counts in legal.weights.counts.values() for n in counts]
    assert legal.metrics is not None
    figures += [legal.metrics.mixed_clusters, *(p.found_pairs for p in legal.metrics.by_source_pair)]
    assert [n for n in figures if f"{n:,}" not in shown] == []
    assert all(level.weight is None or Words("zh").weight(level.weight) in shown for level in legal.model)


def test_the_headline_adds_the_entity_types_up_and_shows_each() -> None:
    summary, w = samples.full(), words("en")
    rows_in = headlines(summary, w)[0]
    assert rows_in.value == f"{sum(s.rows_in for s in summary.entities):,}"
    assert [value for _, value in rows_in.parts] == [f"{s.rows_in:,}" for s in summary.entities]
    names = [one.name for one in truth_headlines(summary, w)]
    assert names == ["Legal · Precision", "Legal · Recall"]
    assert truth_headlines(samples.one_source(), w) == []


def test_rows_that_do_not_add_up_are_marked_and_said_on_top() -> None:
    page = Page(render_report(samples.crowded(), "en"))
    assert sum(tag == "tr" and a.get("class") == "wrong" for tag, a in page.elements) == 39
    assert any("books do not balance: for 39 sources" in text for text in page.text)
    assert not any("books do not balance" in text for text in Page(render_report(samples.full(), "en")).text)


@pytest.mark.parametrize("lang", LANGS)
def test_text_in_the_figures_stays_text(lang: str) -> None:
    page = Page(render_report(samples.crowded(), lang))
    assert len(page.scripts) == 4
    assert "</script><script>document.title='broken'</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert any("<b>粗</b>&amp;" in text for text in page.text)


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "&lt;", "\u2028", "\ud800", "\0", "🙂", "'\""])
def test_embedded_json_cannot_leave_its_element_and_means_the_same(text: str) -> None:
    made = embedded_json({"a": [text]})
    assert not set("<>&") & set(made)
    assert made.isascii()
    assert json.loads(made) == {"a": [text]}


@pytest.mark.parametrize("lang", LANGS)
def test_the_same_figures_give_the_same_bytes(lang: str) -> None:
    assert render_report(samples.full(), lang) == render_report(samples.full(), lang)


def test_writing_leaves_the_page_and_its_figures_side_by_side(tmp_path: Path) -> None:
    write_report(samples.one_source(), tmp_path / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert read_summary(tmp_path / "report.json") == samples.one_source()
    assert '<html lang="zh-CN">' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="expected one of zh, en"):
        write_report(samples.empty(), tmp_path / "report.html", "fr")
    assert list(tmp_path.iterdir()) == []


def test_odd_text_is_written_as_far_as_utf8_can_hold_it(tmp_path: Path) -> None:
    section = EntitySection(entity="\ud800", warnings=(KindCount(kind="\udfff\0", count=1),))
    write_report(RunSummary(run_id="\ud800", entities=(section,)), tmp_path / "r.html", "en")
    assert "?" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_long_tail_of_reasons_is_one_bar_that_keeps_the_sum() -> None:
    reasons = samples.crowded().entities[0].quarantine
    chart = charts.quarantine_chart(reasons, words("en"))
    assert chart is not None
    bars = chart["data"]["values"]
    assert len(bars) == 21
    assert bars[-1]["name"] == "40 others"
    assert sum(bar["rows"] for bar in bars) == sum(reason.count for reason in reasons)


def test_charts_without_figures_are_left_out() -> None:
    w = words("zh")
    none = (
        charts.quarantine_chart((), w), charts.blocking_chart((), w), charts.weights_chart(None, w),
        charts.verdicts_chart((), w), charts.sizes_chart((ClusterSize(size=3, clusters=0),), w),
        charts.completeness_chart((), w), charts.stages_chart((), w), charts.levels_chart((), w),
        reliability_chart(()), reliability_chart((ReliabilityBin(0.5, 0, 0),)),
    )  # fmt: skip
    assert none == (None,) * len(none)


@pytest.mark.parametrize("lang", LANGS)
def test_the_reliability_plot_shows_each_bin_with_its_interval(lang: str) -> None:
    chart = reliability_chart([ReliabilityBin(0.1, 1, 20), ReliabilityBin(0.9, 180, 200)], lang)
    assert chart is not None
    altair.Chart.from_dict(chart, validate=True)
    first, second = chart["data"]["values"]
    assert (first["observed"], second["observed"]) == (0.05, 0.9)
    assert first["high"] - first["low"] > second["high"] - second["low"]


def test_a_level_that_outweighs_a_better_one_is_found_and_one_outside_the_order_is_not() -> None:
    levels = list(samples.model())
    assert reversed_levels(levels) == []
    levels[2] = levels[2].model_copy(update={"weight": 50.0})
    assert reversed_levels(levels) == [2]
    levels[2] = levels[2].model_copy(update={"against": True})
    assert reversed_levels(levels) == []


def test_the_model_table_marks_levels_that_no_data_informed_and_says_where_m_and_u_come_from() -> None:
    first, second, *rest = samples.model()
    told = [
        first.model_copy(update={"m_from": "labels", "u_from": "frequencies"}),
        second.model_copy(update={"m_from": "base"}),
    ]
    entity = EntitySection(entity="legal_person", model=(*told, *rest))
    found = next(one for one in entity_blocks(entity, words("en")) if one.name == "levels")
    assert found.table.rows[0][2:4] == ("labels", "value frequencies")
    assert ["★" in row[1] for row in found.table.rows] == [False, True] + [False] * len(rest)
    assert "no level weighs more than a better one" in found.says
    assert found.alert is None


def test_every_text_is_used_and_none_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    used = set()
    plain = Words.text

    def recorded(self: Words, key: str, **values: object) -> str:
        used.add(key)
        return plain(self, key, **values)

    monkeypatch.setattr(Words, "text", recorded)
    for make in SAMPLES.values():
        render_report(make(), "en")
    reversed_rows = [level.model_copy(update={"weight": 0.0}) for level in samples.model()[:1]] + list(
        samples.model()[1:]
    )
    origins = ({"m_from": "pooled"}, {"m_from": "base"}, {"u_from": "smoothed"}, {})
    for rows in (reversed_rows, [level.model_copy(update=origins[i % 4]) for i, level in enumerate(samples.model())]):
        entity = EntitySection(entity="legal_person", model=tuple(rows))
        render_report(RunSummary(run_id="r", entities=(entity,)), "en")
    for explanation in samples.pairs():
        render_explanation(explanation)
        as_text(explanation)
    render_calibration(list(samples.calibrations().values()), "en")
    assert set(texts()["texts"]) - used == set()


def test_the_vendored_scripts_are_the_ones_listed_and_their_licences_are_kept() -> None:
    folder = resources.files("eval.report").joinpath("vendored")
    lines = folder.joinpath("VERSIONS.tsv").read_text(encoding="utf-8").splitlines()
    head, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    listed = {row[head.index("file")]: row for row in rows}
    assert set(listed) == {entry.name for entry in folder.iterdir() if entry.name.endswith(".js")}
    notice = Path(__file__).parents[2].joinpath("NOTICE").read_text(encoding="utf-8")
    for name, row in listed.items():
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == row[head.index("sha256")]
        package = row[head.index("package")]
        assert "Redistribution and use" in folder.joinpath(f"LICENSE.{package}.txt").read_text(encoding="utf-8")
        assert f"{package} {row[head.index('version')]}" in notice
