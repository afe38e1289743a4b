"""Organisation names: standardise, compare, mask.

A Chinese organisation name is region + brand + trade + form (企业名称登记管理规定 2020, article 6), possibly with a
branch behind it, and departments write it with all kinds of omissions and notes. `standardise` takes it apart (see
`organization_parser`) and folds what is only a way of writing; `levels` compares the parts (see `organization_levels`).

A name may be absent: the field may hold a unified social credit code, which is returned as such and never compared as
a name, or the operator's own name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from matchers.organization_levels import (
    COMPATIBLE_LEVELS,
    SHORT_END,
    branch_conflict,
    branch_of_the_other,
    character_replaced,
    company_and_other_body,
    complete_names,
    individual_businesses,
    levels,
    named_after_operator,
    named_after_place,
    names_operator,
    operator_named,
    operator_only,
    other_body,
    other_number,
    other_registrar,
    parent_and_branch,
    region_conflict,
    region_moved,
    region_wording_differs,
    same_sound,
    same_trade,
    share_company_conflict,
)
from matchers.organization_notes import BREAK, set_off
from matchers.organization_parser import OrganizationParts, parse
from matchers.organization_sound import sound, sound_key, word_key, word_sound
from matchers.organization_text import LONGEST, clean, is_resident_id, is_uscc
from matchers.organization_vocabulary import HEAD, common_trade, ending, ends_given_name, is_person_like

__all__ = [
    "COMPATIBLE_LEVELS",
    "FormerNames",
    "OrganizationName",
    "branch_conflict",
    "branch_of_the_other",
    "character_replaced",
    "company_and_other_body",
    "complete_names",
    "individual_businesses",
    "levels",
    "mask",
    "named_after_operator",
    "named_after_place",
    "names_operator",
    "operator_named",
    "operator_only",
    "other_body",
    "other_number",
    "other_registrar",
    "parent_and_branch",
    "region_conflict",
    "region_moved",
    "region_wording_differs",
    "same_sound",
    "same_trade",
    "share_company_conflict",
    "standardise",
    "standardise_former",
]

_SEPARATORS = re.compile("[;；|｜\n]+")
_SEVERAL = re.compile("[;；/／\n]")
_SHORTEST_TAIL = 3  # characters that must be left of a name without its region
_MOST_FORMER = 50  # names in one former_names value


@dataclass(frozen=True, slots=True)
class OrganizationName:
    """What an organisation name says.

    Attributes:
        text: the name in comparable characters, notes included.
        full: the canonical name: region, core, ordinal, form, branch; notes left out.
        region: place names folded, 深圳宝安.
        region_code: code of the innermost place, 2, 4 or 6 digits.
        province, city, district: codes, for conflicts; a district carved out of an older one has the older one's code.
        brand: 字号.
        trade: 行业.
        core: brand and trade, numbers in Chinese; the whole name if it has neither.
        parts: `brand|trade`.
        form: canonical organisation form, 有限公司 for 有限责任公司.
        form_class: company, partnership, sole, individual_business, cooperative, branch, institution, social,
            village_collective or other.
        family: the wide kind within which forms are interchangeable wordings (of the parent for a branch); None
            fits all.
        body: the kind of body the last word tells, one value for forms used for one another: company, business,
            cooperative, else the form itself (小学, 居民委员会); of a branch only a union or the like; None fits all.
        group: the name says 集团.
        branch: the branch part, canonical; None for a parent.
        ordinal: number that tells sister organisations apart, in digits.
        unit: ordinal and branch in one text, never None for a name: what must not differ.
        parent: canonical name of the parent, for a branch only.
        status_note: 注销, 吊销 and the like noted in the name.
        operator: a person's name in the notes, or the whole field if it looks like a person's name.
        uscc: a code in the field, instead of a name or behind it.
        former: canonical other names given in the notes.
        pinyin, brand_pinyin: toneless, no blanks.
        core_key, brand_key: coarse sound keys that fold frequent typing errors.
        trade_key: the trade with interchangeable words written one way.
        full_pinyin: toneless reading of the canonical name. placed_pinyin: of its region and core.
        core_start: the first three characters of the core.
        written: the name with its places as written, by their short names: what `full` is whatever is read as a region.
        tails: the name with its first place left out, its first two and so on, and its own words without the form; what
            `written` of another name is if that leaves places out, or reads them as its brand.
        region_at: where a complete name shows its region, `start` or `inside` (behind the brand or in brackets).
        short: the canonical name and a bar, for a name without form, branch or operator, which may be cut short.
    """

    text: str | None = None
    full: str | None = None
    region: str | None = None
    region_code: str | None = None
    province: str | None = None
    city: str | None = None
    district: str | None = None
    brand: str | None = None
    trade: str | None = None
    core: str | None = None
    parts: str | None = None
    form: str | None = None
    form_class: str | None = None
    family: str | None = None
    body: str | None = None
    group: bool | None = None
    branch: str | None = None
    ordinal: str | None = None
    unit: str | None = None
    parent: str | None = None
    status_note: str | None = None
    operator: str | None = None
    uscc: str | None = None
    former: tuple[str, ...] = ()
    pinyin: str | None = None
    brand_pinyin: str | None = None
    core_key: str | None = None
    brand_key: str | None = None
    trade_key: str | None = None
    full_pinyin: str | None = None
    placed_pinyin: str | None = None
    core_start: str | None = None
    written: str | None = None
    tails: tuple[str, ...] = ()
    region_at: str | None = None
    short: str | None = None


@dataclass(frozen=True, slots=True)
class FormerNames:
    """Former names of an organisation: canonical names and their cores, without repeats, in order."""

    texts: tuple[str, ...] = ()
    cores: tuple[str, ...] = ()


def standardise(text: str | None) -> OrganizationName:
    """Take an organisation name apart.

    >>> name = standardise("深圳市宝安区西乡街道张三小吃店")
    >>> name.region, name.brand, name.trade, name.form, name.form_class
    ('深圳宝安西乡', '张三', '小吃', '店', 'individual_business')
    """
    others: tuple[str, ...] = ()
    if text and len(text) <= LONGEST and BREAK.search(text):
        if _SEVERAL.search(text):
            text, *others_found = _several(text)
            others = tuple(others_found)
        text = set_off(text)
    cleaned = clean(text)
    if cleaned is None or is_resident_id(cleaned):
        return OrganizationName()
    if is_uscc(cleaned):
        return OrganizationName(uscc=cleaned)
    parts = parse(cleaned)
    notes, region = parts.notes, parts.region
    branch, ordinal = parts.branch, parts.ordinal
    operator = notes.operator
    if operator is None and not parts.form_text and not parts.place and is_person_like(notes.name):
        whole = ending(notes.name) is None or ends_given_name(notes.name)
        operator = notes.name if not parts.trade and whole else None
    brand, trade = parts.brand, parts.trade
    if not brand and not trade and not parts.place:
        brand = notes.operator or ""
    parent = _canonical(parts)
    full = (parent + (branch or "")) or cleaned
    core = (brand + trade) or region.text or notes.name or cleaned
    named = brand or trade
    brand_sound, brand_key = sound(brand), sound_key(brand)
    core_sound = brand_sound + word_sound(trade) if named else sound(core)
    return OrganizationName(
        text=cleaned,
        full=full,
        region=region.text,
        region_code=region.code,
        province=region.province,
        city=region.city,
        district=region.district,
        brand=brand or None,
        trade=trade or None,
        core=core,
        parts=f"{brand}|{trade}",
        form=parts.form,
        form_class="branch" if branch else parts.kind,
        family=parts.family,
        body=parts.body,
        group=parts.group,
        branch=branch,
        ordinal=ordinal,
        unit=f"{ordinal or ''}|{branch or ''}",
        parent=parent if branch else None,
        status_note=notes.status,
        operator=operator,
        uscc=notes.uscc,
        former=_all_full((*notes.former, *others)) if notes.former or others else (),
        pinyin=core_sound,
        brand_pinyin=brand_sound or None,
        core_key=brand_key + word_key(trade) if named else sound_key(core),
        brand_key=brand_key or None,
        trade_key=common_trade(trade) or None,
        placed_pinyin=word_sound(region.text or "") + core_sound,
        full_pinyin=_full_sound(full, region.text or "", core, core_sound),
        core_start=core[:3] if len(core) > 2 else None,
        written=(_with_ending(parts, parts.written) + (branch or "")) or None,
        tails=_tails(parts, branch or ""),
        region_at=parts.region_at,
        short=None if parts.form_text or operator else _short(parts, full),
    )


def standardise_former(text: str | None) -> FormerNames:
    """Take a list of former names, separated by semicolons, apart.

    >>> standardise_former("深圳市旧名电子厂；深圳市老号五金店").cores
    ('旧名电子', '老号五金')
    """
    if not text:
        return FormerNames()
    names = [standardise(part) for part in _SEPARATORS.split(text, maxsplit=_MOST_FORMER)[:_MOST_FORMER]]
    texts = dict.fromkeys(name.full for name in names if name.full)
    cores = dict.fromkeys(name.core for name in names if name.core)
    return FormerNames(tuple(texts), tuple(cores))


def mask(value: str) -> str:
    """Return a name as it is shown without permission: organisations in full, persons' names in them hidden.

    >>> mask("张三小吃店"), mask("鸿达电子有限公司（李小四）")
    ('张*小吃店', '鸿达电子有限公司（李**）')
    """
    cleaned = clean(value)
    if cleaned is None:
        return value
    if is_resident_id(cleaned):
        return "*" * len(cleaned)
    parts = parse(cleaned)
    people = [parts.notes.operator, *parts.notes.former]
    if parts.kind in (None, "individual_business", "sole") and not parts.branch:
        people.append(parts.brand)
    for person in people:
        if person and is_person_like(person):
            hidden = person[0] + "*" * (len(person) - 1)
            value = value.replace(person, hidden) if person in value else cleaned.replace(person, hidden)
    return value


def _several(text: str) -> list[str]:
    """Return the names in a field that holds several; the field as it is unless each of them is a whole name."""
    found = [part for part in _SEVERAL.split(text[:LONGEST]) if part.strip()]
    whole = [(cleaned := clean(part)) and (HEAD.search(cleaned) or ending(cleaned)) for part in found]
    return found if len(found) > 1 and all(whole) else [text]


def _full_sound(full: str, region: str, core: str, core_sound: str) -> str:
    """Return how a canonical name sounds, from the parts whose sounds are known."""
    start = len(region)
    if not full.startswith(core, start):
        return sound(full)
    return word_sound(region) + core_sound + word_sound(full[start + len(core) :])


def _short(parts: OrganizationParts, full: str) -> str | None:
    """Return what is compared with the start of other names: a name of which nothing shows that it is whole."""
    own = len(parts.brand) + len(parts.trade)
    if parts.branch or parts.kind or parts.group or own < (2 if parts.region.text else 3) or len(full) < 3:
        return None
    return full + SHORT_END


def _canonical(parts: OrganizationParts) -> str:
    """Return the canonical name of the parent."""
    own = parts.brand + parts.trade
    return (parts.region.text or "") + _with_ending(parts, own) or parts.notes.operator or ""


def _tails(parts: OrganizationParts, branch: str) -> tuple[str, ...]:
    """Return the canonical name without its outer places, and its own words alone where they are enough to tell it."""
    found = [_with_ending(parts, tail) + branch for tail in parts.tails if len(tail) >= _SHORTEST_TAIL]
    own = parts.brand + parts.trade
    if found and not branch and len(own) >= _SHORTEST_TAIL and own not in found:
        found.append(own)
    return tuple(found)


def _with_ending(parts: OrganizationParts, own: str) -> str:
    """Return the words of a name with what follows them: the number, the group, the form."""
    shown = parts.ordinal if parts.ordinal and not own.startswith("第") else ""
    return f"{own}{shown}{'集团' if parts.group else ''}{parts.form or ''}"


def _all_full(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(full for name in names if (full := _full(name)))


def _full(raw: str) -> str | None:
    """Return the canonical form of another name found in the notes, where no further notes are expected."""
    cleaned = clean(raw)
    if cleaned is None or is_uscc(cleaned) or is_resident_id(cleaned):
        return None
    parts = parse(cleaned)
    return (_canonical(parts) + (parts.branch or "")) or None
