"""The address a person is registered at (户籍地址): compared as a whole, not taken apart.

In: the text as a source wrote it. Out: one key. A registered address is copied from document to document and seldom
restyled; in the country it often has no road, house number or room to take apart (河口镇高屋村1组). So equal text is
strong evidence and anything else says little. A family shares it: it confirms a name, it never replaces one.
"""

from __future__ import annotations

from dataclasses import dataclass

from matchers import address
from matchers.address_text import clean
from matchers.levels import Level, Same, different, missing

_SHORTEST = 8  # characters; less names a town at most


@dataclass(frozen=True, slots=True)
class HouseholdAddress:
    """A registered address: `key`, its text in comparable characters."""

    key: str | None = None


def standardise(text: str | None) -> HouseholdAddress:
    """Read a registered address.

    >>> standardise("江西省 抚州市东乡县河口镇高屋村１组").key
    '江西省抚州市东乡县河口镇高屋村1组'
    """
    cleaned, _ = clean(text)
    return HouseholdAddress(cleaned if cleaned and len(cleaned) >= _SHORTEST else None)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two registered addresses."""
    return (
        missing(f"{field}_key"),
        Level("same", Same(f"{field}_key"), "户籍地址相同", "same registered address", term_frequency=f"{field}_key"),
        different("户籍地址不同", "other registered addresses"),
    )


def mask(value: str) -> str:
    """Return the address as `matchers.address` masks one."""
    return address.mask(value)
