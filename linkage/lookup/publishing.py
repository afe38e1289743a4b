"""What a run hands to the catalog so that its records can be found online: profiles, keys, term frequencies, model."""

from __future__ import annotations

import hashlib
from functools import partial

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from blocking.stable_keys import make_stable_keys
from golden_records.catalog.lookup import LookupPart
from linkage.entity_config import EntityConfig
from linkage.increment.made_by import hash_of_tables
from linkage.lookup.content import packed, unpacked
from linkage.pipeline import Linkage

SHOWN_ENTITIES = 20


def lookup_part(run: Linkage, *, among: str | None = None) -> LookupPart:
    """Return what finding one entity type online needs, after `identify`; the tables made are temporary.

    Args:
        run: the linkage.
        among: table of the entities whose profiles may be others, or belong to others as well, than the store has them
            (see `LookupPart`); term frequencies are then left out.
    """
    config = run.config
    few = first = ""
    if among is not None:
        few = "\n    where p.profile_id in (select profile_id from held where entity_id in (from among))"
        first = "\nwhere b.entity_ids[1] in (from among)"
    profiles, frequencies = run.table("lookup_profile"), run.table("lookup_frequency")
    run.con.execute(f"""
create or replace temp table {quote(profiles)} as
with among as (
    select entity_id from {quote(among or run.table("membership"))}
),
held as (
    select p.profile_id, m.entity_id
    from {quote(run.table("profile_record"))} p
    join {quote(run.table("membership"))} m on p.record_id = m.record_id
),
belongs as (
    select p.profile_id, list_sort(list(distinct p.entity_id)) as entity_ids
    from held p{few}
    group by p.profile_id
)
select
    p.profile_id,
    len(b.entity_ids) as entities,
    array_to_string(b.entity_ids[:{SHOWN_ENTITIES}], ' ') as entity_ids,
    {packed(config)} as content
from {quote(run.table("profiles"))} p
join belongs b on p.profile_id = b.profile_id{first}""")
    counted = " union all ".join(
        f"select '{column}' as field, coalesce(cast({quote(column)} as varchar), '') as value, "
        f"{quote('tf_' + column)} as frequency from {quote(table)}"
        for column, table in (run.frequencies.items() if among is None else ())
    )
    empty = "select ''::varchar as field, ''::varchar as value, 0.0::double as frequency limit 0"
    run.con.execute(f"create or replace temp table {quote(frequencies)} as {counted or empty}")
    tables = [run.frequencies[column] for column in sorted(run.frequencies)]
    return LookupPart(
        entity_type=config.entity,
        profiles=profiles,
        frequencies=frequencies,
        config=config.model_dump_json(by_alias=True),
        model=run.trained.model_dump_json(),
        keys_made_by=keys_made_by(config),
        frequencies_hash="" if among is not None else hash_of_tables(run.con, tables),
        make_keys=partial(_make_keys, run),
        among=among,
    )


def keys_made_by(config: EntityConfig) -> str:
    """Return a hash of what decides a profile's content and keys: its columns, their types, and the blocking rules."""
    rules = "".join(rule.model_dump_json() for rule in config.blocking)
    columns = "|".join(f"{column}:{config.columns[column]}" for column in config.profile_columns)
    return hashlib.sha256((rules + columns).encode()).hexdigest()[:16]


def _make_keys(run: Linkage, con: DuckDBPyConnection, contents: str, out: str) -> None:
    """Make the keys of packed profiles; those of all that the run has packed from its own, which are not packed."""
    config = run.config
    read = frozenset(column for rule in config.blocking for column in rule.columns())
    types = {column: config.columns[column] for column in read}
    if contents == run.table("lookup_profile"):
        make_stable_keys(con, config.blocking, profiles=run.table("profiles"), types=types, out=out)
        return
    unpacked_table = f"{out}_unpacked"
    con.execute(f"create or replace temp table {quote(unpacked_table)} as {unpacked(config, contents, read)}")
    make_stable_keys(con, config.blocking, profiles=unpacked_table, types=types, out=out)
    con.execute(f"drop table {quote(unpacked_table)}")
