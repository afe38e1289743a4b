"""A town of difficult cases, and people at its review desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_browser import CHROMIUM, QUIET
from desk_town import RESIDENTS, TOGETHER, Town, make_town
from desk_visits import People
from small_district import copied


@pytest.fixture(scope="session")
def made_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Never changed: work on a copy."""
    return make_town(tmp_path_factory.mktemp("town") / "workspace")


@pytest.fixture
def town(made_town: Town, tmp_path: Path) -> Town:
    return Town(copied(made_town.workspace, tmp_path / "workspace"), made_town.tokens)


@pytest.fixture
def people(town: Town) -> Iterator[People]:
    """The people at the desk of a town of their own."""
    with People(town) as found:
        yield found


@pytest.fixture(scope="module")
def readers(made_town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """People who only look; the town is shared by a module."""
    workspace = copied(made_town.workspace, tmp_path_factory.mktemp("readers") / "workspace")
    with People(Town(workspace, made_town.tokens)) as found:
        yield found


@pytest.fixture(scope="session")
def made_split_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A town in which two people are one entity by a row between them; never changed."""
    return make_town(tmp_path_factory.mktemp("split_town") / "workspace", residents=(*RESIDENTS, *TOGETHER))


@pytest.fixture
def split_people(made_split_town: Town, tmp_path: Path) -> Iterator[People]:
    """The people at the desk of a split town of their own."""
    workspace = copied(made_split_town.workspace, tmp_path / "workspace")
    with People(Town(workspace, made_split_town.tokens)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser; without one on this machine the test is left out."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: the desk is not opened")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the desk is not opened")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()
