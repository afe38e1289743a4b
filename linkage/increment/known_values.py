"""Values that the last run has standardised already are looked up, not standardised again.

New and corrected records mostly repeat names, addresses and telephones that other records have. Of a field that reads
one raw column, the attributes are those of any record of the last run with the same value in it.

Invariant: what is looked up is what would be computed; the last run was of the same program and configuration.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.entity_config import EntityConfig
from linkage.fields import CANONICAL_FIELDS
from linkage.increment.before import Before
from linkage.standardise import Distinct, Spread
from matchers.field_types import FIELD_TYPES


def known_values(con: DuckDBPyConnection, config: EntityConfig, before: Before) -> Callable[[Spread], Spread]:
    """Return what hands on only values that the last run had not (see `linkage.standardise.standardise`).

    Args:
        con: DuckDB connection with the last run attached.
        config: the entity type.
        before: the last run; `before.standardised` must hold.
    """
    plain = set(CANONICAL_FIELDS[config.entity])
    read = {field.name: field.read[0] for field in config.field if len(field.read) == 1 and field.read[0] in plain}

    def through(spread: Spread) -> Spread:
        def look(kind: str, values: pa.Array) -> Distinct:
            type_name, name, _ = kind.split(":")
            if name not in read:
                return spread(kind, values)
            columns = list(FIELD_TYPES[type_name].columns(name))
            places, found = _find(con, before, read[name], columns, values)
            unknown = np.setdiff1d(np.arange(len(values)), places)
            rest = spread(kind, values.take(pa.array(unknown)))
            order = np.argsort(np.concatenate([places, unknown]))

            def whole() -> pa.Table:
                made = rest()
                return pa.concat_tables([found.cast(made.schema), made]).take(pa.array(order))

            return whole

        return look

    return through


def _find(
    con: DuckDBPyConnection, before: Before, column: str, attributes: list[str], values: pa.Array
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], pa.Table]:
    """Return the places of the values that records of the last run have in a column, and their attributes."""
    given = pa.table({"value": values, "value_place": pa.array(np.arange(len(values)))})
    con.register("values_wanted", given.filter(pc.is_valid(given.column("value"))))
    con.execute(f"""
create or replace temp table value_known as
select w.value_place, min(r.rowid) as place
from {before.table("records")} r
join values_wanted w on r.{quote(column)} = w.value
group by w.value_place""")
    con.unregister("values_wanted")
    names = ", ".join(f"r.{quote(name)}" for name in attributes)
    found = con.sql(f"""
select k.value_place, {names}
from {before.table("records")} r
join value_known k on k.place = r.rowid""").to_arrow_table()
    con.execute("drop table value_known")
    return found.column("value_place").to_numpy(), found.drop_columns("value_place")
