"""Quality beside two baselines, on the same files in the same run: one table.

    python -m benchmarks.quality --records 60000 --seed 11 [--registry FILE --registry-columns name=...,uscc=...]
        [--only natural_person --only unknown_legal_person ...] [--systems guiyi ...] [--errors] [--quiet]

Data: simulated natural and legal persons; both with errors the simulator does not know (`benchmarks.unknown_errors`);
and, given a registry file, a multi-source corrupted copy of real organisations (owners drawn whole, so that sister
firms stay together). Systems: `plain` and `expert` (`benchmarks.baselines`) and `guiyi link`, each as a process of its
own, from reading the file to the clusters written; guiyi also writes golden records and a report in that time.

A baseline has a threshold. It is reported at the one its script sets and at the one with the best F1 on the truth, and
the expert also at the lowest whose precision is guiyi's. Choosing on the truth favours the baselines: nobody has it.
guiyi has its shipped configuration. Every record counts. Written: `results/quality_summary.json`, `.md`, and with
`--errors` the classes of guiyi's mistakes, `results/quality_errors.md` (`benchmarks.quality_errors`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.quality_errors import ErrorTables, as_markdown, error_tables
from benchmarks.thresholds import Threshold, cluster_at, sweep
from benchmarks.unknown_errors import corrupt_unknown
from eval.metrics import evaluate_files
from eval.simulator.canonical import corrupt_registry, simulate_canonical

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DATASETS = ("natural_person", "legal_person", "unknown_natural_person", "unknown_legal_person", "registry")
SYSTEMS = ("plain", "expert", "guiyi")
BASELINES = {"plain": "benchmarks.baselines.plain_splink", "expert": "benchmarks.baselines.expert"}
REGISTRY_COPIES = 5
RECORDS_PER_ORGANISATION = 3.36


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        dataset: what was linked.
        system: what linked it, and how its threshold was chosen.
        records: records, all counted.
        entities: true entities.
        precision: share of predicted pairs that are true.
        recall: share of true pairs that are found.
        f1: their harmonic mean.
        false_pairs: predicted pairs of two entities.
        missed_pairs: true pairs not predicted.
        mixed_per_60000: clusters that mix entities, per 60,000 entities.
        review_pairs: pairs left to a person, and
        missed_in_review: how many of the missed pairs are among them (None: the system has no review).
        threshold: match weight, of a baseline.
        seconds: the whole process; the same for every threshold of one system.
    """

    dataset: str
    system: str
    records: int
    entities: int
    precision: float | None
    recall: float | None
    f1: float | None
    false_pairs: int
    missed_pairs: int
    mixed_per_60000: float
    review_pairs: int | None
    missed_in_review: int | None
    threshold: float | None
    seconds: float


@dataclass(frozen=True)
class Dataset:
    """A file to link and its truth."""

    name: str
    entity: str
    file: Path
    truth: Path


def make_dataset(name: str, records: int, seed: int, folder: Path, registry: pa.Table | None) -> Dataset:
    """Write the records and the truth of one dataset."""
    entity = "natural_person" if name.endswith("natural_person") else "legal_person"
    if name == "registry":
        assert registry is not None
        subjects = owners_drawn(registry, round(records / RECORDS_PER_ORGANISATION), seed)
        corrupt_registry(subjects, output=folder, copies=REGISTRY_COPIES, seed=seed)
    elif name.startswith("unknown_"):
        corrupt_unknown(entity, records, folder, seed)
    else:
        simulate_canonical(entity, records, folder, seed)
    return Dataset(name, entity, folder / f"{entity}.parquet", folder / "truth.parquet")


def owners_drawn(registry: pa.Table, organisations: int, seed: int) -> pa.Table:
    """Draw about a number of organisations, every owner with all of them.

    Args:
        registry: canonical columns, `legal_rep_name` among them.
        organisations: how many rows to draw; all if there are fewer.
        seed: the draw.
    """
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.register("registry", registry)
        drawn: pa.Table = con.sql(
            """
select *
from registry
order by md5(coalesce(legal_rep_name, name) || ' ' || ?), coalesce(legal_rep_name, name), name
limit ?""",
            params=[str(seed), organisations],
        ).to_arrow_table()
    return drawn


