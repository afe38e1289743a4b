"""What can go wrong with a value: vectorised changes of characters, digits and whole values.

Every function takes a text column (no value missing) and a generator and returns a column of the same length; a value
the change does not apply to comes back as it was. `errors.py` decides what happens how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.simulator.columns import (
    Draw,
    Ints,
    Text,
    codepoints,
    constant,
    from_codepoints,
    join,
    matches,
    nothing,
    replace,
    take,
    where,
)
from eval.simulator.reference_tables import rows, words

_CODE_SPACE = 0x110000


@dataclass(frozen=True)
class Substitutes:
    """For each code point the ones it may be mistaken for: `targets[start[c]:start[c] + count[c]]`."""

    start: Ints
    count: Ints
    targets: NDArray[np.uint32]


@cache
def substitutes(kind: str) -> Substitutes:
    """Return a substitution table: sound, shape, surname, substitute, pua, organisation_sound, digit or traditional."""
    if kind == "traditional":
        pairs = [(row[0], row[1]) for row in rows("glyphs.tsv")]
    elif kind == "sound":
        pairs = [(a, b) for row in rows("sounds.tsv") for a in row[1] for b in row[1] if a != b]
    elif kind == "pua":
        pairs = [(word[0], chr(int(word[1:], 16))) for word in words("spelling.tsv", "pua")]
    elif kind == "substitute":
        # Only the rare character, which comes first, is written as a common one.
        pairs = [(group[0], b) for group in words("spelling.tsv", kind) for b in group[1:]]
    else:
        pairs = [(a, b) for group in words("spelling.tsv", kind) for a in group for b in group if a != b]
    pairs.sort()
    source = np.array([ord(a) for a, _ in pairs])
    count = np.bincount(source, minlength=_CODE_SPACE)
    targets = np.array([ord(b) for _, b in pairs], dtype=np.uint32)
    return Substitutes(np.cumsum(count) - count, count, targets)


def substitute_one(values: Text, rng: Draw, kind: str, *, first: int = 0, stop: int | None = None) -> Text:
    """Exchange one character that has substitutes, at a random place from `first` up to `stop`."""
    table, matrix = substitutes(kind), codepoints(values)
    open_ = table.count[matrix] > 0
    open_[:, :first] = False
    if stop is not None:
        open_[:, stop:] = False
    row, place = _one_place(rng, open_)
    old = matrix[row, place]
    chosen = table.start[old] + (rng.random(len(row)) * table.count[old]).astype(np.int64)
    matrix[row, place] = table.targets[chosen]
    return from_codepoints(matrix)


def traditional(values: Text) -> Text:
    """Write in traditional glyphs."""
    table, matrix = substitutes("traditional"), codepoints(values)
    known = table.count[matrix] > 0
    matrix[known] = table.targets[table.start[matrix[known]]]
    return from_codepoints(matrix)


def rare_character(values: Text, rng: Draw) -> Text:
    """Write a rare character as its substitute, its private-use code point or a sign for a missing glyph."""
    usual = substitute_one(values, rng, "substitute")
    private = substitute_one(values, rng, "pua")
    private = where(np.asarray(pc.not_equal(private, values)), private, usual)
    rare = "[" + "".join(sorted({c for group in words("spelling.tsv", "substitute") for c in group[:1]})) + "]"
    lost = pick(rng, [replace(values, rare, sign) for sign in ("?", "□", "*")])
    return pick(rng, [usual, usual, private, lost])


def drop_character(values: Text, rng: Draw) -> Text:
    """Leave out one character after the first of a value of three or more."""
    matrix = codepoints(values)
    open_ = matrix > 0
    open_[:, 0] = False
    open_[(matrix > 0).sum(axis=1) < 3] = False
    row, place = _one_place(rng, open_)
    keep = np.ones(matrix.shape, dtype=bool)
    keep[row, place] = False
    order = np.argsort(~keep, axis=1, kind="stable")
    moved = np.take_along_axis(matrix, order, axis=1)
    moved[row, -1] = 0
    return from_codepoints(moved)


def wrong_digit(values: Text, rng: Draw) -> Text:
    """Mistype one digit."""
    matrix = codepoints(values)
    row, place = _one_place(rng, (matrix >= 48) & (matrix <= 57))
    digit = matrix[row, place].astype(np.int64) - 48
    matrix[row, place] = 48 + (digit + rng.integers(1, 10, len(row))) % 10
    return from_codepoints(matrix)


def swap_digits(values: Text, rng: Draw) -> Text:
    """Exchange two neighbouring digits that differ."""
    matrix = codepoints(values)
    digit = (matrix >= 48) & (matrix <= 57)
    open_ = np.zeros(matrix.shape, dtype=bool)
    open_[:, :-1] = digit[:, :-1] & digit[:, 1:] & (matrix[:, :-1] != matrix[:, 1:])
    row, place = _one_place(rng, open_)
    matrix[row, place], matrix[row, place + 1] = matrix[row, place + 1], matrix[row, place]
    return from_codepoints(matrix)


def full_width(values: Text) -> Text:
    """Write ASCII as full-width characters."""
    matrix = codepoints(values)
    ascii_ = (matrix > 32) & (matrix < 127)
    matrix[ascii_] += 0xFEE0
    return from_codepoints(matrix)


def letters_for_digits(values: Text, rng: Draw) -> Text:
    """Type the letter O for a zero or I for a one, once."""
    zero = pc.replace_substring(values, "0", "O", max_replacements=1)
    one = pc.replace_substring(values, "1", "I", max_replacements=1)
    return pick(rng, [zero, one])


def swap_words(values: Text, kind: str) -> Text:
    """Exchange a word for another of its group (`a|b`) of `spelling.tsv`, the first that occurs."""
    result, done = values, np.zeros(len(values), dtype=bool)
    for group in words("spelling.tsv", kind):
        for word, other in (group.split("|"), group.split("|")[::-1]):
            hit = np.asarray(pc.match_substring(values, word)) & ~done
            result = where(hit, pc.replace_substring(values, word, other, max_replacements=1), result)
            done |= hit
    return result


def pick(rng: Draw, variants: Sequence[Text]) -> Text:
    """Return for every row one of the variants."""
    chosen = rng.integers(0, len(variants), len(variants[0]))
    result = variants[0]
    for number, variant in enumerate(variants[1:], start=1):
        result = where(chosen == number, variant, result)
    return result


def patterns(values: Text, rng: Draw, *variants: tuple[str, str]) -> Text:
    """Apply to every row one of several regular-expression replacements."""
    return pick(rng, [replace(values, pattern, replacement) for pattern, replacement in variants])


def followed_by(values: Text, rng: Draw, *endings: str) -> Text:
    """Append one of several endings."""
    return join(values, take(endings, rng.integers(0, len(endings), len(values))))


def instead(values: Text, rng: Draw, *fillers: str) -> Text:
    """Write a filler in place of the value."""
    return take(fillers, rng.integers(0, len(fillers), len(values)))


def gone(values: Text) -> Text:
    """Return nothing in place of the values."""
    return nothing(len(values))


def mask_name(values: Text, rng: Draw) -> Text:
    """Hide part of a person's name as departments do."""
    return patterns(values, rng, (r"^(.).+$", r"\1*"), (r"^(.).(.+)$", r"\1*\2"), (r"^(.)(.+)$", r"\1某"))


