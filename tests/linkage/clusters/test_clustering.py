"""Clusters: what ties a record, what keeps records apart, and that nothing refused is forgotten."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from blocking.sql import quote
from eval.report.words import Lang, Words
from linkage.clusters.clustering import _write_refused, cluster
from linkage.clusters.hysteresis import BY_HYSTERESIS
from linkage.clusters.links import Link, Refusal
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.figures import labels
from linkage.pipeline import Linkage

CONFIG = load_entity_config("natural_person")
Profile = tuple[int, int, str | None]
Pair = tuple[int, int, str, str, float, float]
Found = dict[str, tuple[str, str, float]]


def clustered(
    profiles: Sequence[Profile],
    pairs: Sequence[Pair] = (),
    apart: Sequence[tuple[int, int]] = (),
    same: Sequence[tuple[int, int]] = (),
    config: EntityConfig = CONFIG,
) -> tuple[Found, list[tuple[Any, ...]]]:
    """Cluster profiles (id, number of records, exclusive value); their records are called `<profile>.<n>`."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute("create table profiles (profile_id bigint, records bigint, id_exclusive varchar)")
        con.execute("create table members (record_id varchar, profile_id bigint)")
        con.execute(
            "create table judged (left_id bigint, right_id bigint, verdict varchar, link_basis varchar, "
            "match_weight double, match_probability double, verdict_rule varchar default 'score')"
        )
        con.execute("create table apart (left_id bigint, right_id bigint)")
        con.execute("create table same (left_id bigint, right_id bigint)")
        for table, rows in (("profiles", profiles), ("judged", pairs), ("apart", apart), ("same", same)):
            for row in rows:
                columns = [name for name, *_ in con.execute(f"describe {table}").fetchall()][: len(row)]
                given = f"{table} ({', '.join(columns)}) values ({', '.join('?' * len(row))})"
                con.execute(f"insert into {given}", list(row))
        for profile, records, _ in profiles:
            for n in range(records):
                con.execute("insert into members values (?, ?)", [f"{profile}.{n}", profile])
        cluster(
            con,
            config,
            judged="judged",
            profiles="profiles",
            members="members",
            cannot_link="apart" if apart else None,
            clusters="clusters",
            refused="refused",
            must_link="same" if same else None,
        )
        assert con.execute("select count(*) from duckdb_views() where view_name = 'accepted_link'").fetchone() == (0,)
        rows = con.execute("select record_id, cluster_id, link_basis, probability from clusters").fetchall()
        refused = con.execute("select left_id, right_id, constraint_name from refused order by all").fetchall()
    assert len(rows) == sum(records for _, records, _ in profiles)
    return {record: (home, basis, probability) for record, home, basis, probability in rows}, refused


def groups(found: Found) -> set[frozenset[str]]:
    homes: dict[str, set[str]] = {}
    for record, (home, _, _) in found.items():
        homes.setdefault(home, set()).add(record)
    return {frozenset(records) for records in homes.values()}


def auto(left: int, right: int, basis: str = "corroborated", weight: float = 20.0, probability: float = 0.99) -> Pair:
    return (left, right, "auto", basis, weight, probability)


def test_records_of_one_profile_with_an_identifier_are_one_cluster_by_identifier() -> None:
    found, _ = clustered([(1, 3, "A")])
    assert groups(found) == {frozenset({"1.0", "1.1", "1.2"})}
    assert {(basis, probability) for _, basis, probability in found.values()} == {("identifier", 1.0)}


def test_records_of_one_profile_without_an_identifier_are_kept_apart() -> None:
    found, _ = clustered([(1, 3, None)])
    assert groups(found) == {frozenset({"1.0"}), frozenset({"1.1"}), frozenset({"1.2"})}
    assert {(basis, probability) for _, basis, probability in found.values()} == {("attribute", 1.0)}


def test_records_of_one_profile_linked_with_itself_are_one_cluster_on_the_links_basis() -> None:
    found, _ = clustered([(1, 2, None)], [auto(1, 1, "corroborated", probability=0.97)])
    assert groups(found) == {frozenset({"1.0", "1.1"})}
    assert {(basis, probability) for _, basis, probability in found.values()} == {("corroborated", 0.97)}


