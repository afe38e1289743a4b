"""The truth about simulated records: which entity each is of, since when, and which errors it carries.

`natural_person.parquet` and `legal_person.parquet` have columns source, source_record_id, entity_id, month_first
(`YYYY-MM`) and errors (the classes in the newest version of the record). `damaged_rows.parquet` counts rows that are
no records: month, file, kind, rows. `relations.parquet` has who represented, ran, belonged to, succeeded and employed
whom: entity_id, relation, other_entity_id as in the catalog, month_first, month_last (null: still in the last month).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from eval.simulator.channels import World
from eval.simulator.columns import Ints, Text, constant, digits, join, take
from eval.simulator.feeds import Feed
from eval.simulator.files import Damage
from eval.simulator.organisation_names import INDIVIDUAL
from eval.simulator.sources import shape

ENTITIES = ("legal_person", "natural_person")
_RELATION_COLUMNS = ("entity_id", "relation", "other_entity_id")


@dataclass(frozen=True)
class Ties:
    """Who represents each organisation and whom each person works for in one month, by rows of the world."""

    rep: Ints
    employer: Ints

    @classmethod
    def of(cls, world: World) -> Ties:
        """Keep the ties of the current month."""
        return cls(world.organisations.rep.copy(), world.people.employer.copy())


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


def write_truth(
    folder: Path, feeds: list[Feed], world: World, damage: list[tuple[str, Damage]], ties: Sequence[Ties]
) -> dict[str, int]:
    """Write the truth files and return the number of records with each error class; `ties` are of every month."""
    folder.mkdir(exist_ok=True)
    labels = [str(np.datetime64(int(day), "D"))[:7] for day in world.months]
    counts: Counter[str] = Counter()
    for entity in ENTITIES:
        tables = [truth_table(feed, labels) for feed in feeds if shape(feed.plan.name).entity == entity]
        table = pa.concat_tables(tables)
        pa.parquet.write_table(table, folder / f"{entity}.parquet", compression="zstd")
        counts.update(error_counts(table))
    pa.parquet.write_table(_damage_table(damage), folder / "damaged_rows.parquet")
    pa.parquet.write_table(relations_table(world, ties), folder / "relations.parquet", compression="zstd")
    return dict(sorted(counts.items()))


def error_counts(truth: pa.Table) -> dict[str, int]:
    """Return how many records carry each error class."""
    counted = pc.value_counts(pc.list_flatten(truth["errors"]))
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def relations_table(world: World, ties: Sequence[Ties]) -> pa.Table:
    """Return the true relations of all months, each with the first and the last month it held."""
    parts = [_in_month(world, tie, month) for month, tie in enumerate(ties, start=1)]
    held = pa.concat_tables(parts).group_by(list(_RELATION_COLUMNS)).aggregate([("month", "min"), ("month", "max")])
    labels = [str(np.datetime64(int(day), "D"))[:7] for day in world.months]
    last = held["month_max"].to_numpy()
    ended = pa.array(last == len(ties))
    table = held.select(list(_RELATION_COLUMNS))
    table = table.append_column("month_first", take(labels, held["month_min"].to_numpy() - 1))
    table = table.append_column("month_last", pc.if_else(ended, pa.scalar(None, pa.string()), take(labels, last - 1)))
    return table.sort_by([(name, "ascending") for name in _RELATION_COLUMNS])


def _in_month(world: World, ties: Ties, month: int) -> pa.Table:
    firms, people = world.organisations, world.people
    firm, worker = firms.at(month), people.at(month)
    worker = worker[ties.employer[worker] >= 0]
    branch, later = firm[firms.parent[firm] >= 0], firm[firms.predecessor[firm] >= 0]
    person_to_firm = take(("legal_representative_of", "operator_of"), (firms.kind[firm] == INDIVIDUAL).astype(np.int64))
    tables = [
        _named("natural_person", ties.rep[firm], person_to_firm, firm),
        _named("natural_person", worker, constant("employed_by", len(worker)), ties.employer[worker]),
        _named("legal_person", branch, constant("branch_of", len(branch)), firms.parent[branch]),
        _named("legal_person", later, constant("succeeds", len(later)), firms.predecessor[later]),
    ]
    table = pa.concat_tables(tables)
    return table.append_column("month", pa.array(np.full(table.num_rows, month)))


def _named(entity: str, rows: Ints, relation: Text, firms: Ints) -> pa.Table:
    return pa.table(
        dict(
            zip(
                _RELATION_COLUMNS,
                (entity_ids(entity, rows), relation, entity_ids("legal_person", firms)),
                strict=True,
            )
        )
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
