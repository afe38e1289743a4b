"""Keys of a building and of a room, comparable across ways of writing the same address.

A key holds no province, city, district or street, because one source writes them and another does not; whether two
addresses can lie in one place is asked beside it. A building is named by road and house number where both are known,
else by its estate, else by its village and number. A name that says nothing alone (`4工业区`, `南5巷`) makes no key.
"""

from __future__ import annotations

import re

from matchers import divisions
from matchers.address_divisions import Place
from matchers.address_names import is_generic, is_single_building
from matchers.address_parts import Parts

_SEPARATORS = re.compile(r"[、()\s]")
_STREET_WORD = re.compile(r"(?:街道|镇|乡)$")
_VILLAGES = ("村", "屯", "村委会", "村民委员会", "行政村")
_NUMBERS = re.compile(r"\d+")
_COUNTING = re.compile(r"[\dA-Z#-]|[号栋幢座楼层室房铺院排组]|单元|之|附|厂房|宿舍|商铺|门面")
_SHORTEST_TEXT = 4  # characters; fewer are a word, not a place


def estate_key(place: Place, parts: Parts) -> str | None:
    """Return the building by its estate (`赛联工业园B栋`), or by its plot where there is no estate (`71区3栋`)."""
    estate = parts.estate
    if estate is None:
        if place.plot and parts.building:
            return f"{place.plot}{parts.building}栋"
        return None
    if is_generic(estate):
        return None
    if parts.building:
        return f"{estate}{parts.building}栋"
    return estate if is_single_building(estate) else None


def building_key(place: Place, parts: Parts, estate_key: str | None) -> str | None:
    """Return the building by the first of road and number, estate, village and number, road and building."""
    building = f"{parts.building}栋" if parts.building else ""
    if parts.road and parts.number and parts.number_is_of_road and not is_generic(parts.road):
        return f"{parts.road}{parts.number}号{building}"
    if estate_key:
        return estate_key
    if parts.number:
        anchor = parts.estate if parts.estate and not is_generic(parts.estate) else place.community
        if anchor:
            return f"{anchor}{parts.number}号{building}"
    if parts.road and building and not is_generic(parts.road):
        return parts.road + building
    return None


def room_label(parts: Parts) -> str | None:
    """Return unit and room, with the floor where the room's number does not tell it."""
    if parts.room is None:
        return None
    unit = f"{parts.unit}单元" if parts.unit else ""
    if parts.floor and not (len(parts.room) > 2 and parts.room[:3].isdecimal()):
        return f"{unit}{parts.floor}层{parts.room}"
    return unit + parts.room


def text_key(text: str, place: Place, parts: Parts, building_key: str | None) -> str | None:
    """Return the text below the district where no building could be read but the text goes beyond a community.

    A village, a road or a plot in words of its own (`淳溪镇石塘村`, `12K3地块`) can only be compared as text. A
    street, an urban community or a lone number is shared by too many. The street is given by its name alone.

    Args:
        text: cleaned text with normalised numerals.
        place: its left part.
        parts: its right part.
        building_key: the building, if one was read.
    """
    if building_key is not None:
        return None
    rest = _SEPARATORS.sub("", text[place.area_end :])
    if place.end >= len(text):
        if place.community is None or not rest.endswith(_VILLAGES) or _is_urban(place):
            return None
    elif not _names_a_spot(_SEPARATORS.sub("", text[place.end :]), place, parts):
        return None
    key = (_STREET_WORD.sub("", place.street) if place.street else "") + rest
    return key if len(key) >= _SHORTEST_TEXT else None


def _is_urban(place: Place) -> bool:
    return place.community in divisions.community_names(place.code).get((place.community or "")[:1], ())


def _names_a_spot(rest: str, place: Place, parts: Parts) -> bool:
    """Whether what follows the community is a name, or more than one number in a known place."""
    if parts.village and not (parts.road or parts.estate or parts.number or parts.building or parts.room):
        return rest.endswith(_VILLAGES)
    names = len(_COUNTING.sub("", rest))
    return names > 1 or (bool(place.code or place.street or place.community) and len(_NUMBERS.findall(rest)) > 1)


def precision(place: Place, parts: Parts, building_key: str | None, room_key: str | None) -> int:
    """Return how far the address reaches, from 0 (nothing) to 6 (a room); see `address.Address`."""
    if room_key:
        return 6
    if building_key:
        return 5
    if parts.road or parts.estate or place.plot:
        return 4
    if place.street or place.community:
        return 3
    if place.district:
        return 2
    return 1 if place.code else 0