@pytest.mark.parametrize("verdict", ["review", "reject", "conflict"])
def test_only_an_accepted_link_joins(verdict: str) -> None:
    pairs = [(1, 2, verdict, "identifier", 30.0, 0.9), (3, 3, verdict, "identifier", 30.0, 0.9)]
    found, refused = clustered([(1, 1, None), (2, 1, None), (3, 2, None)], pairs)
    assert len(groups(found)) == 4
    assert refused == []


def test_a_record_is_tied_by_the_best_of_its_links_and_the_highest_probability() -> None:
    profiles = [(1, 1, None), (2, 1, None), (3, 1, None), (4, 1, None)]
    pairs = [
        auto(1, 2, "attribute", probability=0.999),
        auto(2, 3, "corroborated", probability=0.98),
        auto(3, 4, "identifier", probability=0.97),
    ]
    found, _ = clustered(profiles, pairs)
    assert len(groups(found)) == 1
    assert {record: (basis, probability) for record, (_, basis, probability) in found.items()} == {
        "1.0": ("attribute", 0.999),
        "2.0": ("corroborated", 0.999),
        "3.0": ("identifier", 0.98),
        "4.0": ("identifier", 0.97),
    }


def test_a_record_alone_says_whether_it_carries_an_identifier() -> None:
    found, _ = clustered([(1, 1, "A"), (2, 1, None)])
    assert found["1.0"][1:] == ("identifier", 1.0)
    assert found["2.0"][1:] == ("attribute", 1.0)


def test_two_numbers_never_meet_through_a_third_record_and_the_refused_link_is_kept() -> None:
    pairs = [auto(1, 2, weight=40.0), auto(2, 3, weight=20.0)]
    found, refused = clustered([(1, 1, "A"), (2, 1, None), (3, 1, "B")], pairs)
    assert groups(found) == {frozenset({"1.0", "2.0"}), frozenset({"3.0"})}
    assert refused == [(2, 3, "exclusive:id_exclusive")]
    assert found["3.0"][1] == "identifier"


def test_a_refused_link_ties_no_record() -> None:
    pairs = [auto(1, 2, weight=40.0), auto(2, 3, "attribute", weight=20.0, probability=0.9999)]
    found, _ = clustered([(1, 1, "A"), (2, 1, None), (3, 1, "B")], pairs)
    assert found["2.0"][1:] == ("corroborated", 0.99)


def test_profiles_to_be_kept_apart_do_not_meet() -> None:
    pairs = [auto(1, 2, weight=40.0), auto(2, 3, weight=20.0)]
    found, refused = clustered([(1, 1, None), (2, 1, None), (3, 1, None)], pairs, apart=[(1, 3)])
    assert groups(found) == {frozenset({"1.0", "2.0"}), frozenset({"3.0"})}
    assert refused == [(2, 3, "cannot_link")]


def test_a_decision_joins_what_nothing_else_joins_and_says_so() -> None:
    found, refused = clustered([(1, 1, None), (2, 1, None), (3, 1, None)], same=[(2, 1)])
    assert groups(found) == {frozenset({"1.0", "2.0"}), frozenset({"3.0"})}
    assert found["1.0"][1:] == found["2.0"][1:] == ("decision", 1.0)
    assert refused == []


def test_a_decision_joins_two_numbers_and_the_records_between() -> None:
    pairs = [auto(1, 2, weight=40.0), auto(2, 3, weight=20.0)]
    found, refused = clustered([(1, 1, "A"), (2, 1, None), (3, 1, "B")], pairs, same=[(1, 3)])
    assert len(groups(found)) == 1
    assert refused == []


def test_a_tie_by_identifier_is_named_before_one_by_decision() -> None:
    found, _ = clustered([(1, 1, "A"), (2, 1, "A"), (3, 1, None)], [auto(1, 2, "identifier")], same=[(2, 3)])
    assert {record: basis for record, (_, basis, _) in found.items()} == {
        "1.0": "identifier",
        "2.0": "identifier",
        "3.0": "decision",
    }


def test_a_pair_that_is_linked_and_decided_is_one_link() -> None:
    found, refused = clustered([(1, 1, None), (2, 1, None)], [auto(1, 2)], apart=[(1, 2)], same=[(1, 2), (2, 1)])
    assert len(groups(found)) == 2
    assert refused == [(1, 2, "cannot_link")]


def test_a_refused_decision_has_no_weight() -> None:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        _write_refused(con, [Refusal(Link(1, 2, float("inf"), "decision"), "cannot_link")], "refused")
        assert con.execute("select match_weight, link_basis from refused").fetchall() == [(None, "decision")]


