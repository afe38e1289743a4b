"""Components: profiles that hang together by any pair that counts, or by a decision.

A pair counts if it is not rejected, or if a rule with `rival` rejects it: it still comes into question when the only
candidate is looked for (`linkage.clusters.only_candidates`).

Who is linked to whom, which pair is the only candidate and which cluster a profile comes into is settled inside a
component: no step from the verdicts to the clusters looks beyond. So only components with something new in them need
resolving again (`linkage.at_once`).

Exception: two exclusive values that a decision makes one are one in every component (`partition.value_aliases`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.sql import quote
from linkage.clusters.connected import connected
from linkage.clusters.links import Ids
from linkage.entity_config import EntityConfig
from matchers.levels import literal


def counts(config: EntityConfig) -> str:
    """Return the condition, on a judged pair, that what becomes of either side may depend on it."""
    rivals = ", ".join(literal(rule.name) for rule in config.rule if rule.rival)
    return f"(verdict <> 'reject' or verdict_rule in ({rivals}))" if rivals else "verdict <> 'reject'"


def make_components(con: DuckDBPyConnection, config: EntityConfig, *, judged: str, must_link: str, out: str) -> None:
    """Make the table of components.

    Args:
        con: DuckDB connection.
        config: the entity type: rules with `rival`.
        judged: judged pairs.
        must_link: left_id, right_id of profiles that a decision makes one.
        out: table to make: profile_id, component (its smallest profile). A profile on no pair is not in it: it is a
            component by itself.
    """
    pairs = con.sql(f"""
select left_id, right_id
from {quote(judged)}
where {counts(config)} and left_id <> right_id
union all
select left_id, right_id
from {quote(must_link)}
where left_id <> right_id""").to_arrow_table()
    left, right = (np.asarray(pairs.column(side).to_numpy(), dtype=np.int64) for side in ("left_id", "right_id"))
    ids: Ids = np.unique(np.concatenate([left, right]))
    first = _first_of_each(ids, left, right) if len(ids) else ids
    con.register("components_found", pa.table({"profile_id": ids, "component": first}))
    con.execute(f"""
create or replace table {quote(out)} as
select profile_id, component
from components_found
order by component, profile_id""")
    con.unregister("components_found")


def _first_of_each(ids: Ids, left: Ids, right: Ids) -> Ids:
    """Return, for each profile, the smallest one of its component."""
    labels = connected(len(ids), np.searchsorted(ids, left), np.searchsorted(ids, right))
    # ids ascend, so that the first place of a label is its smallest profile
    _, first_place = np.unique(labels, return_index=True)
    first: Ids = ids[first_place[labels]]
    return first
