"""What a block of the report is: a question, its answer in a sentence, what to check, a chart and a table."""

from __future__ import annotations

from dataclasses import dataclass

from eval.report.chart_parts import Spec
from eval.report.words import Words


@dataclass(frozen=True)
class Table:
    """Rows as shown.

    Attributes:
        head: column titles.
        rows: cells, one per column.
        text_columns: how many of the first columns are text; the others are figures, set flush right.
        foot: a row of totals, or none.
        marked: positions of rows to mark as wrong.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    foot: tuple[str, ...] | None = None
    marked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Block:
    """One question of the report.

    Attributes:
        name: stable name, the anchor on the page.
        title: heading.
        says: what the figures say, in a sentence.
        check: what a reader should check.
        table: the figures.
        chart: Vega-Lite specification, or None.
        alert: something that needs attention, or None.
        wide: whether the table needs the full width, below the chart.
    """

    name: str
    title: str
    says: str
    check: str
    table: Table
    chart: Spec | None = None
    alert: str | None = None
    wide: bool = False


def block(name: str, w: Words, table: Table, chart: Spec | None, **values: str) -> Block:
    """Make a block whose texts are found under its name, with the places of its sentence filled."""
    says = w.text(f"{name}_says", **values)
    return Block(name, w.text(f"{name}_title"), says, w.text(f"{name}_check"), table, chart)


def head(w: Words, *columns: str) -> tuple[str, ...]:
    """Return the titles of columns."""
    return tuple(w.text(f"col_{column}") for column in columns)
