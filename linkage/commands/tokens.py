"""`guiyi token`: make, list and revoke the tokens of the resolve service."""

from __future__ import annotations

from datetime import date, datetime

from golden_records.catalog.store import open_catalog
from linkage.access.roles import Role
from linkage.access.tokens import create_token, list_tokens, revoke_token
from linkage.commands.console import Console
from linkage.workspace import Workspace


def make_token(
    workspace: Workspace,
    *,
    role: Role,
    owner: str,
    organization: str | None,
    last_day: date,
    now: datetime,
    console: Console,
) -> int:
    """Make a token and print it, this once."""
    with open_catalog(workspace.catalog) as catalog:
        text, token = create_token(
            catalog, role=role, owner=owner, organization=organization, last_day=last_day, now=now
        )
    console.say(f"token {token.token_id} of {owner} ({role}), until the end of {last_day}; it is not shown again")
    console.result(text, {"token": text, "token_id": token.token_id, "role": role, "last_day": last_day.isoformat()})
    return 0


def show_tokens(workspace: Workspace, *, now: datetime, console: Console) -> int:
    """Print every token ever made; never a token itself."""
    with open_catalog(workspace.catalog) as catalog:
        tokens = list_tokens(catalog)
    data = [
        {
            "token_id": token.token_id,
            "state": token.state(now),
            "role": token.role,
            "owner": token.owner,
            "organization": token.organization,
            "created_at": token.created_at.isoformat(),
            "expires_at": token.expires_at.isoformat() if token.expires_at else None,
            "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
        }
        for token in tokens
    ]
    columns = ("token_id", "state", "role", "owner", "organization", "created_at", "expires_at")
    console.table("tokens", columns, [tuple(str(row[name] or "") for name in columns) for row in data], data)
    return 0


def end_token(workspace: Workspace, token_id: str, *, now: datetime, console: Console) -> int:
    """Withdraw a token."""
    with open_catalog(workspace.catalog) as catalog:
        token = revoke_token(catalog, token_id, now=now)
    console.say(f"token {token.token_id} of {token.owner} is revoked")
    return 0
