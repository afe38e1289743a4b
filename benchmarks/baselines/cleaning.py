"""How an expert would clean Chinese subject records by hand: numbers, names, company names, addresses, phones, dates.

Written for the baseline `expert` alone, with regular expressions and the public check-digit rules (GB 11643, GB 32100),
independent of the engine's own field types. Each function takes one raw value and returns the cleaned one or None.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from opencc import OpenCC
from pypinyin import lazy_pinyin

_LONGEST = 200
_SIMPLIFIED = OpenCC("t2s")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_PLACEHOLDER = re.compile(r"^(.)\1*$|^(?:0?123456789|12345678).*|^1[3-9]\d0000[01]234$")
_NOTHING = {
    "",
    "无",
    "不详",
    "未知",
    "暂无",
    "/",
    "-",
    "--",
    "NULL",
    "NONE",
    "NAN",
    "N/A",
    "#N/A",
    "\\N",
    "未填写",
    "测试",
}
_TITLE = re.compile(r"(先生|女士|小姐|同志|老板|\([^)]*\)|【[^】]*】)+$")
_REGION = re.compile(
    r"^(?:中国)?(?:广东省?|湖北省?|辽宁省?)?(?:(?:深圳|武汉|大连|广州|东莞|惠州)(?:经济特区|市)?)?"
    r"(?:[一-龥]{2}(?:新?区|县))?(?:[一-龥]{2}(?:街道|镇))?"
)
_BRACKET_REGION = re.compile(r"\((?:深圳|武汉|大连|广东|广州|中国|东莞|惠州)[^)]*\)")
_NOTE = re.compile(
    r"\((?:已?注销|吊销|停业|迁出|歇业|营业中|清算|原|曾用名|个体工商户|个人独资|普通合伙|有限合伙)[^)]*\)"
)
_FORM = re.compile(
    r"(?:集团)?(?:股份有限公司|有限责任公司|有限公司|股份合作公司|股份公司|集团公司|总公司|公司|合伙企业|专业合作社)$|集团$"
)
_BRANCH = re.compile(
    r"(?:公司|厂|店|行|院|企业)((?:[一-龥]{0,6}|第.{1,2})(?:分公司|分店|分厂|支行|营业部|门市部|办事处))$"
)
_NUMERAL = str.maketrans("一二三四五六七八九", "123456789")
_STREETS = (
    "新安|西乡|航城|福永|福海|沙井|新桥|松岗|燕罗|石岩|龙华|观湖|民治|大浪|福城|观澜|光明|公明|新湖|凤凰|玉塘|马田|粤海|南头|桃源|"
    "福田|沙头|黄贝|布吉|坂田"
)
_ADMIN = re.compile(
    r"^(?:中国)?(?:广东省?)?(?:深圳市?)?(?:[一-龥]{2}区)?"
    rf"(?:[一-龥]{{2,3}}(?:街道办事处|街道|镇)|(?:{_STREETS})(?=[一-龥]{{2,}}[路村社大道]))?(?:[一-龥]{{2,6}}?社区(?:居委会)?)?"
)
_BUILDING = re.compile(r".*?\d+(?:-\d+)?号(?:[一-龥]*(?:\d期)?[A-Z0-9]+栋)?|.*?[A-Z0-9]+栋")


def text(value: str | None) -> str | None:
    """Return the value in half-width characters without blanks, cut at a sane length; None if it says nothing."""
    if value is None:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKC", value[:_LONGEST]) if c.isprintable() and not c.isspace())
    return None if plain.upper() in _NOTHING else plain


def resident_id(value: str | None) -> str | None:
    """Return a valid 18-character resident number (15 digits are extended); None otherwise."""
    plain = (text(value) or "").upper()
    if re.fullmatch(r"\d{15}", plain):
        body = plain[:6] + "19" + plain[6:]
        plain = body + _ID_CHECKS[sum(int(d) * w for d, w in zip(body, _ID_WEIGHTS, strict=True)) % 11]
    if not re.fullmatch(r"\d{17}[\dX]", plain) or iso_day(plain[6:14]) is None:
        return None
    check = _ID_CHECKS[sum(int(d) * w for d, w in zip(plain[:17], _ID_WEIGHTS, strict=True)) % 11]
    return plain if check == plain[17] else None


def other_document(value: str | None) -> str | None:
    """Return another document's number as written, if it is no placeholder and nothing in it is hidden."""
    plain = (text(value) or "").upper()
    found = re.fullmatch(r"(?=.*\d)[A-Z0-9()-]{7,18}", plain)
    return plain if found and not _PLACEHOLDER.match(plain) and not plain.isdigit() else None


def visible_tail(value: str | None) -> str | None:
    """Return the last four characters of a personal number, if they are shown."""
    found = re.search(r"(\d{3}[\dX])$", (text(value) or "").upper())
    return found[1] if found and found[1] not in ("5678", "1234", "0000") else None


def visible_head(value: str | None) -> str | None:
    """Return the first six digits (the region) of a personal number, if they are shown."""
    found = re.match(r"(\d{6})", text(value) or "")
    return found[1] if found and not _PLACEHOLDER.match(found[1]) else None


def credit_code(value: str | None) -> str | None:
    """Return a valid unified social credit code; None otherwise."""
    plain = (text(value) or "").upper().replace("-", "")
    plain = plain.translate(str.maketrans("IOSZV", "10520")) if len(plain) == 18 else plain
    if len(plain) != 18 or any(c not in _CODE_SIGNS for c in plain) or plain[0] not in "1235789AEGNY":
        return None
    total = sum(_CODE_SIGNS.index(c) * w for c, w in zip(plain[:17], _CODE_WEIGHTS, strict=True))
    return plain if _CODE_SIGNS[(31 - total % 31) % 31] == plain[17] else None


