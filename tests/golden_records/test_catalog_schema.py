"""The schema, its migrations and its page in the documentation say the same."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from golden_records.catalog.lookup import holds_lookup
from golden_records.catalog.schema import LOOKUP, TABLES, UNALTERABLE, VERSIONED
from golden_records.catalog.sqlite import schema_statements
from golden_records.catalog.store import Catalog, migrate, migrations, open_catalog, schema_version
from golden_records.errors import CatalogError

PAGE = Path(__file__).parents[2] / "docs" / "catalog.md"


def _declared() -> dict[str, list[str]]:
    found = {}
    for table in TABLES:
        versioned = table in VERSIONED
        found[table.name] = [*table.column_names, *(["since_release"] if versioned else [])]
        if versioned:
            found[table.history] = [*table.column_names, "since_release", "until_release"]
    return found


def test_the_migrations_make_the_declared_tables(catalog: Catalog) -> None:
    made = {name: sorted(catalog.connection.columns(name)) for name in catalog.connection.tables()}
    assert made.pop("schema_migration") == ["name", "version"]
    assert made == {name: sorted(columns) for name, columns in _declared().items()}


def test_the_migrations_make_the_declared_keys_types_and_indexes(catalog: Catalog) -> None:
    describe = _described_by_sqlite if isinstance(catalog.place, Path) else _described_by_postgresql
    for table in TABLES:
        columns, key, indexes = describe(catalog, table.name)
        assert key == table.key
        declared = {c.name: (c.type, c.required) for c in table.columns}
        assert {name: made for name, made in columns.items() if name in declared} == declared
        assert indexes == {index.name: index.columns for index in table.indexes}
        if table in VERSIONED:
            _, key, indexes = describe(catalog, table.history)
            assert key == (*table.key, "until_release")
            assert indexes == {index.name: index.columns for index in table.history_indexes}


Description = tuple[dict[str, tuple[str, bool]], tuple[str, ...], dict[str, tuple[str, ...]]]


def _described_by_sqlite(catalog: Catalog, table: str) -> Description:
    rows = catalog.execute(f'pragma table_info("{table}")').fetchall()
    names = catalog.execute(f"select name from pragma_index_list('{table}') where origin = 'c'").fetchall()
    return (
        # A key of a single number is the row id, which has a name of its own.
        {name: (type.lower().replace("integer", "bigint"), bool(required)) for _, name, type, required, _, _ in rows},
        tuple(name for _, name in sorted((place, name) for _, name, _, _, _, place in rows if place)),
        {name: tuple(row[2] for row in catalog.execute(f'pragma index_info("{name}")')) for (name,) in names},
    )


def _described_by_postgresql(catalog: Catalog, table: str) -> Description:
    rows = catalog.execute(
        "select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, c.collname::text "
        "from pg_attribute a left join pg_collation c on c.oid = a.attcollation "
        "where a.attrelid = to_regclass(?) and a.attnum > 0",
        (f'"{table}"',),
    ).fetchall()
    assert all(collation == "C" for _, type, _, collation in rows if type == "text")
    indexes = catalog.execute(
        "select c.relname::text, i.indisprimary, a.attname::text from pg_index i "
        "join pg_class c on c.oid = i.indexrelid join pg_attribute a on a.attrelid = i.indexrelid "
        "where i.indrelid = to_regclass(?) order by 1, a.attnum",
        (f'"{table}"',),
    ).fetchall()
    found = {name: tuple(c for n, _, c in indexes if n == name) for name, primary, _ in indexes if not primary}
    return (
        {name: (type.replace("bytea", "blob"), required) for name, type, required, _ in rows},
        tuple(column for _, primary, column in indexes if primary),
        found,
    )


def test_every_table_and_column_is_documented_and_nothing_else() -> None:
    documented: dict[str, list[str]] = {}
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = section.splitlines()[0].strip("` ")
        documented[name] = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert documented == {table.name: list(table.column_names) for table in TABLES}


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    for _ in range(2):
        with open_catalog(tmp_path / "c.db") as catalog:
            assert schema_version(catalog) == max(migrations())
            assert migrate(catalog) == max(migrations())


# What programs before the second migration made with the first decision.
EARLIER_EVENT_TABLE = """
create table decision_event (event_id bigint not null, decision_id bigint not null, event text not null,
    at text not null, actor text not null, role text not null, note text, previous_hash text, hash text not null,
    primary key (event_id)) without rowid;
