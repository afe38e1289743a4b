"""How two workspaces' batch databases are compared: table by table, entities by their first record or none."""

from __future__ import annotations

import duckdb

from blocking.sql import quote
from linkage.workspace import Workspace

# Made before entities have ids: equal row by row.
OF_RECORDS = (
    *(
        "records",
        "profiles",
        "profile_record",
        "keys",
        "pairs",
        "scored",
        "judged",
        "named",
        "must_link",
        "cannot_link",
    ),
    *("applied", "component", "clusters", "refused", "review_case"),
)
_IDS = frozenset(("left_entity_id", "right_entity_id"))
OF_ENTITIES = ("membership", "record_link", "golden", "provenance", "identifier", "name", "address", "phone")


def differences(one: Workspace, other: Workspace, entity: str) -> dict[str, tuple[int, int]]:
    """Return the tables that differ, with the number of rows that only the one and only the other has."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        for name, workspace in (("one", one), ("other", other)):
            con.execute(f"attach '{workspace.batch}' as {name} (read_only)")
            con.execute(
                f"create view {name}_first as select entity_id, min(record_id) as first_record "
                f"from {name}.{quote(f'{entity}_membership')} group by entity_id"
            )
        found = {}
        for table in (*OF_RECORDS, *OF_ENTITIES):
            left, right = (_rows(con, name, entity, table) for name in ("one", "other"))
            only = tuple(
                con.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0]
                for a, b in ((left, right), (right, left))
            )
            if only != (0, 0):
                found[table] = only
        return found


def _rows(con: duckdb.DuckDBPyConnection, name: str, entity: str, table: str) -> str:
    source = f"{name}.{quote(f'{entity}_{table}')}"
    columns = sorted({row[0] for row in con.execute(f"describe {source}").fetchall()} - _IDS)
    if table not in OF_ENTITIES:
        return f"select {', '.join(map(quote, columns))} from {source}"
    rest = ", ".join(f"t.{quote(c)}" for c in columns if c != "entity_id")
    return f"select f.first_record, {rest} from {source} t left join {name}_first f on t.entity_id = f.entity_id"


def ids_of(workspace: Workspace, entity: str) -> dict[str, str]:
    """Return record to entity, as the batch database says."""
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        return dict(con.execute(f'select record_id, entity_id from "{entity}_membership"').fetchall())
