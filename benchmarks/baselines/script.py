"""What every baseline script shares: its command line, how it reads its records and writes its results.

A baseline is a function `link(con, entity, records) -> Linked`; `records` is a view of the canonical file with
`unique_id` = `source:source_record_id`. Written are `DIR/clusters.parquet` (source, source_record_id, entity_id) and
`DIR/pairs.parquet` (left_id, right_id, match_weight), the latter for choosing another threshold afterwards.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

# Pairs below this match weight are not written: no threshold worth trying lies there.
KEPT_WEIGHT = -5.0


@dataclass(frozen=True)
class Linked:
    """Names of two tables: scored pairs (unique_id_l, unique_id_r, match_weight), clusters (cluster_id, unique_id)."""

    pairs: str
    clusters: str


Link = Callable[[duckdb.DuckDBPyConnection, str, str], Linked]


def link_file(link: Link, entity: str, file: Path, output: Path) -> None:
    """Link one file of canonical columns and write the results."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    output.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.read_parquet(str(file)).create_view("file")
        con.execute("create view records as select source || ':' || source_record_id as unique_id, * from file")
        linked = link(con, entity, "records")
        con.sql(f"""
select source, source_record_id, 'C' || c.cluster_id as entity_id
from records
join {linked.clusters} c using (unique_id)
order by source, source_record_id""").write_parquet(str(output / "clusters.parquet"))
        con.sql(f"""
select
    least(unique_id_l, unique_id_r) as left_id,
    greatest(unique_id_l, unique_id_r) as right_id,
    match_weight
from {linked.pairs}
order by left_id, right_id""").write_parquet(str(output / "pairs.parquet"))


def run(link: Link, description: str) -> None:
    """Read the command line and link one file."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("entity", choices=("legal_person", "natural_person"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    link_file(link, arguments.entity, arguments.file, arguments.output)


def filled_columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """Return the columns of a table that hold any value: Splink cannot estimate a comparison of empty columns."""
    counted = con.execute(f"select count(columns(*)) from {table}")
    names = [column[0] for column in counted.description or ()]
    return {name for name, count in zip(names, counted.fetchall()[0], strict=True) if count}
