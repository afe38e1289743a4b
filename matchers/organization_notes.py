"""The notes departments write into the name field: status, former names, operators, legal kind, account purposes.

`take_notes` takes a cleaned name apart into the name proper and its notes. Brackets that hold a region stay out of the
name and are returned; brackets that hold a part of the name are opened.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from matchers.organization_branch import is_branch
from matchers.organization_form import is_whole
from matchers.organization_places import Step, official_names, read_region
from matchers.organization_slips import city_by_sound
from matchers.organization_sound import sound
from matchers.organization_text import HAN, clean, is_uscc
from matchers.organization_vocabulary import FORMS, HEAD, ending, is_person_like

_STATUS = r"(?:注销|吊销|迁出|迁移|停业|歇业|清算|撤销|解散|破产|关闭|停产|倒闭|失联|除名|作废|停用|注吊销)"
_STATUS_NOTE = re.compile(
    rf"(?:已|被|依法|正在|拟|企业|状态|经营|执照|:)*({_STATUS})(?:未注销|登记|中|状态|企业|备案|执照|了)*"
)
_STATUS_TAIL = re.compile(rf"(?:已|被|依法)({_STATUS})(?:未注销|登记)?$|(?<=[店厂部行馆司社])({_STATUS})(?:未注销)?$")
_FORMER = re.compile(
    r"(?:原企业名称|企业原名称?|曾用名称?|原名称?|旧名称?|前称|原称|更名前(?:名称)?|变更前(?:名称)?|原为?(?=.{3})|前身(?:为|是)?|曾用|曾名):?"
)
_FORMER_TAIL = re.compile(
    r"(?<=.{3})(?:原企业名称|企业原名称?|曾用名称?|原名称|原名|更名前(?:名称)?|变更前(?:名称)?):?(.{2,})$"
)
_LATER = re.compile(r"(?:现名称?|现已?更名为?|已?更名为|变更为|现为|改名为?|现改名为?|新名称?):?")
_OPERATOR = r"(?:经营者|业主|店主|负责人|个体经营者|个体工商户|个体户|经营人|法人|法定代表人|户主)"
_OPERATOR_FIRST = re.compile(rf"{_OPERATOR}:?(.+)")
_OPERATOR_TAIL = re.compile(rf"(?<=.)(?:经营者|业主|店主|负责人|经营人|法人):?([{HAN}]{{2,4}})$")
_GROUP = re.compile(r"\(([^()]*)\)")
_KINDS = {
    "有限合伙": "partnership",
    "普通合伙": "partnership",
    "特殊普通合伙": "partnership",
    "特殊的普通合伙": "partnership",
    "有限合伙企业": "partnership",
    "普通合伙企业": "partnership",
    "合伙": "partnership",
    "个体工商户": "individual_business",
    "个体户": "individual_business",
    "个体": "individual_business",
    "个体经营": "individual_business",
    "个人经营": "individual_business",
    "个人独资": "sole",
    "个人独资企业": "sole",
    "独资": "sole",
}
_NO_NAME = re.compile(
    r"(?:筹|筹建|筹备|暂定|临时|新|旧|老|非法人|分支机构|分公司|法人|本部|总部|外商投资|外资|内资|中外合资|合资|自然人.*|国有.*|民营|民办|私营|一般纳税人|小规模.*|自贸|CHINA|[A-Z]{4,}|营业中?|正?在营.*|在业.*|存续.*|开业.*|经营中|正常.*|有效|在册|仍注册|不详|未知|待定|待核实?|重复|删除|停|转让)"
    r"|.*(?:专用|监管|托管|保证金|贷款|工资|资本金).*"
)
_BRANCHLIKE = re.compile(r"(?:分公司|分店|分厂|分部|支行|分行|店|厂|部|所|站|区|\d|第[一二三四五六七八九十]+)$")
_BRACKET_BRANCH = re.compile(r"(?:分店|分公司|支行|分行|分部|分院|校区|(?<=..)店)$")
BREAK = re.compile(r"[\s/／\\,，;；、\-—–_|｜~～]+")
_NUMBER_TAIL = re.compile(
    rf"(?<=[{HAN})])(?:联系电话|电话|手机号?码?|TEL|统一社会信用代码|信用代码|代码|税号|编号|注册号)?:?"
    r"(?:(?=[A-Z]*\d[A-Z]*\d)([0-9A-Z]{15,18})|\d{7,14})$"
)
_LATIN_TAIL = re.compile(rf"(?<=[{HAN})])(?:COMPANY|CO)?(?:COMPANY|LIMITED|LTD|CORPORATION|INC|CORP|CO)$")
_SIGNAL = re.compile(rf"原|曾|更名|变更|{_STATUS}|经营者|业主|店主|负责人|法人|经营人|个体|户主")


class Notes(NamedTuple):
    """What the notes of a name say.

    Attributes:
        name: the name without its notes.
        region: places in a bracket; `place` as written.
        kind_text: the bracket that told the kind, as written.
        kind: kind of organisation told by a bracket.
        group: a bracket says 集团.
        status: status word.
        operator: name of the operator.
        former: other names given, raw.
        branch: a branch in a bracket behind a name without a company form.
        uscc: a unified social credit code behind the name.
    """

    name: str
    region: tuple[Step, ...] = ()
    place: str = ""
    kind_text: str = ""
    kind: str | None = None
    group: bool = False
    status: str | None = None
    operator: str | None = None
    former: tuple[str, ...] = ()
    branch: str = ""
    uscc: str | None = None


def take_notes(text: str) -> Notes:
    """Separate a cleaned name from the notes in it.

    >>> take_notes("鸿达五金店(已注销)").status
    '注销'
    """
    notes = _tail(text) if text[-1] < "\x80" and text[-1] not in "()" else Notes(text)
    text = notes.name
    if "(" in text or ")" in text:
        notes = _brackets(notes)
    if _SIGNAL.search(notes.name):
        notes = _loose(notes)
    if ":" in notes.name:
        notes = notes._replace(name=notes.name.replace(":", ""))
    return notes


def set_off(text: str) -> str:
    """Put what a mark or a blank sets off behind a whole name into brackets; a branch or a second name stays.

    >>> set_off("深圳市鸿达五金店/店面转让"), set_off("鸿达电子有限公司 宝安分公司")
    ('深圳市鸿达五金店(店面转让)', '鸿达电子有限公司 宝安分公司')
    """
    for match in BREAK.finditer(text):
        before, after = clean(text[: match.start()]), clean("名" + text[match.end() :])
        if before is None or after is None or len(after) == 1 or (before[-1].isalnum() and before[-1].isascii()):
            continue
        if not is_whole(before):
            continue
        after = after[1:]
        steps = read_region(after)
        if steps and steps[-1].end == len(after):
            # A place set off behind a whole name is where its file lies; a branch says that it is one.
            return text[: match.start()]
        if after[0] == "(" or "(" in after or HEAD.search(after) or ending(after) or is_branch(after):
            break
        return f"{text[: match.start()]}({after.replace('(', '').replace(')', '')})"
    return text


def _tail(text: str) -> Notes:
    """Take a number or a Latin form from behind a Chinese name."""
    match = _NUMBER_TAIL.search(text, 2)
    if match:
        return Notes(text[: match.start()], uscc=match[1] if match[1] and is_uscc(match[1]) else None)
    latin = _LATIN_TAIL.search(text, 3)
    return Notes(text[: latin.start()]) if latin and is_whole(text[: latin.start()]) else Notes(text)


def _brackets(notes: Notes) -> Notes:
    for _ in range(8):
        match = _GROUP.search(notes.name)
        if match is None:
            break
        notes = _bracket(notes, match[1], notes.name[: match.start()], notes.name[match.end() :])
    opened = notes.name.find("(")
    if opened > 0 and notes.name.find(")") < 0:
        # A bracket the sender's column cut off.
        notes = _bracket(notes, notes.name[opened + 1 :], notes.name[:opened], "")
    return notes._replace(name=notes.name.replace("(", "").replace(")", ""))


def _bracket(notes: Notes, inside: str, before: str, after: str) -> Notes:
    """Return the notes with one bracket read and its text kept, opened or dropped."""
    closed = notes._replace(name=before + after)
    if not inside:
        return closed
    if inside[1:] in _KINDS and before and inside not in _KINDS:
        # (店个体工商户): the bracket stands one character too early.
        closed, inside = notes._replace(name=before + inside[0] + after), inside[1:]
    if inside not in _KINDS and 4 <= len(inside) <= 6:
        inside = next((kind for kind in _KINDS if OSA.distance(inside, kind, score_cutoff=1) <= 1), inside)
    if inside in _KINDS:
        return closed._replace(kind=_KINDS[inside], kind_text=inside)
    if inside == "集团":
        return closed._replace(group=True) if before else closed
    status = _STATUS_NOTE.fullmatch(inside)
    if status:
        return closed._replace(status=status[1])
    later = _LATER.match(inside)
    if later and len(inside) - later.end() >= 3:
        return closed._replace(former=(*notes.former, inside[later.end() :]))
    former = _FORMER.match(inside)
    if former and len(inside) - former.end() >= 2:
        return closed._replace(former=(*notes.former, inside[former.end() :]))
    operator = _OPERATOR_FIRST.fullmatch(inside)
    if operator and is_person_like(operator[1]):
        return closed._replace(operator=operator[1])
    return _bracket_of_name(notes, inside, before, after)


def _bracket_of_name(notes: Notes, inside: str, before: str, after: str) -> Notes:
    closed, opened = notes._replace(name=before + after), notes._replace(name=before + inside + after)
    after_head = HEAD.search(before) is not None
    steps = read_region(inside)
    if steps and steps[-1].end == len(inside):
        return opened if after_head else closed._replace(region=steps, place=inside)
    if len(inside) == 2 and after and not after_head and (city := city_by_sound(inside)) is not None:
        return closed._replace(region=read_region(city), place=inside)
    if inside in _latin_cities():
        steps = read_region(_latin_cities()[inside])
        return closed._replace(region=steps)
    if _NO_NAME.fullmatch(inside):
        return closed
    last = not after.strip("()") or (after[0] == "(" and after[-1] == ")")
    if last and not after_head and ending(before) and is_person_like(inside):
        return closed._replace(operator=inside)
    if last and not after_head and len(before) > 1 and _BRACKET_BRANCH.search(inside):
        return closed._replace(branch=inside)
    if last and len(inside) >= 6 and (HEAD.search(inside) or _names_itself(inside)):
        return closed._replace(former=(*notes.former, inside))
    if last and after_head and not is_branch(inside):
        return closed._replace(operator=inside) if is_person_like(inside) and len(inside) == 3 else closed
    if last and not after_head and ending(before) and not ending(inside):
        return closed
    if last and inside in ("老店", "新店", "总店", "本店", "旧店"):
        return closed
    return opened


@cache
def _latin_cities() -> dict[str, str]:
    """Return the cities by their names in Latin letters, where a name tells one city: SHENZHEN."""
    found: dict[str, set[str]] = {}
    for code, name in official_names():
        if len(code) <= 4 and name.endswith("市"):
            found.setdefault(sound(name[:-1]).upper(), set()).add(name)
    return {latin: next(iter(names)) for latin, names in found.items() if len(names) == 1}


def _names_itself(text: str) -> bool:
    found = ending(text)
    return found is not None and found[0] >= 4 and text[found[0] :] in FORMS and not _BRANCHLIKE.search(text)


def _loose(notes: Notes) -> Notes:
    """Read the notes that stand in the name without brackets."""
    first = _OPERATOR_FIRST.fullmatch(notes.name)
    if first:
        kind = "individual_business" if notes.name.startswith("个体") else notes.kind
        if is_person_like(first[1]):
            return notes._replace(name="", operator=first[1], kind=kind)
        return notes._replace(name=first[1], kind=kind)
    former = _FORMER_TAIL.search(notes.name)
    if former:
        notes = notes._replace(name=notes.name[: former.start()], former=(*notes.former, former[1]))
    status = _STATUS_TAIL.search(notes.name)
    if status and status.start() >= 2:
        notes = notes._replace(name=notes.name[: status.start()], status=status[1] or status[2])
    operator = _OPERATOR_TAIL.search(notes.name)
    if operator and operator.start() >= 2 and is_person_like(operator[1]):
        notes = notes._replace(name=notes.name[: operator.start()], operator=operator[1])
    for word in ("个体工商户", "个体户"):
        if notes.name.endswith(word) and len(notes.name) > len(word) + 1:
            return notes._replace(name=notes.name[: -len(word)], kind="individual_business")
    return notes
