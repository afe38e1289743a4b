"""The community (社区, 村) in an address, after the street.

In: cleaned text and a `Place` read down to the street. Out: the place with its community and read past it. A community
is told by its word (固戍社区), or, where its name is known, by what follows: an estate that has only an ordinal
(壆岗第四工业区), or a road or village with a name of its own (蚝四蚝四村, 塘下涌广田路). A road or village that is
called after the community keeps its name (固戍一路, 铁岗水库路, 聚福新村).
"""

from __future__ import annotations

import re
from functools import lru_cache

from matchers import divisions
from matchers.address_divisions import Place

_VILLAGE = r"村(?!前?[东西南北中一二三四五六七八九十\d]{0,2}(?:路|街|大道|巷道)|民|镇)"
_VILLAGE_WORD = re.compile(_VILLAGE)
_COMMUNITY = re.compile(
    r"([^\d号路街巷园区厦苑城期]{1,8}?)(村?社区居民委员会|村?社区居委会|村?社区村?|村民委员会|村委会|居民?委员?会|行政村|"
    rf"(?<![新]){_VILLAGE})"
)
_AFTER_BARE_COMMUNITY = re.compile(
    r"(?:\d+|[东西南北中]部?|老|旧|新)?(?:工业|村|开发区|商业|市场|\d*[队组]|\d+[区坊]|[东西南北]区|[东西南北]?\d*巷)"
)
# 聚福新村 is the name of the village; the community is known, and the name is read again as that of the village.
_OWN_VILLAGE = re.compile(r"[新老旧]村")
_ORDINAL = "东西南北中上下前后新老旧大小一二三四五六七八九十"
_ROAD_WORD = "(?:路|街(?![道坊区])|大道|公路|(?<=[一二三四五六七八九十])道)"
_LANDMARK = (
    "工业|商业|水库|市场|学校|小学|中学|公园|广场|医院|车站|火车站|汽车站|码头|环村|环城|步行|花园|科技园|开发区"
)
# A road or village whose name does not lean on the community before it.
_OWN_NAME = re.compile(
    rf"(?![桥湾港城门]?[{_ORDINAL}]{{0,3}}(?:{_ROAD_WORD}|村))(?:(?!{_LANDMARK})[^\d号社村区、]{{2,6}}?{_ROAD_WORD}|"
    r"(?!工业|社区|居委|行政)[^\d号社村区路街新、]{2,4}?新?村(?![民镇]))"
)
# 罗岗罗岗村, 民治民治大道: a community and a village or road called after it.
_TWICE = re.compile(rf"([^\d号路街村社区]{{2,4}})(?=\1[{_ORDINAL}]{{0,3}}(?:村|{_ROAD_WORD}))")
_AMBIGUOUS = frozenset({"径贝", "麻布", "大浪"})


def read_community(text: str, place: Place) -> None:
    """Read the community that stands at the end of what was read so far.

    Args:
        text: cleaned text with normalised numerals.
        place: is moved past the community and told its name.
    """
    start = place.end
    name = _before_own_name(text, place)
    if name:
        take_community(place, name)
        place.end = start + len(name)
        _again(text, place, name)
        return
    found = _COMMUNITY.match(text, start)
    if found:
        # 楼村 and the like would be too short without it.
        take_community(place, found[1] if len(found[1]) > 1 else found[1] + "村")
        place.end = found.end()
        _again(text, place, found[1])
        return
    if place.code != divisions.BAOAN:
        return
    names = divisions.community_names(divisions.BAOAN)
    for name in names.get(text[start : start + 1], ()):
        end = start + len(name)
        if not text.startswith(name, start):
            continue
        if _OWN_VILLAGE.match(text, end):
            take_community(place, name)
            return
        if _AFTER_BARE_COMMUNITY.match(text, end) or any(
            text.startswith(n, end) for n in names.get(text[end : end + 1], ())
        ):
            take_community(place, name)
            place.end = end + (_VILLAGE_WORD.match(text, end) is not None)
            return


def _before_own_name(text: str, place: Place) -> str | None:
    """Return the community at the current position if a road or village with a name of its own follows."""
    start = place.end
    twice = _TWICE.match(text, start)
    if twice:
        return twice[1]
    name = _known_at(text, start, place)
    return name if name and _OWN_NAME.match(text, start + len(name)) else None


def _known_at(text: str, position: int, place: Place) -> str | None:
    """Return the longest known community at a position: 沙浦围新路 is not 围新路 in 沙浦."""
    names = divisions.community_names(place.code).get(text[position : position + 1], ())
    return next((name for name in names if text.startswith(name, position)), None)


def _again(text: str, place: Place, name: str) -> None:
    """Read over the name where it comes again: 上寮村上寮工业区, 水田社区水田村, 固戍社区固戍航空路."""
    again = _COMMUNITY.match(text, place.end)
    if again and again[1] == name:
        place.end = again.end()
    elif text.startswith(name, place.end) and _known_at(text, place.end, place) == name:
        end = place.end + len(name)
        if _VILLAGE_WORD.match(text, end):
            # A name that ends in 新 is not matched above: 石新村 is the village of 石新, 聚福新村 another one.
            place.end = end + 1
        elif _OWN_NAME.match(text, end):
            place.end = end


def take_community(place: Place, name: str) -> None:
    """Set the community, and with it the street where 宝安区 has one community of the name."""
    place.community = name
    if place.code == divisions.BAOAN and (place.street is None or place.street_code):
        code = _street_of_community(name, place.street_code)
        if code:
            place.street, place.street_code = divisions.name_of(code), code


@lru_cache(maxsize=16384)
def _street_of_community(name: str, street: str | None) -> str | None:
    """Return the code of the one street of 宝安区 that has the community, within what the street once covered."""
    streets = divisions.communities().get(name, ())
    if street:
        streets = tuple(s for s in streets if s in divisions.current_streets(street))
    elif name in _AMBIGUOUS:
        return None
    return streets[0] if len(streets) == 1 else None
