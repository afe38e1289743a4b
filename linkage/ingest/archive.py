"""The archive of a load: every row as it came, written while the file is being read."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from linkage.ingest.readers import ROW, Chunk
from linkage.ingest.sql import literal, parquet

_UNREAD = pa.schema([(ROW, pa.int32()), ("reason", pa.string()), ("detail", pa.string()), ("raw", pa.string())])


class Archive:
    """Writes chunks to Parquet: told-apart rows to one file, the others to `unread.parquet`.

    Columns that appear in the course of a file (JSON Lines) start a new part; `merge` makes the parts one file.
    """

    def __init__(self, folder: Path) -> None:
        self.rows_in = 0
        self.unread = folder / "unread.parquet"
        self._folder = folder
        self._parts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._unread_writer = pq.ParquetWriter(self.unread, _UNREAD, compression="zstd")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        if self._writer is not None:
            self._writer.close()
        self._unread_writer.close()

    def write(self, chunk: Chunk) -> None:
        """Append a chunk."""
        if self._writer is None or chunk.table.schema != self._writer.schema:
            self._start_part(chunk.table.schema)
        assert self._writer is not None
        self._writer.write_table(chunk.table)
        rejected = [(r.row, r.reason, r.detail, r.raw) for r in chunk.rejected]
        if rejected:
            columns = [
                pa.array(column, kind) for column, kind in zip(zip(*rejected, strict=True), _UNREAD.types, strict=True)
            ]
            self._unread_writer.write_table(pa.table(columns, schema=_UNREAD))
        self.rows_in += chunk.table.num_rows + len(rejected)

    def merge(self, con: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Move the rows to one file, in order, with every column seen."""
        if len(self._parts) == 1:
            self._parts[0].rename(path)
            return
        rows = parquet(*self._parts).replace("])", "], union_by_name=true)")
        con.execute(
            f"copy (select * from {rows} order by row) to {literal(str(path))} (format parquet, compression zstd)"
        )
        for part in self._parts:
            part.unlink()

    def _start_part(self, schema: pa.Schema) -> None:
        if self._writer is not None:
            self._writer.close()
        part = self._folder / f"raw-{len(self._parts)}.parquet"
        self._parts.append(part)
        self._writer = pq.ParquetWriter(part, schema, compression="zstd", compression_level=1)