def read_registry(path: Path, columns: str | None) -> pa.Table:
    """Read a registry file as text, its columns renamed to the canonical ones (`canonical=column,…`)."""
    table = pq.read_table(path)
    pairs = [part.split("=", 1) for part in columns.split(",")] if columns else [[c, c] for c in table.column_names]
    return pa.table({canonical: table[column].cast(pa.string()) for canonical, column in pairs})


def run_dataset(dataset: Dataset, systems: Sequence[str], folder: Path) -> list[Row]:
    """Run the systems on one dataset."""
    rows: list[Row] = []
    guiyi = None
    if "guiyi" in systems:
        output = folder / "guiyi"
        command = ["linkage", "link", dataset.entity, str(dataset.file), "--output", str(output), "--quiet"]
        seconds = _timed([*command, "--as-of", "2025-01-31"])
        guiyi = _row(dataset, "guiyi", output / "clusters.parquet", seconds, pairs=output / "pairs.parquet")
    for system in (name for name in systems if name in BASELINES):
        output = folder / system
        seconds = _timed([BASELINES[system], dataset.entity, str(dataset.file), "--output", str(output)])
        rows.append(_row(dataset, f"{system}, own threshold", output / "clusters.parquet", seconds))
        tried = sweep(output / "pairs.parquet", dataset.truth)
        chosen = {f"{system}, best F1 on the truth": max(tried, key=lambda t: t.f1)}
        if system == "expert" and guiyi and guiyi.precision is not None:
            as_precise = [t for t in tried if t.precision >= guiyi.precision]
            if as_precise:
                chosen["expert, guiyi's precision on the truth"] = max(as_precise, key=lambda t: t.recall)
        rows += [_chosen(dataset, name, threshold, output, seconds) for name, threshold in chosen.items()]
    return [*rows, guiyi] if guiyi else rows


def _chosen(dataset: Dataset, name: str, threshold: Threshold, output: Path, seconds: float) -> Row:
    clusters = output / "chosen.parquet"
    cluster_at(output / "pairs.parquet", dataset.truth, threshold.weight, clusters)
    return _row(dataset, name, clusters, seconds, threshold=threshold.weight)


def _timed(command: list[str]) -> float:
    """Run a module of the project as a process of its own and return its seconds."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{command[0]} failed with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def _row(
    dataset: Dataset,
    system: str,
    clusters: Path,
    seconds: float,
    *,
    pairs: Path | None = None,
    threshold: float | None = None,
) -> Row:
    metrics = evaluate_files(clusters, dataset.truth)
    review = _review(pairs, clusters, dataset.truth) if pairs else (None, None)
    return Row(
        dataset=dataset.name,
        system=system,
        records=metrics.records,
        entities=metrics.entities,
        precision=metrics.precision,
        recall=metrics.recall,
        f1=metrics.f1,
        false_pairs=metrics.false_pairs,
        missed_pairs=metrics.missed_pairs,
        mixed_per_60000=round(metrics.mixed_clusters * 60_000 / max(metrics.entities, 1), 1),
        review_pairs=review[0],
        missed_in_review=review[1],
        threshold=None if threshold is None else round(threshold, 2),
        seconds=round(seconds, 1),
    )


def _review(pairs: Path, clusters: Path, truth: Path) -> tuple[int, int]:
    """Return how many record pairs of two clusters wait for a person, and how many of those are one entity."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        for name, path in (("pairs", pairs), ("clusters", clusters), ("truth", truth)):
            con.read_parquet(str(path)).create_view(name)
        found = con.execute("""
with known as (
    select source, source_record_id, c.entity_id as cluster_id, t.entity_id
    from clusters c
    join truth t using (source, source_record_id)
)
select count(*), count(*) filter (l.entity_id = r.entity_id)
from pairs p
join known l on p.left_source = l.source and p.left_record_id = l.source_record_id
join known r on p.right_source = r.source and p.right_record_id = r.source_record_id
where p.verdict in ('review', 'conflict') and l.cluster_id <> r.cluster_id""").fetchall()
    return int(found[0][0]), int(found[0][1])


