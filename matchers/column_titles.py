"""The titles of a file's columns as a message may tell them: not where they are the values of somebody's row.

A file without a header line has its first row in the place of the titles; an error that lists what it found would show
a person's name and number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALUE = re.compile(r"\d{6,}|\d{4}[-/.年]\d{1,2}|^(男|女)$")
_SHOWN = 100


def are_values(titles: Sequence[str]) -> bool:
    """Tell whether the titles are values: a long number, a date or somebody's sex is among them.

    >>> are_values(["编号", "姓名", "身份证号"]), are_values(["SQ1", "张三丰", "男"])
    (False, True)
    """
    return any(_VALUE.search(title.strip()) for title in titles)


def seen_columns(titles: Sequence[str]) -> str:
    """Return what to say of the columns that a file has.

    >>> seen_columns(["编号", "姓名"])
    'columns seen: 编号, 姓名'
    >>> seen_columns(["SQ1", "440306199001011234"])
    'the line where the column names should stand holds values'
    """
    if are_values(titles):
        return "the line where the column names should stand holds values"
    return f"columns seen: {', '.join(titles[:_SHOWN])}"
