"""Branches and their parents, successors and what they succeed, employers of persons."""

from __future__ import annotations

import pytest
from duckdb import DuckDBPyConnection
from town import Record, citizen, code, reasons, related

OWNER = citizen("44030619580214151")
ROOM = "深圳市宝安区新安街道安乐村一坊1号103室"
PARENT = {"entity": "LP1", "name": "深圳市云汇科技有限公司", "uscc": code(1), "key": "parent"}
BRANCH = {
    "entity": "LP2",
    "name": "深圳市云汇科技有限公司宝安分公司",
    "uscc": code(2),
    "established_date": "2021-06-01",
    "key": "branch",
}
PERSON = {"entity": "NP1", "name": "刘宇航", "id_number": OWNER}
OWNED = {"legal_rep_name": "刘宇航", "legal_rep_id_number": OWNER}
IS_BRANCH = ("LP2", "branch_of", "LP1")


def branches(con: DuckDBPyConnection, firms: list[Record], people: list[Record]) -> tuple[dict, dict[str, int]]:
    found, left = related(con, firms, people)
    return {key: value for key, value in found.items() if key[1] == "branch_of"}, reasons(left, "branch_of")


def test_a_branch_belongs_to_the_organisation_its_name_names(con: DuckDBPyConnection) -> None:
    found, left = branches(con, [PARENT, BRANCH], [])
    assert found == {IS_BRANCH: ("attribute", "parent_name")}
    assert not left
    assert con.execute("select valid_from, state from relation").fetchall() == [("2021-06-01", "current")]


def test_registrar_and_representative_corroborate_a_parent(con: DuckDBPyConnection) -> None:
    found, _ = branches(con, [PARENT | OWNED, BRANCH | OWNED], [PERSON])
    assert found == {IS_BRANCH: ("corroborated", "parent_name")}


def test_a_parent_may_have_changed_its_name(con: DuckDBPyConnection) -> None:
    renamed = PARENT | {"name": "深圳市云汇集团有限公司", "former_names": "深圳市云汇科技有限公司"}
    found, _ = branches(con, [renamed, BRANCH], [])
    assert found == {IS_BRANCH: ("attribute", "former_parent_name")}
    other = {"entity": "LP9", "name": "深圳市云汇科技有限公司", "uscc": code(9), "key": "other"}
    found, _ = branches(con, [renamed, BRANCH, other], [])
    assert found == {("LP2", "branch_of", "LP9"): ("attribute", "parent_name")}, "who has the name now comes first"


def test_of_two_parents_none_is_taken_unless_one_shares_more_with_the_branch(con: DuckDBPyConnection) -> None:
    twin = PARENT | {"entity": "LP9", "uscc": code(9), "key": "twin"}
    found, left = branches(con, [PARENT, twin, BRANCH], [])
    assert found == {}
    assert left == {"ambiguous": 1}
    found, left = branches(con, [PARENT | {"phone": "0755-25648156"}, twin, BRANCH | {"phone": "075525648156"}], [])
    assert set(found) == {IS_BRANCH}


@pytest.mark.parametrize(
    "firms",
    [
        [{"entity": "LP1", "name": "深圳市云汇贸易有限公司", "uscc": code(1), "key": "parent"}, BRANCH],
        [{"entity": "LP1", "name": "深圳市云汇科技有限公司", "key": "parent"}, BRANCH],
        [
            {"entity": "LP1", "name": "深圳市云汇科技有限公司", "organization_code": code(2)[8:17], "key": "parent"},
            BRANCH,
        ],
        [
            BRANCH,
            BRANCH | {"entity": "LP3", "name": "深圳市云汇科技有限公司福永分公司", "uscc": code(3), "key": "sister"},
        ],
    ],
    ids=["another trade", "an entity without any official number", "with the branch's own number", "a sister"],
)
def test_nobody_else_is_the_parent(con: DuckDBPyConnection, firms: list[Record]) -> None:
    found, left = branches(con, firms, [])
    assert found == {}
    assert set(left) == {"name_only"}


CLOSED = PARENT | OWNED | {"address": ROOM, "status": "注销", "established_date": "2015-03-01"}
ANEW = (
    PARENT
    | OWNED
    | {"entity": "LP2", "uscc": code(2), "address": ROOM, "status": "存续", "key": "anew"}
    | {"established_date": "2022-04-01"}
)
SUCCEEDS = ("LP2", "succeeds", "LP1")


