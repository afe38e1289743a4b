"""The labels of an address as they are met: house number, building, unit, floor, room.

In: `Parts` as read so far, the name before a number or letter, and the word after it. Out: the same parts, changed.
A label that no word follows is told by what is known so far: `12` after a road is the house, `301` behind it the room.
"""

from __future__ import annotations

import re

from matchers.address_named import take_area, take_building, take_lane, take_name, take_road
from matchers.address_parts import Parts
from matchers.address_tokens import UNITS

# A2003 is room 2003 of A; only a dash or one more digit makes it A2.
_LETTERED_ROOM = re.compile(r"([A-Z]{1,2}(?:\d(?=-|\d{4}(?!\d)))?)-?(\d{3,4})(?:-\d+)?$")
_FLOOR_AND_LETTER = re.compile(r"\d{1,2}-?[A-Z]")
_BELOW_GROUND = re.compile(r"(?:负|地下)第?$")
_BUILDINGS_AT_A_NUMBER = frozenset({"号厂房", "号宿舍", "号仓库"})
_NUMBER_PREFIXES = frozenset("特甲乙丙丁")


def take_label(parts: Parts, name: str, label: str, unit: str | None = None, room_follows: bool = False) -> None:
    """Take a number or letter with the word that says what it counts."""
    kind = UNITS[unit] if unit else None
    if kind == "floor" and "-" in label:
        take_name(parts, _BELOW_GROUND.sub("", name))
        name, label = "", _floor_of_unit(parts, label, room_follows)
        if not label:
            return
    if (
        unit in _BUILDINGS_AT_A_NUMBER
        and parts.road
        and not (name or parts.number or parts.estate_follows_road or parts.inside)
    ):
        # 径贝南路58号厂房: the number is that of the road.
        parts.dormitory = parts.dormitory or kind == "dormitory"
        kind = "number"
    if kind == "number":
        _number(parts, name, label)
    elif kind == "building" or (kind == "floor" and label[0].isalpha() and label[0] != "B"):
        take_building(parts, name, label)
    elif kind == "dormitory":
        parts.dormitory = True
        take_building(parts, name, label)
    elif kind == "floor":
        _floor(parts, name, label)
    elif kind == "unit":
        take_name(parts, name)
        parts.unit = parts.unit or label
    elif kind == "room":
        take_name(parts, name)
        _room(parts, label)
    elif kind == "lane":
        take_lane(parts, name, label + (unit or ""))
    elif kind == "road":
        take_road(parts, "", name + label + (unit or ""))
    elif kind == "area":
        take_area(parts, name, label + (unit or ""))
    elif kind == "estate":
        if not parts.inside:
            parts.estate = name + label + (unit or "")
    elif kind is None:
        _bare_label(parts, name, label)


def _floor_of_unit(parts: Parts, label: str, room_follows: bool) -> str:
    """Return the floor of a dashed label, empty for several: `3-2层1室` has unit 3, floor 2; `1-3层` three floors."""
    first, _, last = label.rpartition("-")
    if first.count("-") == 1 and room_follows:
        # 2-3-4层1室: unit 2, floors 3 and 4.
        first = first.split("-")[0]
    if first.isalpha() and last.isdecimal() and len(last) < 3:
        if parts.building is None:
            parts.building = first
        elif parts.unit is None:
            parts.unit = first
        return last
    if not (first.isdecimal() and last.isdecimal() and len(last) < 3):
        return label
    if room_follows or int(first) > int(last):
        if parts.unit is None:
            parts.unit = first
        return last
    return ""


def _floor(parts: Parts, name: str, label: str) -> None:
    above = _BELOW_GROUND.sub("", name)
    take_name(parts, above)
    floor = label.split("-")[0] or label
    if floor[0] == "B" and floor[1:]:
        floor = "-" + floor[1:]
    elif above != name:
        floor = "-" + floor
    parts.floor = parts.floor or floor


