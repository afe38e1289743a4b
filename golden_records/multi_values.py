"""Attributes that may have several values: every value with the first and the last date it was seen.

Reads the working tables `_survivor_member` (records in force), `_survivor_past` (superseded versions) and
`_survivor_entity` (the entities' numbers) of `golden_records.survivorship`. `sources` is the number of different
sources that gave the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from golden_records.survivorship_config import Address, Identifier, Name, Phone
from golden_records.tables import quote

_SIGHTINGS = "(select *, true as in_force from _survivor_member union all select *, false from _survivor_past)"
_BITS_OF_A_NUMBER = 64
_DATES = "min(as_of) as first_seen, max(as_of) as last_seen"
# Of equal values: as the record of best standing writes it, the smallest when only superseded records have it.
_WRITING = "coalesce(arg_min(written, place) filter (where in_force), min(written))"
_NAMED = "join _survivor_entity e on e.entity_no = f.entity_no"
_SEEN = """min(first_seen) as first_seen, max(last_seen) as last_seen,
                coalesce(bit_count(bit_or(source_bits)), 0)::integer as sources"""


@dataclass(frozen=True)
class Sources:
    """Counting different sources: the column `source_no` holds 0 to `count` - 1."""

    count: int

    @property
    def bits(self) -> str:
        """A DuckDB aggregate: the set of sources, a bit each (much faster than `count(distinct …)`)."""
        if self.count <= _BITS_OF_A_NUMBER:
            return "bit_or(1::ubigint << source_no)"
        return f"bitstring_agg(source_no, 0, {self.count - 1})"

    @property
    def support(self) -> str:
        """A DuckDB aggregate: how many different sources there are."""
        return f"coalesce(bit_count({self.bits}), 0)::integer"


def write_identifiers(con: DuckDBPyConnection, columns: Sequence[Identifier], out: str, sources: Sources) -> None:
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
            f"select entity_no, source_no, as_of, {scheme}::varchar as scheme,"
            f" trim({quote(identifier.column)}::varchar) as value, {valid} as valid from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as ({_union(selects, "source_no, as_of, scheme, value, valid")}),
        found as (
            select entity_no, scheme, value, bool_or(valid)::integer as valid, {_DATES}, {sources.support} as sources
            from sighting
            where value <> '' and scheme <> ''
            group by entity_no, scheme, value
        )
        select e.entity_id, f.* exclude (entity_no)
        from found f
        {_NAMED}
        order by f.entity_no
        """
    )


def write_names(con: DuckDBPyConnection, columns: Sequence[Name], out: str, sources: Sources, *, golden: str) -> None:
    """Make entity_id, name, kind, first_seen, last_seen, sources; equal keys are one name.

    A name is `current` when it is the golden one, `variant` when another record in force has it, `former` when it is
    only known as a former name or from superseded records. The golden writing is shown for the current name; `golden`
    has it, as SQL to select from: entity_no, value.
    """
    selects = []
    for name in columns:
        column = f"{quote(name.column)}::varchar"
        written = f"unnest(regexp_split_to_array({column}, {_text('[' + name.separators + ']')}))"
        key = f"{quote(name.key)}::varchar" if name.key is not None else "null"
        selects.append(
            f"select entity_no, source_no, as_of, place, in_force, {written if name.separators else column} as written,"
            f" {key} as key, {'false' if name.former else 'in_force'} as in_use from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as (
            select * replace (trim(written) as written, coalesce(nullif(key, ''), trim(written)) as key)
            from ({_union(selects, "source_no, as_of, place, in_force, written, key, in_use")})
            where trim(written) <> ''
        ),
        marked as (
            select s.*, coalesce(s.in_use and s.written = g.value, false) as is_golden
            from sighting s
            left join {golden} g on g.entity_no = s.entity_no
        ),
        equal as (
            select entity_no, key, coalesce(max(written) filter (where is_golden), {_WRITING}) as name,
                bool_or(is_golden) as is_golden, bool_or(in_use) as in_use, {_DATES}, {sources.bits} as source_bits
            from marked
            group by entity_no, key
        ),
        found as (
            select entity_no, name,
                case when bool_or(is_golden) then 'current' when bool_or(in_use) then 'variant' else 'former' end
                    as kind,
                {_SEEN}
            from equal
            group by entity_no, name
        )
        select e.entity_id, f.* exclude (entity_no)
        from found f
        {_NAMED}
        order by f.entity_no
        """
    )


def write_addresses(con: DuckDBPyConnection, columns: Sequence[Address], out: str, sources: Sources) -> None:
    """Make entity_id, address, kind, first_seen, last_seen, sources; equal keys are one address."""
    selects = []
    for address in columns:
        key = f"{quote(address.key)}::varchar" if address.key is not None else "null"
        selects.append(
            f"select entity_no, source_no, as_of, place, in_force, {_text(address.kind)} as kind,"
            f" {quote(address.column)}::varchar as written, {key} as key from {_SIGHTINGS}"
        )
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with sighting as (
            select * replace (trim(written) as written, coalesce(nullif(key, ''), trim(written)) as key)
            from ({_union(selects, "source_no, as_of, place, in_force, kind, written, key")})
            where trim(written) <> ''
        ),
        equal as (
            select entity_no, kind, key, {_WRITING} as address, {_DATES}, {sources.bits} as source_bits
            from sighting
            group by entity_no, kind, key
        ),
        found as (
            select entity_no, address, kind, {_SEEN}
            from equal
            group by entity_no, address, kind
        )
        select e.entity_id, f.* exclude (entity_no)
        from found f
        {_NAMED}
        order by f.entity_no
        """
    )


def write_phones(con: DuckDBPyConnection, columns: Sequence[Phone], out: str, sources: Sources) -> None:
    """Make entity_id, phone, first_seen, last_seen, sources."""
    selects = [
        f"select entity_no, source_no, as_of, {f'unnest({quote(p.column)})' if p.is_list else quote(p.column)}::varchar"
        f" as phone from {_SIGHTINGS}"
        for p in columns
    ]
    con.execute(
        f"""
        create or replace table {quote(out)} as
        with found as (
            select entity_no, trim(phone) as phone, {_DATES}, {sources.support} as sources
            from ({_union(selects, "source_no, as_of, phone")})
            where trim(phone) <> ''
            group by entity_no, trim(phone)
        )
        select e.entity_id, f.* exclude (entity_no)
        from found f
        {_NAMED}
        order by f.entity_no
        """
    )


def _union(selects: Sequence[str], columns: str) -> str:
    """Return the selects as one; an empty table with the columns when there are none."""
    texts = ", ".join(f"null::varchar as {column}" for column in columns.removeprefix("source_no, ").split(", "))
    nothing = f"select entity_no, source_no, {texts} from _survivor_member limit 0"
    return " union all ".join(selects) or nothing


def _text(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"
