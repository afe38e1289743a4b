"""Do match weights mean what they say, and which threshold keeps the errors below a stated share?

In: counts of labelled pairs that the score decided, by match weight, split in two halves of the entities. Out: a
`Calibration`: what share of the pairs is true at each weight, the errors at the thresholds in use, and thresholds
proposed. The automatic threshold is chosen on one half and checked on the other, since a threshold that was chosen for
showing few errors would otherwise be judged by the errors it was chosen for.

A threshold is proposed only if the labels can show its error: of n pairs without a single error, no better than 3/n
can be said (the rule of three). The bound used is the exact one-sided 95 % bound of Clopper and Pearson (1934), of
which that is the case without errors; intervals shown are Wilson's. The weight that belongs to a share of true pairs is
read from a rising step function, fitted by pooling adjacent violators (Ayer et al. 1955).

Invariant: the pairs of all bins of a half are the labelled pairs of that half; a proposed threshold is a bin's edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.special import betaincinv, gammaincinv

from eval.metrics import Interval, wilson

STEP = 0.25
"""Width of the bins that thresholds are chosen on, in units of match weight."""

BAND = 2.0
"""Width of the bins shown, and of the band just above a threshold whose errors are shown apart."""

EDGE_ERROR = 0.02
"""Upper bound allowed for the share of false pairs in the band just above a proposed threshold: a few bad pairs there
would vanish among the many easy links above."""

_SHOWN_UP_TO = 20.0

CONFIDENCE = 0.95


@dataclass(frozen=True)
class PairCount:
    """Labelled pairs of one bin that the score gave one verdict.

    Attributes:
        part: 0 for the half that thresholds are chosen on, 1 for the half they are checked on.
        low: lower edge of the bin, a multiple of `STEP`.
        verdict: `auto`, `review` or `reject`, at the thresholds in use.
        pairs: how many.
        matches: of these, how many are one entity.
        expected: the sum of their predicted probabilities.
    """

    part: int
    low: float
    verdict: str
    pairs: int
    matches: int
    expected: float


@dataclass(frozen=True)
class Links:
    """Labelled pairs that a threshold links, and how many of them are false.

    Attributes:
        pairs: how many.
        false: of these, two entities.
        share: false / pairs; None without pairs.
        interval: its 95 % Wilson interval.
        bound: one-sided 95 % upper bound of the share.
        expected: the share that the model's own probabilities predict.
    """

    pairs: int
    false: int
    share: float | None
    interval: Interval | None
    bound: float
    expected: float | None


@dataclass(frozen=True)
class WeightBin:
    """Labelled pairs of about one weight.

    Attributes:
        low: lower edge.
        high: upper edge.
        pairs: how many.
        matches: of these, one entity.
        share: matches / pairs.
        interval: its 95 % Wilson interval.
        predicted: mean probability that the model gives.
        calibrated: mean probability by the rising step function fitted to the labels.
    """

    low: float
    high: float
    pairs: int
    matches: int
    share: float
    interval: Interval
    predicted: float
    calibrated: float


@dataclass(frozen=True)
class RuleCount:
    """Labelled pairs that a hard rule decided.

    Attributes:
        rule: its name.
        verdict: what it does.
        pairs: how many.
        matches: of these, one entity.
    """

    rule: str
    verdict: str
    pairs: int
    matches: int

    @property
    def errors(self) -> int | None:
        """Pairs decided wrongly: linked though two entities, or rejected though one; None where a person decides."""
        return {"auto": self.pairs - self.matches, "reject": self.matches}.get(self.verdict)


@dataclass(frozen=True)
class Proposal:
    """An automatic threshold that the choosing half supports.

    Attributes:
        auto: the threshold.
        chosen: its links in the half it was chosen on.
        checked: its links in the other half.
        edge: links of both halves in the band just above it.
        holds: `shown` if the other half shows the error too, `kept` if it does not contradict it, `refuted` if its
            share of errors is above what was asked.
    """

    auto: float
    chosen: Links
    checked: Links
    edge: Links
    holds: str


@dataclass(frozen=True)
class Asked:
    """Labelled pairs between two thresholds, which a person is asked about.

    Attributes:
        review: the lower threshold.
        auto: the upper one.
        pairs: how many.
        matches: of these, one entity.
        interval: 95 % Wilson interval of that share.
    """

    review: float
    auto: float
    pairs: int
    matches: int
    interval: Interval | None


@dataclass(frozen=True)
class Calibration:
    """What labelled pairs say about weights and thresholds.

    Attributes:
        error: share of false links asked for.
        review_share: share of true pairs from which a pair is worth a person's time.
        auto: automatic threshold in use.
        review: review threshold in use.
        pairs: labelled pairs that the score decided.
        matches: of these, one entity.
        in_use: links at the automatic threshold in use.
        in_use_edge: of these, in the band just above it.
        bins: pairs by weight.
        proposal: automatic threshold that keeps the error, or None if the labels cannot show one.
        needed: labelled links without a false one that each half needs to show the error (the rule of three).
        available: labelled links of the choosing half, at the weight with the best bound.
        proposed_review: lowest weight at which the share of true pairs reaches `review_share`; None if none does.
        asked: pairs between the thresholds in use.
        asked_proposed: pairs between the thresholds proposed, of which those not proposed stay as they are.
    """

    error: float
    review_share: float
    auto: float
    review: float
    pairs: int
    matches: int
    in_use: Links
    in_use_edge: Links
    bins: tuple[WeightBin, ...]
    proposal: Proposal | None
    needed: int
    available: Links
    proposed_review: float | None
    asked: Asked
    asked_proposed: Asked


def calibrate(
    counts: Iterable[PairCount], *, auto: float, review: float, error: float, review_share: float
) -> Calibration:
    """Compare weights with labels, and choose thresholds.

    Args:
        counts: labelled pairs that the score decided.
        auto: automatic threshold in use.
        review: review threshold in use.
        error: share of false pairs among automatic links that is not to be exceeded, above 0.
        review_share: share of true pairs from which a person is asked, above 0.
    """
    rows = sorted(counts, key=lambda row: (row.low, row.part, row.verdict))
    halves = [[row for row in rows if row.part == part] for part in (0, 1)]
    linked = [row for row in rows if row.verdict == "auto"]
    fitted = _fitted(rows)
    candidates = [(low, links_of(_from(halves[0], low))) for low in sorted({row.low for row in halves[0]})]
    proposal = _proposal(rows, halves, candidates, error)
    reached = next((low for low in sorted(fitted) if fitted[low] >= review_share), None)
    new_auto = proposal.auto if proposal is not None and proposal.holds != "refuted" else auto
    new_review = min(new_auto, review if reached is None else reached)
    best = min((found for _, found in candidates), key=lambda found: found.bound, default=links_of([]))
    return Calibration(
        error=error,
        review_share=review_share,
        auto=auto,
        review=review,
        pairs=sum(row.pairs for row in rows),
        matches=sum(row.matches for row in rows),
        in_use=links_of(linked),
        in_use_edge=links_of([row for row in linked if row.low < auto + BAND]),
        bins=tuple(_shown(rows, fitted)),
        proposal=proposal,
        needed=pairs_needed(0, error),
        available=best,
        proposed_review=reached,
        asked=_asked([row for row in rows if row.verdict == "review"], review, auto),
        asked_proposed=_asked([row for row in rows if new_review <= row.low < new_auto], new_review, new_auto),
    )


def links_of(rows: Sequence[PairCount]) -> Links:
    """Return the links that pairs would be, were all of them linked."""
    pairs = sum(row.pairs for row in rows)
    false = pairs - sum(row.matches for row in rows)
    expected = max(0.0, pairs - math.fsum(row.expected for row in rows)) / pairs if pairs else None
    share = false / pairs if pairs else None
    return Links(pairs, false, share, wilson(false, pairs), upper_bound(false, pairs), expected)


def upper_bound(errors: int, trials: int) -> float:
    """Return the exact one-sided 95 % upper bound of a share; 1 without trials.

    >>> round(upper_bound(0, 6000), 6)
    0.000499
    """
    return 1.0 if errors >= trials else float(betaincinv(errors + 1, trials - errors, CONFIDENCE))


def pairs_needed(errors: int, share: float) -> int:
    """Return about how many pairs must be labelled, with this many errors among them, to bound their share.

    Without errors this is the rule of three.

    >>> pairs_needed(0, 0.001), pairs_needed(2, 0.001)
    (2996, 6296)
    """
    return math.ceil(float(gammaincinv(errors + 1, CONFIDENCE)) / share)


def pool_adjacent(shares: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return the rising sequence nearest to the shares in least squares, each weighed by its size.

    >>> pool_adjacent([0.0, 0.5, 0.25, 1.0], [4, 1, 1, 4])
    [0.0, 0.375, 0.375, 1.0]
    """
    pools: list[tuple[float, float, int]] = []
    for share, size in zip(shares, sizes, strict=True):
        total, weight, length = share * size, float(size), 1
        while pools and pools[-1][0] * weight >= total * pools[-1][1]:
            before = pools.pop()
            total, weight, length = total + before[0], weight + before[1], length + before[2]
        pools.append((total, weight, length))
    return [total / weight for total, weight, length in pools for _ in range(length)]


