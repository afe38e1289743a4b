"""Identity documents of the population: resident numbers with the region of first registration, permits, passports.

Resident numbers carry the division code in force when the number was first made (never before 1984), the birth date, a
sequence whose last digit is odd for men, and a check digit. Twins have neighbouring sequences. Facts: GB 11643-1999;
permits and residence permits of Hong Kong, Macau and Taiwan residents; foreign residents' cards of 2023.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from eval.simulator.check_digits import with_resident_check
from eval.simulator.columns import Draw, Ints, Text, choose, digits, join, nothing, take, text, where
from eval.simulator.households import CHILD, Households
from eval.simulator.reference_tables import rows

RESIDENT, HK_MACAU_PERMIT, TAIWAN_PERMIT, RESIDENCE_PERMIT, PASSPORT, FOREIGN_CARD = range(6)
DOCUMENT_NAMES = (
    "居民身份证",
    "港澳居民来往内地通行证",
    "台湾居民来往大陆通行证",
    "港澳台居民居住证",
    "护照",
    "外国人永久居留身份证",
)
HONG_KONG, MACAU, TAIWAN = 810000, 820000, 830000


@cache
def _divisions() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[str]]:
    table = rows("divisions.tsv")
    code = np.array([int(row[0]) for row in table])
    start = np.array([int(row[4]) for row in table])
    end = np.array([int(row[5]) for row in table])
    place = [row[1] + (row[2] if row[2] not in (row[1], row[3]) else "") + row[3] for row in table]
    return code, start, end, place


def home_divisions(rng: Draw, people: Households, local_share: float) -> tuple[Ints, Text]:
    """Draw the division of first registration: its code and its place name (province, city, county).

    A household comes from one division, except that some spouses come from elsewhere; most children of migrants are
    registered at home, and those of locals in the district.
    """
    count = len(people)
    code, start, end, place = _divisions()
    provinces = rows("home_provinces.tsv")
    province_of = {int(row[0]): float(row[1]) for row in provinces}
    year = np.maximum((1970 + people.birth / 365.25).astype(np.int64), 1984)
    local = rng.random(count) < local_share
    local = np.where((people.role == CHILD) | (rng.random(count) < 0.6), local[people.head], local)
    weight = np.array([province_of.get(c // 10000, 0.0) for c in code.tolist()])
    per_province = np.bincount(code // 10000, minlength=100)
    weight = weight / np.maximum(per_province[code // 10000], 1)
    position = np.zeros(count, dtype=np.int64)
    shared = rng.random(count)
    shared = np.where(rng.random(count) < 0.75, shared[people.head], shared)
    for which in np.unique(year):
        at = year == which
        valid = np.flatnonzero((start <= which) & (end > which) & (weight > 0))
        cumulative = np.cumsum(weight[valid])
        drawn = np.searchsorted(cumulative, shared[at] * cumulative[-1], side="right")
        position[at] = valid[np.minimum(drawn, len(valid) - 1)]
    region = np.where(local, np.where(year < 1993, 440321, 440306), code[position])
    home = where(local, "广东省深圳市宝安区", take(place, position))
    return region, home


def resident_numbers(rng: Draw, people: Households, region: Ints) -> Text:
    """Return a distinct valid 18-character resident number for everybody."""
    birth = _as_numbers(people.birth)
    head = region * 100_000_000 + birth
    sequence = rng.integers(0, 499, len(people)) * 2 + (people.sex == 1)
    twin = np.flatnonzero(people.twin_of >= 0)
    head[twin] = head[people.twin_of[twin]]
    step = np.where(people.sex[twin] == people.sex[people.twin_of[twin]], 2, 1)
    sequence[twin] = (sequence[people.twin_of[twin]] + step) % 1000
    body = head * 1000 + sequence
    for _ in range(500):
        order = np.argsort(body, kind="stable")
        repeated = order[1:][body[order][1:] == body[order][:-1]]
        if len(repeated) == 0:
            break
        body[repeated] = head[repeated] * 1000 + (body[repeated] % 1000 + 2) % 1000
    return with_resident_check(body)


def other_documents(rng: Draw, people: Households, kind: NDArray[np.int8], nation: Ints) -> Text:
    """Return the document number of everybody whose document is not a resident number (missing for the others).

    Args:
        rng: generator.
        people: the population.
        kind: document type of each person.
        nation: 810000, 820000 or 830000, or the position of the country in `countries.tsv`.
    """
    result = nothing(len(people))
    for which in (HK_MACAU_PERMIT, TAIWAN_PERMIT, RESIDENCE_PERMIT, PASSPORT, FOREIGN_CARD):
        chosen = kind == which
        if chosen.any():
            result = where(chosen, _document(rng, people, which, nation), result)
    return result


def renewed_permit(rng: Draw, number: Text) -> Text:
    """Append the two renewal digits of the older permits."""
    return join(number, digits(rng.integers(0, 4, len(number)), 2))


def _document(rng: Draw, people: Households, kind: int, nation: Ints) -> Text:
    count = len(people)
    if kind == HK_MACAU_PERMIT:
        return join(where(nation == MACAU, "M", "H"), digits(rng.integers(10_000_000, 99_999_999, count), 8))
    if kind == TAIWAN_PERMIT:
        return digits(rng.integers(1_000_000, 39_999_999, count), 8)
    if kind == PASSPORT:
        return join(
            take(tuple("ABCEKLMNPXZ"), rng.integers(0, 11, count)), digits(rng.integers(0, 99_999_999, count), 8)
        )
    sequence = rng.integers(0, 499, count) * 2 + (people.sex == 1)
    birth = _as_numbers(people.birth)
    if kind == RESIDENCE_PERMIT:
        return with_resident_check((nation * 100_000_000 + birth) * 1000 + sequence)
    numeric = np.array([int(row[1]) for row in rows("countries.tsv")])
    region = 900_000 + 44_000 + numeric[np.minimum(nation, len(numeric) - 1)]
    return with_resident_check((region * 100_000_000 + birth) * 1000 + sequence)


def countries(rng: Draw, count: int) -> tuple[Ints, Text]:
    """Draw nationalities of foreigners: position in `countries.tsv` and Chinese name."""
    table = rows("countries.tsv")
    drawn = choose(rng, [float(row[3]) for row in table], count)
    return drawn, take(text([row[2] for row in table]), drawn)


def _as_numbers(born: Ints) -> Ints:
    """Return days since 1970-01-01 as numbers YYYYMMDD."""
    dates = born.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    day = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    number: Ints = (1970 + months // 12) * 10_000 + (months % 12 + 1) * 100 + day
    return number
