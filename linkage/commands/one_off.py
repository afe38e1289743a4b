"""`guiyi link`: link the records of a few files once, without a workspace.

Writes to the output directory: `clusters.parquet`, `pairs.parquet`, `golden.parquet`, `quarantine.parquet`,
`report.html`, `report.json` and `manifest.json`. Results are written beside the directory and moved in at the end.
docs/tables.md lists the columns.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.metrics import Metrics, evaluate_files
from eval.report.html import write_report
from eval.report.summary import EntitySection, KindCount, RunSummary, SourceRows, write_summary
from linkage.commands.console import Console
from linkage.database import connect, memory_share
from linkage.entities import completeness, identify, no_history, survive_values
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.errors import ConfigError, LinkageError
from linkage.fields import Entity
from linkage.figures import entity_section, labels, package_versions, stage_figures
from linkage.ingest.link_input import LinkInput, link_input
from linkage.ingest.source_config import SourceConfig, load_source_config
from linkage.pipeline import Linkage, LinkageOptions, link_records
from linkage.shortage import is_memory_size
from linkage.stages import StageClock

# DuckDB's, beside what standardising takes; what does not fit is spilled beside the results.
_MEMORY_SHARE = 0.4
_MEMORY_BYTES = 3 * 10**9
RESULTS = ("clusters.parquet", "pairs.parquet", "golden.parquet", "quarantine.parquet")


@dataclass(frozen=True)
class LinkRequest:
    """What to link and where to put the results.

    Attributes:
        entity: the entity type.
        files: the input files.
        output: directory for the results; existing results in it are replaced.
        source_config: maps the columns; absent if they are the canonical ones.
        entity_config: entity configuration instead of the shipped one.
        model: model file instead of training or the shipped one.
        as_of: date of rows that give none.
        truth: true entities, for the report.
        language: language of the report.
        memory_limit: DuckDB's memory limit, such as `8GB`; absent: see `one_off_database`.
    """

    entity: Entity
    files: tuple[Path, ...]
    output: Path
    source_config: Path | None
    entity_config: Path | None
    model: Path | None
    as_of: date
    truth: Path | None
    language: str
    memory_limit: str | None = None


@dataclass(frozen=True)
class Given:
    """Files to link, and what is said about them.

    Attributes:
        files: CSV, XLSX, Parquet or JSON Lines.
        source: how their columns are read, if not by their names.
        model: a model to use instead of training one or the shipped one.
        as_of: the data's date where the rows give none.
    """

    files: tuple[Path, ...]
    source: SourceConfig | None
    model: Path | None
    as_of: date


@contextmanager
def one_off_database(work: Path, memory_limit: str | None) -> Iterator[DuckDBPyConnection]:
    """Open an empty batch database in a directory, which is also where it spills.

    Args:
        work: the directory.
        memory_limit: DuckDB's limit; absent: 40 % of the machine, at most 3 GB.

    Raises:
        ConfigError: the limit is not a size.
    """
    if memory_limit is not None and not is_memory_size(memory_limit):
        raise ConfigError(f"--memory-limit: {memory_limit!r} is not a size; give it as 8GB")
    limit = memory_limit or memory_share(_MEMORY_SHARE, at_most_bytes=_MEMORY_BYTES)
    with connect(work / "batch.duckdb", memory_limit=limit, temp=work / "spill") as con:
        yield con


def ingest_and_link(
    con: DuckDBPyConnection,
    config: EntityConfig,
    given: Given,
    *,
    root: Path,
    now: datetime,
    clock: StageClock,
    console: Console,
) -> tuple[LinkInput, Linkage]:
    """Read files into `<entity>_raw` and `<entity>_quarantine` and link the records, without a workspace.

    Args:
        con: an empty batch database.
        config: the entity type.
        given: the files.
        root: directory for what ingesting keeps.
        now: time of the run.
        clock: measures the steps.
        console: shows how far reading is.
    """
    entity = config.entity
    with clock.stage("ingest", entity) as stage:
        taken = link_input(
            con,
            given.files,
            entity,
            config=given.source,
            root=root,
            as_of=given.as_of,
            now=now,
            out=f"{entity}_raw",
            quarantine=f"{entity}_quarantine",
            progress=lambda done: console.progressed(stage, done),
        )
        stage.rows = taken.kept
    return taken, link_records(con, config, LinkageOptions(model=given.model), clock)


def link_files(request: LinkRequest, *, now: datetime, console: Console) -> int:
    """Link files and write the results.

    Returns:
        The exit code: 0, or 3 with more rows in quarantine than the configured share.
    """
    config = load_entity_config(request.entity, request.entity_config)
    source = load_source_config(request.source_config) if request.source_config else None
    _check_output(request.output)
    if request.truth is not None and not request.truth.is_file():
        raise ConfigError(f"{request.truth}: no such file; give the true entities as Parquet")
    clock = StageClock(console)
    with tempfile.TemporaryDirectory(prefix=".guiyi-", dir=request.output.parent) as scratch:
        work = Path(scratch)
        with one_off_database(work, request.memory_limit) as con:
            given = Given(request.files, source, request.model, request.as_of)
            taken, run = ingest_and_link(con, config, given, root=work, now=now, clock=clock, console=console)
            with clock.stage("identify", request.entity) as stage:
                counts = identify(run, no_history(run, as_of=request.as_of.isoformat()))
                stage.rows = counts.living
            with clock.stage("survive", request.entity) as stage:
                survive_values(run, {source.source: source.rank} if source else {})
                stage.rows = counts.living
            results = work / "results"
            with clock.stage("write", request.entity):
                results.mkdir()
                _write_tables(run, results)
            metrics = evaluate_files(results / "clusters.parquet", request.truth) if request.truth else None
            section = _section(run, taken, metrics)
        summary = _summary(request, section, clock, config, now)
        write_report(summary, results / "report.html", lang=request.language)
        write_summary(summary, results / "report.json")
        manifest = _manifest(request, section, taken, clock, run)
        (results / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
        _move_in(results, request.output)
    _print(section, request.output, console)
    return taken.exit_code


def _check_output(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise LinkageError(f"{output}: is a file; name a directory for the results")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LinkageError(f"{output}: cannot be made ({error.strerror}); name a directory you may write") from error


def _write_tables(run: Linkage, folder: Path) -> None:
    """Write the result tables as Parquet, sorted, so that the same input gives the same bytes."""
    con = run.con
    _copy(
        con,
        f"select * from {quote(run.table('record_link'))} order by source, source_record_id",
        folder / "clusters.parquet",
    )
    _copy(con, f"select * from {quote(run.table('golden'))} order by entity_id", folder / "golden.parquet")
    _copy(
        con,
        f"""
