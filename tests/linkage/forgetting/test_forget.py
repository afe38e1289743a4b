"""`guiyi forget` on real loads: nothing of the forgotten is left anywhere, nothing of the others is touched."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from small_district import NOW, Guiyi, ask, catalog_content, copied, ingest_month, release_month

from golden_records.catalog.lookup_profiles import read_contents
from golden_records.catalog.read import as_of, resolve_id
from golden_records.catalog.store import open_catalog
from golden_records.decisions import Person, broken_links, propose, read_decisions, revoke
from golden_records.forgetting import broken_events, forgetting_events
from golden_records.ruling import ruling_on
from linkage.commands.console import Console
from linkage.commands.demo import PlannedLoad
from linkage.commands.forget import ForgetRequest, forget
from linkage.commands.verify import verify
from linkage.forgetting.journal import Journal
from linkage.forgetting.proof import prove
from linkage.ingest.manifest import list_loads
from linkage.rulings.settings import DecisionSettings
from linkage.workspace import Workspace, create_workspace

WHY = ("--author", "周审核", "--reason", "subject_request")
TELLING = ("name", "id_number", "phone", "address", "household_address")
QUIET = Console(quiet=True, as_json=True)


@dataclass(frozen=True)
class Case:
    """A workspace before and after a forgetting: one entity whole, and one record of another.

    Attributes:
        before: the workspace as it was; it has decisions that name the forgotten.
        after: the workspace after it.
        whole: the entity forgotten whole.
        mixed: the entity that lost one record.
        records: the forgotten records.
        values: what they said, and nobody else.
    """

    before: Workspace
    after: Workspace
    whole: str
    mixed: str
    records: tuple[str, ...]
    values: frozenset[str]


def rows_of_loads(workspace: Workspace) -> list[dict[str, Any]]:
    return [
        row for load in list_loads(workspace.root) for row in pq.read_table(load.folder / "records.parquet").to_pylist()
    ]


def own_values(workspace: Workspace, records: Iterable[str]) -> frozenset[str]:
    """Return what the records say in any month and what stands in no other row of the archive."""
    forgotten = set(records)
    rows = rows_of_loads(workspace)
    others = "\n".join(str(value) for row in rows if row["record_id"] not in forgotten for value in row.values())
    said = {row[c] for row in rows if row["record_id"] in forgotten for c in TELLING if row.get(c)} | forgotten
    return frozenset(value for value in said if value not in others)


def texts(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield every store decoded and every file as text in every encoding, without the product's own search."""
    for path in sorted(p for p in workspace.root.rglob("*") if p.is_file()):
        name = str(path.relative_to(workspace.root))
        content = path.read_bytes()
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
            yield f"{name} as {encoding}", content.decode(encoding, "ignore")
        if path.suffix == ".parquet":
            yield name, str(pq.read_table(path).to_pylist())
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            yield f"batch {table}", str(con.execute(f'from "{table}"').fetchall())
    with sqlite3.connect(f"file:{workspace.catalog}?mode=ro", uri=True) as con:
        yield "catalog", "\n".join(con.iterdump())
        for (packed,) in con.execute("select contents from lookup_entity"):
            yield "lookup_entity", "".join(read_contents(packed))
        for source, key in con.execute("select source, source_record_id from record_link_history union select 1, 2"):
            yield "record_link_history", f"{source}:{key}"


def found_in(workspace: Workspace, values: Iterable[str]) -> dict[str, set[str]]:
    wanted = set(values)
    found: dict[str, set[str]] = {}
    for store, text in texts(workspace):
        for value in wanted:
            if value in text:
                found.setdefault(store, set()).add(value)
    return found


def records_of(workspace: Workspace, entity_id: str) -> tuple[str, ...]:
    rows = ask(
        workspace.catalog, "select source || ':' || source_record_id from record_link where entity_id = ?", [entity_id]
    )
    return tuple(sorted(record for (record,) in rows))


