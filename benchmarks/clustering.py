"""Time the partition into clusters alone: seconds and peak memory, beside scipy's components of the same graph.

    python -m benchmarks.clustering [--profiles 2000000] [--edges 3000000] [--seed 7]

The graph is made up: small groups of profiles linked among themselves, as one person's or firm's records are, an
identifier on half of the profiles, and one group in a thousand contested: a false link to a group with another
identifier. One link in ten is weak, so that bridges are looked for as well. Each measurement is a process of its own,
for its own peak memory; making the graph is in neither. Seconds of the clock depend on what else the machine does,
seconds of the processor hardly. Writes `benchmarks/results/clustering_<profiles>.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from linkage.clusters.clustering import limits_of
from linkage.clusters.partition import partition
from linkage.entity_config import load_entity_config

RESULTS = Path(__file__).parent / "results"
SIZES = (0.1, 0.12, 0.18, 0.2, 0.18, 0.12, 0.06, 0.04)  # groups of one, two, three … profiles
BASES = (0.46, 0.34, 0.2)  # links by identifier, corroborated, by attribute: as in simulated records
CONTESTED = 0.001


def make(folder: Path, *, profiles: int, edges: int, seed: int) -> None:
    """Write ids, edges and identifiers as Arrow files."""
    rng = np.random.default_rng(seed)
    # Profile ids are hashes: spread over all 64 bits, and a group's are nowhere near each other.
    ids = np.unique(rng.integers(-(2**62), 2**62, size=profiles, dtype=np.int64))
    sizes = rng.choice(len(SIZES), p=SIZES, size=profiles // 2) + 1
    group = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[: len(ids)]
    node = rng.permutation(len(ids)).astype(np.int32)
    near = [np.flatnonzero(group[:-step] == group[step:]).astype(np.int32) for step in range(1, len(SIZES))]
    first = np.concatenate(near)
    second = np.concatenate([start + step for step, start in enumerate(near, start=1)])
    chosen = rng.choice(len(first), size=min(edges, len(first)), replace=False, shuffle=False)
    first, second = first[chosen], second[chosen]
    same = rng.random(len(first)) > CONTESTED * (int(group[-1]) + 1) / len(first)
    second[~same] = (first[~same] + len(SIZES)) % len(ids)
    left, right = np.minimum(node[first], node[second]), np.maximum(node[first], node[second])
    order = np.lexsort((right, left))
    left, right, same = left[order], right[order], same[order]
    basis = np.where(same, rng.choice(3, p=BASES, size=len(left)), 2).astype(np.int8)
    held = np.flatnonzero(rng.random(len(ids)) < 0.5)
    names = pa.DictionaryArray.from_arrays(pa.array(basis), ["identifier", "corroborated", "attribute"]).cast("string")
    weight = np.where(basis == 0, 40.0, rng.uniform(6.0, 36.0, size=len(left)))
    _write(folder / "ids", {"profile_id": pa.array(ids)})
    _write(
        folder / "edges",
        {"left_id": ids[left], "right_id": ids[right], "match_weight": weight, "link_basis": names},
    )
    values = pa.array(group[held].astype(np.int64) + 440_000_000_000_000_000).cast("string")
    _write(folder / "exclusive", {"profile_id": ids[node[held]], "value": values})


def _write(path: Path, columns: dict[str, Any]) -> None:
    feather.write_feather(pa.table(columns), str(path), compression="uncompressed")


def measure(folder: Path, what: str) -> dict[str, float | int]:
    """Run one of `partition` and `components` in this process; finding the profiles' positions is part of both."""
    tables = {name: feather.read_table(str(folder / name), memory_map=False) for name in ("ids", "edges", "exclusive")}
    ids = tables["ids"].column(0).to_numpy()
    before, started, used = _resident_gb(), time.perf_counter(), time.process_time()
    refused = 0
    if what == "partition":
        limits = limits_of(load_entity_config("natural_person"))
        labels, refusals = partition(ids, tables["edges"], {"id_exclusive": tables["exclusive"]}, [], limits)
        refused = len(refusals)
    else:
        ends = [np.searchsorted(ids, tables["edges"].column(side).to_numpy()) for side in ("left_id", "right_id")]
        graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), tuple(ends)), shape=(len(ids),) * 2)
        _, labels = connected_components(graph, directed=False)
    result = {
        "edges": tables["edges"].num_rows,
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "input_gb": round(before, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "refused": refused,
    }
    return result | {"clusters": len(np.unique(labels))}


def _resident_gb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def main() -> None:
    """Make the graph, measure both on it, write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--profiles", type=int, default=2_000_000)
    parser.add_argument("--edges", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "WHAT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(Path(given.measure[0]), given.measure[1])))
        return
    result: dict[str, Any] = {"profiles": given.profiles, "edges": given.edges, "seed": given.seed}
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), profiles=given.profiles, edges=given.edges, seed=given.seed)
        for what in ("components", "partition"):
            command = [sys.executable, "-m", "benchmarks.clustering", "--measure", folder, what]
            result[what] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(what, result[what])
    path = RESULTS / f"clustering_{given.profiles}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
