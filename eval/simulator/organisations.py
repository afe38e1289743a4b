"""The legal persons of the simulated district: enterprises, individual businesses, branches, institutions and others.

Names follow the law (region, brand, trade, form); brands are composed and shared as in life: generic ones many times,
siblings' brands with another trade at the same address under the same representative. Codes carry both check digits;
those founded before 2015 have a digit-only organisation code and an old registration number as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.simulator import check_digits
from eval.simulator.addresses import Places, premises
from eval.simulator.columns import (
    Draw,
    Ints,
    Mask,
    Text,
    choose,
    cut,
    digits,
    join,
    nothing,
    rows_of,
    scattered_numbers,
    stream,
    take,
    where,
)
from eval.simulator.organisation_names import (
    BRANCH,
    ENTERPRISE,
    INDIVIDUAL,
    PARTNERSHIP,
    SOCIAL,
    make_names,
    rebranded,
)
from eval.simulator.population import NEVER, People, mobile_numbers
from eval.simulator.profile import OrganisationSettings

KIND_NAMES = (
    "企业",
    "个体工商户",
    "分支机构",
    "合伙企业",
    "事业单位",
    "社会组织",
    "股份合作公司",
    "基层群众性自治组织",
)
_KIND_KEYS = (
    "enterprise",
    "individual_business",
    "branch",
    "partnership",
    "institution",
    "social_organisation",
    "village_collective",
    "grassroots_committee",
)
_PREFIXES = ("91", "92", "91", "91", "12", "51", "91", "54")
_REGIONS = ("440300", "440300", "440300", "440300", "440306", "440306", "440300", "440306")
_M_BODIES = ("MA5", "MA5", "MA5", "MA5", "MB2", "MJL", "MA5", "MF0")
OPEN, CLOSED, REVOKED = "存续", "注销", "吊销"
_CODE_REFORM = 16_709  # 2015-10-01, days since 1970-01-01


@dataclass
class Organisations:
    """Legal persons; a missing value is null or -1.

    `rep` is a row of people; `parent`, and `predecessor` of one founded in place of a closed one, of organisations.
    """

    kind: NDArray[np.int8]
    name: Text
    former_names: Text
    uscc: Text
    registration_number: Text
    tax_number: Text
    rep: Ints
    parent: Ints
    predecessor: Ints
    place: Ints
    room: Ints
    old_place: Ints
    old_room: Ints
    phone: Ints
    old_phone: Ints
    established: Ints
    status: Text
    opens: Ints
    closes: Ints
    secretary: Mask

    def __len__(self) -> int:
        return len(self.kind)

    def at(self, month: int) -> Ints:
        """Return the rows of the organisations that exist in a month (1 is the first)."""
        return np.flatnonzero((self.opens <= month) & (self.closes > month))


def make_organisations(
    seed: int,
    count: int,
    newcomers: int,
    *,
    people: People,
    places: Places,
    months: Ints,
    settings: OrganisationSettings,
) -> Organisations:
    """Draw the organisations.

    Args:
        seed: the run's seed.
        count: organisations that exist in the first month.
        newcomers: those founded later, in equal parts.
        people: the population; adults represent organisations.
        places: the buildings.
        months: first day of every month (days since 1970-01-01).
        settings: the organisation profile.
    """
    total, today = count + newcomers, int(months[0])
    kind = choose(stream(seed, "kinds"), [getattr(settings.kinds, key) for key in _KIND_KEYS], total).astype(np.int8)
    opens = np.ones(total, dtype=np.int64)
    if newcomers:
        opens[count:] = 2 + np.arange(newcomers) * (len(months) - 1) // newcomers
    established = _established(stream(seed, "established"), total, today, settings.before_2015_share)
    established = np.where(opens > 1, months[np.maximum(opens - 2, 0)] + 3, established)
    rng = stream(seed, "premises")
    place, room = premises(rng, places, kind == INDIVIDUAL)
    old_place, old_room = premises(rng, places, kind == INDIVIDUAL)
    rep = _representatives(stream(seed, "representatives"), kind, people, today)
    sibling_of = _siblings(stream(seed, "siblings"), kind, settings.sibling_share)
    follows = sibling_of >= 0
    rep = np.where(follows, rep[sibling_of], rep)
    place, room = np.where(follows, place[sibling_of], place), np.where(follows, room[sibling_of], room)
    secretary = _at_secretary(stream(seed, "secretary"), kind, settings.secretary_address_share)
    place = np.where(secretary, places.secretary[np.arange(total) % len(places.secretary)], place)
    room = np.where(secretary, 201, room)
    phone = _phones(stream(seed, "phones of firms"), rep, people, settings.representative_phone_share)
    phone = np.where(follows & (rng.random(total) < 0.7), phone[sibling_of], phone)
    parent = _parents(stream(seed, "parents"), kind)
    codes = stream(seed, "codes")
    registered = established < _CODE_REFORM
    uscc = credit_codes(codes, kind, registered)
    name = make_names(stream(seed, "firm names"), kind, sibling_of, parent, rows_of(people.name, rep), settings)
    return Organisations(
        kind=kind,
        name=name,
        former_names=_former_names(stream(seed, "former firm names"), kind, name, settings.former_name_share),
        uscc=uscc,
        registration_number=_registration_numbers(codes, kind, registered),
        tax_number=_tax_numbers(codes, kind, registered, uscc, people, rep),
        rep=rep,
        parent=parent,
        predecessor=np.full(total, -1),
        place=place,
        room=room,
        old_place=old_place,
        old_room=old_room,
        phone=phone,
        old_phone=_landlines(codes, total),
        established=established,
        status=_statuses(stream(seed, "statuses"), total, opens),
        opens=opens,
        closes=np.full(total, NEVER),
        secretary=secretary,
    )


def credit_codes(rng: Draw, kind: NDArray[np.int8], legacy: Mask) -> Text:
    """Return a distinct valid unified social credit code for every organisation.

    Args:
        rng: generator.
        kind: kind of each organisation.
        legacy: founded before October 2015, so with an all-digit organisation code.
    """
    count = len(kind)
    old_body = digits(10_000_000 + scattered_numbers(rng, count, 90_000_000), 8)
    suffix = check_digits.base_31(scattered_numbers(rng, count, 31**5), 5)
    body = where(legacy, old_body, join(take(_M_BODIES, kind), suffix))
    region = take(_REGIONS, kind)
    elsewhere = take(("440100", "440101", "110108", "310115", "441900", "330100"), rng.integers(0, 6, count))
    region = where((rng.random(count) < 0.03) & (kind == BRANCH), elsewhere, region)
    social = where((kind == SOCIAL) & (rng.random(count) < 0.4), "52", take(_PREFIXES, kind))
    return check_digits.with_credit_check(join(social, region, check_digits.with_organisation_check(body)))


def _established(rng: Draw, count: int, today: int, before_share: float) -> Ints:
    recent = _CODE_REFORM + (rng.random(count) ** 0.8 * (today - _CODE_REFORM - 1)).astype(np.int64)
    early = _CODE_REFORM - 1 - (rng.random(count) ** 1.6 * 11_000).astype(np.int64)
    established: Ints = np.where(rng.random(count) < before_share, early, recent)
    return established


def _representatives(rng: Draw, kind: NDArray[np.int8], people: People, today: int) -> Ints:
    adults = people.adults(today)
    if len(adults) == 0:
        adults = np.arange(len(people))
    # One person in a few represents several firms.
    drawn: Ints = adults[(rng.random(len(kind)) ** 1.15 * len(adults)).astype(np.int64)]
    return drawn[rng.permutation(len(kind))]


def _siblings(rng: Draw, kind: NDArray[np.int8], share: float) -> Ints:
    """Return the row of the enterprise each sibling company follows, -1 for the others."""
    enterprises = np.flatnonzero(kind == ENTERPRISE)
    sibling_of = np.full(len(kind), -1)
    if len(enterprises) > 1:
        follower = np.zeros(len(enterprises), dtype=bool)
        follower[1:] = rng.random(len(enterprises) - 1) < share
        leader = np.maximum.accumulate(np.where(follower, 0, np.arange(len(enterprises))))
        sibling_of[enterprises[follower]] = enterprises[leader[follower]]
    return sibling_of


def _parents(rng: Draw, kind: NDArray[np.int8]) -> Ints:
    enterprises, branches = np.flatnonzero(kind == ENTERPRISE), np.flatnonzero(kind == BRANCH)
    parent = np.full(len(kind), -1)
    if len(enterprises):
        parent[branches] = enterprises[(rng.random(len(branches)) ** 2 * len(enterprises)).astype(np.int64)]
    return parent


def _at_secretary(rng: Draw, kind: NDArray[np.int8], share: float) -> Mask:
    mask: Mask = (kind == ENTERPRISE) & (rng.random(len(kind)) < share)
    return mask


def _phones(rng: Draw, rep: Ints, people: People, share: float) -> Ints:
    count = len(rep)
    own = np.where(rng.random(count) < 0.4, _landlines(rng, count), mobile_numbers(rng, count))
    agents = mobile_numbers(rng, max(count // 400, 1))
    own = np.where(rng.random(count) < 0.04, agents[rng.integers(0, len(agents), count)], own)
    phones: Ints = np.where(rng.random(count) < share, people.phone[rep], own)
    return phones


def _landlines(rng: Draw, count: int) -> Ints:
    """Draw landline numbers of the city; written with the area code 0755 in front."""
    return 23_000_000 + rng.integers(0, 6_999_999, count)


def _registration_numbers(rng: Draw, kind: NDArray[np.int8], registered: Mask) -> Text:
    count = len(kind)
    bureau = np.where(rng.random(count) < 0.6, 440306, 440301)
    first = np.where(kind == INDIVIDUAL, 6 + rng.integers(0, 4, count), rng.integers(0, 4, count))
    sequence = first * 10_000_000 + scattered_numbers(rng, count, 10_000_000)
    number = check_digits.with_registration_check(bureau * 100_000_000 + sequence)
    return where(registered & np.isin(kind, (ENTERPRISE, INDIVIDUAL, BRANCH, PARTNERSHIP)), number, nothing(count))


def _tax_numbers(rng: Draw, kind: NDArray[np.int8], registered: Mask, uscc: Text, people: People, rep: Ints) -> Text:
    count = len(kind)
    old = join(take(("440300", "440306"), rng.integers(0, 2, count)), cut(uscc, 8, 17))
    operator = join(rows_of(people.id_number, rep), digits(rng.integers(0, 3, count), 2))
    resident = people.id_type[rep] == 0
    legacy = where((kind == INDIVIDUAL) & resident, operator, old)
    return where(registered & (rng.random(count) < 0.35), legacy, uscc)


def _former_names(rng: Draw, kind: NDArray[np.int8], name: Text, share: float) -> Text:
    count = len(name)
    eligible = np.isin(kind, (ENTERPRISE, INDIVIDUAL)) & (rng.random(count) < share)
    before = rebranded(rng, name)
    return where(eligible, before, nothing(count))


def _statuses(rng: Draw, count: int, opens: Ints) -> Text:
    drawn = choose(rng, (0.90, 0.06, 0.04), count)
    return take((OPEN, CLOSED, REVOKED), np.where(opens > 1, 0, drawn))
