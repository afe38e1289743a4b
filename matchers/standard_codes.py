"""Codes of national standards for values that have one: sex, ethnic group, nationality.

In: a value of a golden record. Out: its code, or None: a value that the standard does not name is never given the code
of another. The value itself stays as it is; the code stands beside it.

Sources: GB/T 2261.1-2003 (sex), GB/T 3304-1991 (ethnic groups, numeric), GB/T 2659.1-2022 (countries and regions, three
letters). Reference: `reference/standard_codes.tsv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

# Coded field → the golden column it is the code of.
CODED: Mapping[str, str] = MappingProxyType(
    {"sex_code": "sex", "ethnicity_code": "ethnicity", "nationality_code": "nationality"}
)
_SEX = {"M": "1", "F": "2"}
_LONGEST = 30


def standard_code(field: str, value: str | None) -> str | None:
    """Return the code of a value of `sex`, `ethnicity` or `nationality`.

    >>> standard_code("sex", "F"), standard_code("ethnicity", "汉族"), standard_code("nationality", "中国")
    ('2', '01', 'CHN')
    >>> standard_code("ethnicity", "不详"), standard_code("ethnicity", "穿青人")
    (None, None)
    """
    if value is None or len(value) > _LONGEST:
        return None
    if field == "sex":
        return _SEX.get(value)
    text = "".join(value.split()).upper()
    known = _known(field)
    return known.get(text) or known.get(text.removesuffix("族"))


@cache
def _known(field: str) -> dict[str, str]:
    """Return every writing of a field's values, its codes included."""
    found: dict[str, str] = {}
    text = files("matchers").joinpath("reference", "standard_codes.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        of, code, names = line.split("\t")
        if of == field:
            found |= dict.fromkeys((code, *names.split()), code)
    return found
