"""Whether a row's name goes with the entity that its identifier leads to.

An equal number under an unrelated name is a shifted row, a borrowed document or a typing error: the rules that decide
this for two records of the batch decide it here, on the row's number and name and the entity's number and each of its
names.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.attach.subjects import SubjectTables
from linkage.entity_config import EntityConfig
from linkage.fields import Entity
from linkage.model.online import score_pair
from linkage.model.parameters import Model
from linkage.standardise import standardise_row

# Fictional numbers that are valid: the rules want to see that a number is equal, not which.
_EQUAL_NUMBER = {
    "legal_person": {"uscc": "91440300MA5KPW5G0T"},
    "natural_person": {"id_number": "11010519491231002X"},
}
_BATCH = 50_000


def find_other_names(
    con: DuckDBPyConnection,
    pairs: str,
    models: Mapping[Entity, tuple[EntityConfig, Model]],
    *,
    subjects: SubjectTables,
    out: str,
) -> int:
    """Add to a table the names that do not go with the entity, and return how many were looked at.

    Args:
        con: DuckDB connection.
        pairs: a query for entity_id and name, each pair once.
        models: entity type → its configuration and model.
        subjects: the release; names that an entity bears as written are never looked at.
        out: table to add to: entity_id, name.
    """
    con.execute(f"create or replace temp table name_to_check as {pairs}")
    con.execute(f"""
create or replace table name_beside as
select c.entity_id, c.name, list(n.name order by n.name) as borne
from (
    select * from name_to_check
    anti join {quote(subjects.name)} using (entity_id, name)
) c
join {quote(subjects.name)} n on n.entity_id = c.entity_id
group by c.entity_id, c.name""")
    cursor, looked_at = con.cursor(), 0
    for batch in cursor.sql("select entity_id, name, borne from name_beside").to_arrow_reader(_BATCH):
        other = []
        for entity_id, name, borne in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            entity: Entity = "legal_person" if entity_id.startswith("LP") else "natural_person"
            if not any(goes_together(name, one, entity, *models[entity]) for one in borne):
                other.append((entity_id, name))
        looked_at += batch.num_rows
        columns = [pa.array([pair[i] for pair in other], pa.string()) for i in (0, 1)]
        con.register("other_names_found", pa.table(columns, names=("entity_id", "name")))
        con.execute(f"insert into {quote(out)} select entity_id, name from other_names_found")
        con.unregister("other_names_found")
    cursor.close()
    con.execute("drop table name_beside")
    con.execute("drop table name_to_check")
    return looked_at


def goes_together(name: str, borne: str, entity: Entity, config: EntityConfig, model: Model) -> bool:
    """Return whether two records of one number would be linked under these names."""
    left, right = (standardise_row(_EQUAL_NUMBER[entity] | {"name": one}, config) for one in (name, borne))
    return score_pair(config, model, left, right, lambda *_: None).verdict.verdict == "auto"
