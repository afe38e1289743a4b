"""Opening a file for reading: which reader its format and encoding need."""

from __future__ import annotations

from pathlib import Path

from linkage.ingest.delimited import read_delimited
from linkage.ingest.encoding import FileProfile, choose_encoding
from linkage.ingest.json_lines import read_json_lines
from linkage.ingest.parquet import read_parquet
from linkage.ingest.readers import TextTable, choose_format
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.spreadsheet import read_spreadsheet


def open_table(path: Path, profile: FileProfile, source: SourceConfig) -> TextTable:
    """Open a file as chunks of text.

    Args:
        path: the file.
        profile: its first bytes and size.
        source: how it is written; what that leaves open is detected.

    Raises:
        IngestError: it cannot be read, or is not what it says.
    """
    format_ = choose_format(path, profile.head, source.file.format)
    if format_ == "xlsx":
        return read_spreadsheet(path, source)
    if format_ == "parquet":
        return read_parquet(path)
    encoding = choose_encoding(path, profile, source.file.encoding)
    return read_json_lines(path, encoding) if format_ == "jsonl" else read_delimited(path, source, encoding)
