"""What was read of the right part of an address, and what the parts mean together.

In: `Parts` as the parser met their words. Out: the same, completed: a name that has only an ordinal (`4工业区`, `20区`,
`南5巷`) is preceded by its village or community, a number after an estate is that of a building, a short room number is
preceded by its floor. Villages are named without 村, as communities are; 新村 is part of the name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from matchers.address_names import is_generic, is_generic_estate, is_generic_road, is_single_building

# Part of a village: a number after it is that of a building, written 号 or 栋.
AREA = re.compile(r"(.*?)(?:[A-Z]\d*|\d+)[区坊]")
# A number after such a name is that of a house in a village, after other names that of a building in an estate.
_VILLAGE_ENDS = tuple("村屯湾庄咀岭岗沟营坊场堤桥堡头口冲坳")


@dataclass(slots=True)
class Parts:
    """What was read; every attribute is `None` until its word is met.

    Attributes not of `address.Address`:
        village: name before 村 or 社区 where no community was read before.
        town: name before 街道 where no street was read before.
        number_is_of_road: the number is on the road, not in an estate or village.
        estate_follows_road: the estate was read after the road.
        dormitory: the building is a dormitory.
        after_village: a village or community was read, so that a bare `20区` is a part of it.
        village_of_lane: what stood before a lane that has only an ordinal.
    """

    road: str | None = None
    number: str | None = None
    estate: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    village: str | None = None
    town: str | None = None
    number_is_of_road: bool = False
    estate_follows_road: bool = False
    dormitory: bool = False
    after_village: bool = False
    village_of_lane: str | None = None

    @property
    def inside(self) -> bool:
        """Whether reading has reached the inside of a building."""
        return self.building is not None or self.unit is not None or self.floor is not None


def finish(parts: Parts, community: str | None) -> None:
    """Complete the parts after the last word was read.

    Args:
        parts: changed in place.
        community: the community or village the address names, if any.
    """
    _finish_estate(parts, community)
    estate = parts.estate
    if parts.road and is_generic_road(parts.road):
        estate_name = estate if estate and not is_generic_estate(estate) else None
        prefix = _village_of_lane(parts.village_of_lane, community) or community or estate_name
        parts.road = (prefix or "") + parts.road
    if parts.dormitory and parts.building:
        parts.building = "宿舍" + parts.building
    room = parts.room
    if room and "-" in room and room[0] != "0" and parts.floor is None and room[:3].isdecimal():
        # 103-4: a part of room 103.
        parts.floor = room.split("-")[0][:-2]
    if room and room.isdecimal():
        if len(room) in (3, 4) and parts.floor is None and room[0] != "0":
            parts.floor = room[:-2]
        elif len(room) < 3 and parts.floor and parts.floor.isdecimal():
            parts.room = parts.floor + room.zfill(2)


def _village_of_lane(village: str | None, community: str | None) -> str | None:
    """Return the village a lane lies in if it is another than the community: 新村 of 西田 is 西田新村."""
    if village is None or (community and village.endswith(community)):
        return None
    if not (is_generic_estate(village) or (len(village) == 2 and village[-1] == "村")):
        return village
    return community + village if community else None


def _finish_estate(parts: Parts, community: str | None) -> None:
    """Tell a building's number from a house's, and name an estate that has only an ordinal after its community."""
    estate = parts.estate
    if estate is None:
        return
    area = AREA.fullmatch(estate)
    if area and not area[1] and not community:
        # 3区 of what is not known; 20区14号 would be shared by every village.
        parts.estate = None
        return
    generic = is_generic_estate(estate)
    if parts.number and not parts.number_is_of_road and parts.building is None:
        of_house = estate.endswith(_VILLAGE_ENDS) or is_generic(estate)
        if area or not of_house:
            if not is_single_building(estate):
                parts.building, parts.number = parts.number, None
            elif parts.room is None:
                parts.room, parts.number = parts.number, None
    if len(estate) > 16:
        estate = estate[-12:]
    parts.estate = community + estate if community and generic else estate


def without_village(name: str) -> str:
    """Return the name of a village without 村, as communities are named; 新村 is part of the name.

    >>> without_village("钟屋村"), without_village("聚福新村"), without_village("楼村")
    ('钟屋', '聚福新村', '楼村')
    """
    return name[:-1] if len(name) > 2 and name[-1] == "村" and name[-2] not in "新老旧" else name
