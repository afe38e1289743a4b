"""The outcomes of comparing two organisation names, and the conditions hard rules use.

The columns are those of `organization_name.OrganizationName`. A name says three things that decide more than any
likeness of letters: which unit of an organisation is meant (branch, ordinal), where it is registered, and in which
trade; two names one character apart in the trade (电子, 电器) are two names, not a typing error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, LCSseq

from matchers.levels import (
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Contains,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Same,
    SameAcross,
    all_of,
    any_of,
    different,
    missing,
)
from matchers.similarity import Compare, Places, register
from matchers.text_bytes import letters_of

COMPATIBLE_LEVELS = frozenset(
    (
        "exact",
        "former_name",
        "same_core",
        "same_core_other_region",
        "similar_core",
        "abbreviated",
        "short_name",
        "same_brand",
    )
)
"""Levels under which an equal identifier is believed without review: the names are one name, written or changed in a
usual way. Not among them: another branch or ordinal, and unrelated names."""

SHORT_END = "|"  # ends a name that may be cut short
SHARE_COMPANY = "股份有限公司"

_LONG = 5  # characters of brand and trade from which one edit is a typing error rather than another name
_LONG_BRAND = 3
_BITS_OF_AN_EDIT = 2  # of `letters_of`


def _joined(parts: str) -> str:
    return parts.replace("|", "", 1)


def _is_typo(left: str, right: str) -> bool:
    """Decide for two texts `brand|trade` one edit apart whether the edit is likely a slip."""
    brand, _, trade = left.partition("|")
    other_brand, _, other_trade = right.partition("|")
    if (
        trade
        and trade == other_trade
        and max(brand, other_brand, key=len) == min(brand, other_brand, key=len) + trade[0]
    ):
        # 鸿达贸|贸易: the first character of the trade typed twice.
        return True
    if _is_stutter(_joined(left), _joined(right)):
        return True
    if min(len(left), len(right)) <= _LONG:
        return False
    if brand == other_brand:
        # Two known trades are two trades; a mistyped trade is not known and reads as brand.
        return False
    return trade != other_trade or min(len(brand), len(other_brand)) >= _LONG_BRAND


def _is_stutter(left: str, right: str) -> bool:
    """Decide for two texts one edit apart whether a character was typed twice (新元元) or two were exchanged (优源)."""
    if len(left) == len(right):
        return sorted(left) == sorted(right)
    longer, shorter = max(left, right, key=len), min(left, right, key=len)
    return any(longer[i] == longer[i - 1] and longer[:i] + longer[i + 1 :] == shorter for i in range(1, len(longer)))


def typo(left: str, right: str) -> float:
    """Return 1 if two texts `brand|trade` differ by one likely slip of the pen, else 0."""
    if OSA.distance(_joined(left), _joined(right), score_cutoff=1) != 1:
        return 0.0
    return float(_is_typo(left, right))


def _typos(names: pa.Array) -> Compare:
    """Return the function that gives `typo` of two of the texts by their places.

    What differs in more characters than one edit exchanges needs no closer look.
    """
    joined = pc.replace_substring(names, "|", "", max_replacements=1)
    sizes, letters = pc.utf8_length(joined).to_numpy().astype(np.int64), letters_of(joined)

    def compare(left: Places, right: Places) -> NDArray[np.float64]:
        near = np.bitwise_count(letters.take(left) ^ letters.take(right)) <= _BITS_OF_AN_EDIT
        at = np.flatnonzero(near)
        at = at.compress(np.abs(sizes.take(left.take(at)) - sizes.take(right.take(at))) <= 1)
        sides = [pa.array(side.take(at)) for side in (left, right)]
        texts = (joined.take(side).to_pylist() for side in sides)
        distances = process.cpdist(*texts, scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
        one = np.flatnonzero(distances == 1)
        names_of = (names.take(side.take(pa.array(one))).to_pylist() for side in sides)
        found = np.zeros(len(left))
        found[at.take(one)] = [_is_typo(a, b) for a, b in zip(*names_of, strict=True)]
        return found

    return compare


def replacement(left: str, right: str) -> float:
    """Return 1 if two texts differ in one character that stands in the place of another, else 0.

    >>> replacement("鸿富锦|电子", "鸿富绵|电子"), replacement("鸿富锦|电子", "鸿富|电子")
    (1.0, 0.0)
    """
    return float(len(left) == len(right) and sum(a != b for a, b in zip(left, right, strict=True)) == 1)


def abbreviation(left: str, right: str) -> float:
    """Return the share of the shorter text whose characters stand in the longer one in the same order.

    >>> abbreviation("科技", "电子科技"), abbreviation("电子", "电器")
    (1.0, 0.5)
    """
    shorter = min(len(left), len(right))
    return float(LCSseq.similarity(left, right)) / shorter if shorter else 0.0


def _abbreviation_many(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    common = process.cpdist(left, right, scorer=LCSseq.similarity, dtype=np.float64)
    shorter = np.fromiter((min(len(a), len(b)) for a, b in zip(left, right, strict=True)), np.float64, len(left))
    scores: NDArray[np.float64] = np.divide(common, shorter, out=np.zeros(len(left)), where=shorter > 0)
    return scores


def beginning(left: str, right: str) -> float:
    """Return 1 if one text is a beginning, marked with a bar at its end, and the other text begins with it.

    >>> beginning("武汉鸿达|", "武汉鸿达瑞石油设备有限公司"), beginning("武汉鸿达", "武汉鸿达瑞")
    (1.0, 0.0)
    """
    return float(_begins(left, right) or _begins(right, left))


def _begins(short: str, whole: str) -> bool:
    return short.endswith(SHORT_END) and len(short) > 1 and whole.startswith(short[:-1])


# 1 if a text marked as a beginning begins the other.
register("gy_organization_beginning", beginning)
# 1 if one likely typing error separates two texts `brand|trade`.
register("gy_organization_typo", typo, among=_typos)
# 1 if one character stands in the place of another.
register("gy_organization_replacement", replacement)
# 1 if one text is the other with characters left out.
register("gy_organization_abbreviation", abbreviation, _abbreviation_many)


def region_conflict(field: str) -> Condition:
    """Both names say where they are registered, and it is not one place (older districts count as what they were)."""
    return any_of(*(Differs(f"{field}_{level}") for level in ("province", "city", "district")))


def region_wording_differs(field: str) -> Condition:
    """Both names show a region, and a registrar would not have written one for the other.

    Two places of which neither lies in the other, or a province and a city in it: the region of a registered name is
    that of the registrar, so a name registered with the province (广东鸿达) is another registration than the one with
    the city (深圳鸿达). 广东省深圳市, 深圳市 and 深圳市宝安区 are wordings of one.
    """
    province_and_city = all_of(Same(f"{field}_province"), Differs(f"{field}_region"), Missing((f"{field}_city",)))
    return any_of(region_conflict(field), province_and_city)


def branch_conflict(field: str) -> Condition:
    """One organisation's name with different units: branch and parent, two branches, 一厂 and 二厂."""
    same = any_of(*(Same(f"{field}_{column}") for column in ("core", "brand", "pinyin")))
    return all_of(Differs(f"{field}_unit"), same)


