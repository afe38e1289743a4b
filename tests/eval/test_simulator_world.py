"""The simulated district itself: identities, households, codes, names, addresses, months."""

import re

import numpy as np
import pyarrow.compute as pc
import pytest

from eval.simulator.addresses import STYLE_NAMES, make_places, render
from eval.simulator.columns import stream
from eval.simulator.district import first_days, make_world
from eval.simulator.documents import RESIDENCE_PERMIT, RESIDENT
from eval.simulator.households import CHILD, ELDER, HEAD, SPOUSE
from eval.simulator.months import advance
from eval.simulator.organisation_names import BRANCH, ENTERPRISE, INDIVIDUAL
from eval.simulator.profile import load_profile

PROFILE = load_profile()


@pytest.fixture(scope="module")
def world():
    return make_world(people=12_000, organisations=2_500, months=3, seed=11, profile=PROFILE)


def valid_resident(number: str) -> bool:
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[17]


def valid_code(code: str) -> bool:
    alphabet, letters = "0123456789ABCDEFGHJKLMNPQRTUWXY", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    outer = alphabet[(31 - sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17])) % 31) % 31]
    r = 11 - sum(letters.index(c) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return outer == code[17] and code[16] == {10: "X", 11: "0"}.get(r, str(r))


def test_resident_numbers_are_valid_unique_and_tell_birth_and_sex(world):
    people = world.people
    rows = np.flatnonzero(people.id_type == RESIDENT)
    numbers = [people.id_number[int(r)].as_py() for r in rows]
    assert all(valid_resident(n) for n in numbers)
    assert len(set(numbers)) >= len(numbers) - 1
    births = people.households.birth[rows].astype("datetime64[D]").astype(str)
    sexes = people.households.sex[rows]
    mismatched = sum(n[6:14] != b.replace("-", "") for n, b in zip(numbers, births, strict=True))
    assert mismatched <= 1  # somebody registered under another's number
    assert (
        sum(int(n[16]) % 2 != s % 2 for n, s in zip(numbers, sexes, strict=True))
        <= 1 + (people.households.twin_of[rows] >= 0).sum()
    )


def test_the_region_of_a_number_was_in_force_when_it_was_made(world):
    people = world.people
    for number in people.id_number.to_pylist()[:3000]:
        if len(number) == 18 and number.startswith("440306") and number[6:8] == "19":
            assert int(number[6:10]) >= 1993
        if number.startswith("440321"):
            assert int(number[6:10]) < 1993


def test_twins_share_birth_and_surname_and_have_neighbouring_numbers(world):
    people, households = world.people, world.people.households
    twins = np.flatnonzero((households.twin_of >= 0) & (people.id_type == RESIDENT))
    assert len(twins) > 5
    near = 0
    for row in twins:
        one, other = people.id_number[int(row)].as_py(), people.id_number[int(households.twin_of[row])].as_py()
        assert one[:14] == other[:14]
        near += abs(int(one[14:17]) - int(other[14:17])) <= 4
        assert people.name[int(row)].as_py() != people.name[int(households.twin_of[row])].as_py()
    assert near >= len(twins) - 1


def test_children_carry_a_surname_of_their_household(world):
    people, households = world.people, world.people.households
    rows = np.flatnonzero((households.role == CHILD) & (people.id_type == RESIDENT))
    names = people.name.to_pylist()
    shared = sum(
        names[r][0] in {names[households.head[r]][0], names[min(households.head[r] + 1, len(names) - 1)][0]}
        for r in rows
    )
    assert shared / len(rows) > 0.9


def test_households_are_families_of_plausible_ages(world):
    households = world.people.households
    age = (int(world.months[0]) - households.birth) / 365.25
    for role, low, high in ((HEAD, 17, 94), (SPOUSE, 19, 94), (CHILD, -1, 47), (ELDER, 41, 103)):
        of_role = age[households.role == role]
        assert of_role.min() >= low
        assert of_role.max() <= high
    spouses = np.flatnonzero(households.role == SPOUSE)
    assert (households.sex[spouses] != households.sex[households.head[spouses]]).all()


def test_names_have_namesakes_and_a_falling_frequency(world):
    counts = sorted((c["counts"] for c in pc.value_counts(world.people.name).to_pylist()), reverse=True)
    assert counts[0] >= 5
    assert sum(counts[:100]) / len(world.people) < 0.2
    surnames = sorted(
        (c["counts"] for c in pc.value_counts(pc.utf8_slice_codeunits(world.people.name, 0, 1)).to_pylist()),
        reverse=True,
    )
    assert 0.04 < surnames[0] / len(world.people) < 0.11
    assert 0.75 < sum(surnames[:100]) / len(world.people) < 0.95


def test_outsiders_have_permits_passports_and_residence_permits(world):
    people = world.people
    outsiders = np.flatnonzero(people.id_type != RESIDENT)
    assert 0.005 < len(outsiders) / len(people) < 0.06
    for row in outsiders:
        assert re.fullmatch(r"[HM]\d{8}|\d{8}|[A-Z]\d{8}", people.id_number[int(row)].as_py())
    permits = np.flatnonzero(people.second_type == RESIDENCE_PERMIT)
    assert all(re.match(r"8[123]0000", people.second_number[int(r)].as_py()) for r in permits)
    assert all(valid_resident(people.second_number[int(r)].as_py()) for r in permits)


def test_credit_codes_are_valid_in_both_checks_and_unique(world):
    codes = world.organisations.uscc.to_pylist()
    assert all(valid_code(c) for c in codes)
    assert len(set(codes)) == len(codes)


def test_old_firms_have_digit_codes_and_registration_numbers_and_new_ones_do_not(world):
    firms = world.organisations
    reform = int(np.datetime64("2015-10-01").astype(int))
    for code, number, born, kind in zip(
        firms.uscc.to_pylist(), firms.registration_number.to_pylist(), firms.established, firms.kind, strict=True
    ):
        assert code[8:16].isdigit() == (born < reform)
        if born >= reform:
            assert number is None
        elif kind in (ENTERPRISE, INDIVIDUAL):
            assert re.fullmatch(r"44030[16]\d{9}", number)
            assert (number[6] in "6789") == (kind == INDIVIDUAL)


def test_a_branch_carries_its_parents_name_and_a_code_of_its_own(world):
    firms = world.organisations
    names, codes = firms.name.to_pylist(), firms.uscc.to_pylist()
    branches = np.flatnonzero(firms.kind == BRANCH)
    assert len(branches) > 20
    for row in branches:
        parent = int(firms.parent[row])
        assert names[row].startswith(names[parent])
        assert names[row] != names[parent]
        assert codes[row] != codes[parent]


def test_some_companies_are_siblings_at_one_address_under_one_person(world):
    firms = world.organisations
    seen = {}
    for row in np.flatnonzero((firms.kind == ENTERPRISE) & ~firms.secretary):
        seen.setdefault((firms.rep[row], firms.place[row], firms.room[row]), []).append(row)
    groups = [g for g in seen.values() if len(g) > 1]
    assert len(groups) > 20
    names = firms.name.to_pylist()
    assert all(len({names[r] for r in g}) == len(g) for g in groups)


def test_secretary_rooms_host_many_companies(world):
    firms = world.organisations
    rooms = np.unique(firms.place[firms.secretary], return_counts=True)[1]
    assert rooms.max() >= 5


def test_an_address_is_one_place_in_every_style():
    places = make_places(stream(4, "p"), 300)
    place, room = np.arange(300), np.full(300, 1204)
    written = {s: render(places, place, room, np.full(300, n)).to_pylist() for n, s in enumerate(STYLE_NAMES)}
    for full, short, street in zip(written["full"], written["short"], written["street_only"], strict=True):
        assert full.startswith("广东省深圳市")
        assert full.removesuffix("室").endswith(short)
        assert full.removeprefix("广东省").startswith(street)
        assert "1204" in short
        assert "1204" not in street
    assert render(places, np.array([-1]), np.array([0]), np.array([0])).to_pylist() == [None]


def test_a_place_that_was_in_the_district_is_written_so_in_the_old_style():
    places = make_places(stream(4, "p"), 3000)
    place, room = np.arange(3000), np.full(3000, 101)
    new = render(places, place, room, np.full(3000, STYLE_NAMES.index("city_room"))).to_pylist()
    old = render(places, place, room, np.full(3000, STYLE_NAMES.index("old_street"))).to_pylist()
    pairs = {(n[3:10], o[3:10]) for n, o in zip(new, old, strict=True)}
    assert ("宝安区航城街道", "宝安区西乡街道") in pairs
    assert any(n.startswith("光明区") and o.startswith("宝安区") for n, o in pairs)


def test_months_bring_births_moves_renames_closures_and_new_operators():
    busy = PROFILE.months.model_copy(
        update={
            "renames": 0.05,
            "operator_changes": 0.2,
            "closures": 0.1,
            "moves": 0.1,
            "deaths": 0.05,
            "openings": 0.05,
        }
    )
    world = make_world(
        people=3000, organisations=800, months=2, seed=3, profile=PROFILE.model_copy(update={"months": busy})
    )
    people, firms = world.people, world.organisations
    before = (people.name, people.place.copy(), firms.rep.copy(), firms.uscc, firms.status)
    changes = advance(world, 2, busy, stream(3, "advance"))
    renamed = np.flatnonzero(np.asarray(pc.not_equal(before[0], people.name)))
    assert len(renamed) > 50
    assert all(people.former_name[int(r)].as_py() == before[0][int(r)].as_py() for r in renamed)
    assert (before[1] != people.place).any()
    assert (people.leaves == 2).any()
    moved_rep = np.flatnonzero(before[2] != firms.rep)
    assert (firms.kind[moved_rep] == INDIVIDUAL).any()
    assert before[3].equals(firms.uscc)
    assert not before[4].equals(firms.status)
    assert changes.people[renamed].all()
    assert changes.organisations[moved_rep].all()
    assert len(people.at(2)) > 0
    newborn = np.flatnonzero((people.arrives == 2) & (people.households.birth >= world.months[0]))
    assert len(newborn) > 0
    assert (people.households.role[newborn] == CHILD).all()


def test_a_reregistered_firm_keeps_name_and_place_under_a_new_code():
    busy = PROFILE.months.model_copy(update={"openings": 0.1, "reregistrations": 1.0})
    world = make_world(
        people=500, organisations=1000, months=2, seed=5, profile=PROFILE.model_copy(update={"months": busy})
    )
    advance(world, 2, busy, stream(5, "advance"))
    firms = world.organisations
    names = firms.name.to_pylist()
    old = {names[r]: r for r in range(1000)}
    again = [r for r in np.flatnonzero(firms.opens == 2) if names[r] in old]
    assert len(again) > 20
    codes = firms.uscc.to_pylist()
    assert all(codes[r] != codes[old[names[r]]] for r in again)


def test_months_start_where_the_profile_says():
    assert first_days("2024-12", 3).astype("datetime64[D]").astype(str).tolist() == [
        "2024-12-01",
        "2025-01-01",
        "2025-02-01",
    ]