def _number(parts: Parts, name: str, label: str) -> None:
    if parts.inside or (parts.number and (parts.number_is_of_road or parts.estate)):
        if parts.number and not parts.inside and name:
            take_name(parts, name)
        _room(parts, label)
        return
    if name[-1:] in _NUMBER_PREFIXES:
        label, name = name[-1:] + label, name[:-1]
    if name:
        take_name(parts, name)
    of_road = parts.road is not None and not parts.estate_follows_road
    if parts.number is None or of_road:
        _house_number(parts, label, of_road)


def _house_number(parts: Parts, label: str, of_road: bool) -> None:
    groups = label.split("-")
    if len(groups) > 1 and len(groups[-1]) in (3, 4) and groups[-1].isdecimal() and len(groups[0]) < 3:
        # 3-101号, 23-2-201号: number, unit, room.
        label = groups[0]
        if len(groups) == 3:
            parts.unit = groups[1]
        parts.room = groups[-1]
    parts.number, parts.number_is_of_road = label, of_road


def _bare_label(parts: Parts, name: str, label: str) -> None:
    """Read a number or letter that no word follows, from what is known so far."""
    if parts.road and parts.number is None and not name and not parts.inside and not parts.estate_follows_road:
        if label[0].isdecimal():
            _house_number(parts, label, True)
        return
    if not (name or parts.estate or parts.number or parts.inside or parts.road):
        return
    groups = label.split("-")
    lettered = _LETTERED_ROOM.match(label)
    if len(groups) == 3 and all(g.isdecimal() for g in groups):
        take_name(parts, name)
        if parts.building is None and (len(groups[2]) > 2 or not parts.number):
            parts.building, parts.unit = groups[0], groups[1]
        else:
            parts.unit, parts.floor = groups[0], groups[1]
        _room(parts, groups[2])
    elif lettered and parts.building in (None, lettered[1]):
        take_building(parts, name, lettered[1])
        _room(parts, lettered[2])
    elif lettered:
        _room(parts, label)
    elif _FLOOR_AND_LETTER.fullmatch(label):
        take_name(parts, name)
        _room(parts, label.replace("-", ""))
    elif len(groups) == 2 and len(groups[0]) < 3 and len(groups[1]) in (3, 4) and groups[1].isdecimal():
        if parts.building is None:
            take_building(parts, name, groups[0])
        elif parts.unit is None:
            parts.unit = groups[0]
        _room(parts, groups[1])
    elif label.isdecimal() and 3 <= len(label) <= 4:
        take_name(parts, name)
        _room(parts, label)
    elif parts.floor is not None and not name:
        _room(parts, label)
    elif label[0].isalpha() and len(label) < 4 and not parts.inside and (name or parts.estate or parts.number):
        take_building(parts, name, label)
    elif parts.inside and not name:
        _room(parts, label)


def _room(parts: Parts, label: str) -> None:
    if parts.room is not None:
        return
    groups = label.split("-")
    if len(groups) == 3 and parts.unit is None and all(g.isdecimal() for g in groups):
        parts.unit, parts.floor, label = groups[0], parts.floor or groups[1], groups[2]
    elif len(groups) == 2 and len(groups[0]) < 3 and groups[1].isdecimal() and len(groups[1]) in (3, 4):
        if parts.building is None:
            parts.building = groups[0]
        elif parts.building != groups[0] and parts.unit is None and groups[0].isdecimal():
            parts.unit = groups[0]
        label = groups[1]
    elif len(groups) == 2 and len(groups[0]) in (3, 4) and len(groups[1]) > 2:
        label = groups[0]
    elif len(groups) == 2 and parts.unit and parts.floor is None and all(g.isdecimal() and len(g) < 3 for g in groups):
        # 1单元38-8: floor and room.
        parts.floor, label = groups
    elif (lettered := _LETTERED_ROOM.match(label)) and parts.building in (None, lettered[1]):
        parts.building, label = lettered[1], lettered[2]
    parts.room = label
