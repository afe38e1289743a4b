"""Who gets into the desk, what they see, and what the access log is told."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from desk_town import SCRIPT
from desk_visits import People, Person, case_of
from small_district import ask

from golden_records.catalog.store import open_catalog
from linkage.access.tokens import list_tokens, revoke_token

NUMBER = "222424200908281271"


def looks(people: People) -> list[tuple[str, ...]]:
    """Return what the access log holds, what waits in the journal included."""
    folder = people.town.workspace.root / "access-journal"
    waiting = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    rows = ask(people.town.workspace.catalog, "select action, entity_id, purpose, actor from access_log")
    return [*rows, *((w["action"], w["entity_id"], w["purpose"], w["actor"]) for w in waiting)]


def test_without_a_session_every_page_leads_to_the_sign_in_page(readers: People) -> None:
    stranger = readers.stranger()
    for path in ("/", "/cases/RC-1", "/entities/NP0000000018", "/decisions", "/dashboard", "/trail", "/trail/verify"):
        answer = stranger.get(f"/review{path}")
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/review/sign-in"), path
    assert stranger.post("/review/decisions/1/undo", data={}).status_code == 303


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_gets(readers: People) -> None:
    stranger = readers.stranger()
    token = readers.town.tokens["auditor"]
    answer = stranger.post("/review/sign-in", data={"token": token, "next": "/review/"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/review" in cookie
    assert "Secure" not in cookie
    behind = stranger.post("/review/sign-in", data={"token": token}, headers={"x-forwarded-proto": "https"})
    assert "Secure" in behind.headers["set-cookie"]
    assert token not in answer.headers["set-cookie"]
    secret = re.findall(r"guiyi_review=([^;]+)", cookie)[0]
    assert not ask(readers.town.workspace.catalog, "select 1 from review_session where session_hash = ?", (secret,))


@pytest.mark.parametrize("token", ["", "gy_" + "x" * 43, "nothing", "' or 1=1"])
def test_a_wrong_token_is_refused_and_says_what_to_do(readers: People, token: str) -> None:
    answer = readers.stranger().post("/review/sign-in", data={"token": token})
    assert answer.status_code == 403
    assert "guiyi token create" in answer.text


def test_the_platform_has_no_access_to_the_desk(readers: People) -> None:
    assert readers["gateway"].signed_in.status == 403


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "/v1/entities/x", "/review/../v1"]
)
def test_signing_in_leads_to_pages_of_the_desk_only(readers: People, wanted: str) -> None:
    answer = readers.stranger().post("/review/sign-in", data={"token": readers.town.tokens["auditor"], "next": wanted})
    assert answer.headers["location"] == "/review/"


def test_pages_forbid_inline_scripts_framing_and_requests_elsewhere(readers: People) -> None:
    answer = readers["auditor"].open("/").answer
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?! src=\"/review/static/desk.js\" defer></script>)", answer.text)
    assert not re.search(r"\son\w+=|style=|https?://", answer.text)


def test_a_form_without_the_sessions_key_or_from_another_site_changes_nothing(people: People) -> None:
    case = case_of(people, "register:P3", "residents:R3")
    auditor = people["auditor"]
    page = auditor.open(f"/cases/{case}")
    fields = {"ruling": "different", "reason": "review", "version": page.hidden("version"), "request_key": "k" * 32}
    address = f"/review/cases/{case}/rule"
    key = page.hidden("form_key")
    assert auditor.client.post(address, data={**fields, "form_key": "0" * 64}).status_code == 403
    assert auditor.client.post(address, data=fields).status_code == 403
    for headers in ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        answer = auditor.client.post(address, data={**fields, "form_key": key}, headers=headers)
        assert answer.status_code == 403, headers
    other = people["second"].open(f"/cases/{case}").hidden("form_key")
    assert auditor.client.post(address, data={**fields, "form_key": other}).status_code == 403
    assert ask(people.town.workspace.catalog, "select count(*) from decision") == [(0,)]


def test_signing_out_time_and_a_revoked_token_end_a_session(people: People) -> None:
    auditor, second, lead = people["auditor"], people["second"], people["lead"]
    auditor.send("/sign-out", auditor.open("/"))
    assert auditor.open("/").answer.url.path == "/review/sign-in"
    with open_catalog(people.town.workspace.catalog) as catalog:
        (token,) = [t for t in list_tokens(catalog) if t.owner == "吴复核"]
        revoke_token(catalog, token.token_id, now=people.clock.now)
    assert second.open("/").answer.url.path == "/review/sign-in"
    people.clock.now += timedelta(minutes=481)
    assert lead.open("/").answer.url.path == "/review/sign-in"


def test_persons_are_masked_until_a_purpose_is_stated_and_each_look_is_logged(people: People) -> None:
    case = case_of(people, "register:P3", "residents:R3")
    auditor = people["auditor"]
    page = auditor.open(f"/cases/{case}")
    assert NUMBER not in page.html
    assert "刘宇航" not in page.html
    assert "2224************71" in page.text
    shown = auditor.send("/show", page, subject=case, back=f"/review/cases/{case}", purpose="异议核查")
    assert NUMBER in shown.html
    assert "刘宇航" in shown.text
    other = auditor.open(f"/cases/{case_of(people, 'register:P4', 'residents:R4')}")
    assert "陈思远" not in other.text
    people.clock.now += timedelta(minutes=16)
    assert NUMBER not in auditor.open(f"/cases/{case}").html
    logged = looks(people)
    assert {row[2] for row in logged} == {None, "异议核查"}
    assert sum(row[2] == "异议核查" for row in logged) == 2  # both entities of the case, once
    assert {row[0] for row in logged} == {"review_case", "review_queue"}
    assert all(row[3].startswith("周审核") for row in logged)


def test_a_purpose_of_one_letter_is_refused(readers: People) -> None:
    case = case_of(readers, "register:P3", "residents:R3")
    page = readers["auditor"].open(f"/cases/{case}")
    said = readers["auditor"].send("/show", page, subject=case, back=f"/review/cases/{case}", purpose="x")
    assert said.status == 422
    assert "2 至 200" in said.text


# Pages → the roles that see them; others are told so plainly.
MAY = {
    "/": {"auditor", "second", "lead", "data"},
    "/decisions": {"auditor", "second", "lead", "data"},
    "/entities/LP0000000011": {"auditor", "second", "lead", "data"},
    "/entities/NP0000000018": {"auditor", "second", "lead", "data"},
    "/dashboard": {"auditor", "second", "lead", "data", "admin"},
    "/trail": {"lead", "admin"},
    "/trail/verify": {"auditor", "second", "lead", "data", "admin"},
}


@pytest.mark.parametrize("path", MAY)
def test_each_role_sees_the_pages_it_may(readers: People, path: str) -> None:
    for name in ("auditor", "lead", "data", "admin"):
        assert readers[name].open(path).status == (200 if name in MAY[path] else 403), name


def test_whoever_may_not_rule_is_offered_no_ruling_and_cannot_send_one(people: People) -> None:
    case = case_of(people, "register:P3", "residents:R3")
    data = people["data"]
    page = data.open(f"/cases/{case}")
    assert "您的角色只能查看" in page.text
    refused = data.rule(case, "different", page=page)
    assert refused.status == 403
    assert "data_team" in refused.text
    assert data.send("/show", page, subject=case, purpose="异议核查", back="/review/").status == 403
    assert ask(people.town.workspace.catalog, "select count(*) from decision") == [(0,)]


def test_a_script_in_a_name_is_text_on_every_page(readers: People) -> None:
    lead = readers["lead"]
    (case,) = lead.open("/?entity_type=legal_person").cases()
    entity = re.findall(r"/review/entities/(LP\w+)", lead.open(f"/cases/{case}").html)[0]
    pages = ("/", f"/cases/{case}", f"/cases/{case}/preview?ruling=same", f"/entities/{entity}")
    seen = 0
    for path in pages:
        page = lead.open(path)
        assert page.status == 200, path
        assert "<script>document" not in page.html, path
        seen += SCRIPT in page.text
    assert seen >= 3


@pytest.mark.parametrize(
    "path",
    [
        "/cases/RC-nothing",
        "/decisions/77",
        "/decisions/abc",
        "/entities/NP0000000000",
        "/entities/xx",
        "/nowhere",
        "/entities/LP0000000011?release=99",
        "/entities/LP0000000011?release=abc",
        "/static/../app.py",
        "/cases/RC-1/preview?ruling=maybe",
    ],
)
def test_what_is_not_there_is_said_on_a_page(readers: People, path: str) -> None:
    page = readers["lead"].open(path)
    assert page.status in (404, 410, 422)
    assert page.answer.headers["content-type"].startswith("text/html")
    assert "回到队列" in page.text


def test_both_languages(readers: People) -> None:
    lead: Person = readers["lead"]
    assert "Waiting for a second person" in lead.open("/dashboard?lang=en").text
    assert "待复核" in lead.open("/dashboard").text
    lead.open("/language/en")
    assert "Pending cases" in lead.open("/dashboard").text
    lead.open("/language/zh")
    assert "待处理案件" in lead.open("/dashboard").text


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("LP0000000011", "LP0000000011"),
        ("lp-0000000011", "LP0000000011"),
        ("91440300MA5KPW5G0T", "LP0000000011"),
        ("tax:T1", "LP0000000011"),
        ("深圳市云汇科技有限公司", "LP0000000011"),
        ("11010519491231002X", "NP0000000018"),
        ("云汇科技", "LP0000000011"),
        ("王小明", None),
        ("没有这个名字", None),
        (SCRIPT, None),
        ("a" * 5_000, None),
    ],
)
def test_a_search_finds_by_what_a_person_has_at_hand_and_puts_it_in_no_address(
    readers: People, text: str, entity: str | None
) -> None:
    page = readers["lead"].search(text)
    assert page.status == 200
    assert text[:9] == "LP0000000" or text not in str(page.answer.url)
    if entity is not None:
        assert entity in page.text


def test_a_case_is_found_by_its_number_in_any_writing(readers: People) -> None:
    case = case_of(readers, "register:P3", "residents:R3")
    assert readers["lead"].search(f" {case.upper()} ").answer.url.path == f"/review/cases/{case}"
    around = readers["lead"].search("register:P4")
    assert len(around.cases()) == 2
    assert ("review_search", "NP000000004B") in {row[:2] for row in looks(readers)}
