"""Keys of a building and of a room, comparable across ways of writing the same address.

A key holds no province, city, district or street, because one source writes them and another does not; whether two
addresses can lie in one place is asked beside it. A building is named by road and house number where both are known,
else by its estate, else by its village and number. A name that says nothing alone (`4工业区`, `南5巷`) makes no key.
"""

from __future__ import annotations

from matchers.address_divisions import Place
from matchers.address_names import is_generic, is_single_building
from matchers.address_parts import Parts


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
    if parts.floor and not (parts.room.isdecimal() and len(parts.room) > 2):
        return f"{unit}{parts.floor}层{parts.room}"
    return unit + parts.room


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
