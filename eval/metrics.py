"""How good a partition of records is, measured against the true one.

In: two tables with `source`, `source_record_id`, `entity_id`: the clusters a run made, and the truth. The truth may
carry `errors`, the list of error classes a record suffers from. Out: `Metrics`.

Every record of either table counts. A record that only one table knows, or that has no `entity_id`, is a singleton on
the side that does not know it, and is reported in `missing_from_clusters` or `missing_from_truth`: a record lost on the
way costs recall, a cluster filled with unknown records costs precision.

No pair is ever enumerated. What two partitions say about each other is the sizes of their cells (the records a cluster
and an entity share), and those sizes are few: the database counts them (`eval.contingency`), this module does the
arithmetic on exact integers.

Sources: B-cubed after Bagga and Baldwin (1998); the interval after Wilson (1927). Pairs of one cluster stand or fall
together, so the interval is narrower than the truth where clusters are large.

Invariant: found <= min(predicted, true) pairs; every rate is in [0, 1], or None where there is nothing to divide by.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from eval.contingency import Cell, ErrorCounts, SourcePairCounts, contingency
from eval.errors import EvalError

__all__ = [
    "ErrorClass",
    "Interval",
    "Metrics",
    "SourcePair",
    "as_dict",
    "evaluate",
    "evaluate_files",
    "wilson",
]

_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval of a share."""

    low: float
    high: float


@dataclass(frozen=True)
class SourcePair:
    """How pairs of records are found between two sources (or within one, where both are the same).

    Attributes:
        left_source: the source that sorts first.
        right_source: the other one.
        true_pairs: pairs of one entity.
        predicted_pairs: pairs of one cluster.
        found_pairs: pairs of both.
        recall: found / true.
        precision: found / predicted.
    """

    left_source: str
    right_source: str
    true_pairs: int
    predicted_pairs: int
    found_pairs: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class ErrorClass:
    """Mistakes on pairs of which at least one record carries a class of error.

    A pair whose records carry several classes counts under each of them, so the rows do not add up to the totals.

    Attributes:
        error_class: its name; None stands for the pairs of which both records carry no error at all.
        records: records that carry it.
        true_pairs: pairs of one entity.
        missed_pairs: pairs of one entity that no cluster holds.
        predicted_pairs: pairs of one cluster.
        false_pairs: pairs of one cluster that are not of one entity.
        missed_share: missed / true.
        false_share: false / predicted.
    """

    error_class: str | None
    records: int
    true_pairs: int
    missed_pairs: int
    predicted_pairs: int
    false_pairs: int
    missed_share: float | None
    false_share: float | None


@dataclass(frozen=True)
class Metrics:
    """A partition against the truth.

    Attributes:
        records: records of either table.
        clusters: clusters, singletons included.
        entities: true entities, singletons included.
        missing_from_clusters: records of the truth that no cluster holds.
        missing_from_truth: clustered records that the truth does not know.
        repeated_in_clusters: rows of the clusters table that repeat a record (same entity; counted once).
        repeated_in_truth: rows of the truth table that repeat a record (same entity; counted once).
        true_pairs: pairs of records of one entity.
        predicted_pairs: pairs of records of one cluster.
        found_pairs: pairs of both.
        missed_pairs: true pairs that were not predicted.
        false_pairs: predicted pairs that are not true.
        precision: found / predicted pairs.
        precision_interval: its 95 % interval.
        recall: found / true pairs.
        recall_interval: its 95 % interval.
        f1: harmonic mean of the two.
        bcubed_precision: over records, the mean share of a record's cluster that is of its entity.
        bcubed_recall: over records, the mean share of a record's entity that is in its cluster.
        bcubed_f1: harmonic mean of the two.
        exact_clusters: clusters that are exactly one whole entity.
        exact_cluster_share: of all clusters.
        exact_entity_share: of all entities.
        exact_multi_entity_share: of the entities with two records or more.
        mixed_clusters: clusters that hold records of two true entities or more: people merged who are not one.
        split_entities: true entities spread over two clusters or more.
        by_source_pair: one row per pair of sources that has a true or a predicted pair.
        by_error_class: one row per class of error; None where the truth has no `errors` column.
    """

    records: int
    clusters: int
    entities: int
    missing_from_clusters: int
    missing_from_truth: int
    repeated_in_clusters: int
    repeated_in_truth: int
    true_pairs: int
    predicted_pairs: int
    found_pairs: int
    missed_pairs: int
    false_pairs: int
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    bcubed_precision: float | None
    bcubed_recall: float | None
    bcubed_f1: float | None
    exact_clusters: int
    exact_cluster_share: float | None
    exact_entity_share: float | None
    exact_multi_entity_share: float | None
    mixed_clusters: int
    split_entities: int
    by_source_pair: tuple[SourcePair, ...]
    by_error_class: tuple[ErrorClass, ...] | None


