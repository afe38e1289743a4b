"""Electronic mail addresses: several to a cell, full-width, with fillers left out.

In: one cell. Out: the addresses in lower case. An address is kept as written otherwise: dots and plus signs mean
different boxes at different providers.

Source: the common subset of RFC 5321 and RFC 5322 that providers accept.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from matchers.levels import AtLeast, Level, Overlaps, Same, different, missing

LONGEST = 500
_ADDRESS = re.compile(
    r"(?<![\w.+%-])([a-z0-9](?:[a-z0-9._%+-]{0,62}[a-z0-9_])?)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?![\w-])"
)
_SPACES = re.compile(r"\s*([@.])\s*")
_NOBODY = re.compile(
    "a{1,3}|abcd?|tests?|tester|ceshi|demo|example|sample|user|none|null|no|na|nil|unknown|wu|x{1,4}|no-?reply|e?mail"
)
_NOWHERE = re.compile(r"example\.(?:com|org|net)|test\.(?:com|cn)|localhost\.com|x{2,3}\.com|abc\.com|a\.com")
# Boxes of an office, not of a person: equal local parts at two providers mean nothing.
_ROLES = re.compile(
    "admin|info|office|services?|sales|hr|contacts?|webmaster|support|marketing|market|finance|caiwu|bangong"
)
_SEQUENCE = "1234567890"


@dataclass(frozen=True, slots=True)
class Email:
    """The addresses of a cell; the empty value has none.

    Attributes:
        key: the first address.
        addresses: all addresses, in the order given, without repeats.
        local: the first address before the `@`, if it is long enough to tell anybody (six characters, no office box).
        domain: the first address after the `@`.
    """

    key: str | None = None
    addresses: tuple[str, ...] = ()
    local: str | None = None
    domain: str | None = None


NONE = Email()


def standardise(text: str | None) -> Email:
    """Return the addresses of one cell.

    >>> standardise("Zhang.San＠Mail.cn；无").key
    'zhang.san@mail.cn'
    """
    if text is None or len(text) > LONGEST:
        return NONE
    plain = _SPACES.sub(r"\1", unicodedata.normalize("NFKC", text).replace("。", ".").lower())
    found = dict.fromkeys(_ADDRESS.findall(plain))
    kept = [(local, domain) for local, domain in found if ".." not in local and not _is_filler(local, domain)]
    if not kept:
        return NONE
    local, domain = kept[0]
    telling = len(local) >= 6 and not _ROLES.fullmatch(local)
    return Email(f"{local}@{domain}", tuple(f"{a}@{b}" for a, b in kept), local if telling else None, domain)


def levels(field: str) -> tuple[Level, ...]:
    """Return the outcomes of comparing the addresses of two cells."""
    return (
        missing(f"{field}_key"),
        Level("same", Same(f"{field}_key"), "邮箱相同", "same mail address", term_frequency=f"{field}_key"),
        Level("shared", Overlaps(f"{field}_addresses"), "有相同的邮箱", "one mail address in common"),
        Level(
            "same_local",
            Same(f"{field}_local"),
            "邮箱用户名相同、域名不同",
            "same name at another provider",
            term_frequency=f"{field}_local",
        ),
        Level("one_edit", AtLeast("gy_edits", f"{field}_key", -1.0), "邮箱仅一字符之差", "one character apart"),
        different("邮箱不同", "different mail addresses"),
    )


def mask(value: str) -> str:
    """Return the address with its local part hidden but for the first character.

    >>> mask("zhangsan@mail.cn")
    'z***@mail.cn'
    """
    address = standardise(value).key
    if address is None:
        return "***" if value else ""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def _is_filler(local: str, domain: str) -> bool:
    return (
        _NOBODY.fullmatch(local) is not None
        or _NOWHERE.fullmatch(domain) is not None
        or len(set(local)) == 1
        or (len(local) >= 3 and _SEQUENCE.startswith(local))
    )
