"""Is the width honest at which a search stops (`study search --until-width`)?

    python -m tests.bench.boundary_width [--seeds 20] [--runs 384] [--batch 8] [--maps NAME ... | --maps held_out]

For each map and width: the runs after which the band is no wider, as the search itself asks after each batch; then the
misclassified area, and the share of the true boundary that lies in the 95% band. Median and worst over the seeds that
got there. An honest band holds 95% of the boundary in the median; where a whole region was overlooked it holds less.
"""

import argparse
import random
import warnings

import numpy as np

from study.boundary_model import fit
from study.boundary_steps import log_steps
from study.boundary_width import Z, width_of
from study.samplers import boundary
from study.space import Seen
from tests.bench.boundary_readings import outcome, space_of
from tests.bench.ground_truth import Truth, chosen

WIDTHS = (0.1, 0.05, 0.03, 0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"seeds": 20, "runs": 384, "batch": 8}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--maps", nargs="+", metavar="NAME")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("median (worst)  width   reached   runs         % wrong       % of the boundary in the band")
    for truth in chosen(options.maps):
        stops = [stopped(truth, seed, options.runs, options.batch) for seed in range(options.seeds)]
        for width in WIDTHS:
            print(line(truth, width, [stop[width] for stop in stops if width in stop], options.seeds), flush=True)


def stopped(truth: Truth, seed: int, runs: int, batch: int) -> dict[float, tuple[float, float, float]]:
    """Width -> runs, misclassified share and share of the boundary in the band, when a search with it ends."""
    numbers, rng, found = np.random.default_rng(seed), random.Random(seed), {}
    seen: list[Seen] = []
    space, edge = space_of(truth), crossings(truth)
    while len(seen) < runs and len(found) < len(WIDTHS):
        seen += [outcome(truth, point, numbers) for point in boundary.suggest(space, seen, rng, batch)]
        places = np.array([list(run.point.values()) for run in seen])
        model = fit(places, np.array([run.positive for run in seen]), log_steps_N=log_steps(seen))
        known = width_of(model, truth.num_axes)
        for width in WIDTHS:
            if known <= width and width not in found:
                mean, sd = model.mean_and_sd(edge)
                inside = float(np.mean(np.abs(mean) < Z * sd))
                found[width] = (len(seen), truth.error(model.mean_and_sd(truth.cells)[0] > 0), inside)
    return found


def crossings(truth: Truth) -> np.ndarray:
    """Places (P, D) at which half of the runs are positive, one wherever a line through the cells crosses there."""
    size = round(len(truth.cells) ** (1 / truth.num_axes))
    cells = truth.cells.reshape([size] * truth.num_axes + [truth.num_axes])
    excess = truth.rate(truth.cells).reshape([size] * truth.num_axes) - 0.5
    found = []
    for axis in range(truth.num_axes):
        before, after, low, high = (np.delete(x, end, axis) for x in (excess, cells) for end in (-1, 0))
        crosses = (before > 0) != (after > 0)
        part = (before / (before - after + 1e-300))[crosses][:, None]
        found.append(low[crosses] + part * (high - low)[crosses])
    return np.concatenate(found)


def line(truth: Truth, width: float, stops: list[tuple[float, float, float]], seeds: int) -> str:
    head = f"{truth.name:15} {100 * width:4.0f}%  {len(stops):3}/{seeds}"
    if not stops:
        return head
    runs, error, inside = np.array(stops).T * [[1], [100], [100]]
    return (
        f"{head}   {np.median(runs):4.0f} ({runs.max():3.0f})   {np.median(error):5.1f} ({error.max():4.1f})"
        f"   {np.median(inside):5.0f} ({inside.min():.0f})"
    )


if __name__ == "__main__":
    main()
