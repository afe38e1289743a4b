"""The lookup tables of the catalog: the profiles of the current release, their keys, term frequencies and model.

In: one `LookupPart` per entity type, made by the run. Out: the tables `lookup_…`, brought up to date within the
transaction of the release by writing what differs. A profile's id is a hash of its content and its keys follow from the
content, so only profiles that came or went, or belong to other entities now, are written.

Invariant: an entity type has a row in `lookup_model` only while the other tables are those of the current release.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from golden_records.catalog.delta import load
from golden_records.catalog.schema import LOOKUP_FREQUENCY, LOOKUP_KEY, LOOKUP_PROFILE, Column, Table
from golden_records.catalog.store import Catalog
from golden_records.tables import quote

KINDS = {"legal_person": "LP", "natural_person": "NP"}

_BATCH_ROWS = 20_000
# In SQLite a cross join keeps this order: from each profile that is named to its row.
_OF_NAMED = "named_profile g cross join lookup_profile p"


@dataclass(frozen=True)
class LookupPart:
    """What the lookup tables shall hold of one entity type.

    Attributes:
        entity_type: legal_person or natural_person.
        profiles: DuckDB table: profile_id, entities, entity_ids, content.
        frequencies: DuckDB table: field, value, frequency.
        config: the entity type's configuration as JSON.
        model: the model as JSON.
        keys_made_by: hash of everything that decides a profile's keys besides its content.
        frequencies_hash: hash of the term frequencies.
        make_keys: makes the DuckDB table `out` (key, refine, profile_id) from a table (profile_id, content), in this
            order of arguments: connection, table, out.
        among: DuckDB table of the profile_id of every profile that may have come, gone or changed, where `profiles`
            holds these alone; the others, and the term frequencies, stay as they are. Absent: `profiles` holds all.
    """

    entity_type: str
    profiles: str
    frequencies: str
    config: str
    model: str
    keys_made_by: str
    frequencies_hash: str
    make_keys: Callable[[DuckDBPyConnection, str, str], None]
    among: str | None = None

    @property
    def kind(self) -> str:
        """The prefix of the entity type's ids."""
        return KINDS[self.entity_type]


@dataclass(frozen=True)
class StagedLookup:
    """What a publish has to write for one entity type, as temporary DuckDB tables.

    Attributes:
        part: what it shall hold.
        anew: everything is replaced.
        frequencies_hash: of the term frequencies that the store holds then.
        refill: the term frequencies are replaced.
    """

    part: LookupPart
    anew: bool
    frequencies_hash: str
    refill: bool

    def table(self, name: str) -> str:
        """Return the name of a temporary table."""
        return f"_catalog_lookup_{self.part.kind}_{name}"


def stage_lookup(catalog: Catalog, con: DuckDBPyConnection, part: LookupPart) -> StagedLookup | None:
    """Find what differs; nothing is written and no lock is held.

    Makes `came` and `left` (profile_id, content), `came_keys` and `left_keys`, `put` (rows to insert) and `taken`
    (profile_id to delete). Returns None if the part is of some profiles only and the store does not hold the others.
    """
    held = catalog.row("select keys_made_by, frequencies_hash from lookup_model where kind = ?", (part.kind,))
    anew = held is None or held[0] != part.keys_made_by
    if anew and part.among is not None:
        return None
    frequencies = held[1] if held is not None and part.among is not None else part.frequencies_hash
    staged = StagedLookup(part, anew, frequencies, held is None or held[1] != frequencies)
    old = staged.table("old")
    held_of = "lookup_profile p where p.kind = ?"
    if part.among is not None:
        _name_profiles(catalog, con, part.among)
        held_of = f"{_OF_NAMED} where p.kind = ? and p.profile_id = g.profile_id"
    load(
        con,
        old,
        (Column("profile_id", "bigint"), Column("entities", "bigint"), Column("entity_ids")),
        catalog,
        f"select p.profile_id, p.entities, p.entity_ids from {held_of}" + (" limit 0" if anew else ""),
        (part.kind,),
    )
    new = quote(part.profiles)
    for name, query in (
        ("came", f"select profile_id, content from {new} n anti join {quote(old)} o using (profile_id)"),
        ("gone", f"select profile_id from {quote(old)} o anti join {new} n using (profile_id)"),
        (
            "put",
            f"""select n.profile_id, n.entities, n.entity_ids, n.content
            from {new} n
            left join {quote(old)} o using (profile_id)
            where o.profile_id is null or n.entity_ids <> o.entity_ids or n.entities <> o.entities""",
        ),
        (
            "taken",
            f"""select o.profile_id
            from {quote(old)} o
            left join {new} n using (profile_id)
            where n.profile_id is null or n.entity_ids <> o.entity_ids or n.entities <> o.entities""",
        ),
    ):
        con.execute(f"create or replace temp table {quote(staged.table(name))} as {query}")
    _contents_of_gone(catalog, con, staged)
    for name in ("came", "left"):
        part.make_keys(con, staged.table(name), staged.table(f"{name}_keys"))
    return staged


