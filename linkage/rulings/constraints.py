"""From people's decisions to constraints on this month's profiles.

In: active decisions (`golden_records.decisions`) and the records of this run. Out: tables of profile pairs that must be
linked and that may not meet, for `linkage.clusters.clustering`.

Decisions are about records, the engine links profiles: a record that a decision names must be a profile of its own
(`named_records`, and `own` of `linkage.profiles.make_profiles`). Records that are not in this run are counted; what
other records are ruled to be through them still holds.

* must-link: per group of records ruled one entity, a chain through those present. `same` with the scope `entities` is a
  ruling on the whole entities it was made on; of `not_here` the records that leave are one, where they are several.
* cannot-link: between the records named, or where such a one is missing the first of its side that is present; with the
  scope `entities` besides between the record named on one side and every record of the other, one record for each
  group ruled one entity. These are as many pairs as the sides have records, not their product: no record of the one
  side comes into the entity of the record named on the other.

Invariant: the tables depend on the sets of decisions and records, never on their order.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.decisions import Decision
from linkage.database import count
from linkage.errors import LinkageError
from linkage.rulings.contradictions import Contradiction, weigh

Pair = tuple[str, str]


@dataclass(frozen=True)
class ConstraintTables:
    """Names of the tables to make: left_id, right_id, profile ids with left < right."""

    must_link: str
    cannot_link: str


@dataclass(frozen=True)
class ConstraintCounts:
    """What became of the decisions.

    Attributes:
        decisions: active decisions given.
        without_effect: of those kept, how many name too few records of this run to constrain anything.
        records: records they stand for.
        missing: of these, not in this run.
        must_links: pairs of profiles that are linked.
        cannot_links: pairs of profiles that may not meet.
        contradictions: decisions set aside, and why.
    """

    decisions: int
    without_effect: int
    records: int
    missing: int
    must_links: int
    cannot_links: int
    contradictions: tuple[Contradiction, ...]


@dataclass(frozen=True)
class Constraints:
    """Constraints between records that are present, each pair ordered, all sorted."""

    must_link: tuple[Pair, ...]
    cannot_link: tuple[Pair, ...]
    without_effect: int
    contradictions: tuple[Contradiction, ...]


def named_records(con: DuckDBPyConnection, decisions: Iterable[Decision], *, out: str) -> int:
    """Make the table of records that must be profiles of their own, and return how many there are.

    Args:
        con: DuckDB connection.
        decisions: active decisions of one entity type.
        out: table to make: record_id.
    """
    records = sorted({record for decision in decisions for record in decision.records})
    con.register("named_records_given", pa.table({"record_id": pa.array(records, pa.string())}))
    con.execute(f"create or replace table {quote(out)} as select record_id from named_records_given")
    con.unregister("named_records_given")
    return len(records)


def make_constraints(
    con: DuckDBPyConnection, decisions: Sequence[Decision], *, named: str, members: str, out: ConstraintTables
) -> ConstraintCounts:
    """Make the tables of profiles that must be linked and that may not meet.

    Args:
        con: DuckDB connection.
        decisions: active decisions of one entity type, in any order.
        named: their records, as `named_records` made them.
        members: record_id, profile_id of this run, made with `own` = named.
        out: tables to make.

    Raises:
        LinkageError: a named record shares its profile: the profiles were made without `named`.
    """
    present = con.execute(f"""
select n.record_id, m.profile_id
from {quote(named)} n
join {quote(members)} m on n.record_id = m.record_id""").fetchall()
    profile = {str(record): int(number) for record, number in present}
    if len(set(profile.values())) < len(profile):
        raise LinkageError("records named by a decision share a profile: report this as a defect")
    found = constraints(decisions, profile.keys())
    records = count(con, named)
    return ConstraintCounts(
        decisions=len(decisions),
        without_effect=found.without_effect,
        records=records,
        missing=records - len(profile),
        must_links=_write(con, found.must_link, profile, out.must_link),
        cannot_links=_write(con, found.cannot_link, profile, out.cannot_link),
        contradictions=found.contradictions,
    )


def constraints(decisions: Iterable[Decision], present: Collection[str]) -> Constraints:
    """Return what decisions say about the records that are present.

    Args:
        decisions: active decisions of one entity type, in any order.
        present: record ids of this run; more than the decisions name do no harm.
    """
    weighed = weigh(decisions)
    groups: dict[str, list[str]] = {}
    for record, smallest in weighed.together.items():
        if record in present:
            groups.setdefault(smallest, []).append(record)
    must = {pair for group in groups.values() for pair in itertools.pairwise(sorted(group))}
    cannot: set[Pair] = set()
    idle = 0
    for decision in weighed.kept:
        pairs = set() if decision.ruling.kind == "same" else set(_apart(decision, weighed.together, present))
        idle += not pairs and sum(record in present for record in decision.ruling.tied) < 2
        cannot |= pairs
    return Constraints(tuple(sorted(must)), tuple(sorted(cannot)), idle, weighed.contradictions)


def _apart(decision: Decision, together: Mapping[str, str], present: Collection[str]) -> Iterator[Pair]:
    """Yield the pairs of records that keep each two sides of a cannot-link apart."""
    sides = []
    for group in decision.ruling.groups:
        here = [group[0], *sorted(group[1:])]
        of_group: dict[str, str] = {}
        for record in here:
            if record in present:
                of_group.setdefault(together.get(record, record), record)
        sides.append(list(of_group.values()))
    for left, right in itertools.combinations(sides, 2):
        if left and right:
            for pair in (*((left[0], other) for other in right), *((other, right[0]) for other in left)):
                yield min(pair), max(pair)


def _write(con: DuckDBPyConnection, pairs: Sequence[Pair], profile: Mapping[str, int], out: str) -> int:
    ids = sorted({tuple(sorted((profile[left], profile[right]))) for left, right in pairs})
    columns = {name: pa.array([pair[i] for pair in ids], pa.int64()) for i, name in enumerate(("left_id", "right_id"))}
    con.register("constraint_given", pa.table(columns))
    con.execute(f"create or replace table {quote(out)} as select left_id, right_id from constraint_given")
    con.unregister("constraint_given")
    return len(ids)
