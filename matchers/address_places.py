"""The left part of an address: divisions, street, community, numbered plot.

In: cleaned text with normalised numerals. Out: a `Place` and how far the text was read. Names are the ones in force
today; `福永镇` is 福永街道, `宝安区公明街道` is in 光明区, `福永和平社区` is in 福海街道.

宝安区 comes first: `西乡南昌社区` without a city is the community there, not 南昌市.
Invariant: every name in a `Place` is a current one, or as written where no table has it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from matchers import divisions
from matchers.address_divisions import DISTINCTIVE_STREETS, NOT_A_PLACE, PLOT, Place, read_divisions

# A place has no digits but those of a plot or an ordinal estate, so that many addresses share one head.
_HEAD = re.compile(r"[^\d]*(?:\d{1,3}[区工巷队组].?)?")
_TOWN = re.compile(
    r"([^\d号路社村]{1,7}?)(街道办事处|街道办|街道|街办事处|街办|办事处|镇(?!路|大道|街(?!道)|[东南西北]路|[^\d]镇)"
    r"|乡(?!街道|镇|办事处|路|大道|街|村|[^\d]乡))"
)
_ROAD_TOWN = re.compile(r"([^\d号]{1,4}路)(街道办事处|街道办|街道|办事处)")
_STREET_AS_TOWN = re.compile(r"([^\d号路社村]{2,4})(街)(?!道|坊)(?=[^\d]{2})")
_COMMUNITY = re.compile(
    r"([^\d号路街巷园区厦苑城期]{1,8}?)(村?社区居民委员会|村?社区居委会|村?社区村?|村民委员会|村委会|居民?委员?会|行政村|"
    r"(?<![新])村(?!前?[东西南北中一二三四五六七八九十\d]{0,2}(?:路|街|大道|巷道)|民|镇))"
)
_AFTER_BARE_COMMUNITY = re.compile(
    r"(?:\d+|[东西南北中]部?|老|旧|新)?(?:工业|村|开发区|商业|市场|\d*[队组]|[东西南北]区|[东西南北]?\d*巷)"
)
_AMBIGUOUS = frozenset({"径贝", "麻布", "大浪"})
# Prefectures whose towns are written without 街道 or 镇 often enough to be read bare.
_BARE_STREETS_OF = ("4403", "4419")


@lru_cache(maxsize=1)
def _bare_streets() -> dict[str, list[tuple[str, str]]]:
    """Bare street names of the prefectures in `_BARE_STREETS_OF` by prefecture and first character."""
    table: dict[str, list[tuple[str, str]]] = {}
    for code, name in divisions.street_names().items():
        if code.startswith(_BARE_STREETS_OF) and name.endswith(("街道", "镇")):
            bare = name.removesuffix("街道").removesuffix("镇")
            if len(bare) > 1:
                table.setdefault(code[:4] + bare[0], []).append((bare, code))
    return {key: sorted(found, key=lambda s: (-len(s[0]), s)) for key, found in table.items()}


@lru_cache(maxsize=1)
def _communities() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for name in divisions.communities():
        table.setdefault(name[0], []).append(name)
    return {first: sorted(names, key=lambda n: (-len(n), n)) for first, names in table.items()}


def locate(text: str) -> Place:
    """Read the place at the start of a cleaned address.

    >>> p = locate("西乡南昌社区航城大道12号")
    >>> p.code, p.street, p.community, p.end
    ('440306', '西乡街道', '南昌', 6)
    >>> p = locate("深圳市宝安区公明镇")
    >>> p.code, p.street
    ('440311', '公明街道')
    """
    found = _locate(_HEAD.match(text).group())  # type: ignore[union-attr]
    return Place(found.code, found.district, found.street, found.street_code, found.community, found.plot, found.end)


@lru_cache(maxsize=32768)
def _locate(head: str) -> Place:
    place = read_divisions(head)
    if len(head) > place.end:
        _street(head, place)
    if len(head) > place.end:
        _community(head, place)
    if place.code == divisions.BAOAN and (found := PLOT.match(head, place.end)):
        place.plot = found[1] + "区"
        place.end = found.end()
    return place


def _street(text: str, place: Place) -> None:
    start = place.end
    found = _TOWN.match(text, start)
    if found is None or found[2] in ("镇", "乡"):
        # 西乡固戍 is not 西 + 乡.
        if place.code in ("", "44") or place.code.startswith(_BARE_STREETS_OF):
            _bare_street(text, place)
            if place.street:
                return
        found = found or _ROAD_TOWN.match(text, start)
    if found is None:
        found = _STREET_AS_TOWN.match(text, start) if len(place.code) == 6 else None
        if found is None or resolve_street(found[1], "街道", place.code)[1] is None:
            return
    take_street(place, found[1], found[2])
    place.end = found.end()
    again = _TOWN.match(text, place.end)
    if again and resolve_street(again[1], again[2], place.code)[0] == place.street:
        place.end = again.end()


def _bare_street(text: str, place: Place) -> None:
    start = place.end
    city = place.code[:4] if len(place.code) >= 4 else divisions.SHENZHEN
    for bare, code in _bare_streets().get(city + text[start : start + 1], ()):
        if not text.startswith(bare, start):
            continue
        if len(place.code) == 6 and code[:6] not in divisions.current_codes(place.code):
            continue
        end = start + len(bare)
        suffix = "镇" if text.startswith("镇", end) else ""
        if len(place.code) < 4 and not (code.startswith(divisions.BAOAN) or bare in ("公明", "民治")):
            continue
        if not suffix and not _bare_street_is_meant(text, end, bare, place):
            continue
        if suffix == "镇" and len(place.code) < 4 and bare not in DISTINCTIVE_STREETS:
            continue
        _set_street(place, code)
        place.end = end + len(suffix)
        return


def _bare_street_is_meant(text: str, end: int, bare: str, place: Place) -> bool:
    if NOT_A_PLACE.match(text, end) or text.startswith(("社区", "村"), end):
        return False
    if len(place.code) >= 4 or bare in DISTINCTIVE_STREETS:
        # The community of the same name, not the street: 沙井工业区 is in both, so the street is right either way.
        return True
    return any(text.startswith(name, end) for name in _communities().get(text[end : end + 1], ()))


def take_street(place: Place, stem: str, suffix: str) -> None:
    """Set the street from a name as written, moving the district along where the street is known to be elsewhere."""
    name, code = resolve_street(stem, suffix, place.code)
    if code is None:
        place.street = name
    else:
        _set_street(place, code)


def _set_street(place: Place, code: str) -> None:
    place.street, place.street_code = divisions.name_of(code), code
    if code[:6] != place.code and code[:6] in divisions.current():
        place.code, place.district = code[:6], divisions.name_of(code[:6])


@lru_cache(maxsize=65536)
def resolve_street(stem: str, suffix: str, within: str) -> tuple[str, str | None]:
    """Return the current name of a street or town and its code, `None` if it is not known or not unique.

    Args:
        stem: the name without its last word.
        suffix: the last word as written (街道, 办事处, 镇, 乡 and so on).
        within: the division code known so far, possibly empty.

    >>> resolve_street("福永", "镇", "440306")
    ('福永街道', '440306020')
    >>> resolve_street("龙华", "街道", "440306")
    ('龙华街道', '440309003')
    """
    written = stem + (suffix if suffix in ("镇", "乡") else "街道")
    kinds = sorted(("街道", "镇", "乡"), key=lambda kind: not written.endswith(kind))
    areas = (within, *(c for c in divisions.current_codes(within) if c != within)) if len(within) == 6 else (within,)
    for area in areas:
        for kind in kinds if area else kinds[:1]:
            codes = divisions.street_codes(stem + kind, area)
            if len(codes) == 1 and (area or suffix):
                return stem + kind, codes[0]
            if codes and area:
                return stem + kind, None
    if not within:
        for code in divisions.street_codes(stem + "街道", divisions.BAOAN):
            return stem + "街道", code
    return written, None


def _community(text: str, place: Place) -> None:
    start = place.end
    found = _COMMUNITY.match(text, start)
    if found:
        # 楼村 and the like would be too short without it.
        take_community(place, found[1] if len(found[1]) > 1 else found[1] + "村")
        place.end = found.end()
        # 上寮村上寮工业区, 水田社区水田村: the name again.
        again = _COMMUNITY.match(text, place.end)
        if again and again[1] == found[1]:
            place.end = again.end()
        return
    if place.code != divisions.BAOAN:
        return
    for name in _communities().get(text[start : start + 1], ()):
        end = start + len(name)
        if text.startswith(name, start) and (
            _AFTER_BARE_COMMUNITY.match(text, end)
            or any(text.startswith(n, end) for n in _communities().get(text[end : end + 1], ()))
        ):
            take_community(place, name)
            place.end = end
            return


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
