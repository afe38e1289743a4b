"""Comparison levels: conditions on two standardised rows, written once, run over millions of pairs and over one.

A comparison is an ordered list of levels, best evidence first. The first level whose condition holds is the outcome.
A condition is a small tree of the classes below. `Condition.sql(left, right)` renders it for DuckDB, where `left` and
`right` turn a column name into a reference to it on either side; `Condition.holds(left, right)` evaluates it on two
mappings. Both read the same tree, so a level cannot mean one thing in the batch and another online.

Every condition is two-valued: a missing value makes a leaf false, never null, so that `Not` is safe to use.

Invariant: for every condition c and rows a, b: c.holds(a, b) == (DuckDB evaluates c.sql(...) on a, b), and
c.holds(a, b) == c.holds(b, a).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from matchers.similarity import SIMILARITIES

Row = Mapping[str, Any]
Reference = Callable[[str], str]


def literal(value: str | int | float | bool) -> str:
    """Return a value as a DuckDB literal.

    >>> literal("a'b")
    "'a''b'"
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


class Condition(Protocol):
    """A symmetric yes-or-no question about two standardised rows."""

    def sql(self, left: Reference, right: Reference) -> str:
        """Render the condition as a DuckDB boolean expression that is never null."""
        ...

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate the condition on two rows (column name to value)."""
        ...


def _present(value: object) -> bool:
    return value is not None and value != () and value != []


@dataclass(frozen=True)
class Missing:
    """At least one side has no value in any of the columns given (an empty list counts as missing)."""

    columns: tuple[str, ...]

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        sides = (" and ".join(f"{side(c)} is null" for c in self.columns) for side in (left, right))
        return "(" + " or ".join(f"({side})" for side in sides) + ")"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return any(not any(_present(side.get(c)) for c in self.columns) for side in (left, right))


@dataclass(frozen=True)
class Same:
    """Both sides have the column and the values are equal."""

    column: str

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        return f"coalesce({left(self.column)} = {right(self.column)}, false)"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        a, b = left.get(self.column), right.get(self.column)
        return _present(a) and _present(b) and bool(a == b)


@dataclass(frozen=True)
class SameAcross:
    """One column on one side equals another column on the other side, in either direction."""

    column: str
    other: str

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        forth = f"{left(self.column)} = {right(self.other)}"
        back = f"{left(self.other)} = {right(self.column)}"
        return f"(coalesce({forth}, false) or coalesce({back}, false))"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        pairs = ((left.get(self.column), right.get(self.other)), (left.get(self.other), right.get(self.column)))
        return any(_present(a) and _present(b) and bool(a == b) for a, b in pairs)


@dataclass(frozen=True)
class Differs:
    """Both sides have the column and the values are not equal."""

    column: str

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        return f"coalesce({left(self.column)} <> {right(self.column)}, false)"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        a, b = left.get(self.column), right.get(self.column)
        return _present(a) and _present(b) and bool(a != b)


@dataclass(frozen=True)
class Overlaps:
    """The list columns share at least one element."""

    column: str

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        return f"coalesce(list_has_any({left(self.column)}, {right(self.column)}), false)"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        a, b = left.get(self.column), right.get(self.column)
        return bool(a) and bool(b) and not set(a or ()).isdisjoint(b or ())


@dataclass(frozen=True)
class Contains:
    """A value of one side is an element of a list column of the other side, in either direction."""

    value: str
    list_column: str

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        forth = f"list_contains({right(self.list_column)}, {left(self.value)})"
        back = f"list_contains({left(self.list_column)}, {right(self.value)})"
        return f"(coalesce({forth}, false) or coalesce({back}, false))"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""

        def inside(value: object, values: object) -> bool:
            return value is not None and isinstance(values, tuple | list) and value in values

        return inside(left.get(self.value), right.get(self.list_column)) or inside(
            right.get(self.value), left.get(self.list_column)
        )


@dataclass(frozen=True)
class AtLeast:
    """Both sides have the column and a named similarity of the values reaches a bound (see `matchers.similarity`)."""

    similarity: str
    column: str
    bound: float

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL; the similarity is a function of the same name registered with DuckDB."""
        call = f"{self.similarity}({left(self.column)}, {right(self.column)})"
        guard = f"{left(self.column)} is not null and {right(self.column)} is not null"
        return f"(case when {guard} then coalesce({call} >= {literal(float(self.bound))}, false) else false end)"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        a, b = left.get(self.column), right.get(self.column)
        if a is None or b is None:
            return False
        return SIMILARITIES[self.similarity].one(str(a), str(b)) >= self.bound


