"""Score candidate pairs with Splink: a match weight, a probability, and the outcome of every comparison.

Splink is given our pairs (it does not block) and our term frequencies (smoothed, see `Model.smoothed_frequency`), and
evaluates each comparison's levels in SQL. The outcome is stored as Splink's number: -1 missing, 0 the last level, and
so on upwards to the best.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from duckdb import DuckDBPyConnection
from splink import DuckDBAPI, Linker

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError
from linkage.model import Model, splink_settings, term_frequency_columns
from matchers.levels import Level


def outcome_number(levels: tuple[Level, ...], name: str) -> int:
    """Return Splink's number of a level: -1 for `missing`, else how many levels come after it."""
    if name == "missing":
        return -1
    return len(levels) - 1 - next(i for i, level in enumerate(levels) if level.name == name)


def level_of_number(levels: tuple[Level, ...], number: int) -> Level:
    """Return the level with Splink's number."""
    if number == -1:
        return next(level for level in levels if level.is_missing)
    return levels[len(levels) - 1 - number]


def _outcome_sql(name: str, levels: tuple[Level, ...], model: Model) -> str:
    """Return the expression that reads a comparison's outcome off its weight.

    Splink keeps the outcome's number only together with every column compared, which is far too wide for millions of
    pairs; it does keep the weight, and a model's weights are distinct (see `linkage.training.make_sense`).
    """
    whens = " ".join(
        f"when cast({model.parameters(name, level.name).weight!r} as float8) then {outcome_number(levels, level.name)}"
        for level in levels
        if not level.is_missing
    )
    alias = quote("gamma_" + name)
    return f"cast(case s.{quote('mw_' + name)} {whens} when 0.0 then -1 end as tinyint) as {alias}"


def make_term_frequencies(
    con: DuckDBPyConnection, config: EntityConfig, model: Model, *, profiles: str, prefix: str
) -> Mapping[str, str]:
    """Make one table of term frequencies per column that needs one.

    Args:
        con: DuckDB connection.
        config: the entity type.
        model: gives the smoothing.
        profiles: where values are counted.
        prefix: prefix of the tables' names.

    Returns:
        Column to table (columns: the value under the column's name, `tf_<column>`).
    """
    tables: dict[str, str] = {}
    for column, users in term_frequency_columns(config).items():
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
)
select
    {quote(column)},
    greatest((n + ?) / ((select sum(n) from counted) + ?), ?)::double as {quote("tf_" + column)}
from counted""",
            [model.tf_prior_strength * level_u, model.tf_prior_strength, model.tf_minimum],
        )
        tables[column] = table
    return tables


def score(
    con: DuckDBPyConnection,
    config: EntityConfig,
    model: Model,
    *,
    profiles: str,
    pairs: str,
    frequencies: Mapping[str, str],
    out: str,
) -> None:
    """Make the table of scored pairs.

    Args:
        con: DuckDB connection.
        config: the entity type.
        model: the parameters.
        profiles: the profiles.
        pairs: left_id, right_id, rule, rules.
        frequencies: tables of `make_term_frequencies`.
        out: table to make: left_id, right_id, rule, rules, match_weight, match_probability, and `gamma_<comparison>`.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=con)
    narrow = f"{out}_profiles"
    compared = ", ".join(quote(column) for column in config.compared_columns)
    con.execute(f"create or replace temp view {quote(narrow)} as select profile_id, {compared} from {quote(profiles)}")
    linker = Linker(
        api.register(con.table(narrow)), splink_settings(config, model), log_level=None, validate_settings=False
    )
    for column, table in frequencies.items():
        linker.table_management.register_term_frequency_lookup(api.register(con.table(table)), column)
    blocked = f"{out}_blocked"
    con.execute(f"""
create or replace temp view {quote(blocked)} as
select cast(rule as varchar) as match_key, left_id as join_key_l, right_id as join_key_r
from {quote(pairs)}""")
    linker.table_management.register_blocked_pairs_for_predict(api.register(con.table(blocked)))
    predicted = linker.inference.predict(warning_mode="never")
    outcomes = ",\n    ".join(_outcome_sql(name, levels, model) for name, levels in config.levels.items())
    con.execute(f"""
create or replace table {quote(out)} as
select
    s.profile_id_l as left_id,
    s.profile_id_r as right_id,
    p.rule,
    p.rules,
    s.match_weight,
    s.match_probability,
    {outcomes}
from {predicted.physical_name} s
join {quote(pairs)} p on s.profile_id_l = p.left_id and s.profile_id_r = p.right_id""")
    unread = " or ".join(f"{quote('gamma_' + name)} is null" for name in config.levels)
    (lost,) = only_row(con, f"select count(*) from {quote(out)} where {unread}")
    if lost:
        raise LinkageError(f"{lost} scored pairs with a weight that no level of the model has: report this as a defect")
    predicted.drop_table_from_database_and_remove_from_cache()
    for view in (blocked, narrow):
        con.execute(f"drop view {quote(view)}")
