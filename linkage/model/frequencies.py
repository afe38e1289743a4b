"""Term frequencies: how common a value is, which decides what sharing it is worth.

A workspace keeps the frequencies of the run that its model came from, beside the model: with frequencies that followed
every load, last month's weights would change without anybody's doing. A value that was not there then is rare. A column
that was empty then has its values counted in the first run that has some.

Table per column: the value under the column's name, `tf_<column>` (smoothed, see `Model.smoothed_frequency`); the row
without a value holds the frequency of a value that was never seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.database import count
from linkage.durable import replace_whole
from linkage.entity_config import EntityConfig
from linkage.model.parameters import Model, term_frequency_columns
from matchers.levels import literal


def make_frequencies(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    *,
    profiles: str,
    prefix: str,
    known: Collection[str] = (),
) -> Mapping[str, str]:
    """Count values and make one table of term frequencies per column that needs one.

    Args:
        con: DuckDB connection.
        config: the entity type.
        model: gives the smoothing.
        profiles: where values are counted.
        prefix: prefix of the tables' names.
        known: columns that have a table already.

    Returns:
        Column to table, of the others.
    """
    tables: dict[str, str] = {}
    for column, users in term_frequency_columns(config).items():
        if column in known:
            continue
        level_u = max(model.parameters(comparison, level).u for comparison, level in users)
        table = f"{prefix}_{column}"
        con.execute(
            f"""
create or replace table {quote(table)} as
with counted as (
    select {quote(column)}, count(*) as n
    from {quote(profiles)}
    where {quote(column)} is not null
    group by {quote(column)}
    union all
    select null, 1
),
total as (
    select coalesce(sum(n), 0) as n
    from counted
    where {quote(column)} is not null
)
select
    {quote(column)},
    greatest((c.n + ?) / (t.n + ?), ?)::double as {quote("tf_" + column)}
from counted c, total t
where t.n > 0""",
            [model.tf_prior_strength * level_u, model.tf_prior_strength, model.tf_minimum],
        )
        tables[column] = table
    return tables


def save_frequencies(con: DuckDBPyConnection, tables: Mapping[str, str], path: Path) -> None:
    """Write tables of term frequencies to one Parquet file, replacing it whole."""
    parts = " union all ".join(
        f"select '{column}' as field, cast({quote(column)} as varchar) as value, {quote('tf_' + column)} as frequency "
        f"from {quote(table)}"
        for column, table in tables.items()
    )
    temporary = path.with_suffix(".tmp")
    con.execute(f"copy ({parts} order by field, value) to {literal(str(temporary))} (format parquet)")
    replace_whole(temporary, path)


def load_frequencies(con: DuckDBPyConnection, config: EntityConfig, path: Path, *, prefix: str) -> Mapping[str, str]:
    """Make the tables that `save_frequencies` wrote.

    Returns:
        Column to table, of the columns that the configuration needs and the file has values of.
    """
    held = _columns_of(con, path)
    tables: dict[str, str] = {}
    for column in term_frequency_columns(config):
        if column not in held:
            continue
        table = f"{prefix}_{column}"
        con.execute(
            f"""
create or replace table {quote(table)} as
select cast(value as {config.columns[column]}) as {quote(column)}, frequency as {quote("tf_" + column)}
from read_parquet({literal(str(path))})
where field = ?""",
            [column],
        )
        tables[column] = table
    return tables


def lacks_values(con: DuckDBPyConnection, tables: Mapping[str, str], path: Path) -> bool:
    """Tell whether there are values of a column that the file at `path`, if there is one, has no values of."""
    held = _columns_of(con, path) if path.exists() else set()
    return any(column not in held and count(con, table) for column, table in tables.items())


def _columns_of(con: DuckDBPyConnection, path: Path) -> set[str]:
    return {
        field for (field,) in con.execute(f"select distinct field from read_parquet({literal(str(path))})").fetchall()
    }
