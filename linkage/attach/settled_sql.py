"""The SQL for rows that equality settles: all that is filled in stands so in the catalog, and leads to one entity.

Nearly all rows are such rows. They are found and written in one pass that carries no more than the entity; whatever
else `linkage.attach.row_sql` knows to tell apart is for the few rows that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blocking.sql import quote
from linkage.attach.credit_rows import IDENTIFIER_COLUMNS, CreditFile, rows_sql
from linkage.attach.readings import reading_of
from linkage.attach.subjects import SubjectTables
from matchers.levels import literal


@dataclass(frozen=True)
class SettledSql:
    """The two halves of a file.

    Attributes:
        settled: query for the rows that equality settles, as they go out.
        others: query for the other rows, as they came in.
    """

    settled: str
    others: str


def settled_sql(
    subjects: SubjectTables, file: CreditFile, columns: Mapping[str, str], *, item: str | None
) -> SettledSql:
    """Return the queries for the rows that equality settles, and for the others.

    A row is settled if every identifier that is filled in is held by one entity, the same for all; or none is filled
    in, and the subject record that it names belongs to an entity. Then its item concerns that kind of subject, no
    record that is linked by identifier says otherwise, and its name, if it has one, is borne by the entity.

    Args:
        subjects: the release.
        file: the file.
        columns: known column → the file's column.
        item: the item of rows that name none.
    """

    def cell(column: str) -> str:
        return f"r.{quote(columns[column])}::varchar"

    present = [column for column in IDENTIFIER_COLUMNS if column in columns]
    recorded = {"source", "source_record_id"} <= set(columns)
    joins = [
        f"left join {reading_of(column)} h_{column} on h_{column}.raw = {cell(column)} and h_{column}.holders = 1"
        for column in present
    ]
    found = [f"h_{column}.entity_id" for column in present]
    entity = _first([*found, "s.entity_id"] if recorded else found)
    made = {"entity_id": entity, "link_basis": "'identifier'", "link_probability": "null::double"}
    made |= {"attach_status": "'matched'", "attach_reason": "'identifier'", "attach_candidates": "null::varchar"}
    conditions = [f"{entity} is not null"]
    if len(found) + recorded > 1:
        filled = zip(present, found, strict=True)
        conditions += [f"({one} is not null or coalesce(trim({cell(column)}), '') = '')" for column, one in filled]
        conditions += [f"coalesce({one} = {other}, true)" for i, one in enumerate(found) for other in found[:i]]
    if recorded:
        source, key = cell("source"), cell("source_record_id")
        joins.append(f"left join {quote(subjects.record)} s on s.source = {source} and s.source_record_id = {key}")
        numbered = f"{_first(found)} is not null"
        made["link_basis"] = f"case when {numbered} then 'identifier' else s.link_basis end"
        made["link_probability"] = f"case when {numbered} then null else s.probability end"
        made["attach_reason"] = f"case when {numbered} then 'identifier' else 'record' end"
        conditions.append(f"(coalesce(s.entity_id = {entity}, true) or s.link_basis not in ('identifier', 'decision'))")
    named = [cell("item")] if "item" in columns else []
    given = [literal(item)] if item is not None else []
    if named or given:
        joins.append(f"left join catalogue_item c on c.id = {_first([*named, *given])}")
        conditions.append(f"starts_with({entity}, c.kind)")
    if "name" in columns:
        names = f"select 1 from {quote(subjects.name)} n where n.entity_id = {entity} and n.name = {cell('name')}"
        conditions.append(f"({cell('name')} is null or exists ({names}))")
    own = ", ".join(f"r.{quote(name)}" for name in file.columns)
    added = "".join(f",\n    {value} as {name}" for name, value in made.items())
    rows = "\n".join([f"from {rows_sql(file)} r", *joins])
    holds = "\n    and ".join(conditions)
    return SettledSql(
        f"select {own}{added}\n{rows}\nwhere {holds}", f"select {own}\n{rows}\nwhere ({holds}) is not true"
    )


def _first(values: Sequence[str]) -> str:
    if not values:
        return "null::varchar"
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]
