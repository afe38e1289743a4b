"""Relations as commands show them: few of many, current ones first, persons masked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import mint
from linkage.relations.shown import SHOWN, relation_lines, relations_now

FIRM, LONELY = mint("LP", 1), mint("LP", 2)
STAFF = [mint("NP", number) for number in range(1, SHOWN + 6)]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """A firm with more employees than are shown, the last of them current, the others former."""
    with open_catalog(tmp_path / "catalog.db") as made:
        made.execute(
            "insert into legal_person (entity_id, name, since_release) values (?, '深圳市云汇有限公司', 1)", (FIRM,)
        )
        for person in STAFF:
            state = "current" if person == STAFF[-1] else "former"
            made.execute(
                "insert into natural_person (entity_id, name, since_release) values (?, '刘宇航', 1)", (person,)
            )
            made.execute(
                "insert into relation (entity_id, relation, other_entity_id, basis, rule, state, since_release) "
                "values (?, 'employed_by', ?, 'identifier', 'employer_code', ?, 1)",
                (person, FIRM, state),
            )
        yield made


def test_of_many_relations_some_are_shown_and_all_are_counted(catalog: Catalog) -> None:
    answer = relations_now(catalog, FIRM)
    assert len(answer["relations"]) == SHOWN
    assert answer["relations"][0]["entity_id"] == STAFF[-1], "current ones first"
    assert answer["relation_counts"] == {"from employed_by": len(STAFF)}
    assert f"{len(STAFF)} in all" in relation_lines(answer)[-1]
    assert {one["name"] for one in answer["relations"]} == {"刘**"}


def test_an_employee_sees_the_employer_by_name(catalog: Catalog) -> None:
    (one,) = relations_now(catalog, STAFF[0])["relations"]
    assert (one["direction"], one["entity_id"], one["name"]) == ("to", FIRM, "深圳市云汇有限公司")


def test_an_entity_without_relations_says_nothing(catalog: Catalog) -> None:
    assert relations_now(catalog, LONELY) == {}
    assert relation_lines({}) == []
