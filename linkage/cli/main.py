"""The command line: `guiyi`.

Each command checks its arguments, calls one function and prints its result. Exit codes: 0 done, 1 failed, 2 wrong usage
or configuration, 3 done with more rows in quarantine than the configured share, 128 and more ended by a signal.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from eval.errors import EvalError
from golden_records.errors import GoldenRecordsError
from linkage.cli import files, months, questions, review, rulings, service
from linkage.cli.app import app
from linkage.cli.ending import ending_on_signals
from linkage.commands.console import Console
from linkage.errors import FAILED, WRONG_USE, LinkageError
from linkage.ingest.errors import IngestError
from linkage.shortage import describe

__all__ = ["app", "files", "main", "months", "questions", "review", "rulings", "service"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the command's exit code."""
    # Whoever started us may have closed them; they stay open until the process ends.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    console = Console()
    try:
        with ending_on_signals(console.error):
            code = app(args=arguments, prog_name="guiyi", standalone_mode=False)
    except (LinkageError, IngestError) as error:
        console.error(str(error))
        code = error.exit_code
    except (GoldenRecordsError, EvalError) as error:
        console.error(describe(error, Path()) or str(error))
        code = FAILED
    except typer.Abort:
        code = FAILED
    except Exception as error:
        code = _usage_error(error)
    sys.exit(code or 0)


def _usage_error(error: Exception) -> int:
    """Show a command-line usage error the way typer would; anything else is a defect and goes on."""
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return WRONG_USE
    words = describe(error, Path())
    if words is None:
        raise error
    Console().error(words)
    return FAILED
