"""Repair of raw cells: what transport does to text, undone before a field type reads it.

In: one cell of any field. Out: the text its source meant: entities, tags and escapes resolved, bytes that were read in
the wrong encoding read again, invisible characters and surrounding quotes dropped; `None` for the words with which
databases and spreadsheets say that there is no value, and for text without a letter or digit.

Nothing is guessed: bytes are read again only where all of them make sense in the other encoding and the text gets
shorter. A lost character stays as U+FFFD in a short text beside Chinese characters (a name: without it, it would be
another one) and is dropped elsewhere.

Sources: HTML named characters and the windows-1252, GBK and UTF-8 code pages as in Python; general knowledge of
exports. Compatibility forms and traditional characters are the field types' affair.

Invariant: repairing twice changes nothing more; ordinary text comes back as it is.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote_to_bytes

_LONGEST = 20_000
_NAME_LENGTH = 6
_WORDS = (
    "null", "none", "nil", "nan", "nat", "na", "n/a", "n.a.", "undefined", "dbnull", "(null)", "[null]", "<null>",
    "{null}", "(none)", "<none>", "(blank)", "<nan>", "<na>", "(空)", "（空）", "(空白)", "（空白）", "空值", "\\n",
    "#n/a", "#na", "#ref!", "#name?", "#value!", "#div/0!", "#num!", "#null!", "#null", "#spill!", "#calc!",
)  # fmt: skip
_NULLS = frozenset(_WORDS)
_NULL_FORMS = frozenset(form for word in _WORDS for form in (word, word.upper(), word.title())) | {"", "NaN", "NaT"}

# The characters of GB 2312 but those of 锟斤拷, 烫烫烫 and 屯屯屯 stand in nearly every clean cell.
_GB2312 = "".join(
    bytes((high, low)).decode("gb2312", errors="ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)
)
_EVERYDAY = re.sub("[拷烫屯]", "", _GB2312)
_is_ordinary = re.compile(
    rf"[0-9A-Za-z{_EVERYDAY}][0-9A-Za-z{_EVERYDAY} ()*+,\-./:;_|~#'?×、。·，：；（）－＊—　０-９Ａ-Ｚａ-ｚ]*"
).fullmatch

_ESCAPE = re.compile(
    r"(?:(?:\\\\?|%)u[0-9A-Fa-f]{4})+|(?:\\x[0-9A-Fa-f]{2}){2,}|(?:%[0-9A-Fa-f]{2}){2,}|\\[nrt](?![A-Za-z\\])|\\+(?=[\"'])"
)
_CODE = re.compile("u([0-9A-Fa-f]{4})")
_AMPERSANDS = re.compile("&(?:amp;)+", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|(?:nbsp|lt|gt|quot)\b;?|[A-Za-z][A-Za-z0-9]{1,30};)")
_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[|\]\]>|</?(?:a|b|big|body|br|center|code|dd|div|dl|dt|em|font|form|h[1-6]|head|hr|html|i|img|"
    r"input|label|li|link|meta|nobr|o:p|ol|option|p|pre|s|script|select|small|span|strike|strong|style|sub|sup|table|"
    r"tbody|td|textarea|th|thead|title|tr|u|ul|w:\w+|xml)(?:\s[^<>]*)?\s*/?>",
    re.IGNORECASE,
)
# What windows-1252 shows for the bytes 80 to 9F; the five it leaves open, and Latin-1 throughout, show controls.
_CP1252 = {
    bytes((code,)).decode("cp1252"): code for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_FOLLOWING = "\x80-\xbf" + "".join(_CP1252)
_UTF8_AS_LATIN = re.compile(
    rf"(?:[\xc2-\xc5][{_FOLLOWING}]|[\xe2-\xe9\xef][{_FOLLOWING}][{_FOLLOWING} ])+(?:[\xe2-\xe9\xef][{_FOLLOWING}]?$)?"
)
_GBK_AS_LATIN = re.compile("(?:[\xb0-\xf7][\xa1-\xfe]){2,}")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\u3000-\u303f\uff00-\uffef\u2010-\u2026·\ufffd]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")

_BREAK = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
# Two U+FFFD written as UTF-8 and read as GBK are 锟斤拷; memory never written to reads 烫 or 屯.
_LOST = re.compile(r"(?:锟?斤拷)+(?:锟斤?)?|\?*\ufffd[\ufffd?]*")
_UNWRITTEN = re.compile("烫{3,}|屯{3,}")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("`", "`"), ("`", "'"), ("「", "」"), ("『", "』"))


def repair(text: str | None) -> str | None:
    """Return what a cell meant to hold, or None if it holds no value.

    >>> repair("&#24352;&#20255;<br/>"), repair("å¼\\xa0ä¼\\x9f"), repair('="440301"'), repair("#N/A")
    ('张伟 ', '张伟', '440301', None)
    """
    if text is None or text in _NULL_FORMS:
        return None
    if _is_ordinary(text):
        return text
    text = text[:_LONGEST]
    while (shorter := _pass(text)) != text:
        text = shorter
    bare = text.strip()
    return text if any(map(str.isalnum, bare)) and bare.lower() not in _NULLS else _marks(bare)


def _marks(bare: str) -> str | None:
    """Return text without a letter if private-use characters, which only their source can print, are in it."""
    return bare if any("\ue000" <= character <= "\uf8ff" for character in bare) else None


def _pass(text: str) -> str:
    if "\\" in text or "%" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), _AMPERSANDS.sub("&", text))
    if "<" in text or "]]>" in text:
        text = _TAG.sub(" ", text)
    if not text.isascii():
        text = _GBK_AS_LATIN.sub(_from_gbk, _UTF8_AS_LATIN.sub(_from_utf8, text))
        text = _LOST.sub("\ufffd", _UNWRITTEN.sub("", _utf8_from_gbk(text)))
    text = _INVISIBLE.sub("", _BREAK.sub(" ", text))
    if "\ufffd" in text and not (len(text) - text.count("\ufffd") <= _NAME_LENGTH and _HAN.search(text)):
        text = text.replace("\ufffd", "")
    return _unquoted(text)


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[-1] == "\\":
        return ""
    if escape in ("\\n", "\\r", "\\t"):
        return " "
    codes = _CODE.findall(escape)
    try:
        if codes:
            return bytes.fromhex("".join(codes)).decode("utf-16-be")
        return unquote_to_bytes(escape.replace("\\x", "%")).decode()
    except UnicodeDecodeError:
        return escape


def _from_utf8(found: re.Match[str]) -> str:
    """Return UTF-8 that was read as Latin-1 or windows-1252; a character cut off at the end as lost."""
    run = found[0]
    codes = bytes(0xA0 if c == " " else _CP1252.get(c, ord(c) & 0xFF) for c in run)
    read = codes.decode("utf-8", errors="replace")
    if not all(_CHINESE.fullmatch(c) or (c < "\u0180" and (c.isalpha() or c in "\xa0·")) for c in read):
        return run
    return read if "\ufffd" not in read[:-1] and read != "\ufffd" else run


def _from_gbk(found: re.Match[str]) -> str:
    """Return GB 2312 that was read as Latin-1; no Latin spelling has four such letters in a row."""
    try:
        return found[0].encode("latin-1").decode("gb2312")
    except UnicodeDecodeError:
        return found[0]


def _utf8_from_gbk(text: str) -> str:
    """Return UTF-8 that was read as GBK. Its sign are characters beyond GB 2312 where it gives characters within."""
    whole = text.rstrip("?\ufffd")
    if not _HAN.search(whole) or _fits(whole, "gb2312"):
        return text
    try:
        codes = b"".join(b"\x80" if c == "€" else c.encode("gbk") for c in whole)
        read = codes.decode("utf-8")
    except UnicodeDecodeError as error:
        if text == whole or error.reason != "unexpected end of data":
            return text
        read = codes[: error.start].decode("utf-8") + "\ufffd"
    except UnicodeEncodeError:
        return text
    han = len(_HAN.findall(read))
    kept = read.replace("\ufffd", "")
    return read if han >= 2 and 2 * han > len(kept) and len(read) < len(text) and _fits(kept, "gb2312") else text


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _unquoted(text: str) -> str:
    bare = text.strip()
    if bare[:2] == '="' and bare[-1] == '"' and len(bare) > 3:
        bare = bare[1:]
    for opening, closing in _QUOTES:
        if len(bare) > 2 and bare[0] == opening and bare[-1] == closing and opening not in bare[1:-1].strip(opening):
            return bare[1:-1]
    # A spreadsheet's sign for text, and the half of a quoted cell that was cut at a separator.
    if bare[:1] == "'" and bare.count("'") == 1 and len(bare) > 1:
        return bare[1:]
    if bare.count('"') == 1 and (bare[0] == '"' or bare[-1] == '"'):
        return bare.strip('"')
    return text
