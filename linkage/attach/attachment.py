"""Credit rows in, the same rows with their entity out: `attach_rows` is the whole job.

A row belongs to the entity that holds its identifiers. A row without a known identifier belongs where the subject
record belongs that it names by `source` and `source_record_id`, with that record's basis and probability. Nothing is
guessed: two entities for one row are a conflict, and a row of a conflict has no entity, only candidates.

Memory does not grow with rows: the tables of the release and the readings of distinct cells are held, rows stream
through, and what equality does not settle is kept on disk where it does not fit.

Invariant: every row that comes in goes out once, in one status, or is among the unread rows; the summary's sums prove
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.attach.catalogue import Item
from linkage.attach.credit_rows import (
    IDENTIFIER_COLUMNS,
    CreditFile,
    rows_sql,
)
from linkage.attach.names import find_other_names
from linkage.attach.readings import make_readings, read_cells
from linkage.attach.row_sql import judged_sql, resolved_sql, unread_cells_sql, written_sql
from linkage.attach.settled_sql import settled_sql
from linkage.attach.subjects import SubjectTables
from linkage.database import count, only_row
from linkage.entity_config import EntityConfig
from linkage.fields import Entity
from linkage.model.parameters import Model
from matchers.levels import literal

STATUSES = ("matched", "conflict", "none")


@dataclass(frozen=True)
class Attaching:
    """What a run of `guiyi attach` works with.

    Attributes:
        con: DuckDB connection with the tables of the release.
        subjects: those tables.
        items: the catalogue.
        item: the item of all rows, if the rows do not name theirs.
        models: entity type → configuration and model, for names.
        processes: worker processes for reading cells.
    """

    con: DuckDBPyConnection
    subjects: SubjectTables
    items: Mapping[str, Item]
    item: str | None
    models: Mapping[Entity, tuple[EntityConfig, Model]]
    processes: int


@dataclass(frozen=True)
class Count:
    """How many rows of one file, source and item ended in one status for one reason."""

    file: str
    source: str
    item: str
    status: str
    reason: str
    rows: int


def prepare(run: Attaching) -> None:
    """Make the tables that all files share: readings, names that do not go together, items."""
    for column in IDENTIFIER_COLUMNS:
        make_readings(run.con, column, subjects=run.subjects)
    run.con.execute("create or replace temp table other_name (entity_id varchar, name varchar)")
    run.con.execute("create or replace temp table catalogue_item (id varchar, kind varchar)")
    if run.items:
        kinds = {"legal_person": "LP", "natural_person": "NP"}
        rows = [(item.id, kinds[item.concerns]) for item in run.items.values()]
        run.con.executemany("insert into catalogue_item values (?, ?)", rows)


def attach_rows(run: Attaching, file: CreditFile, columns: Mapping[str, str], output: Path, prefix: str) -> list[Count]:
    """Attach the rows of one file and write them, one folder for each status.

    Args:
        run: what to work with; `prepare` has been called.
        file: the file.
        columns: known column → the file's column.
        output: folder to write to: `attach_status=STATUS/PREFIX….parquet`.
        prefix: of the names of the files written.
    """
    _write_settled(run, file, columns, output, prefix)
    _write_others(run, file, columns, output, prefix)
    return list(_counts(run, file, columns, output, prefix))


def _write_settled(run: Attaching, file: CreditFile, columns: Mapping[str, str], output: Path, prefix: str) -> None:
    """Write the rows that equality settles, and keep the others in the table `credit_rest`."""
    con = run.con
    halves = settled_sql(run.subjects, file, columns, item=run.item)
    folder = output / "attach_status=matched"
    folder.mkdir(exist_ok=True)
    path = folder / f"{prefix}_settled.parquet"
    written = f"copy ({halves.settled}) to {literal(str(path))} (format parquet, compression zstd)"
    if only_row(con, written) == (0,):
        path.unlink()
    con.execute(f"create or replace temp table credit_rest as {halves.others}")


def _write_others(run: Attaching, file: CreditFile, columns: Mapping[str, str], output: Path, prefix: str) -> None:
    """Read the cells of the rows in `credit_rest`, judge them and write them, one folder for each status."""
    con = run.con
    for column in (c for c in IDENTIFIER_COLUMNS if c in columns):
        cells = unread_cells_sql("credit_rest", columns, column)
        read_cells(con, column, cells, subjects=run.subjects, processes=run.processes)
    resolved = resolved_sql(run.subjects, "credit_rest", columns, item=run.item)
    con.execute(f"create or replace temp view credit_row as {resolved}")
    named = "name" in columns
    if named:
        held = "select distinct _gy_only_id as entity_id, _gy_name as name from credit_row"
        pairs = f"{held} where _gy_only_id is not null and _gy_name is not null"
        find_other_names(con, pairs, run.models, subjects=run.subjects, out="other_name")
    written = written_sql(file, f"({judged_sql('from credit_row', named=named)})")
    con.execute(
        f"copy ({written}) to {literal(str(output))} (format parquet, compression zstd, partition_by (attach_status), "
        f"write_partition_columns true, overwrite_or_ignore true, filename_pattern {literal(prefix + '_{i}')})"
    )
    con.execute("drop view credit_row")
    con.execute("drop table credit_rest")


def _counts(run: Attaching, file: CreditFile, columns: Mapping[str, str], output: Path, prefix: str) -> Iterator[Count]:
    """Yield the rows written for a file by source, item, status and reason."""
    written = [path for status in STATUSES for path in (output / f"attach_status={status}").glob(f"{prefix}_*.parquet")]
    if not written:
        return
    listed = ", ".join(literal(str(path)) for path in written)
    source = f"{quote(columns['source'])}::varchar" if "source" in columns else "null::varchar"
    item = f"{quote(columns['item'])}::varchar" if "item" in columns else "null::varchar"
    rows = run.con.execute(
        f"""
select coalesce({source}, ''), coalesce({item}, ?), attach_status, attach_reason, count(*)
from read_parquet([{listed}], hive_partitioning = false)
group by all
order by all""",
        [run.item or ""],
    ).fetchall()
    for row in rows:
        yield Count(file.name, *row)


def rows_of(con: DuckDBPyConnection, file: CreditFile) -> int:
    """Return the number of rows of a file."""
    con.execute(f"create or replace temp view credit_rows_counted as select * from {rows_sql(file)} r")
    return count(con, "credit_rows_counted")
