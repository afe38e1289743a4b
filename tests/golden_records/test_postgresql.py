"""What is true of a catalog in PostgreSQL only: URLs, errors in words, writers that queue, what a reader may see."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgresql_server import OWNER, PASSWORD, Server

from golden_records.catalog.place import DatabaseUrl, read_place
from golden_records.catalog.postgresql import numbered, schema_statements
from golden_records.catalog.postgresql_errors import DatabaseError, database_error
from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.schema import APPENDED, TABLES, VERSIONED
from golden_records.catalog.store import Catalog, has_catalog, migrate, migrations, open_catalog, schema_version
from golden_records.entity_id import mint
from golden_records.errors import CatalogError

NOW = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
FIRM, PERSON = mint("LP", 1), mint("NP", 1)
LOGIN = f"{OWNER}:geheim-%E7%A7%98"

# --- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@h/d", "postgresql://u:***@h/d"),
        ("postgres://u@h1:5432,h2/d?connect_timeout=3", "postgres://u@h1:5432,h2/d?connect_timeout=3"),
        ("postgresql:///d?host=/tmp&password=p%40ss", "postgresql:///d?host=/tmp&password=***"),
        ("postgresql://h/d?sslpassword=p%40ss&sslmode=require", "postgresql://h/d?sslpassword=***&sslmode=require"),
        ("postgresql:///?service=credit", "postgresql:///?service=credit"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    place = read_place(url, Path())
    assert isinstance(place, DatabaseUrl)
    assert str(place) == shown
    assert place.secret() == url
    assert "p%40ss" not in repr(place)
    assert place.masked("it said p@ss, or p%40ss") == (
        "it said ***, or ***" if shown != url else "it said p@ss, or p%40ss"
    )


@pytest.mark.parametrize("url", ["postgresql://u:s@cr@h/d", "postgresql://u:s/cr@h/d", "postgresql://u:s?cr@h/d"])
def test_a_url_whose_password_is_not_encoded_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(CatalogError, match="write @ as %40") as told:
        read_place(url, Path())
    assert "cr" not in str(told.value).replace("encoded", "")


@given(st.text(alphabet=st.characters(exclude_characters="@:/?&#%", exclude_categories=["C", "Z"]), min_size=6))
def test_no_password_is_in_the_text_of_a_url(password: str) -> None:
    place = read_place(f"postgresql://user:{password}@host/db", Path())
    assert str(place) == "postgresql://user:***@host/db"
    assert password not in f"{place!r} {place}"


def test_other_kinds_of_store_are_named_without_the_rest() -> None:
    with pytest.raises(CatalogError, match="mysql://…: a kind of store that is not known") as told:
        read_place("mysql://u:geheim@h/d", Path())
    assert "geheim" not in str(told.value)


@given(st.lists(st.sampled_from(["?", "a = ?", "'?'", '"?"', " ", "'it''s ?'", "b"])))
def test_values_are_numbered_but_for_those_in_quotes(parts: list[str]) -> None:
    query = " ".join(parts)
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", numbered(query))
    assert "?" not in bare
    assert re.findall(r"\$(\d+)", bare) == [str(i + 1) for i in range(sum(part in ("?", "a = ?") for part in parts))]


def test_every_migration_is_whole_statements_of_collated_text() -> None:
    for _, text in migrations().values():
        for statement in schema_statements(text):
            assert statement.split()[0].lower() in ("create", "drop", "alter", "insert", "update", "delete")
            assert not re.search(r"^\s+\w+ text(?! collate)", statement, re.MULTILINE)


# --- errors in words --------------------------------------------------------------------------------------------------


class SaidError(Exception):
    def __init__(self, sqlstate: str | None, primary: str) -> None:
        super().__init__(f"{primary} DETAIL: Key (name)=(张三) exists")
        self.sqlstate = sqlstate
        self.details = [
            ("PG_DIAG_MESSAGE_PRIMARY", primary.encode()),
            ("PG_DIAG_MESSAGE_DETAIL", "Key (name)=(张三) exists".encode()),
            ("PG_DIAG_TABLE_NAME", b"name"),
        ]


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("53100", "the server's disk is full"),
        ("53200", "memory is too small"),
        ("53300", "no connection left"),
        ("57P01", "starting, stopping or was stopped"),
        ("42501", "the role lacks a right"),
        ("XX001", "the database is damaged"),
        ("23505", "a row breaks a constraint"),
        ("22P02", "did not take a value"),
        ("99999", "the server gave an error"),
        (None, "the connection broke"),
    ],
)
def test_what_a_server_says_becomes_place_problem_and_remedy_without_values(sqlstate: str | None, words: str) -> None:
    place = DatabaseUrl("postgresql://u:geheim@h/d")
    line = str(database_error(place, SaidError(sqlstate, "could not extend file with geheim: No space left")))
    assert line.startswith("postgresql://u:***@h/d: ")
    assert words in line
    assert "; " in line
    assert "张三" not in line
    assert "geheim" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("login", "database", "words"),
    [
        (f"{OWNER}:wrong", "postgres", "the password or the user's name is wrong"),
        (OWNER, "postgres", "a password is needed"),
        (LOGIN, "absent", "there is no such database"),
        (f"nobody:{PASSWORD}", "postgres", "the password or the user's name is wrong"),
    ],
)
def test_a_database_that_lets_nobody_in_says_why(
    postgresql_server: Server, monkeypatch: pytest.MonkeyPatch, login: str, database: str, words: str
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(CatalogError, match=words) as told:
        open_catalog(DatabaseUrl(postgresql_server.url_by_network(database, login)))
    assert "wrong@" not in str(told.value)
    assert PASSWORD not in str(told.value)


def test_a_server_that_is_not_there_says_so() -> None:
    with pytest.raises(CatalogError, match="no server answers there"):
        open_catalog(DatabaseUrl("postgresql://u@127.0.0.1:1/d"))
    with pytest.raises(CatalogError, match="no server answers there"):
        has_catalog(DatabaseUrl("postgresql://u@/d?host=/nonexistent"))


def test_the_password_may_come_from_the_environment_or_a_file(
    postgresql_server: Server, database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = database.secret().split("/@/", 1)[-1].split("@/")[1].split("?")[0]
    place = DatabaseUrl(postgresql_server.url_by_network(name))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert has_catalog(place)
    monkeypatch.delenv("PGPASSWORD")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:{OWNER}:{PASSWORD}\n", "utf-8")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert has_catalog(place)
    services = tmp_path / "services"
    services.write_text(
        f"[credit]\nhost=127.0.0.1\nport={postgresql_server.port}\ndbname={name}\nuser={OWNER}\n", "utf-8"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    assert has_catalog(DatabaseUrl("postgresql:///?service=credit"))


def test_a_full_server_says_so(postgresql_server: Server, database: DatabaseUrl) -> None:
    name = re.findall(r"@/(\w+)", database.secret())[0]
    postgresql_server.ask("postgres", f"alter database {name} connection limit 0")
    with pytest.raises(CatalogError, match="no connection left"):
        open_catalog(database)


def test_a_lost_connection_is_told_and_the_next_one_works(postgresql_server: Server, database: DatabaseUrl) -> None:
    with open_catalog(database) as catalog:
        (pid,) = catalog.row("select pg_backend_pid()") or (0,)
        postgresql_server.ask("postgres", f"select pg_terminate_backend({pid})")
        with pytest.raises(DatabaseError, match="see that") as told, catalog.writing():
            catalog.execute("select 1")
        assert str(told.value).startswith(str(database))
    with open_catalog(database) as catalog:
        assert catalog.row("select count(*) from release") == (0,)


# --- what the database holds ------------------------------------------------------------------------------------------


def test_an_empty_database_becomes_a_catalog_and_is_one_then(make_database: Callable[..., DatabaseUrl]) -> None:
    place = make_database(template=None)
    assert not has_catalog(place)
    with pytest.raises(CatalogError, match="publish a release first"):
        open_catalog(place, read_only=True)
    with open_catalog(place) as catalog:
        assert migrate(catalog) == schema_version(catalog) == max(migrations())
    assert has_catalog(place)
    with open_catalog(place, read_only=True) as catalog, pytest.raises(DatabaseError, match="may only read"):
        catalog.execute("delete from api_token")


def test_a_database_of_other_tables_is_refused_and_untouched(
    postgresql_server: Server, make_database: Callable[..., DatabaseUrl]
) -> None:
    place = make_database(template=None)
    name = re.findall(r"@/(\w+)", place.secret())[0]
    postgresql_server.ask(
        name, f"create table schema_migration (id int); alter table schema_migration owner to {OWNER}"
    )
    with pytest.raises(CatalogError, match="a database of other tables, not a catalog"):
        open_catalog(place)
    with pytest.raises(CatalogError, match="no catalog there"):
        open_catalog(place, read_only=True)
    assert postgresql_server.ask(name, "select count(*) from pg_tables where schemaname = 'public'") == [(1,)]
    postgresql_server.ask(name, f"create schema guiyi authorization {OWNER}")
    with open_catalog(DatabaseUrl(place.secret() + "&options=-csearch_path%3Dguiyi")) as catalog:
        assert current_release(catalog) == 0


def test_a_catalog_of_a_newer_program_is_left_alone(database: DatabaseUrl) -> None:
    with open_catalog(database) as catalog:
        catalog.execute("insert into schema_migration values (999, 'later')")
    for read_only in (True, False):
        with pytest.raises(CatalogError, match="newer than this program"):
            open_catalog(database, read_only=read_only)


def test_a_database_of_another_encoding_is_refused(postgresql_server: Server) -> None:
    create = "create database test_latin encoding 'LATIN1' locale 'C' template template0"
    postgresql_server.ask("postgres", create)
    try:
        with pytest.raises(CatalogError, match="encoding is LATIN1, expected UTF8"):
            open_catalog(postgresql_server.url("test_latin"))
    finally:
        postgresql_server.ask("postgres", "drop database test_latin")


def test_a_role_without_rights_says_what_it_lacks(postgresql_server: Server, database: DatabaseUrl) -> None:
    postgresql_server.ask("postgres", "drop role if exists stranger; create role stranger login")
    place = DatabaseUrl(database.secret().replace(f"//{OWNER}@", "//stranger@"))
    with pytest.raises(CatalogError, match="the role lacks a right"), open_catalog(place):
        pass


# --- writers at once --------------------------------------------------------------------------------------------------


def firm(con: duckdb.DuckDBPyConnection, name: str) -> ReleaseTables:
    con.execute(f"create or replace table firm as select '{FIRM}' as entity_id, '{name}' as name")
    return ReleaseTables(legal_person=("firm",))


def test_writers_take_turns_and_readers_wait_for_nobody(database: DatabaseUrl, con: duckdb.DuckDBPyConnection) -> None:
    done: list[int] = []

    def other() -> None:
        with duckdb.connect() as own, open_catalog(database) as catalog:
            done.append(publish(catalog, own, firm(own, "乙"), now=NOW, manifest={}))

    with open_catalog(database) as catalog, open_catalog(database, read_only=True) as reader:
        with catalog.writing():
            waiting = threading.Thread(target=other)
            waiting.start()
            waiting.join(0.5)
            assert waiting.is_alive()
            assert current_release(reader) == 0
            catalog.execute("insert into api_token (token_hash, name, role, created_at) values ('h', 'n', 'r', 't')")
        waiting.join(20)
        assert done == [1]
        assert current_release(reader) == 1


def test_a_writer_that_waits_too_long_gives_up_in_words(database: DatabaseUrl) -> None:
    with open_catalog(database) as catalog, open_catalog(database) as second:
        second.connection.wait_at_most(50)
        with (
            catalog.writing(),
            pytest.raises(DatabaseError, match="another program is writing") as told,
            second.writing(),
        ):
            pass
        assert told.value.is_busy
        with second.writing():
            second.execute("delete from api_token")


def test_a_statement_that_failed_undoes_its_transaction_loudly(database: DatabaseUrl) -> None:
    insert = "insert into api_token (token_hash, name, role, created_at) values ('h', 'n', 'r', 't')"
    with open_catalog(database) as catalog:
        with pytest.raises(CatalogError, match="everything with it was undone"), catalog.writing():  # noqa: PT012
            catalog.execute(insert)
            with pytest.raises(DatabaseError):
                catalog.execute(insert)
        assert catalog.row("select count(*) from api_token") == (0,)


def test_an_error_of_the_source_of_rows_is_its_own(database: DatabaseUrl, con: duckdb.DuckDBPyConnection) -> None:
    def fail(table: str, rows: int) -> None:
        raise ZeroDivisionError

    with open_catalog(database) as catalog:
        with pytest.raises(ZeroDivisionError):
            publish(catalog, con, firm(con, "甲"), now=NOW, manifest={}, progress=fail)
        assert current_release(catalog) == 0
        assert publish(catalog, con, firm(con, "甲"), now=NOW, manifest={}) == 1


# --- what a reader may see --------------------------------------------------------------------------------------------

GRANTS = files("golden_records.catalog").joinpath("grants.sql").read_text(encoding="utf-8")
_MIXED = {"identifier", "name", "address", "phone", "record_link", "relation", "provenance"}
GRANTED = {"schema_migration", "release", "event", "redirect"} | {
    name for table in {"legal_person", *_MIXED} for name in (table, f"{table}_history")
}
WITHHELD = ({t.name for t in TABLES} | {t.history for t in VERSIONED}) - GRANTED
_PERSONAL = "张某人", "440306199001011234", "13800000000", "宝安一街", "p1"


@pytest.fixture
def mixed(database: DatabaseUrl, con: duckdb.DuckDBPyConnection) -> Iterator[Catalog]:
    """A catalog of an organisation and its representative, each in every table and its history."""
    name, number, phone, street, record = _PERSONAL
    tables = {
        "legal_person": f"'{FIRM}' as entity_id, '甲公司' as name, '{number}' as legal_rep_id_number, "
        f"'{number}01' as tax_number, 1 as records",
        "natural_person": f"'{PERSON}' as entity_id, '{name}' as name, '{number}' as id_number, 1 as records",
        "identifier": f"unnest(['{FIRM}', '{FIRM}', '{PERSON}']) as entity_id, "
        "unnest(['uscc', 'tax_number', 'resident_id']) as scheme, "
        f"unnest(['CODE', '{number}01', '{number}']) as value, 1 as valid",
        "name": f"unnest(['{FIRM}', '{PERSON}']) as entity_id, unnest(['甲公司', '{name}']) as name, 'current' as kind",
        "address": f"unnest(['{FIRM}', '{PERSON}']) as entity_id, 'a' as kind, "
        f"unnest(['公司路', '{street}']) as address",
        "phone": f"unnest(['{FIRM}', '{PERSON}']) as entity_id, unnest(['0755-1', '{phone}']) as phone",
        "record_link": f"unnest(['{FIRM}', '{PERSON}']) as entity_id, 's' as source, "
        f"unnest(['f1', '{record}']) as source_record_id, 'identifier' as link_basis",
        "relation": f"unnest(['{PERSON}', '{FIRM}']) as entity_id, unnest(['employed_by', 'branch_of']) as relation, "
        f"unnest(['{FIRM}', '{mint('LP', 2)}']) as other_entity_id, 'identifier' as basis, 'number' as rule, "
        "'current' as state",
        "provenance": f"unnest(['{FIRM}', '{FIRM}', '{PERSON}']) as entity_id, "
        "unnest(['name', 'legal_rep_id_number', 'name']) as attribute, "
        f"unnest(['甲公司', '{number}', '{name}']) as value, unnest(['s:f1', 's:f1', 's:{record}']) as record_id, "
        "'only' as rule",
        "review_case": "'RC-1' as case_id, 'natural_person' as entity_type, 'review' as kind, "
        f"'{PERSON}' as left_entity_id",
        "event": f"unnest(['1:f', '1:p']) as event_id, 1 as release, unnest(['{FIRM}', '{PERSON}']) as entity_id, "
        "'created' as event, 'load' as cause",
        "redirect": f"unnest(['{mint('LP', 3)}', '{mint('NP', 3)}']) as old_id, "
        f"unnest(['{FIRM}', '{PERSON}']) as entity_id",
    }
    for table, columns in tables.items():
        con.execute(f"create table in_{table} as select {columns}")
    with open_catalog(database) as catalog:
        publish(catalog, con, ReleaseTables(**{t: (f"in_{t}",) for t in tables}), now=NOW, manifest={"who": name})
        for table in VERSIONED:
            columns = ", ".join((*table.column_names, "since_release"))
            catalog.execute(
                f"insert into {table.history} ({columns}, until_release) select {columns}, 99 from {table.name}"
            )
        yield catalog


@pytest.fixture
def read(mixed: Catalog, postgresql_server: Server) -> Callable[[str], list[tuple[object, ...]]]:
    """Ask the catalog as a login that has the reader's role."""
    assert isinstance(mixed.place, DatabaseUrl)
    name = re.findall(r"@/(\w+)", mixed.place.secret())[0]
    postgresql_server.ask("postgres", "drop role if exists somebody; create role somebody login")
    postgresql_server.ask(name, GRANTS)
    postgresql_server.ask(name, GRANTS)  # it may be run again
    postgresql_server.ask(name, "grant guiyi_reader to somebody")

    def ask(query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(postgresql_server.folder), port=postgresql_server.port, dbname=name, user="somebody"
        ) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]

    return ask


