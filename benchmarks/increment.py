"""Time a month that brings a delta against a full run on the same records, in one process tree on one machine.

    python benchmarks/increment.py [--entity natural_person] [--records 200000] [--share 0.2] [--seed 7]

A base of simulated records is loaded and released. Then a delta comes: half of it new records, half corrections of
records of the base (another telephone, or the address of somebody else), and a few deletions. The month is run as an
increment, and on a copy of the same workspace with `--full`: both start from the base's release and publish the same
month, and both end with the same partition, which is checked. At the end six entities are ruled to be two, at once.
Writes `benchmarks/results/increment_<entity>_<records>_<delta>.json`: seconds per stage of the first run (which trains
the model), of the increment and of the full run, and the ratios. They are of processor seconds, workers and all: what
other work on the machine costs does not count. Loading the files is timed apart.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from eval.simulator import simulate_canonical
from linkage.commands.console import Console
from linkage.commands.decide import DecideRequest, record_decision
from linkage.fields import CANONICAL_FIELDS
from linkage.workspace import Workspace, open_workspace

RESULTS = Path(__file__).parent / "results"
_SET_CHILD_SUBREAPER = 36
_SOURCE = """source = "district"
title_zh = "模拟全区"
title_en = "The simulated district"
channel = "city_platform"
entity = "{entity}"
rank = 1

[key]
source_record_id = "source_record_id"
as_of = "as_of"

[delta]
operation = "operation"
delete = "delete"

[columns]
{columns}
"""


def make_files(entity: str, folder: Path, records: int, delta: int, seed: int) -> None:
    """Write `base.parquet` and `delta.parquet`, in canonical columns of one source."""
    new = delta // 2
    simulate_canonical(entity, records + new, folder, seed)
    with duckdb.connect() as con:
        con.execute(f"""
create table people as
select * exclude (source) replace (source || '-' || source_record_id as source_record_id),
    row_number() over (order by hash(source, source_record_id)) as place
from '{folder / f"{entity}.parquet"}'""")
        con.execute(f"""
copy (
    select * exclude (place), 'upsert' as operation from people where place <= {records}
) to '{folder / "base.parquet"}'""")
        con.execute(f"""
