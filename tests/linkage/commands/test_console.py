"""What a command shows: results and remarks apart, plain lines in a log, nothing that breaks a terminal."""

from __future__ import annotations

import json

import pytest

from linkage.commands.console import STAGE_TITLES, Console
from linkage.pipeline import STEPS
from linkage.stages import StageClock


def test_results_go_to_standard_output_and_remarks_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.result("result", {"n": 1})
    console.say("remark")
    console.error("wrong")
    printed = capsys.readouterr()
    assert printed.out == "result\n"
    assert printed.err == "remark\nguiyi: wrong\n"


def test_quiet_keeps_results_and_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    with StageClock(console).stage("score", "natural_person") as stage:
        stage.rows = 5
    console.say("remark")
    console.result("result", {})
    console.error("wrong")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("result\n", "guiyi: wrong\n")


def test_json_is_one_document_of_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    Console(as_json=True).table("title", ("a",), [("1",)], {"名": ["值", None]})
    assert json.loads(capsys.readouterr().out) == {"名": ["值", None]}


def test_a_stage_is_one_plain_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with StageClock(Console()).stage("score", "natural_person") as stage:
        stage.rows = 12_345
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scoring pairs (natural_person)")
    assert "12,345 rows" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "half \ud800 a character", "x" * 5_000, "王 :smile:"])
def test_any_text_is_printed_as_it_is_on_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.error(text)
    console.say(text)
    console.result(text, {})
    printed = capsys.readouterr()
    shown = text.replace("\ud800", "?")
    assert printed.out == f"{shown}\n"
    assert printed.err == f"guiyi: {shown}\n{shown}\n"


def test_every_step_of_the_linkage_has_a_title() -> None:
    assert {name for name, _ in STEPS} <= STAGE_TITLES.keys()
