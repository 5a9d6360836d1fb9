"""Answers from a store, each made once for every state of its file, however many pages ask."""

import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from study.store.database import FILE, Store
from study.web.pace import Pace

T = TypeVar("T")
MOST, MOST_BYTES = 400, 200_000_000
"""Answers that are kept, at most, and the bytes of those that are encoded or tables."""
SHARE, LONGEST_SECONDS = 0.1, 30.0
"""For `seldom`: the share of the time in which an answer is made, at most, and how old it is then, at most."""


class Kept:
    """The answers of one store, by what was asked and the state of the store's file."""

    def __init__(self, store: Store) -> None:
        self.store, self.pace = store, Pace()
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._slow: OrderedDict[Hashable, tuple[float, float, Any]] = OrderedDict()
        self._lock, self._behind = threading.Lock(), ThreadPoolExecutor(1, thread_name_prefix="kept")
        self._renewed: set[Hashable] = set()
        """What is made anew behind a page, or waits for it."""

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
                self._forget(key[0])
            self._answers.move_to_end(key)
        if first:
            try:
                answer.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                answer.set_exception(error)
            with self._lock:
                self._forget(self.state())
        return answer.result()

    def seldom(self, asked: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, or gave up to LONGEST_SECONDS ago, of an earlier state: for what takes long and changes
        little. Who asks does not wait where there is one so young, which is made anew behind the page."""

        def made() -> T:
            begun = time.monotonic()
            found = make()
            now = time.monotonic()
            with self._lock:
                self._slow[asked] = (now, (now - begun) / SHARE, found)
                self._slow.move_to_end(asked)
                while len(self._slow) > MOST:
                    self._slow.popitem(last=False)
            return found

        made_at, good_for, answer = self._slow.get(asked, (-math.inf, 0.0, None))
        age = time.monotonic() - made_at
        if age > LONGEST_SECONDS:
            return self.get(("seldom", asked), made)
        with self._lock:
            due = age > good_for and asked not in self._renewed
            if due:
                self._renewed.add(asked)
        if due:
            with suppress(RuntimeError):  # the server is about to end
                self._behind.submit(self._renew, asked, made)
        return answer

    def close(self) -> None:
        """Make nothing anew any more."""
        self._behind.shutdown(wait=False, cancel_futures=True)

    def _renew(self, asked: Hashable, made: Callable[[], Any]) -> None:
        try:
            self.get(("seldom", asked), made)  # an error comes up again once the old answer is too old
        finally:
            with self._lock:
                self._renewed.discard(asked)

    def _forget(self, state: str) -> None:
        """Leave out what is of another state, and the oldest answers beyond MOST or MOST_BYTES. What is being made
        stays, and so does the newest, whatever its size."""
        sizes = {key: _bytes(answer) for key, answer in self._answers.items() if answer.done()}
        stale = [key for key in sizes if key[0] != state]  # pyright: ignore[reportIndexIssue]
        for key in [*stale, *[key for key in sizes if key not in stale][:-1]]:
            if key not in stale and len(sizes) <= MOST and sum(sizes.values()) <= MOST_BYTES:
                break
            del self._answers[key], sizes[key]


def _bytes(answer: Future[Any]) -> int:
    found = None if answer.exception() else answer.result()
    return len(found) if isinstance(found, bytes) else getattr(found, "nbytes", 0)
