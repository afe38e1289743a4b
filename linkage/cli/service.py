"""Commands around the resolve service: asking, serving, tokens."""

from __future__ import annotations

import getpass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Entity, Language, WorkspacePath, app, entity_name, now, written_day
from linkage.commands.console import Console

token_app = typer.Typer(help="Make, list and revoke the tokens of the service.", no_args_is_help=True)
app.add_typer(token_app, name="token")


class Role(StrEnum):
    """Roles, as the command line spells them."""

    platform = "platform"
    auditor = "auditor"
    lead_auditor = "lead_auditor"
    data_team = "data_team"
    admin = "admin"


@app.command()
def resolve(
    workspace: WorkspacePath,
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="An identifier, or an entity id old or new.")
    ] = None,
    scheme: Annotated[str | None, typer.Option(help="uscc, resident_id, …; absent: found from the value.")] = None,
    entity: Annotated[Entity | None, typer.Option(help="Entity type; needed with a name or an address.")] = None,
    name: Annotated[str | None, typer.Option(help="Name, current or former.")] = None,
    address: Annotated[str | None, typer.Option(help="Address as written.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone number.")] = None,
    birth_date: Annotated[str | None, typer.Option(help="Date of birth, may be partial.")] = None,
    legal_rep: Annotated[str | None, typer.Option(help="Legal representative or operator.")] = None,
    file: Annotated[Path | None, typer.Option(help="Questions instead: CSV or JSON Lines, canonical columns.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the answers to a file go (JSON Lines).")] = None,
    purpose: Annotated[str | None, typer.Option(help="Why, for the access log.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of the evidence.")] = None,
    as_json: AsJson = False,
) -> int:
    """Say which entity somebody or something is, in the current release."""
    from linkage.commands.resolve import Question, resolve_file, show_resolution
    from linkage.workspace import open_workspace

    opened = open_workspace(workspace)
    question = Question(
        value=value,
        scheme=scheme,
        entity=entity_name(entity) if entity else None,
        fields={
            "name": name,
            "address": address,
            "phone": phone,
            "birth_date": birth_date,
            "legal_rep_name": legal_rep,
        },
        language=lang.value if lang else opened.settings.language,
        purpose=purpose,
        actor=getpass.getuser(),
    )
    console = Console(as_json=as_json)
    if file is not None:
        return resolve_file(opened, question, file, output, now=now(), console=console)
    return show_resolution(opened, question, now=now(), console=console)


@app.command()
def serve(
    workspace: WorkspacePath,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any.")] = 8630,
) -> int:
    """Serve the current release over HTTP: resolve API, reconciliation, review desk, metrics."""
    from linkage.workspace import open_workspace

    # The service is the outermost ring: nothing imports it, the command finds it by its name.
    server = import_module("linkage.service.server")
    return int(server.serve(open_workspace(workspace), host=host, port=port))


@token_app.command("create")
def token_create(
    workspace: WorkspacePath,
    role: Annotated[Role, typer.Option(help="What the owner may see; docs/service.md.")],
    owner: Annotated[str, typer.Option(help="Whose token it is: a person or a system.")],
    expires: Annotated[str, typer.Option(help="Last day on which it is taken, YYYY-MM-DD.")],
    organization: Annotated[str | None, typer.Option(help="The owner's body, for the access log.")] = None,
    as_json: AsJson = False,
) -> int:
    """Make a token; it is shown once."""
    from linkage.access.roles import ROLES
    from linkage.commands.tokens import make_token
    from linkage.workspace import open_workspace

    return make_token(
        open_workspace(workspace),
        role=next(one for one in ROLES if one == role.value),
        owner=owner,
        organization=organization,
        last_day=written_day(expires, option="--expires"),
        now=now(),
        console=Console(as_json=as_json),
    )


@token_app.command("list")
def token_list(workspace: WorkspacePath, as_json: AsJson = False) -> int:
    """List tokens with role, owner and state."""
    from linkage.commands.tokens import show_tokens
    from linkage.workspace import open_workspace

    return show_tokens(open_workspace(workspace), now=now(), console=Console(as_json=as_json))


@token_app.command("revoke")
def token_revoke(
    workspace: WorkspacePath,
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="As `token list` shows it.")],
) -> int:
    """Withdraw a token; the next request with it is refused."""
    from linkage.commands.tokens import end_token
    from linkage.workspace import open_workspace

    return end_token(open_workspace(workspace), token_id, now=now(), console=Console())
