"""`guiyi calibrate`: do match weights mean what they say, and which thresholds keep errors below a stated share?

Reads the batch database of a workspace's last run, or links files as `guiyi link` does and writes no results. Labels
are the true entities, rulings on pairs, or else the identifiers in the data (see `linkage.model.labelled_pairs`). It
prints figures and the lines to put into the configuration, writes a page if asked to, and changes nothing itself.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.calibration import STEP, PairCount, RuleCount, calibrate
from eval.report.calibration import CalibrationReport, as_text, write_calibration
from linkage.batch import read_batch
from linkage.clusters.hysteresis import BY_HYSTERESIS
from linkage.commands.console import Console
from linkage.commands.one_off import Given, ingest_and_link, one_off_database
from linkage.database import columns_of
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.errors import ConfigError, LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.figures import labels
from linkage.ingest.source_config import load_source_config
from linkage.model.labelled_pairs import (
    LabelCounts,
    hide_identifier,
    label_from_identifiers,
    label_from_rulings,
    label_from_truth,
    told_by_identifier,
)
from linkage.model.parameters import load_model
from linkage.model.verdicts import BY_SCORE, judge
from linkage.stages import StageClock
from linkage.workspace import open_workspace

LABELLED = "calibration_pairs"


@dataclass(frozen=True)
class CalibrationRequest:
    """What to calibrate, with which labels.

    Attributes:
        paths: one workspace directory, or record files as `guiyi link` takes them.
        entity: the entity type; needed for files, else every one the labels speak of.
        truth: true entities of records.
        rulings: pairs of records ruled to be one entity or two.
        error: share of false pairs among automatic links that is not to be exceeded.
        review_share: share of true pairs from which a person is asked.
        page: HTML file to write, if any.
        language: language of text and page.
        source_config: maps the columns of files; absent if they are canonical.
        entity_config: entity configuration for files instead of the shipped one.
        model: model file for files.
        as_of: date of rows of files that give none.
        memory_limit: DuckDB's memory limit for files; absent: see `linkage.commands.one_off.one_off_database`.
    """

    paths: tuple[Path, ...]
    entity: Entity | None
    truth: Path | None
    rulings: Path | None
    error: float
    review_share: float
    page: Path | None
    language: str
    source_config: Path | None
    entity_config: Path | None
    model: Path | None
    as_of: date
    memory_limit: str | None = None


def show_calibration(request: CalibrationRequest, *, now: datetime, console: Console) -> int:
    """Calibrate, print the outcome and write the page.

    Raises:
        ConfigError: options that do not go together or are out of range.
        LinkageError: nothing to calibrate: no run yet, no labels, or labels of one kind only.
    """
    _check(request)
    in_workspace = request.paths[0].is_dir()
    reports = _of_workspace(request) if in_workspace else [_of_files(request, now=now, console=console)]
    if request.page is not None:
        try:
            write_calibration(reports, request.page, lang=request.language)
        except OSError as error:
            raise LinkageError(f"{request.page}: cannot be written ({error.strerror}); name another file") from error
    console.result(
        as_text(reports, lang=request.language, width=console.width),
        {"entities": [dataclasses.asdict(report) for report in reports]},
    )
    if request.page is not None:
        console.say(f"page: {request.page}")
    return 0


def _check(request: CalibrationRequest) -> None:
    for name, value in (("--error", request.error), ("--review-share", request.review_share)):
        if not 0 < value < 1:
            raise ConfigError(f"{name} {value}: not a share; give a number above 0 and below 1, such as 0.001")
    if request.truth and request.rulings:
        raise ConfigError("--truth and --labels: give one of the two")
    folders = [path for path in request.paths if path.is_dir()]
    if folders and len(request.paths) > 1:
        raise ConfigError(f"{folders[0]}: is a directory; give one workspace, or record files only")
    if folders:
        given = {"--config": request.source_config, "--entity-config": request.entity_config, "--model": request.model}
        extra = [name for name, value in given.items() if value is not None]
        if extra:
            raise ConfigError(f"{', '.join(extra)}: only for record files; a workspace has its own")
    elif request.entity is None:
        raise ConfigError("--entity: say what the files hold, legal_person or natural_person")
    if request.page is not None and not request.page.parent.is_dir():
        raise LinkageError(f"{request.page}: its directory does not exist; make it first")
    for path in (request.truth, request.rulings):
        if path is not None and not path.is_file():
            raise LinkageError(f"{path}: no such file; give labels as Parquet or CSV")


def _of_workspace(request: CalibrationRequest) -> list[CalibrationReport]:
    workspace = open_workspace(request.paths[0])
    if not workspace.batch.exists():
        raise LinkageError(f"{workspace.root}: nothing to calibrate yet; next: guiyi run {workspace.root}")
    reports: list[CalibrationReport] = []
    refused: list[LinkageError] = []
    with read_batch(workspace.batch, memory_limit=workspace.settings.memory_limit) as con:
        tables = {row[0] for row in con.execute("show tables").fetchall()}
        linked = [e for e in ENTITIES if f"{e}_judged" in tables and request.entity in (None, e)]
        if not linked:
            raise LinkageError(
                f"{workspace.root}: the last run linked no {request.entity or 'entity type'}; "
                f"next: guiyi run {workspace.root}"
            )
        for entity in linked:
            config = load_entity_config(entity)
            where = (str(resources.files("configs").joinpath(f"{entity}.toml")), f"guiyi run {workspace.root}")
            try:
                reports.append(_report(con, config, request, workspace.model(entity), where))
            except LinkageError as error:
                refused.append(error)
    if refused and (not reports or request.entity):
        raise refused[0]
    return reports


def _of_files(request: CalibrationRequest, *, now: datetime, console: Console) -> CalibrationReport:
    assert request.entity is not None
    config = load_entity_config(request.entity, request.entity_config)
    source = load_source_config(request.source_config) if request.source_config else None
    with tempfile.TemporaryDirectory(prefix="guiyi-") as scratch:
        work = Path(scratch)
        with one_off_database(work, request.memory_limit) as con:
            given = Given(request.paths, source, request.model, request.as_of)
            _, run = ingest_and_link(con, config, given, root=work, now=now, clock=StageClock(console), console=console)
            model = work / "model.json"
            model.write_text(run.trained.model_dump_json(), "utf-8")
            file = str(request.entity_config or f"{request.entity}.toml")
            again = f"guiyi link {request.entity} {request.paths[0]} --entity-config {file} --output DIR"
            if request.entity_config is None:
                shipped = resources.files("configs").joinpath(f"{request.entity}.toml")
                again = f"cp {shipped} {file}; {again}"
            return _report(con, config, request, model, (file, again))


def _report(
    con: DuckDBPyConnection,
    config: EntityConfig,
    request: CalibrationRequest,
    model: Path,
    where: tuple[str, str],
) -> CalibrationReport:
    judged = f"{config.entity}_judged"
    _check_levels(con, config, judged)
    if request.truth:
        counts = label_from_truth(con, config, request.truth, out=LABELLED)
    elif request.rulings:
        counts = label_from_rulings(con, config, request.rulings, out=LABELLED)
    else:
        counts = label_from_identifiers(con, config, out=LABELLED)
    _check_labels(config, counts)
    if counts.source == "identifiers":
        if not model.exists():
            raise LinkageError(f"{model}: the model of the last run is gone; run again, or give --truth or --labels")
        hide_identifier(
            con,
            config,
            load_model(config, model),
            labelled=LABELLED,
            scored="calibration_scored",
            profiles="calibration_profiles",
        )
        judged = "calibration_judged"
        judge(con, config, scored="calibration_scored", profiles="calibration_profiles", out=judged)
    rows = con.execute(
        f"""
