"""Explaining one id: the history of an entity or a record, its present links, masked, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from small_district import Guiyi, ask, copied

from golden_records.entity_id import mint
from linkage.workspace import Workspace


@pytest.fixture(scope="module")
def told(second_month: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return copied(second_month, tmp_path_factory.mktemp("history") / "workspace")


def merged(workspace: Workspace) -> tuple[str, str]:
    """Return an id that was absorbed and the one that survived."""
    return ask(workspace.catalog, "select old_id, entity_id from redirect where entity_id like 'NP%' order by old_id")[
        0
    ]


def test_an_entity_names_its_records_its_chapters_and_the_ids_it_absorbed(told: Workspace, guiyi: Guiyi) -> None:
    old, living = merged(told)
    data = guiyi("explain", told.root, living, "--json").data
    assert data["resolution"] == {"asked": living, "entity_id": living, "state": "living"}
    assert old in {former["entity_id"] for former in data["former"]}
    links = ask(told.catalog, "select source || ':' || source_record_id from record_link where entity_id = ?", [living])
    records = sorted(record for (record,) in links)
    assert [stay["record_id"] for stay in data["records"]] == records
    assert sorted(data["links"]) == records, "each of several records is tied to another"
    assert all(link["other"] in records and link["other"] != record for record, link in data["links"].items())
    assert data["chapters"][-1]["records"] == len(records)
    assert old in {move["other"] for move in data["chapters"][-1]["came"]}


def test_an_id_that_was_merged_says_where_it_leads(told: Workspace, guiyi: Guiyi) -> None:
    old, living = merged(told)
    done = guiyi("explain", told.root, old, "--lang", "en")
    assert done.code == 0
    assert f"it leads to {living}" in done.out
    assert f"went to {living}" in done.out
    assert f"现指向 {living}" in guiyi("explain", told.root, old).out


def test_a_record_tells_every_entity_it_was_in(told: Workspace, guiyi: Guiyi) -> None:
    old, living = merged(told)
    ((record,),) = ask(
        told.catalog,
        "select min(source || ':' || source_record_id) from record_link_history "
        "where entity_id = ? and until_release = 2",
        [old],
    )
    data = guiyi("explain", told.root, record, "--json").data
    assert [(stay["entity_id"], stay["since"], stay["until"]) for stay in data["stays"]] == [
        (old, 1, 2),
        (living, 2, None),
    ]
    assert data["entity_id"] == living
    assert f"came from {old}" in guiyi("explain", told.root, record, "--lang", "en").out


def test_a_person_is_masked_unless_asked_otherwise_and_an_organisation_is_not(
    told: Workspace, guiyi: Guiyi, tmp_path: Path
) -> None:
    ((person, name, number),) = ask(
        told.catalog,
        "select entity_id, name, id_number from natural_person where id_number is not null and records > 1 "
        "order by entity_id limit 1",
    )
    page = tmp_path / "page.html"
    masked = guiyi("explain", told.root, person, "--html", page)
    as_data = guiyi("explain", told.root, person, "--json")
    for text in (masked.out, page.read_text("utf-8"), as_data.out):
        assert name not in text
        assert number not in text
    full = guiyi("explain", told.root, person, "--unmasked", "--html", page)
    for text in (full.out, page.read_text("utf-8")):
        assert name in text
        assert number in text
    ((company, title),) = ask(told.catalog, "select entity_id, name from legal_person order by entity_id limit 1")
    assert title in guiyi("explain", told.root, company).out


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_stands_alone_and_holds_what_the_text_holds(
    lang: str, told: Workspace, guiyi: Guiyi, tmp_path: Path
) -> None:
    old, living = merged(told)
    page = tmp_path / "page.html"
    assert guiyi("explain", told.root, living, "--lang", lang, "--html", page).code == 0
    text = page.read_text("utf-8")
    assert "script-src 'none'" in text
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert old in text
    assert all(
        record in text
        for (record,) in ask(told.catalog, "select source_record_id from record_link where entity_id = ?", [living])
    )


def test_links_are_left_out_when_the_batch_is_of_another_release(told: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(told, tmp_path / "workspace")
    _, living = merged(workspace)
    assert guiyi("rollback", workspace.root, 1).code == 0
    data = guiyi("explain", workspace.root, living, "--json").data
    assert (data["links"], data["values"]) == (None, None)
    assert data["chapters"][-1]["cause"] == "rollback"
    workspace.batch.unlink()
    assert guiyi("explain", workspace.root, living).code == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("LP0000000012", "check character"),
        (mint("LP", 987_654), "no release has this entity id"),
        ("nobody:1", "no release has this record"),
        ("rubbish", "no release has this record"),
        ("", "no release has this record"),
    ],
)
def test_what_nobody_ever_published_is_a_plain_error(asked: str, says: str, told: Workspace, guiyi: Guiyi) -> None:
    done = guiyi("explain", told.root, asked)
    assert (done.code, done.out) == (1, "")
    assert says in done.err


def test_before_the_first_run_there_is_nothing_to_tell(loaded: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(loaded, tmp_path / "workspace")
    done = guiyi("explain", workspace.root, mint("LP", 1))
    assert done.code == 1
    assert "next: guiyi run" in done.err
