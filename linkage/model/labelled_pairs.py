"""Candidate pairs of which it is known whether they are one entity.

Three sources of that knowledge: the true entity of records, rulings on pairs of records, or, with neither, the
identifiers in the data: two profiles with one official number are one entity, with two numbers they are two. The last
needs no labels, but its pairs must be weighed and judged as if the numbers were not known (`hide_identifier`).

Every source makes one table: left_id, right_id (left < right), same (boolean), part (0 or 1). The part is a hash of
the entity that sorts first, so that pairs of one entity stand in one half whatever the order of the rows.

A profile stands for all records of the same content. Where these have several true entities, one record chosen by
hash speaks for it: what is counted stays an unbiased sample of the record pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.clusters.connected import connected
from linkage.database import columns_of, count, only_row
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError
from linkage.model.outcomes import outcome_number
from linkage.model.parameters import Model
from matchers.field_types import FIELD_TYPES
from matchers.levels import literal

LABELS = "calibration_labels"
ENTITY_OF = "calibration_entity"
_YES = ("yes", "y", "true", "1", "same", "是", "同一")
_NO = ("no", "n", "false", "0", "different", "否", "不同")


@dataclass(frozen=True)
class LabelCounts:
    """What became of the labels.

    Attributes:
        source: `truth`, `rulings` or `identifiers`.
        given: labels given: records of the truth, rows of rulings, profiles with an identifier.
        unknown: of these, naming records that are not in the data.
        unusable: rows that say neither yes nor no, or contradict another row.
        not_compared: rulings on pairs that were never compared, or whose records are identical in content.
        pairs: candidate pairs with a label.
        matches: of these, one entity.
    """

    source: str
    given: int
    unknown: int
    unusable: int
    not_compared: int
    pairs: int
    matches: int


def label_from_truth(con: DuckDBPyConnection, config: EntityConfig, path: Path, *, out: str) -> LabelCounts:
    """Label candidate pairs with the true entity of their records.

    Args:
        con: holds the tables of a linkage.
        config: the entity type.
        path: Parquet or CSV with source, source_record_id, entity_id.
        out: table to make (see the module).
    """
    _open(con, LABELS, path, ("source", "source_record_id", "entity_id"))
    members = quote(f"{config.entity}_profile_record")
    con.execute(f"""
create or replace temp table {ENTITY_OF} as
select m.profile_id, arg_min(cast(t.entity_id as varchar), md5(m.record_id)) as entity
from {LABELS} t
join {members} m on m.record_id = t.source || ':' || t.source_record_id
where t.entity_id is not null
group by m.profile_id""")
    given, known = only_row(
        con,
        f"""
select count(*), count(m.record_id)
from {LABELS} t
left join {members} m on m.record_id = t.source || ':' || t.source_record_id""",
    )
    pairs, matches = _label(con, config, out)
    return LabelCounts("truth", given, given - known, 0, 0, pairs, matches)


def label_from_rulings(con: DuckDBPyConnection, config: EntityConfig, path: Path, *, out: str) -> LabelCounts:
    """Label candidate pairs with rulings on pairs of records.

    Args:
        con: holds the tables of a linkage.
        config: the entity type.
        path: Parquet or CSV with left, right (`source:source_record_id`) and same (yes or no).
        out: table to make (see the module).
    """
    _open(con, LABELS, path, ("left", "right", "same"))
    members = quote(f"{config.entity}_profile_record")
    yes, no = (", ".join(map(literal, words)) for words in (_YES, _NO))
    con.execute(f"""
create or replace temp table calibration_ruling as
select
    least(l.profile_id, r.profile_id) as left_id,
    greatest(l.profile_id, r.profile_id) as right_id,
    l.profile_id is null or r.profile_id is null as unknown,
    case
        when lower(trim(cast(t.same as varchar))) in ({yes}) then true
        when lower(trim(cast(t.same as varchar))) in ({no}) then false
    end as same
from {LABELS} t
left join {members} l on l.record_id = t."left"
left join {members} r on r.record_id = t."right" """)
    con.execute("""
create or replace temp table calibration_ruled as
select left_id, right_id, bool_and(same) as same, bool_and(same) <> bool_or(same) as contradicted
from calibration_ruling
where not unknown and same is not null and left_id < right_id
group by left_id, right_id""")
    _entities_of_rulings(con)
    judged = quote(f"{config.entity}_judged")
    con.execute(f"""
