"""Term frequencies: counted, smoothed, kept in a file; a value never seen is rarer than any seen."""

from __future__ import annotations

from pathlib import Path

from linkage.database import only_row
from linkage.model.frequencies import load_frequencies, make_frequencies, save_frequencies
from linkage.model.parameters import term_frequency_columns
from linkage.pipeline import Linkage


def test_a_table_holds_every_value_once_and_one_row_for_those_never_seen(run: Linkage) -> None:
    for column, table in run.frequencies.items():
        rows, values, unseen = only_row(
            run.con,
            f'select count(*), count(distinct "{column}"), count(*) filter ("{column}" is null) from "{table}"',
        )
        assert rows == values + unseen
        (known,) = only_row(run.con, f'select count(distinct "{column}") from "{run.table("profiles")}"')
        assert (values, unseen) == (known, 1 if known else 0)


def test_a_value_never_seen_is_as_rare_as_one_seen_once(linked: dict[str, Linkage]) -> None:
    run = linked["natural_person"]
    once = f"""
select any_value(name_key)
from (select name_key from "{run.table("profiles")}" where name_key is not null group by 1 having count(*) = 1)"""
    table = run.frequencies["name_key"]
    frequency = f'select tf_name_key from "{table}" where'
    assert only_row(run.con, f"{frequency} name_key is null") == only_row(run.con, f"{frequency} name_key = ({once})")


def test_a_file_gives_back_the_tables(run: Linkage, tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    save_frequencies(run.con, run.frequencies, path)
    loaded = load_frequencies(run.con, run.config, path, prefix="loaded")
    assert set(loaded) == set(term_frequency_columns(run.config)) == set(run.frequencies)
    for column, table in loaded.items():
        other = run.frequencies[column]
        difference = f'select count(*) from (from "{table}" except all from "{other}")'
        assert only_row(run.con, difference) == (0,)
        assert only_row(run.con, f'select count(*) from "{table}"') == only_row(
            run.con, f'select count(*) from "{other}"'
        )
        run.con.execute(f'drop table "{table}"')


def test_a_file_of_other_columns_is_not_used(run: Linkage, tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    some = dict(list(run.frequencies.items())[:1])
    save_frequencies(run.con, some, path)
    assert load_frequencies(run.con, run.config, path, prefix="loaded") == {}


def test_no_values_at_all_make_empty_tables(run: Linkage) -> None:
    run.con.execute(f'create or replace temp table nobody as from "{run.table("profiles")}" limit 0')
    tables = make_frequencies(run.con, run.config, run.trained, profiles="nobody", prefix="none")
    for table in tables.values():
        assert only_row(run.con, f'select count(*) from "{table}"') == (0,)
        run.con.execute(f'drop table "{table}"')
