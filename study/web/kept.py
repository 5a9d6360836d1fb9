"""Answers from a store, each made once for every state of its file, however many pages ask."""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

from study.store.database import FILE, Store
from study.web.pace import Pace

T = TypeVar("T")
MOST, MOST_BYTES = 400, 100_000_000
"""Answers that are kept, at most, and the bytes of those that are encoded."""
SHARE = 0.1


class Kept:
    """The answers of one store, by what was asked and the state of the store's file."""

    def __init__(self, store: Store) -> None:
        self.store, self.pace = store, Pace()
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._slow: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def state(self) -> str:
        """What changes with every transaction of a writer: the file's time, size and place; `none` without a file."""
        try:
            found = os.stat(self.store.path / FILE)
        except OSError:
            return "none"
        return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"

    def get(self, asked: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, or gave for the same question and state. Who comes while it is made waits for it; an error
        is everybody's, and not kept."""
        key = (self.state(), asked)
        with self._lock:
            answer = self._answers.get(key)
            first = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
            self._answers.move_to_end(key)
        if first:
            try:
                answer.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                answer.set_exception(error)
            with self._lock:
                self._forget()
        return answer.result()

    def seldom(self, asked: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, or gave a while ago, of an earlier state: it is asked at most a SHARE of the time."""
        good_until, answer = self._slow.get(asked, (0.0, None))
        if time.monotonic() < good_until:
            return answer

        def made() -> T:
            begun = time.monotonic()
            found = make()
            now = time.monotonic()
            with self._lock:
                self._slow[asked] = (now + (now - begun) / SHARE, found)
                while len(self._slow) > MOST:
                    self._slow.popitem(last=False)
            return found

        return self.get(("seldom", asked), made)

    def _forget(self) -> None:
        """Leave out what is of another state, and the oldest answers beyond MOST."""
        state = self.state()
        for key in [key for key in self._answers if key[0] != state]:  # pyright: ignore[reportIndexIssue]
            del self._answers[key]
        while len(self._answers) > MOST or sum(map(_bytes, self._answers.values())) > MOST_BYTES:
            self._answers.popitem(last=False)


def _bytes(answer: Future[Any]) -> int:
    found = answer.result() if answer.done() and not answer.exception() else b""
    return len(found) if isinstance(found, bytes) else 0
