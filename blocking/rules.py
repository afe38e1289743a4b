"""Blocking rules: which columns two profiles must share to be worth comparing.

A rule has a name and one or more alternatives; an alternative is a list of parts that must all agree. A part is a
column of the profiles, or its first characters (`name_pinyin[:4]`); a list column contributes each of its elements.
Alternatives of one rule share one key space, so a value in one column can meet the same value in another: the rule
`[["id_value"], ["employer_contact_id"]]` pairs a profile by either.

A block larger than `cap` profiles is split by the `refine` columns; a part still over the cap is not compared, and the
block report says how many profiles that left aside.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

_PART = re.compile(r"^(?P<column>[a-z][a-z0-9_]*)(?:\[:(?P<length>[1-9][0-9]?)\])?$")


class BlockingRule(BaseModel):
    """One way for two profiles to meet.

    Attributes:
        name: stable name, shown in reports and stored with each pair the rule found first.
        keys: alternatives, each a list of parts that must all be present and equal.
        cap: largest block compared whole, in profiles; raising it finds more pairs at quadratic cost.
        refine: columns that split an oversized block.
        title_zh: how a report calls it, Chinese.
        title_en: the same in English.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    keys: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]
    cap: Annotated[int, Field(ge=2)] = 100
    refine: tuple[str, ...] = ()
    title_zh: str = ""
    title_en: str = ""

    @field_validator("keys")
    @classmethod
    def _parts_are_columns(cls, keys: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for part in (part for alternative in keys for part in alternative):
            if not _PART.match(part):
                raise ValueError(f"{part!r} is neither a column nor a prefix such as name_pinyin[:4]")
        return keys

    def columns(self) -> frozenset[str]:
        """Return the profile columns the rule reads."""
        parts = (parse_part(part)[0] for alternative in self.keys for part in alternative)
        return frozenset(parts) | frozenset(self.refine)


def parse_part(part: str) -> tuple[str, int | None]:
    """Split a part into its column and the number of leading characters, if limited.

    >>> parse_part("name_pinyin[:4]")
    ('name_pinyin', 4)
    >>> parse_part("id_value")
    ('id_value', None)
    """
    match = _PART.match(part)
    if match is None:
        raise ValueError(f"not a blocking key part: {part!r}")
    length = match["length"]
    return match["column"], int(length) if length else None
