"""The desk in a browser: a server on a port of its own, and somebody before it."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from desk_town import Town
from desk_visits import Clock

from linkage.service.app import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

AXE = Path(__file__).parent / "vendored" / "axe.min.js"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
GRAVE = ("serious", "critical")
WAIT_MS = 60_000


class Running:
    """The desk of a town on a port of its own."""

    def __init__(self, town: Town) -> None:
        self.town = town
        workspace = town.workspace
        service = Service(
            workspace.catalog, workspace.root, workspace.settings.service, workspace=workspace, now=Clock()
        )
        config = uvicorn.Config(service, host="127.0.0.1", port=0, log_level="error", lifespan="on")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> Running:
        self.thread.start()
        deadline = time.monotonic() + 30
        while not self.server.started:
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=30)


class Seat:
    """Somebody before a browser."""

    def __init__(self, browser: Any, desk: Running, name: str, *, width: int = 1280) -> None:
        self.desk = desk
        context = browser.new_context(viewport={"width": width, "height": 860}, locale="zh-CN")
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{desk.address}/review/")
        self.page.wait_for_function("document.activeElement.tagName === 'INPUT'")  # on a busy machine it takes a while
        self.page.keyboard.type(desk.town.tokens[name])
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("[data-queue]")

    def go(self, path: str) -> None:
        self.page.goto(f"{self.desk.address}/review{path}")

    def effects(self) -> None:
        self.page.wait_for_selector("body[data-previews=done]")

    def grave(self) -> list[str]:
        """Return the grave findings of axe on the page."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found
            if one["impact"] in GRAVE
            for node in one["nodes"]
        ]
