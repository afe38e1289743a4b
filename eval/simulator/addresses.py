"""Places of the simulated district and the ways an address is written.

A place is a building; an address is a building and a room. The same address is rendered in any of several styles, as
departments do: with or without province, city, district, street and community, `3栋1204` or `3座12楼1204室`, the street
names of before 2016. Buildings are villages (numbered lanes), estates, plots of the old town, shop fronts, industrial
parks and offices; roads, communities and streets are real, estates and parks are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.simulator.columns import (
    Draw,
    Ints,
    Mask,
    Text,
    choose,
    digits,
    join,
    nothing,
    replace,
    take,
    text,
    where,
    zipf,
)
from eval.simulator.reference_tables import rows, words

VILLAGE, ESTATE, PLOT, SHOP, INDUSTRY, OFFICE = range(6)
_KIND_WEIGHTS = (0.42, 0.24, 0.04, 0.12, 0.13, 0.05)

# One row per style: variants of region, street, community, road, number, building, room (see `_Parts`); -1: left out.
STYLES: dict[str, tuple[int, int, int, int, int, int, int]] = {
    "full": (0, 0, 0, 0, 0, 0, 0),
    "city": (1, 0, -1, 0, 0, 0, 0),
    "city_room": (1, 0, 0, 0, 0, 1, 1),
    "district": (2, 1, -1, 0, 0, 1, 2),
    "grid": (-1, 0, 0, 0, 0, 0, 1),
    "short": (-1, -1, -1, 0, 0, 0, 1),
    "utility": (3, 1, 1, 1, 1, 2, 1),
    "hash": (2, 2, 2, 1, 1, 3, 1),
    "town": (1, 3, 1, 0, 0, 4, 3),
    "old_street": (4, 4, 1, 0, 0, 1, 0),
    "building_only": (1, 0, 0, 0, 0, 0, -1),
    "street_only": (1, 0, 0, -1, -1, -1, -1),
}
STYLE_NAMES = tuple(STYLES)
_STYLE_TABLE = np.array(list(STYLES.values()))
_HAN = "〇一二三四五六七八九"


@dataclass(frozen=True)
class Places:
    """Buildings; `parts[p]` holds the variants of part `p` of every building, building by building."""

    kind: NDArray[np.int8]
    floors: Ints
    weight: NDArray[np.float64]
    parts: tuple[Text, ...]
    variants: tuple[int, ...]
    secretary: Ints

    def __len__(self) -> int:
        return len(self.kind)


def make_places(rng: Draw, count: int) -> Places:
    """Draw the buildings of the district.

    Args:
        rng: generator.
        count: number of buildings.
    """
    streets = rows("places.tsv")
    street = choose(rng, [float(row[5]) for row in streets], count)
    kind = choose(rng, _KIND_WEIGHTS, count)
    community_count = np.array([len(row[6].split()) for row in streets])
    community = rng.integers(0, community_count[street])
    offsets = np.cumsum(community_count) - community_count
    community_names = text([name for row in streets for name in row[6].split()])
    named = take(community_names, offsets[street] + community)

    floors = np.choose(kind, (7, 18, 7, 2, 5, 24)) + rng.integers(0, 4, count)
    parts = (
        _interleave(*_region_parts(streets, street)),
        _interleave(*_street_parts(streets, street)),
        _interleave(join(named, "社区"), join(named, "社区居委会"), named),
        *_road_and_number(rng, streets, street, kind, named),
        _interleave(*_building_parts(rng, kind, named)),
    )
    return Places(
        kind=kind.astype(np.int8),
        floors=floors,
        weight=np.choose(kind, (1.0, 2.2, 0.8, 0.6, 1.2, 1.6)),
        parts=parts,
        variants=(5, 5, 3, 2, 2, 5),
        secretary=rng.choice(np.flatnonzero(kind == OFFICE), size=min(4, int((kind == OFFICE).sum())), replace=False)
        if (kind == OFFICE).any()
        else np.array([0]),
    )


def homes(rng: Draw, places: Places, count: int) -> tuple[Ints, Ints]:
    """Draw buildings people live in and rooms in them."""
    weight = places.weight * np.choose(places.kind, (1.0, 1.0, 1.0, 0.1, 0.12, 0.02))
    return _rooms(rng, places, choose(rng, weight, count))


def premises(rng: Draw, places: Places, shop: Mask) -> tuple[Ints, Ints]:
    """Draw buildings organisations work in and rooms in them; `shop` asks for a shop on the ground floor."""
    count = len(shop)
    shops = choose(rng, places.weight * np.choose(places.kind, (0.7, 0.2, 0.5, 6.0, 0.3, 0.1)), count)
    firms = choose(rng, places.weight * np.choose(places.kind, (0.15, 0.1, 0.1, 0.2, 5.0, 7.0)), count)
    place, room = _rooms(rng, places, np.where(shop, shops, firms))
    return place, np.where(shop, 100 + room % 100, room)


def render(places: Places, place: Ints, room: Ints, style: Ints) -> Text:
    """Write addresses, each in its own style.

    Args:
        places: the district's buildings.
        place: building of each address, -1 if it has none (the result is missing).
        room: floor times 100 plus the room on the floor.
        style: position in `STYLE_NAMES`.
    """
    chosen = _STYLE_TABLE[style]
    parts = [_part(places, position, place, chosen[:, position]) for position in range(5)]
    building = _part(places, 5, place, chosen[:, 5])
    known = place >= 0
    written = join(*parts, building, _room(room, np.where(known, chosen[:, 6], -1)))
    return where(known, written, nothing(len(place)))


def _part(places: Places, part: int, place: Ints, variant: Ints) -> Text:
    position = place * places.variants[part] + variant
    return take(places.parts[part], np.where((place >= 0) & (variant >= 0), position, -1))


def _rooms(rng: Draw, places: Places, place: Ints) -> tuple[Ints, Ints]:
    floor = 1 + (rng.random(len(place)) * places.floors[place]).astype(np.int64)
    return place, floor * 100 + 1 + rng.integers(0, 8, len(place))


def _room(room: Ints, variant: Ints) -> Text:
    number, floor = digits(room), digits(room // 100)
    suffix = take(("", "室", "房"), np.where(variant == 0, 1, np.where(variant == 2, 2, 0)))
    prefix = where(variant == 3, join(floor, "楼"), nothing(len(room)))
    return where(variant < 0, nothing(len(room)), join(prefix, number, suffix))


def _interleave(*variants: Text) -> Text:
    """Lay the variants of a part out building by building."""
    count = len(variants[0])
    order = np.arange(len(variants) * count).reshape(len(variants), count).T.ravel()
    return take(pa.concat_arrays(variants), order)


def _region_parts(streets: tuple[tuple[str, ...], ...], street: Ints) -> tuple[Text, ...]:
    district = take([row[0] for row in streets], street)
    before = take([row[4] if row[4] != "-" else row[0] for row in streets], street)
    full = join("广东省深圳市", district)
    return full, join("深圳市", district), district, join("深圳", district), join("深圳市", before)


def _street_parts(streets: tuple[tuple[str, ...], ...], street: Ints) -> tuple[Text, ...]:
    names = [row[2] for row in streets]
    bare = [name.removesuffix("街道") for name in names]
    before = [row[3] if row[3] != "-" else row[2] for row in streets]
    variants = (names, bare, [f"{b}街道办事处" for b in bare], [f"{b}镇" for b in bare], before)
    return tuple(take(variant, street) for variant in variants)


def _road_and_number(
    rng: Draw, streets: tuple[tuple[str, ...], ...], street: Ints, kind: Ints, community: Text
) -> tuple[Text, Text]:
    roads: list[str] = []
    starts, counts = [], []
    for row in streets:
        try:
            names = list(words("address_words.tsv", f"road_{row[2]}"))
        except KeyError:
            names = list(words("address_words.tsv", "road_other"))
        for area in row[6].split():
            names += [f"{area}路", f"{area}南路", f"{area}新路"]
        starts.append(len(roads))
        counts.append(len(names))
        roads += names
    lane = (kind == VILLAGE) & (rng.random(len(street)) < 0.7)
    position = np.array(starts)[street] + rng.integers(0, np.array(counts)[street])
    count = len(street)
    lanes = [f"{_han(n)}{tail}" for n in range(1, 21) for tail in ("巷", "坊", "区")]
    in_village = join(
        community, take(("村", "新村", "村"), rng.integers(0, 3, count)), take(lanes, choose(rng, zipf(60, 0.7), count))
    )
    road = where(lane, in_village, take(roads, position))
    arabic = road
    for number, han in enumerate("一二三四", start=1):
        arabic = replace(arabic, f"{han}路$", f"{number}路")
    number = digits(1 + (rng.random(count) ** 2 * np.where(lane, 60, 400)).astype(np.int64))
    sub = where(rng.random(count) < 0.06, take(("之一", "之一", "之二"), rng.integers(0, 3, count)), nothing(count))
    is_plot = kind == PLOT
    bare = where(is_plot, nothing(count), join(number, "号", sub))
    dashed = where(is_plot, nothing(count), join(number, replace(replace(sub, "之一", "-1"), "之二", "-2"), "号"))
    return _interleave(road, arabic), _interleave(bare, dashed)


def _building_parts(rng: Draw, kind: Ints, community: Text) -> tuple[Text, ...]:
    count = len(kind)
    named = {
        ESTATE: _names(rng, "estate", count),
        INDUSTRY: _industry_names(rng, community),
        OFFICE: _names(rng, "office", count),
        PLOT: join("宝安", digits(rng.integers(1, 86, count)), "区"),
    }
    name = nothing(count)
    for which, values in named.items():
        name = where(kind == which, values, name)
    block = rng.integers(1, 13, count)
    letters = take([chr(64 + n) for n in range(1, 13)], block - 1)
    lettered = (kind == INDUSTRY) | (kind == OFFICE) | ((kind == ESTATE) & (rng.random(count) < 0.3))
    numbered = lettered | (kind == ESTATE) | (kind == PLOT)
    tag = where(lettered, letters, digits(block))
    han = where(lettered, letters, take([_han(n) for n in range(1, 13)], block - 1))
    workshop = where((kind == INDUSTRY) & (rng.random(count) < 0.4), "厂房", "")

    def with_block(label: Text, suffix: str) -> Text:
        return join(name, where(numbered, join(label, suffix, workshop), nothing(count)))

    return (
        with_block(tag, "栋"),
        with_block(tag, "座"),
        with_block(han, "栋"),
        with_block(tag, "#"),
        with_block(tag, "幢"),
    )


def _names(rng: Draw, kind: str, count: int) -> Text:
    heads, tails = words("address_words.tsv", f"{kind}_head"), words("address_words.tsv", f"{kind}_tail")
    ordinals = take(("", "", "", "", "二期", "三期"), rng.integers(0, 6, count))
    head = take(heads, choose(rng, zipf(len(heads), 0.4), count))
    return join(head, take(tails, choose(rng, zipf(len(tails), 0.9), count)), ordinals)


def _industry_names(rng: Draw, community: Text) -> Text:
    count = len(community)
    ordinal = take([f"第{_han(n)}工业区" for n in range(1, 7)], rng.integers(0, 6, count))
    return where(rng.random(count) < 0.4, join(community, ordinal), _names(rng, "industry", count))


def _han(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else f"{_HAN[tens]}十")
    return head + (_HAN[ones] if ones or not tens else "")
