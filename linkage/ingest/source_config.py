"""What a department's file looks like: the configuration of one source (`configs/sources/<source>.toml`).

Read once, checked whole, frozen. An unknown key, field or encoding is an error that names the place and lists what is
known there. A file that already carries the canonical column names needs no configuration: see `canonical_source`.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from linkage.errors import WRONG_USE
from linkage.fields import CANONICAL_FIELDS, Entity
from linkage.ingest.errors import IngestError, nearest

Channel = Literal["city_platform", "district_department", "grid", "utility", "credit_bureau"]
Format = Literal["csv", "xlsx", "jsonl", "parquet"]

SOURCE_NAME = re.compile(r"\w[\w.\-]*")
# A load's folder carries the name, and a folder's name has at most 255 bytes.
SOURCE_NAME_CHARACTERS = 50
# Everything that calls itself GB2312 or GBK is read as its superset, which loses no rare character.
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "ms936": "gb18030"}
_TABS = {"\\t": "\t", "tab": "\t"}


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _encoding(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        name = codecs.lookup(value).name
    except (LookupError, ValueError) as error:
        raise ValueError(f"unknown encoding '{value}' (known: gb18030, utf-8, utf-16, big5, …)") from error
    return _SUPERSETS.get(name, name)


def _source_name(name: str) -> str:
    if not SOURCE_NAME.fullmatch(name) or len(name) > SOURCE_NAME_CHARACTERS:
        raise ValueError(
            f"a source name is at most {SOURCE_NAME_CHARACTERS} letters, digits, dots, hyphens and underscores"
        )
    return name


ColumnName = Annotated[str, Field(min_length=1)]
ColumnNames = Annotated[tuple[ColumnName, ...], BeforeValidator(_as_tuple), Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileConfig(_Section):
    """How the file is written; what is absent is detected."""

    format: Format | None = None
    encoding: Annotated[str | None, BeforeValidator(_encoding)] = None
    delimiter: Annotated[str | None, BeforeValidator(lambda v: _TABS.get(v, v) if isinstance(v, str) else v)] = None
    sheet: ColumnName | None = None
    header_row: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _one_byte_delimiter(self) -> Self:
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or self.delimiter in '"\r\n\0' or self.delimiter > "~"
        ):
            raise ValueError("delimiter must be one ASCII character other than a quote or a line end")
        return self


class KeyConfig(_Section):
    """What identifies a row.

    Attributes:
        source_record_id: the column, or the columns joined by `|`.
        as_of: the column with the date the row was vouched for; absent, the load's date.
        source: a column that names the source of each row; only for files with canonical columns.
    """

    source_record_id: ColumnNames
    as_of: ColumnName | None = None
    source: ColumnName | None = None


class DeltaConfig(_Section):
    """Which rows of a delta file withdraw a record."""

    operation: ColumnName
    delete: ColumnNames


class QuarantineConfig(_Section):
    """How much quarantine is tolerated before a load is reported as done with reservations (exit code 3)."""

    share: float = Field(default=0.02, ge=0, le=1)


class SourceConfig(_Section):
    """One source: who it is, how its file is written and which of its columns mean what.

    Attributes:
        canonical: the file carries the canonical column names; those it lacks are empty rather than missing.
    """

    source: Annotated[str, AfterValidator(_source_name)]
    title_zh: str = ""
    title_en: str = ""
    channel: Channel | None = None
    entity: Entity
    rank: int = Field(default=100, ge=1)
    canonical: bool = False
    file: FileConfig = FileConfig()
    key: KeyConfig
    columns: dict[str, ColumnNames] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    delta: DeltaConfig | None = None
    quarantine: QuarantineConfig = QuarantineConfig()

    @model_validator(mode="after")
    def _fields_are_canonical(self) -> Self:
        known = CANONICAL_FIELDS[self.entity]
        for section, names in (("columns", self.columns), ("values", self.values)):
            for name in names:
                if name not in known:
                    raise ValueError(f"{section}.{name}: unknown {self.entity} field (known: {', '.join(known)})")
        for name in self.values:
            if name not in self.mapped_columns():
                raise ValueError(f"values.{name}: the field has no entry in [columns]")
        if not self.mapped_columns():
            raise ValueError("columns: no column is mapped")
        return self

    def mapped_columns(self) -> dict[str, tuple[str, ...]]:
        """Return canonical field to the file's columns, in canonical order."""
        own = {name: (name,) for name in CANONICAL_FIELDS[self.entity]} if self.canonical else {}
        merged = own | self.columns
        return {name: merged[name] for name in CANONICAL_FIELDS[self.entity] if name in merged}

    def fingerprint(self) -> str:
        """Return the SHA-256 of the configuration's content, whatever its layout or comments."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def canonical_source(entity: Entity, source: str) -> SourceConfig:
    """Return the configuration of a file whose columns are the canonical names.

    Args:
        entity: what the rows are about.
        source: the source of rows that name none in a `source` column of their own.
    """
    raw = {
        "source": source,
        "entity": entity,
        "canonical": True,
        "key": {"source_record_id": "source_record_id", "as_of": "as_of", "source": "source"},
    }
    return _validated(raw, f"source '{source}'")


def load_source_config(path: Path) -> SourceConfig:
    """Read and check one source configuration.

    Raises:
        IngestError: the file is missing, not TOML, or says something that is not understood (exit code 2).
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise IngestError(str(path), "cannot be read", remedy=str(error.strerror), exit_code=WRONG_USE) from error
    except UnicodeDecodeError as error:
        raise IngestError(str(path), "not UTF-8", remedy="save it as UTF-8", exit_code=WRONG_USE) from error
    except tomllib.TOMLDecodeError as error:
        raise IngestError(str(path), f"not TOML: {error}", exit_code=WRONG_USE) from error
    return _validated(raw, str(path))


