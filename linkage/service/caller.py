"""Who calls: the bearer token, what its role may, the stated purpose; and what callers are held to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Request

from linkage.access.access_log import Look, hash_of_result, moment
from linkage.access.roles import PERMISSIONS, Permissions
from linkage.access.shown import Sight, sight_of
from linkage.access.tokens import Token, find_token
from linkage.service.errors import ServiceError
from linkage.service.state import ServiceState, state_of

PURPOSE_HEADER = "x-guiyi-purpose"
AUTHORIZATION_HEADER = "x-guiyi-authorization-ref"
_STATED = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{2,200}")
_BROKEN_CODE = re.compile("%(?![0-9A-Fa-f]{2})")
_CHALLENGE = {"www-authenticate": "Bearer"}


@dataclass(frozen=True)
class Caller:
    """The caller of one request.

    Attributes:
        token: its token.
        permissions: what its role may.
        purpose: the purpose stated in the header.
        authorization_ref: reference of the authorisation or proof.
    """

    token: Token
    permissions: Permissions
    purpose: str | None
    authorization_ref: str | None

    def with_purpose(self, purpose: str | None) -> Caller:
        """Return the caller with the purpose of a body, which comes before that of the header."""
        return Caller(self.token, self.permissions, purpose or self.purpose, self.authorization_ref)

    def may(self, permission: str) -> None:
        """Refuse what the role may not.

        Raises:
            ServiceError: 403.
        """
        if not getattr(self.permissions, permission):
            raise ServiceError(403, "forbidden", f"the role {self.token.role} may not see this; docs/service.md")

    def sight(self, unmasked: bool) -> Sight:
        """Return how much the caller sees.

        Raises:
            ServiceError: 403; unmasked values were asked for without the right, or without a purpose.
        """
        if unmasked:
            self.may("unmask")
            if self.purpose is None:
                raise ServiceError(403, "no_purpose", f"values in full need a stated purpose (header {PURPOSE_HEADER})")
        return sight_of(self.permissions, self.purpose if unmasked else None)

    def look(
        self, now: datetime, action: str, *, entity_id: str | None, result: object, fields: tuple[str, ...] = ()
    ) -> Look:
        """Return what the access log is told of a look at one person, or at nobody."""
        return Look(
            at=moment(now),
            actor=f"{self.token.owner} [{self.token.token_id}]",
            role=self.token.role,
            action=action,
            organization=self.token.organization,
            purpose=self.purpose,
            authorization_ref=self.authorization_ref,
            entity_id=entity_id,
            fields=fields,
            rows=0 if entity_id is None else 1,
            result_hash=hash_of_result(result),
        )


def caller_of(request: Request) -> Caller:
    """Return the caller of a request.

    Raises:
        ServiceError: 401 without a token that is taken, 422 for a header that is not as expected, 503.
    """
    state = state_of(request)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise ServiceError(401, "no_token", "send a token: Authorization: Bearer …", headers=_CHALLENGE)
    with state.reader.reading() as snapshot:
        token = find_token(snapshot.catalog, text.strip())
    if token is None or token.state(state.now()) != "active":
        raise ServiceError(401, "bad_token", "the token is unknown, expired or revoked", headers=_CHALLENGE)
    request.scope["guiyi"]["token_id"] = token.token_id
    headers = request.headers
    purpose, reference = (_stated(headers, name) for name in (PURPOSE_HEADER, AUTHORIZATION_HEADER))
    return Caller(token, PERMISSIONS[token.role], purpose, reference)


def take(state: ServiceState, caller: Caller, questions: int = 1) -> None:
    """Count questions against the token's rate."""
    state.requests.take(caller.token.token_hash, questions)


def take_person(state: ServiceState, caller: Caller, *, counts: bool) -> None:
    """Refuse whoever may see no natural person, or has gone through too many.

    Args:
        state: the application's state.
        caller: who looks.
        counts: the look is one of those that going through persons is made of.
    """
    caller.may("natural_persons")
    state.persons.check(caller.token.token_hash)
    if counts:
        state.persons.spend(caller.token.token_hash, 1)


def _stated(headers: Mapping[str, Any], name: str) -> str | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        said = "" if _BROKEN_CODE.search(text) else unquote(text, errors="strict")
    except UnicodeDecodeError:
        said = ""
    if not _STATED.fullmatch(said):
        raise ServiceError(422, "bad_header", f"{name}: 2 to 200 characters, percent-encoded UTF-8")
    return said.strip()


async def _caller(request: Request) -> Caller:
    """Return the caller from the loop's own thread: going to another takes longer than the question."""
    return caller_of(request)


CallerOf = Annotated[Caller, Depends(_caller)]
