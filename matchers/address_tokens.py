"""The words that carry the structure of an address, and the expression that finds them.

`TOKEN` finds, left to right, a label (number or letter) with the word that says what it counts, or a word that ends a
name. The name of the group that matched tells which: `label` or `unit`, `wing`, `road`, `village`, `town`, `estate`,
`plant`, `note`. `UNITS` maps the word after a label to what the label is.
"""

from __future__ import annotations

import re

_HAN_ORDINAL = "东西南北中前后内外新老一二三四五六七八九十"
# A word of an estate is no end of a name if a road is called after it (花园路); a road only if it goes on (新华街南路).
_NOT_ON = rf"(?![{_HAN_ORDINAL}]?(?:路|街(?!道)|大道|道\d|巷))"
_NO_ROAD = rf"(?![{_HAN_ORDINAL}]{{0,3}}(?:路|街(?!道)|大道|道\d|巷))"
UNITS = {
    "号楼": "building",
    "号厂房": "building",
    "号宿舍": "dormitory",
    "号仓库": "building",
    "栋": "building",
    "幢": "building",
    "座": "building",
    "#楼": "building",
    "#": "building",
    "号": "number",
    "号院": "number",
    "院": "number",
    "楼": "floor",
    "层": "floor",
    "F": "floor",
    "室": "room",
    "房间": "room",
    "房": "room",
    "户": "room",
    "铺": "room",
    "商铺": "room",
    "档": "room",
    "单元": "unit",
    "梯": "unit",
    "门": "unit",
    "支弄": "lane",
    "弄": "lane",
    "横巷": "lane",
    "巷": "lane",
    "排": "lane",
    "组": "lane",
    "组团": "note",
    "小组": "lane",
    "村民小组": "lane",
    "队": "lane",
    "社": "lane",
    "号路": "road",
    "国道": "road",
    "省道": "road",
    "县道": "road",
    "乡道": "road",
    "街坊": "area",
    "坊": "area",
    "期": "area",
    "区": "area",
    "生活区": "area",
    "工业园区": "estate",
    "工业区": "estate",
    "工业园": "estate",
    "科技园": "estate",
    "米": "note",
    "公里": "note",
    "号线": "note",
    "号门": "note",
    "号店": "note",
    "号桥": "note",
    "号口": "note",
    "号出口": "note",
    "号地": "note",
    "年": "note",
    "元": "note",
    "路": "note",
}
# 坊 as in `address_numbers`: three 坊 may be the head of a name.
_UNIT_ENDS = {"坊": r"(?=[\dA-Z]|$)"}
_UNIT_WORDS = "|".join(re.escape(unit) + _UNIT_ENDS.get(unit, "") for unit in sorted(UNITS, key=lambda u: (-len(u), u)))
_ESTATE_WORDS = (
    "工业园区|工业园|工业区|工业城|科技园区|科技园|科技城|科技大厦|产业园区|产业园|创业园|创意园|软件园|物流园|物流中心|园区|小区|花园|"
    "花苑|大厦|大楼|商厦|公寓|广场|新村|家园|嘉园|佳园|雅苑|名苑|雅园|名园|华庭|豪庭|华府|山庄|别墅|公馆|购物中心|中心|商城|市场|"
    "商场|家属院|宿舍楼|综合楼|办公楼|写字楼|商务楼|商住楼|教学楼|科研楼|研发楼|主楼|附楼|裙楼"
)
# Every token starts with one of these; looking ahead for them first spares most positions.
_FIRST = "".join(
    sorted(
        {w[0] for w in _ESTATE_WORDS.split("|")}
        | set("以东西南北中大公马胡路街巷里道社村居行办厂宿约交附对斜隔旁往方底门一有分自内")
    )
)
TOKEN = re.compile(
    rf"(?=[A-Z\d{_FIRST}])(?:"
    r"(?P<label>(?<![A-Z])[A-Z]{1,2}-?\d{0,5}(?:-\d+)*(?![A-Z\d])|\d+(?:-\d+|-?[A-EG-Z](?![A-Z]))*)(?:、[A-Z]?\d+)*"
    rf"(?P<unit>{_UNIT_WORDS})?"
    r"|(?P<wing>[东南西北中](?:座|栋|幢|楼(?=\d|$)))"
    rf"|(?P<road>(?:大道|大街|公路|马路|胡同|路(?![口桥灯政由局边旁虎易])|街(?![道坊区口头])|巷(?!口)|里弄|道(?=\d)){_NOT_ON})"
    r"|(?P<village>(?:社区居民委员会|社区居委会|社区|村民委员会|村委会|居委会|(?<!新)村(?![民镇口]))" + _NO_ROAD + ")"
    rf"|(?P<town>街道办事处|街道办|街道|办事处)"
    rf"|(?P<estate>(?:{_ESTATE_WORDS}|里(?=\d)){_NO_ROAD}(?!区|站|村))"
    r"|(?P<plant>厂房|宿舍)"
    r"|(?P<note>(?:以[东西南北]|[东西南北]{1,2}侧(?!\d*米)|[东西南北]{1,2}侧?约?\d+米(?=左右)?|交叉路?口|交汇处|交界处|交口|路口|附近|对面|斜对面|隔壁|旁边?|往[东西南北]|方向|中段|"
    r"[东西南北]段|路段|底商|门面|一带|有限责任公司|有限公司|分公司|公司|自编|内设)))"
)
