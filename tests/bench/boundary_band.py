"""How much of the true boundary does the 95% band hold, with first passages and without?

    python -m tests.bench.boundary_band [--seeds 8] [--runs 56 96 144] [--maps NAME ...]

After so many runs of a search: the percentage of the boundary in the band of phases alone, which searches and charts
show, and in that of the model that also reads first passages; then the widths of both, in ranges of the axes. Means
over the seeds. The default takes about a minute on one core.
"""

import argparse
import random
import warnings

import numpy as np

from study.samplers import boundary
from study.search.boundary.model import fit
from study.search.boundary.passages import log_steps
from study.search.boundary.width import width_of
from study.search.space import Seen
from tests.bench.boundary_readings import outcome, space_of
from tests.bench.boundary_width import crossings, inside
from tests.bench.ground_truth import Truth, chosen
from tests.bench.maps import MAPS

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, metavar="N")
    parser.add_argument("--runs", nargs="+", type=int, default=[56, 96, 144], metavar="N")
    parser.add_argument("--maps", nargs="+", default=list(MAPS), metavar="NAME")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("map              runs   phases alone   with passages   width   with passages")
    for truth in chosen(options.maps):
        readings = np.mean([read(truth, seed, sorted(options.runs)) for seed in range(options.seeds)], axis=0)
        for runs, (alone, both, width, width_both) in zip(sorted(options.runs), readings, strict=True):
            line = f"{truth.name:15} {runs:5}   {100 * alone:12.0f}   {100 * both:13.0f}"
            print(f"{line}   {width:5.2f}   {width_both:13.2f}", flush=True)


def read(truth: Truth, seed: int, counts: list[int]) -> list[list[float]]:
    """For each number of runs: the shares of the boundary in the two bands, and the two widths."""
    numbers, rng, rows = np.random.default_rng(seed), random.Random(seed), []
    seen: list[Seen] = []
    space, edge = space_of(truth), crossings(truth)
    for count in counts:
        while len(seen) < count:
            batch = min(BATCH, count - len(seen))
            seen += [outcome(truth, point, numbers) for point in boundary.suggest(space, seen, rng, batch)]
        places, positive = (
            np.array([list(run.point.values()) for run in seen]),
            np.array([run.positive for run in seen]),
        )
        models = fit(places, positive), fit(places, positive, log_steps_N=log_steps(seen))
        rows.append([inside(m, edge) for m in models] + [width_of(m, truth.num_axes) for m in models])
    return rows


if __name__ == "__main__":
    main()
