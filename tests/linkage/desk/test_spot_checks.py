"""Spot checks: which links are drawn, that a ruling at once draws nothing anew, and what the rulings tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from desk_town import NOW, QUIET, Town
from desk_visits import People
from hypothesis import given
from hypothesis import strategies as st
from small_district import Guiyi, ask, copied

from eval.metrics import wilson
from linkage.commands.monthly import run_month
from linkage.commands.verify import verify
from linkage.review.topics import TOPICS, risk_of
from linkage.workspace import Workspace, open_workspace

NOW_LATER = NOW + timedelta(days=1)
DRAWN = "select left_record_id, right_record_id, case_id from review_case where kind = 'spot_check' order by 1, 2"


def drawing(workspace: Workspace, number: int) -> Workspace:
    settings = workspace.root / "guiyi.toml"
    settings.write_text(f"{settings.read_text('utf-8')}\n[desk]\nspot_checks = {number}\n", "utf-8")
    return open_workspace(workspace.root)


@pytest.fixture
def checked(made_split_town: Town, tmp_path: Path) -> Iterator[People]:
    """The desk of a town that draws one link of persons and one of firms."""
    workspace = drawing(copied(made_split_town.workspace, tmp_path / "workspace"), 1)
    assert run_month(workspace, entities=None, language=None, now=NOW_LATER, console=QUIET) == 0
    with People(Town(workspace, made_split_town.tokens)) as found:
        yield found


def test_links_are_drawn_into_the_queue_and_a_release_of_the_same_records_draws_the_same(
    made_split_town: Town, tmp_path: Path
) -> None:
    found = []
    for name in ("one", "other"):
        workspace = drawing(copied(made_split_town.workspace, tmp_path / name), 1)
        assert ask(workspace.catalog, DRAWN) == []
        assert (
            run_month(workspace, entities=None, language=None, now=NOW_LATER, console=QUIET, full=name == "other") == 0
        )
        assert [check.name for check in verify(workspace) if not check.holds] == []
        found.append(ask(workspace.catalog, DRAWN))
    assert found[0] == found[1]
    firm, person = [(left, right) for left, right, _ in found[0]]
    assert firm == ("market:M1", "tax:T1")
    assert person in (("register:P3", "residents:S1"), ("residents:S1", "residents:S2"))


def test_a_spot_check_is_ruled_on_like_any_case_and_its_figures_count_what_was_settled(
    checked: People, guiyi: Guiyi
) -> None:
    workspace = checked.town.workspace
    (_, _, firms), (_, _, persons) = ask(workspace.catalog, DRAWN)
    queue = checked["auditor"].open("/?topic=spot_check")
    assert set(queue.cases()) == {firms, persons}
    assert checked["auditor"].open("/").cases()[-2:] == queue.cases()
    page = checked["auditor"].open(f"/cases/{firms}")
    assert "引擎为何合并" in page.text
    before = ask(workspace.catalog, DRAWN)
    assert "立即生效" in checked["auditor"].rule(firms, "different").text
    assert [row for row in before if row[0] != "market:M1"] == ask(workspace.catalog, DRAWN)
    assert "须由另一人复核" in checked["auditor"].rule(persons, "same").text
    told = guiyi("review", "precision", workspace.root, "--json").data
    firm, person = told["legal_person"], told["natural_person"]
    assert (firm["drawn"], firm["settled"], firm["right"], firm["precision"]) == (1, 1, 0, 0.0)
    assert (person["drawn"], person["settled"], person["not_settled"], person["precision"]) == (1, 0, 1, None)
    assert "立即生效" in checked["second"].rule(persons, "same").text
    told = guiyi("review", "precision", workspace.root, "--json").data["natural_person"]
    interval = wilson(1, 1)
    assert (told["settled"], told["low"], told["high"]) == (1, interval.low, interval.high)
    dashboard = checked["auditor"].open("/dashboard").text
    assert "抽取 1，已定 1，未定 0" in dashboard


def test_without_the_setting_nothing_is_drawn_and_the_command_says_how(made_split_town: Town, guiyi: Guiyi) -> None:
    told = guiyi("review", "precision", made_split_town.workspace.root).err
    assert "spot_checks" in told


@given(
    st.floats(0, 1), st.integers(0, 10**6), st.integers(0, 10**9), st.sampled_from(sorted(set(TOPICS) - {"spot_check"}))
)
def test_a_spot_check_waits_behind_every_other_kind(p: float, records: int, credit: int, other: str) -> None:
    last = risk_of("spot_check", "natural_person", probability=p, records=records, credit_rows=credit)
    first = risk_of(other, "legal_person", probability=None, records=0, credit_rows=None)
    assert last < first
