"""`guiyi decide` and `guiyi decisions`: what a person types, what is kept, and what is said when it cannot be."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from small_district import Guiyi, ask

from golden_records.catalog.publish import ReleaseTables, publish
from golden_records.catalog.store import open_catalog
from linkage.workspace import Workspace, create_workspace

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WHY = ("--reason", "document_seen", "--author", "周审核")
SECRET = "当事人王小明称两证均为本人所有"
RECORDS = {
    "LP0000000001": ("m:1", "t:1"),
    "LP0000000002": ("m:2", "t:2"),
    "LP0000000003": ("m:3",),
    "NP0000000001": ("p:1",),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose catalog holds four entities."""
    made = create_workspace(tmp_path / "w")
    with open_catalog(made.catalog) as catalog, duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(
            "create table link (entity_id varchar, source varchar, source_record_id varchar, link_basis varchar)"
        )
        for entity, records in RECORDS.items():
            con.executemany(
                "insert into link values (?, ?, ?, 'attribute')", [(entity, *record.split(":")) for record in records]
            )
        for kind in ("LP", "NP"):
            con.execute(
                f"create table {kind} as select distinct entity_id from link where left(entity_id, 2) = '{kind}'"
            )
        con.execute("create table entities as select distinct entity_id, null::varchar as anchor from link")
        tables = ReleaseTables(("LP",), ("NP",), record_link=("link",), entities=("entities",))
        publish(catalog, con, tables, now=NOW, manifest={})
    return made


def two_people(workspace: Workspace) -> None:
    with (workspace.root / "guiyi.toml").open("a", encoding="utf-8") as file:
        file.write('\n[decisions]\ntwo_people = ["same"]\nreasons = ["seen", "document_seen"]\n')


def test_a_ruling_is_recorded_and_the_next_run_is_named(workspace: Workspace, guiyi: Guiyi) -> None:
    done = guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    assert (done.code, done.out.strip()) == (0, "decision 1: same, 2 records (records), active")
    assert "the next run applies this" in done.err
    assert f"guiyi run {workspace.root}" in done.err
    assert ask(workspace.catalog, "select count(*) from release") == [(1,)]


def test_the_kinds_and_scopes_of_a_ruling_reach_the_records_they_mean(workspace: Workspace, guiyi: Guiyi) -> None:
    made = [
        guiyi("decide", workspace.root, "different", "m:1", "m:2", "--scope", "entities", *WHY, "--json").data,
        guiyi("decide", workspace.root, "not-here", "t:1", *WHY, "--json").data,
        guiyi("decide", workspace.root, "different", "t:1", "m:3", *WHY, "--json").data,
    ]
    assert [(d["ruling"], d["scope"], d["groups"]) for d in made] == [
        ("different", "entities", [["m:1", "t:1"], ["m:2", "t:2"]]),
        ("not_here", "entities", [["t:1"], ["m:1"]]),
        ("different", "records", [["t:1"], ["m:3"]]),
    ]
    assert {d["state"] for d in made} == {"active"}


def test_a_kind_that_needs_two_people_is_confirmed_by_another(workspace: Workspace, guiyi: Guiyi) -> None:
    two_people(workspace)
    waiting = guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    assert "proposed" in waiting.out
    assert f"guiyi decide {workspace.root} --confirm 1 --author NAME" in waiting.err
    same = guiyi("decide", workspace.root, "--confirm", 1, "--author", " 周审核")
    assert (same.code, "second person" in same.err) == (1, True)
    assert guiyi("decide", workspace.root, "--confirm", 1, "--author", "吴复核").code == 0
    listed = guiyi("decisions", workspace.root, "--state", "active", "--json").data["decisions"]
    assert [event["by"] for event in listed[0]["events"]] == ["周审核", "吴复核"]


def test_a_ruling_that_contradicts_others_is_refused_with_the_chain(workspace: Workspace, guiyi: Guiyi) -> None:
    guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    guiyi("decide", workspace.root, "same", "t:2", "m:2", *WHY)
    refused = guiyi("decide", workspace.root, "different", "m:1", "t:2", *WHY)
    assert refused.code == 1
    assert "decisions 1, 2 make one entity of records that decision 3 keeps apart" in " ".join(refused.err.split())
    guiyi("decide", workspace.root, "--revoke", 1, "--author", "周审核", "--note", "看错")
    assert guiyi("decide", workspace.root, "different", "m:1", "t:2", *WHY).code == 0


