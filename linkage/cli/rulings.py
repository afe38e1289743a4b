"""Commands about people's rulings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Quiet, WorkspacePath, app, now
from linkage.commands.console import Console


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
    from linkage.commands.decide import DecideRequest, record_decision
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
    return record_decision(open_workspace(workspace), request, now=now(), console=Console(quiet=quiet, as_json=as_json))


@app.command()
def decisions(
    workspace: WorkspacePath,
    state: Annotated[list[DecisionState] | None, typer.Option(help="Only decisions in this state; repeatable.")] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Show the free text too; it may be personal.")] = False,
    as_json: AsJson = False,
) -> int:
    """List people's decisions, and those set aside because they contradict others."""
    from golden_records.decisions import STATES
    from linkage.commands.decide import show_decisions
    from linkage.workspace import open_workspace

    chosen = [one for one in STATES if one in {s.value for s in state or ()}]
    return show_decisions(open_workspace(workspace), states=chosen, notes=notes, console=Console(as_json=as_json))