def load_source_configs(folder: Path) -> dict[str, SourceConfig]:
    """Read every source configuration of a folder, by source name; two of one name are an error."""
    configs: dict[str, SourceConfig] = {}
    for path in sorted(folder.glob("*.toml")):
        config = load_source_config(path)
        if config.source in configs:
            raise IngestError(
                str(path),
                f"source '{config.source}' is configured twice",
                remedy="give each source one file",
                exit_code=WRONG_USE,
            )
        configs[config.source] = config
    return configs


def _validated(raw: dict[str, Any], place: str) -> SourceConfig:
    try:
        return SourceConfig.model_validate(raw)
    except ValidationError as error:
        raise _explained(error, place) from error


def _explained(error: ValidationError, place: str) -> IngestError:
    """Turn pydantic's first complaint into one line: unknown keys first, as they explain the missing ones."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    path = [str(part) for part in problem["loc"]]
    where = f"{place}: {'.'.join(path)}" if path else place
    more = f" ({len(problems) - 1} more problem(s) after this one)" if len(problems) > 1 else ""
    if problem["type"] != "extra_forbidden":
        found = problem["msg"].removeprefix("Value error, ")
        shown = problem.get("input")
        value = f", not {shown!r}" if problem["type"] != "missing" and isinstance(shown, str | int | float) else ""
        return IngestError(where, f"{found}{value}{more}", exit_code=WRONG_USE)
    known = sorted(_section(path[:-1]).model_fields)
    near = nearest(path[-1], known)
    remedy = f"did you mean '{near}'?" if near else "remove it"
    return IngestError(where, f"unknown key (known: {', '.join(known)})", remedy=remedy + more, exit_code=WRONG_USE)


def _section(path: list[str]) -> type[BaseModel]:
    sections: dict[str, type[BaseModel]] = {
        "file": FileConfig,
        "key": KeyConfig,
        "delta": DeltaConfig,
        "quarantine": QuarantineConfig,
    }
    return sections.get(path[0], SourceConfig) if path else SourceConfig
