"""Which entity each cell of an identifier column means, cell by distinct cell.

Nearly all cells are identifiers as the catalog holds them and are found by equality. What is left (other spellings,
old forms, damage, fillers) is read by the field types of `matchers`, once for every distinct cell, and looked up
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.attach.credit_rows import PERSON_COLUMNS
from linkage.attach.subjects import SubjectTables
from linkage.database import count, only_row
from matchers import legal_identifiers, personal_identifier

# The schemes of the catalog in which a cell of a column, as it stands, is looked up.
_AS_WRITTEN = {
    "uscc": ("uscc",),
    "registration_number": ("registration_number",),
    "organization_code": ("organization_code",),
    "tax_number": ("tax_number", "uscc"),
    "id_number": ("resident_id", "residence_permit"),
}
_LEGAL_SCHEMES = ("uscc", "organization_code", "registration_number", "tax_number")
_BATCH = 200_000
_ALONE = 20_000
_MAKE = "(raw varchar, id_type varchar, entity_id varchar, holders utinyint, candidates varchar, usable boolean)"

Cell = tuple[str, str]
Forms = list[tuple[str, str]]


def reading_of(column: str) -> str:
    """Return the name of the table of a column's cells that the catalog holds as they are written."""
    return f"reading_of_{column}"


def reads_of(column: str) -> str:
    """Return the name of the table of a column's other cells, read one by one."""
    return f"reads_of_{column}"


def make_readings(con: DuckDBPyConnection, column: str, *, subjects: SubjectTables) -> None:
    """Make the two tables of what the cells of a column mean; the second is empty until `read_cells`.

    Both have raw (the cell), id_type (what stands beside it, empty if nothing has to be known), entity_id, holders
    (entities that hold it; 0: none), candidates (their ids if there are several), usable (it is an identifier; null:
    the cell is blank).

    Args:
        con: DuckDB connection.
        column: one of the identifier columns.
        subjects: the release.
    """
    schemes = ", ".join(f"'{scheme}'" for scheme in _AS_WRITTEN[column])
    con.execute(f"create or replace table {quote(reads_of(column))} {_MAKE}")
    values = f"from {quote(subjects.identifier)} where scheme in ({schemes})"
    made = f"""
select value as raw, '' as id_type, min(entity_id) as entity_id,
    case when min(entity_id) = max(entity_id) then max(holders) else 2 end as holders,
    case when min(entity_id) < max(entity_id) then string_agg(distinct entity_id, ';' order by entity_id)
        else max(candidates) end as candidates,
    true as usable
{values}
group by value"""
    if _in_two_schemes(con, schemes, subjects):
        con.execute(f"create table {quote(reading_of(column))} as {made}")
    else:
        each = f"select value as raw, '' as id_type, entity_id, holders, candidates, true as usable {values}"
        con.execute(f"create view {quote(reading_of(column))} as {each}")


def _in_two_schemes(con: DuckDBPyConnection, schemes: str, subjects: SubjectTables) -> bool:
    held = f"select scheme, value from {quote(subjects.identifier)} where scheme in ({schemes})"
    query = f"select exists (select 1 from ({held}) a join ({held}) b on a.value = b.value and a.scheme < b.scheme)"
    return bool(only_row(con, query)[0])


def read_cells(con: DuckDBPyConnection, column: str, cells: str, *, subjects: SubjectTables, processes: int) -> int:
    """Read the cells that are in neither table of a column yet, and add them; return how many there were.

    Args:
        con: DuckDB connection.
        column: one of the identifier columns.
        cells: a query for raw and id_type, each pair once.
        subjects: the release.
        processes: worker processes for many cells.
    """
    con.execute(f"create or replace table cell_to_read as {cells}")
    number = count(con, "cell_to_read")
    read = _person_forms if column in PERSON_COLUMNS else partial(_legal_forms, column)
    with _workers(processes if number > _ALONE else 1) as spread:
        cursor = con.cursor()
        for batch in cursor.sql("select raw, id_type from cell_to_read").to_arrow_reader(_BATCH):
            pairs = list(zip(*(batch.column(i).to_pylist() for i in range(2)), strict=True))
            forms = [
                (raw, id_type, position, scheme, value)
                for (raw, id_type), found in zip(pairs, spread(read, pairs), strict=True)
                for position, (scheme, value) in enumerate(found or [("", "")])
            ]
            names = ("raw", "id_type", "position", "scheme", "value")
            types = (pa.string(), pa.string(), pa.int32(), pa.string(), pa.string())
            columns = [pa.array(c, t) for c, t in zip(zip(*forms, strict=True), types, strict=True)]
            con.register("cell_forms", pa.table(columns, names=names))
            _add(con, subjects, reads_of(column))
            con.unregister("cell_forms")
        cursor.close()
    con.execute("drop table cell_to_read")
    return number


def _add(con: DuckDBPyConnection, subjects: SubjectTables, out: str) -> None:
    """Add the forms registered as `cell_forms`: of each cell the first form that anybody holds."""
    con.execute(f"""
insert into {quote(out)}
select f.raw, f.id_type,
    arg_min(i.entity_id, f.position) filter (i.entity_id is not null),
    coalesce(arg_min(i.holders, f.position) filter (i.entity_id is not null), 0),
    arg_min(i.candidates, f.position) filter (i.candidates is not null),
    case when trim(f.raw) <> '' then bool_or(f.scheme <> '') end
from cell_forms f
left join {quote(subjects.identifier)} i on i.scheme = f.scheme and i.value = f.value
group by f.raw, f.id_type""")


def _legal_forms(column: str, cell: Cell) -> Forms:
    read = legal_identifiers.standardise(**{column: cell[0]})
    found = [(scheme, getattr(read, scheme)) for scheme in _LEGAL_SCHEMES]
    return [(scheme, value) for scheme, value in found if value is not None]


def _person_forms(cell: Cell) -> Forms:
    read = personal_identifier.standardise(cell[1] or None, cell[0])
    return [(read.scheme, read.value)] if read.scheme is not None and read.value is not None else []


Spread = Callable[[Callable[[Cell], Forms], list[Cell]], Iterable[Forms]]


@contextmanager
def _workers(processes: int) -> Iterator[Spread]:
    if processes < 2:
        yield map
        return
    with ProcessPoolExecutor(processes) as pool:
        yield partial(_chunked, pool)


def _chunked(pool: Executor, read: Callable[[Cell], Forms], cells: list[Cell]) -> Iterable[Forms]:
    return pool.map(read, cells, chunksize=2_000)
