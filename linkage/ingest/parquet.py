"""Parquet files: columns of any type as text, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkage.ingest.errors import IngestError
from linkage.ingest.readers import Chunk, Header, TextTable, header_of, row_numbers, text_chunk
from linkage.ingest.rendering import render, text_column
from linkage.ingest.undecodable import separate_undecodable

BATCH_ROWS = 100_000


def read_parquet(path: Path) -> TextTable:
    """Open a Parquet file.

    Raises:
        IngestError: the file is cut off or damaged (now, or when its chunks are read).
    """
    try:
        file = pq.ParquetFile(path)
        header = header_of(file.schema_arrow.names, path.name)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    return TextTable("parquet", header, _chunks(path, file, header))


def _chunks(path: Path, file: pq.ParquetFile, header: Header) -> Iterator[Chunk]:
    first = 1
    with file:
        batches = file.iter_batches(batch_size=BATCH_ROWS)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(path, error) from error
            if batch is None:
                return
            yield _chunk(batch, header, first)
            first += batch.num_rows


def _chunk(batch: pa.RecordBatch, header: Header, first: int) -> Chunk:
    try:
        columns = [text_column(column) for column in batch.columns]
    except UnicodeEncodeError:
        values = [[render(value) for value in _binary(column).to_pylist()] for column in batch.columns]
        return separate_undecodable(header.names, values, range(first, first + batch.num_rows))
    return text_chunk(header.names, columns, row_numbers(first, batch.num_rows))


def _binary(column: pa.Array) -> pa.Array:
    """Return a text column as bytes, so that invalid text can be looked at; others as they are."""
    decoded = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    is_text = pa.types.is_string(decoded.type) or pa.types.is_large_string(decoded.type)
    return decoded.cast(pa.binary()) if is_text else decoded


def _damaged(path: Path, error: Exception) -> IngestError:
    reason = str(error).splitlines()[0][:200]
    return IngestError(
        path.name,
        f"the Parquet file cannot be read: {reason}",
        expectation="a complete Parquet file",
        remedy="it may be cut off: copy it again, or ask for it again",
    )
