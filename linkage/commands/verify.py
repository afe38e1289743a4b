"""`guiyi verify`: proves that a workspace keeps its promises, or says which one is broken.

Three parts: the catalog (`golden_records.catalog.integrity`) with the chains of decisions and forgettings; the
archive, every load's files hashed, read whole and counted against its manifest; and the batch database, which must be
what the newest release and the archive say. Read-only: nothing in the workspace is changed. Output holds counts,
entity ids and names of loads, never a value of anybody.
"""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from blocking.sql import quote
from golden_records.catalog.integrity import EXAMPLES, Check, check_catalog
from golden_records.catalog.postgresql_errors import DatabaseError
from golden_records.catalog.read import releases
from golden_records.catalog.store import Catalog, has_catalog, open_catalog
from golden_records.decisions import broken_links
from golden_records.errors import CatalogError
from golden_records.forgetting import broken_events
from golden_records.opinions import broken_opinions
from golden_records.review_trail import broken_deeds
from linkage.access.access_log import waiting_looks
from linkage.batch import read_batch
from linkage.commands.console import Console
from linkage.commands.verify_partition import SAYS, check_partition
from linkage.continuity import has_published, lost_loads
from linkage.database import connect, only_row
from linkage.entities import shipped_survivorship
from linkage.entity_config import ID_PREFIX, load_entity_config
from linkage.errors import FAILED, LinkageError
from linkage.fields import ENTITIES, Entity
from linkage.finishing import is_unfinished
from linkage.increment.released import told_last
from linkage.ingest.current import current_records
from linkage.ingest.errors import IngestError
from linkage.ingest.load_folder import file_hash
from linkage.ingest.manifest import FILES, REPLACED, FileHash, LoadManifest, load_folders, read_manifest
from linkage.model.parameters import Model
from linkage.workspace import Workspace
from matchers.levels import literal

_LINKS = "_release_link"


def show_verification(workspace: Workspace, *, console: Console, deep: bool = False) -> int:
    """Print every check with its counts.

    Args:
        workspace: the workspace.
        console: where the checks go.
        deep: link all records again besides, and compare the clusters.

    Returns:
        The exit code: 0 if all hold, 1 if one is broken.
    """
    checks = verify(workspace, deep=deep)
    broken = [check for check in checks if not check.holds]
    data = {
        "holds": not broken,
        "checks": [dataclasses.asdict(check) | {"holds": check.holds} for check in checks],
    }
    rows = [(check.name, check.part, f"{check.checked:,}", f"{check.broken:,}", _state(check)) for check in checks]
    console.table(str(workspace.root), ("check", "part", "checked", "broken", "state"), rows, data)
    for check in broken:
        named = f": {', '.join(check.examples)}" if check.examples else ""
        console.error(f"{check.part}: not true that {check.says}{named}")
    return FAILED if broken else 0


def verify(workspace: Workspace, *, deep: bool = False) -> tuple[Check, ...]:
    """Return every check of a workspace, in the order catalog, archive, batch; if `deep`, all records linked again."""
    loads, archive = check_archive(workspace)
    if not has_catalog(workspace.catalog):
        if has_published(workspace):
            return (_of_published(workspace, ()), *archive)
        reason = "nothing has been published"
        return (_skipped("catalog", "catalog", "the catalog keeps its invariants", reason), *archive)
    with tempfile.TemporaryDirectory(prefix="guiyi-verify-") as spill:
        try:
            with (
                open_catalog(workspace.catalog, read_only=True) as catalog,
                connect(memory_limit=workspace.settings.memory_limit, temp=Path(spill)) as con,
            ):
                of_catalog = check_catalog(catalog, con)
                if not all(check.holds for check in of_catalog if check.name == "storage"):
                    return (*of_catalog, *archive)
                of_catalog = (*of_catalog, *_chains(catalog))
                made = releases(catalog)
                lost = lost_loads(made, loads)
                links = con.sql(
                    "select source || ':' || source_record_id as record_id, entity_id from _check_record_link"
                ).to_arrow_table()
        except CatalogError as error:
            if isinstance(error, DatabaseError) and not error.is_damage:
                raise  # nothing is known about the store
            unreadable = Check("catalog", "storage", f"the store is undamaged ({type(error).__name__})", 1, 1)
            return (unreadable, *archive)
    says = "every load that a release rests on is in the archive, or was withdrawn since"
    waiting = waiting_looks(workspace.root)
    log = "every look at a person is in the access log; those of a process that died are moved by the next one"
    looks = Check("catalog", "access_log_whole", log, waiting + 1, waiting)
    gone = Check("archive", "released_loads", says, len(loads) + len(lost), len(lost), tuple(lost[:EXAMPLES]))
    of_batch = check_batch(workspace, made, loads, links)
    if deep:
        of_batch += tuple(_partition(workspace, entity, of_batch) for entity in ENTITIES)
    return (*of_catalog, _of_published(workspace, made), looks, *archive, gone, *of_batch)


