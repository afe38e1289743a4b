"""Training: the order of evidence is kept, every weight tells its level, the same data gives the same model."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocking.sql import quote
from linkage.entity_config import EntityConfig
from linkage.model.parameters import LevelParameters, Model, base_model
from linkage.model.training import check_trained, label_pairs, make_sense, train
from linkage.pipeline import Linkage

NAMES = tuple("abcdefgh")
TOLERANCE = 1e-4
Rows = list[LevelParameters]


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[Rows, tuple[str, ...]]:
    size = draw(st.integers(1, len(NAMES)))
    probability = st.one_of(
        st.floats(1e-12, 1.0), st.sampled_from([1e-12, 1e-6, 0.5, 0.5 + 1e-8, 1.0]), st.floats(0.49, 0.51)
    )
    rows = [
        LevelParameters(level=name, m=draw(probability), u=draw(probability), m_from="labels", u_from="sample")
        for name in NAMES[:size]
    ]
    return rows, tuple(draw(st.sets(st.sampled_from(NAMES[:size]))))


@given(comparisons(), st.floats(1.0, 40.0))
def test_no_level_outweighs_a_better_one_except_those_against(case: tuple[Rows, tuple[str, ...]], bound: float) -> None:
    rows, against = case
    weights = [r.weight for r in make_sense(rows, against=against, bound=bound) if r.level not in against]
    assert all(better > worse - 1e-5 for better, worse in pairwise(weights))


@given(comparisons(), st.floats(1.0, 40.0))
def test_every_weight_is_bounded_distinct_and_not_zero(case: tuple[Rows, tuple[str, ...]], bound: float) -> None:
    rows, against = case
    made = make_sense(rows, against=against, bound=bound)
    weights = [r.weight for r in made]
    assert [r.level for r in made] == [r.level for r in rows]
    assert len(set(weights)) == len(weights)
    assert 0.0 not in weights
    assert all(abs(weight) <= bound + TOLERANCE for weight in weights)
    assert [r.u for r in made] == [r.u for r in rows]
    assert all(r.m <= 1 + TOLERANCE for r in made if r.level not in against)


@given(comparisons())
def test_a_level_against_never_counts_in_favour(case: tuple[Rows, tuple[str, ...]]) -> None:
    rows, against = case
    for made in make_sense(rows, against=against, bound=30.0):
        if made.level in against:
            assert made.weight < 0.0


@given(comparisons())
def test_making_sense_twice_changes_nothing_more(case: tuple[Rows, tuple[str, ...]]) -> None:
    rows, against = case
    once = make_sense(rows, against=against, bound=30.0)
    twice = make_sense(list(once), against=against, bound=30.0)
    assert [r.weight for r in twice] == pytest.approx([r.weight for r in once], abs=TOLERANCE)


def test_levels_in_order_keep_what_was_learned() -> None:
    rows = [
        LevelParameters(level="exact", m=0.8, u=0.001, m_from="labels", u_from="sample"),
        LevelParameters(level="near", m=0.15, u=0.01, m_from="em", u_from="smoothed"),
        LevelParameters(level="different", m=0.05, u=0.989, m_from="base", u_from="sample"),
    ]
    made = make_sense(rows, against=(), bound=30.0)
    assert [r.m for r in made] == pytest.approx([0.8, 0.15, 0.05])
    assert [(r.m_from, r.u_from) for r in made] == [(r.m_from, r.u_from) for r in rows]


def test_neighbours_out_of_order_are_pooled_and_say_so() -> None:
    rows = [
        LevelParameters(level="exact", m=0.2, u=0.1, m_from="labels", u_from="sample"),
        LevelParameters(level="near", m=0.7, u=0.1, m_from="labels", u_from="sample"),
        LevelParameters(level="different", m=0.1, u=0.8, m_from="labels", u_from="sample"),
    ]
    exact, near, different = make_sense(rows, against=(), bound=30.0)
    assert (exact.m_from, near.m_from, different.m_from) == ("pooled", "pooled", "labels")
    assert exact.weight == pytest.approx(near.weight, abs=TOLERANCE)
    assert exact.m + near.m == pytest.approx(0.9, abs=TOLERANCE)


def quick(run: Linkage) -> EntityConfig:
    """The configuration with a smaller random sample, for speed."""
    fewer = run.config.training.model_copy(update={"max_pairs": 2e5})
    return run.config.model_copy(update={"training": fewer})


@pytest.fixture(scope="module")
def trained(linked: dict[str, Linkage]) -> Model:
    run = linked["natural_person"]
    return train(run.con, quick(run), profiles=run.table("profiles"), base=base_model(run.config))


def test_training_twice_on_the_same_profiles_gives_the_same_model(linked: dict[str, Linkage], trained: Model) -> None:
    run = linked["natural_person"]
    con = run.con
    con.execute(f"create temp table shuffled as from {quote(run.table('profiles'))} order by md5(profile_id::varchar)")
    again = train(con, quick(run), profiles="shuffled", base=base_model(run.config))
    con.execute("drop table shuffled")
    assert again == trained


def test_a_model_trained_on_the_records_has_every_level_and_the_labels_it_saw(
    linked: dict[str, Linkage], trained: Model
) -> None:
    run = linked["natural_person"]
    assert trained.label_pairs == label_pairs(run.con, run.config, run.table("profiles")) > 100
    assert 0 < trained.prior < 0.01
    for name, levels in run.config.levels.items():
        assert [p.level for p in trained.comparisons[name]] == [v.name for v in levels if not v.is_missing]
        assert all(0 < p.m <= 1 and 0 < p.u <= 1 for p in trained.comparisons[name])


def test_levels_the_data_said_nothing_about_are_marked(linked: dict[str, Linkage], trained: Model) -> None:
    run = linked["natural_person"]
    marked = check_trained(trained, run.config)
    expected = {
        f"{name}.{p.level}"
        for name, rows in trained.comparisons.items()
        for p in rows
        if p.m_from == "base" or p.u_from == "smoothed"
    }
    assert set(marked) == expected
    assert "name.exact" not in marked


def test_training_on_records_without_labels_rests_on_the_base_and_says_so(linked: dict[str, Linkage]) -> None:
    run = linked["legal_person"]
    base = base_model(run.config)
    run.con.execute(
        f"create or replace temp table unlabelled as "
        f"select * replace (null::varchar as {quote(run.config.training.label)}) "
        f"from {quote(run.table('profiles'))} order by profile_id limit 150"
    )
    made = train(run.con, quick(run), profiles="unlabelled", base=base)
    assert made.label_pairs == 0
    compared = [(name, p) for name, rows in made.comparisons.items() for p in rows]
    blind = run.config.training.label_blind
    assert {p.m_from for name, p in compared if name not in blind} <= {"base", "pooled", "stands_for"}
    assert {f"{name}.{p.level}" for name, p in compared if p.m_from == "base"} <= set(check_trained(made, run.config))
    assert all(p.u > 0 and p.m > 0 for _, p in compared)


def test_a_value_that_too_many_share_is_no_label(linked: dict[str, Linkage]) -> None:
    run = linked["natural_person"]
    label = quote(run.config.training.label)
    shared = run.config.training.max_label_group
    con = run.con
    for size, pairs in ((2, 1), (shared, shared * (shared - 1) // 2), (shared + 1, 0)):
        con.execute(f"create or replace temp table labelled as select 'X' as {label} from range({size})")
        con.execute("insert into labelled select null from range(5)")
        assert label_pairs(con, run.config, "labelled") == pairs
