"""Credit rows in, the same rows with their entity out: `attach_rows` is the whole job.

A row belongs to the entity that holds its identifiers. A row without a known identifier belongs where the subject
record belongs that it names by `source` and `source_record_id`, with that record's basis and probability. Nothing is
guessed: two entities for one row are a conflict, and a row of a conflict has no entity, only candidates.

Memory does not grow with rows: the tables of the release and the readings of distinct cells are held, rows stream
through, and what equality does not settle is kept on disk.

Invariant: every row that comes in goes out once, in one status, or is among the unread rows; the summary's sums prove
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from linkage.attach.catalogue import Item
from linkage.attach.credit_rows import (
    IDENTIFIER_COLUMNS,
    CreditRows,
    rows_sql,
)
from linkage.attach.names import find_other_names
from linkage.attach.readings import make_readings, read_cells
from linkage.attach.row_sql import judged_sql, resolved_sql, unread_cells_sql, written_sql
from linkage.attach.settled_sql import settled_sql
from linkage.attach.subjects import SubjectTables
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.fields import Entity
from linkage.ingest.sql import literal, parquet, quote
from linkage.model.parameters import Model

STATUSES = ("matched", "conflict", "none")
# Credit rows are mostly numbers of their own, which gain nothing from a dictionary; the first level of zstd makes files
# a twentieth larger than the third does, in half the time.
_PARQUET = "format parquet, compression zstd, compression_level 1, dictionary_size_limit 4000"
_GATHERED_ROWS = 122_880  # of each status, before they are written: a row group


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
    run.con.execute(f"set partitioned_write_flush_threshold = {_GATHERED_ROWS}")
    for column in IDENTIFIER_COLUMNS:
        make_readings(run.con, column, subjects=run.subjects)
    run.con.execute("create or replace temp table other_name (entity_id varchar, name varchar)")
    run.con.execute("create or replace temp table catalogue_item (id varchar, kind varchar)")
    if run.items:
        kinds = {"legal_person": "LP", "natural_person": "NP"}
        rows = [(item.id, kinds[item.concerns]) for item in run.items.values()]
        run.con.executemany("insert into catalogue_item values (?, ?)", rows)


def attach_rows(run: Attaching, rows: CreditRows, columns: Mapping[str, str], output: Path, prefix: str) -> list[Count]:
    """Attach rows and write them, one folder for each status.

    Args:
        run: what to work with; `prepare` has been called.
        rows: the rows.
        columns: known column → the rows' column.
        output: folder to write to: `attach_status=STATUS/PREFIX….parquet`.
        prefix: of the names of the files written.
    """
    others = output / f"{prefix}_others.parquet"
    _write_settled(run, rows, columns, output / "attach_status=matched" / f"{prefix}_settled.parquet", others)
    _write_others(run, rows, columns, output, prefix, others)
    others.unlink()
    return list(_counts(run, columns, output, prefix))


def _write_settled(run: Attaching, rows: CreditRows, columns: Mapping[str, str], settled: Path, others: Path) -> None:
    """Write the rows that equality settles, and keep the others in a file."""
    halves = settled_sql(run.subjects, rows, columns, item=run.item)
    settled.parent.mkdir(exist_ok=True)
    if only_row(run.con, f"copy ({halves.settled}) to {literal(str(settled))} ({_PARQUET})") == (0,):
        settled.unlink()
    run.con.execute(f"copy ({halves.others}) to {literal(str(others))} (format parquet, compression lz4)")


def _write_others(
    run: Attaching, rows: CreditRows, columns: Mapping[str, str], output: Path, prefix: str, others: Path
) -> None:
    """Read the cells of the rows that equality does not settle, judge the rows and write them by status."""
    con, rest = run.con, parquet(others)
    for column in (c for c in IDENTIFIER_COLUMNS if c in columns):
        cells = unread_cells_sql(rest, columns, column)
        read_cells(con, column, cells, subjects=run.subjects, processes=run.processes)
    resolved = resolved_sql(run.subjects, rest, columns, item=run.item)
    con.execute(f"create or replace temp view credit_row as {resolved}")
    named = "name" in columns
    if named:
        held = "select distinct _gy_only_id as entity_id, _gy_name as name from credit_row"
        pairs = f"{held} where _gy_only_id is not null and _gy_name is not null"
        find_other_names(con, pairs, run.models, subjects=run.subjects, out="other_name")
    written = written_sql(rows, f"({judged_sql('from credit_row', named=named)})")
    con.execute(
        f"copy ({written}) to {literal(str(output))} ({_PARQUET}, partition_by (attach_status), "
        f"write_partition_columns true, overwrite_or_ignore true, filename_pattern {literal(prefix + '_{i}')})"
    )
    con.execute("drop view credit_row")


def _counts(run: Attaching, columns: Mapping[str, str], output: Path, prefix: str) -> Iterator[Count]:
    """Yield the rows written by file, source, item, status and reason."""
    source = f"{quote(columns['source'])}::varchar" if "source" in columns else "null::varchar"
    item = f"{quote(columns['item'])}::varchar" if "item" in columns else "null::varchar"
    for status in STATUSES:
        written = sorted((output / f"attach_status={status}").glob(f"{prefix}_*.parquet"))
        if not written:
            continue
        counted = run.con.execute(
            f"""
select attach_file, coalesce({source}, ''), coalesce({item}, ?), attach_reason, count(*)
from {parquet(*written)}
group by all
order by all""",
            [run.item or ""],
        ).fetchall()
        for file, of_source, of_item, reason, rows in counted:
            yield Count(file, of_source, of_item, status, reason, rows)


def rows_of(con: DuckDBPyConnection, rows: CreditRows) -> int:
    """Return how many rows there are."""
    return int(only_row(con, f"select count(*) from {rows_sql(rows)}")[0])
