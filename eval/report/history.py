"""How an entity or a record's membership came to be, as text or as an HTML page that needs no script and no network.

In: a title, lines that say the essentials, and blocks, their values already masked for the reader. Unlike the run
report a history may show values of a person: write it only where the reader may see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eval.report.block_parts import Block
from eval.report.html import render
from eval.report.summary import write_whole
from eval.report.text_tables import plain, text_table
from eval.report.words import words


@dataclass(frozen=True)
class HistoryPage:
    """A history to show: its title, its essentials line by line, and its blocks in reading order."""

    title: str
    lead: tuple[str, ...]
    blocks: tuple[Block, ...]


def as_text(page: HistoryPage, width: int | None = None) -> str:
    """Return a history as plain text.

    Args:
        page: the history.
        width: columns of the terminal; none: no value is folded.
    """
    parts = ["\n".join(plain(line) for line in (page.title, *page.lead))]
    for block in page.blocks:
        said = [f"== {block.title}", *([block.says] if block.says else []), text_table(block.table, width=width)]
        parts.append("\n".join(said))
    return "\n\n".join(parts) + "\n"


def render_history(page: HistoryPage, lang: str = "zh") -> str:
    """Return a history as an HTML page."""
    return render("history.html", words(lang), scripts=False, title=page.title, lead=page.lead, blocks=page.blocks)


def write_history(page: HistoryPage, path: Path | str, lang: str = "zh") -> None:
    """Write a history as one HTML file."""
    write_whole(Path(path), render_history(page, lang))
