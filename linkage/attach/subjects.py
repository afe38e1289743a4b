"""What attaching reads of a release: who holds which identifier, which record belongs to whom, who is called what."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.catalog.delta import load
from golden_records.catalog.publish import current_release
from golden_records.catalog.schema import Column
from golden_records.catalog.store import Catalog
from linkage.errors import LinkageError


@dataclass(frozen=True)
class SubjectTables:
    """Names of the tables that `load_subjects` makes.

    Attributes:
        identifier: scheme, value, entity_id (the smallest that holds it), holders (how many do), candidates (their ids,
            joined by `;`, if there are several). Valid identifiers only.
        record: source, source_record_id, entity_id, link_basis, probability.
        name: entity_id, name.
    """

    identifier: str = "subject_identifier"
    record: str = "subject_record"
    name: str = "subject_name"


def load_subjects(con: DuckDBPyConnection, catalog: Catalog, out: SubjectTables, *, records: bool, names: bool) -> int:
    """Copy a release's identifiers, record links and names into DuckDB, all of one release; return its number.

    Args:
        con: DuckDB connection.
        catalog: the store.
        out: tables to make.
        records: whether record links are needed; else that table is empty.
        names: whether names are needed; else that table is empty.

    Raises:
        LinkageError: nothing has been published.
    """
    texts = {
        out.record: ("source", "source_record_id", "entity_id", "link_basis"),
        out.name: ("entity_id", "name"),
    }
    with catalog.reading():
        release = current_release(catalog)
        if not release:
            raise LinkageError(f"{catalog.place}: no release to attach to; publish one with `guiyi run`")
        held = tuple(Column(name) for name in ("scheme", "value", "entity_id"))
        load(con, "subject_held", held, catalog, "select scheme, value, entity_id from identifier where valid = 1")
        wanted = "" if records else " limit 0"
        columns = (*(Column(name) for name in texts[out.record]), Column("probability", "double precision"))
        query = "select source, source_record_id, entity_id, link_basis, probability from record_link"
        load(con, out.record, columns, catalog, query + wanted)
        wanted = "" if names else " limit 0"
        columns = tuple(Column(name) for name in texts[out.name])
        load(con, out.name, columns, catalog, "select entity_id, name from name" + wanted)
    con.execute(f"""
create or replace temp table {quote(out.identifier)} as
select scheme, value, min(entity_id) as entity_id, count(*)::utinyint as holders,
    case when count(*) > 1 then string_agg(entity_id, ';' order by entity_id) end as candidates
from subject_held
group by scheme, value""")
    con.execute("drop table subject_held")
    return release
