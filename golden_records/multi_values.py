"""Attributes that may have several values: every value with the first and the last date it was seen.

Reads the working tables `_survivor_member` (records in force) and `_survivor_past` (superseded versions) of
`golden_records.survivorship`. `sources` is the number of different sources that gave the value.
"""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from golden_records.survivorship_config import Address, Identifier, Name, Phone
from golden_records.tables import quote

_SIGHTINGS = "(select *, true as in_force from _survivor_member union all select *, false from _survivor_past)"
SUPPORT = "count(distinct source_no)::integer"
_SEEN = f"min(as_of) as first_seen, max(as_of) as last_seen, {SUPPORT} as sources"


def write_identifiers(con: DuckDBPyConnection, columns: Sequence[Identifier], out: str) -> None:
    """Make entity_id, scheme, value, valid, first_seen, last_seen, sources."""
    selects = []
    for identifier in columns:
        scheme = quote(identifier.scheme_column) if identifier.scheme_column is not None else _text(identifier.scheme)
        valid = "true"
        if identifier.valid is not None:
            column = quote(identifier.valid.column)
            listed = ", ".join(_text(value) for value in identifier.valid.values)
            valid = f"coalesce({column}::varchar in ({listed}), false)" if listed else f"{column} is not null"
        selects.append(
            f"select entity_id, source_no, as_of, {scheme}::varchar as scheme, trim({quote(identifier.column)}::varchar)"
            f" as value, {valid} as valid from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as ({_union(selects, "source_no, as_of, scheme, value, valid")})
        select entity_id, scheme, value, bool_or(valid)::integer as valid, {_SEEN}
        from sighting
        where value <> '' and scheme <> ''
        group by entity_id, scheme, value
        order by entity_id, scheme, value
        """
    )


def write_names(
    con: DuckDBPyConnection, columns: Sequence[Name], out: str, *, provenance: str, golden_name: str
) -> None:
    """Make entity_id, name, kind, first_seen, last_seen, sources; equal keys are one name.

    A name is `current` when it is the golden one, `variant` when another record in force has it, `former` when it is
    only known as a former name or from superseded records. The golden writing is shown for the current name, the
    longest for the others.
    """
    selects = []
    for name in columns:
        column = f"{quote(name.column)}::varchar"
        written = f"unnest(regexp_split_to_array({column}, {_text('[' + name.separators + ']')}))"
        key = f"{quote(name.key)}::varchar" if name.key is not None else "null"
        selects.append(
            f"select entity_id, source_no, as_of, {written if name.separators else column} as written,"
            f" {key} as key, {'false' if name.former else 'in_force'} as in_use from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as (
            select * replace (trim(written) as written, coalesce(nullif(key, ''), trim(written)) as key)
            from ({_union(selects, "source_no, as_of, written, key, in_use")})
            where trim(written) <> ''
        ),
        golden as (
            select entity_id, value from {quote(provenance)} where attribute = $golden_name
        ),
        marked as (
            select s.*, coalesce(s.in_use and s.written = g.value, false) as is_golden
            from sighting s
            left join golden g on g.entity_id = s.entity_id
        ),
        shown as (
            select entity_id, key, arg_min(written, row(not is_golden, -length(written), written)) as name
            from marked
            group by entity_id, key
        )
        select m.entity_id, h.name,
            case when bool_or(m.is_golden) then 'current' when bool_or(m.in_use) then 'variant' else 'former' end
                as kind,
            {_SEEN}
        from marked m
        join shown h on h.entity_id = m.entity_id and h.key = m.key
        group by m.entity_id, h.name
        order by m.entity_id, h.name
        """,
        {"golden_name": golden_name},
    )


def write_addresses(con: DuckDBPyConnection, columns: Sequence[Address], out: str) -> None:
    """Make entity_id, address, kind, first_seen, last_seen, sources; equal keys are one address, longest writing."""
    selects = []
    for address in columns:
        key = f"{quote(address.key)}::varchar" if address.key is not None else "null"
        selects.append(
            f"select entity_id, source_no, as_of, {_text(address.kind)} as kind, {quote(address.column)}::varchar"
            f" as written, {key} as key from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as (
            select * replace (trim(written) as written, coalesce(nullif(key, ''), trim(written)) as key)
            from ({_union(selects, "source_no, as_of, kind, written, key")})
            where trim(written) <> ''
        ),
        shown as (
            select entity_id, kind, key, arg_min(written, row(-length(written), written)) as address
            from sighting
            group by entity_id, kind, key
        )
        select s.entity_id, h.address, s.kind, {_SEEN}
        from sighting s
        join shown h on h.entity_id = s.entity_id and h.kind = s.kind and h.key = s.key
        group by s.entity_id, h.address, s.kind
        order by s.entity_id, h.address, s.kind
        """
    )


def write_phones(con: DuckDBPyConnection, columns: Sequence[Phone], out: str) -> None:
    """Make entity_id, phone, first_seen, last_seen, sources."""
    selects = [
        f"select entity_id, source_no, as_of, {f'unnest({quote(p.column)})' if p.is_list else quote(p.column)}::varchar"
        f" as phone from {_SIGHTINGS}"
        for p in columns
    ]
    con.execute(
        f"""
        create or replace table {quote(out)} as
        select entity_id, trim(phone) as phone, {_SEEN}
        from ({_union(selects, "source_no, as_of, phone")})
        where trim(phone) <> ''
        group by entity_id, trim(phone)
        order by entity_id, phone
        """
    )


def _union(selects: Sequence[str], columns: str) -> str:
    """Return the selects as one; an empty table with the columns when there are none."""
    nothing = ", ".join(f"null::varchar as {column}" for column in ("entity_id", *columns.split(", ")))
    return " union all ".join(selects) or f"select {nothing} limit 0"


def _text(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"
