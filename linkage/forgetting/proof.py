"""The proof: every store of a workspace is searched for what tells who the forgotten were.

The archive and the records of the batch database are looked at first: nothing of the forgotten is in them, so a value
that stands there is also some other record's (a relative's address, a namesake's name), and is counted as such. All
other values must be nowhere: not in a cell of the archive, the batch database, the catalog or any Parquet or XLSX
file, and not in the bytes of any file, whatever the encoding. What the catalog packs is unpacked; its file was written
anew before, so that nothing packed is in it but what its tables show. Of a catalog in a PostgreSQL database the cells
are searched; the server's own files are out of reach.

Invariant: the proof names stores and counts, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from golden_records.catalog.cells import load_cells
from golden_records.catalog.store import has_catalog, open_catalog
from linkage.database import connect
from linkage.fields import ENTITIES
from linkage.forgetting import journal as journals
from linkage.forgetting.journal import Journal
from linkage.forgetting.refusal import KEY_FILE
from linkage.forgetting.search import parquet_or_members, search_bytes, search_cells, stands_in
from linkage.ingest.manifest import FILES, LOADS, LoadManifest, list_loads
from linkage.ingest.sql import parquet, quote
from linkage.workspace import Workspace
from matchers.levels import literal

_OWN_FILES = {journals.FILE, KEY_FILE}


@dataclass
class Proof:
    """What was searched, and what was found.

    Attributes:
        values: how many values were looked for.
        shared: how many of them other records hold as well; they stay.
        stores: tables and files searched.
        rows: rows of the tables.
        size_bytes: bytes of the files.
        hits: store → number of values found in it that no other record holds; empty: proved.
    """

    values: int
    shared: int = 0
    stores: int = 0
    rows: int = 0
    size_bytes: int = 0
    hits: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.hits


def prove(workspace: Workspace, journal: Journal) -> Proof:
    """Search a workspace for what a forgetting took out."""
    proof = Proof(values=len(set(journal.telling)))
    loads = list_loads(workspace.root)
    records = set(journal.records)
    with connect(memory_limit=workspace.settings.memory_limit) as con:
        tables = _attach_batch(con, workspace)
        reference = [(f"{item.load_id}/{name}", parquet(item.folder / name)) for item in loads for name in FILES]
        reference += [(table, _batch(table)) for entity in ENTITIES if (table := f"{entity}_records") in tables]
        shared: set[str] = set()
        for store, table in reference:
            shared |= _look(con, proof, store, table, sorted(set(journal.telling)), never=records)
        lone = sorted(set(journal.telling) - shared)
        for store, table in _derived(con, workspace, loads, tables):
            shared |= _suspect(con, proof, store, table, lone, reference)
        shared |= _search_catalog(con, workspace, proof, lone, reference)
        shared |= _search_files(con, workspace, proof, lone, reference)
    proof.shared = len(shared)
    return proof


def _look(
    con: duckdb.DuckDBPyConnection, proof: Proof, store: str, table: str, values: Sequence[str], *, never: set[str]
) -> set[str]:
    """Search a table of the reference: what is found is shared, but for record ids, which must not be there."""
    rows, found = search_cells(con, table, values)
    proof.stores += 1
    proof.rows += rows
    left = never & found.keys()
    if left:
        proof.hits[store] = len(left)
    return set(found) - never


def _suspect(
    con: duckdb.DuckDBPyConnection,
    proof: Proof,
    store: str,
    table: str,
    values: Sequence[str],
    reference: Sequence[tuple[str, str]],
) -> set[str]:
    """Search a table; what is found and is after all in the reference, hidden beside another value, is shared."""
    rows, found = search_cells(con, table, values)
    proof.stores += 1
    proof.rows += rows
    return _told_apart(con, proof, store, set(found), reference)


def _told_apart(
    con: duckdb.DuckDBPyConnection, proof: Proof, store: str, found: set[str], reference: Sequence[tuple[str, str]]
) -> set[str]:
    shared = {value for value in found if any(search_cells(con, table, [value])[1] for _, table in reference)}
    if found - shared:
        proof.hits[store] = proof.hits.get(store, 0) + len(found - shared)
    return shared


def _attach_batch(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> list[str]:
    if not workspace.batch.exists():
        return []
    con.execute(f"attach {literal(str(workspace.batch))} as batch (read_only)")
    rows = con.execute("select table_name from duckdb_tables() where database_name = 'batch' order by 1").fetchall()
    return [str(name) for (name,) in rows]


def _batch(table: str) -> str:
    return f"batch.main.{quote(table)}"


def _derived(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, loads: Sequence[LoadManifest], tables: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield every other table that DuckDB can read: of the batch database, and of Parquet files anywhere."""
    del con
    yield from ((f"batch.duckdb: {table}", _batch(table)) for table in tables if not table.endswith("_records"))
    known = {item.folder / name for item in loads for name in FILES}
    for path in sorted(workspace.root.rglob("*.parquet")):
        if path not in known:
            yield str(path.relative_to(workspace.root)), parquet(path)


def _search_catalog(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    proof: Proof,
    values: Sequence[str],
    reference: Sequence[tuple[str, str]],
) -> set[str]:
    if not has_catalog(workspace.catalog):
        return set()
    shared: set[str] = set()
    with open_catalog(workspace.catalog, read_only=True) as catalog, catalog.reading():
        place = workspace.catalog.name if isinstance(workspace.catalog, Path) else "catalog"
        for name in catalog.connection.tables():
            load_cells(catalog, con, name, out="searched")
            shared |= _suspect(con, proof, f"{place}: {name}", "searched", values, reference)
    con.execute("drop table if exists searched")
    return shared


def _search_files(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    proof: Proof,
    values: Sequence[str],
    reference: Sequence[tuple[str, str]],
) -> set[str]:
    """Search the bytes of every file: what a store no longer shows may still stand in its file."""
    shared: set[str] = set()
    for path in _files(workspace):
        found = search_bytes(path, values)
        for _, content in parquet_or_members(path):
            found |= {value for value in values if stands_in(content, value)}
        proof.stores += 1
        proof.size_bytes += path.stat().st_size
        name = str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else path.name
        shared |= _told_apart(con, proof, f"{name} (bytes)", found, reference)
    return shared


def _files(workspace: Workspace) -> list[Path]:
    inside = {p for p in workspace.root.rglob("*") if p.is_file() and p.name not in _OWN_FILES}
    catalog = workspace.catalog
    beside = {p for p in catalog.parent.glob(f"{catalog.name}*") if p.is_file()} if isinstance(catalog, Path) else set()
    locks = {workspace.root / ".lock", workspace.root / LOADS / ".lock"}
    return sorted((inside | beside) - locks)
