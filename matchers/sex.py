"""Sex: the codes and words of registers, and what a valid identifier says.

In: the stated value, and `M` or `F` derived from an identifier. Out: one code.

Source: GB/T 2261.1 (0 unknown, 1 male, 2 female, 9 not stated).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from matchers.levels import Level, Same, different, missing

_WORDS = {
    "M": "1 01 M MALE MAN 男 男性 男士 男子 男生 先生",
    "F": "2 02 F FEMALE WOMAN 女 女性 女士 女子 女生 小姐 太太",
}
_CODES = {word: code for code, words in _WORDS.items() for word in words.split()}
_NUMBERED = re.compile(r"(?:0?[129][\s.、:-]*)?(男|女)性?(?:[\s.、:(-]*0?[129]\)?)?")


@dataclass(frozen=True, slots=True)
class Sex:
    """A sex.

    Attributes:
        code: `M` or `F`; the stated one if there is one, else the derived one.
        conflict: whether the stated and the derived one disagree; `None` unless both are there.
    """

    code: str | None = None
    conflict: bool | None = None


def standardise(stated: str | None, derived: str | None = None) -> Sex:
    """Return the sex of a person.

    >>> standardise("1-男"), standardise("未知", "F")
    (Sex(code='M', conflict=None), Sex(code='F', conflict=None))
    """
    said, read = _code(stated), _code(derived)
    if said is None or read is None:
        return Sex(said or read)
    return Sex(said, said != read)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two sexes."""
    return (
        missing(f"{field}_code"),
        Level("same", Same(f"{field}_code"), "性别相同", "same sex", term_frequency=f"{field}_code"),
        different("性别不同", "different sex"),
    )


def mask(value: str) -> str:
    """Return a star: half of all values would be guessed from anything more."""
    return "*" if value else ""


def _code(text: str | None) -> str | None:
    if text is None or len(text) > 20:
        return None
    known = _CODES.get(text)
    if known is not None:
        return known
    plain = unicodedata.normalize("NFKC", text).strip().upper().removesuffix(".0")
    found = _NUMBERED.fullmatch(plain)
    return _CODES.get(found[1] if found else plain)
