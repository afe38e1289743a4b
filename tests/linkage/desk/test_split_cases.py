"""A proposal to split an entity: both halves are shown, and what people rule sticks."""

from __future__ import annotations

import json

from desk_town import QUIET
from desk_visits import People
from small_district import ask

from linkage.commands.monthly import run_month
from linkage.commands.verify import verify
from linkage.workspace import open_workspace

NUMBER = "222424200908281271"  # of all three


def proposal(people: People) -> tuple[str, str, str, str]:
    (row,) = ask(
        people.town.workspace.catalog,
        "select case_id, left_record_id, right_record_id, detail from review_case where kind = 'split_proposed'",
    )
    return row  # type: ignore[return-value]


def homes(people: People) -> dict[str, str]:
    rows = ask(
        people.town.workspace.catalog,
        "select source || ':' || source_record_id, entity_id from record_link where source_record_id in "
        "('P3', 'S1', 'S2')",
    )
    return dict(rows)  # type: ignore[arg-type]


def test_the_halves_stand_on_the_page_and_in_the_queue_under_their_own_kind(split_people: People) -> None:
    case, left, right, detail = proposal(split_people)
    assert (left, right) == ("register:P3", "residents:S2")
    assert len(set(homes(split_people).values())) == 1
    leaving = json.loads(detail)["right"]
    assert right in leaving
    assert left not in leaving
    assert case in split_people["auditor"].open("/?topic=split_proposed").cases()
    page = split_people["auditor"].open(f"/cases/{case}")
    assert "拆分建议" in page.text
    one, other = page.html.split("右半")[0].split("左半")[1], page.html.split("右半")[1].split("</article>")[0]
    assert left in one
    assert left not in other
    assert all(record in other for record in leaving)
    assert "拆开：两半是两个主体" in page.text
    assert "保持一体" in page.text
    assert NUMBER not in page.html


def test_split_parts_the_halves_at_once_and_in_the_next_run_and_undoing_joins_them_again(split_people: People) -> None:
    case, left, right, _ = proposal(split_people)
    told = split_people["auditor"].open(f"/cases/{case}/preview?ruling=different&fragment=1").text
    assert "保留" in told
    ruled = split_people["auditor"].rule(case, "different", reason="number_misused")
    assert "立即生效" in ruled.text
    assert homes(split_people)[left] != homes(split_people)[right]
    assert ask(
        split_people.town.workspace.catalog, "select count(*) from review_case where kind = 'split_proposed'"
    ) == [(0,)]
    parted = homes(split_people)
    workspace = open_workspace(split_people.town.workspace.root)
    assert run_month(workspace, entities=None, language=None, now=split_people.clock.now, console=QUIET) == 0
    assert homes(split_people) == parted
    assert [check.name for check in verify(workspace) if not check.holds] == []
    undone = split_people["auditor"].send(
        "/decisions/1/undo", split_people["auditor"].open("/decisions/1"), note="核对有误"
    )
    assert "已撤销" in undone.text
    assert len(set(homes(split_people).values())) == 1
    assert proposal(split_people)[0] == case


def test_keep_together_is_not_asked_again_by_a_full_run(split_people: People) -> None:
    case, *_ = proposal(split_people)
    split_people["auditor"].rule(case, "same", reason="document_seen")
    second = split_people["second"].rule(case, "same", reason="source_confirmed")
    assert "立即生效" in second.text
    assert len(set(homes(split_people).values())) == 1
    none = "select count(*) from review_case where kind in ('split_proposed', 'conflict') and left_record_id like '%P3'"
    assert ask(split_people.town.workspace.catalog, none) == [(0,)]
    workspace = open_workspace(split_people.town.workspace.root)
    assert run_month(workspace, entities=None, language=None, now=split_people.clock.now, console=QUIET, full=True) == 0
    assert ask(split_people.town.workspace.catalog, none) == [(0,)]
    assert len(set(homes(split_people).values())) == 1
    assert "已裁定" in split_people["auditor"].open(f"/cases/{case}").text


def test_a_page_from_before_a_record_joined_a_half_changes_nothing(split_people: People) -> None:
    case, _, right, _ = proposal(split_people)
    page = split_people["auditor"].open(f"/cases/{case}")
    taken_out = split_people["auditor"].rule(case, "not_here", record=right, reason="number_misused")
    assert "立即生效" in taken_out.text
    late = split_people["auditor"].rule(case, "different", page=page)
    assert late.status in (409, 410)
    assert len(ask(split_people.town.workspace.catalog, "select * from decision")) == 1
