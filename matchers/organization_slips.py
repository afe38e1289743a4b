"""Slips in the region at the start of a name: 深训市, 圳市, 深圳市宝区, 深圳市保安区, 石岩道街.

A word that ends in 市, 区 or 县 at the start of a name is a place. If no such place is known there, but exactly one is
one slip of the pen (or the same sound) away, that place is meant. Cities are sought among all cities, districts only
below the city just read, or in the home city.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from matchers.organization_places import HOME, ZONE, Step, official_names, read_region
from matchers.organization_sound import sound
from matchers.organization_vocabulary import trade_start

# What stands before 市 or 区 in a word that is no division (超市, 社区).
_BEFORE_CITY = frozenset("都城超门夜花股集上菜闹书楼早")
_BEFORE_AREA = frozenset("社园校片新老街小山工景特厂库林灾矿港专地辖郊市城营牧湖战分全")
_AFTER_CITY = frozenset("政场部民容集")
_AFTER_AREA = frozenset("块域间位划")
_DIRECTIONS = frozenset("东西南北中上下新老大小众")
_DEEPEST = 4  # characters of a mistyped place


def _by_deletion(names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        for shorter in (name, *_shorter(name)):
            found[shorter].add(name)
    return {text: frozenset(of) for text, of in found.items()}


def _shorter(text: str) -> list[str]:
    return [text[:index] + text[index + 1 :] for index in range(len(text))]


_CITIES = _by_deletion(tuple(name for code, name in official_names() if len(code) <= 4 and name.endswith("市")))


@cache
def _city_sounds() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for _, name in sorted({name for name in official_names() if len(name[0]) <= 4 and name[1].endswith("市")}):
        found[sound(name[:-1])].append(name[:-1])
    return found


@lru_cache(maxsize=512)
def _districts(code: str) -> dict[str, frozenset[str]]:
    return _by_deletion(
        tuple(n for c, n in official_names() if len(c) == 6 and c.startswith(code) and n[-1] in "区县市")
    )


@lru_cache(maxsize=512)
def _district_sounds(code: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(
        n[:-1] for c, n in official_names() if len(c) == 6 and c.startswith(code) and len(n) == 3
    ):
        found[sound(name)] = (*found.get(sound(name), ()), name)
    return found


@lru_cache(maxsize=16384)
def _near(text: str, code: str) -> str | None:
    """Return the only place one edit away from a text (a city, or a district of a city); the same sound goes first."""
    index = _districts(code) if code else _CITIES
    names = {name for shorter in (text, *_shorter(text)) for name in index.get(shorter, ())}
    names = {name for name in names if name[-1] == text[-1] and OSA.distance(name, text) == 1}
    if code:
        # 沌口区 is an area of its own, not 硚口区: another character must sound the same.
        names = {
            name
            for name in names
            if len(name) != len(text) or sorted(name) == sorted(text) or sound(name) == sound(text)
        }
    alike = {name for name in names if sound(name) == sound(text)} or names
    return next(iter(alike)) if len(alike) == 1 and text not in names else None


def city_by_sound(text: str) -> str | None:
    """Return the only city that sounds like a text: 大联 and 达连 are 大连."""
    named = _city_sounds().get(sound(text), ())
    return named[0] if len(named) == 1 else None


def mend(head: str, steps: tuple[Step, ...]) -> str:
    """Return the start of a name with a slip in its region mended; the text as it is if there is none.

    Args:
        head: the name without its form.
        steps: the places read in it.

    >>> mend("深训市鸿达电子", ()), mend("鸿达都市文化", ())
    ('深圳市鸿达电子', '鸿达都市文化')
    """
    for _ in range(2):
        mended = _mend_once(head, steps)
        if mended is None:
            break
        head, steps = mended, read_region(mended)
    if "道街" in head[:14]:
        whole = head.replace("道街", "街道", 1)
        read = read_region(whole)
        if read and read[-1].end > (steps[-1].end if steps else 0):
            return whole
    return head


def _mend_once(head: str, steps: tuple[Step, ...]) -> str | None:
    coded = next((step for step in reversed(steps) if step.code), None)
    if coded is None or (len(coded.code or "") <= 4 and not coded.complete):
        city = _mend_city(head)
        if city is not None:
            return city
    if coded is None and steps and (zone := ZONE.match(head)) and zone[1]:
        # 大联保税区: what stands before a zone is a city.
        named = city_by_sound(zone[1])
        return named + head[2:] if named is not None and not head.startswith(named) else None
    if coded is None:
        return None if steps else _mend_district(head, 0, HOME, "")
    if len(coded.code or "") == 4:
        return _mend_district(head, steps[-1].end, coded.code or "", coded.short)
    if len(coded.code or "") == 6 and not coded.complete:
        return _swapped_suffix(head, steps[-1].end, coded.short)
    return None


def _mend_city(head: str) -> str | None:
    end = head.find("市", 1, _DEEPEST + 1) + 1
    word = head[:end]
    if end < 2 or len(head) - end < 2 or head[end] in _AFTER_CITY or head[end - 2] in _BEFORE_CITY:
        return None
    city = _near(word, "")
    if city is None or (len(word) == 2 and head[end] == "区"):
        return None
    extra = _extra(word, city)
    rest = extra + head[end:]
    # 大连鸿市商贸: a brand that ends in 市.
    return None if extra and (extra in _DIRECTIONS or trade_start(rest) < 2) else city + rest


def _mend_district(head: str, start: int, code: str, city: str) -> str | None:
    if head.startswith("市", start) and city and head[start - 1] == "市":
        return (
            head[:start] + head[start + 1 :] if len(head) - start > 3 and head[start + 1] not in _AFTER_CITY else None
        )
    short = head[start : start + 2]
    below = _district_sounds(code).get(sound(short), ())
    if len(below) == 1 and below[0] != short:
        # 保安燕罗街道: a district by its sound, for a street of it follows.
        whole = head[:start] + below[0] + head[start + 2 :]
        read = read_region(whole)
        if read and read[-1].end > start + 2 and "街道" in head[start : start + 8]:
            return whole
    ends = [at for suffix in "区县" if (at := head.find(suffix, start + 1, start + _DEEPEST)) > 0]
    if not ends:
        return None
    end = min(ends) + 1
    word = head[start:end]
    if len(head) - end < 2 or head[end] in _AFTER_AREA:
        return None
    place = _near(word, code)
    if place is None or (head[end - 2] in _BEFORE_AREA and sound(place) != sound(word)):
        return None
    rest = head[end:]
    if len(word) < len(place):
        # 宝区安鸿达: the character left out stands behind the suffix.
        lost = next((c for c in place if c not in word), "")
        rest = rest[1:] if lost and rest.startswith(lost) and len(rest) > 3 else rest
    return head[:start] + place + _extra(word, place) + rest


def _swapped_suffix(head: str, start: int, short: str) -> str | None:
    """Put a suffix that stands one character too late (宝安普区斯) behind its place; drop a doubled character."""
    suffix = head[start + 1 : start + 2]
    if suffix not in ("区", "县") or head[start] in _BEFORE_AREA or len(head) - start < 4:
        return None
    between = "" if head[start] == short[-1] else head[start]
    if between and (trade_start(between + head[start + 2 :]) < 2 or head[start + 2] in _AFTER_AREA):
        return None
    return head[:start] + suffix + between + head[start + 2 :]


def _extra(word: str, place: str) -> str:
    """Return the character of a word that belongs to what follows the place (深圳鸿市达), if it is no doubled one."""
    if len(word) != len(place) + 1:
        return ""
    extra = next((c for c in word if c not in place), "")
    return extra if word[:-2] + word[-1] == place else ""
