"""A study and its plan, as JSON and for people."""

import sys
import textwrap
from typing import Any

from study.cli.output import print_json, width_of
from study.cli.tables import print_rows
from study.plan.estimate import FACTOR, estimated_seconds, layers_of
from study.plan.packing import Machine
from study.plan.plan import Plan
from study.store.database import Store
from study.store.studies import stored_sources
from study.train.durations import between

NAMES = 28
"""Columns for names of axes and of parts."""


def show_study(
    plan: Plan, machine: Machine, standing: list[dict[str, Any]], as_json: bool, slower: float = 1.0
) -> None:
    """A study's resolved spec, its cost from nothing, and what the store has of it (`standing_rows`). This machine
    takes `slower` times as long as one guesses, here and below."""
    study, packs = plan.study, plan.packs
    cost = {"num_runs": len(plan.runs), "num_packs": len(packs), "workers": machine.workers, "device": machine.device}
    cost["estimated_seconds"] = round(slower * estimated_seconds(plan, machine))
    if as_json:
        print_json({"study": study.name, **study.to_json(), **cost, "stored": standing})
        return
    _say(f"{study.name}: {study.question}")
    print()
    over = study.search["over"] if study.search else {}
    for path, values in study.axes.items():
        _fact(path, str(over.get(path) or ", ".join(map(str, values))))
    if study.search:
        _fact("sampler", f"{study.sampler}, for {study.search['objective'] or ' or '.join(study.search['phases'])}")
        _fact("budget", f"{study.search['runs']:,} runs")
    _fact("seeds", str(study.seeds))
    _fact("horizon", f"{study.horizon:,} steps")
    _fact("definition", study.definition)
    if study.extra:
        _fact("extra points", str(len(study.extra)))
    print("\nbase:")
    for part, value in study.base.to_json().items():
        if isinstance(value, dict):
            fields = ", ".join(f"{name}={inner}" for name, inner in value.items() if name != "name")
            value = f"{value['name']}: {fields}"
        _fact(part, str(value), 16)
    print()
    if study.absent:
        _say(f"{len(plan.runs):,} runs. {_unknown(plan)}")
    else:
        _say(f"{len(plan.runs):,} runs in {len(packs):,} packs; {_cost(plan, machine, slower)} from nothing.")
    if standing:
        _say(f"The store has {', '.join(map(_stands, standing))}.")


def _stands(row: dict[str, Any]) -> str:
    """`8 finished at horizon 1,000`, with `of 1,500` where more was asked."""
    asked = f" of {row['planned_horizon']:,}" if row["planned_horizon"] != row["horizon"] else ""
    return f"{row['runs']:,} {row['status']} at horizon {row['horizon']:,}{asked}"


def show_sources(store: Store, study: str, as_json: bool) -> None:
    """The source of a study's own parts, the newest first, each with how many runs it has trained."""
    store.check_known(study)
    found = stored_sources(store, study)
    if as_json:
        print_json([{**row, "texts": dict(zip(row["modules"], row["texts"], strict=True))} for row in found])
        return
    if not found:
        _say(f"{study}: no run of parts of your own has been trained so far.")
    for row in found:
        for module, text in zip(row["modules"], row["texts"], strict=True):
            print(f"# {module}, source {row['digest']}, {row['runs']:,} runs\n\n{text}")


def show_plan(plan: Plan, machine: Machine, as_json: bool, slower: float = 1.0) -> None:
    """Planned, finished and missing runs, then the packs by shape. A search also has runs that it may still ask for."""
    about = {"planned": len(plan.runs), "finished": len(plan.finished), "missing": plan.missing}
    if plan.study.search:
        about["not asked for yet"] = max(0, plan.study.search["runs"] - len(plan.runs))
    packs = pack_rows(plan)
    if as_json:
        seconds = round(slower * estimated_seconds(plan, machine))
        print_json({"study": plan.study.name, **about, "packs": packs, "estimated_seconds": seconds,
                    "evaluation_examples": evaluation_limits(plan)})  # fmt: skip
        return
    _say(f"{plan.study.name}: " + ", ".join(f"{number:,} {word}" for word, number in about.items()))
    if plan.study.absent:
        _say(_unknown(plan))
    if packs:
        print()
        print_rows(packs)
        if said := _evaluated(plan):
            print()
            _say(said)
        print(f"\n{_cost(plan, machine, slower)}.")


def _evaluated(plan: Plan) -> str:
    """How many examples of large splits are evaluated; '' where all are, or where the study says it itself."""
    limits = evaluation_limits(plan)
    if plan.study.evaluation_examples is not None or not limits:
        return ""
    numbers = " or ".join(f"{limit:,}" for limit in limits)
    return f"Of large splits the first {numbers} examples are evaluated; with evaluation_share=None all are."


def evaluation_limits(plan: Plan) -> list[int]:
    """The numbers of examples to which larger splits of the packs are cut when they are evaluated, ascending."""
    limits = set()
    for spec in (pack.specs[-1] for pack in plan.packs):
        limit, task = plan.study.observation.examples(spec.batch_size), spec.task
        if limit is not None and limit < max(task.num_train, task.num_examples - task.num_train):
            limits.add(limit)
    return sorted(limits)


def _unknown(plan: Plan) -> str:
    """Why a plan has no packs, where the code of its parts is not here."""
    study = plan.study
    missing = " and ".join(study.absent)
    return f"Packs and time are unknown without the code of {missing}: give the study's file, {study.name}.py."


def pack_rows(plan: Plan) -> list[dict[str, Any]]:
    """One row per shape, size and first step of the packs that are missing."""
    alike: dict[tuple[int, ...], list[float]] = {}
    for pack in plan.packs:
        model = pack.specs[0].model
        alike.setdefault(
            (len(pack.run_ids), pack.start_step, getattr(model, "width", 0), layers_of(pack.specs[0])), []
        ).append(pack.bytes)
    return [
        {"packs": len(sizes), "runs each": runs, "layers": layers, "width": width, "from step": start,
         "memory MB": round(max(sizes) / 1e6)}
        for (runs, start, width, layers), sizes in sorted(alike.items())
    ]  # fmt: skip


def workers_of(machine: Machine) -> str:
    """What trains, in words: `2 CPU workers`."""
    kind = {"cpu": "CPU", "cuda": "GPU"}[machine.device]
    return f"{machine.workers} {kind} worker{'s' * (machine.workers > 1)}"


def _cost(plan: Plan, machine: Machine, slower: float) -> str:
    return f"{between(slower * estimated_seconds(plan, machine), FACTOR)} on {workers_of(machine)}"


def _say(text: str) -> None:
    """A sentence, wrapped between words."""
    print(textwrap.fill(text, width_of(sys.stdout), break_long_words=False, break_on_hyphens=False))


def _fact(name: str, value: str, names: int = NAMES) -> None:
    """A name and its value, wrapped under itself."""
    first, rest = f"  {name:{names}} ", " " * (names + 3)
    print(
        textwrap.fill(
            first + value,
            max(width_of(sys.stdout), names + 20),
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
