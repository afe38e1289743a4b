"""What a monthly run compares with the last one: how steady the ids are, why they changed, and totals that jump.

`eval.stability` counts; this module finds what it compares with. The batch database of the last run is still in place
while a run works (`batch.duckdb`; the run writes another file), so contents and links of the last release are read from
it, if it is of that release. What else may have changed is told by the last release: its models, and in its manifest
`configs` (entity type → configuration hash) and `versions`.

Runs after the ledger and before the publish. Writes nothing but temporary views.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from blocking.sql import quote
from eval.alarms import Alarm, Totals, find_alarms
from eval.errors import EvalError
from eval.report.summary import EntitySection, read_summary
from eval.stability import Stability, StabilityTables, measure_stability
from golden_records.catalog.read import releases
from golden_records.catalog.store import Catalog
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.figures import model_hash, package_versions
from linkage.increment.released import is_at_once, told_last
from linkage.increment.touched import part_before
from linkage.ingest.current import loads_in_force
from linkage.ingest.manifest import LoadManifest
from linkage.pipeline import Linkage, touching
from linkage.workspace import Workspace
from matchers.levels import literal

_LAST = "last_run"
_NEEDED = ("membership", "profile_record", "judged")
Release = Mapping[str, Any]


def with_stability(
    run: Linkage,
    section: EntitySection,
    *,
    workspace: Workspace,
    catalog: Catalog,
    loads: Sequence[LoadManifest],
    decided: str | None = None,
) -> EntitySection:
    """Return a section of the report with the changes since the last release, and alarms.

    Args:
        run: the linkage after `identify`; its tables `previous` and `known_entities` are the last release's state.
        section: its figures.
        workspace: the workspace; its batch database must still be the last run's.
        catalog: the store, before the publish.
        loads: the loads of this entity type.
        decided: table with the record_id of every record that a decision made or withdrawn since the last release
            names; None: no decisions.
    """
    entity = run.config.entity
    made = releases(catalog)
    after = _totals(section, loads)
    before = last_totals(workspace, made, entity)
    # What was not resolved again is as it was: only what was can have changed.
    part = run if run.part is None else run.part
    with _last_tables(run, workspace.batch) as (content, links):
        run.con.execute(f"""
create or replace temp view links_of_this_run as
select left_id, right_id, match_weight from {quote(part.table("judged"))} where verdict = 'auto'""")
        measured = measure_stability(
            run.con,
            StabilityTables(
                before=part.table("previous"),
                after=part.table("membership"),
                entities_before=part.table("known_entities"),
                entities_after=part.table("entities"),
                content_before=content,
                content_after=part.table("profile_record"),
                links_before=links,
                links_after="links_of_this_run",
                decided=decided,
            ),
            config_changed=config_changed(made, run.config),
            model_changed=bool(made) and told_last(made, "models").get(entity) != model_hash(run),
        )
        run.con.execute("drop view links_of_this_run")
    elsewhere = _living(run) - _living(part)
    alarms = find_alarms(before, after, workspace.settings.stability)
    stability = replace(
        measured,
        kept=measured.kept + elsewhere,
        unchanged=measured.unchanged + elsewhere,
        totals=after,
        alarms=alarms,
    )
    return section.model_copy(update={"stability": stability})


def _living(run: Linkage) -> int:
    """Return how many entities lived in the last release."""
    known = quote(run.table("known_entities"))
    return int(only_row(run.con, f"select count(*) from {known} where state = 'living'")[0])


@contextmanager
def _last_tables(run: Linkage, batch: Path) -> Iterator[tuple[str | None, str | None]]:
    """Give `last_tables` of a run; of its part, where it has one, whose last run is known to be the last release's."""
    if run.part is None:
        with last_tables(run.con, batch, run.config.entity, previous=run.table("previous")) as found:
            yield found
        return
    with part_before(touching(run)) as found:
        yield found


def config_hashes(made: Sequence[Release], configs: Sequence[EntityConfig]) -> dict[str, str]:
    """Return what a release's manifest says under `configs`: of an entity type not run, what the last one said."""
    before = made[-1]["manifest"].get("configs", {}) if made else {}
    return {**before, **{config.entity: config.hash for config in configs}}


def config_changed(made: Sequence[Release], config: EntityConfig) -> bool:
    """Say whether configuration or program are, or may be, others than those of the last release."""
    if not made:
        return False
    manifest = made[-1]["manifest"]
    known = manifest.get("configs", {}).get(config.entity)
    return bool(known != config.hash or manifest.get("versions") != package_versions())