def names_operator(field: str, person: str) -> Condition:
    """One name is only its operator's, the other is a business name, and both have that person as representative.

    Args:
        field: the name field.
        person: the field of the representative's name.
    """
    return all_of(
        Not(Same(f"{field}_operator")),
        Same(f"{person}_key"),
        SameAcross(f"{field}_operator", f"{person}_key"),
        Not(Either(f"{field}_form_class", "company")),
    )


def operator_named(field: str, person: str) -> Condition:
    """One name is only a person's, who is the representative of the other, an individual business by its name.

    Args:
        field: the name field.
        person: the field of the representative's name.
    """
    return all_of(
        Not(Same(f"{field}_operator")),
        SameAcross(f"{field}_operator", f"{person}_key"),
        Not(Either(f"{field}_form_class", "company")),
    )


def complete_names(field: str) -> Condition:
    """Both names state a legal form: two complete names that differ are two registrations, not one shortened."""
    return Not(Missing((f"{field}_form",)))


def region_moved(field: str) -> Condition:
    """Two complete names show their region in other places: 深圳市伟鑫贸易有限公司, 伟鑫贸易（深圳）有限公司.

    Departments leave a region out, they do not move it, and sister firms of one owner bear such names.
    """
    return Differs(f"{field}_region_at")


def character_replaced(field: str) -> Condition:
    """One character of brand and trade stands for another that neither sounds nor looks like it.

    A slip of the pen, or the next firm of an owner who names them 创荣威 and 创荣达.
    """
    replaced = AtLeast("gy_organization_replacement", f"{field}_parts", 1.0)
    return all_of(replaced, Not(Same(f"{field}_core_key")), Not(same_sound(field)))


