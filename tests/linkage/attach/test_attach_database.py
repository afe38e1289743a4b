"""Credit rows of a PostgreSQL table come out as those of a file do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from postgresql_server import Server
from small_district import Guiyi, ask, rows_of

from golden_records.catalog.place import DatabaseUrl
from linkage.workspace import Workspace

_TABLE = """
create schema credit;
create table credit."处罚" (
    "处罚编号" int8, uscc text, "当事人" varchar(200), "金额" numeric(12, 2), "决定日期" date, "备注" jsonb,
    "标签" text[]
);
grant usage on schema credit to guiyi;
grant select on all tables in schema credit to guiyi"""


@pytest.fixture
def penalties(make_database: Callable[..., DatabaseUrl], postgresql_server: Server, first_month: Workspace) -> str:
    """The URL of a database with a table of penalties of five firms and a stranger."""
    url = str(make_database(template=None))
    database = url.partition("@/")[2].partition("?")[0]
    firms = ask(first_month.catalog, "select uscc, name from legal_person where uscc is not null order by 1 limit 5")
    postgresql_server.ask(database, _TABLE)
    rows = ", ".join(
        f"({number}, '{code}', '{name}', 1234.50, '2025-01-31', '{{}}', '{{a,b}}')"
        for number, (code, name) in enumerate([*firms, ("91440300MA5KPW5G0T", "某某")])
    )
    postgresql_server.ask(database, f'insert into credit."处罚" values {rows}')
    return url


def test_a_table_is_attached_as_a_file_is(guiyi: Guiyi, first_month: Workspace, penalties: str, tmp_path: Path) -> None:
    said = ("--output", tmp_path / "out", "--column", "name=当事人", "--item", "LP-PENALTY-001", "--json")
    ended = guiyi("attach", first_month.root, f"{penalties}#credit.处罚", *said)
    assert ended.code == 0, ended.err
    assert ended.data["by_status"]["matched"] == 5
    assert ended.data["by_reason"]["unknown_identifier"] == 1
    made = [row for path in (tmp_path / "out").glob("attach_status=*/*.parquet") for row in rows_of(path)]
    assert sorted(int(row["处罚编号"]) for row in made) == list(range(6))
    assert {(str(r["金额"]), str(r["决定日期"])[:10], r["备注"], r["标签"]) for r in made} == {
        ("1234.50", "2025-01-31", "{}", "{a,b}")
    }


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{url}", "no table is named"),
        ("{url}#nothing", "no table 'nothing'"),
        ("{url}#credit.处罚; drop table 处罚", "no table"),
        ("{url}#test.credit.处罚", "no table is named"),
        ("{url}#pg_catalog.pg_foreign_table", "has no rows"),
        ("{url}#pg_catalog.pg_authid", "lacks a right"),
        ("postgresql://guiyi:geheim@127.0.0.1:{port}/postgres#t", "password or the user's name is wrong"),
        ("postgresql://guiyi@127.0.0.1:1/credit#t", "no server answers there"),
        ("postgresql://a@b@c/credit#t", "cannot be told apart"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    place: str,
    said: str,
    guiyi: Guiyi,
    first_month: Workspace,
    penalties: str,
    postgresql_server: Server,
    tmp_path: Path,
) -> None:
    named = place.format(url=penalties, port=postgresql_server.port)
    ended = guiyi("attach", first_month.root, named, "--output", tmp_path / "out")
    assert ended.code == 1
    assert said in ended.err
    assert "geheim" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
