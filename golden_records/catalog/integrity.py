"""Proving that a catalog store keeps its promises: every invariant of ids, links, golden rows and history is counted.

In: an open catalog and a DuckDB connection with room for its current release. Out: one `Check` per invariant. Nothing
in the store is changed. Examples are entity ids, case ids or table names; never a value of anybody.

A store that `publish` and `rollback` made passes every check; one that was altered by hand, restored in part or damaged
on disk fails at least the one that names what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

# The content hash of a release is the sum that `publish` keeps; proving it means summing the same way again.
from golden_records.catalog.content import CONTENT_TABLES, content_sums
from golden_records.catalog.delta import load
from golden_records.catalog.lookup_profiles import entity_sql
from golden_records.catalog.schema import (
    ACCESS_LOG,
    BETWEEN_LEGAL_PERSONS,
    EVENT,
    RECORD_LINK,
    REDIRECT,
    VERSIONED,
    Column,
    Table,
)
from golden_records.catalog.store import Catalog
from golden_records.entity_id import DIGIT_COUNT, DIGITS, mint_sql, sequence_sql
from golden_records.hash_chain import broken_rows
from golden_records.tables import quote, scalar

EXAMPLES = 5

_OWNED = ("identifier", "name", "address", "phone", "relation", "provenance")
_SHAPE = f"(LP|NP)[{DIGITS}]{{{DIGIT_COUNT + 1}}}"


@dataclass(frozen=True)
class Check:
    """One invariant and how often it does not hold.

    Attributes:
        part: what was looked at: catalog, archive or batch.
        name: stable name of the invariant.
        says: the invariant in words.
        checked: how many things were looked at.
        broken: how many of them break it.
        examples: ids of some that do.
        skipped: why it was not looked at; None if it was.
    """

    part: str
    name: str
    says: str
    checked: int
    broken: int
    examples: tuple[str, ...] = ()
    skipped: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing is broken; true of what was skipped."""
        return self.broken == 0


def check_catalog(catalog: Catalog, con: DuckDBPyConnection) -> tuple[Check, ...]:
    """Check every invariant of a catalog in its current release.

    Args:
        catalog: the store, read-only will do.
        con: DuckDB connection; temporary tables `_check_…` are left in it for further checks: one per versioned table
            (current rows), `_check_living` (entity_id), `_check_redirect` (old_id, entity_id: the latest) and
            `_check_id` (every id ever named).
    """
    with catalog.reading():
        damage = _storage(catalog)
        if not damage.holds:
            return (damage,)
        _copy(catalog, con)
        return (
            damage,
            _release_numbers(catalog),
            *_contents(catalog, con),
            *(check(con) for check in _CHECKS),
            _lookup_entities(catalog, con),
            _access_chain(catalog),
        )


def _storage(catalog: Catalog) -> Check:
    return Check("catalog", "storage", "the store is undamaged", 1, int(catalog.connection.is_damaged()))


def _release_numbers(catalog: Catalog) -> Check:
    numbers = [row[0] for row in catalog.execute("select release_id from release order by release_id")]
    wrong = [str(number) for position, number in enumerate(numbers, start=1) if number != position]
    says = "releases are numbered without a gap"
    return Check("catalog", "release_numbers", says, len(numbers), len(wrong), tuple(wrong[:EXAMPLES]))


def _lookup_entities(catalog: Catalog, con: DuckDBPyConnection) -> Check:
    """Profiles of entity types that can be found by name must lead to living entities, and living ones be found."""
    load(
        con,
        "_check_lookup_row",
        (Column("number", "bigint"), Column("shared")),
        catalog,
        "select number, shared from lookup_entity",
    )
    kinds = ", ".join(f"'{kind}'" for (kind,) in catalog.execute("select kind from lookup_model order by kind")) or "''"
    con.execute(f"""
create or replace temp table _check_lookup as
with held as (
    select {entity_sql("number")} as entity_id, shared from _check_lookup_row
)
select entity_id, shared from held where left(entity_id, 2) in ({kinds})""")
    return _counted(
        con,
        "lookup_entities",
        "what is found by name are living entities, and every living entity can be found",
        "from _check_lookup",
        f"""with profile as (
            select distinct unnest(string_split(shared, ';')) as entity_ids from _check_lookup
        ),
        found as (
            select entity_id from _check_lookup
            union
            select unnest(string_split(entity_ids, ' ')[3:]) from profile
        ),
        crowded as (select 1 from profile where len(string_split(entity_ids, ' ')) >= 22)
        select entity_id from found where entity_id not in (select entity_id from _check_living)
        union all
        select entity_id from _check_living
        where left(entity_id, 2) in ({kinds}) and entity_id not in (select entity_id from found)
            and not exists (from crowded)""",
    )


def _access_chain(catalog: Catalog) -> Check:
    """The access log's rows must follow from each other."""
    broken = broken_rows(catalog, ACCESS_LOG)
    row = catalog.row("select count(*) from access_log")
    says = "the access log is a chain in which nothing was altered, removed or put in between"
    names = tuple(str(key) for key in broken[:EXAMPLES])
    return Check("catalog", "access_log_chain", says, int(row[0]) if row is not None else 0, len(broken), names)


