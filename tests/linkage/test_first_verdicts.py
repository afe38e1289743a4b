"""What a pair was judged at first is told by what became of it, so that a month need not judge it again."""

from __future__ import annotations

from linkage.clusters.hysteresis import keep_links
from linkage.clusters.only_candidates import link_only_candidates
from linkage.increment.touched import first_verdict
from linkage.model.verdicts import judge
from linkage.pipeline import Linkage


def test_the_first_verdicts_are_found_again_after_links_were_kept_and_only_candidates_linked(run: Linkage) -> None:
    con, profiles = run.con, run.table("profiles")
    judge(con, run.config, scored=run.table("scored"), profiles=profiles, out="judged_at_first")
    con.execute("create or replace table judged_again as from judged_at_first")
    con.execute("create or replace table kept_all as select left_id, right_id from judged_at_first")
    kept = keep_links(con, run.config, judged="judged_again", kept="kept_all")
    singled_out = link_only_candidates(con, run.config, judged="judged_again", profiles=profiles)
    verdict, rule = first_verdict(run.config)
    (differing,) = con.execute(f"""
select count(*)
from (select left_id, right_id, {verdict} as verdict, {rule} as verdict_rule from judged_again) a
join judged_at_first f using (left_id, right_id)
where a.verdict <> f.verdict or a.verdict_rule <> f.verdict_rule""").fetchall()[0]
    assert kept > 0
    assert singled_out > 0
    assert differing == 0
    for table in ("judged_at_first", "judged_again", "kept_all"):
        con.execute(f"drop table {table}")
