"""Months that arrive in another order are played in the order of their dates."""

from __future__ import annotations

from pathlib import Path

from small_district import Guiyi, ask, release_month

from linkage.commands.demo import PlannedLoad
from linkage.workspace import Workspace, create_workspace


def partition(workspace: Workspace) -> set[frozenset[str]]:
    members: dict[str, set[str]] = {}
    for record, entity in ask(
        workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link"
    ):
        members.setdefault(entity, set()).add(record)
    return {frozenset(records) for records in members.values()}


def load_all(workspace: Workspace, loads: list[PlannedLoad], guiyi: Guiyi) -> None:
    for load in loads:
        options = ("--source", load.source, "--as-of", load.as_of, "--mode", load.mode, "--quiet", "--late")
        assert guiyi("ingest", workspace.root, *options, *load.files).code in (0, 3)


def test_a_first_run_finds_the_same_entities_in_whatever_order_the_months_came(
    district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    found = []
    for name, loads in (("forward", district), ("backward", district[::-1])):
        workspace = create_workspace(tmp_path / name)
        load_all(workspace, loads, guiyi)
        release_month(workspace)
        found.append(partition(workspace))
    assert len(found[0]) > 300
    assert found[0] == found[1]


def test_a_late_month_is_refused_unless_it_is_said_to_be_late_and_changes_nothing_that_is_newer(
    second_month: Workspace, district: list[PlannedLoad], tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = create_workspace(tmp_path / "w")
    registry = [load for load in district if load.source == "population_registry"]
    load_all(workspace, registry[1:], guiyi)
    release_month(workspace)
    before = partition(workspace)
    options = ("--source", "population_registry", "--as-of", registry[0].as_of, "--quiet", *registry[0].files)
    refused = guiyi("ingest", workspace.root, *options)
    assert refused.code == 2
    assert "say so with --late" in refused.err
    assert guiyi("ingest", workspace.root, "--late", *options).code in (0, 3)
    release_month(workspace)
    assert partition(workspace) == before
