"""`guiyi verify --deep`: who is with whom, found again from the records alone, taking nothing over.

Increments and decisions at once change only what they touch; this proves that they come to what a full run comes to.
The records in force, the model, the term frequencies and the decisions are those of the batch database; everything from
standardising to clusters is computed anew in a temporary database. Links that hold by hysteresis are kept where the
batch database says the last run had them: that a link was once made cannot be found again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from blocking.sql import quote
from golden_records.catalog.integrity import EXAMPLES, Check
from golden_records.catalog.store import open_catalog
from golden_records.decisions import read_decisions
from linkage.database import connect, only_row
from linkage.entity_config import load_entity_config
from linkage.fields import Entity
from linkage.increment.before import batch_before, look_before
from linkage.increment.made_by import resolver
from linkage.model.parameters import load_model
from linkage.pipeline import LinkageOptions, link_records
from linkage.stages import StageClock
from linkage.workspace import Workspace

SAYS = "a full run comes to the clusters of the batch"


def check_partition(workspace: Workspace, entity: Entity) -> Check:
    """Link the records of the batch database again, and compare the clusters record by record.

    Args:
        workspace: the workspace; its batch database must be that of the newest release.
        entity: the entity type.
    """
    name = f"{entity}_partition"
    config = load_entity_config(entity)
    path = workspace.model(entity)
    with (
        tempfile.TemporaryDirectory(prefix="guiyi-verify-") as scratch,
        connect(Path(scratch) / "again.duckdb", memory_limit=workspace.settings.memory_limit) as con,
        batch_before(con, workspace.batch),
        open_catalog(workspace.catalog, read_only=True) as catalog,
    ):
        before = look_before(con, config)
        if before is None or not path.exists():
            return Check("batch", name, SAYS, 0, 0, skipped="the batch database or the model is missing")
        if before.made_by(con, "resolved_by") != resolver(config, load_model(config, path)):
            return Check("batch", name, SAYS, 0, 0, skipped="made by another program, configuration or model")
        applied = {number for (number,) in con.execute(f"select * from {before.table('applied')}").fetchall()}
        decisions = [d for d in read_decisions(catalog, entity_type=entity) if d.decision_id in applied]
        con.execute(f"create table {quote(f'{entity}_raw')} as select * from {before.table('raw')}")
        options = LinkageOptions(model=path, frequencies=workspace.frequencies(entity), training="never")
        run = link_records(con, config, options, StageClock(), decisions=decisions)
        again, then = (
            f"select record_id, min(record_id) over (partition by cluster_id) as first_record, link_basis from {table}"
            for table in (quote(run.table("clusters")), before.table("clusters"))
        )
        differ = f"(({again}) except all ({then})) union all (({then}) except all ({again}))"
        (records,) = only_row(con, f"select count(*) from {before.table('clusters')}")
        (broken,) = only_row(con, f"select count(distinct record_id) from ({differ})")
        examples = con.execute(
            f"select distinct m.entity_id from ({differ}) d join {before.table('membership')} m using (record_id) "
            f"order by all limit {EXAMPLES}"
        ).fetchall()
    return Check("batch", name, SAYS, int(records), int(broken), tuple(entity_id for (entity_id,) in examples))
