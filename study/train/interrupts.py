"""Ctrl-C beside Ray, and what ends a process as it does: SIGTERM (`kill`, a shutdown), SIGHUP (a closed terminal).

Python raises KeyboardInterrupt wherever it happens to be, and Ray drops it in a callback. So it is remembered, and
raised again at the next occasion.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDS = (signal.SIGTERM, signal.SIGHUP)


def end_as_ctrl_c_does() -> None:
    """SIGTERM and SIGHUP raise KeyboardInterrupt from now on: their default leaves workers training for a minute. What
    the process was told to do with them stays: `nohup` ignores SIGHUP."""
    if threading.current_thread() is threading.main_thread():  # others may not say
        for number in ENDS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """A function for the time of the block: it raises KeyboardInterrupt if the process was asked to end meanwhile. So
    does the end of the block itself."""
    asked = threading.Event()

    def again() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield again
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDS)}

    def note(number: int, frame: Any) -> None:
        asked.set()
        handler = before[signal.Signals(number)]
        if not callable(handler):
            raise KeyboardInterrupt
        handler(number, frame)

    # In a program that calls `study.run` the default ends the process at once, and leaves the workers.
    mine = [number for number, handler in before.items() if callable(handler) or handler is signal.SIG_DFL]
    for number in mine:
        signal.signal(number, note)
    try:
        yield again
        again()
    finally:
        for number in mine:
            signal.signal(number, before[number])