def evaluate(con: duckdb.DuckDBPyConnection, *, clusters: str, truth: str) -> Metrics:
    """Measure a table of clusters against a table of the truth.

    Args:
        con: the connection that knows both tables.
        clusters: table or view with `source`, `source_record_id`, `entity_id`.
        truth: the same, and optionally `errors` (a list of text, or text split on `;`, `,` or `|`).

    Raises:
        EvalError: a column is missing, a key is empty, or one record is given two entities by one table.
    """
    counts = contingency(con, clusters=clusters, truth=truth)
    cells = counts.cells
    found = sum(_pairs(cell.size) * cell.cells for cell in cells)
    in_clusters = _records_by_size((cell.cluster_size, cell) for cell in cells)
    in_entities = _records_by_size((cell.entity_size, cell) for cell in cells)
    predicted = _pairs_of(in_clusters)
    true = _pairs_of(in_entities)
    records = sum(cell.size * cell.cells for cell in cells)
    n_clusters, n_entities = _groups(in_clusters), _groups(in_entities)
    exact = [cell for cell in cells if cell.size == cell.cluster_size == cell.entity_size]
    n_exact = sum(cell.cells for cell in exact)
    multi_exact = sum(cell.cells for cell in exact if cell.size > 1)
    bcubed_precision = _mean((cell.size / cell.cluster_size, cell.size * cell.cells) for cell in cells)
    bcubed_recall = _mean((cell.size / cell.entity_size, cell.size * cell.cells) for cell in cells)
    return Metrics(
        records=records,
        clusters=n_clusters,
        entities=n_entities,
        missing_from_clusters=counts.missing_from_clusters,
        missing_from_truth=counts.missing_from_truth,
        repeated_in_clusters=counts.repeated_in_clusters,
        repeated_in_truth=counts.repeated_in_truth,
        true_pairs=true,
        predicted_pairs=predicted,
        found_pairs=found,
        missed_pairs=true - found,
        false_pairs=predicted - found,
        precision=_share(found, predicted),
        precision_interval=wilson(found, predicted),
        recall=_share(found, true),
        recall_interval=wilson(found, true),
        f1=_share(2 * found, predicted + true),
        bcubed_precision=bcubed_precision,
        bcubed_recall=bcubed_recall,
        bcubed_f1=_harmonic(bcubed_precision, bcubed_recall),
        exact_clusters=n_exact,
        exact_cluster_share=_share(n_exact, n_clusters),
        exact_entity_share=_share(n_exact, n_entities),
        exact_multi_entity_share=_share(multi_exact, n_entities - in_entities.get(1, 0)),
        mixed_clusters=n_clusters - sum(cell.cells for cell in cells if cell.size == cell.cluster_size),
        split_entities=n_entities - sum(cell.cells for cell in cells if cell.size == cell.entity_size),
        by_source_pair=tuple(_source_pair(row) for row in counts.by_source_pair),
        by_error_class=None if counts.by_error is None else tuple(_error_class(row) for row in counts.by_error),
    )


