"""Of which release a batch database is, and the state of the ledger taken from it instead of from the catalog.

A release changes the entities of the types it ran (its `models` name them), a rollback those of all types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from golden_records.catalog.read import PreviousState, PreviousTables
from golden_records.decisions import Decision
from linkage.database import count, only_row
from linkage.increment.before import Before

Release = Mapping[str, Any]
AT_ONCE = "at_once"
DECISIONS = "decisions"


def release_of(made: Sequence[Release], entity: str) -> int:
    """Return the number of the newest release that may have changed an entity type, 0 if there is none."""
    return max((r["release_id"] for r in made if r["kind"] == "rollback" or entity in r["models"]), default=0)


def is_at_once(release: Release) -> bool:
    """Tell whether a release was made by applying decisions at once (`linkage.at_once`), not by a run."""
    return release["kind"] == "publish" and AT_ONCE in release["manifest"]


def applied_decisions(made: Sequence[Release], entity: str) -> set[int] | None:
    """Return the ids of the decisions that the newest release applies to an entity type, None if it does not say."""
    told = made[-1]["manifest"].get(DECISIONS, {}).get(entity) if made else None
    return None if told is None else set(told)


def told_decisions(made: Sequence[Release], applied: Mapping[str, Sequence[Decision]]) -> dict[str, list[int]]:
    """Return what a release's manifest says of decisions: of an entity type not run, what the last one said.

    Args:
        made: the releases.
        applied: entity type to the decisions that the new release applies.
    """
    before = made[-1]["manifest"].get(DECISIONS, {}) if made else {}
    return {**before, **{entity: sorted(d.decision_id for d in applied[entity]) for entity in applied}}


def told_last(made: Sequence[Release], key: str) -> dict[str, str]:
    """Return entity type → what the newest release that ran it says under a key such as `models`."""
    told: dict[str, str] = {}
    for release in made:
        told |= release[key]
    return told


def published_at(made: Sequence[Release], release: int) -> str | None:
    """Return when a release was published, None if there is none of that number."""
    return next((r["published_at"] for r in made if r["release_id"] == release), None)


def lacks_decisions_alone(con: DuckDBPyConnection, before: Before, made: Sequence[Release]) -> bool:
    """Tell whether the batch database is that of the newest release, but for releases that applied decisions at once.

    A decision's release comes before its rows in the batch database, so that a command killed between leaves it behind;
    what the last run had linked is still what it says.
    """
    stamp = before.made_by(con, "release")
    ours = int(stamp) if stamp is not None else 0
    known = ours > 0 and before.made_by(con, "published_at") == published_at(made, ours)
    since = [r for r in made if r["release_id"] > ours and (r["kind"] == "rollback" or before.entity in r["models"])]
    return known and all(is_at_once(r) for r in since)


def stamp_release(con: DuckDBPyConnection, made_by: str, release: int, published: str | None) -> None:
    """Write into a batch database of which release its tables are.

    Args:
        con: DuckDB connection.
        made_by: quoted name of the table.
        release: number of the release.
        published: when it was published: a catalog put back from a backup may give a number out again.
    """
    con.execute(f"update {made_by} set release = ?, published_at = ?", [release, published])


def take_ledger(
    con: DuckDBPyConnection, before: Before, made: Sequence[Release], *, out: PreviousTables
) -> PreviousState | None:
    """Make the ledger's inputs as `golden_records.catalog.read.previous_membership` does, from the last run's tables.

    Returns:
        The state to continue from, or None if the last run's tables are not those of the newest release.
    """
    newest = release_of(made, before.entity)
    stamp = before.made_by(con, "release"), before.made_by(con, "published_at")
    if stamp != (str(newest), published_at(made, newest)) or not before.holds(con, "entities"):
        return None
    con.execute(f"""
create or replace temp view {quote(out.previous)} as
select record_id, entity_id
from {before.table("membership")}""")
    # A redirected id has no claim on anything any more, so that the catalog keeps no anchor of it.
    con.execute(f"""
create or replace temp table {quote(out.entities)} as
select entity_id, sequence, case when state <> 'redirected' then anchor end as anchor, state, resolves_to
from {before.table("entities")}
order by entity_id""")
    (next_sequence,) = only_row(con, f"select coalesce(max(sequence), 0) + 1 from {quote(out.entities)}")
    return PreviousState(made[-1]["release_id"], count(con, out.previous), int(next_sequence))
