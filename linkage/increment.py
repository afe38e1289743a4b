"""What a run takes over from the run before it, instead of computing it again.

Standardising and scoring, nearly all of the time of a run, depend on little: a record's standardised columns on its raw
columns, a pair's outcomes and weight on the two profiles, whose ids are hashes of their content, and on the model. So a
run of the same configuration, program and model takes both from the batch database of the last run wherever that input
is unchanged, and computes the rest. All other steps (blocks, verdicts, clusters) are made anew from all records.

Invariant: what is taken over is what would be computed; a run with and one without it make the same tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from duckdb import DuckDBPyConnection
from duckdb import Error as DuckDBError

from blocking.sql import quote
from linkage.database import columns_of, only_row
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model
from matchers.levels import literal

_ALIAS = "before"
_LIBRARIES = ("duckdb", "opencc-python-reimplemented", "pyarrow", "pypinyin", "rapidfuzz", "splink")


@dataclass(frozen=True)
class Before:
    """The batch database of the last run, attached.

    Attributes:
        entity: the entity type.
        standardised: its records were standardised by this program and configuration.
    """

    entity: str
    standardised: bool

    def table(self, name: str) -> str:
        """Return the quoted name of a table of the last run."""
        return f"{_ALIAS}.{quote(f'{self.entity}_{name}')}"

    @contextmanager
    def views(self, con: DuckDBPyConnection, *names: str) -> Iterator[tuple[str, ...]]:
        """Give views of tables of the last run, for functions that take a plain name."""
        made = tuple(f"last_{self.entity}_{name}" for name in names)
        for view, name in zip(made, names, strict=True):
            con.execute(f"create or replace temp view {quote(view)} as select * from {self.table(name)}")
        try:
            yield made
        finally:
            for view in made:
                con.execute(f"drop view {quote(view)}")


@contextmanager
def batch_before(con: DuckDBPyConnection, path: Path | None) -> Iterator[None]:
    """Attach the last run's batch database, read-only, if there is one that can be read."""
    attached = False
    if path is not None and path.exists():
        try:
            con.execute(f"attach {literal(str(path))} as {_ALIAS} (read_only)")
            attached = True
        except DuckDBError:
            attached = False  # of another version, or damaged: it is only a shortcut
    try:
        yield
    finally:
        if attached:
            con.execute(f"detach {_ALIAS}")


def look_before(con: DuckDBPyConnection, config: EntityConfig) -> Before | None:
    """Return what the attached database holds of an entity type, if anything."""
    entity = config.entity
    tables = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where database_name = ?", [_ALIAS]
        ).fetchall()
    }
    if not {f"{entity}_{name}" for name in ("made_by", "records", "profile_record", "scored", "judged")} <= tables:
        return None
    (made,) = only_row(con, f"select standardised_by from {_ALIAS}.{quote(entity + '_made_by')}")
    return Before(entity, made == standardiser(config))


def scores_hold(con: DuckDBPyConnection, config: EntityConfig, model: Model, frequencies: str) -> bool:
    """Tell whether the last run scored by the same program, configuration, model and term frequencies."""
    (made,) = only_row(con, f"select scored_by from {_ALIAS}.{quote(config.entity + '_made_by')}")
    return bool(made == scorer(config, model, frequencies))


def write_made_by(con: DuckDBPyConnection, config: EntityConfig, model: Model, frequencies: str, *, out: str) -> None:
    """Make the table that says by what a run's tables were made: standardised_by, scored_by."""
    con.execute(
        f"create or replace table {quote(out)} as select ?::varchar as standardised_by, ?::varchar as scored_by",
        [standardiser(config), scorer(config, model, frequencies)],
    )


def standardiser(config: EntityConfig) -> str:
    """Return a hash of everything that decides a record's standardised columns."""
    fields = "".join(field.model_dump_json() for field in config.field)
    return hashlib.sha256((fields + "|".join(config.profile_columns) + _program()).encode()).hexdigest()


def scorer(config: EntityConfig, model: Model, frequencies: str) -> str:
    """Return a hash of everything that decides a pair's outcomes and weight.

    Args:
        config: the entity type.
        model: the parameters.
        frequencies: hash of the term frequencies.
    """
    comparisons = "".join(comparison.model_dump_json() for comparison in config.comparison)
    text = standardiser(config) + comparisons + model.model_dump_json() + frequencies
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of_tables(con: DuckDBPyConnection, tables: Sequence[str]) -> str:
    """Return a hash of the content of tables, whatever the order of their rows."""
    parts = []
    for table in tables:
        columns = ", ".join(map(quote, columns_of(con, table)))
        parts.append(
            only_row(con, f"select count(*), bit_xor(md5_number(row({columns})::varchar)) from {quote(table)}")
        )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _program() -> str:
    """Return a hash of the code that standardises and compares: our files, and the versions of what they call."""
    digest = hashlib.sha256(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    for package in ("matchers", "linkage"):
        with resources.as_file(resources.files(package)) as folder:
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def take_records(con: DuckDBPyConnection, config: EntityConfig, before: Before, *, raw: str, out: str) -> str:
    """Make the table of records of this run that the last run standardised, and a view of the others.

    Args:
        con: DuckDB connection.
        config: the entity type.
        before: the last run; `before.standardised` must hold.
        raw: this run's raw records.
        out: table to make: as `linkage.standardise.standardise` makes it.

    Returns:
        The name of a view of the raw records that are still to be standardised.
    """
    columns = list(columns_of(con, raw))
    read = {column for field in config.field for column in field.columns_read}
    same = " and ".join(f"r.{quote(c)} is not distinct from b.{quote(c)}" for c in columns if c in read)
    attributes = ", ".join(f"b.{quote(c)}" for c in _names(con, before, "records") if c not in columns)
    own = ", ".join(f"r.{quote(c)}" for c in columns)
    con.execute(f"""
create or replace table {quote(out)} as
select {own}, {attributes}
from {quote(raw)} r
join {before.table("records")} b on r.record_id = b.record_id
where {same}""")
    rest = f"{raw}_changed"
    con.execute(f"""
create or replace view {quote(rest)} as
select r.*
from {quote(raw)} r
anti join {quote(out)} o on r.record_id = o.record_id""")
    return rest


def take_scores(con: DuckDBPyConnection, before: Before, *, pairs: str, out: str) -> str:
    """Make the table of this run's pairs that the last run scored, and a view of the others.

    Args:
        con: DuckDB connection.
        before: the last run; `scores_hold` of it.
        pairs: this run's pairs: left_id, right_id, rule, rules.
        out: table to make: as `linkage.model.scoring.score` makes it.

    Returns:
        The name of a view of the pairs that are still to be scored.
    """
    kept = ("left_id", "right_id", "rule", "rules")
    scores = ", ".join(f"b.{quote(c)}" for c in _names(con, before, "scored") if c not in kept)
    con.execute(f"""
create or replace table {quote(out)} as
select p.left_id, p.right_id, p.rule, p.rules, {scores}
from {quote(pairs)} p
join {before.table("scored")} b on p.left_id = b.left_id and p.right_id = b.right_id""")
    rest = f"{out}_new_pairs"
    con.execute(f"""
create or replace view {quote(rest)} as
select p.*
from {quote(pairs)} p
anti join {quote(out)} o on p.left_id = o.left_id and p.right_id = o.right_id""")
    return rest


def _names(con: DuckDBPyConnection, before: Before, table: str) -> list[str]:
    return [row[0] for row in con.execute(f"describe {before.table(table)}").fetchall()]
