"""The shares of levels among random and labelled pairs are those that Splink estimates."""

from __future__ import annotations

import logging

import pytest
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.model.level_shares import labelled_shares, random_shares
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
    random = random_shares(con, config, "some_profiles", max_pairs=max_pairs, seed=SEED)
    labelled = labelled_shares(con, config, "some_profiles", label)
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
    for kind, shares in (("u_probability", random), ("m_probability", labelled)):
        assert shares == {place: level[kind] for place, level in estimated.items() if kind in level}
        assert len(shares) > 10
    con.execute("drop table some_profiles")


def test_no_profiles_have_no_pairs_and_no_shares(run: Linkage) -> None:
    run.con.execute(f"create or replace temp table no_profiles as from {quote(run.table('profiles'))} limit 0")
    assert random_shares(run.con, run.config, "no_profiles", max_pairs=1e6, seed=SEED) == {}
    assert labelled_shares(run.con, run.config, "no_profiles", run.config.training.label) == {}
    run.con.execute("drop table no_profiles")
