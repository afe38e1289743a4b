"""The lookup tables of the catalog: the profiles of the current release, their keys, term frequencies and model.

In: one `LookupPart` per entity type, made by the run. Out: the tables `lookup_…`, brought up to date within the
transaction of the release by writing what differs: the rows of entities whose profiles are others now, and of the
buckets that hold a key of one of these. A profile's id is a hash of its content and its keys follow from the content.

Invariant: an entity type has a row in `lookup_model` only while the other tables are those of the current release; and
they are as if they were written anew, but for `bucket_bits`, which follows when the profiles have become many more.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from duckdb import DuckDBPyConnection

from golden_records.catalog.ahead import read_ahead
from golden_records.catalog.arrow import arrow_rows, schema_of
from golden_records.catalog.dialect import Add, Staging
from golden_records.catalog.lookup_blocks import bucket_bits, members_sql, pack_blocks, unpack_blocks
from golden_records.catalog.lookup_profiles import (
    ENDED,
    FIRST_NUMBER,
    number_sql,
    pack_profiles,
    shared_sql,
    unpack_contents,
    unpack_profile_ids,
)
from golden_records.catalog.schema import LOOKUP_BUCKET, LOOKUP_ENTITY, LOOKUP_FREQUENCY, Table
from golden_records.catalog.store import Catalog
from golden_records.tables import quote, scalar

KINDS = {"legal_person": "LP", "natural_person": "NP"}

_BATCH_ROWS = 20_000
_MEMBER_ROWS = 500_000
# Fewer bits than this below what suits the profiles, and the buckets are made anew.
_BITS_BEHIND = 2

Pack = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class LookupPart:
    """What the lookup tables shall hold of one entity type.

    Attributes:
        entity_type: legal_person or natural_person.
        profiles: DuckDB table: profile_id, entities, entity_ids (some of them in ascending order, with blanks between),
            content.
        frequencies: DuckDB table: field, value, frequency.
        config: the entity type's configuration as JSON.
        model: the model as JSON.
        keys_made_by: hash of everything that decides a profile's keys besides its content.
        frequencies_hash: hash of the term frequencies.
        make_keys: makes the DuckDB table `out` (key, refine, profile_id; a row may be repeated) from a table
            (profile_id, content), in this order of arguments: connection, table, out.
        among: DuckDB table of the entity_id of every entity whose profiles may be others, or belong to others as well,
            than the store has them, where `profiles` holds those that have one of these as their first; the others, and
            the term frequencies, stay as they are. Absent: `profiles` holds all.
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
        bits: into how many buckets the keys go, as a power of two.
        frequencies_hash: of the term frequencies that the store holds then.
        refill: the term frequencies are replaced.
    """

    part: LookupPart
    anew: bool
    bits: int
    frequencies_hash: str
    refill: bool

    def table(self, name: str) -> str:
        """Return the name of a temporary table."""
        return f"_catalog_lookup_{self.part.kind}_{name}"


def holds_lookup(catalog: Catalog, entity_type: str) -> bool:
    """Say whether entities of a type can be looked up in the current release; if not, all of a part are needed."""
    return catalog.row("select 1 from lookup_model where kind = ?", (KINDS[entity_type],)) is not None


def stage_lookup(catalog: Catalog, con: DuckDBPyConnection, part: LookupPart) -> StagedLookup | None:
    """Find what differs; nothing is written and no lock is held.

    Makes `came` (number, place, profile_id) and `shared` (number, shared): the rows of `lookup_entity` to insert;
    `gone` (number): those to delete; `members`: of the buckets to insert; `bucket` (number): those to delete. Of what
    is replaced as a whole `stage_rows_of_lookup` makes these, which asks nothing of the store.
    Returns None if the part is of some entities only and the store does not hold the others.
    """
    held = catalog.row(
        "select keys_made_by, frequencies_hash, bucket_bits from lookup_model where kind = ?", (part.kind,)
    )
    profiles = scalar(con, f"select count(*) from {quote(part.profiles)}")
    suits = bucket_bits(profiles) if part.among is None else 0
    anew = held is None or held[0] != part.keys_made_by or held[2] + _BITS_BEHIND <= suits
    if anew and part.among is not None:
        return None
    frequencies = held[1] if held is not None and part.among is not None else part.frequencies_hash
    bits = suits if anew or held is None else held[2]
    staged = StagedLookup(part, anew, bits, frequencies, held is None or held[1] != frequencies)
    if not anew:
        _stage_now(con, staged)
        _find_changed(catalog, con, staged)
        _stage_came(con, staged)
        _stage_members(catalog, con, staged)
    return staged


def stage_rows_of_lookup(con: DuckDBPyConnection, staging: Staging, staged: Sequence[StagedLookup]) -> tuple[Add, ...]:
    """Return what adds the rows that were staged."""
    for one in staged:
        if one.anew:
            _stage_now(con, one)
            _stage_came(con, one)
            _find_members(con, one, one.part.profiles, "members", "came")
    by_number = sorted(staged, key=lambda one: _numbers_of(one.part.kind))
    refilled = sorted((one for one in staged if one.refill), key=lambda one: one.part.kind)
    profiles = [_profiles_query(one) for one in by_number]
    members = [f"from {quote(one.table('members'))} order by all" for one in by_number]
    frequencies = [_frequencies_query(one) for one in refilled]
    return tuple(
        staging.put(table, partial(_packed_rows, con, table, queries, pack, batch_rows))
        for table, queries, pack, batch_rows in (
            (LOOKUP_FREQUENCY, frequencies, iter, _BATCH_ROWS),
            (LOOKUP_ENTITY, profiles, pack_profiles, _BATCH_ROWS),
            (LOOKUP_BUCKET, members, pack_blocks, _MEMBER_ROWS),
        )
        if queries
    )


def write_lookup(
    catalog: Catalog,
    con: DuckDBPyConnection,
    staged: Sequence[StagedLookup],
    coming: Sequence[Add],
    scope: Sequence[str],
) -> None:
    """Write what was staged; the caller holds the writing transaction of the release.

    Args:
        catalog: the store.
        con: DuckDB connection with the staged tables.
        staged: the entity types to bring up to date.
        coming: what adds their rows.
        scope: what the release publishes; an entity type that is not staged can be looked up no longer.
    """
    for kind in (KINDS[published] for published in scope if published in KINDS):
        catalog.execute("delete from lookup_model where kind = ?", (kind,))
    for one in staged:
        if one.anew:
            for table in (LOOKUP_ENTITY, LOOKUP_BUCKET):
                catalog.execute(
                    f"delete from {table.name} where number >= ? and number < ?", _numbers_of(one.part.kind)
                )
        else:
            _delete(catalog, con, LOOKUP_ENTITY, one.table("gone"))
            _delete(catalog, con, LOOKUP_BUCKET, one.table("bucket"))
        if one.refill:
            catalog.execute("delete from lookup_frequency where kind = ?", (one.part.kind,))
    for add in coming:
        add()
    for one in staged:
        catalog.execute(
            "insert into lookup_model (kind, config, model, keys_made_by, frequencies_hash, bucket_bits) "
            "values (?, ?, ?, ?, ?, ?)",
            (one.part.kind, one.part.config, one.part.model, one.part.keys_made_by, one.frequencies_hash, one.bits),
        )


def end_lookup(catalog: Catalog) -> None:
    """Say that the lookup tables are not those of the current release; the caller holds a writing transaction."""
    catalog.execute("delete from lookup_model")


def _find_changed(catalog: Catalog, con: DuckDBPyConnection, staged: StagedLookup) -> None:
    """Leave in `now` the profiles of changed entities alone; make `gone` and `left`, their rows and profiles before."""
    now, old, shared, changed = (quote(staged.table(name)) for name in ("now", "old", "was_shared", "changed"))
    rows = "lookup_entity e where e.number >= ? and e.number < ?"
    values: Sequence[int] = _numbers_of(staged.part.kind)
    if staged.part.among is not None:
        named = f"select distinct {number_sql('entity_id')} as number from {quote(staged.part.among)}"
        rows, values = _named_rows(catalog, con, LOOKUP_ENTITY, named), ()
    with_shared = f"{rows} and e.shared is not null"
    ids = _held(catalog, LOOKUP_ENTITY, ("number", "profile_ids"), rows, values)
    _fill(con, staged.table("old"), map(unpack_profile_ids, ids))
    _fill(con, staged.table("was_shared"), _held(catalog, LOOKUP_ENTITY, ("number", "shared"), with_shared, values))
    con.execute(f"""
