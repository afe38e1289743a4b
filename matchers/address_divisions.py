"""Province, city and district at the start of an address.

In: cleaned text with normalised numerals. Out: a `Place` with the longest division code known and how far the text was
read. Repeated names are read over, so are development zones, which are no divisions, and a label before the address.
A bare name (`南京`, `宝安`) is a place only if what follows cannot make it the name of a road or a building, as in
`南京东路`, `宝安大道`, `深圳大学`. A name no longer in force is read as what its ground is called today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from matchers import divisions

_TAKEN = (
    "大?路|公路(?![局段])|大?街|大道|道|巷|弄|里|胡同|桥|湾|港|大学|学院|中学|小学|城|大厦|小区|花园(?!口)|新村|广场|酒店|宾馆|银行|公司|有限|"
    "豪庭|豪园|雅苑|名苑|雅居|华庭|名庭|公馆|华府|山庄|公寓|佳园|嘉园|家园|苑|工业园|电力|医院|机场|公园|体育|站|门|火车|汽车"
)
# What makes the name before it that of a road or a building.
NOT_A_PLACE = re.compile(rf"[东西南北中上下前后新老一二三四五六七八九十\d]{{0,2}}(?:{_TAKEN})(?!村)")
PLOT = re.compile(r"(?:中心区|宝城|宝安)?([A-Z]?\d{1,3})区(?!域)")
# Bare names of streets that mean 宝安区 even where nothing else says so.
DISTINCTIVE_STREETS = frozenset({"西乡", "福永", "沙井", "松岗", "石岩", "航城", "燕罗"})
_BAOAN_STREETS = DISTINCTIVE_STREETS | {"新安", "福海", "新桥"}
_LABEL = re.compile(
    r"(?:(?:经营|注册|联系|居住|户籍|通讯|办公|所在)?(?:地址|住址|住所|场所)(?:是|为|在)?|"
    r"中国(?:[^\d]{0,4}?自由贸易试验区|(?!路|大道|城|人|[^\d]{0,6}公司)))?[、-]*"
)
_ZONE = re.compile(
    r"[^\d路街号村镇乡]{0,9}?(?:(?:经济|高新|工业|产业|旅游)+(?:技术)?(?:产业)?(?:综合)?开发区|技术开发区|开发区|经开区|高新区|"
    r"(?:高新技术|高科技)?产业园区|经济区|投资区|保税港?区|自由贸易试验区(?:[^\d路街号村]{2,7}片区)?|(?:深港)?(?:现代服务业)?合作区|"
    r"风景(?:名胜)?区|度假区|管理区|[^\d路街号村镇乡]{2}新区(?=[^\d号路]{2,5}(?:街道|镇|办事处)))"
)
_HAS_ZONE = re.compile(
    "开发区|产业园区|经济区|投资区|经开区|高新区|税港?区|试验区|合作区|景名?胜?区|度假区|管理区|新区"
)
_PREFECTURE_WORD = re.compile("市地区|市|地区|专区|行政区(?!划)|盟(?=[^\\d]{2,4}[旗县市])")
# 南通镇 is a town somewhere, not the city of 南通.
_TOWN_WORDS = ("镇", "乡", "街道", "办事处", "村", "社区")
_MISREAD = re.compile(r"(?:[^\d路街号村镇乡、省市区县]{1,3})[省市区县](?![路街])")
# Names of former districts that are common words elsewhere.
_COMMON_WORDS = frozenset({"新市区", "旧市区", "工业区", "开发区", "保税区", "高新区", "住宅区", "生活区", "实验区"})
_SHORT_DISTRICTS = {
    "宝安": "440306",
    "龙岗": "440307",
    "南山": "440305",
    "福田": "440304",
    "罗湖": "440303",
    "龙华": "440309",
    "坪山": "440310",
    "光明": "440311",
}


@dataclass(slots=True)
class Place:
    """Where an address lies.

    Attributes:
        code: the longest division code known (0, 2, 4 or 6 digits).
        district: name of the county-level division, known even where its code is not unique.
        street: current name of the street or town.
        street_code: nine digits, if the street is in the tables.
        community: without 社区 or 村.
        plot: numbered plot of 宝安区, such as `71区`.
        end: how many characters of the text were read.
        area_end: how many of them are divisions and street.
    """

    code: str = ""
    district: str | None = None
    street: str | None = None
    street_code: str | None = None
    community: str | None = None
    plot: str | None = None
    end: int = 0
    area_end: int = 0


@lru_cache(maxsize=1)
def _prefixes() -> dict[str, list[tuple[str, bool, tuple[str, ...]]]]:
    """Names of provinces, cities and districts by their first two characters, longest first, with `bare` and codes."""
    names: dict[tuple[str, bool], set[str]] = {}

    def add(name: str, bare: bool, codes: tuple[str, ...]) -> None:
        if len(name) > 1 and codes:
            names.setdefault((name, bare), set()).update(codes)

    for code in divisions.current():
        name = divisions.name_of(code)
        if name is None or name.endswith("直辖县级行政区划"):
            continue
        add(name, False, (code,))
        if len(code) <= 4:
            add(re.sub(r"(?:省|市|地区|盟|(?:壮族|回族|维吾尔)?自治区)$", "", name), True, (code,))
        elif name[-1] == "市" and len(name) > 2:
            add(name[:-1], True, (code,))
    for name, codes in divisions.former_names().items():
        if name[-1] in "区县市" and (len(name) > 2 or name[-1] == "县") and name not in _COMMON_WORDS:
            add(name, False, codes)
    for name, codes in divisions.former_prefectures().items():
        add(name, False, codes)
    for name, code in divisions.aliases().items():
        names[name, False] = {code}
    table: dict[str, list[tuple[str, bool, tuple[str, ...]]]] = {}
    for (name, bare), found in sorted(names.items(), key=lambda item: (-len(item[0][0]), item[0])):
        if not (bare and (name, False) in names):
            table.setdefault(name[:2], []).append((name, bare, tuple(sorted(found))))
    return table


def read_divisions(text: str) -> Place:
    """Read the divisions at the start of a cleaned address, down to the district.

    >>> p = read_divisions("广东省深圳市深圳市宝安区西乡街道")
    >>> p.code, p.district, p.end
    ('440306', '宝安区', 12)
    """
    place = Place(end=_LABEL.match(text).end())  # type: ignore[union-attr]
    _divisions(text, place)
    return place


def _divisions(text: str, place: Place) -> None:
    table, zones = _prefixes(), len(_HAS_ZONE.findall(text))
    while True:
        start = place.end
        for name, bare, codes in table.get(text[start : start + 2], ()):
            if not text.startswith(name, start):
                continue
            end = start + len(name)
            if bare:
                if len(codes[0]) == 6 and len(place.code) < 2:
                    continue
                if found := _PREFECTURE_WORD.match(text, end):
                    end = found.end()
                elif text.startswith(_TOWN_WORDS, end) or NOT_A_PLACE.match(text, end) or end == len(text):
                    continue
            if not bare and len(codes[0]) == 4 and text.startswith("地区", end):
                end += 2
            if _narrow(place, name, codes):
                place.end = end
                break
        if place.end == start and len(place.code) < 6:
            _short_district(text, place)
        if place.end == start and len(place.code) < 6:
            _misread(text, place)
        if place.end == start:
            if zones and (found := _ZONE.match(text, start)):
                place.end, zones = found.end(), zones - 1
                continue
            return


def _misread(text: str, place: Place) -> None:
    """Read a city or district with a character wrong or missing (深训市, 圳市, 深圳市宝区) for the one it must be."""
    found = _MISREAD.match(text, place.end)
    if found is None:
        return
    following = None
    if not place.code:
        ahead = Place(end=found.end())
        _divisions(text, ahead)
        following = ahead.code[:4] or None
        if following is None and ahead.end == found.end() and found.group()[-1] != "市":
            return
    code = _nearest(found.group(), place.code, following)
    if code:
        place.code, place.end = code, found.end()
        if len(code) == 6:
            place.district = divisions.name_of(code)


@lru_cache(maxsize=16384)
def _nearest(word: str, within: str, expected: str | None) -> str | None:
    """Return the one city or district in a division whose name is one character from a word, `None` if several are."""
    length = 4 if word[-1] == "市" and len(within) < 4 else 6 if len(within) == 4 else 2 if word[-1] == "省" else 0
    if not length or len(within) >= length or divisions.codes_of(word) or word in divisions.former_names():
        # A name that is one of its own is not misread, even if it was elsewhere.
        return None
    found = [
        code
        for code, name in divisions.current().items()
        if len(code) == length and code.startswith(within) and name[-1] == word[-1] and _one_character_apart(word, name)
    ]
    if expected:
        found = [code for code in found if expected.startswith(code)]
    elif len(word) < 3 and not within:
        return None
    return found[0] if len(found) == 1 else None


def _one_character_apart(word: str, name: str) -> bool:
    """Whether a word is a name with one character replaced or left out."""
    if len(word) == len(name):
        return sum(a != b for a, b in zip(word, name, strict=True)) == 1
    return len(word) + 1 == len(name) and any(name[:i] + name[i + 1 :] == word for i in range(len(name)))


def _narrow(place: Place, name: str, codes: tuple[str, ...]) -> bool:
    narrowed = _narrowed(place.code, name, codes)
    if narrowed is None:
        return False
    code, district = narrowed
    place.code, place.district = code, district or place.district
    return True


@lru_cache(maxsize=65536)
def _narrowed(known: str, name: str, codes: tuple[str, ...]) -> tuple[str, str | None] | None:
    """Return the code and district after reading a name, `None` if the name contradicts what is known."""
    if (
        len(name) == 2
        and len(known) < 4
        and (name[-1] == "区" or (name[-1] == "县" and name in divisions.former_names()))
    ):
        # 东区, 郊区 and the like are districts only of a known city, and so are the short names of the past.
        return None
    fitting = [c for c in codes if c.startswith(known)]
    if fitting:
        shortest = min(map(len, fitting))
        fitting = [c for c in fitting if len(c) == shortest]
        if len(fitting) == 1:
            return fitting[0], divisions.name_of(fitting[0]) if shortest == 6 else None
        return (known, name) if shortest == 6 and name[-1] in "区县市旗" else None
    if any(known.startswith(c) for c in codes):
        return known, None
    if len(known) == 6 and len(codes) == 1 and codes[0] in divisions.current_codes(known):
        return codes[0], divisions.name_of(codes[0])
    return None


def _short_district(text: str, place: Place) -> None:
    """Read 宝安 for 宝安区, and its neighbours where the city is known."""
    start = place.end
    code = _SHORT_DISTRICTS.get(text[start : start + 2])
    if code is None or place.code not in ("", "44", divisions.SHENZHEN):
        return
    end = start + 2
    plot = code == divisions.BAOAN and PLOT.match(text, end)
    if not plot:
        if NOT_A_PLACE.match(text, end) or text.startswith(("街道", "镇", "办事处", "社区", "村"), end):
            return
        if place.code != divisions.SHENZHEN and not (
            code == divisions.BAOAN and any(text.startswith(n, end) for n in _BAOAN_STREETS)
        ):
            return
    place.code, place.district, place.end = code, divisions.name_of(code), end