create or replace temp table {quote(out)} as
select left_id, right_id, c.same, {_part("l.entity", "r.entity")} as part
from calibration_ruled c
join {judged} j using (left_id, right_id)
join {ENTITY_OF} l on l.profile_id = c.left_id
join {ENTITY_OF} r on r.profile_id = c.right_id
where not c.contradicted""")
    given, unknown, unclear, identical = only_row(
        con,
        """
select
    count(*), count(*) filter (unknown), count(*) filter (not unknown and same is null),
    count(*) filter (not unknown and same is not null and left_id = right_id)
from calibration_ruling""",
    )
    ruled, contradicted = only_row(con, "select count(*), count(*) filter (contradicted) from calibration_ruled")
    pairs, matches = only_row(con, f"select count(*), count(*) filter (same) from {quote(out)}")
    not_compared = identical + ruled - contradicted - pairs
    return LabelCounts("rulings", given, unknown, unclear + contradicted, not_compared, pairs, matches)


def label_from_identifiers(con: DuckDBPyConnection, config: EntityConfig, *, out: str) -> LabelCounts:
    """Label candidate pairs that both carry the exclusive identifier: equal is one entity, different is two.

    Args:
        con: holds the tables of a linkage.
        config: the entity type; `training.label` is the identifier.
        out: table to make (see the module).
    """
    profiles, label = quote(f"{config.entity}_profiles"), quote(config.training.label)
    con.execute(
        f"""
create or replace temp table {ENTITY_OF} as
select profile_id, {label} as entity
from {profiles}
where {label} is not null
qualify count(*) over (partition by {label}) <= ?""",
        [config.training.max_label_group],
    )
    (given,) = only_row(con, f"select count({label}) from {profiles}")
    pairs, matches = _label(con, config, out)
    return LabelCounts("identifiers", given, 0, given - count(con, ENTITY_OF), 0, pairs, matches)


def hide_identifier(
    con: DuckDBPyConnection, config: EntityConfig, model: Model, *, labelled: str, scored: str, profiles: str
) -> None:
    """Make labelled pairs look as if neither side had the identifier that labels them.

    Pairs that only a blocking rule on the identifier found are left out: without it they would not have been compared.

    Args:
        con: holds the tables of a linkage.
        config: the entity type; `training.label_blind` are the comparisons that the identifier decides.
        model: the model the pairs were scored with.
        labelled: table of labelled pairs.
        scored: table to make, as `linkage.model.scoring.score` does.
        profiles: table to make: the profiles of these pairs without the identifier's columns.
    """
    hidden = hidden_columns(config)
    seen = sum(1 << i for i, rule in enumerate(config.blocking) if not rule.columns() & hidden)
    judged = quote(f"{config.entity}_judged")
    weight = " - ".join(["j.match_weight", *(_weight_sql(config, model, name) for name in config.training.label_blind)])
    outcomes = ", ".join(
        f"cast(-1 as tinyint) as {quote('gamma_' + name)}"
        if name in config.training.label_blind
        else f"j.{quote('gamma_' + name)}"
        for name in config.levels
    )
    con.execute(f"""
create or replace temp table {quote(scored)} as
with pair as (
    select j.left_id, j.right_id, j.rule, j.rules, {weight} as match_weight, {outcomes}
    from {judged} j
    join {quote(labelled)} c using (left_id, right_id)
    where (cast(j.rules as ubigint) & cast({seen} as ubigint)) <> 0
)
select *, 1 / (1 + pow(2.0, -match_weight)) as match_probability
from pair""")
    types = columns_of(con, f"{config.entity}_profiles")
    blanks = ", ".join(f"cast(null as {types[c]}) as {quote(c)}" for c in sorted(hidden & types.keys()))
    con.execute(f"""