create or replace temp table {changed} as
with differing as (
    (select number, profile_id from {now} except all select number, profile_id from {old})
    union all
    (select number, profile_id from {old} except all select number, profile_id from {now})
)
select number from differing
union
select number
from ({_shared_query(now)}) s
full join {shared} w using (number)
where s.shared is distinct from w.shared""")
    con.execute(f"create or replace temp table {now} as from {now} semi join {changed} using (number)")
    gone = f"select distinct number from {old} semi join {changed} using (number)"
    con.execute(f"create or replace temp table {quote(staged.table('gone'))} as {gone}")
    rows = _named_rows(catalog, con, LOOKUP_ENTITY, gone)
    before = _held(catalog, LOOKUP_ENTITY, ("number", "profile_ids", "contents"), rows)
    _fill(con, staged.table("left"), map(unpack_contents, before))


def _stage_now(con: DuckDBPyConnection, staged: StagedLookup) -> None:
    con.execute(f"""
create or replace temp table {quote(staged.table("now"))} as
select {number_sql("entity_ids")} as number, profile_id, entities, entity_ids
from {quote(staged.part.profiles)}""")


def _stage_came(con: DuckDBPyConnection, staged: StagedLookup) -> None:
    now = quote(staged.table("now"))
    con.execute(f"""
