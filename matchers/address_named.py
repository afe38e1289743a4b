"""The named parts of an address as they are met: road, lane, part of a village, estate, building.

In: `Parts` as read so far, the name before a word and the word. Out: the same parts, changed. Inside a building names
say nothing about where it stands, so they are passed over there.
"""

from __future__ import annotations

import re

from matchers.address_names import is_generic_road
from matchers.address_parts import AREA, Parts, without_village

LINK = re.compile(r"[与同跟及]|和(?![平谐睦兴顺风美悦盛畅])")
_COMPASS_LABEL = re.compile(r"[东西南北中]$")
_NO_ESTATE = frozenset(
    {
        "厂房",
        "负",
        "地下",
        "自编",
        "商铺",
        "商业",
        "大门",
        "公建",
        "商网",
        "网点",
        "门市",
        "商服",
        "车库",
        "铺位",
        "商业栋",
    }
)


def take_building(parts: Parts, name: str, label: str) -> None:
    """Take the label of a building, or of its part where a building is known."""
    take_name(parts, name)
    label = label.rstrip("-")
    groups = label.split("-")
    if len(groups) == 2 and len(groups[1]) > 2:
        label = groups[0]
    if parts.building is None:
        parts.building = label
    elif parts.floor is None and parts.unit is None and parts.building != label and len(parts.building) < 6:
        parts.building = f"{parts.building}-{label}"


def take_name(parts: Parts, name: str) -> None:
    """Take the name that stands before a label as the estate, unless the label continues something."""
    if name in ("宿舍", "员工宿舍"):
        parts.dormitory = True
    elif len(name) > 1 and not parts.inside and name not in _NO_ESTATE:
        parts.estate, parts.estate_follows_road = name, parts.road is not None


def take_road(parts: Parts, name: str, word: str) -> None:
    """Take a road; one after a numbered road is a landmark, one after a link word its crossing."""
    full = name + word
    if parts.number_is_of_road or parts.inside or not (name or len(word) > 2):
        if name and parts.number_is_of_road and not parts.inside:
            parts.estate = full
        return
    if parts.road and LINK.match(name):
        return
    if parts.number is not None and parts.estate:
        parts.number = None
    parts.road, parts.estate_follows_road = full if len(full) < 12 else full[-8:], False


def take_lane(parts: Parts, name: str, word: str) -> None:
    """Take a lane, which lengthens the road or hangs on the village."""
    if parts.inside:
        return
    if parts.road and not parts.number_is_of_road:
        if len(name) > 1:
            parts.estate = name
        parts.road += (name if len(name) < 2 else "") + word
        parts.estate_follows_road = False
    elif parts.road is None:
        if parts.estate and (parts.estate.endswith("村") or AREA.fullmatch(parts.estate)):
            parts.village_of_lane = without_village(parts.estate)
        compass = name[-1:] if _COMPASS_LABEL.search(name) else ""
        stem = name.removesuffix(compass)
        if len(stem) > 1 and parts.estate is None and parts.village is None:
            parts.estate = stem
        parts.road = compass + word


def take_area(parts: Parts, name: str, word: str) -> None:
    """Take a numbered part of a village or an estate: 蚝二村20区, 海滨新村1坊, 万科城2期."""
    if parts.inside:
        return
    if name:
        parts.estate = without_village(name) + word
        # The number after a 坊 is that of a house there, as after the name of any quarter.
        parts.estate_follows_road = parts.estate_follows_road or (AREA.fullmatch(word) is not None and word[-1] == "坊")
    elif not AREA.fullmatch(word):
        parts.estate = parts.estate + word if parts.estate else None
    elif parts.estate:
        parts.estate = without_village(parts.estate) + word
    elif parts.road and parts.number is None and not is_generic_road(parts.road):
        # 爱国路四坊13号楼: the part of a quarter that has only the road for a name.
        parts.estate, parts.estate_follows_road = parts.road + word, True
    elif parts.after_village and parts.road is None:
        parts.estate = word


def take_estate(parts: Parts, name: str, word: str) -> None:
    """Take an estate, or the next word of its name."""
    if parts.inside:
        return
    if name or parts.estate is None:
        parts.estate, parts.estate_follows_road = name + word, parts.road is not None
    elif len(parts.estate) < 12:
        parts.estate += word
