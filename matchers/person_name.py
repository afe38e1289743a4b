"""Names of natural persons: Chinese, of other peoples in Chinese characters, in pinyin, foreign, masked.

In: one cell as a department wrote it. Out: `PersonName`: a folded key, its compatibility fold, surname and given name,
pinyin with the wrong readings other systems store, a fuzzy reading to block on, the pattern of a masked name.

Sources: naming rules and practice as in the tables of `reference/`; 民委发〔2016〕33号 for the separator of names of
other peoples; the steps of cleaning are in `matchers.name_text`, of Latin names in `matchers.name_latin`.

Invariant: standardising a key gives the key again; a name that is masked or lost a character has a pattern and no key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from matchers import name_mask, surname
from matchers.characters import canon, fold, is_private, reference_rows
from matchers.name_latin import LatinName, latin_name
from matchers.name_notes import is_whole
from matchers.name_text import Cleaned, Script, clean, script, segments, several
from matchers.person_name_levels import (
    COMPATIBLE_LEVELS,
    SIBLING_LEVELS,
    lengths_differ,
    levels,
    one_whole_name,
    related,
)
from matchers.pinyin import fuzzy, fuzzy_spell, spell, spellings, split_syllables

__all__ = [
    "COMPATIBLE_LEVELS",
    "SIBLING_LEVELS",
    "FormerNames",
    "PersonName",
    "former_names",
    "lengths_differ",
    "levels",
    "mask",
    "one_whole_name",
    "related",
    "standardise",
    "standardise_former",
]

_PLAIN = re.compile(r"[\u4e00-\u9fa5]{2,4}")
_MAX_READINGS = 6
_SURNAMELESS_SYLLABLES = 4
_HAN_SCRIPT = Script.HAN.value
_SPELLINGS: dict[str, str] = dict(reference_rows("person_spellings.tsv"))
_RESPELLED = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)))
_FORMER_SPLIT = re.compile(r"[;；、|/\n]|[,，](?![ A-Za-z])")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A standardised name; the empty value has every attribute missing.

    Attributes:
        text: cleaned form for display, titles and notes removed, characters as written.
        key: folded form, no separators (single spaces between Latin words); `None` if masked.
        canon: the key with stand-in characters, surname variants and respelled syllables folded; order-free for Latin
            names and separated names.
        surname: folded surname as written; `None` where a name has none that can be seen.
        given: folded rest of the name.
        surnames: class heads of all surnames the name may be filed under; for a romanised name the Chinese surnames
            it may stand for.
        pinyin: toneless reading, one space between surname and given name.
        surname_pinyin: reading of the surname.
        given_pinyin: reading of the given name, joined.
        readings: all accepted readings of the whole name, likeliest first, at most six.
        fuzzy: the reading with confusable initials and finals merged; a blocking key.
        script: han, latin, mixed or other.
        pattern: the masked name, `*` for what is hidden or lost; `None` if nothing is.
        hidden: whether so much is hidden or lost that the name has no key; `None` if not.
        tokens: sorted words of a Latin name, or sorted segments of a separated name; `None` for plain Chinese names.
        length: number of Chinese characters of the key; `None` for other scripts.
    """

    text: str | None = None
    key: str | None = None
    canon: str | None = None
    surname: str | None = None
    given: str | None = None
    surnames: tuple[str, ...] = ()
    pinyin: str | None = None
    surname_pinyin: str | None = None
    given_pinyin: str | None = None
    readings: tuple[str, ...] = ()
    fuzzy: str | None = None
    script: str | None = None
    pattern: str | None = None
    hidden: bool | None = None
    tokens: str | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class FormerNames:
    """Keys of the names a person had before, in the order given."""

    keys: tuple[str, ...] = ()


NOBODY = PersonName()


def standardise(text: str | None) -> PersonName:
    """Return the standardised name of one cell.

    >>> standardise("曾　伟 先生").pinyin, standardise("Wei ZENG").pinyin, standardise("张某").pattern
    ('zeng wei', 'zeng wei', '张*')
    """
    if text is None:
        return NOBODY
    cleaned = clean(text)
    if cleaned is None:
        return NOBODY
    folded = fold(cleaned.text)
    if name_mask.is_masked(folded):
        return _masked(cleaned, folded)
    if _PLAIN.fullmatch(folded):
        return (
            _surname_only(cleaned, folded) if cleaned.titled and folded in surname.COMPOUND else _han(cleaned, folded)
        )
    kind = script(folded)
    if kind is Script.HAN:
        return _han_parts(cleaned, folded)
    if kind is Script.LATIN:
        return _latin(cleaned, latin_name(cleaned.text))
    return _mixed(cleaned, folded) if kind is Script.MIXED else _other(cleaned, folded)