def _contents(catalog: Catalog, con: DuckDBPyConnection) -> tuple[Check, Check]:
    row = catalog.row("select counts from release order by release_id desc limit 1")
    counts = json.loads(row[0]) if row is not None else {"tables": {}, "content": {}}
    wrong = []
    for table in (*VERSIONED, EVENT, REDIRECT):
        found = catalog.row(f"select count(*) from {quote(table.name)}")
        if found is None or found[0] != counts["tables"].get(table.name, {"rows": 0})["rows"]:
            wrong.append(table.name)
    told = {
        (kind, name): entry
        for kind, tables in counts["content"].items()
        for name, entry in tables.items()
        if entry["rows"]
    }
    made = {
        (kind, table.name): {"rows": rows, "sum": total}
        for table in CONTENT_TABLES
        for kind, (rows, total) in content_sums(con, table, f"select * from {_copied(table)}").items()
        if rows
    }
    differ = sorted(
        f"{name} ({kind})"
        for kind, name in told.keys() | made.keys()
        if told.get((kind, name)) != made.get((kind, name))
    )
    return (
        Check(
            "catalog",
            "row_counts",
            "each table has the rows its release counted",
            len(VERSIONED) + 2,
            len(wrong),
            tuple(wrong),
        ),
        Check(
            "catalog",
            "content",
            "the rows are those that were published (content hash)",
            len(told.keys() | made.keys()),
            len(differ),
            tuple(differ[:EXAMPLES]),
        ),
    )


def _copy(catalog: Catalog, con: DuckDBPyConnection) -> None:
    """Copy what the checks read into temporary DuckDB tables."""
    for table in CONTENT_TABLES:
        columns = ", ".join(quote(name) for name in table.column_names)
        load(con, _copied(table), table.columns, catalog, f"select {columns} from {quote(table.name)}")
    con.execute("""
create or replace temp table _check_living as
select entity_id, records from _check_legal_person
union all
select entity_id, records from _check_natural_person""")
    load(
        con,
        "_check_redirect",
        (Column("old_id"), Column("entity_id")),
        catalog,
        "select r.old_id, r.entity_id from redirect r "
        "where r.release = (select max(l.release) from redirect l where l.old_id = r.old_id)",
    )
    load(
        con,
        "_check_minted",
        (Column("entity_id"), Column("release", "bigint")),
        catalog,
        "select entity_id, release from event where event = 'created'",
    )
    load(
        con,
        "_check_id",
        (Column("entity_id"),),
        catalog,
        " union ".join(
            f"select {column} from {table} where {column} is not null"
            for table, column in (
                ("legal_person", "entity_id"),
                ("legal_person_history", "entity_id"),
                ("natural_person", "entity_id"),
                ("natural_person_history", "entity_id"),
                ("record_link", "entity_id"),
                ("record_link_history", "entity_id"),
                ("redirect", "old_id"),
                ("redirect", "entity_id"),
                ("event", "entity_id"),
            )
        ),
    )
    load(
        con,
        "_check_stay",
        (*RECORD_LINK.columns[:3], Column("since_release", "bigint"), Column("until_release", "bigint")),
        catalog,
        "select source, source_record_id, entity_id, since_release, until_release from record_link_history union all "
        "select source, source_record_id, entity_id, since_release, null from record_link "
        "where exists (select 1 from record_link_history h where h.source = record_link.source "
        "and h.source_record_id = record_link.source_record_id)",
    )


def _records_have_entities(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "record_has_one_entity",
        "every record belongs to one living entity",
        "from _check_record_link",
        """select distinct entity_id from (
            select l.entity_id from _check_record_link l anti join _check_living e on e.entity_id = l.entity_id
            union all
            select min(entity_id) from _check_record_link group by source, source_record_id having count(*) > 1)""",
    )


def _entities_have_records(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "golden_rows_are_entities",
        "golden rows are the entities that have records, each with its number of records",
        "from _check_living",
        """select e.entity_id
        from _check_living e
        left join (select entity_id, count(*) as records from _check_record_link group by entity_id) l using (entity_id)
        where l.records is null or e.records <> l.records""",
    )


def _ids_are_written_right(con: DuckDBPyConnection) -> Check:
    minted = " ".join(
        f"when starts_with(entity_id, '{kind}') then {mint_sql(kind, sequence_sql('entity_id'))}"
        for kind in ("LP", "NP")
    )
    return _counted(
        con,
        "id_check_character",
        "every id has its form and a right check character",
        "from _check_id",
        f"""select entity_id from _check_id
        where case when regexp_full_match(entity_id, '{_SHAPE}') then (case {minted} end) <> entity_id else true end""",
    )


def _ids_are_minted_once(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "id_minted_once",
        "every id was minted in one release, and only once",
        "from _check_id",
        """select i.entity_id
        from _check_id i
        left join (select entity_id, count(*) as times from _check_minted group by entity_id) m using (entity_id)
        where m.times is distinct from 1""",
    )