def parent_and_branch(field: str) -> Condition:
    """One name is a branch's, the other its parent's: not two branches, nor 五金厂 and 五金二厂, two firms."""
    return all_of(Either(f"{field}_form_class", "branch"), Missing((f"{field}_branch",)), Not(other_number(field)))


def other_number(field: str) -> Condition:
    """The names tell two numbers of one organisation's units: 一厂 and 二厂, two partnerships of one manager."""
    return Differs(f"{field}_ordinal")


def other_body(field: str) -> Condition:
    """The names tell two kinds of body: a school and its union, two of the bodies that bear one community's name.

    A company is told from other bodies only as the parent of one (its union): its form may be left out, and what
    stays (大药房, 研究院) reads as another kind.
    """
    told = Differs(f"{field}_body")
    return all_of(told, any_of(Not(Either(f"{field}_body", "company")), Either(f"{field}_form_class", "branch")))


def company_and_other_body(field: str) -> Condition:
    """A company, and another kind of body that is not it with its form left out: 老王便利有限公司, 老王便利店."""
    return all_of(Either(f"{field}_body", "company"), Differs(f"{field}_body"), Not(Same(f"{field}_core")))


def individual_businesses(field: str) -> Condition:
    """Both names are those of individual businesses: one person may run several, and another person is another one."""
    return Both(f"{field}_form_class", "individual_business")


def named_after_place(field: str) -> Condition:
    """A grassroots body, whose name is that of its village or community: another place may bear the same name."""
    return Either(f"{field}_form_class", "village_collective")


def other_registrar(field: str) -> Condition:
    """Two complete names, one with its city alone, the other with a district of it (深圳市鸿达, 深圳市宝安区鸿达).

    Departments leave out the outer place (宝安鸿达) or the whole region, not the inner place: these are two registrars.
    """
    inner = all_of(Same(f"{field}_city"), Differs(f"{field}_region_code"), Missing((f"{field}_district",)))
    return all_of(complete_names(field), inner)


def branch_of_the_other(field: str, number: str) -> Condition:
    """One name is a branch's, the other shows its brand and trade, no branch and no code: its own cut short.

    A parent that gives its code is the parent itself, however near its branch or its union sits.

    Args:
        field: the name field.
        number: the field of official numbers.
    """
    same = any_of(*(Same(f"{field}_{column}") for column in ("core", "pinyin")))
    return all_of(Either(f"{field}_form_class", "branch"), Missing((f"{field}_branch", f"{number}_exclusive")), same)


def same_trade(field: str) -> Condition:
    """Both names tell one trade, be it in words that stand for each other (商贸, 贸易)."""
    return Same(f"{field}_trade_key")


def same_sound(field: str) -> Condition:
    """Both names read the same: a typing error of the input method rather than another brand.

    The brand and trade, the whole name with its region (大联鸿达, 大连鸿达), or the very words, of which one side's
    first two were taken for a place (深圳金华达, 金华达).
    """
    sounds = (Same(f"{field}_{column}") for column in ("pinyin", "full_pinyin", "placed_pinyin"))
    return any_of(*sounds, _same_words(field))


def _same_words(field: str) -> Condition:
    """The words of both names agree whatever was read as a region; one side may leave its own out."""
    written = f"{field}_written"
    return any_of(Same(written), Contains(written, f"{field}_tails"))


def named_after_operator(field: str, person: str) -> Condition:
    """The brand both names share is the representative's own name, which is then no evidence beside the name.

    Args:
        field: the name field.
        person: the field of the representative's name.
    """
    return all_of(Same(f"{field}_brand"), SameAcross(f"{field}_brand", f"{person}_key"))


