"""Sex: the codes and words of registers, and what a valid identifier says.

In: the stated value, and `M` or `F` derived from an identifier whose check holds. Out: one code. Where the two disagree
the number is right far more often (a form is ticked wrongly, a check character is not), so it is the code; but the
record is then no evidence on the sex of anybody, and nothing is compared.

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
        code: `M` or `F`; the derived one if there is one, else the stated one.
        conflict: whether the stated and the derived one disagree; `None` unless both are there.
        sure: the code, unless stated and derived disagree; this is what is compared.
    """

    code: str | None = None
    conflict: bool | None = None
    sure: str | None = None


def standardise(stated: str | None, derived: str | None = None) -> Sex:
    """Return the sex of a person.

    >>> standardise("1-男"), standardise("未知", "F")
    (Sex(code='M', conflict=None, sure='M'), Sex(code='F', conflict=None, sure='F'))
    """
    said, read = code(stated), code(derived)
    if said is None or read is None:
        return Sex(said or read, sure=said or read)
    return Sex(read, said != read, read if said == read else None)


def code(text: str | None) -> str | None:
    """Return the code of a sex in words or as a code of a register; None if the text says neither.

    >>> code("2-女"), code("9")
    ('F', None)
    """
    if text is None or len(text) > 20:
        return None
    known = _CODES.get(text)
    if known is not None:
        return known
    plain = unicodedata.normalize("NFKC", text).strip().upper().removesuffix(".0")
    found = _NUMBERED.fullmatch(plain)
    return _CODES.get(found[1] if found else plain)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing two sexes."""
    return (
        missing(f"{field}_sure"),
        Level("same", Same(f"{field}_sure"), "性别相同", "same sex", term_frequency=f"{field}_sure"),
        different("性别不同", "different sex"),
    )


def mask(value: str) -> str:
    """Return a star: half of all values would be guessed from anything more."""
    return "*" if value else ""
