"""Reconciliation as OpenRefine asks for it: legal persons only, a match only where nothing else comes near."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from reconciliation_schemas import EXTENSION, MANIFEST, PROPERTIES, RESULTS, SUGGESTIONS
from service_store import Store
from starlette.testclient import TestClient

Bearer = Callable[..., dict[str, str]]


def valid(schema: dict[str, Any], told: Any) -> Any:
    Draft202012Validator(schema).validate(told)
    return told


def asked(client: TestClient, headers: dict[str, str], method: str, **queries: Any) -> Any:
    form = {"queries": json.dumps(queries)}
    if method == "GET":
        answer = client.get("/reconcile", params=form, headers=headers)
    else:
        answer = client.post("/reconcile", data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    return valid(RESULTS, answer.json())


def test_the_manifest_is_that_of_version_0_2(client: TestClient) -> None:
    told = valid(MANIFEST, client.get("/reconcile").json())
    assert told["versions"] == ["0.2"]
    assert told["defaultTypes"] == [{"id": "legal_person", "name": "法人 legal person"}]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_with_its_address_and_a_number_find_the_firm(
    method: str, client: TestClient, store: Store, bearer: Bearer
) -> None:
    firm = store.firm.values
    representative = {"pid": "legal_rep_name", "v": [{"id": firm["legal_rep_name"]}]}
    properties = [{"pid": "address", "v": firm["address"]}, representative]
    told = asked(
        client,
        bearer("platform"),
        method,
        by_name={"query": firm["name"], "type": "legal_person", "properties": properties},
        by_number={"query": firm["uscc"]},
        by_property={"query": firm["name"], "properties": [{"pid": "uscc", "v": firm["uscc"]}]},
        nobody={"query": "没有这样的名称"},
        nothing={"query": "  "},
        other_type={"query": firm["name"], "type": "Q5", "type_strict": "should"},
    )
    for name in ("by_name", "by_number", "by_property"):
        first = told[name]["result"][0]
        assert (first["id"], first["name"], first["match"]) == (store.firm.entity_id, firm["name"], True), name
    assert told["nobody"]["result"] == told["nothing"]["result"] == told["other_type"]["result"] == []


def test_there_is_at_most_one_match_and_never_a_natural_person(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    person = store.person.values
    texts = [person["name"], person["id_number"], store.firm.values["name"][:6], store.firm.values["name"][-4:]]
    told = asked(client, bearer("platform"), "POST", **{f"q{i}": {"query": text} for i, text in enumerate(texts)})
    for answer in told.values():
        assert sum(one["match"] for one in answer["result"]) <= 1
        assert all(one["id"].startswith("LP") for one in answer["result"])


def test_entities_are_extended_by_public_fields_only(client: TestClient, store: Store, bearer: Bearer) -> None:
    firm = store.firm
    extend = {
        "ids": [firm.entity_id, store.person.entity_id, "LP0000000000"],
        "properties": [{"id": "uscc"}, {"id": "legal_rep_id_number"}, {"id": "phone"}],
    }
    answer = client.post("/reconcile", data={"extend": json.dumps(extend)}, headers=bearer("platform"))
    told = valid(EXTENSION, answer.json())
    assert told["rows"][firm.entity_id] == {
        "uscc": [{"str": firm.values["uscc"]}],
        "legal_rep_id_number": [],
        "phone": [],
    }
    assert told["rows"][store.person.entity_id] == {"uscc": [], "legal_rep_id_number": [], "phone": []}
    assert [p["id"] for p in valid(PROPERTIES, client.get("/reconcile/properties").json())["properties"]][:2] == [
        "name",
        "entity_kind",
    ]
    suggested = valid(SUGGESTIONS, client.get("/reconcile/suggest/property?prefix=addr").json())
    assert [one["id"] for one in suggested["result"]] == ["address"]


@pytest.mark.parametrize(
    "form",
    [
        {"queries": "{"},
        {"queries": "[]"},
        {"queries": '{"q": {"query": 5}}'},
        {"queries": "[" * 50_000},
        {"queries": json.dumps({f"q{i}": {"query": "x"} for i in range(200)})},
        {"extend": "{}"},
        {"extend": '{"ids": "LP0000000011", "properties": []}'},
    ],
)
def test_what_is_not_of_the_standard_is_refused(form: dict[str, str], client: TestClient, bearer: Bearer) -> None:
    answer = client.post("/reconcile", data=form, headers=bearer("platform"))
    assert answer.status_code == 422
    assert client.post("/reconcile", data=form).status_code == 401


def test_entities_are_suggested_by_the_beginning_of_a_number_or_by_a_name(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    firm, person = store.firm, store.person.values
    for prefix in (firm.values["uscc"][:16], firm.values["uscc"].lower(), firm.values["name"]):
        answer = client.get("/reconcile/suggest/entity", params={"prefix": prefix}, headers=bearer("platform"))
        told = valid(SUGGESTIONS, answer.json())["result"]
        assert firm.entity_id in [one["id"] for one in told], prefix
    for prefix in ("", "~", "%", person["id_number"], person["name"], "\x00", "9" * 200):
        answer = client.get("/reconcile/suggest/entity", params={"prefix": prefix}, headers=bearer("platform"))
        assert all(one["id"].startswith("LP") for one in valid(SUGGESTIONS, answer.json())["result"])
    assert client.get("/reconcile/suggest/entity?prefix=9144").status_code == 401


@pytest.mark.parametrize("role", ["platform", "lead_auditor"])
def test_a_preview_shows_public_fields_of_a_legal_person_to_any_role(
    role: str, client: TestClient, store: Store, bearer: Bearer
) -> None:
    firm = store.firm
    shown = client.get("/reconcile/preview", params={"id": firm.entity_id}, headers=bearer(role))
    assert shown.status_code == 200
    assert shown.headers["content-type"].startswith("text/html")
    assert "frame-ancestors http://127.0.0.1:*" in shown.headers["content-security-policy"]
    assert firm.values["name"] in shown.text
    assert not [v for n in ("phone", "legal_rep_id_number") if (v := firm.values.get(n)) and v in shown.text]
    for other in (store.person.entity_id, "LP0000000000", "<script>"):
        refused = client.get("/reconcile/preview", params={"id": other}, headers=bearer(role))
        assert (refused.status_code, "<script>" in refused.text) == (404, False)
    assert client.get("/reconcile/preview", params={"id": firm.entity_id}).status_code == 401