def _ids_lead_somewhere(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "id_leads_somewhere",
        "every id ever minted is living, retired, or leads in one step to one that is",
        "from _check_id",
        """with retired as (
            select old_id as entity_id from _check_redirect
            where entity_id is null and old_id not in (select entity_id from _check_living)
        ),
        fine as (select entity_id from _check_living union all select entity_id from retired)
        select i.entity_id
        from _check_id i
        anti join fine f on f.entity_id = i.entity_id
        left join _check_redirect r on r.old_id = i.entity_id
        where r.entity_id is null or r.entity_id not in (select entity_id from fine)""",
    )


def _redirects_end(con: DuckDBPyConnection) -> Check:
    """Follow redirects whose target redirects on; a living id ends a way, whatever it once led to."""
    onward = dict(
        con.execute("""
select r.old_id, r.entity_id
from _check_redirect r
anti join _check_living e on e.entity_id = r.old_id
semi join (
    select old_id from _check_redirect where old_id not in (select entity_id from _check_living)
) t on t.old_id = r.entity_id
where r.entity_id is not null""").fetchall()
    )
    circular = set()
    for start in onward:
        seen, here = {start}, onward[start]
        while here in onward and here not in seen:
            seen.add(here)
            here = onward[here]
        if here in seen:
            circular.add(start)
    return Check(
        "catalog",
        "redirect_without_cycle",
        "no redirect leads back to itself",
        scalar(con, "select count(*) from _check_redirect"),
        len(circular),
        tuple(sorted(circular)[:EXAMPLES]),
    )


def _rows_have_entities(con: DuckDBPyConnection) -> Check:
    owned = " union all ".join(f"select entity_id from _check_{table}" for table in _OWNED)
    everything = f"({owned} union all select other_entity_id from _check_relation)"
    return _counted(
        con,
        "row_has_entity",
        f"rows of {', '.join(_OWNED)} belong to living entities",
        f"from {everything}",
        f"select o.entity_id from {everything} o anti join _check_living e on e.entity_id = o.entity_id",
    )


def _relations_fit(con: DuckDBPyConnection) -> Check:
    from_legal = ", ".join(f"'{name}'" for name in BETWEEN_LEGAL_PERSONS)
    return _counted(
        con,
        "relation_fits_its_ends",
        "every relation is between two entities of the types it can be between",
        "from _check_relation",
        f"""select entity_id from _check_relation
        where entity_id = other_entity_id or not starts_with(other_entity_id, 'LP')
            or starts_with(entity_id, 'LP') <> (relation in ({from_legal}))
        """,
    )


def _provenance_names_records(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "provenance_names_records",
        "every golden value comes from a record of its entity",
        "from _check_provenance",
        """select p.entity_id
        from _check_provenance p
        anti join (select source || ':' || source_record_id as record_id, entity_id from _check_record_link) l
            on l.record_id = p.record_id and l.entity_id = p.entity_id""",
    )


def _cases_name_records(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "case_names_records",
        "every review case names records of the entities it names",
        "from _check_review_case",
        """with link as (select source || ':' || source_record_id as record_id, entity_id from _check_record_link),
        named as (
            select case_id, left_record_id as record_id, left_entity_id as entity_id from _check_review_case
            union all
            select case_id, right_record_id, right_entity_id from _check_review_case
        )
        select distinct n.case_id
        from named n
        anti join link l on l.record_id = n.record_id and l.entity_id = n.entity_id
        where n.record_id is not null""",
    )


def _stays_follow_each_other(con: DuckDBPyConnection) -> Check:
    return _counted(
        con,
        "history_without_overlap",
        "a record was in one entity at a time, in every release",
        "from _check_stay",
        """select distinct entity_id from (
            select entity_id, since_release, until_release,
                lag(coalesce(until_release, 9223372036854775807)) over (
                    partition by source, source_record_id order by since_release, until_release nulls last
                ) as before
            from _check_stay)
        where until_release <= since_release or before > since_release""",
    )


_CHECKS: tuple[Callable[[DuckDBPyConnection], Check], ...] = (
    _records_have_entities,
    _entities_have_records,
    _ids_are_written_right,
    _ids_are_minted_once,
    _ids_lead_somewhere,
    _redirects_end,
    _rows_have_entities,
    _relations_fit,
    _provenance_names_records,
    _cases_name_records,
    _stays_follow_each_other,
)


def _counted(con: DuckDBPyConnection, name: str, says: str, looked_at: str, broken: str) -> Check:
    """Make a check from a query of what was looked at and one of the ids that break it."""
    count = scalar(con, f"select count(*) from ({broken}) t(id)")
    found = (
        con.execute(f"select distinct id from ({broken}) t(id) order by id limit {EXAMPLES}").fetchall()
        if count
        else []
    )
    return Check(
        "catalog", name, says, scalar(con, f"select count(*) {looked_at}"), count, tuple(str(i) for (i,) in found)
    )


def _copied(table: Table) -> str:
    return f"_check_{table.name}"
