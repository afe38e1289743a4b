"""The order of an address: largest part first, whatever order it was written in.

In: cleaned text with normalised numerals. Out: the same parts, province first. An address written from the inside out
(`301，A座，宝民二路12号，西乡街道，宝安区`) is turned round at its separators; a room, sub-number or building before
the place (`105室广东省深圳市…17号`) moves behind it; a postcode goes. Text in the usual order is returned as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from matchers.address_divisions import read_divisions

_POSTCODE = re.compile(r"(?:邮编)?\d{6}(?=\d{1,4}[室房楼层栋座号]|[^\d])")
_COUNTRY = re.compile(r"中国(?:[^\d]{2,3}(?=\d))?(?=\d)")
_POSTCODE_BEHIND = re.compile(r"(?<=[^\dA-Z-])(?:邮编)?\d{6}$")
_LATIN = re.compile(r"[A-Z]{4,}(?=\d{0,4}[^\dA-Z-])")
_MOVED = re.compile(
    r"(?=[A-Z\d之])((?:之\d{1,2}号?)?(?:\d{1,2}[层楼])?(?:[A-Z]?\d{2,4}(?:-\d+)?)?(?:号房|[室房])?)(?=[^\d])"
)
_INSIDE_OUT = re.compile(
    r"[^路街道巷村镇乡省市县、]{0,10}\d{1,4}[室房]?"
    r"(?=[^\d路街]{2,3}(?:省|市|(?<![小园业新])区|县)|[^\d路街]{2,4}(?:街道|镇))"
)
_TOWN = re.compile(r"[^\d号路、]{2,4}(?:街道|镇|乡|社区)")
_STREET = re.compile(r"[^\d号路]*(?:街道|镇|乡|办事处)$")
_COMMUNITY = re.compile(r"[^\d号路]*(?:社区|居委会|村委会|村)$")
_ROOM = re.compile(r"(?:之\d+号)?(?:\d{1,2}[层楼])?[A-Z]?\d[\dA-Z-]*(?:号房|[室房层楼])?")
_HOUSE = re.compile(r"(?:[A-Z]{1,2}\d*|\d[\d-]*[A-Z]?)(?:号楼?|[栋座幢#])")
_LOCATED = re.compile(r"\d|[路街巷区园村厦苑城座栋号]")
_NARROWEST, _WIDE = 8, 4


def in_order(text: str) -> str:
    """Return the text with its largest part first.

    >>> in_order("301、A座、宝民二路12号、西乡街道、宝安区")
    '宝安区西乡街道宝民二路12号A座301'
    >>> in_order("518000105室广东省深圳市宝安区宝民二路12号")
    '广东省深圳市宝安区宝民二路12号105室'
    """
    first = text[0]
    if first == "中" and (found := _COUNTRY.match(text)):
        text = text[found.end() :]
        first = text[0]
    if first.isascii() or first == "之" or first == "邮":
        text = _heading_moved(text)
    elif found := _INSIDE_OUT.match(text):
        text = _place_first(text, found.end())
    if text[-1].isdecimal() and (behind := _POSTCODE_BEHIND.search(text)) and behind.start():
        text = text[: behind.start()].rstrip("、-")
    return _turned_round(text) if "、" in text else text


def _heading_moved(text: str) -> str:
    if found := _LATIN.match(text):
        # SHENZHEN 宝安区: the city once more, in letters.
        text = text[found.end() :].lstrip("、")
    if found := _POSTCODE.match(text):
        text = text[found.end() :].lstrip("、-")
    found = _MOVED.match(text)
    if found and found.end():
        rest = text[found.end() :]
        if _TOWN.match(rest) or _is_place(rest[:12]):
            return rest + found[1]
    if found := _INSIDE_OUT.match(text):
        return _place_first(text, found.end())
    return text


def _place_first(text: str, position: int) -> str:
    """Return the text with what stands before a place behind it: 泰安公馆5#703宝安区石岩街道黎光新路290号."""
    head, rest = text[:position], text[position:]
    if (
        "公司" in rest
        or not _LOCATED.search(rest)
        or _is_place(head)
        or not (_TOWN.match(rest) or _is_place(rest[:12]))
    ):
        return text
    return rest + head


def _turned_round(text: str) -> str:
    segments = [s for s in text.split("、") if s]
    ranks = [_rank(s) for s in segments]
    known = [r for r in ranks if r is not None]
    if len(known) < 2 or known[0] <= known[-1] or any(a < b for a, b in pairwise(known)):
        return text
    if known[0] < _NARROWEST and known[-1] > _WIDE:
        return text
    while ranks[-1] is None and not _LOCATED.search(segments[-1]):
        # 快递放门口: said about the address, after its widest part.
        segments.pop()
        ranks.pop()
    return "".join(reversed(segments))


@lru_cache(maxsize=16384)
def _rank(segment: str) -> int | None:
    """Return how narrow a part is: 0 a province to 9 a room, `None` if it does not say."""
    place = read_divisions(segment)
    if place.code or place.district:
        if place.end < len(segment):
            return 3
        return 2 if place.district else len(place.code) // 2 - 1
    if _ROOM.fullmatch(segment):
        return 9
    if _HOUSE.fullmatch(segment):
        return 8
    if _STREET.fullmatch(segment):
        return 3
    if _COMMUNITY.fullmatch(segment):
        return _WIDE
    return 6 if _LOCATED.search(segment) else None


@lru_cache(maxsize=16384)
def _is_place(text: str) -> bool:
    place = read_divisions(text)
    return bool(place.code or place.district)
