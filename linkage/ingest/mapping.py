"""From a department's columns to the canonical ones: which column feeds which field, as SQL over the archived rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from linkage.fields import CANONICAL_FIELDS
from linkage.ingest.errors import IngestError
from linkage.ingest.readers import Header, missing_column
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.sql import iso_date, literal, quote, trimmed

Mode = Literal["full", "delta"]


@dataclass(frozen=True)
class Mapping:
    """Which columns of one file feed what; names are those of the archive (`Header.names`).

    Attributes:
        columns: every column, in file order.
        key: columns of the source's record id.
        as_of: column of the row's date.
        source: column of the row's own source.
        operation: column that says whether a row withdraws a record.
        fields: canonical field to columns, the first non-empty wins.
        unknown: columns nothing uses.
        missing: configured columns the file does not have and may lack.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    as_of: str | None
    source: str | None
    operation: str | None
    fields: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]

    def used(self) -> tuple[str, ...]:
        """Return the columns that feed anything, in no repeated order."""
        single = (column for column in (self.as_of, self.source, self.operation) if column is not None)
        return tuple(dict.fromkeys([*self.key, *single, *(c for columns in self.fields.values() for c in columns)]))


def map_columns(config: SourceConfig, header: Header, mode: Mode, place: str, *, sparse: bool = False) -> Mapping:
    """Find the configured columns in a file.

    Args:
        config: the source.
        header: the file's columns.
        mode: a delta needs its operation column, a full load may lack it.
        place: the file, for messages.
        sparse: the format leaves out what is empty (JSON Lines), so that a column of no row is no fault.

    Raises:
        IngestError: a column is missing, or occurs twice.
    """
    lenient = config.canonical or sparse
    missing: list[str] = []

    def find(titles: Iterable[str], *, required: bool) -> tuple[str, ...]:
        titles = tuple(titles)
        for title in titles:
            if title in header.repeated:
                raise IngestError(
                    place, f"column '{title}' occurs more than once", remedy="rename all but one of them in the file"
                )
        absent = [title for title in titles if title not in header.by_title]
        if required and len(absent) == len(titles):
            raise missing_column(place, absent[0], header)
        missing.extend(absent)
        return tuple(header.by_title[title] for title in titles if title in header.by_title)

    def find_one(title: str | None, *, required: bool) -> str | None:
        return next(iter(find([title], required=required)), None) if title is not None else None

    key = tuple(column for title in config.key.source_record_id for column in find([title], required=True))
    as_of = find_one(config.key.as_of, required=not lenient)
    source = find_one(config.key.source, required=False)
    operation = find_one(config.delta.operation if config.delta else None, required=mode == "delta")
    fields = {name: find(titles, required=not lenient) for name, titles in config.mapped_columns().items()}
    fields = {name: columns for name, columns in fields.items() if columns}
    if not fields:
        raise missing_column(place, next(iter(config.mapped_columns())), header)
    mapping = Mapping(header.names, key, as_of, source, operation, fields, (), tuple(dict.fromkeys(missing)))
    used = set(mapping.used())
    unknown = tuple(name for name in header.names if name not in used)
    return Mapping(header.names, key, as_of, source, operation, fields, unknown, mapping.missing)


def source_sql(mapping: Mapping, config: SourceConfig) -> str:
    """Return the row's source as SQL."""
    own = literal(config.source)
    return f"coalesce({trimmed(quote(mapping.source))}, {own})" if mapping.source else own


def key_sql(mapping: Mapping) -> str:
    """Return the source's record id as SQL: null if every part of it is blank."""
    parts = [trimmed(quote(column)) for column in mapping.key]
    if len(parts) == 1:
        return parts[0]
    joined = " || '|' || ".join(f"coalesce({part}, '')" for part in parts)
    return f"case when coalesce({', '.join(parts)}) is not null then {joined} end"


def as_of_sql(mapping: Mapping, as_of: date) -> str:
    """Return the row's date as SQL: the load's where the row has none, null where it is impossible."""
    if mapping.as_of is None:
        return literal(as_of.isoformat())
    column = quote(mapping.as_of)
    return f"case when {trimmed(column)} is null then {literal(as_of.isoformat())} else {iso_date(column)} end"


def operation_sql(mapping: Mapping, config: SourceConfig) -> str:
    """Return `upsert` or `delete` as SQL."""
    if mapping.operation is None or config.delta is None:
        return "'upsert'"
    withdrawn = ", ".join(literal(value.strip()) for value in config.delta.delete)
    return f"case when {trimmed(quote(mapping.operation))} in ({withdrawn}) then 'delete' else 'upsert' end"


def field_sql(name: str, mapping: Mapping, config: SourceConfig) -> str:
    """Return a canonical field as SQL: the first column that is not blank, mapped if it has a value map.

    Blanks at the ends are cut; the archive keeps the value exactly as written.
    """
    columns = mapping.fields.get(name, ())
    if not columns:
        return "null::varchar"
    value = ", ".join(trimmed(quote(column)) for column in columns)
    value = f"coalesce({value})" if len(columns) > 1 else value
    table = config.values.get(name)
    if not table:
        return value
    cases = " ".join(
        f"when {literal(raw.strip())} then {literal(canonical) if canonical.strip() else 'null'}"
        for raw, canonical in table.items()
    )
    return f"case {value} {cases} else {value} end"


def records_sql(mapping: Mapping, config: SourceConfig, as_of: date, rows: str) -> str:
    """Return the query of accepted rows, in the order of the file.

    Columns: record_id, source, source_record_id, as_of, operation, row, then every canonical field of the entity.

    Args:
        mapping: where the values are.
        config: the source.
        as_of: the load's date.
        rows: a table expression of the archived rows that were accepted.
    """
    source, key = source_sql(mapping, config), key_sql(mapping)
    fields = "".join(
        f",\n  {field_sql(name, mapping, config)} as {quote(name)}" for name in CANONICAL_FIELDS[config.entity]
    )
    return (
        f"select\n  {source} || ':' || {key} as record_id,\n  {source} as source,\n  {key} as source_record_id,\n"
        f"  {as_of_sql(mapping, as_of)} as as_of,\n  {operation_sql(mapping, config)} as operation,\n  row{fields}\n"
        f"from {rows}"
    )
