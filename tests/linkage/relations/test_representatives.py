"""Representatives and operators: by a number, by part of one with the name, by name with phone or room, else not."""

from __future__ import annotations

import random

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from town import citizen, code, reasons, related

FATHER, SON = citizen("44030619580214151"), citizen("44030619850309153")
OTHER = citizen("36042619910101007")
ROOM = "深圳市宝安区新安街道安乐村一坊1号103室"
ELSEWHERE = "深圳市宝安区西乡街道共乐路25号302室"
MOBILE = "13812340001"
FIRM = {"entity": "LP1", "name": "深圳市云汇科技有限公司", "uscc": code(1), "entity_kind": "企业"}
PERSON = {"entity": "NP1", "name": "刘宇航", "id_number": FATHER}
REPRESENTS = ("NP1", "legal_representative_of", "LP1")


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER}, "number"),
        ({"legal_rep_id_number": FATHER}, "number"),
        ({"legal_rep_name": "刘雨航", "legal_rep_id_number": FATHER}, "number"),
        ({"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER[:6] + "********" + FATHER[14:]}, "partial_number"),
        (
            {"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER[:4] + "**********" + FATHER[14:]},
            "partial_number",
        ),
    ],
    ids=["number and name", "number alone", "number, name of the same sound", "mask of the birth date", "mask of more"],
)
def test_a_number_finds_the_person_who_holds_it(con: DuckDBPyConnection, said: dict[str, str], rule: str) -> None:
    found, left = related(con, [FIRM | said], [PERSON])
    basis = "corroborated" if rule == "partial_number" else "identifier"
    assert found == {REPRESENTS: (basis, rule)}
    assert not left


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"legal_rep_name": "刘宇航"}, "name_only"),
        ({"legal_rep_name": "陈小妹", "legal_rep_id_number": FATHER}, "name_contradicts"),
        ({"legal_rep_name": "刘宇航", "legal_rep_id_number": OTHER}, "name_only"),
        ({"legal_rep_name": "刘宇航", "legal_rep_id_number": "4***************" + FATHER[16:]}, "name_only"),
        ({"legal_rep_name": "刘宇航", "legal_rep_id_number": "3604**********" + FATHER[14:]}, "name_only"),
        ({"legal_rep_name": "陈小妹", "legal_rep_id_number": FATHER[:6] + "********" + FATHER[14:]}, "name_only"),
    ],
    ids=["name alone", "another's number", "another number", "too little shown", "a digit differs", "another name"],
)
def test_less_than_that_finds_nobody_and_is_counted(con: DuckDBPyConnection, said: dict[str, str], reason: str) -> None:
    found, left = related(con, [FIRM | said], [PERSON])
    assert found == {}
    assert reasons(left, "legal_representative_of") == {reason: 1}


