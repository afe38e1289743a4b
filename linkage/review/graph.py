"""The records of a case and what ties them, as a drawing (SVG): no script, the same bytes for the same records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from linkage.review.evidence import Neighbourhood

WIDTH, HEIGHT = 640, 340
_MARGIN = 34
_SEED = 7


@dataclass(frozen=True)
class Dot:
    """A record of the drawing: its number, where it is, on which side it stands (0 left, 1 right), how many say the
    same, and whether it is one of the two of the case."""

    number: int
    record_id: str
    x: float
    y: float
    side: int
    twins: int
    is_asked: bool


@dataclass(frozen=True)
class Line:
    """A tie of the drawing."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str
    weight: float
    left: int
    right: int


@dataclass(frozen=True)
class Drawing:
    """Dots and lines, in a box of WIDTH by HEIGHT."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    left_out: int


def draw(around: Neighbourhood, asked: Sequence[str], right: Collection[str] = ()) -> Drawing | None:
    """Return the drawing, or None if there are no more than the two records of the case.

    Args:
        around: the records and what ties them.
        asked: the two records of the case.
        right: records on the right side, where both sides are one entity; else an entity is a side.
    """
    records = sorted(around.records, key=lambda record: (record not in asked, around.records[record], record))
    if len(records) <= 2:
        return None
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(records)
    for tie in around.ties:
        pull = 3.0 if tie.kind == "auto" else 0.6
        graph.add_edge(tie.left, tie.right, weight=pull)
    places = _places(graph, records)
    entities = [around.records[record] for record in asked if record in around.records]
    numbers = {record: number for number, record in enumerate(records, start=1)}
    dots = tuple(
        Dot(
            numbers[record],
            record,
            *places[record],
            side=int(record in right or (len(set(entities)) > 1 and around.records[record] == entities[1])),
            twins=around.twins[record],
            is_asked=record in asked,
        )
        for record in records
    )
    lines = tuple(
        Line(*places[tie.left], *places[tie.right], tie.kind, tie.weight, numbers[tie.left], numbers[tie.right])
        for tie in around.ties
    )
    return Drawing(dots, lines, around.left_out)


def _places(graph: nx.Graph[str], records: Sequence[str]) -> Mapping[str, tuple[float, float]]:
    raw = nx.spring_layout(graph, seed=_SEED, weight="weight", iterations=80, k=1.6 / max(1.0, len(records) ** 0.5))
    xs, ys = [p[0] for p in raw.values()], [p[1] for p in raw.values()]

    def scaled(value: float, low: float, high: float, size: int) -> float:
        span = high - low
        share = 0.5 if span < 1e-9 else (value - low) / span
        return round(_MARGIN + float(share) * (size - 2 * _MARGIN), 1)

    return {
        record: (scaled(x, min(xs), max(xs), WIDTH), scaled(y, min(ys), max(ys), HEIGHT))
        for record, (x, y) in raw.items()
    }
