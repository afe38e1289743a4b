"""Commands of the monthly routine: they change a workspace."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.app import AsJson, Entity, Language, Quiet, WorkspacePath, app, day, entity_name, now
from linkage.commands.console import Console
from linkage.errors import ConfigError

if TYPE_CHECKING:
    from linkage.workspace import Workspace


class Mode(StrEnum):
    """Whether a file holds every subject of its source or only what changed."""

    full = "full"
    delta = "delta"


class Engine(StrEnum):
    """Engines that can run the batch."""

    duckdb = "duckdb"


@app.command()
def init(
    workspace: WorkspacePath,
    catalog: Annotated[
        str | None, typer.Option(help="Where releases are published: a path, or postgresql://USER@HOST/DATABASE.")
    ] = None,
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
    shrunk: Annotated[
        bool, typer.Option("--shrunk", help="Accept a full load far smaller than the source's last one.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Load a department's files: archive them, accept or quarantine every row."""
    from linkage.commands.loading import ingest_files
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    opened = open_workspace(workspace)
    _finish(opened, console)
    return ingest_files(
        opened,
        files,
        source=source,
        as_of=day(as_of),
        mode=mode.value,
        late=late,
        again=again,
        shrunk=shrunk,
        now=now(),
        console=console,
    )


@app.command()
def run(
    workspace: WorkspacePath,
    full: Annotated[
        bool, typer.Option("--full", help="Compute everything anew, taking nothing over from the last run.")
    ] = False,
    new_catalog: Annotated[
        bool, typer.Option("--new-catalog", help="Begin a catalog again, with new ids: the one before is lost.")
    ] = False,
    entity: Annotated[Entity | None, typer.Option(help="One entity type only; the other keeps its release.")] = None,
    engine: Annotated[Engine, typer.Option(help="Engine of the batch.")] = Engine.duckdb,
    lang: Annotated[Language | None, typer.Option(help="Language of the report.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Link everything that was loaded, and publish a release."""
    del engine
    from linkage.commands.monthly import run_month
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    chosen = (entity_name(entity),) if entity else None
    opened = open_workspace(workspace)
    _finish(opened, console)
    return run_month(
        opened,
        entities=chosen,
        language=lang.value if lang else None,
        now=now(),
        console=console,
        full=full,
        new_catalog=new_catalog,
    )


@app.command()
def train(
    workspace: WorkspacePath,
    entity: Annotated[Entity | None, typer.Option(help="One entity type only.")] = None,
    quiet: Quiet = False,
) -> int:
    """Forget the workspace's models, so that the next run trains new ones on its data."""
    from linkage.commands.monthly import forget_models
    from linkage.workspace import open_workspace

    chosen = (entity_name(entity),) if entity else None
    return forget_models(open_workspace(workspace), entities=chosen, now=now(), console=Console(quiet=quiet))


@app.command()
def rollback(
    workspace: WorkspacePath,
    release: Annotated[
        int | None, typer.Argument(help="The release to return to; absent: the one before the current one.")
    ] = None,
    before_load: Annotated[
        list[str] | None,
        typer.Option(metavar="LOAD_ID", help="Withdraw a load instead, and publish the state without it; repeatable."),
    ] = None,
    restore_load: Annotated[
        str | None, typer.Option(metavar="LOAD_ID", help="Take a withdrawn load back, and publish the state with it.")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Publish an earlier release's state again, or the state without a load, as a new release."""
    from linkage.commands import roll_back
    from linkage.workspace import open_workspace

    if sum(wish is not None for wish in (release, before_load or None, restore_load)) > 1:
        raise ConfigError("give a release, --before-load or --restore-load: one of them")
    opened, console = open_workspace(workspace), Console(quiet=quiet)
    _finish(opened, console)
    if before_load:
        return roll_back.withdraw_loads(opened, before_load, now=now(), console=console)
    if restore_load is not None:
        return roll_back.restore_load(opened, restore_load, now=now(), console=console)
    return roll_back.roll_back(opened, release, now=now(), console=console)


@app.command()
def forget(
    workspace: WorkspacePath,
    subjects: Annotated[
        list[str] | None, typer.Argument(metavar="SUBJECT...", help="Records (source:source_record_id) or entity ids.")
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who has it done.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why: a code, see the documentation.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish a forgetting that was interrupted.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let records that were forgotten come back.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Remove a subject's records and everything derived from them, leave a tombstone, and prove it."""
    from linkage.commands import forget as forgetting
    from linkage.workspace import open_workspace

    opened, console = open_workspace(workspace), Console(quiet=quiet, as_json=as_json)
    if resume:
        if subjects or author or reason or dry_run or lift:
            raise ConfigError("--resume goes alone: what is forgotten was said before")
        return forgetting.resume(opened, now=now(), console=console)
    if not subjects or author is None or reason is None or (dry_run and lift):
        raise ConfigError("give records or entities, --author and --reason; of --dry-run and --lift at most one")
    request = forgetting.ForgetRequest(tuple(subjects), author, reason)
    if lift:
        return forgetting.lift(opened, request, now=now(), console=console)
    return forgetting.forget(opened, request, dry_run=dry_run, now=now(), console=console)


def _finish(workspace: Workspace, console: Console) -> None:
    """Finish a forgetting that was killed, before anything else is done."""
    from linkage.commands.forget import finish_begun
    from linkage.forgetting.journal import read_journal

    if read_journal(workspace) is not None:
        finish_begun(workspace, now=now(), console=console)
