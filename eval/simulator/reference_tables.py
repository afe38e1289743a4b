"""Read the simulator's own word lists and tables (`eval/simulator/reference/`), each once.

A table is tab separated, `#` starts a comment line, lists inside a column are separated by spaces.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a reference table as tuples of text."""
    lines = (REFERENCE / name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def words(name: str, *keys: str) -> tuple[str, ...]:
    """Return the word list of the row whose first columns equal `keys`.

    >>> words("address_words.tsv", "landmark")[:2]
    ('旁', '对面')
    """
    for row in rows(name):
        if row[: len(keys)] == keys:
            return tuple(row[len(keys)].split())
    raise KeyError(f"{name}: no row {keys}")
