"""`study run --watch DIR`: the studies of a folder, fairly between them, until told to stop.

A file that is put into the folder is run, and one that changes is run as it is now. One that is taken away is
cancelled: its packs end at their next flush, and what they have recorded is kept.
"""

import os
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

from study.plan.packing import Machine, PackPlan
from study.plan.plan import PlannedRun
from study.plan.write import write
from study.sources import Sources, sources_of
from study.spec import StudySpec, find
from study.store import checkpoints
from study.store.database import Store
from study.store.errors import StoreBusy
from study.store.parts import write_sources
from study.store.storage import storage_at
from study.train.driver import Say, driving
from study.train.failed_packs import splitter
from study.train.interrupts import remembered
from study.train.loop import settings_for, train_through_ray
from study.train.options import Options
from study.train.phases_so_far import PhasesSoFar
from study.train.progress import Progress
from study.train.service import plan
from study.train.worker import Work
from trainables.errors import SpecError

LOOK_SECONDS = 2.0


@dataclass
class Entry:
    """One study of the folder."""

    study: StudySpec
    sources: Sources
    progress: Progress
    runs: dict[str, PlannedRun]
    waiting: list[PackPlan]
    given: float
    """Floating-point operations of the packs handed out for it, counted from its start: the study with the fewest is
    next."""
    left_out: set[str]
    """Ids of runs that another study of the folder was training when this one was planned."""
    handed: set[str] = field(default_factory=set)
    """Names of the packs that workers have got."""


