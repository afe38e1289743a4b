"""Resolving an identifier: however it is written, an id old or new, and never more of a person than may be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_district import NOW, Guiyi, ask, catalog_releases, copied

from golden_records.catalog.publish import publish
from golden_records.catalog.store import Catalog, open_catalog
from linkage.commands.resolve import identifier_forms, resolve
from linkage.entities import release_tables
from linkage.pipeline import Linkage
from linkage.workspace import Workspace
from matchers.identifiers import resident_id

WIDE = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
UNKNOWN = "44030619900307123" + resident_id.check_digit("44030619900307123")


@pytest.fixture(scope="module")
def catalog(linked: dict[str, Linkage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """The simulated records of both entity types, published once."""
    with open_catalog(tmp_path_factory.mktemp("catalog") / "catalog.sqlite") as made:
        runs = tuple(linked.values())
        publish(made, runs[0].con, release_tables(runs), now=NOW, manifest={}, models={})
        yield made


def held(catalog: Catalog, scheme: str, holders: int = 1) -> list[tuple[str, str]]:
    """Return the valid values of a scheme that so many entities hold, each with one of them."""
    rows = catalog.execute(
        "select value, min(entity_id) from identifier where scheme = ? and valid = 1 group by value "
        "having count(distinct entity_id) = ? order by value",
        (scheme, holders),
    ).fetchall()
    return [(value, entity_id) for value, entity_id in rows]


@pytest.mark.parametrize(
    "written",
    [str, str.lower, lambda v: v.translate(WIDE), lambda v: f" {v[:8]} {v[8:]}\t", lambda v: f"{v[:2]}-{v[2:]}"],
    ids=["as it is", "lower case", "full width", "with blanks", "with a hyphen"],
)
def test_a_credit_code_is_found_however_it_is_written(written: Callable[[str], str], catalog: Catalog) -> None:
    values = held(catalog, "uscc")
    assert len(values) > 100
    for value, entity_id in values[::40]:
        answer = resolve(catalog, written(value))
        assert (answer["status"], answer["entity_id"], answer["link_basis"]) == ("matched", entity_id, "identifier")
        assert answer["evidence"] == ["uscc equal"]
        assert answer["release"] == 1


def test_an_older_number_inside_a_credit_code_is_not_taken_for_the_code(catalog: Catalog) -> None:
    for scheme in ("registration_number", "organization_code"):
        for value, entity_id in held(catalog, scheme)[:5]:
            assert resolve(catalog, value, scheme=scheme)["entity_id"] == entity_id


def test_a_fifteen_digit_number_finds_the_person_of_the_eighteen_digit_one(catalog: Catalog) -> None:
    people = [(v, e) for v, e in held(catalog, "resident_id") if len(v) == 18 and v[6:8] == "19"]
    assert len(people) > 100
    for value, entity_id in people[::50]:
        for text in (value, value.lower(), value[:6] + value[8:17], value.translate(WIDE)):
            assert resolve(catalog, text)["entity_id"] == entity_id


def test_an_entity_id_finds_its_entity(catalog: Catalog) -> None:
    for table in ("natural_person", "legal_person"):
        ((entity_id,),) = catalog.execute(f"select min(entity_id) from {table}").fetchall()
        for text in (entity_id, entity_id.lower()):
            answer = resolve(catalog, text)
            assert (answer["status"], answer["entity_id"], answer["state"]) == ("matched", entity_id, "living")
            assert answer["entity_type"] == table


def test_a_number_that_two_entities_hold_is_a_conflict_with_both(catalog: Catalog) -> None:
    shared = held(catalog, "resident_id", holders=2) + held(catalog, "uscc", holders=2)
    assert shared
    for value, entity_id in shared:
        answer = resolve(catalog, value)
        assert (answer["status"], answer["entity_id"]) == ("conflict", None)
        assert entity_id in answer["candidates"]
        assert len(answer["candidates"]) == 2
        assert "golden" not in answer


@pytest.mark.parametrize(
    "value",
    [
        UNKNOWN,
        "",
        " ",
        "王小明",
        "🙂",
        "x" * 10_000,
        "\x00",
        "\ud800",
        "\u202eمرحبا",
        "'; drop table release; --",
        "NP",
        "-1",
    ],
)
def test_what_nobody_holds_is_none_and_never_an_error(value: str, catalog: Catalog) -> None:
    answer = resolve(catalog, value)
    assert (answer["status"], answer["entity_id"]) == ("none", None)


def test_a_scheme_given_is_the_only_one_looked_at(catalog: Catalog) -> None:
    value, entity_id = held(catalog, "resident_id")[0]
    assert resolve(catalog, value, scheme="resident_id")["entity_id"] == entity_id
    assert resolve(catalog, value, scheme="uscc")["status"] == "none"
    assert resolve(catalog, entity_id, scheme="uscc")["status"] == "none"
    assert resolve(catalog, entity_id, scheme="entity_id")["status"] == "matched"


def test_a_persons_golden_values_are_masked_and_an_organisations_are_not(catalog: Catalog) -> None:
    columns = ("name", "id_number", "phone", "address", "birth_date", "household_address")
    rows = catalog.execute(
        f"select entity_id, {', '.join(columns)} from natural_person where id_number is not null and phone is not null"
    ).fetchall()
    assert len(rows) > 100
    for entity_id, *values in rows[::20]:
        shown = resolve(catalog, entity_id)["golden"]
        for column, value in zip(columns, values, strict=True):
            if value is not None:
                assert shown[column] != value, f"{column} is shown in full"
                assert value not in repr(shown)
    ((entity_id, name),) = catalog.execute("select entity_id, name from legal_person limit 1").fetchall()
    assert resolve(catalog, entity_id)["golden"]["name"] == name


def test_the_number_of_an_organisations_representative_is_a_persons_and_masked(catalog: Catalog) -> None:
    rows = catalog.execute(
        "select entity_id, legal_rep_id_number from legal_person "
        "where length(legal_rep_id_number) = 18 and legal_rep_id_number not like '%*%' order by entity_id limit 5"
    ).fetchall()
    assert rows
    for entity_id, number in rows:
        assert number not in repr(resolve(catalog, entity_id))


def test_the_forms_of_a_number_are_each_given_once(catalog: Catalog) -> None:
    for value, _ in held(catalog, "uscc")[:10]:
        forms = identifier_forms(value)
        assert len(set(forms)) == len(forms)
        assert forms[0] == ("uscc", value)


def old_ids(workspace: Workspace) -> list[tuple[str, str]]:
    return [
        (a, b) for a, b in ask(workspace.catalog, "select old_id, entity_id from redirect where entity_id is not null")
    ]


def test_an_old_id_answers_with_the_surviving_one_and_says_so(
    second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    if not old_ids(workspace):
        assert guiyi("rollback", workspace.root, 1, "--quiet").code == 0
    redirected = old_ids(workspace)
    assert redirected
    for old, new in redirected[:3]:
        answer = guiyi("resolve", workspace.root, old, "--json")
        assert answer.code == 0
        assert (answer.data["status"], answer.data["entity_id"]) == ("matched", new)
        assert (answer.data["asked"], answer.data["state"]) == (old, "redirected")
        assert f"{old} was merged into it" in guiyi("resolve", workspace.root, old).out


def test_the_command_answers_in_words_and_as_json_and_hides_a_person(second_month: Workspace, guiyi: Guiyi) -> None:
    ((number, name),) = ask(
        second_month.catalog,
        "select i.value, p.name from identifier i join natural_person p on i.entity_id = p.entity_id "
        "where i.scheme = 'resident_id' and i.valid = 1 and p.phone is not null order by i.value limit 1",
    )
    for options in ((), ("--json",)):
        answer = guiyi("resolve", second_month.root, number, *options)
        assert answer.code == 0
        assert answer.err == ""
        assert number not in answer.out
        assert name not in answer.out
    assert guiyi("resolve", second_month.root, number, "--json").data["release"] == len(
        catalog_releases(second_month.catalog)
    )


def test_what_is_not_found_is_said_without_repeating_it(second_month: Workspace, guiyi: Guiyi) -> None:
    answer = guiyi("resolve", second_month.root, UNKNOWN)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("none")
    assert UNKNOWN not in answer.out


def test_before_the_first_release_the_next_command_is_named(loaded: Workspace, guiyi: Guiyi) -> None:
    answer = guiyi("resolve", loaded.root, UNKNOWN)
    assert (answer.code, answer.out) == (1, "")
    assert "publish a release first" in answer.err
    assert UNKNOWN not in answer.err
