"""`guiyi serve`: the application on a port, until it is told to stop."""

from __future__ import annotations

import gc
import socket
import sys

import uvicorn

from golden_records.catalog.store import open_catalog
from linkage.entity_config import load_entity_config
from linkage.errors import LinkageError
from linkage.fields import ENTITIES
from linkage.review.queue import bring_up
from linkage.service.app import Service
from linkage.service.logs import log_to_stderr
from linkage.standardise import standardise_row
from linkage.workspace import Workspace

_CONCURRENT = 256
_KEEP_ALIVE_SECONDS = 30
_SWITCH_SECONDS = 0.0005  # how long one thread computes before another has its turn; Python's own 5 ms are a tail


def serve(workspace: Workspace, *, host: str, port: int) -> int:
    """Serve a workspace's catalog.

    Raises:
        CatalogError: the catalog cannot be opened.
        LinkageError: the address cannot be listened on.
    """
    _require_free(host, port)
    with open_catalog(workspace.catalog) as catalog:  # makes or migrates it; what serves reads only
        bring_up(catalog)
    _load_tables()
    _answer_promptly()
    log_to_stderr()
    config = uvicorn.Config(
        Service(workspace.catalog, workspace.root, workspace.settings.service, workspace=workspace),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        ws="none",  # nothing here speaks it, and its log lines hold paths
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=_CONCURRENT,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
    )
    try:
        uvicorn.Server(config).run()
    except SystemExit as ended:  # its code is uvicorn's, and 3 of it means quarantine here
        raise _not_started(host, port) from ended
    return 0


def _require_free(host: str, port: int) -> None:
    """Look before anything is loaded, and before the service's log begins, whether the address can be listened on.

    Raises:
        LinkageError: it cannot.
    """
    try:
        *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        socket.create_server(address[:2], family=socket.AF_INET6 if len(address) == 4 else socket.AF_INET).close()
    except OSError as error:
        reason = (error.strerror or "").split(" (")[0]
        raise _not_started(host, port, f" ({reason})" if reason else "") from error


def _not_started(host: str, port: int, reason: str = "") -> LinkageError:
    return LinkageError(
        f"--host {host} --port {port}: the service did not start{reason}; see that no other process listens there, and "
        "that this machine has the address"
    )


def _answer_promptly() -> None:
    """Keep the loop from waiting: for threads that compute, and for a collector that goes through all tables."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def _load_tables() -> None:
    """Load the tables that names are read by, so that the first question does not wait for them."""
    for entity in ENTITIES:
        config = load_entity_config(entity)
        for name in ("王伟", "Wang Wei"):
            standardise_row({"name": name}, config)
