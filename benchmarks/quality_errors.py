"""The classes of guiyi's mistakes: what its false pairs have in common, where its missed pairs were lost.

The linkage is run in this process, so that the judged pairs can be read: a missed pair was judged by a rule, or never
compared. Its class is the error its records suffer from; a pair with several counts under each. A false pair's class is
how the two entities are related. Counts and classes only, so that it may be run on a real registry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from blocking.sql import quote
from linkage.commands.console import Console
from linkage.database import connect
from linkage.entity_config import load_entity_config
from linkage.fields import ENTITIES
from linkage.ingest.link_input import link_input
from linkage.pipeline import LinkageOptions, link_records
from linkage.stages import StageClock

Counts = tuple[tuple[str, int], ...]

# Class of mistake: the errors (of the simulator or of `benchmarks.unknown_errors`) that make it.
CLASSES: dict[str, str] = {
    "number hidden in part": "id_masked id_tail_hidden id_tail_only code_masked",
    "number absent": (
        "id_missing id_lost id_null id_placeholder code_missing code_lost code_null code_placeholder tax_lost "
        "name_and_number_together phone_and_number_swapped"
    ),
    "number damaged": (
        "id_digit_error id_transposed id_letters id_rounded id_scientific id_key id_ocr id_doubled id_short "
        "code_digit_error code_transposed code_letters code_rounded code_scientific code_key code_ocr "
        "code_short code_doubled tax_key tax_short"
    ),
    "number in another style": (
        "id_15_digits id_spaces id_full_width id_lower_x id_grouped id_labelled code_spaces code_full_width "
        "code_labelled id_type_missing id_type_wrong"
    ),
    "another person's number": "id_of_relative row_shift code_is_operator_id",
    "other document or older number": "id_other_document code_superseded",
    "homophone or look-alike": (
        "homophone_character shape_character surname_swap rare_character brand_homophone transliteration "
        "traditional_glyphs ocr_name ocr_rep"
    ),
    "name hidden in part": "name_masked",
    "name damaged": (
        "character_dropped given_transposed syllable_doubled name_cut name_transposed character_doubled "
        "name_garbage name_html name_mojibake name_null rep_transposed name_and_address_swapped "
        "name_and_phone_together"
    ),
    "name in Latin letters": "latin_name pinyin_name rep_pinyin",
    "name with words added": (
        "name_title name_note english_tail rep_title status_note former_name_note name_punctuation "
        "name_spaces bracket_variant interpunct_variant"
    ),
    "renamed": "former_name stale_name",
    "name shortened": (
        "short_name trade_variant form_short form_dropped region_short region_dropped digit_variant employer_cut"
    ),
    "operator written for the firm": "operator_for_firm",
    "parent written for the branch": "parent_for_branch",
    "moved": "address_stale address_wrong_number",
    "address in another style": (
        "address_restyled address_old_street address_note address_full_width address_reordered "
        "address_numerals address_postcode address_landmark address_garbage address_html "
        "address_and_name_together"
    ),
    "address in part or absent": (
        "address_truncated address_missing address_part_lost address_cut address_null household_lost"
    ),
    "another telephone": "phone_stale phone_shared phone_changed agency_phone",
    "telephone damaged or absent": (
        "phone_digit_error phone_placeholder phone_masked phone_missing phone_swapped phone_key phone_null "
        "phone_format phone_two phone_extension"
    ),
    "date partial or absent": "date_partial date_missing birth_null established_lost date_placeholder",
    "date wrong": (
        "date_digit_error date_swapped date_impossible birth_off_by_a_day birth_lunar birth_nominal_age "
        "established_off_by_a_day"
    ),
    "sex wrong": "sex_wrong",
}

_RELATIONS = {
    "natural_person": """
    case
        when list_has_any(l.errors || r.errors, ['id_of_relative', 'row_shift']) then 'another person''s number'
        when l.name = r.name and l.household = r.household then 'namesakes of one household'
        when l.name = r.name then 'namesakes'
        when l.surname = r.surname and l.birth_date = r.birth_date then 'twins'
        when l.surname = r.surname and (l.address = r.address or l.household = r.household)
            then 'siblings or parent and child'
        when l.address = r.address or l.phone = r.phone then 'one household or telephone, other surname'
        else 'other'
    end""",
    "legal_person": """
    case
        when l.name = l.legal_rep_name and r.name = r.legal_rep_name then 'both under an operator''s name'
        when l.name = l.legal_rep_name or r.name = r.legal_rep_name then 'one under its operator''s name'
        when l.name = r.name and l.legal_rep_name = r.legal_rep_name then 'one owner, one name'
        when l.name = r.name then 'namesakes'
        when starts_with(l.name, r.name) or starts_with(r.name, l.name) then 'parent and branch, or one name longer'
        when l.legal_rep_name = r.legal_rep_name then 'sister firms of one owner'
        when l.address = r.address then 'one address'
        else 'other'
    end""",
}


@dataclass(frozen=True)
class ErrorTables:
    """Counts of record pairs.

    Attributes:
        missed: all true pairs that were not found.
        false: all pairs found that are not true.
        missed_by_rule: what became of the missed pairs: verdict and rule, never compared, or accepted and then
            parted by a constraint.
        missed_by_class: missed pairs by the errors of their records.
        false_by_rule: the rule that accepted a false pair, or `through others` where only third records join the two.
        false_by_relation: how the two entities are related.
    """

    missed: int
    false: int
    missed_by_rule: Counts
    missed_by_class: Counts
    false_by_rule: Counts
    false_by_relation: Counts


def error_tables(entity: str, file: Path, truth: Path, folder: Path) -> ErrorTables:
    """Link a file in this process and sort the mistakes.

    Args:
        entity: the entity type.
        file: canonical records.
        truth: source, source_record_id, entity_id, errors.
        folder: where the batch database is kept.
    """
    name = next(known for known in ENTITIES if known == entity)
    with connect(folder / "errors.duckdb", temp=folder / "spill") as con:
        link_input(
            con,
            (file,),
            name,
            config=None,
            root=folder / "errors",
            as_of=date(2025, 1, 31),
            now=datetime(2025, 2, 1, tzinfo=UTC),
            out=f"{name}_raw",
            quarantine=f"{name}_quarantine",
            progress=lambda _done: None,
        )
        link_records(con, load_entity_config(name, None), LinkageOptions(), StageClock(Console(quiet=True)))
        return _sorted(con, entity, truth)


def _sorted(con: duckdb.DuckDBPyConnection, entity: str, truth: Path) -> ErrorTables:
    con.read_parquet(str(truth)).create_view("truth")
    blank = "null::varchar"
    household, birth = ("household_address", "birth_date") if entity == "natural_person" else (blank, blank)
    owner = "legal_rep_name" if entity == "legal_person" else blank
    con.execute(f"""