def _asked(rows: Sequence[PairCount], review: float, auto: float) -> Asked:
    pairs, matches = sum(row.pairs for row in rows), sum(row.matches for row in rows)
    return Asked(review, auto, pairs, matches, wilson(matches, pairs))


def _from(rows: Sequence[PairCount], low: float) -> list[PairCount]:
    return [row for row in rows if row.low >= low]


def _fitted(rows: Sequence[PairCount]) -> dict[float, float]:
    """Return the fitted share of true pairs for each bin that has pairs."""
    pairs: dict[float, int] = {}
    matches: dict[float, int] = {}
    for row in rows:
        pairs[row.low] = pairs.get(row.low, 0) + row.pairs
        matches[row.low] = matches.get(row.low, 0) + row.matches
    lows = sorted(low for low in pairs if pairs[low])
    fitted = pool_adjacent([matches[low] / pairs[low] for low in lows], [pairs[low] for low in lows])
    return dict(zip(lows, fitted, strict=True))


def _proposal(
    rows: Sequence[PairCount],
    halves: Sequence[Sequence[PairCount]],
    candidates: Sequence[tuple[float, Links]],
    error: float,
) -> Proposal | None:
    for low, chosen in candidates:
        edge = links_of([row for row in rows if low <= row.low < low + BAND])
        own_edge = links_of([row for row in halves[0] if low <= row.low < low + BAND])
        if chosen.bound > error or own_edge.bound > EDGE_ERROR:
            continue
        checked = links_of(_from(halves[1], low))
        holds = "refuted" if (checked.share or 0.0) > error else "shown" if checked.bound <= error else "kept"
        return Proposal(low, chosen, checked, edge, holds)
    return None


def _shown(rows: Sequence[PairCount], fitted: dict[float, float]) -> Iterable[WeightBin]:
    for low in sorted({_band(row.low) for row in rows if row.pairs}):
        inside = [row for row in rows if _band(row.low) == low]
        pairs, matches = sum(row.pairs for row in inside), sum(row.matches for row in inside)
        interval = wilson(matches, pairs)
        assert interval is not None
        yield WeightBin(
            low=min(low, *(row.low for row in inside)),
            high=max(low + BAND, *(row.low + STEP for row in inside)),
            pairs=pairs,
            matches=matches,
            share=matches / pairs,
            interval=interval,
            predicted=min(1.0, math.fsum(row.expected for row in inside) / pairs),
            calibrated=min(1.0, math.fsum(fitted[row.low] * row.pairs for row in inside) / pairs),
        )


def _band(low: float) -> float:
    """Return the band of a weight; the outermost bands take all that lies beyond."""
    band = math.floor(low / BAND) * BAND
    return max(-_SHOWN_UP_TO - BAND, min(_SHOWN_UP_TO, band))
