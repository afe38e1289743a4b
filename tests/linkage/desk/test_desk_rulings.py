"""A ruling at the desk: what it would change, what it changes, who must agree, and how it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from desk_town import QUIET, Town
from desk_visits import People, case_of
from small_district import ask, catalog_content

import linkage.at_once.resolve
import linkage.commands.decide
from golden_records.catalog.store import open_catalog
from golden_records.opinions import broken_opinions
from golden_records.review_trail import broken_deeds
from linkage.at_once.resolve import NotAtOnceError
from linkage.commands.monthly import run_month
from linkage.commands.verify import verify
from linkage.workspace import locked, open_workspace

GREY = ("register:P3", "residents:R3")
CONFLICT = ("register:P2", "residents:R2")


def home(people: People, record: str) -> str:
    source, _, key = record.partition(":")
    (row,) = ask(
        people.town.workspace.catalog,
        "select entity_id from record_link where source = ? and source_record_id = ?",
        (source, key),
    )
    return str(row[0])


def state(people: People, case: str) -> str:
    (row,) = ask(people.town.workspace.catalog, "select state from review_queue where case_id = ?", (case,))
    return str(row[0])


def decisions(people: People) -> list[tuple[int, str]]:
    return ask(
        people.town.workspace.catalog,
        "select d.decision_id, (select event from decision_event e where e.decision_id = d.decision_id "
        "order by event_id desc limit 1) from decision d order by 1",
    )


def test_two_people_agree_and_the_entities_are_one_at_once_until_it_is_undone(people: People) -> None:
    before = catalog_content(people.town.workspace.catalog)
    case = case_of(people, *GREY)
    first = people["auditor"].rule(case, "same", note="派出所回函已核对")
    assert "须由另一人复核" in first.text
    assert state(people, case) == "waiting"
    assert catalog_content(people.town.workspace.catalog) == before

    page = people["second"].open(f"/cases/{case}")
    assert "请您独立判断" in page.text
    assert "派出所回函" not in page.text
    assert "周审核" not in page.text.split("引擎为何犹豫")[0]
    for path in (f"/cases/{case}/trail", f"/cases/{case}/trail?export=1", "/decisions"):
        told = people["second"].open(path).text
        assert not [word for word in ("同一主体", '"same"', "已查验证件", "派出所") if word in told], path
    told = people["second"].open("/decisions/1").text
    assert "派出所" not in told
    assert "裁定 1：同一主体" not in told.replace(" ：", "：")
    foretold = people["second"].open(f"/cases/{case}/preview?ruling=same&fragment=1").text
    kept, gone = home(people, GREY[0]), home(people, GREY[1])
    assert f"{kept} 保留 ：1 → 2 条记录" in foretold
    assert f"{gone} 并入 {kept}" in foretold
    second = people["second"].rule(case, "same", reason="source_confirmed")
    assert "立即生效" in second.text
    assert "派出所回函已核对" in second.text  # now that the second has spoken
    assert home(people, GREY[0]) == home(people, GREY[1]) == kept

    entity = people["auditor"].open(f"/entities/{gone}")
    assert f"由 {gone} 指向这里" in entity.text
    assert "裁定 1" in entity.text
    assert "1 条记录" not in people["auditor"].open(f"/entities/{kept}?release=1").text.split("记录 (")[1][:3]

    undone = people["auditor"].send("/decisions/1/undo", people["auditor"].open("/decisions/1"), note="证件系伪造")
    assert "已撤销" in undone.text
    assert home(people, GREY[0]) != home(people, GREY[1])
    assert [check.name for check in verify(people.town.workspace) if not check.holds] == []


def test_what_a_ruling_changes_is_what_the_page_said_it_would(people: People) -> None:
    workspace = people.town.workspace
    case = case_of(people, *CONFLICT)
    lead = people["lead"]
    said = lead.open(f"/cases/{case}/preview?ruling=different&fragment=1").text
    assert "主体不变" in said
    done = lead.rule(case, "different", reason="number_misused")
    assert "立即生效" in done.text
    assert state(people, case) == "ruled"
    assert ask(workspace.catalog, "select count(*) from release where cause = 'decision'") == [(0,)]
    assert "现行裁定" in lead.open(f"/cases/{case}").text


def test_a_ruling_holds_in_the_next_run(people: People) -> None:
    workspace = people.town.workspace
    case = case_of(people, *GREY)
    people["auditor"].rule(case, "same")
    people["second"].rule(case, "same")
    assert home(people, GREY[0]) == home(people, GREY[1])
    later = people.clock.now + timedelta(days=1)
    assert run_month(workspace, entities=None, language=None, now=later, console=QUIET, full=True) == 0
    assert home(people, GREY[0]) == home(people, GREY[1])
    assert case not in people["auditor"].open("/?state=all").cases() or state(people, case) == "ruled"


def test_nobody_confirms_their_own_ruling(people: People) -> None:
    case = case_of(people, *GREY)
    people["auditor"].rule(case, "same")
    page = people["auditor"].open(f"/cases/{case}")
    assert "等待第二人复核" in page.text
    refused = people["auditor"].rule(case, "same", page=page)
    assert refused.status == 403
    assert "须由另一人复核" in refused.text
    assert decisions(people) == [(1, "proposed")]


def test_two_people_differ_and_a_lead_auditor_settles_it(people: People) -> None:
    case = case_of(people, *GREY)
    people["auditor"].rule(case, "same", note="第一人的理由")
    differed = people["second"].rule(case, "different", note="第二人的理由")
    assert "意见不同" in differed.text
    assert "第一人的理由" in differed.text
    assert state(people, case) == "disputed"
    assert people["auditor"].open("/").cases()[0] == case  # disputes come first
    again = people["second"].rule(case, "same")
    assert again.status == 403
    page = people["lead"].open(f"/cases/{case}")
    assert "请您裁决" in page.text
    assert "第二人的理由" in page.text
    settled = people["lead"].rule(case, "different", page=page, reason="twin_or_relative")
    assert "立即生效" in settled.text
    assert decisions(people) == [(1, "revoked"), (2, "activated")]
    rows = ask(people.town.workspace.catalog, "select part, ruling from review_opinion order by opinion_id")
    assert rows == [("first", "same"), ("second", "different"), ("settling", "different")]
    board = people["lead"].open("/dashboard").text
    assert "0 / 1" in board  # of one case that two people looked at, none was seen the same


def test_cannot_tell_is_kept_and_moves_the_case_back(people: People) -> None:
    case = case_of(people, *CONFLICT)
    assert people["auditor"].open("/").cases()[0] == case
    done = people["auditor"].rule(case, "cannot_tell", reason="other")
    assert "无法判断" in done.text
    assert state(people, case) == "undecided"
    assert decisions(people) == []
    assert case in people["auditor"].open("/?state=undecided").cases()
    assert case not in people["auditor"].open("/?state=open").cases()
    people["second"].rule(case, "different")
    assert state(people, case) == "ruled"


def test_the_later_of_two_on_one_case_is_told_and_overwrites_nothing(people: People) -> None:
    case = case_of(people, *GREY)
    page = people["second"].open(f"/cases/{case}")
    people["auditor"].rule(case, "different")
    late = people["second"].rule(case, "same", page=page, note="我的说明")
    assert late.status == 409
    assert "没有覆盖任何内容" in late.text
    assert "周审核" in late.text
    assert "我的说明" in late.html
    assert decisions(people) == [(1, "activated")]


def test_a_form_sent_twice_counts_once(people: People) -> None:
    case = case_of(people, *GREY)
    page = people["auditor"].open(f"/cases/{case}")
    people["auditor"].rule(case, "different", page=page)
    again = people["auditor"].rule(case, "different", page=page)
    assert again.status == 200
    assert "没有重复写入" in again.text
    assert decisions(people) == [(1, "activated")]
    assert ask(people.town.workspace.catalog, "select count(*) from review_opinion") == [(1,)]


def test_a_case_that_was_dissolved_meanwhile_is_told_and_takes_no_ruling(people: People) -> None:
    case, other = case_of(people, "register:P4", "residents:R4"), case_of(people, "register:P4", "residents:R5")
    page = people["auditor"].open(f"/cases/{case}")
    people["second"].rule(case, "same")
    people["lead"].rule(case, "same")
    late = people["auditor"].rule(case, "different", page=page)
    assert late.status == 410
    assert "没有写入任何内容" in late.text
    assert "案件已不存在" in people["auditor"].open(f"/cases/{case}").text
    assert people["auditor"].open(f"/cases/{other}").status == 200


def test_a_ruling_that_contradicts_others_is_refused_with_the_ones_it_contradicts(people: People) -> None:
    one, two, three = (
        case_of(people, left, right)
        for left, right in (
            ("register:P4", "residents:R4"),
            ("residents:R4", "residents:R5"),
            ("register:P4", "residents:R5"),
        )
    )
    people["auditor"].rule(three, "different")
    for case in (one,):
        people["auditor"].rule(case, "same")
        people["second"].rule(case, "same")
    foretold = people["auditor"].open(f"/cases/{two}/preview?ruling=same&fragment=1").text
    assert "矛盾" in foretold
    refused = people["auditor"].rule(two, "same")
    assert refused.status == 422
    assert "请先撤销其中之一" in refused.text
    assert "/review/decisions/1" in refused.html
    assert len(decisions(people)) == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"note": "长" * 100_000}, "最多 2,000"),
        ({"reason": "because"}, "理由“because”不可用；可用的有："),
        ({"reason": ""}, "请从列表中选择理由"),
        ({"ruling": "maybe"}, "请先选择一个结论"),
        ({"ruling": ""}, "请先选择一个结论"),
        ({"ruling": "not_here"}, "结论“not_here”不可用；可用的有：same、different"),
        ({"request_key": "short"}, "表单不完整"),
    ],
)
def test_a_form_that_cannot_be_taken_is_refused_in_words(people: People, fields: dict[str, str], said: str) -> None:
    case = case_of(people, *GREY)
    page = people["auditor"].open(f"/cases/{case}")
    values = {"ruling": "different", "reason": "review", **fields}
    answer = people["auditor"].send(f"/cases/{case}/rule", page, **values)
    assert answer.status in (409, 422)
    assert said in answer.text
    assert decisions(people) == []


def test_a_note_with_marks_is_text(people: People) -> None:
    case = case_of(people, *GREY)
    done = people["auditor"].rule(case, "different", note="<b onclick=alert(1)>粗</b>")
    assert "<b onclick" not in done.html
    assert "<b onclick=alert(1)>粗</b>" in done.text


def test_only_its_author_and_a_lead_auditor_undo_a_ruling_and_they_say_why(people: People) -> None:
    case = case_of(people, *GREY)
    people["auditor"].rule(case, "different")
    page = people["second"].open("/decisions/1")
    assert people["second"].send("/decisions/1/undo", page, note="不同意").status == 403
    mine = people["auditor"].open("/decisions/1")
    assert "请写明原因" in people["auditor"].send("/decisions/1/undo", mine, note=" ").text
    assert "已撤销" in people["lead"].send("/decisions/1/undo", people["lead"].open("/decisions/1"), note="重查").text
    again = people["lead"].send("/decisions/1/undo", people["lead"].open("/decisions/1"), note="重查")
    assert again.status == 409
    assert state(people, case) == "open"


def test_a_record_is_split_off_its_entity_as_foretold(people: People) -> None:
    auditor = people["auditor"]
    entity = home(people, "tax:T1")
    page = auditor.open(f"/entities/{entity}")
    none = auditor.send(f"/entities/{entity}/split", page, ruling="different", reason="review")
    assert none.status == 422
    assert "至少选一条" in none.text
    said = auditor.open(f"/entities/{entity}/preview?record=tax:T1&fragment=1").text
    assert "新编号" in said
    assert f"{entity} 保留 ：2 → 1 条记录" in said
    page = auditor.open(f"/entities/{entity}")
    done = auditor.send(f"/entities/{entity}/split", page, ruling="different", reason="review", record_id="tax:T1")
    assert "立即生效" in done.text
    assert home(people, "tax:T1") != home(people, "market:M1") == entity
    stale = auditor.send(
        f"/entities/{entity}/split", page, ruling="different", reason="review", record_id="tax:T1", request_key="n" * 32
    )
    assert stale.status == 409
    board = people["lead"].open("/dashboard").text
    assert "0 / 1" in board  # a link of the engine's own, refuted


def test_what_cannot_be_applied_now_is_kept_and_said(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotAtOnceError("not in this test")

    case = case_of(people, *GREY)
    monkeypatch.setattr(linkage.commands.decide, "resolve_decisions", refuse)
    done = people["auditor"].rule(case, "different")
    assert "下次运行时生效" in done.text
    assert decisions(people) == [(1, "activated")]


def test_why_an_effect_cannot_be_told_is_said_in_chinese(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkage.at_once.resolve, "resolver", lambda *_: "another")
    page = people["auditor"].open(f"/entities/{home(people, 'tax:T1')}/preview?record=tax:T1&fragment=1").text
    assert "现在算不出影响（上次运行所用的程序、配置或模型与现在不同）" in page


def test_while_a_run_is_at_work_a_ruling_is_kept_for_it(people: People) -> None:
    case = case_of(people, *GREY)
    with locked(people.town.workspace, now=people.clock.now, what="run"):
        done = people["auditor"].rule(case, "different")
    assert "下次运行时生效" in done.text
    assert decisions(people) == [(1, "activated")]


def test_without_the_last_runs_records_nobody_can_rule(people: People) -> None:
    case = case_of(people, *GREY)
    people.town.workspace.batch.unlink()
    page = people["auditor"].open(f"/cases/{case}")
    assert page.status == 200
    assert "现在读不到记录" in page.text
    assert "提交裁定" not in page.text


def test_the_trail_tells_who_saw_and_who_ruled_on_which_evidence(people: People) -> None:
    case = case_of(people, *GREY)
    people["auditor"].rule(case, "different")
    people["second"].open(f"/cases/{case}")
    people["lead"].open(f"/cases/{case}")
    page = people["lead"].open(f"/cases/{case}/trail")
    assert "周审核" in page.text
    exported = people["lead"].client.get(f"/review/cases/{case}/trail?export=1")
    assert exported.headers["content-disposition"].startswith("attachment")
    period = people["lead"].client.get("/review/trail?export=1").text
    assert '"action": "ruled"' in period
    rows = ask(
        people.town.workspace.catalog,
        "select action, evidence_hash, release, detail from review_trail where case_id = ? order by entry_id",
        (case,),
    )
    assert [row[0] for row in rows] == ["ruled", "exported"]
    assert len(rows[0][1]) == 64
    assert rows[0][2] == 1
    assert "刘宇航" not in rows[0][3]
    assert '"levels"' in rows[0][3]
    whole = people["lead"].open("/trail/verify").text
    assert "所有链条完整" in whole
    with open_catalog(people.town.workspace.catalog) as catalog:
        catalog.execute("drop trigger review_trail_refuses_update")
        catalog.execute("update review_trail set actor = '别人' where action = 'ruled'")
        assert broken_deeds(catalog)
        assert not broken_opinions(catalog)
    broken = people["lead"].open("/trail/verify").text
    assert "被改动" in broken
    assert "review_trail" in broken


def test_of_two_at_the_same_moment_one_rules_and_the_other_is_told(people: People) -> None:
    case = case_of(people, *GREY)
    pages = {name: people[name].open(f"/cases/{case}") for name in ("auditor", "second")}
    rulings = {"auditor": "different", "second": "cannot_tell"}
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda name: people[name].rule(case, rulings[name], page=pages[name]), rulings))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert ask(people.town.workspace.catalog, "select count(*) from review_opinion") == [(1,)]


@pytest.fixture
def careful(town: Town) -> Iterator[People]:
    """A town in which two people must agree before a record leaves an entity."""
    settings = town.workspace.root / "guiyi.toml"
    settings.write_text(settings.read_text("utf-8").replace('["same"]', '["same", "not_here"]'), "utf-8")
    with People(Town(open_workspace(town.workspace.root), town.tokens)) as people:
        yield people


def split_off(people: People) -> str:
    entity = home(people, "tax:T1")
    page = people["auditor"].open(f"/entities/{entity}")
    fields = {"ruling": "different", "reason": "review", "note": "第一人的话", "record_id": "tax:T1"}
    assert "须由另一人复核" in people["auditor"].send(f"/entities/{entity}/split", page, **fields).text
    assert home(people, "tax:T1") == entity
    return entity


def test_a_split_waits_for_a_second_person_where_the_workspace_says_so(careful: People) -> None:
    entity = split_off(careful)
    page = careful["second"].open("/decisions/1")
    assert "请您独立判断" in page.text
    assert "第一人的话" not in page.text
    done = careful["second"].send("/decisions/1/second", page, ruling="not_here", reason="typing_error")
    assert "立即生效" in done.text
    assert "第一人的话" in done.text
    assert home(careful, "tax:T1") != entity


def test_a_split_that_two_people_see_differently_is_settled(careful: People) -> None:
    entity = split_off(careful)
    page = careful["second"].open("/decisions/1")
    differed = careful["second"].send("/decisions/1/second", page, ruling="same", reason="typing_error")
    assert "意见不同" in differed.text
    page = careful["lead"].open("/decisions/1")
    assert "请您裁决" in page.text
    settled = careful["lead"].send("/decisions/1/second", page, ruling="same", reason="source_confirmed")
    assert "已撤销" in settled.text
    assert decisions(careful) == [(1, "revoked")]
    assert home(careful, "tax:T1") == entity
