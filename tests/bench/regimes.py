"""How many runs does a search need for the map that the full grid of the study `regimes` gives?

    python -m tests.bench.regimes [--store results] [--seeds 5] [--runs 32] [--batch 2]

Needs a store in which `regimes` is finished. A search over the values of its four axes gets its outcomes from the
store: the first run that it asks for at a point is one of the grid's at random, the next another. After `--runs` runs
the boundary's model, as the charts read it, predicts every point. The error is the share of the points whose predicted
side is not the side of most of the grid's seeds. `random` has its points drawn without the sampler, and `one seed` is
the grid itself with one seed at each point.
"""

import argparse
import json
import random
from collections.abc import Sequence

import numpy as np

from study.samplers import boundary
from study.search.boundary.model import fit
from study.search.boundary.passages import log_steps
from study.search.request import make_search
from study.search.space import Seen, Space
from study.spec import Point, find, point_key
from study.store.database import Store

STUDY = "regimes"


def main() -> None:
    options = arguments()
    study = find(STUDY)
    over = [f"{path}={','.join(map(str, values))}" for path, values in study.axes.items()]
    space = make_search(STUDY, over, sampler="boundary", runs=options.runs).space
    grid = {key: runs for key, runs in finished(options.store).items() if json.loads(key) in study.points()}
    assert grid.keys() == {point_key(point) for point in study.points()}, "regimes is not finished in this store"
    rows = {
        "boundary": [searched(space, grid, options, seed) for seed in range(options.seeds)],
        "random": [at_random(space, grid, options.runs, seed) for seed in range(options.seeds)],
        "one seed": [wrong(grid, [runs[seed % len(runs)].positive for runs in grid.values()]) for seed in range(3)],
    }
    for name, errors in rows.items():
        each = " ".join(f"{100 * error:.1f}" for error in errors)
        print(f"{name:9} % wrong: {each}   mean {100 * np.mean(errors):.1f}")


def finished(path: str) -> dict[str, list[Seen]]:
    """The grid's runs at each point, by its key."""
    sql = """
        select point::text as point, phase in ('generalized_in_distribution', 'systematic') as positive, test_step_90
        from study_runs join study_phases using (study, run_id) join study_outcomes using (study, run_id)
        where study = $study and definition = 'wang2024' and phase <> 'unresolved' order by study_runs.run_id"""
    found = Store.open(path).sql(sql, {"study": STUDY}).fetchall()
    grid: dict[str, list[Seen]] = {}
    for point, positive, step in found:
        run = Seen(json.loads(point), True, step, positive, step)
        grid.setdefault(point_key(run.point), []).append(run)
    return grid


def searched(space: Space, grid: dict[str, list[Seen]], options: argparse.Namespace, seed: int) -> float:
    """The error of a search with this seed."""
    rng, left, seen = random.Random(seed), shuffled(grid, seed), list[Seen]()
    while len(seen) < options.runs:
        asked = boundary.suggest(space, seen, rng, min(options.batch, options.runs - len(seen)))
        seen += [left[point_key(point)].pop() for point in asked if left[point_key(point)]]
    return error(grid, space, seen)


def at_random(space: Space, grid: dict[str, list[Seen]], runs: int, seed: int) -> float:
    """The error of a map from runs at points drawn at random."""
    left = shuffled(grid, seed)
    keys = random.Random(seed).sample(sorted(left), runs)
    return error(grid, space, [left[key].pop() for key in keys])


def shuffled(grid: dict[str, list[Seen]], seed: int) -> dict[str, list[Seen]]:
    """The runs at each point in random order."""
    rng = random.Random(seed)
    return {key: rng.sample(runs, len(runs)) for key, runs in sorted(grid.items())}


def error(grid: dict[str, list[Seen]], space: Space, seen: Sequence[Seen]) -> float:
    """The error of the model of these runs."""
    positive_N = np.array([run.positive for run in seen])
    model = fit(encoded(space, [run.point for run in seen]), positive_N, log_steps_N=log_steps(seen))
    return wrong(grid, model.mean_and_sd(encoded(space, [runs[0].point for runs in grid.values()]))[0] > 0)


def encoded(space: Space, points: Sequence[Point]) -> np.ndarray:
    return np.array([space.encode(point) for point in points], float)


def wrong(grid: dict[str, list[Seen]], sides: Sequence[bool] | np.ndarray) -> float:
    """Share of the points whose side is not that of most of the grid's seeds."""
    most = [sum(bool(run.positive) for run in runs) > len(runs) / 2 for runs in grid.values()]
    return float(np.mean(np.array(sides, bool) != np.array(most)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="results", metavar="DIR")
    for name, value in {"seeds": 5, "runs": 32, "batch": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    main()
