"""The survivorship configuration: which column is an attribute's value, and in what order its rules are asked.

Read once from `configs/survivorship.toml`, checked whole, frozen; an unknown key is an error that lists the known ones.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from golden_records.errors import SurvivorshipConfigError

Rule = Literal["valid", "preferred", "source_rank", "recency", "support", "completeness"]
EntityType = Literal["legal_person", "natural_person"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Names = Annotated[tuple[str, ...], Field(strict=False)]


class ColumnValues(_Frozen):
    """A column and the values that count, best first.

    Attributes:
        column: a column of the records table.
        values: values that count; none given: every value that is present counts.
    """

    column: str
    values: Names = ()


class Attribute(_Frozen):
    """One golden value.

    Attributes:
        name: column of the golden table.
        value: column of the records table that is shown.
        key: column by which equal values are recognised; the value itself where the key is missing.
        rules: asked in this order until one tells two values apart; then the fixed tie-break (the smallest key).
        is_list: the value column is a list; each element is a value.
        valid: what makes a value valid, for the rule `valid` and for conflicts.
        preferred: order of preference, for the rule `preferred`.
        companions: golden columns that come from the same record as the value (golden column = records column).
        exclusive: an entity can have only one; two trusted sources that disagree are a conflict.
        exclusive_within: column inside whose value it is exclusive (one number per kind of document).
    """

    name: str
    value: str
    key: str | None = None
    rules: Annotated[tuple[Rule, ...], Field(strict=False, min_length=1)]
    is_list: bool = False
    valid: ColumnValues | None = None
    preferred: ColumnValues | None = None
    companions: dict[str, str] = {}
    exclusive: bool = False
    exclusive_within: str | None = None

    @model_validator(mode="after")
    def _rules_have_what_they_need(self) -> Attribute:
        if len(set(self.rules)) != len(self.rules):
            raise ValueError("a rule is listed twice")
        if "valid" in self.rules and self.valid is None:
            raise ValueError("rule 'valid' needs valid = {column = …}")
        if "preferred" in self.rules and (self.preferred is None or not self.preferred.values):
            raise ValueError("rule 'preferred' needs preferred = {column = …, values = […]}")
        if self.is_list and self.key is not None:
            raise ValueError("the elements of a list are their own keys: key and is_list do not go together")
        if self.exclusive_within is not None and not self.exclusive:
            raise ValueError("exclusive_within needs exclusive = true")
        return self


class Identifier(_Frozen):
    """A column that holds identifiers.

    Attributes:
        column: normalised identifier.
        scheme: its scheme, when the column holds one scheme.
        scheme_column: the column that names the scheme, when it holds several.
        valid: what makes one valid; absent: every one is.
    """

    column: str
    scheme: str | None = None
    scheme_column: str | None = None
    valid: ColumnValues | None = None

    @model_validator(mode="after")
    def _one_scheme(self) -> Identifier:
        if (self.scheme is None) == (self.scheme_column is None):
            raise ValueError("give scheme or scheme_column, one of the two")
        return self


class Name(_Frozen):
    """A column that holds names.

    Attributes:
        column: the name as written.
        key: column by which equal names are recognised.
        former: the names are former ones.
        separators: characters that separate several names in one cell; none: the cell is one name.
    """

    column: str
    key: str | None = None
    former: bool = False
    separators: str = ""


class Address(_Frozen):
    """A column that holds addresses; `kind` says which (`address`, `household`)."""

    column: str
    kind: str
    key: str | None = None


class Phone(_Frozen):
    """A column that holds phone numbers: a list, or one number."""

    column: str
    is_list: bool = True


class EntitySurvivorship(_Frozen):
    """How golden records of one entity type are made.

    Attributes:
        trusted_rank: sources of this rank or better (lower) are trusted: their disagreement is a conflict.
        default_rank: rank of a source that has none.
        golden_name: the attribute that tells the current name from the variants.
        attribute: the golden values.
        identifier: multi-valued: where identifiers are.
        name: multi-valued: where names are.
        address: multi-valued: where addresses are.
        phone: multi-valued: where phone numbers are.
    """

    trusted_rank: int
    default_rank: int
    golden_name: str = "name"
    attribute: Annotated[tuple[Attribute, ...], Field(strict=False, min_length=1)]
    identifier: Annotated[tuple[Identifier, ...], Field(strict=False)] = ()
    name: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    address: Annotated[tuple[Address, ...], Field(strict=False)] = ()
    phone: Annotated[tuple[Phone, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _golden_columns_are_distinct(self) -> EntitySurvivorship:
        names = [name for attribute in self.attribute for name in (attribute.name, *attribute.companions)]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"golden column(s) given twice: {', '.join(doubled)}")
        if self.golden_name not in names:
            raise ValueError(f"golden_name: no attribute called {self.golden_name}")
        return self

    def golden_columns(self) -> tuple[str, ...]:
        """Return the golden columns, in order."""
        return tuple(name for attribute in self.attribute for name in (attribute.name, *attribute.companions))

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the records table that this configuration reads, sorted."""
        used: set[str | None] = set()
        for a in self.attribute:
            used |= {a.value, a.key, a.exclusive_within, *a.companions.values()}
            used |= {source.column for source in (a.valid, a.preferred) if source is not None}
        for i in self.identifier:
            used |= {i.column, i.scheme_column, i.valid.column if i.valid is not None else None}
        used |= {column for n in self.name for column in (n.column, n.key)}
        used |= {column for a in self.address for column in (a.column, a.key)}
        used |= {p.column for p in self.phone}
        return tuple(sorted(column for column in used if column is not None))


class SurvivorshipConfig(_Frozen):
    """`configs/survivorship.toml`: one section per entity type."""

    legal_person: EntitySurvivorship
    natural_person: EntitySurvivorship

    def of(self, entity_type: EntityType) -> EntitySurvivorship:
        """Return the section of an entity type."""
        return self.legal_person if entity_type == "legal_person" else self.natural_person


def load_survivorship(path: Path) -> SurvivorshipConfig:
    """Read and check the configuration.

    Raises:
        SurvivorshipConfigError: the file cannot be read or says something impossible; names every place.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
        return SurvivorshipConfig.model_validate(content)
    except OSError as error:
        raise SurvivorshipConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SurvivorshipConfigError(f"{path}: not a TOML file: {error}") from error
    except ValidationError as error:
        lines = [f"{path}: {_place(e['loc'])}: {_problem(e['type'], e['msg'], e['loc'])}" for e in error.errors()]
        raise SurvivorshipConfigError("\n".join(lines)) from error


_SECTIONS: dict[str, type[BaseModel]] = {
    "attribute": Attribute,
    "identifier": Identifier,
    "name": Name,
    "address": Address,
    "phone": Phone,
    "valid": ColumnValues,
    "preferred": ColumnValues,
}


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for step in location:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    return place.lstrip(".") or "(whole file)"


def _problem(kind: str, message: str, location: tuple[int | str, ...]) -> str:
    if kind != "extra_forbidden":
        return message.removeprefix("Value error, ")
    parents = [step for step in location[:-1] if isinstance(step, str)]
    model = _SECTIONS.get(parents[-1], EntitySurvivorship) if parents else SurvivorshipConfig
    return f"unknown key (known: {', '.join(sorted(model.model_fields))})"
