"""The number parts of an address in English: rooms, floors, buildings and house numbers become the Chinese words.

In: upper-case text with its spaces. Out: the same with `ROOM 301` as `301室`, `BLOCK A` as `A栋`, `3/F` as `3层`,
`NO. 12` as `12号`. English names of roads and places go: they compare with nothing. An address in English runs from the
inside out; `address_order` turns it round.
"""

from __future__ import annotations

import re

_WORDS = (
    (re.compile(r"\b(?:ROOM|RM|FLAT|SUITE|UNIT)\.?\s*(?:NO\.?\s*)?([A-Z]?\d{1,4}[A-Z]?)\b"), r"\1室"),
    (re.compile(r"\b(?:BUILDING|BLDG|BLOCK|BLK|TOWER)\.?\s*(?:NO\.?\s*)?(\d{1,3}|[A-Z]\d?)\b"), r"\1栋"),
    (re.compile(r"\b(\d{1,2})\s*(?:ST|ND|RD|TH)?\s*(?:FLOOR|FLR|/F)\b"), r"\1层"),
    (re.compile(r"\b(?:FLOOR|FLR)\s*(\d{1,2})\b"), r"\1层"),
    (re.compile(r"\bNO\.?\s*(\d{1,5}(?:-\d{1,3})?)\b"), r"\1号"),
)
_NAME = re.compile(
    r"\b[A-Z]{2,}(?:\s+(?:[A-Z]{2,}|\d+(?:ST|ND|RD|TH)))*\s+"
    r"(?:ROAD|RD|STREET|ST|AVENUE|AVE|BOULEVARD|LANE|DISTRICT|DIST|CITY|PROVINCE|TOWN|VILLAGE)\b\.?"
)
_LATIN_ALONE = re.compile(r"(?:^|(?<=[,，;]))\s*[A-Z][A-Z .'-]{2,}(?=[,，;]|$)")
HAS_ENGLISH = re.compile(r"\b(?:ROOM|RM|FLAT|SUITE|UNIT|BUILDING|BLDG|BLOCK|BLK|TOWER|FLOOR|FLR|NO)\b|\d/F")


def in_chinese_words(text: str) -> str:
    """Return the text with its English number parts in Chinese words.

    >>> in_chinese_words("ROOM 301, 3/F, BLOCK A, NO. 12 宝民二路")
    '301室, 3层, A栋, 12号 宝民二路'
    """
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return _LATIN_ALONE.sub("", _NAME.sub("", text))