def test_a_number_its_own_record_disputes_finds_nobody(con: DuckDBPyConnection) -> None:
    person = PERSON | {"birth_date": "1990-10-10"}
    found, _ = related(con, [FIRM | {"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER}], [person])
    assert found == {}


def test_two_entities_with_one_number_are_told_apart_by_the_name_or_not_at_all(con: DuckDBPyConnection) -> None:
    said = [FIRM | {"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER}]
    borrowed = {"entity": "NP2", "name": "陈小妹", "id_number": FATHER}
    found, _ = related(con, said, [PERSON, borrowed])
    assert found == {REPRESENTS: ("identifier", "number")}
    found, left = related(con, said, [PERSON, borrowed | {"name": "刘宇航"}])
    assert found == {}
    assert reasons(left, "legal_representative_of") == {"ambiguous": 1}


@pytest.mark.parametrize(
    ("firm", "person", "outcome"),
    [
        ({"phone": MOBILE}, {"phone": MOBILE}, ("attribute", "phone")),
        ({"address": ROOM}, {"address": ROOM}, ("attribute", "room")),
        ({"phone": MOBILE, "address": ROOM}, {"phone": MOBILE, "address": ROOM}, ("corroborated", "phone_and_room")),
        ({"phone": MOBILE, "address": ROOM}, {"phone": "13912340002", "address": ELSEWHERE}, None),
    ],
    ids=["phone", "room", "both", "neither"],
)
def test_a_name_with_a_shared_phone_or_room_is_a_candidate(
    con: DuckDBPyConnection,
    firm: dict[str, str],
    person: dict[str, str],
    outcome: tuple[str, str] | None,
) -> None:
    found, _ = related(con, [FIRM | {"legal_rep_name": "刘宇航"} | firm], [PERSON | person])
    assert found == ({REPRESENTS: outcome} if outcome else {})


def test_father_and_son_of_one_name_at_one_address_are_not_told_apart(con: DuckDBPyConnection) -> None:
    family = [PERSON | {"address": ROOM}, {"entity": "NP2", "name": "刘宇航", "id_number": SON, "address": ROOM}]
    found, left = related(con, [FIRM | {"legal_rep_name": "刘宇航", "address": ROOM}], family)
    assert found == {}
    assert reasons(left, "legal_representative_of") == {"ambiguous": 1}
    number = {"legal_rep_name": "刘宇航", "legal_rep_id_number": SON, "address": ROOM}
    found, _ = related(con, [FIRM | number], family)
    assert found == {("NP2", "legal_representative_of", "LP1"): ("identifier", "number")}


def test_the_sons_number_keeps_the_father_away_when_the_son_is_not_known(con: DuckDBPyConnection) -> None:
    """The father shares name, phone and room; the number, whole or in part, says that it is not him."""
    father = [PERSON | {"address": ROOM, "phone": MOBILE}]
    for number in (SON, SON[:6] + "********" + SON[14:]):
        said = {"legal_rep_name": "刘宇航", "legal_rep_id_number": number, "address": ROOM, "phone": MOBILE}
        assert related(con, [FIRM | said], father)[0] == {}


def test_a_number_in_another_record_of_the_organisation_keeps_the_namesake_away(con: DuckDBPyConnection) -> None:
    said = [
        FIRM | {"legal_rep_name": "刘宇航", "legal_rep_id_number": SON},
        FIRM | {"source": "grid", "legal_rep_name": "刘宇航", "address": ROOM, "phone": MOBILE},
    ]
    assert related(con, said, [PERSON | {"address": ROOM, "phone": MOBILE}])[0] == {}


def test_a_record_with_the_name_alone_speaks_for_the_person_another_record_found(con: DuckDBPyConnection) -> None:
    said = [
        FIRM | {"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER, "as_of": "2024-05-01"},
        FIRM | {"source": "grid", "legal_rep_name": "刘宇航", "as_of": "2025-01-05"},
    ]
    related(con, said, [PERSON])
    (row,) = con.execute("select basis, rule, records, sources, first_seen, last_seen from relation").fetchall()
    assert row == ("identifier", "number", 2, 2, "2024-05-01", "2025-01-05")


def test_one_person_represents_several_firms(con: DuckDBPyConnection) -> None:
    firms = [
        {"entity": f"LP{n}", "name": f"深圳市云汇{n}号贸易有限公司", "uscc": code(n), "legal_rep_id_number": FATHER}
        for n in (1, 2, 3)
    ]
    found, _ = related(con, firms, [PERSON])
    assert set(found) == {("NP1", "legal_representative_of", f"LP{n}") for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("shop", "relation"),
    [
        ({"entity_kind": "个体工商户", "uscc": code(2, "92")}, "operator_of"),
        ({"entity_kind": "企业", "uscc": code(2, "92")}, "legal_representative_of"),
        ({"uscc": code(2, "92")}, "operator_of"),
        ({"uscc": code(2, "91")}, "legal_representative_of"),
    ],
    ids=["the registry says so", "converted under its old code", "by its code", "an enterprise's code"],
)
def test_an_individual_business_has_an_operator(con: DuckDBPyConnection, shop: dict[str, str], relation: str) -> None:
    row = {"entity": "LP1", "name": "深圳市宝安区福多小吃店", "legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER}
    found, _ = related(con, [row | shop], [PERSON])
    assert set(found) == {("NP1", relation, "LP1")}


@pytest.mark.parametrize("place", [{"uscc": FATHER}, {"tax_number": FATHER + "01"}], ids=["code", "tax number"])
def test_the_operators_number_is_found_where_a_code_should_stand(
    con: DuckDBPyConnection, place: dict[str, str]
) -> None:
    shop = {"entity": "LP1", "name": "深圳市宝安区福多小吃店", "entity_kind": "个体工商户", "legal_rep_name": "刘宇航"}
    found, _ = related(con, [shop | place], [PERSON])
    assert found == {("NP1", "operator_of", "LP1"): ("identifier", "operator_number")}


def test_an_operator_that_changed_leaves_two_relations_with_periods(con: DuckDBPyConnection) -> None:
    shop = {"entity": "LP1", "name": "深圳市宝安区福多小吃店", "uscc": code(2, "92")}
    said = [
        shop | {"legal_rep_name": "陈小妹", "legal_rep_id_number": OTHER, "as_of": "2025-01-20"},
        shop | {"source": "tax", "legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER, "as_of": "2023-03-01"},
        shop | {"source": "bureau", "legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER, "as_of": "2022-07-01"},
    ]
    related(con, said, [PERSON, {"entity": "NP2", "name": "陈小妹", "id_number": OTHER}])
    rows = con.execute("select entity_id, state, first_seen, last_seen, valid_to from relation order by 1").fetchall()
    assert rows == [
        ("NP1", "former", "2022-07-01", "2023-03-01", "2023-03-01"),
        ("NP2", "current", "2025-01-20", "2025-01-20", None),
    ]


def test_a_source_as_late_as_the_best_one_disputes_it(con: DuckDBPyConnection) -> None:
    said = [
        FIRM | {"legal_rep_name": "陈小妹", "legal_rep_id_number": OTHER, "as_of": "2025-01-20"},
        FIRM | {"source": "bureau", "legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER, "as_of": "2025-01-20"},
    ]
    related(con, said, [PERSON, {"entity": "NP2", "name": "陈小妹", "id_number": OTHER}])
    states = dict(con.execute("select entity_id, state from relation").fetchall())
    assert states == {"NP1": "disputed", "NP2": "current"}


TOWN_FIRMS = [
    FIRM | {"legal_rep_name": "刘宇航", "legal_rep_id_number": FATHER, "phone": MOBILE},
    FIRM | {"source": "grid", "legal_rep_name": "刘宇航", "address": ROOM},
    {"entity": "LP2", "name": "深圳市宝安区福多小吃店", "legal_rep_name": "陈小妹", "address": ELSEWHERE},
    {"entity": "LP2", "name": "福多小吃店", "source": "tax", "tax_number": OTHER + "00"},
    {
        "entity": "LP3",
        "name": "深圳市云汇科技有限公司宝安分公司",
        "uscc": code(3),
        "legal_rep_name": "刘宇航",
        "phone": MOBILE,
    },
    {"entity": "LP4", "name": "深圳市宏发五金厂", "legal_rep_name": "刘宇航", "address": ROOM},
]
TOWN_PEOPLE = [
    PERSON | {"phone": MOBILE},
    {"entity": "NP2", "name": "刘宇航", "id_number": SON, "address": ROOM, "employer_name": "深圳市云汇科技有限公司"},
    {"entity": "NP3", "name": "陈小妹", "id_number": OTHER, "address": ELSEWHERE, "employer_uscc": code(1)},
    {"entity": "NP1", "name": "刘宇航", "id_number": FATHER[:14] + "****", "address": ROOM, "source": "grid"},
]
for _firm in range(len(TOWN_FIRMS)):
    TOWN_FIRMS[_firm] = TOWN_FIRMS[_firm] | {"key": f"F{_firm}"}
for _person in range(len(TOWN_PEOPLE)):
    TOWN_PEOPLE[_person] = TOWN_PEOPLE[_person] | {"key": f"P{_person}"}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_records_changes_nothing(con: DuckDBPyConnection, seed: int) -> None:
    expected = related(con, TOWN_FIRMS, TOWN_PEOPLE)
    rows = con.execute("from relation").fetchall()
    assert len(rows) >= 5
    shuffled = random.Random(seed)
    firms, people = list(TOWN_FIRMS), list(TOWN_PEOPLE)
    shuffled.shuffle(firms)
    shuffled.shuffle(people)
    assert related(con, firms, people) == expected
    assert con.execute("from relation").fetchall() == rows
