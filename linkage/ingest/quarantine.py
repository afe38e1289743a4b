"""Rows that cannot be used, each with a stable reason: nothing that came in is lost, nothing doubtful goes on.

A row is quarantined when it cannot be told apart, identified or dated. A bad value in an otherwise good row (an
impossible birth date, a number in scientific notation) is no reason: see `linkage.ingest.value_checks`.

Invariant: every row of the file is in the records or in the quarantine, and in one of them only.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import duckdb

from linkage.fields import FIELDS
from linkage.ingest.mapping import Mapping, Mode, as_of_sql, field_sql, key_sql, operation_sql, source_sql
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.sql import literal, quote, trimmed

MAX_VALUE_CHARACTERS = 4000

REASONS: MappingProxyType[str, str] = MappingProxyType(
    {
        "wrong_field_count": "write as many fields as the header has; put fields with the delimiter in them in quotes",
        "broken_quotes": "double every quote inside a quoted field and close the field",
        "undecodable_bytes": "export the row again in the encoding of the file",
        "invalid_json": "write one JSON object a line",
        "empty_row": "remove the blank row",
        "nul_byte": "export the row again: a NUL is left by a damaged field",
        "value_too_long": f"expected at most {MAX_VALUE_CHARACTERS} characters; look for a shifted or unclosed field",
        "invalid_source": "write a source without a colon",
        "missing_record_id": "fill in the record id; without it the row cannot be told from others",
        "impossible_as_of": "write a date that exists, as 2025-01-31, and is not in the future",
        "no_identifying_field": "fill in the name or an official number",
        "forgotten": "nothing of the row is kept; lift the refusal first, if the record may come back",
        "duplicate_row": "the same row stands in the file more than once; one is kept",
        "duplicate_record_id": "give each row its own record id; one row is kept, this one says something else",
    }
)


def find_rejected(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    mapping: Mapping,
    config: SourceConfig,
    *,
    as_of: date,
    latest: date,
    out: str,
) -> None:
    """Make the table of archived rows that are not accepted, duplicates apart.

    Columns of `out`: row INTEGER, reason VARCHAR, at_column VARCHAR (the column at fault, where there is one).

    Args:
        con: where the table is made.
        rows: table expression of the archived rows (`row` and the file's columns).
        mapping: where the values are.
        config: the source.
        as_of: the load's date.
        latest: a row dated after this is dated in the future.
        out: name of the table.
    """
    # The key first: it is hardly ever blank, and what follows is then not looked at.
    blank = f"{key_sql(mapping)} is null and " + " and ".join(
        f"{trimmed(quote(column))} is null" for column in mapping.columns
    )
    too_long = {column: f"length({quote(column)}) > {MAX_VALUE_CHARACTERS}" for column in mapping.used()}
    has_nul = {column: f"contains({quote(column)}, chr(0))" for column in mapping.columns}
    identifying = [field.name for field in FIELDS[config.entity] if field.identifies]
    nothing = " and ".join(f"{field_sql(name, mapping, config)} is null" for name in identifying)
    when = as_of_sql(mapping, as_of)
    tests = {
        "empty_row": blank,
        "nul_byte": _any(has_nul),
        "value_too_long": _any(too_long),
        "invalid_source": f"contains({source_sql(mapping, config)}, ':')",
        "missing_record_id": f"{key_sql(mapping)} is null",
        "impossible_as_of": f"{when} is null or {when} > {literal(latest.isoformat())}",
        "no_identifying_field": f"{operation_sql(mapping, config)} = 'upsert' and {nothing}",
    }
    reason = " ".join(f"when {test} then {literal(name)}" for name, test in tests.items())
    nul, long = _which(has_nul), _which(too_long)
    place = f"case when reason = 'nul_byte' then {nul} when reason = 'value_too_long' then {long} end"
    con.execute(
        f"create table {quote(out)} as with judged as (select *, case {reason} end as reason from {rows})\n"
        f"select row, reason, {place} as at_column from judged where reason is not null"
    )


def add_duplicates(
    con: duckdb.DuckDBPyConnection, rows: str, mapping: Mapping, config: SourceConfig, *, mode: Mode, rejected: str
) -> None:
    """Add the rows whose record id another accepted row of the file has.

    A full load is a list of subjects: the first row is kept. A delta is a list of changes: the last one is.

    Args:
        con: where `rejected` is.
        rows: table expression of the archived rows.
        mapping: where the values are.
        config: the source.
        mode: full or delta.
        rejected: the table made by `find_rejected`; rows are added to it.
    """
    source, key = source_sql(mapping, config), key_sql(mapping)
    keep = "max" if mode == "delta" else "min"
    con.execute(
        f"""
        create temp table repeated as
        with accepted as (
          select row, {source} as record_source, {key} as record_key
          from {rows} anti join {quote(rejected)} using (row)
        ),
        kept as (
          select record_source, record_key, {keep}(row) as kept_row
          from accepted
          group by record_source, record_key
          having count(*) > 1
        )
        select row, kept_row from accepted join kept using (record_source, record_key)
        """
    )
    con.execute(
        f"""
        insert into {quote(rejected)}
        with content as (
          select row, kept_row, {row_json(mapping)} as content from {rows} join repeated using (row)
        )
        select
          other.row,
          case when other.content = kept.content then 'duplicate_row' else 'duplicate_record_id' end,
          null
        from content other join content kept on kept.row = other.kept_row
        where other.row <> other.kept_row
        order by other.row
        """
    )
    con.execute("drop table repeated")


def quarantine_sql(
    rows: str, unread: str, mapping: Mapping, config: SourceConfig, *, rejected: str, file_name: str
) -> str:
    """Return the query of the quarantine, in the order of the file.

    Columns: source, source_record_id, row INTEGER, reason, detail, raw (the row as JSON text).

    Args:
        rows: table expression of the archived rows.
        unread: table expression of the rows that could not be told apart (row, reason, detail, raw).
        mapping: where the values are.
        config: the source.
        rejected: the table made by `find_rejected` and `add_duplicates`.
        file_name: for the detail.
    """
    remedies = " ".join(f"when {literal(reason)} then {literal(remedy)}" for reason, remedy in REASONS.items())
    place = f"{literal(file_name)} || ', row ' || row"
    column = "coalesce(', column \"' || at_column || '\"', '')"
    return f"""
        select
          {source_sql(mapping, config)} as source,
          {key_sql(mapping)} as source_record_id,
          row,
          reason,
          {place} || {column} || ': ' || replace(reason, '_', ' ') || '; ' || case reason {remedies} end as detail,
          {row_json(mapping)}::varchar as raw
        from {rows} join {quote(rejected)} using (row)
        union all
        select
          {literal(config.source)},
          null,
          row,
          reason,
          {place} || ': ' || detail || '; ' || case reason {remedies} end,
          raw
        from {unread}
        order by row
    """


def row_json(mapping: Mapping) -> str:
    """Return the file's columns as one JSON object, as SQL."""
    columns = [quote(column) for column in mapping.columns]
    return f"to_json(struct_pack({', '.join(f'{column} := {column}' for column in columns)}))"


def _any(tests: dict[str, str]) -> str:
    return " or ".join(tests.values())


def _which(tests: dict[str, str]) -> str:
    return "case " + " ".join(f"when {test} then {literal(column)}" for column, test in tests.items()) + " end"
