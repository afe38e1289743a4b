"""Levels as questions for millions of pairs: what several of them ask is asked once.

In: the conditions of `matchers.levels`. Out: a step for each level that has one, best first, whose question means what
the condition does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matchers.levels import (
    All,
    AnyOf,
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Same,
)


@dataclass(frozen=True)
class EitherOf:
    """At least one side has one of several values: asked of each row once, not of each pair value by value."""

    wanted: tuple[tuple[str, str | int | bool], ...]


@dataclass(frozen=True)
class Reaches:
    """A similarity of one side's column and the other side's reaches a bound.

    Attributes:
        similarity: its name.
        ways: column of the left side and column of the right side; one of these suffices.
        bound: the bound.
        kept: whether another level asks for the same similarity, with another bound.
    """

    similarity: str
    ways: tuple[tuple[str, str], ...]
    bound: float
    kept: bool


@dataclass(frozen=True)
class Negated:
    """The part does not hold."""

    part: Question


@dataclass(frozen=True)
class Every:
    """Every part holds."""

    parts: tuple[Question, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple[Question, ...]


@dataclass(frozen=True, eq=False)
class Shared:
    """A question that stands in several places: it is answered once for each pair."""

    question: Question


Question = Condition | EitherOf | Reaches | Negated | Every | Some | Shared
CHEAP = Same | Differs | Missing
"""Cheaper to ask of all pairs than to pick some, and to ask again than to keep."""

_SIMILAR = AtLeast | AtLeastAcross


@dataclass(frozen=True)
class Step:
    """A level to be asked for.

    Attributes:
        question: when it holds.
        number: its number as an outcome: -1 `missing`, 0 the last level, upwards to the best.
    """

    question: Question
    number: int


def planned(levels: Sequence[Level]) -> tuple[Step, ...]:
    """Return the steps that find the level of a pair: the first whose question holds, or else the last level."""
    conditions = [level.condition for level in levels if level.condition is not None]
    planner = _Planner(conditions)
    return tuple(
        Step(planner.question(level.condition), -1 if level.is_missing else len(levels) - 1 - position)
        for position, level in enumerate(levels)
        if level.condition is not None
    )


class _Planner:
    """Turns conditions into questions, knowing all that are asked."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._asked: Counter[Condition] = Counter()
        self._shared: dict[Condition, Shared] = {}
        for condition in conditions:
            self._note(condition)
        bounds = {(leaf.similarity, _ways(leaf), leaf.bound) for leaf in self._asked if isinstance(leaf, _SIMILAR)}
        self._bounds = Counter((similarity, ways) for similarity, ways, _ in bounds)

    def _note(self, condition: Condition) -> None:
        self._asked[condition] += 1
        if self._asked[condition] == 1:  # what is within it is asked once then, however often it is asked itself
            for part in _parts(condition):
                self._note(part)

    def question(self, condition: Condition) -> Question:
        """Return a condition as a question."""
        bare = condition.part if isinstance(condition, Not) else condition
        if self._asked[condition] < 2 or isinstance(bare, CHEAP | Either | Both):
            return self._own(condition)
        if condition not in self._shared:
            self._shared[condition] = Shared(self._own(condition))
        return self._shared[condition]

    def _own(self, condition: Condition) -> Question:
        match condition:
            case Not(part):
                return Negated(self.question(part))
            case All(parts):
                return Every(tuple(map(self.question, parts)))
            case AnyOf(parts):
                return Some(tuple(p if isinstance(p, EitherOf) else self.question(p) for p in _joined(parts)))
            case AtLeast() | AtLeastAcross():
                ways = _ways(condition)
                kept = self._bounds[condition.similarity, ways] > 1
                return Reaches(condition.similarity, ways, condition.bound, kept)
        return condition


def _parts(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Not(part):
            yield part
        case All(parts) | AnyOf(parts):
            yield from parts


def _ways(condition: AtLeast | AtLeastAcross) -> tuple[tuple[str, str], ...]:
    match condition:
        case AtLeast(_, column, _):
            return ((column, column),)
        case AtLeastAcross(_, column, other, _):
            return (column, other), (other, column)


def _joined(parts: tuple[Condition, ...]) -> tuple[Condition | EitherOf, ...]:
    """Return the alternatives with all that ask the sides for a value as one, in the place of the first."""
    asked = tuple(part for part in parts if isinstance(part, Either))
    if len(asked) < 2:
        return parts
    one = EitherOf(tuple((part.column, part.value) for part in asked))
    first = parts.index(asked[0])
    return (*parts[:first], one, *(part for part in parts[first:] if not isinstance(part, Either)))
