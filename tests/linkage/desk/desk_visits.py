"""People at the review desk, as a browser without script would be: sign in, open pages, send their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from types import TracebackType
from typing import Any

from desk_town import NOW, Town
from httpx import Response
from small_district import ask
from starlette.testclient import TestClient

from linkage.service.app import Service


class Clock:
    """The time at the desk, moved by the test."""

    def __init__(self) -> None:
        self.now = NOW + timedelta(days=1)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Visit:
    """A page as it was shown."""

    answer: Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        """What a person reads, without marks."""
        inside = re.sub(r"<(script|style)\b.*?</\1>", " ", self.answer.text, flags=re.S)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", inside)))

    @property
    def html(self) -> str:
        return self.answer.text

    def hidden(self, name: str) -> str:
        """Return the value of a hidden field of the page's own form."""
        found = re.findall(rf'name="{name}" value="([^"]*)"', self.html)
        return unescape(found[-1]) if found else ""

    def cases(self) -> list[str]:
        return re.findall(r'class="case-link" href="/review/cases/(RC-\w+)"', self.html)


class Person:
    """Somebody signed in at the desk."""

    def __init__(self, service: Service, token: str) -> None:
        self.client = TestClient(service, raise_server_exceptions=False, follow_redirects=True)
        self.signed_in = Visit(self.client.post("/review/sign-in", data={"token": token, "next": "/review/"}))

    def open(self, path: str) -> Visit:
        return Visit(self.client.get(f"/review{path}"))

    def send(self, path: str, page: Visit, **fields: Any) -> Visit:
        """Send a form of a page, with what the page hides in it."""
        kept = {name: page.hidden(name) for name in ("form_key", "version", "request_key")}
        data = {**{k: v for k, v in kept.items() if v}, **fields}
        return Visit(self.client.post(f"/review{path}", data={k: v for k, v in data.items() if v is not None}))

    def search(self, text: str) -> Visit:
        return self.send("/search", self.open("/"), q=text)

    def rule(self, case_id: str, ruling: str, *, page: Visit | None = None, **fields: Any) -> Visit:
        page = page or self.open(f"/cases/{case_id}")
        fields = {"reason": "document_seen", **fields}
        return self.send(f"/cases/{case_id}/rule", page, ruling=ruling, **fields)


class People:
    """The desk of a town, and whoever comes to it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.clock = Clock()
        workspace = town.workspace
        self.service = Service(
            workspace.catalog, workspace.root, workspace.settings.service, workspace=workspace, now=self.clock
        )
        self._running = TestClient(self.service, raise_server_exceptions=False)
        self._known: dict[str, Person] = {}

    def __enter__(self) -> People:
        self._running.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, traceback)

    def __getitem__(self, name: str) -> Person:
        if name not in self._known:
            self._known[name] = Person(self.service, self.town.tokens[name])
        return self._known[name]

    def stranger(self) -> TestClient:
        return TestClient(self.service, raise_server_exceptions=False, follow_redirects=False)


def case_of(people: Any, *words: str) -> str:
    """Return the case between two records."""
    left, right = words
    (row,) = ask(
        people.town.workspace.catalog,
        "select case_id from review_case where left_record_id = ? and right_record_id = ?",
        (left, right),
    )
    return str(row[0])
