"""The outcome of a calibration as text and page: both languages, every state, and lines that are valid TOML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import altair
import pytest
import report_samples as samples

from eval.report.calibration import (
    apply_text,
    as_text,
    calibration_blocks,
    render_calibration,
    write_calibration,
)
from eval.report.text_tables import plain, text_table
from eval.report.words import LANGS, words

REPORTS = samples.calibrations()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_text_and_page_show_the_same_figures(name: str, lang: str) -> None:
    report = REPORTS[name]
    text, page = as_text([report], lang), render_calibration([report], lang)
    for one in calibration_blocks(report, words(lang, report.names)):
        assert one.title in text
        assert one.title in page
        for cell in (cell for row in one.table.rows for cell in row):
            assert cell in text
            assert cell.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;") in page
        if one.chart:
            altair.Chart.from_dict(one.chart, validate=True)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_the_lines_to_write_are_toml_with_both_thresholds(name: str, lang: str) -> None:
    report = REPORTS[name]
    lines = apply_text(report, words(lang))
    found = tomllib.loads("\n".join(re.findall(r"^(?:\[thresholds\]|\w+ = .*)$", lines, re.M)))["thresholds"]
    asked = report.calibration.asked_proposed
    assert found == {"auto": asked.auto, "review": asked.review}
    assert found["review"] <= found["auto"]


def test_each_state_is_told_in_its_own_words() -> None:
    said = {name: as_text([report], "en") for name, report in REPORTS.items()}
    assert "both halves show" in said["shown"]
    assert "does not contradict it" in said["kept"]
    assert "No automatic threshold is proposed" in said["refuted"]
    assert "rule of three" in said["too_few"]
    exceeded = {name for name, text in said.items() if "more are false than asked for" in text}
    assert exceeded == {"refuted"}
    assert "label more pairs near the threshold" in said["edge_unknown"]


def test_a_proposal_names_the_file_and_the_command() -> None:
    report = REPORTS["shown"]
    text = as_text([report], "en")
    assert report.config_file in text
    assert text.rstrip().endswith(report.next_command)


def test_thresholds_that_are_those_in_use_need_no_change() -> None:
    report = REPORTS["same"]
    assert "nothing to change" in as_text([report], "en")
    assert report.next_command not in as_text([report], "en")


def test_labels_from_identifiers_say_what_they_cannot_show() -> None:
    text = as_text([REPORTS["too_few"]], "en")
    assert "does not show records without a number" in text
    assert "birth date" in text


def test_a_rule_that_links_two_entities_is_marked() -> None:
    report = REPORTS["shown"]
    rules = calibration_blocks(report, words("en"))[-1].table
    assert [report.rules[i].verdict for i in rules.marked] == ["auto"]
    assert re.search(r"^ *! Linked", as_text([report], "en"), re.M)


def test_the_page_stands_alone(tmp_path: Path) -> None:
    write_calibration(list(REPORTS.values()), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in page
    assert not re.search(r'(src|href)="(?!#)', re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("junk", ["\x1b[31m", "\0", "\u202e", "\ud800", "\u200b"])
def test_text_that_could_steer_a_terminal_is_made_visible(junk: str) -> None:
    assert plain(f"a{junk}b").startswith("a\ufffd")
    assert "\x1b" not in plain(junk)


def test_tables_align_by_display_width_and_fold_only_on_a_terminal() -> None:
    from eval.report.block_parts import Table

    table = Table(("a", "n"), (("汉字", "1"), ("ab", "22")))
    first, _, *rows = text_table(table).splitlines()
    assert first == "a       n"[: len(first)] or first.startswith("a")
    assert rows[0].endswith(" 1")
    assert rows[1].endswith("22")
    long = "字" * 10_000
    assert long in text_table(Table(("a",), ((long,),)))
    folded = text_table(Table(("a",), ((long,),)), width=40)
    assert max(map(len, folded.splitlines())) <= 40
    assert folded.count("字") == 10_000
