"""What the commands share: the application, the options that many have, and how arguments become values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from linkage.errors import ConfigError
from linkage.fields import ENTITIES
from linkage.fields import Entity as EntityName

EARLIEST_YEAR = 1900
_AHEAD = timedelta(days=366)

app = typer.Typer(
    name="guiyi",
    help="Guiyi (归一): entity resolution and record linkage for public-credit data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print results, warnings and errors only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
WorkspacePath = Annotated[Path, typer.Argument(metavar="WORKSPACE", help="The workspace directory.")]


class Entity(StrEnum):
    """Entity types, as the command line spells them."""

    legal_person = "legal_person"
    natural_person = "natural_person"


class Language(StrEnum):
    """Languages of reports and explanations."""

    zh = "zh"
    en = "en"


def now() -> datetime:
    """Return the time, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def entity_name(chosen: Entity) -> EntityName:
    """Return the entity type's name in the packages."""
    return next(name for name in ENTITIES if name == chosen.value)


def written_day(text: str, *, option: str) -> date:
    """Return the date of an option.

    Raises:
        ConfigError: it is not one, or written another way.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r}: not a date; write it as 2025-01-31") from error
    if found.isoformat() != text:
        raise ConfigError(f"{option} {text!r}: write it as {found.isoformat()}")
    return found


def day(text: str) -> date:
    """Return the date of `--as-of`.

    Raises:
        ConfigError: it is not one that a file can be of.
    """
    found = written_day(text, option="--as-of")
    if found.year < EARLIEST_YEAR or found > now().date() + _AHEAD:
        raise ConfigError(
            f"--as-of {text!r}: not a date a file can be of (expected {EARLIEST_YEAR} to a year from today); "
            "a load of the far future would keep every later one out"
        )
    return found


def pairs_of(texts: Iterable[str], *, option: str) -> dict[str, str]:
    """Return `KEY=VALUE` texts as a mapping.

    Raises:
        ConfigError: a text is no pair, or a key is given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals or not value:
            raise ConfigError(f"{option} {text!r}: expected KEY=VALUE")
        if key in found:
            raise ConfigError(f"{option} {text!r}: {key} is given twice")
        found[key] = value
    return found
