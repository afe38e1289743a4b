"""The region at the start of an organisation name (行政区划), or inside it.

Official suffixes are optional in names (深圳宝安 = 深圳市宝安区) and old names of divisions live on in them. A place in
full is always believed; without its suffix it is believed at the start of a name unless it is also a common brand
(东方, 和平), and a district only below its city or in the home city. Ambiguous names are read by what precedes them,
else as the home city's.

Codes are written without trailing zeros: 44 province, 4403 city, 440306 district, 440306018 street.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from matchers.organization_text import HAN, rows, words

HOME = "4403"  # Shenzhen: its districts and streets are known without their city

# Districts carved out of an older one carry the older one's code: names and registers still mix them.
_ORIGIN = {"440309": "440306", "440311": "440306", "440310": "440307"}
_MUNICIPALITIES = frozenset(("11", "12", "31", "50"))
_COUNTRIES = frozenset(words("organization_countries.txt"))
_ALIASES = (
    ("光明新区", "光明", "440311"),
    ("龙华新区", "龙华", "440309"),
    ("坪山新区", "坪山", "440310"),
    ("大鹏新区", "大鹏", "440307"),
    ("襄樊市", "襄阳", "4206"),
    ("襄樊", "襄阳", "4206"),
    ("内蒙", "内蒙古", "15"),
    ("台湾省", "台湾", "71"),
    ("台湾", "台湾", "71"),
)
ZONE = re.compile(
    rf"(?:国家级?|([{HAN}]{{2}})(?=保税|经济技术|高新技术|新技术|出口加工|自由贸易))?(?:(保税港?区)|(?:经济技术|经济|技术)?(开发区)"
    r"|(高新)技术(?:产业)?(?:开发)?(?:园?区)|(高新)(?:园)?区|(新技术)(?:产业园|开发)区|(自贸)(?:试验)?区|(自由贸易)(?:试验)?区"
    r"|(出口加工)区|(合作)区|(工业园)区)"
    rf"|([{HAN}]{{2,3}}?(?:新区|度假区|经济区|开发区))(?!块)"
)
_ZONE_NAMES = {
    "高新": "高新区",
    "新技术": "高新区",
    "自贸": "自贸区",
    "自由贸易": "自贸区",
    "出口加工": "出口加工区",
    "合作": "合作区",
    "工业园": "工业园区",
}
_TOWN = re.compile(rf"([{HAN}]{{1,3}}?)(?:街道办事处|街道办|街道|镇|乡)(?![村镇化银医])")


class Entry(NamedTuple):
    """One reading of a place name: code, short name, official name in full, and whether the text has its suffix."""

    code: str
    short: str
    full: str
    complete: bool


class Step(NamedTuple):
    """A place read in a text: where it ends, its short name, its code if known, whether it was written in full."""

    end: int
    short: str
    code: str | None
    complete: bool


def _trimmed(code: str) -> str:
    if len(code) > 6:
        return code
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


def _load() -> tuple[dict[str, tuple[Entry, ...]], dict[str, str]]:
    surfaces: dict[str, set[Entry]] = defaultdict(set)
    names: dict[str, str] = {}
    for full, short, raw in rows("organization_places.tsv"):
        code = _trimmed(raw)
        surfaces[full].add(Entry(code, short or full, full, True))
        if short:
            surfaces[short].add(Entry(code, short, full, False))
        names.setdefault(code, short or full)
        if len(code) == 9:
            for suffix in ("镇", "街道办", "街道办事处"):
                surfaces[short + suffix].add(Entry(code, short, full, True))
    for surface, short, code in _ALIASES:
        surfaces[surface] = {Entry(code, short, surface, True)}
    for street, communities in rows("organization_communities.tsv"):
        for community in communities.split():
            for suffix in ("社区", "村", ""):
                surfaces[community + suffix].add(Entry(street + "000", community, community + "社区", bool(suffix)))
    ordered = {surface: tuple(sorted(entries)) for surface, entries in surfaces.items()}
    return ordered, names


_SURFACES, _NAMES = _load()
# Names of divisions that are a brand or a word rather than a place when they stand alone.
BRANDS = frozenset(words("organization_place_brands.txt"))
_lengths: dict[str, set[int]] = defaultdict(set)
for _surface in _SURFACES:
    _lengths[_surface[:2]].add(len(_surface))
_COUNTRY_SIZES: dict[str, tuple[int, ...]] = {
    initial: tuple(sorted({len(c) for c in _COUNTRIES if c[0] == initial}, reverse=True))
    for initial in {country[0] for country in _COUNTRIES}
}
_LENGTHS = {start: tuple(sorted(found, reverse=True)) for start, found in _lengths.items()}
_TOWNLIKE = ("市", "县", "旗", "盟", "地区", "州")


def official_names() -> tuple[tuple[str, str], ...]:
    """Return code and official name of every province, city and district."""
    return tuple(
        sorted({(e.code, e.full) for found in _SURFACES.values() for e in found if e.complete and len(e.code) <= 6})
    )


def read_region(text: str, within: str = "") -> tuple[Step, ...]:
    """Return the places at the start of a text, outermost first.

    Args:
        text: a name.
        within: code of the place the name is known to be in; only what lies there is read.

    >>> [(step.short, step.code) for step in read_region("深圳市宝安区西乡街道张三小吃店")]
    [('深圳', '4403'), ('宝安', '440306'), ('西乡', '440306018')]
    """
    steps: list[Step] = []
    position, code, zoned = 0, within, "区" in text
    for size in _COUNTRY_SIZES.get(text[:1], ()):
        if text[:size] in _COUNTRIES:
            steps.append(Step(size, text[:size], None, True))
            position = size
            break
    while position < len(text) and len(steps) < 6:
        step = _place(text, position, code) or (_zone(text, position) if zoned else None)
        if step is None and len(code) >= 6:
            step = _town(text, position)
        if step is None:
            break
        steps.append(step)
        position, code = step.end, step.code or code
    return tuple(steps)


def place_at(text: str, position: int) -> Step | None:
    """Return the place that begins at a position inside a name (country, province, city, or an unmistakable county)."""
    if text.startswith("中国", position):
        return Step(position + 2, "中国", None, True)
    step = _place(text, position, "")
    return step if step is not None and step.code is not None else None


def _place(text: str, position: int, context: str) -> Step | None:
    for length in _LENGTHS.get(text[position : position + 2], ()):
        end = position + length
        if end > len(text) or (text[end - 1] == "市" and text[end : end + 1] in ("政", "场")):
            continue
        found = _reading(text[position:end], context)
        if found is not None:
            return Step(end, *found)
    return None


@lru_cache(maxsize=65536)
def _reading(surface: str, context: str) -> tuple[str, str | None, bool] | None:
    """Return the short name, code and completeness of a text read as a place below another, None if it is none."""
    within = [e for e in _SURFACES.get(surface, ()) if _below(e.code, context)]
    if not within:
        return None
    entry, unique = _choose(within)
    if not entry.complete and not _believed(surface, entry, context, unique, within):
        return None
    if not unique and len(entry.code) == 12:
        return None
    return entry.short, entry.code if unique else None, entry.complete


def _below(code: str, context: str) -> bool:
    """Tell whether a division lies in another; streets count also below the district they were carved out of."""
    if code == context:
        return False
    return code.startswith(context) or (len(code) > 6 and _ORIGIN.get(code[:6]) == context)


def _choose(entries: list[Entry]) -> tuple[Entry, bool]:
    """Pick the widest division, among counties and below the home city's; say whether the choice is without rival."""
    shortest = min(len(entry.code) for entry in entries)
    if shortest >= 6 and not entries[0].complete:
        entries = [entry for entry in entries if entry.code.startswith(HOME)] or entries
        shortest = min(len(entry.code) for entry in entries)
    rivals = [entry for entry in entries if len(entry.code) == shortest]
    home = [entry for entry in rivals if entry.code.startswith(HOME)]
    chosen = (home or rivals)[0]
    return chosen, bool(home) or len({entry.code for entry in rivals}) == 1


