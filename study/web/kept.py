"""Answers from a store, each made once for every state of its file, however many pages ask."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

from study.store.database import FILE, Store
from study.web.pace import Pace

T = TypeVar("T")
MOST = 400
"""Answers are kept, at most."""


class Kept:
    """The answers of one store, by what was asked and the state of the store's file."""

    def __init__(self, store: Store) -> None:
        self.store, self.pace = store, Pace()
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()
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
                self._forget(key)
            self._answers.move_to_end(key)
        if first:
            try:
                answer.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._answers.pop(key, None)
                answer.set_exception(error)
        return answer.result()

    def _forget(self, newest: tuple[str, Hashable]) -> None:
        """Leave out what is of another state, and the oldest answers beyond MOST."""
        for key in [key for key in self._answers if key[0] != newest[0]]:  # pyright: ignore[reportIndexIssue]
            del self._answers[key]
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)
