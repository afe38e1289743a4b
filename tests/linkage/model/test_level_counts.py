"""The shares of levels among random and labelled pairs are those that Splink estimates."""

from __future__ import annotations

import logging

import pytest
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.model.level_counts import count_labelled, count_random, share
from linkage.model.parameters import splink_settings
from linkage.pipeline import Linkage

SEED = 5


@pytest.mark.parametrize("max_pairs", [1e3, 2e5, 1e12])
def test_the_share_of_every_level_is_what_splink_estimates(run: Linkage, max_pairs: float) -> None:
    logging.getLogger("splink").setLevel(logging.ERROR)
    con, config, label = run.con, run.config, run.config.training.label
    con.execute(f"""
create or replace temp table some_profiles as
select *
from {quote(run.table("profiles"))}
order by profile_id
limit {1_000 if max_pairs > 1e6 else 100_000}""")
    con.execute(f"create or replace temp table labels as select profile_id, {quote(label)} as label from some_profiles")
    random = count_random(con, config, "some_profiles", max_pairs=max_pairs, seed=SEED)
    labelled = count_labelled(con, config, "some_profiles", "labels")
    linker = Linker(
        DuckDBAPI(connection=con).register(con.table("some_profiles")),
        splink_settings(config, None),
        log_level=None,
        validate_settings=False,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=max_pairs, seed=SEED)
    linker.training.estimate_m_from_label_column(label)
    estimated = {
        (comparison["output_column_name"], level["label_for_charts"]): level
        for comparison in linker.misc.save_model_to_json()["comparisons"]
        for level in comparison["comparison_levels"]
    }
    for kind, counts in (("u_probability", random), ("m_probability", labelled)):
        shares = {place: share(counts, *place) for place in estimated}
        assert shares == {place: level.get(kind) for place, level in estimated.items()}
        assert len(set(shares.values())) > 10
    con.execute("drop table some_profiles")
    con.execute("drop table labels")


def test_no_profiles_have_no_pairs_to_count(run: Linkage) -> None:
    run.con.execute(f"create or replace temp table no_profiles as from {quote(run.table('profiles'))} limit 0")
    run.con.execute("create or replace temp table no_labels as select 1::bigint as profile_id, '' as label limit 0")
    nothing: dict[str, dict[str, int]] = {name: {} for name in run.config.levels}
    assert count_random(run.con, run.config, "no_profiles", max_pairs=1e6, seed=SEED) == nothing
    assert count_labelled(run.con, run.config, "no_profiles", "no_labels") == nothing
    run.con.execute("drop table no_profiles")
    run.con.execute("drop table no_labels")
