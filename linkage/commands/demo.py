"""`guiyi demo` and `guiyi simulate`: the whole job on a simulated district, by the functions a person uses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.metrics import Metrics, evaluate
from eval.report.html import write_report
from eval.report.summary import EntitySection, RunSummary, write_summary
from eval.simulator import SimulatorError, load_profile
from eval.simulator import simulate as simulate_files
from linkage.commands.console import Console
from linkage.commands.monthly import make_release
from linkage.database import connect
from linkage.errors import ConfigError, LinkageError
from linkage.ingest.loads import ingest_files
from linkage.ingest.manifest import list_loads
from linkage.sources import source_of
from linkage.stages import StageClock
from linkage.workspace import Workspace, create_workspace, locked


@dataclass(frozen=True)
class PlannedLoad:
    """One load of the simulated district: what to ingest, in order.

    Attributes:
        source: the source's name.
        as_of: the date it vouches for.
        mode: full or delta.
        files: its files.
    """

    source: str
    as_of: date
    mode: str
    files: tuple[Path, ...]


def run_demo(
    output: Path,
    *,
    people: int,
    organisations: int,
    months: int,
    seed: int,
    language: str,
    now: datetime,
    console: Console,
) -> int:
    """Simulate a district, load and link it month by month, and compare the result with the truth.

    Args:
        output: directory to make; the source files, the workspace and the report go there.
        people: natural persons.
        organisations: legal persons.
        months: monthly loads.
        seed: the same seed gives the same district.
        language: language of the report.
        now: time of the releases.
        console: where progress and the result go.

    Raises:
        LinkageError: the directory exists and is not empty.
    """
    if output.exists() and any(output.iterdir()):
        raise LinkageError(f"{output}: exists and is not empty; remove it, or name another with --output")
    clock = StageClock(console)
    district = output / "district"
    console.say(f"simulating {people:,} people and {organisations:,} organisations over {months} month(s)")
    with clock.stage("simulate") as stage:
        made = simulate_files(
            people=people, organisations=organisations, months=months, output=district, seed=seed, progress=None
        )
        stage.rows = sum(made.records.values())
    workspace = create_workspace(output / "workspace")
    summary: RunSummary | None = None
    for month in _by_month(planned_loads(district)):
        rows = _ingest(workspace, month, clock, now)
        monthly = StageClock(console)
        with locked(workspace, now=now, what="demo"):
            summary, release = make_release(workspace, entities=None, now=now, clock=monthly)
        clock.stages.extend(monthly.stages)
        console.say(
            f"{month[0].as_of:%Y-%m}: {len(month)} loads, {rows:,} rows; release {release}: "
            f"{sum(s.kept for s in summary.entities):,} records, {sum(s.entities for s in summary.entities):,} entities"
        )
    assert summary is not None
    with clock.stage("evaluate"), connect(workspace.batch) as con:
        summary = _with_truth(con, summary, district / "truth")
    report = output / "report.html"
    write_report(summary, report, lang=language)
    write_summary(summary, output / "report.json")
    _print(summary, workspace, report, clock, console)
    return 0


def simulate_district(
    output: Path,
    *,
    people: int,
    organisations: int,
    months: int,
    seed: int,
    profile: Path | None,
    console: Console,
) -> int:
    """Write a simulated district's source files and truth."""
    if output.exists() and any(output.iterdir()):
        raise LinkageError(f"{output}: exists and is not empty; name a new directory")
    try:
        chosen = load_profile(profile) if profile else None
    except SimulatorError as error:
        raise ConfigError(str(error)) from error
    with StageClock(console).stage("simulate") as stage:
        made = simulate_files(
            people=people,
            organisations=organisations,
            months=months,
            output=output,
            seed=seed,
            profile=chosen,
            progress=None,
        )
        stage.rows = rows_made = sum(made.records.values())
    loads = planned_loads(output)
    rows = [(f"{load.as_of:%Y-%m}", load.source, load.mode, ", ".join(f.name for f in load.files)) for load in loads]
    console.table(
        f"{rows_made:,} rows in {len(loads)} loads under {output}; the truth is in {output / 'truth'}",
        ("month", "source", "mode", "files"),
        rows,
        {"rows": rows_made, "output": str(output), "loads": [list(row) for row in rows]},
    )
    console.say("next: guiyi init WORKSPACE, then guiyi ingest WORKSPACE --source NAME --as-of DATE FILE")
    return 0