def as_table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| data | system | precision | recall | F1 | false pairs | missed pairs | mixed clusters per 60,000 entities "
        "| in review (true) | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        review = "" if row.review_pairs is None else f"{row.review_pairs:,} ({row.missed_in_review:,})"
        lines.append(
            f"| {row.dataset} | {row.system} | {_share(row.precision)} | {_share(row.recall)} | {_share(row.f1)} "
            f"| {row.false_pairs:,} | {row.missed_pairs:,} | {row.mixed_per_60000:,} | {review} | {row.seconds:.0f} |"
        )
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"


def run(
    datasets: Sequence[str],
    systems: Sequence[str],
    *,
    records: int,
    seed: int,
    registry: pa.Table | None,
    errors: bool,
    quiet: bool,
) -> tuple[list[Row], dict[str, ErrorTables]]:
    """Run the systems on the datasets, one process at a time.

    Returns:
        The rows of the table, and for each dataset the classes of guiyi's mistakes if they are wanted.
    """
    rows: list[Row] = []
    classes: dict[str, ErrorTables] = {}
    for name in datasets:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            dataset = make_dataset(name, records, seed, folder, registry)
            if not quiet:
                sys.stderr.write(f"{name}\n")
            rows += run_dataset(dataset, systems, folder)
            if errors:
                classes[name] = error_tables(dataset.entity, dataset.file, dataset.truth, folder)
    return rows, classes


def write_results(
    rows: Sequence[Row], classes: dict[str, ErrorTables], *, records: int, seed: int, folder: Path
) -> None:
    """Write the table and the classes of mistakes."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "records": records,
        "seed": seed,
        "cores": os.cpu_count(),
        "versions": {package: version(package) for package in ("splink", "duckdb", "guiyi")},
        "rows": [asdict(row) for row in rows],
    }
    (folder / "quality_summary.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
    intro = (
        f"# Quality\n\nAbout {records:,} records per kind of data, seed {seed}, {os.cpu_count()} cores; made by "
        "`python -m benchmarks.quality`, whose page says how to read it. Thresholds chosen on the truth favour the "
        "baselines. Seconds are the whole process, on a machine shared with other work; guiyi's include golden records "
        "and a report.\n\n"
    )
    (folder / "quality_summary.md").write_text(intro + as_table(rows) + "\n", "utf-8")
    if classes:
        (folder / "quality_errors.md").write_text(as_markdown(classes, records, seed), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--registry", type=Path, help="a Parquet file of organisations")
    parser.add_argument("--registry-columns", help="canonical=column,…; absent: the names are canonical")
    parser.add_argument("--only", action="append", choices=DATASETS, help="one kind of data; may be repeated")
    parser.add_argument("--systems", action="append", choices=SYSTEMS, help="one system; may be repeated")
    parser.add_argument("--errors", action="store_true", help="also the classes of guiyi's mistakes")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    registry = read_registry(arguments.registry, arguments.registry_columns) if arguments.registry else None
    datasets = arguments.only or [name for name in DATASETS if name != "registry" or registry is not None]
    if "registry" in datasets and registry is None:
        parser.error("--only registry needs --registry FILE")
    rows, classes = run(
        datasets,
        arguments.systems or SYSTEMS,
        records=arguments.records,
        seed=arguments.seed,
        registry=registry,
        errors=arguments.errors,
        quiet=arguments.quiet,
    )
    write_results(rows, classes, records=arguments.records, seed=arguments.seed, folder=arguments.output)
    sys.stdout.write(as_table(rows) + "\n")


if __name__ == "__main__":
    main()