create trigger decision_event_refuses_update before update on decision_event
    begin select raise(abort, 'decision_event is never rewritten'); end;
insert into decision_event values (1, 1, 'proposed', '2025', 'a', 'r', null, null, 'h');
"""


@pytest.mark.parametrize("decided", [False, True])
def test_a_store_of_the_first_schema_is_migrated_and_keeps_its_decisions(decided: bool, tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table schema_migration (version bigint not null primary key, name text not null)")
        for statement in schema_statements(migrations()[1][1]):
            connection.execute(statement)
        connection.execute("insert into schema_migration values (1, 'first')")
        if decided:
            connection.executescript(EARLIER_EVENT_TABLE)
    connection.close()
    with pytest.raises(CatalogError, match=f"schema 1, expected {max(migrations())}"):
        open_catalog(path, read_only=True)
    with open_catalog(path) as catalog:
        assert schema_version(catalog) == max(migrations())
        assert catalog.row("select count(*) from decision_event") == (int(decided),)
        assert catalog.row("select count(*) from forgetting") == (0,)
        (guards,) = catalog.row("select count(*) from sqlite_master where type = 'trigger'") or (0,)
        assert guards == 2 * len(UNALTERABLE)
    with open_catalog(path, read_only=True) as catalog:
        assert schema_version(catalog) == max(migrations())


def test_a_catalog_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with open_catalog(tmp_path / "c.db") as catalog:
        catalog.execute("insert into schema_migration values (999, 'later')")
    for read_only in (True, False):
        with pytest.raises(CatalogError, match="newer than this program"):
            open_catalog(tmp_path / "c.db", read_only=read_only)


def test_files_that_are_no_catalog_are_refused_and_untouched(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes("不是数据库".encode() * 500)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("create table theirs (x)")
    connection.close()
    for path in (text, other):
        with pytest.raises(CatalogError, match="catalog"):
            open_catalog(path)
    assert text.read_bytes() == "不是数据库".encode() * 500
    with pytest.raises(CatalogError, match="publish a release first"):
        open_catalog(tmp_path / "absent.db", read_only=True)
    assert not (tmp_path / "absent.db").exists()


def test_a_read_only_catalog_cannot_be_written(tmp_path: Path) -> None:
    open_catalog(tmp_path / "c.db").close()
    with open_catalog(tmp_path / "c.db", read_only=True) as catalog, pytest.raises(sqlite3.OperationalError):
        catalog.execute("insert into api_token (token_hash, name, role, created_at) values ('h', 'n', 'r', 't')")


def test_a_store_with_lookup_tables_of_rows_is_migrated_and_waits_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table schema_migration (version bigint not null primary key, name text not null)")
        for number in range(1, 7):
            for statement in schema_statements(migrations()[number][1]):
                connection.execute(statement)
            connection.execute("insert into schema_migration values (?, ?)", (number, "m"))
        connection.execute("insert into lookup_key values ('NP', 1, 0, 1)")
        connection.execute("insert into lookup_profile values ('NP', 1, 1, 'NP0000000018', '张三')")
        connection.execute("insert into lookup_model values ('NP', '{}', '{}', 'rules', 'f')")
    connection.close()
    with open_catalog(path) as catalog:
        assert schema_version(catalog) == max(migrations())
        assert not holds_lookup(catalog, "natural_person")
        assert {"lookup_key", "lookup_profile"}.isdisjoint(catalog.connection.tables())
        for table in LOOKUP:
            assert catalog.row(f"select count(*) from {table.name}") == (0,)
