"""Thresholds chosen from labels: honest about what the labels can show, and never hiding bad pairs among easy ones."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from eval.calibration import (
    EDGE_ERROR,
    STEP,
    Calibration,
    PairCount,
    RuleCount,
    calibrate,
    pairs_needed,
    pool_adjacent,
    upper_bound,
)

sizes = st.integers(1, 50)


def simulated(
    pairs: int, *, overconfident: float = 0.0, seed: int = 1, auto: float = 8.0, review: float = 2.0
) -> list[PairCount]:
    """Return counts of random pairs whose weights are right, or too far from zero by a number of bits."""
    random = np.random.default_rng(seed)
    said = random.uniform(-15, 25, pairs)
    same = random.random(pairs) < 1 / (1 + 2.0 ** -(said - overconfident))
    expected = 1 / (1 + 2.0**-said)
    lows = np.floor(said / STEP) * STEP
    part = random.integers(0, 2, pairs)
    verdicts = np.where(said >= auto, "auto", np.where(said >= review, "review", "reject"))
    found: dict[tuple[int, float, str], list[float]] = {}
    for key, one, p in zip(
        zip(part.tolist(), lows.tolist(), verdicts.tolist(), strict=True), same, expected, strict=True
    ):
        row = found.setdefault(key, [0, 0, 0.0])
        row[0] += 1
        row[1] += bool(one)
        row[2] += float(p)
    return [PairCount(*key, int(n), int(m), p) for key, (n, m, p) in found.items()]


def calibrated(counts: list[PairCount], error: float = 0.001, review_share: float = 0.02) -> Calibration:
    return calibrate(counts, auto=8.0, review=2.0, error=error, review_share=review_share)


def row(low: float, pairs: int, false: int = 0, part: int = 0) -> PairCount:
    verdict = "auto" if low >= 8 else "review" if low >= 2 else "reject"
    return PairCount(part, low, verdict, pairs, pairs - false, pairs / (1 + 2.0**-low))


@given(st.lists(st.tuples(sizes, sizes), max_size=9))
def test_pooling_adjacent_violators_gives_the_isotonic_regression(parts: list[tuple[int, int]]) -> None:
    shares = [min(matches, pairs) / pairs for matches, pairs in parts]
    weights = [pairs for _, pairs in parts]

    def mean(first: int, last: int) -> float:
        inside = range(first, last + 1)
        return sum(shares[k] * weights[k] for k in inside) / sum(weights[k] for k in inside)

    n = len(parts)
    expected = [max(min(mean(a, b) for b in range(i, n)) for a in range(i + 1)) for i in range(n)]
    assert pool_adjacent(shares, weights) == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1), sizes), max_size=30))
def test_a_fit_rises_keeps_the_total_and_leaves_a_rising_sequence_alone(parts: list[tuple[float, int]]) -> None:
    shares, weights = [share for share, _ in parts], [size for _, size in parts]
    fitted = pool_adjacent(shares, weights)
    assert all(a <= b + 1e-12 for a, b in pairwise(fitted))
    assert np.dot(fitted, weights) == pytest.approx(np.dot(shares, weights))
    assert pool_adjacent(fitted, weights) == pytest.approx(fitted)


@given(st.integers(0, 40), st.integers(1, 4000))
def test_the_upper_bound_is_the_exact_one_of_the_binomial(errors: int, trials: int) -> None:
    bound = upper_bound(errors, trials)
    if errors >= trials:
        assert bound == 1
    else:
        assert binom.cdf(errors, trials, bound) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("errors", [0, 1, 5])
@pytest.mark.parametrize("share", [0.05, 0.001, 0.0005])
def test_as_many_pairs_as_are_said_to_be_needed_are_enough_and_few_less_are_not(errors: int, share: float) -> None:
    needed = pairs_needed(errors, share)
    assert upper_bound(errors, needed) <= share
    assert upper_bound(errors, int(needed * 0.9)) > share


def test_without_a_pair_nothing_is_known() -> None:
    assert upper_bound(0, 0) == 1
    empty = calibrated([])
    assert (empty.proposal, empty.proposed_review, empty.bins, empty.in_use.share) == (None, None, (), None)


@pytest.mark.parametrize("seed", range(5))
def test_a_threshold_chosen_on_right_weights_keeps_the_error_on_pairs_it_never_saw(seed: int) -> None:
    found = calibrated(simulated(60_000, seed=seed)).proposal
    assert found is not None
    fresh = [one for one in simulated(400_000, seed=1000 + seed) if one.low >= found.auto]
    pairs = sum(one.pairs for one in fresh)
    assert 1 - sum(one.matches for one in fresh) / pairs <= 0.001 * 1.1
    assert (found.holds == "refuted") == (found.checked.share is not None and found.checked.share > 0.001)


def test_weights_that_claim_too_much_get_a_higher_threshold() -> None:
    right, wrong = calibrated(simulated(60_000)), calibrated(simulated(60_000, overconfident=4.0))
    assert right.proposal is not None
    assert wrong.proposal is not None
    assert wrong.proposal.auto - right.proposal.auto == pytest.approx(4.0, abs=1.5)
    assert wrong.proposed_review is not None
    assert right.proposed_review is not None
    assert wrong.proposed_review - right.proposed_review == pytest.approx(4.0, abs=1.5)


def test_the_model_expects_the_errors_that_are_there_only_if_its_weights_are_right() -> None:
    for overconfident, factor in ((0.0, 1.0), (4.0, 8.0)):
        links = calibrated(simulated(400_000, overconfident=overconfident)).in_use
        assert links.share is not None
        assert links.expected is not None
        assert links.share / links.expected == pytest.approx(factor, rel=0.35) or links.share > 8 * links.expected


def test_too_few_labels_propose_nothing_and_say_how_many_are_needed() -> None:
    found = calibrated([row(20.0, 1000, part=part) for part in (0, 1)], error=0.0005)
    assert found.proposal is None
    assert found.needed == math.ceil(-math.log(0.05) / 0.0005)
    assert (found.available.pairs, found.available.false) == (1000, 0)
    assert found.asked_proposed.auto == found.auto


def test_a_few_bad_pairs_are_not_hidden_among_many_easy_ones_above() -> None:
    easy = [row(30.0, 100_000, part=part) for part in (0, 1)]
    hard = [row(3.0, 20, false=10, part=part) for part in (0, 1)]
    found = calibrated([*easy, *hard]).proposal
    assert found is not None
    assert found.auto == 30.0
    assert found.edge.false == 0


def test_a_threshold_that_the_other_half_contradicts_is_not_proposed() -> None:
    found = calibrated([row(10.0, 20_000), row(10.0, 20_000, false=200, part=1)])
    assert found.proposal is not None
    assert found.proposal.holds == "refuted"
    assert found.asked_proposed.auto == found.auto


def test_a_small_checking_half_neither_shows_nor_contradicts() -> None:
    found = calibrated([row(10.0, 20_000), row(10.0, 100, part=1)]).proposal
    assert found is not None
    assert found.holds == "kept"


def test_the_review_threshold_never_stands_above_the_automatic_one() -> None:
    found = calibrated([row(3.0, 4000, part=part) for part in (0, 1)] + [row(-3.0, 4000, false=4000)])
    assert found.proposal is not None
    assert found.asked_proposed.review <= found.asked_proposed.auto == 3.0


@settings(deadline=None)
@given(st.permutations(simulated(300, seed=3)))
def test_the_order_of_the_counts_changes_nothing(counts: list[PairCount]) -> None:
    assert calibrated(list(counts)) == calibrated(simulated(300, seed=3))


def test_the_bins_hold_every_pair_once() -> None:
    counts = simulated(5000)
    found = calibrated(counts)
    assert sum(one.pairs for one in found.bins) == found.pairs == 5000
    assert sum(one.matches for one in found.bins) == found.matches == sum(one.matches for one in counts)
    assert all(a.high <= b.low for a, b in pairwise(found.bins))
    by_verdict = Counter[str]()
    for one in counts:
        by_verdict[one.verdict] += one.pairs
    assert (found.in_use.pairs, found.asked.pairs) == (by_verdict["auto"], by_verdict["review"])


@pytest.mark.parametrize(("verdict", "errors"), [("auto", 3), ("reject", 7), ("review", None), ("conflict", None)])
def test_a_rule_errs_where_it_decides(verdict: str, errors: int | None) -> None:
    assert RuleCount("r", verdict, 10, 7).errors == errors


def test_the_band_above_a_proposed_threshold_is_shown_to_keep_its_own_bound() -> None:
    counts = simulated(100_000)
    found = calibrated(counts).proposal
    assert found is not None
    inside = [one for one in counts if one.part == 0 and found.auto <= one.low < found.auto + 2]
    pairs = sum(one.pairs for one in inside)
    assert upper_bound(pairs - sum(one.matches for one in inside), pairs) <= EDGE_ERROR
