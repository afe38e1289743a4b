"""The figures of one run, as a report and a machine read them.

Counts, shares and seconds only: no name, identifier or address of anybody belongs here. The pipeline fills a
`RunSummary`; `eval.report.html.write_report` shows it and `write_summary` keeps it as JSON.

Invariant, shown in the report and checked by `SourceRows.balanced`: rows in = kept + quarantined + superseded.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from eval.errors import EvalError
from eval.metrics import Metrics
from eval.stability import Stability


def _storable(value: object) -> object:
    """Return text that UTF-8 can hold: a lone surrogate becomes a question mark."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "") if isinstance(value, str) else value


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Text = Annotated[str, BeforeValidator(_storable)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
# An infinite weight (m or u of zero) has no place on an axis or in JSON, so it is None.
Weight = Annotated[float | None, BeforeValidator(_finite)]


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourceRows(_Figures):
    """Where the rows of one source went.

    Attributes:
        source: the source's name.
        rows_in: rows read.
        kept: rows that became records.
        quarantined: rows set aside with a reason.
        superseded: rows replaced by a later row of the same record.
    """

    source: Text
    rows_in: Count
    kept: Count
    quarantined: Count = 0
    superseded: Count = 0

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        return self.rows_in == self.kept + self.quarantined + self.superseded


class KindCount(_Figures):
    """How often something happened, by kind: a reason of quarantine, a warning, a contested case, an event."""

    kind: Text
    count: Count


class BlockingRule(_Figures):
    """What one blocking rule brought.

    Attributes:
        rule: its name.
        pairs: pairs that share its key.
        new_pairs: of these, pairs that no earlier rule had found.
        kept_pairs: of the new pairs, those that became a link or a review case; None if not counted.
        capped_blocks: blocks too large to compare whole.
        capped_pairs: pairs given up because of that; None if not counted.
    """

    rule: Text
    pairs: Count
    new_pairs: Count
    kept_pairs: Count | None = None
    capped_blocks: Count = 0
    capped_pairs: Count | None = None


class WeightHistogram(_Figures):
    """Pairs by match weight (log2 Bayes factor) and verdict.

    Attributes:
        edges: n + 1 rising bin edges.
        counts: verdict to n counts.
        review_weight: weight from which a pair goes to review; None if there is no such bound.
        auto_weight: weight from which a pair is linked.
    """

    edges: tuple[float, ...]
    counts: dict[Text, tuple[Count, ...]]
    review_weight: float | None = None
    auto_weight: float | None = None

    @model_validator(mode="after")
    def _fits(self) -> WeightHistogram:
        bins = len(self.edges) - 1
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges: must rise")
        wrong = [verdict for verdict, counts in self.counts.items() if len(counts) != max(bins, 0)]
        if wrong:
            raise ValueError(f"counts of {', '.join(wrong)}: expected {max(bins, 0)} bins, one fewer than edges")
        return self


class VerdictCount(_Figures):
    """Pairs by verdict (`auto`, `review`, `reject`, `conflict`) and the rule that gave it (None: the score)."""

    verdict: Text
    rule: Text | None = None
    pairs: Count


class ClusterSize(_Figures):
    """How many entities have this many records."""

    size: Annotated[int, Field(ge=1)]
    clusters: Count


class FieldCompleteness(_Figures):
    """How well a field of the golden records is filled.

    Attributes:
        field: canonical field name.
        entities: entities that could have a value.
        filled: entities that have one.
        conflicts: entities whose records disagree on it.
    """

    field: Text
    entities: Count
    filled: Count
    conflicts: Count = 0


class ModelLevel(_Figures):
    """One level of one comparison in the model.

    Attributes:
        comparison: name of the comparison.
        level: name of the level.
        m: probability of the level among pairs of one entity; None for the level of missing values.
        u: the same among pairs of two entities.
        weight: log2(m / u).
        reason_zh: the outcome in words, Chinese.
        reason_en: the outcome in words, English.
        m_from: where m comes from (labels, em, base, pooled, stands_for, start); None if not told.
        u_from: where u comes from (sample, frequencies, smoothed, pooled); None if not told.
        against: whether the level is evidence against a match wherever it stands, outside the order of levels.
    """

    comparison: Text
    level: Text
    m: Share | None = None
    u: Share | None = None
    weight: Weight = None
    reason_zh: Text | None = None
    reason_en: Text | None = None
    m_from: Text | None = None
    u_from: Text | None = None
    against: bool = False

    @property
    def informed(self) -> bool:
        """Whether the data at hand say anything about the level; if not, its weight is another model's or a guess."""
        return self.m_from not in ("base", "start") and self.u_from != "smoothed"


class Stage(_Figures):
    """What one step of the run cost.

    Attributes:
        name: the step.
        entity: entity type it ran for; None if it served all.
        seconds: wall-clock time.
        peak_mb: peak memory of the process during the step, in megabytes; None if not measured.
        rows_out: rows of the table it made; None if it makes none.
    """

    name: Text
    entity: Text | None = None
    seconds: Annotated[float, Field(ge=0)]
    peak_mb: Annotated[float, Field(ge=0)] | None = None
    rows_out: Count | None = None


class EntitySection(_Figures):
    """One entity type of the run.

    Attributes:
        entity: `legal_person` or `natural_person`.
        sources: where the rows of each source went.
        quarantine: rows in quarantine by reason.
        warnings: rows kept with a remark, by remark.
        profiles: distinct standardised contents that were compared; None if not counted.
        blocking: what each blocking rule brought, in the order of the rules.
        weights: pairs by match weight and verdict; None if nothing was scored.
        verdicts: pairs by verdict and rule.
        cluster_sizes: entities by number of records.
        contested: cases the clustering could not settle, by kind.
        events: changes of identity, by kind.
        review_cases: cases waiting for a person after this run.
        completeness: fields of the golden records.
        model: parameters of the model, in its order.
        model_hash: hash of the model file.
        metrics: against the truth, where it is known.
        stability: how ids changed since the last release, and why; None for a run that has none before it.
    """

    entity: Text
    sources: tuple[SourceRows, ...] = ()
    quarantine: tuple[KindCount, ...] = ()
    warnings: tuple[KindCount, ...] = ()
    profiles: Count | None = None
    blocking: tuple[BlockingRule, ...] = ()
    weights: WeightHistogram | None = None
    verdicts: tuple[VerdictCount, ...] = ()
    cluster_sizes: tuple[ClusterSize, ...] = ()
    contested: tuple[KindCount, ...] = ()
    events: tuple[KindCount, ...] = ()
    review_cases: Count = 0
    completeness: tuple[FieldCompleteness, ...] = ()
    model: tuple[ModelLevel, ...] = ()
    model_hash: Text | None = None
    metrics: Metrics | None = None
    stability: Stability | None = None

    @property
    def rows_in(self) -> int:
        """Rows read from all sources."""
        return sum(source.rows_in for source in self.sources)

    @property
    def kept(self) -> int:
        """Rows that became records."""
        return sum(source.kept for source in self.sources)

    @property
    def quarantined(self) -> int:
        """Rows set aside with a reason."""
        return sum(source.quarantined for source in self.sources)

    @property
    def superseded(self) -> int:
        """Rows replaced by a later row of the same record."""
        return sum(source.superseded for source in self.sources)

    @property
    def entities(self) -> int:
        """Entities after the run."""
        return sum(size.clusters for size in self.cluster_sizes)

    @property
    def merges(self) -> int:
        """Records that joined another record: what linking saved, records minus entities."""
        return sum((size.size - 1) * size.clusters for size in self.cluster_sizes)

    @property
    def balanced(self) -> bool:
        """Whether every row of every source is accounted for."""
        return all(source.balanced for source in self.sources)


class RelationCount(_Figures):
    """How many relations there are of a kind, on a basis and in a state (`current`, `former`, `disputed`)."""

    relation: Text
    basis: Text
    state: Text
    count: Count


class UnresolvedCount(_Figures):
    """How many relations records speak of that lead to no one entity, by kind and reason."""

    relation: Text
    reason: Text
    count: Count


class RunSummary(_Figures):
    """One run.

    Attributes:
        run_id: the run's name.
        title: heading of the report; None for the standard one.
        finished_at: when it ended, as text to show.
        release_id: the published release; None if nothing was published.
        config_hash: hash of the configuration.
        versions: package to version.
        entities: one section per entity type.
        relations: relations between entities that were published.
        unresolved: relations that lead to no one entity.
        stages: what each step cost, in the order they ran.
        labels: names of codes that only the run knows: group (`rule`, `blocking`, `contested`, `remark`) → code →
            Chinese and English.
    """

    run_id: Text
    title: Text | None = None
    finished_at: Text | None = None
    release_id: Text | None = None
    config_hash: Text | None = None
    versions: dict[Text, Text] = Field(default_factory=dict)
    entities: tuple[EntitySection, ...] = ()
    relations: tuple[RelationCount, ...] = ()
    unresolved: tuple[UnresolvedCount, ...] = ()
    stages: tuple[Stage, ...] = ()
    labels: dict[Text, dict[Text, tuple[Text, Text]]] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Wall-clock time of all stages."""
        return math.fsum(stage.seconds for stage in self.stages)

    @property
    def peak_mb(self) -> float | None:
        """Highest peak memory of any stage."""
        return max((stage.peak_mb for stage in self.stages if stage.peak_mb is not None), default=None)


def histogram(
    counts: Sequence[tuple[float, str, int]],
    *,
    bin_width: float,
    review_weight: float | None,
    auto_weight: float | None,
) -> WeightHistogram | None:
    """Build a histogram from (lower edge of the bin, verdict, pairs) rows, such as a `group by` gives.

    Args:
        counts: rows in any order; empty bins may be absent; a lower edge is a multiple of the bin width.
        bin_width: width of a bin.
        review_weight: weight from which a pair goes to review.
        auto_weight: weight from which a pair is linked.

    Returns:
        The histogram over the whole range, or None without rows.

    >>> histogram([(0.0, "reject", 5), (2.0, "auto", 1)], bin_width=1, review_weight=None, auto_weight=None).edges
    (0.0, 1.0, 2.0, 3.0)
    """
    finite = [(round(low / bin_width), verdict, pairs) for low, verdict, pairs in counts if math.isfinite(low)]
    if not finite:
        return None
    first, last = min(row[0] for row in finite), max(row[0] for row in finite)
    bins: dict[str, list[int]] = {verdict: [0] * (last - first + 1) for verdict in sorted({row[1] for row in finite})}
    for position, verdict, pairs in finite:
        bins[verdict][position - first] += pairs
    return WeightHistogram(
        edges=tuple(position * bin_width for position in range(first, last + 2)),
        counts={verdict: tuple(values) for verdict, values in bins.items()},
        review_weight=review_weight,
        auto_weight=auto_weight,
    )


def as_json(summary: RunSummary) -> str:
    """Return the summary as indented JSON, the same bytes for the same figures."""
    return summary.model_dump_json(indent=2) + "\n"


def write_summary(summary: RunSummary, path: Path | str) -> None:
    """Write the summary as JSON (UTF-8)."""
    write_whole(Path(path), as_json(summary))


def read_summary(path: Path | str) -> RunSummary:
    """Read a summary written by `write_summary`.

    Raises:
        EvalError: the file is absent or does not hold a run summary.
    """
    try:
        return RunSummary.model_validate_json(Path(path).read_bytes())
    except FileNotFoundError:
        raise EvalError(f"{path}: no such file; expected a report's JSON") from None
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise EvalError(f"{path}: {place}: {first['msg']}; expected the JSON of a run summary") from None


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never half of one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(text.encode("utf-8", "replace"))
    os.replace(partial, path)
