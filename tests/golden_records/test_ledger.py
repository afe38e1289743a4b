"""The identity ledger: who keeps an id, who redirects, and what is written about it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden_records.entity_id import is_valid, mint, parse
from golden_records.errors import LedgerError
from golden_records.ledger import LedgerCounts, LedgerTables, assign

# record id → (cluster, anchor)
Clusters = Mapping[str, tuple[str, str | None]]

OUT = LedgerTables("membership", "event", "redirect", "entities_after")


@dataclass
class Ledger:
    """Runs releases one after the other, feeding each with what the last one left."""

    con: DuckDBPyConnection
    release: int = 0
    next_sequence: int = 1
    membership: dict[str, str] = field(default_factory=dict)
    entities: dict[str, tuple[int, str | None, str, str | None]] = field(default_factory=dict)
    redirects: dict[str, str | None] = field(default_factory=dict)
    events: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    counts: LedgerCounts | None = None

    def run(self, clusters: Clusters, *, reverse: bool = False) -> Ledger:
        """Run one release over clusters."""
        self.release += 1
        rows = [(record, cluster, anchor) for record, (cluster, anchor) in clusters.items()]
        previous = list(self.membership.items())
        entities = [(entity, *state) for entity, state in self.entities.items()]
        if reverse:
            rows, previous, entities = rows[::-1], previous[::-1], entities[::-1]
        _table(self.con, "clusters", "record_id varchar, cluster_id varchar, anchor varchar", rows)
        _table(self.con, "previous", "record_id varchar, entity_id varchar", previous)
        columns = "entity_id varchar, sequence bigint, anchor varchar, state varchar, resolves_to varchar"
        _table(self.con, "entities", columns, entities)
        self.counts = assign(
            self.con,
            clusters="clusters",
            previous="previous",
            entities="entities",
            out=OUT,
            kind="LP",
            next_sequence=self.next_sequence,
            cause="load",
            release=self.release,
            as_of="2026-01-31",
        )
        self.next_sequence = self.counts.next_sequence
        self.membership = dict(self.con.execute("from membership").fetchall())
        self.entities = {row[0]: tuple(row[1:]) for row in self.con.execute("from entities_after").fetchall()}
        self.redirects = dict(self.con.execute("from redirect").fetchall())
        found = self.con.execute("select entity_id, event, detail from event").fetchall()
        self.events = [(entity, event, json.loads(detail)) for entity, event, detail in found]
        return self

    def happened(self) -> set[tuple[str, str]]:
        """Return (entity, event) of the last release."""
        return {(entity, event) for entity, event, _ in self.events}

    def detail(self, entity: str, event: str) -> dict[str, object]:
        """Return the detail of one event of the last release."""
        return next(d for e, kind, d in self.events if (e, kind) == (entity, event))


def _table(con: DuckDBPyConnection, name: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    con.execute(f"create or replace table {name} ({columns})")
    if rows:
        one = f"({', '.join('?' * len(rows[0]))})"
        con.execute(f"insert into {name} values {', '.join([one] * len(rows))}", [cell for row in rows for cell in row])


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        yield Ledger(con)


def grouped(*groups: str) -> Clusters:
    """Return clusters from texts: `"a b=X c"` is a cluster of three records, b carrying the anchor X."""
    found: dict[str, tuple[str, str | None]] = {}
    for number, group in enumerate(groups):
        for record in group.split():
            name, _, anchor = record.partition("=")
            found[name] = (f"c{number}", anchor or None)
    return found


A, B, C = (mint("LP", number) for number in (1, 2, 3))


def test_new_clusters_get_ids_in_the_order_of_their_smallest_record(ledger: Ledger) -> None:
    ledger.run(grouped("m z", "b y", "x"))
    assert ledger.membership == {"b": A, "y": A, "m": B, "z": B, "x": C}
    assert ledger.happened() == {(A, "created"), (B, "created"), (C, "created")}
    assert ledger.detail(A, "created") == {"records": 2}


def test_the_same_clusters_again_change_nothing(ledger: Ledger) -> None:
    before = ledger.run(grouped("a b=X", "c")).membership
    ledger.run(grouped("c", "b=X a"))
    assert ledger.membership == before
    assert ledger.events == []
    assert ledger.redirects == {}


def test_on_a_merge_the_oldest_id_survives_and_the_others_redirect(ledger: Ledger) -> None:
    ledger.run(grouped("a", "b c d", "e"))
    ledger.run(grouped("a b c d e"))
    assert set(ledger.membership.values()) == {A}
    assert ledger.redirects == {B: A, C: A}
    assert ledger.happened() == {(A, "merged"), (B, "redirected"), (C, "redirected")}
    assert ledger.detail(A, "merged") == {"absorbed": [B, C], "records": 5}
    assert ledger.detail(B, "redirected") == {"into": [A]}


def test_on_a_split_the_part_with_the_anchor_keeps_the_id_even_when_smaller(ledger: Ledger) -> None:
    ledger.run(grouped("a b c=X"))
    ledger.run(grouped("a b", "c=X"))
    assert ledger.membership == {"a": B, "b": B, "c": A}
    assert ledger.happened() == {(A, "split"), (B, "created")}
    assert ledger.detail(A, "split") == {"records_moved": 2, "into": [B]}
    assert ledger.detail(B, "created") == {"records": 2, "from": [A]}


def test_on_a_split_without_anchor_the_larger_part_keeps_the_id(ledger: Ledger) -> None:
    ledger.run(grouped("a b c"))
    ledger.run(grouped("a", "b c"))
    assert ledger.membership == {"a": B, "b": A, "c": A}


def test_on_an_even_split_the_part_with_the_smallest_record_keeps_the_id(ledger: Ledger) -> None:
    ledger.run(grouped("a b c d"))
    ledger.run(grouped("b c", "d a"))
    assert ledger.membership == {"a": A, "d": A, "b": B, "c": B}


def test_a_record_that_changes_sides_is_a_move(ledger: Ledger) -> None:
    ledger.run(grouped("a b c", "x y"))
    ledger.run(grouped("a b", "c x y"))
    assert ledger.membership == {"a": A, "b": A, "c": B, "x": B, "y": B}
    assert ledger.happened() == {(A, "moved"), (B, "extended")}
    assert ledger.detail(A, "moved") == {"records_moved": 1, "into": [B]}
    assert ledger.detail(B, "extended") == {"added": 1, "new": 0, "from": [A], "records": 3}


def test_new_records_extend_and_vanished_ones_shrink(ledger: Ledger) -> None:
    ledger.run(grouped("a b c"))
    ledger.run(grouped("a n o p"))
    assert ledger.happened() == {(A, "extended"), (A, "shrunk")}
    assert ledger.detail(A, "extended") == {"added": 3, "new": 3, "records": 4}
    assert ledger.detail(A, "shrunk") == {"lost": 2, "records": 4}


def test_an_entity_without_records_is_retired_and_its_id_is_not_given_away(ledger: Ledger) -> None:
    ledger.run(grouped("a"))
    ledger.run(grouped("b"))
    assert ledger.redirects == {A: None}
    assert ledger.membership == {"b": B}
    assert ledger.happened() == {(A, "retired"), (B, "created")}


def test_a_retired_entity_lives_again_when_its_anchor_returns(ledger: Ledger) -> None:
    ledger.run(grouped("a=X", "b"))
    ledger.run(grouped("b"))
    assert ledger.redirects == {A: None}
    ledger.run(grouped("b", "n=X"))
    assert ledger.membership == {"b": B, "n": A}
    assert ledger.redirects == {}
    assert ledger.happened() == {(A, "revived")}


def test_renumbered_records_are_found_again_by_the_anchor(ledger: Ledger) -> None:
    ledger.run(grouped("a1=X a2", "z"))
    ledger.run(grouped("n1=X n2", "z"))
    assert ledger.membership == {"n1": A, "n2": A, "z": B}
    assert ledger.redirects == {}


def test_redirects_stay_one_step_long(ledger: Ledger) -> None:
    ledger.run(grouped("a", "b", "c"))
    ledger.run(grouped("a", "b c"))
    assert ledger.redirects == {C: B}
    ledger.run(grouped("a b c"))
    assert ledger.redirects == {B: A, C: A}


def test_an_id_that_redirects_to_a_retired_one_ends_there(ledger: Ledger) -> None:
    ledger.run(grouped("a", "b"))
    ledger.run(grouped("a b"))
    ledger.run(grouped("z"))
    assert ledger.redirects == {B: A, A: None}


def test_events_hold_no_record_ids_and_no_anchors(ledger: Ledger) -> None:
    ledger.run(grouped("secret1=SECRET secret2", "secret3"))
    ledger.run(grouped("secret1=SECRET", "secret2 secret3 secret4"))
    assert ledger.events
    assert "secret" not in json.dumps(ledger.events).lower()


def test_junk_record_ids_and_anchors_pass_through(ledger: Ledger) -> None:
    junk = {"🙂": ("1", "a'b"), "x" * 10_000: ("1", None), "a\x00b": ("2", "אבג"), "": ("3", "")}
    before = ledger.run(junk).membership
    assert set(before) == set(junk)
    assert ledger.run(junk).membership == before


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        ("insert into clusters values ('a', 'other', null)", "record_id in more than one row"),
        ("insert into clusters values (null, 'c', null)", "record_id or cluster_id is missing"),
        ("insert into previous values ('q', 'LP0000000UNK')", "not a living entity"),
        ("insert into entities values ('LP000000009', 9, null, 'living', null)", "not below next_sequence"),
        ("insert into entities values ('NP0000000011', 1, null, 'living', null)", "not of kind LP"),
    ],
)
def test_contradicting_inputs_are_refused_without_naming_a_record(ledger: Ledger, breaking: str, message: str) -> None:
    ledger.run(grouped("a b"))
    ledger.con.execute(breaking)
    with pytest.raises(LedgerError, match=message):
        assign(
            ledger.con,
            clusters="clusters",
            previous="previous",
            entities="entities",
            out=OUT,
            kind="LP",
            next_sequence=5,
            cause="load",
            release=2,
            as_of="2026-02-28",
        )


def test_identical_runs_write_identical_tables(ledger: Ledger) -> None:
    first = [grouped("a b=X", "c d", "e"), grouped("a", "b=X c", "d e f")]
    written = []
    for reverse in (False, True):
        with duckdb.connect() as con:
            other = Ledger(con)
            for clusters in first:
                other.run(clusters, reverse=reverse)
            written.append([con.execute(f"from {table}").fetchall() for table in vars(OUT).values()])
    assert written[0] == written[1]


# --- against a plain-Python oracle over random histories -------------------------------------------------------------


@dataclass
class Oracle:
    """The rules of the module docstring, record by record."""

    next_sequence: int = 1
    membership: dict[str, str] = field(default_factory=dict)
    anchor: dict[str, str | None] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    redirects: dict[str, str] = field(default_factory=dict)

    def run(self, clusters: Clusters) -> None:
        members: dict[str, list[str]] = defaultdict(list)
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for record in sorted(clusters):
            cluster, anchor = clusters[record]
            members[cluster].append(record)
            if anchor is not None:
                seen[cluster][anchor] += 1
        living = set(self.membership.values())
        claims: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for entity in sorted(living | self.retired):
            heir = self._heir(entity, members, seen, clusters)
            if heir is not None:
                strength = 2 if entity in self.retired else int(not self._parts(entity, members)[heir])
                claims[heir].append((strength, parse(entity).sequence, entity))
        owner: dict[str, str] = {}
        for cluster in sorted(members, key=lambda c: members[c][0]):
            if claims[cluster]:
                owner[cluster] = min(claims[cluster])[2]
            else:
                owner[cluster] = mint("LP", self.next_sequence)
                self.next_sequence += 1
        self._follow(living, claims, owner)
        for cluster, entity in owner.items():
            if self.anchor.get(entity) not in seen[cluster] and seen[cluster]:
                self.anchor[entity] = min(seen[cluster], key=lambda a: (-seen[cluster][a], a))
        self.membership = {record: owner[cluster] for record, (cluster, _) in clusters.items()}

    def _parts(self, entity: str, members: Mapping[str, list[str]]) -> dict[str, list[str]]:
        return {c: [r for r in records if self.membership.get(r) == entity] for c, records in members.items()}

    def _heir(
        self, entity: str, members: Mapping[str, list[str]], seen: Mapping[str, Counter[str]], clusters: Clusters
    ) -> str | None:
        anchor = self.anchor.get(entity)
        parts = {cluster: part for cluster, part in self._parts(entity, members).items() if part}
        if parts:
            return min(
                parts,
                key=lambda c: (
                    not any(anchor is not None and clusters[r][1] == anchor for r in parts[c]),
                    anchor is None or anchor not in seen.get(c, {}),
                    -len(parts[c]),
                    parts[c][0],
                ),
            )
        holding = [c for c in members if anchor is not None and anchor in seen.get(c, {})]
        return min(
            holding,
            key=lambda c: (-seen[c][str(anchor)], min(r for r in members[c] if clusters[r][1] == anchor)),
            default=None,
        )

    def _follow(
        self, living: set[str], claims: Mapping[str, list[tuple[int, int, str]]], owner: Mapping[str, str]
    ) -> None:
        home = {entity: owner[cluster] for cluster, found in claims.items() for _, _, entity in found}
        for entity in living | self.retired:
            self.retired.discard(entity)
            if entity not in home:
                self.retired.add(entity)
            elif home[entity] != entity:
                self.redirects[entity] = home[entity]
        for old, target in self.redirects.items():
            self.redirects[old] = home.get(target, target)


records = st.sampled_from([f"r{number}" for number in range(9)])
cells = st.tuples(st.sampled_from("1234"), st.sampled_from([None, None, "X", "Y", "Z"]))
histories = st.lists(st.dictionaries(records, cells, max_size=9), min_size=2, max_size=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_random_histories_agree_with_the_oracle_and_keep_every_promise(history: list[Clusters]) -> None:
    with duckdb.connect() as con:
        ledger, oracle = Ledger(con), Oracle()
        minted: set[str] = set()
        for number, clusters in enumerate(history):
            before = set(ledger.membership.values())
            ledger.run(clusters, reverse=bool(number % 2))
            oracle.run(clusters)
            assert ledger.membership == oracle.membership
            assert ledger.redirects == {**dict.fromkeys(oracle.retired), **oracle.redirects}
            living = set(ledger.membership.values())
            created = {entity for entity, event, _ in ledger.events if event == "created"}
            assert created == living - minted
            minted |= created
            assert ledger.counts is not None
            assert len(minted) == ledger.next_sequence - 1
            _assert_every_id_resolves(ledger, minted, living)
            _assert_events_explain(ledger, before, living)


def _assert_every_id_resolves(ledger: Ledger, minted: set[str], living: set[str]) -> None:
    assert set(ledger.entities) == minted
    assert all(is_valid(entity) for entity in minted)
    assert living | set(ledger.redirects) == minted
    assert living.isdisjoint(ledger.redirects)
    for target in ledger.redirects.values():
        assert target is None or target in living or ledger.redirects[target] is None


def _assert_events_explain(ledger: Ledger, before: set[str], living: set[str]) -> None:
    happened = ledger.happened()
    assert len(happened) == len(ledger.events)
    for entity in before - living:
        assert ((entity, "redirected") in happened) != ((entity, "retired") in happened)
    for entity in living - before:
        assert ((entity, "created") in happened) != ((entity, "revived") in happened)
    kinds = Counter(event for _, event, _ in ledger.events)
    assert ledger.counts is not None
    assert kinds == Counter({k: n for k, n in ledger.counts.events.items() if n})
