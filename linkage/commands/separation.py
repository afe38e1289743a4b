"""What keeps two records in two entities, beside what their comparison says: decisions, and links that were refused.

A decision or a refused link stands between two entities, mostly of other records than the two that are asked about. In:
the batch database of the last run and the decisions in force. Only for records that are not one entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.explanation import Separation
from golden_records.decisions import Decision
from linkage.rulings.contradictions import weigh

_BY_DECISION = "cannot_link"


def what_separates(
    con: DuckDBPyConnection, entity: str, decisions: Iterable[Decision], left: str, right: str
) -> tuple[Separation, ...]:
    """Return what keeps the entities of two records apart: decisions first, then the strongest link of every refusal.

    Args:
        con: the batch database.
        entity: the entity type.
        decisions: all decisions.
        left: record id.
        right: record id, of another entity of the last run.
    """
    sides = (_members(con, entity, left), _members(con, entity, right))
    ruled = tuple(_rulings(entity, decisions, *sides))
    refused: dict[str, Separation] = {}
    for one, other, constraint in _refusals(con, entity, *sides):
        if constraint == _BY_DECISION and ruled:
            continue
        if {one, other} == {left, right} or constraint not in refused:
            refused[constraint] = Separation(constraint, left_id=one, right_id=other)
    return (*ruled, *refused.values())


def _members(con: DuckDBPyConnection, entity: str, record: str) -> frozenset[str]:
    membership = quote(f"{entity}_membership")
    rows = con.execute(
        f"""
select record_id
from {membership}
where entity_id = (select entity_id from {membership} where record_id = ?)""",
        [record],
    ).fetchall()
    return frozenset(member for (member,) in rows)


def _rulings(
    entity: str, decisions: Iterable[Decision], left: frozenset[str], right: frozenset[str]
) -> Iterator[Separation]:
    active = [d for d in decisions if d.state == "active" and d.ruling.entity_type == entity]
    for decision in weigh(active).kept:
        if decision.ruling.kind == "same":
            continue
        here = [{i for i, group in enumerate(decision.ruling.groups) if side & set(group)} for side in (left, right)]
        if any(i != j for i in here[0] for j in here[1]):
            number, kind, at = decision.decision_id, decision.ruling.kind, decision.events[-1].at
            yield Separation(_BY_DECISION, decision_id=number, ruling=kind, since=at[:10])


def _refusals(
    con: DuckDBPyConnection, entity: str, left: frozenset[str], right: frozenset[str]
) -> list[tuple[str, str, str]]:
    """Return the refused links between two entities, the strongest first, each by a record of either end."""
    refused = f"{entity}_refused"
    if refused not in {name for (name,) in con.execute("select view_name from duckdb_views()").fetchall()}:
        return []
    rows = con.execute(
        f"""
with side as (
    select profile_id, record_id, record_id in (select unnest($left)) as is_left
    from {quote(entity + "_profile_record")}
    where record_id in (select unnest($left)) or record_id in (select unnest($right))
)
select a.record_id, b.record_id, r.constraint_name
from {quote(refused)} r
join side a on a.profile_id in (r.left_id, r.right_id) and a.is_left
join side b on b.profile_id in (r.left_id, r.right_id) and not b.is_left and b.profile_id <> a.profile_id
order by r.match_weight desc nulls first, a.record_id, b.record_id""",
        {"left": sorted(left), "right": sorted(right)},
    ).fetchall()
    return [(str(one), str(other), str(constraint)) for one, other, constraint in rows]
