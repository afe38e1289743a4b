"""The report in a real browser: every chart is drawn, nothing is asked of the network, no script of a guest runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import report_samples as samples

from eval.report.html import render_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the report is not opened")

QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *QUIET),
    *("--virtual-time-budget=10000", "--enable-logging=stderr"),
)


@dataclass(frozen=True)
class Visit:
    """The page after its scripts ran, what it asked of the network, and what it wrote to the console."""

    dom: str
    requests: list[str]
    console: list[str]


def visit(page: str, folder: Path) -> Visit:
    file, log = folder / "page.html", folder / "net.json"
    file.write_text(page, encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom"]
    done = subprocess.run([*command, file.as_uri()], capture_output=True, timeout=60, check=True)
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    # The browser's own housekeeping has no page as its initiator.
    asked = [e["params"] for e in events if "initiator" in e.get("params", {}) and "url" in e["params"]]
    requests = [p["url"] for p in asked if p["initiator"] != "not an origin" and re.match("https?|ws", p["url"])]
    stderr = done.stderr.decode("utf-8", "replace")
    console = [line for line in stderr.splitlines() if "CONSOLE" in line]
    return Visit(done.stdout.decode("utf-8"), requests, console)


def drawn(dom: str) -> list[str]:
    """The places of charts that hold a drawing with at least one mark."""
    figures = re.findall(r'<figure>\s*<div class="chart[^"]*" id="([^"]+)"(.*?)</figure>', dom, re.DOTALL)
    return [name for name, inside in figures if re.search(r"<svg.*role-mark [^>]*><path", inside, re.DOTALL)]


def places(page: str) -> list[str]:
    return re.findall(r'<div class="chart" id="([^"]+)"', page)


@pytest.mark.parametrize(("sample", "lang"), [(samples.full, "zh"), (samples.crowded, "en")])
def test_every_chart_is_drawn_and_nothing_is_asked_of_the_network(sample, lang: str, tmp_path: Path) -> None:
    page = render_report(sample(), lang)
    seen = visit(page, tmp_path)
    assert places(page)
    assert drawn(seen.dom) == places(page)
    assert seen.requests == []
    assert seen.console == []
    assert "<title>broken" not in seen.dom


def test_a_request_and_a_foreign_script_would_be_noticed(tmp_path: Path) -> None:
    foreign = "<script>document.title='broken'</script><img src='http://127.0.0.1:9/x.png'>"
    page = render_report(samples.empty(), "en").replace("<main>", "<main>" + foreign)
    guarded = visit(page, tmp_path)
    assert guarded.requests == []
    assert len(guarded.console) == 2
    assert "<title>broken" not in guarded.dom
    (tmp_path / "open").mkdir()
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    open_page = visit(policy.sub("", page), tmp_path / "open")
    assert open_page.requests == ["http://127.0.0.1:9/x.png"]
    assert "<title>broken" in open_page.dom
