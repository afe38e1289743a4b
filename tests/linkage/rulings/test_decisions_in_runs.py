"""Decisions in the monthly run: a ruling takes effect, holds in every later run, and gives back what it took."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_district import NOW, Guiyi, ask, copied

from linkage.commands.console import Console
from linkage.commands.monthly import run_month
from linkage.workspace import Workspace

Record = str


@pytest.fixture
def workspace(first_month: Workspace, tmp_path: Path) -> Workspace:
    return copied(first_month, tmp_path / "workspace")


def release(workspace: Workspace, day: int, *, full: bool = False) -> None:
    console = Console(quiet=True, as_json=True)
    now = NOW + timedelta(days=day)
    assert run_month(workspace, entities=None, language=None, now=now, console=console, full=full) == 0


def stability_of(workspace: Workspace) -> dict[str, Any]:
    """Return the newest report's section on what changed, of natural persons."""
    newest = max(workspace.runs.glob("release-*/report.json"))
    sections = json.loads(newest.read_text("utf-8"))["entities"]
    return next(section["stability"] for section in sections if section["entity"] == "natural_person")


def home(workspace: Workspace, record: Record) -> tuple[str, str]:
    """Return a record's entity and what its link rests on."""
    source, _, key = record.partition(":")
    rows = ask(
        workspace.catalog,
        "select entity_id, link_basis from record_link where source = ? and source_record_id = ?",
        [source, key],
    )
    (row,) = rows
    return row


def partition(workspace: Workspace) -> set[frozenset[Record]]:
    groups: dict[str, set[Record]] = {}
    for record, entity in ask(
        workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link"
    ):
        groups.setdefault(entity, set()).add(record)
    return {frozenset(group) for group in groups.values()}


def person_pair(workspace: Workspace, *, together: bool) -> tuple[Record, Record]:
    """Return two records of natural persons without a number conflict: of one entity, or of two."""
    rows = ask(
        workspace.catalog,
        "select entity_id, min(source || ':' || source_record_id), max(source || ':' || source_record_id), count(*) "
        "from record_link where entity_id like 'NP%' group by entity_id order by entity_id",
    )
    if together:
        return next((first, last) for _, first, last, n in rows if n == 2)
    alone = [first for _, first, _, n in rows if n == 1]
    return alone[0], alone[1]


def test_a_ruling_of_same_joins_two_entities_at_once_and_for_good(workspace: Workspace, guiyi: Guiyi) -> None:
    left, right = person_pair(workspace, together=False)
    before = partition(workspace)
    done = guiyi("decide", workspace.root, "same", left, right, "--reason", "document_seen", "--author", "周审核")
    assert done.code == 0, done.err
    assert "1 merged" in done.err
    entity, basis = home(workspace, left)
    assert (entity, basis) == home(workspace, right)
    assert basis == "decision"
    changed = partition(workspace) ^ before
    assert {record for group in changed for record in group} == {left, right}
    assert {cause for (cause,) in ask(workspace.catalog, "select cause from event where release = 2")} == {"decision"}
    release(workspace, 1)
    stability = stability_of(workspace)
    assert (stability["changes"], stability["unexplained"], stability["alarms"]) == ([], [], [])
    release(workspace, 2, full=True)
    assert home(workspace, left)[0] == home(workspace, right)[0] == entity


def test_a_ruling_of_different_parts_one_entity_and_revoking_gives_it_back(workspace: Workspace, guiyi: Guiyi) -> None:
    left, right = person_pair(workspace, together=True)
    before, entity = partition(workspace), home(workspace, left)[0]
    guiyi("decide", workspace.root, "different", left, right, "--reason", "number_misused", "--author", "周审核")
    release(workspace, 1)
    homes = {home(workspace, left)[0], home(workspace, right)[0]}
    assert len(homes) == 2
    assert entity in homes
    refused = ask(
        workspace.catalog,
        "select count(*) from review_case where kind like '%cannot_link%' or rule like '%cannot_link%'",
    )
    assert refused[0][0] >= 1
    done = guiyi("decide", workspace.root, "--revoke", "1", "--author", "陈审核", "--note", "withdrawn")
    assert done.code == 0, done.err
    release(workspace, 2)
    assert partition(workspace) == before
    assert home(workspace, left)[0] == home(workspace, right)[0] == entity


def test_records_without_numbers_are_made_one_and_the_numbers_they_stood_beside_stay_two(
    workspace: Workspace, guiyi: Guiyi
) -> None:
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        beside = con.execute("""
with numbered as (
    select m.entity_id, r.record_id, r.id_exclusive, count(distinct r.id_exclusive) over (partition by m.entity_id) as n
    from natural_person_membership m
    join natural_person_records r using (record_id)
)
select min(record_id), entity_id
from numbered
where id_exclusive is null and n = 1
group by entity_id
order by entity_id
limit 2""").fetchall()
    (left, one), (right, other) = beside
    done = guiyi("decide", workspace.root, "same", left, right, "--reason", "document_seen", "--author", "周审核")
    assert done.code == 0, done.err
    assert home(workspace, left)[0] == home(workspace, right)[0]
    held = {one, other} - {home(workspace, left)[0]}
    living = {entity for (entity,) in ask(workspace.catalog, "select distinct entity_id from record_link")}
    assert held <= living
    assert f"{len(held)} of the entities that they stood in go on without them" in " ".join(done.err.split())
    guiyi("decide", workspace.root, "--revoke", 1, "--author", "周审核", "--note", "too little")
    whole = ("--scope", "entities", "--reason", "document_seen", "--author", "周审核")
    done = guiyi("decide", workspace.root, "same", left, right, *whole)
    assert "go on without them" not in done.err
    homes = ask(workspace.catalog, "select distinct entity_id from record_link where entity_id in (?, ?)", [one, other])
    assert len(homes) == 1


def test_a_decision_survives_a_rebuild_from_the_raw_loads(workspace: Workspace, guiyi: Guiyi) -> None:
    left, right = person_pair(workspace, together=True)
    guiyi("decide", workspace.root, "different", left, right, "--reason", "twin_or_relative", "--author", "周审核")
    workspace.batch.unlink()
    release(workspace, 1)
    assert home(workspace, left)[0] != home(workspace, right)[0]
