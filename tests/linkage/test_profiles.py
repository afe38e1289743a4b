"""Profiles: one per distinct content, named by that content alone, every record in exactly one."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocking.sql import quote
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.pipeline import Linkage
from linkage.profiles import make_profiles
from linkage.standardise import standardise

CONFIG = load_entity_config("natural_person")
Records = list[dict[str, str | None]]
PEOPLE: Records = [
    {"name": "王小明", "phone": "13928415276"},
    {"name": "王 小明", "phone": "+86 139-2841-5276"},
    {"name": "王小明", "phone": "13928415277"},
    {"name": "王小明", "phone": None},
    {"name": None, "phone": None},
    {"name": "李小红", "phone": "13928415276"},
]


def profile_ids(
    people: Records, config: EntityConfig = CONFIG, *, own: list[str] | None = None
) -> tuple[dict[str, int], list[tuple[Any, ...]]]:
    """Return each record's profile and the profiles' ids and sizes; records in `own` get profiles of their own."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        raw = {
            "record_id": [p.get("id") or f"s:{i}" for i, p in enumerate(people)],
            "source": ["s"] * len(people),
            "source_record_id": [str(i) for i in range(len(people))],
            "as_of": ["2025-01-31"] * len(people),
            "name": [p["name"] for p in people],
            "phone": [p["phone"] for p in people],
        }
        con.register("given", pa.table({k: pa.array(v, pa.string()) for k, v in raw.items()}))
        con.execute("create table raw as from given")
        standardise(con, config, raw="raw", out="records", processes=1)
        con.register("named", pa.table({"record_id": pa.array(own or [], pa.string())}))
        table = None if own is None else "named"
        make_profiles(con, config, records="records", profiles="profiles", members="members", own=table)
        members = dict(con.execute("select record_id, profile_id from members").fetchall())
        profiles = con.execute("select profile_id, records from profiles order by all").fetchall()
    assert len(members) == len(people)
    return members, profiles


def test_every_record_is_in_exactly_one_profile_and_the_profiles_count_them(run: Linkage) -> None:
    profiles, members, records = (quote(run.table(name)) for name in ("profiles", "profile_record", "records"))
    (all_records,) = run.con.execute(f"select count(*) from {records}").fetchall()[0]
    counted = run.con.execute(f"""
select count(*), count(distinct m.record_id), count(p.profile_id), count(r.record_id)
from {members} m
left join {profiles} p on m.profile_id = p.profile_id
left join {records} r on m.record_id = r.record_id""").fetchall()[0]
    assert counted == (all_records,) * 4
    wrong = run.con.execute(f"""
select p.profile_id
from {profiles} p
left join {members} m on m.profile_id = p.profile_id
group by p.profile_id, p.records
having count(m.record_id) <> p.records""").fetchall()
    assert wrong == []


def test_a_profile_has_the_content_of_its_records(run: Linkage) -> None:
    columns = ", ".join(quote(c) for c in run.config.profile_columns)
    profiles, members, records = (quote(run.table(name)) for name in ("profiles", "profile_record", "records"))
    of_profiles = f"select m.record_id, {columns} from {profiles} p join {members} m on m.profile_id = p.profile_id"
    of_records = f"select record_id, {columns} from {records}"
    for first, second in ((of_profiles, of_records), (of_records, of_profiles)):
        assert run.con.execute(f"select count(*) from ({first} except {second})").fetchall() == [(0,)]


def test_no_two_profiles_have_the_same_content(run: Linkage) -> None:
    columns = ", ".join(quote(c) for c in run.config.profile_columns)
    profiles = quote(run.table("profiles"))
    (counts,) = run.con.execute(
        f"select count(*), (select count(*) from (select distinct {columns} from {profiles})) from {profiles}"
    ).fetchall()
    assert counts[0] == counts[1]


def test_records_that_say_the_same_in_different_writing_share_a_profile() -> None:
    members, profiles = profile_ids(PEOPLE)
    assert members["s:0"] == members["s:1"]
    assert len({members[f"s:{i}"] for i in (0, 2, 3, 4, 5)}) == 5
    assert sorted(records for _, records in profiles) == [1, 1, 1, 1, 2]


def test_a_missing_value_is_not_the_same_content_as_a_value_of_another_column() -> None:
    members, _ = profile_ids([{"name": "王小明", "phone": None}, {"name": None, "phone": "王小明"}])
    assert members["s:0"] != members["s:1"]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(range(len(PEOPLE))), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_profile_id_depends_on_the_content_alone(chosen: list[int], shuffler: random.Random) -> None:
    alone, _ = profile_ids(PEOPLE)
    people = [{**PEOPLE[i], "id": f"x:{position}"} for position, i in enumerate(chosen)]
    shuffler.shuffle(people)
    members, _ = profile_ids(people)
    assert {members[f"x:{position}"] == alone[f"s:{i}"] for position, i in enumerate(chosen)} == {True}


@pytest.mark.parametrize("column", ["source", "source_record_id", "as_of", "record_id"])
def test_where_and_when_a_record_was_written_is_not_part_of_its_profile(column: str) -> None:
    assert column not in CONFIG.profile_columns


# --- records that a decision names ------------------------------------------------------------------------------------


def test_a_record_with_a_profile_of_its_own_leaves_the_others_as_they_were() -> None:
    people = [PEOPLE[0], PEOPLE[1], {**PEOPLE[0]}, PEOPLE[2]]
    together, _ = profile_ids(people)
    members, profiles = profile_ids(people, own=["s:1"])
    assert members["s:1"] not in together.values()
    assert {record: id for record, id in members.items() if record != "s:1"} == {
        record: id for record, id in together.items() if record != "s:1"
    }
    assert sorted(records for _, records in profiles) == [1, 1, 2]


def test_records_with_the_same_content_each_get_a_profile_of_their_own() -> None:
    members, profiles = profile_ids([PEOPLE[0]] * 3, own=["s:0", "s:1", "s:2"])
    assert len(set(members.values())) == 3
    assert [records for _, records in profiles] == [1, 1, 1]


def test_a_record_named_that_is_not_there_changes_nothing() -> None:
    assert profile_ids(PEOPLE, own=["s:99", "no record"]) == profile_ids(PEOPLE)
    assert profile_ids(PEOPLE, own=[]) == profile_ids(PEOPLE)


@settings(max_examples=6, deadline=None)
@given(st.sets(st.sampled_from(range(8))), st.randoms(use_true_random=False))
def test_a_profile_of_its_own_depends_on_content_and_record_alone(named: set[int], shuffler: random.Random) -> None:
    people: Records = [{**PEOPLE[i % 3], "id": f"x:{i}"} for i in range(8)]
    whole, _ = profile_ids(people)
    expected, _ = profile_ids(people, own=[f"x:{i}" for i in sorted(named)])
    for i in range(8):
        sharing = [record for record, id in expected.items() if id == expected[f"x:{i}"]]
        assert (sharing == [f"x:{i}"]) if i in named else (expected[f"x:{i}"] == whole[f"x:{i}"])
    shuffler.shuffle(people)
    others = people[:6]
    members, _ = profile_ids(others, own=[f"x:{i}" for i in named])
    assert all(members[str(person["id"])] == expected[str(person["id"])] for person in others)
