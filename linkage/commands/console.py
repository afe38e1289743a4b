"""What a person sees of a running command: a live line on a terminal, plain lines in a log, warnings alone when quiet.

Results go to standard output, progress and remarks to standard error, so that output can be piped. Lines carry counts
and seconds, never a name, an identifier or an address.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console as RichConsole
from rich.status import Status
from rich.table import Table

from linkage.errors import LinkageError
from linkage.stages import Stage

_PIPED_WIDTH = 200  # columns when nobody looks: no value is broken over two lines

STAGE_TITLES = {
    "simulate": "simulating the district",
    "ingest": "reading files",
    "current": "collecting the records in force",
    "standardise": "standardising records",
    "profile": "grouping identical records into profiles",
    "key": "making blocking keys",
    "pair": "pairing profiles",
    "model": "choosing the model",
    "frequencies": "counting values",
    "score": "scoring pairs",
    "judge": "judging pairs",
    "keep": "keeping links",
    "single out": "linking only candidates",
    "cluster": "clustering",
    "identify": "assigning permanent ids",
    "survive": "building golden records",
    "compare": "comparing with the last release",
    "lookup": "making entities findable by name",
    "publish": "publishing the release",
    "read rows": "reading credit rows",
    "read release": "reading the release",
    "attach": "attaching credit rows",
    "write": "writing results",
    "evaluate": "comparing with the truth",
}


class _Output(RichConsole):
    """A stream that goes on when nobody listens any more (`guiyi status … | head -1`): the work is not for the pipe."""

    def on_broken_pipe(self) -> None:
        """Say the rest to nobody."""
        hush(sys.stderr if self.stderr else sys.stdout)


def hush(stream: TextIO) -> None:
    """Let a stream end nowhere, so that neither what is buffered nor what comes raises an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Console:
    """Progress and results of a command.

    Args:
        quiet: say nothing but results, warnings and errors.
        brief: show stages only while they run.
        as_json: results are JSON.
    """

    def __init__(self, *, quiet: bool = False, brief: bool = False, as_json: bool = False) -> None:
        self.quiet = quiet
        self.brief = brief
        self.as_json = as_json
        self._out = _Output(soft_wrap=True, highlight=False, emoji=False)
        if not self._out.is_terminal:
            self._out = _Output(soft_wrap=True, highlight=False, emoji=False, width=_PIPED_WIDTH)
        self._err = _Output(stderr=True, soft_wrap=True, highlight=False, emoji=False)
        self._status: Status | None = None

    @property
    def width(self) -> int | None:
        """Columns of the terminal that results go to; none if nobody looks, and no value should be folded."""
        return self._out.width if self._out.is_terminal else None

    def started(self, stage: Stage) -> None:
        """Show that a stage begins."""
        if self.quiet or not self._err.is_terminal:
            return
        self._status = self._err.status(_title(stage))
        self._status.start()

    def progressed(self, stage: Stage, done: int) -> None:
        """Show how far a stage is."""
        if self._status is not None:
            self._status.update(f"{_title(stage)}: {done:,}")

    def finished(self, stage: Stage) -> None:
        """Show what a stage made and took."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self.brief:
            return
        rows = f"{stage.rows:>12,} rows" if stage.rows else " " * 17
        self.say(f"{_title(stage):<58}{rows}{stage.seconds:>9.1f} s{stage.peak_mb:>8,.0f} MB")

    def say(self, text: str) -> None:
        """Remark on something, on standard error."""
        if not self.quiet:
            self._err.print(_printable(text), markup=False)

    def warn(self, text: str) -> None:
        """Say what must not be missed, on standard error, quiet or not."""
        self._err.print(_printable(text), markup=False)

    def error(self, text: str) -> None:
        """Report an error, on standard error, quiet or not."""
        if self._status is not None:
            self._status.stop()
        self._err.print(_printable(f"guiyi: {text}"), markup=False)

    def result(self, text: str, data: Any) -> None:
        """Print a result: text for a person, or the data as JSON."""
        with _told_where():
            if self.as_json:
                sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")
                sys.stdout.flush()
            elif text:
                self._out.print(_printable(text), markup=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], data: Any) -> None:
        """Print a table for a person, or the data as JSON."""
        if self.as_json:
            self.result("", data)
            return
        table = Table(title=title, title_justify="left")
        for i, column in enumerate(columns):
            table.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        with _told_where():
            self._out.print(table)


@contextmanager
def _told_where() -> Iterator[None]:
    """Go on when nobody listens, and say so when the result cannot be written."""
    try:
        yield
    except BrokenPipeError:
        hush(sys.stdout)
    except OSError as error:
        hush(sys.stdout)
        raise LinkageError(f"standard output: cannot be written ({error.strerror}); the work itself is done") from error


def _printable(text: str) -> str:
    """Return text that any terminal takes: a damaged file name or column title may hold half a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _title(stage: Stage) -> str:
    title = STAGE_TITLES.get(stage.name, stage.name)
    return f"{title} ({stage.entity})" if stage.entity else title
