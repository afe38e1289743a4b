"""Measure the organisation name parser on hand-segmented names.

Usage: python benchmarks/organization_parser.py SEGMENTED_JSONL [--json] [--errors N] [--half a|b]

Half a may be looked at when the vocabulary is made, half b is held out (the halves are drawn by a hash of the name).
Per part: share of names with the part exactly right, and the F1 of its spans. Place, brand and trade are compared as
texts; adjacent spans of one part are joined.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from pathlib import Path

from matchers.organization_parser import OrganizationParts, parse
from matchers.organization_places import read_region
from matchers.organization_text import clean

BRANCH = re.compile("(?:分公司|支公司|分行|支行|分店)$")
PARTS = ("place", "brand", "trade", "suffix")


def half_of(text: str) -> str:
    return "ab"[hashlib.sha256(text.encode()).digest()[-1] % 2]


def expected(row: dict[str, object]) -> dict[str, str]:
    label: dict[str, list[list[object]]] = row["label"]  # type: ignore[assignment]
    result = {}
    for part in PARTS:
        spans = sorted(label.get(part, []), key=lambda span: int(str(span[1])))
        joined = "".join(clean(str(span[0])) or "" for span in spans)
        result[part] = joined
    return result


def found(parts: OrganizationParts) -> dict[str, str]:
    steps = read_region(parts.branch_text)
    written = parts.place + parts.notes.place + (parts.branch_text[: steps[-1].end] if steps else "")
    branch = BRANCH.search(parts.branch_text)
    group = "集团" if parts.group else ""
    return {
        "place": written,
        "brand": parts.brand,
        "trade": parts.trade,
        "suffix": group + parts.form_text + parts.notes.kind_text + (branch[0] if branch else ""),
    }


def measure(rows: list[dict[str, object]]) -> tuple[dict[str, dict[str, float]], list[str]]:
    right = dict.fromkeys(PARTS, 0)
    predicted = dict.fromkeys(PARTS, 0)
    present = dict.fromkeys(PARTS, 0)
    hits = dict.fromkeys(PARTS, 0)
    errors = []
    for row in rows:
        text = str(row["text"])
        want, got = expected(row), found(parse(clean(text) or ""))
        for part in PARTS:
            right[part] += want[part] == got[part]
            predicted[part] += bool(got[part])
            present[part] += bool(want[part])
            hits[part] += bool(want[part]) and want[part] == got[part]
        if want != got:
            wrong = [part for part in PARTS if want[part] != got[part]]
            errors.append(text + "  " + "; ".join(f"{p}: {want[p] or '-'} / {got[p] or '-'}" for p in wrong))
    table = {
        part: {
            "exact": round(right[part] / len(rows), 4),
            "precision": round(hits[part] / max(1, predicted[part]), 4),
            "recall": round(hits[part] / max(1, present[part]), 4),
            "f1": round(2 * hits[part] / max(1, predicted[part] + present[part]), 4),
        }
        for part in PARTS
    }
    return table, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--half", choices=("a", "b"))
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.path.read_text(encoding="utf-8").splitlines() if line]
    halves = {"a": [], "b": [], "all": rows}
    for row in rows:
        halves[half_of(row["text"])].append(row)
    report: dict[str, object] = {}
    for name in [options.half] if options.half else ["a", "b", "all"]:
        table, errors = measure(halves[name])
        report[name] = {"names": len(halves[name]), "parts": table}
        if not options.json:
            print(f"half {name}: {len(halves[name])} names")
            for part, figures in table.items():
                print(f"  {part:8}" + "".join(f"{key} {value:.3f}  " for key, value in figures.items()))
            for line in errors[: options.errors]:
                print("    " + line)
    texts = [str(row["text"]) for row in rows]
    for text in texts:
        parse(clean(text) or "")
    start = time.perf_counter()
    for text in texts:
        parse(clean(text) or "")
    report["microseconds_per_name"] = round((time.perf_counter() - start) / len(texts) * 1e6, 1)
    print(json.dumps(report, ensure_ascii=False) if options.json else f"{report['microseconds_per_name']} µs a name")


if __name__ == "__main__":
    main()
