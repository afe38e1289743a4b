"""Brings the batch database and the catalog to the decisions in force, by resolving again what they touch.

The catalog's release comes first, then the batch database, each whole or not at all. Killed between the two, the batch
database lags behind by releases that only applied decisions: the next call first brings it to the decisions that the
catalog's newest release applies, be they still in force or not, with the ids that the records have there already. The
next run needs no such thing: it takes nothing over but what it finds unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duckdb import DuckDBPyConnection
from duckdb import Error as DuckDBError

from blocking.sql import quote
from golden_records.catalog.lookup import LookupPart
from golden_records.catalog.publish import publish
from golden_records.catalog.read import PreviousTables, releases
from golden_records.catalog.store import Catalog
from golden_records.decisions import Decision, read_decisions
from linkage.at_once import neighbourhood
from linkage.at_once.batch import ALIAS, Batch
from linkage.at_once.identify import carry_relations, find_owners, make_previous
from linkage.at_once.moved import find_moved
from linkage.at_once.paired import find_pairs
from linkage.at_once.splice import prepare, splice
from linkage.database import connect, count, only_row
from linkage.entities import History, identify, release_tables, survive_values
from linkage.entity_config import load_entity_config
from linkage.fields import Entity
from linkage.figures import model_hash
from linkage.increment.made_by import resolver
from linkage.increment.released import (
    AT_ONCE,
    DECISIONS,
    Release,
    applied_decisions,
    is_at_once,
    published_at,
    release_of,
    told_decisions,
    told_last,
)
from linkage.lookup.publishing import lookup_part
from linkage.model.parameters import load_model, term_frequency_columns
from linkage.pipeline import RESOLVING, Linkage, LinkageOptions
from linkage.rulings.constraints import named_records
from linkage.sources import known_sources
from linkage.stages import StageClock
from linkage.workspace import Workspace
from matchers.levels import literal

MOST_RECORDS = 50_000
CAUSE = "decision"
# What these gain on many rows they lose many times over on hundreds of queries of a few rows: the one looks at the
# statistics of every column that a query names, and profiles have more than a hundred.
_OPTIMIZERS_OFF = "statistics_propagation,compressed_materialization"
# So many values of rows looked for are handed to the scan of a long table, which skips most of it then.
_HANDED_TO_SCANS = 10_000
_NEEDED = ("made_by", "applied", "named", "component", "must_link", "cannot_link", "entities", "membership", "judged")


class NotAtOnceError(Exception):
    """Decisions cannot be applied now; the message says why, and the next run applies them.

    Attributes:
        chinese: the same in Chinese, for the review desk.
    """

    def __init__(self, why: str, chinese: str = "") -> None:
        super().__init__(why)
        self.chinese = chinese or why


class LagsBehindError(NotAtOnceError):
    """The batch database lacks what the catalog's newest release applied at once."""


@dataclass(frozen=True)
class Effect:
    """What applying decisions changed.

    Attributes:
        release: the release that holds it; the current one if nothing has changed.
        records: records that were resolved again.
        entities: entities they belong to.
        events: number of events by kind: merged, split, moved …
        values: golden values of entities that lived before which are others now.
    """

    release: int
    records: int
    entities: int
    events: Mapping[str, int]
    values: int


def resolve_decisions(workspace: Workspace, catalog: Catalog, entity: Entity, *, now: datetime) -> Effect:
    """Apply the decisions in force to what they touch, and publish a release if anything has changed.

    The caller holds the workspace's lock.

    Args:
        workspace: the workspace.
        catalog: its catalog, open for writing.
        entity: the entity type.
        now: time of the release.

    Raises:
        NotAtOnceError: the batch database is missing, not of the last release, or of another program or configuration,
            or too much is touched. Nothing was changed.
    """
    active = read_decisions(catalog, entity_type=entity, state="active")
    try:
        return _resolve(workspace, catalog, entity, active, now=now)
    except LagsBehindError:
        _catch_up(workspace, catalog, entity)
        return _resolve(workspace, catalog, entity, active, now=now)


def _resolve(
    workspace: Workspace, catalog: Catalog, entity: Entity, active: Sequence[Decision], *, now: datetime
) -> Effect:
    with resolved(workspace, catalog, entity, active) as again:
        return _publish(again, catalog, now=now)


