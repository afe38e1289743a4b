"""The figures of a run: sums, JSON, histograms, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from eval.errors import EvalError
from eval.report.summary import (
    ClusterSize,
    EntitySection,
    KindCount,
    ModelLevel,
    RunSummary,
    SourceRows,
    Stage,
    WeightHistogram,
    as_json,
    histogram,
    read_summary,
    write_summary,
)

SAMPLES = [samples.full, samples.one_source, samples.crowded, samples.empty]


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_summary_survives_being_written_and_read(sample, tmp_path: Path) -> None:
    summary = sample()
    write_summary(summary, tmp_path / "report.json")
    assert read_summary(tmp_path / "report.json") == summary
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == as_json(summary)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_entities_and_merges_come_from_the_sizes_of_clusters() -> None:
    sizes = (ClusterSize(size=1, clusters=5), ClusterSize(size=4, clusters=2))
    section = EntitySection(entity="legal_person", cluster_sizes=sizes)
    assert (section.entities, section.merges) == (7, 6)


@pytest.mark.parametrize(("kept", "balanced"), [(7, True), (6, False), (8, False)])
def test_the_books_balance_only_when_every_row_is_accounted_for(kept: int, balanced: bool) -> None:
    rows = SourceRows(source="a", rows_in=10, kept=kept, quarantined=2, superseded=1)
    fine = SourceRows(source="b", rows_in=1, kept=1)
    section = EntitySection(entity="legal_person", sources=(fine, rows))
    assert section.balanced is balanced
    assert (section.rows_in, section.quarantined, section.superseded) == (11, 2, 1)


def test_the_peak_of_a_run_is_the_highest_of_its_stages_and_unknown_without_any() -> None:
    stages = (
        Stage(name="a", seconds=1.5),
        Stage(name="b", seconds=2, peak_mb=7),
        Stage(name="c", seconds=0, peak_mb=3),
    )
    summary = RunSummary(run_id="r", stages=stages)
    assert (summary.seconds, summary.peak_mb) == (3.5, 7)
    assert RunSummary(run_id="r").peak_mb is None


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "🙂", "\u202e", "x" * 10_000, ""])
def test_odd_text_is_kept_as_far_as_utf8_can_hold_it(text: str) -> None:
    summary = RunSummary(run_id=text, entities=(EntitySection(entity=text, warnings=(KindCount(kind=text, count=1),)),))
    assert RunSummary.model_validate_json(as_json(summary).encode("utf-8")) == summary


@pytest.mark.parametrize("weight", [math.inf, -math.inf, math.nan])
def test_an_infinite_weight_is_no_weight(weight: float) -> None:
    assert ModelLevel(comparison="name", level="exact", weight=weight).weight is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SourceRows(source="a", rows_in=-1, kept=0),
        lambda: ModelLevel(comparison="a", level="b", m=1.2),
        lambda: EntitySection(entity="a", clusters=3),
        lambda: Stage(name="a", seconds=math.nan),
        lambda: ClusterSize(size=0, clusters=1),
        lambda: WeightHistogram(edges=(0, 1, 2), counts={"auto": (1,)}),
        lambda: WeightHistogram(edges=(0, 2, 1), counts={}),
    ],
)
def test_figures_that_cannot_be_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        wrong()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "file: Invalid JSON"),
        (b'{"run_id": "r", "colour": "red"}', "colour: Extra inputs are not permitted"),
        (b'{"run_id": "r", "stages": [{"name": "x", "seconds": "a"}]}', "stages.0.seconds: Input should be"),
        (None, "no such file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_summary_is_refused_with_the_place(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EvalError, match=message) as caught:
        read_summary(path)
    assert '"a"' not in str(caught.value)


rows = st.lists(
    st.tuples(st.integers(-40, 40), st.sampled_from(["auto", "review", "reject"]), st.integers(1, 10**9)), max_size=30
)


@given(rows, st.sampled_from([0.5, 1.0, 2.0]))
def test_a_histogram_loses_no_pair_and_keeps_each_in_its_bin(counts, bin_width: float) -> None:
    made = histogram(
        [(low * bin_width, verdict, n) for low, verdict, n in counts],
        bin_width=bin_width,
        review_weight=None,
        auto_weight=3,
    )
    if not counts:
        assert made is None
        return
    assert made is not None
    for verdict in made.counts:
        for low, n in zip(made.edges, made.counts[verdict], strict=False):
            assert n == sum(pairs for at, v, pairs in counts if v == verdict and at * bin_width == low)
    assert sum(map(sum, made.counts.values())) == sum(n for _, _, n in counts)
    assert all(high - low == bin_width for low, high in zip(made.edges, made.edges[1:], strict=False))
