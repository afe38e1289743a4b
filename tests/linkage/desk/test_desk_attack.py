"""The desk under attack: hostile values, sessions that end in the middle, forms sent again, entities of any size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_browser import Running, Seat
from desk_town import FAR, HOME, RESIDENTS, Town, make_tokens, make_town
from desk_visits import People
from small_district import ask, copied

from golden_records.catalog.store import open_catalog
from linkage.review.meaning import MOST_SELECTED
from linkage.workspace import create_workspace

MARK = '深圳x"><img src=x onerror=document.title=1>科技有限公司'
ADDRESS = "javascript:document.title=1//贸易有限公司"
TURNED = "深圳市\u202e司公限有\u202c云汇贸易有限公司"
LONG = f"深圳市{'长' * 4000}有限公司"
MARKET = (
    ("M1", MARK, "91440300MA5KPW5G0T", "原小青", "13700001111", HOME, "2019-01-02"),
    ("M2", ADDRESS, "91440300MA5EQXL12Q", "原小青", "13700002222", FAR, "2018-05-06"),
    ("M3", TURNED, "", "张三", "13700003333", FAR, "2018-05-06"),
    ("M4", LONG, "", "李四", "13700004444", FAR, "2018-05-06"),
    ('M5"><b>x\u202e', MARK, "", "原小青", "", HOME, ""),
)
TAX = (
    ("T1", MARK, "91440300MA5KPW5G0T", "原小青", "13700001111", HOME, ""),
    ("T2", ADDRESS, "91440300MA5F12342Q", "原小青", "13700002222", FAR, ""),
)
HOSTILE = re.compile(r"<img src=x|<svg onload|<b>x|href=\"javascript|<script>|[\u202a-\u202e]")


@pytest.fixture(scope="module")
def hostile_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    residents = (*RESIDENTS, ("R8", "陈思<svg onload=document.title=1>", "", "1980-05-06", "男", "13900005678", HOME))
    root = tmp_path_factory.mktemp("hostile") / "workspace"
    return make_town(root, residents=residents, market=MARKET, tax=TAX)


@pytest.fixture
def hostile(hostile_town: Town, tmp_path: Path) -> Iterator[People]:
    workspace = copied(hostile_town.workspace, tmp_path / "workspace")
    with People(Town(workspace, hostile_town.tokens)) as found:
        yield found


def addresses(people: People) -> list[str]:
    catalog = people.town.workspace.catalog
    cases = [row[0] for row in ask(catalog, "select case_id from review_case")]
    entities = [row[0] for row in ask(catalog, "select distinct entity_id from record_link")]
    return [
        *("/", "/dashboard", "/decisions", "/decisions/1", "/trail", "/trail/verify"),
        *(f"/cases/{case}" for case in cases),
        *(f"/cases/{case}/trail" for case in cases),
        *(f"/cases/{case}/preview?ruling={kind}&fragment=1" for case in cases for kind in ("same", "different")),
        *(f"/entities/{entity}" for entity in entities),
    ]


def test_no_page_writes_a_value_as_anything_but_text_and_directions_of_writing_are_seen(hostile: People) -> None:
    case = ask(hostile.town.workspace.catalog, "select case_id from review_case where left_record_id = 'market:M2'")
    note = "</textarea><script>document.title=1</script>\u202e"
    assert hostile["auditor"].rule(case[0][0], "different", note=note).status == 200
    for path in addresses(hostile):
        page = hostile["lead"].open(path)
        # What a form sends back stands in its attribute as it is, escaped.
        html = re.sub(r' value="[^"<>]*"', "", page.html)
        assert (page.status, HOSTILE.findall(html)) == (200, []), path
    firm = ask(hostile.town.workspace.catalog, "select entity_id from record_link where source_record_id = 'M3'")[0][0]
    assert "深圳市⟨U+202E⟩司公限有⟨U+202C⟩云汇贸易有限公司" in hostile["lead"].open(f"/entities/{firm}").text


@pytest.mark.parametrize("asked", [MARK, ADDRESS, TURNED, "\x00", "\u202e", "' or 1=1 --", 'market:M5"><b>x', LONG])
def test_whatever_is_looked_for_is_a_page(hostile: People, asked: str) -> None:
    found = hostile["auditor"].search(asked)
    assert found.status == 200
    assert HOSTILE.findall(found.html) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?state=<script>&topic=%22><b>x&assignee=<i>&source=<script>", 200),
        ("/?after=nan|x&least_weight=nan&most_weight=inf&least_credit=1e11", 200),
        ("/?source=%00", 410),
        ("/cases/%00", 410),
        ("/entities/%00%ff", 410),
        ("/decisions/99999999999999999999999", 410),
        ("/entities/LP0000000011?release=99999999999999999999", 422),
        ("/cases/<script>?done=<script>", 410),
    ],
)
def test_an_address_that_means_nothing_is_told_on_a_page(hostile: People, path: str, status: int) -> None:
    page = hostile["auditor"].open(path)
    assert page.status == status
    assert HOSTILE.findall(page.html) == []


def test_a_form_that_comes_after_the_session_has_ended_writes_nothing_and_is_told_so(hostile: People) -> None:
    catalog = hostile.town.workspace.catalog
    case = ask(catalog, "select case_id from review_case order by 1")[0][0]
    auditor = hostile["auditor"]
    page = auditor.open(f"/cases/{case}")
    hostile.clock.now += timedelta(hours=9)
    late = auditor.rule(case, "different", page=page, note="写了很久")
    assert "刚才的表单没有写入任何内容" in late.text
    assert late.hidden("next") == f"/review/cases/{case}"
    assert ask(catalog, "select count(*) from decision") == [(0,)]
    auditor.client.post("/review/sign-in", data={"token": hostile.town.tokens["auditor"], "next": "/review/"})
    stale = auditor.rule(case, "different", page=page)
    assert stale.status == 403
    assert "表单不是由本页发出的" in stale.text
    assert ask(catalog, "select count(*) from decision") == [(0,)]


def test_an_entity_of_ten_thousand_records_is_a_page_and_too_many_at_once_are_refused_in_words(hostile: People) -> None:
    workspace = hostile.town.workspace
    entity = ask(workspace.catalog, "select entity_id from record_link where source_record_id = 'M1'")[0][0]
    with open_catalog(workspace.catalog) as catalog, catalog.writing():
        catalog.connection.executemany(
            "insert into record_link (source, source_record_id, entity_id, link_basis, probability, since_release) "
            "values ('market', ?, ?, 'identifier', 1.0, 1)",
            [(f"X{number:05}", entity) for number in range(10_000)],
        )
    page = hostile["auditor"].open(f"/entities/{entity}")
    assert page.status == 200
    many = [f"market:X{number:05}" for number in range(MOST_SELECTED + 1)]
    fields = {"ruling": "different", "reason": "review", "together": "yes", "record_id": many}
    refused = hostile["auditor"].send(f"/entities/{entity}/split", page, **fields)
    assert refused.status == 422
    assert f"一次最多 {MOST_SELECTED:,} 条" in refused.text


def test_before_the_first_release_the_desk_says_what_comes_first(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "workspace")
    with People(Town(workspace, make_tokens(workspace))) as people:
        page = people["lead"].signed_in
        assert page.status == 503
        assert "请先运行 guiyi run" in page.text


def test_in_a_browser_hostile_values_run_nothing_and_long_ones_do_not_push_the_page_aside(
    browser: Any, hostile_town: Town, tmp_path: Path
) -> None:
    workspace = copied(hostile_town.workspace, tmp_path / "workspace")
    with Running(Town(workspace, hostile_town.tokens)) as desk:
        seat = Seat(browser, desk, "lead")
        dialogs: list[str] = []
        seat.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        catalog = workspace.catalog
        wide = []
        for kind, rows in (
            ("cases", ask(catalog, "select case_id from review_case")),
            ("entities", ask(catalog, "select distinct entity_id from record_link where source = 'market'")),
        ):
            for (one,) in rows:
                seat.go(f"/{kind}/{one}")
                if kind == "cases":
                    seat.effects()
                assert seat.page.title() != "1"
                if not seat.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
                    wide.append(f"/{kind}/{one}")
        assert (wide, dialogs, seat.said) == ([], [], [])
        assert all(url.startswith(desk.address) for url in seat.asked)


def test_in_a_browser_going_back_and_sending_again_counts_once(
    browser: Any, hostile_town: Town, tmp_path: Path
) -> None:
    workspace = copied(hostile_town.workspace, tmp_path / "workspace")
    with Running(Town(workspace, hostile_town.tokens)) as desk:
        seat = Seat(browser, desk, "auditor")
        case = ask(workspace.catalog, "select case_id from review_case where left_record_id = 'market:M2'")[0][0]
        seat.go(f"/cases/{case}")
        seat.effects()
        page = seat.page
        for _ in range(2):
            page.check("input[value=different]")
            page.select_option("#reason", "review")
            page.dblclick(".ruling button.main")
            page.wait_for_selector("[role=status], [role=alert]")
            page.go_back()
            page.wait_for_selector(".ruling")
            if not page.is_enabled("input[value=different]"):
                break
        assert ask(workspace.catalog, "select count(*) from decision") == [(1,)]
