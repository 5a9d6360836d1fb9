"""One driver per storage, whatever folder its store has: who drives has a claim there, and renews it.

A claim is a file with a name of its own, so that nobody ever writes to another's. Who wants to drive writes one and
then lists all: it drives once there is no other. Of two drivers the later one sees the claim of the earlier, so there
is never more than one. This takes nothing but listings that have what was written before, as those of S3, Google
Cloud Storage and file systems do (NFS clients list anew after a write of their own to the folder). pyarrow has no
write to a bucket that fails where something is.

A driver removes its claim in the end. That of a killed one is known by its process on the same machine, and elsewhere
by not being renewed for STALE_SECONDS. Whoever waits measures these by its own clock and its own looks: clocks of two
machines are never compared. A driver that has not renewed its claim for half of that time (a laptop that slept) goes
on only if its claim is still there, and no other.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from study.store.process import Process
from study.store.storage import Storage
from trainables.errors import SpecError

CLAIMS = "driver"
"""Folder of the claims in a storage."""
RENEW_SECONDS = 5.0
STALE_SECONDS = 60.0
LOOK_SECONDS = 0.5
"""Between two looks at the claims of others."""

Say = Callable[[str], None]


class Lease:
    """The right to drive a storage, as `held` gives it."""

    def __init__(self, storage: Storage) -> None:
        self.claim = f"{CLAIMS}/{secrets.token_hex(8)}"
        """Name of the claim. It is gone when another driver has taken over: workers stop then."""
        self._storage, self._about = storage, asdict(Process.this())
        self._renewals, self._holds, self._lost = 0, False, False
        self._renewed_at = 0.0
        """When the last renewal began."""
        self._lock, self._ended = threading.Lock(), threading.Event()

    def check(self) -> None:
        """SpecError if another driver has taken over, OSError if the storage does not say; for each step of work."""
        with self._lock:
            if self._is_late():
                self._renew()
            if self._lost:
                raise SpecError(
                    f"storage '{self._storage}': another `study run` has taken over, because this one was not heard of "
                    f"for a while (did the machine sleep?). Nothing is lost; call it again when that one has ended."
                )

    def take(self, say: Say) -> None:
        """Become the driver; SpecError where another one is at work."""
        others: dict[str, _Other] = {}
        while True:
            self._renewed_at = _now()
            self._write()
            found = self._others()
            if not found:
                break
            for name in found:
                others.setdefault(name, _Other(name)).look(self._storage, self.claim, say)
            time.sleep(LOOK_SECONDS)
        self._holds = True
        self._renew()
        self.check()

    def keep(self) -> None:
        """Renew the claim until the lease ends; in a thread of its own."""
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(OSError), self._lock:  # no answer: the next time, or `check` tells
                self._renew()

    def end(self) -> None:
        """Let others drive."""
        self._ended.set()
        with suppress(OSError), self._lock:  # one that stays is taken over
            self._lost = True
            self._storage.delete(self.claim)

    def _renew(self) -> None:
        if self._lost or not self._storage.exists(self.claim):
            self._lost = True
            return
        began = _now()
        self._write()
        if self._is_late() and self._others():
            self._lost = True
            self._storage.delete(self.claim)
            return
        self._renewed_at = began

    def _write(self) -> None:
        self._renewals += 1
        about = {**self._about, "renewals": self._renewals, "holds": self._holds}
        self._storage.write(self.claim, json.dumps(about).encode())

    def _others(self) -> list[str]:
        return sorted(name for name in self._storage.names(CLAIMS) if name != self.claim)

    def _is_late(self) -> bool:
        """True if others may soon take it that this driver is dead, or have already."""
        return _now() - self._renewed_at > STALE_SECONDS / 2


@dataclass
class _Other:
    """Another's claim, as one who waits sees it."""

    name: str
    data: bytes | None = None
    since: float = 0.0
    told: bool = False

    def look(self, storage: Storage, own: str, say: Say) -> None:
        """See whether it was renewed: SpecError if its driver comes first. It is removed if nobody will renew it."""
        try:
            data = storage.read(self.name)
        except FileNotFoundError:
            return
        process, holds = _said(data)
        who = str(process or "an unknown process")
        if process and process.is_dead():
            storage.delete(self.name)
            say(f"storage '{storage}': taken over from {who}, which is dead")
            return
        renewed = data != self.data
        # Of two that wait, the one with the later name gives way.
        if renewed and self.data is not None and (holds or self.name < own):
            raise SpecError(
                f"storage '{storage}': another `study run` is at work here ({who}). Wait for it, end it, or take "
                f"another --store, and another --storage if you have given one."
            )
        if renewed:
            self.data, self.since = data, time.monotonic()
        silent = time.monotonic() - self.since
        if silent > STALE_SECONDS:
            storage.delete(self.name)
            say(f"storage '{storage}': taken over from {who}, which was not heard of for {STALE_SECONDS:g} s")
        elif silent > 2 * RENEW_SECONDS and not self.told:
            self.told = True
            say(f"storage '{storage}': waiting up to {STALE_SECONDS:g} s for {who}, which may be at work here")


@contextmanager
def held(storage: Storage, say: Say) -> Iterator[Lease]:
    """The lease of a storage until the block ends, or this process dies; SpecError where another driver has it. `say`
    gets whom it was taken over from, and whom it waits for."""
    lease = Lease(storage)
    keeper = threading.Thread(target=lease.keep, daemon=True)
    try:
        lease.take(say)
        keeper.start()
        yield lease
    finally:
        lease.end()


def _said(data: bytes) -> tuple[Process | None, bool]:
    """Whose claim it is, and whether that process drives; None where it cannot be read."""
    try:
        about = json.loads(data)
        told = [str(about[field]) for field in ("host", "started", "table")]
        return Process(told[0], int(about["pid"]), *told[1:]), bool(about["holds"])
    except (ValueError, LookupError, TypeError):
        return None, True


def _now() -> float:
    """Seconds, with those in which the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
