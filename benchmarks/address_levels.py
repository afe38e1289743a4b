"""How well the address levels rank graded pairs, beside plain text similarity.

    python benchmarks/address_levels.py PAIRS [--json FILE] [--worst N]

PAIRS is a tab-separated file without header: address, address, grade (0 different place, 1 partly the same, 2 same).
Every pair gets the level the comparison ends in; within a level pairs are ranked by text similarity. Levels are ordered
by their share of grade 2 on the first half of the addresses; figures are from the second half. Pairs of one left
address stay in one half.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import zlib
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from matchers.address import Address, levels, standardise
from matchers.levels import outcome

Floats = NDArray[np.float64]


def read(path: Path) -> tuple[list[str], list[str], NDArray[np.int64]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if len(r) == 3]
    return [r[0] for r in rows], [r[1] for r in rows], np.array([int(r[2]) for r in rows])


def auc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the chance that a positive scores above a negative, ties counting half."""
    order = np.sort(score[~positive])
    below = np.searchsorted(order, score[positive], side="left")
    upto = np.searchsorted(order, score[positive], side="right")
    return float((below + upto).sum() / 2 / (len(order) * positive.sum()))


def thresholds(score: Floats, grade: NDArray[np.int64]) -> tuple[float, float]:
    """Return the two cuts with the best three-way accuracy."""
    candidates = np.unique(np.quantile(score, np.linspace(0, 1, 201)))
    best, cuts = -1.0, (0.0, 0.0)
    for i, low in enumerate(candidates):
        for high in candidates[i:]:
            accuracy = float(np.mean((score >= low).astype(int) + (score >= high) == grade))
            if accuracy > best:
                best, cuts = accuracy, (float(low), float(high))
    return cuts


def evaluate(score: Floats, grade: NDArray[np.int64], fit: NDArray[np.bool_]) -> dict[str, float]:
    low, high = thresholds(score[fit], grade[fit])
    s, g = score[~fit], grade[~fit]
    extremes = g != 1
    return {
        "auc_same_against_different": round(auc(s[extremes], g[extremes] == 2), 4),
        "auc_same_or_partly_against_different": round(auc(s, g > 0), 4),
        "three_way_accuracy": round(float(np.mean((s >= low).astype(int) + (s >= high) == g)), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--worst", type=int, default=0, help="print this many pairs on the wrong side")
    args = parser.parse_args()
    left, right, grade = read(args.pairs)
    started = time.perf_counter()
    addresses = {text: standardise(text) for text in {*left, *right}}
    seconds = time.perf_counter() - started
    found, text_score = compare(addresses, left, right)
    fit = np.array([zlib.crc32(text.encode()) % 2 == 0 for text in left])
    names = [level.name for level in levels("a")]
    share = {
        n: np.mean(grade[fit & (found == n)] == 2) + np.mean(grade[fit & (found == n)] > 0)
        if (fit & (found == n)).any()
        else 0
        for n in names
    }
    rank = {n: i for i, n in enumerate(sorted(names, key=lambda n: share[n]))}
    score = np.array([rank[n] for n in found]) + text_score * 0.999
    table = {n: {str(g): int(((found == n) & (grade == g)).sum()) for g in (0, 1, 2)} for n in names}
    result = {
        "pairs": len(grade),
        "microseconds_per_address": round(seconds / len(addresses) * 1e6, 1),
        "levels": table,
        "figures": {
            "levels_then_text": evaluate(score, grade, fit),
            "text_only": evaluate(text_score, grade, fit),
        },
    }
    print(f"{'level':<26}{'different':>10}{'partly':>8}{'same':>8}")
    for name, row in table.items():
        print(f"{name:<26}{row['0']:>10}{row['1']:>8}{row['2']:>8}")
    for name, figures in result["figures"].items():  # type: ignore[attr-defined]
        print(name, figures)
    print(f"{result['microseconds_per_address']} µs per address, {Counter(grade.tolist())}")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if args.worst:
        worst(score, grade, found, left, right, args.worst)


def compare(addresses: dict[str, Address], left: list[str], right: list[str]) -> tuple[NDArray[np.str_], Floats]:
    rows = {t: {f"a_{k}": v for k, v in asdict(a).items()} for t, a in addresses.items()}
    ladder = levels("a")
    found = np.array([outcome(ladder, rows[a], rows[b]).name for a, b in zip(left, right, strict=True)])
    text = np.array([fuzz.ratio(a, b) / 100 for a, b in zip(left, right, strict=True)])
    return found, text


def worst(
    score: Floats, grade: NDArray[np.int64], found: NDArray[np.str_], left: list[str], right: list[str], count: int
) -> None:
    different = np.flatnonzero(grade == 0)
    same = np.flatnonzero(grade == 2)
    for name, chosen in (
        ("different but ranked high", different[np.argsort(-score[different], kind="stable")][:count]),
        ("same but ranked low", same[np.argsort(score[same], kind="stable")][:count]),
    ):
        print(f"\n{name}")
        for i in chosen:
            print(f"  {found[i]}\n    {left[i]}\n    {right[i]}")


if __name__ == "__main__":
    main()
