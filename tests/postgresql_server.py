"""A PostgreSQL server of the tests' own, and databases made from a template with the catalog's tables.

initdb and the server do not run as root, so they run as the user `postgres` where the tests do. Nothing is written
outside a folder of its own, and nothing survives the session.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from pytest_postgresql.janitor import DatabaseJanitor

from golden_records.catalog.place import DatabaseUrl, Place
from golden_records.catalog.store import Catalog, open_catalog

OWNER, PASSWORD = "guiyi", "geheim-秘"
_TEMPLATE = "catalog_template"
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "30",
    "autovacuum": "off",
    "listen_addresses": "'127.0.0.1'",
}


class NoServerError(Exception):
    """There is nothing to start a server with; one that does not start is an error of another kind."""


@dataclass(frozen=True)
class Server:
    """A running server: the folder of its socket, and its port."""

    folder: Path
    port: int

    def url(self, database: str, user: str = OWNER) -> DatabaseUrl:
        """Return the URL of a database by the socket, where no password is asked for."""
        return DatabaseUrl(f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}")

    def url_by_network(self, database: str, login: str = OWNER, parameters: str = "") -> str:
        """Return the URL of a database by TCP, where a password is asked for."""
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}{parameters}"

    def ask(self, database: str, query: str) -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, dbname=database, user="postgres", autocommit=True
        ) as connection:
            found = connection.execute(query)  # type: ignore[call-overload]
            return found.fetchall() if found.description else []

    @contextmanager
    def database(self, name: str, *, template: str | None = _TEMPLATE) -> Iterator[DatabaseUrl]:
        """Make a database of the owner's, and drop it at the end."""
        janitor = DatabaseJanitor(
            user="postgres", host=str(self.folder), port=self.port, dbname=name, template_dbname=template
        )
        janitor.init()
        self.ask(name, f"alter database {name} owner to {OWNER}")
        try:
            yield self.url(name)
        finally:
            janitor.drop()

    def control(self, action: str) -> None:
        """Stop or start the server: `stop` cuts every connection."""
        data = str(self.folder / "data")
        _run([_program("pg_ctl"), "-D", data, "-w", "-m", "immediate", "-l", _log(self.folder), action])


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server.

    Raises:
        NoServerError: the programs or a user to run them are not there.
    """
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="guiyi-pg-"))
    try:
        os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        password = folder / "password"
        password.write_text(PASSWORD, "utf-8")
        os.chown(password, user.pw_uid, user.pw_gid)
        options = ["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--auth-local=trust"]
        options += ["--auth-host=scram-sha-256", f"--pwfile={password}"]
        _run([_program("initdb"), "-D", str(data), *options])
        server = Server(folder, _free_port())
        settings = {**_SETTINGS, "port": str(server.port), "unix_socket_directories": f"'{folder}'"}
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        server.control("start")
        try:
            _make_template(server)
            yield server
        finally:
            server.control("stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_template(server: Server) -> None:
    server.ask("postgres", f"create role {OWNER} login password '{PASSWORD}'")
    server.ask("postgres", f"create database {_TEMPLATE} owner {OWNER}")
    open_catalog(server.url(_TEMPLATE)).close()
    server.ask("postgres", f"alter database {_TEMPLATE} is_template true")


def _run(command: list[str]) -> None:
    user = _user()
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=False, **as_user)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name}: {done.stdout.decode('utf-8', 'replace')[-300:]}")


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise NoServerError("root cannot run a server, and there is no user postgres") from error


def _program(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(places[-1]) if places else None)
    if found is None:
        raise NoServerError(f"{name} is not installed (Debian: apt-get install postgresql)")
    return found


def _log(folder: Path) -> str:
    return str(folder / "log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dump(catalog: Catalog) -> str:
    """Return every row of every table as text."""
    lines = []
    for table in catalog.connection.tables():
        names = ", ".join(f'"{name}"' for name in catalog.connection.columns(table))
        lines += [f"{table}: {row}" for row in catalog.execute(f'select {names} from "{table}"')]
    return "\n".join(lines)


def text_of(place: Place) -> str:
    """Return a place as a setting names it."""
    return place.secret() if isinstance(place, DatabaseUrl) else str(place)


def tamper(catalog: Catalog, statement: str) -> None:
    """Change what the store refuses to have changed."""
    with catalog.writing(), catalog.connection.unguarded():
        catalog.execute(statement)


def wait_until(condition, seconds: float = 20.0) -> None:  # type: ignore[no-untyped-def]
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