def groups(workspace: Workspace) -> set[frozenset[str]]:
    members: dict[str, set[str]] = {}
    for record, entity_id in ask(
        workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link"
    ):
        members.setdefault(entity_id, set()).add(record)
    return {frozenset(records) for records in members.values()}


def subjects(workspace: Workspace) -> tuple[str, str, str]:
    """Return an entity to forget, another one, and the record of that one which gave most of its golden values."""
    first, second = (
        entity_id
        for (entity_id,) in ask(
            workspace.catalog,
            "select entity_id from natural_person where records >= 3 and entity_id in "
            "(select entity_id from record_link_history union select entity_id from phone) order by entity_id limit 2",
        )
    )
    ((record,),) = ask(
        workspace.catalog,
        "select record_id from provenance where entity_id = ? group by record_id order by count(*) desc, 1 limit 1",
        [second],
    )
    return first, second, record


@pytest.fixture(scope="module")
def case(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("forget")
    before = copied(second_month, folder / "before")
    whole, mixed, record = subjects(before)
    other = next(one for one in records_of(before, mixed) if one != record)
    ((name,),) = ask(before.catalog, "select name from natural_person where entity_id = ?", [whole])
    (own, *_) = records_of(before, whole)
    policy = DecisionSettings().policy
    with open_catalog(before.catalog) as catalog:
        for records, note in (((own, record), f"{name}与他人无关"), ((record, other), None)):
            kind = "different" if note else "same"
            ruling = ruling_on(catalog, kind, records, reason="review", note=note)
            decision = propose(
                catalog, ruling, policy=policy, author=Person("周审核", "x"), now=NOW, check=lambda *_: None
            )
            if note:
                revoke(catalog, decision.decision_id, by=Person("周审核", "x"), now=NOW, note=note)
        catalog.execute("pragma wal_checkpoint(truncate)")
    records = (*records_of(before, whole), record)
    after = copied(before, folder / "after")
    request = ForgetRequest((whole, record), "周审核", "subject_request")
    assert forget(after, request, dry_run=False, now=NOW, console=QUIET) == 0
    return Case(before, after, whole, mixed, records, own_values(before, records))


def test_no_value_of_the_forgotten_is_left_in_any_store_or_byte(case: Case) -> None:
    assert len(case.values) > len(case.records)
    before = found_in(case.before, case.values)
    assert {"catalog", "lookup_entity", "batch natural_person_raw", "batch natural_person_golden"} <= before.keys()
    assert found_in(case.after, case.values) == {}


def test_the_proof_looks_into_what_the_catalog_packs(case: Case, tmp_path: Path) -> None:
    told = Journal(
        forgetting_id=1,
        author="周审核",
        reason="subject_request",
        at="2025-03-01",
        records=case.records,
        entities=2,
        held=(),
        telling=tuple(sorted(case.values)),
    )
    assert prove(case.after, told).holds
    workspace = copied(case.after, tmp_path / "workspace")
    value = max(case.values, key=len)
    with sqlite3.connect(workspace.catalog) as con:
        contents = pa.Codec("snappy").compress(f"{value}\x1f".encode() * 20 + b"\x1d", asbytes=True)
        con.execute("insert into lookup_entity (number, profile_ids, contents) values (-1, ?, ?)", (bytes(8), contents))
    con.close()
    assert prove(workspace, told).hits["catalog.sqlite: lookup_entity"] == 1


def test_nothing_else_is_left_beside_the_journal_and_the_work_files(case: Case) -> None:
    names = {path.name for path in case.after.root.iterdir()} - {path.name for path in case.before.root.iterdir()}
    assert names == {"forget.key"}
    assert (case.after.root / "forget.key").stat().st_mode & 0o777 == 0o600


def test_other_entities_are_as_they_were(case: Case) -> None:
    before, after = catalog_content(case.before.catalog), catalog_content(case.after.catalog)
    touched = {case.whole, case.mixed}
    assert {table: [row for row in rows if not touched & set(row)] for table, rows in before.items()} == {
        table: [row for row in rows if not touched & set(row)] for table, rows in after.items()
    }


def test_the_forgotten_entity_ends_and_the_other_lives_on_with_what_is_left(case: Case) -> None:
    with open_catalog(case.after.catalog, read_only=True) as catalog:
        ended, living = resolve_id(catalog, case.whole), resolve_id(catalog, case.mixed)
    assert ended is not None
    assert living is not None
    assert (ended.state, living.state) == ("retired", "living")
    assert set(records_of(case.after, case.mixed)) == set(records_of(case.before, case.mixed)) - set(case.records)
    assert ask(case.after.catalog, "select anchor from redirect where old_id = ?", [case.whole]) == [(None,)]
    events = ask(case.after.catalog, "select entity_id, event, cause from event where release = 3")
    assert (case.whole, "retired", "forget") in events
    assert (case.mixed, "shrunk", "forget") in events
    assert {cause for _, _, cause in events} == {"forget"}


def test_the_workspace_passes_every_check(case: Case) -> None:
    checks = verify(case.after)
    assert [check.name for check in checks if not check.holds] == []
    assert not [check.name for check in checks if check.skipped]


@pytest.mark.parametrize("release", [1, 2])
def test_the_past_is_a_past_without_the_forgotten(case: Case, release: int, tmp_path: Path, guiyi: Guiyi) -> None:
    with open_catalog(case.before.catalog, read_only=True) as catalog:
        before = as_of(catalog, "record_link", release)
    with open_catalog(case.after.catalog, read_only=True) as catalog:
        after = as_of(catalog, "record_link", release)
    assert after == [r for r in before if f"{r['source']}:{r['source_record_id']}" not in case.records]
    workspace = copied(case.after, tmp_path / "workspace")
    assert guiyi("rollback", workspace.root, release).code == 0
    assert [check.name for check in verify(workspace) if not check.holds] == []
    assert found_in(workspace, case.values) == {}


def test_the_tombstone_tells_who_when_why_and_how_many_but_no_value(case: Case) -> None:
    with open_catalog(case.after.catalog, read_only=True) as catalog:
        forgotten, proved = forgetting_events(catalog)
        assert broken_events(catalog) == ()
    assert (forgotten.event, forgotten.by.name, forgotten.reason) == ("forgotten", "周审核", "subject_request")
    assert (forgotten.records, forgotten.entities, len(forgotten.tokens)) == (len(case.records), 2, len(case.records))
    assert forgotten.detail["removed"]["record_link"] == len(case.records)
    proof = proved.detail["proof"]
    assert proof["hits"] == {}
    assert proof["stores"] > 100
    assert proof["rows"] > 1000
    told = repr((forgotten, proved))
    assert not any(value in told for value in case.values)
    plain = {hashlib.sha256(record.encode()).hexdigest()[:32] for record in case.records}
    assert not any(digest in told for digest in plain), "a token cannot be made without the key"


def test_decisions_keep_their_trail_without_record_or_words(case: Case) -> None:
    with open_catalog(case.after.catalog, read_only=True) as catalog:
        first, second = read_decisions(catalog)
        assert broken_links(catalog) == ()
        (forgotten, _) = forgetting_events(catalog)
    assert first.ruling.note is None
    assert [(e.event, e.by.name, e.note) for e in first.events] == [
        ("proposed", "周审核", None),
        ("activated", "周审核", None),
        ("revoked", "周审核", None),
    ]
    assert set(first.records) <= set(forgotten.tokens)
    assert len(set(second.records) & set(forgotten.tokens)) == 1
    assert second.state == "active"
    assert set(forgotten.detail["rechained"]) == {"decision", "decision_event"}


def test_the_books_of_a_load_still_balance(case: Case) -> None:
    before, after = list_loads(case.before.root), list_loads(case.after.root)
    assert [load.rows_in for load in before] == [load.rows_in for load in after]
    assert sum(load.forgotten for load in after) > len(case.records)
    report = json.loads((case.after.runs / "release-0003" / "report.json").read_text("utf-8"))
    for section in report["entities"]:
        for source in section["sources"]:
            assert source["rows_in"] == source["kept"] + source["quarantined"] + source["superseded"]


def test_term_frequencies_lose_what_only_the_forgotten_had(case: Case) -> None:
    before, after = (pq.read_table(w.frequencies("natural_person")).to_pylist() for w in (case.before, case.after))
    gone = [row for row in before if row not in after]
    assert gone
    assert [row for row in before if row in after] == after
    assert {row["value"] for row in gone} & case.values


def test_the_next_run_changes_nothing(case: Case, tmp_path: Path) -> None:
    workspace = copied(case.after, tmp_path / "workspace")
    release_month(workspace)
    hashes = ask(workspace.catalog, "select content_hash from release where release_id >= 3 order by release_id")
    assert hashes[0] == hashes[1]
    assert ask(workspace.catalog, "select count(*) from event where release = 4") == [(0,)]


def test_the_partition_is_that_of_loads_that_never_had_them(
    case: Case, district: list[PlannedLoad], tmp_path: Path
) -> None:
    workspace = create_workspace(tmp_path / "workspace")
    shutil.copytree(case.after.root / "models", workspace.root / "models", dirs_exist_ok=True)
    dates = sorted({load.as_of for load in district})
    for date in dates:
        ingest_month(
            workspace,
            [without(load, case.records, tmp_path / str(date)) for load in district if load.as_of == date],
        )
        release_month(workspace)
    assert groups(workspace) == groups(case.after)


def without(load: PlannedLoad, records: Iterable[str], folder: Path) -> PlannedLoad:
    """Return a load of the same files without the rows of some records."""
    folder.mkdir(exist_ok=True)
    keys = {record.split(":", 1)[1] for record in records if record.startswith(f"{load.source}:")}
    files = []
    for path in load.files:
        made = folder / path.name
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            kept = pc.invert(pc.is_in(table.column(0).cast("string"), value_set=pa.array(sorted(keys), pa.string())))
            pq.write_table(table.filter(kept), made)
        else:
            lines = path.read_bytes().splitlines(keepends=True)
            made.write_bytes(b"".join(x for x in lines if not any(f'"{key}"'.encode() in x for key in keys)))
        files.append(made)
    return PlannedLoad(**{**load.__dict__, "files": files})


def load_again(guiyi: Guiyi, workspace: Workspace, load: PlannedLoad) -> Any:
    return guiyi(
        "ingest", workspace.root, "--source", load.source, "--as-of", load.as_of, "--again", *load.files, "--json"
    )


def test_a_load_that_brings_them_again_is_refused_row_by_row_until_the_refusal_is_lifted(
    case: Case, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(case.after, tmp_path / "workspace")
    record = next(r for r in case.records if r.startswith("population_registry:"))
    last = [load for load in district if load.source == "population_registry"][-1]
    (manifest,) = load_again(guiyi, workspace, last).data
    brought = sum(r.startswith("population_registry:") for r in case.records)
    assert manifest["quarantined"] == {"forgotten": brought}
    assert manifest["rows_in"] == manifest["kept"] + brought
    folder = workspace.root / "loads" / manifest["load_id"]
    quarantined = pq.read_table(folder / "quarantine.parquet").to_pylist()
    assert [(q["source_record_id"], q["raw"], q["reason"]) for q in quarantined] == [
        (None, None, "forgotten")
    ] * brought
    assert found_in(workspace, case.values) == {}
    assert [check.name for check in verify(workspace) if not check.holds] == []

    lifted = guiyi("forget", workspace.root, record, "--lift", *WHY)
    assert lifted.code == 0
    assert guiyi("forget", workspace.root, record, "--lift", *WHY).code == 1
    (manifest,) = load_again(guiyi, workspace, last).data
    assert manifest["quarantined"] == ({"forgotten": brought - 1} if brought > 1 else {})
    release_month(workspace)
    assert record in {r for group in groups(workspace) for r in group}
    assert [check.name for check in verify(workspace) if not check.holds] == []


def state_of(workspace: Workspace) -> dict[str, str]:
    files = [p for p in workspace.root.rglob("*") if p.is_file() and not p.name.endswith((".lock", "-shm", "-wal"))]
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_dry_run_says_what_would_go_and_changes_nothing(case: Case, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(case.before, tmp_path / "workspace")
    before = state_of(workspace)
    said = guiyi("forget", workspace.root, case.whole, case.records[-1], "--dry-run", *WHY, "--json").data
    assert (said["records"], said["decisions_naming_them"]) == (len(case.records), 2)
    assert said["records_in_current_release"] == len(case.records)
    assert state_of(workspace) == before
    shown = guiyi("forget", workspace.root, case.whole, "--dry-run", *WHY)
    assert shown.code == 0
    assert not any(value in shown.out + shown.err for value in case.values)


def test_what_cannot_be_forgotten_is_refused_and_nothing_changes(case: Case, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(case.before, tmp_path / "workspace")
    before = state_of(workspace)
    nobody = guiyi("forget", workspace.root, "population_registry:NOBODY", *WHY)
    assert (nobody.code, "none is in any of the" in nobody.err) == (1, True)
    assert "NOBODY" not in nobody.err
    assert guiyi("forget", workspace.root, "NP0000000019", *WHY).code == 1
    assert guiyi("forget", workspace.root, "刘宇航", *WHY).code == 1
    assert guiyi("forget", workspace.root, case.whole, "--author", "x", "--reason", "because").code == 2
    assert guiyi("forget", workspace.root, case.whole, "--author", " ", "--reason", "other").code == 1
    assert guiyi("forget", workspace.root, case.whole).code == 2
    assert guiyi("forget", workspace.root, *WHY).code == 2
    assert guiyi("forget", workspace.root, "--resume", case.whole).code == 2
    assert guiyi("forget", workspace.root, "--resume").code == 0
    assert guiyi("forget", workspace.root, case.whole, "--lift", *WHY).code == 1
    assert state_of(workspace) == before


def test_a_file_of_somebodys_own_is_found_by_the_proof_and_named(
    case: Case, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(case.before, tmp_path / "workspace")
    delivered = workspace.root / "delivered.csv"
    shutil.copy(next(load for load in district if load.source == "population_registry").files[0], delivered)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(sorted(case.values))
    book.save(workspace.root / "list.xlsx")
    done = guiyi("forget", workspace.root, case.whole, *WHY)
    assert done.code == 1
    assert "delivered.csv" in done.err
    assert "list.xlsx" in done.err
    assert not any(value in done.out + done.err for value in case.values)
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        assert [e.event for e in forgetting_events(catalog)] == ["forgotten"]
    again = guiyi("forget", workspace.root, case.records[-1], *WHY)
    assert (again.code, "--resume" in again.err) == (1, True)
    delivered.unlink()
    (workspace.root / "list.xlsx").unlink()
    assert guiyi("forget", workspace.root, "--resume").code == 0
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        assert [e.event for e in forgetting_events(catalog)] == ["forgotten", "proved"]


def test_a_workspace_that_was_never_released_forgets_too(
    loaded: Workspace, case: Case, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(loaded, tmp_path / "workspace")
    record = next(r for r in case.records if r in {row["record_id"] for row in rows_of_loads(loaded)})
    assert guiyi("forget", workspace.root, record, *WHY, "--quiet").code == 0
    assert record not in {row["record_id"] for row in rows_of_loads(workspace)}
    release_month(workspace)
    assert [check.name for check in verify(workspace) if not check.holds] == []
