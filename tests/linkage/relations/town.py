"""A town in a few rows: records of organisations and people with the entities they belong to, up to golden values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.relations import settle_relations
from golden_records.survivorship import SurvivorTables, survive
from golden_records.survivorship_config import load_survivorship
from linkage.entity_config import load_entity_config
from linkage.fields import CANONICAL_FIELDS, ENTITIES
from linkage.relations.branches import find_parents
from linkage.relations.employers import find_employers
from linkage.relations.representatives import find_representatives
from linkage.relations.settings import load_relation_settings
from linkage.relations.sides import Side, Unresolved, make_claims
from linkage.relations.successors import find_successors
from linkage.standardise import standardise
from matchers.identifiers import organization_code, resident_id, uscc

# A record: the entity it belongs to as `entity`, its `source` and `as_of` if they matter, and canonical fields.
Record = Mapping[str, str]
Found = dict[tuple[str, str, str], tuple[str, str]]


def citizen(body: str) -> str:
    """Return a valid number from its first 17 digits."""
    return body + resident_id.check_digit(body)


def code(number: int, prefix: str = "91", region: str = "440300") -> str:
    """Return a valid credit code."""
    body = f"MA5{number:05d}"
    first = prefix + region + body + organization_code.check_digit(body)
    return first + uscc.check_digit(first)


def settle(con: DuckDBPyConnection, organisations: Sequence[Record], people: Sequence[Record]) -> None:
    """Make the tables of both entity types that relations are derived from."""
    for entity, records in zip(ENTITIES, (organisations, people), strict=True):
        _records(con, entity, records)
        side = Side.of(entity)
        with resources.as_file(resources.files("configs").joinpath("survivorship.toml")) as path:
            config = load_survivorship(path).of(entity)
        con.execute("create or replace table ranks (source varchar, rank integer)")
        con.execute("insert into ranks values ('registry', 1), ('tax', 2)")
        rest = (f"{entity}_{name}" for name in ("identifier", "name", "address", "phone"))
        survive(
            con,
            records=side.records,
            membership=side.membership,
            sources="ranks",
            config=config,
            out=SurvivorTables(side.golden, side.provenance, *rest),
        )


def related(
    con: DuckDBPyConnection, organisations: Sequence[Record], people: Sequence[Record] = ()
) -> tuple[Found, tuple[Unresolved, ...]]:
    """Return (entity, relation, other) → (basis, rule), and what led to nobody."""
    settle(con, organisations, people)
    settings = load_relation_settings()
    firms, persons = Side.of("legal_person"), Side.of("natural_person")
    make_claims(con, "claim")
    left = find_representatives(con, firms, persons, settings, claims="claim")
    left += find_parents(con, firms, claims="claim")
    left += find_successors(con, firms, settings, claims="claim")
    left += find_employers(con, firms, persons, claims="claim")
    settle_relations(con, claims="claim", earlier=None, out="relation")
    rows = con.execute("select entity_id, relation, other_entity_id, basis, rule from relation").fetchall()
    return {(a, r, b): (basis, rule) for a, r, b, basis, rule in rows}, left


def reasons(left: Iterable[Unresolved], relation: str) -> dict[str, int]:
    """Return reason → count of one relation."""
    return {one.reason: one.count for one in left if one.relation == relation}


def _records(con: DuckDBPyConnection, entity: str, records: Sequence[Record]) -> None:
    config = load_entity_config(entity)
    sources = [record.get("source", "registry") for record in records]
    keys = [record.get("key", f"{position:04d}") for position, record in enumerate(records)]
    columns: dict[str, list[str | None]] = {
        "record_id": [f"{source}:{key}" for source, key in zip(sources, keys, strict=True)],
        "source": list(sources),
        "source_record_id": list(keys),
        "as_of": [record.get("as_of", "2025-01-31") for record in records],
    }
    for field in CANONICAL_FIELDS[config.entity]:
        columns[field] = [record.get(field) for record in records]
    con.register("rows_in", pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}))
    con.execute(f"create or replace table {entity}_raw as select * from rows_in")
    con.unregister("rows_in")
    standardise(con, config, raw=f"{entity}_raw", out=f"{entity}_records", processes=1)
    membership = {"record_id": columns["record_id"], "entity_id": [record["entity"] for record in records]}
    con.register("rows_in", pa.table({name: pa.array(values, pa.string()) for name, values in membership.items()}))
    con.execute(f"create or replace table {entity}_membership as select * from rows_in")
    con.unregister("rows_in")
