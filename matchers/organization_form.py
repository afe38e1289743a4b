"""Where the legal form stands in a name, also when it was mistyped, doubled or cut off.

A form word is fixed, long and near the end, so a text one edit away from it is that form: 有限公同, 有很公司,
有限公公司, 有限责任公. Shorter endings (店, 行) are never guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rapidfuzz.distance import OSA

from matchers.organization_branch import is_branch
from matchers.organization_places import read_region
from matchers.organization_vocabulary import HEAD, ending, trade_start


class Found(NamedTuple):
    """Where a form begins and ends in a name, and the form as it should be written."""

    start: int
    end: int
    surface: str


_DOUBTFUL = frozenset(("公司", "责任公司", "有限公", "有限责任公", "有限责任"))
# One edit away from 有限公司 or 有限责任公司; longer readings first.
_SLIP = re.compile(
    "有限责任公[^司]司|有限责任[^公]公司|有限责[^任]任公司|有限[^责]责任公司|有限责任公[^司]$|有限责任[^公]司|有限责[^任]公司|有限[^责]任公司|[^有]限责任公司"
    "|有[^限]责任公司|有限任责公司|有限责公任司|有限责任司公|有限责任司|有限[责任]公司|有责任公司"
    "|有限公[^司]司|有限[^公责股]公司|有[^限]限公司|有限公[^司]|有限[^公责]司|(?<![国所公私富拥共])有[^限]公司|限有公司|有公限司|有限司公|有限司|[^有无]?限公司"
    "|(?<![国所公私富拥共])有公司"
)
_CUT = re.compile("(?:股份)?有限(?:责任?)?$|股份有?$|(?<=集团)有$")
_REPEATED = ("有限责任公司", "有限公司", "股份有限公司", "有限责任", "有限", "公司")
_REPEATABLE = frozenset("有股责任司限")
_CUT_ENDS = frozenset("限任责份有")
_LONG_ENDS = frozenset("业企伙社作司公会员委")
_LONG_FORMS = ("合伙企业", "专业合作社", "股份合作公司", "居民委员会", "村民委员会")


def find_form(name: str) -> Found | None:
    """Return the form that ends the parent's name, None if the name has no company's form.

    >>> find_form("鸿达电子有限公同宝安分公司")
    Found(start=4, end=8, surface='有限公司')
    """
    size = len(name)
    if size > 4 and name.endswith("有限公司"):
        before = name[-6:-4] if size > 6 else ""
        found = (
            Found(size - 6, size, before + "有限公司")
            if before in ("股份", "责任")
            else Found(size - 4, size, "有限公司")
        )
        return _without_repeats(name, found) if name[found.start - 1] in _REPEATABLE else found
    bare = full = None
    for match in HEAD.finditer(name):
        if match.start() == 0:
            continue
        if match[0] == "公司":
            bare = match
        else:
            full = match
    last = full or bare
    read = Found(last.start(), last.end(), last[0]) if last else None
    if read is None or read.surface in _DOUBTFUL:
        read = _slipped(name, read) or read or _cut(name)
    return _without_repeats(name, read) if read and name[read.start - 1] in _REPEATABLE else read


def is_whole(text: str) -> bool:
    """Tell whether a cleaned text is a name up to its end: it ends with a form, or with a branch.

    >>> is_whole("鸿达电子有限公司"), is_whole("深圳市张三小吃店"), is_whole("鸿达电子")
    (True, True, False)
    """
    if text.endswith(")"):
        text = text[: max(0, text.rfind("("))]
    if len(text) < 4:
        return False
    found = find_form(text)
    if found is not None:
        return found.end == len(text) or is_branch(text[found.end :])
    end = ending(text)
    if end is None:
        return False
    steps = read_region(text)
    return end[0] - (steps[-1].end if steps else 0) >= 2 or (end[1].use == "keep" and len(text) > 4)


def _slipped(name: str, found: Found | None) -> Found | None:
    if "公" not in name and "司" not in name:
        return None
    if found is not None and found.surface != "公司" and (found.end == len(name) or _begins_branch(name[found.end :])):
        return None
    match = _SLIP.search(name, 2)
    if match is None:
        return None
    start, end, text = match.start(), match.end(), match[0]
    if text[0] not in "有限":
        # The first character may be the trade's last one, or a mistyped 有.
        start += trade_start(name[: start + 1]) <= start
    elif text[:3] == "有限公" and len(text) == 4 and _begins_branch(name[start + 3 :]):
        end -= 1
    tail = name[end:]
    if start < 2 or (tail and not is_branch(tail) and len(tail) > 1 and text[:3] != "有限公"):
        return None
    surface = "有限责任公司" if "任" in text or "责" in text else "有限公司"
    if name.endswith("股份", 0, start) and start > 3:
        return Found(start - 2, end, "股份有限公司")
    return Found(start, end, surface)


def _begins_branch(tail: str) -> bool:
    """Tell whether a branch begins right here, not one character later: with its place, its number or its word."""
    return is_branch(tail) and (tail[0] in "第分支" or tail[0].isdigit() or bool(read_region(tail)))


def _cut(name: str) -> Found | None:
    """Find a form the sender's column cut off, or a long one mistyped at the end."""
    match = _CUT.search(name, 3) if name[-1:] in _CUT_ENDS else None
    if match:
        return Found(match.start(), len(name), "股份有限公司" if "股份" in match[0] else "有限公司")
    for form in _LONG_FORMS if name[-1:] in _LONG_ENDS else ():
        for size in (len(form), len(form) - 1, len(form) + 1):
            end = name[-size:]
            if len(name) > size + 2 and end[0] == form[0] and OSA.distance(end, form, score_cutoff=1) == 1:
                return Found(len(name) - size, len(name), form)
    return None


def _without_repeats(name: str, found: Found) -> Found:
    """Take what is written twice before a form (有有限公司, 有限公司有限公司) to the form."""
    start, end, surface = found
    if surface == "公司":
        return found
    for _ in range(4):
        before = name[:start]
        if start > 3 and before[-1] == surface[0] and before[-1] in "有股责":
            start -= 1
            continue
        word = next((word for word in _REPEATED if before.endswith(word) and start > len(word) + 1), None)
        if word is None:
            break
        start -= len(word)
    return Found(start, end, surface)