copy (
    select * exclude (place), 'upsert' as operation from people where place > {records}
    union all by name
    select p.* exclude (place) replace (
        case when p.place % 2 = 0 then o.phone else p.phone end as phone,
        case when p.place % 2 = 1 then o.address else p.address end as address), 'upsert' as operation
    from people p
    join people o on o.place = p.place + {new}
    where p.place <= {delta - new}
    union all by name
    select * exclude (place), 'delete' as operation from people
    where place between {records - delta // 100} + 1 and {records}
) to '{folder / "delta.parquet"}'""")


def make_workspace(entity: str, folder: Path, memory_limit: str | None = None) -> Path:
    """Make a workspace that knows the source of those files, nothing loaded."""
    workspace = folder / "workspace"
    guiyi("init", workspace)
    columns = "\n".join(f'{name} = "{name}"' for name in CANONICAL_FIELDS[entity])
    (workspace / "sources").mkdir(exist_ok=True)
    (workspace / "sources" / "district.toml").write_text(_SOURCE.format(entity=entity, columns=columns), "utf-8")
    settings = (workspace / "guiyi.toml").read_text("utf-8")
    limit = f'memory_limit = "{memory_limit}"\n' if memory_limit else ""
    (workspace / "guiyi.toml").write_text(f'sources = "sources"\n{limit}{settings}', "utf-8")
    return workspace


def guiyi(*arguments: object) -> tuple[float, float]:
    """Run a command; return its seconds by the clock, and of processors with all its workers."""
    clock, processor = time.perf_counter(), _of_children()
    subprocess.run([sys.executable, "-m", "linkage", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    taken = time.perf_counter() - clock
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return taken, _of_children() - processor


def adopt_orphans() -> None:
    """Become the parent of workers that outlive the process that started them: only a parent is told what they used."""
    if ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl: the workers' processor seconds cannot be counted")


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def stages(workspace: Path, release: int) -> list[dict[str, Any]]:
    report = json.loads((workspace / "runs" / f"release-{release:04d}" / "report.json").read_text("utf-8"))
    return [
        {"name": s["name"], "seconds": round(s["seconds"], 2), "peak_mb": round(s["peak_mb"]), "rows": s["rows_out"]}
        for s in report["stages"]
    ]


def pairs_to_part(workspace: Workspace, entity: str, cases: int) -> list[tuple[str, str]]:
    """Return two records of each of several entities, the same ones each time."""
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        return con.execute(f"""
select min(record_id), max(record_id)
from {entity}_membership
group by entity_id
having count(*) between 2 and 6
order by hash(entity_id)
limit {cases}""").fetchall()


def decide(root: Path, entity: str, cases: int) -> dict[str, list[float]]:
    """Rule that two records of an entity are two, on several entities; return seconds, by the clock and of processors.

    What is timed is the command without starting Python: recording, resolving again, publishing.
    """
    workspace = open_workspace(root)
    found = pairs_to_part(workspace, entity, cases)
    taken: dict[str, list[float]] = {"seconds": [], "processor_seconds": []}
    for number, records in enumerate(found):
        now = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
        request = DecideRequest("benchmark", "different", records, None, "review")
        clock, processor = time.perf_counter(), time.process_time()
        record_decision(workspace, request, now=now, console=Console(quiet=True, as_json=True))
        taken["seconds"].append(round(time.perf_counter() - clock, 2))
        taken["processor_seconds"].append(round(time.process_time() - processor, 2))
    return taken


def partition(workspace: Path, entity: str) -> str:
    """Return a hash of the partition and of what ties the records, whatever the ids are called."""
    with duckdb.connect(str(workspace / "batch.duckdb"), read_only=True) as con:
        rows = con.execute(f"""
with named as (
    select record_id, min(record_id) over (partition by cluster_id) as first_record, link_basis
    from {entity}_clusters
)
select count(*), bit_xor(md5_number(concat_ws('|', record_id, first_record, link_basis))) from named""").fetchall()
    return str(rows[0])


def run(entity: str, records: int, share: float, seed: int, memory_limit: str | None, scratch: Path) -> dict[str, Any]:
    delta = int(records * share)
    make_files(entity, scratch, records, delta, seed)
    workspace = make_workspace(entity, scratch, memory_limit)
    load = os.getloadavg()[0]
    loading = [guiyi("ingest", workspace, "--source", "district", "--as-of", "2025-01-31", scratch / "base.parquet")]
    seconds = {"first": guiyi("run", workspace)}
    loading.append(
        guiyi(
            "ingest", workspace, "--source", "district", "--as-of", "2025-02-28", "--mode", "delta",
            scratch / "delta.parquet",
        )
    )  # fmt: skip
    anew = scratch / "anew"
    shutil.copytree(workspace, anew)
    seconds["increment"] = guiyi("run", workspace)
    seconds["full"] = guiyi("run", anew, "--full")
    same = partition(workspace, entity) == partition(anew, entity)
    with contextlib.redirect_stdout(io.StringIO()):
        decisions = decide(workspace, entity, 6)
    return {
        "entity": entity,
        "records": records,
        "delta": delta,
        "seed": seed,
        "memory_limit": memory_limit,
        "cores": os.cpu_count(),
        "load_at_start": round(load, 1),
        "loading_seconds": [round(s, 1) for s, _ in loading],
        "seconds": {name: round(s, 1) for name, (s, _) in seconds.items()},
        "processor_seconds": {name: round(s, 1) for name, (_, s) in seconds.items()},
        "increment_to_full": round(seconds["increment"][1] / seconds["full"][1], 3),
        "increment_to_first": round(seconds["increment"][1] / seconds["first"][1], 3),
        "same_partition": same,
        "decisions": decisions,
        "stages": {
            "first": stages(workspace, 1),
            "increment": stages(workspace, 2),
            "full": stages(anew, 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entity", default="natural_person", choices=("natural_person", "legal_person"))
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--memory-limit", help="DuckDB's, such as 9GB")
    parser.add_argument("--scratch", type=Path, help="where the workspace goes, and stays; else a temporary folder")
    arguments = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = arguments.scratch or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        result = run(
            arguments.entity, arguments.records, arguments.share, arguments.seed, arguments.memory_limit, scratch
        )
    name = f"increment_{arguments.entity}_{result['records']}_{result['delta']}.json"
    (RESULTS / name).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    for step in zip(*result["stages"].values(), strict=False):
        print(f"  {step[0]['name']:<14}" + "".join(f"{s['seconds']:>9.2f} s" for s in step))
    print(f"  {'total':<14}" + "".join(f"{s:>9.1f} s" for s in result["seconds"].values()))
    print(f"  {'processors':<14}" + "".join(f"{s:>9.1f} s" for s in result["processor_seconds"].values()))
    print(f"  decisions {result['decisions']}")
    print(f"  increment / full {result['increment_to_full']}, same partition: {result['same_partition']}")


if __name__ == "__main__":
    main()
