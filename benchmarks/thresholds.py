"""What every threshold of a baseline would have given: clusters grow pair by pair as the threshold falls.

In: scored pairs (left_id, right_id, match_weight; a record's id is `source:source_record_id`) and the truth. Out: pair
precision and recall at each half unit of weight. One pass of a disjoint-set forest whose parts count their entities.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

STEP = 0.5


@dataclass(frozen=True)
class Threshold:
    """A threshold and the pair metrics of the clusters it gives."""

    weight: float
    precision: float
    recall: float
    f1: float


class _Parts:
    """A disjoint-set forest over record ids."""

    def __init__(self, ids: list[str]) -> None:
        self.root = {record: record for record in ids}

    def find(self, record: str) -> str:
        """Return the representative of a record's part."""
        while self.root[record] != record:
            self.root[record] = self.root[self.root[record]]
            record = self.root[record]
        return record


def sweep(pairs: Path, truth: Path) -> list[Threshold]:
    """Return the metrics at every threshold, the highest first.

    Args:
        pairs: Parquet file of scored pairs.
        truth: Parquet file of source, source_record_id, entity_id.
    """
    entity = _entities(truth)
    parts = _Parts(list(entity))
    members = {record: Counter((of,)) for record, of in entity.items()}
    true = sum(n * (n - 1) // 2 for n in Counter(entity.values()).values())
    predicted = found = 0
    reached: list[Threshold] = []
    weight = None
    for left, right, score in _scored(pairs):
        step = score // STEP * STEP
        if weight is not None and step != weight:
            reached.append(_threshold(weight, predicted, found, true))
        weight = step
        a, b = parts.find(left), parts.find(right)
        if a == b:
            continue
        if sum(members[a].values()) < sum(members[b].values()):
            a, b = b, a
        predicted += sum(members[a].values()) * sum(members[b].values())
        found += sum(n * members[a][of] for of, n in members[b].items())
        parts.root[b] = a
        members[a] += members.pop(b)
    return [*reached, _threshold(weight or 0.0, predicted, found, true)]


def cluster_at(pairs: Path, truth: Path, weight: float, output: Path) -> None:
    """Write the clusters of a threshold: source, source_record_id, entity_id for every record of the truth."""
    parts = _Parts(list(_entities(truth)))
    for left, right, score in _scored(pairs):
        if score < weight:
            break
        a, b = parts.find(left), parts.find(right)
        parts.root[max(a, b)] = min(a, b)
    table = pq.read_table(truth, columns=["source", "source_record_id"])
    clusters = pa.array([parts.find(record) for record in _ids(table)])
    pq.write_table(table.append_column("entity_id", clusters), output)


def _threshold(weight: float, predicted: int, found: int, true: int) -> Threshold:
    precision = found / predicted if predicted else 1.0
    recall = found / true if true else 1.0
    return Threshold(weight, precision, recall, 2 * found / (predicted + true) if predicted + true else 1.0)


def _ids(table: pa.Table) -> list[str]:
    joined: list[str] = pc.binary_join_element_wise(table["source"], table["source_record_id"], ":").to_pylist()
    return joined


def _entities(truth: Path) -> dict[str, str]:
    table = pq.read_table(truth, columns=["source", "source_record_id", "entity_id"])
    return dict(zip(_ids(table), table["entity_id"].to_pylist(), strict=True))


def _scored(pairs: Path) -> list[tuple[str, str, float]]:
    """Return the pairs, the heaviest first."""
    table = pq.read_table(pairs).sort_by(
        [("match_weight", "descending"), ("left_id", "ascending"), ("right_id", "ascending")]
    )
    columns = (table[name].to_pylist() for name in ("left_id", "right_id", "match_weight"))
    return list(zip(*columns, strict=True))