def test_a_proposal_overtaken_by_a_contradicting_one_cannot_be_confirmed(workspace: Workspace, guiyi: Guiyi) -> None:
    two_people(workspace)
    guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    assert guiyi("decide", workspace.root, "different", "m:1", "m:2", *WHY).code == 0
    late = guiyi("decide", workspace.root, "--confirm", 1, "--author", "吴复核")
    assert (late.code, "would contradict" in late.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("same", "m:1", "x:9", *WHY), 1, "record 2 of 2: is not in the current release"),
        (("same", "m:1", "p:1", *WHY), 1, "legal and natural persons"),
        (("same", "m:1", *WHY), 1, "takes 2 to 100"),
        (("not-here", "m:3", *WHY), 1, "alone"),
        (("same", "m:1", "m:2", "--author", "周"), 2, "--reason : give one of"),
        (("same", "m:1", "m:2", "--author", "周", "--reason", "because"), 2, "give one of source_confirmed"),
        (("same", "m:1", "m:2", "--author", " ", "--reason", "other"), 1, "author: is missing"),
        (("same", "m:1", "m:2", "--reason", "other"), 2, "--author"),
        (("equal", "m:1", "m:2", *WHY), 2, "equal"),
        (("same", "m:1", "m:2", *WHY, "--confirm", "1"), 2, "exactly one"),
        (("--author", "周"), 2, "exactly one"),
        (("--confirm", "1", "--revoke", "1", "--author", "周"), 2, "exactly one"),
        (("--confirm", "1", *WHY), 2, "say why with --note"),
        (("--revoke", "1", "--author", "周"), 2, "--revoke needs --note"),
        (("--revoke", "1", "--author", "周", "--note", "x"), 1, "decision 1: there is none"),
        (("--confirm", "1", "--author", "周"), 1, "decision 1: there is none"),
    ],
)
def test_what_cannot_be_recorded_is_said_plainly_and_nothing_is_kept(
    workspace: Workspace, guiyi: Guiyi, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = guiyi("decide", workspace.root, *arguments)
    assert done.code == code
    assert message in " ".join(done.err.split())
    assert ask(workspace.catalog, "select * from decision") == []


def test_revoking_twice_is_refused(workspace: Workspace, guiyi: Guiyi) -> None:
    guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    again = ("decide", workspace.root, "--revoke", 1, "--author", "吴", "--note", "看错")
    assert guiyi(*again).code == 0
    done = guiyi(*again)
    assert (done.code, "revoked already" in done.err) == (1, True)


def test_free_text_is_shown_only_to_who_asks_for_it(workspace: Workspace, guiyi: Guiyi) -> None:
    done = [
        guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY, "--note", SECRET),
        guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY, "--note", SECRET),
        guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY, "--note", SECRET * 200, "--json"),
        guiyi("decide", workspace.root, "--revoke", 1, "--author", "吴", "--note", SECRET, "--json"),
        guiyi("decisions", workspace.root),
        guiyi("decisions", workspace.root, "--json"),
    ]
    assert [one.code for one in done] == [0, 1, 1, 0, 0, 0]
    assert not any(SECRET in one.out + one.err for one in done)
    assert SECRET in guiyi("decisions", workspace.root, "--notes").out
    shown = guiyi("decisions", workspace.root, "--notes", "--json").data["decisions"][0]
    assert (shown["note"], shown["events"][-1]["note"]) == (SECRET, SECRET)


def test_the_list_can_be_limited_to_states(workspace: Workspace, guiyi: Guiyi) -> None:
    guiyi("decide", workspace.root, "same", "m:1", "m:2", *WHY)
    guiyi("decide", workspace.root, "different", "m:1", "m:3", *WHY)
    guiyi("decide", workspace.root, "--revoke", 2, "--author", "吴", "--note", "看错")

    def listed(*states: str) -> list[int]:
        options = [word for state in states for word in ("--state", state)]
        return [d["decision"] for d in guiyi("decisions", workspace.root, *options, "--json").data["decisions"]]

    assert (listed(), listed("active"), listed("revoked"), listed("proposed")) == ([1, 2], [1], [2], [])
    assert listed("active", "revoked") == [1, 2]
    table = guiyi("decisions", workspace.root).out
    assert "2 decision(s)" in table
    assert "周审核" in table


def test_before_the_first_release_there_is_nothing_to_rule_on(tmp_path: Path, guiyi: Guiyi) -> None:
    empty = create_workspace(tmp_path / "empty")
    done = guiyi("decide", empty.root, "same", "m:1", "m:2", *WHY)
    assert (done.code, "guiyi run" in done.err) == (1, True)
    assert guiyi("decisions", empty.root).code == 1
    assert not empty.catalog.exists()


@pytest.mark.parametrize("key", ['reasons = ["王小明"]', 'two_people = ["merge"]', "third = 1"])
def test_a_setting_that_cannot_be_used_is_wrong_usage(workspace: Workspace, guiyi: Guiyi, key: str) -> None:
    with (workspace.root / "guiyi.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[decisions]\n{key}\n")
    done = guiyi("decisions", workspace.root)
    assert (done.code, "decisions" in done.err) == (2, True)


def test_of_two_processes_that_rule_the_same_at_once_one_is_told_so(workspace: Workspace) -> None:
    command = [sys.executable, "-m", "linkage", "decide", str(workspace.root), "same", "m:1", "m:2", *WHY]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert sorted(process.returncode for process in started) == [0, 1]
    assert any("says this already" in text for text in errors)
    assert ask(workspace.catalog, "select count(*) from decision") == [(1,)]
    assert ask(workspace.catalog, "select count(*) from decision_event") == [(2,)]
