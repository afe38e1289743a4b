"""Surnames: where one ends, how it is read, written and confused.

In: a folded Chinese name, or Latin words. Out: the split into surname and given name, readings, the form that written
variants share, and the Chinese surnames behind a romanised one.

Sources: `reference/surname_*` and `reference/romanisation_surnames.tsv`, each with its own source and licence.
"""

from __future__ import annotations

from functools import cache, lru_cache

from matchers.characters import canon, look_alike, reference_rows
from matchers.pinyin import fuzzy, reading

SINGLE: frozenset[str] = frozenset("".join(row[0] for row in reference_rows("surname_single.txt")))
COMPOUND: frozenset[str] = frozenset(s for row in reference_rows("surname_compound.txt") for s in row[0].split())
_TIBETAN: frozenset[str] = frozenset(s for row in reference_rows("person_tibetan.txt") for s in row[0].split())
_LONGEST = (4, 2)


def split(name: str) -> tuple[str, str] | None:
    """Return surname and given name of a folded Chinese name, or None if it has no surname to be seen.

    >>> split("欧阳修"), split("王小明"), split("扎西次仁")
    (('欧阳', '修'), ('王', '小明'), None)
    """
    length = len(name)
    if length == 2:
        return name[0], name[1]
    for size in _LONGEST:
        if size < length <= size + 3 and name[:size] in COMPOUND:
            return name[:size], name[size:]
    if length == 3:
        return name[0], name[1:]
    if length == 4 and name[0] in SINGLE and not (name[:2] in _TIBETAN and name[2:] in _TIBETAN):
        return name[0], name[1:]
    return None


def alternatives(name: str, surname: str) -> tuple[str, ...]:
    """Return the surnames a name may be filed under, in the form written variants share, likeliest first.

    A four-character name may join both parents' surnames or carry a husband's before one's own, and it may begin with
    a compound surname whose second character was misheard.

    >>> alternatives("陈方安生", "陈"), alternatives("萧红", "萧"), alternatives("欧扬翠琼", "欧")
    (('陈', '陈方', '方'), ('肖',), ('欧', '欧阳'))
    """
    found = [surname]
    if len(surname) == 1 and len(name) == 4:
        if name[1] in SINGLE:
            found += [name[:2], name[1]]
        found += _by_sound().get((name[0], fuzzy(reading(name[1]))), ())
    return tuple(dict.fromkeys(variant(part) for part in found))


def variant(surname: str) -> str:
    """Return the head of the surname's class of written variants (付 for 傅)."""
    return _VARIANTS.get(surname) or canon(surname)


def readings(surname: str) -> tuple[str, ...]:
    """Return the right reading of a surname, then the wrong ones other systems have stored.

    >>> readings("单"), readings("欧阳")
    (('shan', 'dan'), ('ouyang',))
    """
    known = _READINGS.get(surname)
    if known is None:
        known = _READINGS[surname] = ("".join(map(reading, surname)),)
    return known


def fuzzy_reading(surname: str) -> str:
    """Return the fuzzy fold of a surname's right reading."""
    if len(surname) == 1:
        return fuzzy(readings(surname)[0])
    return "".join(fuzzy(reading(character)) for character in surname)


def confusable(left: str, right: str) -> bool:
    """Return whether two different surnames are one misread or misheard as the other.

    A look-alike that is no surname at all is a misreading; two surnames that look alike must be listed.

    >>> confusable("余", "佘"), confusable("陈", "阵"), confusable("董", "黄")
    (True, True, False)
    """
    if (left, right) in _CONFUSED:
        return True
    return look_alike(left, right) and (left in SINGLE) is not (right in SINGLE)


def sounds_alike(left: str, right: str) -> bool:
    """Return whether two different surnames are alike in Cantonese or by a second reading."""
    return (left, right) in _HEARD


def is_surname_reading(letters: str) -> bool:
    """Return whether lower-case pinyin letters are a reading of a surname, right or as stored elsewhere."""
    return letters in _by_reading()


@lru_cache(maxsize=4096)
def behind(letters: str) -> tuple[str, ...]:
    """Return the Chinese surnames (class heads, sorted) that Latin letters may stand for; () if none.

    >>> behind("cheung"), behind("ceng")
    (('张', '章', '蒋'), ('曾',))
    """
    found = _by_reading().get(letters, frozenset()) | _by_spelling().get(letters, frozenset())
    return tuple(sorted(found))[:16]


def _pairs(kind: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in reference_rows("surname_pairs.tsv") if row[2] == kind]


def _both_ways(pairs: list[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((variant(a), variant(b)) for x, y in pairs for a, b in ((x, y), (y, x)))


@cache
def _by_reading() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for surname in sorted(SINGLE | COMPOUND):
        for letters in readings(surname):
            found.setdefault(letters, set()).add(variant(surname))
    # Passports write LYU or LV for 吕; machines that knew no umlaut wrote LU.
    for written in ("lyu", "lu"):
        found.setdefault(written, set()).update(found["lv"])
    return {letters: frozenset(surnames) for letters, surnames in found.items()}


@cache
def _by_spelling() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for surname, spellings in reference_rows("romanisation_surnames.tsv"):
        for spelling in spellings.split():
            found.setdefault(spelling.lower(), set()).add(variant(surname))
    return {letters: frozenset(surnames) for letters, surnames in found.items()}


@cache
def _by_sound() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for compound in sorted(COMPOUND):
        if len(compound) == 2:
            found.setdefault((compound[0], fuzzy(reading(compound[1]))), []).append(compound)
    return {key: tuple(surnames) for key, surnames in found.items()}


_VARIANTS: dict[str, str] = {y: x for x, y in _pairs("variant")} | {x: x for x, _ in _pairs("variant")}
_READINGS: dict[str, tuple[str, ...]] = {
    row[0]: (row[1], *" ".join(row[2:]).split()) for row in reference_rows("surname_readings.tsv")
}
_CONFUSED = _both_ways(_pairs("shape"))
_HEARD = _both_ways(_pairs("sound"))
