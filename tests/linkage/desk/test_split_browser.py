"""A proposal to split an entity in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk_browser import Running, Seat
from desk_town import Town
from small_district import ask, copied


@pytest.mark.parametrize("width", [1280, 820])
def test_both_halves_stand_side_by_side_and_split_parts_them(
    browser: Any, made_split_town: Town, tmp_path: Path, width: int
) -> None:
    workspace = copied(made_split_town.workspace, tmp_path / "workspace")
    with Running(Town(workspace, made_split_town.tokens)) as desk:
        (row,) = ask(workspace.catalog, "select case_id from review_case where kind = 'split_proposed'")
        seat = Seat(browser, desk, "auditor", width=width)
        seat.go(f"/cases/{row[0]}")
        seat.effects()
        page = seat.page
        boxes = [half.bounding_box() for half in page.query_selector_all(".halves article")]
        assert len(boxes) == 2
        assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2
        assert "新编号" in page.inner_text(".choice:has(input[value=different]) .preview")
        assert seat.grave() == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.keyboard.press("2")
        page.select_option("#reason", "number_misused")
        page.click(".ruling button.main")
        page.wait_for_selector(".note.good")
        assert "立即生效" in page.inner_text(".note.good")
        assert seat.said == []
        assert all(url.startswith(desk.address) for url in seat.asked)
