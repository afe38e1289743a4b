"""The right part of an address: road, house number, estate, building, unit, floor, room.

In: cleaned text with normalised numerals and where reading starts. Out: `Parts`. The text is cut at the words that
carry the structure (路, 号, 工业区, 栋, 单元, 层, 室 …); what stands before such a word is its name or number. A name
before a building that belongs to no word (`领秀峰1栋`) is the estate. Anything after the room is a note.

Written forms of one thing become one: `A座101`, `A101`, `A-101`, `A栋1楼101` are building A, floor 1, room 101;
`2单元9层2号` and `2-9-2` are unit 2, floor 9, room 902.
"""

from __future__ import annotations

import re

from matchers.address_names import is_generic_road
from matchers.address_parts import AREA, Parts, finish, without_village
from matchers.address_tokens import TOKEN, UNITS

_NAME_JUNK = "、-之的#()"
_LINK = re.compile(r"[与同跟及]|和(?![平谐睦兴顺风美悦盛畅])")
_COMPASS_LABEL = re.compile(r"[东西南北中]$")
_LETTERED_ROOM = re.compile(r"([A-Z]{1,2}\d?)-?(\d{3,4})(?:-\d+)?$")
_BELOW_GROUND = re.compile(r"(?:负|地下)第?$")
_FLOOR_AND_LETTER = re.compile(r"\d{1,2}-?[A-Z]")
_NUMBER_PREFIXES = frozenset("特甲乙丙丁")


def parse(text: str, start: int, community: str | None) -> Parts:
    """Read the parts of a cleaned address from a position on.

    Args:
        text: cleaned text with normalised numerals.
        start: where the street and community end.
        community: the community already read; it names roads and estates that have only an ordinal.

    >>> p = parse("宝民二路12号荣超大厦A座1楼101", 0, None)
    >>> p.road, p.number, p.estate, p.building, p.floor, p.room
    ('宝民二路', '12', '荣超大厦', 'A', '1', '101')
    """
    parts = Parts(after_village=community is not None)
    before = start
    for token in TOKEN.finditer(text, start):
        name = text[before : token.start()].strip(_NAME_JUNK)
        if "、" in name:
            name = name.rsplit("、", 1)[1]
        kind = token.lastgroup
        before = token.end()
        if parts.room is not None and kind != "label":
            break
        if kind in ("label", "unit"):
            _label(parts, name, token["label"], token["unit"])
        elif kind == "road":
            _road(parts, name, token.group())
        elif kind == "estate":
            _estate(parts, name, token.group())
        elif kind == "wing":
            _building(parts, name, token.group()[0])
        elif kind == "village":
            parts.after_village = True
            if parts.road and parts.road[-1] == "街" and not (parts.number or parts.estate or parts.town):
                # 祁家湾街双墩村: the street before a village is a 街道.
                parts.town, parts.road = parts.road[:-1], None
            if parts.village is None and parts.road is None and community is None and 0 < len(name) < 9:
                parts.village = name
            elif name and not parts.inside and name != community:
                parts.estate = name + ("村" if token.group().startswith(("村", "行政村")) else "社区")
        elif kind == "town":
            if parts.town is None and parts.road is None and 0 < len(name) < 8:
                parts.town = name
        elif kind == "plant":
            parts.dormitory = parts.dormitory or token.group() == "宿舍"
            if name and not parts.inside and parts.estate is None:
                parts.estate = name
        elif parts.estate is None and parts.road and not parts.inside and 1 < len(name) < 16 and not _LINK.match(name):
            # The name before a note is a landmark, good enough where there is nothing else.
            parts.estate = name
    rest = text[before:].strip(_NAME_JUNK)
    if parts.estate is None and not parts.inside and 1 < len(rest) < 16:
        parts.estate = rest
    finish(parts, community or parts.village)
    return parts


def _label(parts: Parts, name: str, label: str, unit: str | None) -> None:
    kind = UNITS[unit] if unit else None
    if kind == "number":
        _number(parts, name, label)
    elif kind == "building" or (kind == "floor" and label[0].isalpha() and label[0] != "B"):
        _building(parts, name, label)
    elif kind == "dormitory":
        parts.dormitory = True
        _building(parts, name, label)
    elif kind == "floor":
        _floor(parts, name, label)
    elif kind == "unit":
        _named(parts, name)
        parts.unit = parts.unit or label
    elif kind == "room":
        _named(parts, name)
        _room(parts, label)
    elif kind == "lane":
        _lane(parts, name, label + (unit or ""))
    elif kind == "road":
        _road(parts, "", name + label + (unit or ""))
    elif kind == "area":
        _area(parts, name, label + (unit or ""))
    elif kind == "estate":
        if not parts.inside:
            parts.estate = name + label + (unit or "")
    elif kind is None:
        _bare_label(parts, name, label)


