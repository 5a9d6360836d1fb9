"""What the commands do: plan, run, search, extend. Each plans, writes the plan, trains what is missing through Ray, and
brings it into the store.

Safe to stop and to start at any moment: everything a finished pack knows is on disk before anyone is told.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from study.plan.estimate import estimated_seconds
from study.plan.extend import chosen_runs
from study.plan.packing import Machine, PackPlan
from study.plan.plan import Plan, PlannedRun, plan_runs
from study.plan.same import check_same
from study.plan.stored import check_here, runs_of, stored_study
from study.plan.write import write
from study.search.next_points import Handout, Outcome
from study.search.request import Search
from study.sources import sources_of
from study.spec import StudySpec
from study.store.checkpoints import set_older_aside
from study.store.database import Store
from study.store.errors import StoreBusy
from study.store.parts import write_sources, write_timings
from study.store.storage import storage_at
from study.train.ahead import compiled_ahead
from study.train.driver import Driving, Say, driving
from study.train.failed_packs import PATIENCE_SECONDS, splitter
from study.train.loop import settings_for, train_through_ray
from study.train.machine import machine
from study.train.options import Options
from study.train.phases_so_far import PhasesSoFar
from study.train.progress import Progress
from study.train.timings import CallTimer, about
from study.train.worker import Work
from trainables.errors import SpecError

WHOLE_SHARE = 0.95
"""Of the steps that were missing: a call that has trained so many tells how good a guess was."""


def plan(
    study: StudySpec,
    store: Store | None,
    options: Options,
    on: Machine | None = None,
    runs: Sequence[PlannedRun] | None = None,
) -> Plan:
    """What is missing, from everything that is on disk; packs are for the machine `on`, None = this one.

    SpecError where the store has a study of this name over another base. Touches no cluster. A `store` that is open
    for reading alone is taken as it is, without parts that wait. `runs` are the study's runs, where they are known: a
    hundred thousand take half a minute to make.
    """
    if store and store.write:
        _bring_in(store)
    if store:
        check_same(study, store)
    runs = runs or runs_of(study, store, options.runs)
    on = on or machine(options.device, options.share, place=store.place if store and store.write else None)
    retrain = sources_of(study).digest if options.retrain else None
    return plan_runs(study, runs, store, on, options.pack_size, pruning=bool(options.prune), retrain=retrain)


def _bring_in(store: Store) -> None:
    """All parts that are on disk; a killed driver may have left some. StoreBusy where a reader keeps the store."""
    if busy := store.ingest(timeout=PATIENCE_SECONDS).busy:
        raise StoreBusy(busy)


def run(study: StudySpec, store: Store, options: Options, say: Say, timer: CallTimer | None = None) -> Plan:
    """Train what the study is missing and return the plan as it stands afterwards.

    `say` gets the progress line, and `timer` sees where the time goes. KeyboardInterrupt ends it at once; the same call
    goes on from there. SpecError when another driver works on this storage, or the code of a part is not here.
    """
    check_here(study)
    sources = sources_of(study)
    with driving(store, options, sources, say, timer) as driver:
        todo = plan(study, store, options, driver.target.machine)
        write(todo, store)
        if todo.packs:
            set_older_aside(storage_at(store.place), todo.anew)
            _train_all(todo, driver)
        else:
            store.ingest()
        return plan(study, store, options, driver.target.machine, todo.runs)


def search(
    search: Search, store: Store, options: Options, say: Say, timer: CallTimer | None = None
) -> tuple[Plan, Outcome]:
    """Train the runs that a search asks for, a pack whenever a worker is free: the plan of all, and why it ended.

    Everything that it knows is in the store, so that the same call goes on after whatever ended it.
    """
    sources = sources_of(search.study)
    with driving(store, options, sources, say, timer) as driver:
        _bring_in(store)
        handout = Handout(search, store, driver.target.machine, options.pack_size, bool(options.prune))
        progress = Progress(handout.plan(), say, total=search.runs, phases=PhasesSoFar(store, search.study))
        handout.planned = progress.add
        if handout.has_more():
            _train(driver, handout.study, handout.next, handout.past.runs, progress, most=search.runs)
        store.ingest(timeout=PATIENCE_SECONDS)
        return handout.plan(), handout.outcome()


def extend(
    store: Store,
    study: str,
    horizon: int,
    where: str | None,
    options: Options,
    say: Say,
    timer: CallTimer | None = None,
) -> Plan:
    """Continue a study's runs for which `where` holds (all, without it) from their checkpoints up to `horizon` steps.

    The plan afterwards, of these runs; SpecError where there is nothing to continue.
    """
    spec = stored_study(store, study).with_(horizon=horizon)
    check_here(spec)
    sources = sources_of(spec)
    with driving(store, options, sources, say, timer) as driver:
        _bring_in(store)
        runs = chosen_runs(store, spec, where)
        todo = plan_runs(spec, runs, store, driver.target.machine, options.pack_size)
        if not todo.packs:
            raise SpecError(
                f"study {study!r}: all {len(runs)} chosen runs were seen up to step {horizon} or ended of themselves; "
                f"give a longer --horizon."
            )
        write(todo, store)
        _train_all(todo, driver)
        return plan_runs(spec, runs, store, driver.target.machine, options.pack_size)


def _train_all(todo: Plan, driver: Driving) -> None:
    """Train the packs of a plan that is settled, in its order."""
    waiting, runs = iter(todo.packs), {run.run_id: run for run in todo.runs}
    progress = Progress(todo, driver.say, phases=PhasesSoFar(driver.store, todo.study))
    estimated, ahead = estimated_seconds(todo, driver.target.machine), nullcontext()
    if driver.target.marker is None:  # this machine trains
        settings = settings_for(todo.study, driver.store, driver.options, driver.target.machine, driver.sources)
        ahead = compiled_ahead(todo.packs[0], settings, driver.target.machine.memory)
    with ahead:
        _train(driver, todo.study, lambda: next(waiting, None), runs, progress, len(todo.packs), estimated)


def _train(
    driver: Driving,
    study: StudySpec,
    next_pack: Callable[[], PackPlan | None],
    runs: Mapping[str, PlannedRun],
    progress: Progress,
    most: int,
    estimated: float | None = None,
) -> None:
    """Train the packs of one study as `next_pack` gives them; `estimated` are the seconds that were guessed."""
    store, options, machine = driver.store, driver.options, driver.target.machine
    write_sources(store.place, driver.sources.texts)
    settings = settings_for(study, store, options, machine, driver.sources)
    split = splitter(study, runs, store, machine, bool(options.prune))
    timer, target, asked = driver.timer, driver.target, progress.left

    def next_work() -> Work | None:
        pack = next_pack()
        return None if pack is None else (pack, settings)

    def heard(message: dict[str, Any]) -> None:
        timer.enter("packs")
        progress.heard(message)

    train_through_ray(
        next_work,
        store,
        target,
        lease=driver.lease,
        timer=timer,
        most=most,
        split=split,
        heard=heard,
        show=progress.refresh,
    )
    # A guess is of all steps: what ended early, pruned or generalized, says nothing of it.
    whole = progress.trained >= WHOLE_SHARE * asked and target.marker is None
    try:
        write_timings(
            store.place, about(timer, study.name, machine.device, estimated if whole else None), timer.seconds()
        )
        store.ingest(timeout=1.0)
    except (OSError, SpecError) as error:  # all runs are in
        driver.say(f"store '{store.path}' does not keep where the time went ({error})")
