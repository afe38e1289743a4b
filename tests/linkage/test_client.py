"""The client asks again where that helps, waits as it is told, and gives typed answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from linkage.client import Answer, Entity, GuiyiClient, GuiyiClientError, Question

MATCHED = {
    "status": "matched",
    "entity_id": "LP0000000011",
    "entity_type": "legal_person",
    "probability": 0.99,
    "link_basis": "identifier",
    "evidence": ["统一社会信用代码相同"],
    "candidates": [
        {
            "entity_id": "LP0000000011",
            "entity_type": "legal_person",
            "verdict": "auto",
            "probability": 0.99,
            "link_basis": "identifier",
            "evidence": ["x"],
        }
    ],
    "notes": [],
    "release": 3,
}
ERROR = {"error": {"code": "forbidden", "message": "not for you", "request_id": "ab", "details": []}}

Reply = Callable[[httpx.Request], httpx.Response]


def client(*replies: Any, tries: int = 4) -> tuple[GuiyiClient, list[httpx.Request], list[float]]:
    """Return a client whose questions get these replies in turn, what it asked, and how long it waited."""
    waiting, asked, waits = list(replies), [], []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        reply = waiting.pop(0)
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, httpx.Response)
        return reply

    made = GuiyiClient(
        "http://guiyi.test",
        "gy_token",
        tries=tries,
        purpose="核对",
        transport=httpx.MockTransport(answer),
        sleep=waits.append,
    )
    return made, asked, waits


def test_a_question_goes_out_as_the_service_reads_it_and_the_answer_is_typed() -> None:
    guiyi, asked, _ = client(httpx.Response(200, json=MATCHED))
    with guiyi:
        answer = guiyi.resolve("legal_person", identifiers=[("uscc", "9144"), (None, "1")], name="深圳")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.entity_id, answer.candidates[0].verdict) == ("matched", "LP0000000011", "auto")
    body = json.loads(asked[0].content)
    assert body["identifiers"] == [{"value": "9144", "scheme": "uscc"}, {"value": "1"}]
    assert body["name"] == "深圳"
    assert asked[0].headers["authorization"] == "Bearer gy_token"
    assert asked[0].headers["x-guiyi-purpose"] == "%E6%A0%B8%E5%AF%B9"


@pytest.mark.parametrize(
    "failures",
    [
        [httpx.Response(503, json=ERROR)] * 3,
        [httpx.Response(429, json=ERROR, headers={"retry-after": "2"})],
        [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")],
        [httpx.Response(502, text="<html>bad gateway</html>")],
    ],
)
def test_what_may_pass_is_asked_again_after_a_pause(failures: list[Any]) -> None:
    guiyi, asked, waits = client(*failures, httpx.Response(200, json=MATCHED))
    assert guiyi.resolve(identifiers=[("uscc", "x")]).status == "matched"
    assert len(asked) == len(failures) + 1
    assert len(waits) == len(failures)
    assert all(0 < wait <= 30 for wait in waits)
    if isinstance(failures[0], httpx.Response) and failures[0].headers.get("retry-after"):
        assert waits == [2.0]


def test_pauses_grow() -> None:
    guiyi, _, waits = client(*[httpx.ConnectError("refused")] * 7, httpx.Response(200, json=MATCHED), tries=8)
    guiyi.resolve(identifiers=[("uscc", "x")])
    assert waits[6] > 4 * waits[0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 500])
def test_a_refusal_is_raised_at_once_with_the_services_words(status: int) -> None:
    guiyi, asked, waits = client(httpx.Response(status, json=ERROR))
    with pytest.raises(GuiyiClientError, match="not for you") as raised:
        guiyi.entity("NP0000000018")
    assert (raised.value.status, raised.value.code, raised.value.request_id) == (status, "forbidden", "ab")
    assert (len(asked), waits) == (1, [])


def test_when_nobody_answers_it_says_so_in_the_end() -> None:
    guiyi, asked, _ = client(*[httpx.ConnectError("refused")] * 4)
    with pytest.raises(GuiyiClientError, match="no answer after 4 tries") as raised:
        guiyi.records("LP0000000011")
    assert raised.value.status == 0
    assert len(asked) == 4


def test_many_questions_go_a_thousand_at_a_time_and_errors_keep_their_place() -> None:
    bad = {"error": {"place": "body.items[0]", "expected": "entity_type: needed"}}
    replies = [
        httpx.Response(200, json={"release": 3, "answers": [MATCHED] * 1000}),
        httpx.Response(200, json={"release": 3, "answers": [bad, MATCHED]}),
    ]
    guiyi, asked, _ = client(*replies)
    answers = guiyi.resolve_many(Question(identifiers=[(None, str(i))]) for i in range(1002))
    assert [len(json.loads(request.content)["items"]) for request in asked] == [1000, 2]
    assert isinstance(answers[1000], GuiyiClientError)
    assert isinstance(answers[1001], Answer)


def test_an_id_cannot_lead_out_of_its_path() -> None:
    told = {
        "entity_id": "LP0000000011",
        "entity_type": "legal_person",
        "asked": "x",
        "state": "living",
        "release": 1,
        "masked": True,
        "golden": {"name": "深圳"},
        "identifiers": [],
        "names": [{"name": "深圳"}],
        "addresses": [],
        "phones": [],
    }
    guiyi, asked, _ = client(httpx.Response(200, json=told))
    assert isinstance(guiyi.entity("../../metrics?x=1", unmasked=True), Entity)
    assert asked[0].url.raw_path == b"/v1/entities/..%2F..%2Fmetrics%3Fx%3D1?unmasked=true"