select source, source_record_id, row, reason, detail, raw
from {quote(run.table("quarantine"))}
order by source, row, reason, source_record_id""",
        folder / "quarantine.parquet",
    )
    _copy(con, _record_pairs(run), folder / "pairs.parquet")


def _record_pairs(run: Linkage) -> str:
    """Return the query of record pairs: linked, for review or in conflict, profile pairs spread over their records."""
    judged, members, records = (run.table(name) for name in ("judged", "profile_record", "records"))
    return f"""
with member as (
    select m.profile_id, r.record_id, r.source, r.source_record_id
    from {quote(members)} m
    join {quote(records)} r on m.record_id = r.record_id
),
pair as (
    select
        case when a.record_id < b.record_id then a else b end as l,
        case when a.record_id < b.record_id then b else a end as r,
        j.match_weight, j.match_probability, j.verdict, j.verdict_rule as rule
    from {quote(judged)} j
    join member a on j.left_id = a.profile_id
    join member b on j.right_id = b.profile_id
    where j.verdict <> 'reject' and (j.left_id < j.right_id or a.record_id < b.record_id)
)
select
    l.source as left_source,
    l.source_record_id as left_record_id,
    r.source as right_source,
    r.source_record_id as right_record_id,
    match_weight, match_probability, verdict, rule