def _of_published(workspace: Workspace, made: Sequence[dict[str, Any]]) -> Check:
    says = "the catalog has the releases of which there are reports or a batch database"
    return Check("catalog", "releases_kept", says, 1, int(not made and has_published(workspace)))


def _chains(catalog: Catalog) -> tuple[Check, ...]:
    """Check that no row of the chains was altered, removed or put in between."""
    decisions, forgettings = broken_links(catalog), tuple(f"forgetting {key}" for key in broken_events(catalog))
    rows = {table: catalog.row(f"select count(*) from {table}") for table in ("decision", "decision_event")}
    steps = sum(row[0] for row in rows.values() if row)
    gone = catalog.row("select count(*) from forgetting")
    desk = [f"review_opinion {key}" for key in broken_opinions(catalog)]
    desk += [f"review_trail {key}" for key in broken_deeds(catalog)]
    said, done = (catalog.row(f"select count(*) from {table}") for table in ("review_opinion", "review_trail"))
    return (
        _check("catalog", "decision_chain", "the chains of decisions and their events are whole", steps, decisions),
        _check("catalog", "forgetting_chain", "the chain of forgettings is whole", gone[0] if gone else 0, forgettings),
        _check(
            "catalog",
            "review_chain",
            "the chains of the review desk's opinions and of its trail are whole",
            (said[0] if said else 0) + (done[0] if done else 0),
            desk,
        ),
    )


def check_archive(workspace: Workspace) -> tuple[list[LoadManifest], tuple[Check, ...]]:
    """Check the loads: manifests, files, names, and rows counted by reading every file whole.

    Returns:
        The loads whose manifests can be read, and the checks.
    """
    folders = load_folders(workspace.root)
    loads, unreadable = [], []
    for folder in folders:
        try:
            loads.append(read_manifest(folder))
        except IngestError:
            unreadable.append(folder.name)
    misnamed = [load.folder.name for load in loads if load.folder.name.removeprefix(REPLACED) != _name(load)]
    incomplete = [load.load_id for load in loads if any(not (load.folder / name).is_file() for name in FILES)]
    whole = [load for load in loads if load.load_id not in incomplete]
    hashed = [load for load in whole if load.files]
    changed = [
        f"{load.load_id}/{name}" for load in hashed for name, told in load.files.items() if not _is(load, name, told)
    ]
    with connect(memory_limit=workspace.settings.memory_limit) as con:
        wrong = [load.load_id for load in whole if not _rows_are_told(con, load)]
    return loads, (
        _check("archive", "load_manifest", "every load has a manifest that can be read", len(folders), unreadable),
        _check("archive", "load_name", "a load is called by date, source and hash of its file", len(loads), misnamed),
        _check("archive", "load_files", f"every load has {', '.join(FILES)}", len(loads), incomplete),
        _check(
            "archive",
            "load_hashes",
            "every file of a load is, byte for byte, the one its manifest tells (loads that have hashes)",
            len(hashed) * len(FILES),
            changed,
        ),
        _check(
            "archive",
            "load_rows",
            "every file can be read whole and has the rows its manifest tells",
            len(whole),
            wrong,
        ),
    )


def check_batch(
    workspace: Workspace, made: Sequence[dict[str, Any]], loads: Sequence[LoadManifest], links: Any
) -> tuple[Check, ...]:
    """Check the batch database against the newest release and the archive.

    Args:
        workspace: the workspace.
        made: the releases.
        loads: the archive.
        links: Arrow table record_id, entity_id of the newest release.
    """
    says = "the batch database is that of the newest release"
    if is_unfinished(workspace):
        return (_skipped("batch", "batch", says, "the last run was killed at its end; the next command finishes it"),)
    if not workspace.batch.exists():
        return (_skipped("batch", "batch", says, "there is none; the next run makes it"),)
    try:
        with read_batch(workspace.batch, memory_limit=workspace.settings.memory_limit) as con:
            con.register(_LINKS, links)
            tables = {
                name for (name,) in con.execute("select view_name from duckdb_views() where not internal").fetchall()
            }
            checks: list[Check] = []
            for entity in ENTITIES:
                if f"{entity}_membership" not in tables:
                    continue
                reason = _not_of_release(made, entity, _stamp(con, entity))
                if reason:
                    checks.append(_skipped("batch", f"{entity}_batch", says, reason))
                else:
                    checks += _entity_checks(con, workspace, entity, made, loads)
            return tuple(checks)
    except (LinkageError, duckdb.Error):
        return (Check("batch", "batch", "the batch database can be read", 1, 1),)


