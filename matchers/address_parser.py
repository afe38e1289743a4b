"""The right part of an address: road, house number, estate, building, unit, floor, room.

In: cleaned text with normalised numerals and where reading starts. Out: `Parts`. The text is cut at the words that
carry the structure (路, 号, 工业区, 栋, 单元, 层, 室 …); what stands before such a word is its name or number. A name
before a building that belongs to no word (`领秀峰1栋`) is the estate. Anything after the room is a note.

Written forms of one thing become one: `A座101`, `A101`, `A-101`, `A栋1楼101` are building A, floor 1, room 101;
`2单元9层2号` and `2-9-2` are unit 2, floor 9, room 902.
"""

from __future__ import annotations

import re

from matchers.address_labels import take_label
from matchers.address_named import LINK, take_building, take_estate, take_road
from matchers.address_parts import Parts, finish
from matchers.address_tokens import TOKEN

_NAME_JUNK = "、-之的#()"
_ROOM_AHEAD = re.compile(r"[A-Z]?-?\d{1,4}(?:号|室|房|$)|[A-Z]-\d{3,4}")
_PART_OF_ROOM = re.compile(r"[A-Z]\d{0,2}")


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
    before, open_end = start, False
    for token in TOKEN.finditer(text, start):
        name = text[before : token.start()].strip(_NAME_JUNK)
        if "、" in name:
            name = name.rsplit("、", 1)[1]
        kind = token.lastgroup
        before = token.end()
        if parts.room is not None:
            # Anything after the room is a note, but for a letter at once: 10号房A3.
            if kind == "label" and name in ("", "房", "室") and _PART_OF_ROOM.fullmatch(token["label"]):
                parts.room += token["label"]
            break
        if kind == "unit":
            label = token["label"]
            room_follows = "-" in label and _ROOM_AHEAD.match(text, before) is not None
            take_label(parts, name, label, token["unit"], room_follows)
        elif kind == "label":
            take_label(parts, name, token["label"])
            open_end = before == len(text)
        elif kind == "road":
            take_road(parts, name, token.group())
        elif kind == "estate":
            take_estate(parts, name, token.group())
        elif kind == "wing":
            take_building(parts, name, token.group()[0])
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
        elif parts.estate is None and parts.road and not parts.inside and 1 < len(name) < 16 and not LINK.match(name):
            # The name before a note is a landmark, good enough where there is nothing else.
            parts.estate = name
    if open_end and parts.floor is None and parts.room and len(parts.room) < 3 and parts.room.isdecimal():
        # 7座30: the room of a text that was cut, or a number of something else.
        parts.room = None
    rest = text[before:].strip(_NAME_JUNK)
    if parts.estate is None and not parts.inside and 1 < len(rest) < 16:
        parts.estate = rest
    finish(parts, community or parts.village)
    return parts