def _catch_up(workspace: Workspace, catalog: Catalog, entity: Entity) -> None:
    """Bring the batch database to what the newest release applies; the catalog stays as it is."""
    told = applied_decisions(releases(catalog), entity) or set()
    applied = [d for d in read_decisions(catalog, entity_type=entity) if d.decision_id in told]
    with resolved(workspace, catalog, entity, applied, catching_up=True) as again:
        owners = again.run.table("owner")
        find_owners(again.run, again.batch, catalog, again.previous, out=owners)
        prepare(again.run)
        splice(
            again.run, again.batch, owners=owners, release=again.newest,
            published=published_at(again.made, again.newest),
        )  # fmt: skip


@dataclass(frozen=True)
class Resolved:
    """What decisions touch, resolved again beside the batch database; nothing is published.

    Attributes:
        run: the small run, identified and with golden values.
        batch: the batch database of the last run.
        previous: tables of the entities as they were.
        made: the releases there are.
        newest: the newest release that may have changed the entity type.
    """

    run: Linkage
    batch: Batch
    previous: PreviousTables
    made: Sequence[Release]
    newest: int


@contextmanager
def resolved(
    workspace: Workspace,
    catalog: Catalog,
    entity: Entity,
    active: Sequence[Decision],
    *,
    most: int = MOST_RECORDS,
    read_only: bool = False,
    catching_up: bool = False,
) -> Iterator[Resolved]:
    """Resolve again what some decisions touch.

    Args:
        workspace: the workspace.
        catalog: its catalog.
        entity: the entity type.
        active: the decisions that shall be in force.
        most: records that may be touched.
        read_only: change nothing in the batch database either.
        catching_up: the batch database may lag behind, and these decisions are those that the newest release applies.

    Raises:
        LagsBehindError: the batch database lags behind.
        NotAtOnceError: see `resolve_decisions`.
    """
    made = releases(catalog)
    with connect(memory_limit=workspace.settings.memory_limit) as con, _attached(con, workspace, read_only=read_only):
        con.execute(f"set disabled_optimizers = {literal(_OPTIMIZERS_OFF)}")
        con.execute(f"set dynamic_or_filter_threshold = {_HANDED_TO_SCANS}")
        batch = Batch(entity)
        run = _small_run(workspace, con, entity, active)
        newest = _require_usable(con, batch, run, made)
        ours = _batch_release(con, batch)
        if ours < newest and not catching_up:
            raise LagsBehindError(
                f"the batch database is of release {ours}, not of release {newest}",
                f"批次数据库对应第 {ours} 版，不是第 {newest} 版",
            )
        named_records(con, active, out=run.table("named"))
        find_moved(con, run.config, batch, named=run.table("named"))
        find_pairs(run, batch)
        neighbourhood.constrain_anew(run)
        records = neighbourhood.find_touched(run, batch)
        if records > most:
            raise NotAtOnceError(
                f"it touches {records:,} records, more than {most:,}", f"涉及 {records:,} 条记录，超过 {most:,} 条"
            )
        neighbourhood.extract(run, batch)
        for step in RESOLVING:
            step(run)
        previous = _identify(workspace, run, batch, catalog, made, is_newest=ours == newest)
        yield Resolved(run, batch, previous, made, newest)


@contextmanager
def _attached(con: DuckDBPyConnection, workspace: Workspace, *, read_only: bool) -> Iterator[None]:
    if not workspace.batch.exists():
        raise NotAtOnceError(f"{workspace.batch} does not exist", "批次数据库不存在")
    try:
        con.execute(f"attach {literal(str(workspace.batch))} as {ALIAS}{' (read_only)' if read_only else ''}")
    except DuckDBError as error:
        raise NotAtOnceError(
            f"{workspace.batch} cannot be opened ({type(error).__name__})", "批次数据库打不开，可能正被占用"
        ) from error
    try:
        yield
    finally:
        con.execute(f"detach {ALIAS}")


def _small_run(workspace: Workspace, con: DuckDBPyConnection, entity: Entity, active: Sequence[Decision]) -> Linkage:
    config = load_entity_config(entity)
    path = workspace.model(entity)
    if not path.exists():
        raise NotAtOnceError(f"{path} does not exist", "缺少上次运行所用的模型文件")
    run = Linkage(con, config, LinkageOptions(model=path, processes=1), StageClock(), decisions=active)
    run.model, run.model_origin = load_model(config, path), "given"
    run.frequencies = {column: run.table(f"frequency_{column}") for column in term_frequency_columns(config)}
    return run


