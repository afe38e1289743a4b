"""Where a catalog store is: a SQLite file, or a PostgreSQL database named by a URL.

In: the text of a setting. Out: a path or a `DatabaseUrl`. Sources: RFC 3986, and PostgreSQL's "Connection URIs".

Invariant: the text and the representation of a `DatabaseUrl` never hold a password; only `DatabaseUrl.secret()` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from golden_records.errors import CatalogError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PARTS = re.compile(
    r"(?:(?P<user>[^@:/?]*)(?::(?P<password>[^@/?]*))?@)?(?P<host>[^@/?]*)(?P<database>/[^@?]*)?(?:\?(?P<options>[^@]*))?"
)
_SECRET_OPTION = re.compile(r"((?:^|[?&])(?:ssl)?password=)([^&]*)", re.IGNORECASE)
_MASK = "***"


@dataclass(frozen=True)
class DatabaseUrl:
    """A PostgreSQL database; as text its password is masked."""

    _url: str = field(repr=False)

    def __str__(self) -> str:
        scheme, rest = self._url.split("://", 1)
        parts = _parts(rest)
        shown = f"{scheme}://"
        if parts["user"] is not None:
            shown += parts["user"] + (f":{_MASK}" if parts["password"] is not None else "") + "@"
        shown += (parts["host"] or "") + (parts["database"] or "")
        if parts["options"] is not None:
            shown += "?" + _SECRET_OPTION.sub(rf"\1{_MASK}", parts["options"])
        return shown

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"

    def secret(self) -> str:
        """Return the URL as it was given, for the driver alone."""
        return self._url

    def masked(self, text: str) -> str:
        """Return a text with every writing of this URL's passwords masked."""
        parts = _parts(self._url.split("://", 1)[1])
        secrets = [parts["password"] or "", *(m[1] for m in _SECRET_OPTION.findall(parts["options"] or ""))]
        for secret in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
            if secret:
                text = text.replace(secret, _MASK)
        return text


Place = Path | DatabaseUrl


def read_place(text: str, root: Path) -> Place:
    """Return the place that a setting names; paths are relative to `root`.

    Raises:
        CatalogError: a URL of another kind of store, or one whose parts cannot be told apart. The message does not
            repeat the text, which may hold a password.

    >>> read_place("catalog.sqlite", Path("w"))
    PosixPath('w/catalog.sqlite')
    >>> read_place("postgresql://guiyi:geheim@db.example:5432/credit", Path("w"))
    DatabaseUrl('postgresql://guiyi:***@db.example:5432/credit')
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return root / text
    if scheme[1] == "sqlite":
        return root / text.removeprefix("sqlite:///").removeprefix("sqlite://")
    if scheme[1] not in ("postgresql", "postgres"):
        raise CatalogError(
            f"catalog {scheme[1]}://…: a kind of store that is not known; give a path, sqlite:///PATH or "
            "postgresql://USER@HOST:PORT/DATABASE"
        )
    if _PARTS.fullmatch(text[scheme.end() :]) is None:
        raise CatalogError(
            f"catalog {scheme[1]}://…: its parts cannot be told apart (expected USER@HOST:PORT/DATABASE?OPTION=VALUE); "
            "in a user name or password write @ as %40, / as %2F, ? as %3F, : as %3A and % as %25, or leave the "
            "password out of the URL and give it in ~/.pgpass or PGPASSWORD"
        )
    return DatabaseUrl(text)


def _parts(rest: str) -> dict[str, str | None]:
    found = _PARTS.fullmatch(rest)
    return dict.fromkeys(("user", "password", "host", "database", "options")) if found is None else found.groupdict()
