"""A catalog store in a PostgreSQL database, by ADBC (see `golden_records.catalog.dialect`).

Many rows go by COPY, as Arrow, and come back the same way. Text is compared by its code points (collation "C"), as
SQLite does, so that the order of rows does not depend on the server's locale.

Writers queue on one advisory lock per schema, taken at the begin of a writing transaction; readers take a snapshot and
wait for nobody. No index that a reader may use is dropped while a release is being written: of an empty table alone the
keys are made after its rows. The guards of unalterable tables are triggers that look at a setting of the transaction.

Invariant: after an error the connection is in no transaction, or is of no more use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa

from golden_records.catalog.ahead import read_ahead
from golden_records.catalog.arrow import SQL, schema_of
from golden_records.catalog.dialect import BUSY_SECONDS, Add, Made, RowSource
from golden_records.catalog.place import DatabaseUrl
from golden_records.catalog.postgresql_errors import DatabaseError, connection_error, database_error
from golden_records.catalog.schema import UNALTERABLE, Table
from golden_records.errors import CatalogError
from golden_records.tables import quote

_OLDEST_SERVER = 140000
_LOCK = 0x67756979  # any number that other programs are unlikely to use
_TYPES = SQL | {pa.string(): 'text collate "C"', pa.binary(): "bytea"}
# What a broken network must not make us wait for; what the URL says itself counts.
_DEFAULTS = {
    "fallback_application_name": "guiyi",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SESSION = {"client_encoding": "UTF8", "lock_timeout": f"{int(BUSY_SECONDS * 1000)}ms", "TimeZone": "UTC"}
_MAINTENANCE_MEMORY = "512MB"
_COMPACT_MILLISECONDS = 30_000
_LOOKS_FOR_READERS, _LOOK_SECONDS = 20, 0.25
_UNGUARDED = "guiyi.unguarded"
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"|\?")
_TEXT_COLUMN = re.compile(r"(^\s+\w+ |\badd column (?:if not exists )?\w+ )text\b", re.MULTILINE | re.IGNORECASE)
_BYTES_COLUMN = re.compile(r"^(\s+\w+) blob\b", re.MULTILINE)
_OF_SCHEMA = "c.relnamespace = to_regnamespace(quote_ident(current_schema()))"
_CHANGES = ("insert", "update", "delete")


def open_database(place: DatabaseUrl, *, read_only: bool) -> PostgresqlConnection:
    """Connect to a database as a store.

    Raises:
        CatalogError: no connection, or a server or database that cannot hold a catalog.
    """
    connection = PostgresqlConnection(place, connect(place))
    try:
        _prepare(connection, place, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def connect(place: DatabaseUrl) -> Any:
    """Return a connection of the driver, each statement a transaction of its own.

    Raises:
        CatalogError: no connection came about.
    """
    try:
        return driver.connect(_with_defaults(place.secret()), autocommit=True)
    except adbc_driver_manager.Error as error:
        raise connection_error(place, error) from None  # its text may repeat a part of the URL


class PostgresqlConnection:
    """An open connection."""

    def __init__(self, place: DatabaseUrl, raw: Any) -> None:
        self._place = place
        self._raw = raw
        self._in_transaction = False
        self._is_failed = False  # a statement of the transaction failed; the server would undo it without a word

    def close(self) -> None:
        """Close the connection; a broken one as well."""
        with suppress(adbc_driver_manager.Error, RuntimeError):
            self._raw.close()

    def execute(self, query: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement and take all its rows."""
        text = numbered(query)
        with self._cursor() as cursor:
            if values and text.lstrip()[:6].lower() in _CHANGES:
                cursor.executemany(text, [tuple(values)])  # it alone tells how many rows were changed
                return Rows([], cursor.rowcount)
            cursor.execute(text, tuple(values) or None)
            columns = [column.to_pylist() for column in cursor.fetch_arrow_table().columns]
            return Rows(list(zip(*columns, strict=True)), cursor.rowcount)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of a few rows."""
        if rows:
            with self._cursor() as cursor:
                cursor.executemany(numbered(statement), [tuple(row) for row in rows])

    def batches(self, query: str, values: Sequence[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as Arrow."""
        with self._cursor() as cursor:
            cursor.execute(numbered(query), tuple(values) or None)
            for batch in cursor.fetch_record_batch():
                yield pa.record_batch(batch.columns, names=schema.names).cast(schema)

    @contextmanager
    def transaction(self, *, writing: bool) -> Iterator[None]:
        """Run a block in one transaction; a writing one waits for its turn first."""
        if self._in_transaction:
            yield
            return
        self.execute("begin" if writing else "begin isolation level repeatable read read only")
        self._in_transaction, self._is_failed = True, False
        try:
            if writing:
                self.execute(f"select pg_advisory_xact_lock({_LOCK}, hashtext(current_schema()))")
            yield
            if self._is_failed:
                raise CatalogError(f"{self._place}: a statement failed, and everything with it was undone")
            self._in_transaction = False
            self.execute("commit")
        except BaseException:
            self._in_transaction = False
            with suppress(DatabaseError):
                self.execute("rollback")
            raise

    @contextmanager
    def bulk_writing(self, *, first: bool = False) -> Iterator[None]:  # noqa: ARG002
        """Give the making of indexes memory; a first release is like any other."""
        self._set("maintenance_work_mem", _MAINTENANCE_MEMORY)
        yield
        self.execute("reset maintenance_work_mem")

    @contextmanager
    def staging(self) -> Iterator[_Staging]:
        """Have rows made in the transaction, while the server takes those before them."""
        yield _Staging(self)

    @contextmanager
    def loading(self, table: Table, *, held: int, added: int) -> Iterator[None]:
        """Make the keys and indexes of an empty table after its rows."""
        if not added or held or self.execute(f"select 1 from {quote(table.name)} limit 1").fetchone():
            yield
            return
        name = quote(table.name)
        for index in table.indexes:
            self.execute(f"drop index if exists {quote(index.name)}")
        self.execute(f"alter table {name} drop constraint {quote(f'{table.name}_pkey')}")
        yield
        self.execute(f"alter table {name} add primary key ({_names(table.key)})")
        for index in table.indexes:
            self.execute(f"create index {quote(index.name)} on {name} ({_names(index.columns)})")
        self.execute(f"analyze {name}")

    def insert(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Add rows to a table, by COPY."""
        self._copy(table, rows, schema_of(table, rows.schema.names), temporary=False)

    def delete(self, table: str, keys: pa.RecordBatchReader) -> None:
        """Remove the rows of these keys."""
        self.name_rows("catalog_key", keys)
        self.execute(f"delete from {quote(table)} t using pg_temp.catalog_key k where {_same(keys.schema.names)}")

    def retire(self, table: Table, keys: pa.RecordBatchReader, release: int) -> None:
        """Move the rows of these keys to the history, in one statement."""
        self.name_rows("catalog_key", keys)
        columns = (*table.column_names, "since_release")
        self.execute(
            f"with gone as (delete from {quote(table.name)} t using pg_temp.catalog_key k "
            f"where {_same(keys.schema.names)} returning {', '.join(f't.{quote(c)}' for c in columns)}) "
            f"insert into {quote(table.history)} ({_names(columns)}, until_release) "
            f"select {_names(columns)}, {int(release)} from gone"
        )

    def name_rows(self, name: str, keys: pa.RecordBatchReader) -> None:
        """Make a temporary table, and have the planner know how large it is."""
        columns = ", ".join(f"{quote(field.name)} {_TYPES[field.type]} not null" for field in keys.schema)
        self.execute(f"drop table if exists pg_temp.{quote(name)}")
        self.execute(f"create temp table {quote(name)} ({columns})")
        self._copy(name, keys, keys.schema, temporary=True)
        self.execute(f"alter table pg_temp.{quote(name)} add primary key ({_names(keys.schema.names)})")
        self.execute(f"analyze pg_temp.{quote(name)}")

    def make_tables(self, migration: str) -> None:
        """Run the statements of a migration."""
        for statement in schema_statements(migration):
            self.execute(statement)

    def guard(self) -> None:
        """Make the triggers that refuse."""
        self.execute(f"""
create or replace function guiyi_refuses() returns trigger language plpgsql as $$
begin
    if coalesce(current_setting('{_UNGUARDED}', true), '') <> 'on' then
        raise exception '% is never rewritten', tg_table_name using errcode = 'restrict_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$""")
        for table in UNALTERABLE:
            self.execute(
                f"create or replace trigger {quote(f'{table}_refuses')} before update or delete "
                f"on {quote(table)} for each row execute function guiyi_refuses()"
            )
            self.execute(
                f"create or replace trigger {quote(f'{table}_refuses_truncate')} before truncate "
                f"on {quote(table)} for each statement execute function guiyi_refuses()"
            )

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Have the triggers let everything pass, in this transaction."""
        self.execute(f"set local {_UNGUARDED} = 'on'")
        yield
        self.execute(f"set local {_UNGUARDED} = 'off'")

    def tables(self) -> Sequence[str]:
        """Return the names of the schema's tables and views, but for those of extensions."""
        rows = self.execute(
            f"select c.relname::text from pg_class c where {_OF_SCHEMA} and c.relkind in ('r', 'p', 'v', 'm', 'f') "
            "and not exists (select 1 from pg_depend d "
            "where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') order by c.relname"
        )
        return [str(name) for (name,) in rows]

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        rows = self.execute(
            "select a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid "
            f"where {_OF_SCHEMA} and c.relname = ? and a.attnum > 0 and not a.attisdropped order by a.attnum",
            (table,),
        )
        return tuple(str(name) for (name,) in rows)

    def compact(self) -> bool:
        """Write every table anew; a reader of an older state would have the server keep what was removed."""
        self.wait_at_most(_COMPACT_MILLISECONDS)
        if not self._are_readers_gone():
            return False
        try:
            for table in self.tables():
                self.execute(f"vacuum (full, analyze) {quote(table)}")
        except DatabaseError as error:
            if error.is_busy:
                return False
            raise
        return True

    def is_damaged(self) -> bool:
        """Say no: the server checks its files itself, and fails a query that reads a damaged one."""
        return False

    def wait_at_most(self, milliseconds: int) -> None:
        """Say how long to wait for a lock."""
        self._set("lock_timeout", f"{int(milliseconds)}ms")

    def _are_readers_gone(self) -> bool:
        for _ in range(_LOOKS_FOR_READERS):
            reads = self.execute(
                "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
                "and backend_type = 'client backend' and backend_xmin is not null"
            ).fetchone()
            if reads is None:
                return True
            self.execute(f"select pg_sleep({_LOOK_SECONDS})")
        return False

    def _set(self, setting: str, value: str) -> None:
        self.execute("select set_config(?, ?, false)", (setting, value))

    def _copy(self, table: str, rows: pa.RecordBatchReader, schema: pa.Schema, *, temporary: bool) -> None:
        failed: list[BaseException] = []

        def told() -> Iterator[pa.RecordBatch]:
            try:
                for batch in rows:
                    yield batch.cast(schema)  # COPY takes the bytes as they are: they must be of the column's type
            except BaseException as error:  # the driver would make one of its own of it
                failed.append(error)
                raise

        try:
            with self._cursor() as cursor:
                source = pa.RecordBatchReader.from_batches(schema, told())
                cursor.adbc_ingest(table, source, mode="append", temporary=temporary)
        except DatabaseError:
            if failed:
                raise failed[0] from None
            raise

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            with self._raw.cursor() as cursor:
                yield cursor
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:  # the last two while rows are read
            self._is_failed = True
            raise database_error(self._place, error) from None  # its text quotes rows


class _Staging:
    """Rows that go straight into their tables, by COPY."""

    def __init__(self, connection: PostgresqlConnection) -> None:
        self._connection = connection

    def put(self, table: Table, rows: RowSource) -> Add:
        """Return what reads and adds the rows; see `dialect.Staging`."""

        def add() -> int:
            added = 0

            def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
                nonlocal added
                for batch in batches:
                    added += batch.num_rows
                    yield batch

            with rows() as reader:
                source = pa.RecordBatchReader.from_batches(reader.schema, counted(read_ahead(reader)))
                self._connection.insert(table.name, source)
            return added

        return add

    def meanwhile(self, work: Callable[[], Made]) -> Callable[[], Made]:
        """Do it now: the rows are read later."""
        made = work()
        return lambda: made

    def joined(self) -> AbstractContextManager[None]:
        """Return a block that does nothing."""
        return nullcontext()


class Rows:
    """The rows that a query gave."""

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None after the last."""
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        return list(self._rows)


@lru_cache(maxsize=1024)
def numbered(query: str) -> str:
    """Return a query with its `?` numbered, but for those in quotes.

    >>> numbered("select '?' from t where a = ? and b = ?")
    "select '?' from t where a = $1 and b = $2"
    """
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        if match[0] != "?":
            return match[0]
        count += 1
        return f"${count}"

    return _LITERAL.sub(number, query)


def schema_statements(text: str) -> Iterator[str]:
    """Return the statements of a migration in PostgreSQL's types, text compared by its code points.

    >>> list(schema_statements("create table t (\\n    a text not null\\n);"))
    ['create table t (\\n    a text collate "C" not null\\n)']
    """
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    typed = _BYTES_COLUMN.sub(r"\1 bytea", _TEXT_COLUMN.sub(r'\1text collate "C"', plain))
    yield from (statement.strip() for statement in typed.split(";") if statement.strip())


def _with_defaults(url: str) -> str:
    base, _, options = url.partition("?")
    given = {option.split("=", 1)[0] for option in options.split("&")}
    added = [f"{name}={value}" for name, value in _DEFAULTS.items() if name not in given]
    return f"{base}?{'&'.join(filter(None, [options, *added]))}"


def _prepare(connection: PostgresqlConnection, place: DatabaseUrl, *, read_only: bool) -> None:
    """Look at the server and database, and put the session right."""
    found = connection.execute(
        "select current_setting('server_version_num')::int8, current_setting('server_encoding'), "
        "current_setting('server_version')"
    ).fetchone()
    version, encoding, name = found or (0, "", "")
    if version < _OLDEST_SERVER:
        raise CatalogError(f"{place}: PostgreSQL {name}, expected 14 or newer; use a newer server")
    if encoding != "UTF8":
        raise CatalogError(
            f"{place}: the database's encoding is {encoding}, expected UTF8; have one made with "
            "`createdb --encoding UTF8 --template template0 NAME`"
        )
    for setting, value in _SESSION.items():
        connection.execute("select set_config(?, ?, false)", (setting, value))
    with suppress(DatabaseError):  # not every server's system can: it lets go of a killed client's work at once
        connection.execute("set client_connection_check_interval = '5s'")
    if read_only:
        connection.execute("set session characteristics as transaction read only")


def _same(columns: Sequence[str]) -> str:
    return " and ".join(f"t.{quote(column)} = k.{quote(column)}" for column in columns)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns)
