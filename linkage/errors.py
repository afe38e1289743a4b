"""The error of this package: a message that says where, what, what was expected and what to do."""

from __future__ import annotations

FAILED = 1
WRONG_USE = 2
QUARANTINED = 3


class LinkageError(Exception):
    """Something the person running Guiyi can put right.

    Attributes:
        exit_code: the command's exit code: 1 failed, 2 wrong usage or configuration.
    """

    def __init__(self, message: str, *, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ConfigError(LinkageError):
    """A configuration that cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=WRONG_USE)