def organization_code(value: str | None) -> str | None:
    """Return a nine-character organisation code; None otherwise."""
    plain = (text(value) or "").upper().replace("-", "")
    return plain if re.fullmatch(r"[0-9A-Z]{8}[0-9X]", plain) and not _PLACEHOLDER.match(plain) else None


def registration_number(value: str | None) -> str | None:
    """Return a fifteen-digit registration number; None otherwise."""
    plain = text(value) or ""
    return plain if re.fullmatch(r"[1-9]\d{14}", plain) and not _PLACEHOLDER.match(plain) else None


def iso_day(value: str | None) -> str | None:
    """Return a full date as YYYY-MM-DD, whatever its separators; None if it is partial, impossible or a placeholder."""
    digits = re.findall(r"\d+", (text(value) or "").removesuffix("0:00:00"))
    joined = "".join(part.zfill(2) for part in digits)
    if len(joined) != 8 or joined in ("19000101", "19700101", "99991231"):
        return None
    try:
        day = date(int(joined[:4]), int(joined[4:6]), int(joined[6:]))
    except ValueError:
        return None
    return day.isoformat() if 1900 <= day.year <= 2035 else None


def iso_month(value: str | None) -> str | None:
    """Return the year and month of a full or partial date."""
    if (day := iso_day(value)) is not None:
        return day[:7]
    found = re.fullmatch(r"((?:19|20)\d\d)[-/.年]?(0?[1-9]|1[0-2])月?", text(value) or "")
    return f"{found[1]}-{int(found[2]):02d}" if found else None


def year(value: str | None) -> str | None:
    """Return the year of a full or partial date."""
    if (month := iso_month(value)) is not None:
        return month[:4]
    found = re.fullmatch(r"((?:19|20)\d\d)年?", text(value) or "")
    return found[1] if found else None


def sex(value: str | None) -> str | None:
    """Return M or F."""
    first = (text(value) or " ").upper()[:1]
    return {"男": "M", "M": "M", "1": "M", "先": "M", "女": "F", "F": "F", "2": "F"}.get(first)


def phone(value: str | None) -> str | None:
    """Return a mobile number, or a land line with its area code (Shenzhen's if it has none)."""
    digits = re.sub(r"\D", "", re.split(r"[/、;转,]", text(value) or "")[0])
    digits = digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
    digits = "0755" + digits if len(digits) == 8 else digits
    whole = re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}", digits)
    return digits if whole and not _PLACEHOLDER.match(digits) and not digits.endswith("00000000") else None


def person_name(value: str | None) -> str | None:
    """Return a person's name in simplified characters without titles, notes, separators and digits."""
    plain = text(value)
    if plain is None:
        return None
    simple: str = _SIMPLIFIED.convert(_TITLE.sub("", plain)).upper()
    return re.sub(r"[·•・.．\-\d]", "", simple) or None


def whole_name(value: str | None) -> str | None:
    """Return a cleaned person's name of which nothing is hidden."""
    name = person_name(value)
    return None if name is None or re.search(r"[*某?□xX#]", name) else name


def pinyin(value: str | None) -> str | None:
    """Return the toneless reading of a cleaned name."""
    return "".join(lazy_pinyin(value)).upper() if value else None


def company_name(value: str | None) -> str | None:
    """Return a company name in simplified characters without notes and quotes."""
    plain = text(value)
    if plain is None:
        return None
    simple: str = _SIMPLIFIED.convert(plain).upper()
    return _NOTE.sub("", re.sub(r"[“”\"'’‘.,。，、·]", "", simple)) or None


def company_core(value: str | None) -> str | None:
    """Return brand and trade: the name without region, legal form and branch."""
    name = company_name(value)
    if name is None:
        return None
    branch = _BRANCH.search(name)
    name = name[: branch.start(1)] if branch else name
    name = _BRACKET_REGION.sub("", name)
    region = _REGION.match(name)
    rest = name[region.end() :] if region else name
    core = _FORM.sub("", rest.replace("(集团)", ""))
    return core if len(core) >= 2 else name


def branch(value: str | None) -> str | None:
    """Return the words that name a branch."""
    found = _BRANCH.search(company_name(value) or "")
    return found[1].translate(_NUMERAL) if found else None


def address(value: str | None) -> str | None:
    """Return an address from road or village onwards, units written one way."""
    plain = text(value)
    if plain is None:
        return None
    rest = re.sub(r"\([^)]*\)", "", plain)
    rest = _ADMIN.sub("", rest, count=1)
    rest = re.sub(r"号之(.)", lambda m: "-" + m[1].translate(_NUMERAL) + "号", rest)
    rest = re.sub(r"(?<=[0-9A-Z二三四五六七八九十一])(?:座|幢|号楼|#)", "栋", rest)
    rest = re.sub(r"\d+(?:楼|层)(?=\d{3})", "", rest)
    rest = re.sub(r"([一二三四五六七八九])(?=[栋区巷坊期])", lambda m: m[1].translate(_NUMERAL), rest)
    return re.sub(r"[室房]$", "", rest) or None


def building(value: str | None) -> str | None:
    """Return an address up to its building or house number."""
    found = _BUILDING.match(address(value) or "")
    return found[0] if found and len(found[0]) >= 4 else None