def write_lookup(
    catalog: Catalog, con: DuckDBPyConnection, staged: Sequence[StagedLookup], scope: Sequence[str]
) -> None:
    """Write what was staged; the caller holds the writing transaction of the release.

    Args:
        catalog: the store.
        con: DuckDB connection with the staged tables.
        staged: the entity types to bring up to date.
        scope: what the release publishes; an entity type that is not staged can be looked up no longer.
    """
    for kind in (KINDS[published] for published in scope if published in KINDS):
        catalog.execute("delete from lookup_model where kind = ?", (kind,))
    for one in staged:
        kind = one.part.kind
        if one.anew:
            for table in (LOOKUP_PROFILE, LOOKUP_KEY):
                catalog.execute(f"delete from {table.name} where kind = ?", (kind,))
        else:
            _delete(catalog, con, LOOKUP_KEY, kind, one.table("left_keys"))
            _delete(catalog, con, LOOKUP_PROFILE, kind, one.table("taken"))
        _insert(catalog, con, LOOKUP_PROFILE, kind, one.table("put"))
        _insert(catalog, con, LOOKUP_KEY, kind, one.table("came_keys"))
        if one.refill:
            catalog.execute("delete from lookup_frequency where kind = ?", (kind,))
            _insert(catalog, con, LOOKUP_FREQUENCY, kind, one.part.frequencies)
        catalog.execute(
            "insert into lookup_model (kind, config, model, keys_made_by, frequencies_hash) values (?, ?, ?, ?, ?)",
            (kind, one.part.config, one.part.model, one.part.keys_made_by, one.frequencies_hash),
        )


def end_lookup(catalog: Catalog) -> None:
    """Say that the lookup tables are not those of the current release; the caller holds a writing transaction."""
    catalog.execute("delete from lookup_model")


def _contents_of_gone(catalog: Catalog, con: DuckDBPyConnection, staged: StagedLookup) -> None:
    """Make `left`: profiles that are gone, with the content that the store has of them."""
    _name_profiles(catalog, con, staged.table("gone"))
    load(
        con,
        staged.table("left"),
        (Column("profile_id", "bigint"), Column("content")),
        catalog,
        f"select p.profile_id, p.content from {_OF_NAMED} where p.kind = ? and p.profile_id = g.profile_id",
        (staged.part.kind,),
    )


def _name_profiles(catalog: Catalog, con: DuckDBPyConnection, table: str) -> None:
    """Hand the profiles of a DuckDB table to the store, as its temporary table `named_profile`."""
    named = con.sql(f"select distinct profile_id from {quote(table)} order by profile_id")
    with named.to_arrow_reader(_BATCH_ROWS) as profiles:
        catalog.connection.name_rows("named_profile", profiles)


def _delete(catalog: Catalog, con: DuckDBPyConnection, table: Table, kind: str, staged: str) -> None:
    names = ", ".join(quote(name) for name in table.key if name != "kind")
    keys = con.sql(f"select '{kind}' as kind, {names} from {quote(staged)} order by {names}")
    with keys.to_arrow_reader(_BATCH_ROWS) as batches:
        catalog.connection.delete(table.name, batches)


def _insert(catalog: Catalog, con: DuckDBPyConnection, table: Table, kind: str, staged: str) -> None:
    names = ", ".join(quote(name) for name in table.column_names if name != "kind")
    order = ", ".join(quote(name) for name in table.key if name != "kind")
    rows = con.sql(f"select '{kind}' as kind, {names} from {quote(staged)} order by {order}")
    held = catalog.row(f"select 1 from {table.name} limit 1")
    with (
        catalog.connection.loading(table, held=0 if held is None else 1, added=len(rows)),
        rows.to_arrow_reader(_BATCH_ROWS) as batches,
    ):
        catalog.connection.insert(table.name, batches)
