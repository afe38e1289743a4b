"""What the records to be forgotten say: their rows in every load, and the values in them.

Two sets of values. *Held*: what only these records said, among all records that were ever in an entity with them; that
is what the catalog's history loses. *Telling*: names, numbers, addresses, telephones and record ids by which the
subject could be found again; that is what the proof looks for. Either holds raw values and standardised ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

from golden_records.survivorship_config import EntitySurvivorship
from linkage.database import columns_of
from linkage.entities import shipped_survivorship
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.fields import CANONICAL_FIELDS, ENTITIES, Entity
from linkage.ingest.manifest import RAW, RECORDS, LoadManifest
from linkage.ingest.sql import parquet, quote
from linkage.model.parameters import term_frequency_columns
from linkage.standardise import standardise

FORGOTTEN, KIN = "forgotten_record", "kin_record"
_OF_MANY = ("id_type", "legal_rep_id_type", "sex", "birth_date", "ethnicity", "nationality", "entity_kind", "status")
_SHARED_BY_MANY = frozenset((*_OF_MANY, "established_date"))
_KEYS = ("record_id", "source", "source_record_id", "as_of")
_SEPARATED = re.compile(r"[;；,，、|/]")
_DATE = re.compile(r"(1[89]|20)\d\d([-/.年]?(0?[1-9]|1[0-2])([-/.月]?(0?[1-9]|[12]\d|3[01]))?)?[年月日]?")
_SHORTEST, _SHORTEST_ASCII, _SHORTEST_FREE_TEXT = 2, 6, 8


def name_records(con: duckdb.DuckDBPyConnection, records: Sequence[str], kin: Sequence[str]) -> None:
    """Make the tables `forgotten_record` and `kin_record` (record_id, source, source_record_id)."""
    for table, ids in ((FORGOTTEN, records), (KIN, kin)):
        parts = [(record, *record.split(":", 1)) for record in ids]
        columns = [pa.array([part[n] for part in parts], pa.string()) for n in range(3)]
        con.register("_named", pa.table(columns, names=list(_KEYS[:3])))
        con.execute(f"create or replace table {table} as select * from _named")
        con.unregister("_named")


def values_of(con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest]) -> tuple[set[str], set[str]]:
    """Return the values that the forgotten records hold alone, and those that tell who they are.

    Args:
        con: connection with the tables of `name_records`.
        loads: the archive.
    """
    held: set[str] = set()
    telling: set[str] = set()
    for entity in ENTITIES:
        ours = [load for load in loads if load.entity == entity]
        if not ours:
            continue
        config = load_entity_config(entity)
        said = _standardised(con, config, ours, of=FORGOTTEN)
        kin = _standardised(con, config, ours, of=KIN)
        held |= set().union(*said.values()) - set().union(*kin.values())
        columns = _telling_columns(entity, config, shipped_survivorship().of(entity))
        telling |= {value for column in columns & said.keys() for value in said[column] if _tells(value)}
        telling |= {value for value in _free_texts(con, ours) if _tells_freely(value)}
    ids = con.execute(f"select record_id, source_record_id from {FORGOTTEN}").fetchall()
    telling |= {record for record, _ in ids} | {key for _, key in ids if len(key) >= _SHORTEST_FREE_TEXT}
    return held, telling


def _standardised(
    con: duckdb.DuckDBPyConnection, config: EntityConfig, loads: Sequence[LoadManifest], *, of: str
) -> dict[str, set[str]]:
    """Return column → values, raw and standardised, of every version of some records."""
    raw, made = f"{of}_raw", f"{of}_standardised"
    fields = ", ".join(quote(name) for name in (*_KEYS, *CANONICAL_FIELDS[config.entity]))
    con.execute(
        f"create or replace table {raw} as select distinct {fields} "
        f"from {parquet(*(load.folder / RECORDS for load in loads))} semi join {of} using (record_id)"
    )
    standardise(con, config, raw=raw, out=made, processes=1)
    found: dict[str, set[str]] = {}
    for column, kind in columns_of(con, made).items():
        if column in _KEYS or not kind.startswith("VARCHAR"):
            continue
        value = f"unnest({quote(column)})" if kind.endswith("[]") else quote(column)
        values = {row[0] for row in con.execute(f"select distinct {value} from {made}").fetchall() if row[0]}
        parts = {part.strip() for text in values for part in _SEPARATED.split(text)} if column == "former_names" else ()
        found[column] = {text.strip() for text in values} | {part for part in parts if part}
    return found


def _telling_columns(entity: Entity, config: EntityConfig, golden: EntitySurvivorship) -> set[str]:
    many = _SHARED_BY_MANY | {
        column
        for attribute in golden.attribute
        for name, column in ((attribute.name, attribute.value), *attribute.companions.items())
        if name in _SHARED_BY_MANY
    }
    columns = {
        *CANONICAL_FIELDS[entity],
        *config.clustering.exclusive,
        *term_frequency_columns(config),
        *(column for attribute in golden.attribute for column in (attribute.value, attribute.key) if column),
        *(identifier.column for identifier in golden.identifier),
        *(phone.column for phone in golden.phone),
    }
    return columns - many


def _free_texts(con: duckdb.DuckDBPyConnection, loads: Sequence[LoadManifest]) -> Iterable[str]:
    """Yield the values of columns that nothing reads, from the rows as they came."""
    for load in loads:
        if not load.columns_unknown:
            continue
        numbers = f"select row from {parquet(load.folder / RECORDS)} semi join {FORGOTTEN} using (record_id)"
        columns = ", ".join(f"{quote(column)}::varchar" for column in load.columns_unknown)
        rows = con.execute(f"select {columns} from {parquet(load.folder / RAW)} where row in ({numbers})").fetchall()
        yield from (value.strip() for row in rows for value in row if value)


def _tells_freely(value: str) -> bool:
    """Say whether a text of a column that nothing reads tells something; a code of the source, `registry`, does not."""
    known = not value.isascii() or "@" in value or sum(c.isdigit() for c in value) >= _SHORTEST_ASCII
    return known and _tells(value, _SHORTEST_FREE_TEXT)


def _tells(value: str, shortest: int = _SHORTEST) -> bool:
    if len(value) < (max(shortest, _SHORTEST_ASCII) if value.isascii() else shortest) or "*" in value:
        return False
    return any(c.isalnum() for c in value) and not _DATE.fullmatch(value)
