"""The table of error classes: what each class of `ErrorRates` does to which fields, in the order they are applied.

Wrong values come first (another person's number, a former name), then wrong spellings, then damage, then loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow.compute as pc

from eval.simulator import damage
from eval.simulator.columns import Draw, Ints, Text, join, matches, present, replace, rows_of, take, where

Alternative = Callable[[Ints], Text]


@dataclass
class Batch:
    """Records being written: canonical columns, and other values each record's subject has (former name, old phone).

    `alternatives` maps a name to a function of row numbers, so that a value is only computed where it is used.
    """

    entity: str
    columns: dict[str, Text]
    alternatives: Mapping[str, Alternative]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Hit:
    """Where an error class strikes: the batch, the rows of it, and the generator to draw from."""

    batch: Batch
    rows: Ints
    rng: Draw


Change = Callable[[Text, Hit], Text]


@dataclass(frozen=True)
class Corruption:
    """One error class: the fields it can happen to and what it does to the values hit;
    `also` is another field that changes with it and the alternative written there."""

    name: str
    fields: tuple[str, ...]
    change: Change
    also: tuple[str, str] | None = None


def _simple(function: Callable[[Text], Text]) -> Change:
    return lambda values, _hit: function(values)


def _random(function: Callable[..., Text], *arguments: object, **options: object) -> Change:
    return lambda values, hit: function(values, hit.rng, *arguments, **options)


def _regex(*variants: tuple[str, str]) -> Change:
    return lambda values, hit: damage.patterns(values, hit.rng, *variants)


def _other(name: str) -> Change:
    """Write another value of the subject, where it has one."""

    def change(values: Text, hit: Hit) -> Text:
        if name not in hit.batch.alternatives:
            return values
        return pc.coalesce(hit.batch.alternatives[name](hit.rows), values)

    return change


def _from_next_row(field: str, _values: Text, hit: Hit) -> Text:
    column = hit.batch.columns[field]
    return rows_of(column, (hit.rows + 1) % len(column))


def _note(before: str, name: str, after: str) -> Change:
    """Append a note made of another value of the subject, where it has one."""

    def change(values: Text, hit: Hit) -> Text:
        if name not in hit.batch.alternatives:
            return values
        other = hit.batch.alternatives[name](hit.rows)
        return where(present(other), join(values, before, other, after), values)

    return change


def _interpunct(values: Text, hit: Hit) -> Text:
    return damage.patterns(values, hit.rng, *(("·", sign) for sign in ("•", "‧", "・", ".", "．", "", " ", "●")))


def _shared_phone(_values: Text, hit: Hit) -> Text:
    agents = take(
        ("13900001234", "13700005678", "13600002468", "075527001234", "075529998877"),
        hit.rng.integers(0, 5, len(hit.rows)),
    )
    neighbour = rows_of(hit.batch.columns["phone"], hit.rows // 40 * 40)
    return pc.coalesce(where(hit.rng.random(len(hit.rows)) < 0.3, agents, neighbour), agents)


def _swapped_date(values: Text, _hit: Hit) -> Text:
    swapped = replace(values, r"^(\d{4})-(\d{2})-(\d{2})$", r"\1-\3-\2")
    return where(matches(values, r"-(0[1-9]|1[0-2])$"), swapped, values)


def _short_name(values: Text) -> Text:
    return replace(damage.form_dropped(damage.region_dropped(values)), r"^(.{4}).*$", r"\1")


def _digits_as_numbers(values: Text) -> Text:
    for han, arabic in zip("一二三四五", "12345", strict=True):
        values = replace(values, f"第{han}", f"第{arabic}")
    return values


# Fields a class can happen to; `entity:field` where the field means something else in the other entity.
PERSON = ("natural_person:name", "legal_rep_name")
FIRM = ("legal_person:name", "employer_name")
NUMBER = ("id_number", "legal_rep_id_number")
CODE = ("uscc", "tax_number")
DATE = ("birth_date", "established_date")

_ID18 = r"^(\d{6})(\d{8})(\d{3}[\dX])$"

CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("former_name", ("name",), _other("former_name")),
    Corruption("latin_name", PERSON, _other("latin_name")),
    Corruption("surname_swap", PERSON, _random(damage.substitute_one, "surname", stop=1)),
    Corruption("homophone_character", PERSON, _random(damage.substitute_one, "sound", first=1)),
    Corruption("shape_character", PERSON, _random(damage.substitute_one, "shape", first=1)),
    Corruption("rare_character", PERSON, _random(damage.rare_character)),
    Corruption("transliteration", PERSON, _simple(partial(damage.swap_words, kind="transliteration"))),
    Corruption("character_dropped", PERSON, _random(damage.drop_character)),
    Corruption("row_shift", ("id_number",), partial(_from_next_row, "id_number"), ("id_type", "next_id_type")),
    Corruption("row_shift", ("uscc",), partial(_from_next_row, "uscc")),
    Corruption("id_of_relative", ("id_number",), _other("relative_id")),
    Corruption("id_other_document", ("id_number",), _other("second_number"), ("id_type", "second_type")),
    Corruption("code_superseded", ("uscc",), _other("old_code")),
    Corruption("code_is_operator_id", ("uscc",), _other("operator_id")),
    Corruption("operator_for_firm", ("legal_person:name",), _other("operator_name")),
    Corruption("parent_for_branch", ("legal_person:name",), _other("parent_name")),
    Corruption("trade_variant", FIRM, _simple(partial(damage.swap_words, kind="organisation_trade"))),
    Corruption("brand_homophone", FIRM, _random(damage.substitute_one, "organisation_sound", stop=8)),
    Corruption("digit_variant", FIRM, _simple(_digits_as_numbers)),
    Corruption("region_short", FIRM, _simple(damage.region_short)),
    Corruption("region_dropped", FIRM, _simple(damage.region_dropped)),
    Corruption(
        "form_short",
        FIRM,
        _regex(("有限责任公司$", "有限公司"), ("([^任])有限公司$", r"\1公司"), ("([^份])有限公司$", r"\1有限责任公司")),
    ),
    Corruption("form_dropped", FIRM, _simple(damage.form_dropped)),
    Corruption("short_name", FIRM, _simple(_short_name)),
    Corruption(
        "bracket_variant",
        FIRM,
        _regex(
            ("[（](.+)[）]", r"(\1)"), (r"[(](.+)[)]", r"（\1）"), (r"[（(](深圳)[)）]", r"\1"), (r"[（(].+[)）]", "")
        ),
    ),
    Corruption("former_name_note", ("legal_person:name",), _note("（原", "former_name", "）")),
    Corruption("status_note", ("legal_person:name",), _note("（", "status_note", "）")),
    Corruption("name_is_code", ("legal_person:name",), _other("code")),
    Corruption(
        "name_punctuation",
        FIRM,
        _regex((r"$", " "), (r"$", "。"), (r"^(.{4})", r"\1 "), (r"^", "\t"), (r"^(.+)$", r"“\1”"), (r"$", "　")),
    ),
    Corruption("traditional_glyphs", (*PERSON, *FIRM), _simple(damage.traditional)),
    Corruption("interpunct_variant", PERSON, _interpunct),
    Corruption("name_title", PERSON, _random(damage.followed_by, "先生", "女士", "（户主）", "(已故)", "（本人）")),
    Corruption(
        "name_spaces",
        PERSON,
        _regex(
            (r"^(.)(.)$", r"\1  \2"), (r"^(.)(.+)$", r"\1 \2"), (r"^(.)(.)(.)$", r"\1 \2 \3"), (r"^(.)(.)$", r"\1　\2")
        ),
    ),
    Corruption("name_masked", PERSON, _random(damage.mask_name)),
    Corruption("id_placeholder", NUMBER, _random(damage.placeholder)),
    Corruption("id_15_digits", NUMBER, _regex((r"^(\d{6})19(\d{9})[\dX]$", r"\1\2"))),
    Corruption("id_digit_error", NUMBER, _random(damage.wrong_digit)),
    Corruption("id_transposed", NUMBER, _random(damage.swap_digits)),
    Corruption("id_lower_x", NUMBER, _regex((r"X$", "x"), (r"X$", "Ｘ"), (r"X$", "*"), (r"X$", "×"))),
    Corruption("id_masked", NUMBER, _random(damage.mask_number)),
    Corruption("id_scientific", NUMBER, _regex((r"^(\d)(\d{5})\d{12}$", r"\1.\2E+17"))),
    Corruption("id_rounded", NUMBER, _regex((r"^(\d{15})\d{3}$", r"\1000"))),
    Corruption("id_letters", NUMBER, _random(damage.letters_for_digits)),
    Corruption(
        "id_spaces",
        NUMBER,
        _regex((_ID18, r"\1 \2 \3"), (_ID18, r" \1\2\3"), (r"^(.+)$", "\\1\t"), (_ID18, r"'\1\2\3")),
    ),
    Corruption("id_full_width", NUMBER, _simple(damage.full_width)),
    Corruption("id_missing", NUMBER, _simple(damage.gone)),
    Corruption("id_type_missing", ("id_type",), _simple(damage.gone)),
    Corruption("id_type_wrong", ("id_type",), _random(damage.instead, "居民身份证", "护照", "其他证件", "户口簿")),
    Corruption("code_placeholder", CODE, _random(damage.placeholder)),
    Corruption("code_digit_error", CODE, _random(damage.wrong_digit)),
    Corruption("code_transposed", CODE, _random(damage.swap_digits)),
    Corruption("code_letters", CODE, _random(damage.letters_for_digits)),
    Corruption(
        "code_masked", CODE, _regex((r"^(.{8}).{6}(.{4})$", r"\1******\2"), (r"^(.{4}).{10}(.{4})$", r"\1**********\2"))
    ),
    Corruption("code_scientific", CODE, _regex((r"^(\d)(\d{5})\d{12}$", r"\1.\2E+17"))),
    Corruption("code_rounded", CODE, _regex((r"^(\d{15})\d{3}$", r"\1000"))),
    Corruption(
        "code_spaces",
        CODE,
        _regex(
            (r"^(.{8})(.{10})$", r"\1 \2"), (r"^(.{8})(.{9})(.)$", r"\1-\2-\3"), (r"$", "\t"), (r"^(.+)$", "\u200b\\1")
        ),
    ),
    Corruption("code_full_width", CODE, _simple(damage.full_width)),
    Corruption("code_missing", ("uscc",), _simple(damage.gone)),
    Corruption("address_stale", ("address",), _other("stale_address")),
    Corruption("address_old_street", ("address",), _other("old_street_address")),
    Corruption("address_restyled", ("address",), _other("restyled_address")),
    Corruption("address_wrong_number", ("address",), _random(damage.wrong_digit)),
    Corruption(
        "address_truncated", ("address",), _regex((r"\d{3,4}[室房]?$", ""), (r"\d*[栋座幢#]\D*\d{3,4}[室房]?$", ""))
    ),
    Corruption(
        "address_note",
        ("address",),
        _random(damage.followed_by, "（市场对面）", "（仅限办公）", "(村委旁)", "（工业区后面）", "（一照多址企业）"),
    ),
    Corruption("address_full_width", ("address",), _simple(damage.full_width)),
    Corruption("address_missing", ("address",), _simple(damage.gone)),
    Corruption("phone_stale", ("phone",), _other("stale_phone")),
    Corruption("phone_shared", ("phone",), _shared_phone),
    Corruption("phone_digit_error", ("phone",), _random(damage.wrong_digit)),
    Corruption(
        "phone_placeholder", ("phone",), _random(damage.instead, "13800138000", "11111111111", "00000000", "无", "-")
    ),
    Corruption(
        "phone_format",
        ("phone",),
        _regex(
            (r"^(1\d{10})$", r"+86\1"),
            (r"^(1\d{2})(\d{4})(\d{4})$", r"\1-\2-\3"),
            (r"^(1\d{2})(\d{4})(\d{4})$", r"\1 \2 \3"),
            (r"^0755(\d{8})$", r"0755-\1"),
            (r"^0755(\d{8})$", r"(0755)\1"),
            (r"^0755(\d{8})$", r"\1"),
        ),
    ),
    Corruption("phone_masked", ("phone",), _regex((r"^(\d{3})\d{4}(\d{4})$", r"\1****\2"))),
    Corruption("phone_missing", ("phone",), _simple(damage.gone)),
    Corruption(
        "date_digit_error",
        DATE,
        _regex((r"-01$", "-10"), (r"-1(\d)$", r"-2\1"), (r"-2(\d)$", r"-1\1"), (r"^19(\d)3", r"19\18")),
    ),
    Corruption("date_swapped", DATE, _swapped_date),
    Corruption("date_partial", DATE, _regex((r"-\d{2}$", ""), (r"-\d{2}-\d{2}$", ""))),
    Corruption("date_impossible", DATE, _regex((r"-\d{2}-\d{2}$", "-02-30"), (r"-\d{2}-(\d{2})$", r"-13-\1"))),
    Corruption("date_placeholder", DATE, _random(damage.instead, "1900-01-01", "1970-01-01", "0001-01-01")),
    Corruption("date_missing", DATE, _simple(damage.gone)),
    Corruption("sex_wrong", ("sex",), _regex((r"^.*$", "男"), (r"^.*$", "女"))),
    Corruption("sex_missing", ("sex",), _simple(damage.gone)),
)
