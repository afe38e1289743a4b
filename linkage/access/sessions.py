"""Sessions of the review desk (登录会话): 256 random bits in a cookie, kept as a hash, tied to a token.

Reads and writes the catalog's table `review_session`. A session ends when its time is over, when its owner signs out,
or with its token: whoever loses the token loses the session at the next request. Values of natural persons are shown
in full for one subject (a case, an entity) at a time, for a stated purpose and a short while.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from golden_records.catalog.store import Catalog
from linkage.access.tokens import Token, token_of_hash

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_COLUMNS = "session_hash, token_hash, created_at, expires_at, ended_at, subject, purpose, purpose_until"


@dataclass(frozen=True)
class Session:
    """A session that is taken now.

    Attributes:
        session_hash: SHA-256 of its secret.
        token: the token signed in with.
        expires_at: until when.
        form_key: what every form of the session must carry, so that no other site can send one.
        subject: what is shown in full.
        purpose: why.
        purpose_until: until when.
    """

    session_hash: str
    token: Token
    expires_at: datetime
    form_key: str
    subject: str | None
    purpose: str | None
    purpose_until: datetime | None

    def purpose_for(self, subject: str, now: datetime) -> str | None:
        """Return the purpose for which a subject is shown in full, None if it is not."""
        if self.subject != subject or self.purpose_until is None or now >= self.purpose_until:
            return None
        return self.purpose


def begin_session(catalog: Catalog, token: Token, *, now: datetime, lasting: timedelta) -> tuple[str, Session]:
    """Begin a session; returns its secret, for the cookie, and what is kept. Sessions long over are removed."""
    secret = secrets.token_urlsafe(32)
    expires = min(now + lasting, token.expires_at) if token.expires_at else now + lasting
    with catalog.writing():
        catalog.execute("delete from review_session where expires_at < ?", ((now - timedelta(days=7)).isoformat(),))
        catalog.execute(
            f"insert into review_session ({_COLUMNS}) values (?, ?, ?, ?, null, null, null, null)",
            (_hash(secret), token.token_hash, now.isoformat(), expires.isoformat()),
        )
    return secret, Session(_hash(secret), token, expires, _form_key(secret), None, None, None)


def find_session(catalog: Catalog, secret: str, *, now: datetime) -> Session | None:
    """Return the session of a cookie, None if it is none, over, ended, or its token is not taken any more."""
    if not _SHAPE.fullmatch(secret):
        return None
    row = catalog.row(f"select {_COLUMNS} from review_session where session_hash = ?", (_hash(secret),))
    if row is None or row[4] is not None or now >= datetime.fromisoformat(row[3]):
        return None
    token = token_of_hash(catalog, row[1])
    if token is None or token.state(now) != "active":
        return None
    until = datetime.fromisoformat(row[7]) if row[7] else None
    return Session(row[0], token, datetime.fromisoformat(row[3]), _form_key(secret), row[5], row[6], until)


def end_session(catalog: Catalog, session: Session, *, now: datetime) -> None:
    """Sign out: the cookie is worth nothing any more, and its purpose is not kept."""
    with catalog.writing():
        catalog.execute(
            "update review_session set ended_at = ?, subject = null, purpose = null, purpose_until = null "
            "where session_hash = ?",
            (now.isoformat(), session.session_hash),
        )


def state_purpose(catalog: Catalog, session: Session, subject: str, purpose: str, *, until: datetime) -> None:
    """Show one subject in full until a time; what was shown before is masked again."""
    with catalog.writing():
        catalog.execute(
            "update review_session set subject = ?, purpose = ?, purpose_until = ? where session_hash = ?",
            (subject, purpose, until.isoformat(), session.session_hash),
        )


def is_form_key(session: Session, given: str) -> bool:
    """Say whether a form comes from a page of the session."""
    return hmac.compare_digest(session.form_key.encode(), given.encode("utf-8", "replace"))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _form_key(secret: str) -> str:
    return hmac.new(secret.encode(), b"guiyi review form", hashlib.sha256).hexdigest()
