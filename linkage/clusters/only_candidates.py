"""Links that hold because there is nobody else: a rule's pairs that are linked if they are the only candidate.

Some evidence is too weak for a link by itself and strong once it is known that it fits one entity only: 张* at the flat
and telephone of 张小明 is 张小明, unless a 张大强 lives there too; a full company name that one firm alone bears needs
no more. A rule with `only_candidate` sends its pairs to review and names the column that a sure candidate has (a whole
name, an official code). A group of linked profiles none of which has it is unsure.

Unsure groups that come into question for each other form a circle: three rows of one firm without its code are not each
other's rivals. If no more than one sure group comes into question for any group of a circle, the rule's pairs inside it
and from it to that group are linked. Into question come all pairs that are not rejected, and those rejected by a rule
with `rival`: not one entity, yet a record of the one may be meant by the other (a branch recorded as its parent).
Nothing is linked where a pair inside the circle, or between it and the sure group, speaks against it: a pair that is
rejected with a weight below `thresholds.against`, or by a rule with `against` that the linking rule does not overrule
(`despite`). One that merely says too little does not. Nor is anything linked where two circles that lead to one sure
group contradict each other.

Invariant: two sure groups are never joined here, and no unsure group is joined to one that has a rival.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from blocking.sql import quote
from linkage.clusters.connected import connected
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from matchers.levels import literal

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def link_only_candidates(con: DuckDBPyConnection, config: EntityConfig, *, judged: str, profiles: str) -> int:
    """Turn the verdict of pairs that are the only candidate from `review` into `auto`.

    Args:
        con: DuckDB connection.
        config: the entity type: rules with `only_candidate`, rules with `rival`.
        judged: table of `linkage.model.verdicts.judge`, changed in place.
        profiles: the profiles.

    Returns:
        How many pairs were linked.
    """
    rules = _rules(config)
    if not rules:
        return 0
    rivals = [rule.name for rule in config.rule if rule.rival]
    _groups(con, judged, rivals)
    for kind in sorted(set(rules.values())):
        column, by = kind
        linkable = ", ".join(literal(name) for name, wanted in rules.items() if wanted == kind)
        _sides(con, column, judged=judged, profiles=profiles, rivals=rivals, against=_against(config.against_below, by))
        con.execute(f"""
insert into only_candidate
select j.left_id, j.right_id
from {quote(judged)} j
join candidate_part pl on j.left_id = pl.profile_id
join candidate_part pr on j.right_id = pr.profile_id
join candidate_side l on l.part = pl.part
join candidate_side r on r.part = pr.part
where j.verdict = 'review' and j.verdict_rule in ({linkable}) and j.left_id < j.right_id
    and not (l.sure and r.sure) and l.clear and r.clear""")
    con.execute(f"""
update {quote(judged)}
set verdict = 'auto'
from only_candidate o
where {quote(judged)}.left_id = o.left_id and {quote(judged)}.right_id = o.right_id""")
    (linked,) = only_row(con, "select count(*) from only_candidate")
    for table in ("only_candidate", "candidate_side", "candidate_part"):
        con.execute(f"drop table {table}")
    return int(linked)


def _rules(config: EntityConfig) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the rules with `only_candidate`: the column that a sure candidate has, and what speaks against one."""
    return {
        rule.name: (rule.only_candidate, config.speaking_against(rule))
        for rule in config.rule
        if rule.only_candidate is not None
    }