create or replace temp table {quote(profiles)} as
select * replace ({blanks})
from {quote(config.entity + "_profiles")}
where profile_id in (select left_id from {quote(scored)} union all select right_id from {quote(scored)})""")


def hidden_columns(config: EntityConfig) -> frozenset[str]:
    """Return the columns of the fields whose comparisons the identifier decides."""
    types = {field.name: field.type for field in config.field}
    fields = {c.field for c in config.comparison if c.name in config.training.label_blind}
    return frozenset(column for field in fields for column in FIELD_TYPES[types[field]].columns(field))


def told_by_identifier(config: EntityConfig) -> tuple[str, ...]:
    """Return the comparisons of fields that may be read off the identifier, such as the birth date in a number."""
    hidden = hidden_columns(config)
    derived = {f.name for f in config.field if hidden & set(f.columns_read)}
    return tuple(c.name for c in config.comparison if c.field in derived)


def _label(con: DuckDBPyConnection, config: EntityConfig, out: str) -> tuple[int, int]:
    con.execute(f"""
create or replace temp table {quote(out)} as
select j.left_id, j.right_id, l.entity = r.entity as same, {_part("l.entity", "r.entity")} as part
from {quote(config.entity + "_judged")} j
join {ENTITY_OF} l on l.profile_id = j.left_id
join {ENTITY_OF} r on r.profile_id = j.right_id
where j.left_id < j.right_id""")
    pairs, matches = only_row(con, f"select count(*), count(*) filter (same) from {quote(out)}")
    return pairs, matches


def _part(left: str, right: str) -> str:
    return f"cast(md5_number(cast(least({left}, {right}) as varchar)) % 2 as tinyint)"


def _entities_of_rulings(con: DuckDBPyConnection) -> None:
    """Make the table of entities that the rulings imply: everything that a chain of yes connects."""
    rows: Any = con.execute(
        "select left_id, right_id, same and not contradicted as linked from calibration_ruled order by all"
    ).fetchnumpy()
    nodes, codes = np.unique(np.concatenate([rows["left_id"], rows["right_id"]]), return_inverse=True)
    linked = np.asarray(rows["linked"], dtype=bool)
    left, right = codes[: len(linked)][linked], codes[len(linked) :][linked]
    found = connected(len(nodes), left, right)
    first = np.full(int(found.max()) + 1 if len(found) else 0, np.iinfo(np.int64).max)
    np.minimum.at(first, found, nodes.astype(np.int64))
    con.execute(f"create or replace temp table {ENTITY_OF} (profile_id bigint, entity bigint)")
    if len(nodes):
        con.execute(
            f"insert into {ENTITY_OF} select unnest(?::bigint[]), unnest(?::bigint[])",
            [nodes.astype(np.int64).tolist(), first[found].tolist()],
        )


def _weight_sql(config: EntityConfig, model: Model, comparison: str) -> str:
    levels = config.levels[comparison]
    whens = " ".join(
        f"when {outcome_number(levels, level.name)} then {model.parameters(comparison, level.name).weight!r}"
        for level in levels
        if not level.is_missing
    )
    adjusted = [level.name for level in levels if level.term_frequency]
    if adjusted:
        raise LinkageError(
            f"comparison {comparison!r} in training.label_blind weighs rare values ({', '.join(adjusted)}); "
            "its weight cannot be taken back: give --truth or --labels"
        )
    return f"case j.{quote('gamma_' + comparison)} {whens} else 0.0 end"


def _open(con: DuckDBPyConnection, view: str, path: Path, columns: tuple[str, ...]) -> None:
    if not path.is_file():
        raise LinkageError(f"{path}: no such file; give labels as Parquet or CSV")
    kinds = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = kinds[-1] if kinds else ""
    try:
        if kind in (".parquet", ".pq"):
            relation = con.read_parquet(str(path))
        elif kind in (".csv", ".tsv", ".txt"):
            relation = con.read_csv(str(path), header=True, all_varchar=True)
        else:
            raise LinkageError(f"{path}: unknown kind of file {kind!r}; give Parquet or CSV (.parquet, .csv, .tsv)")
        absent = [column for column in columns if column not in relation.columns]
        if absent:
            raise LinkageError(f"{path}: no column {', '.join(absent)}; labels need {', '.join(columns)}")
        relation.create_view(f"{view}_file", replace=True)
        chosen = ", ".join(map(quote, columns))
        con.execute(f"create or replace temp table {view} as select {chosen} from {view}_file")
    except duckdb.Error as error:
        # The engine's message may quote a row, so only its kind is repeated.
        raise LinkageError(
            f"{path}: cannot be read as {kind[1:]} ({type(error).__name__}); is the file whole?"
        ) from None
