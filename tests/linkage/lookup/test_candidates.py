"""Looking one record up online finds the pairs of the batch, with their weights and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_district import NOW

import blocking.stable_keys
from blocking.keys import make_keys
from blocking.rules import BlockingRule
from blocking.sql import quote
from blocking.stable_keys import make_stable_keys, row_keys
from golden_records.catalog.lookup_blocks import unpack_blocks
from golden_records.catalog.lookup_profiles import FIRST_NUMBER, read_contents
from golden_records.catalog.publish import publish
from golden_records.catalog.store import open_catalog
from linkage.entities import release_tables
from linkage.entity_config import load_entity_config
from linkage.fields import CANONICAL_FIELDS
from linkage.lookup.candidates import ScoredProfile, find_candidates
from linkage.lookup.content import packed, read_content, unpacked
from linkage.lookup.publishing import lookup_part
from linkage.lookup.snapshot import Lookup, Snapshot
from linkage.pipeline import Linkage
from linkage.standardise import standardise_row


@pytest.fixture(scope="module")
def lookup(linked: dict[str, Linkage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lookup]:
    with open_catalog(tmp_path_factory.mktemp("catalog") / "catalog.sqlite") as catalog:
        runs = tuple(linked.values())
        parts = [lookup_part(run) for run in runs]
        publish(catalog, runs[0].con, release_tables(runs), now=NOW, manifest={}, models={}, lookup=parts)
        yield Lookup(catalog)


def raw_of_profiles(run: Linkage) -> dict[int, dict[str, Any]]:
    """One raw record of each profile."""
    rows = run.con.sql(f"""
select p.profile_id, r.*
from {quote(run.table("raw"))} r
join {quote(run.table("profile_record"))} p on r.record_id = p.record_id""").to_arrow_table()
    return {row["profile_id"]: row for row in rows.to_pylist()}


@pytest.fixture(scope="module")
def found(lookup: Lookup, linked: dict[str, Linkage]) -> dict[str, dict[tuple[int, int], ScoredProfile]]:
    """Every pair that looking up every profile's raw record finds."""
    made: dict[str, dict[tuple[int, int], ScoredProfile]] = {}
    with lookup.reading() as snapshot:
        for entity, run in linked.items():
            model = snapshot.model(run.config.entity)
            made[entity] = {}
            for profile_id, raw in raw_of_profiles(run).items():
                row = standardise_row(raw, model.config)
                for candidate in find_candidates(snapshot, model, row).profiles:
                    made[entity][profile_id, candidate.profile_id] = candidate
    return made


def test_the_pairs_found_are_those_of_the_batch(
    run: Linkage, found: dict[str, dict[tuple[int, int], ScoredProfile]]
) -> None:
    batch = set(run.con.execute(f"select left_id, right_id from {quote(run.table('pairs'))}").fetchall())
    online = {(min(pair), max(pair)) for pair in found[run.config.entity] if pair[0] != pair[1]}
    assert len(batch) > 3_000
    assert online == batch


def test_weight_verdict_rule_and_basis_are_those_of_the_batch(
    run: Linkage, found: dict[str, dict[tuple[int, int], ScoredProfile]]
) -> None:
    alone = {rule.name for rule in run.config.rule if rule.only_candidate}
    judged = run.con.execute(f"""
select left_id, right_id, match_weight, verdict, verdict_rule, link_basis
from {quote(run.table("judged"))}
where left_id < right_id""").fetchall()
    for left, right, weight, verdict, rule, basis in judged:
        for pair in ((left, right), (right, left)):
            score = found[run.config.entity][pair].score
            assert score.weight == pytest.approx(weight, abs=1e-9)
            expected = ("review" if rule in alone else verdict, rule, basis)
            assert (score.verdict.verdict, score.verdict.rule, score.verdict.basis) == expected


def test_a_profile_is_told_with_the_entities_of_its_records(
    run: Linkage, found: dict[str, dict[tuple[int, int], ScoredProfile]]
) -> None:
    rows = run.con.execute(f"""
select p.profile_id, list_sort(list(distinct m.entity_id))
from {quote(run.table("profile_record"))} p
join {quote(run.table("membership"))} m on p.record_id = m.record_id
group by p.profile_id""").fetchall()
    belongs = dict(rows)
    for (_, profile_id), candidate in found[run.config.entity].items():
        assert list(candidate.entity_ids) == belongs[profile_id][:20]
        assert candidate.entities == len(belongs[profile_id])


def test_the_content_of_a_profile_reads_back_as_it_was(run: Linkage) -> None:
    config, profiles = run.config, run.table("profiles")
    packs = run.con.sql(f"select profile_id, {packed(config)} as content from {quote(profiles)}")
    contents = dict(packs.fetchall())
    for row in run.con.sql(f"from {quote(profiles)}").to_arrow_table().to_pylist():
        expected = {c: tuple(v) if isinstance(v := row[c], list) else v for c in config.profile_columns}
        assert read_content(config, contents[row["profile_id"]]) == expected
    run.con.execute("create or replace temp table packs as " + packs.sql_query())
    columns = frozenset(config.profile_columns)
    names = ", ".join(quote(c) for c in ("profile_id", *sorted(columns)))
    differ = run.con.sql(
        f"select {names} from ({unpacked(config, 'packs', columns)}) except select {names} from {quote(profiles)}"
    ).fetchall()
    assert differ == []