def _sides(
    con: DuckDBPyConnection, column: str, *, judged: str, profiles: str, rivals: list[str], against: str
) -> None:
    """Make `candidate_side`: each group, whether it is sure, and whether at most one sure group comes into question.

    A pair for which the condition `against` holds speaks against its two groups being one.
    """
    sure = con.sql(f"""
select c.part, bool_or(p.{quote(column)} is not null) as sure
from candidate_part c
join {quote(profiles)} p on c.profile_id = p.profile_id
group by c.part
order by c.part""").fetchnumpy()["sure"]
    leads = con.sql(f"""
select distinct l.part as one, r.part as other
from {quote(judged)} j
join candidate_part l on j.left_id = l.profile_id
join candidate_part r on j.right_id = r.profile_id
where {_in_question(rivals)} and l.part <> r.part""").fetchnumpy()
    flags = np.asarray(sure, dtype=np.bool_)
    # 张* who is a woman is not 张小明, whatever the one record of his that states no sex agrees with.
    apart = con.sql(f"""
select distinct l.part as one, r.part as other
from {quote(judged)} j
join candidate_part l on j.left_id = l.profile_id
join candidate_part r on j.right_id = r.profile_id
where j.verdict = 'reject' and {against} and l.part <> r.part""").fetchnumpy()
    ends = [np.asarray(found[side]) for found in (leads, apart) for side in ("one", "other")]
    clear = _clear(flags, *ends)
    con.register("candidate_sides_found", pa.table({"part": np.arange(len(flags)), "sure": flags, "clear": clear}))
    con.execute("create or replace temp table candidate_side as select * from candidate_sides_found")
    con.unregister("candidate_sides_found")


def _clear(sure: Flags, one: Numbers, other: Numbers, apart_one: Numbers, apart_other: Numbers) -> Flags:
    """Return which groups have no rival: sure ones, and those whose circle leads to one sure group at most.

    A circle is none if two of its groups, or one of them and the sure group that it leads to, contradict each other.

    Args:
        sure: of each group.
        one: groups that come into question for each other, one end;
        other: the other end;
        apart_one: groups that contradict each other, one end;
        apart_other: the other end.
    """
    size = len(sure)
    unsure = ~sure[one] & ~sure[other]
    circles = _components(size, one[unsure], other[unsure])
    led = sure[one] ^ sure[other]
    known = np.where(sure[one], one, other)[led]
    circle = circles[np.where(sure[one], other, one)[led]]
    reached = np.unique(np.stack([circle, known], axis=1), axis=0)
    counts = np.bincount(reached[:, 0], minlength=size)
    # A circle together with the sure group it leads to, if it is one.
    home = np.full(size, -1)
    home[reached[:, 0]] = reached[:, 1]
    one_entity = np.where(sure, np.arange(size), np.where(home[circles] >= 0, home[circles], size + circles))
    contradicted = one_entity[apart_one] == one_entity[apart_other]
    broken = np.zeros(size, dtype=np.bool_)
    for side in (apart_one[contradicted], apart_other[contradicted]):
        broken[circles[side[~sure[side]]]] = True
    clear: Flags = sure | ((counts[circles] <= 1) & ~broken[circles])
    return clear


def _components(size: int, left: Numbers, right: Numbers) -> Numbers:
    return connected(size, left, right).astype(np.int64)


def _in_question(rivals: list[str]) -> str:
    named = ", ".join(map(literal, rivals))
    return f"(j.verdict <> 'reject' or j.verdict_rule in ({named}))" if rivals else "j.verdict <> 'reject'"


def _against(below: float, by: tuple[str, ...]) -> str:
    named = ", ".join(map(literal, by))
    return f"(j.match_weight < {below!r} or j.verdict_rule in ({named}))" if named else f"j.match_weight < {below!r}"


def _groups(con: DuckDBPyConnection, judged: str, rivals: list[str]) -> None:
    """Make `candidate_part`: each profile in question, and the group of profiles that it is linked to already."""
    pairs = con.sql(f"""
select left_id, right_id, verdict = 'auto' as linked
from {quote(judged)} j
where {_in_question(rivals)}""").to_arrow_table()
    left, right = (pairs.column(side).to_numpy() for side in ("left_id", "right_id"))
    linked = pairs.column("linked").to_numpy(zero_copy_only=False).astype(bool)
    ids = np.unique(np.concatenate([left, right]))
    ends = [np.searchsorted(ids, side[linked]) for side in (left, right)]
    parts = _components(len(ids), *ends)
    con.register("candidate_parts_found", pa.table({"profile_id": ids, "part": parts}))
    con.execute("create or replace temp table candidate_part as select * from candidate_parts_found")
    con.unregister("candidate_parts_found")
    con.execute("create or replace temp table only_candidate (left_id bigint, right_id bigint)")
