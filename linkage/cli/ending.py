"""How a command ends that is told to end: by a signal, at once, with one line and an exit code.

Whatever it was doing is made good by the next command, as after a crash; the kernel gives back its locks.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def ending_on_signals(say: Callable[[str], None]) -> Iterator[None]:
    """End the process, with exit code 128 and the signal's number, when it is told to end.

    Waiting for an exception to come to the surface is no way: a database busy with a long query swallows it.

    Args:
        say: says the line.
    """

    def end(number: int, _: FrameType | None) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{_SHOW_CURSOR}")
        say(f"ended by {signal.Signals(number).name}; nothing half done counts: type the same command again")
        os._exit(128 + number)

    try:
        before = {n: signal.signal(n, end) for n in _SIGNALS if signal.getsignal(n) != signal.SIG_IGN}
    except ValueError:  # signals are the main thread's, and this is another one
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