create or replace temp table {quote(staged.table("came"))} as
select number, row_number() over (partition by number order by profile_id) - 1 as place, profile_id
from {now}""")
    con.execute(f"create or replace temp table {quote(staged.table('shared'))} as {_shared_query(now)}")


def _stage_members(catalog: Catalog, con: DuckDBPyConnection, staged: StagedLookup) -> None:
    """Make `members` and `bucket`: the blocks as they shall be, and the buckets of the store that they replace."""
    names = ("came_members", "left_members", "held_members", "members", "bucket")
    came, left, held, members, bucket = (quote(staged.table(name)) for name in names)
    for name, contents, other in (("came", staged.part.profiles, "left"), ("left", staged.table("left"), "came")):
        con.execute(f"""
create or replace temp table {quote(staged.table(f"{name}_alone"))} as
select number, place, profile_id from {quote(staged.table(name))}
except
select number, place, profile_id from {quote(staged.table(other))}""")
        con.execute(f"""
create or replace temp view {quote(staged.table(f"{name}_contents"))} as
select profile_id, content
from {quote(contents)}
semi join {quote(staged.table(f"{name}_alone"))} using (profile_id)""")
        _find_members(con, staged, staged.table(f"{name}_contents"), f"{name}_members", f"{name}_alone")
    touched = f"select number from {came} union select number from {left}"
    rows = _named_rows(catalog, con, LOOKUP_BUCKET, touched)
    blocks = _held(catalog, LOOKUP_BUCKET, ("number", "blocks"), rows)
    _fill(con, staged.table("held_members"), map(unpack_blocks, blocks))
    con.execute(f"create or replace temp table {bucket} as select distinct number from {held}")
    con.execute(f"create or replace temp view {members} as (from {held} except from {left}) union from {came}")


def _find_members(con: DuckDBPyConnection, staged: StagedLookup, contents: str, name: str, places: str) -> None:
    """Make the members `name` of the profiles of the table `places`."""
    keys, out = staged.table(f"{name}_keys"), staged.table(name)
    staged.part.make_keys(con, contents, keys)
    query = members_sql(staged.part.kind, staged.bits, quote(keys), quote(staged.table(places)))
    con.execute(f"create or replace temp view {quote(out)} as {query}")


def _shared_query(now: str) -> str:
    """Return the query for number and shared of the entities with a profile that others have as well."""
    return f"""