def test_a_decision_about_a_profile_that_is_not_here_or_itself_joins_nobody_else() -> None:
    found, refused = clustered([(1, 2, None), (2, 1, None)], same=[(1, 9), (8, 9), (1, 1)], apart=[(2, 2), (2, 9)])
    assert groups(found) == {frozenset({"1.0", "1.1"}), frozenset({"2.0"})}
    assert found["1.0"][1] == "decision"
    assert refused == []


def clique(profiles: Sequence[int]) -> list[Pair]:
    return [auto(a, b) for a, b in itertools.combinations(profiles, 2)]


def test_a_weak_bridge_is_refused_as_configured() -> None:
    profiles = [(i, 1, None) for i in range(1, 7)]
    pairs = [*clique([1, 2, 3]), *clique([4, 5, 6]), auto(3, 4, "attribute", weight=9.0)]
    found, refused = clustered(profiles, pairs)
    assert groups(found) == {frozenset({"1.0", "2.0", "3.0"}), frozenset({"4.0", "5.0", "6.0"})}
    assert refused == [(3, 4, "bridge")]
    clustering = CONFIG.clustering.model_copy(update={"bridge_weight": 9.0})
    assert clustered(profiles, pairs, config=CONFIG.model_copy(update={"clustering": clustering}))[1] == []


def test_a_cluster_does_not_grow_beyond_the_configured_size() -> None:
    clustering = CONFIG.clustering.model_copy(update={"maximum_size": 3})
    pairs = [auto(i, i + 1, weight=30.0 - i) for i in range(1, 5)]
    config = CONFIG.model_copy(update={"clustering": clustering})
    found, refused = clustered([(i, 1, None) for i in range(1, 6)], pairs, config=config)
    assert groups(found) == {frozenset({"1.0", "2.0", "3.0"}), frozenset({"4.0", "5.0"})}
    assert refused == [(3, 4, "size")]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("entity", ["natural_person", "legal_person"])
def test_every_constraint_has_words_in_the_report(entity: str, language: Lang) -> None:
    config = load_entity_config(entity)
    words = Words(language, labels([config]))
    constraints = [f"exclusive:{column}" for column in config.clustering.exclusive]
    constraints += ["cannot_link", "ambiguous", "bridge", "size"]
    shown = [words.label("contested", constraint) for constraint in constraints]
    assert len(set(shown)) == len(constraints)
    assert not set(shown) & set(constraints)
    assert words.label("rule", BY_HYSTERESIS) != BY_HYSTERESIS


def test_no_records_make_no_clusters() -> None:
    assert clustered([]) == ({}, [])


def test_a_cluster_is_named_by_its_smallest_profile() -> None:
    found, _ = clustered([(5, 1, None), (3, 1, None), (9, 1, None)], [auto(3, 9), auto(5, 9)])
    assert {home for home, _, _ in found.values()} == {"profile 3"}


def test_no_cluster_of_the_simulated_records_holds_two_values_of_an_exclusive_column(run: Linkage) -> None:
    con, clusters, profiles = run.con, quote(run.table("clusters")), quote(run.table("profiles"))
    for column in run.config.clustering.exclusive:
        held = con.execute(f"""
select cluster_id, count(distinct {quote(column)}) as held
from {clusters} c
join {profiles} p on c.profile_id = p.profile_id
group by cluster_id""").fetchall()
        assert max(held for _, held in held) == 1
        assert sum(held for _, held in held) > 100


def test_every_record_of_the_simulated_ones_is_in_one_cluster(run: Linkage) -> None:
    clusters, records = quote(run.table("clusters")), quote(run.table("records"))
    counts = run.con.execute(
        f"select count(*), count(distinct record_id), (select count(*) from {records}) from {clusters}"
    ).fetchall()[0]
    assert len(set(counts)) == 1


def test_every_accepted_link_is_followed_or_refused(run: Linkage) -> None:
    judged, members, refused = (quote(run.table(name)) for name in ("judged", "profile_cluster_of", "refused"))
    run.con.execute(
        f"create or replace temp view {members} as select distinct profile_id, cluster_id "
        f"from {quote(run.table('clusters'))} where cluster_id like 'profile %'"
    )
    lost = run.con.execute(f"""
select j.left_id, j.right_id
from {judged} j
join {members} a on j.left_id = a.profile_id
join {members} b on j.right_id = b.profile_id
anti join {refused} r on j.left_id = r.left_id and j.right_id = r.right_id
where j.verdict = 'auto' and a.cluster_id <> b.cluster_id""").fetchall()
    assert lost == []


