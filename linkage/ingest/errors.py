"""The one error of ingest: a file or a configuration that cannot be used as a whole.

A bad row is never an error: it goes to the quarantine with its reason (`linkage.ingest.quarantine`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from linkage.errors import FAILED, LinkageError


class IngestError(LinkageError):
    """A file, a load or a source configuration cannot be used.

    The message gives the place, what was found, what was expected and what to do. It never holds a value of a row.

    Attributes:
        place: file, and where in it.
        found: what is there.
        expectation: what should be there.
        remedy: what to do about it.
        exit_code: what a command line should exit with: 1 failed, 2 wrong usage or configuration.
    """

    def __init__(
        self, place: str, found: str, *, expectation: str = "", remedy: str = "", exit_code: int = FAILED
    ) -> None:
        self.place = place
        self.found = found
        self.expectation = expectation
        self.remedy = remedy
        message = f"{place}: {found}"
        if expectation:
            message += f" (expected {expectation})"
        if remedy:
            message += f"; {remedy}"
        super().__init__(message, exit_code=exit_code)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name spelt most like the given one, if any is near.

    >>> nearest("encodng", ["delimiter", "encoding"])
    'encoding'
    """
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None
