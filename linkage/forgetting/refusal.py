"""What keeps a forgotten record from coming back: the workspace's secret key, and who is refused.

The key makes the tokens of the tombstones (`golden_records.forgetting`). Whoever has both key and catalog can find out
whether a record whose id he knows was forgotten, and nothing else; without the key nobody can.
"""

from __future__ import annotations

import os
import secrets

from golden_records.catalog.store import has_catalog, open_catalog
from golden_records.forgetting import forgetting_events, refused_tokens, token
from linkage.errors import LinkageError
from linkage.ingest.refused import IsForgotten
from linkage.workspace import Workspace

KEY_FILE = "forget.key"
_KEY_BYTES = 32


def workspace_key(workspace: Workspace, *, make: bool = False) -> bytes:
    """Return the secret key of a workspace.

    Args:
        workspace: the workspace.
        make: make one if there is none.

    Raises:
        LinkageError: there is none, or it is damaged.
    """
    path = workspace.root / KEY_FILE
    if make and not path.exists():
        temporary = path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(_KEY_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise LinkageError(
            f"{path}: cannot be read as a key; records that were forgotten cannot be recognised without it, "
            "restore it from a backup"
        ) from error
    return key


def refusal(workspace: Workspace) -> IsForgotten | None:
    """Return what says of a record id that it was forgotten and may not come back; None: nothing was forgotten."""
    if not has_catalog(workspace.catalog):
        return None
    with open_catalog(workspace.catalog) as catalog:
        refused = refused_tokens(forgetting_events(catalog))
    if not refused:
        return None
    key = workspace_key(workspace)
    return lambda record_id: token(key, record_id) in refused
