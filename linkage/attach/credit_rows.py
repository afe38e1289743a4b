"""The credit rows that come in: which files, which columns say whose they are.

Parquet is read where it lies; any other format is first told apart into columns by the readers of the ingest and kept
as Parquet in a folder for the time of the run. A row that cannot be told apart into columns is kept aside, with its
reason. All other columns of a row go through untouched. Files of the same columns and types are read together, as one
table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from linkage.attach.catalogue import repeated
from linkage.errors import ConfigError, LinkageError
from linkage.ingest.archive import Archive
from linkage.ingest.encoding import profile_file
from linkage.ingest.errors import nearest
from linkage.ingest.opening import open_table
from linkage.ingest.source_config import canonical_source
from linkage.ingest.sql import literal, parquet, quote
from matchers.column_titles import are_values, seen_columns

LEGAL_COLUMNS = ("uscc", "registration_number", "organization_code", "tax_number")
PERSON_COLUMNS = ("id_number",)
IDENTIFIER_COLUMNS = (*LEGAL_COLUMNS, *PERSON_COLUMNS)
KNOWN_COLUMNS = ("item", "source", "source_record_id", *IDENTIFIER_COLUMNS, "id_type", "name")
MADE_COLUMNS = (
    "entity_id",
    "link_basis",
    "link_probability",
    "attach_status",
    "attach_reason",
    "attach_candidates",
    "attach_file",
)
_EXTENSIONS = frozenset((".csv", ".txt", ".tsv", ".xlsx", ".xls", ".jsonl", ".ndjson", ".json", ".parquet", ".pq"))


@dataclass(frozen=True)
class CreditFile:
    """One file of credit rows, as Parquet.

    Attributes:
        name: the name of the file that was given.
        path: where its rows are.
        columns: its columns, in order.
        types: their types, as Arrow names them.
        unread: rows that could not be told apart into columns, as Parquet, if the format can have any.
    """

    name: str
    path: Path
    columns: tuple[str, ...]
    types: tuple[str, ...]
    unread: Path | None = None


@dataclass(frozen=True)
class CreditRows:
    """The rows of files that are read together, for they have the same columns of the same types."""

    files: tuple[CreditFile, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the rows, in order."""
        return self.files[0].columns


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and those of the folders named, folder by folder in the order of their names.

    Raises:
        LinkageError: one does not exist, a folder holds none, or one is named twice.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in _EXTENSIONS)
            if not inside:
                raise LinkageError(f"{path}: no file of credit rows in it; expected CSV, XLSX, Parquet or JSON Lines")
            files += inside
        elif path.exists():
            files.append(path)
        else:
            raise LinkageError(f"{path}: does not exist; name a file or a folder of credit rows")
    for path in files:
        if not str(path).isprintable():  # bytes that are no UTF-8 are shown as half a character
            raise LinkageError(f"{str(path)!a}: a file name that is not text in UTF-8; rename the file")
    twice = sorted(repeated(str(path.resolve()) for path in files))
    if twice:
        raise LinkageError(f"{twice[0]}: named twice; name each file once")
    return files


def open_rows(path: Path, temp: Path, number: int) -> CreditFile:
    """Return a file's rows as Parquet.

    Args:
        path: the file.
        temp: folder for what has to be told apart first.
        number: of the file, for names in `temp`.

    Raises:
        IngestError: the file cannot be read.
        LinkageError: it is Parquet and damaged, or it holds a column that attaching makes.
    """
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            return parquet_file(path.name, path)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0][:200]
            raise LinkageError(f"{path}: cannot be read as Parquet ({reason}); copy it again or ask for it") from error
    folder = temp / f"file-{number:04d}"
    folder.mkdir(parents=True)
    table = open_table(path, profile_file(path), canonical_source("legal_person", "credit"))
    with Archive(folder) as archive:
        for chunk in table.chunks:
            archive.write(chunk)
    if not archive.rows_in:
        raise LinkageError(f"{path}: a header and no rows; ask for the file again")
    rows = folder / "rows.parquet"
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        archive.merge(con, rows)
    unread = archive.unread if pq.read_metadata(archive.unread).num_rows else None
    return parquet_file(path.name, rows, unread=unread, without="row")


