"""An organisation name taken apart: region, brand (字号), trade (行业), form (组织形式), ordinal, branch.

The reading goes from the right, where names are regular: notes, branch, form, ordinal; then the region from the left;
what remains is brand and trade, told apart by the trade vocabulary. The law (企业名称登记管理规定 2020, art. 6–14)
fixes the order of the parts; the region may also stand in brackets behind the brand.

In goes a cleaned text (`organization_text.clean`), out comes an `OrganizationParts`; every text has one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from matchers.organization_branch import NUMBER, is_branch, normal_branch
from matchers.organization_form import find_form
from matchers.organization_notes import Notes, take_notes
from matchers.organization_places import BRANDS, Region, Step, place_at, read_region, region_of
from matchers.organization_slips import mend
from matchers.organization_text import digits
from matchers.organization_vocabulary import FORMS, TRADES, Form, body_of, ending, ends_given_name, trade_start

_ORDINAL = re.compile(rf"(第?)([{NUMBER}]{{1,3}}|\d{{1,3}})$")
_ORDINAL_ENDS = frozenset(NUMBER + "0123456789")
_BRAND_ORDINAL = re.compile(rf"(?<=.)第([{NUMBER}]{{1,3}})$|(?<=..)([{NUMBER}]{{1,3}}|(?<!\d)\d{{1,3}})[号期]$")
_BRAND_ORDINAL_ENDS = frozenset(NUMBER + "号期")
_BRANCH_END = re.compile(
    rf"(?:第?(?:[{NUMBER}]{{1,3}}|\d{{1,3}}))?(?:中心支公司|分公司|支公司|分店|分厂|分行|支行|分社|分部|分所|分院|分校|分馆|分号|分局|分站"
    r"|储蓄所|分理处|营业所|代表处)$"
)
_BANK = re.compile(r".{2,}?(?:银行|信用社|信用合作联社|信用合作社|农信社|邮政局|供销合作社|供销社)(?=.)")
_OUTLET = re.compile(r"(?:药店|药房|超市|酒店|宾馆|饭店|医院|学校|书店|商场|商店|诊所|幼儿园|影城|餐厅|便利店)(?=.)")
_ACCOUNT = re.compile(r"账户|帐户|专户|资本金|托管|保证金|待结算|募集|备用金|活期|定期|人民币")
_OPEN_FORMS = frozenset(("事务所", "企业"))
_LONGEST_PLACE = 6  # characters of the place or number in a branch's name
_LATIN_FORM = re.compile(r"(?<=.)(?:COMPANY|CO)?(?:LIMITED|LTD)$|(?<=.)(?:CORPORATION|INCORPORATED|INC|CORP|GMBH)$")
_SUFFIX = re.compile("[市区县]|道街|街道|镇")
_FAMILIES = {
    "company": "company",
    "village_collective": "collective",
    "partnership": "business",
    "sole": "business",
    "individual_business": "business",
    "cooperative": "cooperative",
    "institution": "public",
    "social": "public",
}


class OrganizationParts(NamedTuple):
    """The parts of one name; texts are as cleaned, not folded further.

    Attributes:
        region: the places read.
        place: the region as written, brackets of the name left out.
        written: the parent's name without form as it was written, the places at its start by their short names.
        tails: the same with the first place left out, the first two and so on, places by short name and as written.
        region_at: where a complete name shows its region, `start` or `inside` (behind the brand or in brackets).
        brand, trade, form, ordinal, branch: the parts (form and ordinal canonical; branch normalised).
        form_text: the form as it should be written.
        branch_text: everything behind the parent's name, as written.
        kind: kind of organisation, of the parent for a branch.
        family: the wide kind within which a change of form is a matter of wording; None fits all.
        body: the kind of body that the last word tells, of the unit for a union or a party branch; None fits all.
        group: the name says 集团.
        notes: what was noted in the name.
    """

    region: Region
    place: str
    written: str
    tails: tuple[str, ...]
    region_at: str | None
    brand: str
    trade: str
    form: str | None
    form_text: str
    ordinal: str | None
    branch: str | None
    branch_text: str
    kind: str | None
    family: str | None
    body: str | None
    group: bool
    notes: Notes


def parse(text: str) -> OrganizationParts:
    """Take a cleaned name apart."""
    notes = take_notes(text)
    head, form_text, branch_text = _split(notes.name)
    branch_text = branch_text or notes.branch
    form, kind = _form(form_text)
    if notes.kind and kind != "company":
        kind = notes.kind
    group = notes.group
    if head.endswith("集团") and len(head) > 2:
        head, group = head[: -3 if head.endswith("集集团") else -2], True
    kept = ending(head) if not form_text else None
    if kept is not None:
        kind = notes.kind or kept[1].kind
    head, ordinal = _take_ordinal(head, form_text)
    head, steps, cut = _region(head, bool(form_text), _city(notes.region) if notes.region else "")
    if not notes.region and _is_brand(head, steps, bool(form_text)):
        steps, cut = (), trade_start(head)
    start = steps[-1].end if steps else 0
    place, rest = head[:start], head[start:]
    written = "".join(step.short for step in steps) + rest
    tails = _tails(head, steps)
    region_at = None if _nowhere(steps) else "start"
    inner = _inner_region(rest, cut, bool(form_text)) if not notes.region and _nowhere(steps) else None
    if inner is not None:
        begin, end, step = inner
        steps, place, rest = (*steps, step), place + rest[begin:end], rest[:begin] + rest[end:]
        cut = trade_start(rest)
    if region_at is None and (inner is not None or notes.region):
        region_at = "inside"
    brand, trade = rest[:cut], rest[cut:]
    if trade.endswith("集团") and brand + trade != "集团":
        trade, group = trade[:-2], True
    match = _BRAND_ORDINAL.search(brand) if brand[-1:] in _BRAND_ORDINAL_ENDS else None
    if match and ordinal is None:
        brand, ordinal = brand[: match.start()], digits(match[1] or match[2])
    elif ordinal is None and brand.startswith("第") and (number := digits(brand[1:])):
        ordinal = number
    # A name ending in 药房, 学校 or 事务所 may be a company's with the form left out.
    told = (form_text and form not in _OPEN_FORMS) or notes.kind or kind in ("social", "company")
    return OrganizationParts(
        region=region_of(_together(steps, notes.region) if notes.region else steps),
        place=place,
        written=written,
        tails=tails,
        region_at=region_at if form_text else None,
        brand=brand,
        trade=trade,
        form=form,
        form_text=form_text,
        ordinal=ordinal,
        branch=normal_branch(branch_text) if branch_text else None,
        branch_text=branch_text,
        kind=kind,
        family=_FAMILIES.get(kind or "") if told else None,
        body=_body(form_text, kept[1] if kept else None, branch_text),
        group=group,
        notes=notes,
    )


def _split(name: str) -> tuple[str, str, str]:
    """Return the text before the form, the form as written, and the branch behind it."""
    found = find_form(name)
    if found is not None:
        head, tail = name[: found.start], name[found.end :]
        if tail and (_is_note(tail, head)):
            tail = ""
        return head, found.surface, tail
    latin = _LATIN_FORM.search(name) if name[-1:].isascii() else None
    if latin:
        return name[: latin.start()], latin[0], ""
    cut = _branch_start(name)
    parent, branch = name[:cut], name[cut:]
    end = ending(parent)
    if end is None or end[1].use == "keep" or end[0] == 0 or ends_given_name(parent):
        return parent, "", branch
    return parent[: end[0]], parent[end[0] :], branch


def _is_note(tail: str, head: str) -> bool:
    """Tell whether what stands behind the form is no branch: a note, an account's purpose, or the short name again."""
    if _ACCOUNT.search(tail) or (tail in head and ending(tail) is None):
        return True
    return not is_branch(tail, _code(read_region(head)))


