"""The block of the report about relations between entities: how many of each kind, how sure, and what led nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from eval.report.block_parts import Block, Table, block
from eval.report.summary import RelationCount, RunSummary, UnresolvedCount
from eval.report.words import Words

_BASES = ("identifier", "corroborated", "attribute")
_REASONS = ("name_only", "ambiguous", "name_contradicts")
_DISPUTED = "disputed"


def relation_block(summary: RunSummary, w: Words) -> Block | None:
    """Return the block, or None for a run without relations."""
    found, left = summary.relations, summary.unresolved
    kinds = sorted({one.relation for one in found} | {one.relation for one in left})
    if not kinds:
        return None
    rows = tuple((w.label("relation", kind), *map(w.count, _figures(kind, found, left))) for kind in kinds)
    totals = [sum(figures) for figures in zip(*(_figures(kind, found, left) for kind in kinds), strict=True)]
    head = (
        w.text("col_relation"),
        *(w.label("basis", basis) for basis in _BASES),
        w.text("total"),
        w.text("col_disputed"),
        *(w.label("unresolved", reason) for reason in _REASONS),
    )
    table = Table(head, rows, foot=(w.text("total"), *map(w.count, totals)))
    return block(
        "relations",
        w,
        table,
        None,
        n=w.count(totals[len(_BASES)]),
        sure=w.share(totals[0], totals[len(_BASES)]),
        left=w.count(sum(one.count for one in left)),
    )


def _figures(kind: str, found: Sequence[RelationCount], left: Sequence[UnresolvedCount]) -> list[int]:
    ours = [one for one in found if one.relation == kind]
    by_basis = [sum(one.count for one in ours if one.basis == basis) for basis in _BASES]
    disputed = sum(one.count for one in ours if one.state == _DISPUTED)
    lost = [sum(one.count for one in left if (one.relation, one.reason) == (kind, reason)) for reason in _REASONS]
    return [*by_basis, sum(one.count for one in ours), disputed, *lost]
