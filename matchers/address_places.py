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
from matchers.address_communities import read_community
from matchers.address_divisions import DISTINCTIVE_STREETS, NOT_A_PLACE, PLOT, Place, read_divisions

# A place has no digits but those of a plot or an ordinal estate, so that many addresses share one head.
_HEAD = re.compile(r"[^\d]*(?:\d{1,3}[区坊工巷队组].?)?")
_TOWN = re.compile(
    r"((?:(?!街[^\d]{1,5}[镇乡])[^\d号路社村]){1,7}?)(街道办事处|街道办|街道|街办事处|街办|办事处|镇(?!路|大道|街(?!道)|[东南西北]路|[^\d]镇)"
    r"|乡(?!街道|镇|办事处|路|大道|街|村|[^\d]乡))"
)
_ROAD_TOWN = re.compile(r"([^\d号]{1,4}路)(街道办事处|街道办|街道|办事处)")
_STREET_AS_TOWN = re.compile(r"([^\d号路社村]{2,4})(街)(?!道|坊)(?=[^\d]{2})")
_OTHER_NAME = re.compile(r"[^\d路街村]{1,6}(?:路|街|村|社区|大道|镇)")
_ORPHAN = re.compile("街道办事处|办事处|街道办|街道|居民委员会|社区居委会|居委会|村委会|村民委员会")
_ORDINAL = "[东西南北中前后新老一二三四五六七八九十]"
_LANDMARK_ROAD = re.compile(
    rf"(?:(?:机场|公园|医院|体育馆?|火车站|汽车站|大学|学院|中学|小学|广场|银行|电力){_ORDINAL}{{0,2}}|"
    rf"[桥湾港城门](?!{_ORDINAL}{{0,2}}(?:路|街|大道))[^\d号社村区路街]{{1,3}}?)(?:路|大道|街(?!道))"
)
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
    return Place(
        found.code,
        found.district,
        found.street,
        found.street_code,
        found.community,
        found.plot,
        found.end,
        found.area_end,
    )


@lru_cache(maxsize=32768)
def _locate(head: str) -> Place:
    place = read_divisions(head)
    if len(head) > place.end:
        _street(head, place)
    place.area_end = place.end
    if len(head) > place.end:
        read_community(head, place)
    if place.code == divisions.BAOAN and (found := PLOT.match(head, place.end)) and _may_have_plots(head, place):
        place.plot = found[1] + "区"
        place.end = found.end()
    return place


def _may_have_plots(text: str, place: Place) -> bool:
    """Whether an `N区` is a plot: those of 新安街道 are; after a village or elsewhere it is a part of the village."""
    if place.community is None:
        return True
    return place.street in (None, "新安街道") and text[place.end - 1] != "村"


def _street(text: str, place: Place) -> None:
    _home_district(text, place)
    _read_street(text, place)
    if found := _ORPHAN.match(text, place.end):
        # 宝安区办事处, 沙井镇居委会: the word of a name that was lost.
        place.end = found.end()


def _read_street(text: str, place: Place) -> None:
    if _ORPHAN.match(text, place.end):
        return
    start = place.end
    found = _TOWN.match(text, start)
    if found and found.group() in DISTINCTIVE_STREETS:
        # 西乡固戍 is not 西 + 乡.
        found = None
    if found is None or found[2] in ("镇", "乡"):
        if place.code in ("", "44") or place.code.startswith(_BARE_STREETS_OF):
            _bare_street(text, place)
            if place.street:
                return
        found = found or _ROAD_TOWN.match(text, start)
    if found is None:
        found = _STREET_AS_TOWN.match(text, start)
        if found is None or not _is_street(found[1], place.code):
            return
        if len(place.code) < 6:
            if _OTHER_NAME.match(text, found.end()):
                place.street, place.end = found[1] + "街道", found.end()
            return
    take_street(place, found[1], found[2])
    place.end = found.end()
    again = _TOWN.match(text, place.end)
    if again and resolve_street(again[1], again[2], place.code)[0] == place.street:
        place.end = again.end()


@lru_cache(maxsize=16384)
def _is_street(stem: str, within: str) -> bool:
    if len(within) == 6:
        return resolve_street(stem, "街道", within)[1] is not None
    return bool(divisions.street_codes(stem + "街道", within))


def _home_district(text: str, place: Place) -> None:
    """Take a district whose name other cities have too (龙华区, 南山区) for that of Shenzhen if its street follows."""
    if place.district is None or place.code not in ("", "44"):
        return
    codes = divisions.codes_of(place.district, divisions.SHENZHEN)
    for bare, code in _bare_streets().get(divisions.SHENZHEN + text[place.end : place.end + 1], ()):
        if code[:6] in codes and text.startswith(bare, place.end):
            place.code = code[:6]


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
        if not suffix and not _bare_street_is_meant(text, end, bare, place, code):
            continue
        if suffix == "镇" and len(place.code) < 4 and bare not in DISTINCTIVE_STREETS:
            continue
        _set_street(place, code)
        place.end = end + len(suffix)
        return


def _bare_street_is_meant(text: str, end: int, bare: str, place: Place, code: str) -> bool:
    if text.startswith(("社区", "村"), end) or _longer_community_at(text, end - len(bare), bare, place):
        return False
    if NOT_A_PLACE.match(text, end):
        # 航城机场南路, 福海桥头新路: what follows is a name of its own; without a district it might be one name.
        return len(place.code) == 6 and (
            _LANDMARK_ROAD.match(text, end) is not None or _community_at(text, end, code[:6])
        )
    if len(place.code) >= 4 or bare in DISTINCTIVE_STREETS:
        # The community of the same name, not the street: 沙井工业区 is in both, so the street is right either way.
        return True
    return _community_at(text, end, divisions.BAOAN)


def _longer_community_at(text: str, position: int, bare: str, place: Place) -> bool:
    """Whether a community whose name starts with that of the street stands here: 凤凰岗社区."""
    names = divisions.community_names(place.code).get(bare[0], ())
    return any(
        len(n) > len(bare) and text.startswith(n, position) and text.startswith(("社区", "村"), position + len(n))
        for n in names
    )


def _community_at(text: str, position: int, district: str) -> bool:
    names = divisions.community_names(district).get(text[position : position + 1], ())
    return any(text.startswith(name, position) for name in names)


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
    if not within:
        # A town that is known by one name only; many an old 镇 shares its name with one elsewhere.
        everywhere = [(stem + kind, code) for kind in kinds for code in divisions.street_codes(stem + kind)]
        if len(everywhere) == 1 and suffix:
            return everywhere[0]
    areas = (within, *(c for c in divisions.current_codes(within) if c != within)) if len(within) == 6 else (within,)
    for area in areas:
        for kind in kinds if area else ():
            codes = divisions.street_codes(stem + kind, area)
            if codes:
                return stem + kind, codes[0] if len(codes) == 1 else None
    if not within:
        for code in divisions.street_codes(stem + "街道", divisions.BAOAN):
            return stem + "街道", code
    return written, None
