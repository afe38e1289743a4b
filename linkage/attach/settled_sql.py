"""The SQL for rows that equality settles: all that is filled in stands so in the catalog, and leads to one entity.

Nearly all rows are such rows. They are found and written in one pass that carries no more than the entity; whatever
else `linkage.attach.row_sql` knows to tell apart is for the few rows that are left. What is the same in all of them is
an enum, which Parquet holds as text all the same: a text would be hashed once a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.attach.credit_rows import IDENTIFIER_COLUMNS, CreditRows, rows_sql
from linkage.attach.readings import reading_of
from linkage.attach.row_sql import cell, folded, item_join, record_join
from linkage.attach.subjects import SubjectTables
from linkage.ingest.sql import literal, quote

_REASONS = ("identifier", "record")


@dataclass(frozen=True)
class SettledSql:
    """The two halves of credit rows.

    Attributes:
        settled: query for the rows that equality settles, as they go out.
        others: query for the other rows, as they came in, with attach_file.
    """

    settled: str
    others: str


def settled_sql(
    subjects: SubjectTables, rows: CreditRows, columns: Mapping[str, str], *, item: str | None
) -> SettledSql:
    """Return the queries for the rows that equality settles, and for the others.

    A row is settled if every identifier that is filled in is held by one entity, the same for all; or none is filled
    in, and the subject record that it names belongs to an entity. Then its item concerns that kind of subject, no
    record that is linked by identifier says otherwise, and its name, if it has one, is borne by the entity.

    Args:
        subjects: the release.
        rows: the rows.
        columns: known column → the rows' column.
        item: the item of rows that name none.
    """
    present = [column for column in IDENTIFIER_COLUMNS if column in columns]
    recorded, asked = record_join(subjects, columns), item_join(columns, item)
    joins = [
        f"left join {reading_of(one)} h_{one} on h_{one}.raw = {cell(columns, one)} and h_{one}.holders = 1"
        for one in present
    ]
    found = [f"h_{column}.entity_id" for column in present]
    entity = folded("coalesce", [*found, "s.entity_id"] if recorded else found, "null::varchar")
    made = {"entity_id": entity, "link_basis": _one_of("identifier"), "link_probability": "null::double"}
    made |= {"attach_status": _one_of("matched"), "attach_reason": _one_of("identifier", _REASONS)}
    made |= {"attach_candidates": "null::varchar", "attach_file": "r.attach_file"}
    conditions = [f"{entity} is not null"]
    if len(found) + len(recorded) > 1:
        filled = zip(present, found, strict=True)
        conditions += [
            f"({one} is not null or coalesce(trim({cell(columns, column)}), '') = '')" for column, one in filled
        ]
        conditions += [f"coalesce({one} = {other}, true)" for i, one in enumerate(found) for other in found[:i]]
    if recorded:
        numbered = f"{folded('coalesce', found, 'null::varchar')} is not null"
        made["link_basis"] = f"case when {numbered} then 'identifier' else s.link_basis end"
        made["link_probability"] = f"case when {numbered} then null else s.probability end"
        made["attach_reason"] = (
            f"case when {numbered} then {_one_of('identifier', _REASONS)} else {_one_of('record', _REASONS)} end"
        )
        conditions.append(f"(coalesce(s.entity_id = {entity}, true) or s.link_basis not in ('identifier', 'decision'))")
    if asked:
        conditions.append(f"starts_with({entity}, c.kind)")
    if "name" in columns:
        name = cell(columns, "name")
        names = f"select 1 from {quote(subjects.name)} n where n.entity_id = {entity} and n.name = {name}"
        conditions.append(f"({name} is null or exists ({names}))")
    own = ", ".join(f"r.{quote(name)}" for name in rows.columns)
    added = "".join(f",\n    {value} as {name}" for name, value in made.items())
    joined = "\n".join([f"from {rows_sql(rows)} r", *joins, *recorded, *asked])
    holds = "\n    and ".join(conditions)
    return SettledSql(
        f"select {own}{added}\n{joined}\nwhere {holds}",
        f"select {own}, r.attach_file\n{joined}\nwhere ({holds}) is not true",
    )


def _one_of(text: str, texts: Sequence[str] = ()) -> str:
    """Return an expression for a text as an enum of all texts that the column can hold."""
    return f"{literal(text)}::enum({', '.join(literal(one) for one in texts or (text,))})"