def mask_number(values: Text, rng: Draw) -> Text:
    """Hide the middle of an identifier."""
    long = patterns(
        values,
        rng,
        (r"^(.{6}).{8}(.{4})$", r"\1********\2"),
        (r"^(.{6}).{8}(.{4})$", r"\1********\2"),
        (r"^(.{10}).{4}(.{4})$", r"\1****\2"),
        (r"^(.{3}).{11}(.{4})$", r"\1***********\2"),
        (r"^(.).{16}(.)$", r"\1****************\2"),
        (r"^.{14}(.{4})$", r"\1"),
    )
    short = replace(values, r"^(.{2}).{4,7}(.{2,3})$", r"\1****\2")
    return where(matches(values, r"^.{18}$"), long, short)


def region_short(values: Text) -> Text:
    """Write the region of an organisation name without its suffixes."""
    return replace(replace(values, r"^([^市]{2,3})市([^市区]{2,3})区", r"\1\2"), r"^([^市]{2,3})市", r"\1")


def region_dropped(values: Text) -> Text:
    """Leave the region of an organisation name out, if enough of a name is left."""
    pattern = (
        r"^(?:广东省?)?(?:[^省市区县街]{2,3}市|深圳)?(?:[^省市区县街]{2,3}[区县])?(?:[^省市区县街]{2}街道)?(.{4,})$"
    )
    return replace(values, pattern, r"\1")


def form_dropped(values: Text) -> Text:
    """Leave the organisation form out."""
    return replace(values, r"(.{4,}?)(?:集团有限公司|股份有限公司|有限责任公司|有限公司)$", r"\1")


def placeholder(values: Text, rng: Draw) -> Text:
    """Write what people type when they have no number."""
    fillers = ("无", "-", "/", "暂无", "111111111111111111", "123456789012345678", "000000000000000000", "未办理")
    return instead(values, rng, *fillers)


def always(value: str, values: Text) -> Text:
    """Return one value for every row."""
    return constant(value, len(values))


def _one_place(rng: Draw, open_: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return for each row that has an open place one of them: rows and places."""
    score = np.where(open_, rng.random(open_.shape), -1.0)
    place = score.argmax(axis=1)
    row = np.flatnonzero(open_.any(axis=1))
    return row, place[row]
