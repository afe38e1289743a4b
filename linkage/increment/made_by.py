"""By what a run's tables were made: hashes of all that decides them, so that nothing is taken over from another maker.

A standardised column depends on the raw columns, the fields' configuration and the code; a blocking key besides on the
rules; a score on the comparisons, the model and the term frequencies; a golden value on the survivorship configuration,
the sources' ranks and the code.

Invariant: two runs with equal hashes make equal tables of equal input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.metadata import version

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import columns_of, only_row
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model

_LIBRARIES = ("duckdb", "opencc-python-reimplemented", "pyarrow", "pypinyin", "rapidfuzz", "splink")


def write_made_by(con: DuckDBPyConnection, config: EntityConfig, model: Model, frequencies: str, *, out: str) -> None:
    """Make the table that says by what a run's tables were made.

    Columns: standardised_by, keyed_by, scored_by, resolved_by; survived_by, release and published_at, null until golden
    values are made and published.
    """
    con.execute(
        f"create or replace table {quote(out)} as "
        "select ?::varchar as standardised_by, ?::varchar as keyed_by, ?::varchar as scored_by, "
        "?::varchar as resolved_by, null::varchar as survived_by, null::bigint as release, "
        "null::varchar as published_at",
        [standardiser(config), keyer(config), scorer(config, model, frequencies), resolver(config, model)],
    )


def standardiser(config: EntityConfig) -> str:
    """Return a hash of everything that decides a record's standardised columns, and its profile."""
    fields = "".join(field.model_dump_json() for field in config.field)
    return _hash(fields, "|".join(config.profile_columns), _program("matchers", "linkage"))


def keyer(config: EntityConfig) -> str:
    """Return a hash of everything that decides a profile's blocking keys, but its content."""
    rules = "".join(rule.model_dump_json() for rule in config.blocking)
    return _hash(standardiser(config), rules, _program("blocking"))


def scorer(config: EntityConfig, model: Model, frequencies: str) -> str:
    """Return a hash of everything that decides a pair's outcomes and weight.

    Args:
        config: the entity type.
        model: the parameters.
        frequencies: hash of the term frequencies.
    """
    comparisons = "".join(comparison.model_dump_json() for comparison in config.comparison)
    return _hash(standardiser(config), comparisons, model.model_dump_json(), frequencies)


def resolver(config: EntityConfig, model: Model) -> str:
    """Return a hash of everything that decides the clusters of given records, but the term frequencies."""
    return _hash(config.hash, model.model_dump_json(), _program("matchers", "linkage", "blocking", "golden_records"))


def survivor(config: EntityConfig, survivorship: str, ranks: Mapping[str, int]) -> str:
    """Return a hash of everything that decides an entity's golden values, but its records.

    Args:
        config: the entity type.
        survivorship: its section of the survivorship configuration, as text.
        ranks: source to rank.
    """
    return _hash(standardiser(config), survivorship, repr(sorted(ranks.items())), _program("golden_records"))


def hash_of_tables(con: DuckDBPyConnection, tables: Sequence[str]) -> str:
    """Return a hash of the content of tables, whatever the order of their rows."""
    parts = []
    for table in tables:
        columns = ", ".join(map(quote, columns_of(con, table)))
        parts.append(
            only_row(con, f"select count(*), bit_xor(md5_number(row({columns})::varchar)) from {quote(table)}")
        )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@cache
def _program(*packages: str) -> str:
    """Return a hash of our code, and of the versions of what it calls."""
    digest = hashlib.sha256(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    for package in packages:
        with resources.as_file(resources.files(package)) as folder:
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
