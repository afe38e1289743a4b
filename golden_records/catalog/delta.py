"""What a publish has to write: the difference between the run's DuckDB tables and the current release.

Temporary DuckDB objects are called `_catalog_new_<table>` (the run's rows, in the catalog's columns and types),
`_catalog_old_<table>` (current rows of the owners that changed), `_catalog_held_<table>` (current rows of owners, as
the run knows them) and `_catalog_changed` (the owners that changed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.arrow import ARROW
from golden_records.catalog.content import CONTENT_MODULUS, CONTENT_TABLES, Sum, content_sums, type_of
from golden_records.catalog.schema import EVENT, FINGERPRINT, VERSIONED, Column, Table
from golden_records.catalog.store import Catalog
from golden_records.errors import CatalogError
from golden_records.tables import columns_of, quote, scalar
from matchers.levels import literal
from matchers.standard_codes import CODED, standard_code
from matchers.value_hash import hash_sql

ENTITY_TYPES = ("legal_person", "natural_person")
_PARTS = tuple(table for table in VERSIONED if table.part is not None)

_DUCKDB = {"text": "varchar", "bigint": "bigint", "double precision": "double", "blob": "blob"}
_BATCH_ROWS = 50_000


@dataclass(frozen=True)
class TableDelta:
    """The rows to take out of and put into one versioned table, as DuckDB queries.

    `content_removed` is entity type → (rows, sum of their hashes); empty for fingerprints.
    """

    table: Table
    added_query: str
    removed_query: str
    added: int
    removed: int
    content_removed: dict[str, Sum]


@dataclass(frozen=True)
class Delta:
    """Everything a publish writes.

    Attributes:
        tables: per versioned table.
        event_query: the rows to append to `event`.
    """

    tables: tuple[TableDelta, ...]
    event_query: str

    def is_empty(self, con: DuckDBPyConnection, release: int) -> bool:
        """Tell whether there is nothing to write."""
        appended = (self.event_query, self.redirect_query(release))
        return not any(part.added or part.removed for part in self.tables) and not any(
            scalar(con, f"select count(*) from ({query})") for query in appended
        )

    def redirect_query(self, release: int) -> str:
        """Return the query of the rows to append to `redirect`: ids that resolve otherwise than they did."""
        return f"""
            select n.old_id, {int(release)}::bigint as "release", n.entity_id, n.anchor
            from _catalog_new_redirect n
            left join _catalog_old_redirect o on o.old_id = n.old_id
            where o.old_id is null or n.entity_id is distinct from o.entity_id or n.anchor is distinct from o.anchor
            order by n.old_id
        """


def stage_tables(con: DuckDBPyConnection, tables_of: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Make the `_catalog_new_…` views and the fingerprints; return the entity types and parts that are published.

    Raises:
        CatalogError: a table lacks a required column, has one the catalog does not know, or nothing is published.
    """
    scope = tuple(entity_type for entity_type in ENTITY_TYPES if tables_of(entity_type))
    if not scope:
        raise CatalogError("publish: no entity tables given (legal_person, natural_person)")
    scope += tuple(table.part for table in _PARTS if table.part is not None and tables_of(table.name))
    entities = " union all ".join(f"select entity_id, anchor from {quote(name)}" for name in tables_of("entities"))
    con.execute(
        f"create temp view _catalog_anchor as {entities or 'select null::varchar as entity_id, null as anchor limit 0'}"
    )
    for table in (*CONTENT_TABLES, EVENT):
        _stage(con, table, tables_of(table.name))
    redirects = " union all ".join(f"select old_id, entity_id from {quote(name)}" for name in tables_of("redirect"))
    con.execute(
        f"""
        create temp view _catalog_new_redirect as
        select r.old_id, r.entity_id, case when r.entity_id is null then a.anchor end as anchor
        from ({redirects or "select null::varchar as old_id, null::varchar as entity_id limit 0"}) r
        left join _catalog_anchor a on a.entity_id = r.old_id
        """
    )
    _fingerprints(con)
    return scope