def _partition(workspace: Workspace, entity: Entity, of_batch: Sequence[Check]) -> Check:
    if not any(check.name == f"{entity}_membership" and not check.skipped for check in of_batch):
        return _skipped("batch", f"{entity}_partition", SAYS, "there is no batch database of the newest release")
    return check_partition(workspace, entity)


def _entity_checks(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    entity: Entity,
    made: Sequence[dict[str, Any]],
    loads: Sequence[LoadManifest],
) -> Iterator[Check]:
    membership, raw = quote(f"{entity}_membership"), quote(f"{entity}_raw")
    released = f"(select * from {_LINKS} where starts_with(entity_id, '{ID_PREFIX[entity]}'))"
    yield _counted(
        con,
        f"{entity}_membership",
        "record_link of the newest release is the membership of the batch",
        released,
        f"""select coalesce(m.entity_id, l.entity_id) from {released} l full join {membership} m using (record_id)
        where l.entity_id is distinct from m.entity_id""",
    )
    yield _counted(
        con,
        f"{entity}_golden",
        "golden rows of the batch are the entities of the newest release",
        f"(select distinct entity_id from {released})",
        f"""select coalesce(l.entity_id, g.entity_id)
        from (select distinct entity_id from {released}) l full join {quote(f"{entity}_golden")} g using (entity_id)
        where l.entity_id is null or g.entity_id is null""",
    )
    yield _counted(
        con,
        f"{entity}_profiles",
        "every record of the batch has one profile and one entity",
        raw,
        f"""select coalesce(m.entity_id, 'a record without an entity')
        from {raw} r
        full join {quote(f"{entity}_profile_record")} p using (record_id)
        full join {membership} m using (record_id)
        where r.record_id is null or p.profile_id is null or m.entity_id is null""",
    )
    yield _identifiers_are_exclusive(con, entity)
    yield _values_are_of_records(con, entity)
    yield _archive_is_source(con, entity, made, loads)
    yield _model_is_used(workspace, entity, made)


def _identifiers_are_exclusive(con: duckdb.DuckDBPyConnection, entity: Entity) -> Check:
    """Look for entities with two values of an exclusive identifier that no ruling of a person joined."""
    records, membership = quote(f"{entity}_records"), quote(f"{entity}_membership")
    columns = load_entity_config(entity).clustering.exclusive
    held = " union all ".join(
        f"select m.entity_id, '{column}' as kind, r.{quote(column)}::varchar as value from {records} r "
        f"join {membership} m using (record_id) where r.{quote(column)} is not null"
        for column in columns
    )
    ruled = "select null::varchar as entity_id limit 0"
    if con.execute("select 1 from duckdb_views() where view_name = ?", [f"{entity}_must_link"]).fetchall():
        members = quote(f"{entity}_profile_record")
        ruled = f"""select a.entity_id
        from {quote(f"{entity}_must_link")} l
        join (select p.profile_id, m.entity_id from {members} p join {membership} m using (record_id)) a
            on a.profile_id = l.left_id
        join (select p.profile_id, m.entity_id from {members} p join {membership} m using (record_id)) b
            on b.profile_id = l.right_id and b.entity_id = a.entity_id"""
    return _counted(
        con,
        f"{entity}_exclusive",
        "no entity holds two values of an exclusive identifier, unless a person joined its records",
        f"(select distinct entity_id from ({held}))",
        f"""select distinct entity_id from (
            select entity_id, kind from ({held}) group by entity_id, kind having count(distinct value) > 1
        ) where entity_id not in (select entity_id from ({ruled}) where entity_id is not null)""",
    )


def _values_are_of_records(con: duckdb.DuckDBPyConnection, entity: Entity) -> Check:
    """Look up every golden value in the record that it is said to come from, and in the golden row."""
    config = shipped_survivorship().of(entity)
    records, provenance, golden = (quote(f"{entity}_{name}") for name in ("records", "provenance", "golden"))
    wrong = []
    for attribute in config.attribute:
        for name, column, is_list in (
            (attribute.name, attribute.value, attribute.is_list),
            *((name, column, False) for name, column in attribute.companions.items()),
        ):
            told = f"r.{quote(column)}"
            said = f"list_contains({told}, p.value)" if is_list else f"trim({told}::varchar) = p.value"
            wrong.append(f"""select p.entity_id
            from {provenance} p
            left join {records} r on r.record_id = p.record_id
            left join {golden} g on g.entity_id = p.entity_id
            where p.attribute = '{name}'
                and (not coalesce({said}, false) or g.{quote(name)} is distinct from p.value)""")
    return _counted(
        con,
        f"{entity}_values",
        "every golden value is a value of the record it is said to come from",
        provenance,
        " union all ".join(wrong),
    )