def _batch_release(con: DuckDBPyConnection, batch: Batch) -> int:
    return int(batch.made_by(con, "release") or 0)


def _require_usable(con: DuckDBPyConnection, batch: Batch, run: Linkage, made: Sequence[Release]) -> int:
    """Return the newest release that may have changed the entity type; the batch database can be brought to it."""
    if not batch.holds(con, *_NEEDED):
        raise NotAtOnceError("the batch database lacks what a run of this version leaves", "批次数据库由旧版程序生成")
    newest, ours = release_of(made, batch.entity), _batch_release(con, batch)
    since = [r for r in made if r["release_id"] > ours and (r["kind"] == "rollback" or batch.entity in r["models"])]
    known = batch.made_by(con, "published_at") == published_at(made, ours)
    if ours > newest or not known or not all(is_at_once(r) for r in since):
        raise NotAtOnceError(
            f"the batch database is of release {ours}, not of release {newest}",
            f"批次数据库对应第 {ours} 版，不是第 {newest} 版",
        )
    if batch.made_by(con, "resolved_by") != resolver(run.config, run.trained):
        raise NotAtOnceError(
            "the last run was one of another program, configuration or model",
            "上次运行所用的程序、配置或模型与现在不同",
        )
    return newest


def _identify(
    workspace: Workspace, run: Linkage, batch: Batch, catalog: Catalog, made: Sequence[Release], *, is_newest: bool
) -> PreviousTables:
    """Give the clusters their ids and golden values."""
    previous = PreviousTables(run.table("previous"), run.table("known_entities"))
    sequence = make_previous(run, batch, catalog, is_newest=is_newest, out=previous)
    (as_of,) = only_row(run.con, f"select max(as_of) from {batch.table('raw')}")
    history = History(previous, sequence, made[-1]["release_id"] + 1, CAUSE, str(as_of))
    identify(run, history, spot_checks=None)
    survive_values(run, {name: source.rank for name, source in known_sources(workspace).items()})
    return previous


def _publish(again: Resolved, catalog: Catalog, *, now: datetime) -> Effect:
    run, batch, made, newest = again.run, again.batch, again.made, again.newest
    con, entity = run.con, run.config.entity
    owners = run.table("owner")
    find_owners(run, batch, catalog, again.previous, out=owners)
    carry_relations(run, catalog, owners=owners, out=run.table("relation"))
    prepare(run)
    values = _changed_values(run, batch)
    manifest: dict[str, Any] = {
        **made[-1]["manifest"],
        AT_ONCE: entity,
        DECISIONS: told_decisions(made, {entity: run.decisions}),
    }
    number = publish(
        catalog,
        con,
        release_tables((run,), relation=run.table("relation")),
        now=now,
        manifest=manifest,
        cause=CAUSE,
        models={entity: told_last(made, "models").get(entity, model_hash(run))},
        owners=owners,
        if_changed=True,
        lookup=[_lookup_of_touched(run, again.previous)],
    )
    release = number if number > made[-1]["release_id"] else newest
    splice(run, batch, owners=owners, release=release, published=published_at(releases(catalog), release))
    events = con.execute(f"select event, count(*) from {quote(run.table('event'))} group by event order by event")
    found = dict(events.fetchall())
    return Effect(number, count(con, "touched_record"), count(con, run.table("golden")), found, values)


def _lookup_of_touched(run: Linkage, previous: PreviousTables) -> LookupPart:
    """Return what finding the touched entities online needs; the others are left as they are."""
    among = run.table("lookup_among")
    run.con.execute(f"""
create or replace temp table {quote(among)} as
select entity_id from {quote(run.table("membership"))}
union
select entity_id from {quote(previous.previous)} semi join touched_record using (record_id)""")
    return lookup_part(run, among=among)


def _changed_values(run: Linkage, batch: Batch) -> int:
    """Count the golden values that entities of the batch database have otherwise now."""
    columns = "entity_id, attribute, value"
    golden = quote(run.table("golden"))
    (changed,) = only_row(
        run.con,
        f"""
with lived as (
    select g.entity_id from {golden} g semi join {batch.table("golden")} b on g.entity_id = b.entity_id
),
now as (
    select {columns} from {quote(run.table("provenance"))} semi join lived using (entity_id)
),
before as (
    select {columns} from {batch.table("provenance")} semi join lived using (entity_id)
)
select count(distinct (entity_id, attribute))
from ((select * from now except select * from before) union all (select * from before except select * from now))""",
    )
    return int(changed)
