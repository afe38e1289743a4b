"""The outcomes of comparing two person names, and which of them believe an equal identifier.

In: the columns of `matchers.person_name.PersonName`, and the keys of former names. Out: ordered levels; what is alike
is decided in `matchers.name_likeness`, what a masked name may be in `matchers.name_mask`.

Invariant: two siblings' names, which share a surname and often a character, reach none of the levels above
`confusable` unless they sound the same.
"""

from __future__ import annotations

from matchers.levels import (
    AtLeast,
    AtLeastAcross,
    Both,
    Condition,
    Contains,
    Differs,
    Either,
    Level,
    Missing,
    Not,
    Overlaps,
    Same,
    all_of,
    any_of,
    different,
    missing,
)
from matchers.name_likeness import ALIKE, ONE_CHARACTER, SLIP
from matchers.name_mask import FITS
from matchers.name_text import Script

# Levels at which the names do not speak against an equal identifier.
COMPATIBLE_LEVELS: frozenset[str] = frozenset(
    {"exact", "variant", "former", "homophone", "confusable", "masked_compatible"}
)
# Levels at which siblings' and twins' names are found; `confusable` is one slip of a clerk or two similar given names.
SIBLING_LEVELS: frozenset[str] = frozenset({"confusable", "one_character", "same_surname"})
_REASONS = {
    "exact": ("姓名相同", "same name"),
    "variant": ("姓名为异体、替代字写法或语序不同", "same name in variant characters or another order"),
    "former": ("姓名与曾用名相同", "same as a former name"),
    "homophone": ("姓名同音（或与拼音一致）", "names read the same (or match the pinyin)"),
    "confusable": ("姓名仅有形近、音近字或拼写之差", "names differ only by a look-alike, sound-alike or spelling slip"),
    "masked_compatible": ("姓名部分隐去，可见部分一致", "name partly hidden, what is shown agrees"),
    "one_character": ("姓名仅一字不同（亦可能为兄弟姐妹）", "names differ in one character (siblings' names do too)"),
    "same_surname": ("仅姓氏相同", "same surname only"),
}
_TERMS = {"exact": "key", "variant": "canon", "homophone": "pinyin"}


def levels(field: str, former: str | None = None) -> tuple[Level, ...]:
    """Return the outcomes of comparing two names.

    `confusable` is what a slip of eye, ear or keyboard makes, and a romanised name read another way;
    `one_character` is one arbitrary character of three or more, the pattern of siblings as much as of errors.

    Args:
        field: the name field.
        former: the field of former names, if there is one; without it there is no level `former`.
    """
    outcomes = [(missing(f"{field}_key", f"{field}_pattern"))]
    outcomes += [
        Level(name, condition, *_REASONS[name], _term(field, name)) for name, condition in _ladder(field, former)
    ]
    return (*outcomes, different("姓名不同", "different names"))


def related(field: str, former: str | None = None) -> Condition:
    """Return the condition that two names are compatible enough to believe an equal identifier.

    It holds exactly where the outcome of `levels` is one of `COMPATIBLE_LEVELS`: `exact`, `variant`, `former`,
    `homophone`, `confusable`, `masked_compatible`. `one_character` is left out: with an equal identifier it is a case
    for a person, since it fits a typing error and a relative's document alike.
    """
    comparable = Not(Missing((f"{field}_key", f"{field}_pattern")))
    return all_of(comparable, any_of(*(c for name, c in _ladder(field, former) if name in COMPATIBLE_LEVELS)))


def one_whole_name(field: str) -> Condition:
    """Return whether not both names are partly hidden."""
    return Not(Both(f"{field}_hidden", True))


def lengths_differ(field: str) -> Condition:
    """Return whether both names are in Chinese characters, and one has more of them than the other."""
    return Differs(f"{field}_length")


def _term(field: str, level: str) -> str | None:
    return f"{field}_{_TERMS[level]}" if level in _TERMS else None


def _ladder(field: str, former: str | None) -> list[tuple[str, Condition]]:
    def c(attribute: str) -> str:
        return f"{field}_{attribute}"

    def same_length() -> Condition:
        return any_of(Same(c("length")), Missing((c("length"),)))

    latin = any_of(Either(c("script"), Script.LATIN.value), Either(c("script"), Script.MIXED.value))
    # A cheap question first: few pairs of strangers reach the similarity.
    near = any_of(Overlaps(c("surnames")), Same(c("given")), Missing((c("surname"),)))
    ladder: list[tuple[str, Condition]] = [("exact", Same(c("key"))), ("variant", Same(c("canon")))]
    if former is not None:
        keys = f"{former}_keys"
        ladder.append(("former", any_of(Contains(c("key"), keys), Overlaps(keys))))
    return [
        *ladder,
        ("homophone", all_of(Same(c("pinyin")), same_length())),
        (
            "confusable",
            any_of(
                all_of(Same(c("fuzzy")), same_length()),
                all_of(latin, Overlaps(c("readings"))),
                all_of(near, AtLeast(ALIKE, c("key"), SLIP)),
            ),
        ),
        (
            "masked_compatible",
            any_of(
                AtLeastAcross(FITS, c("key"), c("pattern"), 1.0),
                AtLeast(FITS, c("pattern"), 1.0),
            ),
        ),
        ("one_character", all_of(near, AtLeast(ALIKE, c("key"), ONE_CHARACTER))),
        ("same_surname", Overlaps(c("surnames"))),
    ]
