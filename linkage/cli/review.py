"""Commands that take review cases out to a file and rulings back in."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Entity, Quiet, WorkspacePath, app, now
from linkage.commands.console import Console

review_app = typer.Typer(help="Review cases as files that a person can fill in.", no_args_is_help=True)
app.add_typer(review_app, name="review")


@review_app.command("export")
def review_export(
    workspace: WorkspacePath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a file that ends in .xlsx or .jsonl.")],
    state: Annotated[str, typer.Option(help="open, waiting, undecided …; pending: all that wait.")] = "pending",
    kind: Annotated[str | None, typer.Option(help="Only cases of this kind; docs/review-desk.md.")] = None,
    entity: Annotated[Entity | None, typer.Option(help="Only cases of this entity type.")] = None,
    source: Annotated[str | None, typer.Option(help="Only cases with a record of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most cases, the gravest first.")] = 500,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Values of natural persons in full.")] = False,
    purpose: Annotated[str | None, typer.Option(help="Why, for the access log; needed with --unmasked.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Write review cases to a file that a person can fill in."""
    from linkage.commands.review import ExportRequest, export_cases
    from linkage.errors import ConfigError
    from linkage.review.queue import Filters
    from linkage.review.topics import STATES
    from linkage.workspace import open_workspace

    if state not in (*STATES, "pending", "all"):
        raise ConfigError(f"--state {state!r}: use one of pending, all, {', '.join(STATES)}")
    request = ExportRequest(
        file=file,
        filters=Filters(state=state, topic=kind, entity_type=entity.value if entity else None, source=source),
        limit=limit,
        unmasked=unmasked,
        purpose=purpose,
        actor=getpass.getuser(),
    )
    return export_cases(open_workspace(workspace), request, now=now(), console=Console(quiet=quiet, as_json=as_json))


@review_app.command("import")
def review_import(
    workspace: WorkspacePath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A filled-in file of `guiyi review export`.")],
    author: Annotated[str, typer.Option(help="Who ruled.")],
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Take the rulings of a filled-in file, by the rules of the desk."""
    from linkage.commands.review import import_rulings
    from linkage.workspace import open_workspace

    console = Console(quiet=quiet, as_json=as_json)
    return import_rulings(open_workspace(workspace), file, author=author, now=now(), console=console)


@review_app.command("precision")
def review_precision(workspace: WorkspacePath, quiet: Quiet = False, as_json: AsJson = False) -> int:
    """Show how precise links are, by the spot checks that people ruled on."""
    from linkage.commands.review import show_precision
    from linkage.workspace import open_workspace

    return show_precision(open_workspace(workspace), console=Console(quiet=quiet, as_json=as_json))


@review_app.command("credit")
def review_credit(
    workspace: WorkspacePath,
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders that `guiyi attach` made.")],
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Count the credit rows attached to the entities of cases, so that they weigh in the order of the queue."""
    from linkage.commands.review import count_credit
    from linkage.workspace import open_workspace

    return count_credit(open_workspace(workspace), folders, console=Console(quiet=quiet, as_json=as_json))