def standardise_former(text: str | None) -> FormerNames:
    """Return the keys of a list of former names.

    >>> standardise_former("陳大文；张 三")
    FormerNames(keys=('陈大文', '张三'))
    """
    keys = (standardise(part).key for part in former_names(text))
    return FormerNames(tuple(dict.fromkeys(key for key in keys if key is not None)))


def former_names(text: str | None) -> tuple[str, ...]:
    """Return the names of a list as written (split at semicolons, enumeration commas, slashes and bars)."""
    if text is None or len(text) > 500:
        return ()
    return tuple(part.strip() for part in _FORMER_SPLIT.split(text) if part.strip())


def mask(value: str) -> str:
    """Return the name with only its surname (or the first letter of each Latin word) shown.

    >>> mask("欧阳明明"), mask("John Smith")
    ('欧阳**', 'J*** S****')
    """
    name = standardise(value)
    if name.text is None:
        return "*" if value else ""
    if name.key is None:
        return name.pattern or "*"
    if name.script == Script.HAN and name.surname is not None and name.given is not None:
        return name.surname + "*" * len(name.given)
    parts = re.split(r"([\s·,-]+)", name.text)
    return "".join(part if i % 2 else part[:1] + "*" * (len(part) - 1) for i, part in enumerate(parts))


def _han(cleaned: Cleaned, name: str) -> PersonName:
    parts = surname.split(name)
    if parts is None:
        return _unsplit(cleaned, name, (name,))
    family, given = parts
    head, families, family_fuzzy = _family(family)
    given_canon, givens, given_fuzzy = _given(given)
    joint = len(name) == 4 and len(family) == 1
    pinyin = f"{families[0]} {givens[0]}"
    return PersonName(
        text=cleaned.text,
        key=name,
        canon=head + given_canon,
        surname=family,
        given=given,
        surnames=surname.alternatives(name, family) if joint else (head,),
        pinyin=pinyin,
        surname_pinyin=families[0],
        given_pinyin=givens[0],
        readings=(pinyin,) if len(families) == len(givens) == 1 and not joint else _readings(name, families, givens),
        fuzzy=f"{family_fuzzy} {given_fuzzy}",
        script=_HAN_SCRIPT,
        pattern=_wildcards(name),
        length=len(name),
    )


@lru_cache(maxsize=8192)
def _family(family: str) -> tuple[str, tuple[str, ...], str]:
    """Return what a surname gives every name: the head of its class, its readings, its fuzzy reading."""
    return surname.variant(family), surname.readings(family), surname.fuzzy_reading(family)


@lru_cache(maxsize=65536)
def _given(given: str) -> tuple[str, tuple[str, ...], str]:
    """Return what a given name gives every name: its compatibility form, its readings, its fuzzy reading."""
    return canon(given), spellings(given), fuzzy_spell(given)


def _readings(name: str, families: tuple[str, ...], givens: tuple[str, ...]) -> tuple[str, ...]:
    ranked = sorted((i + j, i, j) for i in range(len(families)) for j in range(len(givens)))
    found = [f"{families[i]} {givens[j]}" for _, i, j in ranked]
    if len(name) == 4 and name[:2] not in surname.COMPOUND and name[1] in surname.SINGLE:
        found.insert(1, f"{families[0]}{surname.readings(name[1])[0]} {spell(name[2:])}")
    return tuple(dict.fromkeys(found))[:_MAX_READINGS]


def _han_parts(cleaned: Cleaned, folded: str) -> PersonName:
    people = several(folded)
    if people:
        # One cell for several people equals only itself.
        key = "、".join(people)
        return PersonName(text=cleaned.text, key=key, canon=key, script=Script.HAN.value)
    parts = segments(folded)
    name = "".join(parts)
    if len(parts) == 1:
        return _surname_only(cleaned, name) if len(name) == 1 else _han(cleaned, name)
    return _unsplit(cleaned, name, parts) if parts else NOBODY


def _unsplit(cleaned: Cleaned, name: str, parts: tuple[str, ...]) -> PersonName:
    """Return a name without a visible surname; its parts, if separated, count in any order."""
    respelled = sorted(canon(_RESPELLED.sub(lambda found: _SPELLINGS[found[0]], part)) for part in parts)
    read = spell(name)
    return PersonName(
        text=cleaned.text,
        key=name,
        canon="".join(respelled),
        pinyin=read,
        readings=(read,),
        fuzzy=fuzzy_spell(name),
        script=Script.HAN.value,
        pattern=_wildcards(name),
        tokens="·".join(respelled) if len(parts) > 1 else None,
        length=len(name),
    )