def stage_held(con: DuckDBPyConnection, tables_of: Callable[[str], Sequence[str]]) -> None:
    """Make the `_catalog_held_…` views of the tables whose current rows the run knows."""
    entities = " union all ".join(f"select entity_id, anchor from {quote(name)}" for name in tables_of("entities"))
    if entities:
        con.execute(f"create temp view _catalog_held_anchor as {entities}")
    for table in CONTENT_TABLES:
        if tables_of(table.name):
            selects = [_select(con, table, name, anchors="_catalog_held_anchor") for name in tables_of(table.name)]
            con.execute(f"create temp view {_held(table)} as {' union all '.join(selects)}")


def rows_query(con: DuckDBPyConnection, table: Table, inputs: Sequence[str]) -> str | None:
    """Return the query of a table's rows that another cursor can run, too; None if that sees not all of them."""
    names = ", ".join(literal(name) for name in inputs)
    seen = scalar(
        con, f"select count(*) from duckdb_tables() where not temporary and table_name in ({names or 'null'})"
    )
    if not inputs or seen < len(inputs) or table.name in ENTITY_TYPES:  # whose anchors are in a temporary view
        return None
    return " union all ".join(_select(con, table, name) for name in inputs)


def _stage(con: DuckDBPyConnection, table: Table, inputs: Sequence[str]) -> None:
    selects = [_select(con, table, name) for name in inputs]
    nothing = ", ".join(f"null::{_DUCKDB[c.type]} as {quote(c.name)}" for c in table.columns)
    con.execute(f"create temp view {_new(table)} as {' union all '.join(selects) or f'select {nothing} limit 0'}")


def _select(con: DuckDBPyConnection, table: Table, name: str, anchors: str = "_catalog_anchor") -> str:
    present = columns_of(con, name)
    unknown = [column for column in present if column not in table.column_names]
    missing = [c.name for c in table.columns if c.required and c.name not in present]
    if unknown:
        known = ", ".join(table.column_names)
        raise CatalogError(f"table {name}: {table.name} has no column {', '.join(unknown)} (it has {known})")
    if missing:
        raise CatalogError(f"table {name}: {table.name} needs column(s) {', '.join(missing)}")
    sources = dict.fromkeys(present, "t")
    join = ""
    if table.name in ENTITY_TYPES and "anchor" not in present:
        sources["anchor"] = "a"
        join = f" left join {anchors} a on a.entity_id = t.entity_id"
    codes = {c.name: _code(con, name, c.name) for c in table.columns if _is_code(c.name, present)}
    values = ", ".join(
        f"{codes.get(c.name) or _value(c, sources.get(c.name))} as {quote(c.name)}" for c in table.columns
    )
    return f"select {values} from {quote(name)} t{join}"


def _is_code(column: str, present: Sequence[str]) -> bool:
    return column in CODED and column not in present and CODED[column] in present


def _code(con: DuckDBPyConnection, name: str, column: str) -> str:
    """Return the code of a value in its standard, as an expression over the values there are."""
    field = CODED[column]
    values = con.execute(f"select distinct {quote(field)}::varchar from {quote(name)} order by all").fetchall()
    known = [(value, code) for (value,) in values if (code := standard_code(field, value)) is not None]
    cases = " ".join(f"when {literal(value)} then {literal(code)}" for value, code in known)
    return f"case t.{quote(field)}::varchar {cases} end" if cases else "null::varchar"


def _value(column: Column, alias: str | None) -> str:
    if alias is None:
        return f"null::{_DUCKDB[column.type]}"
    value = f"{alias}.{quote(column.name)}::{_DUCKDB[column.type]}"
    # The store keeps no NaN: it would come back as null and look changed for ever.
    return f"case when not isnan({value}) then {value} end" if column.type == "double precision" else value


def _fingerprints(con: DuckDBPyConnection) -> None:
    """Make the new fingerprints: per owner, the sum of the hashes of its rows in all tables.

    DuckDB's own hash may differ between its versions; after an upgrade every owner is compared row by row once.
    """
    selects = []
    for table in CONTENT_TABLES:
        columns = ", ".join(_hash(column, table) for column in table.columns)
        selects.append(
            f"select '{table.owner_prefix}' || {quote(str(table.owner))} as owner_id, {type_of(table)} as entity_type,"
            f" hash('{table.name}', {columns}) as hashed from {_new(table)}"
        )
    con.execute(
        f"""
        create temp table {_new(FINGERPRINT)} as
        select owner_id, min(entity_type) as entity_type, (sum(hashed) % {CONTENT_MODULUS})::bigint as fingerprint
        from ({" union all ".join(selects)})
        group by owner_id
        """
    )