def operator_only(field: str) -> Condition:
    """Both names are nothing but one operator's name, as of an individual business without a name of its own.

    Its representative is the same person then, which is no evidence beside the name; and one person may run two. The
    name may be spelled with another character of the same sound.
    """
    operator = f"{field}_operator"
    alike = any_of(Same(operator), all_of(Not(Missing((operator,))), Same(f"{field}_pinyin")))
    return all_of(alike, Missing((f"{field}_trade",)))


def share_company_conflict(field: str) -> Condition:
    """One is a company limited by shares, the other has another form: a conversion, or two companies of one owner."""
    return all_of(Either(f"{field}_form", SHARE_COMPANY), Differs(f"{field}_form"))


def levels(field: str, former: str | None = None) -> tuple[Level, ...]:
    """Return the outcomes of comparing two organisation names, best evidence first.

    Args:
        field: the name field.
        former: the field of former names, if there is one.
    """
    core, brand, trade = (f"{field}_{column}" for column in ("core", "brand", "trade"))
    # A name without its form may have lost 集团 with it.
    other_group = all_of(Differs(f"{field}_group"), complete_names(field))
    same_kind = Not(any_of(Differs(f"{field}_family"), other_group))
    elsewhere = region_wording_differs(field)
    same_place = Not(elsewhere)
    similar = any_of(
        Same(f"{field}_pinyin"),
        Same(f"{field}_full_pinyin"),
        Same(f"{field}_placed_pinyin"),
        Same(f"{field}_core_key"),
        AtLeast("gy_organization_typo", f"{field}_parts", 1.0),
    )
    shortened = any_of(
        Missing((trade,)), Same(f"{field}_trade_key"), AtLeast("gy_organization_abbreviation", trade, 1.0)
    )
    found = [
        missing(f"{field}_text"),
        Level(
            "exact",
            all_of(Same(core), Same(f"{field}_full")),
            "名称一致（不计括号、地区后缀和有限责任公司等写法）",
            "same name (brackets, region suffixes and wording of the form aside)",
            term_frequency=core,
        ),
        _former_level(field, former) if former else None,
        Level(
            "branch_or_ordinal_differs",
            branch_conflict(field),
            "字号相同，但分支机构或序号不同（总公司与分公司、一厂与二厂）",
            "same organisation name, another branch or number (parent and branch, No. 1 and No. 2 works)",
        ),
        Level(
            "same_core_other_region",
            all_of(Same(core), elsewhere),
            "字号和行业相同，地区不同",
            "same brand and trade, registered elsewhere",
        ),
        Level(
            "same_core",
            all_of(Same(core), same_kind),
            "字号和行业相同，地区或组织形式写法不同或省略",
            "same brand and trade; region or form worded differently or left out",
            term_frequency=core,
        ),
        Level(
            "similar_core",
            all_of(Same(f"{field}_unit"), any_of(all_of(same_place, same_kind, similar), _same_words(field))),
            "字号和行业同音、形近或仅差一字",
            "brand and trade sound the same, look alike or differ by one slip",
        ),
        Level(
            "abbreviated",
            all_of(Same(brand), same_place, same_kind, shortened),
            "字号相同，行业省略、简写或为同义词",
            "same brand; trade left out, shortened or a word of the same meaning",
            term_frequency=brand,
        ),
        Level(
            "short_name",
            all_of(
                any_of(
                    *(
                        AtLeastAcross("gy_organization_beginning", f"{field}_short", c, 1.0)
                        for c in (core, f"{field}_full", f"{field}_written")
                    )
                ),
                same_place,
                Not(other_group),
            ),
            "一方只有名称的开头几个字，与另一方的开头一致",
            "one side shows only the beginning of a name, and the other name begins so",
        ),
        Level(
            "same_brand",
            Same(brand),
            "仅字号相同，行业、地区或组织形式不同",
            "only the brand is the same; trade, region or kind differ",
            term_frequency=brand,
        ),
        different("名称不同", "different names"),
    ]
    return tuple(level for level in found if level is not None)


def _former_level(field: str, former: str) -> Level:
    return Level(
        "former_name",
        any_of(
            Contains(f"{field}_full", f"{former}_texts"),
            Contains(f"{field}_full", f"{field}_former"),
            all_of(Contains(f"{field}_core", f"{former}_cores"), Not(region_conflict(field))),
        ),
        "一方名称是另一方的曾用名",
        "one side's name is a former name of the other",
    )
