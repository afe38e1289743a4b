"""The SQL of attaching: what is known of each row, what follows from it, and which cells are still to be read.

A query is put together from the columns that the rows have. Columns made on the way begin with
`_gy_`, so that none of the file's own is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linkage.attach.credit_rows import IDENTIFIER_COLUMNS, PERSON_COLUMNS, CreditRows
from linkage.attach.readings import reading_of, reads_of
from linkage.attach.subjects import SubjectTables
from linkage.ingest.sql import literal, quote

_ONE, _OTHER, _RECORD = "r._gy_only_id", "r._gy_other_id", "r._gy_record_entity"
_EITHER = f"coalesce({_ONE}, {_RECORD})"
# status, reason, condition; the first that holds decides.
_CASES = (
    ("none", "item_not_in_catalogue", "r._gy_item_kind = ''"),
    ("conflict", "identifier_of_two_entities", "r._gy_holders > 1"),
    ("conflict", "identifiers_disagree", f"{_ONE} <> {_OTHER}"),
    (
        "conflict",
        "identifier_and_record_disagree",
        f"{_ONE} <> {_RECORD} and r._gy_record_basis in ('identifier', 'decision')",
    ),
    ("conflict", "other_kind", f"{_EITHER}[:2] <> r._gy_item_kind"),
    ("conflict", "other_name", "o.entity_id is not null"),
    ("matched", "identifier", f"{_ONE} is not null"),
    ("matched", "record", f"{_RECORD} is not null"),
    ("none", "unknown_identifier", "r._gy_usable"),
    ("none", "unusable_identifier", "r._gy_usable is not null"),
    ("none", "no_identifier", "true"),
)
REASONS = tuple(reason for _, reason, _ in _CASES)
_NUMBERS = {reason: number for number, reason in enumerate(REASONS)}


def unread_cells_sql(rows: str, columns: Mapping[str, str], column: str) -> str:
    """Return a query for the distinct cells of a column of `rows` that are not read yet: raw, id_type."""
    raw, kind = cell(columns, column), _kind_of(columns, column)
    return f"""
select distinct c.raw, c.id_type
from (select {raw} as raw, {kind} as id_type from {rows} r) c
where c.raw is not null
    and not exists (select 1 from {reading_of(column)} k where k.raw = c.raw)
    and not exists (select 1 from {reads_of(column)} k where k.raw = c.raw and k.id_type = c.id_type)"""


def resolved_sql(subjects: SubjectTables, rows: str, columns: Mapping[str, str], *, item: str | None) -> str:
    """Return a query for rows and what is known of each.

    Adds, each with `_gy_` before it: name; only_id and other_id (the smallest and the greatest entity that its
    identifiers lead to); holders (of one identifier); several (who they are, if more than one); usable (whether any
    cell is an identifier; null: none is filled in); record_entity, record_basis, record_probability (of the subject
    record it names); item_kind (`LP` or `NP`; empty: not in the catalogue; null: not asked).

    Args:
        subjects: the release.
        rows: a table expression.
        columns: known column → the column in `rows`.
        item: the item of rows that name none.
    """
    present = [column for column in IDENTIFIER_COLUMNS if column in columns]
    joins, parts = [], []
    for column in present:
        held, read, raw, kind = f"h_{column}", f"t_{column}", cell(columns, column), _kind_of(columns, column)
        joins.append(f"left join {reading_of(column)} {held} on {held}.raw = {raw}")
        joins.append(f"left join {reads_of(column)} {read} on {read}.raw = {raw} and {read}.id_type = {kind}")
        parts += [held, read]
    recorded, asked = record_join(subjects, columns), item_join(columns, item)
    joins += [*recorded, *asked]
    made = {
        "name": cell(columns, "name") if "name" in columns else "null::varchar",
        "only_id": folded("least", [f"{part}.entity_id" for part in parts], "null::varchar"),
        "other_id": folded("greatest", [f"{part}.entity_id" for part in parts], "null::varchar"),
        "holders": folded("greatest", [f"{part}.holders" for part in parts], "null::utinyint"),
        "several": folded("coalesce", [f"{part}.candidates" for part in parts], "null::varchar"),
        "usable": folded("greatest", [f"{part}.usable" for part in parts], "null::boolean"),
        "record_entity": "s.entity_id" if recorded else "null::varchar",
        "record_basis": "s.link_basis" if recorded else "null::varchar",
        "record_probability": "s.probability" if recorded else "null::double",
        "item_kind": "coalesce(c.kind, '')" if asked else "null::varchar",
    }
    added = ",\n    ".join(f"{value} as _gy_{name}" for name, value in made.items())
    return f"""
