"""The command line: `guiyi`.

Each command checks its arguments, calls one function and prints its result. Exit codes: 0 done, 1 failed, 2 wrong usage
or configuration, 3 done with more rows in quarantine than the configured share.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from eval.errors import EvalError
from golden_records.errors import GoldenRecordsError
from linkage.console import Console
from linkage.errors import FAILED, WRONG_USE, ConfigError, LinkageError
from linkage.fields import ENTITIES
from linkage.fields import Entity as EntityName
from linkage.ingest.errors import IngestError

app = typer.Typer(
    name="guiyi",
    help="Guiyi (归一): entity resolution and record linkage for public-credit data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print results and errors only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
WorkspacePath = Annotated[Path, typer.Argument(metavar="WORKSPACE", help="The workspace directory.")]


class Entity(StrEnum):
    """Entity types, as the command line spells them."""

    legal_person = "legal_person"
    natural_person = "natural_person"


class Mode(StrEnum):
    """Whether a file holds every subject of its source or only what changed."""

    full = "full"
    delta = "delta"


class RulingKind(StrEnum):
    """Kinds of ruling, as the command line spells them."""

    same = "same"
    different = "different"
    not_here = "not-here"


class RulingScope(StrEnum):
    """How far a ruling reaches."""

    records = "records"
    entities = "entities"


class DecisionState(StrEnum):
    """Where a decision stands."""

    proposed = "proposed"
    active = "active"
    revoked = "revoked"


class Engine(StrEnum):
    """Engines that can run the batch."""

    duckdb = "duckdb"


class Language(StrEnum):
    """Languages of reports and explanations."""

    zh = "zh"
    en = "en"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Directory to make.")] = Path("guiyi-demo"),
    people: Annotated[int, typer.Option(min=100, help="Natural persons in the district.")] = 8_000,
    organisations: Annotated[int, typer.Option(min=20, help="Organisations in the district.")] = 2_000,
    months: Annotated[int, typer.Option(min=1, max=24)] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same district.")] = 20250101,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.zh,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Show the whole job on a simulated district, and print where to look."""
    from linkage.demo import run_demo

    console = Console(quiet=quiet, brief=True, as_json=as_json)
    return run_demo(
        output,
        people=people,
        organisations=organisations,
        months=months,
        seed=seed,
        language=lang.value,
        now=_now(),
        console=console,
    )


