"""Names of natural persons: Han names by cohort and sex, compound surnames, siblings' shared characters, ethnic and
foreign names.

Surname frequencies fall with rank (Zipf–Mandelbrot fitted by eye to the published shares: the first about 7 %, the
first hundred about 86 %). Given names are popular whole names of the cohort or composed of its characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.simulator.columns import (
    Draw,
    Ints,
    Text,
    choose,
    codepoints,
    cut,
    from_codepoints,
    join,
    nothing,
    present,
    put,
    rows_of,
    take,
    text,
    where,
    zipf,
)
from eval.simulator.households import CHILD, ELDER, Households
from eval.simulator.profile import PopulationSettings
from eval.simulator.reference_tables import rows, words

_RARE_GIVEN = "堃喆淼犇赟祐濬叡璟珺玥瑀燚翀旻旸昉翊頔祎钺垚䶮㛃㥮䲟"
_MINORITY_PARTS = {"维吾尔族": ("own", "father"), "哈萨克族": ("own", "father")}
_MINORITY_WEIGHTS = {"维吾尔族": 3.0, "哈萨克族": 0.6, "藏族": 2.0, "蒙古族": 1.0, "彝族": 2.5}


@dataclass(frozen=True)
class Surnames:
    """Surnames and their weights, most frequent first; `doubled` are compound or joined ones."""

    names: tuple[str, ...]
    weights: NDArray[np.float64]


def surnames() -> Surnames:
    """Return the surname table.

    Cantonese surnames weigh more than their national rank: 陈 is the first surname of Guangdong.
    """
    names = tuple(dict.fromkeys(name for row in rows("surnames.txt") for name in row[0].split()))
    weights = zipf(len(names), 1.35, 6.0)
    southern = {"陈": 2.1, "黄": 1.8, "林": 1.8, "梁": 1.6, "吴": 1.4, "叶": 1.7, "曾": 1.5, "麦": 3.0, "冼": 2.0}
    weights = weights * np.array([southern.get(name, 1.0) * (0.35 if len(name) > 1 else 1.0) for name in names])
    return Surnames(names, weights / weights.sum())


def family_surnames(rng: Draw, people: Households) -> Ints:
    """Draw the surname (position in `surnames()`) of everybody: children and a father's father share the head's."""
    weights = surnames().weights
    drawn = choose(rng, weights, len(people))
    of_head = drawn[people.head]
    mother = (people.sex[people.head] == 2) & (people.role == CHILD)
    spouse = np.minimum(people.head + 1, len(people) - 1)
    inherits = (people.role == CHILD) | ((people.role == ELDER) & (people.sex == 1))
    # A child of a household headed by the mother carries the father's name, mostly.
    father = np.where(mother & (rng.random(len(people)) < 0.92), drawn[spouse], of_head)
    named: Ints = np.where(inherits, father, drawn)
    return named


def given_names(rng: Draw, people: Households, settings: PopulationSettings) -> Text:
    """Draw a Han given name for everybody, by cohort and sex; siblings may share the first character."""
    count = len(people)
    year = 1970 + people.birth / 365.25
    starts = sorted({int(row[0]) for row in rows("given_names.tsv")})
    cohort = np.searchsorted(starts, year, side="right") - 1
    result = nothing(count)
    for number, start in enumerate(starts):
        for sex in (1, 2):
            mask = (cohort == number) & (people.sex == sex)
            chosen = np.flatnonzero(mask)
            if len(chosen):
                result = put(result, chosen, _cohort_names(rng, str(start), "MF"[sex - 1], len(chosen), settings))
    return _share_with_sibling(rng, people, result, settings.generation_character_share)


def _cohort_names(rng: Draw, start: str, sex: str, count: int, settings: PopulationSettings) -> Text:
    lists = {kind: words("given_names.tsv", start, sex, kind) for kind in ("whole", "first", "last", "single")}
    drawn = {kind: take(values, choose(rng, zipf(len(values), 0.75), count)) for kind, values in lists.items()}
    composed = join(drawn["first"], drawn["last"])
    draw = rng.random(count)
    given = where(draw < settings.popular_name_share, drawn["whole"], composed)
    given = where(draw > 1 - settings.single_character_share, drawn["single"], given)
    rare = take(tuple(_RARE_GIVEN), rng.integers(0, len(_RARE_GIVEN), count))
    with_rare = where(rng.random(count) < 0.35, rare, join(drawn["first"], rare))
    return where(rng.random(count) < settings.rare_character_share, with_rare, given)


def _share_with_sibling(rng: Draw, people: Households, given: Text, share: float) -> Text:
    """Let a child take the first character of the sibling before, and twins nearly always."""
    before = np.maximum(np.arange(len(people)) - 1, 0)
    sibling = (people.role == CHILD) & (people.role[before] == CHILD) & (people.household[before] == people.household)
    chance = np.where(people.twin_of >= 0, max(share, 0.85), share)
    chosen = np.flatnonzero(sibling & (rng.random(len(people)) < chance))
    matrix = codepoints(given)
    if matrix.shape[1] < 2:
        return given
    both_long = (matrix[chosen, 1] > 0) & (matrix[chosen - 1, 1] > 0)
    chosen = chosen[both_long]
    shared, own = matrix[chosen - 1], matrix[chosen].copy()
    own[:, 0] = shared[:, 0]
    same = (own == shared).all(axis=1)
    shared_names = put(given, chosen[~same], from_codepoints(own[~same]))
    return _unlike_siblings(rng, people, shared_names, np.flatnonzero(sibling))


def _unlike_siblings(rng: Draw, people: Households, given: Text, siblings: Ints) -> Text:
    """Give a child named like the sibling before the name of another child of its sex."""
    for _ in range(4):
        alike = np.asarray(pc.equal(rows_of(given, siblings), rows_of(given, siblings - 1)))
        for sex in (1, 2):
            chosen = siblings[alike & (people.sex[siblings] == sex)]
            pool = np.flatnonzero((people.role == CHILD) & (people.sex == sex))
            if len(chosen):
                given = put(given, chosen, rows_of(given, pool[rng.integers(0, len(pool), len(chosen))]))
    return given


def minority_names(rng: Draw, sex: NDArray[np.int8]) -> tuple[Text, Text]:
    """Draw names and ethnicities of people whose names have no Han surname."""
    groups = list(_MINORITY_WEIGHTS)
    group = choose(rng, list(_MINORITY_WEIGHTS.values()), len(sex))
    name = nothing(len(sex))
    for number, ethnicity in enumerate(groups):
        own, second = _MINORITY_PARTS.get(ethnicity, ("joined", "tail"))
        separator = "·" if own == "own" else ""
        for code in (1, 2):
            chosen = np.flatnonzero((group == number) & (sex == code))
            first = words("minority_names.tsv", ethnicity, "MF"[code - 1], own)
            last = words("minority_names.tsv", ethnicity, "*", second)
            written = join(
                take(first, choose(rng, zipf(len(first), 0.5), len(chosen))),
                take(last, choose(rng, zipf(len(last), 0.5), len(chosen))),
                separator=separator,
            )
            name = put(name, chosen, written)
    return name, take(groups, group)


def foreign_names(rng: Draw, sex: NDArray[np.int8]) -> Text:
    """Draw Latin names of foreigners, given name first."""
    family = words("romanisation.tsv", "family", "-")
    given = [words("romanisation.tsv", "english", code) for code in "MF"]
    count = len(sex)
    drawn = [take(values, rng.integers(0, len(values), count)) for values in given]
    middle = where(rng.random(count) < 0.25, join(" ", drawn[0]), "")
    return join(
        where(sex == 1, drawn[0], drawn[1]), middle, join(" ", take(family, rng.integers(0, len(family), count)))
    )


def romanised(rng: Draw, surname: Ints) -> Text:
    """Return the Latin name of a Hong Kong or Macau resident, surname first; missing if the surname has no entry."""
    forms = {row[1]: row[2].split() for row in rows("romanisation.tsv") if row[0] == "surname"}
    first = [forms.get(name, [None])[0] for name in surnames().names]
    given = words("romanisation.tsv", "given", "-")
    latin = take(text(first), surname)
    written = join(latin, " ", take(given, rng.integers(0, len(given), len(surname))))
    return where(present(latin), written, nothing(len(surname)))


def renamed(rng: Draw, name: Text, chosen: Ints, *, given: Text, sex: NDArray[np.int8]) -> Text:
    """Return the column with new names at `chosen`: the first character kept, a given name of the same sex after it."""
    for code in (1, 2):
        rows_ = chosen[sex[chosen] == code]
        pool = np.flatnonzero(sex == code)
        if len(rows_):
            fresh = rows_of(given, pool[rng.integers(0, len(pool), len(rows_))])
            name = put(name, rows_, join(cut(rows_of(name, rows_), 0, 1), fresh))
    return name
