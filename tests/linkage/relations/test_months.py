"""Relations in monthly runs: published with every run, true to their ends, shown and verified."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from small_district import NOW, Guiyi, ask, copied

from linkage.commands.console import Console
from linkage.commands.monthly import run_month
from linkage.fields import Entity
from linkage.workspace import Workspace

CONTENT = "select * from relation order by entity_id, relation, other_entity_id"


def run_one(workspace: Workspace, entity: Entity) -> None:
    assert run_month(workspace, entities=(entity,), language=None, now=NOW, console=Console(quiet=True)) == 0


def relations(workspace: Workspace) -> list[tuple[str, ...]]:
    return [row[:-1] for row in ask(workspace.catalog, CONTENT)]


def kinds(workspace: Workspace) -> dict[str, int]:
    return dict(ask(workspace.catalog, "select relation, count(*) from relation group by relation"))


def loose_ends(workspace: Workspace) -> int:
    ((broken,),) = ask(
        workspace.catalog,
        """
select count(*)
from relation r
where not exists (
    select 1 from natural_person n where n.entity_id = r.entity_id
    union all select 1 from legal_person l where l.entity_id = r.entity_id
) or not exists (select 1 from legal_person l where l.entity_id = r.other_entity_id)""",
    )
    return int(broken)


def test_a_run_publishes_relations_of_every_kind_it_can_find(second_month: Workspace) -> None:
    found = kinds(second_month)
    assert {"legal_representative_of", "operator_of", "branch_of", "employed_by"} <= set(found)
    assert found["legal_representative_of"] > 40
    assert loose_ends(second_month) == 0
    report = json.loads((second_month.runs / "release-0002" / "report.json").read_text("utf-8"))
    told: dict[str, int] = {}
    for one in report["relations"]:
        told[one["relation"]] = told.get(one["relation"], 0) + one["count"]
    assert told == found
    assert {one["reason"] for one in report["unresolved"]} <= {"name_only", "ambiguous", "name_contradicts"}


def test_a_run_without_news_changes_no_relation(second_month: Workspace, tmp_path: Path) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    run_month(workspace, entities=None, language=None, now=NOW, console=Console(quiet=True))
    assert ask(workspace.catalog, CONTENT) == ask(second_month.catalog, CONTENT), "since_release included"


@pytest.mark.parametrize("entity", ["legal_person", "natural_person"])
def test_a_run_of_one_entity_type_derives_the_same_relations(
    second_month: Workspace, tmp_path: Path, entity: Entity
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    run_one(workspace, entity)
    assert relations(workspace) == relations(second_month)


@pytest.mark.parametrize("entity", ["legal_person", "natural_person"])
def test_without_the_others_tables_a_run_of_one_type_takes_its_relations_over(
    second_month: Workspace, tmp_path: Path, entity: Entity
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    workspace.batch.unlink()
    run_one(workspace, entity)
    assert kinds(workspace) == kinds(second_month)
    assert loose_ends(workspace) == 0


def test_after_a_rollback_the_other_types_tables_are_not_trusted(
    second_month: Workspace, guiyi: Guiyi, tmp_path: Path
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    assert guiyi("rollback", workspace.root, 1).code == 0
    run_one(workspace, "legal_person")
    assert loose_ends(workspace) == 0
    assert guiyi("verify", workspace.root).code == 0


def test_verify_finds_a_relation_whose_end_is_gone(second_month: Workspace, guiyi: Guiyi, tmp_path: Path) -> None:
    assert guiyi("verify", second_month.root).code == 0
    workspace = copied(second_month, tmp_path / "workspace")
    with sqlite3.connect(workspace.catalog) as con:
        con.execute("update relation set other_entity_id = entity_id where relation = 'branch_of'")
    done = guiyi("verify", workspace.root, "--json")
    broken = {check["name"] for check in done.data["checks"] if check["broken"]}
    assert "relation_fits_its_ends" in broken


def one_of(workspace: Workspace, relation: str) -> tuple[str, str]:
    query = "select entity_id, other_entity_id from relation where relation = ? order by 1, 2"
    return ask(workspace.catalog, query, [relation])[0]


def test_resolve_names_both_ends_and_masks_the_person(second_month: Workspace, guiyi: Guiyi) -> None:
    person, firm = one_of(second_month, "legal_representative_of")
    ((name,),) = ask(second_month.catalog, "select name from natural_person where entity_id = ?", [person])
    ((firm_name,),) = ask(second_month.catalog, "select name from legal_person where entity_id = ?", [firm])
    of_firm = guiyi("resolve", second_month.root, firm, "--json").data["relations"]
    shown = next(one for one in of_firm if one["entity_id"] == person and one["direction"] == "from")
    assert shown["relation"] == "legal_representative_of"
    assert shown["name"][0] == name[0]
    assert "*" in shown["name"]
    of_person = guiyi("resolve", second_month.root, person, "--json").data["relations"]
    assert firm_name in {one["name"] for one in of_person if one["direction"] == "to"}
    printed = guiyi("resolve", second_month.root, person).out
    assert "→ legal_representative_of" in printed
    assert firm_name in printed


def test_explain_tells_relations_with_their_releases(second_month: Workspace, guiyi: Guiyi) -> None:
    person, firm = one_of(second_month, "legal_representative_of")
    page = guiyi("explain", second_month.root, firm)
    assert "与其他主体的关系" in page.out
    assert person in page.out
    ((name,),) = ask(second_month.catalog, "select name from natural_person where entity_id = ?", [person])
    assert name not in guiyi("explain", second_month.root, person, "--lang", "en").out
    stays = guiyi("explain", second_month.root, firm, "--json").data["relations"]
    assert {"entity_id": person, "other_entity_id": firm, "until": None}.items() <= next(
        stay for stay in stays if stay["entity_id"] == person
    ).items()


def test_a_relation_that_no_record_says_any_more_is_told_as_past(second_month: Workspace, guiyi: Guiyi) -> None:
    past = ask(
        second_month.catalog,
        """
select h.entity_id, h.other_entity_id
from relation_history h
where not exists (
    select 1 from relation r
    where r.entity_id = h.entity_id and r.relation = h.relation and r.other_entity_id = h.other_entity_id
)
order by 1, 2""",
    )
    assert past, "in two months somebody changes"
    person, firm = past[0]
    stays = guiyi("explain", second_month.root, firm, "--json").data["relations"]
    (stay,) = [one for one in stays if one["entity_id"] == person]
    assert (stay["since"], stay["until"]) == (1, 2)
    assert "no longer said" in guiyi("explain", second_month.root, firm, "--lang", "en").out