@app.command()
def simulate(
    people: Annotated[int, typer.Option(min=1)],
    organisations: Annotated[int, typer.Option(min=1)],
    output: Annotated[Path, typer.Option(help="Directory to make.")],
    months: Annotated[int, typer.Option(min=1, max=120)] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 20250101,
    profile: Annotated[Path | None, typer.Option(help="Error profile (TOML) instead of the shipped one.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Write the source files of a simulated district, and the truth beside them."""
    from linkage.demo import simulate_district

    console = Console(quiet=quiet, as_json=as_json)
    return simulate_district(
        output,
        people=people,
        organisations=organisations,
        months=months,
        seed=seed,
        profile=profile,
        console=console,
    )


@app.command()
def init(
    workspace: WorkspacePath,
    catalog: Annotated[str | None, typer.Option(help="Where releases are published: a path or sqlite:///PATH.")] = None,
) -> int:
    """Make a workspace."""
    from linkage.workspace import create_workspace

    made = create_workspace(workspace, catalog=catalog)
    console = Console()
    console.say(f"made {made.root}; next: guiyi ingest {made.root} --source NAME --as-of DATE FILE")
    return 0


@app.command()
def ingest(
    workspace: WorkspacePath,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="One source's files of one load.")],
    source: Annotated[str, typer.Option(help="The source's name: a configuration in configs/sources.")],
    as_of: Annotated[str, typer.Option(help="The date the source vouches for, YYYY-MM-DD.")],
    mode: Annotated[Mode, typer.Option(help="full: every subject of the source; delta: changes only.")] = Mode.full,
    late: Annotated[bool, typer.Option("--late", help="Accept a date before that of the source's last load.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Load a file that was loaded before, in its place.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Load a department's files: archive them, accept or quarantine every row."""
    from linkage.loading import ingest_files
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    return ingest_files(
        open_workspace(workspace),
        files,
        source=source,
        as_of=_date(as_of),
        mode=mode.value,
        late=late,
        again=again,
        now=_now(),
        console=console,
    )


@app.command()
def run(
    workspace: WorkspacePath,
    full: Annotated[
        bool, typer.Option("--full", help="Compute everything anew, taking nothing over from the last run.")
    ] = False,
    entity: Annotated[Entity | None, typer.Option(help="One entity type only; the other keeps its release.")] = None,
    engine: Annotated[Engine, typer.Option(help="Engine of the batch.")] = Engine.duckdb,
    lang: Annotated[Language | None, typer.Option(help="Language of the report.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Link everything that was loaded, and publish a release."""
    del engine
    from linkage.monthly import run_month
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    chosen = (_entity(entity),) if entity else None
    return run_month(
        open_workspace(workspace),
        entities=chosen,
        language=lang.value if lang else None,
        now=_now(),
        console=console,
        full=full,
    )


@app.command()
def link(
    entity: Entity,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX, Parquet or JSON Lines.")],
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    config: Annotated[Path | None, typer.Option(help="Source configuration (TOML) that maps the columns.")] = None,
    entity_config: Annotated[Path | None, typer.Option(help="Entity configuration instead of the shipped one.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model file instead of training or the shipped one.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Date of the data where the rows give none, YYYY-MM-DD.")] = None,
    truth: Annotated[Path | None, typer.Option(help="True entities, for precision and recall in the report.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.zh,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Link the records of a few files once, without a workspace."""
    from linkage.one_off import LinkRequest, link_files

    request = LinkRequest(
        entity=_entity(entity),
        files=tuple(files),
        output=output,
        source_config=config,
        entity_config=entity_config,
        model=model,
        as_of=_date(as_of) if as_of else _now().date(),
        truth=truth,
        language=lang.value,
    )
    return link_files(request, now=_now(), console=Console(quiet=quiet, as_json=as_json))


@app.command()
def train(
    workspace: WorkspacePath,
    entity: Annotated[Entity | None, typer.Option(help="One entity type only.")] = None,
    quiet: Quiet = False,
) -> int:
    """Forget the workspace's models, so that the next run trains new ones on its data."""
    from linkage.monthly import forget_models
    from linkage.workspace import open_workspace

    chosen = (_entity(entity),) if entity else None
    return forget_models(open_workspace(workspace), entities=chosen, now=_now(), console=Console(quiet=quiet))


@app.command()
def calibrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="A workspace, or record files as for link.")],
    entity: Annotated[Entity | None, typer.Option(help="Entity type; needed for files, else both.")] = None,
    truth: Annotated[Path | None, typer.Option(help="True entities: source, source_record_id, entity_id.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Rulings on pairs of records: left, right, same.")] = None,
    error: Annotated[float, typer.Option(help="Share of automatic links that may be false.")] = 0.0005,
    review_share: Annotated[float, typer.Option(help="Share of true pairs from which a person is asked.")] = 0.02,
    output: Annotated[Path | None, typer.Option(help="Also write a page with the charts here (HTML).")] = None,
    config: Annotated[Path | None, typer.Option(help="Source configuration that maps the files' columns.")] = None,
    entity_config: Annotated[Path | None, typer.Option(help="Entity configuration for files.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model file for files.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Date of rows of files that give none, YYYY-MM-DD.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of text and page.")] = Language.zh,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Compare match weights with labels, and propose thresholds that keep a stated error; changes nothing."""
    from linkage.calibrate import CalibrationRequest, show_calibration

    request = CalibrationRequest(
        paths=tuple(paths),
        entity=_entity(entity) if entity else None,
        truth=truth,
        rulings=labels,
        error=error,
        review_share=review_share,
        page=output,
        language=lang.value,
        source_config=config,
        entity_config=entity_config,
        model=model,
        as_of=_date(as_of) if as_of else _now().date(),
    )
    return show_calibration(request, now=_now(), console=Console(quiet=quiet, as_json=as_json))


@app.command()
def status(workspace: WorkspacePath, as_json: AsJson = False) -> int:
    """Show loads, releases and what to do next."""
    from linkage.status import show_status
    from linkage.workspace import open_workspace

    return show_status(open_workspace(workspace), console=Console(as_json=as_json))


@app.command()
def verify(workspace: WorkspacePath, as_json: AsJson = False) -> int:
    """Check that catalog, archive and batch database are whole and agree; changes nothing."""
    from linkage.verify import show_verification
    from linkage.workspace import open_workspace

    return show_verification(open_workspace(workspace), console=Console(as_json=as_json))


@app.command()
def resolve(
    workspace: WorkspacePath,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="An identifier, or an entity id old or new.")],
    scheme: Annotated[str | None, typer.Option(help="uscc, resident_id, …; absent: found from the value.")] = None,
    as_json: AsJson = False,
) -> int:
    """Say which entity an identifier belongs to, in the current release."""
    from linkage.resolve import show_resolution
    from linkage.workspace import open_workspace

    return show_resolution(open_workspace(workspace), value, scheme=scheme, console=Console(as_json=as_json))


@app.command()
def explain(
    workspace: WorkspacePath,
    left: Annotated[str, typer.Argument(metavar="RECORD", help="source:source_record_id; alone also an entity id.")],
    right: Annotated[str | None, typer.Argument(metavar="RECORD", help="The other record, to explain a pair.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the explanation.")] = Language.zh,
    html: Annotated[Path | None, typer.Option(help="Also write the explanation as a page.")] = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show values of natural persons in full.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say why two records are, or are not, one entity; or how one entity, or one record's membership, came to be."""
    from linkage.explain import show_explanation
    from linkage.explain_entity import show_history
    from linkage.workspace import open_workspace

    if right is None:
        return show_history(
            open_workspace(workspace),
            left,
            language=lang.value,
            html=html,
            unmasked=unmasked,
            console=Console(as_json=as_json),
        )
    return show_explanation(
        open_workspace(workspace),
        left,
        right,
        language=lang.value,
        html=html,
        unmasked=unmasked,
        console=Console(as_json=as_json),
    )


@app.command()
def decide(
    workspace: WorkspacePath,
    author: Annotated[str, typer.Option(help="Who rules, confirms or revokes.")],
    ruling: Annotated[RulingKind | None, typer.Argument(metavar="RULING", help="same, different or not-here.")] = None,
    records: Annotated[list[str] | None, typer.Argument(metavar="RECORD...", help="source:source_record_id")] = None,
    reason: Annotated[str | None, typer.Option(help="A reason's code, configured in guiyi.toml.")] = None,
    note: Annotated[str | None, typer.Option(help="More words, at most 2,000 characters; kept for good.")] = None,
    scope: Annotated[RulingScope | None, typer.Option(help="These records, or the whole entities.")] = None,
    confirm: Annotated[
        int | None, typer.Option(help="Bring a proposed decision into force, as a second person.")
    ] = None,
    revoke: Annotated[int | None, typer.Option(help="End a decision; say why with --note.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Record a person's ruling: records are one entity, are not, or one does not belong to its entity."""
    from golden_records.ruling import KINDS, SCOPES
    from linkage.decide import DecideRequest, record_decision
    from linkage.workspace import open_workspace

    request = DecideRequest(
        author=author,
        kind=next((kind for kind in KINDS if ruling and kind == ruling.value.replace("-", "_")), None),
        records=tuple(records or ()),
        scope=next((one for one in SCOPES if scope and one == scope.value), None),
        reason=reason,
        note=note,
        confirm=confirm,
        revoke=revoke,
    )
    return record_decision(
        open_workspace(workspace), request, now=_now(), console=Console(quiet=quiet, as_json=as_json)
    )


@app.command()
def decisions(
    workspace: WorkspacePath,
    state: Annotated[list[DecisionState] | None, typer.Option(help="Only decisions in this state; repeatable.")] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Show the free text too; it may be personal.")] = False,
    as_json: AsJson = False,
) -> int:
    """List people's decisions, and those set aside because they contradict others."""
    from golden_records.decisions import STATES
    from linkage.decide import show_decisions
    from linkage.workspace import open_workspace

    chosen = [one for one in STATES if one in {s.value for s in state or ()}]
    return show_decisions(open_workspace(workspace), states=chosen, notes=notes, console=Console(as_json=as_json))


@app.command()
def rollback(
    workspace: WorkspacePath,
    release: Annotated[int, typer.Argument(help="The release to return to.")],
    quiet: Quiet = False,
) -> int:
    """Publish an earlier release's state again, as a new release."""
    from linkage.monthly import roll_back
    from linkage.workspace import open_workspace

    return roll_back(open_workspace(workspace), release, now=_now(), console=Console(quiet=quiet))


@app.command("eval")
def evaluate(
    clusters: Annotated[Path, typer.Argument(metavar="CLUSTERS", help="source, source_record_id, entity_id.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="source, source_record_id, entity_id.")],
    as_json: AsJson = False,
) -> int:
    """Compare clusters with the truth: precision, recall and the errors by class."""
    from eval.metrics import as_dict, as_table, evaluate_files

    metrics = evaluate_files(clusters, truth)
    Console(as_json=as_json).result(as_table(metrics), as_dict(metrics))
    return 0


def _entity(chosen: Entity) -> EntityName:
    return next(name for name in ENTITIES if name == chosen.value)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--as-of {text!r}: not a date; write it as 2025-01-31") from error


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the command's exit code."""
    console = Console()
    try:
        code = app(args=arguments, prog_name="guiyi", standalone_mode=False)
    except (LinkageError, IngestError) as error:
        console.error(str(error))
        code = error.exit_code
    except (GoldenRecordsError, EvalError) as error:
        console.error(str(error))
        code = FAILED
    except typer.Abort:
        code = FAILED
    except Exception as error:
        code = _usage_error(error)
    sys.exit(code or 0)


def _usage_error(error: Exception) -> int:
    """Show a command-line usage error the way typer would; anything else is a defect and goes on."""
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return WRONG_USE
    if isinstance(error, MemoryError | OSError):
        Console().error(f"{type(error).__name__}: {error}")
        return FAILED
    raise error