select r.*,
    {added}
from {rows} r
{chr(10).join(joins)}"""


def cell(columns: Mapping[str, str], column: str) -> str:
    """Return an expression for a known column of a row `r`, as text."""
    return f"r.{quote(columns[column])}::varchar"


def record_join(subjects: SubjectTables, columns: Mapping[str, str]) -> list[str]:
    """Return the join `s` with the subject record that a row `r` names; none if rows name none."""
    if not {"source", "source_record_id"} <= set(columns):
        return []
    source, key = cell(columns, "source"), cell(columns, "source_record_id")
    return [f"left join {quote(subjects.record)} s on s.source = {source} and s.source_record_id = {key}"]


def item_join(columns: Mapping[str, str], item: str | None) -> list[str]:
    """Return the join `c` with the item of a row `r`, its own or `item`; none if neither is there."""
    named = [cell(columns, "item")] if "item" in columns else []
    given = [literal(item)] if item is not None else []
    return [f"left join catalogue_item c on c.id = {folded('coalesce', named + given, '')}"] if named + given else []


def folded(function: str, values: Sequence[str], nothing: str) -> str:
    """Return a function of several values: of one the value itself, of none `nothing`."""
    return f"{function}({', '.join(values)})" if len(values) > 1 else (*values, nothing)[0]


def judged_sql(resolved: str, *, named: bool) -> str:
    """Return a query for resolved rows with _gy_case.

    Args:
        resolved: a query of `resolved_sql`.
        named: the rows carry names; then `other_name` holds those that do not go with an entity.
    """
    joined = f"left join other_name o on o.entity_id = {_ONE} and o.name = r._gy_name" if named else ""
    return f"""
select r.*, {_case(named=named)} as _gy_case
from ({resolved}) r
{joined}"""


def written_sql(rows: CreditRows, judged: str) -> str:
    """Return a query for rows with _gy_case as they go out: the rows' own columns, and what was made of them.

    Args:
        rows: the rows.
        judged: a query of `judged_sql`.
    """
    by = _NUMBERS
    own = ", ".join(quote(name) for name in rows.columns)
    return f"""
select {own},
    case _gy_case when {by["identifier"]} then _gy_only_id when {by["record"]} then _gy_record_entity end as entity_id,
    case _gy_case when {by["identifier"]} then 'identifier' when {by["record"]} then _gy_record_basis end as link_basis,
    case _gy_case when {by["record"]} then _gy_record_probability end as link_probability,
    {_named(0)} as attach_status,
    {_named(1)} as attach_reason,
    case _gy_case
        when {by["identifier_of_two_entities"]} then _gy_several
        when {by["identifiers_disagree"]} then concat_ws(';', _gy_only_id, _gy_other_id)
        when {by["identifier_and_record_disagree"]} then concat_ws(';', _gy_only_id, _gy_record_entity)
        when {by["other_kind"]} then coalesce(_gy_only_id, _gy_record_entity)
        when {by["other_name"]} then _gy_only_id
    end as attach_candidates,
    attach_file
from {judged}"""


def _case(*, named: bool) -> str:
    """Return an expression for the number of the first case whose condition holds of a row."""
    cases = [(number, case[2]) for number, case in enumerate(_CASES) if named or case[1] != "other_name"]
    return f"(case {' '.join(f'when {condition} then {number}' for number, condition in cases)} end)::utinyint"


def _named(part: int) -> str:
    """Return an expression that gives the status (0) or the reason (1) of a row's case."""
    return f"case _gy_case {' '.join(f'when {n} then {literal(case[part])}' for n, case in enumerate(_CASES))} end"


def _kind_of(columns: Mapping[str, str], column: str) -> str:
    """Return an expression for what stands beside a cell and has to be known to read it; empty if nothing does."""
    if column not in PERSON_COLUMNS or "id_type" not in columns:
        return "''"
    return f"coalesce({cell(columns, 'id_type')}, '')"
