"""The profiles that share a blocking key with a record, scored and judged as the batch would.

A block above its rule's cap is split by the rule's refining columns; a part still above it is left aside, and the rule
is named. For a record of the batch the pairs found and their scores are those of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blocking.stable_keys import row_keys
from golden_records.catalog.lookup_blocks import bucket_number, find_block
from golden_records.catalog.lookup_profiles import (
    FIRST_NUMBER,
    entity_of,
    read_contents,
    read_profile_ids,
    read_shared,
)
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
    places, left_aside = _find_places(snapshot, model, row)
    frequencies: dict[tuple[str, str], float | None] = {}

    def frequency(column: str, value: str) -> float | None:
        if (column, value) not in frequencies:
            frequencies[column, value] = snapshot.frequency(model, column, value)
        return frequencies[column, value]

    scored = []
    for profile in sorted(_profiles(snapshot, model, places), key=lambda one: one.profile_id):
        columns = read_content(model.config, profile.content)
        score = score_pair(model.config, model.model, row, columns, frequency)
        scored.append(ScoredProfile(profile.profile_id, profile.entity_ids, profile.entities, columns, score))
    return Found(tuple(scored), left_aside)


def score_against(
    snapshot: Snapshot, model: EntityModel, row: Mapping[str, Any], other: Mapping[str, Any]
) -> PairScore:
    """Score two standardised rows with the frequencies of the release."""
    return score_pair(model.config, model.model, row, other, lambda c, v: snapshot.frequency(model, c, v))


@dataclass(frozen=True)
class _Profile:
    profile_id: int
    entity_ids: tuple[str, ...]
    entities: int
    content: str


def _find_places(
    snapshot: Snapshot, model: EntityModel, row: Mapping[str, Any]
) -> tuple[dict[int, set[int]], tuple[str, ...]]:
    """Return where profiles that share a key stand (entity's sequence number → places), and the rules left aside."""
    asked = [(rule, key, refine) for rule in model.config.blocking for key, refine in row_keys(rule, row)]
    numbers = [bucket_number(model.kind, model.bucket_bits, key, split=bool(rule.refine)) for rule, key, _ in asked]
    buckets = dict(_rows(snapshot, "lookup_bucket", "number, blocks", set(numbers)))
    places: dict[int, set[int]] = {}
    left_aside: dict[str, None] = {}
    for number, (rule, key, refine) in zip(numbers, asked, strict=True):
        if number not in buckets:
            continue
        block = find_block(buckets[number], model.bucket_bits, key, split=bool(rule.refine))
        if len(block) > rule.cap:
            block = block.part(refine)
        if len(block) > rule.cap:
            left_aside[rule.name] = None
            continue
        for entity, place in zip(block.entities.tolist(), block.places.tolist(), strict=True):
            places.setdefault(entity, set()).add(place)
    return places, tuple(left_aside)


def _profiles(snapshot: Snapshot, model: EntityModel, places: Mapping[int, set[int]]) -> Iterator[_Profile]:
    first = FIRST_NUMBER[model.kind]
    columns = "number, profile_ids, contents, shared"
    for number, ids, contents, shared in _rows(snapshot, "lookup_entity", columns, {first + e for e in places}):
        profile_ids, texts, several = read_profile_ids(ids), read_contents(contents), read_shared(shared)
        own = (entity_of(number),)
        for place in places[number - first]:
            entities, entity_ids = several.get(place, (1, own))
            yield _Profile(profile_ids[place], entity_ids, entities, texts[place])


def _rows(snapshot: Snapshot, table: str, columns: str, numbers: set[int]) -> Iterator[tuple[Any, ...]]:
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        yield from snapshot.catalog.execute(f"select {columns} from {table} where number in ({marks})", some)
