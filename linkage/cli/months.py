"""Commands of the monthly routine: they change a workspace."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Entity, Language, Quiet, WorkspacePath, app, day, entity_name, now
from linkage.commands.console import Console


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
    from linkage.commands.loading import ingest_files
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    return ingest_files(
        open_workspace(workspace),
        files,
        source=source,
        as_of=day(as_of),
        mode=mode.value,
        late=late,
        again=again,
        now=now(),
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
    from linkage.commands.monthly import run_month
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    chosen = (entity_name(entity),) if entity else None
    return run_month(
        open_workspace(workspace),
        entities=chosen,
        language=lang.value if lang else None,
        now=now(),
        console=console,
        full=full,
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
    release: Annotated[int, typer.Argument(help="The release to return to.")],
    quiet: Quiet = False,
) -> int:
    """Publish an earlier release's state again, as a new release."""
    from linkage.commands.monthly import roll_back
    from linkage.workspace import open_workspace

    return roll_back(open_workspace(workspace), release, now=now(), console=Console(quiet=quiet))