def _surname_only(cleaned: Cleaned, family: str) -> PersonName:
    return _masked(cleaned, f"{family}*")


def _masked(cleaned: Cleaned, folded: str) -> PersonName:
    pattern = name_mask.pattern("".join(segments(folded, keep_marks=True))).upper()
    shown = re.split("[*\ufffd]", pattern)[0]
    if not pattern.strip(name_mask.HIDING):
        return NOBODY
    family = next((s for s in (shown[:4], shown[:2]) if s in surname.COMPOUND), shown[:1])
    if not family or family.isascii():
        return PersonName(text=cleaned.text, script=script(folded).value, pattern=pattern, hidden=True)
    return PersonName(
        text=cleaned.text,
        surname=family,
        surnames=(surname.variant(family),),
        surname_pinyin=surname.readings(family)[0],
        script=Script.HAN.value,
        pattern=pattern,
        hidden=True,
    )


def _latin(cleaned: Cleaned, name: LatinName | None) -> PersonName:
    if name is None:
        return NOBODY
    readings = tuple(f"{family} {given}" for family, given in name.pinyin)[: _MAX_READINGS - 1] + _unbroken(name)
    family_pinyin, given_pinyin = name.pinyin[0] if name.pinyin else (None, None)
    tokens = " ".join(sorted(name.words))
    return PersonName(
        text=cleaned.text,
        key=" ".join(name.words),
        canon=tokens,
        surname=name.surname,
        given=name.given,
        surnames=name.surnames,
        pinyin=readings[0] if name.pinyin else None,
        surname_pinyin=family_pinyin,
        given_pinyin=given_pinyin,
        readings=readings,
        fuzzy=" ".join(map(_fuzzy_letters, name.pinyin[0])) if name.pinyin else None,
        script=Script.LATIN.value,
        tokens=tokens,
    )


def _unbroken(name: LatinName) -> tuple[str, ...]:
    """Return the reading of four syllables and more as that of a name without a surname (ZHAXI CIREN)."""
    parts = [split_syllables(word.lower())[:1] for word in name.words]
    if not all(parts) or sum(len(part[0]) for part in parts) < _SURNAMELESS_SYLLABLES:
        return ()
    return ("".join(name.words).lower(),)


def _mixed(cleaned: Cleaned, folded: str) -> PersonName:
    """Return a name one character of which was typed in pinyin (张YAN), else the key alone."""
    name = "".join(segments(folded)).upper()
    found = re.fullmatch(r"([^\x00-\x7f]+)([A-Z]+)", name)
    if found is not None and len(found[2]) > 1 and is_whole(found[1]) and not split_syllables(found[2].lower()):
        return _han(cleaned, found[1])
    bare = PersonName(text=cleaned.text, key=name, canon=name, script=Script.MIXED.value)
    if found is None or len(found[1]) > 3:
        return bare
    han, letters = found[1], found[2].lower()
    size = 2 if han[:2] in surname.COMPOUND else 1
    family, given = han[:size], han[size:]
    if len(letters) == 1:
        return _masked(cleaned, f"{han}*")
    if not split_syllables(letters):
        return bare
    family_pinyin, given_pinyin = surname.readings(family)[0], spell(given) + letters
    return PersonName(
        text=cleaned.text,
        key=name,
        canon=surname.variant(family) + name[size:],
        surname=family,
        given=name[size:],
        surnames=(surname.variant(family),),
        pinyin=f"{family_pinyin} {given_pinyin}",
        surname_pinyin=family_pinyin,
        given_pinyin=given_pinyin,
        readings=tuple(f"{read} {given_pinyin}" for read in surname.readings(family)),
        fuzzy=f"{surname.fuzzy_reading(family)} {fuzzy_spell(given)}{_fuzzy_letters(letters)}",
        script=Script.MIXED.value,
    )


def _fuzzy_letters(letters: str) -> str:
    return "".join(map(fuzzy, split_syllables(letters)[0]))


def _other(cleaned: Cleaned, folded: str) -> PersonName:
    words = re.findall(r"[^\W\d_]+", folded.upper())
    if not words:
        return NOBODY
    tokens = " ".join(sorted(words))
    return PersonName(text=cleaned.text, key=" ".join(words), canon=tokens, script=Script.OTHER.value, tokens=tokens)


def _wildcards(name: str) -> str | None:
    """Return a pattern for characters only their source can print: they may be any character elsewhere."""
    if name.isascii() or not is_private(name):
        return None
    return "".join("*" if is_private(c) else c for c in name)
