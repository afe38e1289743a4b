"""Pairs that come and go when profiles appear and vanish (`blocking.changed_pairs`), and their scores and verdicts.

Tables made, in memory: `new_keys` and `old_keys` (of the profiles that appeared and vanished), `changed_pair` (left_id,
right_id of the pairs that come, go, are found by other rules, or are a profile with itself), `new_pairs`, `new_scored`,
`new_judged` (their rows in the tables of these names, of those that are left) and `pair_profiles` (the profiles of both
sides, with the columns that scoring and judging them read).
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from blocking.changed_pairs import KeyChange, make_changed_pairs
from blocking.keys import make_keys
from blocking.sql import quote
from linkage.at_once.batch import Batch, fetch_rows
from linkage.database import columns_of, count
from linkage.entity_config import EntityConfig
from linkage.model.scoring import score
from linkage.model.verdicts import judge
from linkage.pipeline import Linkage, with_themselves
from matchers.levels import columns_of as columns_of_conditions


def find_pairs(run: Linkage, batch: Batch) -> None:
    """Make the tables of changed pairs from `moved_profile` and `new_profiles` (see `linkage.at_once.moved`)."""
    con, config = run.con, run.config
    _pairs(con, config, batch)
    _with_themselves(con, config)
    _take_scores(con, batch)
    lacking = count(con, "pairs_to_score") > 0
    read = {"profile_id", *columns_of_conditions(config.conditions.values())}
    fetch_rows(
        con,
        batch.table("profiles"),
        key="profile_id",
        wanted="select left_id as profile_id from new_scoring_pairs union select right_id from new_scoring_pairs",
        out="pair_profiles",
        columns=sorted(read | set(config.compared_columns if lacking else ())),
        known="new_profiles",
    )
    if lacking:
        _score_rest(run, batch)
    judge(con, config, scored="new_scored", profiles="pair_profiles", out="new_judged")


def _pairs(con: DuckDBPyConnection, config: EntityConfig, batch: Batch) -> None:
    """Make `new_keys`, `changed_pair`, and `new_pairs`: the changed pairs that are still found."""
    con.execute("create or replace view vanished as select profile_id from moved_profile where records_after = 0")
    make_keys(con, config.blocking, profiles="came_or_went", types=columns_of(con, "came_or_went"), out="moved_keys")
    con.execute("create or replace table old_keys as select * from moved_keys semi join vanished using (profile_id)")
    con.execute("create or replace table new_keys as select * from moved_keys anti join vanished using (profile_id)")
    for done in ("came_or_went", "moved_keys"):
        con.execute(f"drop table {done}")
    con.execute(f"""
create or replace view keys_now as
select * from {batch.table("keys")} anti join vanished using (profile_id)
union all
select * from new_keys""")
    change = KeyChange(batch.table("keys"), coming="new_keys", going="old_keys")
    make_changed_pairs(con, config.blocking, change, after="keys_now", changed="changed_pair", out="new_pairs")


def _with_themselves(con: DuckDBPyConnection, config: EntityConfig) -> None:
    """Add to `changed_pair` the moved profiles with themselves; make `new_scoring_pairs` of those to be judged."""
    con.execute("insert into changed_pair select profile_id, profile_id from moved_profile")
    con.execute(f"""
create or replace table new_scoring_pairs as
select left_id, right_id, rule, rules from new_pairs
union all
{with_themselves(config, "new_profiles")}""")


def _take_scores(con: DuckDBPyConnection, batch: Batch) -> None:
    """Make `new_scored` of the scores that are there, under the rules that find the pair now, and `pairs_to_score`.

    A record that moves says the same in its new profile as in its old one, so that pairs with the old one tell the
    scores of pairs with the new one as well.
    """
    con.execute("""
create or replace table sought as
with content as (
    select new_id as profile_id, min(old_id) as known_id
    from moved
    group by new_id
)
select *, left_id as known_left, right_id as known_right, 0 as turn
from new_scoring_pairs
union all
select p.*, least(coalesce(l.known_id, p.left_id), coalesce(r.known_id, p.right_id)),
    greatest(coalesce(l.known_id, p.left_id), coalesce(r.known_id, p.right_id)), 1
from new_scoring_pairs p
left join content l on p.left_id = l.profile_id
left join content r on p.right_id = r.profile_id
where l.known_id is not null or r.known_id is not null""")
    scores = ", ".join(
        f"s.{quote(row[0])}"
        for row in con.execute(f"describe {batch.table('scored')}").fetchall()
        if row[0] not in ("left_id", "right_id", "rule", "rules")
    )
    con.execute(f"""
create or replace table new_scored as
select p.left_id, p.right_id, p.rule, p.rules, {scores}
from {batch.table("scored")} s
join sought p on s.left_id = p.known_left and s.right_id = p.known_right
qualify row_number() over (partition by p.left_id, p.right_id order by p.turn) = 1""")
    con.execute("""
create or replace view pairs_to_score as
select p.*
from new_scoring_pairs p
anti join new_scored s on p.left_id = s.left_id and p.right_id = s.right_id""")


def _score_rest(run: Linkage, batch: Batch) -> None:
    """Add to `new_scored` the pairs that nobody has scored yet."""
    frequencies = _frequencies(run, batch)
    score(
        run.con, run.config, run.trained, profiles="pair_profiles", pairs="pairs_to_score", frequencies=frequencies,
        out="scored_anew",
    )  # fmt: skip
    run.con.execute("insert into new_scored by name select * from scored_anew")


def _frequencies(run: Linkage, batch: Batch) -> dict[str, str]:
    """Make the term frequencies of the values at hand, and of a value never seen; return column to table."""
    made = {}
    for column in run.frequencies:
        name = f"frequency_{column}"
        run.con.execute(f"""
create or replace table {quote(run.table(name))} as
select f.*
from {batch.table(name)} f
where f.{quote(column)} is null or f.{quote(column)} in (select {quote(column)} from pair_profiles)""")
        made[column] = run.table(name)
    return made