def _branch_start(name: str) -> int:
    """Return where the branch of a name without a company form begins; its length if it has no branch."""
    bank = _BANK.match(name)
    if bank and not name.endswith(("银行", "信用社", "联社")):
        return bank.end()
    match = _BRANCH_END.search(name)
    if match is None or match.start() < 2:
        return len(name)
    if match[0][0] in "第0123456789" + NUMBER:
        return match.start()
    steps = read_region(name)
    first = (steps[-1].end if steps else 0) + 2
    for position in range(first, match.start() - 1):
        place = place_at(name, position)
        if place is not None and place.end <= match.start():
            return position
    outlets = [outlet.end() for outlet in _OUTLET.finditer(name, 0, match.start())]
    if outlets:
        return outlets[-1]
    # 鸿图置业发展 翠郁分公司: the parent's name ends with its trade.
    for position in range(match.start(), max(first, match.start() - _LONGEST_PLACE) - 1, -1):
        if trade_start(name[:position]) < position:
            return position
    return match.start()


def _form(form_text: str) -> tuple[str | None, str | None]:
    if not form_text:
        return None, None
    form = FORMS.get(form_text)
    return (form.form, form.kind) if form else ("有限公司", "company")


def _body(form_text: str, kept: Form | None, branch_text: str) -> str | None:
    """Return the kind of body a name tells; a branch tells one only if it is no part of its parent, as a union."""
    if branch_text:
        end = ending(branch_text)
        return body_of(end[1]) if end and end[1].kind == "social" else None
    if form_text:
        return body_of(FORMS.get(form_text) or FORMS["公司"])
    return body_of(kept) if kept else None