@dataclass(frozen=True)
class AtLeastAcross:
    """A named similarity between one column on one side and another on the other reaches a bound, either direction."""

    similarity: str
    column: str
    other: str
    bound: float

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""

        def direction(a: str, b: str) -> str:
            call = f"{self.similarity}({a}, {b})"
            guard = f"{a} is not null and {b} is not null"
            return f"(case when {guard} then coalesce({call} >= {literal(float(self.bound))}, false) else false end)"

        forth = direction(left(self.column), right(self.other))
        back = direction(right(self.column), left(self.other))
        return f"({forth} or {back})"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        one = SIMILARITIES[self.similarity].one
        pairs = ((left.get(self.column), right.get(self.other)), (right.get(self.column), left.get(self.other)))
        return any(a is not None and b is not None and one(str(a), str(b)) >= self.bound for a, b in pairs)


@dataclass(frozen=True)
class Either:
    """At least one side has this value in the column."""

    column: str
    value: str | int | bool

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        value = literal(self.value)
        sides = (f"coalesce({side(self.column)} = {value}, false)" for side in (left, right))
        return "(" + " or ".join(sides) + ")"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return any(_present(side.get(self.column)) and side.get(self.column) == self.value for side in (left, right))


@dataclass(frozen=True)
class Both:
    """Both sides have this value in the column."""

    column: str
    value: str | int | bool

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        value = literal(self.value)
        sides = (f"coalesce({side(self.column)} = {value}, false)" for side in (left, right))
        return "(" + " and ".join(sides) + ")"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return all(_present(side.get(self.column)) and side.get(self.column) == self.value for side in (left, right))


@dataclass(frozen=True)
class All:
    """Every part holds; parts are evaluated in order, so put exact ones before similarities."""

    parts: tuple[Condition, ...]

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL; nested cases keep the order of evaluation, which DuckDB does not promise for `and`."""
        *before, last = (p.sql(left, right) for p in self.parts)
        rendered = last
        for part in reversed(before):
            rendered = f"(case when {part} then {rendered} else false end)"
        return rendered

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return all(p.holds(left, right) for p in self.parts)


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds; parts are evaluated in order."""

    parts: tuple[Condition, ...]

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        *before, last = (p.sql(left, right) for p in self.parts)
        rendered = last
        for part in reversed(before):
            rendered = f"(case when {part} then true else {rendered} end)"
        return rendered

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return any(p.holds(left, right) for p in self.parts)


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition

    def sql(self, left: Reference, right: Reference) -> str:
        """Render as SQL."""
        return f"(not {self.part.sql(left, right)})"

    def holds(self, left: Row, right: Row) -> bool:
        """Evaluate on two rows."""
        return not self.part.holds(left, right)


def all_of(*parts: Condition) -> Condition:
    """Every part must hold."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Condition) -> Condition:
    """At least one part must hold."""
    return parts[0] if len(parts) == 1 else AnyOf(parts)


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison.

    Attributes:
        name: stable snake_case name, used by rules and in reports.
        condition: when it holds; `None` for the last level, which takes what is left.
        reason_zh: the outcome in words, Chinese.
        reason_en: the outcome in words, English.
        term_frequency: a column whose value frequency adjusts the weight; the condition must imply that both sides
            are equal in it.
        is_missing: there is nothing to compare; the level carries no evidence.
        stands_for: the level that would hold if both sides were complete: what is shown agrees, as far as it goes. Its
            m-probability is that level's, for how often values are incomplete says nothing about a match.
    """

    name: str
    condition: Condition | None
    reason_zh: str
    reason_en: str
    term_frequency: str | None = None
    is_missing: bool = False
    stands_for: str | None = None


def columns_of(conditions: Iterable[Condition]) -> set[str]:
    """Return the columns that conditions read."""
    read: set[str] = set()

    def note(column: str) -> str:
        read.add(column)
        return column

    for condition in conditions:
        condition.sql(note, note)
    return read


def missing(*columns: str) -> Level:
    """Return the level every comparison starts with: one side has nothing to compare."""
    return Level("missing", Missing(columns), "一方缺失", "missing on one side", is_missing=True)


def different(reason_zh: str = "不同", reason_en: str = "different") -> Level:
    """Return the level every comparison ends with: none of the others held."""
    return Level("different", None, reason_zh, reason_en)


def outcome(levels: tuple[Level, ...], left: Row, right: Row) -> Level:
    """Return the first level that holds for two rows.

    The rows map column names to standardised values; lists may be tuples or lists.
    """
    return next(level for level in levels if level.condition is None or level.condition.holds(left, right))
