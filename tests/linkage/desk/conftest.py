"""A town of difficult cases, and people at its review desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_town import Town, make_town
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
