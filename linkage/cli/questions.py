"""Commands that ask a workspace something and change nothing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Language, Quiet, WorkspacePath, app, now, pairs_of
from linkage.commands.console import Console


@app.command()
def status(workspace: WorkspacePath, as_json: AsJson = False) -> int:
    """Show loads, releases and what to do next."""
    from linkage.commands.status import show_status
    from linkage.workspace import open_workspace

    return show_status(open_workspace(workspace), console=Console(as_json=as_json))


@app.command()
def verify(
    workspace: WorkspacePath,
    deep: Annotated[bool, typer.Option("--deep", help="Link all records again and compare: as long as a run.")] = False,
    as_json: AsJson = False,
) -> int:
    """Check that catalog, archive and batch database are whole and agree; changes nothing."""
    from linkage.commands.verify import show_verification
    from linkage.workspace import open_workspace

    return show_verification(open_workspace(workspace), console=Console(as_json=as_json), deep=deep)


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
    from linkage.commands.explain import show_explanation
    from linkage.commands.explain_entity import show_history
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
def attach(
    workspace: WorkspacePath,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Files or folders of credit rows, or postgresql://USER@HOST/DATABASE#SCHEMA.TABLE."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder to make.")],
    column: Annotated[
        list[str] | None, typer.Option(help="KNOWN=COLUMN where the files call a column otherwise; repeatable.")
    ] = None,
    item: Annotated[str | None, typer.Option(help="Catalogue item of rows that name none.")] = None,
    catalogue: Annotated[Path | None, typer.Option(help="A catalogue (TOML) instead of the shipped one.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Attach credit rows to the entities of the current release."""
    from linkage.commands.attach import AttachRequest, attach_credit
    from linkage.workspace import open_workspace

    request = AttachRequest(
        inputs=tuple(inputs),
        output=output,
        columns=pairs_of(column or (), option="--column"),
        item=item,
        catalogue=catalogue,
    )
    return attach_credit(open_workspace(workspace), request, now=now(), console=Console(quiet=quiet, as_json=as_json))
