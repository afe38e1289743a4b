"""Addresses: from free text to place, road, number, building and room, and the outcomes of comparing two.

In: one address as written. Out: `Address`, whose keys name a building or a room in a form that does not depend on
whether province, city, district or street were written. The steps are modules beside this one: `address_text` (width,
case, notes), `address_numbers` (numerals), `address_places` and `address_communities` (left part, 宝安区 first),
`address_parser` (right part).

An address is evidence, not identity: office services and industrial parks hold thousands of subjects, so the best
levels carry a term frequency. Two records are compared by the most specific part that both show; a place that both
know and that cannot be the same (another city, another district since the split) leaves only the last level.

Sources: division tables of `divisions`; the address grammar in use in Shenzhen's unified address standard.
Invariant: `room_key` starts with `building_key`, unless it is a 25-digit house code.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, NamedTuple

from matchers import divisions
from matchers.address_communities import take_community
from matchers.address_divisions import Place
from matchers.address_keys import building_key, estate_key, precision, room_label, text_key
from matchers.address_levels import levels
from matchers.address_numbers import normalise_numerals
from matchers.address_order import in_order
from matchers.address_parser import parse
from matchers.address_parts import Parts
from matchers.address_places import locate, take_street
from matchers.address_text import LONGEST, clean

__all__ = ["Address", "levels", "mask", "standardise"]


_BEFORE_A_ROOM = frozenset("栋座幢楼层号")
_SAMPLE_ROOM = "9998"


@dataclass(frozen=True, slots=True)
class Address:
    """A standardised address.

    Attributes:
        text: cleaned text: one width, no spaces, no notes, numerals in one script.
        province: current full name.
        city: current full name of the prefecture or municipality.
        district: current name of the county-level division.
        district_code: its six-digit code in force.
        districts: every code in force on the ground the written district name stood for.
        street: current name of the street or town.
        streets: every street in force on the ground the written street name stood for; the name with every kind of
            town where no table has it.
        community: community or village, without 社区 or 村.
        plot: numbered plot of 宝安区, such as `71区`.
        road: road with its lanes; one that has only an ordinal is preceded by its community.
        number: house number, such as `12` or `12-1`.
        estate: industrial estate, residential quarter or named building.
        building: `A`, `3`, `1-B`, `宿舍A`.
        unit: unit or staircase.
        floor: floor, `-1` below ground.
        room: room; a one- or two-digit room is preceded by its floor (`902`).
        house_code: 25-digit unified house code of Shenzhen.
        building_key: the building, by road and number, else by estate, else by community and number.
        estate_key: the building by estate, where the estate is a name of its own.
        room_key: the room.
        text_key: the text below the district where it names no building but more than a community.
        precision: 0 nothing, 1 city, 2 district, 3 street or community, 4 road or estate, 5 building, 6 room.
        place: street, else district, else city.
    """

    text: str | None = None
    province: str | None = None
    city: str | None = None
    district: str | None = None
    district_code: str | None = None
    districts: tuple[str, ...] = ()
    street: str | None = None
    streets: tuple[str, ...] = ()
    community: str | None = None
    plot: str | None = None
    road: str | None = None
    number: str | None = None
    estate: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    house_code: str | None = None
    building_key: str | None = None
    estate_key: str | None = None
    room_key: str | None = None
    text_key: str | None = None
    precision: int = 0
    place: str | None = None


_UP_TO_UNIT = tuple(f.name for f in fields(Address))[1:15]


def standardise(text: str | None) -> Address:
    """Read an address.

    >>> a = standardise("广东省深圳市宝安区西乡街道固戍社区宝民2路12号之一A座三楼301室(入驻某某公司)")
    >>> a.district_code, a.street, a.community, a.road, a.number, a.building, a.room
    ('440306', '西乡街道', '固戍', '宝民二路', '12-1', 'A', '301')
    >>> a.room_key
    '宝民二路12-1号A栋301'
    """
    if text and len(text) < LONGEST:
        word = text[-1] if text[-1] in "室房" else ""
        body = text[:-1] if word else text
        stem = body.rstrip("0123456789")
        room = body[len(stem) :]
        if 2 < len(room) < 5 and room[0] != "0" and stem and stem[-1] in _BEFORE_A_ROOM:
            suite = _suite(stem, word)
            if suite is not None:
                return _room_of(suite, room, word)
    return _read(text)


class _Suite(NamedTuple):
    """An address without its room: what stands before it is read once for all rooms of a building."""

    text: str
    values: tuple[Any, ...]
    floor: str | None
    building_key: str
    estate_key: str | None
    room_key: str
    place: str | None


def _room_of(suite: _Suite, room: str, word: str) -> Address:
    values: tuple[Any, ...] = (
        suite.text + room + word,
        *suite.values,
        suite.floor or room[:-2],
        room,
        None,
        suite.building_key,
        suite.estate_key,
        suite.room_key + room,
        None,
        6,
        suite.place,
    )
    return Address(*values)


@lru_cache(maxsize=32768)
def _suite(stem: str, word: str) -> _Suite | None:
    """Return what an address that ends in a room of three or four digits has but for that room, `None` if unsure."""
    sample = _SAMPLE_ROOM + word
    a = _read(stem + sample)
    if a.text is None or not a.text.endswith(sample) or a.room != _SAMPLE_ROOM or "99" in stem:
        return None
    if a.building_key is None or a.room_key is None or a.house_code is not None:
        return None
    return _Suite(
        text=a.text.removesuffix(sample),
        values=tuple(getattr(a, name) for name in _UP_TO_UNIT),
        floor=None if a.floor == _SAMPLE_ROOM[:-2] else a.floor,
        building_key=a.building_key,
        estate_key=a.estate_key,
        room_key=a.room_key.removesuffix(_SAMPLE_ROOM),
        place=a.place,
    )


def _read(text: str | None) -> Address:
    cleaned, house_code = clean(text)
    if cleaned is None:
        return Address() if house_code is None else _of_code(house_code)
    cleaned = normalise_numerals(cleaned)
    ordered = in_order(cleaned)
    if ordered is not cleaned:
        cleaned = normalise_numerals(ordered)
    place = locate(cleaned)
    parts = parse(cleaned, place.end, place.community)
    if parts.town and place.street is None:
        take_street(place, parts.town, "街道")
    if parts.village and place.community is None:
        take_community(place, parts.village)
    return _address(cleaned, place, parts, house_code)


def _of_code(house_code: str) -> Address:
    district = house_code[:6] if house_code[:6] in divisions.current() else None
    return Address(
        house_code=house_code,
        room_key=house_code,
        district_code=district,
        districts=(district,) if district else (),
        precision=6,
    )


def _address(text: str, place: Place, parts: Parts, house_code: str | None) -> Address:
    province, city, district_code, districts = _administration(place.code, place.street_code is not None)
    by_estate = estate_key(place, parts)
    building = building_key(place, parts, by_estate)
    room = room_label(parts)
    by_room = building + room if building and room else house_code
    return Address(
        text=text,
        province=province,
        city=city,
        district=place.district,
        district_code=district_code,
        districts=districts,
        street=place.street,
        streets=_streets(place),
        community=place.community,
        plot=place.plot,
        road=parts.road,
        number=parts.number,
        estate=parts.estate,
        building=parts.building,
        unit=parts.unit,
        floor=parts.floor,
        room=parts.room,
        house_code=house_code,
        building_key=building,
        estate_key=by_estate,
        room_key=by_room,
        text_key=text_key(text, place, parts, building) if building is None else None,
        precision=precision(place, parts, building, by_room),
        place=place.street or place.district or city or province,
    )


@lru_cache(maxsize=16384)
def _administration(code: str, street_is_known: bool) -> tuple[str | None, str | None, str | None, tuple[str, ...]]:
    """Return province, city, district code and possible district codes for a division code of any length."""
    if not code:
        return None, None, None, ()
    city = divisions.city_of(code) if len(code) >= 4 else None
    district = code if len(code) == 6 else None
    if len(code) == 4 and code + "00" in divisions.current():
        district = code + "00"
    if district is None:
        districts: tuple[str, ...] = ()
    else:
        # A known street settles the district; without one, 宝安区 may mean what is 龙华区 today.
        districts = (district,) if street_is_known else divisions.current_codes(district)
    return divisions.province_of(code), city, district, districts


def _streets(place: Place) -> tuple[str, ...]:
    if place.street is None:
        return ()
    if place.street_code is None:
        return _street_kinds(place.street)
    if place.community in divisions.communities():
        return (place.street,)
    return _street_names(place.street_code)


@lru_cache(maxsize=16384)
def _street_names(code: str) -> tuple[str, ...]:
    names = (divisions.name_of(street) for street in divisions.current_streets(code))
    return tuple(name for name in names if name)


@lru_cache(maxsize=16384)
def _street_kinds(street: str) -> tuple[str, ...]:
    """Return the names under which a town in no table may be known: many a 镇 or 乡 is a 街道 today."""
    stem = street.removesuffix("街道") if street.endswith("街道") else street[:-1]
    return (street, *(stem + kind for kind in ("街道", "镇", "乡") if stem and stem + kind != street))


def mask(value: str) -> str:
    """Return an address as shown to someone who may not see it: down to the street, the rest hidden.

    >>> mask("广东省深圳市宝安区西乡街道固戍社区宝民2路12号")
    '广东省深圳市宝安区西乡街道***'
    """
    address = standardise(value)
    shown = dict.fromkeys(n for n in (address.province, address.city, address.district, address.street) if n)
    return "".join(shown) + "***"
