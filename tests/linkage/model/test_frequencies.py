"""Term frequencies: counted, smoothed, kept in a file; a value never seen is rarer than any seen."""

from __future__ import annotations

from pathlib import Path

from linkage.database import count, only_row
from linkage.model.frequencies import lacks_values, load_frequencies, make_frequencies, save_frequencies
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


def same(run: Linkage, one: str, other: str) -> bool:
    return all(
        only_row(run.con, f'select count(*) from (from "{a}" except all from "{b}")') == (0,)
        for a, b in ((one, other), (other, one))
    )


def test_a_file_gives_back_the_tables_that_have_values(run: Linkage, tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    save_frequencies(run.con, run.frequencies, path)
    loaded = load_frequencies(run.con, run.config, path, prefix="loaded")
    filled = {column for column, table in run.frequencies.items() if count(run.con, table)}
    assert set(loaded) == filled <= set(term_frequency_columns(run.config)) == set(run.frequencies)
    for column, table in loaded.items():
        assert same(run, table, run.frequencies[column])
        run.con.execute(f'drop table "{table}"')


def test_a_column_that_was_empty_is_counted_once_it_has_values_and_the_others_stay(
    run: Linkage, tmp_path: Path
) -> None:
    path = tmp_path / "some.parquet"
    assert lacks_values(run.con, run.frequencies, path)
    first = min(column for column, table in run.frequencies.items() if count(run.con, table))
    save_frequencies(run.con, {first: run.frequencies[first]}, path)
    loaded = load_frequencies(run.con, run.config, path, prefix="loaded")
    assert set(loaded) == {first}
    assert not lacks_values(run.con, loaded, path)
    assert lacks_values(run.con, run.frequencies, path)
    counted = make_frequencies(
        run.con, run.config, run.trained, profiles=run.table("profiles"), prefix="loaded", known=loaded
    )
    assert set(counted) == set(run.frequencies) - {first}
    assert all(same(run, table, run.frequencies[column]) for column, table in counted.items())
    for table in (*loaded.values(), *counted.values()):
        run.con.execute(f'drop table "{table}"')


def test_no_values_at_all_make_empty_tables(run: Linkage) -> None:
    run.con.execute(f'create or replace temp table nobody as from "{run.table("profiles")}" limit 0')
    tables = make_frequencies(run.con, run.config, run.trained, profiles="nobody", prefix="none")
    for table in tables.values():
        assert only_row(run.con, f'select count(*) from "{table}"') == (0,)
        run.con.execute(f'drop table "{table}"')
