"""Links that hold because there is nobody else: a rule's pairs that are linked if they are the only candidate.

Some evidence is too weak for a link by itself and strong once it is known that it fits one entity only: 张* at the flat
and telephone of 张小明 is 张小明, unless a 张大强 lives there too; a full company name that one firm alone bears needs
no more. A rule with `only_candidate` sends its pairs to review and names the column that a sure candidate has (a whole
name, an official code). A group of linked profiles none of which has it is unsure: if every pair not rejected leads
from it to one and the same other group, the rule's pairs between the two are linked.

Invariant: two sure groups are never joined here, and seen from an unsure one no third group comes into question.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from matchers.levels import literal


def link_only_candidates(con: DuckDBPyConnection, config: EntityConfig, *, judged: str, profiles: str) -> int:
    """Turn the verdict of pairs that are the only candidate from `review` into `auto`.

    Args:
        con: DuckDB connection.
        config: the entity type: rules with `only_candidate`.
        judged: table of `linkage.model.verdicts.judge`, changed in place.
        profiles: the profiles.

    Returns:
        How many pairs were linked.
    """
    rules = {rule.name: rule for rule in config.rule if rule.only_candidate is not None}
    if not rules:
        return 0
    _groups(con, judged)
    # What comes into question for each group: the other groups that a pair not rejected leads to.
    con.execute(f"""
create or replace temp table candidate_group as
with lead as (
    select l.part as mine, r.part as other
    from {quote(judged)} j
    join candidate_part l on j.left_id = l.profile_id
    join candidate_part r on j.right_id = r.profile_id
    where j.verdict <> 'reject' and l.part <> r.part
)
select mine, count(distinct other) as groups
from (select mine, other from lead union all select other, mine from lead)
group by mine""")
    columns = sorted({str(rule.only_candidate) for rule in rules.values()})
    sure = ", ".join(f"bool_or(p.{quote(column)} is not null) as {quote('sure_' + column)}" for column in columns)
    con.execute(f"""
create or replace temp table candidate_sure as
select c.part, {sure}
from candidate_part c
join {quote(profiles)} p on c.profile_id = p.profile_id
group by c.part""")
    wanted = " ".join(f"when {literal(name)} then {_unsure(str(rule.only_candidate))}" for name, rule in rules.items())
    names = ", ".join(map(literal, rules))
    con.execute(f"""
create or replace temp table only_candidate as
select j.left_id, j.right_id
from {quote(judged)} j
join candidate_part pl on j.left_id = pl.profile_id
join candidate_part pr on j.right_id = pr.profile_id
join candidate_sure sl on sl.part = pl.part
join candidate_sure sr on sr.part = pr.part
join candidate_group gl on gl.mine = pl.part
join candidate_group gr on gr.mine = pr.part
where j.verdict = 'review' and j.verdict_rule in ({names}) and j.left_id < j.right_id
    and case j.verdict_rule {wanted} end""")
    con.execute(f"""
update {quote(judged)}
set verdict = 'auto'
from only_candidate o
where {quote(judged)}.left_id = o.left_id and {quote(judged)}.right_id = o.right_id""")
    (linked,) = only_row(con, "select count(*) from only_candidate")
    for table in ("only_candidate", "candidate_sure", "candidate_group", "candidate_part"):
        con.execute(f"drop table {table}")
    return int(linked)


def _unsure(column: str) -> str:
    """Return the condition that at least one side's group is unsure, and each that is has one other group only."""
    left, right = (f"not {side}.{quote('sure_' + column)}" for side in ("sl", "sr"))
    return f"({left} or {right}) and (not ({left}) or gl.groups = 1) and (not ({right}) or gr.groups = 1)"


def _groups(con: DuckDBPyConnection, judged: str) -> None:
    """Make `candidate_part`: each compared profile, and the group of profiles that it is linked to already."""
    pairs = con.sql(f"""
select left_id, right_id, verdict = 'auto' as linked
from {quote(judged)}
where verdict <> 'reject'""").to_arrow_table()
    left, right = (pairs.column(side).to_numpy() for side in ("left_id", "right_id"))
    linked = pairs.column("linked").to_numpy(zero_copy_only=False).astype(bool)
    ids = np.unique(np.concatenate([left, right]))
    ends = [np.searchsorted(ids, side[linked]) for side in (left, right)]
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), tuple(ends)), shape=(len(ids), len(ids)))
    _, parts = connected_components(graph, directed=False) if len(ids) else (0, np.zeros(0, dtype=np.int32))
    con.register("candidate_parts_found", pa.table({"profile_id": ids, "part": parts}))
    con.execute("create or replace temp table candidate_part as select * from candidate_parts_found")
    con.unregister("candidate_parts_found")