def successions(con: DuckDBPyConnection, firms: list[Record], people: list[Record]) -> tuple[dict, dict[str, int]]:
    found, left = related(con, firms, people)
    return {key: value for key, value in found.items() if key[1] == "succeeds"}, reasons(left, "succeeds")


def test_an_ended_firm_founded_again_by_its_owner_in_its_room_is_succeeded(con: DuckDBPyConnection) -> None:
    found, _ = successions(con, [CLOSED, ANEW], [PERSON])
    assert found == {SUCCEEDS: ("corroborated", "founded_anew")}
    rows = con.execute("select valid_from from relation where relation = 'succeeds'").fetchall()
    assert rows == [("2022-04-01",)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("深圳市宝安区云汇小学", "12", "事业单位"), ("深圳市宝安区云汇小学有限公司", "91", "企业")),
        (("深圳市云汇五金店", "92", "个体工商户"), ("深圳市云汇五金有限公司", "91", "企业")),
    ],
    ids=["an institution becomes an enterprise", "an individual business becomes a company"],
)
def test_a_conversion_under_a_new_code_is_a_succession(
    con: DuckDBPyConnection, before: tuple[str, str, str], after: tuple[str, str, str]
) -> None:
    firms = [
        one | {"name": name, "uscc": code(number, prefix), "entity_kind": kind, "status": "存续"}
        for one, number, (name, prefix, kind) in ((CLOSED, 1, before), (ANEW, 2, after))
    ]
    found, _ = successions(con, firms, [PERSON])
    assert found == {SUCCEEDS: ("corroborated", "conversion")}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "存续"},
        {"established_date": "2023-01-01"},
        {"address": "深圳市宝安区西乡街道共乐路25号302室"},
        {"name": "深圳市云汇贸易有限公司"},
        {"legal_rep_name": "陈小妹", "legal_rep_id_number": citizen("36042619910101007")},
        {"legal_rep_id_number": ""},
    ],
    ids=["still open", "founded later", "another room", "another name", "another owner", "the owner's name alone"],
)
def test_without_one_of_these_it_is_no_succession(con: DuckDBPyConnection, change: dict[str, str]) -> None:
    strangers = [PERSON, {"entity": "NP2", "name": "陈小妹", "id_number": citizen("36042619910101007")}]
    found, _ = successions(con, [CLOSED | change, ANEW], strangers)
    assert found == {}


def test_of_two_successors_none_is_taken(con: DuckDBPyConnection) -> None:
    third = ANEW | {"entity": "LP3", "uscc": code(3), "key": "third"}
    found, left = successions(con, [CLOSED, ANEW, third], [PERSON])
    assert found == {}
    assert left == {"ambiguous": 2}


WORKS = ("NP1", "employed_by", "LP1")


@pytest.mark.parametrize(
    ("work", "outcome", "left"),
    [
        ({"employer_uscc": code(1)}, ("identifier", "employer_code"), {}),
        ({"employer_uscc": f" {code(1).lower()} "}, ("identifier", "employer_code"), {}),
        ({"employer_uscc": code(1), "employer_name": "云汇科技"}, ("identifier", "employer_code"), {}),
        ({"employer_uscc": code(1), "employer_name": "深圳市宏发五金厂"}, None, {"name_contradicts": 1}),
        ({"employer_name": "深圳市云汇科技有限责任公司"}, ("attribute", "employer_name"), {}),
        ({"employer_name": "深圳市宏发五金厂"}, None, {"name_only": 1}),
        ({"employer_uscc": code(7)}, None, {"name_only": 1}),
        ({}, None, {}),
    ],
    ids=[
        "code",
        "code in lower case",
        "code and short name",
        "code of another",
        "name",
        "unknown",
        "unknown code",
        "none",
    ],
)
def test_an_employer_is_found_by_code_or_full_name(
    con: DuckDBPyConnection, work: dict[str, str], outcome: tuple[str, str] | None, left: dict[str, int]
) -> None:
    found, missed = related(con, [PARENT], [PERSON | work])
    assert found == ({WORKS: outcome} if outcome else {})
    assert reasons(missed, "employed_by") == left


def test_an_employer_name_that_two_organisations_have_is_nobodys(con: DuckDBPyConnection) -> None:
    twin = PARENT | {"entity": "LP9", "uscc": code(9), "key": "twin"}
    found, left = related(con, [PARENT, twin], [PERSON | {"employer_name": "深圳市云汇科技有限公司"}])
    assert found == {}
    assert reasons(left, "employed_by") == {"ambiguous": 1}
