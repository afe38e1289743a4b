"""People's decisions outlive every release, are never rewritten, and nobody confirms their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgresql_server import dump, tamper

from golden_records.catalog import dialect
from golden_records.catalog.publish import ReleaseTables, current_release, publish
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.decisions import (
    Decision,
    Person,
    Policy,
    broken_links,
    confirm,
    propose,
    read_decisions,
    redact,
    revoke,
    same_person,
)
from golden_records.ruling import LONGEST_NOTE, DecisionError, Kind, Ruling, Scope, ruling_on

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ANN, BEN = Person("周审核", "auditor"), Person("吴复核", "lead_auditor")
POLICY = Policy(frozenset({"document_seen", "other"}))
TWO = Policy(POLICY.reasons, two_people=frozenset({"same"}))
LP1, LP2, NP1 = "LP0000000001", "LP0000000002", "NP0000000001"
JUNK = ("", "   ", "\ud83d", "a:\udc80", ":", "s:", ":a", "🙂", "x" * 10_000, "\x00", "\u202eabc")


def link(record: str, entity_id: str) -> dict[str, object]:
    source, _, key = record.partition(":")
    return {"source": source, "source_record_id": key, "entity_id": entity_id, "link_basis": "attribute"}


STATE = {
    "legal_person": [{"entity_id": LP1, "name": "甲公司"}, {"entity_id": LP2, "name": "乙公司"}],
    "natural_person": [{"entity_id": NP1, "name": "王小明"}],
    "record_link": [
        *(link(record, LP1) for record in ("m:1", "t:1", "t:1:2")),
        *(link(record, LP2) for record in ("m:2", "t:2")),
        link("p:1", NP1),
    ],
    "entities": [{"entity_id": id} for id in (LP1, LP2, NP1)],
}
OTHER_STATE = {
    "legal_person": [{"entity_id": LP1, "name": "甲公司"}],
    "natural_person": [{"entity_id": NP1, "name": "王小明"}],
    "record_link": [link("m:1", LP1), link("m:2", LP1), link("p:1", NP1)],
    "entities": [{"entity_id": LP1}, {"entity_id": NP1}],
    "redirect": [{"old_id": LP2, "entity_id": LP1}],
}


def anything(active: Sequence[Decision], new: Decision) -> None:
    """A check that lets everything pass."""


@pytest.fixture
def released(catalog: Catalog, publish_state: Callable[..., int]) -> Catalog:
    assert publish_state(STATE) == 1
    return catalog


def rule(
    catalog: Catalog,
    kind: Kind,
    *records: str,
    scope: Scope | None = None,
    policy: Policy = POLICY,
    author: Person = ANN,
    note: str | None = None,
    reason: str = "document_seen",
) -> Decision:
    ruling = ruling_on(catalog, kind, records, scope=scope, reason=reason, note=note)
    return propose(catalog, ruling, policy=policy, author=author, now=NOW, check=anything)


def raw(catalog: Catalog) -> dict[str, list[tuple[object, ...]]]:
    return {t: catalog.execute(f"select * from {t} order by 1").fetchall() for t in ("decision", "decision_event")}


# --- what a ruling means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "records", "scope", "groups"),
    [
        ("same", ("m:1", "m:2"), None, (("m:1",), ("m:2",))),
        ("different", ("t:2", "m:1"), "records", (("t:2",), ("m:1",))),
        ("different", ("t:2", "t:1"), "entities", (("t:2", "m:2"), ("t:1", "m:1", "t:1:2"))),
        ("same", ("t:1:2", "m:2"), "entities", (("t:1:2", "m:1", "t:1"), ("m:2", "t:2"))),
        ("not_here", ("t:1",), None, (("t:1",), ("m:1", "t:1:2"))),
        ("not_here", ("t:1", "t:1:2"), None, (("t:1",), ("t:1:2", "m:1"))),
        ("not_here", ("t:1", "t:1:2"), "records", (("t:1",), ("t:1:2",))),
    ],
)
def test_a_ruling_holds_the_records_it_stands_for(
    released: Catalog, kind: Kind, records: tuple[str, ...], scope: Scope | None, groups: tuple[tuple[str, ...], ...]
) -> None:
    ruling = ruling_on(released, kind, records, scope=scope, reason="other")
    assert ruling.groups == groups
    assert (ruling.records, ruling.entity_type, ruling.release) == (records, "legal_person", 1)


@pytest.mark.parametrize(
    ("kind", "records", "scope", "message"),
    [
        ("same", ("m:1",), None, "takes 2 to 100"),
        ("same", tuple(f"m:{i}" for i in range(101)), None, "takes 2 to 100"),
        ("not_here", (), None, "takes 1 to 100"),
        ("not_here", ("t:1",), "records", "takes 2 to 100"),
        ("same", ("m:1", "m:1"), None, "twice"),
        ("same", ("m:1", "x:9"), None, "record 2 of 2: is not in the current release"),
        ("same", ("m:1", "m1"), None, "record 2 of 2: not a record"),
        ("same", ("m:1", "p:1"), None, "legal and natural"),
        ("different", ("m:1", "t:1"), "entities", "stand in one entity"),
        ("same", ("m:1", "t:1"), "entities", "stand in one entity"),
        ("not_here", ("m:1", "m:2"), None, "stand in several already"),
        ("not_here", ("p:1",), None, "alone"),
        ("equal", ("m:1", "m:2"), None, "known: same, different, not_here"),
        ("same", ("m:1", "m:2"), "all", "known: records, entities"),
    ],
)
def test_a_ruling_that_makes_no_sense_is_refused_in_plain_words(
    released: Catalog, kind: Kind, records: tuple[str, ...], scope: Scope | None, message: str
) -> None:
    with pytest.raises(DecisionError, match=message):
        ruling_on(released, kind, records, scope=scope, reason="other")


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_no_record_no_author_and_no_reason_and_is_not_repeated(released: Catalog, junk: str) -> None:
    with pytest.raises(DecisionError) as caught:
        ruling_on(released, "same", ("m:1", junk), reason="other")
    assert str(caught.value).startswith("record 2 of 2")
    for author in (Person(junk, "auditor"), Person("\u200b", "auditor")):
        if author.name.strip() in ("🙂", "\x00", "\u202eabc", ":", "s:", ":a"):
            continue
        with pytest.raises(DecisionError, match="author"):
            rule(released, "same", "m:1", "m:2", author=author)
    with pytest.raises(DecisionError, match="not configured"):
        rule(released, "same", "m:1", "m:2", reason=junk)
    assert read_decisions(released) == ()


# --- the life of a decision -------------------------------------------------------------------------------------------


def test_a_decision_is_read_back_as_it_was_made(released: Catalog) -> None:
    made = rule(released, "different", "t:1", "t:2", scope="entities", note=" 两家不同的公司 🙂 ")
    assert read_decisions(released) == (made,)
    assert made.state == "active"
    assert made.author == ANN
    assert made.second_author is None
    assert made.ruling.note == "两家不同的公司 🙂"
    assert made.records == {"t:1", "m:1", "t:1:2", "t:2", "m:2"}
    assert [event.event for event in made.events] == ["proposed", "activated"]


def test_a_kind_that_needs_two_people_waits_for_the_second(released: Catalog) -> None:
    waiting = rule(released, "same", "m:1", "m:2", policy=TWO)
    assert waiting.state == "proposed"
    assert rule(released, "different", "t:1", "t:2", policy=TWO).state == "active"
    confirmed = confirm(released, waiting.decision_id, by=BEN, now=NOW, check=anything)
    assert confirmed.state == "active"
    assert confirmed.second_author == BEN
    with pytest.raises(DecisionError, match="is active"):
        confirm(released, waiting.decision_id, by=BEN, now=NOW, check=anything)


@pytest.mark.parametrize("name", ["周审核", " 周审核 ", "周 审核", "周审核\u200b", "周审\u3000核"])
def test_the_author_cannot_confirm_under_another_spelling(released: Catalog, name: str) -> None:
    waiting = rule(released, "same", "m:1", "m:2", policy=TWO)
    with pytest.raises(DecisionError, match="second person"):
        confirm(released, waiting.decision_id, by=Person(name, "admin"), now=NOW, check=anything)
    assert read_decisions(released)[0].state == "proposed"


def test_width_and_case_make_no_other_person() -> None:
    assert same_person(Person("Ann Lee", "a"), Person("ＡＮＮ lee", "b"))
    assert not same_person(ANN, BEN)


@pytest.mark.parametrize("policy", [POLICY, TWO])
def test_a_decision_is_revoked_once_and_can_be_made_again(released: Catalog, policy: Policy) -> None:
    made = rule(released, "same", "m:1", "m:2", policy=policy)
    with pytest.raises(DecisionError, match=f"says this already \\({made.state}\\)"):
        rule(released, "same", "m:2", "m:1", policy=policy, author=BEN)
    ended = revoke(released, made.decision_id, by=BEN, now=NOW, note="看错了")
    assert ended.state == "revoked"
    assert (ended.events[-1].by, ended.events[-1].note) == (BEN, "看错了")
    with pytest.raises(DecisionError, match="revoked already"):
        revoke(released, made.decision_id, by=ANN, now=NOW, note="再撤")
    with pytest.raises(DecisionError, match="is revoked"):
        confirm(released, made.decision_id, by=BEN, now=NOW, check=anything)
    assert rule(released, "same", "m:1", "m:2", policy=policy).decision_id == 2


def test_steps_of_unknown_decisions_and_without_a_reason_are_refused(released: Catalog) -> None:
    with pytest.raises(DecisionError, match="there is none"):
        revoke(released, 7, by=ANN, now=NOW, note="x")
    made = rule(released, "same", "m:1", "m:2")
    with pytest.raises(DecisionError, match="note: is missing"):
        revoke(released, made.decision_id, by=ANN, now=NOW, note="  ")
    assert read_decisions(released)[0].state == "active"


def test_a_note_has_a_longest_length_and_stands_in_no_representation(released: Catalog) -> None:
    made = rule(released, "same", "m:1", "m:2", note="密" * LONGEST_NOTE)
    ended = revoke(released, made.decision_id, by=ANN, now=NOW, note="密" * LONGEST_NOTE)
    assert "密" not in repr(ended)
    for note in ("密" * (LONGEST_NOTE + 1), "密\ud83d"):
        with pytest.raises(DecisionError) as caught:
            rule(released, "same", "m:1", "m:2", note=note)
        assert "密" not in str(caught.value)


def test_a_check_that_refuses_leaves_nothing_behind(released: Catalog) -> None:
    first = rule(released, "same", "m:1", "m:2")
    seen = []

    def refuse(active: Sequence[Decision], new: Decision) -> None:
        seen.append((tuple(active), new.decision_id, new.ruling.kind))
        raise DecisionError("no")

    before = raw(released)
    ruling = ruling_on(released, "different", ("t:1", "t:2"), reason="other")
    with pytest.raises(DecisionError, match="no"):
        propose(released, ruling, policy=POLICY, author=ANN, now=NOW, check=refuse)
    assert seen == [((first,), 2, "different")]
    assert raw(released) == before


def test_decisions_are_listed_by_entity_type_and_state(catalog: Catalog, publish_state: Callable[..., int]) -> None:
    publish_state({**STATE, "record_link": [*STATE["record_link"], link("p:2", NP1)]})
    rule(catalog, "same", "m:1", "m:2")
    rule(catalog, "different", "p:1", "p:2")
    revoke(catalog, 1, by=ANN, now=NOW, note="x")
    assert [d.decision_id for d in read_decisions(catalog, entity_type="natural_person")] == [2]
    assert [d.decision_id for d in read_decisions(catalog, state="revoked")] == [1]
    assert read_decisions(catalog, entity_type="legal_person", state="active") == ()


# --- kept for good ----------------------------------------------------------------------------------------------------


def test_a_decision_survives_publish_and_rollback(released: Catalog, publish_state: Callable[..., int]) -> None:
    rule(released, "same", "t:1", "m:2", scope="entities")
    rule(released, "same", "m:2", "m:1", policy=TWO)
    revoke(released, 1, by=BEN, now=NOW, note="x")
    kept, before = read_decisions(released), raw(released)
    assert publish_state(OTHER_STATE) == 2
    assert raw(released) == before
    assert rollback(released, 1, now=NOW) == 3
    assert publish_state(OTHER_STATE) == 4
    assert raw(released) == before
    assert read_decisions(released) == kept
    assert broken_links(released) == ()


def test_a_decision_made_on_one_release_can_be_confirmed_on_the_next(
    released: Catalog, publish_state: Callable[..., int]
) -> None:
    rule(released, "same", "t:1", "m:2", policy=TWO)
    publish_state(OTHER_STATE)
    confirmed = confirm(released, 1, by=BEN, now=NOW, check=anything)
    assert (confirmed.state, confirmed.ruling.release) == ("active", 1)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(("publish", "other", "back", "rule", "end", "confirm")), max_size=10))
def test_no_order_of_releases_changes_what_people_decided(
    steps: list[str], con: DuckDBPyConnection, release_of: Callable[[object], ReleaseTables]
) -> None:
    """Held against the same steps without any release in between, in a plain list."""
    expected: list[str] = []
    with tempfile.TemporaryDirectory() as folder, open_catalog(Path(folder) / "c.db") as catalog:

        def release(state: object) -> None:
            publish(catalog, con, release_of(state), now=NOW, manifest={})

        release(STATE)
        for step in steps:
            if step in ("publish", "other"):
                release(STATE if step == "publish" else OTHER_STATE)
            elif step == "back" and current_release(catalog) > 1:
                rollback(catalog, 1, now=NOW)
            elif step == "rule":
                if len(expected) < 2:
                    expected.append(rule(catalog, "different" if expected else "same", "m:1", "m:2", policy=TWO).state)
            elif step == "end" and expected and expected[-1] != "revoked":
                expected[-1] = revoke(catalog, len(expected), by=ANN, now=NOW, note="x").state
            elif step == "confirm" and expected and expected[0] == "proposed":
                expected[0] = confirm(catalog, 1, by=BEN, now=NOW, check=anything).state
            assert [d.state for d in read_decisions(catalog)] == expected
        assert broken_links(catalog) == ()


@pytest.mark.parametrize("table", ["decision", "decision_event"])
@pytest.mark.parametrize("statement", ["update {} set actor = 'x'", "delete from {}"])
def test_the_store_itself_refuses_to_change_a_decision(released: Catalog, table: str, statement: str) -> None:
    rule(released, "same", "m:1", "m:2")
    with pytest.raises(dialect.CONSTRAINT_ERRORS, match="never rewritten"):
        released.execute(statement.format(table))


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("decision", "update decision set actor = 'x' where decision_id = 2"),
        ("decision", "delete from decision where decision_id = 1"),
        ("decision_event", "update decision_event set event = 'revoked' where event_id = 2"),
        ("decision_event", "delete from decision_event where event_id = 2"),
    ],
)
def test_a_row_that_was_tampered_with_shows(released: Catalog, table: str, statement: str) -> None:
    rule(released, "same", "m:1", "m:2")
    rule(released, "different", "t:1", "t:2")
    rule(released, "same", "m:1", "t:1")
    assert broken_links(released) == ()
    tamper(released, statement)
    (broken,) = broken_links(released)
    assert broken.split()[0] == table


def test_a_catalog_without_decisions_has_none_and_is_read_as_it_is(released: Catalog) -> None:
    with open_catalog(released.place, read_only=True) as catalog:
        assert read_decisions(catalog) == ()
        assert broken_links(catalog) == ()
    rule(released, "same", "m:1", "m:2")
    with open_catalog(released.place, read_only=True) as catalog:
        assert len(read_decisions(catalog)) == 1


def test_two_rulings_mean_the_same_whatever_the_order_of_their_records() -> None:
    def ruling(kind: Kind, *groups: tuple[str, ...]) -> tuple[object, ...]:
        return Ruling(kind, "legal_person", "records", (), groups, 1, "other").means

    assert ruling("different", ("b",), ("a", "c")) == ruling("different", ("c", "a"), ("b",))
    assert ruling("same", ("b",), ("a",)) == ruling("same", ("a",), ("b",))
    assert ruling("not_here", ("b",), ("a",)) != ruling("not_here", ("a",), ("b",))
    assert ruling("same", ("b",), ("a",)) != ruling("different", ("b",), ("a",))


def test_a_redacted_decision_keeps_its_trail_and_the_chains_hold(released: Catalog) -> None:
    for records in (("m:1", "m:2"), ("m:2", "t:1"), ("t:2", "m:1")):
        rule(released, "same", *records, note="关于赵未名")
    before = read_decisions(released)
    with released.writing(), released.connection.unguarded():
        first = redact(released, {"m:2": "forgotten:x"}, lambda text: "赵未名" in text)
    after = read_decisions(released)
    assert first == {"decision": 1}
    assert broken_links(released) == ()
    assert [d.ruling.records for d in after] == [("m:1", "forgotten:x"), ("forgotten:x", "t:1"), ("t:2", "m:1")]
    assert [d.ruling.note for d in after] == [None, None, None]
    assert [(d.decision_id, d.state, d.author, d.ruling.reason) for d in after] == [
        (d.decision_id, d.state, d.author, d.ruling.reason) for d in before
    ]
    dumped = dump(released)
    assert "赵未名" not in dumped
    assert not any("m:2" in line for line in dumped.splitlines() if line.startswith("decision: "))
