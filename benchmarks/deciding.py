"""What a decision costs at once: the command, and the same within a process that runs already, as at the review desk.

    python benchmarks/deciding.py [--entity natural_person] [--records 60000 200000] [--decisions 8] [--seed 7]

For each size a base of simulated records is loaded and released. Then entities of two to six records are ruled to be
two, one after another: by the command, with the start of Python; and in one process, split into phases. Beside the
seconds of the wall clock stand those of the processor, which other work on the machine changes little; of each the
median over the decisions, the first one in the process aside, which still loads modules. Writes
`benchmarks/results/deciding_<entity>.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from increment import guiyi, make_files, make_workspace, pairs_to_part

import linkage.at_once.resolve
import linkage.commands.decide
from linkage.commands.console import Console
from linkage.commands.decide import DecideRequest, record_decision
from linkage.workspace import Workspace, open_workspace

RESULTS = Path(__file__).parent / "results"
# Phase → what is timed: module, function. One that runs within another counts for itself alone.
PHASES: dict[str, tuple[Any, str]] = {
    "record": (linkage.commands.decide, "_carry_out"),
    "open": (linkage.at_once.resolve, "_small_run"),
    "moved": (linkage.at_once.resolve, "find_moved"),
    "pairs": (linkage.at_once.resolve, "find_pairs"),
    "constraints": (linkage.at_once.resolve.neighbourhood, "constrain_anew"),
    "touched": (linkage.at_once.resolve.neighbourhood, "find_touched"),
    "extract": (linkage.at_once.resolve.neighbourhood, "extract"),
    "identify and survive": (linkage.at_once.resolve, "_identify"),
    "publish": (linkage.at_once.resolve, "publish"),
    "splice": (linkage.at_once.resolve, "splice"),
}
Taken = dict[str, list[float]]


@contextlib.contextmanager
def timed(phases: dict[str, Taken]) -> Iterator[None]:
    """Add the seconds of every phase to `phases` while the block runs."""

    def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            began = (time.perf_counter(), time.process_time())
            try:
                return function(*arguments, **named)
            finally:
                _add(phases[name], began)

        return call

    real = {name: getattr(*place) for name, place in PHASES.items()}
    for name, (module, attribute) in PHASES.items():
        setattr(module, attribute, wrapped(name, real[name]))
    try:
        yield
    finally:
        for name, (module, attribute) in PHASES.items():
            setattr(module, attribute, real[name])


def in_process(workspace: Workspace, rulings: list[tuple[str, str]]) -> dict[str, Any]:
    """Rule in this process."""
    whole: Taken = _nothing()
    phases: dict[str, Taken] = defaultdict(_nothing)
    with timed(phases):
        for number, records in enumerate(rulings):
            now = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
            request = DecideRequest("benchmark", "different", records, None, "review")
            began = (time.perf_counter(), time.process_time())
            with contextlib.redirect_stdout(io.StringIO()):
                record_decision(workspace, request, now=now, console=Console(quiet=True, as_json=True))
            _add(whole, began)
    return {"decision": _summary(whole), "phases": {name: _summary(taken) for name, taken in phases.items()}}


def by_command(root: Path, rulings: list[tuple[str, str]]) -> dict[str, Any]:
    """Rule by the command, each time with the start of Python."""
    taken = _nothing()
    for records in rulings:
        options = ("--reason", "review", "--author", "benchmark", "--quiet", "--json")
        for kind, seconds in zip(taken, guiyi("decide", root, "different", *records, *options), strict=True):
            taken[kind].append(seconds)
    return _summary(taken)


def start_of_python() -> dict[str, Any]:
    """Time the command with nothing to do: what the interpreter and the command line take."""
    taken = _nothing()
    for _ in range(4):
        for kind, seconds in zip(taken, guiyi("decide", "--help"), strict=True):
            taken[kind].append(seconds)
    return _summary(taken)


def measure(entity: str, records: int, decisions: int, seed: int, scratch: Path) -> dict[str, Any]:
    make_files(entity, scratch, records, 1_000, seed)
    root = make_workspace(entity, scratch)
    guiyi("ingest", root, "--source", "district", "--as-of", "2025-01-31", scratch / "base.parquet")
    guiyi("run", root)
    workspace = open_workspace(root)
    found = pairs_to_part(workspace, entity, 2 * decisions)
    return {
        "records": records,
        "batch_mb": round(workspace.batch.stat().st_size / 2**20),
        "load_at_start": round(os.getloadavg()[0], 1),
        "in_process": in_process(workspace, found[:decisions]),
        "command": by_command(root, found[decisions:]),
    }


def _nothing() -> Taken:
    return {"seconds": [], "processor_seconds": []}


def _add(taken: Taken, began: tuple[float, float]) -> None:
    taken["seconds"].append(time.perf_counter() - began[0])
    taken["processor_seconds"].append(time.process_time() - began[1])


def _summary(taken: Taken) -> dict[str, Any]:
    return {kind: round(statistics.median(seconds[1:]), 3) for kind, seconds in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entity", default="natural_person", choices=("natural_person", "legal_person"))
    parser.add_argument("--records", type=int, nargs="+", default=[60_000, 200_000])
    parser.add_argument("--decisions", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    bases = []
    for records in chosen.records:
        with tempfile.TemporaryDirectory() as folder:
            bases.append(measure(chosen.entity, records, chosen.decisions, chosen.seed, Path(folder)))
    found = {
        "entity": chosen.entity,
        "seed": chosen.seed,
        "decisions": chosen.decisions,
        "cores": os.cpu_count(),
        "start_of_python": start_of_python(),
        "bases": bases,
    }
    (RESULTS / f"deciding_{chosen.entity}.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
