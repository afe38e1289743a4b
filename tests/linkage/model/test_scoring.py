"""Scoring comparison by comparison gives what Splink's own prediction of every pair gives."""

from __future__ import annotations

import logging

import pytest
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.database import count, only_row
from linkage.model.frequencies import make_frequencies
from linkage.model.outcomes import level_of_number, outcome_number
from linkage.model.parameters import splink_settings
from linkage.model.scoring import score
from linkage.pipeline import Linkage


def rescore(run: Linkage, pairs: str, out: str, frequencies: dict[str, str] | None = None) -> None:
    score(
        run.con,
        run.config,
        run.trained,
        profiles=run.table("profiles"),
        pairs=pairs,
        frequencies=frequencies or run.frequencies,
        out=out,
    )


def splinks_own(run: Linkage) -> str:
    """Return the table Splink makes when it compares and weighs every pair itself, in SQL."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    con, api = run.con, DuckDBAPI(connection=run.con)
    linker = Linker(
        api.register(con.table(run.table("profiles"))),
        splink_settings(run.config, run.trained),
        log_level=None,
        validate_settings=False,
    )
    for column, table in run.frequencies.items():
        linker.table_management.register_term_frequency_lookup(api.register(con.table(table)), column)
    con.execute(f"""
create or replace temp view every_pair as
select '0' as match_key, left_id as join_key_l, right_id as join_key_r
from {quote(run.table("scoring_pairs"))}""")
    linker.table_management.register_blocked_pairs_for_predict(api.register(con.table("every_pair")))
    return str(linker.inference.predict(warning_mode="never").physical_name)


def test_every_weight_and_probability_is_the_one_splink_predicts(run: Linkage) -> None:
    predicted = splinks_own(run)
    pairs, both, weight, probability = only_row(
        run.con,
        f"""
select
    (select count(*) from {quote(run.table("scored"))}),
    count(*),
    max(abs(s.match_weight - p.match_weight)),
    max(abs(s.match_probability - p.match_probability))
from {quote(run.table("scored"))} s
join {predicted} p on s.left_id = p.profile_id_l and s.right_id = p.profile_id_r""",
    )
    assert both == pairs == count(run.con, predicted) > 3_000
    assert weight < 1e-9
    assert probability < 1e-9


def test_every_outcome_is_the_level_whose_weight_splink_gave(run: Linkage) -> None:
    predicted = splinks_own(run)
    for name, levels in run.config.levels.items():
        rows = run.con.execute(f"""
select s.{quote("gamma_" + name)}, p.{quote("mw_" + name)}, count(*)
from {quote(run.table("scored"))} s
join {predicted} p on s.left_id = p.profile_id_l and s.right_id = p.profile_id_r
group by all""").fetchall()
        for number, weight, _ in rows:
            level = level_of_number(levels, number)
            expected = 0.0 if level.is_missing else run.trained.parameters(name, level.name).weight
            assert weight == pytest.approx(expected, abs=1e-9), (name, level.name)


def test_pairs_keep_the_rule_that_found_them(run: Linkage) -> None:
    pairs, scored = quote(run.table("scoring_pairs")), quote(run.table("scored"))
    columns = "left_id, right_id, rule, rules"
    lost = only_row(
        run.con, f"select count(*) from (select {columns} from {pairs} except select {columns} from {scored})"
    )
    assert lost == (0,)
    assert count(run.con, run.table("scored")) == count(run.con, run.table("scoring_pairs"))


def test_a_value_whose_frequency_is_not_known_adds_nothing(run: Linkage) -> None:
    empty = {}
    for column, table in run.frequencies.items():
        empty[column] = f"no_{table}"
        run.con.execute(f"create or replace temp table {quote(empty[column])} as from {quote(table)} limit 0")
    rescore(run, run.table("scoring_pairs"), "without_frequencies", empty)
    sums = " + ".join(
        "case "
        + f"{quote('gamma_' + name)} "
        + " ".join(
            f"when {outcome_number(levels, level.name)} then "
            + f"{0.0 if level.is_missing else run.trained.parameters(name, level.name).weight!r}"
            for level in levels
        )
        + " end"
        for name, levels in run.config.levels.items()
    )
    (difference,) = only_row(
        run.con, f"select max(abs(match_weight - ({run.trained.prior_weight!r} + {sums}))) from without_frequencies"
    )
    assert difference < 1e-9
    assert only_row(
        run.con,
        f"""