select number, {shared_sql("place", "entities", "entity_ids")} as shared
from (
    select number, row_number() over (partition by number order by profile_id) - 1 as place, entities, entity_ids
    from {now}
    semi join (select number from {now} where entities > 1) using (number)
)
where entities > 1
group by number"""


def _profiles_query(staged: StagedLookup) -> str:
    changed = "" if staged.anew else f"\nsemi join {quote(staged.table('changed'))} using (number)"
    return f"""
select number, profile_id, content || '{ENDED}' as content, shared
from (select {number_sql("entity_ids")} as number, profile_id, content from {quote(staged.part.profiles)})
left join {quote(staged.table("shared"))} using (number){changed}
order by number, profile_id"""


def _frequencies_query(staged: StagedLookup) -> str:
    names = ", ".join(quote(name) for name in LOOKUP_FREQUENCY.column_names[1:])
    return f"select '{staged.part.kind}' as kind, {names} from {quote(staged.part.frequencies)} order by field, value"


def _numbers_of(kind: str) -> tuple[int, int]:
    """Return where the numbers of a kind begin and end."""
    return FIRST_NUMBER[kind], FIRST_NUMBER[kind] + FIRST_NUMBER["NP"]


def _named_rows(catalog: Catalog, con: DuckDBPyConnection, table: Table, numbers: str) -> str:
    """Hand the numbers of a DuckDB query to the store; return what stands in `from` for the rows `e` of them."""
    name = f"named_{table.name}"
    with con.sql(f"select number from ({numbers}) order by number").to_arrow_reader(_BATCH_ROWS) as batches:
        catalog.connection.name_rows(name, batches)
    # In SQLite a cross join keeps this order: from each number that is named to its row.
    return f"{name} n cross join {table.name} e where e.number = n.number"


def _held(
    catalog: Catalog, table: Table, columns: Sequence[str], rows: str, values: Sequence[int] = ()
) -> Iterator[pa.RecordBatch]:
    """Yield columns of rows that the store has; an empty batch comes first."""
    schema = schema_of(table.name, columns)
    yield pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)
    wanted = ", ".join(f"e.{quote(column)}" for column in columns)
    yield from catalog.connection.batches(f"select {wanted} from {rows}", values, schema)


def _fill(con: DuckDBPyConnection, out: str, batches: Iterable[pa.RecordBatch | pa.Table]) -> None:
    """Make a temporary DuckDB table of Arrow batches, of which there is one at least."""
    for place, batch in enumerate(batches):
        con.register("_catalog_batch", pa.table(batch) if isinstance(batch, pa.RecordBatch) else batch)
        begin = f"insert into {quote(out)}" if place else f"create or replace temp table {quote(out)} as"
        con.execute(f"{begin} from _catalog_batch")
        con.unregister("_catalog_batch")


def _delete(catalog: Catalog, con: DuckDBPyConnection, table: Table, staged: str) -> None:
    with arrow_rows(con, f"select number from {quote(staged)} order by number", _BATCH_ROWS) as batches:
        catalog.connection.delete(table.name, batches)


@contextmanager
def _packed_rows(
    con: DuckDBPyConnection, table: Table, queries: Sequence[str], pack: Pack, batch_rows: int
) -> Iterator[pa.RecordBatchReader]:
    """Return the rows of a table that pack those of queries, one query after the other."""

    def rows() -> Generator[pa.RecordBatch, None, None]:
        for query in queries:
            with arrow_rows(con, query, batch_rows) as batches:
                yield from pack(read_ahead(batches))

    with closing(rows()) as packed:
        yield pa.RecordBatchReader.from_batches(schema_of(table.name, table.column_names), packed)
