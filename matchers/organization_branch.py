"""What stands behind the name of an organisation: a branch of it, or a note.

Behind the legal form departments write branches (宝安分公司, 第三营业部, 人民路药店), and anything else that found no
column of its own: telephone numbers, codes, the state of the business, advertisements. Only what names a unit is a
branch; the rest is a note and says nothing about which organisation is meant.
"""

from __future__ import annotations

import re
from functools import lru_cache

from matchers.organization_places import Step, read_region
from matchers.organization_text import HAN, digits
from matchers.organization_vocabulary import ending

NUMBER = "零一二三四五六七八九十百〇两"
_BODY = re.compile(rf"[{HAN}]")
_UNIT = re.compile(
    "分公司|支公司|子公司|[分支][店厂行社部所院校馆局站会号](?!面)|分理处|储蓄所|营业[部厅所处]|门市|办事处|代表处|联络[处站]|项目部|经营部|经理部|事业部|服务[部站处]"
    rf"|销售部|[第{NUMBER}\d](?:[店厂部站所队]|公司|工厂)|[分支]司$|工程处|[大中]队|车间|网点|专柜|工会|分公?$|第[{NUMBER}\d]*$"
)
_FACILITY = re.compile(
    rf"[{HAN}A-Z\d][{HAN}\d](?:[店厂部所站处院馆局社场亭厅队楼园吧室库矿会行庄坊铺档摊屋点城舍台栈池苑堂宫汇]|公司|中心|广场|校区|厂区|园区|小区|学校|市场|超市|药房|企业|委员会|大厦|大楼|世界|基地|码头)$"
)
_PLAIN = re.compile(
    r"(?:(?:老|新|旧|原|总|本|该|此|一家|\d{4,})?(?:店|厂|部|行|公司|单位|企业|店铺|门店|商户|店面|总部|本部))+"
)
_PREFIXED = re.compile(rf"第([{NUMBER}]+)")
_COUNTED = re.compile(
    rf"([{NUMBER}]{{1,3}})(?=(?:分公司|分店|分厂|支公司|分部|分社|营业部|营业厅|门市部|经营部|项目部|工程处|加油站|大队|中队|支行|公司|[店厂部队站所处区]))"
)


@lru_cache(maxsize=65536)
def is_branch(text: str, region: str = "") -> bool:
    """Tell whether a text behind an organisation's name says which unit of it is meant.

    Args:
        text: what stands behind the name, cleaned.
        region: code of the innermost place the name itself tells.

    >>> is_branch("宝安分公司"), is_branch("人民路药店"), is_branch("老店"), is_branch("1号店面"), is_branch("转让")
    (True, True, False, False, False)
    """
    if not _BODY.search(text) or _PLAIN.fullmatch(text):
        return False
    if (
        _UNIT.search(text)
        or _FACILITY.search(text)
        or ((end := ending(text)) and (end[1].use == "keep" or end[0] == 0))
    ):
        return True
    # A place other than the name's own is what is left of a branch when the sender's column was too short.
    steps = read_region(text)
    code = _code(steps)
    return bool(code) and not region.startswith(code) and len(text) - steps[-1].end < 4


def _code(steps: tuple[Step, ...]) -> str:
    return next((step.code for step in reversed(steps) if step.code), "")


@lru_cache(maxsize=65536)
def normal_branch(text: str) -> str:
    """Return a branch part in its canonical words: digits for numbers, the innermost place only, no suffixes of places.

    >>> normal_branch("第一分公司"), normal_branch("深圳市宝安区分公司")
    ('1分公司', '宝安分公司')
    """
    text = _PREFIXED.sub(lambda m: digits(m[1]) or m[0], text.replace("第1", "1"))
    text = _COUNTED.sub(lambda m: digits(m[1]) or m[0], text)
    steps = read_region(text)
    if not steps:
        return text
    innermost = max((index for index, step in enumerate(steps) if step.code), default=0)
    return "".join(step.short for step in steps[innermost:]) + text[steps[-1].end :]
