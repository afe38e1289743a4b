"""Division codes, names, history, streets and communities."""

from __future__ import annotations

import pytest

from matchers import divisions


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("44", "广东省"),
        ("4403", "深圳市"),
        ("1101", "北京市"),
        ("5002", "重庆市"),
        ("440306", "宝安区"),
        ("440309", "龙华区"),
        ("440306019", "航城街道"),
        ("440321", "宝安县"),
        ("4290", None),
        ("999999", None),
        ("", None),
    ],
)
def test_a_code_has_its_current_or_last_name(code: str, name: str | None) -> None:
    assert divisions.name_of(code) == name


@pytest.mark.parametrize(
    ("code", "year", "name"),
    [
        ("440321", 1985, "宝安县"),
        ("440321", 1995, None),
        ("440306", 1991, None),
        ("440306", 1993, "宝安区"),
        ("440309", 2015, None),
        ("440311", 2018, "光明区"),
        ("210112", 2000, "东陵区"),
        ("210112", 2020, "浑南区"),
    ],
)
def test_a_code_means_what_it_meant_in_that_year(code: str, year: int, name: str | None) -> None:
    found = divisions.division(code, year)
    assert (found.name if found else None) == name


def test_the_county_became_every_district_on_its_ground() -> None:
    assert divisions.current_codes("440321") == ("440306", "440307", "440309", "440310", "440311")


@pytest.mark.parametrize(
    ("today", "written", "possible"),
    [
        ("440309", "440306", True),
        ("440311", "440306", True),
        ("440311", "440321", True),
        ("440309", "440311", False),
        ("440306", "440307", False),
        ("440310", "440307", True),
        ("440305", "440306", False),
    ],
)
def test_a_place_may_be_called_by_what_it_came_out_of_and_not_by_a_sibling(
    today: str, written: str, possible: bool
) -> None:
    assert (written in divisions.also_known_as(today)) is possible


def test_being_called_by_another_code_is_mutual() -> None:
    codes = [c for c in divisions.current() if c.startswith("44") and len(c) == 6]
    for code in codes:
        for other in divisions.also_known_as(code):
            assert code in divisions.also_known_as(other)


def test_names_lead_to_current_codes() -> None:
    assert divisions.codes_of("宝安区") == ("440306",)
    assert divisions.codes_of("龙华区", within="4403") == ("440309",)
    assert len(divisions.codes_of("鼓楼区")) > 2
    assert divisions.codes_of("坪山新区") == ("440310",)
    assert divisions.codes_of("没有这个区") == ()


def test_a_former_name_leads_to_the_codes_of_its_ground() -> None:
    assert divisions.former_names()["普兰店市"] == ("210214",)
    assert "宝安区" not in divisions.former_names()


def test_baoan_has_its_ten_streets_and_the_airport() -> None:
    names = {n for c, n in divisions.street_names().items() if c.startswith("440306")}
    assert names == {
        *("新安街道", "西乡街道", "航城街道", "福永街道", "福海街道", "沙井街道", "新桥街道"),
        *("松岗街道", "燕罗街道", "石岩街道", "深圳市宝安国际机场"),
    }


@pytest.mark.parametrize(
    ("old", "new"), [("西乡", "航城"), ("福永", "福海"), ("沙井", "新桥"), ("松岗", "燕罗"), ("观澜", "福城")]
)
def test_an_older_street_covered_the_one_split_from_it(old: str, new: str) -> None:
    (old_code,) = divisions.street_codes(old + "街道", divisions.SHENZHEN)
    (new_code,) = divisions.street_codes(new + "街道", divisions.SHENZHEN)
    assert new_code in divisions.current_streets(old_code)
    assert divisions.current_streets(new_code) == (new_code,)


def test_every_community_lies_in_a_street_of_baoan() -> None:
    for streets in divisions.communities().values():
        assert all(divisions.name_of(s) and s.startswith(divisions.BAOAN) for s in streets)
    assert divisions.communities()["麻布"] == ("440306018", "440306026")


def test_communities_of_a_district_are_found_by_their_first_character_longest_first() -> None:
    assert divisions.community_names("440306")["沙"][:2] == ("沙浦围", "沙一")
    assert "蚝四" in divisions.community_names("440306")["蚝"]
    assert "松元厦" in divisions.community_names("440309")["松"]
    assert divisions.community_names("440304") == {}
    assert divisions.community_names("") == {}


def test_every_community_nearby_lies_in_a_street_of_its_district() -> None:
    for code, district in (("440309", "龙华区"), ("440311", "光明区")):
        assert divisions.name_of(code) == district
        assert len({n for names in divisions.community_names(code).values() for n in names}) > 20


def test_a_statistical_zone_is_no_division() -> None:
    assert "130171" in divisions.zones()
    assert "130171" not in divisions.current()


def test_a_former_prefecture_is_what_became_of_it() -> None:
    table = divisions.former_prefectures()
    assert table["黄冈地区"] == ("4211",)
    assert table["惠阳地区"] == ("44",)
    assert all(name.endswith("地区") and len(codes) == 1 for name, codes in table.items())
    assert all(name not in divisions.current().values() for name in table)
