"""Households of the simulated district: who lives with whom, how old they are, who are twins.

Out comes one row per person, household by household: the head first, then spouse, children, elders or flatmates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.simulator.columns import Draw, Ints, choose
from eval.simulator.profile import PopulationSettings

HEAD, SPOUSE, CHILD, ELDER, FLATMATE = range(5)
_ROLES: dict[str, tuple[int, ...]] = {
    "single": (HEAD,),
    "couple": (HEAD, SPOUSE),
    "couple_one_child": (HEAD, SPOUSE, CHILD),
    "couple_two_children": (HEAD, SPOUSE, CHILD, CHILD),
    "couple_three_children": (HEAD, SPOUSE, CHILD, CHILD, CHILD),
    "three_generations": (HEAD, SPOUSE, CHILD, ELDER, ELDER),
    "flatmates": (HEAD, FLATMATE, FLATMATE),
}
_YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Households:
    """One row per person: household number, row of its head, role, sex (1 male, 2 female), birth, twin of which row."""

    household: Ints
    head: Ints
    role: NDArray[np.int8]
    sex: NDArray[np.int8]
    birth: Ints
    twin_of: Ints

    def __len__(self) -> int:
        return len(self.household)


def make_households(rng: Draw, people: int, today: int, settings: PopulationSettings) -> Households:
    """Draw households until there are `people` persons; the last household may be cut short.

    Args:
        rng: generator.
        people: number of persons.
        today: days since 1970-01-01; nobody is born after it.
        settings: the population profile.
    """
    kinds = list(_ROLES)
    sizes = np.array([len(_ROLES[kind]) for kind in kinds])
    weights = np.array([getattr(settings.households, kind) for kind in kinds])
    # Every household has someone, so this many are always enough; the rest is cut off.
    kind = choose(rng, weights, people)
    size = sizes[kind]
    first = np.cumsum(size) - size
    household = np.repeat(np.arange(people), size)[:people]
    place = np.arange(people) - first[household]
    roles = np.full((len(kinds), sizes.max()), -1, dtype=np.int8)
    for number, name in enumerate(kinds):
        roles[number, : sizes[number]] = _ROLES[name]
    role, head = roles[kind[household], place], first[household]
    sex = _sexes(rng, role, place, head)
    birth = _births(rng, role, head, sizes[kind[household]] > 2, today)
    return _with_twins(rng, Households(household, head, role, sex, birth, np.full(people, -1)), settings.twin_share)


def _sexes(rng: Draw, role: NDArray[np.int8], place: Ints, head: Ints) -> NDArray[np.int8]:
    count = len(role)
    drawn = np.where(rng.random(count) < 0.53, 1, 2)
    # Most heads of families are written down as men; a spouse is of the other sex, elders come in pairs.
    drawn = np.where((role == HEAD) & (rng.random(count) < 0.5), 1, drawn)
    drawn = np.where(role == SPOUSE, 3 - drawn[head], drawn)
    drawn = np.where(role == ELDER, 1 + (place % 2), drawn)
    drawn = np.where(role == FLATMATE, drawn[head], drawn)
    return drawn.astype(np.int8)


def _births(rng: Draw, role: NDArray[np.int8], head: Ints, family: NDArray[np.bool_], today: int) -> Ints:
    count = len(role)
    age = np.where(family, rng.normal(40, 7, count), rng.gamma(6.5, 5.2, count))
    age = np.clip(age, 18, 92)
    parent = age[head]
    age = np.where(role == SPOUSE, np.clip(parent + rng.normal(-1.5, 3, count), 20, 92), age)
    age = np.where(role == CHILD, np.clip(parent - rng.normal(29, 4.5, count), 0, 45), age)
    age = np.where(role == ELDER, np.clip(parent + rng.normal(26, 4, count), 42, 101), age)
    age = np.where(role == FLATMATE, np.clip(parent + rng.normal(0, 4, count), 16, 70), age)
    born: Ints = today - 1 - np.round(age * _YEAR_DAYS + rng.random(count) * _YEAR_DAYS).astype(np.int64)
    return born


def _with_twins(rng: Draw, people: Households, share: float) -> Households:
    """Give some children the birth date of the sibling before them, and most of those the same sex."""
    before = np.arange(len(people)) - 1
    sibling = (people.role == CHILD) & (people.role[before] == CHILD) & (people.household[before] == people.household)
    sibling[0] = False
    rows = np.flatnonzero(sibling & (rng.random(len(people)) < share))
    rows = rows[~np.isin(rows - 1, rows)]
    birth, sex, twin_of = people.birth.copy(), people.sex.copy(), people.twin_of.copy()
    birth[rows] = birth[rows - 1]
    sex[rows] = np.where(rng.random(len(rows)) < 0.75, sex[rows - 1], sex[rows])
    twin_of[rows] = rows - 1
    return Households(people.household, people.head, people.role, sex, birth, twin_of)