def parquet_file(name: str, path: Path, *, unread: Path | None = None, without: str | None = None) -> CreditFile:
    """Return a Parquet file as a file of credit rows.

    Args:
        name: what to call it.
        path: where it is.
        unread: see `CreditFile`.
        without: a column that is none of the rows' own.
    """
    fields = [field for field in pq.read_schema(path) if field.name != without]
    return CreditFile(
        name, path, tuple(field.name for field in fields), tuple(str(field.type) for field in fields), unread
    )


def together(files: Sequence[CreditFile]) -> list[CreditRows]:
    """Return files put together by their columns and types, in the order of the first of each."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[CreditFile]] = {}
    for file in files:
        alike.setdefault((file.columns, file.types), []).append(file)
    return [CreditRows(tuple(some)) for some in alike.values()]


def renamed(file: CreditFile, names: Mapping[str, str]) -> dict[str, str]:
    """Return known column → the file's column.

    Args:
        file: the file.
        names: known column → the file's column, where they differ.

    Raises:
        ConfigError: a column that is named is not in the file or not known, or nothing says whose a row is.
    """
    for known, column in names.items():
        if known not in KNOWN_COLUMNS:
            near = nearest(known, KNOWN_COLUMNS)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ConfigError(f"--column {known}: unknown{hint} (known: {', '.join(KNOWN_COLUMNS)})")
        if column not in file.columns:
            near = None if are_values(file.columns) else nearest(column, file.columns)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ConfigError(f"{file.name}: no column {column!r}{hint} ({seen_columns(file.columns)})")
    written = {column.casefold(): column for column in file.columns}
    found = {known: names.get(known, written.get(known)) for known in KNOWN_COLUMNS}
    if len(written) < len(file.columns):
        (name, *_) = sorted(repeated(column.casefold() for column in file.columns))
        if are_values(file.columns):
            raise ConfigError(f"{file.name}: {seen_columns(file.columns)}; write the column names into it")
        raise ConfigError(f"{file.name}: two columns are named {name!r} (capitals make no difference); rename one")
    hidden = [column for column in file.columns if column.casefold().startswith("_gy_")]
    if hidden:
        raise ConfigError(
            f"{file.name}: column {hidden[0]!r}: names in _gy_ are for what is made on the way; rename it"
        )
    taken = [name for name in MADE_COLUMNS if name in written]
    if taken:
        raise ConfigError(f"{file.name}: has a column {taken[0]!r}, which attaching makes; rename or drop it")
    columns = {known: column for known, column in found.items() if column is not None}
    if not set(columns) & set(IDENTIFIER_COLUMNS) and not {"source", "source_record_id"} <= set(columns):
        raise ConfigError(
            f"{file.name}: no column says whose a row is (expected one of {', '.join(IDENTIFIER_COLUMNS)}, or "
            "source and source_record_id); name it with --column uscc=COLUMN"
        )
    return columns


def rows_sql(rows: CreditRows) -> str:
    """Return a table expression with the rows' own columns and attach_file, the name of a row's file."""
    # A text that is the same in a whole file costs next to nothing to write as an enum.
    kind = f"enum({', '.join(sorted({literal(file.name) for file in rows.files}))})"
    names = ", ".join(f"{literal(str(file.path))}: {literal(file.name)}::{kind}" for file in rows.files)
    own = "".join(f"{quote(column)}, " for column in rows.columns)
    table = parquet(*(file.path for file in rows.files), path_column="_gy_path")
    return f"(select {own}map {{{names}}}[_gy_path] as attach_file from {table})"
