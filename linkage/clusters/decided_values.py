"""Exclusive values that decisions make one with others: the one thing that reaches beyond a component.

A person has said that two numbers are one subject's; then they are one wherever they stand. So where decisions come or
go, every profile that holds such a value is in question, whatever component it is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.clusters.partition import value_aliases
from linkage.database import give_texts


@dataclass(frozen=True)
class Decided:
    """Constraints and the profiles that they are about, each as SQL to select from.

    Attributes:
        must_link: left_id, right_id of profiles that a decision makes one.
        cannot_link: left_id, right_id of profiles that may not meet.
        profiles: the profiles, with the exclusive columns.
    """

    must_link: str
    cannot_link: str
    profiles: str


def find_profiles_of_changed_values(
    con: DuckDBPyConnection, exclusive: Sequence[str], *, before: Decided, now: Decided, out: str
) -> None:
    """Make the temporary table of the profiles with a value that decisions make one with others than before.

    Args:
        con: DuckDB connection.
        exclusive: the exclusive columns.
        before: constraints and profiles as they were.
        now: as they are.
        out: table to make: profile_id, of profiles of either state.
    """
    were, are = _aliases(con, exclusive, before), _aliases(con, exclusive, now)
    con.execute(f"create or replace temp table {quote(out)} (profile_id bigint)")
    for column in exclusive:
        was, now_is = were.get(column, {}), are.get(column, {})
        values = {value for value in was.keys() | now_is.keys() if was.get(value) != now_is.get(value)}
        values |= {aliases[value] for aliases in (was, now_is) for value in values if value in aliases}
        if not values:
            continue
        give_texts(con, "changed_values", "value", values)
        for profiles in (before.profiles, now.profiles):
            con.execute(f"""
insert into {quote(out)}
select p.profile_id
from {profiles} p
semi join changed_values v on p.{quote(column)} = v.value""")
        con.execute("drop table changed_values")


def _aliases(con: DuckDBPyConnection, exclusive: Sequence[str], decided: Decided) -> dict[str, dict[str, str]]:
    """Return the exclusive values that decisions make one with others (see `value_aliases`)."""
    edges = con.sql(f"""
select left_id, right_id, 'infinity'::double as match_weight, 'decision' as link_basis
from {decided.must_link}
where left_id < right_id
order by left_id, right_id""").to_arrow_table()
    if not edges.num_rows:
        return {}
    con.register("must_link_edges", edges)
    held: dict[str, pa.Table] = {
        column: con.sql(f"""
with ends as (select left_id as profile_id from must_link_edges union select right_id from must_link_edges)
select profile_id, {quote(column)} as value
from {decided.profiles} p
semi join ends using (profile_id)
where {quote(column)} is not null""").to_arrow_table()
        for column in exclusive
    }
    con.unregister("must_link_edges")
    apart = con.execute(f"select left_id, right_id from {decided.cannot_link} where left_id <> right_id").fetchall()
    return value_aliases(edges, held, [(int(a), int(b)) for a, b in apart])