def _hash(column: Column, table: Table) -> str:
    if column.name == table.owner:  # the same in all rows that are summed
        return quote(column.name)
    return hash_sql(quote(column.name), _DUCKDB[column.type])


def find_delta(
    catalog: Catalog, con: DuckDBPyConnection, scope: Sequence[str], *, first: bool, owners: str | None = None
) -> Delta:
    """Compare the staged tables with the current release.

    Args:
        catalog: the store.
        con: DuckDB connection with the staged tables.
        scope: the entity types and parts being published.
        first: there is no release yet, so that everything is new.
        owners: table of the owner_id that may have changed, if the staged tables hold these alone.
    """
    outside = scalar(
        con, f"select count(*) from {_new(FINGERPRINT)} where entity_type not in ({_list(scope)}) or owner_id is null"
    )
    if outside:
        raise CatalogError(f"publish: {outside} owner(s) are not of the published types ({', '.join(scope)})")
    if owners is not None:
        _name_owners(
            catalog, con, f"select owner_id from {quote(owners)} union select old_id from _catalog_new_redirect"
        )
    latest = "r.release = (select max(l.release) from redirect l where l.old_id = r.old_id)"
    load(
        con,
        "_catalog_old_redirect",
        (Column("old_id"), Column("release", "bigint"), Column("entity_id"), Column("anchor")),
        catalog,
        "select r.old_id, r.release, r.entity_id, r.anchor from "
        + (_of_named("redirect", "old_id", "r", latest) if owners is not None else f"redirect r where {latest}"),
    )
    if first:
        tables = tuple(_delta(con, t, f"from {_new(t)}", f"from {_new(t)} limit 0") for t in VERSIONED)
    elif _changed_owners(catalog, con, scope, owners):
        tables = tuple(_table_delta(catalog, con, table) for table in VERSIONED)
    else:
        tables = ()
    return Delta(tables, f"select * from {_new(EVENT)} order by event_id")


def _delta(con: DuckDBPyConnection, table: Table, added: str, removed: str) -> TableDelta:
    counted = table is not FINGERPRINT
    in_count, out_count = (scalar(con, f"select count(*) from ({query})") for query in (added, removed))
    return TableDelta(
        table,
        added_query=added,
        removed_query=removed,
        added=in_count,
        removed=out_count,
        content_removed=content_sums(con, table, removed) if counted and out_count else {},
    )


def _changed_owners(catalog: Catalog, con: DuckDBPyConnection, scope: Sequence[str], owners: str | None) -> int:
    """Make `_catalog_changed` and hand it to the store as `changed_owner`; return how many owners changed."""
    of_type = f"f.entity_type in ({_list(scope)})"
    known = (
        _of_named("fingerprint", "owner_id", "f", of_type) if owners is not None else f"fingerprint f where {of_type}"
    )
    load(
        con,
        "_catalog_old_owner",
        (Column("owner_id"), Column("fingerprint", "bigint")),
        catalog,
        f"select f.owner_id, f.fingerprint from {known}",
    )
    con.execute(
        f"""
        create temp table _catalog_changed as
        select coalesce(n.owner_id, o.owner_id) as owner_id
        from {_new(FINGERPRINT)} n
        full join _catalog_old_owner o on o.owner_id = n.owner_id
        where n.fingerprint is distinct from o.fingerprint
        order by owner_id
        """
    )
    _name_owners(catalog, con, "select owner_id from _catalog_changed")
    return scalar(con, "select count(*) from _catalog_changed")


def _name_owners(catalog: Catalog, con: DuckDBPyConnection, query: str) -> None:
    """Hand the owners of a DuckDB query to the store, as its temporary table `changed_owner`."""
    with con.sql(f"select owner_id from ({query}) order by owner_id").to_arrow_reader(_BATCH_ROWS) as owners:
        catalog.connection.name_rows("changed_owner", owners)


