"""What the records of a case say, and why the engine hesitated: read from the batch database of the last run.

Values are as the reader may see them. What stands in no run any more, or in a batch database that cannot be read now,
is `EvidenceUnavailableError`: a case can then be looked at, and not be ruled on.

The fingerprint of the evidence is a hash over both records' values in full, the levels and weights, rule and model: it
shows later that a ruling rested on these very values, without keeping any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.explanation import PairExplanation
from linkage.access.access_log import hash_of_result
from linkage.access.shown import Sight, shown_values
from linkage.batch import read_batch
from linkage.commands.explain import explain_records
from linkage.database import columns_of
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.errors import LinkageError
from linkage.fields import CANONICAL_FIELDS, Entity
from linkage.masking import is_personal
from linkage.model.parameters import load_model
from linkage.review.differences import Piece, differences
from linkage.workspace import Workspace

MOST_RECORDS = 60


class EvidenceUnavailableError(Exception):
    """The records cannot be read now; the message says why and what to do."""


@dataclass(frozen=True)
class Sheet:
    """A record as its source gave it, as far as the reader may see it.

    Attributes:
        record_id: `source:source_record_id`.
        source: the department's feed.
        as_of: date the source vouches for.
        load_id: the load it came with.
        values: field → value; fields without one are left out.
        read: field → what it was read as, attribute by attribute; personal fields only where shown in full.
    """

    record_id: str
    source: str
    as_of: str | None
    load_id: str | None
    values: Mapping[str, str]
    read: Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Beside:
    """One field of two records, side by side.

    Attributes:
        field: the field.
        left: the left value in pieces; empty: none.
        right: the right value.
        left_read: what the left one was read as.
        right_read: the right one.
        outcome: `equal`, `differs`, `masked` (they differ where they are masked), `one` (only one record has it).
    """

    field: str
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    left_read: tuple[tuple[str, str], ...]
    right_read: tuple[tuple[str, str], ...]
    outcome: str


@dataclass(frozen=True)
class Tie:
    """A scored pair between two profiles of the neighbourhood.

    Attributes:
        left: a record of the one profile.
        right: a record of the other.
        kind: auto, review, conflict or refused.
        weight: match weight.
        rule: the rule or constraint.
    """

    left: str
    right: str
    kind: str
    weight: float
    rule: str | None


@dataclass(frozen=True)
class Neighbourhood:
    """The records of the entities of a case, and what ties them.

    Attributes:
        records: record → entity.
        twins: record → the records with the same content, itself the smallest; the others stand for themselves.
        ties: scored pairs between them.
        left_out: records beyond `MOST_RECORDS`.
    """

    records: Mapping[str, str]
    twins: Mapping[str, int]
    ties: tuple[Tie, ...]
    left_out: int


@dataclass(frozen=True)
class Evidence:
    """What there is to see of a pair.

    Attributes:
        left: the left record.
        right: the right record.
        fields: both side by side.
        explanation: levels and weights.
        around: the entities' records and what ties them.
        fingerprint: hash of the evidence in full.
        levels: comparison → level and weight; no values.
    """

    left: Sheet
    right: Sheet
    fields: tuple[Beside, ...]
    explanation: PairExplanation
    around: Neighbourhood
    fingerprint: str
    levels: Mapping[str, tuple[str, float]]


def evidence_of(
    workspace: Workspace, entity: Entity, left: str, right: str, members: Mapping[str, str], *, sight: Sight
) -> Evidence:
    """Return the evidence on two records.

    Args:
        workspace: the workspace.
        entity: the entity type.
        left: record id.
        right: record id.
        members: record → entity of the entities they stand in.
        sight: how much the reader sees.

    Raises:
        EvidenceUnavailableError: it cannot be read now.
    """
    config = load_entity_config(entity)
    with _batch(workspace, entity) as con:
        _require(con, entity, (left, right))
        model = load_model(config, workspace.model(entity))
        shown = explain_records(con, config, model, left, right, unmasked=sight.unmasked)
        rows = _rows(con, entity, (left, right))
        around = _around(con, entity, members, (left, right))
    sheets = [_sheet(config, rows[record], sight) for record in (left, right)]
    levels = {one.comparison: (one.level, round(one.weight + one.tf_adjustment, 6)) for one in shown.comparisons}
    canonical = ("record_id", "as_of", "load_id", *CANONICAL_FIELDS[entity])
    whole = {record: {name: rows[record].get(name) for name in canonical} for record in (left, right)}
    told = {"records": whole, "levels": levels, "rule": shown.rule, "weight": round(shown.total_weight, 6)}
    return Evidence(
        left=sheets[0],
        right=sheets[1],
        fields=side_by_side(entity, sheets[0], sheets[1], whole=(rows[left], rows[right])),
        explanation=shown,
        around=around,
        fingerprint=hash_of_result(told),
        levels=levels,
    )


def sheets_of(workspace: Workspace, entity: Entity, records: Collection[str], *, sight: Sight) -> dict[str, Sheet]:
    """Return records as their sources gave them; those that the last run does not have are left out.

    Raises:
        EvidenceUnavailableError: they cannot be read now.
    """
    config = load_entity_config(entity)
    with _batch(workspace, entity) as con:
        rows = _rows(con, entity, sorted(records)[:MOST_RECORDS])
    return {record: _sheet(config, row, sight) for record, row in rows.items()}


def side_by_side(
    entity: Entity, left: Sheet, right: Sheet, *, whole: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> tuple[Beside, ...]:
    """Return the fields that at least one of two records has, in the canonical order.

    Args:
        entity: the entity type.
        left: the left record as the reader may see it.
        right: the right one.
        whole: both in full: values that look the same masked may differ.
    """
    found = []
    for field in CANONICAL_FIELDS[entity]:
        one, other = left.values.get(field), right.values.get(field)
        if one is None and other is None:
            continue
        pieces = differences(one, other)
        outcome = "one" if one is None or other is None else "equal" if one == other else "differs"
        if outcome == "equal" and whole[0].get(field) != whole[1].get(field):
            outcome = "masked"
        read = (left.read.get(field, ()), right.read.get(field, ()))
        found.append(Beside(field, *pieces, *read, outcome))
    return tuple(found)


@contextmanager
def _batch(workspace: Workspace, entity: Entity) -> Iterator[DuckDBPyConnection]:
    if not workspace.batch.exists() or not workspace.model(entity).exists():
        raise EvidenceUnavailableError("the last run's records and model are not there; run `guiyi run` again")
    try:
        with read_batch(workspace.batch, memory_limit=workspace.settings.memory_limit) as con:
            yield con
    except LinkageError as error:
        raise EvidenceUnavailableError("the last run's records are being written now; try again in a moment") from error
    except duckdb.Error as error:
        kind = type(error).__name__
        raise EvidenceUnavailableError(f"the last run's records cannot be read ({kind}); try again") from error


def _require(con: DuckDBPyConnection, entity: Entity, records: Sequence[str]) -> None:
    if len(_rows(con, entity, records)) < len(set(records)):
        raise EvidenceUnavailableError("a record of the case is not in the last run; the case is of another release")


def _rows(con: DuckDBPyConnection, entity: Entity, records: Sequence[str]) -> dict[str, dict[str, Any]]:
    table = quote(f"{entity}_records")
    found = con.sql(
        f"select * from {table} where record_id in (select unnest($records))", params={"records": list(records)}
    )
    return {row["record_id"]: row for row in found.to_arrow_table().to_pylist()}


def _sheet(config: EntityConfig, row: Mapping[str, Any], sight: Sight) -> Sheet:
    entity = config.entity
    canonical = CANONICAL_FIELDS[entity]
    held = {name: str(row[name]) for name in canonical if row.get(name) is not None}
    return Sheet(
        record_id=row["record_id"],
        source=row["source"],
        as_of=row.get("as_of"),
        load_id=row.get("load_id"),
        values=shown_values(entity, held, sight),
        read=_read(config, row, sight),
    )


def _read(config: EntityConfig, row: Mapping[str, Any], sight: Sight) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return what fields were read as; of personal fields only where they are shown in full."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    canonical = CANONICAL_FIELDS[config.entity]
    for field in config.field:
        columns = [column for column in field.columns_read if column in canonical]
        hidden = any(is_personal(config.entity, column) or column == "tax_number" for column in columns)
        if not columns or (hidden and not sight.unmasked):
            continue
        told = []
        for column, value in row.items():
            if column.startswith(f"{field.name}_") and column not in canonical and value not in (None, [], ""):
                text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
                told.append((column.removeprefix(f"{field.name}_"), text))
        if told and columns[0] not in found:
            found[columns[0]] = tuple(told)
    return found


def _around(con: DuckDBPyConnection, entity: Entity, members: Mapping[str, str], first: Sequence[str]) -> Neighbourhood:
    """Return the records of both entities, the two of the case first, and the pairs among their profiles."""
    others = sorted(record for record in members if record not in first)
    shown = [*first, *others][:MOST_RECORDS]
    profile = dict(
        con.execute(
            f"select record_id, profile_id from {quote(entity + '_profile_record')} "
            "where record_id in (select unnest($records))",
            {"records": shown},
        ).fetchall()
    )
    home: dict[int, str] = {}
    twins: dict[str, int] = {}
    for record in shown:
        if record in profile:
            stands = home.setdefault(profile[record], record)
            twins[stands] = twins.get(stands, 0) + 1
    ties = [
        Tie(home[left], home[right], kind, float(weight), rule)
        for left, right, kind, weight, rule in _pairs(con, entity, sorted(home))
        if home[left] != home[right]
    ]
    kept = {record: members.get(record, "") for record in twins}
    return Neighbourhood(kept, twins, tuple(ties), max(0, len(members) - len(shown)))


def _pairs(con: DuckDBPyConnection, entity: Entity, profiles: Sequence[int]) -> list[tuple[Any, ...]]:
    refused = f"{entity}_refused"
    parts = [
        f"""
select left_id, right_id, verdict as kind, match_weight, verdict_rule as rule
from {quote(entity + "_judged")}
where verdict <> 'reject' and left_id < right_id
    and left_id in (select unnest($profiles)) and right_id in (select unnest($profiles))"""
    ]
    if refused in {row[0] for row in con.execute("select view_name from duckdb_views()").fetchall()}:
        assert "constraint_name" in columns_of(con, refused)
        parts.append(f"""
select left_id, right_id, 'refused', match_weight, constraint_name
from {quote(refused)}
where left_id in (select unnest($profiles)) and right_id in (select unnest($profiles))""")
    rows = con.execute(
        f"""
select left_id, right_id, kind, match_weight, rule
from ({" union all ".join(parts)})
qualify row_number() over (partition by left_id, right_id order by kind = 'refused' desc) = 1
order by left_id, right_id""",
        {"profiles": list(profiles)},
    ).fetchall()
    return [tuple(row) for row in rows]