class Queue:
    """The packs of all studies of a folder, on one machine."""

    def __init__(self, folder: Path, store: Store, machine: Machine, options: Options, say: Say) -> None:
        self.folder, self.store, self.machine, self.options, self.say = folder, store, machine, options, say
        self.entries: dict[str, Entry] = {}
        self.stamps: dict[str, tuple[int, int]] = {}
        self.unread: set[str] = set()
        """Paths that cannot be read, which were told."""
        self.busy: dict[str, str] = {}
        """Runs that wait or train, and the file of the study whose packs they are in."""
        self.looked_at = 0.0
        self.storage = storage_at(store.place)

    def look(self) -> None:
        """See which files have come, have changed and have gone."""
        self.looked_at = time.monotonic()
        stamps = self._stamps()
        for path in [path for path, stamp in self.stamps.items() if stamps.get(path) != stamp]:
            self._cancel(path)
            del self.stamps[path]
        # A study is planned again when runs that were left out of it are trained by the other study, or left by it.
        freed = {path for path, e in self.entries.items() if e.left_out and not e.left_out & self.busy.keys()}
        for path in sorted((stamps.keys() - self.stamps.keys()) | freed):
            try:
                self._add(path)
            except StoreBusy:  # a reader keeps the store: the next look tries again
                del stamps[path]
            except SpecError as error:  # until the file changes
                self.say(f"{path}: {error}")
        self.stamps = stamps

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """Size and change time of each study file that can be read. What cannot be is told once, until it can."""
        found, unread = {}, {}
        for path in sorted(self.folder.glob("*.py")):
            if path.name.startswith("."):  # an editor's lock, a copy on its way
                continue
            try:
                stat = path.stat()
                if not S_ISREG(stat.st_mode):  # reading from a pipe would wait for somebody who writes
                    unread[str(path)] = "it is no file"
                elif _is_study(path):
                    found[str(path)] = (stat.st_size, stat.st_mtime_ns)
            except OSError as error:
                if os.path.lexists(path):  # else it has gone since the folder was listed
                    unread[str(path)] = str(error.strerror)
        for path in unread.keys() - self.unread:
            self.say(f"{path}: cannot be read ({unread[path]}): mend it, or take it out of the folder.")
        self.unread = set(unread)
        return found

    def next_work(self) -> Work | None:
        """A pack of the study that has had the least so far; None if no study has one."""
        if time.monotonic() - self.looked_at > LOOK_SECONDS:
            self.look()
        entries = [entry for entry in self.entries.values() if entry.waiting]
        if not entries:
            return None
        entry = min(entries, key=lambda entry: entry.given)
        pack = entry.waiting.pop(0)
        entry.given += pack.flops
        entry.handed.add(pack.pack_id)
        self.storage.delete(checkpoints.stop_sign(pack.pack_id))
        return pack, settings_for(entry.study, self.store, self.options, self.machine, entry.sources)

    def split(self, pack: PackPlan, size: int) -> list[PackPlan]:
        """A pack in pieces of at most so many runs."""
        entry = self._owner(pack.pack_id)
        if entry is None:
            return []
        pieces = splitter(entry.study, entry.runs, self.store, self.machine, bool(self.options.prune))(pack, size)
        entry.handed |= {piece.pack_id for piece in pieces}
        return pieces

    def heard(self, message: dict[str, Any]) -> None:
        """A heartbeat, for the progress of the study that the pack belongs to."""
        for run_id, (_, status) in message["states"].items():
            if status == "finished":
                self.busy.pop(run_id, None)
        if entry := self._owner(message["pack_id"]):
            entry.progress.heard(message)

    def look_at_phases(self, at_once: bool) -> None:
        """See which phases the runs of the studies that train are in. From another thread than the one that trains."""
        for entry in list(self.entries.values()):
            if entry.progress.left:
                entry.progress.look(at_once)

    def _add(self, path: str) -> None:
        study = find(path)
        sources = sources_of(study)  # now: the next file's modules take the place of this one's
        write_sources(self.store.place, sources.texts)
        whole = plan(study, self.store, self.options, self.machine)
        taken = {run.run_id for run in whole.runs if run.run_id in self.busy} - whole.finished
        packs = whole.packs
        if taken:
            free = [run for run in whole.runs if run.run_id not in taken]
            packs = plan(study, self.store, self.options, self.machine, free).packs if free else []
        write(replace(whole, packs=packs), self.store)
        left_out = {run_id for run_id in taken if self.busy[run_id] != path}
        if path in self.entries:
            entry = self.entries[path]
            entry.left_out = left_out
        else:
            given = min((entry.given for entry in self.entries.values() if entry.waiting), default=0.0)
            runs = {run.run_id: run for run in whole.runs}
            progress = Progress(whole, self.say, phases=PhasesSoFar(self.store, study))
            entry = self.entries[path] = Entry(study, sources, progress, runs, [], given, left_out)
        entry.waiting += packs
        self.busy |= {run_id: path for pack in packs for run_id in pack.run_ids}

    def _cancel(self, path: str) -> None:
        entry = self.entries.pop(path, None)
        self.busy = {run_id: owner for run_id, owner in self.busy.items() if owner != path}
        for pack_id in entry.handed if entry else ():
            self.storage.write(checkpoints.stop_sign(pack_id), b"")

    def _owner(self, pack_id: str) -> Entry | None:
        for entry in self.entries.values():
            if pack_id in entry.handed or any(pack.pack_id == pack_id for pack in entry.waiting):
                return entry
        return None


def _is_study(path: Path) -> bool:
    """True for a file with a line that begins with STUDY: others are what studies import."""
    return re.search(r"^STUDY\b", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE) is not None


def watch(folder: Path, store: Store, options: Options, say: Say) -> None:
    """Run the studies of a folder as they come, until KeyboardInterrupt."""
    if not folder.is_dir():
        raise SpecError(f"--watch '{folder}' is no folder: make it, and put study files into it.")
    with driving(store, options, Sources(), say) as driver, remembered() as check_interrupt:
        queue = Queue(folder, store, driver.target.machine, options, say)
        while True:
            check_interrupt()
            driver.lease.check()
            queue.look()
            if any(entry.waiting for entry in queue.entries.values()):
                train_through_ray(
                    queue.next_work,
                    store,
                    driver.target,
                    lease=driver.lease,
                    timer=driver.timer,
                    most=driver.target.machine.workers,
                    split=queue.split,
                    heard=queue.heard,
                    show=queue.look_at_phases,
                    ask_seconds=LOOK_SECONDS,
                )
            time.sleep(LOOK_SECONDS)
