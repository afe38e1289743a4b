"""The text of an address made comparable: one width, one case, no spaces, no notes, simplified characters.

In: raw text. Out: the cleaned text, cut after `LONGEST` characters, and the unified house code if the text carries one.
Notes in brackets (`(入驻某某公司)`, `(原三中旁)`) go before anything else is read: they hold names of other places. A
bracket that holds part of the address itself (`(二期)`, `(A栋)`) is opened instead, and so is one that holds
the whole address.

Source of the house code: 深圳市社会管理要素统一地址规范, 25 digits that start with the city's division code.
"""

from __future__ import annotations

import re
import unicodedata

from matchers.address_english import HAS_ENGLISH, in_chinese_words

LONGEST = 200

_TRADITIONAL = (
    "區號樓棟層鎮鄉縣廣東門園廈國龍華寶灣橋觀瀾開關長興業豐馬鳳聯經濟學醫環單營陽雲衛衞揚楊蘇順義臺場莊後裏裡舊"
)
_SIMPLIFIED = (
    "区号楼栋层镇乡县广东门园厦国龙华宝湾桥观澜开关长兴业丰马凤联经济学医环单营阳云卫卫扬杨苏顺义台场庄后里里旧"
)
_DROP = " \t\r\n\v\f\0　。.!?:;'\"`*|_=^$@&%•·・﹒…<>《》〈〉“”‘’\\"
_TABLE: dict[int, str | None] = {
    **dict(zip(map(ord, _TRADITIONAL), _SIMPLIFIED, strict=True)),
    **{ord(c): None for c in _DROP},
    **{ord(c): "-" for c in "‐‑‒–—―−~～〜→─━"},
    **{ord(c): "、" for c in ",，;；/+"},
    **{ord(c): "(" for c in "（[［【〔{﹙「『"},
    **{ord(c): ")" for c in "）]］】〕}﹚」』"},
    ord("＃"): "#",
    ord("幛"): "幢",
    ord("憧"): "幢",
}
_DIRTY = re.compile(f"[^\u4e00-\u9fff0-9A-Z#()-]|[{_TRADITIONAL}憧幛]")
_UNKNOWN = re.compile(r"[^\u3007\u3400-\u9fff\U00020000-\U0003ffff0-9A-Z#()、-]")
_HOUSE_CODE = re.compile(r"(?<!\d)4403\d{21}(?!\d)")
_NOTE = re.compile(r"\(([^()]*)\)?")
_MAY_BE_GLUED = re.compile(r"[收系快电手T微请]|\d{7}")
_GLUED = re.compile(
    r"(?:[\u4e00-\u9fff]{2,3}收)?(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)|(?<=[号室房栋\d])[\u4e00-\u9fff]{2,4}收(?![费购银藏割])|联系(?:人|电话)|收件人?|"
    r"快递|(?:电话|手机号?码?|TEL|微信号?)(?=\d{5})|请(?:放|勿|致电|先|送|打)"
)
# Said of the place (3号楼旁, 72号近菜市场, 405楼下有超市) after the last thing that is a part of it.
_LANDMARK_ENDS = frozenset("旁边面近壁口下上后前侧")
_LANDMARK = re.compile(
    r"(?<=[\dA-Z号室房栋座幢层#、道镇])(?:(?![^\d]*(?:村|社区|路|街|里)$)(?:[靠临邻]近|近|毗邻|紧邻)[\u4e00-\u9fff]{2,8}|[\u4e00-\u9fff]{0,8}?(?:旁边?|斜?对面|附近|隔壁|"
    r"[后前背]面|门口|路口|路边|侧|楼[下上](?:[^\d、]{0,6})))$"
)
_PART = re.compile(
    r"第?[\d一二三四五六七八九十]{1,3}[期栋幢座区号楼]?|[东西南北中]{1,2}[区苑园期]|[A-Z]\d{0,2}[栋幢座区]?|临|一照多址"
)
_NOTHING = frozenset(
    {"无", "不详", "暂无", "未知", "未填", "空", "NULL", "NONE", "NA", "N-A", "-", "--", "没有", "同上", "无地址"}
)


def clean(value: str | None) -> tuple[str | None, str | None]:
    """Return the cleaned text and the 25-digit house code, each `None` if there is none.

    >>> clean("宝安区 西乡街道固戍一路１２号（入驻某某公司）")
    ('宝安区西乡街道固戍一路12号', None)
    >>> clean("不详")
    (None, None)
    """
    if not value:
        return None, None
    text = value if len(value) <= LONGEST else value[:LONGEST]
    if _DIRTY.search(text):
        text = unicodedata.normalize("NFKC", text).upper()
        if HAS_ENGLISH.search(text):
            text = in_chinese_words(text)
        text = text.translate(_TABLE)
        text = _UNKNOWN.sub("", text)
    code = None
    if "4403" in text and (found := _HOUSE_CODE.search(text)):
        code = found.group()
        text = text.replace(code, "")
    if "(" in text or ")" in text:
        text = without_notes(text)
    text = _without_tail(text).strip("、-#")[:LONGEST]
    return (None if not text or text in _NOTHING else text), code


def _without_tail(text: str) -> str:
    """Return the text without what was glued to its end: who receives it, a telephone number, what stands near by."""
    if _MAY_BE_GLUED.search(text) and (found := _GLUED.search(text)) and found.start():
        text = text[: found.start()]
    if text[-1:] in _LANDMARK_ENDS or "近" in text or "楼下" in text:
        text = _LANDMARK.sub("", text)
    return text


def without_notes(text: str) -> str:
    """Return the text without its bracket notes; brackets that hold part of the address are opened.

    >>> without_notes("万科城(二期)(原三中旁)3栋")
    '万科城二期3栋'
    >>> without_notes("(前进二路8号A座26楼)某某公司")
    '前进二路8号A座26楼某某公司'
    """
    if text.startswith("("):
        text = text[1:].replace(")", "", 1)
    # Innermost first; three rounds open every nesting that occurs, what is left over is dropped.
    for _ in range(3):
        if "(" not in text:
            break
        text = _NOTE.sub(_opened, text)
    return text.replace("(", "").replace(")", "")


def _opened(match: re.Match[str]) -> str:
    return match[1] if _PART.fullmatch(match[1]) and match[1] not in ("临", "一照多址") else ""