create temp table member as
select c.record_id, c.profile_id, c.cluster_id, t.entity_id, t.errors, w.name, substr(w.name, 1, 1) as surname,
    w.address, w.phone, {household} as household, {birth} as birth_date, {owner} as legal_rep_name
from {quote(entity + "_clusters")} c
join {quote(entity + "_records")} w using (record_id)
join truth t on t.source = w.source and t.source_record_id = w.source_record_id""")
    for table, together, apart in (("missed", "entity_id", "cluster_id"), ("false", "cluster_id", "entity_id")):
        con.execute(f"""
create temp table {quote(table)} as
select
    coalesce(j.verdict, 'never compared') as verdict,
    j.verdict_rule as rule,
    list_distinct(l.errors || r.errors) as errors,
    {_RELATIONS[entity]} as relation
from member l
join member r on l.{together} = r.{together} and l.record_id < r.record_id and l.{apart} <> r.{apart}
left join {quote(entity + "_judged")} j
    on j.left_id = least(l.profile_id, r.profile_id) and j.right_id = greatest(l.profile_id, r.profile_id)""")
    missed_by_rule = _counts(
        con,
        """
select case verdict when 'never compared' then verdict when 'auto' then 'accepted, parted by a constraint'
    else verdict || ': ' || rule end, count(*)
from missed group by 1""",
    )
    false_by_rule = _counts(
        con,
        """
select case verdict when 'auto' then 'auto: ' || rule else 'through others (itself: ' || verdict || ')' end, count(*)
from "false" group by 1""",
    )
    return ErrorTables(
        missed=sum(count for _, count in missed_by_rule),
        false=sum(count for _, count in false_by_rule),
        missed_by_rule=missed_by_rule,
        missed_by_class=_by_class(con),
        false_by_rule=false_by_rule,
        false_by_relation=_counts(con, 'select relation, count(*) from "false" group by 1'),
    )


def _by_class(con: duckdb.DuckDBPyConnection) -> Counts:
    named = {error: name for name, errors in CLASSES.items() for error in errors.split()}
    counts: dict[str, int] = {}
    for errors, pairs in con.execute("select errors, count(*) from missed group by 1").fetchall():
        names = {named.get(error, "other") for error in errors} or {"no error"}
        for name in names:
            counts[name] = counts.get(name, 0) + pairs
    return _ordered(counts.items())


def _counts(con: duckdb.DuckDBPyConnection, query: str) -> Counts:
    return _ordered((str(name), int(count)) for name, count in con.execute(query).fetchall())


def _ordered(counts: Iterable[tuple[str, int]]) -> Counts:
    return tuple(sorted(counts, key=lambda item: (-item[1], item[0])))


def as_markdown(tables: dict[str, ErrorTables], records: int, seed: int) -> str:
    """Return the tables of all datasets as one page."""
    titles = {
        "missed_by_rule": "missed: what became of the pair",
        "missed_by_class": "missed: errors of its records (a pair may count more than once)",
        "false_by_rule": "false: what joined the pair",
        "false_by_relation": "false: how the two are related",
    }
    parts = [f"# guiyi's mistakes by class\n\nRecord pairs; about {records:,} records per kind of data, seed {seed}.\n"]
    for name, table in tables.items():
        parts.append(f"## {name}: {table.missed:,} missed, {table.false:,} false\n")
        for attribute, title in titles.items():
            counts: Counts = getattr(table, attribute)
            if counts:
                body = "\n".join(f"| {label} | {count:,} |" for label, count in counts)
                parts.append(f"| {title} | pairs |\n|---|---|\n{body}\n")
    return "\n".join(parts)
