"""Explaining two records: the weights of the batch, the chain when they were not compared, and a person masked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from small_district import Guiyi, copied

from blocking.sql import quote
from linkage.commands import explain
from linkage.database import connect
from linkage.entity_config import load_entity_config
from linkage.standardise import standardise_row
from linkage.workspace import Workspace
from matchers.identifiers import resident_id

SHOWN = ("name", "id_number", "phone", "address", "household_address")
Query = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def explained(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the workspace, so that a command opening its batch database disturbs nobody."""
    return copied(second_month, tmp_path_factory.mktemp("explain") / "workspace")


def ask_batch(workspace: Workspace, query: str) -> Query:
    with connect(workspace.batch) as con:
        return con.execute(query).fetchall()


def pairs(workspace: Workspace, entity: str, condition: str, limit: int = 3) -> Query:
    """Return left record, right record, weight, verdict and rule of compared pairs."""
    shown = f"(select profile_id, min(record_id) as record_id from {quote(entity + '_profile_record')} group by 1)"
    return ask_batch(
        workspace,
        f"""
select a.record_id, b.record_id, j.match_weight, j.verdict, j.verdict_rule
from {quote(entity + "_judged")} j
join {shown} a on j.left_id = a.profile_id
join {shown} b on j.right_id = b.profile_id
where j.left_id < j.right_id and {condition}
order by j.left_id, j.right_id
limit {limit}""",
    )


def unlink(workspace: Workspace, entity: str) -> tuple[str, str]:
    """Make as if two records that a third links had not been compared, and return them."""
    judged, members = quote(entity + "_judged"), quote(entity + "_profile_record")
    with connect(workspace.batch) as con:
        ((left, right),) = con.execute(f"""
with linked as (
    select left_id as a, right_id as b from {judged} where verdict = 'auto' and left_id < right_id
    union
    select right_id, left_id from {judged} where verdict = 'auto' and left_id < right_id
)
select x.a, y.b
from linked x
join linked y on x.b = y.a
join linked z on z.a = x.a and z.b = y.b
where x.a < y.b
order by all
limit 1""").fetchall()
        con.execute(f"delete from {judged} where left_id = ? and right_id = ?", [left, right])
        records = [
            con.execute(f"select min(record_id) from {members} where profile_id = ?", [profile]).fetchall()[0][0]
            for profile in (left, right)
        ]
    return records[0], records[1]


@pytest.mark.parametrize("entity", ["natural_person", "legal_person"])
@pytest.mark.parametrize("verdict", ["auto", "review", "reject"])
def test_the_parts_add_up_to_the_weight_the_batch_gave(
    entity: str, verdict: str, explained: Workspace, guiyi: Guiyi
) -> None:
    checked = 0
    for left, right, weight, _, rule in pairs(explained, entity, f"j.verdict = '{verdict}'", limit=8):
        done = guiyi("explain", explained.root, left, right, "--json")
        assert (done.code, done.err) == (0, "")
        ((entities,),) = ask_batch(
            explained,
            f"select count(distinct entity_id) from {quote(entity + '_membership')} "
            f"where record_id in ('{left}', '{right}')",
        )
        assert done.data["one_entity"] == (entities == 1)
        assert verdict != "auto" or entities == 1
        for pair in done.data["pairs"]:
            parts = sum(c["weight"] + c["tf_adjustment"] for c in pair["comparisons"])
            assert pair["prior_weight"] + parts == pytest.approx(pair["total_weight"], abs=1e-9)
        if len(done.data["pairs"]) > 1:
            assert {pair["verdict"] for pair in done.data["pairs"]} == {"auto"}
            continue
        (pair,) = done.data["pairs"]
        assert pair["total_weight"] == pytest.approx(weight, abs=1e-9)
        assert pair["verdict"] == verdict
        assert pair["rule"] == (None if rule == "score" else rule)
        assert {pair["left_id"], pair["right_id"]} == {left, right}
        checked += 1
    assert checked > 0


def test_either_order_of_the_two_records_gives_the_same_weight(explained: Workspace, guiyi: Guiyi) -> None:
    ((left, right, weight, _, _),) = pairs(explained, "legal_person", "j.verdict = 'auto'", limit=1)
    for first, second in ((left, right), (right, left)):
        done = guiyi("explain", explained.root, first, second, "--json")
        assert done.data["pairs"][0]["total_weight"] == pytest.approx(weight, abs=1e-9)
        assert done.data["pairs"][0]["left_id"] == first


