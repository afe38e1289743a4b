"""Connections to a batch database: what is written when, and where tables are made."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from linkage.database import connect, count, in_memory


def test_a_database_is_put_in_order_at_its_end_and_not_after_each_table(tmp_path: Path) -> None:
    path = tmp_path / "batch.partial.duckdb"
    with connect(path) as con:
        con.execute("checkpoint")
        before = path.stat().st_size
        for number in range(3):
            con.execute(f"create table made_{number} as select md5(range::varchar) as text from range(100000)")
        assert path.stat().st_size == before
    assert not path.with_name(path.name + ".wal").exists()
    with duckdb.connect(str(path), read_only=True) as read:
        assert read.execute("select count(*) from made_2").fetchall() == [(100_000,)]


def test_tables_made_in_memory_are_found_by_their_names_and_are_not_left(tmp_path: Path) -> None:
    path = tmp_path / "batch.duckdb"
    with connect(path) as con:
        con.execute("create table kept as select 1 as number")
        with in_memory(con):
            con.execute("create table working as select * from kept")
            with in_memory(con):
                con.execute("create table inner_one as select * from working")
            con.execute("create table second as select * from inner_one")
        con.execute("insert into kept select number + 1 from second")
        con.execute("create table kept_too as select * from kept")
        assert [count(con, name) for name in ("working", "inner_one", "second", "kept_too")] == [1, 1, 1, 2]
    with duckdb.connect(str(path), read_only=True) as read:
        tables = read.execute("select table_name from duckdb_tables() order by 1").fetchall()
    assert tables == [("kept",), ("kept_too",)]


def test_after_an_error_tables_are_made_in_the_database_again(tmp_path: Path) -> None:
    with connect(tmp_path / "batch.duckdb") as con:
        with pytest.raises(duckdb.Error), in_memory(con):
            con.execute("select * from nowhere")
        con.execute("create table kept as select 1 as number")
        found = con.execute("select database_name from duckdb_tables() where table_name = 'kept'").fetchall()
    assert found == [("batch",)]


def test_a_connection_in_memory_makes_every_table_there() -> None:
    with connect() as con, in_memory(con):
        con.execute("create table made as select 1 as number")
        assert count(con, "made") == 1
