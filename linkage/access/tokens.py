"""Bearer tokens (访问令牌): 256 random bits, shown once and kept as a hash, with a role, an owner and a last day.

Reads and writes the catalog's table `api_token`. A token is named by the first characters of its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from golden_records.catalog.store import Catalog
from linkage.access.roles import ROLES, Role
from linkage.errors import LinkageError

_PREFIX = "gy_"
_SHAPE = re.compile(r"gy_[A-Za-z0-9_-]{43}")
_NAME_CHARACTERS = 12
_COLUMNS = "token_hash, name, role, organization, created_at, expires_at, revoked_at"

State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True)
class Token:
    """A token as it is kept.

    Attributes:
        token_hash: SHA-256 of the token.
        owner: whose it is.
        role: what its owner may.
        organization: the owner's body.
        created_at: when it was made.
        expires_at: from when on it is no longer taken.
        revoked_at: when it was withdrawn.
    """

    token_hash: str
    owner: str
    role: Role
    organization: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def token_id(self) -> str:
        """The name under which a token is listed and revoked."""
        return self.token_hash[:_NAME_CHARACTERS]

    def state(self, now: datetime) -> State:
        """Return whether the token is taken at a time."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"


def create_token(
    catalog: Catalog, *, role: Role, owner: str, organization: str | None, last_day: date, now: datetime
) -> tuple[str, Token]:
    """Make a token that is taken until the end of a day (UTC).

    Returns:
        The token, to be shown once, and what is kept of it.

    Raises:
        LinkageError: the last day is past, or the owner is not named.
    """
    expires = datetime.combine(last_day + timedelta(days=1), time(), UTC)
    if expires <= now:
        raise LinkageError(f"--expires {last_day}: is past; give a day to come")
    if not owner.strip():
        raise LinkageError("--owner: is empty; say whose token it is")
    text = _PREFIX + secrets.token_urlsafe(32)
    token = Token(_hash(text), owner.strip(), role, organization, now, expires, None)
    with catalog.writing():
        catalog.execute(
            f"insert into api_token ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, null)",
            (token.token_hash, token.owner, role, organization, now.isoformat(), expires.isoformat()),
        )
    return text, token


def list_tokens(catalog: Catalog) -> list[Token]:
    """Return every token ever made, oldest first."""
    return [_token(row) for row in catalog.execute(f"select {_COLUMNS} from api_token order by created_at, token_hash")]


def revoke_token(catalog: Catalog, token_id: str, *, now: datetime) -> Token:
    """Withdraw a token; it is not taken any more from the next request on.

    Raises:
        LinkageError: no token, or several, of that name.
    """
    with catalog.writing():
        found = [token for token in list_tokens(catalog) if token.token_hash.startswith(token_id.lower())]
        if len(found) != 1 or len(token_id) < 4:
            problem = "several have this name" if len(found) > 1 else "there is none of this name"
            raise LinkageError(f"token {token_id!r}: {problem}; list them with `guiyi token list`")
        (token,) = found
        if token.revoked_at is None:
            catalog.execute(
                "update api_token set revoked_at = ? where token_hash = ?", (now.isoformat(), token.token_hash)
            )
    return token


def find_token(catalog: Catalog, text: str) -> Token | None:
    """Return the token of a text, in whatever state; None if there is none.

    What is looked up is the hash of 256 random bits, so neither the time taken nor a guess of its beginning helps.
    """
    if not _SHAPE.fullmatch(text):
        return None
    wanted = _hash(text)
    row = catalog.row(f"select {_COLUMNS} from api_token where token_hash = ?", (wanted,))
    if row is None or not hmac.compare_digest(str(row[0]), wanted):
        return None
    return _token(row)


def token_of_hash(catalog: Catalog, token_hash: str) -> Token | None:
    """Return the token of a hash, in whatever state; None if there is none."""
    row = catalog.row(f"select {_COLUMNS} from api_token where token_hash = ?", (token_hash,))
    return None if row is None else _token(row)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _token(row: tuple[str | None, ...]) -> Token:
    token_hash, owner, role, organization, created, expires, revoked = row
    known: Role | None = next((one for one in ROLES if one == role), None)
    if known is None or token_hash is None or owner is None:
        raise LinkageError(f"api_token {str(token_hash)[:_NAME_CHARACTERS]}: unknown role; revoke it and make another")
    return Token(
        token_hash,
        owner,
        known,
        organization,
        datetime.fromisoformat(str(created)),
        datetime.fromisoformat(expires) if expires else None,
        datetime.fromisoformat(revoked) if revoked else None,
    )
