"""How relations are derived: the configuration `configs/relations.toml`, read once and checked whole."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linkage.errors import ConfigError
from matchers.person_name import levels

Kind = Literal["legal_representative_of", "operator_of", "branch_of", "succeeds", "employed_by"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_CodePrefix = Annotated[str, Field(min_length=2, max_length=2)]
_NAME_LEVELS = tuple(level.name for level in levels("name", "former") if level.name not in ("missing", "different"))


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RepresentativeSettings(_Section):
    """How the person who represents an organisation is found.

    Attributes:
        operator_kinds: kinds of organisation whose representative is its operator.
        operator_code_prefixes: first two characters of credit codes that mean the same where no record tells the kind.
        min_positions: agreeing positions outside the birth date that a partly hidden number needs.
        min_tail: how many of them among the last four.
        partial_names: levels of comparing names at which a partly hidden number may find somebody.
    """

    operator_kinds: tuple[str, ...]
    operator_code_prefixes: tuple[_CodePrefix, ...] = ()
    min_positions: int = Field(default=6, ge=1, le=10)
    min_tail: int = Field(default=2, ge=0, le=4)
    partial_names: tuple[str, ...]


class SuccessionSettings(_Section):
    """When one organisation is taken for the successor of another.

    Attributes:
        ended: registration statuses of an organisation that has ended.
        conversions: first two characters of the credit codes before and after a conversion.
    """

    ended: tuple[str, ...]
    conversions: tuple[tuple[_CodePrefix, _CodePrefix], ...] = ()


class RelationSettings(_Section):
    """`configs/relations.toml`.

    Attributes:
        kinds: relations that are derived.
        representative: how representatives and operators are found.
        succession: how successors are found.
    """

    kinds: tuple[Kind, ...] = KINDS
    representative: RepresentativeSettings
    succession: SuccessionSettings


def load_relation_settings(path: Path | None = None) -> RelationSettings:
    """Read and check the settings.

    Args:
        path: a file instead of the shipped one.

    Raises:
        ConfigError: the file cannot be read or says something impossible; names the place.
    """
    if path is None:
        with resources.as_file(resources.files("configs").joinpath("relations.toml")) as shipped:
            return load_relation_settings(shipped)
    try:
        settings = RelationSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "whole file"
        raise ConfigError(f"{path}: {place}: {first['msg']}; see docs/configuration.md") from error
    unknown = sorted(set(settings.representative.partial_names) - set(_NAME_LEVELS))
    if unknown:
        known = ", ".join(_NAME_LEVELS)
        raise ConfigError(f"{path}: representative.partial_names: unknown level {unknown[0]!r} (known: {known})")
    return settings
