"""Fixtures of the linkage: simulated records linked once, and a workspace with two monthly releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_district import ENTITIES, SOURCES, Guiyi, copied, ingest_month, release_month

from blocking.sql import quote
from eval.simulator import simulate, simulate_canonical
from linkage.commands.demo import PlannedLoad, planned_loads
from linkage.database import connect
from linkage.entities import identify, no_history, survive_values
from linkage.entity_config import load_entity_config
from linkage.pipeline import Linkage, LinkageOptions, link_records
from linkage.stages import StageClock
from linkage.workspace import Workspace, create_workspace

RECORDS = {"natural_person": 3_000, "legal_person": 2_000}


@pytest.fixture(scope="session")
def canonical_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One Parquet file of simulated records with canonical columns per entity type."""
    folder = tmp_path_factory.mktemp("canonical")
    for entity in ENTITIES:
        simulate_canonical(entity, records=RECORDS[entity], output=folder / entity, seed=7)
    return {entity: folder / entity / f"{entity}.parquet" for entity in ENTITIES}


@pytest.fixture(scope="session")
def linked(canonical_files: dict[str, Path]) -> Iterator[dict[str, Linkage]]:
    """Both entity types linked with the shipped models, up to golden records, in one batch database."""
    with connect(threads=1) as con:
        runs = {}
        for entity, path in canonical_files.items():
            con.execute(
                f"create table {quote(entity + '_raw')} as "
                "select source || ':' || source_record_id as record_id, * from read_parquet(?)",
                [str(path)],
            )
            options = LinkageOptions(training="never", processes=1)
            run = link_records(con, load_entity_config(entity), options, StageClock())
            identify(run, no_history(run, as_of="2025-01-31"))
            survive_values(run, {})
            runs[entity] = run
        yield runs


@pytest.fixture(scope="session", params=ENTITIES)
def run(request: pytest.FixtureRequest, linked: dict[str, Linkage]) -> Linkage:
    """The linkage of one entity type, for either."""
    return linked[request.param]


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> list[PlannedLoad]:
    """The loads of a few sources of a small district over two months, in order."""
    folder = tmp_path_factory.mktemp("district") / "files"
    simulate(people=400, organisations=120, months=2, output=folder, seed=11)
    return [load for load in planned_loads(folder) if load.source in SOURCES]


@pytest.fixture(scope="session")
def loaded(district: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the first month's loads, nothing released. Never changed: work on a copy."""
    workspace = create_workspace(tmp_path_factory.mktemp("loaded") / "workspace")
    first = min(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == first])
    return workspace


@pytest.fixture(scope="session")
def first_month(loaded: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one release. Never changed: work on a copy."""
    workspace = copied(loaded, tmp_path_factory.mktemp("first") / "workspace")
    release_month(workspace)
    return workspace


@pytest.fixture(scope="session")
def second_month(
    first_month: Workspace, district: list[PlannedLoad], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with two releases. Never changed: work on a copy."""
    workspace = copied(first_month, tmp_path_factory.mktemp("second") / "workspace")
    last = max(load.as_of for load in district)
    ingest_month(workspace, [load for load in district if load.as_of == last])
    release_month(workspace)
    return workspace


@pytest.fixture
def guiyi(capsys: pytest.CaptureFixture[str]) -> Guiyi:
    """Runs `guiyi` commands in this process."""
    return Guiyi(capsys)
