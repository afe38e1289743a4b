"""A decision at once: what a run with it would have made, in the batch database and in the catalog, nothing more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from batches import differences, ids_of
from small_district import LOOKUP_TABLES, NOW, Guiyi, ask, catalog_content, copied, ingest_month

import linkage.at_once.resolve
import linkage.commands.decide
from golden_records.catalog.store import open_catalog
from linkage.at_once.preview import preview
from linkage.at_once.resolve import LagsBehindError, NotAtOnceError
from linkage.commands.console import Console
from linkage.commands.decide import DecideRequest, record_decision
from linkage.commands.demo import PlannedLoad
from linkage.commands.monthly import run_month
from linkage.commands.roll_back import roll_back
from linkage.commands.verify import verify
from linkage.workspace import Workspace

PERSON = "natural_person"
QUIET = Console(quiet=True, as_json=True)
Ruling = Callable[[Workspace], DecideRequest]


def ruling(kind: str, *records: str, scope: str | None = None) -> DecideRequest:
    return DecideRequest("周审核", kind, records, scope, "document_seen")  # type: ignore[arg-type]


def revoking(number: int) -> DecideRequest:
    return DecideRequest("陈审核", revoke=number, note="withdrawn")


def of_size(workspace: Workspace, size: int) -> list[list[str]]:
    """Return the records of the entities with so many, both sorted."""
    homes: dict[str, list[str]] = {}
    for record, entity in sorted(ids_of(workspace, PERSON).items()):
        homes.setdefault(entity, []).append(record)
    return sorted(records for records in homes.values() if len(records) == size)


def sharing_a_profile(workspace: Workspace) -> tuple[str, str]:
    with duckdb.connect(str(workspace.batch), read_only=True) as con:
        rows = con.execute(
            f"select min(record_id), max(record_id) from {PERSON}_profile_record "
            "group by profile_id having count(*) > 1 order by all"
        ).fetchall()
    return rows[0]


def decide(workspace: Workspace, request: DecideRequest, day: int) -> None:
    assert record_decision(workspace, request, now=NOW + timedelta(days=day), console=QUIET) == 0


def decide_without_effect(
    workspace: Workspace, request: DecideRequest, day: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotAtOnceError("not in this test")

    with monkeypatch.context() as patched:
        patched.setattr(linkage.commands.decide, "resolve_decisions", refuse)
        decide(workspace, request, day)


def release(workspace: Workspace, day: int, *, full: bool = False) -> None:
    now = NOW + timedelta(days=day)
    assert run_month(workspace, entities=None, language=None, now=now, console=QUIET, full=full) == 0


RULINGS: dict[str, Ruling] = {
    "same": lambda w: ruling("same", of_size(w, 1)[0][0], of_size(w, 1)[1][0]),
    "same entities": lambda w: ruling("same", of_size(w, 2)[0][0], of_size(w, 3)[0][0], scope="entities"),
    "same against two numbers": lambda w: ruling("same", of_size(w, 3)[1][0], of_size(w, 3)[2][0]),
    "different": lambda w: ruling("different", *of_size(w, 2)[1]),
    "different of one content": lambda w: ruling("different", *sharing_a_profile(w)),
    "not here": lambda w: ruling("not_here", of_size(w, 3)[3][0], of_size(w, 3)[3][1]),
}


@pytest.mark.parametrize("name", RULINGS)
def test_a_decision_at_once_makes_the_tables_of_a_run_with_it(
    first_month: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    request = RULINGS[name](first_month)
    at_once, by_run = copied(first_month, tmp_path / "at_once"), copied(first_month, tmp_path / "by_run")
    decide(at_once, request, 1)
    assert ask(at_once.catalog, "select cause from release where release_id = 2") == [("decision",)]
    decide_without_effect(by_run, request, 1, monkeypatch)
    release(by_run, 1, full=True)
    assert differences(at_once, by_run, PERSON) == {}
    assert ids_of(at_once, PERSON) == ids_of(by_run, PERSON)
    assert catalog_content(at_once.catalog) == catalog_content(by_run.catalog)
    found_by_name = catalog_content(at_once.catalog, LOOKUP_TABLES)
    assert all(found_by_name.values())
    assert found_by_name == catalog_content(by_run.catalog, LOOKUP_TABLES)
    assert catalog_content(at_once.catalog) != catalog_content(first_month.catalog)
    assert [check.name for check in verify(at_once, deep=name == "not here") if not check.holds] == []


def test_a_month_after_decisions_at_once_is_the_month_that_applies_them_itself(
    first_month: Workspace, district: list[PlannedLoad], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, by_run = copied(first_month, tmp_path / "at_once"), copied(first_month, tmp_path / "by_run")
    requests = [make(first_month) for make in RULINGS.values()]
    last = max(load.as_of for load in district)
    for day, request in enumerate([*requests[:4], revoking(1), revoking(4)], start=1):
        decide(at_once, request, day)
        decide_without_effect(by_run, request, day, monkeypatch)
    for workspace in (at_once, by_run):
        ingest_month(workspace, [load for load in district if load.as_of == last])
        release(workspace, 10)
    assert differences(at_once, by_run, PERSON) == {}


def test_a_revoked_decision_gives_back_what_the_evidence_says(first_month: Workspace, tmp_path: Path) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    names = ("same", "different of one content", "not here")
    for day, name in enumerate(names, start=1):
        decide(workspace, RULINGS[name](first_month), day)
    assert differences(workspace, first_month, PERSON) != {}
    for number in range(1, len(names) + 1):
        decide(workspace, revoking(number), 10 + number)
    # Who is with whom, and all values; a merged id is never given back, so that one who leaves again gets a new one.
    assert differences(workspace, first_month, PERSON) == {}


def test_what_was_published_but_not_kept_in_the_batch_is_made_up_for_by_the_next_decision(
    first_month: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, spared = copied(first_month, tmp_path / "killed"), copied(first_month, tmp_path / "spared")
    first, second = (RULINGS[name](first_month) for name in ("different", "same"))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(linkage.at_once.resolve, "splice", die)
        with pytest.raises(KeyboardInterrupt):
            decide(killed, first, 1)
    assert ask(killed.catalog, "select max(release_id) from release") == [(2,)]
    assert {c.skipped[:18] for c in verify(killed) if c.name == f"{PERSON}_batch"} == {"it is of release 1"}
    with open_catalog(killed.catalog, read_only=True) as catalog, pytest.raises(LagsBehindError):
        preview(killed, catalog, PERSON, [])
    decide(killed, second, 2)
    for day, request in enumerate((first, second), start=1):
        decide(spared, request, day)
    assert differences(killed, spared, PERSON) == {}
    assert ids_of(killed, PERSON) == ids_of(spared, PERSON)
    assert catalog_content(killed.catalog) == catalog_content(spared.catalog)
    assert [check.name for check in verify(killed) if not check.holds] == []


@pytest.mark.parametrize("name", ["different", "same"])
def test_what_was_published_but_not_kept_in_the_batch_is_made_up_for_by_the_next_run(
    first_month: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    killed, spared = copied(first_month, tmp_path / "killed"), copied(first_month, tmp_path / "spared")
    request = RULINGS[name](first_month)
    with monkeypatch.context() as patched:
        patched.setattr(linkage.at_once.resolve, "splice", lambda *_, **__: None)
        decide(killed, request, 1)
    decide(spared, request, 1)
    release(killed, 2)
    assert [check.name for check in verify(killed) if not check.holds] == []
    assert differences(killed, spared, PERSON) == {}
    assert ids_of(killed, PERSON) == ids_of(spared, PERSON)
    with duckdb.connect(str(killed.batch), read_only=True) as con:  # links of the last run are still held on to
        assert con.execute(f"select count(*) > 0 from {PERSON}_kept").fetchall() == [(True,)]


def test_a_decision_that_changes_nothing_makes_no_release(first_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(first_month, tmp_path / "workspace")
    left, right = of_size(workspace, 3)[0][0], of_size(workspace, 3)[5][0]
    done = guiyi("decide", workspace.root, "different", left, right, "--reason", "review", "--author", "周审核")
    assert done.code == 0
    assert "no entity changes" in done.err
    assert ask(workspace.catalog, "select count(*) from release") == [(1,)]
    release(workspace, 1)
    assert ask(workspace.catalog, "select cause from release order by release_id")[-1] != ("decision",)


def test_without_a_batch_of_the_last_release_the_next_run_applies_it(
    first_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    missing, older = copied(first_month, tmp_path / "missing"), copied(first_month, tmp_path / "older")
    missing.batch.unlink()
    release(older, 1)
    roll_back(older, 1, now=NOW + timedelta(days=2), console=QUIET)
    for workspace, said in ((missing, "does not exist"), (older, "is of release 2, not of release 3")):
        left, right = of_size(first_month, 2)[0]
        before = ask(workspace.catalog, "select count(*) from release")
        done = guiyi("decide", workspace.root, "different", left, right, "--reason", "review", "--author", "周审核")
        assert done.code == 0
        assert "the next run applies this" in done.err
        assert said in done.err
        assert ask(workspace.catalog, "select count(*) from release") == before
        release(workspace, 3)
        ids = ids_of(workspace, PERSON)
        assert ids[left] != ids[right]
