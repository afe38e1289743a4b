"""Tables for a terminal or a log: columns aligned by display width, Chinese characters counting two.

Without a width no cell is broken over lines, so that a value in a log can be searched for; with one, cells fold.
Control characters, bidirectional marks and halves of characters are shown as a replacement sign, so that no value can
move the cursor, colour the screen or turn its neighbours around.
"""

from __future__ import annotations

import io
import unicodedata

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from eval.report.block_parts import Table

_UNBROKEN = 100_000


def text_table(table: Table, *, width: int | None = None, lines: bool = False) -> str:
    """Return a table as text without colours.

    Args:
        table: the rows; a cell may hold several lines.
        width: columns of the terminal; none: as wide as the cells are.
        lines: draw a line between rows, for cells of several lines.
    """
    made = RichTable(
        box=box.SQUARE if lines else box.SIMPLE_HEAD,
        show_lines=lines,
        show_edge=lines,
        pad_edge=lines,
        show_footer=table.foot is not None,
    )
    for position, title in enumerate(table.head):
        foot = table.foot[position] if table.foot else ""
        is_text = position < table.text_columns
        made.add_column(
            Text(plain(title)),
            Text(plain(foot)),
            justify="left" if is_text else "right",
            no_wrap=width is None or not is_text,
            overflow="fold",
        )
    for position, row in enumerate(table.rows):
        mark = "! " if position in table.marked else ""
        made.add_row(*(Text(plain(mark * (i == 0) + cell)) for i, cell in enumerate(row)))
    out = io.StringIO()
    console = Console(file=out, width=width or _UNBROKEN, color_system=None, force_terminal=False, emoji=False)
    console.print(made, soft_wrap=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n")


def plain(text: str) -> str:
    """Return text that only shows itself.

    >>> plain("a" + chr(27) + "[31mb")
    'a�[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else "\ufffd" for c in text)
