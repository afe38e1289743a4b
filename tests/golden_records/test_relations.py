"""From claims to relations: basis, state, period, and both ends after merges; then their stays through the releases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden_records.catalog.publish import publish
from golden_records.catalog.read import as_of, entity
from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import Catalog
from golden_records.entity_id import mint
from golden_records.errors import CatalogError
from golden_records.relation_history import relation_stays
from golden_records.relations import CLAIM_COLUMNS, EndTables, earlier_relations, settle_relations

FIRM, OTHER_FIRM, THIRD_FIRM = (mint("LP", number) for number in (1, 2, 3))
PERSON, SUCCESSOR = (mint("NP", number) for number in (1, 2))
NOW = datetime(2025, 3, 1, tzinfo=UTC)
KIND = "legal_representative_of"
Claim = dict[str, Any]


def claim(**given_: Any) -> Claim:
    told = {
        "entity_id": PERSON,
        "relation": KIND,
        "other_entity_id": FIRM,
        "basis": "identifier",
        "rule": "number",
        "record_id": "registry:1",
        "source": "registry",
        "as_of": "2025-01-31",
        "golden": True,
        "golden_as_of": "2025-01-31",
        "valid_from": None,
    }
    return told | given_


def settled(con: DuckDBPyConnection, claims: Sequence[Claim], earlier: str | None = None) -> list[dict[str, Any]]:
    columns = ", ".join(f"{c} {'boolean' if c == 'golden' else 'varchar'}" for c in CLAIM_COLUMNS)
    con.execute(f"create or replace table claim ({columns})")
    marks = ", ".join("?" for _ in CLAIM_COLUMNS)
    for one in claims:
        con.execute(f"insert into claim values ({marks})", [one[c] for c in CLAIM_COLUMNS])
    settle_relations(con, claims="claim", earlier=earlier, out="settled")
    found = con.execute("from settled")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_relation_has_the_best_basis_and_the_period_of_its_records(con: DuckDBPyConnection) -> None:
    claims = [
        claim(basis="attribute", rule="phone", record_id="grid:1", source="grid", as_of="2020-02-02", golden=False),
        claim(),
        claim(
            basis="attribute", rule="same_name_here", record_id="tax:1", source="tax", as_of="2025-02-01", golden=False
        ),
    ]
    (row,) = settled(con, claims)
    assert (row["basis"], row["rule"], row["state"]) == ("identifier", "number", "current")
    assert (row["first_seen"], row["last_seen"], row["valid_to"]) == ("2020-02-02", "2025-02-01", None)
    assert (row["records"], row["sources"]) == (3, 3)
    assert row["said_by"] == '["registry:1","tax:1","grid:1"]'


@pytest.mark.parametrize(
    ("as_of_", "golden_as_of", "state", "valid_to"),
    [
        ("2024-12-31", "2025-01-31", "former", "2024-12-31"),
        ("2025-01-31", "2025-01-31", "disputed", None),
        ("2025-02-28", "2025-01-31", "disputed", None),
        ("2024-12-31", None, "current", None),
    ],
    ids=["older than the golden record", "as late", "later", "no golden value"],
)
def test_what_the_golden_record_does_not_say_is_former_or_disputed(
    con: DuckDBPyConnection, as_of_: str, golden_as_of: str | None, state: str, valid_to: str | None
) -> None:
    (row,) = settled(con, [claim(golden=False, as_of=as_of_, golden_as_of=golden_as_of)])
    assert (row["state"], row["valid_to"]) == (state, valid_to)


def test_nobody_is_related_to_itself(con: DuckDBPyConnection) -> None:
    assert settled(con, [claim(entity_id=FIRM, relation="branch_of")]) == []


DAYS = st.sampled_from(["2023-01-01", "2024-06-30", "2025-01-31", "2025-02-28"])
CLAIMS = st.lists(
    st.builds(
        claim,
        entity_id=st.sampled_from([PERSON, SUCCESSOR]),
        basis=st.sampled_from(["identifier", "corroborated", "attribute"]),
        rule=st.sampled_from(["number", "phone", "room"]),
        record_id=st.sampled_from([f"s:{n}" for n in range(6)]),
        as_of=DAYS,
        golden=st.booleans(),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(claims=CLAIMS, data=st.data())
def test_the_order_of_claims_changes_nothing_and_a_period_covers_its_claims(
    con: DuckDBPyConnection, claims: list[Claim], data: st.DataObject
) -> None:
    rows = settled(con, claims)
    assert settled(con, data.draw(st.permutations(claims))) == rows
    for row in rows:
        ours = [one for one in claims if one["entity_id"] == row["entity_id"]]
        assert row["first_seen"] == min(one["as_of"] for one in ours)
        assert row["last_seen"] == max(one["as_of"] for one in ours)
        assert row["records"] == len({one["record_id"] for one in ours})
    assert {row["entity_id"] for row in rows} == {one["entity_id"] for one in claims}


# --- in the catalog ---------------------------------------------------------------------------------------------------


def relation(**given_: Any) -> dict[str, Any]:
    told = {
        "entity_id": PERSON,
        "relation": KIND,
        "other_entity_id": FIRM,
        "basis": "identifier",
        "rule": "number",
        "state": "current",
        "first_seen": "2024-01-31",
        "last_seen": "2025-01-31",
        "records": 1,
        "sources": 1,
        "said_by": '["registry:1"]',
    }
    return told | given_


def state_of(relations: Sequence[dict[str, Any]] | None, firms: Sequence[str] = (FIRM, OTHER_FIRM)) -> dict[str, Any]:
    people = (PERSON, SUCCESSOR)
    state: dict[str, Any] = {
        "legal_person": [{"entity_id": firm, "name": f"甲{n}", "records": 1} for n, firm in enumerate(firms)],
        "natural_person": [{"entity_id": person, "name": f"刘{n}", "records": 1} for n, person in enumerate(people)],
        "record_link": [
            {"source": "s", "source_record_id": one, "entity_id": one, "link_basis": "identifier"}
            for one in (*firms, *people)
        ],
    }
    return state if relations is None else state | {"relation": relations}


Release = Callable[..., int]


def test_relations_can_be_read_from_either_end_and_as_of_a_past_release(
    catalog: Catalog, publish_state: Release
) -> None:
    publish_state(state_of([relation()]))
    publish_state(state_of([relation(entity_id=SUCCESSOR)]))
    for end in (FIRM, SUCCESSOR):
        found = entity(catalog, end)
        assert found is not None
        assert [row["entity_id"] for row in found.relations] == [SUCCESSOR]
    assert [row["entity_id"] for row in as_of(catalog, "relation", 1)] == [PERSON]
    then = entity(catalog, FIRM, 1)
    assert then is not None
    assert [row["entity_id"] for row in then.relations] == [PERSON]


def test_a_representative_that_changed_has_two_stays(catalog: Catalog, publish_state: Release) -> None:
    publish_state(state_of([relation()]))
    publish_state(state_of([relation(last_seen="2025-02-28", records=2)]))
    publish_state(state_of([relation(entity_id=SUCCESSOR)]))
    publish_state(state_of([relation(entity_id=SUCCESSOR)]))
    stays = relation_stays(catalog, FIRM)
    assert [(s.other(FIRM), s.since, s.until, s.records) for s in stays] == [(SUCCESSOR, 3, None, 1), (PERSON, 1, 3, 2)]
    assert [(s.other(PERSON), s.since, s.until) for s in relation_stays(catalog, PERSON)] == [(FIRM, 1, 3)]


def test_a_publish_writes_only_relations_that_changed(catalog: Catalog, publish_state: Release) -> None:
    both = [relation(), relation(entity_id=SUCCESSOR, other_entity_id=OTHER_FIRM)]
    publish_state(state_of(both))
    publish_state(state_of(both))
    publish_state(state_of([both[0], both[1] | {"records": 5}]))
    rows = catalog.execute("select entity_id, since_release from relation order by 1").fetchall()
    assert rows == [(PERSON, 1), (SUCCESSOR, 3)]
    kept = catalog.execute("select entity_id, since_release, until_release from relation_history").fetchall()
    assert kept == [(SUCCESSOR, 1, 3)]


def test_publishing_one_entity_type_leaves_relations_as_they_are_and_the_other_way_round(
    catalog: Catalog, con: DuckDBPyConnection, publish_state: Release, release_of: Callable[..., Any]
) -> None:
    publish_state(state_of([relation()]))
    firms = {k: v for k, v in state_of(None).items() if k == "legal_person"}
    firms["record_link"] = [row for row in state_of(None)["record_link"] if row["entity_id"].startswith("LP")]
    publish_state(firms)
    assert len(as_of(catalog, "relation")) == 1
    publish_state(firms | {"relation": [relation(state="disputed")]})
    assert [row["state"] for row in as_of(catalog, "relation")] == ["disputed"]
    assert len(as_of(catalog, "natural_person")) == 2, "the persons were not part of the publish"
    with pytest.raises(CatalogError, match="no entity tables"):
        publish(catalog, con, release_of({"relation": []}), now=NOW, manifest={})


def test_a_rollback_brings_relations_back(catalog: Catalog, publish_state: Release) -> None:
    publish_state(state_of([relation()]))
    publish_state(state_of([relation(entity_id=SUCCESSOR)]))
    rollback(catalog, 1, now=NOW)
    assert [row["entity_id"] for row in as_of(catalog, "relation")] == [PERSON]
    hashes = [row[0] for row in catalog.execute("select content_hash from release order by release_id")]
    assert hashes[2] == hashes[0] != hashes[1]


def test_relations_follow_their_ends_when_these_are_merged_or_end(
    catalog: Catalog, con: DuckDBPyConnection, publish_state: Release
) -> None:
    firms = (FIRM, OTHER_FIRM, THIRD_FIRM)
    published = [
        relation(),
        relation(other_entity_id=OTHER_FIRM, basis="attribute", rule="phone", first_seen="2021-01-01", records=2),
        relation(entity_id=SUCCESSOR, other_entity_id=THIRD_FIRM),
        relation(entity_id=OTHER_FIRM, relation="branch_of"),
    ]
    publish_state(state_of(published, firms))
    con.execute(
        "create table led as select * from (values (?, 'living', null), (?, 'redirected', ?), (?, 'retired', null)) "
        "t(entity_id, state, resolves_to)",
        [FIRM, OTHER_FIRM, FIRM, THIRD_FIRM],
    )
    assert earlier_relations(catalog, con, EndTables(("led",)), out="before") == 1
    row = con.execute("select entity_id, other_entity_id, basis, rule, first_seen, records from before").fetchall()
    assert row == [(PERSON, FIRM, "identifier", "number", "2021-01-01", 3)]
    (now,) = settled(con, [claim(as_of="2025-02-28")], "before")
    assert (now["first_seen"], now["last_seen"]) == ("2021-01-01", "2025-02-28"), "a period keeps its beginning"
