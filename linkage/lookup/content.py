"""A profile's columns as one text, as the catalog keeps them: written in SQL, read in SQL and in Python.

Columns stand in the order of `EntityConfig.profile_columns`, separated by U+001F; elements of a list by U+001E. Nothing
is written for null and for an empty list. Standardised values hold neither character: raw cells are cleaned of control
characters before anything reads them.

Invariant: `read_content` gives back the standardised row, and `unpacked` the columns of the profile.
"""

from __future__ import annotations

from typing import Any

from blocking.sql import quote
from linkage.entity_config import EntityConfig

_COLUMN, _ELEMENT = "\x1f", "\x1e"


def packed(config: EntityConfig) -> str:
    """Return the SQL expression that packs a profile's columns into its content."""
    cells = ", chr(31), ".join(_cell(column, config.columns[column]) for column in config.profile_columns)
    return f"concat({cells})"  # which writes nothing for null


def unpacked(config: EntityConfig, contents: str, columns: frozenset[str]) -> str:
    """Return the query that unpacks some columns: profile_id, then the columns.

    Args:
        config: the entity type.
        contents: table with profile_id and content.
        columns: the columns wanted.
    """
    places = {column: place for place, column in enumerate(config.profile_columns, start=1)}
    wanted = ", ".join(
        f"{_value(f'cells[{places[column]}]', config.columns[column])} as {quote(column)}" for column in sorted(columns)
    )
    return f"""
select profile_id, {wanted}
from (select profile_id, string_split(content, chr(31)) as cells from {quote(contents)})"""


def read_content(config: EntityConfig, content: str) -> dict[str, Any]:
    """Return the columns of a profile.

    Raises:
        ValueError: the content is not one of this configuration.
    """
    types = config.columns
    return {
        column: _read(cell, types[column]) if cell else None
        for column, cell in zip(config.profile_columns, content.split(_COLUMN), strict=True)
    }


def _cell(column: str, kind: str) -> str:
    return f"array_to_string({quote(column)}, chr(30))" if kind.endswith("[]") else quote(column)


def _value(cell: str, kind: str) -> str:
    text = f"nullif({cell}, '')"
    return f"string_split({text}, chr(30))" if kind.endswith("[]") else f"cast({text} as {kind})"


def _read(cell: str, kind: str) -> Any:
    if kind == "varchar":
        return cell
    if kind == "varchar[]":
        return tuple(cell.split(_ELEMENT))
    return int(cell) if kind == "integer" else cell == "true"
