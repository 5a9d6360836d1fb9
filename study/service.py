"""The straight way of `study run`: plan, write the plan, train what is missing, bring it into the store.

Safe to stop and to start at any moment: everything a finished pack knows is on disk before anyone is told.
"""

import fcntl
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from study import cluster
from study.cluster import Target
from study.extend import chosen_runs
from study.halves import PATIENCE_SECONDS, splitter
from study.handout import Handout
from study.machine import machine
from study.packing import Machine, PackPlan, Share
from study.plan import Plan, PlannedRun, plan_runs, write
from study.progress import Progress
from study.prune import PRUNERS
from study.search import Search
from study.spec import StudySpec
from study.storage import storage_at
from study.store import Store, StoreBusy
from study.stored import runs_of, stored_study
from study.training import settings_for, train_through_ray
from study.trial import Work
from trainables.compiler import CHOICES
from trainables.components import closest
from trainables.errors import SpecError

Say = Callable[[str], None]
"""Gets the progress line."""
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what."""

    device: str = "auto"
    pack_size: int | None = None
    address: str = "auto"
    compile: str = "auto"
    runs: int | None = None
    flush_seconds: float = 10.0
    hang_seconds: float = 1800.0
    prune: str | None = None
    cpus_per_pack: int = 1
    gpus_per_pack: float = 1.0

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise SpecError(f"--device {self.device!r} is not known. {closest(self.device, list(DEVICES))}")
        if self.address not in ("auto", "local") and not re.fullmatch(r"\S+:\d{1,5}", self.address):
            raise SpecError(f"--address {self.address!r} is neither auto, local nor HOST:PORT.")
        if self.compile not in CHOICES:
            raise SpecError(f"--compile {self.compile!r} is not known. {closest(self.compile, list(CHOICES))}")
        if self.prune not in (None, *PRUNERS):
            raise SpecError(f"--prune {self.prune!r} is not known. {closest(self.prune, list(PRUNERS))}")
        for name in ("pack_size", "runs", "cpus_per_pack"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"--{name.replace('_', '-')} must be 1 or larger, got {value}.")
        if not 0 < self.gpus_per_pack <= 1:
            raise SpecError(f"--gpus-per-pack must be in (0, 1], got {self.gpus_per_pack:g}.")
        if not self.flush_seconds >= 0:
            raise SpecError(f"--flush-seconds must be 0 or larger, got {self.flush_seconds:g}.")
        if not self.hang_seconds > self.flush_seconds:
            raise SpecError(
                f"--hang-seconds must be larger than --flush-seconds {self.flush_seconds:g}, got {self.hang_seconds:g}."
            )

    @property
    def share(self) -> Share:
        """What a pack gets of the machine that trains it."""
        return Share(self.cpus_per_pack, self.gpus_per_pack)


def plan(
    study: StudySpec,
    store: Store | None,
    options: Options,
    on: Machine | None = None,
    runs: Sequence[PlannedRun] | None = None,
) -> Plan:
    """What is missing, from everything that is on disk; packs are for the machine `on`, None = this one.

    Touches no cluster. A `store` must be open for writing. `runs` are the study's runs, where they are known: a hundred
    thousand take half a minute to make.
    """
    if store:
        _bring_in(store)
    runs = runs or runs_of(study, store, options.runs)
    on = on or machine(options.device, options.share)
    return plan_runs(study, runs, store, on, options.pack_size, pruning=bool(options.prune))


def _bring_in(store: Store) -> None:
    """All parts that are on disk; a killed driver may have left some. StoreBusy where a reader keeps the store."""
    if busy := store.ingest(timeout=PATIENCE_SECONDS).busy:
        raise StoreBusy(busy)


def run(study: StudySpec, store: Store, options: Options, say: Say) -> Plan:
    """Train what the study is missing and return the plan as it stands afterwards.

    `say` gets the progress line. KeyboardInterrupt ends it at once; the same call goes on from there. SpecError when
    another driver works on this store.
    """
    with only_driver(store), target_of(store, options, say) as target:
        todo = plan(study, store, options, target.machine)
        write(todo, store)
        if todo.packs:
            _train_all(todo, store, options, target, say)
        else:
            store.ingest()
        return plan(study, store, options, target.machine, todo.runs)


def search(search: Search, store: Store, options: Options, say: Say) -> tuple[Plan, str]:
    """Train the runs that a search asks for, a pack whenever a worker is free: the plan of all, and why it ended.

    Everything that it knows is in the store, so that the same call goes on after whatever ended it.
    """
    with only_driver(store), target_of(store, options, say) as target:
        _bring_in(store)
        handout = Handout(search, store, target.machine, options.pack_size, bool(options.prune))
        progress = Progress(handout.plan(), say, total=search.runs)
        handout.planned = progress.add
        if handout.has_more():
            _train(handout.study, handout.next, handout.past.runs, store, options, target, progress, most=search.runs)
        store.ingest(timeout=PATIENCE_SECONDS)
        return handout.plan(), handout.outcome()


def extend(store: Store, study: str, horizon: int, where: str | None, options: Options, say: Say) -> Plan:
    """Continue a study's runs for which `where` holds (all, without it) from their checkpoints up to `horizon` steps.

    The plan afterwards, of these runs; SpecError where there is nothing to continue.
    """
    with only_driver(store), target_of(store, options, say) as target:
        _bring_in(store)
        spec = stored_study(store, study).with_(horizon=horizon)
        runs = chosen_runs(store, spec, where)
        todo = plan_runs(spec, runs, store, target.machine, options.pack_size)
        if not todo.packs:
            raise SpecError(
                f"study {study!r}: all {len(runs)} chosen runs were seen up to step {horizon} or ended of themselves; "
                f"give a longer --horizon."
            )
        write(todo, store)
        _train_all(todo, store, options, target, say)
        return plan_runs(spec, runs, store, target.machine, options.pack_size)


@contextmanager
def target_of(store: Store, options: Options, say: Say) -> Iterator[Target]:
    """What packs are sized for and trained on. A cluster is joined before anything is planned, and left in the end."""
    if cluster.is_named(options.address):
        from study import nodes  # ray takes seconds to import

        if nodes.find(options.address):
            with nodes.joined(options.address, store.place, options.device, options.share, say) as target:
                yield target
            return
    yield Target(machine(options.device, options.share), options.share)


def _train_all(todo: Plan, store: Store, options: Options, target: Target, say: Say) -> None:
    """Train the packs of a plan that is settled, in its order."""
    waiting = iter(todo.packs)
    runs, progress = {run.run_id: run for run in todo.runs}, Progress(todo, say)
    _train(todo.study, lambda: next(waiting, None), runs, store, options, target, progress, most=len(todo.packs))


def _train(
    study: StudySpec,
    next_pack: Callable[[], PackPlan | None],
    runs: Mapping[str, PlannedRun],
    store: Store,
    options: Options,
    target: Target,
    progress: Progress,
    most: int,
) -> None:
    """Train the packs of one study as `next_pack` gives them."""
    settings = settings_for(study, store, options, target.machine)
    split = splitter(study, runs, store, target.machine, bool(options.prune))

    def next_work() -> Work | None:
        pack = next_pack()
        return None if pack is None else (pack, settings)

    train_through_ray(next_work, store, target, most=most, split=split, heard=progress.heard, show=progress.show)


@contextmanager
def only_driver(store: Store) -> Iterator[None]:
    """Keep a second driver away from the store until the block ends or this process dies, however it dies."""
    with open(store.path / ".driver.lock", "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SpecError(
                f"store '{store.path}': another `study run` is at work here. Wait for it, or take another --store."
            ) from None
        storage_at(store.place).check_writing()  # before any work
        yield
