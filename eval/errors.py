"""The error of the evaluation package: a message gives place, what was found, what was expected, and the remedy."""

from __future__ import annotations


class EvalError(Exception):
    """An evaluation cannot be done as asked; the message holds counts and column names, never a record's values."""
