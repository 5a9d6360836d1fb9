"""Ctrl-C beside Ray. Python raises KeyboardInterrupt wherever it is by then; in a callback of Ray's own code it is
dropped. So it is remembered, and raised again at the next occasion."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """A function for the time of the block: it raises KeyboardInterrupt if the process was asked to end meanwhile."""
    asked = threading.Event()

    def again() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield again
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: Any) -> None:
        asked.set()
        handler = before[signal.Signals(number)]
        assert callable(handler)
        handler(number, frame)

    mine = [number for number, handler in before.items() if callable(handler)]
    for number in mine:
        signal.signal(number, note)
    try:
        yield again
    finally:
        for number in mine:
            signal.signal(number, before[number])