def test_keys_in_python_are_the_keys_in_sql(run: Linkage) -> None:
    profiles = run.table("profiles")
    make_stable_keys(run.con, run.config.blocking, profiles=profiles, types=run.config.columns, out="stable")
    in_sql = set(run.con.execute("from stable").fetchall())
    in_python = {
        (key, refine, row["profile_id"])
        for row in run.con.sql(f"from {quote(profiles)}").to_arrow_table().to_pylist()
        for rule in run.config.blocking
        for key, refine in row_keys(rule, row)
    }
    assert in_python == in_sql


ELEMENT = st.one_of(st.none(), st.text("ab,[]'", max_size=3))
ROW = st.fixed_dictionaries(
    {
        "one": ELEMENT,
        "two": ELEMENT,
        "many": st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=3) | st.none(),
        "flag": st.booleans() | st.none(),
        "size": st.integers(-5, 5) | st.none(),
    }
)
RULES = (
    BlockingRule(name="a", keys=(("one", "many"), ("two",)), refine=("flag", "size")),
    BlockingRule(name="b", keys=(("one[:1]", "flag"), ("size",))),
)
TYPES = {"one": "VARCHAR", "two": "VARCHAR", "many": "VARCHAR[]", "flag": "BOOLEAN", "size": "INTEGER"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_rows_meet_under_stable_keys_exactly_when_they_meet_in_the_batch(
    linked: dict[str, Linkage], rows: list[dict[str, Any]]
) -> None:
    con = linked["legal_person"].con
    declared = ", ".join(f"{column} {kind}" for column, kind in TYPES.items())
    con.execute(f"create or replace temp table junk (profile_id bigint, {declared})")
    types = {
        "one": pa.string(),
        "two": pa.string(),
        "many": pa.list_(pa.string()),
        "flag": pa.bool_(),
        "size": pa.int32(),
    }
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()})
    con.register("junk_rows", table.add_column(0, "profile_id", pa.array(range(len(rows)), pa.int64())))
    con.execute("insert into junk by name from junk_rows")
    con.unregister("junk_rows")
    make_keys(con, RULES, profiles="junk", types=TYPES, out="junk_batch")
    make_stable_keys(con, RULES, profiles="junk", types=TYPES, out="junk_few")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocking.stable_keys, "_FEW", -1)
        make_stable_keys(con, RULES, profiles="junk", types=TYPES, out="junk_stable")
    assert set(con.execute("from junk_few").fetchall()) == set(con.execute("from junk_stable").fetchall())
    met = (
        "select distinct l.profile_id, r.profile_id from {0} l join {0} r using (key) where l.profile_id < r.profile_id"
    )
    batch, stable = (set(con.execute(met.format(table)).fetchall()) for table in ("junk_batch", "junk_stable"))
    assert stable == batch
    in_python = {(k, f, i) for i, row in enumerate(rows) for rule in RULES for k, f in row_keys(rule, row)}
    assert in_python == set(con.execute("from junk_stable").fetchall())


@settings(max_examples=200, deadline=None)
@given(entity=st.sampled_from(["legal_person", "natural_person"]), data=st.data())
def test_standardised_values_never_hold_the_separators_of_the_content(entity: str, data: st.DataObject) -> None:
    config = load_entity_config(entity)
    text = st.text(st.sampled_from("\x1e\x1f\x00深圳市张三1380a-*；;"), max_size=12)
    raw = {field: data.draw(text) for field in CANONICAL_FIELDS[config.entity]}
    for value in standardise_row(raw, config).values():
        for element in value if isinstance(value, tuple) else (value,):
            assert not {"\x1e", "\x1f"} & set(str(element))
            assert element != ""


def test_a_block_above_its_cap_is_left_aside_and_named(lookup: Lookup) -> None:
    with lookup.reading() as snapshot:
        model = snapshot.model("natural_person")
        small = tuple(rule.model_copy(update={"cap": 2}) for rule in model.config.blocking)
        tight = replace(model, config=model.config.model_copy(update={"blocking": small}))
        row = read_content(model.config, _content_in_a_block_above(snapshot, 5))
        assert find_candidates(snapshot, tight, row).left_aside
        assert not find_candidates(snapshot, model, row).left_aside


def _content_in_a_block_above(snapshot: Snapshot, size: int) -> str:
    """Return the content of a natural person's profile in a block that nothing splits."""
    rows = snapshot.catalog.execute(
        "select number, blocks from lookup_bucket where number >= ? order by number", (FIRST_NUMBER["NP"],)
    )
    for number, blocks in rows:
        members = unpack_blocks(pa.record_batch({"number": [number], "blocks": [blocks]})).to_pylist()
        sizes = Counter(member["suffix"] for member in members)
        for member in members:
            if sizes[member["suffix"]] > size and number % 2 == 0:
                entity = (FIRST_NUMBER["NP"] + member["entity"],)
                row = snapshot.catalog.row("select contents from lookup_entity where number = ?", entity)
                assert row is not None
                return read_contents(row[0])[member["place"]]
    raise AssertionError("no block is as large")