def test_what_is_not_named_is_not_granted_and_what_holds_both_is_cut_by_row() -> None:
    assert set(re.findall(r"\bon (\w+) to guiyi_reader", GRANTS)) == GRANTED
    secured = set(re.findall(r"alter table (\w+) enable row level security", GRANTS))
    assert secured == _MIXED | {f"{table}_history" for table in _MIXED} | {t.name for t in APPENDED[1:]}
    assert {
        "natural_person",
        "natural_person_history",
        "review_case",
        "access_log",
        "lookup_entity",
        "lookup_bucket",
    } <= WITHHELD


def test_the_reader_sees_no_natural_person_in_any_table(read: Callable[[str], list[tuple[object, ...]]]) -> None:
    for table in sorted(WITHHELD):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(f"select * from {table}")
    withheld = {"legal_person": ("legal_rep_id_number", "tax_number"), "release": ("manifest",)}
    for table, columns in withheld.items():
        for column in columns:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                read(f"select {column} from {table}")
    plain = [t.name for t in TABLES if t.name not in WITHHELD | withheld.keys()]
    plain += [t.history for t in VERSIONED if t.name not in WITHHELD | withheld.keys()]
    for table in plain:
        rows = read(f"select * from {table}")
        assert rows, table
        assert not any(value in str(rows) for value in (*_PERSONAL, PERSON)), table
        assert "NP" not in str(rows)


def test_the_reader_sees_legal_persons_and_changes_nothing(read: Callable[[str], list[tuple[object, ...]]]) -> None:
    for table in ("legal_person", "legal_person_history"):
        assert read(f"select entity_id, name from {table}") == [(FIRM, "甲公司")]
    assert read("select value from identifier where scheme = 'uscc'") == [("CODE",)]
    assert read("select relation from relation") == [("branch_of",)]
    for statement in ("insert into name values ('x')", "update name set kind = 'x'", "delete from legal_person"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(statement)


def test_the_owner_publishes_and_reads_everything_after_the_grants(
    mixed: Catalog, read: Callable[[str], list[tuple[object, ...]]], con: duckdb.DuckDBPyConnection
) -> None:
    assert mixed.row("select count(*) from natural_person") == (1,)
    assert mixed.row("select count(*) from name") == (2,)
    con.execute("create table nobody as select * from in_natural_person limit 0")
    assert publish(mixed, con, ReleaseTables(natural_person=("nobody",)), now=NOW, manifest={}) == 2
    assert mixed.row("select count(*) from name") == (1,)
    assert read("select count(*) from name") == [(1,)]
