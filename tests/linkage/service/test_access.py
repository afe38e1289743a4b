"""Who may see what over HTTP: a table of roles, what is logged of a look, what ends a token."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from service_store import NOW, OLD_PERSON, Store
from small_district import ask
from starlette.testclient import TestClient

from golden_records.catalog.schema import ACCESS_LOG
from golden_records.catalog.store import open_catalog
from golden_records.hash_chain import broken_rows
from linkage.access.roles import ROLES
from linkage.access.settings import ServiceSettings
from linkage.access.tokens import list_tokens, revoke_token

Bearer = Callable[..., dict[str, str]]

PURPOSE = "%E6%A0%B8%E5%AF%B9"  # 核对

# What is asked → the roles that are answered; every other role gets 403.
MAY = {
    "person": {"platform", "auditor", "lead_auditor", "data_team"},
    "person_by_number": {"platform", "auditor", "lead_auditor", "data_team"},
    "person_by_name": {"platform", "auditor", "lead_auditor", "data_team"},
    "person_unmasked": {"auditor", "lead_auditor"},
    "person_unmasked_without_purpose": set(),
    "person_records": {"auditor", "lead_auditor", "data_team"},
    "firm": set(ROLES),
    "firm_by_number": set(ROLES),
    "firm_by_name": set(ROLES),
    "firm_records": {"auditor", "lead_auditor", "data_team"},
    "firm_history": {"auditor", "lead_auditor", "data_team"},
    "firm_relations": {"auditor", "lead_auditor", "data_team"},
    "reconcile": set(ROLES),
    "metrics": {"data_team", "admin"},
}


def asked(client: TestClient, store: Store, what: str, headers: dict[str, str]) -> int:
    person, firm = store.person, store.firm
    paths = {
        "person": f"/v1/entities/{person.entity_id}",
        "person_unmasked": f"/v1/entities/{person.entity_id}?unmasked=true",
        "person_unmasked_without_purpose": f"/v1/entities/{person.entity_id}?unmasked=true",
        "person_records": f"/v1/entities/{person.entity_id}/records",
        "firm": f"/v1/entities/{firm.entity_id}",
        "firm_records": f"/v1/entities/{firm.entity_id}/records",
        "firm_history": f"/v1/entities/{firm.entity_id}/history",
        "firm_relations": f"/v1/entities/{firm.entity_id}/relations",
        "firm_by_number": f"/v1/identifiers/uscc/{firm.values['uscc']}",
        "person_by_number": f"/v1/identifiers/resident_id/{person.values['id_number']}",
        "reconcile": '/reconcile?queries={"q":{"query":"x"}}',
        "metrics": "/metrics",
    }
    if what in paths:
        return client.get(paths[what], headers=headers).status_code
    kind, values = ("natural_person", person.values) if what == "person_by_name" else ("legal_person", firm.values)
    body = {"entity_type": kind, "name": values["name"], "phone": values["phone"], "address": values["address"]}
    return client.post("/v1/resolve", json=body, headers=headers).status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_answered_what_it_may_see_and_refused_the_rest(
    role: str, client: TestClient, store: Store, bearer: Bearer
) -> None:
    for what, roles in MAY.items():
        headers = bearer(role, None if what.endswith("without_purpose") else PURPOSE)
        assert asked(client, store, what, headers) == (200 if role in roles else 403), what


@pytest.mark.parametrize("what", MAY)
def test_nothing_is_answered_without_a_token(what: str, client: TestClient, store: Store) -> None:
    assert asked(client, store, what, {}) == 401
    for text in ("", "x", "Bearer", "Bearer ", "Bearer gy_" + "A" * 43, "Basic YTpi", "Bearer \x00"):
        assert asked(client, store, what, {"authorization": text}) == 401


def test_a_token_ends_with_its_last_day_and_with_its_revocation(
    store: Store, serve: Callable[..., TestClient], bearer: Bearer
) -> None:
    clock = [NOW]
    client = serve(now=lambda: clock[0])
    path, headers = f"/v1/entities/{store.firm.entity_id}", bearer("platform")
    assert client.get(path, headers=headers).status_code == 200
    clock[0] = datetime(3000, 1, 1, tzinfo=UTC)
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    clock[0] = NOW
    with open_catalog(store.path) as catalog:
        (token,) = [t for t in list_tokens(catalog) if t.role == "platform"]
        revoke_token(catalog, token.token_id, now=NOW)
    assert client.get(path, headers=headers).status_code == 401


def test_values_are_masked_until_right_and_purpose_meet(client: TestClient, store: Store, bearer: Bearer) -> None:
    path = f"/v1/entities/{store.person.entity_id}"
    values = ("name", "id_number", "phone", "address")
    for role in ("platform", "auditor", "data_team"):
        answer = client.get(path, headers=bearer(role, PURPOSE))
        assert answer.json()["masked"] is True
        for name in values:
            assert store.person.values[name] not in answer.text, (role, name)
    answer = client.get(path + "?unmasked=true", headers=bearer("auditor", PURPOSE))
    assert answer.json()["masked"] is False
    for name in values:
        assert answer.json()["golden"][name] == store.person.values[name]


@pytest.mark.parametrize("purpose", ["%ZZ", "%E5%BC%8", "50% of it", "%", "x"])
def test_a_purpose_that_is_not_percent_encoded_is_none(
    purpose: str, client: TestClient, store: Store, bearer: Bearer
) -> None:
    headers = bearer("auditor") | {"x-guiyi-purpose": purpose}
    answer = client.get(f"/v1/entities/{store.person.entity_id}?unmasked=true", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_header")


def test_lower_roles_see_the_public_fields_of_a_legal_person(client: TestClient, store: Store, bearer: Bearer) -> None:
    path = f"/v1/entities/{store.firm.entity_id}"
    public = client.get(path, headers=bearer("platform")).json()
    assert {"phone", "legal_rep_id_number", "tax_number", "email"}.isdisjoint(public["golden"])
    assert public["addresses"] == public["phones"] == []
    whole = client.get(path, headers=bearer("data_team")).json()
    assert whole["golden"]["phone"] == store.firm.values["phone"]
    assert (
        store.firm.values["legal_rep_id_number"] not in json.dumps(whole)
        or "*" in store.firm.values["legal_rep_id_number"]
    )


def wait_for_log(store: Store, rows: int) -> list[tuple[object, ...]]:
    columns = "actor, role, action, organization, purpose, authorization_ref, entity_id, rows, result_hash"
    for _ in range(100):
        found = ask(store.path, f"select {columns} from access_log order by entry_id")
        if len(found) >= rows:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} rows in the access log, {rows} expected")


def test_every_look_at_a_natural_person_is_logged_and_no_look_at_a_legal_one(
    client: TestClient, store: Store, bearer: Bearer
) -> None:
    headers = bearer("auditor", PURPOSE) | {"x-guiyi-authorization-ref": "SQ-2025-1"}
    person = store.person.entity_id
    number = {"identifiers": [{"scheme": "resident_id", "value": store.person.values["id_number"]}]}
    unknown = {"identifiers": [{"scheme": "resident_id", "value": "440306199003071234"}]}
    client.get(f"/v1/entities/{store.firm.entity_id}", headers=headers)
    client.get(f"/v1/entities/{person}?unmasked=true", headers=headers)
    client.get(f"/v1/entities/{OLD_PERSON}/records", headers=headers)
    client.post("/v1/resolve", json=number | {"purpose": "归集"}, headers=headers)
    client.post("/v1/resolve", json=unknown, headers=headers)
    client.post("/v1/resolve/batch", json={"items": [number, number]}, headers=headers)
    rows = wait_for_log(store, 6)
    assert [(row[2], row[4], row[6], row[7]) for row in rows] == [
        ("entity", "核对", person, 1),
        ("records", "核对", person, 1),
        ("resolve", "归集", person, 1),
        ("resolve", "核对", None, 0),
        ("resolve", "核对", person, 1),
        ("resolve", "核对", person, 1),
    ]
    assert {row[3] for row in rows} == {"信用办"}
    assert {row[5] for row in rows} == {"SQ-2025-1"}
    assert all(str(row[0]).startswith("owner of auditor [") for row in rows)
    assert all(row[8] for row in rows)
    everything = repr(ask(store.path, "select * from access_log"))
    for value in store.person.values.values():
        assert value not in everything
    with open_catalog(store.path, read_only=True) as catalog:
        assert broken_rows(catalog, ACCESS_LOG) == []


def test_an_answer_that_cannot_be_logged_is_not_given(
    client: TestClient, store: Store, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from linkage.access.journal import Journal

    def full(self: Journal, lines: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "add", full)
    answer = client.get(f"/v1/entities/{store.person.entity_id}", headers=bearer("platform"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert client.get(f"/v1/entities/{store.firm.entity_id}", headers=bearer("platform")).status_code == 200


def test_going_through_persons_is_stopped_and_firms_are_answered_all_the_same(
    serve: Callable[..., TestClient], store: Store, bearer: Bearer
) -> None:
    seconds = [0.0]
    settings = ServiceSettings(person_looks_per_minute=60, person_look_burst=5)
    client = serve(settings, clock=lambda: seconds[0])
    path, headers = f"/v1/entities/{store.person.entity_id}", bearer("platform")
    answers = [client.get(path, headers=headers) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    guess = {"identifiers": [{"scheme": "resident_id", "value": "440306199003071234"}]}
    assert client.post("/v1/resolve", json=guess, headers=headers).status_code == 429
    assert client.get(f"/v1/entities/{store.firm.entity_id}", headers=headers).status_code == 200
    assert client.get(path, headers=bearer("auditor")).status_code == 200, "another token has its own limit"
    seconds[0] += 2.0
    assert client.get(path, headers=headers).status_code == 200
    seconds[0] += 60.0
    batch = {"items": [guess] * 20}
    assert client.post("/v1/resolve/batch", json=batch, headers=headers).status_code == 429


def test_a_token_that_asks_too_often_is_told_when_to_come_back(
    serve: Callable[..., TestClient], store: Store, bearer: Bearer
) -> None:
    seconds = [0.0]
    client = serve(ServiceSettings(requests_per_second=2, request_burst=3), clock=lambda: seconds[0])
    path = f"/v1/entities/{store.firm.entity_id}"
    assert [client.get(path, headers=bearer("platform")).status_code for _ in range(4)] == [200, 200, 200, 429]
    seconds[0] += 0.5
    assert client.get(path, headers=bearer("platform")).status_code == 200
    assert client.get(path, headers=bearer("platform")).headers["retry-after"] == "1"