def _take_ordinal(head: str, form_text: str) -> tuple[str, str | None]:
    """Take the number that tells sister organisations apart from the end of the head (一厂, 第三公司)."""
    match = _ORDINAL.search(head) if form_text and head[-1:] in _ORDINAL_ENDS else None
    if match is None or match.start() < 2:
        return head, None
    before = head[: match.start()]
    number = digits(match[2])
    if number is None or (match[2].isdigit() and not match[1] and form_text not in FORMS):
        return head, None
    # 永一 is a brand, 永丰一厂 and 建筑一公司 are numbered.
    told = match[1] or match[2].isdigit() or form_text in ("厂", "店") or trade_start(before) < len(before)
    steps = read_region(before) if told else ()
    if not told or (not match[1] and len(before) - (steps[-1].end if steps else 0) < 2):
        return head, None
    return before, number


def _region(head: str, formed: bool, within: str) -> tuple[str, tuple[Step, ...], int]:
    """Read the region at the start, giving back a doubtful place when the brand would be left without it.

    Returns the head with slips in its region mended, the places, and where the trade begins in what follows them.
    """
    steps = read_region(head)
    start = steps[-1].end if steps else 0
    if not within and _SUFFIX.search(head, start if _city(steps) else 0, start + 6):
        mended = mend(head, steps)
        if mended != head:
            head, steps = mended, read_region(mended)
    found = _city(steps)
    if within and not (found and (found.startswith(within) or within.startswith(found))):
        # A place elsewhere is not the region when a bracket tells the region: 海东五金（深圳）有限公司.
        steps = read_region(head, within)
    if formed and len(steps) > 1 and steps[-1].end == len(head) and len(steps[-1].code or "") != 4:
        # The innermost place is the name itself: 西乡街道 怀德 居民委员会.
        steps = steps[:-1]
    while steps:
        cut = trade_start(head[steps[-1].end :])
        if steps[-1].complete or cut > 1:
            return head, steps, cut
        # With the place taken the brand is empty or one character: the place was the brand, or the beginning of it.
        size = len(steps[-1].code or "")
        if (cut == 0 and not (steps[-1].short in BRANDS or (size >= 6 and len(steps) == 1 and not within))) or size < 4:
            return head, steps, cut
        steps = steps[:-1]
    return head, (), trade_start(head)


def _code(steps: tuple[Step, ...]) -> str:
    for step in reversed(steps):
        if step.code:
            return step.code
    return ""


def _city(steps: tuple[Step, ...]) -> str:
    return _code(steps)[:4]


def _together(steps: tuple[Step, ...], others: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the places of the name and those of its bracket, the wider first."""
    return steps + others if _code(others).startswith(_code(steps)) else others + steps


def _nowhere(steps: tuple[Step, ...]) -> bool:
    return not _code(steps)


def _tails(head: str, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return what is left of a name when its first places are left out: 新洲公路 and 公路 of 武汉市新洲公路."""
    found: dict[str, None] = {}
    for index, step in enumerate(steps):
        short = "".join(inner.short for inner in steps[index + 1 :]) + head[steps[-1].end :]
        found |= dict.fromkeys((short, head[step.end :]))
    return tuple(found)


def _is_brand(head: str, steps: tuple[Step, ...], formed: bool) -> bool:
    """Tell whether a county without its suffix is the beginning of a brand, for the city follows later.

    德昌特物业管理深圳: 德昌 is a county elsewhere, and the brackets around the city were lost.
    """
    if len(steps) != 1 or steps[0].complete or len(steps[0].code or "") < 6:
        return False
    inner = _inner_region(head, trade_start(head), formed)
    return inner is not None and not (steps[0].code or "").startswith(inner[2].code or "-")


def _inner_region(rest: str, cut: int, formed: bool) -> tuple[int, int, Step] | None:
    """Find a province or city inside a name that begins with none (德勤咨询深圳有限公司, 中铝山东铝业公司).

    Without a form behind it the place must follow the trade (中品知行工程咨询湖北).

    Returns where it begins and ends, and the place.
    """
    for end in dict.fromkeys((len(rest), cut)) if formed else (len(rest),):
        for size in (3, 2):
            if end - size < 2:
                continue
            step = place_at(rest, end - size)
            if step is None or step.end != end or rest[max(0, end - size - 2) : end] in TRADES:
                continue
            # A county, or a place that ends the name, is only believed behind the trade.
            behind = end == len(rest) and trade_start(rest[: end - size]) < end - size
            if behind or (formed and len(step.code or "") <= 4):
                return end - size, end, step
    return None
