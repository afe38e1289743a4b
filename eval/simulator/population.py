"""The natural persons of the simulated district, one row each, with what every department might know of them.

The columns are the truth of the current month; `months.py` changes them. `arrives` and `leaves` say in which months a
person is there: newborns and newcomers of later months are drawn with everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.simulator import documents, names
from eval.simulator.addresses import STYLE_NAMES, Places, homes, render
from eval.simulator.columns import (
    Draw,
    Ints,
    Text,
    constant,
    differs,
    digits,
    join,
    matches,
    nothing,
    pick_rows,
    put,
    rows_of,
    stream,
    take,
    where,
    zipf,
)
from eval.simulator.households import CHILD, SPOUSE, Households, make_households
from eval.simulator.profile import PopulationSettings

NEVER = 32_000
_MOBILE_PREFIXES = (
    *range(130, 140),
    *(147, 150, 151, 152, 153, 155, 156, 157, 158, 159, 166, 173, 175, 176, 177, 178),
    *(180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 191, 198, 199),
)


@dataclass
class People:
    """Natural persons. `old_*` is what was true before the last change; a missing value is null or -1."""

    households: Households
    name: Text
    former_name: Text
    latin_name: Text
    id_type: NDArray[np.int8]
    id_number: Text
    second_type: NDArray[np.int8]
    second_number: Text
    phone: Ints
    old_phone: Ints
    place: Ints
    room: Ints
    old_place: Ints
    old_room: Ints
    household_address: Text
    employer: Ints
    ethnicity: Text
    nationality: Text
    arrives: Ints
    leaves: Ints

    def __len__(self) -> int:
        return len(self.households)

    def at(self, month: int) -> Ints:
        """Return the rows of the people who are there in a month (1 is the first)."""
        return np.flatnonzero((self.arrives <= month) & (self.leaves > month))

    def adults(self, today: int) -> Ints:
        """Return the rows of people of working age at the start."""
        age = (today - self.households.birth) / 365.25
        return np.flatnonzero((age >= 20) & (age < 66) & (self.arrives <= 1))


def make_people(
    seed: int, people: int, newcomers: int, newborns: int, *, places: Places, months: Ints, settings: PopulationSettings
) -> People:
    """Draw the population.

    Args:
        seed: the run's seed.
        people: persons there in the first month.
        newcomers: persons who move in later, in whole months' equal parts.
        newborns: children born later.
        places: the buildings they live in.
        months: first day of every month (days since 1970-01-01).
        settings: the population profile.
    """
    today = int(months[0])
    base = make_households(stream(seed, "households"), people + newcomers, today, settings)
    arrives = np.ones(people + newcomers, dtype=np.int64)
    if newcomers:
        arrives[people:] = 2 + np.arange(newcomers) * (len(months) - 1) // newcomers
        arrives = arrives[base.head]
    everybody, arrives = _with_newborns(stream(seed, "births"), base, arrives, newborns, months)
    return _with_identities(seed, everybody, arrives, places, settings)


def _with_newborns(rng: Draw, base: Households, arrives: Ints, newborns: int, months: Ints) -> tuple[Households, Ints]:
    mothers = np.flatnonzero((base.role == SPOUSE) & (arrives == 1))
    if newborns == 0 or len(mothers) == 0:
        return base, arrives
    head = base.head[rng.choice(mothers, newborns)]
    month = 2 + np.arange(newborns) * (len(months) - 1) // newborns
    birth = months[month - 2] + rng.integers(0, 28, newborns)
    sex = np.where(rng.random(newborns) < 0.52, 1, 2).astype(np.int8)
    together = Households(
        household=np.concatenate([base.household, base.household[head]]),
        head=np.concatenate([base.head, head]),
        role=np.concatenate([base.role, np.full(newborns, CHILD, dtype=np.int8)]),
        sex=np.concatenate([base.sex, sex]),
        birth=np.concatenate([base.birth, birth]),
        twin_of=np.concatenate([base.twin_of, np.full(newborns, -1)]),
    )
    return together, np.concatenate([arrives, month])


def _with_identities(
    seed: int, everybody: Households, arrives: Ints, places: Places, settings: PopulationSettings
) -> People:
    count = len(everybody)
    region, home = documents.home_divisions(stream(seed, "home"), everybody, settings.local_share)
    household_place, household_room = homes(stream(seed, "homes"), places, count)
    former_place, former_room = homes(stream(seed, "former homes"), places, count)
    styles = np.full(count, STYLE_NAMES.index("city_room"))
    local = render(places, former_place[everybody.head], former_room[everybody.head], styles)
    registered = _household_addresses(stream(seed, "household addresses"), everybody, home)
    people = People(
        households=everybody,
        name=nothing(count),
        former_name=nothing(count),
        latin_name=nothing(count),
        id_type=np.zeros(count, dtype=np.int8),
        id_number=documents.resident_numbers(stream(seed, "resident numbers"), everybody, region),
        second_type=np.full(count, -1, dtype=np.int8),
        second_number=nothing(count),
        phone=_phones(stream(seed, "phones"), everybody, settings.household_phone_share),
        old_phone=mobile_numbers(stream(seed, "old phones"), count),
        place=household_place[everybody.head],
        room=household_room[everybody.head],
        old_place=former_place[everybody.head],
        old_room=former_room[everybody.head],
        household_address=where(matches(home, "宝安区$"), local, registered),
        employer=np.full(count, -1),
        ethnicity=constant("汉族", count),
        nationality=constant("中国", count),
        arrives=arrives,
        leaves=np.full(count, NEVER),
    )
    _name_everybody(seed, people, settings)
    _share_numbers(stream(seed, "shared numbers"), people, settings.shared_number_share)
    return people


def _name_everybody(seed: int, people: People, settings: PopulationSettings) -> None:
    rng, everybody, count = stream(seed, "names"), people.households, len(people)
    surname = names.family_surnames(rng, everybody)
    given = names.given_names(rng, everybody, settings)
    written = take(names.surnames().names, surname)
    mother = take(names.surnames().names, surname[np.minimum(everybody.head + 1, count - 1)])
    joined = (everybody.role == CHILD) & (rng.random(count) < settings.joined_surname_share)
    people.name = join(written, where(joined, mother, ""), given)
    renamed = pick_rows(rng, count, settings.former_name_share)
    before = names.renamed(rng, people.name, renamed, given=given, sex=everybody.sex)
    people.former_name = where(differs(before, people.name), before, nothing(count))

    # A household is of one kind: minority, Hong Kong or Macau, Taiwan, foreign, else Han.
    draw = rng.random(count)[everybody.head]
    bounds = np.cumsum(
        [settings.minority_share, settings.hong_kong_macau_share, settings.taiwan_share, settings.foreign_share]
    )
    group = np.searchsorted(bounds, draw, side="right")
    _minorities(rng, people, np.flatnonzero(group == 0))
    _outsiders(rng, people, group, surname, settings)


def _minorities(rng: Draw, people: People, rows: Ints) -> None:
    # Zhuang, Miao, Tujia and others carry Han names; the rest names of their own.
    han_named = rng.random(len(rows)) < 0.75
    large = ("壮族", "土家族", "苗族", "瑶族", "侗族", "满族", "回族", "布依族", "朝鲜族", "畲族")
    peoples = take(large, np.minimum(rng.geometric(0.3, len(rows)) - 1, len(large) - 1))
    own, ethnicity = names.minority_names(rng, people.households.sex[rows])
    people.name = put(people.name, rows, where(han_named, rows_of(people.name, rows), own))
    people.ethnicity = put(people.ethnicity, rows, where(han_named, peoples, ethnicity))


def _outsiders(rng: Draw, people: People, group: Ints, surname: Ints, settings: PopulationSettings) -> None:
    count, everybody = len(people), people.households
    nation = np.where(group == 1, np.where(rng.random(count) < 0.9, documents.HONG_KONG, documents.MACAU), 0)
    nation = np.where(group == 2, documents.TAIWAN, nation)
    country, country_name = documents.countries(rng, count)
    foreign = group == 3
    nation = np.where(foreign, country, nation)
    first_of = (0, documents.HK_MACAU_PERMIT, documents.TAIWAN_PERMIT, documents.PASSPORT, 0)
    first = np.choose(np.minimum(group, 4), first_of)
    second = np.where((group == 1) | (group == 2), documents.RESIDENCE_PERMIT, -1)
    second = np.where(foreign, documents.FOREIGN_CARD, second)
    second = np.where(rng.random(count) < settings.second_document_share, second, -1)
    outsider = (group >= 1) & (group <= 3)
    people.id_type = first.astype(np.int8)
    people.second_type = second.astype(np.int8)
    number = documents.other_documents(rng, everybody, people.id_type, nation)
    people.id_number = where(outsider, number, people.id_number)
    people.second_number = documents.other_documents(rng, everybody, people.second_type, nation)
    people.latin_name = where(group == 1, names.romanised(rng, surname), nothing(count))
    people.name = where(foreign, names.foreign_names(rng, everybody.sex), people.name)
    people.nationality = where(foreign, country_name, people.nationality)
    region = take(("中国香港", "中国澳门", "中国台湾"), np.clip(nation // 10000 - 81, 0, 2))
    people.nationality = where((group == 1) | (group == 2), region, people.nationality)
    people.ethnicity = where(foreign, nothing(count), people.ethnicity)
    people.household_address = where(outsider, nothing(count), people.household_address)
    people.former_name = where(outsider, nothing(count), people.former_name)


def mobile_numbers(rng: Draw, count: int) -> Ints:
    """Draw mobile numbers."""
    prefixes = np.array(_MOBILE_PREFIXES)
    numbers: Ints = prefixes[rng.integers(0, len(prefixes), count)] * 100_000_000 + rng.integers(0, 100_000_000, count)
    return numbers


def _phones(rng: Draw, everybody: Households, share: float) -> Ints:
    own = mobile_numbers(rng, len(everybody))
    # Children carry a parent's number; some adults share one.
    shares = (rng.random(len(everybody)) < share) | ((everybody.role == CHILD) & (rng.random(len(everybody)) < 0.6))
    phones: Ints = np.where(shares, own[everybody.head], own)
    return phones


def _household_addresses(rng: Draw, everybody: Households, home: Text) -> Text:
    count = len(everybody)
    towns = (
        "城关镇",
        "新街镇",
        "石桥镇",
        "龙潭镇",
        "白沙镇",
        "大坪乡",
        "双江镇",
        "河口镇",
        "三合镇",
        "青山乡",
        "太平镇",
    )
    clans = take(names.surnames().names[:80], np.minimum(rng.geometric(0.06, count), 80) - 1)
    village = join(clans, take(("家村", "家湾村", "屋村", "家坝村"), rng.integers(0, 4, count)))
    town = take(towns, np.searchsorted(np.cumsum(zipf(len(towns), 0.3)), rng.random(count)).clip(0, len(towns) - 1))
    group = join(digits(1 + rng.integers(0, 12, count)), take(("组", "号"), rng.integers(0, 2, count)))
    own = join(home, town, village, group)
    together = (everybody.role == CHILD) | (rng.random(count) < 0.5)
    return take(own, np.where(together, everybody.head, np.arange(count)))


def _share_numbers(rng: Draw, people: People, share: float) -> None:
    """Give a few people the resident number of somebody else, as before the clean-up of duplicate numbers."""
    rows = pick_rows(rng, len(people), share)
    rows = rows[people.id_type[rows] == documents.RESIDENT]
    others = rng.integers(0, len(people), len(rows))
    others = np.where(people.id_type[others] == documents.RESIDENT, others, rows)
    people.id_number = put(people.id_number, rows, rows_of(people.id_number, others))
