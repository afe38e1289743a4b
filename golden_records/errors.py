"""What can go wrong in this package.

    GoldenRecordsError            anything below
    ├── InvalidEntityId           a text that is not an entity id (also a ValueError)
    ├── LedgerError               inputs of the identity ledger that contradict each other
    ├── SurvivorshipConfigError   configs/survivorship.toml says something impossible
    └── CatalogError              the catalog store cannot do what was asked; nothing was changed

A message gives the place, what was found, what was expected and what to do. It never holds a name, an identifier or an
address.
"""

from __future__ import annotations


class GoldenRecordsError(Exception):
    """Base of all errors of this package."""


class InvalidEntityId(GoldenRecordsError, ValueError):  # noqa: N818 - reads like the identifier schemes' error
    """A text is not an entity id; `code` says why: shape, check_character or sequence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LedgerError(GoldenRecordsError):
    """The clusters, memberships or entities given to the ledger contradict each other."""


class SurvivorshipConfigError(GoldenRecordsError):
    """The survivorship configuration cannot be used."""


class CatalogError(GoldenRecordsError):
    """The catalog store cannot do what was asked; it is as it was before."""
