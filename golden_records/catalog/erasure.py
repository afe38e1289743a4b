"""Taking forgotten records out of everything the catalog keeps of the past.

The current release is made anew without them first, by `publish`, which moves their rows to the history. This module
then removes them from the history, as if the releases of the past had never had them, and takes personal values out of
tables that only grow. Ids, redirects, events and releases stay: they hold none.

What another record of the same entity said as well stays. A value of a past golden row that only forgotten records
said becomes null; a past golden row without any other record is removed. The content hashes of past releases no longer
follow from their rows; a rollback to one of them counts again (see `golden_records.catalog.rollback`).

Invariant: what is left of the past is a past without the forgotten records: links, golden rows and everything owned by
an entity still agree in every release.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

from golden_records.catalog.arrow import as_reader
from golden_records.catalog.publish import as_json
from golden_records.catalog.schema import (
    ADDRESS,
    FINGERPRINT,
    IDENTIFIER,
    LEGAL_PERSON,
    NAME,
    NATURAL_PERSON,
    PHONE,
    PROVENANCE,
    RELATION,
    REVIEW_CASE,
    Table,
)
from golden_records.catalog.store import Catalog
from golden_records.errors import CatalogError
from golden_records.tables import quote
from matchers.standard_codes import CODED

_ENTITY_TABLES = (LEGAL_PERSON, NATURAL_PERSON)
_VALUES = {IDENTIFIER: "value", NAME: "name", ADDRESS: "address", PHONE: "phone"}
_OWNED = (*_VALUES, PROVENANCE, RELATION)
_COUNTED = ("records", "sources")
# No row hash is negative: rows whose fingerprint is this are compared one by one when they are published again.
_STALE_FINGERPRINT = -1
_NEVER = 1 << 62
_TOUCHED = "(select entity_id from erased_entity)"


@dataclass(frozen=True)
class Forgotten:
    """What is to be taken out.

    Attributes:
        records: record ids.
        values: values that these records had and no other record that was ever in an entity with them.
    """

    records: Collection[str]
    values: Collection[str]


def erase(catalog: Catalog, forgotten: Forgotten) -> dict[str, int]:
    """Remove records from the history and from `redirect`; the caller holds a writing transaction, unguarded.

    Returns:
        Table → rows removed or changed.

    Raises:
        CatalogError: the current release still holds one of the records.
    """
    _list_forgotten(catalog, forgotten)
    left = catalog.row(
        "select count(*) from record_link l join erased_record e "
        "on e.source = l.source and e.source_record_id = l.source_record_id"
    )
    if left is not None and left[0]:
        raise CatalogError(f"{catalog.place}: {left[0]} of the records are in the current release; nothing was erased")
    done: dict[str, int] = {}

    def change(table: str, statement: str) -> None:
        done[table] = done.get(table, 0) + max(catalog.execute(statement).rowcount, 0)

    _erase_provenance(catalog, done)
    _erase_relations(catalog, done)
    for table, column in _VALUES.items():
        change(
            table.history,
            f"delete from {table.history} where entity_id in {_TOUCHED} and {_erased(column)}",
        )
    for table in _ENTITY_TABLES:
        golden = [quote(c) for c in table.column_names[1:] if c not in (*_COUNTED, "conflicts")]
        blanked = ", ".join(f"{c} = case when not {_erased(_coded(c))} then {c} end" for c in golden)
        any_erased = " or ".join(_erased(column) for column in golden)
        change(
            table.history,
            f"update {table.history} set {blanked} where entity_id in {_TOUCHED} and ({any_erased})",
        )
    change(
        "record_link_history",
        "delete from record_link_history where exists (select 1 from erased_record e "
        "where e.source = record_link_history.source and e.source_record_id = record_link_history.source_record_id)",
    )
    _count_records_again(catalog, done)
    change(
        REVIEW_CASE.history,
        "delete from review_case_history where left_record_id in (select record_id from erased_record) "
        "or right_record_id in (select record_id from erased_record)",
    )
    _erase_cases_by_detail(catalog, forgotten, done)
    change(
        FINGERPRINT.history,
        "delete from fingerprint_history where owner_id like 'RC-%' "
        "and owner_id not in (select case_id from review_case_history)",
    )
    change("redirect", f"update redirect set anchor = null where {_erased('anchor')}")
    catalog.execute("drop table erased_record")
    catalog.execute("drop table erased_value")
    catalog.execute("drop table erased_entity")
    return {table: rows for table, rows in done.items() if rows}


def _erase_cases_by_detail(catalog: Catalog, forgotten: Forgotten, done: dict[str, int]) -> None:
    """Remove past proposals to split an entity that name a forgotten record among those that would leave."""
    table = REVIEW_CASE.history
    gone = set(forgotten.records)
    rows = catalog.execute(f"select case_id, detail from {table} where detail is not null").fetchall()
    for case_id, detail in rows:
        if gone & set(json.loads(detail).get("right", ())):
            catalog.execute(f"delete from {table} where case_id = ? and detail = ?", (case_id, detail))
            done[table] = done.get(table, 0) + 1


def _list_forgotten(catalog: Catalog, forgotten: Forgotten) -> None:
    text = pa.string()
    records = [(record, *record.split(":", 1)) for record in sorted(set(forgotten.records))]
    columns = {"record_id": text, "source": text, "source_record_id": text}
    catalog.connection.name_rows("erased_record", as_reader(columns, records))
    values = [(value,) for value in sorted(set(forgotten.values))]
    catalog.connection.name_rows("erased_value", as_reader({"value": text}, values))
    catalog.execute("create index erased_by_key on erased_record (source, source_record_id)")
    entities = catalog.execute(
        "select distinct h.entity_id from record_link_history h "
        "join erased_record e on e.source = h.source and e.source_record_id = h.source_record_id order by h.entity_id"
    ).fetchall()
    catalog.connection.name_rows("erased_entity", as_reader({"entity_id": text}, entities))


def _coded(column: str) -> str:
    """Return the column whose value a code stands for, of others the column itself."""
    return quote(CODED[column.strip('"')]) if column.strip('"') in CODED else column


def _erased(column: str) -> str:
    return f"{column} in (select value from erased_value)"


def _erase_provenance(catalog: Catalog, done: dict[str, int]) -> None:
    gone = catalog.execute(
        f"delete from provenance_history where entity_id in {_TOUCHED} and "
        f"({_erased('value')} or record_id in (select record_id from erased_record))"
    ).rowcount
    names = {row[0] for row in catalog.execute("select record_id from erased_record")}
    values = {row[0] for row in catalog.execute("select value from erased_value")}
    changed = 0
    for entity_id, attribute, until, text in catalog.execute(
        "select entity_id, attribute, until_release, runners_up from provenance_history "
        f"where entity_id in {_TOUCHED} and runners_up is not null"
    ).fetchall():
        listed = json.loads(text)
        kept = [one for one in listed if one["record_id"] not in names and one["value"] not in values]
        if kept != listed:
            catalog.execute(
                "update provenance_history set runners_up = ? "
                "where entity_id = ? and attribute = ? and until_release = ?",
                (as_json(kept) if kept else None, entity_id, attribute, until),
            )
            changed += 1
    done[PROVENANCE.history] = gone + changed


def _erase_relations(catalog: Catalog, done: dict[str, int]) -> None:
    """Take the records out of what says a relation; a relation that nothing else says is removed."""
    names = {row[0] for row in catalog.execute("select record_id from erased_record")}
    found = catalog.execute(
        "select entity_id, relation, other_entity_id, until_release, said_by from relation_history "
        f"where entity_id in {_TOUCHED} or other_entity_id in {_TOUCHED}"
    ).fetchall()
    changed = 0
    for *key, said_by in found:
        listed = json.loads(said_by) if said_by else []
        kept = [record for record in listed if record not in names]
        if kept == listed:
            continue
        where = "where entity_id = ? and relation = ? and other_entity_id = ? and until_release = ?"
        if kept:
            # How many records said it can no longer be told: only some of them are listed.
            catalog.execute(
                f"update relation_history set said_by = ?, records = null, sources = null {where}",
                (as_json(kept), *key),
            )
        else:
            catalog.execute(f"delete from relation_history {where}", key)
        changed += 1
    owners = sorted({f"{RELATION.owner_prefix}{entity_id}" for entity_id, *_ in found})
    catalog.connection.executemany(
        f"update fingerprint_history set fingerprint = {_STALE_FINGERPRINT} where owner_id = ?", [(o,) for o in owners]
    )
    done[RELATION.history] = changed


def _count_records_again(catalog: Catalog, done: dict[str, int]) -> None:
    """Count the records and sources of past golden rows anew; what has none left is removed with all it owns."""
    links: dict[str, list[tuple[str, int, int]]] = {}
    for entity_id, source, since, until in catalog.execute(
        "select entity_id, source, since_release, until_release from record_link_history "
        f"where entity_id in {_TOUCHED} union all "
        f"select entity_id, source, since_release, {_NEVER} from record_link where entity_id in {_TOUCHED}"
    ):
        links.setdefault(entity_id, []).append((source, since, until))
    for table in _ENTITY_TABLES:
        names = (*table.column_names, "since_release", "until_release")
        listed = ", ".join(quote(name) for name in names[:-1])
        for current, origin in ((False, f"until_release from {table.history}"), (True, f"{_NEVER} from {table.name}")):
            for row in catalog.execute(f"select {listed}, {origin} where entity_id in {_TOUCHED}").fetchall():
                golden = dict(zip(names, row, strict=True))
                _split(catalog, table, golden, links.get(golden["entity_id"], []), current=current, done=done)
    for owned in (*_OWNED, FINGERPRINT):
        _remove_unowned(catalog, owned, str(owned.owner), done)
    _remove_unowned(catalog, RELATION, "other_entity_id", done)
    catalog.execute(f"update fingerprint_history set fingerprint = {_STALE_FINGERPRINT} where owner_id in {_TOUCHED}")


def _split(
    catalog: Catalog,
    table: Table,
    golden: Mapping[str, Any],
    links: Sequence[tuple[str, int, int]],
    *,
    current: bool,
    done: dict[str, int],
) -> None:
    """Cut a golden row where the number of records or sources that are left changes; drop the parts without any.

    A row may have lasted while one record came and another one went; of the current row the last part stays current.
    """
    start, end = golden["since_release"], golden["until_release"]
    inside = {at for _, since, until in links for at in (since, until) if start < at < end}
    cuts = [start, *sorted(inside), end]
    parts: list[dict[str, Any]] = []
    for since, until in pairwise(cuts):
        there = [source for source, first, last in links if first <= since < last]
        counted = {"records": len(there), "sources": len(set(there))}
        if parts and parts[-1]["until_release"] == since and all(parts[-1][name] == counted[name] for name in _COUNTED):
            parts[-1]["until_release"] = until
        elif there:
            parts.append({**golden, **counted, "since_release": since, "until_release": until})
    if parts == [golden]:
        return
    done[table.history] = done.get(table.history, 0) + 1
    if current:
        last = parts.pop()
        catalog.execute(
            f"update {table.name} set since_release = ? where entity_id = ?",
            (last["since_release"], golden["entity_id"]),
        )
    else:
        catalog.execute(
            f"delete from {table.history} where entity_id = ? and until_release = ?", (golden["entity_id"], end)
        )
    marks = ", ".join("?" for _ in golden)
    columns = ", ".join(quote(name) for name in golden)
    statement = f"insert into {table.history} ({columns}) values ({marks})"
    catalog.connection.executemany(statement, [tuple(part.values()) for part in parts])


def _remove_unowned(catalog: Catalog, owned: Table, owner: str, done: dict[str, int]) -> None:
    """Let rows begin with their entity's first golden row, and remove those that some release has no golden row for."""
    golden = " union all ".join(
        f"select entity_id, since_release, until_release from {table.history} where entity_id in {_TOUCHED} union all "
        f"select entity_id, since_release, {_NEVER} from {table.name} where entity_id in {_TOUCHED}"
        for table in _ENTITY_TABLES
    )
    catalog.execute(
        f"create temp table golden_stay as select entity_id, since_release, until_release from ({golden}) g"
    )
    for name, end in ((owned.name, str(_NEVER)), (owned.history, f"{owned.history}.until_release")):
        then = (
            f"from golden_stay g where g.entity_id = {name}.{owner} and g.since_release < {end} "
            f"and g.until_release > {name}.since_release"
        )
        first = f"(select min(g.since_release) {then})"
        catalog.execute(
            f"update {name} set since_release = {first} "
            f"where {owner} in {_TOUCHED} and exists (select 1 {then}) and since_release < {first}"
        )
    last = _smaller("g.until_release", f"{name}.until_release")
    first = _larger("g.since_release", f"{name}.since_release")
    covered = f"sum({last} - {first})"
    removed = catalog.execute(
        f"delete from {name} where {owner} in {_TOUCHED} "
        f"and coalesce((select {covered} {then}), 0) < until_release - since_release"
    ).rowcount
    done[name] = done.get(name, 0) + removed
    catalog.execute("drop table golden_stay")


def _smaller(one: str, other: str) -> str:
    return f"case when {one} < {other} then {one} else {other} end"


def _larger(one: str, other: str) -> str:
    return f"case when {one} > {other} then {one} else {other} end"
