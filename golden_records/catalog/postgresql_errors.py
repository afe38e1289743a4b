"""What a PostgreSQL server or its driver says, as one line: place, what is wrong, what to do.

In: an error of the driver. Out: a `DatabaseError`. Source: PostgreSQL 15, appendix A (SQLSTATE codes).

Invariant: no value of a row and no password is in the line. The server's details and context quote rows, so of its
answer the primary message alone is kept, and of data errors not even that.
"""

from __future__ import annotations

import re
from typing import Any

from golden_records.catalog.place import DatabaseUrl
from golden_records.errors import CatalogError

# SQLSTATE, or its class of two characters, to what is wrong and what to do. The longest fitting one counts.
_KNOWN = {
    "08P01": ("the driver and the server do not understand each other", "report it with the versions of both"),
    "08": ("the connection broke", "see that the server runs and type the same command again"),
    "22": ("the server did not take a value", "look at the server's log for the column"),
    "22021": ("a text holds a character that PostgreSQL cannot keep (NUL)", "correct the source's file"),
    "23001": ("the row may not be changed or removed", "rulings, releases and logs are only added to"),
    "23": ("a row breaks a constraint", "the table and the constraint are named above"),
    "25006": ("the connection may only read", "connect to the primary server, as a role that may write"),
    "28": ("the server refused the user", "correct the user's name, its password or pg_hba.conf"),
    "3D000": ("there is no such database", "have it made with `createdb --encoding UTF8 NAME`, or correct its name"),
    "3F000": ("there is no schema to make tables in", "correct search_path, or have the schema made"),
    "42501": (
        "the role lacks a right",
        "have it granted; the role that publishes must own the catalog's tables and may create in their schema",
    ),
    "42P01": ("a table is missing", "restore the database from a backup, or look at search_path"),
    "53100": ("the server's disk is full", "free space there and type the same command again"),
    "53200": ("the server's memory is too small", "free memory there and type the same command again"),
    "53300": ("the server has no connection left", "end other programs, or raise max_connections"),
    "53400": ("a limit of the server is reached", "raise it, and type the same command again"),
    "53": ("the server lacks something it needs", "look at its log, and type the same command again"),
    "55P03": ("another program is writing to the catalog", "wait for it to end and type the same command again"),
    "57014": ("the server cancelled the work", "type the same command again"),
    "57": ("the server is starting, stopping or was stopped", "see that it runs and type the same command again"),
    "58": ("the server's disk gave an error", "look at the server's log and at its disk"),
    "XX": ("the database is damaged", "look at the server's log, and restore the database from a backup"),
}
_UNTOLD = ("the server gave an error", "look at the server's log")
_LOST = ("the connection broke", "see that the server runs and type the same command again")
# What libpq says when no connection comes about, before there is a SQLSTATE.
_NOT_CONNECTED = (
    ("no password supplied", ("a password is needed", "give it in ~/.pgpass or PGPASSWORD")),
    ("password authentication failed", ("the password or the user's name is wrong", "correct ~/.pgpass or PGPASSWORD")),
    ("does not exist", ("there is no such database or user", "have it made (`createdb --encoding UTF8 NAME`)")),
    ("pg_hba.conf", ("the server lets nobody in from here", "have pg_hba.conf corrected")),
    ("too many", ("the server has no connection left", "end other programs, or raise max_connections")),
    ("remaining connection slots", ("the server has no connection left", "end other programs")),
    ("starting up", ("the server is starting", "wait a moment and type the same command again")),
    ("shutting down", ("the server is stopping", "see that it runs and type the same command again")),
    ("could not translate host name", ("there is no host of that name", "correct it in the URL")),
    ("connection refused", ("no server answers there", "see that it runs, and that host and port are right")),
    ("no such file or directory", ("no server answers there", "see that it runs, and that host and port are right")),
    ("timeout", ("the server does not answer", "see that it runs, and that host and port are right")),
    ("invalid", ("the URL cannot be used", "expected postgresql://USER@HOST:PORT/DATABASE?OPTION=VALUE")),
    ("service", ("the service is not known", "look at ~/.pg_service.conf or PGSERVICEFILE")),
)
_NO_CONNECTION = ("no connection came about", "see that the server runs, and that host and port are right")
_STATE = re.compile(r"SQLSTATE: (\w{5})")  # where rows are read, Arrow's error has the driver's text only
_BUSY = ("55P03", "57014")


class DatabaseError(CatalogError):
    """The database or the connection to it failed.

    Attributes:
        sqlstate: the server's code; None if the server did not answer.
    """

    def __init__(self, message: str, sqlstate: str | None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate

    @property
    def is_damage(self) -> bool:
        """Whether the server found its own files damaged."""
        return (self.sqlstate or "").startswith("XX")

    @property
    def is_busy(self) -> bool:
        """Whether waiting for another program took too long."""
        return self.sqlstate in _BUSY


class ConstraintError(DatabaseError):
    """A row that the tables do not allow."""


def database_error(place: DatabaseUrl, error: BaseException) -> DatabaseError:
    """Return what the driver raised while a connection was open, as one line."""
    state = getattr(error, "sqlstate", None) or next(iter(_STATE.findall(str(error))), None)
    told = _diagnosed(error)
    if state is None:
        return DatabaseError(f"{place}: {_LOST[0]}; {_LOST[1]}", None)
    what, remedy = next((_KNOWN[state[:n]] for n in (5, 2) if state[:n] in _KNOWN), _UNTOLD)
    words = [] if state.startswith("22") else [told.get("MESSAGE_PRIMARY", "")]
    words += [told[name] for name in ("TABLE_NAME", "CONSTRAINT_NAME") if name in told and state.startswith("23")]
    said = "; ".join(filter(None, words)).splitlines()
    line = f"{place}: {what} ({place.masked(' '.join(said))}{', ' if said else ''}{state}); {remedy}"
    return (ConstraintError if state.startswith("23") else DatabaseError)(line, state)


def connection_error(place: DatabaseUrl, error: BaseException) -> DatabaseError:
    """Return what the driver raised instead of connecting, as one line."""
    said = str(error).lower()
    what, remedy = next((words for sign, words in _NOT_CONNECTED if sign in said), _NO_CONNECTION)
    return DatabaseError(f"{place}: {what}; {remedy}", None)


def _diagnosed(error: BaseException) -> dict[str, str]:
    details: Any = getattr(error, "details", None) or ()
    return {key.removeprefix("PG_DIAG_"): _text(value) for key, value in ((_text(k), v) for k, v in details)}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
