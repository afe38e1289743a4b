"""Administrative divisions of China: codes with their history, names, streets, and communities of 宝安区 and around.

In: a code (two digits a province, four a prefecture, six a county, nine a street) or a name. Out: names, codes, years.
A district may have been carved out of another one: a building of today's 龙华区 was in 宝安区 until 2016, and the
records of the time say so. `current_codes` and `also_known_as` follow the codes through such changes.

Tables in `reference/division_*.tsv`, each with its source; they are read when first asked for.
Sources: GB/T 2260 as published 1981-2023; National Bureau of Statistics 2023; 粤府函〔2018〕127号 for 光明区.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

SHENZHEN = "4403"
BAOAN = "440306"
_NO_PREFECTURE = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


@dataclass(frozen=True, slots=True)
class Division:
    """A county-level division under one name.

    Attributes:
        code: six digits.
        name: its name in the period.
        prefecture: name of the prefecture, `None` if directly under the province.
        start: first year in force.
        end: last year, `None` if still in force.
        successors: codes its ground passed to, in whole or in part; its own code if it was only renamed.
    """

    code: str
    name: str
    prefecture: str | None = None
    start: int = 0
    end: int | None = None
    successors: tuple[str, ...] = ()


def _lines(table: str) -> Iterator[list[str]]:
    text = (files("matchers") / "reference" / f"division_{table}.tsv").read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and line[0] != "#")


@lru_cache(maxsize=1)
def _history() -> dict[str, tuple[Division, ...]]:
    table: dict[str, list[Division]] = {}
    for code, name, prefecture, start, end, successors in _lines("history"):
        codes = () if successors == "-" else tuple(s[:6] for s in successors.split(";"))
        division = Division(
            code,
            name,
            None if prefecture in ("-", "直辖") else prefecture,
            int(start),
            None if end == "-" else int(end),
            codes,
        )
        table.setdefault(code, []).append(division)
    return {code: tuple(sorted(periods, key=lambda d: -d.start)) for code, periods in table.items()}


@lru_cache(maxsize=1)
def _predecessors() -> dict[str, tuple[str, ...]]:
    table: dict[str, set[str]] = {}
    for code, periods in _history().items():
        for successor in {s for period in periods for s in period.successors if s != code}:
            table.setdefault(successor, set()).add(code)
    return {code: tuple(sorted(sources)) for code, sources in table.items()}


@lru_cache(maxsize=1)
def current() -> dict[str, str]:
    """Return the names in force of provinces (2 digits), prefectures (4) and counties (6), by code."""
    return {row[0]: row[1] for row in _lines("current") if len(row) == 2}


@lru_cache(maxsize=1)
def zones() -> dict[str, str]:
    """Return the statistical zones (development zones with a code of their own), code to name."""
    return {row[0]: row[1] for row in _lines("current") if len(row) == 3}


@lru_cache(maxsize=1)
def aliases() -> dict[str, str]:
    """Return names that no code table has (functional new districts, an abolished county), to the current code."""
    return {row[0]: row[1] for row in _lines("aliases")}


def division(code: str, year: int | None = None) -> Division | None:
    """Return what a county code stood for in a year, or its latest meaning.

    >>> division("440321", 1985).name
    '宝安县'
    >>> division("440309", 1999) is None
    True
    """
    for period in _history().get(code, ()):
        if year is None or (period.start <= year and (period.end is None or year <= period.end)):
            return period
    return None


@lru_cache(maxsize=65536)
def name_of(code: str) -> str | None:
    """Return the current name of a province, prefecture, county or street, else the last name the code had.

    >>> name_of("44"), name_of("4403"), name_of("440306"), name_of("440306018")
    ('广东省', '深圳市', '宝安区', '西乡街道')
    """
    if len(code) == 9:
        return street_names().get(code)
    name = current().get(code)
    if name in _NO_PREFECTURE:
        return current().get(code[:2]) if name in ("市辖区", "县") else None
    if name is None and len(code) == 6:
        last = division(code)
        return last.name if last else None
    return name


def province_of(code: str) -> str | None:
    """Return the name of the province a code lies in."""
    return current().get(code[:2])


def city_of(code: str) -> str | None:
    """Return the name of the prefecture or municipality a code lies in; `None` for counties directly under a province.

    >>> city_of("440306"), city_of("310115"), city_of("429004")
    ('深圳市', '上海市', None)
    """
    return name_of(code[:4])


@lru_cache(maxsize=1)
def _codes_by_name() -> dict[str, tuple[str, ...]]:
    table: dict[str, set[str]] = {}
    for code, name in current().items():
        if name not in _NO_PREFECTURE:
            table.setdefault(name, set()).add(code)
    return {name: tuple(sorted(codes)) for name, codes in table.items()}


def codes_of(name: str, within: str = "") -> tuple[str, ...]:
    """Return the current codes of a province, prefecture or county by its full name.

    Args:
        name: full name, such as `宝安区`; a functional new district or an abolished county is known too.
        within: only codes that start so.

    >>> codes_of("鼓楼区", within="32")
    ('320106', '320302')
    >>> codes_of("光明新区")
    ('440311',)
    """
    codes = _codes_by_name().get(name, ())
    if not codes and name in aliases():
        codes = (aliases()[name],)
    return tuple(c for c in codes if c.startswith(within))


@lru_cache(maxsize=1)
def former_names() -> dict[str, tuple[str, ...]]:
    """Return county names no longer in force anywhere, each with the current codes of its ground."""
    current = _codes_by_name()
    table: dict[str, set[str]] = {}
    for code, periods in _history().items():
        for period in periods:
            if period.name not in current:
                table.setdefault(period.name, set()).update(_heirs(code))
    return {name: tuple(sorted(codes)) for name, codes in sorted(table.items())}


@lru_cache(maxsize=1)
def former_prefectures() -> dict[str, tuple[str, ...]]:
    """Return prefectures no longer in force (抚州地区) with the prefecture, else the province, of what was theirs.

    >>> former_prefectures()["抚州地区"], former_prefectures()["惠阳地区"]
    (('3610',), ('44',))
    """
    current = _codes_by_name()
    table: dict[str, Counter[str]] = {}
    for code, periods in _history().items():
        for period in periods:
            name = period.prefecture
            if name and name not in current and name[-2:] == "地区":
                table.setdefault(name, Counter()).update({c[:4] for c in _heirs(code)})
    found: dict[str, tuple[str, ...]] = {}
    for name, heirs in sorted(table.items()):
        code, counties = min(heirs.items(), key=lambda item: (-item[1], item[0]))
        # A county or two went elsewhere from nearly every prefecture.
        found[name] = (code if counties >= 0.8 * heirs.total() else code[:2],)
    return found


def _heirs(code: str) -> set[str]:
    """Return the codes in force that an abolished code passed to; parts those lost later are theirs, not followed."""
    return {c for c in _closure(code, lambda c: () if c in current() else _successors(c)) if c in current()}


@lru_cache(maxsize=8192)
def current_codes(code: str) -> tuple[str, ...]:
    """Return the county codes in force today on the ground of a county code, its own included.

    >>> current_codes("440306")
    ('440306', '440309', '440311')
    >>> current_codes("440309")
    ('440309',)
    """
    return tuple(sorted(c for c in _closure(code, _successors) if c in current()))


@lru_cache(maxsize=8192)
def also_known_as(code: str) -> frozenset[str]:
    """Return every county code that a record may rightly give for a place in the county of this code.

    Those are the code itself, the codes it came out of, and the codes that came out of it: a place in 龙华区 may be
    recorded under 宝安区 or 宝安县, never under 光明区, although that came out of 宝安区 too.

    >>> sorted(also_known_as("440309"))
    ['440306', '440309', '440321']
    """
    before = _closure(code, lambda c: _predecessors().get(c, ()))
    return frozenset(before | _closure(code, _successors))


def _successors(code: str) -> tuple[str, ...]:
    return tuple(s for period in _history().get(code, ()) for s in period.successors)


def _closure(code: str, step: Callable[[str], Iterable[str]]) -> set[str]:
    seen, stack = {code}, [code]
    while stack:
        for following in step(stack.pop()):
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return seen


@lru_cache(maxsize=1)
def street_names() -> dict[str, str]:
    """Return the streets and towns in force: nine-digit code to full name."""
    return {county + street[:3]: street[3:] for county, streets in _lines("streets") for street in streets.split(" ")}


@lru_cache(maxsize=1)
def _streets_by_name() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for code, name in street_names().items():
        table.setdefault(name, []).append(code)
    return {name: tuple(codes) for name, codes in table.items()}


def street_codes(name: str, within: str = "") -> tuple[str, ...]:
    """Return the nine-digit codes of a street or town by its full name.

    >>> street_codes("福永街道")
    ('440306020',)
    """
    codes = _streets_by_name().get(name, ())
    return tuple(c for c in codes if c.startswith(within)) if within else codes


@lru_cache(maxsize=1)
def communities() -> dict[str, tuple[str, ...]]:
    """Return the communities of 宝安区: name without 社区 or 村, to the codes of the streets that have one so called.

    >>> communities()["固戍"], communities()["径贝"]
    (('440306018',), ('440306018', '440306026'))
    """
    table: dict[str, list[str]] = {}
    for street, names in _lines("communities"):
        for name in names.split(" "):
            table.setdefault(name, []).append(street)
    return {name: tuple(codes) for name, codes in table.items()}


def community_names(district: str) -> dict[str, tuple[str, ...]]:
    """Return the known communities of a district by first character, longest first: 宝安区 and what came out of it.

    >>> community_names("440309")["松"]
    ('松元厦', '松和')
    >>> community_names("440304")
    {}
    """
    return _community_names().get(district, {})


@lru_cache(maxsize=1)
def _community_names() -> dict[str, dict[str, tuple[str, ...]]]:
    table: dict[str, dict[str, set[str]]] = {}
    for street, names in (*_lines("communities"), *_lines("communities_nearby")):
        district = table.setdefault(street[:6], {})
        for name in names.split(" "):
            district.setdefault(name[0], set()).add(name)
    return {
        code: {first: tuple(sorted(found, key=lambda n: (-len(n), n))) for first, found in district.items()}
        for code, district in table.items()
    }


@lru_cache(maxsize=1)
def _splits() -> dict[str, tuple[str, ...]]:
    return {old: tuple(new.split(" ")) for old, new in _lines("street_splits")}


def current_streets(code: str) -> tuple[str, ...]:
    """Return the streets on the ground a street's name once covered, its own code first.

    >>> [name_of(c) for c in current_streets("440306018")]
    ['西乡街道', '航城街道']
    """
    return (code, *_splits().get(code, ()))
