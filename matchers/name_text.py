"""What surrounds a person's name in a cell: titles, notes, labels, separators, fillers.

In: a raw cell. Out: the name alone as it should be displayed, its script, and its segments at the separators that names
of other peoples are written with (any of two dozen dots and dashes for U+00B7).

Source: `reference/person_titles.txt`; 民委发〔2016〕33号 for the separator; the look-alike separators are those seen in
practice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from matchers.characters import HAN, proper
from matchers.name_notes import LAST_OF_WORDS, WORDS, alone, is_relative, is_whole, without_numbers
from matchers.surname import COMPOUND

LONGEST = 200
INTERPUNCTS = "·•‧・･∙⋅●▪᛫﹒．.。․·–—-'’‘`−‐‑"


class Script(StrEnum):
    """The writing a name is in."""

    HAN = "han"
    LATIN = "latin"
    MIXED = "mixed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A name alone, and whether a form of address followed it."""

    text: str
    titled: bool = False


LATIN_TITLES = WORDS["latin"]
_NOBODY = WORDS["nobody"]
_NO_NAME = _NOBODY | WORDS["role"] | WORDS["sign"] | WORDS["kin"] | WORDS["after"]
_LABELS = sorted(WORDS["before"] | WORDS["role"] | WORDS["kin"] | WORDS["after"], key=lambda word: (-len(word), word))
_BEFORE = re.compile(rf"^(?:{'|'.join(_LABELS)})[::\s\-–—/_]+")
# Without 屯 and 烫, which memory never written to looks like.
_PLAIN = re.compile(r"[\u4e00-\u5c6e\u5c70-\u70ea\u70ec-\u9fa5]{2,4}")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BRACKETED = re.compile(r"[(\[{<【〔《「『〈]([^()\[\]{}<>【】〔〕《》「」『』〈〉]*)[)\]}>】〕》」』〉]")
# A telephone or a running number after the name goes too.
_EDGES = "0123456789 \t\n.,;:、,。;:'\"“”‘’`-_/\\|()[]{}<>【】〔〕《》·•"
_HAN = re.compile(f"[{HAN}]")
_HAN_NAME = re.compile(rf"^[{HAN}]{{2,}}(?=[ /]+(?![Xx]+\b)[A-Za-z])|(?<=[A-Za-z][ /])[{HAN}]{{2,}}$")
# U+FFFD with the question marks of a second conversion is one lost character.
_UNWRITTEN = re.compile("烫{2,}|屯{2,}")
_LOST = re.compile(r"\?*\ufffd[\ufffd?]*")
_AND = re.compile("[和与及]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_OTHER = re.compile(r"[^\W\d_]")
_DROPPED = re.compile(rf"[^\w\s·{HAN}]|[\d_]")
_DROPPED_KEEPING_MARKS = re.compile(rf"[^\w\s·{HAN}×✕✖✱⁎∗○◯□■▢▇█△▲?�#*]|_")
_SIGNS = re.compile("[^A-Za-z]")
_LISTED = re.compile("[、;,/|&+]")
_SEPARATORS = str.maketrans(dict.fromkeys(INTERPUNCTS, "·"))


def clean(text: str) -> Cleaned | None:
    """Return the name of a cell without titles, notes and labels, or None if it names nobody.

    >>> clean(" 姓名:王小明（户主）"), clean("王女士"), clean("暂无")
    (Cleaned(text='王小明', titled=False), Cleaned(text='王', titled=True), None)
    """
    if len(text) > LONGEST:
        return None
    if _PLAIN.fullmatch(text):
        if text in _NOBODY:
            return None
        if text[-1] not in LAST_OF_WORDS:
            return Cleaned(text)
    else:
        text = _unwrap(_LOST.sub("\ufffd", proper(_INVISIBLE.sub("", _UNWRITTEN.sub("", text)))))
        if not text or text in _NO_NAME or (text.isascii() and _SIGNS.sub("", text).upper() in _NOBODY):
            return None
    named = alone(text)
    return Cleaned(named[0], titled=named[1]) if named is not None and named[0] else None


def script(text: str) -> Script:
    """Return the script of a folded name."""
    if text.isascii():
        return Script.LATIN if _LATIN.search(text) else Script.OTHER
    han = _HAN.search(text) is not None
    latin = _LATIN.search(text) is not None
    if any(not (_HAN.match(c) or _LATIN.match(c)) for c in _OTHER.findall(text)) or not (han or latin):
        return Script.OTHER
    return Script.MIXED if han and latin else Script.HAN if han else Script.LATIN


def segments(text: str, *, keep_marks: bool = False) -> tuple[str, ...]:
    """Return the segments of a folded name in Chinese characters; one segment if it is not separated.

    A space or a dot beside a single character, or after a compound surname, only spaces the name out.

    >>> segments("买买提•吐尔逊"), segments("张 小明"), segments("诸葛 孔明")
    (('买买提', '吐尔逊'), ('张小明',), ('诸葛孔明',))
    """
    dropped = _DROPPED_KEEPING_MARKS if keep_marks else _DROPPED
    text = dropped.sub("", text.translate(_SEPARATORS))
    parts = tuple(re.findall(r"[^\s·]+", text))
    if len(parts) > 1 and (any(len(part) == 1 for part in parts) or parts[0] in COMPOUND):
        return ("".join(parts),)
    return parts


def several(text: str) -> tuple[str, ...]:
    """Return the names of a folded cell that lists several people in Chinese characters; () if it does not.

    >>> several("张三、李四"), several("张三,")
    (('张三', '李四'), ())
    """
    parts = tuple(part for part in (_DROPPED.sub("", part) for part in _LISTED.split(text)) if part)
    if len(parts) == 1 and len(text) > 4:
        joined = tuple(_AND.split(text))
        return joined if len(joined) > 1 and all(map(is_whole, joined)) else ()
    return parts if len(parts) > 1 and all(len(part) > 1 for part in parts) else ()


def _unwrap(text: str) -> str:
    """Return the text without numbers, brackets and their notes, labels and stray punctuation; "" if a relative's."""
    text = without_numbers(" ".join(text.split()))
    notes = _BRACKETED.findall(text)
    outside = _BRACKETED.sub("", text)
    if any(note.startswith(("之", "的")) and is_relative(f"某人{note}") for note in notes):
        return ""
    if not _HAN.search(outside):
        inside = next((note for note in notes if len(_HAN.findall(note)) >= 2 and note not in _NO_NAME), None)
        if inside is not None or not outside.strip(_EDGES):
            outside = inside or "".join(notes[:1])
    outside = _BEFORE.sub("", outside.strip(_EDGES)).strip(_EDGES)
    both = _HAN_NAME.search(outside)
    return both[0] if both else outside
