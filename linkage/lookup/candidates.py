"""The profiles that share a blocking key with a record, scored and judged as the batch would.

A block above its rule's cap is split by the rule's refining columns; a part still above it is left aside, and the rule
is named. For a record of the batch the pairs found and their scores are those of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blocking.stable_keys import row_keys
from linkage.lookup.content import read_content
from linkage.lookup.snapshot import EntityModel, Snapshot
from linkage.model.online import PairScore, score_pair

_AT_ONCE = 500


@dataclass(frozen=True)
class ScoredProfile:
    """A profile and how well a record fits it.

    Attributes:
        profile_id: the profile.
        entity_ids: the entities of its records, at most 20 of them.
        entities: how many entities there are.
        columns: its standardised columns.
        score: the score.
    """

    profile_id: int
    entity_ids: tuple[str, ...]
    entities: int
    columns: Mapping[str, Any]
    score: PairScore


@dataclass(frozen=True)
class Found:
    """Every candidate, and the blocking rules of which a block was too large to be compared."""

    profiles: tuple[ScoredProfile, ...]
    left_aside: tuple[str, ...]


def find_candidates(snapshot: Snapshot, model: EntityModel, row: Mapping[str, Any]) -> Found:
    """Find and score the candidates of a standardised row."""
    ids: dict[int, None] = {}
    left_aside: list[str] = []
    for rule in model.config.blocking:
        for key, refine in row_keys(rule, row):
            block = _block(snapshot, model.kind, key, None, rule.cap)
            if len(block) > rule.cap and rule.refine:
                block = _block(snapshot, model.kind, key, refine, rule.cap)
            if len(block) > rule.cap:
                left_aside.append(rule.name)
            else:
                ids.update(dict.fromkeys(block))
    frequencies: dict[tuple[str, str], float | None] = {}

    def frequency(column: str, value: str) -> float | None:
        if (column, value) not in frequencies:
            frequencies[column, value] = snapshot.frequency(model, column, value)
        return frequencies[column, value]

    scored = []
    for profile_id, entities, entity_ids, content in _profiles(snapshot, model.kind, sorted(ids)):
        columns = read_content(model.config, content)
        score = score_pair(model.config, model.model, row, columns, frequency)
        scored.append(ScoredProfile(profile_id, tuple(entity_ids.split()), entities, columns, score))
    return Found(tuple(scored), tuple(dict.fromkeys(left_aside)))


def score_against(
    snapshot: Snapshot, model: EntityModel, row: Mapping[str, Any], other: Mapping[str, Any]
) -> PairScore:
    """Score two standardised rows with the frequencies of the release."""
    return score_pair(model.config, model.model, row, other, lambda c, v: snapshot.frequency(model, c, v))


def _block(snapshot: Snapshot, kind: str, key: int, refine: int | None, cap: int) -> list[int]:
    if refine is None:
        query = "select profile_id from lookup_key where kind = ? and key = ? limit ?"
        rows = snapshot.catalog.execute(query, (kind, key, cap + 1))
    else:
        query = "select profile_id from lookup_key where kind = ? and key = ? and refine = ? limit ?"
        rows = snapshot.catalog.execute(query, (kind, key, refine, cap + 1))
    return [profile_id for (profile_id,) in rows]


def _profiles(snapshot: Snapshot, kind: str, ids: Sequence[int]) -> Iterator[tuple[int, int, str, str]]:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        yield from snapshot.catalog.execute(
            "select profile_id, entities, entity_ids, content from lookup_profile "
            f"where kind = ? and profile_id in ({marks})",
            (kind, *some),
        )