def _of_named(table: str, owner: str, alias: str, where: str = "true") -> str:
    """Return the rows of a catalog table that belong to a named owner; in SQLite a cross join keeps this order."""
    return f"changed_owner c cross join {quote(table)} {alias} where {alias}.{quote(owner)} = c.owner_id and {where}"


def _table_delta(catalog: Catalog, con: DuckDBPyConnection, table: Table) -> TableDelta:
    names = ", ".join(quote(name) for name in table.column_names)
    owned = ", ".join(f"t.{quote(name)}" for name in table.column_names)
    old = f"_catalog_old_{table.name}"
    nothing = f"from {_new(table)} limit 0"
    changed = "(select owner_id from _catalog_changed)"
    of_changed = f"'{table.owner_prefix}' || n.{quote(str(table.owner))} in {changed}"
    new = f"select {names} from {_new(table)} n where {of_changed}"
    current = f"select {names} from {old}"
    if _has(con, _held(table)):
        con.execute(f"create temp table {old} as select {names} from {_held(table)} n where {of_changed}")
        before = scalar(con, f"select count(*) from {old}")
    else:
        before = load(
            con,
            old,
            table.columns,
            catalog,
            # In SQLite a cross join keeps this order: from each changed owner to its rows.
            f"select {owned} from changed_owner c cross join {quote(table.name)} t "
            f"where t.{quote(str(table.owner))} = {_owner_of_changed(table)}",
        )
    if not before and not scalar(con, f"select count(*) from (from {_new(table)} limit 1)"):
        return TableDelta(table, nothing, nothing, 0, 0, {})
    con.execute(f"create temp table _catalog_now_{table.name} as {new}")
    new = f"select {names} from _catalog_now_{table.name}"
    added, removed = f"_catalog_added_{table.name}", f"_catalog_removed_{table.name}"
    con.execute(f"create temp table {added} as {new} except {current}")
    con.execute(f"create temp table {removed} as {current} except {new}")
    return _delta(con, table, f"from {added}", f"from {removed}")


def _owner_of_changed(table: Table) -> str:
    """Return the owner column's value for a row of `changed_owner`, null for an owner in another part."""
    size = len(table.owner_prefix)
    if not size:
        return "c.owner_id"
    return f"case when substr(c.owner_id, 1, {size}) = '{table.owner_prefix}' then substr(c.owner_id, {size + 1}) end"


def load(
    con: DuckDBPyConnection,
    out: str,
    columns: Sequence[Column],
    catalog: Catalog,
    query: str,
    values: Sequence[str] = (),
) -> int:
    """Copy the rows of a catalog query into a temporary DuckDB table, and return how many there were."""
    declared = ", ".join(f"{quote(c.name)} {_DUCKDB[c.type]}" for c in columns)
    con.execute(f"create or replace temp table {quote(out)} ({declared})")
    schema = pa.schema([(c.name, ARROW[c.type]) for c in columns])
    count = 0
    for batch in catalog.connection.batches(query, values, schema):
        con.register("_catalog_batch", pa.table(batch))
        con.execute(f"insert into {quote(out)} select * from _catalog_batch")
        con.unregister("_catalog_batch")
        count += batch.num_rows
    return count


def unstage(con: DuckDBPyConnection) -> None:
    """Remove every temporary object of a publish."""
    views = con.execute("select view_name from duckdb_views() where view_name like '\\_catalog\\_%' escape '\\'")
    for (name,) in views.fetchall():
        con.execute(f"drop view {quote(name)}")
    tables = con.execute("select table_name from duckdb_tables() where table_name like '\\_catalog\\_%' escape '\\'")
    for (name,) in tables.fetchall():
        con.execute(f"drop table {quote(name)}")


def _new(table: Table) -> str:
    return f"_catalog_new_{table.name}"


def _held(table: Table) -> str:
    return f"_catalog_held_{table.name}"


def _has(con: DuckDBPyConnection, view: str) -> bool:
    return bool(scalar(con, f"select count(*) from duckdb_views() where view_name = '{view}'"))


def _list(texts: Sequence[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)