from pair
order by left_source, left_record_id, right_source, right_record_id"""


def _copy(con: DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"copy ({query}) to '{str(path).replace(chr(39), chr(39) * 2)}' (format parquet, compression zstd)")


def _section(run: Linkage, taken: LinkInput, metrics: Metrics | None) -> EntitySection:
    quarantine = dict(
        run.con.execute(f"select source, count(*) from {quote(run.table('quarantine'))} group by source").fetchall()
    )
    kept = dict(run.con.execute(f"select source, count(*) from {quote(run.table('raw'))} group by source").fetchall())
    sources = tuple(
        SourceRows(
            source=str(name),
            rows_in=kept.get(name, 0) + quarantine.get(name, 0),
            kept=kept.get(name, 0),
            quarantined=quarantine.get(name, 0),
        )
        for name in sorted(kept.keys() | quarantine.keys(), key=str)
    )
    warned: dict[str, int] = {}
    for load in taken.manifests:
        for field, kinds in load.warnings.items():
            for kind, n in kinds.items():
                warned[f"{field}: {kind}"] = warned.get(f"{field}: {kind}", 0) + n
    section = entity_section(
        run,
        membership=run.table("membership"),
        sources=sources,
        quarantine=tuple(KindCount(kind=k, count=n) for k, n in sorted(taken.quarantined.items())),
        warnings=tuple(KindCount(kind=k, count=n) for k, n in sorted(warned.items())),
    )
    return section.model_copy(update={"completeness": completeness(run), "metrics": metrics})


def _summary(
    request: LinkRequest, section: EntitySection, clock: StageClock, config: EntityConfig, now: datetime
) -> RunSummary:
    return RunSummary(
        run_id=f"link-{request.entity}",
        finished_at=now.isoformat(),
        config_hash=config.hash,
        versions=package_versions(),
        entities=(section,),
        stages=stage_figures(clock),
        labels=labels([config]),
    )


def _manifest(
    request: LinkRequest, section: EntitySection, taken: LinkInput, clock: StageClock, run: Linkage
) -> dict[str, Any]:
    return {
        "entity": request.entity,
        "rows_in": taken.rows_in,
        "kept": taken.kept,
        "deleted": taken.deleted,
        "quarantined": sum(taken.quarantined.values()),
        "quarantine": taken.quarantined,
        "files": [
            {"name": m.file_name, "sha256": m.sha256, "rows_in": m.rows_in, "format": m.format, "encoding": m.encoding}
            for m in taken.manifests
        ],
        "entities": section.entities,
        "merges": section.merges,
        "review_cases": section.review_cases,
        "stages": [
            {"name": s.name, "seconds": round(s.seconds, 3), "peak_mb": round(s.peak_mb, 1), "rows": s.rows}
            for s in clock.stages
        ],
        "seconds": round(sum(s.seconds for s in clock.stages), 3),
        "peak_mb": round(max(s.peak_mb for s in clock.stages), 1),
        "versions": package_versions(),
        "config_hash": run.config.hash,
        "model": run.model_origin,
        "model_hash": section.model_hash,
    }


def _move_in(results: Path, output: Path) -> None:
    for path in sorted(results.iterdir()):
        shutil.move(path, output / path.name)


def _print(section: EntitySection, output: Path, console: Console) -> None:
    rows = [
        ("rows in", f"{section.rows_in:,}"),
        ("kept", f"{section.kept:,}"),
        ("quarantined", f"{section.quarantined:,}"),
        ("entities", f"{section.entities:,}"),
        ("merges", f"{section.merges:,}"),
        ("review cases", f"{section.review_cases:,}"),
    ]
    if section.metrics is not None and section.metrics.precision is not None:
        rows.append(("precision", f"{section.metrics.precision:.5f}"))
        rows.append(("recall", f"{section.metrics.recall or 0:.5f}"))
    rows.append(("report", str(output / "report.html")))
    console.table(
        f"guiyi link {section.entity}",
        ("", ""),
        rows,
        {**{name.replace(" ", "_"): value for name, value in rows}, "output": str(output)},
    )
