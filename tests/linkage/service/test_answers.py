"""What the service answers: the same as the command line, from one release, with an old id's successor named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from service_store import NOW, OLD_FIRM, OLD_PERSON, RETIRED, Store
from small_district import ask
from starlette.testclient import TestClient

from golden_records.catalog.rollback import rollback
from golden_records.catalog.store import open_catalog
from linkage.lookup.answer import Query
from linkage.lookup.identifiers import Given
from linkage.lookup.resolve import resolve
from linkage.lookup.snapshot import Lookup

Bearer = Callable[..., dict[str, str]]


def resolved(client: TestClient, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/resolve", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_http_answers_as_the_function_does(client: TestClient, store: Store, bearer: Bearer) -> None:
    firm = store.firm.values
    questions: list[dict[str, Any]] = [
        {"identifiers": [{"value": firm["uscc"]}]},
        {"entity_type": "legal_person", "name": firm["name"], "address": firm["address"], "language": "en"},
        {"entity_type": "legal_person", "name": firm["name"][:6]},
        {"entity_type": "natural_person", "name": store.person.values["name"], "phone": store.person.values["phone"]},
    ]
    with open_catalog(store.path, read_only=True) as catalog, Lookup(catalog).reading() as snapshot:
        for question in questions:
            numbers = tuple(Given(one["value"]) for one in question.get("identifiers", ()))
            beside = {"identifiers", "entity_type", "language"}
            values = {k: v for k, v in question.items() if k not in beside}
            query = Query(question.get("entity_type"), numbers, values, question.get("language", "zh"))
            expected = resolve(snapshot, query).as_dict()
            assert resolved(client, bearer("auditor"), **question) == expected


def test_a_number_finds_its_entity_and_says_on_what_it_rests(client: TestClient, store: Store, bearer: Bearer) -> None:
    for scheme in ("uscc", None):
        told = resolved(
            client, bearer("platform"), identifiers=[{"value": store.firm.values["uscc"], "scheme": scheme}]
        )
        assert (told["status"], told["entity_id"], told["link_basis"]) == (
            "matched",
            store.firm.entity_id,
            "identifier",
        )
        assert told["release"] == 1
    path = f"/v1/identifiers/uscc/{store.firm.values['uscc'].lower()}"
    assert client.get(path, headers=bearer("platform")).json()["entity_id"] == store.firm.entity_id
    number = store.person.values["id_number"]
    old_form = number[:6] + number[8:17] if number[6:8] == "19" else number
    told = resolved(client, bearer("platform"), identifiers=[{"value": old_form}])
    assert told["entity_id"] == store.person.entity_id


def test_a_number_and_another_persons_name_are_a_conflict(client: TestClient, store: Store, bearer: Bearer) -> None:
    told = resolved(
        client,
        bearer("platform"),
        entity_type="natural_person",
        name="欧阳不存在",
        identifiers=[{"value": store.person.values["id_number"]}],
        language="en",
    )
    assert (told["status"], told["entity_id"]) == ("conflict", None)
    assert told["candidates"][0]["entity_id"] == store.person.entity_id
    assert "do not go together" in told["evidence"][0]


def test_two_numbers_of_two_entities_are_a_conflict_that_names_both(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    ((code, other),) = ask(
        store.path,
        "select value, entity_id from identifier where scheme = 'uscc' and valid = 1 and entity_id <> ? limit 1",
        (store.firm.entity_id,),
    )
    told = resolved(client, bearer("platform"), identifiers=[{"value": store.firm.values["uscc"]}, {"value": code}])
    assert (told["status"], told["entity_id"]) == ("conflict", None)
    assert {c["entity_id"] for c in told["candidates"]} == {store.firm.entity_id, other}


def test_a_name_with_several_entities_is_never_a_match(client: TestClient, store: Store, bearer: Bearer) -> None:
    rows = ask(
        store.path,
        "select name from natural_person group by name having count(name) > 3 order by name limit 5",
    )
    for (name,) in rows:
        told = resolved(client, bearer("platform"), entity_type="natural_person", name=name)
        assert told["status"] in ("possible", "none")
        assert told["entity_id"] is None


def test_a_retired_id_answers_with_the_surviving_one_and_says_so(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    for old, new in ((OLD_PERSON, store.person.entity_id), (OLD_FIRM, store.firm.entity_id)):
        told = client.get(f"/v1/entities/{old}", headers=bearer("platform")).json()
        assert (told["asked"], told["entity_id"], told["state"]) == (old, new, "redirected")
        told = resolved(client, bearer("platform"), identifiers=[{"scheme": "entity_id", "value": old.lower()}])
        assert (told["asked"], told["entity_id"], told["state"]) == (old, new, "redirected")
    answer = client.get(f"/v1/entities/{RETIRED}", headers=bearer("platform"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "retired")
    assert client.get(f"/v1/entities/{RETIRED}/history", headers=bearer("auditor")).status_code == 200
    for unknown in ("LP0000000000", "x", "%00", "LP" + "9" * 30):
        assert client.get(f"/v1/entities/{unknown}", headers=bearer("platform")).status_code == 404


def test_a_batch_is_answered_in_order_and_a_bad_item_alone_is_an_error(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    firm, person = store.firm, store.person
    items = [
        {"identifiers": [{"value": firm.values["uscc"]}]},
        {"name": "没有类型"},
        {"identifiers": [{"value": person.values["id_number"]}]},
        {"identifiers": [{"scheme": "nonsense", "value": "1"}]},
    ]
    answer = client.post("/v1/resolve/batch", json={"items": items}, headers=bearer("platform"))
    told = answer.json()["answers"]
    assert [one.get("entity_id") for one in told] == [firm.entity_id, None, person.entity_id, None]
    assert told[1]["error"]["place"] == "body.items[1]"
    assert "没有类型" not in answer.text
    for count, status in ((1000, 200), (1001, 422), (0, 422)):
        answer = client.post("/v1/resolve/batch", json={"items": items[:1] * count}, headers=bearer("platform"))
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("item", "place", "expected"),
    [
        (5, "", "a JSON object"),
        ("秘密", "", "a JSON object"),
        (None, "", "a JSON object"),
        ([], "", "a JSON object"),
        ({"秘密": 1}, "", "no other fields than the documented ones"),
        ({"identifiers": [{"value": 5}]}, ".identifiers[0].value", "Input should be a valid string"),
        ({"limit": 51}, ".limit", "Input should be less than or equal to 50"),
    ],
)
def test_an_item_that_is_no_question_at_all_is_an_error_of_its_own(
    item: Any, place: str, expected: str, client: TestClient, store: Store, bearer: Bearer
) -> None:
    good = {"identifiers": [{"value": store.firm.values["uscc"]}]}
    answer = client.post("/v1/resolve/batch", json={"items": [good, item, good]}, headers=bearer("platform"))
    assert answer.status_code == 200
    told = answer.json()["answers"]
    assert told[1] == {"error": {"place": f"body.items[1]{place}", "expected": expected}}
    assert [told[at]["entity_id"] for at in (0, 2)] == [store.firm.entity_id] * 2
    assert "秘密" not in answer.text


def test_after_a_rollback_numbers_are_answered_and_names_are_not(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    with open_catalog(store.path) as catalog:
        catalog.execute(
            "insert into release select 2, published_at, kind, cause, content_hash, restores, counts, models, manifest "
            "from release where release_id = 1"
        )
        rollback(catalog, 1, now=NOW)
    told = resolved(client, bearer("platform"), identifiers=[{"value": store.firm.values["uscc"]}])
    assert (told["entity_id"], told["release"]) == (store.firm.entity_id, 3)
    body = {"entity_type": "legal_person", "name": store.firm.values["name"]}
    answer = client.post("/v1/resolve", json=body, headers=bearer("platform"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "lookup_unavailable")
    assert "guiyi run" in answer.json()["error"]["message"]
    assert set(client.get("/readyz").json()["lookup"].values()) == {"identifiers only"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json", "/reconcile"])
def test_the_service_tells_about_itself_without_a_token(path: str, client: TestClient) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_metrics_count_answers_and_hold_no_value(client: TestClient, store: Store, bearer: Bearer) -> None:
    number = store.person.values["id_number"]
    client.get(f"/v1/identifiers/resident_id/{number}", headers=bearer("platform"))
    client.get(f"/{number}", headers=bearer("platform"))
    text = client.get("/metrics", headers=bearer("admin")).text
    assert 'guiyi_answers_total{entity_type="natural_person",status="matched"} 1.0' in text
    assert 'route="/v1/identifiers/{scheme}/{value}"' in text
    assert 'route="unmatched"' in text
    assert number not in text
    assert store.person.values["name"] not in text