def _archive_is_source(
    con: duckdb.DuckDBPyConnection, entity: Entity, made: Sequence[dict[str, Any]], loads: Sequence[LoadManifest]
) -> Check:
    """Collect the records in force again, and compare them with those the release was made from, value by value."""
    name, says = f"{entity}_records", "the records of the batch are those the archive has in force"
    released = set(_released(made))
    ours = [load for load in loads if load.entity == entity and load.load_id in released]
    again, raw = "_records_again", quote(f"{entity}_raw")
    try:
        current_records(con, ours, out=again)
        columns = ", ".join(quote(row[0]) for row in con.execute(f"describe {again}").fetchall())
        one, two = f"select {columns} from {again}", f"select {columns} from {raw}"
        (differ,) = only_row(
            con, f"select count(distinct record_id) from (({one} except all {two}) union all ({two} except all {one}))"
        )
    except (IngestError, duckdb.Error):
        differ = 1
    (records,) = only_row(con, f"select count(*) from {raw}")
    return Check("batch", name, says, int(records), int(differ))


def _model_is_used(workspace: Workspace, entity: Entity, made: Sequence[dict[str, Any]]) -> Check:
    name, says = f"{entity}_model", "the model file is the one the newest release was made with"
    path = workspace.model(entity)
    if not path.exists():
        return _skipped("batch", name, says, "there is none; the next run makes it")
    try:
        model = Model.model_validate_json(path.read_bytes())
    except ValidationError:
        return Check("batch", name, says, 1, 1)
    found = hashlib.sha256(model.model_dump_json().encode()).hexdigest()[:16]
    return Check("batch", name, says, 1, int(found != told_last(made, "models").get(entity)))


def _stamp(con: duckdb.DuckDBPyConnection, entity: Entity) -> int | None:
    """Return of which release the batch database says it is."""
    (release,) = only_row(con, f"select release from {quote(f'{entity}_made_by')}")
    return None if release is None else int(release)


def _not_of_release(made: Sequence[dict[str, Any]], entity: Entity, stamp: int | None) -> str | None:
    """Return why the batch database is not that of the newest release for an entity type, None if it is."""
    rolled_back = max((r["release_id"] for r in made if r["kind"] == "rollback"), default=0)
    run = max((r["release_id"] for r in made if r["kind"] == "publish" and entity in r["models"]), default=0)
    if rolled_back > run:
        return f"release {rolled_back} went back to an earlier one; the next run makes it anew"
    if stamp != run:
        return f"it is of release {stamp}, not of release {run}; the next run or decision makes up for it"
    return None


def _released(made: Sequence[dict[str, Any]]) -> list[str]:
    return list(made[-1]["manifest"].get("loads", [])) if made else []


def _name(load: LoadManifest) -> str:
    named = f"{load.as_of.isoformat()}-{load.source}-{load.sha256[:8]}"
    return named if load.load_id == named else f"{load.load_id} is not {named}"


def _is(load: LoadManifest, name: str, told: FileHash) -> bool:
    try:
        return file_hash(load.folder / name) == told
    except OSError:
        return False


def _rows_are_told(con: duckdb.DuckDBPyConnection, load: LoadManifest) -> bool:
    raw, records, quarantine = (f"read_parquet({literal(str(load.folder / name))})" for name in FILES)
    try:
        for file in (raw, records, quarantine):
            con.execute(f"select bit_xor(hash(t)) from {file} t").fetchall()
        (rows_in,) = only_row(
            con,
            f"select (select count(*) from {raw}) + (select count(*) from {quarantine} anti join {raw} using (row))",
        )
        kept, deleted = only_row(con, f"select count(*), count(*) filter (operation = 'delete') from {records}")
        reasons = dict(con.execute(f"select reason, count(*) from {quarantine} group by reason").fetchall())
    except duckdb.Error:
        return False
    told = (load.rows_held, load.kept, load.deleted, load.quarantined)
    return bool((rows_in, kept, deleted, reasons) == told)


def _counted(con: duckdb.DuckDBPyConnection, name: str, says: str, looked_at: str, broken: str) -> Check:
    (checked,) = only_row(con, f"select count(*) from {looked_at}")
    (count,) = only_row(con, f"select count(*) from ({broken}) t(id)")
    found = (
        con.execute(f"select distinct id from ({broken}) t(id) order by id limit {EXAMPLES}").fetchall()
        if count
        else []
    )
    return Check("batch", name, says, int(checked), int(count), tuple(str(i) for (i,) in found))


def _check(part: str, name: str, says: str, checked: int, broken: Sequence[str]) -> Check:
    return Check(part, name, says, checked, len(broken), tuple(broken[:EXAMPLES]))


def _skipped(part: str, name: str, says: str, reason: str) -> Check:
    return Check(part, name, says, 0, 0, skipped=reason)


def _state(check: Check) -> str:
    return f"skipped: {check.skipped}" if check.skipped else "ok" if check.holds else "BROKEN"