def planned_loads(district: Path) -> list[PlannedLoad]:
    """Return the loads of a simulated district, in order."""
    data = tomllib.loads((district / "loads.toml").read_text("utf-8"))
    return [
        PlannedLoad(
            source=load["source"],
            as_of=date.fromisoformat(str(load["as_of"])),
            mode=load["mode"],
            files=tuple(district / name for name in load["files"]),
        )
        for load in data["load"]
    ]


def _by_month(loads: list[PlannedLoad]) -> list[list[PlannedLoad]]:
    months: dict[str, list[PlannedLoad]] = {}
    for load in loads:
        months.setdefault(f"{load.as_of:%Y-%m}", []).append(load)
    return [months[key] for key in sorted(months)]


def _ingest(workspace: Workspace, loads: list[PlannedLoad], clock: StageClock, now: datetime) -> int:
    with locked(workspace, now=now, what="demo"), clock.stage("ingest") as stage:
        for load in loads:
            manifests = ingest_files(
                load.files,
                source=source_of(workspace, load.source),
                as_of=load.as_of,
                mode="delta" if load.mode == "delta" else "full",
                root=workspace.root,
                now=now,
            )
            stage.rows += sum(m.rows_in for m in manifests)
        return stage.rows


def _with_truth(con: DuckDBPyConnection, summary: RunSummary, truth: Path) -> RunSummary:
    """Return the summary with precision and recall of the records in force."""
    sections = []
    for section in summary.entities:
        links, known = f"{section.entity}_record_link", f"{section.entity}_truth"
        con.execute(
            f"""
create or replace temp table {quote(known)} as
select t.source, t.source_record_id, t.entity_id, t.errors
from read_parquet(?) t
semi join {quote(links)} l on t.source = l.source and t.source_record_id = l.source_record_id""",
            [str(truth / f"{section.entity}.parquet")],
        )
        metrics: Metrics = evaluate(con, clusters=links, truth=known)
        sections.append(section.model_copy(update={"metrics": metrics}))
    return summary.model_copy(update={"entities": tuple(sections)})


def _print(summary: RunSummary, workspace: Workspace, report: Path, clock: StageClock, console: Console) -> None:
    def figure(name: str) -> list[str]:
        return [name, *(_figure(section, name) for section in summary.entities)]

    loads = list_loads(workspace.root)
    names = ("rows in", "quarantined", "records", "entities", "merges", "review cases", "precision", "recall")
    rows = [["loads", *(str(sum(m.entity == s.entity for m in loads)) for s in summary.entities)]]
    rows += [figure(name) for name in names]
    data = {
        section.entity: {name.replace(" ", "_"): _figure(section, name) for name in names}
        for section in summary.entities
    }
    seconds = sum(stage.seconds for stage in clock.stages)
    console.table(
        f"the simulated district, release {summary.release_id}, {seconds:.0f} s",
        ("", *(s.entity for s in summary.entities)),
        rows,
        {**data, "report": str(report), "catalog": str(workspace.catalog), "seconds": round(seconds, 1)},
    )
    console.say(f"report:  {report}")
    console.say(f"catalog: {workspace.catalog}")
    console.say(f"next: guiyi status {workspace.root}")


def _figure(section: EntitySection, name: str) -> str:
    metrics = section.metrics
    values: dict[str, int | float | None] = {
        "rows in": section.rows_in,
        "quarantined": section.quarantined,
        "records": section.kept,
        "entities": section.entities,
        "merges": section.merges,
        "review cases": section.review_cases,
        "precision": metrics.precision if metrics else None,
        "recall": metrics.recall if metrics else None,
    }
    value = values[name]
    if value is None:
        return "-"
    return f"{value:.5f}" if isinstance(value, float) else f"{value:,}"