def test_the_text_says_the_outcome_in_the_language_asked_for(explained: Workspace, guiyi: Guiyi) -> None:
    ((left, right, _, _, _),) = pairs(explained, "legal_person", "j.verdict_rule = 'same_code'", limit=1)
    english = guiyi("explain", explained.root, left, right, "--lang", "en")
    assert english.out.startswith(f"{left} and {right}: one entity\n")
    assert "same unified social credit code, compatible names" in english.out
    chinese = guiyi("explain", explained.root, left, right)
    assert chinese.out.startswith(f"{left} 与 {right}：同一主体\n")
    assert "统一社会信用代码相同，名称相符" in chinese.out


def values_of(workspace: Workspace, record: str) -> dict[str, str]:
    columns = ", ".join(SHOWN)
    ((*values,),) = ask_batch(workspace, f"select {columns} from natural_person_records where record_id = '{record}'")
    return {column: value for column, value in zip(SHOWN, values, strict=True) if value and len(value) > 1}


def test_a_person_is_masked_in_text_json_and_page_unless_asked_otherwise(
    explained: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    for left, right, *_ in pairs(explained, "natural_person", "j.verdict_rule = 'same_number'"):
        page = tmp_path / "page.html"
        text = guiyi("explain", explained.root, left, right, "--html", page).out
        outputs = (text, guiyi("explain", explained.root, left, right, "--json").out, page.read_text("utf-8"))
        full = guiyi("explain", explained.root, left, right, "--unmasked", "--html", page).out
        for record in (left, right):
            values = values_of(explained, record)
            assert {"name", "id_number"} <= values.keys()
            for column, value in values.items():
                assert not any(value in output for output in outputs), f"{column} is shown in full"
                assert value in full
                assert value in page.read_text("utf-8")


def test_an_organisation_is_shown_in_full(explained: Workspace, guiyi: Guiyi) -> None:
    ((left, right, *_),) = pairs(explained, "legal_person", "j.verdict = 'auto'", limit=1)
    ((name,),) = ask_batch(explained, f"select name from legal_person_records where record_id = '{left}'")
    assert name in guiyi("explain", explained.root, left, right).out


def test_a_representative_in_an_organisations_record_is_a_person_and_masked(explained: Workspace, guiyi: Guiyi) -> None:
    ((record, number),) = ask_batch(
        explained,
        "select record_id, legal_rep_id_number from legal_person_records "
        "where length(legal_rep_id_number) = 18 and legal_rep_id_number not like '%*%' order by record_id limit 1",
    )
    assert number not in guiyi("explain", explained.root, record, record).out


def test_the_page_opens_without_a_network(explained: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    ((left, right, *_),) = pairs(explained, "legal_person", "j.verdict = 'auto'", limit=1)
    assert guiyi("explain", explained.root, left, right, "--html", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<html" in page
    assert 'src="http' not in page


@pytest.mark.parametrize("entity", ["natural_person", "legal_person"])
def test_records_never_compared_are_explained_by_the_chain_that_joins_them(
    entity: str, explained: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(explained, tmp_path / "workspace")
    left, right = unlink(workspace, entity)
    done = guiyi("explain", workspace.root, left, right, "--json")
    assert done.code == 0
    assert done.data["one_entity"] is True
    steps = done.data["pairs"]
    assert len(steps) >= 2
    assert (steps[0]["left_id"], steps[-1]["right_id"]) == (left, right)
    assert all(a["right_id"] == b["left_id"] for a, b in pairwise(steps))
    assert {step["verdict"] for step in steps} == {"auto"}
    text = guiyi("explain", workspace.root, left, right, "--lang", "en").out
    assert f"one entity, joined by a chain of {len(steps)} links" in text


def test_records_of_two_entities_that_were_not_compared_are_explained_as_two(
    explained: Workspace, guiyi: Guiyi
) -> None:
    ((left, right),) = ask_batch(
        explained,
        "select min(record_id), max(record_id) from legal_person_membership",
    )
    done = guiyi("explain", explained.root, left, right, "--json")
    assert done.data["one_entity"] is False
    assert len(done.data["pairs"]) == 1


@pytest.mark.parametrize("record", ["nobody:1", "440306199003071232", "", "'; drop table x; --", "🙂"])
def test_an_unknown_record_is_an_error_that_does_not_repeat_it(record: str, explained: Workspace, guiyi: Guiyi) -> None:
    ((known,),) = ask_batch(explained, "select min(record_id) from legal_person_membership")
    done = guiyi("explain", explained.root, known, record)
    assert (done.code, done.out) == (1, "")
    assert "source:source_record_id" in done.err
    assert not record or record not in done.err


def test_a_person_and_an_organisation_are_never_explained_together(explained: Workspace, guiyi: Guiyi) -> None:
    ((person,),) = ask_batch(explained, "select min(record_id) from natural_person_membership")
    ((organisation,),) = ask_batch(explained, "select min(record_id) from legal_person_membership")
    done = guiyi("explain", explained.root, person, organisation)
    assert (done.code, done.out) == (1, "")
    assert "never one entity" in done.err


def test_before_the_first_run_the_next_command_is_named(loaded: Workspace, guiyi: Guiyi) -> None:
    done = guiyi("explain", loaded.root, "a:1", "b:2")
    assert done.code == 1
    assert f"guiyi run {loaded.root}" in done.err


def test_once_the_models_are_to_be_trained_anew_the_next_command_is_named(
    explained: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(explained, tmp_path / "workspace")
    ((left, right, *_),) = pairs(workspace, "legal_person", "j.verdict = 'auto'", limit=1)
    assert guiyi("train", workspace.root, "--quiet").code == 0
    done = guiyi("explain", workspace.root, left, right)
    assert (done.code, done.out) == (1, "")
    assert f"next: guiyi run {workspace.root}" in done.err


def test_a_number_read_from_another_cell_is_shown_masked_and_under_no_other_field() -> None:
    config = load_entity_config("natural_person")
    number = "43052419800108112" + resident_id.check_digit("43052419800108112")
    raw = {"name": f"鄢国强 {number}"}
    row = {**raw, **standardise_row(raw, config)}
    by_name = {comparison.name: comparison for comparison in config.comparison}
    shown = explain._compared(config, by_name["id"], row, hide=True)
    told = [field for field in shown if field.standardised is not None]
    assert [field.field for field in told] == ["id_number"]
    assert number not in repr(shown)
    assert number in repr(explain._compared(config, by_name["id"], row, hide=False))


def test_what_a_decision_keeps_apart_is_explained_by_the_decision(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    ((left, right, *_),) = pairs(workspace, "natural_person", "j.verdict_rule = 'same_number'", limit=1)
    decided = guiyi("decide", workspace.root, "different", left, right, "--author", "陈审核", "--reason", "other")
    assert decided.code == 0
    page = tmp_path / "page.html"
    done = guiyi("explain", workspace.root, left, right, "--lang", "en", "--html", page)
    assert done.out.startswith(f"{left} and {right}: two entities\n")
    assert "Verdict: Linked, but the link is not followed" in done.out
    for text in (done.out, page.read_text("utf-8")):
        assert "Decision 1 (different), in force since " in text
    assert "裁定 1（不是同一主体）自" in guiyi("explain", workspace.root, left, right).out
    (pair,) = guiyi("explain", workspace.root, left, right, "--json").data["pairs"]
    assert [(one["constraint"], one["decision_id"], one["ruling"]) for one in pair["apart"]] == [
        ("cannot_link", 1, "different")
    ]


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("ambiguous", "a record comes as near to one entity as to another"),
        ("exclusive:id_exclusive", "one entity may not hold two different numbers"),
        ("bridge", "this weak link alone would join two groups of records"),
    ],
)
def test_a_refused_link_is_explained_by_the_constraint(
    constraint: str, words: str, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    ((left, right, *_),) = pairs(workspace, "natural_person", "j.verdict = 'reject'", limit=1)
    members, shared = quote("natural_person_profile_record"), quote("natural_person_membership")
    with connect(workspace.batch) as con:
        con.execute(
            f"""
insert into {quote("natural_person_refused")} by name
select least(a.profile_id, b.profile_id) as left_id, greatest(a.profile_id, b.profile_id) as right_id,
    9.0 as match_weight, 'attribute' as link_basis, ? as constraint_name
from {members} a, {members} b
where a.record_id = ? and b.record_id = ?""",
            [constraint, left, right],
        )
        others = con.execute(
            f"select record_id from {shared} where record_id <> ? and entity_id = "
            f"(select entity_id from {shared} where record_id = ?)",
            [left, left],
        ).fetchall()
    said = guiyi("explain", workspace.root, left, right, "--lang", "en").out
    assert f"This link was refused: {words}." in said
    for (other,) in others[:1]:
        said = guiyi("explain", workspace.root, other, right, "--lang", "en").out
        assert f"A link between the two entities was refused ({left} and {right}): {words}." in said


def test_two_entities_that_only_the_comparison_keeps_apart_have_no_other_reason(
    explained: Workspace, guiyi: Guiyi
) -> None:
    ((left, right, *_),) = pairs(explained, "legal_person", "j.verdict = 'reject'", limit=1)
    (pair,) = guiyi("explain", explained.root, left, right, "--json").data["pairs"]
    assert pair["apart"] == []