def last_totals(workspace: Workspace, made: Sequence[Release], entity: str) -> Totals | None:
    """Return the totals of the release now current, from the report of the run that made its content."""
    by_number = {release["release_id"]: release for release in made}
    number = made[-1]["release_id"] if made else 0
    while number in by_number:
        if by_number[number]["kind"] == "rollback":
            number = by_number[number]["restores"]
            continue
        if is_at_once(by_number[number]):
            number -= 1
            continue
        try:
            summary = read_summary(workspace.runs / f"release-{number:04d}" / "report.json")
        except EvalError:
            return None
        for section in summary.entities:
            if section.entity == entity:
                return section.stability.totals if section.stability else None
        number -= 1
    return None


@contextmanager
def last_tables(
    con: duckdb.DuckDBPyConnection, batch: Path, entity: str, *, previous: str
) -> Iterator[tuple[str | None, str | None]]:
    """Give the names of views of the last run's contents and links, or None twice if they are not the last release's.

    The views hold record_id, profile_id and left_id, right_id, match_weight (links of verdict `auto`).

    Args:
        con: the connection of the run.
        batch: the batch database of the last run.
        entity: the entity type.
        previous: record_id, entity_id of the last release.
    """
    known = _name_of(con, batch)
    name = known or _attached(con, batch)
    if name is None:
        yield None, None
        return
    try:
        if not _is_of_release(con, name, entity, previous):
            yield None, None
            return
        content, links = f"{_LAST}_content", f"{_LAST}_links"
        con.execute(
            f"create or replace temp view {content} as "
            f"select record_id, profile_id from {quote(name)}.main.{quote(entity + '_profile_record')}"
        )
        con.execute(
            f"create or replace temp view {links} as select left_id, right_id, match_weight "
            f"from {quote(name)}.main.{quote(entity + '_judged')} where verdict = 'auto'"
        )
        try:
            yield content, links
        finally:
            con.execute(f"drop view if exists {content}")
            con.execute(f"drop view if exists {links}")
    finally:
        if known is None:
            con.execute(f"detach {_LAST}")


def run_is_of_release(con: duckdb.DuckDBPyConnection, batch: Path, entity: str, *, previous: str) -> bool:
    """Say whether the last run's batch database, which the run has attached, is that of the last release.

    It is not after a rollback, or when the run that made it was never published.

    Args:
        con: the connection of the run.
        batch: the batch database of the last run.
        entity: the entity type.
        previous: record_id, entity_id of the last release.
    """
    name = _name_of(con, batch)
    return name is not None and _is_of_release(con, name, entity, previous)


def alarm_lines(sections: Sequence[EntitySection]) -> list[str]:
    """Return a line for every alarm and for unexplained changes, for the end of a run; counts and names of sources."""
    lines = []
    for section in sections:
        stability = section.stability
        if stability is None:
            continue
        lines += [f"alarm: {section.entity}: {_alarm_text(alarm)}" for alarm in stability.alarms]
        unexplained = _unexplained(stability)
        if unexplained:
            lines.append(
                f"alarm: {section.entity}: {unexplained} change(s) of identity without a cause; see the report"
            )
    return lines


def _alarm_text(alarm: Alarm) -> str:
    what = alarm.measure.replace("_", " ") + (f" of {alarm.source}" if alarm.source else "")
    share = f"{(alarm.after - alarm.before) / alarm.before:+.1%}" if alarm.before else "from none"
    return f"{what} {alarm.before:,} → {alarm.after:,} ({share}; allowed {alarm.limit:.1%})"


def _unexplained(stability: Stability) -> int:
    return stability.count(cause="unexplained")


def _totals(section: EntitySection, loads: Sequence[LoadManifest]) -> Totals:
    return Totals(
        entities=section.entities,
        merges=section.merges,
        review_cases=section.review_cases,
        quarantine=sum(sum(load.quarantined.values()) for load in loads_in_force(loads)),
        source_rows={source.source: source.kept for source in section.sources},
    )


def _name_of(con: duckdb.DuckDBPyConnection, batch: Path) -> str | None:
    """Return the name under which the run has the database attached already; DuckDB attaches a file only once."""
    rows = con.execute("select database_name from duckdb_databases() where path = ?", [str(batch)]).fetchall()
    return str(rows[0][0]) if rows else None


def _attached(con: duckdb.DuckDBPyConnection, batch: Path) -> str | None:
    if not batch.exists():
        return None
    try:
        con.execute(f"attach {literal(str(batch))} as {_LAST} (read_only)")
    except duckdb.Error:
        return None
    return _LAST


def _is_of_release(con: duckdb.DuckDBPyConnection, name: str, entity: str, previous: str) -> bool:
    found = con.execute("select table_name from duckdb_tables() where database_name = ?", [name]).fetchall()
    if not {f"{entity}_{table}" for table in _NEEDED} <= {table for (table,) in found}:
        return False
    ours, theirs = quote(previous), f"{quote(name)}.main.{quote(entity + '_membership')}"
    (other,) = only_row(
        con,
        f"select count(*) from {ours} p full join {theirs} m using (record_id) "
        "where p.entity_id is distinct from m.entity_id",
    )
    return int(other) == 0
