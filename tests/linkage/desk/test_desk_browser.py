"""The desk in a real browser: a case from sign-in to undo, with the mouse and with keys alone; accessibility."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_browser import AXE, Running, Seat
from desk_town import Town
from desk_visits import case_of
from small_district import ask, copied


@pytest.fixture
def desk(made_town: Town, tmp_path: Path) -> Iterator[Running]:
    with Running(Town(copied(made_town.workspace, tmp_path / "workspace"), made_town.tokens)) as running:
        yield running


def test_the_vendored_checker_is_the_one_listed_and_its_licence_is_kept() -> None:
    listed = (AXE.parent / "VERSIONS.tsv").read_text("utf-8").splitlines()[-1].split("\t")
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == listed[-1]
    assert "Mozilla Public License" in (AXE.parent / "LICENSE.axe-core.txt").read_text("utf-8")


def homes(desk: Running) -> dict[str, str]:
    rows = ask(desk.town.workspace.catalog, "select source || ':' || source_record_id, entity_id from record_link")
    return {str(record): str(entity) for record, entity in rows}


def test_a_case_from_sign_in_to_undo(browser: Any, desk: Running) -> None:
    before = homes(desk)
    first, second = Seat(browser, desk, "auditor"), Seat(browser, desk, "second")
    case = case_of(desk, "register:P3", "residents:R3")
    page = first.page
    page.select_option("#f-entity", "natural_person")
    page.select_option("#f-topic", "grey_zone")
    page.click("text=筛选")
    page.click(f"a[href='/review/cases/{case}']")
    first.effects()
    assert "并入" in page.inner_text(".choice:has(input[value=same]) .preview")
    heights = page.eval_on_selector_all(".sides tbody tr", "rows => rows.map(row => row.offsetHeight)")
    assert len(heights) >= 4
    assert min(heights) > 15  # no field is hidden, also not one that differs where it is masked
    page.check("input[value=same]")
    page.select_option("#reason", "document_seen")
    page.fill("#note", "已核对户口簿")
    page.click("text=提交裁定")
    page.wait_for_selector(".note.good")
    assert homes(desk) == before

    second.go(f"/cases/{case}")
    second.effects()
    assert "已核对户口簿" not in second.page.content()
    second.page.check("input[value=same]")
    second.page.select_option("#reason", "source_confirmed")
    second.page.click("text=提交裁定")
    second.page.wait_for_selector("text=立即生效")
    assert "已核对户口簿" in second.page.content()
    merged = homes(desk)
    assert merged["register:P3"] == merged["residents:R3"]

    page.goto(f"{desk.address}/review/entities/{before['residents:R3']}")
    assert merged["register:P3"] in page.inner_text("main")
    assert page.locator("input[name=record_id]").count() == 2
    page.locator("input[name=record_id]").first.check()
    page.wait_for_selector("#split-preview .effect, #split-preview .effect-problem")

    first.go("/decisions/1")
    first.effects()
    assert "新编号" in page.inner_text(".undo .preview")
    page.fill("#undo-note", "户口簿系伪造")
    page.click("text=撤销裁定")
    page.wait_for_selector("text=已撤销")
    after = homes(desk)
    assert after["register:P3"] != after["residents:R3"]
    kinds = [{frozenset(r for r in h if h[r] == e) for e in h.values()} for h in (before, after)]
    assert kinds[0] == kinds[1]  # who is with whom is as it was
    for seat in (first, second):
        assert seat.said == []
        assert all(url.startswith((desk.address, "data:")) for url in seat.asked)


def test_the_same_with_the_keyboard_alone(browser: Any, desk: Running) -> None:
    seat = Seat(browser, desk, "auditor")
    page, keys = seat.page, seat.page.keyboard
    keys.press("j")
    keys.press("j")
    keys.press("k")
    marked = page.evaluate("document.activeElement.getAttribute('href')")
    assert marked == page.get_attribute(".queue .marked .case-link", "href")
    keys.press("Enter")
    page.wait_for_url("**/cases/*")
    seat.effects()
    assert page.locator("[data-toggle-read]").count() == 0  # what a masked value was read as is masked as well
    page.focus("#purpose")
    keys.type("异议核查")
    keys.press("Enter")
    page.wait_for_selector(".masked.shown")
    seat.effects()
    assert not page.is_visible(".read")
    keys.press("s")
    assert page.get_attribute("[data-toggle-read]", "aria-pressed") == "true"
    assert page.is_visible(".read")
    keys.press("2")
    assert page.is_checked("input[value=different]")
    keys.press("r")
    assert page.evaluate("document.activeElement.id") == "reason"
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.type("键盘录入 123")  # digits in a text choose no ruling
    assert page.is_checked("input[value=different]")
    keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector("text=立即生效")
    keys.press("q")
    page.wait_for_selector("[data-queue]")
    keys.press("/")
    keys.type("LP0000000011")
    keys.press("Enter")
    page.wait_for_selector(".found")
    keys.press("Escape")
    page.evaluate("document.activeElement.blur()")
    keys.press("?")
    assert page.is_visible("#keys")
    keys.press("Escape")
    assert not page.is_visible("#keys")
    assert seat.said == []


@pytest.mark.parametrize("width", [1280, 820])
def test_no_page_has_grave_barriers_or_scrolls_sideways(browser: Any, desk: Running, width: int) -> None:
    seat = Seat(browser, desk, "lead", width=width)
    case = case_of(desk, "register:P3", "residents:R3")
    paths = ["/", f"/cases/{case}", "/entities/LP0000000011", "/dashboard", "/decisions", "/trail", "/trail/verify"]
    if width == 820:
        paths = [f"{path}?lang=en" for path in paths[:4]]
    for path in paths:
        seat.go(path)
        if "/cases/" in path:
            seat.effects()
        assert seat.grave() == [], path
        assert seat.page.evaluate("document.documentElement.scrollWidth") <= width, path
    if width == 1280:
        seat.go(f"/cases/{case}")
        seat.page.check("input[value=different]")
        seat.page.select_option("#reason", "review")
        seat.page.click("text=提交裁定")
        seat.page.wait_for_selector(".note.good")
        assert seat.grave() == []
        seat.go("/decisions/1")
        seat.effects()
        assert seat.grave() == []
    seat.page.click("text=Sign out" if width == 820 else "text=退出")
    seat.page.wait_for_selector("#token")
    assert seat.grave() == []
    assert seat.said == []