select
    c.part, floor(j.match_weight / ?) * ? as low, j.verdict, j.verdict_rule,
    count(*), count(*) filter (c.same), sum(j.match_probability)
from {quote(judged)} j
join {quote(LABELLED)} c using (left_id, right_id)
group by all
order by all""",
        [STEP, STEP],
    ).fetchall()
    scored = (BY_SCORE, BY_HYSTERESIS)
    by_score = [PairCount(part, low, verdict, n, m, p) for part, low, verdict, rule, n, m, p in rows if rule in scored]
    by_rule: dict[tuple[str, str], list[int]] = {}
    for _, _, verdict, rule, pairs, matches, _ in rows:
        if rule not in scored:
            found = by_rule.setdefault((rule, verdict), [0, 0])
            found[0] += pairs
            found[1] += matches
    if not by_score:
        raise LinkageError(
            f"{config.entity}: hard rules decide every one of the {counts.pairs} labelled pairs, none is left to the "
            "score; thresholds do not matter for them"
        )
    told = told_by_identifier(config) if counts.source == "identifiers" else ()
    return CalibrationReport(
        entity=config.entity,
        labels=dataclasses.asdict(counts),
        told=told,
        hidden=config.training.label_blind if counts.source == "identifiers" else (),
        calibration=calibrate(
            by_score,
            auto=config.thresholds.auto,
            review=config.thresholds.review,
            error=request.error,
            review_share=request.review_share,
        ),
        rules=tuple(
            RuleCount(rule.name, verdict, *by_rule[rule.name, verdict])
            for rule in config.rule
            # Of a rule that asks for an only candidate the pairs linked, and those left to a person.
            for verdict in dict.fromkeys((rule.verdict, "auto"))
            if (rule.name, verdict) in by_rule
        ),
        names=labels([config]),
        config_file=where[0],
        next_command=where[1],
    )


def _check_levels(con: DuckDBPyConnection, config: EntityConfig, judged: str) -> None:
    columns = columns_of(con, judged)
    if [name for name in config.levels if f"gamma_{name}" not in columns]:
        raise LinkageError(f"{config.entity}: the last run had other comparisons than the configuration; run again")


def _check_labels(config: EntityConfig, counts: LabelCounts) -> None:
    found = f"{config.entity}: {counts.pairs} compared pairs have a label"
    told = f"{counts.given} labels given, {counts.unknown} name records that are not in the data"
    if counts.source == "identifiers":
        told = f"{counts.given} profiles carry {config.training.label}"
        remedy = "give --truth or --labels"
    elif counts.source == "rulings":
        told += f", {counts.unusable} say neither yes nor no or contradict, {counts.not_compared} were never compared"
        remedy = "write records as source:source_record_id, and same as yes or no"
    else:
        remedy = "the truth needs the source and source_record_id of these records"
    if not counts.pairs:
        raise LinkageError(f"{found} ({told}); {remedy}")
    if counts.matches in (0, counts.pairs):
        kind = "one entity" if counts.matches else "two entities"
        raise LinkageError(
            f"{found}, and all of them are {kind} ({told}); calibrating needs both kinds: label more pairs"
        )
