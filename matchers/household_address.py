"""The address a person is registered at (户籍地址): compared as a whole, not taken apart.

In: the text as a source wrote it. Out: one key (the district's code and the town as they are today, and the rest in
comparable words), and whether the person lives there. A registered address is copied from document to document and
seldom restyled, but province and city are left out, counties become districts (东乡县, 东乡区), committees and groups
have several names (高屋村委会一小组, 高屋村1组). In the country it often has no road, house number or room. So an equal
key is strong evidence and anything else says little. A family shares it: it confirms a name, it never replaces one. Of
two people who live where they are registered it says nothing that their addresses do not say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from matchers import address
from matchers.address_numbers import normalise_numerals
from matchers.address_order import in_order
from matchers.address_places import locate
from matchers.address_text import clean
from matchers.levels import Both, Level, Missing, Same, any_of, different

_SHORTEST = 8  # characters of text; less names a town at most
_SHORTEST_REST = 2  # characters below the town
_COMMITTEE = re.compile(r"村?(?:村民委员会|村委会|行政村)|(?<=[^\d])社区?居?民?委?员?会|社区")
_GROUP = re.compile(r"(?:村民)?小组|生产队|合作社|(?<=\d)社")
_END = re.compile(r"[、#-]|(?<=\d)号$")
_STREET_WORD = re.compile(r"(?:街道|镇|乡)$")


@dataclass(frozen=True, slots=True)
class HouseholdAddress:
    """A registered address.

    Attributes:
        key: what must be equal for the same one.
        here: the record's own address is written the same.
    """

    key: str | None = None
    here: bool | None = None


def standardise(text: str | None, lives_at: str | None = None) -> HouseholdAddress:
    """Read a registered address.

    Args:
        text: the registered address.
        lives_at: the address in the same record.

    >>> standardise("江西省 抚州市东乡县河口镇高屋村委会第１小组").key
    '361003河口高屋村1组'
    >>> standardise("东乡区河口镇高屋村一组").key
    '361003河口高屋村1组'
    """
    if text is None or (key := _key(text)) is None:
        return HouseholdAddress()
    return HouseholdAddress(key, lives_at is not None and "".join(text.split()) == "".join(lives_at.split()))


@lru_cache(maxsize=1 << 17)
def _key(text: str) -> str | None:
    cleaned, _ = clean(text)
    if cleaned is None or len(cleaned) < _SHORTEST:
        return None
    cleaned = in_order(normalise_numerals(cleaned))
    place = locate(cleaned)
    rest = cleaned[place.area_end :]
    rest = _END.sub("", _GROUP.sub("组", _COMMITTEE.sub(_as_village, rest)))
    if len(rest) < _SHORTEST_REST:
        return None
    town = _STREET_WORD.sub("", place.street) if place.street else ""
    area = place.code if len(place.code) == 6 else place.code + (place.district or "")
    return area + town + rest


def _as_village(match: re.Match[str]) -> str:
    return "社区" if match.group()[0] == "社" else "村"


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two registered addresses."""
    says_nothing = any_of(Missing((f"{field}_key",)), Both(f"{field}_here", True))
    return (
        Level(
            "missing",
            says_nothing,
            "一方缺失，或双方均住在户籍地（与地址相同）",
            "missing on one side, or both live where they are registered (as the addresses say)",
            is_missing=True,
        ),
        Level("same", Same(f"{field}_key"), "户籍地址相同", "same registered address", term_frequency=f"{field}_key"),
        different("户籍地址不同", "other registered addresses"),
    )


def mask(value: str) -> str:
    """Return the address as `matchers.address` masks one."""
    return address.mask(value)