def evaluate_files(clusters_path: Path | str, truth_path: Path | str) -> Metrics:
    """Measure a file of clusters against a file of the truth: Parquet, or CSV (`.csv`, `.tsv`, also `.gz`) in UTF-8.

    Raises:
        EvalError: as `evaluate`, and for a file that is absent, of another kind, or unreadable.
    """
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        for view, path in (("clusters", Path(clusters_path)), ("truth", Path(truth_path))):
            _open(con, view, path)
        return evaluate(con, clusters="clusters", truth="truth")


def wilson(successes: int, trials: int, z: float = _Z95) -> Interval | None:
    """Return Wilson's score interval of a share (95 % by default); None without trials.

    >>> wilson(10, 10)
    Interval(low=0.7224672001371107, high=1.0)
    """
    if trials <= 0:
        return None
    share = successes / trials
    denominator = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / denominator
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / denominator
    # The bounds are exact at the ends, where rounding could step past the share itself.
    low = 0.0 if successes == 0 else max(0.0, min(centre - half, share))
    high = 1.0 if successes == trials else min(1.0, max(centre + half, share))
    return Interval(low, high)


def as_dict(metrics: Metrics) -> dict[str, Any]:
    """Return the metrics as plain dictionaries, lists and numbers, ready for JSON."""
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(metrics).items()
    }


def _open(con: duckdb.DuckDBPyConnection, view: str, path: Path) -> None:
    kinds = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = kinds[-1] if kinds else ""
    if not path.is_file():
        raise EvalError(f"{path}: no such file; expected the {view} as Parquet or CSV")
    try:
        if kind in (".parquet", ".pq"):
            relation = con.read_parquet(str(path))
        elif kind in (".csv", ".tsv", ".txt"):
            relation = con.read_csv(str(path), header=True, all_varchar=True)
        else:
            raise EvalError(f"{path}: unknown kind of file {kind!r}; expected .parquet, .csv or .tsv")
        relation.create_view(view)
    except duckdb.Error as error:
        # The engine's message may quote a row, so only its kind is repeated.
        raise EvalError(f"{path}: cannot be read as {kind[1:]} ({type(error).__name__}); is the file whole?") from None


def _records_by_size(cells: Iterable[tuple[int, Cell]]) -> dict[int, int]:
    records: dict[int, int] = defaultdict(int)
    for size, cell in cells:
        records[size] += cell.size * cell.cells
    return records


def _groups(records_by_size: dict[int, int]) -> int:
    return sum(records // size for size, records in records_by_size.items())


def _pairs_of(records_by_size: dict[int, int]) -> int:
    return sum(records // size * _pairs(size) for size, records in records_by_size.items())


def _pairs(size: int) -> int:
    return size * (size - 1) // 2


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(weighted: Iterable[tuple[float, int]]) -> float | None:
    values = list(weighted)
    total = sum(weight for _, weight in values)
    return min(1.0, math.fsum(value * weight for value, weight in values) / total) if total else None


def _harmonic(a: float | None, b: float | None) -> float | None:
    if a is None or b is None or a + b == 0:
        return None
    return 2 * a * b / (a + b)


def _source_pair(row: SourcePairCounts) -> SourcePair:
    return SourcePair(
        row.left_source,
        row.right_source,
        row.true_pairs,
        row.predicted_pairs,
        row.found_pairs,
        recall=_share(row.found_pairs, row.true_pairs),
        precision=_share(row.found_pairs, row.predicted_pairs),
    )


def _error_class(row: ErrorCounts) -> ErrorClass:
    missed, false = row.true_pairs - row.found_pairs, row.predicted_pairs - row.found_pairs
    return ErrorClass(
        row.error_class,
        row.records,
        row.true_pairs,
        missed,
        row.predicted_pairs,
        false,
        missed_share=_share(missed, row.true_pairs),
        false_share=_share(false, row.predicted_pairs),
    )
