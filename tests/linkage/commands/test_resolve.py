"""Resolving at the command line: numbers however they are written, names, files; persons are masked and logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_district import NOW, Guiyi, ask, catalog_releases, copied

from golden_records.catalog.publish import publish
from golden_records.catalog.read import entity
from golden_records.catalog.store import Catalog, open_catalog
from linkage.access.shown import Sight, shown_values
from linkage.commands.resolve import query_of
from linkage.entities import release_tables
from linkage.lookup.identifiers import Given, forms
from linkage.lookup.publishing import lookup_part
from linkage.lookup.resolve import QueryError
from linkage.lookup.resolve import resolve as resolve_query
from linkage.lookup.snapshot import Lookup
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
        parts = [lookup_part(run) for run in runs]
        publish(made, runs[0].con, release_tables(runs), now=NOW, manifest={}, models={}, lookup=parts)
        yield made


def resolve(catalog: Catalog, value: str, *, scheme: str | None = None) -> dict[str, Any]:
    """Answer as the command does for one value, with the golden values as it shows them."""
    row = {"identifier": value} | ({"scheme": scheme} if scheme else {})
    with Lookup(catalog).reading() as snapshot:
        answer = resolve_query(snapshot, query_of(row, entity=None, language="en"))
    held = entity(catalog, answer.entity_id)
    golden = shown_values(held.entity_type, held.golden, Sight(True, False)) if held is not None else None
    return answer.as_dict() | ({"golden": golden} if golden else {})


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
        assert answer["evidence"] == ["same unified social credit code"]
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
        assert entity_id in {candidate["entity_id"] for candidate in answer["candidates"]}
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
        found = forms(Given(value))
        assert len(set(found)) == len(found)
        assert found[0] == ("uscc", value)


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


def firm_of(workspace: Workspace) -> tuple[str, ...]:
    (row,) = ask(
        workspace.catalog,
        "select entity_id, name, uscc, address, legal_rep_name from legal_person where uscc is not null and "
        "address is not null and legal_rep_name is not null and records > 1 order by entity_id limit 1",
    )
    return row


def test_a_name_with_an_address_finds_the_firm_and_says_why(second_month: Workspace, guiyi: Guiyi) -> None:
    entity_id, name, _, address, representative = firm_of(second_month)
    options = ("--entity", "legal_person", "--name", name, "--address", address, "--legal-rep", representative)
    answer = guiyi("resolve", second_month.root, *options, "--json")
    assert (answer.data["status"], answer.data["entity_id"]) == ("matched", entity_id)
    assert answer.data["golden"]["name"] == name
    text = guiyi("resolve", second_month.root, *options, "--lang", "en").out
    assert text.startswith(entity_id)
    assert "name: " in text


def test_a_number_beside_a_name_needs_no_entity_type(second_month: Workspace, guiyi: Guiyi) -> None:
    entity_id, name, code, *_ = firm_of(second_month)
    assert guiyi("resolve", second_month.root, code, "--name", name, "--json").data["entity_id"] == entity_id
    other = guiyi("resolve", second_month.root, code, "--name", "北京不相干商贸有限公司", "--json").data
    assert (other["status"], other["entity_id"]) == ("conflict", None)
    assert other["candidates"][0]["entity_id"] == entity_id


def test_a_file_of_questions_is_answered_row_by_row(second_month: Workspace, tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = copied(second_month, tmp_path / "workspace")
    entity_id, name, code, address, _ = firm_of(workspace)
    ((person, number),) = ask(
        workspace.catalog,
        "select entity_id, value from identifier where scheme = 'resident_id' and valid = 1 "
        "group by value having count(*) = 1 order by value limit 1",
    )
    csv = tmp_path / "questions.csv"
    csv.write_bytes(
        "source_record_id,entity_type,name,uscc,id_number,address\r\n"
        f"1,legal_person,,{code},,\r\n"
        f"2,natural_person,,,{number},\r\n"
        f'3,legal_person,"{name}",,,"{address}"\r\n'
        "4,,没有类型,,,\r\n".encode("gb18030")
    )
    output = tmp_path / "answers.jsonl"
    ended = guiyi("resolve", workspace.root, "--file", csv, "--output", output, "--purpose", "归集")
    assert ended.code == 0
    assert "error 1" in ended.err
    told = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [(one["row"], one["source_record_id"], one.get("entity_id")) for one in told] == [
        (1, "1", entity_id),
        (2, "2", person),
        (3, "3", entity_id),
        (4, "4", None),
    ]
    assert "entity_type" in told[3]["error"]
    rows = ask(workspace.catalog, "select actor is not null, role, action, purpose, entity_id from access_log")
    assert rows[-1] == (1, "command_line", "resolve", "归集", person)
    lines = tmp_path / "questions.jsonl"
    questions = ({"identifiers": [{"value": code}]}, {"uscc": code})
    lines.write_text("\n\n".join(map(json.dumps, questions)) + "\n", "utf-8")
    answers = guiyi("resolve", workspace.root, "--file", lines).out.splitlines()
    assert [json.loads(line)["entity_id"] for line in answers] == [entity_id, entity_id]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"a\n\xff\xff", "neither UTF-8 nor GB18030"),
        ("a.csv", b"name,uscc\n1,2,3\n", "row 1: more cells"),
        ("a.jsonl", b"{\n", "line 1: not JSON"),
        ("a.jsonl", b"[]\n", "line 1: not an object"),
        ("absent.csv", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    name: str, content: bytes | None, says: str, second_month: Workspace, tmp_path: Path, guiyi: Guiyi
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = guiyi("resolve", second_month.root, "--file", tmp_path / name)
    assert ended.code == 1
    assert says in ended.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "nothing was asked"),
        (("--name", "王"), "entity_type"),
        (("x", "--scheme", "nonsense"), "unknown scheme"),
        (("--entity", "natural_person", "--name", "王", "--legal-rep", "李"), None),
        (("x", "--file", "y.csv"), "--file"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    options: tuple[str, ...], says: str | None, second_month: Workspace, guiyi: Guiyi
) -> None:
    ended = guiyi("resolve", second_month.root, *options)
    assert ended.code == (0 if says is None else 2)
    assert (says or "") in ended.err


def test_an_unknown_column_is_named_with_the_known_ones() -> None:
    with pytest.raises(QueryError, match=r"unknown column nmae \(known: .*name"):
        query_of({"nmae": "x"}, entity="legal_person", language="zh")


def test_the_first_row_of_a_file_without_column_names_is_not_repeated() -> None:
    with pytest.raises(QueryError, match="the line where the column names should stand holds values") as told:
        query_of({"张三丰": "李四", "440306199001011234": "x"}, entity="natural_person", language="zh")
    assert "张三丰" not in str(told.value)


@pytest.mark.parametrize(
    ("option", "value", "note"),
    [
        ("--birth-date", "banana", "cannot be read, or is a placeholder, and was not taken into account: birth date"),
        ("--phone", "？？", "cannot be read, or is a placeholder, and was not taken into account: telephone"),
        ("--address", "？", "cannot be read, or is a placeholder, and was not taken into account: address"),
        ("--birth-date", "1980-05", None),
        ("--phone", "13925123467", None),
    ],
)
def test_a_value_that_cannot_be_read_is_told(
    option: str, value: str, note: str | None, second_month: Workspace, guiyi: Guiyi
) -> None:
    question = ("--entity", "natural_person", "--name", "胡燕玉", option, value, "--lang", "en")
    answer = guiyi("resolve", second_month.root, *question, "--json").data
    assert [one for one in answer["notes"] if "cannot be read" in one] == ([note] if note else [])
    assert note is None or note in guiyi("resolve", second_month.root, *question).out


def test_a_value_that_cannot_be_read_is_told_in_chinese_beside_the_others(
    second_month: Workspace, guiyi: Guiyi
) -> None:
    question = ("--entity", "legal_person", "--name", "x", "--address", "？", "--phone", "无", "--json")
    (note,) = [one for one in guiyi("resolve", second_month.root, *question).data["notes"] if "无法识别" in one]
    assert note.startswith("无法识别或只是占位，未作为依据：")
    assert note.count("、") == 1
