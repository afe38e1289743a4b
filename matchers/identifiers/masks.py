"""Hidden characters: reading a number that arrives masked, and hiding one for display.

In: a cleaned text with stars, dots or runs of X where characters are hidden. Out: one character per position of the
scheme, `*` where hidden, so that two numbers can be compared position by position.

When a mask is shorter or longer than the number (`440306****1234`), what stands before the first star is taken from
the start and what stands after the last star from the end; anything in between has no known position and is dropped.
"""

from __future__ import annotations

import re
from typing import Final

_STARS: Final = str.maketrans(dict.fromkeys("#?×✕✖•●○◦■□▪◆★☆∗·", "*"))
_X_RUN: Final = re.compile(r"X{3,}|\.{2,}")
_X_PAIR: Final = re.compile(r"X{2,}|(?<=[0-9*])X(?=[0-9*])|\.{2,}")


def stars(compact: str, *, x_in_alphabet: bool) -> str:
    """Return a text with every masking character as `*`.

    Args:
        compact: a cleaned text.
        x_in_alphabet: X is a letter of the scheme anywhere (a credit code), so that only a run of three hides
            something; otherwise X is at home in the last position only.
    """
    starred = compact if compact.isalnum() else compact.translate(_STARS)
    run = _X_RUN if x_in_alphabet else _X_PAIR
    return run.sub(lambda match: "*" * len(match[0]), starred)


def asterisks(text: str) -> str:
    """Return a text with the signs that hide a character as `*`; runs of X stay."""
    return text.translate(_STARS)


def aligned(starred: str, length: int) -> str | None:
    """Return a masked text laid out over the positions of a number of `length` characters, or None if it cannot be.

    >>> aligned("440306****1234", 18)
    '440306********1234'
    """
    if "*" not in starred:
        return None
    if len(starred) == length:
        return starred
    head, tail = starred[: starred.index("*")], starred[starred.rindex("*") + 1 :]
    hidden = length - len(head) - len(tail)
    return head + "*" * hidden + tail if hidden > 0 else None


def visible(pattern: str) -> int:
    """Count the positions a pattern shows."""
    return len(pattern) - pattern.count("*")


def hidden_for_display(value: str) -> str:
    """Return a number as it is shown to someone who may not see it.

    Numbers of 15 characters and more keep four at the start and two at the end; shorter ones keep one at each end; very
    short ones nothing. Region and birth date are never shown together.

    >>> hidden_for_display("440306199901011514"), hidden_for_display("H12345678")
    ('4403************14', 'H*******8')
    """
    size = len(value)
    if size >= 15:
        return value[:4] + "*" * (size - 6) + value[-2:]
    if size >= 6:
        return value[0] + "*" * (size - 2) + value[-1]
    return "*" * size
