"""Time `guiyi link` on simulated records, everything included: seconds, peak memory and rows per stage.

    python benchmarks/end_to_end.py [--entity natural_person] [--records 1000000] [--seed 7]

Writes `benchmarks/results/end_to_end_<entity>_<records>.json` and prints the table. The records are made first and are
not part of the time. Precision and recall against the simulated truth stand beside the seconds, so that speed is never
bought unseen. The machine's load at the start is noted: on a shared machine, compare stages within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eval.simulator import simulate_canonical

RESULTS = Path(__file__).parent / "results"


def run(entity: str, records: int, seed: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_canonical(entity, records, folder, seed)
        load = os.getloadavg()[0]
        started = time.perf_counter()
        command = [sys.executable, "-m", "linkage", "link", entity, str(folder / f"{entity}.parquet")]
        command += ["--output", str(folder / "out"), "--truth", str(folder / "truth.parquet"), "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        manifest = json.loads((folder / "out" / "manifest.json").read_text("utf-8"))
        report = json.loads((folder / "out" / "report.json").read_text("utf-8"))
        size_mb = (folder / f"{entity}.parquet").stat().st_size / 1e6
    metrics = report["entities"][0]["metrics"]
    return {
        "entity": entity,
        "records": records,
        "seed": seed,
        "cores": os.cpu_count(),
        "load_at_start": round(load, 1),
        "input_mb": round(size_mb, 1),
        "seconds": round(seconds, 1),
        "records_per_second": round(records / seconds),
        "peak_mb": manifest["peak_mb"],
        "entities": manifest["entities"],
        "precision": metrics["precision"],
        "recall": metrics["recall"],
        "model": manifest["model"],
        "stages": manifest["stages"],
        "versions": manifest["versions"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entity", default="natural_person", choices=("natural_person", "legal_person"))
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    result = run(arguments.entity, arguments.records, arguments.seed)
    RESULTS.mkdir(exist_ok=True)
    name = f"end_to_end_{arguments.entity}_{arguments.records}.json"
    (RESULTS / name).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"{arguments.entity}, {arguments.records:,} records, load {result['load_at_start']} at the start")
    for stage in result["stages"]:  # type: ignore[attr-defined]
        print(f"  {stage['name']:<14}{stage['seconds']:>8.1f} s{stage['peak_mb']:>9,.0f} MB{stage['rows']:>14,} rows")
    print(f"  {'total':<14}{result['seconds']:>8} s{result['peak_mb']:>9,.0f} MB")
    print(f"  precision {result['precision']:.5f}, recall {result['recall']:.5f}")


if __name__ == "__main__":
    main()