def test_a_record_alone_in_its_cluster_has_no_link_and_a_probability_of_one(run: Linkage) -> None:
    rows = run.con.execute(f"""
select link_basis, probability
from {quote(run.table("clusters"))}
qualify count(*) over (partition by cluster_id) = 1""").fetchall()
    assert len(rows) > 10
    assert {probability for _, probability in rows} == {1.0}
    assert {basis for basis, _ in rows} <= {"identifier", "attribute"}


def test_every_refused_link_becomes_a_review_case(linked: dict[str, Linkage]) -> None:
    refused = 0
    for run in linked.values():
        shown = f"(select profile_id, min(record_id) as record_id from {quote(run.table('profile_record'))} group by 1)"
        wanted = run.con.execute(f"""
select least(a.record_id, b.record_id), greatest(a.record_id, b.record_id), r.constraint_name
from {quote(run.table("refused"))} r
join {shown} a on r.left_id = a.profile_id
join {shown} b on r.right_id = b.profile_id
order by all""").fetchall()
        cases = run.con.execute(
            f"select left_record_id, right_record_id, rule from {quote(run.table('review_case'))} "
            "where kind = 'refused' order by all"
        ).fetchall()
        assert cases == wanted
        refused += len(wanted)
    assert refused > 0


def test_a_review_case_is_named_once_and_shows_two_entities_or_a_proposal_to_split_one(run: Linkage) -> None:
    cases = run.con.execute(
        f"select case_id, kind, left_entity_id, right_entity_id, left_record_id, right_record_id "
        f"from {quote(run.table('review_case'))}"
    ).fetchall()
    assert len({case[0] for case in cases}) == len(cases) > 50
    for _, kind, left, right, left_record, right_record in cases:
        assert (left == right) is (kind == "split_proposed")
        assert left_record < right_record


def test_every_conflict_is_a_review_case_between_two_entities_or_speaks_for_a_split(run: Linkage) -> None:
    rows = run.con.execute(f"""
select l.entity_id, r.entity_id
from {quote(run.table("judged"))} j
join (
    select profile_id, min(record_id) as record_id from {quote(run.table("profile_record"))} group by profile_id
) a on j.left_id = a.profile_id
join (
    select profile_id, min(record_id) as record_id from {quote(run.table("profile_record"))} group by profile_id
) b on j.right_id = b.profile_id
join {quote(run.table("membership"))} l on a.record_id = l.record_id
join {quote(run.table("membership"))} r on b.record_id = r.record_id
where j.verdict = 'conflict' and j.left_id < j.right_id""").fetchall()
    cases = run.con.execute(f"select kind, left_entity_id from {quote(run.table('review_case'))}").fetchall()
    assert sum(left != right for left, right in rows) == sum(kind == "conflict" for kind, _ in cases)
    assert {left for left, right in rows if left == right} <= {one for kind, one in cases if kind == "split_proposed"}
    assert rows


def test_under_tight_limits_every_link_of_the_simulated_records_is_followed_or_refused(run: Linkage) -> None:
    limits = {"maximum_size": 3, "bridge_side": 2, "bridge_weight": 25.0}
    config = run.config.model_copy(update={"clustering": run.config.clustering.model_copy(update=limits)})
    cluster(
        run.con,
        config,
        judged=run.table("judged"),
        profiles=run.table("profiles"),
        members=run.table("profile_record"),
        cannot_link=None,
        clusters="tight_clusters",
        refused="tight_refused",
    )
    constraints = dict(run.con.execute("select constraint_name, count(*) from tight_refused group by all").fetchall())
    wrong = run.con.execute(f"""
with home as (select distinct profile_id, cluster_id from tight_clusters where cluster_id like 'profile %')
select count(*)
from {quote(run.table("judged"))} j
join home a on j.left_id = a.profile_id
join home b on j.right_id = b.profile_id
left join tight_refused r on j.left_id = r.left_id and j.right_id = r.right_id
where j.verdict = 'auto' and (r.left_id is null) <> (a.cluster_id = b.cluster_id)""").fetchone()
    for table in ("tight_clusters", "tight_refused"):
        run.con.execute(f"drop table {table}")
    assert wrong == (0,)
    assert constraints["size"] > 10