def _believed(surface: str, entry: Entry, context: str, unique: bool, entries: list[Entry]) -> bool:
    """Decide whether a place without its suffix is meant as a place."""
    if len(entry.code) == 12:
        return len(context) == 9
    if context:
        return True
    if len(entry.code) <= 4:
        return unique
    if surface in BRANDS or not unique:
        return False
    if entry.code.startswith(HOME):
        return True
    return any(e.full.endswith(_TOWNLIKE) for e in entries if e.code == entry.code)


def _zone(text: str, position: int) -> Step | None:
    match = ZONE.match(text, position)
    if match is None or match.end() == position:
        return None
    prefix, *kinds = match.groups()
    word = next(kind for kind in kinds if kind)
    return Step(match.end(), (prefix or "") + _ZONE_NAMES.get(word, word), None, True)


def _town(text: str, position: int) -> Step | None:
    match = _TOWN.match(text, position)
    return Step(match.end(), match[1], None, True) if match else None


class Region(NamedTuple):
    """Where an organisation says it is: folded text, and codes as far as they are known."""

    text: str | None
    code: str | None
    province: str | None
    city: str | None
    district: str | None


NO_REGION = Region(None, None, None, None, None)


@lru_cache(maxsize=65536)
def region_of(steps: tuple[Step, ...]) -> Region:
    """Return the region of the places read: city and district by their short names, the province if alone.

    >>> region_of(read_region("广东省深圳市宝安区")).text, region_of(read_region("宝安")).text
    ('深圳宝安', '深圳宝安')
    """
    if not steps:
        return NO_REGION
    code = next((step.code for step in reversed(steps) if step.code), None)
    below = [step.short for step in steps if step.code is None]
    if code is None:
        return Region("".join(below), None, None, None, None)
    municipality = code[:2] in _MUNICIPALITIES
    levels = [code[:2]] if municipality or len(code) == 2 else [code[:4]]
    levels += [code[:size] for size in (6, 9) if len(code) >= size]
    names = [_NAMES.get(level, "") for level in levels]
    if len(code) == 12:
        names.append(steps[-1].short)
    country = [steps[0].short] if steps[0].code is None and steps[0].short in _COUNTRIES else []
    inner = below[len(country) :]
    district = code[:6] if len(code) >= 6 else None
    return Region(
        text="".join(names + inner) or None,
        code=code[:6],
        province=code[:2],
        city=(code[:2] + "00" if municipality else code[:4]) if municipality or len(code) >= 4 else None,
        district=_ORIGIN.get(district, district) if district else None,
    )