def _floor(parts: Parts, name: str, label: str) -> None:
    above = _BELOW_GROUND.sub("", name)
    _named(parts, above)
    floor = label.split("-")[0] or label
    if floor[0] == "B" and floor[1:]:
        floor = "-" + floor[1:]
    elif above != name:
        floor = "-" + floor
    parts.floor = parts.floor or floor


def _number(parts: Parts, name: str, label: str) -> None:
    if parts.inside or (parts.number and (parts.number_is_of_road or parts.estate)):
        if parts.number and not parts.inside and name:
            _named(parts, name)
        _room(parts, label)
        return
    if name[-1:] in _NUMBER_PREFIXES:
        label, name = name[-1:] + label, name[:-1]
    if name:
        _named(parts, name)
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
        _named(parts, name)
        if parts.building is None and (len(groups[2]) > 2 or not parts.number):
            parts.building, parts.unit = groups[0], groups[1]
        else:
            parts.unit, parts.floor = groups[0], groups[1]
        _room(parts, groups[2])
    elif lettered and parts.building in (None, lettered[1]):
        _building(parts, name, lettered[1])
        _room(parts, lettered[2])
    elif lettered:
        _room(parts, label)
    elif _FLOOR_AND_LETTER.fullmatch(label):
        _named(parts, name)
        _room(parts, label.replace("-", ""))
    elif len(groups) == 2 and len(groups[0]) < 3 and len(groups[1]) in (3, 4) and groups[1].isdecimal():
        if parts.building is None:
            _building(parts, name, groups[0])
        elif parts.unit is None:
            parts.unit = groups[0]
        _room(parts, groups[1])
    elif label.isdecimal() and 3 <= len(label) <= 4:
        _named(parts, name)
        _room(parts, label)
    elif parts.floor is not None and not name:
        _room(parts, label)
    elif label[0].isalpha() and len(label) < 4 and not parts.inside and (name or parts.estate or parts.number):
        _building(parts, name, label)
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
    elif len(groups) == 2 and len(groups[0]) in (3, 4):
        label = groups[0]
    elif (lettered := _LETTERED_ROOM.match(label)) and parts.building in (None, lettered[1]):
        parts.building, label = lettered[1], lettered[2]
    parts.room = label


def _building(parts: Parts, name: str, label: str) -> None:
    _named(parts, name)
    label = label.rstrip("-")
    groups = label.split("-")
    if len(groups) == 2 and len(groups[1]) > 2:
        label = groups[0]
    if parts.building is None:
        parts.building = label
    elif parts.floor is None and parts.unit is None and parts.building != label and len(parts.building) < 6:
        parts.building = f"{parts.building}-{label}"


def _named(parts: Parts, name: str) -> None:
    """Take the name that stands before a label as the estate, unless the label continues something."""
    if name in ("宿舍", "员工宿舍"):
        parts.dormitory = True
    elif len(name) > 1 and not parts.inside and name not in ("厂房", "负", "地下", "自编", "商铺", "商业", "大门"):
        parts.estate, parts.estate_follows_road = name, parts.road is not None


def _road(parts: Parts, name: str, word: str) -> None:
    full = name + word
    if parts.number_is_of_road or parts.inside or not (name or len(word) > 2):
        if name and parts.number_is_of_road and not parts.inside:
            parts.estate = full
        return
    if parts.road and _LINK.match(name):
        return
    if parts.number is not None and parts.estate:
        parts.number = None
    parts.road, parts.estate_follows_road = full if len(full) < 12 else full[-8:], False


def _lane(parts: Parts, name: str, word: str) -> None:
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


def _area(parts: Parts, name: str, word: str) -> None:
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


def _estate(parts: Parts, name: str, word: str) -> None:
    if parts.inside:
        return
    if name or parts.estate is None:
        parts.estate, parts.estate_follows_road = name + word, parts.road is not None
    elif len(parts.estate) < 12:
        parts.estate += word
