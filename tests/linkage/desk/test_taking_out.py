"""Records taken out of an entity: together, as one other entity, or each as the evidence says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk_browser import Running, Seat
from desk_town import QUIET, Town
from desk_visits import People, Visit
from small_district import ask, copied

from linkage.commands.monthly import run_month
from linkage.workspace import open_workspace

# 刘宇航 and 刘强生: nothing but the row of 刘宇生 ties them.
OUT = ("register:P3", "residents:S2")
STAYS = "residents:S1"


def homes(workspace: Any) -> dict[str, str]:
    rows = ask(workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link")
    return {str(record): str(entity) for record, entity in rows}


def take_out(people: People, **fields: Any) -> Visit:
    auditor = people["auditor"]
    entity = homes(people.town.workspace)[STAYS]
    page = auditor.open(f"/entities/{entity}")
    fields = {"ruling": "different", "reason": "number_misused", "record_id": list(OUT), **fields}
    return auditor.send(f"/entities/{entity}/split", page, **fields)


def test_several_records_need_a_word_on_whether_they_are_one_and_nothing_entered_is_lost(split_people: People) -> None:
    told = take_out(split_people, note="电话核实")
    assert told.status == 422
    assert "请说明它们是同一个别的主体" in told.text
    assert told.html.count("checked") == 2
    assert "电话核实" in told.text
    assert 'value="number_misused" selected' in told.html
    assert ask(split_people.town.workspace.catalog, "select count(*) from decision") == [(0,)]


@pytest.mark.parametrize("together", [True, False])
def test_they_leave_together_only_if_they_are_ruled_one(split_people: People, together: bool) -> None:
    workspace = split_people.town.workspace
    entity = homes(workspace)[STAYS]
    address = f"/entities/{entity}/preview?record={OUT[0]}&record={OUT[1]}&together={'yes' if together else 'no'}"
    foretold = split_people["auditor"].open(address).text
    assert ("新编号 2" in foretold) is not together
    assert "立即生效" in take_out(split_people, together="yes" if together else "no").text
    for _ in range(2):
        found = homes(workspace)
        assert (found[OUT[0]] == found[OUT[1]]) is together
        assert found[STAYS] not in (found[OUT[0]], found[OUT[1]])
        run_month(
            open_workspace(workspace.root), entities=None, language=None, now=split_people.clock.now, console=QUIET
        )
    shown = split_people["auditor"].open("/decisions/1").text
    assert ("它们是同一个别的主体" in shown) is together
    auditor = split_people["auditor"]
    assert "已撤销" in auditor.send("/decisions/1/undo", auditor.open("/decisions/1"), note="有误").text
    assert len({homes(workspace)[record] for record in (*OUT, STAYS)}) == 1


def test_the_page_asks_and_shows_the_effect_of_either_answer(
    browser: Any, made_split_town: Town, tmp_path: Path
) -> None:
    workspace = copied(made_split_town.workspace, tmp_path / "workspace")
    with Running(Town(workspace, made_split_town.tokens)) as desk:
        seat = Seat(browser, desk, "auditor")
        seat.go(f"/entities/{homes(workspace)[STAYS]}")
        page = seat.page
        for record in OUT:
            page.check(f"input[value='{record}']")
        page.wait_for_selector("#split-preview .effect-problem")
        assert "同一个别的主体" in page.inner_text("#split-preview")
        page.check("input[name=together][value=no]")
        page.wait_for_selector("#split-preview:has-text('新编号 2')")
        page.check("input[name=together][value=yes]")
        page.wait_for_selector("#split-preview:not(:has-text('新编号 2'))")
        assert "新编号 1" in page.inner_text("#split-preview")
        assert seat.grave() == []
        page.select_option("#reason", "number_misused")
        page.click("#split button.main")
        page.wait_for_selector(".note.good")
        found = homes(workspace)
        assert found[OUT[0]] == found[OUT[1]] != found[STAYS]
        assert seat.said == []