select count(*) > 500
from without_frequencies w
join {quote(run.table("scored"))} s using (left_id, right_id)
where abs(w.match_weight - s.match_weight) > 0.1""",
    ) == (True,)
    run.con.execute("drop table without_frequencies")


def test_no_pairs_give_an_empty_table_with_every_column(run: Linkage) -> None:
    run.con.execute(f"create or replace temp view no_pairs as from {quote(run.table('scoring_pairs'))} limit 0")
    rescore(run, "no_pairs", "nothing_scored")
    described = run.con.execute("describe nothing_scored").fetchall()
    assert described == run.con.execute(f"describe {quote(run.table('scored'))}").fetchall()
    assert count(run.con, "nothing_scored") == 0
    run.con.execute("drop table nothing_scored")


def test_few_pairs_score_as_they_do_among_many_and_nothing_is_left_behind(run: Linkage) -> None:
    before = run.con.execute("select table_name from duckdb_tables() union all select view_name from duckdb_views()")
    names = {row[0] for row in before.fetchall()}
    run.con.execute(
        f"create or replace temp view few_pairs as from {quote(run.table('scoring_pairs'))} where left_id % 7 = 0"
    )
    rescore(run, "few_pairs", "few_scored")
    different = only_row(
        run.con,
        f"""
select count(*)
from (from few_scored except from {quote(run.table("scored"))})""",
    )
    assert different == (0,)
    assert count(run.con, "few_scored") > 100
    run.con.execute("drop table few_scored")
    run.con.execute("drop view few_pairs")
    after = run.con.execute("select table_name from duckdb_tables() union all select view_name from duckdb_views()")
    assert {row[0] for row in after.fetchall() if not row[0].startswith("__splink")} <= names


@pytest.mark.parametrize("pairs", [1, 40])
def test_pairs_of_few_profiles_score_as_they_do_among_all(run: Linkage, pairs: int) -> None:
    run.con.execute(
        "create or replace temp view some_pairs as "
        f"from {quote(run.table('scoring_pairs'))} order by right_id limit {pairs}"
    )
    rescore(run, "some_pairs", "some_scored")
    scored = quote(run.table("scored"))
    assert only_row(run.con, f"select count(*) from (from some_scored except from {scored})") == (0,)
    assert count(run.con, "some_scored") == pairs
    run.con.execute("drop table some_scored")
    run.con.execute("drop view some_pairs")


def test_the_number_of_threads_changes_nothing(run: Linkage) -> None:
    run.con.execute("set threads = 3")
    try:
        rescore(run, run.table("scoring_pairs"), "scored_by_three")
    finally:
        run.con.execute("set threads = 1")
    scored = quote(run.table("scored"))
    assert only_row(run.con, f"select count(*) from (from scored_by_three except from {scored})") == (0,)
    run.con.execute("drop table scored_by_three")


def test_the_order_of_the_pairs_changes_nothing(run: Linkage) -> None:
    pairs, scored = quote(run.table("scoring_pairs")), quote(run.table("scored"))
    run.con.execute(f"create or replace temp table turned_pairs as from {pairs} order by right_id desc, left_id desc")
    rescore(run, "turned_pairs", "turned_scored")
    assert only_row(run.con, f"select count(*) from (from turned_scored except from {scored})") == (0,)
    assert count(run.con, "turned_scored") == count(run.con, run.table("scored"))
    run.con.execute("drop table turned_scored")
    run.con.execute("drop table turned_pairs")


def test_term_frequencies_are_made_for_the_columns_the_levels_name(run: Linkage) -> None:
    made = make_frequencies(run.con, run.config, run.trained, profiles=run.table("profiles"), prefix="counted_again")
    assert set(made) == set(run.frequencies)
    for column, table in made.items():
        assert run.con.execute(f"from {quote(table)} except from {quote(run.frequencies[column])}").fetchall() == []
        run.con.execute(f"drop table {quote(table)}")
