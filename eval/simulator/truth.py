"""The truth about simulated records: which entity each is of, since when, and which errors it carries.

`natural_person.parquet` and `legal_person.parquet` have columns source, source_record_id, entity_id, month_first
(`YYYY-MM`) and errors (the classes in the newest version of the record). `damaged_rows.parquet` counts rows that are
no records: month, file, kind, rows. `relations.parquet` has who represents which organisation in the last month.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from eval.simulator.channels import World
from eval.simulator.columns import Ints, Text, constant, digits, join, take
from eval.simulator.feeds import Feed
from eval.simulator.files import Damage
from eval.simulator.sources import shape

ENTITIES = ("legal_person", "natural_person")


def entity_ids(entity: str, subjects: Ints) -> Text:
    """Return the true entity ids of subjects (rows of people or organisations)."""
    return join("P" if entity == "natural_person" else "O", digits(subjects + 1, 9))


def truth_table(feed: Feed, labels: list[str]) -> pa.Table:
    """Return the truth of one source's records."""
    entity = shape(feed.plan.name).entity
    return pa.table(
        {
            "source": constant(feed.plan.name, len(feed)),
            "source_record_id": feed.source_record_ids(),
            "entity_id": entity_ids(entity, feed.subject),
            "month_first": take(labels, feed.month_first - 1),
            "errors": feed.errors(),
        }
    )


def write_truth(folder: Path, feeds: list[Feed], world: World, damage: list[tuple[str, Damage]]) -> dict[str, int]:
    """Write the truth files and return the number of records with each error class."""
    folder.mkdir(exist_ok=True)
    labels = [str(np.datetime64(int(day), "D"))[:7] for day in world.months]
    counts: Counter[str] = Counter()
    for entity in ENTITIES:
        tables = [truth_table(feed, labels) for feed in feeds if shape(feed.plan.name).entity == entity]
        table = pa.concat_tables(tables)
        pa.parquet.write_table(table, folder / f"{entity}.parquet", compression="zstd")
        counts.update(error_counts(table))
    pa.parquet.write_table(_damage_table(damage), folder / "damaged_rows.parquet")
    pa.parquet.write_table(_relations(world), folder / "relations.parquet", compression="zstd")
    return dict(sorted(counts.items()))


def error_counts(truth: pa.Table) -> dict[str, int]:
    """Return how many records carry each error class."""
    counted = pc.value_counts(pc.list_flatten(truth["errors"]))
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def _relations(world: World) -> pa.Table:
    firms = world.organisations
    rows = np.arange(len(firms))
    return pa.table(
        {
            "legal_person": entity_ids("legal_person", rows),
            "natural_person": entity_ids("natural_person", firms.rep),
            "relation": take(("legal_representative", "operator"), (firms.kind == 1).astype(np.int64)),
        }
    )


def _damage_table(damage: list[tuple[str, Damage]]) -> pa.Table:
    return pa.table(
        {
            "month": pa.array([month for month, _ in damage], pa.string()),
            "file": pa.array([item.file for _, item in damage], pa.string()),
            "kind": pa.array([item.kind for _, item in damage], pa.string()),
            "rows": pa.array([item.rows for _, item in damage], pa.int64()),
        }
    )
